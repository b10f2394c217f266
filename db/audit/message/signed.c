/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/message/signed.h"

#include <openssl/err.h>

#include "db/audit/der/der.h"

enum { CERTIFICATES_MAX = 32, OCTETS_MAX = 1 << 17, HEADER_MAX = 5 };

DEFINE_CLEANUP(bits_cleanup, ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_CLEANUP(asn1_type_cleanup, ASN1_TYPE, ASN1_TYPE_free)

static void
certificates_free(STACK_OF(X509) * *stack)
{
    sk_X509_pop_free(*stack, X509_free);
}

static X509_ALGOR *
algorithm_of(struct span der)
{
    const unsigned char *p = der.p;

    return der.n == 0 ? NULL : d2i_X509_ALGOR(NULL, &p, (long)der.n);
}

static int
nid_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    return OBJ_obj2nid(object);
}

enum message_protection
message_protection_of(const struct message_outline *m)
{
    CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = algorithm_of(m->algorithm);
    int nid;

    if (algorithm == NULL || m->protection.n == 0) {
        return MESSAGE_UNPROTECTED;
    }
    nid = nid_of(algorithm);
    return nid == NID_id_PasswordBasedMAC || nid == NID_pbmac1 ? MESSAGE_BY_MAC
                                                               : MESSAGE_BY_SIGNATURE;
}

/* ---- one signature ---- */

/* A SEQUENCE of these octets. */
static int
sequence_of(struct span first, struct span second, struct buf *out, struct err *e)
{
    const size_t n = first.n + second.n;
    const uint8_t header[HEADER_MAX] = {DER_SEQUENCE, 0x83, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                                        (uint8_t)n};
    const uint8_t two[] = {DER_SEQUENCE, 0x82, (uint8_t)(n >> 8), (uint8_t)n};
    const uint8_t one[] = {DER_SEQUENCE, 0x81, (uint8_t)n};
    const uint8_t none[] = {DER_SEQUENCE, (uint8_t)n};
    const struct span front = n > 0xffff ? span_of(header, sizeof(header))
                              : n > 0xff ? span_of(two, sizeof(two))
                              : n > 0x7f ? span_of(one, sizeof(one))
                                         : span_of(none, sizeof(none));

    return buf_append(out, front, e) != 0 || buf_append(out, first, e) != 0
               ? -1
               : buf_append(out, second, e);
}

/* OpenSSL verifies structures: this one is a SEQUENCE as it is. `bits` has the octet that says how
 * many bits of the last one do not count. */
static bool
verifies(struct span algorithm_der, struct span bits, struct span sequence, EVP_PKEY *key)
{
    CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = algorithm_of(algorithm_der);
    CLEANUP(bits_cleanup) ASN1_BIT_STRING *signature = ASN1_BIT_STRING_new();
    CLEANUP(asn1_type_cleanup) ASN1_TYPE *octets = ASN1_TYPE_new();
    ASN1_STRING *string = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    bool good = algorithm != NULL && signature != NULL && octets != NULL && string != NULL &&
                bits.n > 1 && bits.p[0] == 0 &&
                ASN1_STRING_set(string, sequence.p, (int)sequence.n) == 1 &&
                ASN1_STRING_set(signature, bits.p + 1, (int)bits.n - 1) == 1;

    if (octets != NULL && string != NULL) {
        ASN1_TYPE_set(octets, V_ASN1_SEQUENCE, string);
    } else {
        ASN1_STRING_free(string);
    }
    if (good) {
        signature->flags |= ASN1_STRING_FLAG_BITS_LEFT;
        good = ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, octets, key) == 1;
    }
    ERR_clear_error();
    return good;
}

/* ---- the protection ---- */

static STACK_OF(X509) * certificates_of(struct span in)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    struct span content;
    struct span whole;

    while (in.n > 0 && sk_X509_num(all) < CERTIFICATES_MAX &&
           audit_take(&in, DER_SEQUENCE, &content, &whole)) {
        const unsigned char *p = whole.p;
        X509 *one = d2i_X509(NULL, &p, (long)whole.n);

        if (one != NULL && sk_X509_push(all, one) == 0) {
            X509_free(one);
        }
    }
    ERR_clear_error();
    return all;
}

