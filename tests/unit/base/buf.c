/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

static void
append_stops_at_the_maximum_and_keeps_what_was_there(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(5);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&b, "abc", &e), &e);
    assert_err(buf_append_str(&b, "def", &e), ERR_INPUT, &e);
    assert_true(span_equal(buf_span(&b), SPAN_LITERAL("abc")));
    assert_ok(buf_append_str(&b, "de", &e), &e);
    assert_int_equal(b.n, 5);
    assert_null(buf_extend(&b, 1, &e));
    assert_null(buf_extend(&b, SIZE_MAX, &e));
}

static void
a_secret_lives_in_locked_memory_and_is_wiped_when_cut(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_SECRET(100);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&b, "0123456789", &e), &e);
    assert_int_equal(CRYPTO_secure_allocated(b.p), 1);
    buf_truncate(&b, 4);
    assert_memory_equal(b.p, "0123\0\0\0\0\0\0", 10);
    buf_free(&b);
    assert_null(b.p);
}

static void
growing_keeps_the_content(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(100000);
    struct err e = {0};

    (void)state;
    for (unsigned i = 0; i < 30000; i++) {
        uint8_t octet = (uint8_t)(i * 7);

        assert_ok(buf_append(&b, span_of(&octet, 1), &e), &e);
    }
    for (unsigned i = 0; i < 30000; i++) {
        assert_int_equal(b.p[i], (uint8_t)(i * 7));
    }
    buf_consume(&b, 29999);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.p[0], (uint8_t)(29999U * 7));
}

static void
hex_goes_round_and_refuses_everything_else(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } bad[] = {
        {"", "0 hex digits where 6 are expected"},
        {"0", "1 hex digits where 6 are expected"},
        {"01234", "5 hex digits where 6 are expected"},
        {"0123456", "7 hex digits where 6 are expected"},
        {"012345 ", "7 hex digits where 6 are expected"},
        {"01230g", "not a hex digit at position 5"},
        {"0123 5", "not a hex digit at position 5"},
        {"/12345", "not a hex digit at position 1"},
        {"0:2345", "not a hex digit at position 1"},
        {"01`345", "not a hex digit at position 3"},
        {"01@345", "not a hex digit at position 3"},
        {"012G45", "not a hex digit at position 3"},
    };
    uint8_t out[3];
    CLEANUP(mem_cleanup) char *owned = hex_dup(SPAN_LITERAL("\x00\x9f\xff"));
    char text[7];
    struct err e = {0};

    (void)state;
    assert_ok(hex_parse("01aBfF", out, 3, &e), &e);
    hex_format(span_of(out, 3), text);
    assert_string_equal(text, "01abff");
    assert_string_equal(owned, "009fff");
    assert_ok(hex_parse("09afAF", out, 3, &e), &e);
    assert_memory_equal(out, "\x09\xaf\xaf", 3);
    assert_ok(hex_parse("00a0f1", out, 3, &e), &e);
    assert_memory_equal(out, "\x00\xa0\xf1", 3);
    assert_ok(hex_parse("", out, 0, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(hex_parse(bad[i].text, out, 3, &e), ERR_INPUT, &e);
        assert_string_equal(e.text, bad[i].reason);
    }
}

static void
a_maximum_is_told_and_never_exceeded(void **state)
{
    static const size_t most[] = {0, 1, 63, 64, 65, 127, 128, 129, 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(most); i++) {
        for (int secret = 0; secret < 2; secret++) {
            CLEANUP(buf_free)
            struct buf b = secret == 0 ? BUF_INIT(most[i]) : BUF_SECRET(most[i]);
            CLEANUP(mem_cleanup)
            char *reason = mem_printf("more than the allowed %zu octets", most[i]);
            struct err e = {0};

            for (size_t n = 0; n < most[i]; n++) {
                assert_ok(buf_append_str(&b, "x", &e), &e);
                assert_true(b.capacity <= b.max && b.n <= b.capacity);
            }
            assert_ok(buf_append_str(&b, "", &e), &e);
            assert_err(buf_append_str(&b, "x", &e), ERR_INPUT, &e);
            assert_string_equal(e.text, reason);
            assert_null(buf_extend(&b, most[i] + 1, &e));
            buf_free(&b);
            assert_int_equal(b.n + b.capacity, 0);
            if (most[i] > 0) {
                assert_non_null(buf_extend(&b, most[i], &e)); /* in one go */
            }
            assert_null(buf_extend(&b, most[i] + 1, &e));
            assert_int_equal(b.n, most[i]);
        }
    }
}

static void
what_is_set_replaces_and_what_is_moved_is_gone(void **state)
{
    CLEANUP(buf_free) struct buf a = BUF_INIT(10);
    CLEANUP(buf_free) struct buf b = BUF_SECRET(20);
    struct err e = {0};

    (void)state;
    assert_ok(buf_set(&a, SPAN_LITERAL("one"), &e), &e);
    assert_ok(buf_set(&a, SPAN_LITERAL("two"), &e), &e);
    assert_true(span_equal(buf_span(&a), SPAN_LITERAL("two")));
    assert_ok(buf_set(&b, SPAN_LITERAL("secret"), &e), &e);
    buf_move(&b, &b);
    assert_int_equal(b.n, 6);
    buf_move(&a, &b);
    assert_true(span_equal(buf_span(&a), SPAN_LITERAL("secret")));
    assert_true(a.secret && a.max == 20);
    assert_null(b.p);
    assert_int_equal(b.n + b.capacity, 0);
    assert_true(b.secret);
    buf_consume(&a, 0);
    assert_int_equal(a.n, 6);
    buf_consume(&a, 2);
    assert_true(span_equal(buf_span(&a), SPAN_LITERAL("cret")));
    assert_memory_equal(a.p, "cret\0\0", 6); /* what is behind it is wiped */
    buf_consume(&a, 4);
    assert_int_equal(a.n, 0);
}

static void
comparison_looks_at_length_and_every_octet(void **state)
{
    (void)state;
    assert_true(span_equal_secret(SPAN_LITERAL("abc"), SPAN_LITERAL("abc")));
    assert_false(span_equal_secret(SPAN_LITERAL("abc"), SPAN_LITERAL("abd")));
    assert_false(span_equal_secret(SPAN_LITERAL("abc"), SPAN_LITERAL("ab")));
    assert_false(span_equal_secret(SPAN_LITERAL("bbc"), SPAN_LITERAL("abc")));
    assert_true(span_equal_secret(span_of(NULL, 0), span_of("", 0)));
    assert_true(span_equal(span_of(NULL, 0), span_of("", 0)));
    assert_true(span_equal(SPAN_LITERAL("abc"), SPAN_LITERAL("abc")));
    assert_false(span_equal(SPAN_LITERAL("abc"), SPAN_LITERAL("abd")));
    assert_false(span_equal(SPAN_LITERAL("abc"), SPAN_LITERAL("ab")));
    assert_false(span_equal(SPAN_LITERAL("ab"), SPAN_LITERAL("abc")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_stops_at_the_maximum_and_keeps_what_was_there),
        cmocka_unit_test(a_secret_lives_in_locked_memory_and_is_wiped_when_cut),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(hex_goes_round_and_refuses_everything_else),
        cmocka_unit_test(a_maximum_is_told_and_never_exceeded),
        cmocka_unit_test(what_is_set_replaces_and_what_is_moved_is_gone),
        cmocka_unit_test(comparison_looks_at_length_and_every_octet),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
