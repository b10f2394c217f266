/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ca --restore with a database that somebody edited: what it takes over would get a seal. */
#include <string.h>
#include <unistd.h>

#include "db/ledger/ledger.h"
#include "tests/unit/ca/restore/scene.h"

#define NOT_BELIEVED "/ca.db is not believed: move it away, and keep it, to restore without it: "
#define LEFT "what is left of the database: move it away to restore without it: "
#define EDITED " is not what its seal says: it was edited, or put back"

static void
take_seals(struct world *w, const char *sql)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db-seal", w->dir);

    (void)sql;
    assert_int_equal(unlink(path), 0);
}

static int
run_write(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)op;
    return store_exec(db, "UPDATE journal SET again = again + 1", STORE_NO_VALUES, e);
}

static void
seal_with_another_key(struct world *w, const char *sql)
{
    static const uint8_t key[STORE_KEY_SIZE] = {1};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    const struct store_options options = {.path = path,
                                          .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
                                          .schemas = {ledger_migrations, issuance_migrations},
                                          .seal_key = span_of(key, sizeof(key))};
    struct store_op write = {.run = run_write};
    struct err e = {0};
    struct store *store;

    take_seals(w, sql);
    store = store_open(&options, &e);
    assert_non_null(store);
    assert_ok(store_seal(store, &e), &e);
    assert_ok(store_call(store, &write, &e), &e); /* with the first write behind it */
    store_free(store);
}

static void
what_was_edited_is_not_taken_over(void **state)
{
    static const struct {
        const char *name;
        void (*edit)(struct world *, const char *sql);
        const char *sql;
        const char *says;
    } rows[] = {
        {"a column that no leaf has", world_edit, "UPDATE journal SET again = again + 1",
         NOT_BELIEVED},
        {"and what is wrong with it", world_edit, "UPDATE journal SET again = again + 1", EDITED},
        {"a row that no leaf has", world_edit, "INSERT INTO public_key VALUES(zeroblob(32), 'x')",
         EDITED},
        {"a row is missing", world_edit, "DELETE FROM setting", EDITED},
        {"the schema", world_edit, "DROP TRIGGER registration_kept", LEFT},
        {"a trigger that is not ours", world_edit_as_ca,
         "CREATE TRIGGER more AFTER INSERT ON request BEGIN UPDATE journal SET again = 1; END",
         NOT_BELIEVED "ca.db was edited: trigger more: not ours"},
        {"a trigger of ours is missing", world_edit_as_ca, "DROP TRIGGER registration_kept",
         NOT_BELIEVED "ca.db was edited: trigger registration_kept: missing"},
        {"seals of another key", seal_with_another_key, "", "it is sealed under another key"},
        {"no seals at all", take_seals, "",
         NOT_BELIEVED "it has no seals, and by the ledger it has"},
    };
    static const char *const none[] = {NULL};
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *database = scene_path(s, "state/ca.db");
    CLEANUP(buf_free) struct buf plan = BUF_INIT(OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(OUTPUT_MAX);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scene_lose_the_day(s);
        rows[i].edit(s->w, rows[i].sql);
        scene_is_refused(s->w, rows[i].name, none, rows[i].says);
    }
    scene_lose_the_day(s);
    assert_int_equal(unlink(database), 0);
    scene_is_refused(s->w, "seals alone", none, "/ca.db: move it away, too");
    /* All of it comes back from the leaves. */
    take_seals(s->w, "");
    if (scene_restore(s->w, none, &plan, &said) != 0) {
        fail_msg("no plan: %s", (const char *)said.p);
    }
    assert_non_null(strstr((const char *)plan.p, "\"leaves\": 0"));
}

/* Whoever can write it has no moment between what was looked at and its seals. */
static void
the_copy_is_not_closed_before_it_is_sealed(void **state)
{
    struct scene *s = *state;
    CLEANUP(buf_free) struct buf compared = BUF_INIT(VERIFY_OUTPUT_MAX);

    scene_lose_the_day(s);
    s->w->once = "/ca.db.restore";
    scene_approve(s);
    s->w->once = NULL;
    if (world_verify(s->w, s->w->dir, &compared) != 0) {
        fail_msg("%s", (const char *)compared.p);
    }
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

/* As at a start: nobody could tell what was before what, unless the entry says so. */
static void
a_clock_that_is_behind_the_last_leaf_is_refused_or_said(void **state)
{
    static const char *const none[] = {NULL};
    struct scene *s = *state;

    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    s->w->clock = "+1h"; /* it was ahead */
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
    s->w->clock = NULL;
    copy_parts(s->yesterday, s->w->dir, STATE);
    scene_is_refused(s->w, "behind", none, "s behind the last leaf: set it right, or wait");
    world_configure(s->w, "renewal_window = 0\nclock_set_back = true\n");
    scene_approve(s);
    assert_int_equal(world_leaves(s->w, "RESTORED", "\"clockSetBack\":\"", ""), 1);
    world_configure(s->w, "renewal_window = 0\n");
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_edited_is_not_taken_over),
        cmocka_unit_test(the_copy_is_not_closed_before_it_is_sealed),
        cmocka_unit_test(a_clock_that_is_behind_the_last_leaf_is_refused_or_said),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
