/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/blocked_keys.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define A "0011223344556677889900aabbccddeeff112233445566778899aabbccddeeff"
#define B "f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff"
#define B_UPPER "F0E1D2C3B4A5968778695A4B3C2D1E0F00112233445566778899AABBCCDDEEFF"
#define A_30 "0011223344556677889900aabbccdd"
#define A_OTHER_END "0011223344556677889900aabbccdd0000000000000000000000000000000000"

static struct blocked_keys *
load(const char *text, struct err *e)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", dir);

    assert_ok(file_write(path, span_str(text), 0600, e), e);
    return blocked_keys_load(path, e);
}

static bool
has(const struct blocked_keys *b, const char *hex)
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(hex_parse(hex, hash, sizeof(hash), &e), &e);
    return blocked_keys_has(b, hash);
}

static void
each_line_is_a_key(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        bool a;
        bool b;
        bool a_other_end;
    } rows[] = {
        {A "\n", 1, true, false, false},
        {A, 1, true, false, false},
        {A "\n" B "\n", 2, true, true, false},
        {B_UPPER "\n", 1, false, true, false},
        {"# of 2008\r\n\r\n  " B "  -\r\n" A "\t*spki.der\r\n", 2, true, true, false},
        {B "# printed in a manual\n", 1, false, true, false},
        {B "\n" B_UPPER "\n" B "\n", 1, false, true, false},
        {A_30 "\n", 1, true, false, true},
        {A "\n" A_30 "\n" A_OTHER_END "\n" B, 2, true, true, true},
        {A_30 "ee\n" A_OTHER_END "\n", 2, true, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(blocked_keys_cleanup) struct blocked_keys *b = load(rows[i].text, &e);

        if (b == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
        if (blocked_keys_count(b) != rows[i].n || has(b, A) != rows[i].a ||
            has(b, B) != rows[i].b || has(b, A_OTHER_END) != rows[i].a_other_end) {
            fail_msg("row %zu", i);
        }
    }
}

static void
without_a_list_nothing_is_blocked(void **state)
{
    (void)state;
    assert_false(has(NULL, A));
    assert_int_equal(blocked_keys_count(NULL), 0);
}

static void
bad_lines_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {A "\n" A "0\n", "blocked:2: 65 characters"},
        {A "\n\n" A "00\n", "blocked:3: 66 characters"},
        {"0011223344556677889900aabbcc\n", "blocked:1: 28 characters"},
        {A_30 "e\n", "blocked:1: 31 characters"},
        {"0011223344556677889900aabbccgg\n", "blocked:1: not a hex digit at position 29"},
        {"00:11:22:33:44:55:66:77:88:99:aa:bb\n", "blocked:1: 35 characters"},
        {"", "no key in it"},
        {"# nothing\n\n", "no key in it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(blocked_keys_cleanup) struct blocked_keys *b = load(rows[i].text, &e);

        if (b != NULL || e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, b != NULL ? "taken" : e.text);
        }
    }
}

static void
a_file_that_is_not_there_is_named(void **state)
{
    struct err e = {0};

    (void)state;
    assert_null(blocked_keys_load("/nonexistent/blocked", &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_non_null(strstr(e.text, "/nonexistent/blocked"));
}

/* Every one of many is found, and none of their neighbours. */
static void
each_of_ten_thousand_is_found(void **state)
{
    enum { N = 10000 };
    CLEANUP(buf_free) struct buf text = BUF_INIT((size_t)N * 66);
    CLEANUP(blocked_keys_cleanup) struct blocked_keys *b = NULL;
    struct err e = {0};
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    (void)state;
    for (uint32_t i = 0; i < N; i++) {
        assert_ok(sha256(span_of(&i, sizeof(i)), hash, &e), &e);
        hex_format(span_of(hash, sizeof(hash)), hex);
        hex[i % 3 == 0 ? 40 : 64] = '\0';
        assert_ok(buf_append_str(&text, hex, &e) | buf_append_str(&text, "\n", &e), &e);
    }
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    text.n--;
    b = load((const char *)text.p, &e);
    assert_non_null(b);
    assert_int_equal(blocked_keys_count(b), N);
    for (uint32_t i = 0; i < N; i++) {
        assert_ok(sha256(span_of(&i, sizeof(i)), hash, &e), &e);
        assert_true(blocked_keys_has(b, hash));
        hash[12] ^= 1;
        assert_false(blocked_keys_has(b, hash));
    }
}

/* The shortest entries, and one too many of them. */
static void
a_list_has_as_many_keys_as_allowed(void **state)
{
    enum { LINE = 31 };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", dir);
    const size_t size = ((size_t)BLOCKED_KEYS_MAX + 1) * LINE;
    CLEANUP(mem_cleanup) char *text = mem_zalloc(size, 1);
    CLEANUP(blocked_keys_cleanup) struct blocked_keys *b = NULL;
    struct err e = {0};

    (void)state;
    memset(text, '0', size); /* all the same: one is kept of them, each is counted */
    for (size_t i = LINE - 1; i < size; i += LINE) {
        text[i] = '\n';
    }
    assert_ok(file_write(path, span_of(text, size), 0600, &e), &e);
    assert_null(blocked_keys_load(path, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "blocked:1000001: more than 1000000 keys"));
    assert_ok(file_write(path, span_of(text, size - LINE), 0600, &e), &e);
    b = blocked_keys_load(path, &e);
    assert_non_null(b);
    assert_int_equal(blocked_keys_count(b), 1);
}

/* Entries are compared to their last octet, and no further. */
static void
the_last_octet_of_an_entry_counts(void **state)
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};
    CLEANUP(blocked_keys_cleanup)
    struct blocked_keys *b = load("00112233445566778899aabbccddee\n", &e);

    (void)state;
    assert_non_null(b);
    assert_ok(hex_parse("00112233445566778899aabbccddee00112233445566778899aabbccddeeff00", hash,
                        sizeof(hash), &e),
              &e);
    assert_true(blocked_keys_has(b, hash));
    hash[15] = 0xff; /* behind it */
    assert_true(blocked_keys_has(b, hash));
    hash[14] ^= 1;
    assert_false(blocked_keys_has(b, hash));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_a_key),
        cmocka_unit_test(without_a_list_nothing_is_blocked),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(each_of_ten_thousand_is_found),
        cmocka_unit_test(a_list_has_as_many_keys_as_allowed),
        cmocka_unit_test(the_last_octet_of_an_entry_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
