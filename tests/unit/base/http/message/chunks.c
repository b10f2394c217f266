/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, what may stand behind them, and where a chunked body ends. */
#include "base/http/message/chunks.h"

#include "tests/support/test.h"

enum { ROOM = 20 };

/* A span for a static table. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static void
each_octet_is_taken_or_refused(void **state)
{
    static const struct {
        struct span bytes;
        size_t used;
        enum http_fault fault;
        const char *body;
    } rows[] = {
        {BYTES("0\r\n\r\nnext"), 5, HTTP_FAULT_NONE, ""},
        {BYTES("1\r\na\r\n0\r\n\r\n"), 11, HTTP_FAULT_NONE, "a"},
        {BYTES("a\r\n0123456789\r\n0A\r\n0123456789\r\n0\r\n\r\n"), 36, HTTP_FAULT_NONE,
         "01234567890123456789"},
        {BYTES("14\r\n01234567890123456789\r\n0\r\n\r\n"), 31, HTTP_FAULT_NONE,
         "01234567890123456789"},
        {BYTES("15\r\n"), 2, HTTP_FAULT_CONTENT_SIZE, ""},
        {BYTES("13\r\n0123456789012345678\r\n2\r\n"), 26, HTTP_FAULT_CONTENT_SIZE,
         "0123456789012345678"},
        {BYTES("f\r\n012345678901234\r\n0\r\n\r\n"), 25, HTTP_FAULT_NONE, "012345678901234"},
        {BYTES("F\r\n012345678901234\r\n0\r\n\r\n"), 25, HTTP_FAULT_NONE, "012345678901234"},
        {BYTES("9\r\n012345678\r\n0\r\n\r\n"), 19, HTTP_FAULT_NONE, "012345678"},
        {BYTES("g"), 1, HTTP_FAULT_CHUNK, ""},
        {BYTES("G"), 1, HTTP_FAULT_CHUNK, ""},
        {BYTES("/"), 1, HTTP_FAULT_CHUNK, ""},
        {BYTES(":"), 1, HTTP_FAULT_CHUNK, ""},
        {BYTES("@"), 1, HTTP_FAULT_CHUNK, ""},
        {BYTES("`"), 1, HTTP_FAULT_CHUNK, ""},
        {BYTES("1/"), 2, HTTP_FAULT_CHUNK, ""},
        {BYTES("1:"), 2, HTTP_FAULT_CHUNK, ""},
        {BYTES("1@"), 2, HTTP_FAULT_CHUNK, ""},
        {BYTES("1`"), 2, HTTP_FAULT_CHUNK, ""},
        {BYTES("1g"), 2, HTTP_FAULT_CHUNK, ""},
        {BYTES("0000000000000001\r\na\r\n0\r\n\r\n"), 26, HTTP_FAULT_NONE, "a"},
        {BYTES("00000000000000000"), 17, HTTP_FAULT_CHUNK, ""},
        /* digits are counted anew for each chunk */
        {BYTES("0000000000000001\r\na\r\n0000000000000000\r\n\r\n"), 41, HTTP_FAULT_NONE, "a"},
        {BYTES("1\r\na\r\n\r\n"), 7, HTTP_FAULT_CHUNK, "a"},
        {BYTES("\n"), 1, HTTP_FAULT_BARE_LF, ""},
        {BYTES("1\n"), 2, HTTP_FAULT_BARE_LF, ""},
        {BYTES("1\ra"), 3, HTTP_FAULT_BARE_CR, ""},
        {BYTES("1\r\nab"), 5, HTTP_FAULT_CHUNK, "a"},
        {BYTES("1\r\na\n"), 5, HTTP_FAULT_BARE_LF, "a"},
        {BYTES("1\r\na\r\r"), 6, HTTP_FAULT_BARE_CR, "a"},
        {BYTES("1 \t;a\r\na\r\n0\r\n\r\n"), 15, HTTP_FAULT_NONE, "a"},
        {BYTES("1\t ;a\r\na\r\n0\r\n\r\n"), 15, HTTP_FAULT_NONE, "a"},
        {BYTES("1 1"), 3, HTTP_FAULT_CHUNK, ""},
        {BYTES("1 \r"), 3, HTTP_FAULT_CHUNK, ""},
        {BYTES("1;\r\na\r\n0\r\n\r\n"), 12, HTTP_FAULT_NONE, "a"},
        {BYTES("1;\t \x7e\x80\xff\r\na\r\n0\r\n\r\n"), 17, HTTP_FAULT_NONE, "a"},
        {BYTES("1;\x1f"), 3, HTTP_FAULT_CHUNK, ""},
        {BYTES("1;\x7f"), 3, HTTP_FAULT_CHUNK, ""},
        {BYTES("1;\n"), 3, HTTP_FAULT_BARE_LF, ""},
        {BYTES("1;\ra"), 4, HTTP_FAULT_BARE_CR, ""},
        {BYTES("0\r\nA\r\n"), 6, HTTP_FAULT_FIELD, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= 100; step += 99) {
            CLEANUP(buf_free) struct buf body = BUF_INIT(ROOM);
            struct span rest = rows[i].bytes;
            struct http_chunks c;
            size_t used = 0;

            http_chunks_begin(&c, 0);
            while (rest.n > 0 && c.fault == HTTP_FAULT_NONE && c.state != HTTP_CHUNKS_END) {
                size_t n =
                    http_chunks_take(&c, span_of(rest.p, rest.n < step ? rest.n : step), &body);

                used += n;
                rest = span_of(rest.p + n, rest.n - n);
            }
            if (c.fault != rows[i].fault || used != rows[i].used ||
                !span_equal(buf_span(&body), span_str(rows[i].body)) ||
                (c.fault == HTTP_FAULT_NONE) != (c.state == HTTP_CHUNKS_END)) {
                fail_msg("row %zu in pieces of %zu: %zu octets, %s", i, step, used,
                         http_fault_reason(c.fault));
            }
        }
    }
}

