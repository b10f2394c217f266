/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ca --restore with a database that somebody edited: what it takes over would get a seal. */
#include <string.h>
#include <unistd.h>

#include "tests/unit/ca/restore/scene.h"

#define NOT_BELIEVED "/ca.db is not believed: move it away, and keep it, to restore without it: "
#define FAILED "the database failed, stop and look: "

static void
what_was_edited_is_not_taken_over(void **state)
{
    static const struct {
        const char *name;
        const char *sql;
        const char *says;
    } rows[] = {
        {"a column that no leaf has", "UPDATE journal SET again = again + 1",
         NOT_BELIEVED FAILED "ca.db: journal "},
        {"a row that no leaf has", "INSERT INTO public_key VALUES(zeroblob(32), 'x')",
         NOT_BELIEVED FAILED "ca.db: public_key "},
        {"a row is missing", "DELETE FROM setting", NOT_BELIEVED FAILED "ca.db: setting "},
        {"a trigger that is not ours",
         "CREATE TRIGGER more AFTER INSERT ON request BEGIN UPDATE journal SET again = 1; END",
         NOT_BELIEVED "ca.db was edited: trigger more: not ours"},
        {"a trigger of ours is missing", "DROP TRIGGER registration_kept",
         NOT_BELIEVED "ca.db was edited: trigger registration_kept: missing"},
        {"seals of another key", "UPDATE seal_head SET key_id = zeroblob(32)", NOT_BELIEVED},
        {"no seals at all", "DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head",
         NOT_BELIEVED "its rows have no seals, and by the ledger they have"},
    };
    static const char *const none[] = {NULL};
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *database = scene_path(s, "state/ca.db");
    CLEANUP(buf_free) struct buf plan = BUF_INIT(OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(OUTPUT_MAX);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scene_lose_the_day(s);
        world_edit(s->w, rows[i].sql);
        scene_is_refused(s->w, rows[i].name, none, rows[i].says);
    }
    /* All of it comes back from the leaves. */
    assert_int_equal(unlink(database), 0);
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
