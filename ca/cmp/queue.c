/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/queue.h"

#include <string.h>

#include "base/oid.h"
#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/protect.h"

struct cmp_queued {
    struct cmp_msg *outer;
    struct cmp_msg *inner;
    struct cmp_queue_entry entry;
};

enum { ENTRY_DER_MAX = 256 };

DEFINE_CLEANUP(queue_entry_cleanup, CMP_QUEUE_ENTRY, CMP_QUEUE_ENTRY_free)

static bool
is_registration_id(const char *id)
{
    return strlen(id) == CMP_REGISTRATION_ID_SIZE &&
           strspn(id, "0123456789abcdef") == CMP_REGISTRATION_ID_SIZE;
}

static bool
is_profile(const char *name)
{
    return name[0] != '\0' && strlen(name) <= CMP_PROFILE_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static int
check_entry(const struct cmp_queue_entry *entry, struct err *e)
{
    if (!is_registration_id(entry->registration_id)) {
        return err_set(e, ERR_INPUT, "registrationId is not %d lower-case hex digits",
                       CMP_REGISTRATION_ID_SIZE);
    }
    if (!is_profile(entry->profile)) {
        return err_set(e, ERR_INPUT, "profile is not 1 to %d of a-z 0-9 -", CMP_PROFILE_MAX);
    }
    switch (entry->assurance) {
    case CMP_ASSURANCE_MAC:
    case CMP_ASSURANCE_SIGNATURE:
        return 0;
    }
    return err_set(e, ERR_INPUT, "assurance is neither mac nor signature");
}

static int
encode_entry(const struct cmp_queue_entry *entry, struct buf *out, struct err *e)
{
    CLEANUP(queue_entry_cleanup) CMP_QUEUE_ENTRY *q = CMP_QUEUE_ENTRY_new();

    if (q == NULL ||
        ASN1_STRING_set(q->registration_id, entry->registration_id, CMP_REGISTRATION_ID_SIZE) !=
            1 ||
        ASN1_ENUMERATED_set_int64(q->assurance, entry->assurance) != 1 ||
        ASN1_STRING_set(q->profile, entry->profile, (int)strlen(entry->profile)) != 1 ||
        ASN1_GENERALIZEDTIME_set(q->received_at, entry->received_at) == NULL) {
        return ossl_err(e, ERR_CRYPTO, "QueueEntry");
    }
    return field_encode(ASN1_ITEM_rptr(CMP_QUEUE_ENTRY), q, out, e);
}

int
cmp_queue_build(const struct cmp_queue_entry *entry, const struct cmp_msg *inner,
                const struct cmp_wrapper *wrapper, struct buf *part, struct err *e)
{
    CLEANUP(buf_free) struct buf value = BUF_INIT(ENTRY_DER_MAX);
    CLEANUP(buf_free) struct buf recipient = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_NESTED_MAX);
    struct cmp_header h = {.pvno = CMP_PVNO_2000};

    if (check_entry(entry, e) != 0 || encode_entry(entry, &value, e) != 0 ||
        cmp_general_name(wrapper->ca, &recipient, e) != 0 ||
        cmp_body_nested(cmp_msg_der(inner), &body, e) != 0) {
        return err_wrap(e, "queue entry");
    }
    h.sender = wrapper->ra;
    h.recipient = buf_span(&recipient);
    h.time = wrapper->time;
    h.algorithm = wrapper->algorithm;
    h.sender_kid = wrapper->sender_kid;
    /* RFC 9483 5.2.2.1: copied from the message inside */
    h.transaction_id = cmp_msg_transaction_id(inner);
    h.sender_nonce = cmp_msg_sender_nonce(inner);
    h.info_oid = NFPKI_OID_QUEUE_ENTRY;
    h.info_value = buf_span(&value);
    return cmp_build_part(&h, buf_span(&body), part, e);
}

static void
destroy(struct cmp_queued *q)
{
    if (q != NULL) {
        cmp_msg_free(q->outer);
        cmp_msg_free(q->inner);
        mem_free(q);
    }
}

DEFINE_CLEANUP(destroy_cleanup, struct cmp_queued, destroy)

void
cmp_queued_free(struct cmp_queued *q)
{
    destroy(q);
}

/* The content of a UTF8String as a C string; an embedded NUL makes it fail the checks of its form,
 * because those look at the whole length. */
static int
copy_string(const ASN1_UTF8STRING *from, char *to, size_t size, struct err *e)
{
    struct span s = field_span(from);

    if (s.n >= size || (s.n != 0 && memchr(s.p, '\0', s.n) != NULL)) {
        return err_set(e, ERR_INPUT, "text is too long or has a NUL");
    }
    for (size_t i = 0; i < s.n; i++) {
        to[i] = (char)s.p[i];
    }
    to[s.n] = '\0';
    return 0;
}

