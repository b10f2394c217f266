/* SPDX-License-Identifier: Apache-2.0 */
/* What another RA wraps is one message with the same identifiers, and that one is judged as if it
 * came alone. */
#include "ra/judge/nested.h"

#include "tests/support/der_edit.h"
#include "tests/unit/ra/judge/wrapping.h"

/* ---- the scene ---- */

static const struct fixture_verdict taken = {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE};

/* ---- the wrapper itself ---- */

/* Sender, senderKID, time and protection of the outer message. */
static void
a_wrapper_is_protected_as_any_signed_message(void **state)
{
    static const uint8_t nobody[] = {0xa4, 0x02, 0x30, 0x00};
    static const uint8_t dns[] = {0x82, 0x01, 'a'};
    struct fixture *f = *state;
    int wrong = 0;
    const int window = f->settings->message_time_window;
    const struct {
        const char *name;
        struct fixture_message how;
        struct fixture_verdict verdict;
    } rows[] = {
        {"right", {.around = wrapping.msg}, taken},
        {"one bit of the signature",
         {.around = wrapping.msg, .broken = true},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "signature", PHRASE_NONE}},
        {"no sender",
         {.around = wrapping.msg, .edit = "0.1", .with = span_of(nobody, sizeof(nobody))},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "sender", PHRASE_NONE}},
        {"a sender of another kind",
         {.around = wrapping.msg, .edit = "0.1", .with = span_of(dns, sizeof(dns))},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "sender is not a directoryName", PHRASE_SENDER}},
        {"no senderKID",
         {.around = wrapping.msg, .kid = {.p = nobody}},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "senderKID is missing", PHRASE_NO_SENDER_KID}},
        {"another senderKID",
         {.around = wrapping.msg, .kid = SPAN_LITERAL("12345678901234567890")},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "senderKID", PHRASE_NONE}},
        {"not protected",
         {.around = wrapping.msg, .unprotected = true},
         {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "not protected", PHRASE_UNPROTECTED}},
        {"as old as may be", {.around = wrapping.msg, .time = f->now - window}, taken},
        {"older",
         {.around = wrapping.msg, .time = f->now - window - 1},
         {FIXTURE_FORM, CMP_BAD_TIME, "messageTime is off by -301 s", PHRASE_TIME_OFF}},
        {"as new as may be", {.around = wrapping.msg, .time = f->now + window}, taken},
        {"newer",
         {.around = wrapping.msg, .time = f->now + window + 1},
         {FIXTURE_FORM, CMP_BAD_TIME, "messageTime is off by 301 s", PHRASE_TIME_OFF}},
        {"older, and nobody knows whose",
         {.around = wrapping.msg, .time = f->now - window - 1, .broken = true},
         {FIXTURE_FORM, CMP_BAD_TIME, "signature", PHRASE_NONE}},
    };
    const struct cmp_client by = wrapping_client(f, PARTNER);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += wrapping_expect(f, &by, buf_span(&wrapping.body), &rows[i].how, &rows[i].verdict,
                                 rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

static void
a_wrapper_is_signed_with_the_key_of_its_certificate(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK, "signature",
                                               PHRASE_NONE};
    static const struct fixture_verdict mac = {FIXTURE_FORM, CMP_WRONG_INTEGRITY,
                                               "nested, but not signed", PHRASE_NONE};
    struct fixture *f = *state;
    int wrong = 0;
    const struct fixture_message how = {.around = wrapping.msg};
    const struct cmp_client other = fixture_signer(f, wrapping.of[PARTNER], wrapping.other_key);

    wrong += wrapping_expect(f, &other, buf_span(&wrapping.body), &how, &bad, "another key");
    wrong += wrapping_expect(f, &wrapping.nf, buf_span(&wrapping.body), &how, &mac, "a MAC");
    assert_int_equal(wrong, 0);
}

