/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: `der` is strict DER and equal to the encoding of `m`. So every span into either says
 * the same, and octets that a MAC or a signature covers are the octets that were decoded.
 */
#include "ca/cmp/message/msg.h"

#include <assert.h>
#include <limits.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"

struct cmp_msg {
    struct buf der;
    CMP_MESSAGE *m;
    struct span protected; /* header and body, in der */
    struct span content;   /* of the body's tag, in der */
    struct buf algorithm;  /* DER of m->header->protection_alg */
    enum cmp_body body;
    int pvno;
    bool has_time;
    time_t time;
};

enum {
    ALGORITHM_MAX = 1024, /* PBMAC1 with all parameters is below 200 octets */
    GENERAL_NAME_DIRECTORY = DER_CONTEXT | 4,
};

DEFINE_CLEANUP(message_cleanup, CMP_MESSAGE, CMP_MESSAGE_free)

static void
destroy(struct cmp_msg *msg)
{
    if (msg != NULL) {
        CMP_MESSAGE_free(msg->m);
        buf_free(&msg->der);
        buf_free(&msg->algorithm);
        mem_free(msg);
    }
}

DEFINE_CLEANUP(destroy_cleanup, struct cmp_msg, destroy)

void
cmp_msg_free(struct cmp_msg *msg)
{
    destroy(msg);
}

const char *
cmp_body_name(enum cmp_body body)
{
    static const char *const names[CMP_BODY_COUNT] = {
        "ir",   "ip",     "cr",    "cp",       "p10cr",   "popdecc", "popdecr",
        "kur",  "kup",    "krr",   "krp",      "rr",      "rp",      "ccr",
        "ccp",  "ckuann", "cann",  "rann",     "crlann",  "pkiConf", "nested",
        "genm", "genp",   "error", "certConf", "pollReq", "pollRep"};

    return (size_t)body < CMP_BODY_COUNT ? names[body] : "unknown";
}

/* RFC 5280 4.2.1.6: [0] .. [8], of which 1, 2, 6, 7 and 8 are primitive */
static int
check_general_name(const ASN1_TYPE *any, const char *what, struct err *e)
{
    struct span raw = any->type == V_ASN1_OTHER ? field_raw(any) : span_of(NULL, 0);

    if (raw.n != 0) {
        switch (raw.p[0]) {
        case 0xa0:
        case 0x81:
        case 0x82:
        case 0xa3:
        case GENERAL_NAME_DIRECTORY:
        case 0xa5:
        case 0x86:
        case 0x87:
        case 0x88:
            return 0;
        default:
            break;
        }
    }
    return err_set(e, ERR_INPUT, "%s is not a GeneralName", what);
}

static int
check_id(const ASN1_OCTET_STRING *id, const char *what, int max, struct err *e)
{
    if (field_span(id).n > (size_t)max) {
        return err_set(e, ERR_INPUT, "%s is longer than %d octets", what, max);
    }
    return 0;
}

static int
check_sequences(const CMP_MESSAGE *m, struct err *e)
{
    const STACK_OF(ASN1_TYPE) *infos = m->header->general_info;
    const STACK_OF(ASN1_TYPE) *certs = m->extra_certs;

    /* SIZE (1..MAX), each */
    if ((infos != NULL && sk_ASN1_TYPE_num(infos) == 0) ||
        (certs != NULL && sk_ASN1_TYPE_num(certs) == 0) ||
        (m->header->free_text != NULL && sk_ASN1_UTF8STRING_num(m->header->free_text) == 0)) {
        return err_set(e, ERR_INPUT, "generalInfo, freeText or extraCerts is there and empty");
    }
    if (infos != NULL && sk_ASN1_TYPE_num(infos) > CMP_GENERAL_INFO_MAX) {
        return err_set(e, ERR_INPUT, "more than %d entries in generalInfo", CMP_GENERAL_INFO_MAX);
    }
    if (certs != NULL && sk_ASN1_TYPE_num(certs) > CMP_EXTRA_CERTS_MAX) {
        return err_set(e, ERR_INPUT, "more than %d extraCerts", CMP_EXTRA_CERTS_MAX);
    }
    for (int i = 0; infos != NULL && i < sk_ASN1_TYPE_num(infos); i++) {
        struct der info;
        struct der oid;
        struct der value;

        /* InfoTypeAndValue ::= SEQUENCE { infoType OBJECT IDENTIFIER, infoValue ANY OPTIONAL } */
        if (!der_only(field_raw(sk_ASN1_TYPE_value(infos, i)), DER_SEQUENCE, &info) ||
            !der_next(&info.content, &oid) || oid.tag != DER_OID ||
            (info.content.n != 0 && (!der_next(&info.content, &value) || info.content.n != 0))) {
            return err_set(e, ERR_INPUT, "generalInfo entry %d is malformed", i);
        }
    }
    for (int i = 0; certs != NULL && i < sk_ASN1_TYPE_num(certs); i++) {
        if (sk_ASN1_TYPE_value(certs, i)->type != V_ASN1_SEQUENCE) {
            return err_set(e, ERR_INPUT, "extraCerts entry %d is not a certificate", i);
        }
    }
    return 0;
}

