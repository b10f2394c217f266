/* SPDX-License-Identifier: Apache-2.0 */
/* What goes with an object, octet for octet as PROTOCOL.md has it. */
#include "tests/support/test.h"

#include "pkcs11/client/client.h"
#include "pkcs11/client/evidence.h"

#include <string.h>

#define HASH_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ENCODED                                                                                    \
    "\0\0\0\4note"                                                                                 \
    "\1\2\3\4\5\6\7\x8"                                                                            \
    "\0\0\0\5{\"a\"}" HASH_A

static struct evidence
right(void)
{
    return (struct evidence){
        .note = SPAN_LITERAL("note"),
        .index = 0x0102030405060708,
        .leaf = SPAN_LITERAL("{\"a\"}"),
        .path = SPAN_LITERAL(HASH_A),
    };
}

static void
it_is_written_as_it_is_read(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(EVIDENCE_MAX);
    const struct evidence v = right();
    struct evidence again;
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&out, "what was there", &e), &e);
    assert_ok(evidence_encode(&v, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL(ENCODED)));
    assert_ok(evidence_decode(buf_span(&out), &again, &e), &e);
    assert_true(span_equal(again.note, v.note));
    assert_true(again.index == v.index);
    assert_true(span_equal(again.leaf, v.leaf));
    assert_true(span_equal(again.path, v.path));
}

/* Every beginning but the one that ends before the path. */
static void
what_is_not_whole_is_refused(void **state)
{
    const size_t whole = sizeof(ENCODED) - 1;
    struct evidence v;
    struct err e = {0};

    (void)state;
    for (size_t n = 0; n < whole; n++) {
        if (n == whole - EVIDENCE_HASH) {
            assert_ok(evidence_decode(span_of(ENCODED, n), &v, &e), &e);
        } else {
            assert_err(evidence_decode(span_of(ENCODED, n), &v, &e), ERR_INPUT, &e);
        }
    }
}

static void
each_part_has_its_limit(void **state)
{
    static const struct {
        const char *name;
        size_t note, leaf, path;
        bool good;
    } rows[] = {
        {"all at their limit", EVIDENCE_NOTE_MAX, EVIDENCE_LEAF_MAX, EVIDENCE_PATH_MAX, true},
        {"nothing", 0, 0, 0, true},
        {"a long checkpoint", EVIDENCE_NOTE_MAX + 1, 0, 0, false},
        {"a long leaf", 0, EVIDENCE_LEAF_MAX + 1, 0, false},
        {"a long path", 0, 0, EVIDENCE_PATH_MAX + EVIDENCE_HASH, false},
        {"half a hash", 0, 0, EVIDENCE_HASH / 2, false},
    };
    static uint8_t octets[EVIDENCE_MAX];
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT((size_t)2 * EVIDENCE_MAX);
        const struct evidence v = {.note = span_of(octets, rows[i].note),
                                   .leaf = span_of(octets, rows[i].leaf),
                                   .path = span_of(octets, rows[i].path)};
        struct evidence again;
        struct err e = {0};
        bool encoded = evidence_encode(&v, &out, &e) == 0;

        if (encoded != rows[i].good ||
            (encoded && evidence_decode(buf_span(&out), &again, &e) != 0)) {
            print_error("row '%s'\n", rows[i].name);
        } else {
            good++;
        }
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

static void
it_finds_room_or_says_so(void **state)
{
    const struct evidence v = right();
    struct err e = {0};

    (void)state;
    for (size_t max = 0; max < sizeof(ENCODED); max++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(max);

        assert_int_equal(evidence_encode(&v, &out, &e), max < sizeof(ENCODED) - 1 ? -1 : 0);
    }
}

static void
growth_is_written_as_it_is_read(void **state)
{
    static const char encoded[] = "\1\2\3\4\5\6\7\x8" HASH_A;
    const struct growth g = {.from = 0x0102030405060708, .hashes = SPAN_LITERAL(HASH_A)};
    CLEANUP(buf_free) struct buf out = BUF_INIT(GROWTH_MAX);
    struct growth again;
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&out, "what was there", &e), &e);
    assert_ok(growth_encode(&g, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), span_of(encoded, sizeof(encoded) - 1)));
    assert_ok(growth_decode(buf_span(&out), &again, &e), &e);
    assert_true(again.from == g.from);
    assert_true(span_equal(again.hashes, g.hashes));
    for (size_t n = 0; n < out.n; n++) {
        assert_int_equal(growth_decode(span_of(out.p, n), &again, &e), n == 8 ? 0 : -1);
    }
    for (size_t max = 0; max <= sizeof(encoded) - 1; max++) {
        CLEANUP(buf_free) struct buf small = BUF_INIT(max);

        assert_int_equal(growth_encode(&g, &small, &e), max < sizeof(encoded) - 1 ? -1 : 0);
    }
}

