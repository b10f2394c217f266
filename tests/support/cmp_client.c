/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmp_client.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/protect.h"

enum { SALT_SIZE = 16, SMALL = 2048, EXTRA_MAX = CMP_EXTRA_CERTS_MAX - 1 };

/* A server's answer has the parameters that this client chose. */
static const struct cmp_mac_limits any_count = {.count_max = UINT32_MAX, .pbmac1_max = UINT32_MAX};

DEFINE_CLEANUP(pbm_cleanup, CMP_PBM, CMP_PBM_free)
DEFINE_CLEANUP(cert_rep_cleanup, CMP_CERT_REP, CMP_CERT_REP_free)
DEFINE_CLEANUP(rev_rep_cleanup, CMP_REV_REP, CMP_REV_REP_free)
DEFINE_CLEANUP(cert_id_cleanup, CMP_CERT_ID, CMP_CERT_ID_free)
DEFINE_CLEANUP(cert_request_cleanup, CMP_CERT_REQUEST, CMP_CERT_REQUEST_free)

static int
failed(struct err *e, const char *what)
{
    return ossl_err(e, ERR_CRYPTO, "%s", what);
}

static int
append_oid(int nid, bool with_null, struct buf *out, struct err *e)
{
    CLEANUP(x509_algor_cleanup) X509_ALGOR *a = X509_ALGOR_new();

    if (a == NULL ||
        X509_ALGOR_set0(a, OBJ_nid2obj(nid), with_null ? V_ASN1_NULL : V_ASN1_UNDEF, NULL) != 1) {
        return failed(e, "AlgorithmIdentifier");
    }
    return field_encode(ASN1_ITEM_rptr(X509_ALGOR), a, out, e);
}

/* AlgorithmIdentifier { oid, parameters }, the parameters encoded already */
static int
append_algorithm(int nid, struct span parameters, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(SMALL);
    const ASN1_OBJECT *object = OBJ_nid2obj(nid);

    if (der_append(&content, DER_OID, span_of(OBJ_get0_data(object), OBJ_length(object)), e) != 0 ||
        (parameters.n != 0 && buf_append(&content, parameters, e) != 0)) {
        return -1;
    }
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

int
cmp_client_pbm(int owf, uint32_t count, int mac, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    CLEANUP(pbm_cleanup) CMP_PBM *pbm = CMP_PBM_new();
    uint8_t salt[SALT_SIZE];

    if (random_bytes(salt, sizeof(salt), e) != 0) {
        return -1;
    }
    if (pbm == NULL || ASN1_OCTET_STRING_set(pbm->salt, salt, sizeof(salt)) != 1 ||
        X509_ALGOR_set0(pbm->owf, OBJ_nid2obj(owf), V_ASN1_UNDEF, NULL) != 1 ||
        ASN1_INTEGER_set_int64(pbm->iteration_count, count) != 1 ||
        X509_ALGOR_set0(pbm->mac, OBJ_nid2obj(mac), V_ASN1_UNDEF, NULL) != 1) {
        return failed(e, "PBMParameter");
    }
    buf_truncate(out, 0);
    if (field_encode(ASN1_ITEM_rptr(CMP_PBM), pbm, &der, e) != 0) {
        return -1;
    }
    return append_algorithm(NID_id_PasswordBasedMAC, buf_span(&der), out, e);
}

int
cmp_client_pbmac1_key(int prf, uint32_t count, int mac, int key_size, struct buf *out,
                      struct err *e)
{
    CLEANUP(buf_free) struct buf two = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(SMALL);
    uint8_t salt[SALT_SIZE];
    X509_ALGOR *kdf;
    int result;

    if (random_bytes(salt, sizeof(salt), e) != 0) {
        return -1;
    }
    kdf = PKCS5_pbkdf2_set((int)count, salt, sizeof(salt), prf, key_size);
    if (kdf == NULL) {
        return failed(e, "PBKDF2-params");
    }
    result = field_encode(ASN1_ITEM_rptr(X509_ALGOR), kdf, &two, e);
    X509_ALGOR_free(kdf);
    buf_truncate(out, 0);
    if (result != 0 || append_oid(mac, true, &two, e) != 0 ||
        der_append(&sequence, DER_SEQUENCE, buf_span(&two), e) != 0) {
        return -1;
    }
    return append_algorithm(NID_pbmac1, buf_span(&sequence), out, e);
}

int
cmp_client_pbmac1(int prf, uint32_t count, int mac, struct buf *out, struct err *e)
{
    return cmp_client_pbmac1_key(prf, count, mac, 32, out, e);
}

EVP_PKEY *
cmp_client_key(struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (key == NULL) {
        (void)failed(e, "P-256 key");
    }
    return key;
}

/* RSASSA-PSS-params { [0] { SHA-256, NULL }, [1] { MGF1, { SHA-256, NULL } }, [2] 32 } */
static const uint8_t pss_sha256[] = {
    0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
    0x04, 0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20};

/* The AlgorithmIdentifier of a signature with this key. */
static int
signature_algorithm(const EVP_PKEY *key, const EVP_MD *md, struct buf *out, struct err *e)
{
    int nid = NID_undef;
    int type = EVP_PKEY_get_base_id(key);

    if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) {
        return append_oid(type, false, out, e);
    }
    if (type == EVP_PKEY_RSA_PSS) {
        return append_algorithm(NID_rsassaPss, span_of(pss_sha256, sizeof(pss_sha256)), out, e);
    }
    if (OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(md), type) != 1) {
        return err_set(e, ERR_INPUT, "no signature algorithm for this key");
    }
    return append_oid(nid, type == EVP_PKEY_RSA, out, e);
}

