/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of build.h. Each is one object of a template, encoded and put inside the body's tag.
 */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/build.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"

DEFINE_CLEANUP(cert_rep_cleanup, CMP_CERT_REP, CMP_CERT_REP_free)
DEFINE_CLEANUP(error_body_cleanup, CMP_ERROR_BODY, CMP_ERROR_BODY_free)
DEFINE_CLEANUP(rev_rep_cleanup, CMP_REV_REP, CMP_REV_REP_free)
DEFINE_CLEANUP(status_cleanup, CMP_STATUS, CMP_STATUS_free)
DEFINE_CLEANUP(response_cleanup, CMP_RESPONSE, CMP_RESPONSE_free)
DEFINE_CLEANUP(poll_answer_cleanup, CMP_POLL_ANSWER, CMP_POLL_ANSWER_free)

static void
pollrep_release(CMP_POLL_REP **rep)
{
    sk_CMP_POLL_ANSWER_pop_free(*rep, CMP_POLL_ANSWER_free);
}

enum cmp_body
cmp_body_answer(enum cmp_body request)
{
    assert(cmp_body_asks_certificate(request) || request == CMP_RR || request == CMP_GENM);
    if (request == CMP_P10CR) {
        return CMP_CP;
    }
    return (enum cmp_body)(request + 1); /* RFC 9810 5.1.2: answers stand behind their requests */
}

bool
cmp_body_asks_certificate(enum cmp_body request)
{
    return request == CMP_IR || request == CMP_CR || request == CMP_P10CR || request == CMP_KUR;
}

static int
no_memory(struct err *e)
{
    return ossl_err(e, ERR_CRYPTO, "build a body");
}

/* The body's explicit tag around what is in `content`. */
static int
wrap(enum cmp_body type, struct span content, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    return der_append(out, (uint8_t)(DER_CONTEXT | (unsigned)type), content, e);
}

static int
wrap_object(enum cmp_body type, const ASN1_ITEM *item, const void *object, struct buf *out,
            struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);

    return field_encode(item, object, &content, e) != 0 ? -1
                                                        : wrap(type, buf_span(&content), out, e);
}

static int
add_text(STACK_OF(ASN1_UTF8STRING) * *list, const char *text, struct err *e)
{
    ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();

    *list = sk_ASN1_UTF8STRING_new_null();
    if (s == NULL || *list == NULL || strlen(text) > INT_MAX ||
        ASN1_STRING_set(s, text, (int)strlen(text)) != 1 ||
        sk_ASN1_UTF8STRING_push(*list, s) <= 0) {
        ASN1_UTF8STRING_free(s);
        return no_memory(e);
    }
    return 0;
}

static int
set_status(CMP_STATUS *status, enum cmp_status value, enum cmp_failure failure, const char *text,
           struct err *e)
{
    if (ASN1_INTEGER_set_int64(status->status, value) != 1) {
        return no_memory(e);
    }
    if (failure != CMP_NO_FAILURE) {
        /* A named bit list: bits to the right of the last one set are left out (X.690 11.2.2),
         * which is what set_bit and the encoder do. */
        status->failures = ASN1_BIT_STRING_new();
        if (status->failures == NULL ||
            ASN1_BIT_STRING_set_bit(status->failures, (int)failure, 1) != 1) {
            return no_memory(e);
        }
        if (text == NULL) {
            text = phrase_text(phrase_of_failure(failure));
        }
    }
    return text == NULL ? 0 : add_text(&status->text, text, e);
}

static CMP_RESPONSE *
response_new(CMP_CERT_REP *rep, int cert_req_id, struct err *e)
{
    CLEANUP(response_cleanup) CMP_RESPONSE *r = CMP_RESPONSE_new();

    if (r == NULL || ASN1_INTEGER_set_int64(r->cert_req_id, cert_req_id) != 1 ||
        sk_CMP_RESPONSE_push(rep->responses, r) <= 0) {
        (void)no_memory(e);
        return NULL;
    }
    return TAKE(r);
}

static bool
is_cert_rep(enum cmp_body type)
{
    return type == CMP_IP || type == CMP_CP || type == CMP_KUP;
}

static int
set_raw(ASN1_TYPE **field, struct span der, const char *what, struct err *e)
{
    ASN1_TYPE_free(*field);
    *field = field_decode(ASN1_ITEM_rptr(ASN1_ANY), der, what, e);
    return *field == NULL ? -1 : 0;
}

static int
add_ca_pubs(CMP_CERT_REP *rep, const struct span *certs, size_t count, struct err *e)
{
    if (count != 0) {
        rep->ca_pubs = sk_ASN1_TYPE_new_null();
    }
    for (size_t i = 0; i < count; i++) {
        ASN1_TYPE *any = field_decode(ASN1_ITEM_rptr(ASN1_ANY), certs[i], "caPubs", e);

        if (any == NULL) {
            return -1;
        }
        if (rep->ca_pubs == NULL || sk_ASN1_TYPE_push(rep->ca_pubs, any) <= 0) {
            ASN1_TYPE_free(any);
            return no_memory(e);
        }
    }
    return 0;
}

int
cmp_body_issued(enum cmp_body type, int cert_req_id, enum cmp_status status,
                struct span certificate, const struct span *ca_pubs, size_t ca_pub_count,
                struct buf *out, struct err *e)
{
    CLEANUP(cert_rep_cleanup) CMP_CERT_REP *rep = CMP_CERT_REP_new();
    CMP_RESPONSE *r;