/* It says who it is from in extraCerts alone. */
static void
a_wrapper_brings_its_certificate(void **state)
{
    static const struct fixture_verdict none = {FIXTURE_FORM, CMP_BAD_MESSAGE_CHECK,
                                                "no extraCerts", PHRASE_NONE};
    struct fixture *f = *state;
    const struct cmp_client by = wrapping_client(f, PARTNER);
    const struct fixture_message how = {.around = wrapping.msg};
    CLEANUP(buf_free)
    struct buf whole = fixture_message(f, &by, buf_span(&wrapping.body), &how, NULL);
    CLEANUP(buf_free) struct buf bare = BUF_INIT(CMP_MESSAGE_MAX);
    struct job *job;
    struct err e = {0};

    assert_ok(der_edit(buf_span(&whole), "3", (struct span){0}, &bare, &e), &e);
    job = fixture_job(f, buf_span(&bare));
    assert_int_equal(fixture_expect(job, &none, "no extraCerts"), 0);
    job_free(job);
}

/* ---- what is inside ---- */

static void
exactly_one_message_is_inside(void **state)
{
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = wrapping_client(f, PARTNER);
    const struct fixture_message how = {.around = wrapping.msg};
    CLEANUP(buf_free)
    struct buf wrapper = fixture_message(f, &by, buf_span(&wrapping.body), &how, NULL);
    const struct span two[] = {buf_span(&wrapping.inner), buf_span(&wrapping.inner)};
    const struct span nested = buf_span(&wrapper);
    const struct span integer = SPAN_LITERAL("\x02\x01\x01");
    const struct span empty = SPAN_LITERAL("\x30\x00");
    const struct {
        const char *name;
        struct buf body;
        struct fixture_verdict verdict;
    } rows[] = {
        {"none",
         wrapping_nest(NULL, 0),
         {FIXTURE_FORM, CMP_BAD_REQUEST, "exactly one message is accepted", PHRASE_NESTED}},
        {"two",
         wrapping_nest(two, 2),
         {FIXTURE_FORM, CMP_BAD_REQUEST, "exactly one message is accepted", PHRASE_NESTED}},
        {"another wrapper",
         wrapping_nest(&nested, 1),
         {FIXTURE_FORM, CMP_BAD_REQUEST, "nested in nested", PHRASE_NONE}},
        {"a number",
         wrapping_nest(&integer, 1),
         {FIXTURE_FORM, CMP_BAD_DATA_FORMAT, "not a PKIMessage", PHRASE_NONE}},
        {"an empty message",
         wrapping_nest(&empty, 1),
         {FIXTURE_FORM, CMP_BAD_DATA_FORMAT, "PKIMessage does not decode", PHRASE_NONE}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf body = rows[i].body;

        wrong += wrapping_expect(f, &by, buf_span(&body), &how, &rows[i].verdict, rows[i].name);
        buf_free(&body);
    }
    assert_int_equal(wrong, 0);
}

/* RFC 9483 5.2.2.1: transactionID and senderNonce are those of the message inside; so is recipNonce
 * when there is one. */
static void
the_wrapper_repeats_the_identifiers_of_the_message(void **state)
{
    static const char other[] = "0123456789abcdef";
    static const uint8_t tid[] = {0xa4, 0x12, 0x04, 0x10};
    static const uint8_t nonce[] = {0xa5, 0x12, 0x04, 0x10};
    const struct fixture_verdict differ = {
        FIXTURE_FORM, CMP_BAD_REQUEST,
        "transactionID and nonces are not those of the message inside", PHRASE_NONE};
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = wrapping_client(f, PARTNER);
    CLEANUP(buf_free) struct buf with_tid = BUF_INIT(64);
    CLEANUP(buf_free) struct buf with_nonce = BUF_INIT(64);
    struct err e = {0};

    assert_ok(buf_append(&with_tid, span_of(tid, sizeof(tid)), &e), &e);
    assert_ok(buf_append(&with_tid, span_str(other), &e), &e);
    assert_ok(buf_append(&with_nonce, span_of(nonce, sizeof(nonce)), &e), &e);
    assert_ok(buf_append(&with_nonce, span_str(other), &e), &e);
    wrong +=
        wrapping_expect(f, &by, buf_span(&wrapping.body),
                        &(struct fixture_message){
                            .around = wrapping.msg, .edit = "0.6", .with = buf_span(&with_tid)},
                        &differ, "another transactionID");
    wrong +=
        wrapping_expect(f, &by, buf_span(&wrapping.body),
                        &(struct fixture_message){
                            .around = wrapping.msg, .edit = "0.7", .with = buf_span(&with_nonce)},
                        &differ, "another senderNonce");
    assert_int_equal(wrong, 0);
}

/* Of a later message there is a recipNonce, which is the same outside when it is there. */
static void
the_wrapper_of_a_later_message_repeats_its_nonce(void **state)
{
    static const uint8_t other[] = {0xa6, 0x12, 0x04, 0x10, 'o', 't', 'h', 'e', 'r', 'o',
                                    't',  'h',  'e',  'r',  'o', 't', 'h', 'e', 'r', 'o'};
    const struct fixture_verdict differ = {
        FIXTURE_FORM, CMP_BAD_REQUEST,
        "transactionID and nonces are not those of the message inside", PHRASE_NONE};
    const struct fixture_verdict opened = {FIXTURE_REQUESTER, CMP_BAD_REQUEST,
                                           "pollReq without its transaction",
                                           PHRASE_NO_TRANSACTION};
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = wrapping_client(f, PARTNER);
    struct cmp_client_state going = {.recip_nonce_size = CMP_NONCE_SIZE};
    CLEANUP(buf_free) struct buf poll = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf later = {0};
    CLEANUP(buf_free) struct buf body = {0};
    CLEANUP(buf_free) struct buf both = BUF_INIT(64);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct span raw;
    struct err e = {0};

    assert_ok(cmp_client_body_pollreq(0, &poll, &e), &e);
    later = fixture_message(f, &wrapping.nf, buf_span(&poll),
                            &(struct fixture_message){.later = true}, &going);
    raw = buf_span(&later);
    body = wrapping_nest(&raw, 1);
    msg = cmp_msg_parse(raw, CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    wrong += wrapping_expect(f, &by, buf_span(&body), &(struct fixture_message){.around = msg},
                             &opened, "the same");
    wrong += wrapping_expect(f, &by, buf_span(&body),
                             &(struct fixture_message){.around = msg, .edit = "0.8"}, &opened,
                             "left out");
    wrong +=
        wrapping_expect(f, &by, buf_span(&body),
                        &(struct fixture_message){
                            .around = msg, .edit = "0.8", .with = span_of(other, sizeof(other))},
                        &differ, "another one");
    /* Outside alone: behind a senderNonce that is right. */
    assert_ok(buf_append(&both, SPAN_LITERAL("\xa5\x12\x04\x10"), &e), &e);
    assert_ok(buf_append(&both, cmp_msg_sender_nonce(wrapping.msg), &e), &e);
    assert_ok(buf_append(&both, span_of(other, sizeof(other)), &e), &e);
    wrong += wrapping_expect(
        f, &by, buf_span(&wrapping.body),
        &(struct fixture_message){.around = wrapping.msg, .edit = "0.7", .with = buf_span(&both)},
        &differ, "outside alone");
    assert_int_equal(wrong, 0);
}

/* It proves nothing of what is inside. */
static void
the_message_inside_is_judged_as_if_it_came_alone(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUESTER, CMP_BAD_MESSAGE_CHECK, "MAC",
                                               PHRASE_NONE};
    struct fixture *f = *state;
    int wrong = 0;
    const struct cmp_client by = wrapping_client(f, PARTNER);
    CLEANUP(buf_free) struct buf request = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free)
    struct buf broken = fixture_message(f, &wrapping.nf, buf_span(&request),
                                        &(struct fixture_message){.broken = true}, NULL);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct span raw = buf_span(&broken);
    CLEANUP(buf_free) struct buf body = wrapping_nest(&raw, 1);
    struct err e = {0};

    msg = cmp_msg_parse(raw, CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    wrong += wrapping_expect(f, &by, buf_span(&body), &(struct fixture_message){.around = msg},
                             &bad, "another MAC inside");
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapper_is_protected_as_any_signed_message),
        cmocka_unit_test(a_wrapper_is_signed_with_the_key_of_its_certificate),
        cmocka_unit_test(a_wrapper_brings_its_certificate),
        cmocka_unit_test(exactly_one_message_is_inside),
        cmocka_unit_test(the_wrapper_repeats_the_identifiers_of_the_message),
        cmocka_unit_test(the_wrapper_of_a_later_message_repeats_its_nonce),
        cmocka_unit_test(the_message_inside_is_judged_as_if_it_came_alone),
    };

    return cmocka_run_group_tests(tests, wrapping_set_up, wrapping_tear_down);
}
