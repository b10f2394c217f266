/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/link/frame.h"

#include <event2/buffer.h>
#include <string.h>

#include "tests/support/test.h"

enum { MAX = 70000 };

/* A buffer that begins with this length and then has n octets. */
static struct evbuffer *
buffer(uint32_t length, size_t n)
{
    const uint8_t head[] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                            (uint8_t)(length >> 8), (uint8_t)length};
    static const uint8_t octets[MAX + 1];
    struct evbuffer *in = evbuffer_new();

    assert_int_equal(evbuffer_add(in, head, sizeof(head)), 0);
    assert_int_equal(evbuffer_add(in, octets, n), 0);
    return in;
}

static void
a_frame_is_seen_when_it_is_whole_and_not_too_long(void **state)
{
    static const struct {
        uint32_t length;
        size_t there;
        bool seen;
        const char *says; /* NULL: no fault */
    } rows[] = {
        {0, 0, false, "a frame of 0 octets, allowed are 1 to 70000"},
        {1, 0, false, NULL},
        {1, 1, true, NULL},
        {1, 2, true, NULL},
        {256, 255, false, NULL},
        {256, 256, true, NULL},
        {MAX, MAX - 1, false, NULL},
        {MAX, MAX, true, NULL},
        {MAX + 1, 0, false, "a frame of 70001 octets, allowed are 1 to 70000"},
        {UINT32_MAX, 0, false, "a frame of 4294967295 octets, allowed are 1 to 70000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct evbuffer *in = buffer(rows[i].length, rows[i].there);
        struct span body = {0};
        bool there = !rows[i].seen;
        struct err e = {0};
        int result = frame_next(in, MAX, &there, &body, &e);

        if (there != rows[i].seen || (there && body.n != rows[i].length) ||
            (rows[i].says == NULL
                 ? result != 0
                 : result == 0 || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0)) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
        if (there) {
            frame_drop(in, body.n);
            assert_int_equal(evbuffer_get_length(in), rows[i].there - rows[i].length);
        }
        evbuffer_free(in);
    }
}

static void
half_a_head_is_no_frame(void **state)
{
    struct evbuffer *in = evbuffer_new();
    struct span body;
    bool there = true;
    struct err e = {0};

    (void)state;
    assert_int_equal(evbuffer_add(in, "\0\0\0", 3), 0);
    assert_ok(frame_next(in, MAX, &there, &body, &e), &e);
    assert_false(there);
    evbuffer_free(in);
}

static void
what_is_put_comes_out(void **state)
{
    struct evbuffer *b = evbuffer_new();
    struct span body;
    bool there;
    struct err e = {0};

    (void)state;
    assert_ok(frame_put(b, span_str("one"), &e), &e);
    assert_ok(frame_put(b, span_str("second"), &e), &e);
    assert_ok(frame_next(b, MAX, &there, &body, &e), &e);
    assert_true(there && span_equal(body, span_str("one")));
    frame_drop(b, body.n);
    assert_ok(frame_next(b, MAX, &there, &body, &e), &e);
    assert_true(there && span_equal(body, span_str("second")));
    evbuffer_free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_seen_when_it_is_whole_and_not_too_long),
        cmocka_unit_test(half_a_head_is_no_frame),
        cmocka_unit_test(what_is_put_comes_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
