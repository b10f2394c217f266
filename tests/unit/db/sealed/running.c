/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that change, and changes that were not said. */
#include <stdlib.h>
#include <string.h>

#include "db/sealed/context.h"
#include "db/store/batch.h"
#include "tests/support/test.h"
#include "tests/unit/db/sealed/scene.h"

static const char set_number[] = "UPDATE thing SET number = ?2 WHERE id = ?1";

struct part {
    struct verb *verb;
    bool fails;
};

static int
run_part(void *arg, struct store_db *db, struct err *e)
{
    const struct part *p = arg;

    if (sealed_change(db, p->verb->table, &p->verb->key, 1, e) != 0 ||
        store_exec(db, p->verb->sql, STORE_VALUES(p->verb->key, store_int(p->verb->number)), e) !=
            0) {
        return -1;
    }
    return p->fails ? err_set(e, ERR_DENIED, "not to be") : 0;
}

/* One part that fails, and one that does not, of the same row. */
static int
do_parts(struct verb *verb, struct store_db *db, struct err *e)
{
    struct part fails = {verb, true};
    struct part succeeds = {verb, false};
    const struct store_value key = verb->key;

    if (store_part(db, run_part, &fails, e) == 0 ||
        sealed_row(db, verb->table, &key, 1, &verb->found, e) != 0) {
        return -1;
    }
    return store_part(db, run_part, &succeeds, e);
}

static void
what_is_rolled_back_is_not_sealed(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    size_t seen;
    bool found;

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    for (int fails = 0; fails < 2; fails++) {
        struct verb verb = {.run = do_parts,
                            .table = &scene_thing,
                            .key = store_text("a"),
                            .sql = set_number,
                            .number = 10 + fails,
                            .fails = fails == 1};
        struct verb insert = {.run = do_parts,
                              .table = &scene_thing,
                              .key = store_text("new"),
                              .sql = "INSERT INTO thing VALUES(?1, 'A', ?2, NULL, NULL, NULL)",
                              .fails = fails == 0};

        assert_int_equal(scene_do(&s, &verb, &e), fails == 1 ? -1 : 0);
        assert_true(verb.found);
        assert_int_equal(scene_do(&s, &insert, &e), fails == 0 ? -1 : 0);
        assert_false(insert.found);
        assert_ok(scene_row(&s, &scene_thing, store_text("new"), &found, &e), &e);
        assert_int_equal(found, fails == 1);
    }
    assert_ok(scene_scrub(&s, 100, &seen, &e), &e);
    assert_int_equal(seen, 20);
    scene_close(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 100, &seen, &e), &e);
    scene_end(&s);
}

static void
a_row_that_is_deleted_has_no_seal_any_more(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    size_t seen;
    bool found;

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    assert_ok(scene_change(&s, &scene_note, store_int(3),
                           "DELETE FROM note WHERE number = ?1 AND ?2 = 0", 0, &e),
              &e);
    assert_ok(scene_change(&s, &scene_name, store_blob(SPAN_LITERAL("\x01")),
                           "DELETE FROM name WHERE name = ?1 AND ?2 = 0", 0, &e),
              &e);
    assert_ok(scene_row(&s, &scene_name, store_blob(SPAN_LITERAL("\x01")), &found, &e), &e);
    assert_false(found);
    assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("A"), &e), &e);
    scene_close(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 100, &seen, &e), &e);
    assert_int_equal(seen, 14);
    /* And it may come again. */
    assert_ok(scene_change(&s, &scene_name, store_blob(SPAN_LITERAL("\x01")),
                           "INSERT INTO name VALUES(?1, iif(?2 = 0, 'A', 'B'))", 0, &e),
              &e);
    scene_close(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 100, &seen, &e), &e);
    assert_int_equal(seen, 16);
    scene_end(&s);
}

/* In the program itself, by what does not say what it changes: what comes from elsewhere never gets
 * here (tests/unit/db/store/pages.c). Behind each the row is asked for again. */