X509 *
message_signer(const struct message_outline *m, struct err *e)
{
    CLEANUP(certificates_free) STACK_OF(X509) *all = certificates_of(m->certificates);
    CLEANUP(buf_free) struct buf part = BUF_INIT(OCTETS_MAX);

    if (sequence_of(m->header, m->tagged_body, &part, e) != 0) {
        return NULL;
    }
    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *one = sk_X509_value(all, i);
        EVP_PKEY *key = X509_get0_pubkey(one);

        if (key != NULL && verifies(m->algorithm, m->protection, buf_span(&part), key)) {
            X509_up_ref(one);
            return one;
        }
    }
    (void)err_set(
        e, ERR_CRYPTO,
        "the signature of the message does not verify with a certificate that it carries");
    return NULL;
}

int
message_path(const struct message_outline *m, X509 *signer, STACK_OF(X509) * roots, time_t at,
             struct err *e)
{
    CLEANUP(certificates_free) STACK_OF(X509) *all = certificates_of(m->certificates);
    CLEANUP(x509_store_cleanup) X509_STORE *store = X509_STORE_new();
    CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int result = 0;

    for (int i = 0; i < sk_X509_num(roots); i++) {
        (void)X509_STORE_add_cert(store, sk_X509_value(roots, i));
    }
    if (ctx == NULL || X509_STORE_CTX_init(ctx, store, signer, all) != 1) {
        return ossl_err(e, ERR_CRYPTO, "a path");
    }
    X509_STORE_CTX_set_time(ctx, 0, at);
    if (X509_verify_cert(ctx) != 1) {
        result = err_set(e, ERR_CRYPTO, "the certificate that signs the message has no path: %s",
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    ERR_clear_error();
    return result;
}

/* ---- possession ---- */

static EVP_PKEY *
possessed_pkcs10(struct span der, struct err *e)
{
    const unsigned char *p = der.p;
    CLEANUP(x509_req_cleanup) X509_REQ *request = d2i_X509_REQ(NULL, &p, (long)der.n);
    EVP_PKEY *key = request == NULL || p != der.p + der.n ? NULL : X509_REQ_get_pubkey(request);

    if (key != NULL && X509_REQ_verify(request, key) == 1) {
        return key;
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    (void)err_set(e, ERR_CRYPTO, "the PKCS #10 is not signed with the key that it asks for");
    return NULL;
}

static EVP_PKEY *
possessed_crmf(struct span content, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(OCTETS_MAX);
    struct message_request r;
    const unsigned char *p;
    EVP_PKEY *key;

    if (message_request_read(content, &r, e) != 0 ||
        sequence_of(r.key, span_of(NULL, 0), &spki, e) != 0) {
        return NULL;
    }
    p = spki.p;
    key = d2i_PUBKEY(NULL, &p, (long)spki.n);
    if (key != NULL && verifies(r.algorithm, r.signature, r.request, key)) {
        return key;
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    (void)err_set(e, ERR_CRYPTO, "the message has no proof of possession that verifies");
    return NULL;
}

EVP_PKEY *
message_possessed(struct span message, const struct message_outline *m, struct err *e)
{
    return m == NULL                  ? possessed_pkcs10(message, e)
           : m->body == MESSAGE_P10CR ? possessed_pkcs10(m->content, e)
                                      : possessed_crmf(m->content, e);
}

/* ---- certConf ---- */

/* RFC 9810 5.3.18: as the certificate's signature hashes, unless it says. */
static const EVP_MD *
hash_of(const struct message_confirmation *c, const X509 *certificate)
{
    CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = algorithm_of(c->algorithm);
    int nid = NID_undef;

    if (algorithm != NULL) {
        nid = nid_of(algorithm);
    } else if (OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &nid, NULL) != 1 ||
               nid == NID_undef) {
        nid = NID_sha512; /* EdDSA */
    }
    return EVP_get_digestbynid(nid);
}

int
message_confirms(const struct message_outline *m, X509 *certificate, struct span der, struct err *e)
{
    struct message_confirmation c;
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const EVP_MD *md;

    if (message_confirmation_read(m->content, &c, e) != 0) {
        return -1;
    }
    md = hash_of(&c, certificate);
    return md != NULL && EVP_Digest(der.p, der.n, hash, &n, md, NULL) == 1 &&
                   span_equal(c.hash, span_of(hash, n))
               ? 0
               : err_set(e, ERR_CRYPTO, "the certConf is not for this certificate");
}