static void
what_is_ignored_has_its_limit_in_all_places_together(void **state)
{
    static const struct {
        const char *text;
        size_t n; /* octets that are ignored */
    } rows[] = {
        {"1;ab\r\na\r\n0\r\n\r\n", 3},
        {"1 \t;ab\r\na\r\n0\r\n\r\n", 5},
        {"1\r\na\r\n0;a\r\nA:\r\n\r\n", 6},
        {"0\r\nA:\r\n\r\n", 4},
        {"0 ;\r\n\r\n", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t extra = 0; extra <= 1; extra++) {
            CLEANUP(buf_free) struct buf body = BUF_INIT(ROOM);
            struct http_chunks c;

            http_chunks_begin(&c, HTTP_IGNORED_MAX - rows[i].n + extra);
            (void)http_chunks_take(&c, span_str(rows[i].text), &body);
            if (c.fault != (extra == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_IGNORED)) {
                fail_msg("row %zu, %zu more: %s", i, extra, http_fault_reason(c.fault));
            }
        }
    }
}

/* Chunks of one octet, until the framing is as long as it may be, and one octet longer. */
static void
framing_has_its_limit(void **state)
{
    enum { CHUNKS = 2000, CHUNK = 6, TAKEN = CHUNKS * CHUNK };
    const size_t room = TAKEN - HTTP_CHUNKED_FRAMING_MAX;

    (void)state;
    assert_true(room > CHUNKS);
    for (size_t extra = 0; extra <= 1; extra++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(room);
        struct http_chunks c;

        http_chunks_begin(&c, 0);
        for (size_t i = 0; i < CHUNKS; i++) {
            assert_int_equal(http_chunks_take(&c, SPAN_LITERAL("1\r\na\r\n"), &body), CHUNK);
        }
        assert_int_equal(c.fault, HTTP_FAULT_NONE);
        assert_int_equal(http_chunks_take(&c, span_of("0", extra), &body), extra);
        assert_int_equal(c.fault, extra == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_CONTENT_SIZE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_octet_is_taken_or_refused),
        cmocka_unit_test(what_is_ignored_has_its_limit_in_all_places_together),
        cmocka_unit_test(framing_has_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
