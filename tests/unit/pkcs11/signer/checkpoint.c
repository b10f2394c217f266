/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoints the key signs: one history, of leaves that it has seen. */
#include "tests/support/test.h"

#include "base/tlog/checkpoint.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"
#include "tests/unit/pkcs11/signer/scene.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

#define TEXT(text) (text), sizeof(text) - 1
/* 32 octets of 0. */
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NO_ROOT "checkpoint: the third line is no root"
#define THREE "checkpoint: not three lines"
#define NO_SIZE "checkpoint: the second line is no size"
#define NO_ORIGIN "checkpoint: the origin of the log"

static void
the_text_is_three_lines_of_their_form(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        size_t n;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"nothing", TEXT(""), ERR_INPUT, "checkpoint: 0 octets"},
        {"one line, no line break", TEXT("log.example"), ERR_INPUT, THREE},
        {"one line", TEXT("log.example\n"), ERR_INPUT, THREE},
        {"two lines", TEXT("log.example\n7\n"), ERR_INPUT, THREE},
        {"no last line break", TEXT("log.example\n7\n" ROOT), ERR_INPUT, THREE},
        {"an extension line", TEXT("log.example\n7\n" ROOT "\nmore\n"), ERR_INPUT, THREE},
        {"an octet behind", TEXT("log.example\n7\n" ROOT "\n\n"), ERR_INPUT, THREE},

        {"no origin", TEXT("\n7\n" ROOT "\n"), ERR_INPUT, NO_ORIGIN},
        {"an origin with a blank", TEXT("log. example\n7\n" ROOT "\n"), ERR_INPUT, NO_ORIGIN},
        {"another origin", TEXT("log.exampla\n7\n" ROOT "\n"), ERR_DENIED,
         "the origin is not 'log.example'"},
        {"a longer origin", TEXT("log.example2\n7\n" ROOT "\n"), ERR_DENIED, "the origin is not"},
        {"a shorter origin", TEXT("log.exampl\n7\n" ROOT "\n"), ERR_DENIED, "the origin is not"},

        {"size of 19 digits", TEXT("log.example\n9999999999999999999\n" ROOT "\n"), ERR_INPUT,
         NO_SIZE},
        {"no size", TEXT("log.example\n\n" ROOT "\n"), ERR_INPUT, NO_SIZE},
        {"a leading zero", TEXT("log.example\n07\n" ROOT "\n"), ERR_INPUT, NO_SIZE},
        {"the character before 0", TEXT("log.example\n7/\n" ROOT "\n"), ERR_INPUT, NO_SIZE},
        {"the character behind 9", TEXT("log.example\n:7\n" ROOT "\n"), ERR_INPUT, NO_SIZE},
        {"a sign", TEXT("log.example\n-7\n" ROOT "\n"), ERR_INPUT, NO_SIZE},

        {"root of 43 characters",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), ERR_INPUT, NO_ROOT},
        {"root of 45 characters", TEXT("log.example\n7\n" ROOT "=\n"), ERR_INPUT, NO_ROOT},
        {"no root", TEXT("log.example\n7\n\n"), ERR_INPUT, NO_ROOT},
        {"root of 33 octets",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), ERR_INPUT,
         NO_ROOT},
        {"root of 31 octets",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n"), ERR_INPUT,
         NO_ROOT},
        {"root outside the alphabet",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!A=\n"), ERR_INPUT,
         NO_ROOT},
        {"root with a NUL", TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0=\n"),
         ERR_INPUT, "checkpoint: 59 octets"},
        {"root with other bits behind the last octet",
         TEXT("log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n"), ERR_INPUT,
         NO_ROOT},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tree_head out = {0};
        struct err e = {0};

        good += scene_expect(rows[i].name,
                             object_check_checkpoint(p, span_of(rows[i].text, rows[i].n),
                                                     span_of(NULL, 0), NULL, &out, &e),
                             &e, rows[i].code, rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

/* "log.example", this size and root. */
static char *
text_of(uint64_t size, const struct merkle_hash *root)
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(span_of(root->octets, MERKLE_HASH));

    return mem_printf("log.example\n%llu\n%s\n", (unsigned long long)size, base64);
}

static struct scene_log ledger;

