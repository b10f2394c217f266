/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/body.h"

#include <assert.h>
#include <limits.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"

static void
certconf_release(CMP_CERT_CONF **conf)
{
    sk_CMP_CERT_STATUS_pop_free(*conf, CMP_CERT_STATUS_free);
}

static void
pollreq_release(CMP_POLL_REQ **req)
{
    sk_CMP_POLL_pop_free(*req, CMP_POLL_free);
}

DEFINE_CLEANUP(error_body_cleanup, CMP_ERROR_BODY, CMP_ERROR_BODY_free)

/* A peer's text on its way to our log: one line of printable ASCII. */
static void
copy_text(char out[CMP_STATUS_TEXT_MAX], struct span text)
{
    size_t n = text.n < CMP_STATUS_TEXT_MAX - 1 ? text.n : CMP_STATUS_TEXT_MAX - 1;

    for (size_t i = 0; i < n; i++) {
        char c = '?';

        if (text.p[i] >= 0x20 && text.p[i] < 0x7f) {
            c = (char)text.p[i];
        }
        out[i] = c;
    }
    out[n] = '\0';
}

static int
read_status(const CMP_STATUS *status, struct cmp_status_info *out, struct err *e)
{
    int64_t value;

    *out = (struct cmp_status_info){0};
    if (!field_int(status->status, &value) || value < CMP_ACCEPTED ||
        value > CMP_KEY_UPDATE_WARNING) {
        return err_set(e, ERR_INPUT, "PKIStatus is out of range");
    }
    out->status = (enum cmp_status)value;
    for (int i = 0; status->failures != NULL && i < CMP_FAILURE_COUNT; i++) {
        if (ASN1_BIT_STRING_get_bit(status->failures, i) == 1) {
            out->failures |= UINT32_C(1) << (unsigned)i;
        }
    }
    if (sk_ASN1_UTF8STRING_num(status->text) > 0) {
        copy_text(out->text, field_span(sk_ASN1_UTF8STRING_value(status->text, 0)));
    }
    return 0;
}

static int
read_hash_alg(const struct cmp_msg *msg, const X509_ALGOR *algorithm, struct cmp_certconf *out,
              enum cmp_failure *failure, struct err *e)
{
    const int pvno_2021 = 3;

    if (algorithm == NULL) {
        return 0;
    }
    if (cmp_msg_pvno(msg) != pvno_2021) {
        return cmp_fault(failure, CMP_BAD_REQUEST, e, "hashAlg in a message of pvno %d",
                         cmp_msg_pvno(msg));
    }
    out->hash_nid = OBJ_obj2nid(algorithm->algorithm);
    switch (out->hash_nid) {
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        return 0;
    default:
        return cmp_fault(failure, CMP_BAD_ALG, e, "hashAlg is not SHA-2");
    }
}

static int
read_cert_status(const struct cmp_msg *msg, const CMP_CERT_STATUS *s, int cert_req_id,
                 struct cmp_certconf *out, enum cmp_failure *failure, struct err *e)
{
    int64_t id;

    if (!field_int(s->cert_req_id, &id) || id != cert_req_id) {
        return phrase_refuse(failure, PHRASE_CERT_REQ_ID, e, "certReqId is not %d", cert_req_id);
    }
    if (field_span(s->hash).n == 0 || field_span(s->hash).n > CMP_HASH_MAX) {
        return phrase_refuse(failure, PHRASE_CERT_HASH, e, "certHash of %zu octets",
                             field_span(s->hash).n);
    }
    for (size_t i = 0; i < field_span(s->hash).n; i++) {
        out->hash[i] = field_span(s->hash).p[i];
    }
    out->hash_size = field_span(s->hash).n;
    out->accepted = true;
    if (s->status != NULL) {
        if (read_status(s->status, &out->status, e) != 0) {
            *failure = CMP_BAD_DATA_FORMAT;
            return -1;
        }
        /* RFC 9483 4.1.1: accepted or rejection, nothing else */
        switch (out->status.status) {
        case CMP_ACCEPTED:
            /* RFC 9483 4.1.1: failInfo MUST be absent then. Which of the two is meant, nobody
             * knows. */
            if (field_span(s->status->failures).n != 0) {
                return phrase_refuse(failure, PHRASE_CERT_STATUS, e,
                                     "status accepted, with a failInfo");
            }
            break;
        case CMP_REJECTION:
            out->accepted = false;
            break;
        case CMP_GRANTED_WITH_MODS:
        case CMP_WAITING:
        case CMP_REVOCATION_WARNING:
        case CMP_REVOCATION_NOTIFICATION:
        case CMP_KEY_UPDATE_WARNING:
            return phrase_refuse(failure, PHRASE_CERT_STATUS, e,
                                 "status is neither accepted nor rejection");
        }
    }
    return read_hash_alg(msg, s->hash_alg, out, failure, e);
}

int
cmp_certconf_read(const struct cmp_msg *msg, int cert_req_id, struct cmp_certconf *out,
                  enum cmp_failure *failure, struct err *e)
{
    CLEANUP(certconf_release) CMP_CERT_CONF *conf = NULL;

