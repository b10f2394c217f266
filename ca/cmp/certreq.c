/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/certreq.h"

#include <assert.h>
#include <limits.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/signature.h"

struct cmp_certreq {
    int id;
    struct buf spki;
    EVP_PKEY *key;
    X509_NAME *issuer; /* NULL: none; so is the next one */
    CMP_VALIDITY *validity;
    X509_NAME *subject;
    STACK_OF(X509_EXTENSION) * extensions;
    CMP_CERT_ID *old_cert;  /* NULL: none */
    CMP_REQ_MSGS *messages; /* ir, cr, kur: for the proof of possession */
    X509_REQ *csr;          /* p10cr */
};

enum { SPKI_LIMIT = 4096 }; /* RSA with 8192 bits is below 1100 octets */

static void
messages_free(CMP_REQ_MSGS *messages)
{
    sk_CMP_REQ_MSG_pop_free(messages, CMP_REQ_MSG_free);
}

static void
extensions_free(STACK_OF(X509_EXTENSION) * extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

DEFINE_CLEANUP(cert_request_cleanup, CMP_CERT_REQUEST, CMP_CERT_REQUEST_free)
DEFINE_CLEANUP(spki_cleanup, CMP_SPKI, CMP_SPKI_free)

static void
destroy(struct cmp_certreq *r)
{
    if (r != NULL) {
        buf_free(&r->spki);
        EVP_PKEY_free(r->key);
        X509_NAME_free(r->issuer);
        CMP_VALIDITY_free(r->validity);
        X509_NAME_free(r->subject);
        extensions_free(r->extensions);
        CMP_CERT_ID_free(r->old_cert);
        messages_free(r->messages);
        X509_REQ_free(r->csr);
        mem_free(r);
    }
}

DEFINE_CLEANUP(destroy_cleanup, struct cmp_certreq, destroy)

void
cmp_certreq_free(struct cmp_certreq *r)
{
    destroy(r);
}

/* Decodes the key, which is the costly part: only one of a kind that may be accepted. */
static int
take_key(struct cmp_certreq *r, const CMP_SPKI *spki, enum cmp_failure *failure, struct err *e)
{
    *failure = CMP_BAD_CERT_TEMPLATE;
    if (signature_check_key_algorithm(spki->algorithm, e) != 0 ||
        field_encode(ASN1_ITEM_rptr(CMP_SPKI), spki, &r->spki, e) != 0) {
        return phrase_say(failure, PHRASE_KEY_KIND, e);
    }
    r->key = public_key_parse(buf_span(&r->spki), e);
    return r->key == NULL || signature_check_key(r->key, e) != 0
               ? phrase_say(failure, PHRASE_KEY_KIND, e)
               : 0;
}

/* RFC 9483 4.1.1: the name may be the NULL-DN when there is a subjectAltName. An update says whom
 * it is for, too (4.1.3): its subject is that of the old certificate. */
static int
check_identity(const struct cmp_certreq *r, enum cmp_failure *failure, struct err *e)
{
    if (X509_NAME_entry_count(r->subject) == 0 &&
        !ossl_has_extension(r->extensions, NID_subject_alt_name)) {
        return phrase_refuse(failure, PHRASE_NO_NAME, e, "neither subject nor subjectAltName");
    }
    return 0;
}

/* Takes what we keep out of the template. */
static int
read_template(struct cmp_certreq *r, CMP_TEMPLATE *t, enum cmp_failure *failure, struct err *e)
{
    const int64_t v3 = 2;
    int64_t version;

    if (t->version != NULL && (!field_int(t->version, &version) || version != v3)) {
        return phrase_refuse(failure, PHRASE_TEMPLATE_VERSION, e,
                             "version of the template is not v3");
    }
    /* RFC 4211 5: MUST be omitted; the CA assigns them, or nobody does. */
    if (t->serial != NULL || t->signing_alg != NULL || t->issuer_uid != NULL ||
        t->subject_uid != NULL) {
        return phrase_refuse(failure, PHRASE_TEMPLATE_SURPLUS, e,
                             "template has serialNumber, signingAlg or a UID");
    }
    /* RFC 9483 4.1.6: the CA shall make the key. Whoever makes a key can keep it; this CA does not.
     */
    if (t->public_key == NULL || field_span(t->public_key->key).n == 0) {
        return phrase_refuse(failure, PHRASE_NO_KEY, e, "template has no public key");
    }
    r->subject = t->subject != NULL ? TAKE(t->subject) : X509_NAME_new();
    if (r->subject == NULL) {
        return cmp_fault(failure, CMP_SYSTEM_FAILURE, e, "X509_NAME_new");
    }
    r->issuer = TAKE(t->issuer);
    r->validity = TAKE(t->validity);
    r->extensions = TAKE(t->extensions);
    if (check_identity(r, failure, e) != 0) {
        return -1;
    }
    return take_key(r, t->public_key, failure, e);
}

/* Controls but oldCertID ask for things that we do not do, and need not be heeded. */
static int
read_controls(struct cmp_certreq *r, const STACK_OF(CMP_CONTROL) * controls,
              enum cmp_failure *failure, struct err *e)
{
    for (int i = 0; i < sk_CMP_CONTROL_num(controls); i++) {
        const CMP_CONTROL *c = sk_CMP_CONTROL_value(controls, i);

        if (OBJ_obj2nid(c->type) != NID_id_regCtrl_oldCertID) {
            continue;
        }
        if (r->old_cert != NULL) {
            return phrase_refuse(failure, PHRASE_OLD_CERT_FORM, e, "two oldCertID");
        }
        r->old_cert =
            field_decode(ASN1_ITEM_rptr(CMP_CERT_ID), field_raw(c->value), "oldCertID", e);
        if (r->old_cert == NULL) {
            return phrase_say(failure, PHRASE_OLD_CERT_FORM, e);
        }
        if (r->old_cert->issuer->type != GEN_DIRNAME) {
            return phrase_refuse(failure, PHRASE_OLD_CERT_FORM, e,
                                 "issuer of oldCertID is not a name");
        }
    }
    return 0;
}

static int
check_pop_kind(const CMP_POP *pop, enum cmp_failure *failure, struct err *e)
{
    if (pop == NULL) {
        return phrase_refuse(failure, PHRASE_NO_POP, e, "no proof of possession");
    }
    switch (pop->type) {
    case CMP_POP_SIGNATURE:
        /* RFC 9483 4.1.1: not there, because subject and publicKey are in the template */
        if (pop->d.signature->input != NULL) {
            return phrase_refuse(failure, PHRASE_POP_KIND, e,
                                 "proof of possession with poposkInput");
        }
        return 0;
    case CMP_POP_RA_VERIFIED:
        /* RFC 9810 5.2.8.1: nobody's word is taken for it */
        return phrase_refuse(failure, PHRASE_RA_VERIFIED, e, "raVerified is not accepted");
    default:
        return phrase_refuse(failure, PHRASE_POP_KIND, e, "proof of possession is not a signature");
    }
}

static int
read_crmf(struct cmp_certreq *r, struct span body, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(cert_request_cleanup) CMP_CERT_REQUEST *request = NULL;
    const CMP_REQ_MSG *message;
    int64_t id;

    *failure = CMP_BAD_DATA_FORMAT;
    r->messages = field_decode(ASN1_ITEM_rptr(CMP_REQ_MSGS), body, "CertReqMessages", e);
    if (r->messages == NULL) {
        return -1;
    }
    if (sk_CMP_REQ_MSG_num(r->messages) != 1) {
        return phrase_refuse(failure, PHRASE_ONE_REQUEST, e, "%d requests; exactly one is accepted",
                             sk_CMP_REQ_MSG_num(r->messages));
    }
    message = sk_CMP_REQ_MSG_value(r->messages, 0);
    request = field_decode(ASN1_ITEM_rptr(CMP_CERT_REQUEST), field_raw(message->request),
                           "CertRequest", e);
    if (request == NULL) {
        return -1;
    }
    if (!field_int(request->cert_req_id, &id) || id < 0 || id > INT_MAX) {
        return phrase_refuse(failure, PHRASE_CERT_REQ_ID, e, "certReqId is below 0, or too big");
    }
    r->id = (int)id;
    if (read_template(r, request->template, failure, e) != 0 ||
        read_controls(r, request->controls, failure, e) != 0) {
        return -1;
    }
    return check_pop_kind(message->pop, failure, e);
}

/* By an attribute of either name, whether it can be read or not. */
static bool
asks_extensions(const X509_REQ *csr)
{
    return X509_REQ_get_attr_by_NID(csr, NID_ext_req, -1) >= 0 ||
           X509_REQ_get_attr_by_NID(csr, NID_ms_ext_req, -1) >= 0;
}

static int
read_pkcs10(struct cmp_certreq *r, struct span body, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SPKI_LIMIT);
    CLEANUP(spki_cleanup) CMP_SPKI *spki = NULL;

    *failure = CMP_BAD_DATA_FORMAT;
    r->id = CMP_CERT_REQ_ID_P10;
    r->csr = field_decode(ASN1_ITEM_rptr(X509_REQ), body, "PKCS #10 request", e);
    if (r->csr == NULL) {
        return -1;
    }
    /* RFC 2986 4.1: 0, and another one is of a format that nobody has described. */
    if (X509_REQ_get_version(r->csr) != X509_REQ_VERSION_1) {
        return phrase_refuse(failure, PHRASE_PKCS10_VERSION, e,
                             "version of the PKCS #10 request is not 0");
    }
    r->extensions = X509_REQ_get_extensions(r->csr);
    if (r->extensions == NULL && asks_extensions(r->csr)) {
        return ossl_err(e, ERR_INPUT, "extensions of the PKCS #10 request do not decode");
    }
    r->subject = X509_NAME_dup(X509_REQ_get_subject_name(r->csr));
    if (r->subject == NULL) {
        return cmp_fault(failure, CMP_SYSTEM_FAILURE, e, "X509_NAME_dup");
    }
    if (check_identity(r, failure, e) != 0) {
        return -1;
    }
    if (OSSL_ENCODE(X509_PUBKEY, X509_REQ_get_X509_PUBKEY(r->csr), &der, e) != 0) {
        return phrase_say(failure, PHRASE_KEY_KIND, e);
    }
    spki = field_decode(ASN1_ITEM_rptr(CMP_SPKI), buf_span(&der), "SubjectPublicKeyInfo", e);
    return spki == NULL ? phrase_say(failure, PHRASE_KEY_KIND, e) : take_key(r, spki, failure, e);
}