static int
setup(void **state)
{
    (void)state;
    scene_log_begin(&ledger, "log.example");
    for (int i = 0; i < 20; i++) {
        (void)scene_log_add(&ledger, span_of(&i, sizeof(i)));
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scene_log_end(&ledger);
    return 0;
}

enum { NEVER = -1 };

static const struct row {
    const char *name;
    int last; /* size that was signed last, of these leaves; NEVER: none was */
    uint64_t from, to;
    uint64_t asked;  /* for another size than `to` */
    int other_hash;  /* of the evidence, from 1: its last octet is changed */
    bool other_root; /* is asked for */
    size_t cut;      /* octets less */
    enum err_code code;
    const char *reason;
} ROWS[] = {
    {.name = "the first", .last = NEVER, .to = 7},
    {.name = "the first, of nothing", .last = NEVER},
    {.name = "the first leaf, after nothing", .last = 0, .to = 1},
    {.name = "the same again", .last = 7, .from = 7, .to = 7},
    {.name = "the same again, from further back", .last = 7, .from = 5, .to = 7},
    {.name = "three more", .last = 7, .from = 7, .to = 10},
    {.name = "from further back", .last = 7, .from = 3, .to = 10},
    {.name = "from the beginning", .last = 7, .to = 10},
    {.name = "to a full tree", .last = 7, .from = 7, .to = 16},

    {.name = "another size, larger",
     .last = 7,
     .from = 7,
     .to = 10,
     .asked = 11,
     .code = ERR_DENIED,
     .reason = "size: the leaves give 10, and not 11"},
    {.name = "another size, smaller",
     .last = 7,
     .from = 7,
     .to = 10,
     .asked = 9,
     .code = ERR_DENIED,
     .reason = "size: the leaves give 10, and not 9"},
    {.name = "a size that nobody has",
     .last = 7,
     .from = 7,
     .to = 7,
     .asked = 999999999999999999,
     .code = ERR_DENIED,
     .reason = "size: the leaves give 7, and not 999999999999999999"},
    {.name = "another root",
     .last = 7,
     .from = 7,
     .to = 10,
     .other_root = true,
     .code = ERR_DENIED,
     .reason = "root: the leaves give another"},
    {.name = "another root of the first",
     .last = NEVER,
     .to = 7,
     .other_root = true,
     .code = ERR_DENIED,
     .reason = "root: the leaves give another"},
    {.name = "other leaves than the root",
     .last = 7,
     .from = 7,
     .to = 10,
     .other_hash = 4,
     .code = ERR_DENIED,
     .reason = "root: the leaves give another"},

    {.name = "one less",
     .last = 7,
     .from = 6,
     .to = 6,
     .code = ERR_DENIED,
     .reason = "roll-back: size 6 after 7"},
    {.name = "nothing, after something",
     .last = 7,
     .code = ERR_DENIED,
     .reason = "roll-back: size 0 after 7"},
    {.name = "another history of the same size",
     .last = 7,
     .to = 7,
     .other_hash = 1,
     .code = ERR_DENIED,
     .reason = "fork: another root for size 7"},
    {.name = "another leaf before the last, and more behind",
     .last = 7,
     .from = 4,
     .to = 10,
     .other_hash = 4,
     .code = ERR_DENIED,
     .reason = "fork: another root for size 7"},
    {.name = "another edge, first of it",
     .last = 7,
     .from = 7,
     .to = 10,
     .other_hash = 1,
     .code = ERR_DENIED,
     .reason = "fork: another root for size 7"},
    {.name = "another edge, last of it",
     .last = 7,
     .from = 7,
     .to = 7,
     .other_hash = 3,
     .code = ERR_DENIED,
     .reason = "fork: another root for size 7"},
    {.name = "another edge further back",
     .last = 7,
     .from = 4,
     .to = 10,
     .other_hash = 1,
     .code = ERR_DENIED,
     .reason = "fork: another root for size 7"},

    {.name = "it begins behind the last",
     .last = 7,
     .from = 8,
     .to = 10,
     .code = ERR_DENIED,
     .reason = "evidence: it begins at 8, and 7 was signed last"},
    {.name = "the first begins with something",
     .last = NEVER,
     .from = 1,
     .to = 7,
     .code = ERR_DENIED,
     .reason = "evidence: it begins at 1, and 0 was signed last"},
    {.name = "an edge without its last",
     .last = 7,
     .from = 7,
     .to = 7,
     .cut = MERKLE_HASH,
     .code = ERR_INPUT,
     .reason = "evidence: 2 hashes, and the edge alone has 3"},
    {.name = "an octet less",
     .last = 7,
     .from = 7,
     .to = 10,
     .cut = 1,
     .code = ERR_INPUT,
     .reason = "evidence: not a size and whole hashes"},
    {.name = "half a size",
     .last = NEVER,
     .cut = 1,
     .code = ERR_INPUT,
     .reason = "evidence: not a size and whole hashes"},
};

static bool
check(const struct policy *p, const struct row *row)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    CLEANUP(mem_cleanup) char *text = NULL;
    struct merkle_hash root = scene_log_root(&ledger, row->to);
    struct tree_head last = {0};
    struct tree_head out = {.size = 5, .root = {6}}; /* what was there does not matter */
    struct err e = {0};
    bool good;

    if (row->last != NEVER) {
        const struct merkle_hash signed_root = scene_log_root(&ledger, (uint64_t)row->last);

        last.size = (uint64_t)row->last;
        memcpy(last.root, signed_root.octets, MERKLE_HASH);
    }
    scene_log_growth(&ledger, row->from, row->to, &evidence);
    if (row->other_hash > 0) {
        evidence.p[8 + row->other_hash * MERKLE_HASH - 1] ^= 1;
    }
    root.octets[31] ^= row->other_root ? 1 : 0;
    text = text_of(row->asked == 0 ? row->to : row->asked, &root);
    good = scene_expect(row->name,
                        object_check_checkpoint(p, span_str(text),
                                                span_of(evidence.p, evidence.n - row->cut),
                                                row->last == NEVER ? NULL : &last, &out, &e),
                        &e, row->code, row->reason);
    return good && (row->reason != NULL ||
                    (out.size == row->to && memcmp(out.root, root.octets, MERKLE_HASH) == 0));
}

