/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/queue_head.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D64 "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

#define MAGIC "nfpki-queue-head/v1\n"
#define RA "ra " A64 "\n"
#define CA "ca " B64 "\n"
#define FIRST "first 42\n"
#define SIZE "size 7\n"
#define ROOT "root " C64 "\n"
#define PREVIOUS "previous " D64 "\n"
#define TIME "time 2026-11-29T17:00:00Z\n"
#define TEXT MAGIC RA CA FIRST SIZE ROOT PREVIOUS TIME

static struct queue_head
head(void)
{
    struct queue_head h = {.first = 42, .size = 7, .time = 1795971600};

    memset(h.ra, 0xaa, sizeof(h.ra));
    memset(h.ca, 0xbb, sizeof(h.ca));
    memset(h.root.octets, 0xcc, sizeof(h.root.octets));
    memset(h.previous, 0xdd, sizeof(h.previous));
    return h;
}

/* ---- the text ---- */

static void
a_head_is_written_and_read(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    const struct queue_head h = head();
    struct queue_head back;
    struct err e = {0};

    (void)state;
    assert_ok(queue_head_format(&h, &text, &e), &e);
    assert_true(span_equal(buf_span(&text), SPAN_LITERAL(TEXT)));
    assert_ok(queue_head_parse(buf_span(&text), &back, &e), &e);
    assert_memory_equal(back.ra, h.ra, sizeof(h.ra));
    assert_memory_equal(back.ca, h.ca, sizeof(h.ca));
    assert_memory_equal(back.previous, h.previous, sizeof(h.previous));
    assert_true(merkle_equal(&back.root, &h.root));
    assert_int_equal(back.first, 42);
    assert_int_equal(back.size, 7);
    assert_int_equal(back.time, h.time);
}

static void
what_is_within_the_limits_is_written(void **state)
{
    const uint64_t last = (uint64_t)INT64_MAX - QUEUE_HEAD_SIZE_MAX;
    const struct {
        const char *name;
        uint64_t first;
        uint64_t size;
        time_t time;
        const char *why; /* NULL: it is written, and read again */
    } rows[] = {
        {"the least", 1, 1, 0, NULL},
        {"the most", last, QUEUE_HEAD_SIZE_MAX, QUEUE_HEAD_TIME_MAX, NULL},
        {"first 0", 0, 1, 0, "queue head: first is not"},
        {"first too large", last + 1, 1, 0, "queue head: first is not"},
        {"first 2^64-1", UINT64_MAX, 1, 0, "queue head: first is not"},
        {"size 0", 1, 0, 0, "queue head: size is not 1 to 256"},
        {"size 257", 1, QUEUE_HEAD_SIZE_MAX + 1, 0, "queue head: size is not 1 to 256"},
        {"before 1970", 1, 1, -1, "queue head: time is before 1970 or after 9999"},
        {"the year 10000", 1, 1, QUEUE_HEAD_TIME_MAX + 1, "queue head: time is before 1970"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
        struct queue_head h = head();
        struct queue_head back;
        struct err e = {0};
        int result;

        h.first = rows[i].first;
        h.size = rows[i].size;
        h.time = rows[i].time;
        result = queue_head_format(&h, &text, &e);
        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "written" : e.text);
        }
        if (result == 0 && queue_head_parse(buf_span(&text), &back, &e) != 0) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
}

