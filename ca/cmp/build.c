/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/build.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/protection/check.h"

DEFINE_CLEANUP(header_cleanup, CMP_HEADER, CMP_HEADER_free)

enum { GENERAL_NAME_DIRECTORY = DER_CONTEXT | 4, INFO_MAX = 4096 };

static int
fresh(uint8_t out[CMP_NONCE_SIZE], struct span *where, struct err *e)
{
    *where = span_of(out, CMP_NONCE_SIZE);
    return random_bytes(out, CMP_NONCE_SIZE, e);
}

int
cmp_header_reply(const struct cmp_msg *request, struct cmp_header *out, struct err *e)
{
    /* RFC 9810 7: the requester's own, or the nearest that we speak */
    *out = (struct cmp_header){
        .pvno = cmp_msg_pvno(request) >= CMP_PVNO_2021 ? CMP_PVNO_2021 : CMP_PVNO_2000,
        .time = clock_now(),
        .recipient = cmp_msg_sender(request),
        .transaction_id = cmp_msg_transaction_id(request),
        .recip_nonce = cmp_msg_sender_nonce(request),
    };
    return fresh(out->fresh_nonce, &out->sender_nonce, e);
}

int
cmp_header_echo(const struct cmp_echo *request, struct cmp_header *out, struct err *e)
{
    *out = (struct cmp_header){
        .pvno = request->pvno,
        .time = clock_now(),
        .recipient = request->sender,
        .transaction_id = request->transaction_id,
        .recip_nonce = request->sender_nonce,
    };
    if (out->transaction_id.n == 0 && fresh(out->fresh_id, &out->transaction_id, e) != 0) {
        return -1;
    }
    return fresh(out->fresh_nonce, &out->sender_nonce, e);
}

int
cmp_header_first(struct cmp_header *out, struct err *e)
{
    *out = (struct cmp_header){.pvno = CMP_PVNO_2000, .time = clock_now()};
    if (fresh(out->fresh_id, &out->transaction_id, e) != 0) {
        return -1;
    }
    return fresh(out->fresh_nonce, &out->sender_nonce, e);
}

/* A NULL name is the NULL-DN: an empty SEQUENCE. */
static int
append_general_name(const X509_NAME *name, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    if (name == NULL ? der_append(&der, DER_SEQUENCE, span_of(NULL, 0), e) != 0
                     : field_encode(ASN1_ITEM_rptr(X509_NAME), name, &der, e) != 0) {
        return -1;
    }
    return der_append(out, GENERAL_NAME_DIRECTORY, buf_span(&der), e);
}

int
cmp_general_name(const X509_NAME *name, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    return append_general_name(name, out, e);
}

static int
set_any(ASN1_TYPE **field, struct span der, struct err *e)
{
    ASN1_TYPE_free(*field);
    *field = field_decode(ASN1_ITEM_rptr(ASN1_ANY), der, "header field", e);
    return *field == NULL ? -1 : 0;
}

static int
set_name(ASN1_TYPE **field, const X509_NAME *name, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    return append_general_name(name, &der, e) != 0 ? -1 : set_any(field, buf_span(&der), e);
}

static int
set_octets(ASN1_OCTET_STRING **field, struct span octets, struct err *e)
{
    if (octets.n == 0) {
        return 0;
    }
    *field = ASN1_OCTET_STRING_new();
    if (*field == NULL || octets.n > INT_MAX ||
        ASN1_OCTET_STRING_set(*field, octets.p, (int)octets.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "OCTET STRING");
    }
    return 0;
}

static int
add_any(STACK_OF(ASN1_TYPE) * *list, struct span der, const char *what, struct err *e)
{
    CLEANUP(asn1_type_cleanup)
    ASN1_TYPE *any = field_decode(ASN1_ITEM_rptr(ASN1_ANY), der, what, e);

    if (any == NULL) {
        return -1;
    }
    if (*list == NULL) {
        *list = sk_ASN1_TYPE_new_null();
    }
    if (*list == NULL || sk_ASN1_TYPE_push(*list, any) <= 0) {
        return ossl_err(e, ERR_CRYPTO, "%s", what);
    }
    any = NULL;
    return 0;
}

static int
add_info(CMP_HEADER *h, const char *oid, struct span value, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(INFO_MAX);
    CLEANUP(buf_free) struct buf info = BUF_INIT(INFO_MAX);
    uint8_t type[FIELD_OID_MAX];

    if (der_append(&content, DER_OID, field_oid(oid, type), e) != 0 ||
        (value.n != 0 && buf_append(&content, value, e) != 0) ||
        der_append(&info, DER_SEQUENCE, buf_span(&content), e) != 0) {
        return err_wrap(e, "generalInfo");
    }
    return add_any(&h->general_info, buf_span(&info), "generalInfo", e);
}