static void
a_log_has_one_history_of_leaves_that_are_there(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        good += check(p, &ROWS[i]);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* So many leaves, all of them zero, and nothing before. */
static int
sign_many(const struct policy *p, size_t n, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT((size_t)2 * GROWTH_MAX);
    CLEANUP(mem_cleanup) uint8_t *zeros = mem_zalloc(n, MERKLE_HASH);
    const struct growth g = {.hashes = span_of(zeros, n * MERKLE_HASH)};
    const struct merkle_hash zero = {0};
    struct merkle_edge edge = {0};
    struct merkle_hash root;
    CLEANUP(mem_cleanup) char *text = NULL;
    struct tree_head out;

    for (size_t i = 0; i < n; i++) {
        assert_ok(merkle_append(&edge, &zero, NULL, NULL, e), e);
    }
    root = merkle_root(&edge);
    text = text_of(n, &root);
    assert_ok(growth_encode(&g, &evidence, e), e);
    return object_check_checkpoint(p, span_str(text), buf_span(&evidence), NULL, &out, e);
}

static void
new_leaves_have_their_limit(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    struct err e = {0};

    (void)state;
    assert_ok(sign_many(p, GROWTH_LEAVES_MAX, &e), &e);
    assert_err(sign_many(p, GROWTH_LEAVES_MAX + 1, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "evidence: 65537 new leaves, allowed are 65536");
}

/* What the journal of an older version may have: such a log cannot go on, and nothing breaks. */
static void
a_size_that_no_tree_has_is_refused(void **state)
{
    static const struct {
        uint64_t from, last;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {1ULL << 62, UINT64_MAX, ERR_INPUT, "evidence: it begins at 4611686018427387904"},
        {UINT64_MAX, UINT64_MAX, ERR_INPUT, "evidence: it begins at 18446744073709551615"},
        {(1ULL << 62) - 1, UINT64_MAX, ERR_INPUT, "evidence: 0 hashes, and the edge alone has 62"},
        {0, 1ULL << 63, ERR_DENIED, "roll-back: size 0 after 9223372036854775808"},
    };
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_LOG);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf evidence = BUF_INIT(64);
        const struct tree_head last = {.size = rows[i].last};
        const struct growth g = {.from = rows[i].from};
        struct tree_head out;
        struct err e = {0};

        assert_ok(growth_encode(&g, &evidence, &e), &e);
        good += scene_expect(rows[i].reason,
                             object_check_checkpoint(p, SPAN_LITERAL("log.example\n7\n" ROOT "\n"),
                                                     buf_span(&evidence), &last, &out, &e),
                             &e, rows[i].code, rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_three_lines_of_their_form),
        cmocka_unit_test(a_log_has_one_history_of_leaves_that_are_there),
        cmocka_unit_test(new_leaves_have_their_limit),
        cmocka_unit_test(a_size_that_no_tree_has_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