static void
what_was_signed_last_is_written_as_it_is_read(void **state)
{
    static const char encoded[] = "\1\2\3\4\5\6\7\x8" HASH_A;
    struct signed_last last = {.size = 0x0102030405060708};
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    struct signed_last again;
    struct err e = {0};

    (void)state;
    memcpy(last.root, HASH_A, sizeof(last.root));
    assert_ok(signed_last_encode(&last, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), span_of(encoded, sizeof(encoded) - 1)));
    assert_ok(signed_last_decode(buf_span(&out), &again, &e), &e);
    assert_true(again.size == last.size);
    assert_memory_equal(again.root, last.root, sizeof(last.root));
    for (size_t n = 0; n < out.n; n++) {
        assert_err(signed_last_decode(span_of(out.p, n), &again, &e), ERR_INPUT, &e);
    }
    assert_ok(buf_append_str(&out, "x", &e), &e);
    assert_err(signed_last_decode(buf_span(&out), &again, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "the signer's last checkpoint: "));
    for (size_t max = 0; max <= SIGNED_LAST_SIZE; max++) {
        CLEANUP(buf_free) struct buf small = BUF_INIT(max);

        assert_int_equal(signed_last_encode(&last, &small, &e), max < SIGNED_LAST_SIZE ? -1 : 0);
    }
}

static void
what_the_token_knows_is_written_as_it_is_read(void **state)
{
    static const char encoded[] = "\1\2\3\4\5\6\7\x8\xf1\2\3\4\5\6\7\x8";
    const struct signer_anchored a = {.generation = 0x0102030405060708, .size = 0xf102030405060708};
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    struct signer_anchored again;
    struct err e = {0};

    (void)state;
    assert_ok(signer_anchored_encode(&a, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), span_of(encoded, sizeof(encoded) - 1)));
    assert_ok(signer_anchored_decode(buf_span(&out), &again, &e), &e);
    assert_true(again.generation == a.generation && again.size == a.size);
    for (size_t n = 0; n < out.n; n++) {
        assert_err(signer_anchored_decode(span_of(out.p, n), &again, &e), ERR_INPUT, &e);
    }
    assert_ok(buf_append_str(&out, "x", &e), &e);
    assert_err(signer_anchored_decode(buf_span(&out), &again, &e), ERR_INPUT, &e);
    for (size_t max = 0; max <= ANCHORED_SIZE; max++) {
        CLEANUP(buf_free) struct buf small = BUF_INIT(max);

        assert_int_equal(signer_anchored_encode(&a, &small, &e), max < ANCHORED_SIZE ? -1 : 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_written_as_it_is_read),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(each_part_has_its_limit),
        cmocka_unit_test(it_finds_room_or_says_so),
        cmocka_unit_test(growth_is_written_as_it_is_read),
        cmocka_unit_test(what_was_signed_last_is_written_as_it_is_read),
        cmocka_unit_test(what_the_token_knows_is_written_as_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