static int
read_entry(struct cmp_queued *q, struct err *e)
{
    CLEANUP(queue_entry_cleanup) CMP_QUEUE_ENTRY *der = NULL;
    struct span value;
    int64_t assurance;

    if (cmp_msg_info_count(q->outer) != 1 ||
        !cmp_msg_info(q->outer, NFPKI_OID_QUEUE_ENTRY, &value)) {
        return err_set(e, ERR_INPUT, "generalInfo is not exactly one id-nfpki-queueEntry");
    }
    der = field_decode(ASN1_ITEM_rptr(CMP_QUEUE_ENTRY), value, "QueueEntry", e);
    if (der == NULL) {
        return -1;
    }
    if (ASN1_ENUMERATED_get_int64(&assurance, der->assurance) != 1 ||
        (assurance != CMP_ASSURANCE_MAC && assurance != CMP_ASSURANCE_SIGNATURE)) {
        return err_set(e, ERR_INPUT, "assurance is neither mac nor signature");
    }
    q->entry.assurance = (enum cmp_assurance)assurance;
    if (copy_string(der->registration_id, q->entry.registration_id,
                    sizeof(q->entry.registration_id), e) != 0 ||
        copy_string(der->profile, q->entry.profile, sizeof(q->entry.profile), e) != 0 ||
        field_time(der->received_at, &q->entry.received_at, e) != 0) {
        return -1;
    }
    return check_entry(&q->entry, e);
}

static int
check_outer(const struct cmp_msg *outer, struct err *e)
{
    time_t time;

    if (cmp_msg_body(outer) != CMP_NESTED || cmp_msg_pvno(outer) != CMP_PVNO_2000) {
        return err_set(e, ERR_INPUT, "not a nested message of pvno 2");
    }
    if (!cmp_msg_time(outer, &time) || cmp_msg_sender_kid(outer).n == 0 ||
        cmp_msg_recip_nonce(outer).p != NULL || cmp_msg_extra_count(outer) != 1 ||
        cmp_protection_of(outer) != CMP_PROTECTION_SIGNATURE) {
        return err_set(e, ERR_INPUT, "header of the wrapper is not as the RA makes it");
    }
    return 0;
}

static int
parse_inner(struct cmp_queued *q, struct err *e)
{
    enum cmp_failure failure;
    struct span raw;

    if (cmp_nested_read(q->outer, &raw, &failure, e) != 0) {
        return -1;
    }
    q->inner = cmp_msg_parse(raw, CMP_MESSAGE_MAX, e);
    if (q->inner == NULL) {
        return err_wrap(e, "message inside");
    }
    if (cmp_msg_transaction_id(q->inner).n == 0 ||
        !span_equal(cmp_msg_transaction_id(q->inner), cmp_msg_transaction_id(q->outer)) ||
        !span_equal(cmp_msg_sender_nonce(q->inner), cmp_msg_sender_nonce(q->outer))) {
        return err_set(e, ERR_INPUT, "transactionID and senderNonce are not the inner message's");
    }
    return 0;
}

struct cmp_queued *
cmp_queued_parse(struct span der, struct err *e)
{
    CLEANUP(destroy_cleanup) struct cmp_queued *q = mem_new(sizeof(*q));

    q->outer = cmp_msg_parse(der, CMP_NESTED_MAX, e);
    if (q->outer == NULL || check_outer(q->outer, e) != 0 || read_entry(q, e) != 0 ||
        parse_inner(q, e) != 0) {
        (void)err_wrap(e, "queue entry");
        return NULL;
    }
    return TAKE(q);
}

int
cmp_queued_verify(const struct cmp_queued *q, X509 *ra, const X509_NAME *ca, struct err *e)
{
    CLEANUP(buf_free) struct buf pinned = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(x509_name_cleanup) X509_NAME *recipient = NULL;
    enum cmp_failure failure;

    if (OSSL_ENCODE(X509, ra, &pinned, e) != 0) {
        return -1;
    }
    if (!span_equal(cmp_msg_extra(q->outer, 0), buf_span(&pinned))) {
        return err_set(e, ERR_DENIED, "queue entry: not from the RA that is configured");
    }
    if (cmp_signature_verify(q->outer, ra, &failure, e) != 0) {
        e->code = ERR_CRYPTO;
        return err_wrap(e, "queue entry: signature of the RA");
    }
    recipient = cmp_msg_recipient_name(q->outer, e);
    if (recipient == NULL || X509_NAME_cmp(recipient, ca) != 0) {
        return err_set(e, ERR_DENIED, "queue entry: meant for another CA");
    }
    return 0;
}

const struct cmp_queue_entry *
cmp_queued_entry(const struct cmp_queued *q)
{
    return &q->entry;
}

const struct cmp_msg *
cmp_queued_outer(const struct cmp_queued *q)
{
    return q->outer;
}

const struct cmp_msg *
cmp_queued_inner(const struct cmp_queued *q)
{
    return q->inner;
}