static int
sign(EVP_PKEY *key, const EVP_MD *md, struct span data, struct buf *out, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL; /* the context's */
    int type = EVP_PKEY_get_base_id(key);
    uint8_t signature[SMALL];
    size_t n = sizeof(signature);

    if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) {
        md = NULL;
    }
    if (context == NULL || EVP_DigestSignInit(context, &parameters, md, NULL, key) != 1 ||
        (type == EVP_PKEY_RSA_PSS &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1) ||
        EVP_DigestSign(context, signature, &n, data.p, data.n) != 1) {
        return failed(e, "sign");
    }
    return buf_set(out, span_of(signature, n), e);
}

/* regCtrl-oldCertID { issuer, serialNumber } */
static int
add_old_cert(CMP_CERT_REQUEST *r, const struct cmp_client_wish *wish, struct err *e)
{
    CLEANUP(cert_id_cleanup) CMP_CERT_ID *id = CMP_CERT_ID_new();
    CLEANUP(buf_free) struct buf value = BUF_INIT(CMP_MESSAGE_MAX);
    CMP_CONTROL *control = CMP_CONTROL_new();

    if (id == NULL || control == NULL) {
        return failed(e, "oldCertID");
    }
    r->controls = sk_CMP_CONTROL_new_null();
    if (r->controls == NULL || sk_CMP_CONTROL_push(r->controls, control) <= 0) {
        CMP_CONTROL_free(control);
        return failed(e, "oldCertID");
    }
    GENERAL_NAME_set0_value(id->issuer, GEN_DIRNAME, X509_NAME_dup(wish->old_issuer));
    ASN1_INTEGER_free(id->serial);
    id->serial = ASN1_INTEGER_dup(wish->old_serial);
    ASN1_OBJECT_free(control->type);
    control->type = OBJ_nid2obj(NID_id_regCtrl_oldCertID);
    if (field_encode(ASN1_ITEM_rptr(CMP_CERT_ID), id, &value, e) != 0) {
        return -1;
    }
    ASN1_TYPE_free(control->value);
    control->value = field_decode(ASN1_ITEM_rptr(ASN1_ANY), buf_span(&value), "CertId", e);
    return control->value == NULL ? -1 : 0;
}

