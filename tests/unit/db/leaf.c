/* SPDX-License-Identifier: Apache-2.0 */
#include "db/leaf.h"

#include <string.h>

#include "db/merkle.h"
#include "tests/support/test.h"

static const time_t at = 1795000000; /* 2026-11-18T11:06:40Z */

static struct leaf *
issued(void)
{
    struct leaf *leaf = leaf_new(LEAF_ISSUED, at);

    leaf_set_hex(leaf, "serial", SPAN_LITERAL("\x4a\x01"));
    leaf_set_hex(leaf, "rid", SPAN_LITERAL("\xff"));
    leaf_set_base64(leaf, "certificate", SPAN_LITERAL("DER"));
    return leaf;
}

static void
a_leaf_is_sorted_compact_json_with_its_rfc_6962_hash(void **state)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = issued();
    static const char expected[] =
        "{\"certificate\":\"REVS\",\"kind\":\"ISSUED\",\"rid\":\"ff\",\"serial\":\"4a01\","
        "\"time\":\"2026-11-18T11:06:40Z\"}";
    struct merkle_hash hash = merkle_leaf(span_str(expected));
    struct err e = {0};

    (void)state;
    assert_ok(leaf_seal(leaf, &e), &e);
    assert_int_equal(leaf_body(leaf).n, strlen(expected));
    assert_memory_equal(leaf_body(leaf).p, expected, strlen(expected));
    assert_memory_equal(leaf_hash(leaf), hash.octets, LEAF_HASH_SIZE);
    assert_ok(leaf_seal(leaf, &e), &e);
}

static void
parsing_gives_back_what_was_set(void **state)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REVOKED, at);
    CLEANUP(leaf_cleanup) struct leaf *parsed = NULL;
    struct err e = {0};

    (void)state;
    leaf_set_hex(leaf, "serial", SPAN_LITERAL("\x4a"));
    leaf_set_int(leaf, "reason", 1);
    leaf_set_text(leaf, "by", "officer \"\xc3\xa4\"\n");
    assert_ok(leaf_seal(leaf, &e), &e);
    parsed = leaf_parse(leaf_body(leaf), &e);
    assert_non_null(parsed);
    assert_int_equal(leaf_kind(parsed), LEAF_REVOKED);
    assert_true(leaf_time(parsed) == at);
    assert_string_equal(leaf_text(parsed, "by"), "officer \"\xc3\xa4\"\n");
    assert_int_equal(leaf_int(parsed, "reason", -1), 1);
    assert_int_equal(leaf_int(parsed, "nothing", -1), -1);
    assert_null(leaf_text(parsed, "revocationDate"));
    assert_memory_equal(leaf_hash(parsed), leaf_hash(leaf), LEAF_HASH_SIZE);
}

static void
a_leaf_with_a_wrong_member_is_not_sealed(void **state)
{
    struct err e = {0};
    struct leaf *leaf = issued();

    (void)state;
    leaf_set_text(leaf, "remark", "none");
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_free(leaf);

    leaf = leaf_new(LEAF_CONFIRMED, at);
    leaf_set_hex(leaf, "rid", SPAN_LITERAL("\xff"));
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "leaf CONFIRMED: member serial is missing");
    leaf_set_text(leaf, "serial", "4A");
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_set_int(leaf, "serial", 4);
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_set_text(leaf, "serial", "4a");
    assert_ok(leaf_seal(leaf, &e), &e);
    leaf_free(leaf);

    leaf = leaf_new(LEAF_STOP, at);
    leaf_set_text(leaf, "reason", "\xff not UTF-8");
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_free(leaf);
}

static void
a_leaf_that_is_too_long_is_not_sealed(void **state)
{
    CLEANUP(mem_cleanup) char *text = mem_zalloc(LEAF_MAX + 1, 1);
    struct err e = {0};

    (void)state;
    memset(text, 'x', LEAF_MAX);
    for (size_t n = LEAF_MAX - 200; n <= LEAF_MAX; n += 200) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_STOP, at);

        text[n] = '\0';
        leaf_set_text(leaf, "reason", text);
        text[n] = 'x';
        if (n < LEAF_MAX) {
            assert_ok(leaf_seal(leaf, &e), &e);
        } else {
            assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
        }
    }
}

static void
anything_but_the_canonical_form_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"} ",
        "{\"kind\":\"STOP\", \"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"reason\":\"x\",\"kind\":\"STOP\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"\\u0078\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"\xc3\xa4\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18 11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-13-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"x\"}",
        "{\"kind\":\"STOP\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"stop\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":1,\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"a\\u0000b\",\"time\":\"2026-11-18T11:06:40Z\"}",
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): long rows are in two parts */
        "{\"kind\":\"CONFIRMED\",\"rid\":\"0\",\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"certificate\":\"REV\",\"kind\":\"ISSUED\",\"rid\":\"00\",\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"by\":\"x\",\"kind\":\"REVOKED\",\"reason\":1.0,\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
    };
    static const char good[] =
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}";
    struct err e = {0};
    struct leaf *leaf = leaf_parse(span_str(good), &e);

    (void)state;
    assert_non_null(leaf);
    leaf_free(leaf);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        e = (struct err){0};
        leaf = leaf_parse(span_str(rows[i]), &e);
        if (leaf != NULL || e.code != ERR_INPUT) {
            fail_msg("%s was taken for a leaf", rows[i]);
        }
    }
}

static void
every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEAF_KINDS; i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(leaf_kind_name((enum leaf_kind)i),
                                    leaf_kind_name((enum leaf_kind)j));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_sorted_compact_json_with_its_rfc_6962_hash),
        cmocka_unit_test(parsing_gives_back_what_was_set),
        cmocka_unit_test(a_leaf_with_a_wrong_member_is_not_sealed),
        cmocka_unit_test(a_leaf_that_is_too_long_is_not_sealed),
        cmocka_unit_test(anything_but_the_canonical_form_is_refused),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
