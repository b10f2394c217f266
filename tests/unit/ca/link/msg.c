/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/link/msg.h"

#include <string.h>

#include "tests/support/test.h"

static const uint8_t octets[LINK_SUBMIT_MAX + 1];

static struct span
zeros(size_t n)
{
    return span_of(octets, n);
}

/* What each WELCOME has. */
#define WELCOME_MUST .body = zeros(5), .root = zeros(6), .checkpoint = zeros(7), .log_key = zeros(8)

/* One of each type, with every field that it has. */
static struct link_message
example(size_t i)
{
    const struct link_message all[] = {
        {.type = LINK_HELLO},
        {.type = LINK_HELLO, .checkpoint = zeros(LINK_CHECKPOINT_MAX)},
        {.type = LINK_SUBMIT, .id = zeros(32), .body = zeros(700)},
        {.type = LINK_REGISTER, .id = zeros(32), .body = zeros(200)},
        {.type = LINK_CANCEL, .id = zeros(16), .body = zeros(300)},
        {.type = LINK_WELCOME, WELCOME_MUST, .software = true},
        {.type = LINK_WELCOME, WELCOME_MUST},
        {.type = LINK_WELCOME, WELCOME_MUST, .backdate = 1},
        {.type = LINK_WELCOME, WELCOME_MUST, .software = true, .backdate = LINK_BACKDATE_MAX},
        {.type = LINK_CHECKPOINT, .checkpoint = zeros(1)},
        {.type = LINK_ISSUED, .id = zeros(32), .body = zeros(127)},
        {.type = LINK_CONFIRMED, .id = zeros(32)},
        {.type = LINK_REFUSED,
         .id = zeros(16),
         .fail_info = 26,
         .phrase = SPAN_LITERAL("not registered")},
        {.type = LINK_REGISTERED, .id = zeros(32)},
        {.type = LINK_CANCELLED, .id = zeros(16)},
        {.type = LINK_REVOKED, .id = zeros(32)},
        {.type = LINK_ROLE, .id = zeros(32)},
        {.type = LINK_REPORT, .id = zeros(32), .body = zeros(900)},
        {.type = LINK_REPORTED, .id = zeros(32)},
        {.type = LINK_ROLE_IS, .id = zeros(32), .phrase = SPAN_LITERAL("registrar")},
        {.type = LINK_BUSY, .id = zeros(32)},
        {.type = LINK_WAITING,
         .id = zeros(32),
         .phrase = SPAN_LITERAL("waiting for approval"),
         .check_after = LINK_CHECK_AFTER_MAX},
        {.type = LINK_DEFERRED,
         .id = zeros(32),
         .fail_info = 20,
         .phrase = SPAN_LITERAL("the RA's certificate is revoked"),
         .check_after = 10},
    };
    const struct link_message none = {0};

    return i < ARRAY_LEN(all) ? all[i] : none;
}

static void
every_type_comes_back_as_it_went(void **state)
{
    struct err e = {0};

    (void)state;
    for (size_t i = 0; example(i).type != 0; i++) {
        const struct link_message m = example(i);
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);
        struct link_message back;

        assert_ok(link_encode(&m, &der, &e), &e);
        assert_ok(link_decode(buf_span(&der), &back, &e), &e);
        assert_int_equal(back.type, m.type);
        assert_true(span_equal(back.id, m.id));
        assert_true(span_equal(back.body, m.body));
        assert_true(span_equal(back.root, m.root));
        assert_int_equal(back.software, m.software);
        assert_int_equal(back.backdate, m.backdate);
        assert_int_equal(back.fail_info, m.fail_info);
        assert_true(span_equal(back.phrase, m.phrase));
        assert_int_equal(back.check_after, m.check_after);
        assert_string_not_equal(link_type_name(m.type), "?");
    }
}