static const struct {
    const char *what;
    const char *sql[3]; /* constant, as the store wants it */
    const struct sealed_table *table;
    const char *key;
    const char *says;
} attacks[] = {
    {"edited",
     {"UPDATE thing SET number = 9 WHERE id = 'a'"},
     &scene_thing,
     "a",
     "thing a: edited"},
    {"deleted, which is its own owner",
     {"DELETE FROM name WHERE name = x'01'"},
     &scene_name,
     "\x01",
     "name 01: deleted"},
    {"inserted",
     {"INSERT INTO name VALUES(x'08', 'A')"},
     &scene_name,
     "\x08",
     "name 08: has no seal"},
};

static void
what_is_done_past_the_seals_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        struct scene s = scene_new();
        const struct store_value key = attacks[i].table == &scene_name
                                           ? store_blob(span_of(attacks[i].key, 1))
                                           : store_text(attacks[i].key);
        struct err e = {0};
        bool found;

        scene_fill(&s);
        scene_must_open(&s);
        assert_ok(scene_change(&s, &scene_thing, store_text("a"), set_number, 5, &e), &e);
        assert_ok(scene_change(&s, &scene_name, store_blob(SPAN_LITERAL("\x01")),
                               "UPDATE name SET owner = iif(?2 = 0, 'A', 'C') WHERE name = ?1", 1,
                               &e),
                  &e);
        assert_ok(scene_row(&s, attacks[i].table, key, &found, &e), &e);
        for (size_t k = 0; k < ARRAY_LEN(attacks[i].sql) && attacks[i].sql[k] != NULL; k++) {
            scene_attack_running(&s, attacks[i].sql[k]);
        }
        if (scene_row(&s, attacks[i].table, key, &found, &e) == 0) {
            fail_msg("%s: not found", attacks[i].what);
        }
        if (e.code != ERR_STALE || strstr(e.text, attacks[i].says) == NULL) {
            fail_msg("%s: %s: %s", attacks[i].what, err_code_name(e.code), e.text);
        }
        scene_end(&s);
    }
}

/* Whoever changes a row says so before, and what was not ours before does not become so. */
static void
an_edited_row_is_not_sealed_with_the_next_change(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    bool found;

    (void)state;
    scene_fill(&s);
    scene_attack(&s, "UPDATE thing SET text = 'x' WHERE id = 'a'");
    scene_must_open(&s);
    assert_err(scene_change(&s, &scene_thing, store_text("a"), set_number, 5, &e), ERR_STALE, &e);
    /* Nothing is committed any more, whatever it is. */
    assert_true(store_is_failed(s.store));
    assert_err(scene_row(&s, &scene_thing, store_text("b"), &found, &e), ERR_STALE, &e);
    scene_end(&s);
    /* A deleted one is not made anew. */
    s = scene_new();
    scene_fill(&s);
    scene_attack(&s, "DELETE FROM note WHERE number = 3");
    scene_must_open(&s);
    assert_err(
        scene_change(&s, &scene_note, store_int(3), "INSERT INTO note VALUES(?1, 'a', ?2)", 7, &e),
        ERR_STALE, &e);
    assert_non_null(strstr(e.text, "note 3: was deleted before"));
    scene_end(&s);
}

static void
a_change_that_was_not_said_is_found(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    scene_attack_running(&s, "UPDATE thing SET number = number + 1 WHERE id = 'b'");
    assert_err(scene_owner(&s, SCENE_OWNERS, store_text("B"), &e), ERR_STALE, &e);
    scene_end(&s);
}

struct both {
    struct store_op op;
    bool bad;
};

static int
run_both(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct both *b = CONTAINER_OF(op, struct both, op);
    const struct store_value key = store_text(b->bad ? "a" : "b");
    bool found;

    if (sealed_row(db, &scene_thing, &key, 1, &found, e) != 0) {
        return 0; /* one who does not care */
    }
    return 0;
}