static int
add_infos(CMP_HEADER *out, const struct cmp_header *h, struct err *e)
{
    static const uint8_t null[] = {DER_NULL, 0};

    /* RFC 9483 3.1: never both */
    assert(!h->implicit_confirm || h->confirm_wait == 0);
    if (h->implicit_confirm &&
        add_info(out, CMP_OID_IMPLICIT_CONFIRM, span_of(null, sizeof(null)), e) != 0) {
        return -1;
    }
    if (h->confirm_wait != 0) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(64);
        ASN1_GENERALIZEDTIME *t = field_time_new(h->confirm_wait, e);
        int result =
            t == NULL ? -1 : field_encode(ASN1_ITEM_rptr(ASN1_GENERALIZEDTIME), t, &der, e);

        ASN1_GENERALIZEDTIME_free(t);
        if (result != 0 || add_info(out, CMP_OID_CONFIRM_WAIT_TIME, buf_span(&der), e) != 0) {
            return -1;
        }
    }
    return h->info_oid == NULL ? 0 : add_info(out, h->info_oid, h->info_value, e);
}

static int
encode_header(const struct cmp_header *h, struct span algorithm, struct buf *out, struct err *e)
{
    CLEANUP(header_cleanup) CMP_HEADER *header = CMP_HEADER_new();

    if (header == NULL || ASN1_INTEGER_set_int64(header->pvno, h->pvno) != 1) {
        return ossl_err(e, ERR_CRYPTO, "PKIHeader");
    }
    if (h->time != 0) {
        header->message_time = field_time_new(h->time, e);
        if (header->message_time == NULL) {
            return -1;
        }
    }
    if (algorithm.n != 0) {
        header->protection_alg =
            field_decode(ASN1_ITEM_rptr(X509_ALGOR), algorithm, "protectionAlg", e);
        if (header->protection_alg == NULL) {
            return -1;
        }
    }
    if (set_name(&header->sender, h->sender, e) != 0 ||
        (h->recipient.n == 0 ? set_name(&header->recipient, NULL, e)
                             : set_any(&header->recipient, h->recipient, e)) != 0 ||
        set_octets(&header->sender_kid, h->sender_kid, e) != 0 ||
        set_octets(&header->transaction_id, h->transaction_id, e) != 0 ||
        set_octets(&header->sender_nonce, h->sender_nonce, e) != 0 ||
        set_octets(&header->recip_nonce, h->recip_nonce, e) != 0 || add_infos(header, h, e) != 0) {
        return -1;
    }
    return field_encode(ASN1_ITEM_rptr(CMP_HEADER), header, out, e);
}

static int
build_part(const struct cmp_header *h, struct span algorithm, struct span body, struct buf *out,
           struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);

    buf_truncate(out, 0);
    if (encode_header(h, algorithm, &content, e) != 0 || buf_append(&content, body, e) != 0) {
        return err_wrap(e, "build a message");
    }
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

int
cmp_build_part(const struct cmp_header *h, struct span body, struct buf *out, struct err *e)
{
    return build_part(h, h->algorithm, body, out, e);
}

static int
append_protection(struct buf *out, struct span protection, struct err *e)
{
    static const uint8_t no_unused_bits[] = {0};
    CLEANUP(buf_free) struct buf bits = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf string = BUF_INIT(out->max);

    if (buf_append(&bits, span_of(no_unused_bits, 1), e) != 0 ||
        buf_append(&bits, protection, e) != 0 ||
        der_append(&string, DER_BIT_STRING, buf_span(&bits), e) != 0) {
        return -1;
    }
    return der_append(out, DER_CONTEXT | 0, buf_span(&string), e);
}

static int
append_extra(struct buf *out, const struct span *extra, size_t count, struct err *e)
{
    CLEANUP(buf_free) struct buf certs = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(out->max);

    assert(count <= CMP_EXTRA_CERTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (buf_append(&certs, extra[i], e) != 0) {
            return err_wrap(e, "extraCerts");
        }
    }
    if (der_append(&sequence, DER_SEQUENCE, buf_span(&certs), e) != 0) {
        return -1;
    }
    return der_append(out, DER_CONTEXT | 1, buf_span(&sequence), e);
}

int
cmp_build_finish(struct span protected_part, struct span protection, const struct span *extra,
                 size_t extra_count, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);
    struct der part;

    buf_truncate(out, 0);
    if (!der_only(protected_part, DER_SEQUENCE, &part)) {
        return err_set(e, ERR_INPUT, "build a message: this is not a ProtectedPart");
    }
    if (buf_append(&content, part.content, e) != 0 ||
        (protection.n != 0 && append_protection(&content, protection, e) != 0) ||
        (extra_count != 0 && append_extra(&content, extra, extra_count, e) != 0)) {
        return err_wrap(e, "build a message");
    }
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

int
cmp_build_mac(const struct cmp_header *h, struct span body, const struct cmp_mac_key *key,
              const struct span *extra, size_t extra_count, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf part = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf mac = BUF_INIT(CMP_MAC_SIZE_MAX);

    if (build_part(h, cmp_mac_key_algorithm(key), body, &part, e) != 0 ||
        cmp_mac_make(key, buf_span(&part), &mac, e) != 0) {
        return -1;
    }
    return cmp_build_finish(buf_span(&part), buf_span(&mac), extra, extra_count, out, e);
}