static int
encode_cert_request(EVP_PKEY *key, const struct cmp_client_wish *wish, struct buf *out,
                    struct err *e)
{
    CLEANUP(cert_request_cleanup) CMP_CERT_REQUEST *r = CMP_CERT_REQUEST_new();
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SMALL);
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    int result;

    if (n <= 0) {
        return failed(e, "public key");
    }
    result = buf_append(&spki, span_of(der, (size_t)n), e);
    OPENSSL_free(der);
    if (result != 0) {
        return -1;
    }
    if (r == NULL || ASN1_INTEGER_set_int64(r->cert_req_id, wish->cert_req_id) != 1) {
        return failed(e, "CertRequest");
    }
    if (wish->subject != NULL) {
        r->template->subject = X509_NAME_dup(wish->subject);
    }
    if (wish->extensions != NULL) {
        r->template->extensions =
            sk_X509_EXTENSION_deep_copy(wish->extensions, X509_EXTENSION_dup, X509_EXTENSION_free);
    }
    if (wish->old_issuer != NULL && add_old_cert(r, wish, e) != 0) {
        return -1;
    }
    r->template->public_key = field_decode(ASN1_ITEM_rptr(CMP_SPKI), buf_span(&spki), "SPKI", e);
    return r->template->public_key == NULL
               ? -1
               : field_encode(ASN1_ITEM_rptr(CMP_CERT_REQUEST), r, out, e);
}

/* [1] POPOSigningKey { algorithm, signature } */
static int
append_pop(EVP_PKEY *key, struct span request, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf pop = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf bits = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SMALL);
    const uint8_t none = 0;

    if (signature_algorithm(key, EVP_sha256(), &pop, e) != 0 ||
        sign(key, EVP_sha256(), request, &signature, e) != 0 ||
        buf_append(&bits, span_of(&none, 1), e) != 0 ||
        buf_append(&bits, buf_span(&signature), e) != 0 ||
        der_append(&pop, DER_BIT_STRING, buf_span(&bits), e) != 0) {
        return -1;
    }
    return der_append(out, DER_CONTEXT | 1, buf_span(&pop), e);
}

static int
wrap(enum cmp_body type, struct span inner, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(CMP_MESSAGE_MAX);

    buf_truncate(out, 0);
    if (der_append(&sequence, DER_SEQUENCE, inner, e) != 0) {
        return -1;
    }
    return der_append(out, (uint8_t)(DER_CONTEXT | (unsigned)type), buf_span(&sequence), e);
}

int
cmp_client_body_request(enum cmp_body type, EVP_PKEY *key, const X509_NAME *subject,
                        struct buf *body, struct err *e)
{
    return cmp_client_body_wish(type, key, &(struct cmp_client_wish){.subject = subject}, body, e);
}

int
cmp_client_body_wish(enum cmp_body type, EVP_PKEY *key, const struct cmp_client_wish *wish,
                     struct buf *body, struct err *e)
{
    CLEANUP(buf_free) struct buf request = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);

    if (encode_cert_request(key, wish, &request, e) != 0 ||
        buf_append(&content, buf_span(&request), e) != 0 ||
        append_pop(key, buf_span(&request), &content, e) != 0 ||
        der_append(&message, DER_SEQUENCE, buf_span(&content), e) != 0) {
        return -1;
    }
    return wrap(type, buf_span(&message), body, e);
}

int
cmp_client_body_certconf(const X509 *certificate, bool accept, struct buf *body, struct err *e)
{
    return cmp_client_body_certconf_with(certificate, NULL, accept, body, e);
}

/* The hash of the certificate's own signature, or this one, which is then named (RFC 9810 5.3.18).
 */