static void
a_violation_that_is_ignored_ends_the_store_nevertheless(void **state)
{
    struct scene s = scene_new();
    struct both bad = {.op.run = run_both, .bad = true};
    struct err e = {0};

    (void)state;
    scene_fill(&s);
    scene_attack(&s, "UPDATE thing SET text = 'x' WHERE id = 'a'");
    scene_must_open(&s);
    assert_err(store_call(s.store, &bad.op, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "thing a: edited"));
    scene_end(&s);
}

/* Changes at random, some of them rolled back; then all of it agrees. */
static void
after_any_changes_all_seals_agree(void **state)
{
    static const char *const changes[] = {
        "INSERT OR IGNORE INTO thing VALUES(?1, char(65 + ?2 % 3), ?2, NULL, NULL, NULL)",
        "UPDATE thing SET number = ?2 WHERE id = ?1",
        "UPDATE thing SET text = CAST(?2 AS TEXT) WHERE id = ?1",
        "UPDATE thing SET bytes = iif(?2 % 2 = 0, NULL, x'01') WHERE id = ?1",
        "DELETE FROM thing WHERE id = ?1 AND ?2 >= 0 AND id NOT IN (SELECT thing FROM note)",
    };
    struct scene s = scene_new();
    struct err e = {0};
    size_t seen;

    (void)state;
    srand(1);
    scene_fill(&s);
    scene_must_open(&s);
    for (int i = 0; i < 600; i++) {
        const char id[] = {(char)('a' + rand() % 12), '\0'};
        struct verb verb = {.run = do_parts,
                            .table = &scene_thing,
                            .key = store_text(id),
                            .sql = changes[rand() % (int)ARRAY_LEN(changes)],
                            .number = rand() % 100,
                            .fails = rand() % 4 == 0};

        assert_int_equal(scene_do(&s, &verb, &e), verb.fails ? -1 : 0);
        if (i % 100 == 99) {
            assert_ok(scene_scrub(&s, 7, &seen, &e), &e);
            scene_close(&s);
            scene_must_open(&s);
        }
    }
    assert_ok(scene_scrub(&s, 7, &seen, &e), &e);
    scene_end(&s);
}

struct step {
    struct store_op op;
    struct sealed_cursor cursor;
    size_t seen;
    bool end;
};

static int
run_scrub_one(struct store_op *op, struct store_db *db, struct err *e)
{
    struct step *s = CONTAINER_OF(op, struct step, op);

    return sealed_scrub(db, &s->cursor, 1, &s->seen, &s->end, e);
}

/* One owner's rows are looked at in many steps; in between they change on both sides of where it
 * is, come and go. */
static void
an_owner_changes_while_it_is_looked_at(void **state)
{
    static const char *const changes[] = {
        "INSERT OR IGNORE INTO note VALUES(?1, 'a', ?2)",
        "UPDATE note SET weight = ?2 WHERE number = ?1",
        "DELETE FROM note WHERE number = ?1 AND ?2 >= 0",
    };
    struct scene s = scene_new();
    struct step step = {.op.run = run_scrub_one};
    struct err e = {0};
    size_t steps = 0;

    (void)state;
    srand(2);
    scene_fill(&s);
    scene_must_open(&s);
    for (int i = 0; i < 60; i++) {
        assert_ok(scene_change(&s, &scene_note, store_int(i + 10), changes[0], i, &e), &e);
    }
    for (int passes = 0; passes < 4; passes += step.end ? 1 : 0) {
        assert_ok(store_call(s.store, &step.op, &e), &e);
        assert_in_range(step.seen, 0, 1);
        assert_ok(scene_change(&s, &scene_note, store_int(10 + rand() % 80),
                               changes[rand() % (int)ARRAY_LEN(changes)], rand() % 100, &e),
                  &e);
        steps++;
    }
    assert_true(steps > 200);
    sealed_cursor_free(&step.cursor);
    scene_end(&s);
}