/* The length of a body, before and behind each number that needs one octet more to say it. */
static void
lengths_are_as_short_as_they_can_be(void **state)
{
    const struct {
        size_t n;
        struct span head;
    } rows[] = {
        {1, SPAN_LITERAL("\x82\x01")},
        {0x7f, SPAN_LITERAL("\x82\x7f")},
        {0x80, SPAN_LITERAL("\x82\x81\x80")},
        {0xff, SPAN_LITERAL("\x82\x81\xff")},
        {0x100, SPAN_LITERAL("\x82\x82\x01\x00")},
        {0xffff, SPAN_LITERAL("\x82\x82\xff\xff")},
        {0x10000, SPAN_LITERAL("\x82\x83\x01\x00\x00")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct link_message m = {
            .type = LINK_SUBMIT, .id = zeros(32), .body = zeros(rows[i].n)};
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);
        struct err e = {0};

        assert_ok(link_encode(&m, &der, &e), &e);
        /* it is the last field */
        assert_memory_equal(der.p + der.n - rows[i].n - rows[i].head.n, rows[i].head.p,
                            rows[i].head.n);
    }
}

static void
a_message_cut_off_anywhere_is_refused(void **state)
{
    struct err e = {0};

    (void)state;
    for (size_t i = 0; example(i).type != 0; i++) {
        const struct link_message m = example(i);
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);
        struct link_message back;

        assert_ok(link_encode(&m, &der, &e), &e);
        for (size_t n = 0; n < der.n; n++) {
            assert_err(link_decode(span_of(der.p, n), &back, &e), ERR_INPUT, &e);
        }
        assert_ok(buf_append(&der, zeros(1), &e), &e);
        assert_err(link_decode(buf_span(&der), &back, &e), ERR_INPUT, &e);
    }
}

/* Whatever one changed octet makes of a message, it is refused or canonical itself. */
static void
a_changed_octet_is_refused_or_another_canonical_message(void **state)
{
    struct err e = {0};

    (void)state;
    for (size_t i = 0; example(i).type != 0; i++) {
        const struct link_message m = example(i);
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);
        struct link_message back;

        assert_ok(link_encode(&m, &der, &e), &e);
        for (size_t at = 0; at < der.n && at < 90; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                CLEANUP(buf_free) struct buf again = BUF_INIT(LINK_FRAME_MAX);

                der.p[at] ^= (uint8_t)(1U << bit);
                if (link_decode(buf_span(&der), &back, &e) == 0) {
                    assert_ok(link_encode(&back, &again, &e), &e);
                    assert_true(span_equal(buf_span(&der), buf_span(&again)));
                }
                der.p[at] ^= (uint8_t)(1U << bit);
            }
        }
    }
}