static int
check_header(struct cmp_msg *msg, struct err *e)
{
    const CMP_HEADER *h = msg->m->header;
    int64_t pvno;

    if (!field_int(h->pvno, &pvno) || pvno < 0 || pvno > INT_MAX) {
        pvno = INT_MAX;
    }
    msg->pvno = (int)pvno;
    if (check_general_name(h->sender, "sender", e) != 0 ||
        check_general_name(h->recipient, "recipient", e) != 0 ||
        check_id(h->sender_kid, "senderKID", CMP_ID_MAX, e) != 0 ||
        check_id(h->recip_kid, "recipKID", CMP_ID_MAX, e) != 0 ||
        check_id(h->transaction_id, "transactionID", CMP_ID_MAX, e) != 0 ||
        check_id(h->sender_nonce, "senderNonce", CMP_NONCE_MAX, e) != 0 ||
        check_id(h->recip_nonce, "recipNonce", CMP_NONCE_MAX, e) != 0) {
        return -1;
    }
    if (h->message_time != NULL) {
        if (field_time_fraction(h->message_time, &msg->time, e) != 0) {
            return err_wrap(e, "messageTime");
        }
        msg->has_time = true;
    }
    if (h->protection_alg != NULL) {
        msg->algorithm = BUF_INIT(ALGORITHM_MAX);
        if (field_encode(ASN1_ITEM_rptr(X509_ALGOR), h->protection_alg, &msg->algorithm, e) != 0) {
            return err_wrap(e, "protectionAlg");
        }
    }
    /* A protection with unused bits is none that anybody makes. */
    if (msg->m->protection != NULL && (msg->m->protection->flags & 0x07) != 0) {
        return err_set(e, ERR_INPUT, "protection has unused bits");
    }
    return check_sequences(msg->m, e);
}

/* Finds header and body in the octets. */
static int
split(struct cmp_msg *msg, struct err *e)
{
    struct der whole;
    struct der header;
    struct der body;

    bool there = der_only(buf_span(&msg->der), DER_SEQUENCE, &whole) &&
                 der_next(&whole.content, &header) && der_next(&whole.content, &body);

    assert(there); /* der_check() and the template have read the same octets */
    if (body.tag < DER_CONTEXT || body.tag - DER_CONTEXT >= CMP_BODY_COUNT) {
        return err_set(e, ERR_INPUT, "body has tag 0x%02x", body.tag);
    }
    msg->body = (enum cmp_body)(body.tag - DER_CONTEXT);
    msg->content = body.content;
    msg->protected = span_of(header.whole.p, header.whole.n + body.whole.n);
    return 0;
}

static int
check_encoding(const struct cmp_msg *msg, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(msg->der.n);

    if (field_encode(ASN1_ITEM_rptr(CMP_MESSAGE), msg->m, &again, e) != 0 ||
        !span_equal(buf_span(&again), buf_span(&msg->der))) {
        return err_set(e, ERR_INPUT, "PKIMessage is not in DER");
    }
    return 0;
}

struct cmp_msg *
cmp_msg_parse(struct span der, size_t max, struct err *e)
{
    CLEANUP(destroy_cleanup) struct cmp_msg *msg = NULL;

    if (der.n > max) {
        (void)err_set(e, ERR_INPUT, "message of %zu octets; at most %zu are accepted", der.n, max);
        return NULL;
    }
    if (der_check(der, CMP_DEPTH_MAX, e) != 0) {
        return NULL;
    }
    msg = mem_new(sizeof(*msg));
    msg->der = BUF_INIT(max);
    msg->m = field_decode(ASN1_ITEM_rptr(CMP_MESSAGE), der, "PKIMessage", e);
    if (msg->m == NULL || buf_set(&msg->der, der, e) != 0 || split(msg, e) != 0 ||
        check_header(msg, e) != 0 || check_encoding(msg, e) != 0) {
        return NULL;
    }
    return TAKE(msg);
}

struct span
cmp_msg_der(const struct cmp_msg *msg)
{
    return buf_span(&msg->der);
}

