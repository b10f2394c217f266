/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as plain is what the library reads, and what it would write. */
#include "db/ledger/plain.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

enum { TEXTS = 20000, TEXT_MAX = 512 };

static void
assert_same_members(const struct plain *p, json_t *object)
{
    const char *name;
    json_t *value;

    assert_int_equal(plain_count(p), json_object_size(object));
    json_object_foreach(object, name, value)
    {
        const struct plain_member *m = plain_find(p, name);

        assert_non_null(m);
        switch (m->type) {
        case PLAIN_TEXT:
            assert_string_equal(m->text, json_string_value(value));
            break;
        case PLAIN_INT:
            assert_true(json_is_integer(value) && m->number == json_integer_value(value));
            break;
        case PLAIN_BOOL:
            assert_true(json_is_boolean(value) && m->number == (json_is_true(value) ? 1 : 0));
            break;
        case PLAIN_OTHER:
            fail();
        }
    }
}

/* Whether it is plain; the library has been asked, too. */
static bool
is_plain(const char *text, size_t n)
{
    CLEANUP(mem_cleanup) char *kept = mem_dup(text, n); /* ends where it ends */
    struct plain *p = plain_read(span_of(kept, n));
    json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    char *again = object == NULL
                      ? NULL
                      : json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    const bool plain = p != NULL;

    if (plain) {
        if (!json_is_object(object) || strlen(again) != n || memcmp(again, text, n) != 0) {
            fail_msg("%.*s is no such object", (int)n, text);
        }
        assert_same_members(p, object);
    }
    free(again);
    json_decref(object);
    plain_free(p);
    return plain;
}

static void
what_has_nothing_to_escape_is_plain(void **state)
{
    static const char *const plain[] = {
        "{\"a\":1}",
        "{\"a\":0,\"b\":-1,\"c\":999999999999999999,\"d\":-999999999999999999}",
        "{\"a\":\"\",\"b\":\" !#[]{}:,/~\",\"c\":true,\"d\":false}",
        "{\"\":1,\"A\":1,\"a\":1,\"aa\":1,\"b\":1}",
    };
    static const char *const other[] = {
        "",
        "{",
        "{}",
        "[]",
        "1",
        "\"a\"",
        "{\"a\":1",
        "{\"a\":1}}",
        "{\"a\":1} ",
        " {\"a\":1}",
        "{\"a\": 1}",
        "{\"a\" :1}",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\":1 ,\"b\":1}",
        "{\"a\":1,\"a\":1}",
        "{\"b\":1,\"a\":1}",
        "{\"a\":01}",
        "{\"a\":-0}",
        "{\"a\":00}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":}",
        "{\"a\"}",
        "{a:1}",
        "{\"a\":1.0}",
        "{\"a\":1e1}",
        "{\"a\":9999999999999999999}",
        "{\"a\":null}",
        "{\"a\":tru}",
        "{\"a\":trueb}",
        "{\"a\":falsE}",
        "{\"a\":{}}",
        "{\"a\":[1]}",
        "{\"a\":\"\\n\"}",
        "{\"a\":\"\\u0041\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\x7f\"}",
        "{\"a\":\"\xc3\xa4\"}",
        "{\"\\u0041\":1}",
        "{\"a\":\"b}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (!is_plain(plain[i], strlen(plain[i]))) {
            fail_msg("%s", plain[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(other); i++) {
        if (is_plain(other[i], strlen(other[i]))) {
            fail_msg("%s", other[i]);
        }
    }
    assert_false(is_plain("{\"a\":\"\0\"}", sizeof("{\"a\":\"\0\"}") - 1));
    assert_false(is_plain("{\"a\":1}\0", sizeof("{\"a\":1}\0") - 1));
}

static void
more_members_than_a_leaf_has_are_left_to_the_library(void **state)
{
    char text[TEXT_MAX] = "{";
    size_t n = 1;

    (void)state;
    for (int i = 0; i < 40; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%02d\":1", i == 0 ? "" : ",", i);
    }
    (void)snprintf(text + n, sizeof(text) - n, "}");
    assert_true(is_plain(text, n + 1));
    n += (size_t)snprintf(text + n, sizeof(text) - n, ",\"40\":1}");
    assert_false(is_plain(text, n));
}

static uint32_t seed;

static uint32_t
chance(uint32_t below)
{
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % below;
}

/* Of what JSON is made of: mostly an object, and a little of it is changed. */
static size_t
make(char text[TEXT_MAX])
{
    static const char *const values[] = {"1",    "-20", "true",   "false", "\"\"", "\"text\"",
                                         "null", "0",   "\"/~\"", "1.5",   "{}",   "\"\\\\\""};
    static const char odd[] = "{}[]:,\"\\ 0-1e.trufalsn\x7f\x1f\xc3";
    size_t n = 0;

    text[n++] = '{';
    for (uint32_t i = 0, members = 1 + chance(6); i < members; i++) {
        n += (size_t)snprintf(text + n, TEXT_MAX - n, "%s\"%c%c\":%s", i == 0 ? "" : ",",
                              (char)('a' + i), (char)('a' + chance(26)),
                              values[chance(chance(3) == 0 ? ARRAY_LEN(values) : 6)]);
    }
    text[n++] = '}';
    for (uint32_t changes = chance(3); changes > 0; changes--) {
        const size_t at = chance((uint32_t)n);

        if (chance(3) == 0) {
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
        } else {
            text[at] = odd[chance(sizeof(odd) - 1)];
        }
    }
    return n;
}

static void
whatever_is_plain_is_what_the_library_reads(void **state)
{
    size_t plain = 0;

    (void)state;
    for (seed = 1; seed <= TEXTS; seed++) {
        const uint32_t kept = seed;
        char text[TEXT_MAX];
        const size_t n = make(text);

        plain += is_plain(text, n) ? 1 : 0;
        seed = kept;
    }
    assert_true(plain > TEXTS / 10 && plain < TEXTS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_nothing_to_escape_is_plain),
        cmocka_unit_test(more_members_than_a_leaf_has_are_left_to_the_library),
        cmocka_unit_test(whatever_is_plain_is_what_the_library_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