/* Good messages at the limits of their fields, each with one field past it beside. */
static void
fields_out_of_their_limits_are_refused(void **state)
{
#define X SPAN_LITERAL("x")
#define LONGEST LINK_PHRASE_MAX
#define WELCOME(ID, BODY, ROOT, NOTE, KEY, BACKDATE)                                               \
    {                                                                                              \
        .type = LINK_WELCOME, .id = (ID), .body = (BODY), .root = (ROOT), .checkpoint = (NOTE),    \
        .log_key = (KEY), .backdate = (BACKDATE)                                                   \
    }
    static uint8_t letters[LINK_PHRASE_MAX + 1];
    const struct {
        const char *wrong; /* the field; NULL: good */
        struct link_message m;
    } rows[] = {
        {"id", {.type = LINK_HELLO, .id = zeros(1)}},
        {NULL, {.type = LINK_SUBMIT, .id = zeros(32), .body = zeros(1)}},
        {NULL, {.type = LINK_SUBMIT, .id = zeros(32), .body = zeros(LINK_SUBMIT_MAX)}},
        {"id", {.type = LINK_SUBMIT, .id = zeros(0), .body = zeros(1)}},
        {"id", {.type = LINK_SUBMIT, .id = zeros(31), .body = zeros(1)}},
        {"id", {.type = LINK_SUBMIT, .id = zeros(33), .body = zeros(1)}},
        {"body", {.type = LINK_SUBMIT, .id = zeros(32), .body = zeros(0)}},
        {"body", {.type = LINK_SUBMIT, .id = zeros(32), .body = zeros(LINK_SUBMIT_MAX + 1)}},
        {NULL, {.type = LINK_REGISTER, .id = zeros(32), .body = zeros(LINK_REGISTER_MAX)}},
        {"body", {.type = LINK_REGISTER, .id = zeros(32), .body = zeros(LINK_REGISTER_MAX + 1)}},
        {"body", {.type = LINK_REGISTER, .id = zeros(32)}},
        {NULL, {.type = LINK_CANCEL, .id = zeros(16), .body = zeros(LINK_CANCEL_MAX)}},
        {"id", {.type = LINK_CANCEL, .id = zeros(32), .body = zeros(1)}},
        {"body", {.type = LINK_CANCEL, .id = zeros(16)}},
        {"body", {.type = LINK_CANCEL, .id = zeros(16), .body = zeros(LINK_CANCEL_MAX + 1)}},
        {NULL, {.type = LINK_REPORT, .id = zeros(32), .body = zeros(LINK_REPORT_MAX)}},
        {"body", {.type = LINK_REPORT, .id = zeros(32), .body = zeros(LINK_REPORT_MAX + 1)}},
        {"id", {.type = LINK_REPORT, .id = zeros(16), .body = zeros(1)}},
        {"id", {.type = LINK_ROLE, .id = zeros(16)}},
        {"phrase", {.type = LINK_ROLE_IS, .id = zeros(32)}},
        {NULL, {.type = LINK_ISSUED, .id = zeros(32), .body = zeros(LINK_CERTIFICATE_MAX)}},
        {"body", {.type = LINK_ISSUED, .id = zeros(32), .body = zeros(LINK_CERTIFICATE_MAX + 1)}},
        {NULL, {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 0, .phrase = X}},
        {NULL,
         {.type = LINK_REFUSED, .id = zeros(16), .fail_info = 26, .phrase = {letters, LONGEST}}},
        {"failInfo", {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 27, .phrase = X}},
        {"id", {.type = LINK_REFUSED, .id = zeros(24), .fail_info = 2, .phrase = X}},
        {"phrase", {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 2}},
        {NULL, {.type = LINK_REFUSED, .id = zeros(32), .phrase = SPAN_LITERAL(" ~")}},
        {"phrase", {.type = LINK_REFUSED, .id = zeros(32), .phrase = SPAN_LITERAL("x\x1f")}},
        {"phrase", {.type = LINK_REFUSED, .id = zeros(32), .phrase = SPAN_LITERAL("\x7f")}},
        {"phrase", {.type = LINK_REFUSED, .id = zeros(32), .phrase = {letters, LONGEST + 1}}},
        {NULL, WELCOME(zeros(0), X, zeros(LINK_CERTIFICATE_MAX), X, X, 0)},
        {NULL, WELCOME(zeros(32), X, X, X, X, 0)},
        {"id", WELCOME(zeros(16), X, X, X, X, 0)},
        {"root", WELCOME(zeros(0), X, zeros(0), X, X, 0)},
        {"root", WELCOME(zeros(0), X, zeros(LINK_CERTIFICATE_MAX + 1), X, X, 0)},
        {"body", WELCOME(zeros(0), zeros(0), X, X, X, 0)},
        {NULL, WELCOME(zeros(0), X, X, X, X, LINK_BACKDATE_MAX)},
        {"backdate", WELCOME(zeros(0), X, X, X, X, LINK_BACKDATE_MAX + 1)},
        {"checkpoint", WELCOME(zeros(0), X, X, zeros(0), X, 0)},
        {NULL, WELCOME(zeros(0), X, X, zeros(LINK_CHECKPOINT_MAX), X, 0)},
        {"checkpoint", WELCOME(zeros(0), X, X, zeros(LINK_CHECKPOINT_MAX + 1), X, 0)},
        {"logKey", WELCOME(zeros(0), X, X, X, zeros(0), 0)},
        {NULL, WELCOME(zeros(0), X, X, X, zeros(LINK_LOG_KEY_MAX), 0)},
        {"logKey", WELCOME(zeros(0), X, X, X, zeros(LINK_LOG_KEY_MAX + 1), 0)},
        {NULL, {.type = LINK_HELLO, .checkpoint = X}},
        {"checkpoint", {.type = LINK_HELLO, .checkpoint = zeros(LINK_CHECKPOINT_MAX + 1)}},
        {"checkpoint", {.type = LINK_CHECKPOINT}},
        {NULL, {.type = LINK_CHECKPOINT, .checkpoint = zeros(LINK_CHECKPOINT_MAX)}},
        {"checkpoint", {.type = LINK_CHECKPOINT, .checkpoint = zeros(LINK_CHECKPOINT_MAX + 1)}},
        {"id", {.type = LINK_CHECKPOINT, .id = zeros(32), .checkpoint = X}},
        {NULL, {.type = LINK_WAITING, .id = zeros(32), .phrase = X, .check_after = 1}},
        {"checkAfter", {.type = LINK_WAITING, .id = zeros(32), .phrase = X}},
        {"checkAfter",
         {.type = LINK_WAITING,
          .id = zeros(32),
          .phrase = X,
          .check_after = LINK_CHECK_AFTER_MAX + 1}},
        {"phrase", {.type = LINK_WAITING, .id = zeros(32), .check_after = 60}},
        {"id", {.type = LINK_WAITING, .id = zeros(16), .phrase = X, .check_after = 60}},
        {"phrase", {.type = LINK_DEFERRED, .id = zeros(32), .fail_info = 20, .check_after = 60}},
        {"checkAfter", {.type = LINK_DEFERRED, .id = zeros(32), .fail_info = 20, .phrase = X}},
        {"failInfo",
         {.type = LINK_DEFERRED, .id = zeros(32), .fail_info = 27, .phrase = X, .check_after = 60}},
    };

    (void)state;
    memset(letters, 'x', sizeof(letters));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);
        CLEANUP(mem_cleanup)
        char *says = mem_printf("link: %s: %s is out of its limits", link_type_name(rows[i].m.type),
                                rows[i].wrong == NULL ? "" : rows[i].wrong);
        struct link_message back;
        struct err e = {0};
        int result = link_encode(&rows[i].m, &der, &e);

        if (rows[i].wrong == NULL
                ? result != 0 || link_decode(buf_span(&der), &back, &e) != 0
                : result == 0 || e.code != ERR_INPUT || der.n != 0 || strcmp(e.text, says) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
}

