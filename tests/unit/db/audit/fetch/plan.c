/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/fetch/plan.h"

#include <string.h>

#include "tests/support/test.h"

static void
assert_plan(uint64_t size, const char *wanted)
{
    CLEANUP(mem_cleanup) char *names = mem_strdup("");
    struct plan plan;
    struct plan_file file;
    uint64_t n = 0;

    for (plan_begin(&plan, size); plan_next(&plan, &file); n++) {
        CLEANUP(mem_cleanup) char *more = mem_printf("%s%s\n", names, file.name);

        assert_int_equal(file.whole[0] == '\0', file.width == AUDIT_WIDTH);
        mem_free(names);
        names = TAKE(more);
    }
    assert_string_equal(names, wanted);
    assert_true(n == plan_count(size));
}

static void
the_files_follow_from_the_size(void **state)
{
    (void)state;
    assert_plan(0, "");
    assert_plan(1, "tile/0/000.p/1\ntile/entries/000.p/1\n");
    assert_plan(255, "tile/0/000.p/255\ntile/entries/000.p/255\n");
    assert_plan(256, "tile/1/000.p/1\ntile/0/000\ntile/entries/000\n");
    assert_plan(257, "tile/1/000.p/1\ntile/0/000\ntile/0/001.p/1\n"
                     "tile/entries/000\ntile/entries/001.p/1\n");
}

/* All, and the last of each level. */
static void
large_ones(void **state)
{
    static const struct {
        uint64_t size;
        uint64_t n;
        const char *edges[3];
    } rows[] = {
        {65535, 513, {"tile/0/255.p/255", "tile/1/000.p/255", ""}},
        {65536, 514, {"", "", "tile/2/000.p/1"}},
        {65537, 516, {"tile/0/256.p/1", "", "tile/2/000.p/1"}},
        {70000, 551, {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}},
        {16777216, 131072 + 256 + 1 + 1, {"", "", ""}},
        {UINT64_C(1234067) * 256 + 3, 0, {"tile/0/x001/x234/067.p/3", NULL, NULL}},
    };
    struct plan_file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan plan;
        uint64_t n = 0;

        assert_true(rows[i].n == 0 || plan_count(rows[i].size) == rows[i].n);
        for (plan_begin(&plan, rows[i].size); rows[i].n > 0 && plan_next(&plan, &file); n++) {
            assert_true(file.width > 0);
        }
        assert_true(n == rows[i].n);
        for (int level = 0; level < 3 && rows[i].edges[level] != NULL; level++) {
            const bool is_there = plan_edge(rows[i].size, level, &file);

            assert_string_equal(is_there ? file.name : "", rows[i].edges[level]);
        }
    }
}

static void
what_has_the_form_of_a_file(void **state)
{
    const struct {
        struct span octets;
        unsigned width;
        bool good;
    } bundles[] = {
        {SPAN_LITERAL("\0\1a"), 1, true},
        {SPAN_LITERAL("\0\0"), 1, true},
        {SPAN_LITERAL("\0\1a\0\2bc"), 2, true},
        {SPAN_LITERAL("\0\1a\0\2bc"), 1, false},
        {SPAN_LITERAL("\0\1a\0\2bc"), 3, false},
        {SPAN_LITERAL("\0\1a\0\2b"), 2, false},
        {SPAN_LITERAL("\0\1a\0"), 1, false},
        {SPAN_LITERAL("\0"), 1, false},
        {SPAN_LITERAL(""), 1, false},
    };
    uint8_t hashes[3 * MERKLE_HASH] = {0};
    struct plan_file file = {.level = AUDIT_ENTRIES};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
        if ((plan_check(&file, bundles[i].width, bundles[i].octets, &e) == 0) != bundles[i].good) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
    file.level = 0;
    assert_ok(plan_check(&file, 3, span_of(hashes, sizeof(hashes)), &e), &e);
    assert_err(plan_check(&file, 2, span_of(hashes, sizeof(hashes)), &e), ERR_INPUT, &e);
    assert_err(plan_check(&file, 3, span_of(hashes, sizeof(hashes) - 1), &e), ERR_INPUT, &e);
    assert_err(plan_check(&file, 1, span_of(hashes, 0), &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_follow_from_the_size),
        cmocka_unit_test(large_ones),
        cmocka_unit_test(what_has_the_form_of_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