struct cmp_certreq *
cmp_certreq_read(const struct cmp_msg *msg, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(destroy_cleanup) struct cmp_certreq *r = mem_new(sizeof(*r));
    enum cmp_body body = cmp_msg_body(msg);
    int result;

    assert(body == CMP_IR || body == CMP_CR || body == CMP_KUR || body == CMP_P10CR);
    r->spki = BUF_INIT(SPKI_LIMIT);
    result = body == CMP_P10CR ? read_pkcs10(r, cmp_msg_content(msg), failure, e)
                               : read_crmf(r, cmp_msg_content(msg), failure, e);
    if (result != 0) {
        (void)err_wrap(e, "%s", cmp_body_name(body));
        return NULL;
    }
    *failure = CMP_NO_FAILURE;
    return TAKE(r);
}

static int
check_csr_pop(const struct cmp_certreq *r, enum cmp_failure *failure, struct err *e)
{
    const ASN1_BIT_STRING *signature;
    const X509_ALGOR *algorithm;

    X509_REQ_get0_signature(r->csr, &signature, &algorithm);
    if (signature_check_algorithm(algorithm, failure, e) != 0) {
        return -1;
    }
    if (X509_REQ_verify(r->csr, r->key) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "signature of the PKCS #10 request does not verify");
        return phrase_say(failure, PHRASE_POP, e);
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

int
cmp_certreq_check_pop(const struct cmp_certreq *r, enum cmp_failure *failure, struct err *e)
{
    const CMP_REQ_MSG *message;

    if (r->csr != NULL) {
        return check_csr_pop(r, failure, e);
    }
    message = sk_CMP_REQ_MSG_value(r->messages, 0);
    if (signature_verify(message->pop->d.signature->algorithm, message->pop->d.signature->signature,
                         field_raw(message->request), r->key, CMP_BAD_POP, failure, e) != 0) {
        return *failure == CMP_BAD_POP ? phrase_say(failure, PHRASE_POP, e) : -1;
    }
    return 0;
}

int
cmp_certreq_id(const struct cmp_certreq *r)
{
    return r->id;
}

int
cmp_certreq_peek_id(const struct cmp_msg *msg)
{
    struct der messages;
    struct der message;
    struct der request;
    struct der id;
    int value = 0;

    if (!der_only(cmp_msg_content(msg), DER_SEQUENCE, &messages) ||
        !der_next(&messages.content, &message) || !der_next(&message.content, &request) ||
        !der_next(&request.content, &id) || id.tag != DER_INTEGER || id.content.n == 0 ||
        id.content.n > sizeof(value) || (id.content.p[0] & 0x80) != 0) {
        return CMP_CERT_REQ_ID;
    }
    for (size_t i = 0; i < id.content.n; i++) {
        value = (int)((unsigned)value << 8 | id.content.p[i]);
    }
    return value;
}

struct span
cmp_certreq_spki(const struct cmp_certreq *r)
{
    return buf_span(&r->spki);
}

EVP_PKEY *
cmp_certreq_key(const struct cmp_certreq *r)
{
    return r->key;
}

const X509_NAME *
cmp_certreq_subject(const struct cmp_certreq *r)
{
    return r->subject;
}

const STACK_OF(X509_EXTENSION) * cmp_certreq_extensions(const struct cmp_certreq *r)
{
    return r->extensions;
}

static X509_NAME *
unless_empty(X509_NAME *name)
{
    return X509_NAME_entry_count(name) > 0 ? name : NULL; /* 0 of NULL, too */
}

int
cmp_certreq_encode_asked(const struct cmp_certreq *r, struct buf *out, struct err *e)
{
    const CMP_TEMPLATE asked = {
        .issuer = unless_empty(r->issuer),
        .validity = r->validity,
        .subject = unless_empty(r->subject),
        .extensions = sk_X509_EXTENSION_num(r->extensions) > 0 ? r->extensions : NULL,
    };

    if (asked.issuer == NULL && asked.validity == NULL && asked.subject == NULL &&
        asked.extensions == NULL) {
        return 0;
    }
    return field_encode(ASN1_ITEM_rptr(CMP_TEMPLATE), &asked, out, e);
}

bool
cmp_certreq_old_cert(const struct cmp_certreq *r, const X509_NAME **issuer,
                     const ASN1_INTEGER **serial)
{
    if (r->old_cert == NULL) {
        return false;
    }
    *issuer = r->old_cert->issuer->d.directoryName;
    *serial = r->old_cert->serial;
    return true;
}