int
cmp_msg_pvno(const struct cmp_msg *msg)
{
    return msg->pvno;
}

struct span
cmp_msg_sender(const struct cmp_msg *msg)
{
    return field_raw(msg->m->header->sender);
}

struct span
cmp_msg_recipient(const struct cmp_msg *msg)
{
    return field_raw(msg->m->header->recipient);
}

static X509_NAME *
directory_name(struct span general_name, const char *what, struct err *e)
{
    struct der name;

    if (!der_only(general_name, GENERAL_NAME_DIRECTORY, &name)) {
        (void)err_set(e, ERR_INPUT, "%s is not a directoryName", what);
        return NULL;
    }
    return field_decode(ASN1_ITEM_rptr(X509_NAME), name.content, what, e);
}

X509_NAME *
cmp_msg_sender_name(const struct cmp_msg *msg, struct err *e)
{
    return directory_name(cmp_msg_sender(msg), "sender", e);
}

X509_NAME *
cmp_msg_recipient_name(const struct cmp_msg *msg, struct err *e)
{
    return directory_name(cmp_msg_recipient(msg), "recipient", e);
}

struct span
cmp_msg_sender_kid(const struct cmp_msg *msg)
{
    return field_span(msg->m->header->sender_kid);
}

struct span
cmp_msg_transaction_id(const struct cmp_msg *msg)
{
    return field_span(msg->m->header->transaction_id);
}

struct span
cmp_msg_sender_nonce(const struct cmp_msg *msg)
{
    return field_span(msg->m->header->sender_nonce);
}

struct span
cmp_msg_recip_nonce(const struct cmp_msg *msg)
{
    return field_span(msg->m->header->recip_nonce);
}

bool
cmp_msg_time(const struct cmp_msg *msg, time_t *out)
{
    if (msg->has_time) {
        *out = msg->time;
    }
    return msg->has_time;
}

const X509_ALGOR *
cmp_msg_protection_algorithm(const struct cmp_msg *msg)
{
    return msg->m->header->protection_alg;
}

struct span
cmp_msg_protection_alg(const struct cmp_msg *msg)
{
    return buf_span(&msg->algorithm);
}

struct span
cmp_msg_protection(const struct cmp_msg *msg)
{
    return field_span(msg->m->protection);
}

size_t
cmp_msg_info_count(const struct cmp_msg *msg)
{
    int n = sk_ASN1_TYPE_num(msg->m->header->general_info);

    return n > 0 ? (size_t)n : 0;
}

bool
cmp_msg_info(const struct cmp_msg *msg, const char *oid, struct span *value)
{
    uint8_t octets[FIELD_OID_MAX];
    const struct span wanted = field_oid(oid, octets);

    for (size_t i = 0; i < cmp_msg_info_count(msg); i++) {
        struct der info;
        struct der type;

        if (der_only(field_raw(sk_ASN1_TYPE_value(msg->m->header->general_info, (int)i)),
                     DER_SEQUENCE, &info) &&
            der_next(&info.content, &type) && span_equal(type.content, wanted)) {
            *value = info.content;
            return true;
        }
    }
    return false;
}

bool
cmp_msg_implicit_confirm(const struct cmp_msg *msg)
{
    struct span value;

    return cmp_msg_info_count(msg) != 0 && cmp_msg_info(msg, CMP_OID_IMPLICIT_CONFIRM, &value);
}

enum cmp_body
cmp_msg_body(const struct cmp_msg *msg)
{
    return msg->body;
}

struct span
cmp_msg_content(const struct cmp_msg *msg)
{
    return msg->content;
}

int
cmp_msg_protected_part(const struct cmp_msg *msg, struct buf *out, struct err *e)
{
    return der_append(out, DER_SEQUENCE, msg->protected, e);
}

size_t
cmp_msg_extra_count(const struct cmp_msg *msg)
{
    int n = sk_ASN1_TYPE_num(msg->m->extra_certs);

    return n > 0 ? (size_t)n : 0;
}

struct span
cmp_msg_extra(const struct cmp_msg *msg, size_t i)
{
    if (i >= cmp_msg_extra_count(msg)) {
        return span_of(NULL, 0);
    }
    return field_raw(sk_ASN1_TYPE_value(msg->m->extra_certs, (int)i));
}

X509 *
cmp_msg_signer(const struct cmp_msg *msg, struct err *e)
{
    struct span der = cmp_msg_extra(msg, 0);

    if (der.n == 0) {
        (void)err_set(e, ERR_INPUT, "no extraCerts: the protection certificate must be the first");
        return NULL;
    }
    return field_decode(ASN1_ITEM_rptr(X509), der, "protection certificate", e);
}