    assert(cmp_msg_body(msg) == CMP_CERTCONF);
    *out = (struct cmp_certconf){0};
    *failure = CMP_BAD_DATA_FORMAT;
    conf = field_decode(ASN1_ITEM_rptr(CMP_CERT_CONF), cmp_msg_content(msg), "certConf", e);
    if (conf == NULL) {
        return -1;
    }
    if (sk_CMP_CERT_STATUS_num(conf) != 1) {
        return phrase_refuse(failure, PHRASE_CERT_STATUS, e,
                             "%d CertStatus; exactly one is accepted",
                             sk_CMP_CERT_STATUS_num(conf));
    }
    if (read_cert_status(msg, sk_CMP_CERT_STATUS_value(conf, 0), cert_req_id, out, failure, e) !=
        0) {
        return err_wrap(e, "certConf");
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

/* Of the certificate's own signature algorithm (RFC 9810 5.3.18); NULL when that names none. Read
 * in the octets: to decode a certificate costs more than to hash it. */
static const EVP_MD *
own_digest(struct span certificate)
{
    struct der whole;
    struct der tbs;
    struct der algorithm;
    struct der oid;
    const unsigned char *p;
    ASN1_OBJECT *object;
    int md = NID_undef;

    if (!der_only(certificate, DER_SEQUENCE, &whole) || !der_next(&whole.content, &tbs) ||
        !der_next(&whole.content, &algorithm) || !der_next(&algorithm.content, &oid)) {
        return NULL;
    }
    p = oid.whole.p;
    object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.whole.n);
    if (object != NULL && OBJ_find_sigid_algs(OBJ_obj2nid(object), &md, NULL) != 1) {
        md = NID_undef;
    }
    ASN1_OBJECT_free(object);
    return EVP_get_digestbynid(md);
}

int
cmp_certconf_match(const struct cmp_certconf *conf, struct span certificate,
                   enum cmp_failure *failure, struct err *e)
{
    const EVP_MD *md =
        conf->hash_nid != NID_undef ? EVP_get_digestbynid(conf->hash_nid) : own_digest(certificate);
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    *failure = CMP_SYSTEM_FAILURE;
    if (md == NULL) {
        return err_set(e, ERR_CRYPTO, "the certificate's signature algorithm names no hash");
    }
    if (EVP_Digest(certificate.p, certificate.n, hash, &n, md, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "hash of the certificate");
    }
    if (!span_equal_secret(span_of(hash, n), span_of(conf->hash, conf->hash_size))) {
        return phrase_refuse(failure, PHRASE_CERT_HASH, e,
                             "certHash is not the hash of the certificate");
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

int
cmp_pollreq_read(const struct cmp_msg *msg, int *cert_req_id, enum cmp_failure *failure,
                 struct err *e)
{
    CLEANUP(pollreq_release) CMP_POLL_REQ *req = NULL;
    int64_t id;

    assert(cmp_msg_body(msg) == CMP_POLLREQ);
    *failure = CMP_BAD_DATA_FORMAT;
    req = field_decode(ASN1_ITEM_rptr(CMP_POLL_REQ), cmp_msg_content(msg), "pollReq", e);
    if (req == NULL) {
        return -1;
    }
    if (sk_CMP_POLL_num(req) != 1 || !field_int(sk_CMP_POLL_value(req, 0)->cert_req_id, &id) ||
        id < CMP_POLL_OTHER || id > INT_MAX) {
        return phrase_refuse(failure, PHRASE_POLL_ID, e,
                             "pollReq: exactly one certReqId, -1 or more");
    }
    *cert_req_id = (int)id;
    *failure = CMP_NO_FAILURE;
    return 0;
}

int
cmp_nested_read(const struct cmp_msg *msg, struct span *inner, enum cmp_failure *failure,
                struct err *e)
{
    struct der messages;
    struct der one;

    assert(cmp_msg_body(msg) == CMP_NESTED);
    if (!der_only(cmp_msg_content(msg), DER_SEQUENCE, &messages)) {
        return cmp_fault(failure, CMP_BAD_DATA_FORMAT, e, "nested: not a SEQUENCE of messages");
    }
    if (!der_next(&messages.content, &one) || messages.content.n != 0) {
        return phrase_refuse(failure, PHRASE_NESTED, e, "nested: exactly one message is accepted");
    }
    if (one.tag != DER_SEQUENCE) {
        return cmp_fault(failure, CMP_BAD_DATA_FORMAT, e, "nested: not a PKIMessage");
    }
    *inner = one.whole;
    *failure = CMP_NO_FAILURE;
    return 0;
}

int
cmp_error_read(const struct cmp_msg *msg, struct cmp_status_info *out, enum cmp_failure *failure,
               struct err *e)
{
    CLEANUP(error_body_cleanup) CMP_ERROR_BODY *body = NULL;

    assert(cmp_msg_body(msg) == CMP_ERROR);
    *failure = CMP_BAD_DATA_FORMAT;
    body = field_decode(ASN1_ITEM_rptr(CMP_ERROR_BODY), cmp_msg_content(msg), "error", e);
    if (body == NULL || read_status(body->status, out, e) != 0) {
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
