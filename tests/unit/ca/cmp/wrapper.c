/* SPDX-License-Identifier: Apache-2.0 */
/* How each message went to the CA before: wrapped by itself. */
#include "ca/cmp/queue.h"

#include "base/oid.h"
#include "tests/support/der_edit.h"
#include "tests/support/wrapper.h"
#include "tests/unit/ca/cmp/fixture.h"

static const struct cmp_queue_entry entry = {
    .registration_id = "0123456789abcdef0123456789abcdef",
    .assurance = CMP_ASSURANCE_MAC,
    .profile = "nf-tls",
    .received_at = 1795467171,
};

/* The RA of these tests is the fixture's device; the CA is named "nf" like its subject. */
static struct wrapper
wrapper_of(const struct world *w)
{
    return wrapper_by(w->device, w->subject, 1795467172);
}

static void
wrapped(const struct world *w, const struct cmp_queue_entry *what, struct buf *inner,
        struct buf *out)
{
    CLEANUP(buf_free) struct buf part = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct wrapper wrapper = wrapper_of(w);

    request_der(w, &w->mac, inner);
    msg = parse_ok(buf_span(inner));
    part = wrapper_part(&wrapper, what, msg);
    *out = wrapper_sign(buf_span(&part), w->device_key, w->device);
}

static int
verified(const struct cmp_queued *q, X509 *ra, const X509_NAME *ca, struct err *e)
{
    const struct cmp_parties with = {.ra = ra, .ca = ca};

    return cmp_queued_verify(q, &with, e);
}

static void
an_entry_comes_out_as_it_went_in(void **state)
{
    struct world *w = *state;
    struct cmp_queue_entry signature = entry;

    signature.assurance = CMP_ASSURANCE_SIGNATURE;
    for (int i = 0; i <= 1; i++) {
        CLEANUP(buf_free) struct buf inner = {0};
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        struct err e = {0};

        wrapped(w, i == 0 ? &entry : &signature, &inner, &der);
        q = cmp_queued_parse(buf_span(&der), &e);
        if (q == NULL) {
            fail_msg("%s", e.text);
        }
        assert_ok(verified(q, w->device, w->subject, &e), &e);
        assert_string_equal(cmp_queued_entry(q)->registration_id, entry.registration_id);
        assert_string_equal(cmp_queued_entry(q)->profile, "nf-tls");
        assert_int_equal(cmp_queued_entry(q)->assurance,
                         i == 0 ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE);
        assert_int_equal(cmp_queued_entry(q)->received_at, entry.received_at);
        assert_true(span_equal(cmp_msg_der(cmp_queued_inner(q)), buf_span(&inner)));
        assert_null(cmp_queued_submission(q));
        assert_int_equal(cmp_queued_sequence(q), 0);
        assert_int_equal(cmp_queued_head_hash(q).n, 0);
    }
}

static void
another_ra_or_another_ca_is_denied(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(x509_cleanup) X509 *other = certificate_of(w->key, "device");
    CLEANUP(x509_name_cleanup) X509_NAME *elsewhere = name_of("another CA");
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    struct err e = {0};

    wrapped(w, &entry, &inner, &der);
    q = cmp_queued_parse(buf_span(&der), &e);
    assert_non_null(q);
    assert_err(verified(q, other, w->subject, &e), ERR_DENIED, &e);
    assert_err(verified(q, w->device, elsewhere, &e), ERR_DENIED, &e);
}

static void
a_signature_of_another_key_under_the_ras_name_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(buf_free) struct buf part = {0};
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    struct wrapper wrapper = wrapper_of(w);
    struct err e = {0};

    request_der(w, &w->mac, &inner);
    msg = parse_ok(buf_span(&inner));
    part = wrapper_part(&wrapper, &entry, msg);
    der = wrapper_sign(buf_span(&part), w->key, w->device);
    q = cmp_queued_parse(buf_span(&der), &e);
    assert_non_null(q);
    assert_err(verified(q, w->device, w->subject, &e), ERR_CRYPTO, &e);
}

static void
one_flipped_bit_at_every_octet_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(buf_free) struct buf der = {0};
    size_t parsed = 0;
    struct err e = {0};

    wrapped(w, &entry, &inner, &der);
    for (size_t i = 0; i < der.n; i++) {
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        uint8_t flip = (uint8_t)(1U << (i % 8));

        der.p[i] ^= flip;
        q = cmp_queued_parse(buf_span(&der), &e);
        if (q != NULL) {
            parsed++;
            if (verified(q, w->device, w->subject, &e) == 0) {
                fail_msg("octet %zu may be changed", i);
            }
        }
        der.p[i] ^= flip;
    }
    assert_true(parsed > 100);
}

