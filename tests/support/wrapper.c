/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/wrapper.h"

#include <string.h>

#include "base/oid.h"
#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/protection/check.h"
#include "ca/x509/pubkey.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

DEFINE_CLEANUP(entry_cleanup, CMP_QUEUE_ENTRY, CMP_QUEUE_ENTRY_free)

struct wrapper
wrapper_by(X509 *ra, const X509_NAME *ca, time_t time)
{
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(ra);
    struct wrapper by = {.ra = X509_get_subject_name(ra),
                         .ca = ca,
                         .sender_kid =
                             span_of(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski)),
                         .time = time};
    const EVP_MD *md;
    struct err e = {0};

    assert_ok(pubkey_signature_algorithm(X509_get0_pubkey(ra), &by.algorithm, &md, &e), &e);
    return by;
}

/* Without rid, which is OPTIONAL in the template. */
static void
encode_entry(const struct cmp_queue_entry *entry, struct buf *out)
{
    CLEANUP(entry_cleanup) CMP_QUEUE_ENTRY *q = CMP_QUEUE_ENTRY_new();
    struct err e = {0};

    assert_non_null(q);
    assert_int_equal(ASN1_STRING_set(q->registration_id, entry->registration_id, -1), 1);
    assert_int_equal(ASN1_ENUMERATED_set_int64(q->assurance, entry->assurance), 1);
    assert_int_equal(ASN1_STRING_set(q->profile, entry->profile, -1), 1);
    assert_non_null(ASN1_GENERALIZEDTIME_set(q->received_at, entry->received_at));
    assert_ok(field_encode(ASN1_ITEM_rptr(CMP_QUEUE_ENTRY), q, out, &e), &e);
}

struct buf
wrapper_part(const struct wrapper *by, const struct cmp_queue_entry *entry,
             const struct cmp_msg *inner)
{
    CLEANUP(buf_free) struct buf value = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    CLEANUP(buf_free) struct buf recipient = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_NESTED_MAX);
    struct buf part = BUF_INIT(CMP_NESTED_MAX);
    struct cmp_header h = {.pvno = CMP_PVNO_2000,
                           .sender = by->ra,
                           .time = by->time,
                           .algorithm = by->algorithm,
                           .sender_kid = by->sender_kid,
                           /* RFC 9483 5.2.2.1: copied from the message inside */
                           .transaction_id = cmp_msg_transaction_id(inner),
                           .sender_nonce = cmp_msg_sender_nonce(inner),
                           .info_oid = NFPKI_OID_QUEUE_ENTRY};
    struct err e = {0};

    encode_entry(entry, &value);
    assert_ok(cmp_general_name(by->ca, &recipient, &e), &e);
    assert_ok(cmp_body_nested(cmp_msg_der(inner), &body, &e), &e);
    h.recipient = buf_span(&recipient);
    h.info_value = buf_span(&value);
    assert_ok(cmp_build_part(&h, buf_span(&body), &part, &e), &e);
    return part;
}

struct buf
wrapper_sign(struct span part, EVP_PKEY *key, X509 *ra)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf signature = pki_sign(key, part);
    struct buf out = BUF_INIT(CMP_NESTED_MAX);
    struct span certificate;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, ra, &der, &e), &e);
    certificate = buf_span(&der);
    assert_ok(cmp_build_finish(part, buf_span(&signature), &certificate, 1, &out, &e), &e);
    return out;
}
