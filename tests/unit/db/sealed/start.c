/* SPDX-License-Identifier: Apache-2.0 */
/* With a key and without, before rows are sealed and after. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/db/sealed/scene.h"

static void
without_a_key_nothing_is_sealed(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    s.no_key = true;
    assert_ok(scene_open(&s, &opened, &e), &e);
    assert_int_equal(opened, SEALED_NO_KEY);
    assert_ok(scene_change(&s, &scene_thing, store_text("a"),
                           "INSERT INTO thing VALUES(?1, 'A', ?2, NULL, NULL, NULL)", 1, &e),
              &e);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    assert_true(found);
    assert_ok(scene_row(&s, &scene_thing, store_text("b"), &found, &e), &e);
    assert_false(found);
    assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("A"), &e), &e);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_int_equal(seen, 0);
    scene_close(&s);
    assert_ok(scene_open(&s, &opened, &e), &e);
    scene_end(&s);
}

static void
a_sealed_database_without_its_key_is_refused(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};

    (void)state;
    scene_fill(&s);
    s.no_key = true;
    assert_err(scene_open(&s, &opened, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "a.db is sealed, and the scene gives no key: it needs the key that "
                                "it was sealed with, see scene(8)");
    s.no_key = false;
    s.key[7] ^= 1;
    assert_err(scene_open(&s, &opened, &e), ERR_DENIED, &e);
    assert_string_equal(e.text,
                        "a.db is sealed under another key than that of the scene: use the token "
                        "that it belongs to, see scene(8)");
    s.key[7] ^= 1;
    scene_must_open(&s);
    scene_end(&s);
}

static int
do_nothing(struct verb *verb, struct store_db *db, struct err *e)
{
    uint64_t rows;

    (void)verb;
    return sealed_begin(db, &rows, e);
}

static void
what_is_sealed_is_not_sealed_again(void **state)
{
    struct scene s = scene_new();
    struct verb verb = {.run = do_nothing};
    enum sealed_state opened;
    struct err e = {0};

    (void)state;
    s.no_key = true;
    assert_ok(scene_open(&s, &opened, &e), &e);
    assert_err(scene_do(&s, &verb, &e), ERR_CONFLICT, &e);
    scene_close(&s);
    s.no_key = false;
    scene_fill(&s);
    scene_must_open(&s);
    assert_err(scene_do(&s, &verb, &e), ERR_CONFLICT, &e);
    scene_end(&s);
}

/* The operation that sealed them failed in its end. */
static void
a_beginning_that_is_rolled_back_was_none(void **state)
{
    struct scene s = scene_new();
    struct verb verb = {.run = do_nothing, .fails = true};
    enum sealed_state opened;
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    assert_ok(scene_open(&s, &opened, &e), &e);
    scene_attack_running(&s, "INSERT INTO thing VALUES('a', 'A', 1, NULL, NULL, NULL)");
    assert_err(scene_do(&s, &verb, &e), ERR_DENIED, &e);
    assert_ok(scene_change(&s, &scene_thing, store_text("b"),
                           "INSERT INTO thing VALUES(?1, 'B', ?2, NULL, NULL, NULL)", 1, &e),
              &e);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    scene_close(&s);
    assert_ok(scene_open(&s, &opened, &e), &e);
    assert_int_equal(opened, SEALED_NOT_YET);
    verb.fails = false;
    assert_ok(scene_do(&s, &verb, &e), &e);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_int_equal(seen, 4);
    scene_close(&s);
    scene_must_open(&s);
    scene_end(&s);
}

static int
do_row_first(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct store_value key = store_text("a");
    bool found;

    (void)op;
    return sealed_row(db, &scene_thing, &key, 1, &found, e);
}

static void
no_row_is_believed_before_the_head_was_looked_at(void **state)
{
    struct scene s = scene_new();
    struct store_op op = {.run = do_row_first};
    const struct sealed_options sealing = {.file = "a.db", .program = "scene", .token = "none"};
    struct err e = {0};
    CLEANUP(sealed_cleanup) struct sealed *sealed = sealed_new(&sealing, &e);
    struct store_options options = {.path = s.path,
                                    .application = STORE_APPLICATION('t', 's', 'e', 'a'),
                                    .context = sealed,
                                    .settle = sealed_settle};
    struct store *store;

    (void)state;
    assert_non_null(sealed);
    store = store_open(&options, &e);
    assert_non_null(store);
    assert_err(store_call(store, &op, &e), ERR_CONFLICT, &e);
    store_free(store);
    scene_end(&s);
}

static void
a_column_can_be_added_to_sealed_rows(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    scene_fill(&s);
    s.more = 1;
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_ok(scene_change(&s, &scene_thing, store_text("a"),
                           "UPDATE thing SET added = ?2 WHERE id = ?1", 4, &e),
              &e);
    scene_close(&s);
    scene_must_open(&s);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    scene_close(&s);
    scene_attack(&s, "UPDATE thing SET added = 5 WHERE id = 'a'");
    scene_must_open(&s);
    assert_err(scene_row(&s, &scene_thing, store_text("a"), &found, &e), ERR_STALE, &e);
    scene_close(&s);
    scene_attack(&s, "UPDATE thing SET added = 4 WHERE id = 'a'; UPDATE thing SET added = 5 WHERE "
                     "id = 'b'");
    scene_must_open(&s);
    assert_err(scene_row(&s, &scene_thing, store_text("b"), &found, &e), ERR_STALE, &e);
    scene_end(&s);
}

/* Where there is no record, too, an older state of some rows is told from a newer one. */
static void
without_a_record_commits_are_counted(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};
    size_t seen;

    (void)state;
    s.no_leaves = true;
    scene_fill(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 3, &seen, &e), &e);
    scene_close(&s);
    scene_attack(&s, "REPLACE INTO seal_head SELECT * FROM old.seal_head");
    assert_err(scene_open(&s, &opened, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "put back to what they were before"));
    scene_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_key_nothing_is_sealed),
        cmocka_unit_test(a_sealed_database_without_its_key_is_refused),
        cmocka_unit_test(what_is_sealed_is_not_sealed_again),
        cmocka_unit_test(a_beginning_that_is_rolled_back_was_none),
        cmocka_unit_test(no_row_is_believed_before_the_head_was_looked_at),
        cmocka_unit_test(a_column_can_be_added_to_sealed_rows),
        cmocka_unit_test(without_a_record_commits_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