static void
only_these_octets_are_read(void **state)
{
#define ROW(name, text, why)                                                                       \
    {                                                                                              \
        name, {(const uint8_t *)(text), sizeof(text) - 1}, why                                     \
    }
    static const char line[] = "no line '";
    static const char other[] = "not written as it must be";
    static const char begin[] = "does not begin as one, or is too long";
    const struct {
        const char *name;
        struct span text;
        const char *why; /* NULL: it is read */
    } rows[] = {
        ROW("right", TEXT, NULL),
        ROW("nothing", "", begin),
        ROW("its name alone", MAGIC, begin),
        ROW("of version 2", "nfpki-queue-head/v2\n" RA CA FIRST SIZE ROOT PREVIOUS TIME, begin),
        ROW("a line break in front", "\n" TEXT, begin),
        ROW("something else", "nfpki-ra: key that seals one-time secrets, 1\n", begin),
        ROW("without its last line break",
            MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 2026-11-29T17:00:00Z", line),
        ROW("a line behind it", TEXT "more\n", other),
        ROW("a line break behind it", TEXT "\n", other),
        ROW("a NUL behind it", TEXT "\0", other),
        ROW("a NUL in it", MAGIC "ra " A64 "\0\n" CA FIRST SIZE ROOT PREVIOUS TIME, line),
        ROW("carriage returns", MAGIC RA CA "first 42\r\n" SIZE ROOT PREVIOUS TIME, other),

        ROW("no ra", MAGIC CA FIRST SIZE ROOT PREVIOUS TIME, "no line 'ra'"),
        ROW("no ca", MAGIC RA FIRST SIZE ROOT PREVIOUS TIME, "no line 'ca'"),
        ROW("no first", MAGIC RA CA SIZE ROOT PREVIOUS TIME, "no line 'first'"),
        ROW("no size", MAGIC RA CA FIRST ROOT PREVIOUS TIME, "no line 'size'"),
        ROW("no root", MAGIC RA CA FIRST SIZE PREVIOUS TIME, "no line 'root'"),
        ROW("no previous", MAGIC RA CA FIRST SIZE ROOT TIME, "no line 'previous'"),
        ROW("no time", MAGIC RA CA FIRST SIZE ROOT PREVIOUS "x", "no line 'time'"),
        ROW("another order", MAGIC CA RA FIRST SIZE ROOT PREVIOUS TIME, "no line 'ra'"),
        ROW("a line twice", MAGIC RA RA CA FIRST SIZE ROOT PREVIOUS TIME, "no line 'ca'"),
        ROW("a longer name", MAGIC "ray " A64 "\n" CA FIRST SIZE ROOT PREVIOUS TIME,
            "no line 'ra'"),
        ROW("no blank", MAGIC "ra" A64 "\n" CA FIRST SIZE ROOT PREVIOUS TIME, "no line 'ra'"),
        ROW("a tab", MAGIC "ra\t" A64 "\n" CA FIRST SIZE ROOT PREVIOUS TIME, "no line 'ra'"),

        ROW("63 digits", MAGIC RA CA FIRST SIZE "root c" C64 "\n" PREVIOUS TIME,
            "root is not 64 hex digits"),
        ROW("no digits", MAGIC "ra \n" CA FIRST SIZE ROOT PREVIOUS TIME, "ra is not 64 hex digits"),
        ROW("a blank more", MAGIC RA "ca  " B64 "\n" FIRST SIZE ROOT PREVIOUS TIME,
            "ca is not 64 hex digits"),
        ROW("a blank behind", MAGIC RA CA FIRST SIZE ROOT "previous " D64 " \n" TIME,
            "previous is not 64 hex digits"),
        ROW("no hex",
            MAGIC RA "ca gggggggggggggggggggggggggggggggg"
                     "gggggggggggggggggggggggggggggggg\n" FIRST SIZE ROOT PREVIOUS TIME,
            "ca is not 64 hex digits"),
        ROW("upper case",
            MAGIC "ra AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" CA FIRST SIZE ROOT PREVIOUS TIME,
            other),

        ROW("first 0", MAGIC RA CA "first 0\n" SIZE ROOT PREVIOUS TIME, "first is not 1 to"),
        ROW("first empty", MAGIC RA CA "first \n" SIZE ROOT PREVIOUS TIME, "first is not 1 to"),
        ROW("first of letters", MAGIC RA CA "first x\n" SIZE ROOT PREVIOUS TIME,
            "first is not 1 to"),
        ROW("a leading zero", MAGIC RA CA "first 042\n" SIZE ROOT PREVIOUS TIME, other),
        ROW("a plus", MAGIC RA CA "first +42\n" SIZE ROOT PREVIOUS TIME, other),
        ROW("a minus", MAGIC RA CA "first -42\n" SIZE ROOT PREVIOUS TIME, "first is not 1 to"),
        ROW("a minus that comes out right",
            MAGIC RA CA "first -18446744073709551574\n" SIZE ROOT PREVIOUS TIME, other),
        ROW("a blank in front", MAGIC RA CA "first  42\n" SIZE ROOT PREVIOUS TIME, other),
        ROW("letters behind", MAGIC RA CA "first 42x\n" SIZE ROOT PREVIOUS TIME, other),
        ROW("a fraction", MAGIC RA CA "first 42.0\n" SIZE ROOT PREVIOUS TIME, other),
        ROW("hexadecimal", MAGIC RA CA "first 0x2a\n" SIZE ROOT PREVIOUS TIME, "first is not 1 to"),
        ROW("2^64", MAGIC RA CA "first 18446744073709551616\n" SIZE ROOT PREVIOUS TIME,
            "first is not 1 to"),
        ROW("2^63-1-256", MAGIC RA CA "first 9223372036854775551\n" SIZE ROOT PREVIOUS TIME, NULL),
        ROW("2^63-256", MAGIC RA CA "first 9223372036854775552\n" SIZE ROOT PREVIOUS TIME,
            "first is not 1 to"),
        ROW("size 0", MAGIC RA CA FIRST "size 0\n" ROOT PREVIOUS TIME, "size is not 1 to 256"),
        ROW("size 1", MAGIC RA CA FIRST "size 1\n" ROOT PREVIOUS TIME, NULL),
        ROW("size 256", MAGIC RA CA FIRST "size 256\n" ROOT PREVIOUS TIME, NULL),
        ROW("size 257", MAGIC RA CA FIRST "size 257\n" ROOT PREVIOUS TIME, "size is not 1 to 256"),
        ROW("size 07", MAGIC RA CA FIRST "size 07\n" ROOT PREVIOUS TIME, other),

        ROW("a time without Z", MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 2026-11-29T17:00:00\n",
            "queue head: time"),
        ROW("a blank in the time",
            MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 2026-11-29 17:00:00Z\n", "queue head: time"),
        ROW("an hour that is none",
            MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 2026-11-29T24:00:00Z\n", "queue head: time"),
        ROW("a day that is none",
            MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 2026-02-30T17:00:00Z\n", "queue head: "),
        ROW("a fraction of a second",
            MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 2026-11-29T17:00:00.5Z\n",
            "queue head: time"),
        ROW("before 1970", MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 1969-12-31T23:59:59Z\n",
            "queue head: time is before 1970"),
        ROW("1970", MAGIC RA CA FIRST SIZE ROOT PREVIOUS "time 1970-01-01T00:00:00Z\n", NULL),
    };
#undef ROW

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct queue_head h;
        struct err e = {0};
        const int result = queue_head_parse(rows[i].text, &h, &e);

        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "read" : e.text);
        }
    }
}

static void
a_long_text_is_refused(void **state)
{
    char text[QUEUE_HEAD_TEXT_MAX + 1];
    struct queue_head h;
    struct err e = {0};

    (void)state;
    memset(text, '0', sizeof(text));
    memcpy(text, TEXT, sizeof(TEXT) - 1);
    assert_err(queue_head_parse(span_of(text, sizeof(text)), &h, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "too long"));
    assert_err(queue_head_parse(span_of(text, sizeof(text) - 1), &h, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "not written as it must be"));
}

/* ---- the tree ---- */

enum { LEAVES_MAX = QUEUE_HEAD_SIZE_MAX + 1 };

struct tree {
    uint64_t entries[LEAVES_MAX];
    uint8_t hashes[LEAVES_MAX * MERKLE_HASH];
};

static struct span
entry_of(const struct tree *t, uint64_t index)
{
    return span_of(&t->entries[index], sizeof(t->entries[index]));
}

static int
make_tree(void **state)
{
    struct tree *t = mem_zalloc(1, sizeof(*t));

    for (uint64_t i = 0; i < LEAVES_MAX; i++) {
        struct merkle_hash hash;

        t->entries[i] = 1000 + i;
        hash = merkle_leaf(entry_of(t, i));
        memcpy(t->hashes + i * MERKLE_HASH, hash.octets, MERKLE_HASH);
    }
    *state = t;
    return 0;
}

static int
drop_tree(void **state)
{
    mem_free(*state);
    return 0;
}

static void
every_entry_of_every_size_is_covered(void **state)
{
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 100, 128, 129, 255, 256};
    const struct tree *t = *state;

    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        const struct span leaves = span_of(t->hashes, sizes[k] * MERKLE_HASH);
        struct queue_head h = {.size = sizes[k]};
        struct err e = {0};

        assert_ok(queue_head_root(leaves, &h.root, &e), &e);
        for (uint64_t i = 0; i < sizes[k]; i++) {
            CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);

            assert_ok(queue_head_path(leaves, i, &path, &e), &e);
            assert_ok(queue_head_covers(&h, entry_of(t, i), i, buf_span(&path), &e), &e);
            if (sizes[k] > 1) {
                assert_err(
                    queue_head_covers(&h, entry_of(t, i == 0 ? 1 : i - 1), i, buf_span(&path), &e),
                    ERR_CRYPTO, &e);
            }
        }
    }
}

