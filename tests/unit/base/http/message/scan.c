/* SPDX-License-Identifier: Apache-2.0 */
/* How far a block is cleared, and at which octet it is refused. */
#include "base/http/message/scan.h"

#include <string.h>

#include "tests/support/test.h"

/* A span for a static table. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

struct row {
    struct span bytes;
    size_t cleared;
    enum http_fault fault;
    bool in_header;
};

static void
check(const struct http_scanner *s, size_t cleared, const struct row *row, size_t i)
{
    if (s->fault != row->fault || cleared != row->cleared || s->in_header != row->in_header) {
        fail_msg("row %zu: %zu octets, %s, %s", i, cleared, http_fault_reason(s->fault),
                 s->in_header ? "in the header" : "behind the header");
    }
}

static void
a_header_is_cleared_to_its_end_or_its_fault(void **state)
{
    static const struct row rows[] = {
        {BYTES(""), 0, HTTP_FAULT_NONE, true},
        {BYTES("GET"), 3, HTTP_FAULT_NONE, true},
        {BYTES("G\r\n\r\n"), 5, HTTP_FAULT_NONE, false},
        {BYTES("G\r\n\r\nbody"), 5, HTTP_FAULT_NONE, false},
        {BYTES("\r\nG\r\n\r\nbody"), 7, HTTP_FAULT_NONE, false},
        {BYTES("\r\n\r\nG"), 4, HTTP_FAULT_EMPTY_LINES, true},
        {BYTES("G\nH"), 2, HTTP_FAULT_BARE_LF, true},
        {BYTES("G\rH: x"), 3, HTTP_FAULT_BARE_CR, true},
        {BYTES("G\r\rH"), 3, HTTP_FAULT_BARE_CR, true},
        {BYTES("G\0H"), 2, HTTP_FAULT_NUL, true},
        {BYTES("\tG"), 1, HTTP_FAULT_FOLD, true},
        {BYTES("G\r\n\tH"), 4, HTTP_FAULT_FOLD, true},
        {BYTES("G\r\nA:\r\n\r\n"), 9, HTTP_FAULT_NONE, false},
        {BYTES("G\r\nA: b:\tc \r\n\r\n"), 15, HTTP_FAULT_NONE, false},
        {BYTES("G\r\n:b"), 4, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA b"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA\tb"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA\r\n\r\n"), 6, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA\x7f"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA\x80"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA\xff"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA(b"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\nA\"b"), 5, HTTP_FAULT_FIELD, true},
        {BYTES("G\r\n!#$%&'*+-.^_`|~0aZ: b\r\n\r\nc"), 28, HTTP_FAULT_NONE, false},
        {BYTES("G: y\r\nA: b\r\nC d"), 14, HTTP_FAULT_FIELD, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_scanner s;

        http_scanner_begin(&s);
        check(&s, http_scanner_clear(&s, rows[i].bytes), &rows[i], i);
    }
}

static void
what_follows_a_header_is_not_looked_at(void **state)
{
    struct http_scanner s;

    (void)state;
    http_scanner_begin(&s);
    assert_int_equal(http_scanner_clear(&s, SPAN_LITERAL("G\r\n\r\n")), 5);
    assert_int_equal(http_scanner_clear(&s, SPAN_LITERAL("\n\0\r \n")), 5);
    assert_int_equal(s.fault, HTTP_FAULT_NONE);
}

static void
a_trailer_has_only_fields_and_may_be_empty(void **state)
{
    static const struct row rows[] = {
        {BYTES("\r\nG"), 2, HTTP_FAULT_NONE, false},
        {BYTES("A: b\r\n\r\nG"), 8, HTTP_FAULT_NONE, false},
        {BYTES("G / H\r\n"), 2, HTTP_FAULT_FIELD, true},
        {BYTES(" A: b"), 1, HTTP_FAULT_FOLD, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_scanner s;

        http_scanner_begin_trailer(&s, 0);
        check(&s, http_scanner_clear(&s, rows[i].bytes), &rows[i], i);
    }
}

/* A request line, a field and the blank line, `n` octets together. */
static size_t
clear_octets(struct http_scanner *s, size_t n)
{
    static char text[HTTP_HEADER_MAX + 10];

    memset(text, 'a', n);
    memcpy(text, "G\r\nA:", 5);
    memcpy(text + n - 4, "\r\n\r\n", 4);
    return http_scanner_clear(s, span_of(text, n));
}

static void
a_header_ends_at_its_limit_which_an_empty_line_is_no_part_of(void **state)
{
    (void)state;
    for (size_t empty = 0; empty <= 2; empty += 2) {
        struct http_scanner s;

        http_scanner_begin(&s);
        assert_int_equal(http_scanner_clear(&s, span_of("\r\n", empty)), empty);
        assert_int_equal(s.ignored, empty);
        assert_int_equal(clear_octets(&s, HTTP_HEADER_MAX), HTTP_HEADER_MAX);
        assert_int_equal(s.fault, HTTP_FAULT_NONE);
        assert_false(s.in_header);

        http_scanner_begin(&s);
        assert_int_equal(http_scanner_clear(&s, span_of("\r\n", empty)), empty);
        assert_int_equal(clear_octets(&s, HTTP_HEADER_MAX + 1), HTTP_HEADER_MAX + 1);
        assert_int_equal(s.fault, HTTP_FAULT_HEADER_SIZE);
        assert_true(s.in_header);
    }
}

static void
lines_end_at_their_limit(void **state)
{
    (void)state;
    for (size_t extra = 0; extra <= 1; extra++) {
        struct http_scanner s;

        http_scanner_begin(&s);
        assert_int_equal(http_scanner_clear(&s, SPAN_LITERAL("G\r\n")), 3);
        for (size_t i = 0; i < HTTP_HEADER_LINES_MAX; i++) {
            assert_int_equal(http_scanner_clear(&s, SPAN_LITERAL("A:\r\n")), 4);
        }
        assert_int_equal(s.fault, HTTP_FAULT_NONE);
        (void)http_scanner_clear(&s, extra == 0 ? SPAN_LITERAL("\r\n") : SPAN_LITERAL("A:\r\n"));
        assert_int_equal(s.fault, extra == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_HEADER_SIZE);
        assert_int_equal(s.in_header, extra != 0);
    }
}

static void
a_trailer_has_what_is_left(void **state)
{
    (void)state;
    for (size_t extra = 0; extra <= 1; extra++) {
        struct http_scanner s;

        http_scanner_begin_trailer(&s, HTTP_IGNORED_MAX - 6 + extra);
        assert_int_equal(http_scanner_clear(&s, SPAN_LITERAL("A: b\r\n\r\n")), 8);
        assert_int_equal(s.fault, extra == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_IGNORED);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_cleared_to_its_end_or_its_fault),
        cmocka_unit_test(what_follows_a_header_is_not_looked_at),
        cmocka_unit_test(a_trailer_has_only_fields_and_may_be_empty),
        cmocka_unit_test(a_header_ends_at_its_limit_which_an_empty_line_is_no_part_of),
        cmocka_unit_test(lines_end_at_their_limit),
        cmocka_unit_test(a_trailer_has_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
