/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a journal, as a signer tells them. */
#include "tests/support/test.h"

#include "pkcs11/client/attempted.h"

#include <string.h>

#include "base/ossl.h"

static const struct attempted LINES[] = {
    {.number = 5, .kind = 'T', .hash = {1}, .serial = {0x41, [15] = 9}},
    {.number = 6, .kind = 'T', .hash = {2}, .bare = true},
    {.number = 7, .kind = 'L', .hash = {3}, .size = 0x0102030405060708},
    {.number = 8, .kind = 'K', .hash = {4}, .size = 7, .root = {0xff, [31] = 1}},
    {.number = 9, .kind = 'P', .hash = {5}, .bare = true},
};
static const uint8_t CHAIN[ATTEMPTED_HASH] = {0xcc, [31] = 0xdd};

static void
write_lines(struct buf *out, uint64_t lines)
{
    struct err e = {0};

    assert_ok(attempted_begin(out, lines, &e), &e);
    assert_ok(attempted_begin_chain(out, CHAIN, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
        assert_true(attempted_add(out, &LINES[i]));
    }
}

static void
lines_are_read_as_they_are_written(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(ATTEMPTED_MAX);
    struct attempted_page page;
    struct attempted a;
    struct err e = {0};
    bool there;

    (void)state;
    write_lines(&out, 9);
    assert_ok(attempted_open(buf_span(&out), 5, &page, &e), &e);
    assert_int_equal(page.lines, 9);
    assert_false(page.is_short);
    assert_memory_equal(page.chain, CHAIN, sizeof(CHAIN));
    for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
        assert_ok(attempted_next(&page, &a, &there, &e), &e);
        assert_true(there);
        assert_int_equal(a.number, LINES[i].number);
        assert_int_equal(a.kind, LINES[i].kind);
        assert_int_equal(a.bare, LINES[i].bare);
        assert_true(a.size == LINES[i].size);
        assert_memory_equal(a.hash, LINES[i].hash, sizeof(a.hash));
        assert_memory_equal(a.serial, LINES[i].serial, sizeof(a.serial));
        assert_memory_equal(a.root, LINES[i].root, sizeof(a.root));
    }
    assert_ok(attempted_next(&page, &a, &there, &e), &e);
    assert_false(there);
}

/* Takes all lines out of the first n octets; how many, or -1. */
static int
count(struct span in)
{
    struct attempted_page page;
    struct attempted a;
    struct err e = {0};
    bool there = true;
    int n = 0;

    if (attempted_open(in, 5, &page, &e) != 0) {
        assert_int_equal(e.code, ERR_INPUT);
        return -1;
    }
    while (there) {
        if (attempted_next(&page, &a, &there, &e) != 0) {
            assert_int_equal(e.code, ERR_INPUT);
            return -1;
        }
        n += there;
    }
    return n;
}

static void
what_is_not_whole_is_refused(void **state)
{
    static const size_t ends[] = {40, 40 + 50, 40 + 84, 40 + 126, 40 + 200, 40 + 234};
    CLEANUP(buf_free) struct buf out = BUF_INIT(ATTEMPTED_MAX);
    size_t whole = 0;

    (void)state;
    write_lines(&out, 9);
    assert_int_equal(out.n, ends[5]);
    for (size_t n = 0; n <= out.n; n++) {
        const bool is_end = whole < ARRAY_LEN(ends) && n == ends[whole];

        assert_int_equal(count(span_of(out.p, n)), is_end ? (int)whole : -1);
        whole += is_end;
    }
    assert_int_equal(whole, ARRAY_LEN(ends));
    out.p[41] = 15; /* a serial number without its last octet */
    assert_int_equal(count(buf_span(&out)), -1);
    write_lines(&out, 8); /* one more than there are */
    assert_int_equal(count(buf_span(&out)), -1);
}

static void
a_journal_that_ends_before_tells_its_length_alone(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(ATTEMPTED_MAX);
    struct attempted_page page;
    struct err e = {0};

    (void)state;
    assert_ok(attempted_begin(&out, 3, &e), &e);
    assert_ok(attempted_open(buf_span(&out), 5, &page, &e), &e);
    assert_true(page.is_short);
    assert_int_equal(page.lines, 3);
    assert_err(attempted_open(buf_span(&out), 4, &page, &e), ERR_INPUT, &e); /* no chain */
    write_lines(&out, 3);
    assert_err(attempted_open(buf_span(&out), 5, &page, &e), ERR_INPUT, &e);
}

static void
there_is_room_for_so_many(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(ATTEMPTED_MAX);
    struct err e = {0};
    size_t n = 0;

    (void)state;
    assert_ok(attempted_begin(&out, 1000, &e), &e);
    assert_ok(attempted_begin_chain(&out, CHAIN, &e), &e);
    while (attempted_add(&out, &LINES[0])) {
        n++;
    }
    assert_int_equal(n, (16 * 1024 - 10 - 40) / 50);
}

static void
a_question_is_a_line_from_1(void **state)
{
    uint8_t octets[ATTEMPTED_QUESTION_SIZE + 1] = {0};
    uint64_t first;
    struct err e = {0};

    (void)state;
    attempted_ask(0x0102030405060708, octets);
    assert_ok(attempted_asked(span_of(octets, 8), &first, &e), &e);
    assert_true(first == 0x0102030405060708);
    for (size_t n = 0; n <= sizeof(octets); n++) {
        assert_int_equal(attempted_asked(span_of(octets, n), &first, &e), n == 8 ? 0 : -1);
    }
    attempted_ask(0, octets);
    assert_err(attempted_asked(span_of(octets, 8), &first, &e), ERR_INPUT, &e);
}

/* Number, kind and hash of each line, and their order: as PROTOCOL.md has it. */
static void
the_chain_is_over_number_kind_and_hash(void **state)
{
    static const uint8_t none[ATTEMPTED_HASH];
    uint8_t octets[32 + 8 + 1 + 32] = {[39] = 1, [40] = 'T', [41] = 0xab};
    uint8_t expected[SHA256_SIZE];
    uint8_t chain[ATTEMPTED_HASH] = {0};
    uint8_t hash[ATTEMPTED_HASH] = {0xab};
    struct err e = {0};

    (void)state;
    assert_ok(attempted_chain(chain, 1, 'T', hash, &e), &e);
    assert_ok(sha256(span_of(octets, sizeof(octets)), expected, &e), &e);
    assert_memory_equal(chain, expected, sizeof(chain));
    memcpy(octets, chain, sizeof(chain));
    octets[39] = 2;
    octets[40] = 'K';
    assert_ok(attempted_chain(chain, 2, 'K', hash, &e), &e);
    assert_ok(sha256(span_of(octets, sizeof(octets)), expected, &e), &e);
    assert_memory_equal(chain, expected, sizeof(chain));
    assert_memory_not_equal(chain, none, sizeof(chain));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_as_they_are_written),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(a_journal_that_ends_before_tells_its_length_alone),
        cmocka_unit_test(there_is_room_for_so_many),
        cmocka_unit_test(a_question_is_a_line_from_1),
        cmocka_unit_test(the_chain_is_over_number_kind_and_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