static int
set_hash(CMP_CERT_STATUS *s, const X509 *certificate, const EVP_MD *md, struct err *e)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    ASN1_OCTET_STRING_free(s->hash);
    if (md == NULL) {
        s->hash = X509_digest_sig(certificate, NULL, NULL);
        return s->hash != NULL ? 0 : failed(e, "certHash");
    }
    s->hash = ASN1_OCTET_STRING_new();
    s->hash_alg = X509_ALGOR_new();
    if (s->hash == NULL || s->hash_alg == NULL || X509_digest(certificate, md, hash, &n) != 1 ||
        ASN1_OCTET_STRING_set(s->hash, hash, (int)n) != 1) {
        return failed(e, "certHash");
    }
    X509_ALGOR_set_md(s->hash_alg, md);
    return 0;
}

int
cmp_client_body_certconf_with(const X509 *certificate, const EVP_MD *md, bool accept,
                              struct buf *body, struct err *e)
{
    CMP_CERT_STATUS *s = CMP_CERT_STATUS_new();
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    int result = 0;

    if (s == NULL || ASN1_INTEGER_set_int64(s->cert_req_id, 0) != 1) {
        CMP_CERT_STATUS_free(s);
        return failed(e, "CertStatus");
    }
    s->status = CMP_STATUS_new();
    if (set_hash(s, certificate, md, e) != 0 || s->status == NULL ||
        ASN1_INTEGER_set_int64(s->status->status, accept ? CMP_ACCEPTED : CMP_REJECTION) != 1) {
        result = failed(e, "CertStatus");
    }
    if (result == 0) {
        result = field_encode(ASN1_ITEM_rptr(CMP_CERT_STATUS), s, &der, e);
    }
    CMP_CERT_STATUS_free(s);
    return result != 0 ? -1 : wrap(CMP_CERTCONF, buf_span(&der), body, e);
}

static void
rev_details_release(CMP_REV_DETAILS **details)
{
    CMP_REV_DETAILS_free(*details);
}

int
cmp_client_body_rr(const X509_NAME *issuer, const ASN1_INTEGER *serial, int reason,
                   struct buf *body, struct err *e)
{
    CLEANUP(rev_details_release) CMP_REV_DETAILS *details = CMP_REV_DETAILS_new();
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
    int result;

    if (details == NULL || code == NULL) {
        return failed(e, "RevDetails");
    }
    details->certificate->issuer = issuer == NULL ? NULL : X509_NAME_dup(issuer);
    details->certificate->serial = serial == NULL ? NULL : ASN1_INTEGER_dup(serial);
    if (reason >= 0 &&
        (ASN1_ENUMERATED_set(code, reason) != 1 ||
         X509V3_add1_i2d(&details->entry, NID_crl_reason, code, 0, X509V3_ADD_APPEND) != 1)) {
        ASN1_ENUMERATED_free(code);
        return failed(e, "RevDetails");
    }
    ASN1_ENUMERATED_free(code);
    result = field_encode(ASN1_ITEM_rptr(CMP_REV_DETAILS), details, &der, e);
    return result != 0 ? -1 : wrap(CMP_RR, buf_span(&der), body, e);
}

int
cmp_client_body_pollreq(int cert_req_id, struct buf *body, struct err *e)
{
    CLEANUP(buf_free) struct buf one = BUF_INIT(SMALL);
    uint8_t id = (uint8_t)cert_req_id; /* 0 or -1: one octet either way */
    CLEANUP(buf_free) struct buf integer = BUF_INIT(SMALL);

    if (der_append(&integer, DER_INTEGER, span_of(&id, 1), e) != 0 ||
        der_append(&one, DER_SEQUENCE, buf_span(&integer), e) != 0) {
        return -1;
    }
    return wrap(CMP_POLLREQ, buf_span(&one), body, e);
}

static const EVP_MD *
digest_of(const struct cmp_client *c)
{
    return c->digest != NULL ? c->digest : EVP_sha256();
}