static void
the_root_is_that_of_rfc_6962(void **state)
{
    const struct tree *t = *state;
    const struct merkle_hash left = merkle_leaf(entry_of(t, 0));
    const struct merkle_hash right = merkle_leaf(entry_of(t, 1));
    const struct merkle_hash two = merkle_node(&left, &right);
    const struct merkle_hash third = merkle_leaf(entry_of(t, 2));
    const struct merkle_hash three = merkle_node(&two, &third);
    struct merkle_hash root;
    struct err e = {0};

    assert_ok(queue_head_root(span_of(t->hashes, MERKLE_HASH), &root, &e), &e);
    assert_true(merkle_equal(&root, &left));
    assert_ok(queue_head_root(span_of(t->hashes, 2 * MERKLE_HASH), &root, &e), &e);
    assert_true(merkle_equal(&root, &two));
    assert_ok(queue_head_root(span_of(t->hashes, 3 * MERKLE_HASH), &root, &e), &e);
    assert_true(merkle_equal(&root, &three));
}

static void
leaves_that_are_none_have_no_root_and_no_path(void **state)
{
    const struct tree *t = *state;
    static const size_t sizes[] = {0, 1, MERKLE_HASH - 1, MERKLE_HASH + 1,
                                   (size_t)LEAVES_MAX * MERKLE_HASH};
    CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    struct merkle_hash root;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const struct span leaves = span_of(t->hashes, sizes[i]);

        assert_err(queue_head_root(leaves, &root, &e), ERR_INPUT, &e);
        assert_err(queue_head_path(leaves, 0, &path, &e), ERR_INPUT, &e);
    }
    assert_err(queue_head_path(span_of(t->hashes, 5L * MERKLE_HASH), 5, &path, &e), ERR_INPUT, &e);
    assert_int_equal(path.n, 0);
}