static int
do_scrub_from_nowhere(struct verb *verb, struct store_db *db, struct err *e)
{
    static const uint8_t octets[SEALED_KEY_OCTETS + 1] = {0xff};
    CLEANUP(sealed_cursor_free)
    struct sealed_cursor cursor = {.rows = verb->number == 0, .key = BUF_INIT(sizeof(octets))};
    size_t seen;
    bool end;

    return buf_set(&cursor.key, span_of(octets, cursor.rows ? 1 : sizeof(octets)), e) != 0
               ? -1
               : sealed_scrub(db, &cursor, 1, &seen, &end, e);
}

static void
a_pass_does_not_go_on_where_nothing_is(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    for (int seals = 0; seals < 2; seals++) {
        struct verb verb = {.run = do_scrub_from_nowhere, .number = seals};

        assert_err(scene_do(&s, &verb, &e), ERR_INPUT, &e);
        assert_non_null(
            strstr(e.text, seals ? "not a position in the seals" : "not a position in "));
    }
    scene_end(&s);
}

/* A number that was free again by the time of the next row. */
static void
a_key_is_given_to_a_row_of_another_owner(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    size_t seen;
    bool found;

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    assert_ok(scene_change(&s, &scene_thing, store_text("moving"),
                           "INSERT INTO thing VALUES(?1, 'A', ?2, NULL, NULL, NULL)", 0, &e),
              &e);
    assert_ok(scene_change(&s, &scene_thing, store_text("moving"),
                           "UPDATE thing SET owner = 'B' WHERE id = ?1 AND ?2 = 0", 0, &e),
              &e);
    for (int starts = 0; starts < 2; starts++) {
        assert_ok(scene_row(&s, &scene_thing, store_text("moving"), &found, &e), &e);
        assert_true(found);
        assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("A"), &e), &e);
        assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("B"), &e), &e);
        assert_ok(scene_scrub(&s, 100, &seen, &e), &e);
        scene_close(&s);
        scene_must_open(&s);
    }
    scene_end(&s);
}

static size_t remembered;

static int
ask_for_many(struct verb *verb, struct store_db *db, struct err *e)
{
    (void)verb;
    for (int i = 0; i < 1000; i++) {
        CLEANUP(mem_cleanup) char *nobody = mem_printf("nobody %d", i);

        if (sealed_owner(db, SCENE_OWNERS, store_text(nobody), e) != 0) {
            return -1;
        }
    }
    if (sealed_owner(db, SCENE_OWNERS, store_text("A"), e) != 0) {
        return -1;
    }
    remembered = sealed_of(db)->owners.n;
    return 0;
}

/* Whom a request is about its sender says. */
static void
who_is_asked_for_and_is_nobody_takes_no_memory(void **state)
{
    struct scene s = scene_new();
    struct verb verb = {.run = ask_for_many};
    struct err e = {0};

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    assert_ok(scene_do(&s, &verb, &e), &e);
    assert_int_equal(remembered, 1);
    scene_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_rolled_back_is_not_sealed),
        cmocka_unit_test(a_row_that_is_deleted_has_no_seal_any_more),
        cmocka_unit_test(what_is_done_past_the_seals_is_found),
        cmocka_unit_test(an_edited_row_is_not_sealed_with_the_next_change),
        cmocka_unit_test(a_change_that_was_not_said_is_found),
        cmocka_unit_test(a_violation_that_is_ignored_ends_the_store_nevertheless),
        cmocka_unit_test(after_any_changes_all_seals_agree),
        cmocka_unit_test(a_key_is_given_to_a_row_of_another_owner),
        cmocka_unit_test(who_is_asked_for_and_is_nobody_takes_no_memory),
        cmocka_unit_test(an_owner_changes_while_it_is_looked_at),
        cmocka_unit_test(a_pass_does_not_go_on_where_nothing_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