/* certProfile, behind the recipient in the buf that the header borrows from. */
static int
append_profile(const struct cmp_client *c, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf name = BUF_INIT(SMALL);

    if (c->profile == NULL) {
        return 0;
    }
    return der_append(&name, 0x0c, span_str(c->profile), e) != 0
               ? -1
               : der_append(out, DER_SEQUENCE, buf_span(&name), e);
}

int
cmp_client_header(const struct cmp_client *c, struct cmp_header *h, X509_NAME **name,
                  struct buf *recipient, struct err *e)
{
    const ASN1_OCTET_STRING *ski;
    size_t n;

    *recipient = BUF_INIT(CMP_MESSAGE_MAX);
    h->implicit_confirm = c->implicit_confirm;
    if (cmp_general_name(c->recipient, recipient, e) != 0) {
        return -1;
    }
    n = recipient->n;
    if (append_profile(c, recipient, e) != 0) {
        return -1;
    }
    h->recipient = span_of(recipient->p, n);
    if (c->profile != NULL) {
        h->info_oid = "1.3.6.1.5.5.7.4.21";
        h->info_value = span_of(recipient->p + n, recipient->n - n);
    }
    if (c->certificate != NULL) {
        ski = X509_get0_subject_key_id(c->certificate);
        *name = X509_NAME_dup(X509_get_subject_name(c->certificate));
        h->sender_kid = field_span(ski);
    } else {
        *name = X509_NAME_new();
        h->sender_kid = span_str(c->reference);
        if (*name == NULL ||
            X509_NAME_add_entry_by_NID(*name, NID_commonName, MBSTRING_UTF8,
                                       (const unsigned char *)c->reference, -1, -1, 0) != 1) {
            return failed(e, "sender");
        }
    }
    h->sender = *name;
    return 0;
}

int
cmp_client_protect(const struct cmp_client *c, struct span part, const struct span *extra,
                   size_t n_extra, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf protection = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct span all[1 + EXTRA_MAX];
    size_t n = 0;

    if (n_extra > EXTRA_MAX) {
        return err_set(e, ERR_INPUT, "more than %d extra certificates", EXTRA_MAX);
    }
    if (c->certificate == NULL) {
        enum cmp_failure failure;
        CLEANUP(cmp_mac_key_cleanup)
        struct cmp_mac_key *key = cmp_mac_key_new(c->algorithm, c->secret, &any_count, &failure, e);

        if (key == NULL || cmp_mac_make(key, part, &protection, e) != 0) {
            return -1;
        }
    } else {
        if (OSSL_ENCODE(X509, c->certificate, &der, e) != 0 ||
            sign(c->key, digest_of(c), part, &protection, e) != 0) {
            return -1;
        }
        all[n++] = buf_span(&der);
    }
    for (size_t i = 0; i < n_extra; i++) {
        all[n++] = extra[i];
    }
    return cmp_build_finish(part, buf_span(&protection), all, n, out, e);
}

int
cmp_client_seal(const struct cmp_client *c, const struct cmp_header *header, struct span body,
                struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_header h = *header;

    if (c->certificate != NULL && signature_algorithm(c->key, digest_of(c), &algorithm, e) != 0) {
        return -1;
    }
    h.algorithm = c->certificate != NULL ? buf_span(&algorithm) : c->algorithm;
    if (cmp_build_part(&h, body, &part, e) != 0) {
        return -1;
    }
    return cmp_client_protect(c, buf_span(&part), NULL, 0, out, e);
}

