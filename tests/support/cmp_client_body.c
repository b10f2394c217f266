/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of cmp_client.h. */
#include "tests/support/cmp_client.h"

#include <openssl/x509v3.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "tests/support/cmp_client_algorithm.h"

enum { SMALL = 2048 };

DEFINE_CLEANUP(cert_id_cleanup, CMP_CERT_ID, CMP_CERT_ID_free)
DEFINE_CLEANUP(cert_request_cleanup, CMP_CERT_REQUEST, CMP_CERT_REQUEST_free)

/* regCtrl-oldCertID { issuer, serialNumber } */
static int
add_old_cert(CMP_CERT_REQUEST *r, const struct cmp_client_wish *wish, struct err *e)
{
    CLEANUP(cert_id_cleanup) CMP_CERT_ID *id = CMP_CERT_ID_new();
    CLEANUP(buf_free) struct buf value = BUF_INIT(CMP_MESSAGE_MAX);
    CMP_CONTROL *control = CMP_CONTROL_new();

    if (id == NULL || control == NULL) {
        return ossl_err(e, ERR_CRYPTO, "oldCertID");
    }
    r->controls = sk_CMP_CONTROL_new_null();
    if (r->controls == NULL || sk_CMP_CONTROL_push(r->controls, control) <= 0) {
        CMP_CONTROL_free(control);
        return ossl_err(e, ERR_CRYPTO, "oldCertID");
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
    CLEANUP(buf_free) struct buf spki = {0};

    if (cmp_client_spki(key, &spki, e) != 0) {
        return -1;
    }
    if (r == NULL || ASN1_INTEGER_set_int64(r->cert_req_id, wish->cert_req_id) != 1) {
        return ossl_err(e, ERR_CRYPTO, "CertRequest");
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

    if (cmp_client_signature_algorithm(key, EVP_sha256(), &pop, e) != 0 ||
        cmp_client_sign(key, EVP_sha256(), request, &signature, e) != 0 ||
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

static void
extensions_free(STACK_OF(X509_EXTENSION) * *list)
{
    sk_X509_EXTENSION_pop_free(*list, X509_EXTENSION_free);
}

int
cmp_client_pkcs10(EVP_PKEY *key, const X509_NAME *subject, X509_EXTENSION *extension,
                  struct buf *out, struct err *e)
{
    CLEANUP(x509_req_cleanup) X509_REQ *request = X509_REQ_new();
    CLEANUP(extensions_free) STACK_OF(X509_EXTENSION) *list = NULL;

    buf_truncate(out, 0);
    if (extension != NULL && X509v3_add_ext(&list, extension, -1) == NULL) {
        return ossl_err(e, ERR_CRYPTO, "extension");
    }
    if (request == NULL || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
        (subject != NULL && X509_REQ_set_subject_name(request, subject) != 1) ||
        X509_REQ_set_pubkey(request, key) != 1 ||
        (list != NULL && X509_REQ_add_extensions(request, list) != 1) ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0) {
        return ossl_err(e, ERR_CRYPTO, "PKCS #10");
    }
    return OSSL_ENCODE(X509_REQ, request, out, e);
}

int
cmp_client_body_p10cr(EVP_PKEY *key, const X509_NAME *subject, X509_EXTENSION *extension,
                      struct buf *body, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    buf_truncate(body, 0);
    if (cmp_client_pkcs10(key, subject, extension, &der, e) != 0) {
        return -1;
    }
    return der_append(body, (uint8_t)(DER_CONTEXT | CMP_P10CR), buf_span(&der), e);
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
        return s->hash != NULL ? 0 : ossl_err(e, ERR_CRYPTO, "certHash");
    }
    s->hash = ASN1_OCTET_STRING_new();
    s->hash_alg = X509_ALGOR_new();
    if (s->hash == NULL || s->hash_alg == NULL || X509_digest(certificate, md, hash, &n) != 1 ||
        ASN1_OCTET_STRING_set(s->hash, hash, (int)n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "certHash");
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
        return ossl_err(e, ERR_CRYPTO, "CertStatus");
    }
    s->status = CMP_STATUS_new();
    if (set_hash(s, certificate, md, e) != 0 || s->status == NULL ||
        ASN1_INTEGER_set_int64(s->status->status, accept ? CMP_ACCEPTED : CMP_REJECTION) != 1) {
        result = ossl_err(e, ERR_CRYPTO, "CertStatus");
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
        return ossl_err(e, ERR_CRYPTO, "RevDetails");
    }
    details->certificate->issuer = issuer == NULL ? NULL : X509_NAME_dup(issuer);
    details->certificate->serial = serial == NULL ? NULL : ASN1_INTEGER_dup(serial);
    if (reason >= 0 &&
        (ASN1_ENUMERATED_set(code, reason) != 1 ||
         X509V3_add1_i2d(&details->entry, NID_crl_reason, code, 0, X509V3_ADD_APPEND) != 1)) {
        ASN1_ENUMERATED_free(code);
        return ossl_err(e, ERR_CRYPTO, "RevDetails");
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
