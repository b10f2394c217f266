/* SPDX-License-Identifier: Apache-2.0 */
/* What the record says of the seals of ca.db. */
#include "db/issuance/sealed.h"

#include "tests/unit/db/issuance/scene.h"

static const uint8_t KEY[STORE_KEY_SIZE] = {7};

static int
do_sealed(struct store_db *db, void *arg, struct err *e)
{
    return issuance_sealed(db, arg, e);
}

static int
do_say(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_sealed_say(db, NOW, e);
}

/* As an earlier version had it. */
static int
do_say_rows(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_SEALED, NOW);

    (void)arg;
    leaf_set_int(leaf, "rows", 7);
    return ledger_append(db, leaf, NULL, e);
}

static void
is(struct scene *s, enum issuance_sealed wanted)
{
    enum issuance_sealed sealed = ISSUANCE_NEVER_SEALED;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_sealed, &sealed, &e), &e);
    assert_int_equal(sealed, wanted);
}

static void
call(struct scene *s, int (*verb)(struct store_db *, void *, struct err *))
{
    struct err e = {0};

    assert_ok(verb_call(s->store, verb, NULL, &e), &e);
}

static void
what_is_sealed_is_said_once(void **state)
{
    struct scene *s = *state;
    struct err e = {0};
    uint64_t leaves;

    scene_reopen(s, KEY);
    assert_int_equal(scene_seal_state(s), STORE_NOT_SEALED);
    assert_ok(store_seal(s->store, &e), &e);
    is(s, ISSUANCE_NEVER_SEALED);
    leaves = scene_leaves(s->store);
    for (int i = 0; i < 3; i++) {
        call(s, do_say);
        is(s, ISSUANCE_PAGES_SEALED);
        assert_int_equal(scene_leaves(s->store), leaves + 1);
        scene_reopen(s, KEY);
        assert_int_equal(scene_seal_state(s), STORE_SEALED);
    }
    call(s, do_pages);
}

static void
rows_that_were_sealed_before_are_not_pages(void **state)
{
    struct scene *s = *state;
    uint64_t leaves;
    struct err e = {0};

    call(s, do_say_rows);
    is(s, ISSUANCE_ROWS_SEALED);
    scene_reopen(s, KEY);
    assert_ok(store_seal(s->store, &e), &e);
    leaves = scene_leaves(s->store);
    call(s, do_say);
    is(s, ISSUANCE_PAGES_SEALED);
    assert_int_equal(scene_leaves(s->store), leaves + 1);
    call(s, do_say_rows); /* whatever the order */
    is(s, ISSUANCE_PAGES_SEALED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_sealed_is_said_once, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(rows_that_were_sealed_before_are_not_pages, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