/* Nonces of the state into the header (later messages), or of the header into the state (first). */
int
cmp_client_message(const struct cmp_client *c, bool first, struct span body,
                   struct cmp_client_state *state, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    struct cmp_header h;

    if (cmp_header_first(&h, e) != 0 || cmp_client_header(c, &h, &name, &recipient, e) != 0) {
        return -1;
    }
    if (c->pvno != 0) {
        h.pvno = c->pvno;
    }
    if (first) {
        h.time = c->time != 0 ? c->time : h.time;
        *state = (struct cmp_client_state){0};
        memcpy(state->transaction_id, h.transaction_id.p, CMP_NONCE_SIZE);
    } else {
        h.implicit_confirm = false;
        h.info_oid = NULL;
        h.transaction_id = span_of(state->transaction_id, CMP_NONCE_SIZE);
        h.recip_nonce = span_of(state->recip_nonce, state->recip_nonce_size);
    }
    memcpy(state->sender_nonce, h.sender_nonce.p, h.sender_nonce.n);
    state->sender_nonce_size = h.sender_nonce.n;
    return cmp_client_seal(c, &h, body, out, e);
}

int
cmp_client_rr(const struct cmp_client *c, const X509 *target, int reason,
              struct cmp_client_state *state, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_rr(X509_get_issuer_name(target), X509_get0_serialNumber(target), reason,
                           &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, true, buf_span(&body), state, out, e);
}

int
cmp_client_request(const struct cmp_client *c, enum cmp_body type, EVP_PKEY *key,
                   const X509_NAME *subject, struct cmp_client_state *state, struct buf *out,
                   struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_request(type, key, subject, &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, true, buf_span(&body), state, out, e);
}

int
cmp_client_certconf(const struct cmp_client *c, const X509 *certificate, bool accept,
                    struct cmp_client_state *state, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_certconf(certificate, accept, &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, false, buf_span(&body), state, out, e);
}

int
cmp_client_pollreq(const struct cmp_client *c, int cert_req_id, struct cmp_client_state *state,
                   struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_pollreq(cert_req_id, &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, false, buf_span(&body), state, out, e);
}

void
cmp_client_answer_free(struct cmp_client_answer *a)
{
    buf_free(&a->certificate);
}

static int
verify(const struct cmp_client *c, const struct cmp_msg *msg, X509 *server, struct err *e)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    enum cmp_failure failure;

    switch (cmp_protection_of(msg)) {
    case CMP_PROTECTION_MAC:
        key = cmp_mac_key_new(cmp_msg_protection_alg(msg), c->secret, &any_count, &failure, e);
        return key == NULL ? -1 : cmp_mac_verify(key, msg, &failure, e);
    case CMP_PROTECTION_SIGNATURE:
        signer = server == NULL ? cmp_msg_signer(msg, e) : NULL;
        if (server == NULL && signer == NULL) {
            return -1;
        }
        return cmp_signature_verify(msg, server != NULL ? server : signer, &failure, e);
    case CMP_UNPROTECTED:
    case CMP_PROTECTION_UNKNOWN:
        break;
    }
    return err_set(e, ERR_CRYPTO, "answer is not protected");
}

static int
read_status(const CMP_STATUS *status, struct cmp_status_info *out, struct err *e)
{
    int64_t value;

    if (!field_int(status->status, &value)) {
        return err_set(e, ERR_INPUT, "status");
    }
    out->status = (enum cmp_status)value;
    for (int i = 0; status->failures != NULL && i < CMP_FAILURE_COUNT; i++) {
        out->failures |= ASN1_BIT_STRING_get_bit(status->failures, i) == 1 ? 1U << (unsigned)i : 0;
    }
    if (sk_ASN1_UTF8STRING_num(status->text) > 0) {
        struct span s = field_span(sk_ASN1_UTF8STRING_value(status->text, 0));

        memcpy(out->text, s.p, s.n < sizeof(out->text) - 1 ? s.n : sizeof(out->text) - 1);
    }
    return 0;
}

