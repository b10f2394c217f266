/* SPDX-License-Identifier: Apache-2.0 */
/* A state from before is sealed once, when all of it agrees with its record. */
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

static const uint8_t KEY[SEALED_KEY_SIZE] = {7};

static int
do_seal(struct store_db *db, void *arg, struct err *e)
{
    return issuance_seal(db, NOW, arg, e);
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static int
do_scrub(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(sealed_cursor_free) struct sealed_cursor cursor = {0};
    bool over;

    return sealed_scrub(db, &cursor, SIZE_MAX, arg, &over, e);
}

static int
do_sql(struct store_db *db, void *arg, struct err *e)
{
    return store_exec(db, arg, STORE_NO_VALUES, e);
}

static void
sql(const struct scene *s, const char *text)
{
    struct err e = {0};
    union {
        const char *in;
        void *out;
    } constant = {.in = text};

    assert_ok(verb_call(s->store, do_sql, constant.out, &e), &e);
}

static void
what_agrees_with_its_record_is_sealed(void **state)
{
    struct scene *s = *state;
    enum sealed_state sealed;
    uint64_t rows = 0;
    size_t seen = 0;
    struct err e = {0};

    assert_ok(scene_reopen(s, KEY, &sealed, &e), &e);
    assert_int_equal(sealed, SEALED_NOT_YET);
    assert_ok(verb_call(s->store, do_seal, &rows, &e), &e);
    assert_int_equal(rows, 7); /* a registration; two requests, their certificates and keys */
    assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
    assert_ok(scene_reopen(s, KEY, &sealed, &e), &e);
    assert_int_equal(sealed, SEALED_ON);
    assert_ok(verb_call(s->store, do_scrub, &seen, &e), &e);
    assert_int_equal(seen, 14);
    assert_err(verb_call(s->store, do_seal, &rows, &e), ERR_CONFLICT, &e);
}

static void
what_was_edited_before_is_not_sealed(void **state)
{
    struct scene *s = *state;
    enum sealed_state sealed;
    uint64_t rows;
    uint64_t leaves;
    struct err e = {0};

    sql(s, "UPDATE registration SET used = 1");
    assert_ok(scene_reopen(s, KEY, &sealed, &e), &e);
    leaves = scene_leaves(s->store);
    assert_int_equal(verb_call(s->store, do_seal, &rows, &e), -1);
    assert_non_null(strstr(e.text, "was used another number of times"));
    assert_int_equal(scene_leaves(s->store), leaves);
    assert_ok(scene_reopen(s, KEY, &sealed, &e), &e);
    assert_int_equal(sealed, SEALED_NOT_YET);
}

static void
who_deletes_all_seals_does_not_get_new_ones(void **state)
{
    struct scene *s = *state;
    enum sealed_state sealed;
    uint64_t rows;
    struct err e = {0};

    assert_ok(scene_reopen(s, KEY, &sealed, &e), &e);
    assert_ok(verb_call(s->store, do_seal, &rows, &e), &e);
    store_free(s->store);
    s->store = scene_open(s->dir); /* somebody else */
    sql(s, "DELETE FROM seal");
    sql(s, "DELETE FROM seal_bucket");
    sql(s, "DELETE FROM seal_head");
    for (int i = 0; i < 2; i++) {
        assert_ok(scene_reopen(s, i == 0 ? KEY : NULL, &sealed, &e), &e);
        assert_int_equal(sealed, i == 0 ? SEALED_NOT_YET : SEALED_NO_KEY);
        assert_err(verb_call(s->store, do_check, NULL, &e), ERR_STALE, &e);
        assert_non_null(strstr(e.text,
                               "leaf 5: the record says that rows are sealed, and ca.db has "
                               "no seals: they were deleted"));
        if (i == 0) {
            assert_err(verb_call(s->store, do_seal, &rows, &e), ERR_STALE, &e);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_agrees_with_its_record_is_sealed, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_was_edited_before_is_not_sealed, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(who_deletes_all_seals_does_not_get_new_ones, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