/* What a changed RA could send, signed with its key. */
static void
wrappers_of_another_form_are_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(buf_free) struct buf recipient = BUF_INIT(1000);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct wrapper wrapper = wrapper_of(w);
    static const uint8_t value[] = "\x30\x3e\x0c\x20" /* registrationId */
                                   "0123456789abcdef0123456789abcdef"
                                   "\x0a\x01\x00\x0c\x06nf-tls"
                                   "\x18\x0f"
                                   "20261123205251Z";
    struct err e = {0};

    request_der(w, &w->mac, &inner);
    msg = parse_ok(buf_span(&inner));
    assert_ok(cmp_body_nested(buf_span(&inner), &body, &e), &e);
    assert_ok(cmp_general_name(w->subject, &recipient, &e), &e);
    static const char *const says[] = {
        NULL,
        "not a nested message of pvno 2",
        "transactionID and senderNonce are not the inner message's",
        "transactionID and senderNonce are not the inner message's",
        "generalInfo is not exactly one id-nfpki-queueEntry",
        "generalInfo is not exactly one id-nfpki-queueEntry",
        "generalInfo is not exactly one id-nfpki-queueEntry",
        "header of the wrapper is not as the RA makes it",
        "header of the wrapper is not as the RA makes it",
        "assurance is neither mac nor signature",
        "registrationId is not 32 lower-case hex digits",
        "text is too long or has a NUL",
        "header of the wrapper is not as the RA makes it",
        "assurance is neither mac nor signature",
        "profile is not 1 to",
        "time is not YYYYMMDDHHMMSSZ",
        "QueueEntry does not decode",
    };

    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_NESTED_MAX);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        uint8_t changed[sizeof(value) - 1];
        struct cmp_header h;

        memcpy(changed, value, sizeof(changed));
        assert_ok(cmp_header_first(&h, &e), &e);
        h.sender = wrapper.ra;
        h.recipient = buf_span(&recipient);
        h.algorithm = wrapper.algorithm;
        h.sender_kid = wrapper.sender_kid;
        h.transaction_id = cmp_msg_transaction_id(msg);
        h.sender_nonce = cmp_msg_sender_nonce(msg);
        h.info_oid = NFPKI_OID_QUEUE_ENTRY;
        h.info_value = span_of(changed, sizeof(changed));
        switch (i) {
        case 0:
            break;
        case 1:
            h.pvno = 3;
            break;
        case 2:
            h.transaction_id = span_of(h.fresh_id, CMP_NONCE_SIZE);
            break;
        case 3:
            h.sender_nonce = span_of(h.fresh_nonce, CMP_NONCE_SIZE);
            break;
        case 4:
            h.info_oid = NULL;
            break;
        case 5:
            h.info_oid = "1.2.3";
            break;
        case 6:
            h.implicit_confirm = true;
            break;
        case 7:
            h.recip_nonce = h.sender_nonce;
            break;
        case 8:
            h.time = 0;
            break;
        case 9:
            changed[38] = 2; /* assurance */
            break;
        case 10:
            changed[4] = 'X';
            break;
        case 11:
            changed[41] = '\0'; /* profile */
            break;
        case 12:
            h.sender_kid = span_of(NULL, 0);
            break;
        case 13:
            changed[38] = 0xff;
            break;
        case 14:
            changed[41] = 'N';
            break;
        case 15:
            changed[sizeof(changed) - 1] = 'z';
            break;
        default:
            changed[2] = 0x13;
            break;
        }
        assert_ok(cmp_build_part(&h, buf_span(&body), &part, &e), &e);
        der = wrapper_sign(buf_span(&part), w->device_key, w->device);
        q = cmp_queued_parse(buf_span(&der), &e);
        if ((q != NULL) != (i == 0) || (i > 0 && strstr(e.text, says[i]) == NULL)) {
            fail_msg("change %zu: %s", i, q == NULL ? e.text : "accepted");
        }
    }
}

static void
the_largest_message_fits_into_its_wrapper(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf extra = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf small = {0};
    CLEANUP(buf_free) struct buf big = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf inner_part = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = {0};
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *largest = NULL;
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    struct wrapper wrapper = wrapper_of(w);
    struct err e = {0};
    struct span cert;
    size_t room = CMP_MESSAGE_MAX;
    uint8_t *p;

    request_der(w, &w->mac, &small);
    msg = parse_ok(buf_span(&small));
    assert_ok(cmp_msg_protected_part(msg, &inner_part, &e), &e);
    /* a "certificate" that fills it: SEQUENCE { OCTET STRING } */
    room -= small.n + 24;
    p = buf_extend(&extra, room, &e);
    assert_non_null(p);
    memset(p, 0, room);
    p[0] = 0x30;
    p[1] = 0x82;
    p[2] = (uint8_t)((room - 4) >> 8);
    p[3] = (uint8_t)(room - 4);
    p[4] = 0x04;
    p[5] = 0x82;
    p[6] = (uint8_t)((room - 8) >> 8);
    p[7] = (uint8_t)(room - 8);
    cert = buf_span(&extra);
    assert_ok(cmp_build_finish(buf_span(&inner_part), cmp_msg_protection(msg), &cert, 1, &big, &e),
              &e);
    assert_true(big.n > CMP_MESSAGE_MAX - 64);
    largest = parse_ok(buf_span(&big));
    part = wrapper_part(&wrapper, &entry, largest);
    der = wrapper_sign(buf_span(&part), w->device_key, w->device);
    q = cmp_queued_parse(buf_span(&der), &e);
    assert_non_null(q);
    assert_ok(verified(q, w->device, w->subject, &e), &e);
}