/* Leaf 2 of 5, or what is said to be it. */
static void
what_the_path_does_not_show_is_refused(void **state)
{
    const struct tree *t = *state;
    const struct span leaves = span_of(t->hashes, 5L * MERKLE_HASH);
    enum change {
        NOTHING,
        OCTET,
        SHORT,
        LONG,
        RAGGED,
        EMPTY,
        OVER,
        SWAPPED,
        ROOT_,
        SIZE_4,
        SIZE_6
    };
    static const struct {
        const char *name;
        enum change change;
        uint64_t index;
        bool is_covered;
    } rows[] = {
        {"right", NOTHING, 2, true},
        {"one before", NOTHING, 1, false},
        {"one behind", NOTHING, 3, false},
        {"the last", NOTHING, 4, false},
        {"behind the last", NOTHING, 5, false},
        {"the largest index", NOTHING, UINT64_MAX, false},
        {"an octet of the path", OCTET, 2, false},
        {"a hash less", SHORT, 2, false},
        {"a hash more", LONG, 2, false},
        {"an octet more", RAGGED, 2, false},
        {"no path", EMPTY, 2, false},
        {"more hashes than any proof has", OVER, 2, false},
        {"two hashes swapped", SWAPPED, 2, false},
        {"another root", ROOT_, 2, false},
        {"a leaf more of the last row", SIZE_6, 2,
         true}, /* its path is the same, the root says it */
        {"a leaf less", SIZE_4, 2, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf path = BUF_INIT(sizeof(t->hashes));
        struct queue_head h = {.size = 5};
        uint8_t hash[MERKLE_HASH];
        struct err e = {0};
        int result;

        assert_ok(queue_head_root(leaves, &h.root, &e), &e);
        assert_ok(queue_head_path(leaves, 2, &path, &e), &e);
        assert_int_equal(path.n, 3L * MERKLE_HASH);
        switch (rows[i].change) {
        case NOTHING:
            break;
        case OCTET:
            path.p[path.n - 1] ^= 1;
            break;
        case SHORT:
            buf_truncate(&path, path.n - MERKLE_HASH);
            break;
        case LONG:
            assert_ok(buf_append(&path, span_of(t->hashes, MERKLE_HASH), &e), &e);
            break;
        case RAGGED:
            assert_ok(buf_append(&path, SPAN_LITERAL("x"), &e), &e);
            break;
        case EMPTY:
            buf_truncate(&path, 0);
            break;
        case OVER:
            assert_ok(buf_set(&path, span_of(t->hashes, (MERKLE_PROOF_MAX + 1L) * MERKLE_HASH), &e),
                      &e);
            break;
        case SWAPPED:
            memcpy(hash, path.p, MERKLE_HASH);
            memmove(path.p, path.p + MERKLE_HASH, MERKLE_HASH);
            memcpy(path.p + MERKLE_HASH, hash, MERKLE_HASH);
            break;
        case ROOT_:
            h.root.octets[0] ^= 1;
            break;
        case SIZE_4:
            h.size = 4;
            break;
        case SIZE_6:
            h.size = 6;
            break;
        }
        result = queue_head_covers(&h, entry_of(t, 2), rows[i].index, buf_span(&path), &e);
        if ((result == 0) != rows[i].is_covered || (result != 0 && e.code != ERR_CRYPTO)) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "covered" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_written_and_read),
        cmocka_unit_test(what_is_within_the_limits_is_written),
        cmocka_unit_test(only_these_octets_are_read),
        cmocka_unit_test(a_long_text_is_refused),
        cmocka_unit_test(every_entry_of_every_size_is_covered),
        cmocka_unit_test(the_root_is_that_of_rfc_6962),
        cmocka_unit_test(leaves_that_are_none_have_no_root_and_no_path),
        cmocka_unit_test(what_the_path_does_not_show_is_refused),
    };

    return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