    assert(is_cert_rep(type) && (type == CMP_IP || ca_pub_count == 0));
    assert(status == CMP_ACCEPTED || status == CMP_GRANTED_WITH_MODS);
    if (rep == NULL) {
        return no_memory(e);
    }
    r = response_new(rep, cert_req_id, e);
    if (r == NULL || set_status(r->status, status, CMP_NO_FAILURE, NULL, e) != 0 ||
        add_ca_pubs(rep, ca_pubs, ca_pub_count, e) != 0) {
        return -1;
    }
    r->key_pair = CMP_KEY_PAIR_new();
    if (r->key_pair == NULL) {
        return no_memory(e);
    }
    /* CertOrEncCert is a CHOICE, so [0] is around the certificate; the raw octets go out as they
     * are, decoding an own certificate again would cost more than making the answer. */
    if (set_raw(&r->key_pair->certificate, certificate, "certificate", e) != 0) {
        return -1;
    }
    return wrap_object(type, ASN1_ITEM_rptr(CMP_CERT_REP), rep, out, e);
}

static int
body_status(enum cmp_body type, int cert_req_id, enum cmp_status status, enum cmp_failure failure,
            const char *text, struct buf *out, struct err *e)
{
    CLEANUP(cert_rep_cleanup) CMP_CERT_REP *rep = CMP_CERT_REP_new();
    CMP_RESPONSE *r;

    assert(is_cert_rep(type));
    if (rep == NULL) {
        return no_memory(e);
    }
    r = response_new(rep, cert_req_id, e);
    if (r == NULL || set_status(r->status, status, failure, text, e) != 0) {
        return -1;
    }
    return wrap_object(type, ASN1_ITEM_rptr(CMP_CERT_REP), rep, out, e);
}

int
cmp_body_waiting(enum cmp_body type, int cert_req_id, struct buf *out, struct err *e)
{
    return body_status(type, cert_req_id, CMP_WAITING, CMP_NO_FAILURE, NULL, out, e);
}

int
cmp_body_rejected(enum cmp_body type, int cert_req_id, enum cmp_failure failure, const char *text,
                  struct buf *out, struct err *e)
{
    return body_status(type, cert_req_id, CMP_REJECTION, failure, text, out, e);
}

static int
body_rp(enum cmp_status value, enum cmp_failure failure, const char *text, struct buf *out,
        struct err *e)
{
    CLEANUP(rev_rep_cleanup) CMP_REV_REP *rep = CMP_REV_REP_new();
    CLEANUP(status_cleanup) CMP_STATUS *status = CMP_STATUS_new();

    if (rep == NULL || status == NULL) {
        return no_memory(e);
    }
    if (set_status(status, value, failure, text, e) != 0) {
        return -1;
    }
    if (sk_CMP_STATUS_push(rep->status, status) <= 0) {
        return no_memory(e);
    }
    status = NULL;
    return wrap_object(CMP_RP, ASN1_ITEM_rptr(CMP_REV_REP), rep, out, e);
}

int
cmp_body_revoked(struct buf *out, struct err *e)
{
    return body_rp(CMP_ACCEPTED, CMP_NO_FAILURE, NULL, out, e);
}

int
cmp_body_not_revoked(enum cmp_failure failure, const char *text, struct buf *out, struct err *e)
{
    return body_rp(CMP_REJECTION, failure, text, out, e);
}

int
cmp_body_pkiconf(struct buf *out, struct err *e)
{
    static const uint8_t null[] = {DER_NULL, 0};

    return wrap(CMP_PKICONF, span_of(null, sizeof(null)), out, e);
}

int
cmp_body_pollrep(int cert_req_id, uint32_t check_after_s, const char *reason, struct buf *out,
                 struct err *e)
{
    CLEANUP(pollrep_release) CMP_POLL_REP *rep = sk_CMP_POLL_ANSWER_new_null();
    CLEANUP(poll_answer_cleanup) CMP_POLL_ANSWER *one = CMP_POLL_ANSWER_new();

    if (rep == NULL || one == NULL || ASN1_INTEGER_set_int64(one->cert_req_id, cert_req_id) != 1 ||
        ASN1_INTEGER_set_int64(one->check_after, check_after_s) != 1) {
        return no_memory(e);
    }
    if (reason != NULL && add_text(&one->reason, reason, e) != 0) {
        return -1;
    }
    if (sk_CMP_POLL_ANSWER_push(rep, one) <= 0) {
        return no_memory(e);
    }
    one = NULL;
    return wrap_object(CMP_POLLREP, ASN1_ITEM_rptr(CMP_POLL_REP), rep, out, e);
}

static int
body_error(enum cmp_status status, enum cmp_failure failure, const char *text, struct buf *out,
           struct err *e)
{
    CLEANUP(error_body_cleanup) CMP_ERROR_BODY *body = CMP_ERROR_BODY_new();

    if (body == NULL) {
        return no_memory(e);
    }
    if (set_status(body->status, status, failure, text, e) != 0) {
        return -1;
    }
    return wrap_object(CMP_ERROR, ASN1_ITEM_rptr(CMP_ERROR_BODY), body, out, e);
}

int
cmp_body_error(enum cmp_failure failure, const char *text, struct buf *out, struct err *e)
{
    return body_error(CMP_REJECTION, failure, text, out, e);
}

int
cmp_body_error_waiting(struct buf *out, struct err *e)
{
    return body_error(CMP_WAITING, CMP_NO_FAILURE, NULL, out, e);
}

int
cmp_body_nested(struct span inner, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf messages = BUF_INIT(out->max);

    if (der_append(&messages, DER_SEQUENCE, inner, e) != 0) {
        return -1;
    }
    return wrap(CMP_NESTED, buf_span(&messages), out, e);
}