static void
there_is_no_message_of_another_type(void **state)
{
    static const int types[] = {-1, 0, 7, 15, 29, 256 + LINK_HELLO};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const struct link_message m = {.type = (enum link_type)types[i]};
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);
        struct err e = {0};

        assert_err(link_encode(&m, &der, &e), ERR_INPUT, &e);
        assert_non_null(strstr(e.text, "link: no message type"));
        assert_int_equal(der.n, 0);
        assert_string_equal(link_type_name(m.type), "?");
    }
}

static void
octets_that_are_no_message_are_refused_and_say_why(void **state)
{
#define HELLO_ "\x02\x01\x03\x0a\x01\x01\x04\x00"
#define WELCOME_ "\x02\x01\x03\x0a\x01\x10\x04\x00\x82\x01x\x83\x01y"
#define LOG_ "\x89\x01v\x8a\x01w"
#define ID_                                                                                        \
    "\x04\x20"                                                                                     \
    "0123456789abcdef0123456789abcdef"
    const struct {
        const char *says;
        struct span der;
    } rows[] = {
        {"link: HELLO is not in canonical form", SPAN_LITERAL("\x30\x81\x08" HELLO_)},
        {"link: HELLO is not in canonical form",
         SPAN_LITERAL("\x30\x09\x02\x02\x00\x03\x0a\x01\x01\x04\x00")},
        {"link: HELLO is not in canonical form", SPAN_LITERAL("\x30\x08" HELLO_ "\x00")},
        {"link: not DER", SPAN_LITERAL("\x30\x80" HELLO_ "\x00\x00")},
        {"link: not DER", SPAN_LITERAL("\x30\x09" HELLO_)},
        {"link: version 0, this program speaks 3",
         SPAN_LITERAL("\x30\x08\x02\x01\x00\x0a\x01\x01\x04\x00")},
        {"link: version 1, this program speaks 3",
         SPAN_LITERAL("\x30\x08\x02\x01\x01\x0a\x01\x01\x04\x00")},
        {"link: version 2, this program speaks 3",
         SPAN_LITERAL("\x30\x08\x02\x01\x02\x0a\x01\x01\x04\x00")},
        {"link: version 4, this program speaks 3",
         SPAN_LITERAL("\x30\x08\x02\x01\x04\x0a\x01\x01\x04\x00")},
        {"link: unexpected field with tag 80", SPAN_LITERAL("\x30\x0b" HELLO_ "\x80\x01\x01")},
        {"link: unexpected field with tag 81", SPAN_LITERAL("\x30\x0a" HELLO_ "\x81\x00")},
        {"link: a number out of range", SPAN_LITERAL("\x30\x08\x02\x01\xff\x0a\x01\x01\x04\x00")},
        {"link: a number out of range", SPAN_LITERAL("\x30\x02\x02\x00")},
        {"link: a number out of range", SPAN_LITERAL("\x30\x0b\x02\x09\x00zzzzzzzz")},
        {"link: version 8680820740569200760, this", SPAN_LITERAL("\x30\x0a\x02\x08xxxxxxxx")},
        {"link: a number out of range", SPAN_LITERAL("\x30\x08\x02\x01\x03\x0a\x01\xff\x04\x00")},
        {"link: unknown message type 99", SPAN_LITERAL("\x30\x08\x02\x01\x03\x0a\x01\x63\x04\x00")},
        {"link: unknown message type 0", SPAN_LITERAL("\x30\x08\x02\x01\x03\x0a\x01\x00\x04\x00")},
        {"link: unknown message type 257",
         SPAN_LITERAL("\x30\x09\x02\x01\x03\x0a\x02\x01\x01\x04\x00")},
        {"link: HELLO has the surplus field [4]", SPAN_LITERAL("\x30\x0a" HELLO_ "\x84\x00")},
        {"link: unexpected field with tag 8b", SPAN_LITERAL("\x30\x0a" HELLO_ "\x8b\x00")},
        {"link: unexpected field with tag 7e", SPAN_LITERAL("\x30\x0a" HELLO_ "\x7e\x00")},
        {"link: unexpected field with tag 84", SPAN_LITERAL("\x30\x0c" HELLO_ "\x84\x00\x84\x00")},
        {"link: tag 24 where 04 belongs", SPAN_LITERAL("\x30\x08\x02\x01\x03\x0a\x01\x01\x24\x00")},
        {"link: tag 02 where 0a belongs", SPAN_LITERAL("\x30\x08\x02\x01\x03\x02\x01\x01\x04\x00")},
        {"link: tag 31 where 30 belongs", SPAN_LITERAL("\x31\x08" HELLO_)},
        {"link: tag 0a where 02 belongs", SPAN_LITERAL("\x30\x03\x0a\x01\x01")},
        {"link: cut off", SPAN_LITERAL("")},
        {"link: cut off", SPAN_LITERAL("\x30")},
        {"link: cut off", SPAN_LITERAL("\x3f\x10\x00")},
        {"link: cut off", SPAN_LITERAL("\x30\x03\x02\x01\x03")},
        {"link: cut off", SPAN_LITERAL("\x30\x06\x02\x01\x03\x0a\x01\x01")},
        {"link: ROLE_IS lacks the field [6]", SPAN_LITERAL("\x30\x28\x02\x01\x03\x0a\x01\x19" ID_)},
        {"link: ROLE_IS: phrase is out of its limits",
         SPAN_LITERAL("\x30\x2a\x02\x01\x03\x0a\x01\x19" ID_ "\x86\x00")},
        {"link: REFUSED: failInfo is out of its limits",
         SPAN_LITERAL("\x30\x2f\x02\x01\x03\x0a\x01\x13" ID_ "\x85\x02\x01\x00\x86\x01x")},
        {"link: a number out of range",
         SPAN_LITERAL("\x30\x2e\x02\x01\x03\x0a\x01\x13" ID_ "\x85\x01\x80\x86\x01x")},
        {"link: WAITING: checkAfter is out of its limits",
         SPAN_LITERAL("\x30\x32\x02\x01\x03\x0a\x01\x17" ID_
                      "\x86\x01x\x87\x05\x01\x00\x00\x00\x01")},
        {"link: a number out of range",
         SPAN_LITERAL("\x30\x2d\x02\x01\x03\x0a\x01\x17" ID_ "\x86\x01x\x87\x00")},
        {"link: WELCOME: backdate is out of its limits",
         SPAN_LITERAL("\x30\x1b" WELCOME_ "\x88\x05\x01\x00\x00\x00\x01" LOG_)},
        {"link: a number out of range", SPAN_LITERAL("\x30\x16" WELCOME_ "\x88\x00" LOG_)},
        {"link: WELCOME is not in canonical form", /* a BOOLEAN that says no */
         SPAN_LITERAL("\x30\x17" WELCOME_ "\x84\x01\x00" LOG_)},
        {"link: WELCOME is not in canonical form", /* a backdate of 0 is not said */
         SPAN_LITERAL("\x30\x17" WELCOME_ "\x88\x01\x00" LOG_)},
        {"link: WELCOME is not in canonical form", /* another order */
         SPAN_LITERAL("\x30\x14\x02\x01\x03\x0a\x01\x10\x04\x00\x83\x01y\x82\x01x" LOG_)},
        {"link: WELCOME lacks the field [9]", SPAN_LITERAL("\x30\x11" WELCOME_ "\x8a\x01w")},
        {"link: WELCOME lacks the field [10]", SPAN_LITERAL("\x30\x11" WELCOME_ "\x89\x01v")},
        {"link: HELLO is not in canonical form", /* none is not an empty one */
         SPAN_LITERAL("\x30\x0a" HELLO_ "\x89\x00")},
        {"link: HELLO has the surplus field [10]", SPAN_LITERAL("\x30\x0b" HELLO_ "\x8a\x01w")},
    };
    static const uint8_t hello[] = "\x30\x08" HELLO_;
    struct link_message m;
    struct err e = {0};

    (void)state;
    assert_ok(link_decode(span_of(hello, sizeof(hello) - 1), &m, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (link_decode(rows[i].der, &m, &e) == 0 || e.code != ERR_INPUT ||
            strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0) {
            fail_msg("row %zu: %s where %s was expected", i, e.text, rows[i].says);
        }
    }
}

/* Octets behind a message of the greatest length are not even walked over. */
static void
nothing_longer_than_a_frame_is_read(void **state)
{
    static uint8_t frame[LINK_FRAME_MAX + 1] = {0x30, 0x83, 0x01, 0xff, 0xfb};
    struct link_message m;
    struct err e = {0};

    (void)state;
    assert_err(link_decode(span_of(frame, LINK_FRAME_MAX), &m, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "link: tag 00 where 02 belongs");
    frame[4] = 0xfc;
    assert_err(link_decode(span_of(frame, LINK_FRAME_MAX + 1), &m, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "link: cut off");
}

static void
requests_come_from_the_ra_only(void **state)
{
    (void)state;
    assert_true(link_type_is_request(LINK_SUBMIT));
    assert_true(link_type_is_request(LINK_HELLO));
    assert_false(link_type_is_request(LINK_ISSUED));
    assert_false(link_type_is_request((enum link_type)9));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_as_it_went),
        cmocka_unit_test(lengths_are_as_short_as_they_can_be),
        cmocka_unit_test(a_message_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_changed_octet_is_refused_or_another_canonical_message),
        cmocka_unit_test(fields_out_of_their_limits_are_refused),
        cmocka_unit_test(there_is_no_message_of_another_type),
        cmocka_unit_test(octets_that_are_no_message_are_refused_and_say_why),
        cmocka_unit_test(nothing_longer_than_a_frame_is_read),
        cmocka_unit_test(requests_come_from_the_ra_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