static int
read_cert_rep(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    CLEANUP(cert_rep_cleanup)
    CMP_CERT_REP *rep =
        field_decode(ASN1_ITEM_rptr(CMP_CERT_REP), cmp_msg_content(msg), "CertRepMessage", e);
    const CMP_RESPONSE *r;
    int64_t id;

    if (rep == NULL) {
        return -1;
    }
    if (sk_CMP_RESPONSE_num(rep->responses) != 1) {
        return err_set(e, ERR_INPUT, "not exactly one CertResponse");
    }
    r = sk_CMP_RESPONSE_value(rep->responses, 0);
    if (!field_int(r->cert_req_id, &id) || read_status(r->status, &out->status, e) != 0) {
        return err_set(e, ERR_INPUT, "CertResponse");
    }
    out->cert_req_id = (int)id;
    return r->key_pair == NULL ? 0
                               : buf_set(&out->certificate, field_raw(r->key_pair->certificate), e);
}

static int
read_rp(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    CLEANUP(rev_rep_cleanup)
    CMP_REV_REP *rep = field_decode(ASN1_ITEM_rptr(CMP_REV_REP), cmp_msg_content(msg), "rp", e);

    if (rep == NULL) {
        return -1;
    }
    if (sk_CMP_STATUS_num(rep->status) != 1) {
        return err_set(e, ERR_INPUT, "rp: not exactly one status");
    }
    return read_status(sk_CMP_STATUS_value(rep->status, 0), &out->status, e);
}

static int
read_pollrep(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    CMP_POLL_REP *rep =
        field_decode(ASN1_ITEM_rptr(CMP_POLL_REP), cmp_msg_content(msg), "pollRep", e);
    const CMP_POLL_ANSWER *one;
    int64_t id = 0;
    bool ok;

    if (rep == NULL) {
        return -1;
    }
    one = sk_CMP_POLL_ANSWER_value(rep, 0);
    ok = sk_CMP_POLL_ANSWER_num(rep) == 1 && field_int(one->cert_req_id, &id) &&
         field_int(one->check_after, &out->check_after);
    out->cert_req_id = (int)id;
    sk_CMP_POLL_ANSWER_pop_free(rep, CMP_POLL_ANSWER_free);
    return ok ? 0 : err_set(e, ERR_INPUT, "pollRep");
}

int
cmp_client_read_body(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    enum cmp_failure failure;

    if (out->body == CMP_IP || out->body == CMP_CP || out->body == CMP_KUP) {
        return read_cert_rep(msg, out, e);
    }
    if (out->body == CMP_POLLREP) {
        return read_pollrep(msg, out, e);
    }
    if (out->body == CMP_ERROR) {
        return cmp_error_read(msg, &out->status, &failure, e);
    }
    if (out->body == CMP_RP) {
        return read_rp(msg, out, e);
    }
    return out->body == CMP_PKICONF || out->body == CMP_GENP
               ? 0
               : err_set(e, ERR_INPUT, "answer is a %s", cmp_body_name(out->body));
}

int
cmp_client_read(const struct cmp_client *c, struct span der, X509 *server,
                struct cmp_client_state *state, struct cmp_client_answer *out, struct err *e)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = cmp_msg_parse(der, CMP_MESSAGE_MAX, e);
    struct span nonce;

    *out = (struct cmp_client_answer){.certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    if (msg == NULL) {
        return err_wrap(e, "answer");
    }
    out->body = cmp_msg_body(msg);
    out->implicit_confirm = cmp_msg_implicit_confirm(msg);
    nonce = cmp_msg_sender_nonce(msg);
    if (!span_equal(cmp_msg_transaction_id(msg), span_of(state->transaction_id, CMP_NONCE_SIZE)) ||
        !span_equal(cmp_msg_recip_nonce(msg),
                    span_of(state->sender_nonce, state->sender_nonce_size)) ||
        nonce.n < CMP_NONCE_SIZE) {
        return err_set(e, ERR_INPUT, "answer: transactionID or nonces are not right");
    }
    if (verify(c, msg, server, e) != 0 || cmp_client_read_body(msg, out, e) != 0) {
        return err_wrap(e, "answer");
    }
    memcpy(state->recip_nonce, nonce.p, nonce.n);
    state->recip_nonce_size = nonce.n;
    return 0;
}
