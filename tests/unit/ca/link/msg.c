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

/* One of each type, with every field that it has. */
static struct link_message
example(size_t i)
{
    const struct link_message all[] = {
        {.type = LINK_HELLO},
        {.type = LINK_SUBMIT,
         .id = zeros(32),
         .sequence = 300,
         .previous = zeros(32),
         .body = zeros(700)},
        {.type = LINK_REGISTER, .id = zeros(32), .body = zeros(200)},
        {.type = LINK_CANCEL, .id = zeros(16), .body = zeros(300)},
        {.type = LINK_WELCOME, .body = zeros(5), .root = zeros(6), .software = true},
        {.type = LINK_WELCOME, .body = zeros(5), .root = zeros(6)},
        {.type = LINK_WELCOME, .body = zeros(5), .root = zeros(6), .backdate = 1},
        {.type = LINK_WELCOME,
         .body = zeros(5),
         .root = zeros(6),
         .software = true,
         .backdate = LINK_BACKDATE_MAX},
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
        assert_int_equal(back.sequence, m.sequence);
        assert_true(span_equal(back.previous, m.previous));
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

static void
fields_out_of_their_limits_are_refused(void **state)
{
    const struct link_message bad[] = {
        {.type = (enum link_type)5},
        {.type = LINK_HELLO, .id = zeros(1)},
        {.type = LINK_SUBMIT,
         .id = zeros(31),
         .sequence = 1,
         .previous = zeros(32),
         .body = zeros(1)},
        {.type = LINK_SUBMIT,
         .id = zeros(32),
         .sequence = 0,
         .previous = zeros(32),
         .body = zeros(1)},
        {.type = LINK_SUBMIT,
         .id = zeros(32),
         .sequence = UINT64_MAX,
         .previous = zeros(32),
         .body = zeros(1)},
        {.type = LINK_SUBMIT,
         .id = zeros(32),
         .sequence = 1,
         .previous = zeros(31),
         .body = zeros(1)},
        {.type = LINK_SUBMIT, .id = zeros(32), .sequence = 1, .previous = zeros(32)},
        {.type = LINK_SUBMIT,
         .id = zeros(32),
         .sequence = 1,
         .previous = zeros(32),
         .body = zeros(LINK_SUBMIT_MAX + 1)},
        {.type = LINK_REGISTER, .id = zeros(32), .body = zeros(LINK_REGISTER_MAX + 1)},
        {.type = LINK_CANCEL, .id = zeros(32), .body = zeros(1)},
        {.type = LINK_CANCEL, .id = zeros(16)},
        {.type = LINK_CANCEL, .id = zeros(16), .body = zeros(LINK_CANCEL_MAX + 1)},
        {.type = LINK_ROLE, .id = zeros(16)},
        {.type = LINK_ROLE_IS, .id = zeros(32)},
        {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 27, .phrase = SPAN_LITERAL("x")},
        {.type = LINK_REFUSED, .id = zeros(24), .fail_info = 2, .phrase = SPAN_LITERAL("x")},
        {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 2},
        {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 2, .phrase = SPAN_LITERAL("\n")},
        {.type = LINK_REFUSED, .id = zeros(32), .fail_info = 2, .phrase = {octets, 129}},
        {.type = LINK_WELCOME, .body = zeros(1)},
        {.type = LINK_WELCOME,
         .body = zeros(5),
         .root = zeros(6),
         .backdate = LINK_BACKDATE_MAX + 1},
        {.type = LINK_WAITING, .id = zeros(32), .phrase = SPAN_LITERAL("x")},
        {.type = LINK_WAITING,
         .id = zeros(32),
         .phrase = SPAN_LITERAL("x"),
         .check_after = LINK_CHECK_AFTER_MAX + 1},
        {.type = LINK_WAITING, .id = zeros(32), .check_after = 60},
        {.type = LINK_DEFERRED, .id = zeros(32), .fail_info = 20, .check_after = 60},
        {.type = LINK_DEFERRED, .id = zeros(32), .fail_info = 20, .phrase = SPAN_LITERAL("x")},
        {.type = LINK_DEFERRED,
         .id = zeros(32),
         .fail_info = 27,
         .phrase = SPAN_LITERAL("x"),
         .check_after = 60},
        {.type = LINK_WAITING, .id = zeros(16), .phrase = SPAN_LITERAL("x"), .check_after = 60},
    };
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_FRAME_MAX);

        print_message("row %zu\n", i);
        assert_err(link_encode(&bad[i], &der, &e), ERR_INPUT, &e);
        assert_int_equal(der.n, 0);
    }
}

static void
octets_that_der_forbids_are_refused(void **state)
{
    const struct {
        const char *what;
        struct span der;
    } rows[] = {
        {"a length in long form", SPAN_LITERAL("\x30\x81\x08\x02\x01\x01\x0a\x01\x01\x04\x00")},
        {"indefinite length", SPAN_LITERAL("\x30\x80\x02\x01\x01\x0a\x01\x01\x04\x00\x00\x00")},
        {"a number with a zero in front",
         SPAN_LITERAL("\x30\x09\x02\x02\x00\x01\x0a\x01\x01\x04\x00")},
        {"version 2", SPAN_LITERAL("\x30\x08\x02\x01\x02\x0a\x01\x01\x04\x00")},
        {"a negative type", SPAN_LITERAL("\x30\x08\x02\x01\x01\x0a\x01\xff\x04\x00")},
        {"type 99", SPAN_LITERAL("\x30\x08\x02\x01\x01\x0a\x01\x63\x04\x00")},
        {"a surplus field", SPAN_LITERAL("\x30\x0a\x02\x01\x01\x0a\x01\x01\x04\x00\x84\x00")},
        {"an unknown field", SPAN_LITERAL("\x30\x0a\x02\x01\x01\x0a\x01\x01\x04\x00\x88\x00")},
        {"a constructed string", SPAN_LITERAL("\x30\x08\x02\x01\x01\x0a\x01\x01\x24\x00")},
        {"no sequence", SPAN_LITERAL("\x31\x08\x02\x01\x01\x0a\x01\x01\x04\x00")},
        {"nothing", SPAN_LITERAL("")},
    };
    static const uint8_t hello[] = "\x30\x08\x02\x01\x01\x0a\x01\x01\x04\x00";
    struct link_message m;
    struct err e = {0};

    (void)state;
    assert_ok(link_decode(span_of(hello, sizeof(hello) - 1), &m, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].what);
        assert_err(link_decode(rows[i].der, &m, &e), ERR_INPUT, &e);
    }
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
        cmocka_unit_test(a_message_cut_off_anywhere_is_refused),
        cmocka_unit_test(a_changed_octet_is_refused_or_another_canonical_message),
        cmocka_unit_test(fields_out_of_their_limits_are_refused),
        cmocka_unit_test(octets_that_der_forbids_are_refused),
        cmocka_unit_test(requests_come_from_the_ra_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