/* A message inside without transactionID is no one's, though the wrapper says as little. */
static void
a_message_inside_has_a_transaction_and_is_one(void **state)
{
    struct world *w = *state;
    static const uint8_t value[] = "\x30\x3e\x0c\x20"
                                   "0123456789abcdef0123456789abcdef"
                                   "\x0a\x01\x00\x0c\x06nf-tls"
                                   "\x18\x0f"
                                   "20261123205251Z";
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(buf_free) struct buf bare = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf recipient = BUF_INIT(1000);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct wrapper wrapper = wrapper_of(w);
    const char *path = NULL;
    struct err e = {0};

    request_der(w, &w->mac, &inner);
    msg = parse_ok(buf_span(&inner));
    /* the header's fields: pvno, sender, recipient, then by their tags */
    for (size_t i = 3; path == NULL; i++) {
        static const char *const paths[] = {"0.3", "0.4", "0.5", "0.6", "0.7"};
        struct span field = der_at(buf_span(&inner), paths[i - 3]);

        assert_true(field.n > 0);
        path = field.p[0] == 0xa4 ? paths[i - 3] : NULL;
    }
    assert_ok(der_edit(buf_span(&inner), path, span_of(NULL, 0), &bare, &e), &e);
    assert_ok(cmp_general_name(w->subject, &recipient, &e), &e);
    for (int i = 0; i < 3; i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_NESTED_MAX);
        CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_NESTED_MAX);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        static const char *const says[] = {NULL, "transactionID and senderNonce are not",
                                           "queue entry: message inside: "};
        struct cmp_header h;

        assert_ok(cmp_body_nested(i == 0   ? buf_span(&inner)
                                  : i == 1 ? buf_span(&bare)
                                           : SPAN_LITERAL("\x30\x02\x05\x00"),
                                  &body, &e),
                  &e);
        assert_ok(cmp_header_first(&h, &e), &e);
        h.sender = wrapper.ra;
        h.recipient = buf_span(&recipient);
        h.algorithm = wrapper.algorithm;
        h.sender_kid = wrapper.sender_kid;
        h.transaction_id = i == 1 ? span_of(NULL, 0) : cmp_msg_transaction_id(msg);
        h.sender_nonce = cmp_msg_sender_nonce(msg);
        h.info_oid = NFPKI_OID_QUEUE_ENTRY;
        h.info_value = span_of(value, sizeof(value) - 1);
        assert_ok(cmp_build_part(&h, buf_span(&body), &part, &e), &e);
        der = wrapper_sign(buf_span(&part), w->device_key, w->device);
        q = cmp_queued_parse(buf_span(&der), &e);
        if ((q != NULL) != (i == 0) || (i > 0 && strstr(e.text, says[i]) == NULL)) {
            fail_msg("%d: %s", i, q == NULL ? e.text : "accepted");
        }
    }
}

static void
a_profile_has_one_character_and_as_many_as_its_limit(void **state)
{
    static const size_t lengths[] = {1, CMP_PROFILE_MAX};
    struct world *w = *state;
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct wrapper wrapper = wrapper_of(w);

    request_der(w, &w->mac, &inner);
    msg = parse_ok(buf_span(&inner));
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct cmp_queue_entry named = entry;
        CLEANUP(buf_free) struct buf part = {0};
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        struct err e = {0};

        memset(named.profile, 'p', lengths[i]);
        named.profile[lengths[i]] = '\0';
        part = wrapper_part(&wrapper, &named, msg);
        der = wrapper_sign(buf_span(&part), w->device_key, w->device);
        q = cmp_queued_parse(buf_span(&der), &e);
        if (q == NULL) {
            fail_msg("%s", e.text);
        }
        assert_string_equal(cmp_queued_entry(q)->profile, named.profile);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_out_as_it_went_in),
        cmocka_unit_test(another_ra_or_another_ca_is_denied),
        cmocka_unit_test(a_signature_of_another_key_under_the_ras_name_is_refused),
        cmocka_unit_test(one_flipped_bit_at_every_octet_is_refused),
        cmocka_unit_test(wrappers_of_another_form_are_refused),
        cmocka_unit_test(the_largest_message_fits_into_its_wrapper),
        cmocka_unit_test(a_message_inside_has_a_transaction_and_is_one),
        cmocka_unit_test(a_profile_has_one_character_and_as_many_as_its_limit),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
