/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/queue_entry.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/field.h"

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
check(const struct cmp_queue_entry *entry, struct err *e)
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
encode(const struct cmp_queue_entry *entry, bool has_rid, struct buf *out, struct err *e)
{
    CLEANUP(queue_entry_cleanup) CMP_QUEUE_ENTRY *q = CMP_QUEUE_ENTRY_new();

    if (check(entry, e) != 0) {
        return -1;
    }
    if (q == NULL ||
        ASN1_STRING_set(q->registration_id, entry->registration_id, CMP_REGISTRATION_ID_SIZE) !=
            1 ||
        ASN1_ENUMERATED_set_int64(q->assurance, entry->assurance) != 1 ||
        ASN1_STRING_set(q->profile, entry->profile, (int)strlen(entry->profile)) != 1 ||
        ASN1_GENERALIZEDTIME_set(q->received_at, entry->received_at) == NULL) {
        return ossl_err(e, ERR_CRYPTO, "QueueEntry");
    }
    if (has_rid) {
        q->rid = ASN1_OCTET_STRING_new();
        if (q->rid == NULL || ASN1_OCTET_STRING_set(q->rid, entry->rid, CMP_RID_SIZE) != 1) {
            return ossl_err(e, ERR_CRYPTO, "QueueEntry");
        }
    }
    buf_truncate(out, 0);
    return field_encode(ASN1_ITEM_rptr(CMP_QUEUE_ENTRY), q, out, e);
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
copy_rid(const ASN1_OCTET_STRING *from, struct cmp_queue_entry *out, struct err *e)
{
    const struct span rid = field_span(from);

    if (rid.n != CMP_RID_SIZE) {
        return err_set(e, ERR_INPUT, "rid is not %d octets", CMP_RID_SIZE);
    }
    memcpy(out->rid, rid.p, CMP_RID_SIZE);
    return 0;
}

static int
read_fields(const CMP_QUEUE_ENTRY *der, struct cmp_queue_entry *out, struct err *e)
{
    int64_t assurance;

    if (ASN1_ENUMERATED_get_int64(&assurance, der->assurance) != 1 ||
        (assurance != CMP_ASSURANCE_MAC && assurance != CMP_ASSURANCE_SIGNATURE)) {
        return err_set(e, ERR_INPUT, "assurance is neither mac nor signature");
    }
    out->assurance = (enum cmp_assurance)assurance;
    if (copy_string(der->registration_id, out->registration_id, sizeof(out->registration_id), e) !=
            0 ||
        copy_string(der->profile, out->profile, sizeof(out->profile), e) != 0 ||
        field_time(der->received_at, &out->received_at, e) != 0) {
        return -1;
    }
    return check(out, e);
}

static int
decode(struct span der, bool has_rid, struct cmp_queue_entry *out, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    CLEANUP(queue_entry_cleanup)
    CMP_QUEUE_ENTRY *q = field_decode(ASN1_ITEM_rptr(CMP_QUEUE_ENTRY), der, "QueueEntry", e);

    *out = (struct cmp_queue_entry){0};
    if (q == NULL || read_fields(q, out, e) != 0) {
        return -1;
    }
    if (has_rid != (q->rid != NULL)) {
        return err_set(e, ERR_INPUT, has_rid ? "no rid" : "a rid, where none belongs");
    }
    if ((has_rid && copy_rid(q->rid, out, e) != 0) || encode(out, has_rid, &again, e) != 0) {
        return -1;
    }
    return span_equal(buf_span(&again), der)
               ? 0
               : err_set(e, ERR_INPUT, "QueueEntry is not written as it must be");
}

int
cmp_queue_entry_encode(const struct cmp_queue_entry *entry, struct buf *out, struct err *e)
{
    return encode(entry, true, out, e);
}

int
cmp_queue_entry_decode(struct span der, struct cmp_queue_entry *out, struct err *e)
{
    return decode(der, true, out, e);
}

int
cmp_queue_entry_decode_before(struct span der, struct cmp_queue_entry *out, struct err *e)
{
    return decode(der, false, out, e);
}
