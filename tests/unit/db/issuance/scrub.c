/* SPDX-License-Identifier: Apache-2.0 */
/* A comparison that goes on in steps, while certificates are issued and rows are edited. */
#include "db/issuance/scrub.h"

#include <string.h>

#include "base/file.h"
#include "tests/unit/db/issuance/scene.h"

enum { STEPS_MAX = 1000, ENROLMENTS = 40, US = 1000000, TEXT_MAX = 4096, FILE_MAX = 1 << 24 };

struct stepping {
    struct issuance_scrub *s;
    struct issuance_step step;
};

static int
do_step(struct store_db *db, void *arg, struct err *e)
{
    struct stepping *x = arg;

    return issuance_scrub_step(db, x->s, &x->step, e);
}

static int
do_store(struct store_db *db, void *arg, struct err *e)
{
    return issuance_scrub_store(db, arg, e);
}

static int
do_load(struct store_db *db, void *arg, struct err *e)
{
    return issuance_scrub_load(db, arg, e);
}

struct deciding {
    struct issuance_scrub *s;
    int64_t n;
};

static int
do_decided(struct store_db *db, void *arg, struct err *e)
{
    struct deciding *d = arg;

    return issuance_scrub_decided(db, d->s, &d->n, e);
}

static int
do_sql(struct store_db *db, void *arg, struct err *e)
{
    assert_ok(store_exec(db, "PRAGMA defer_foreign_keys = ON", STORE_NO_VALUES, e), e);
    return store_exec(db, arg, STORE_NO_VALUES, e);
}

static void
sql(struct scene *s, const char *text)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_sql, (void *)(uintptr_t)text, &e), &e);
}

/* One leaf or row; whether the pass is over. */
static bool
step(struct scene *s, struct issuance_scrub *at)
{
    struct stepping x = {.s = at, .step = {.max = 1, .max_us = US, .now = NOW}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_step, &x, &e), &e);
    assert_int_equal(x.step.seen, x.step.ended ? 0 : 1); /* nothing is sealed here */
    return x.step.ended;
}

/* How many steps until it is over; -1 with what was found. */
static int
walk(struct scene *s, struct issuance_scrub *at, struct err *found)
{
    for (int n = 1; n < STEPS_MAX; n++) {
        struct stepping x = {.s = at, .step = {.max = 1, .max_us = US, .now = NOW}};

        if (verb_call(s->store, do_step, &x, found) != 0) {
            assert_int_equal(found->code, ERR_STALE);
            return -1;
        }
        if (x.step.ended) {
            return n;
        }
    }
    fail_msg("it does not end");
    return 0;
}

static void
enrol(struct scene *s, uint8_t n, const char *registration, const char *nf)
{
    const struct octets o = scene_octets(n);
    struct intend i = scene_nf(&o, registration, span_of(&n, 1));
    struct issue done = {.rid = i.intent.rid, .certificate = scene_certificate_of(i.intent.rid)};
    struct err e = {0};

    i.intent.certificates = ENROLMENTS;
    i.intent.nf_instance = nf;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
}

/* A registration with room. */
static void
make_room(struct scene *s, char id[ISSUANCE_ID_SIZE])
{
    struct registering r = scene_registration(UUID_2, "room", ENROLMENTS);
    struct err e = {0};

    assert_ok(verb_call(s->store, do_register, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    (void)snprintf(id, ISSUANCE_ID_SIZE, "%s", r.row.id);
    issuance_registration_free(&r.row);
}

static void
a_pass_is_right_while_rows_are_added_and_changed(void **state)
{
    struct scene *s = *state;
    struct issuance_scrub at = {0};
    struct deciding decided = {.s = &at};
    char id[ISSUANCE_ID_SIZE];
    struct err e = {0};
    bool ended = false;
    uint64_t leaves;
    uint8_t n = 0;

    make_room(s, id);
    leaves = scene_leaves(s->store);
    for (int i = 0; !ended; i++) {
        assert_true(i < STEPS_MAX);
        ended = step(s, &at);
        if (n < ENROLMENTS && !ended) {
            const struct octets o = scene_octets(n);
            struct revoking revoke = {.serial = span_of(o.serial, sizeof(o.serial))};

            enrol(s, n, id, UUID_2);
            if (n % 3 == 0) { /* before and behind the place in the order of serial numbers */
                assert_ok(verb_call(s->store, do_revoke, &revoke, &e), &e);
            }
            n++;
        }
    }
    assert_true(n > 10);
    assert_int_equal(at.begun, 0);
    assert_int_equal(at.last.begun, NOW);
    assert_int_equal(at.last.ended, NOW);
    assert_int_equal(at.last.leaves, leaves);
    assert_ok(verb_call(s->store, do_decided, &decided, &e), &e);
    assert_int_equal(decided.n, n);
    leaves = scene_leaves(s->store);
    assert_true(walk(s, &at, &e) > (int)leaves);
    assert_int_equal(at.last.leaves, leaves);
    assert_ok(verb_call(s->store, do_decided, &decided, &e), &e);
    assert_int_equal(decided.n, 0);
    assert_int_equal(scene_leaves(s->store), leaves); /* nothing is recorded of it */
}

static void
a_step_has_an_end(void **state)
{
    struct scene *s = *state;
    struct issuance_scrub at = {0};
    struct stepping x = {.s = &at, .step = {.max = 3, .max_us = US, .now = NOW}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_step, &x, &e), &e);
    assert_int_equal(x.step.seen, 3);
    assert_false(x.step.ended);
    x.step.max_us = 0; /* one in any case */
    assert_ok(verb_call(s->store, do_step, &x, &e), &e);
    assert_int_equal(x.step.seen, 1);
    x.step = (struct issuance_step){.max = STEPS_MAX, .max_us = 3600L * US, .now = NOW};
    assert_ok(verb_call(s->store, do_step, &x, &e), &e);
    assert_true(x.step.ended);
}

struct editing {
    const char *trigger; /* that stands in the way; NULL: none */
    const char *sql;
    int before; /* after so many steps */
    struct err found;
};

/* A pass and another one, with an edit between two steps; and fails, so that everything is as it
 * was. */
static int
do_edited_walk(struct store_db *db, void *arg, struct err *e)
{
    struct editing *x = arg;
    struct issuance_scrub at = {0};
    int passes = 0;

    for (int n = 0; passes < 2; n++) {
        struct issuance_step one = {.max = 1, .max_us = US, .now = NOW};

        if (n == x->before) {
            assert_ok(store_exec(db, "PRAGMA defer_foreign_keys = ON", STORE_NO_VALUES, e), e);
            assert_true(x->trigger == NULL || store_exec(db, x->trigger, STORE_NO_VALUES, e) == 0);
            assert_ok(store_exec(db, x->sql, STORE_NO_VALUES, e), e);
            assert_true(store_changes(db) > 0);
        }
        if (issuance_scrub_step(db, &at, &one, &x->found) != 0) {
            break;
        }
        passes += one.ended ? 1 : 0;
    }
    return err_set(e, ERR_DENIED, "not to be kept");
}

static void
what_is_edited_meanwhile_is_found_by_this_pass_or_the_next(void **state)
{
    static const struct {
        const char *trigger; /* that stands in the way */
        const char *sql;
        const char *says;
        const char *or_says; /* by their number: what is deleted between its leaf and its place */
    } rows[] = {
        {"DROP TRIGGER registration_kept", "DELETE FROM registration", " that ca.db has not",
         "ca.db has 0 rows in registration, and the record 1"},
        {"DROP TRIGGER certificate_kept", "DELETE FROM certificate WHERE nf_instance IS NULL",
         "a certificate", "rows in certificate, and the record 3"},
        {"DROP TRIGGER revocation_kept", "DELETE FROM revocation", "a revocation",
         "ca.db has 0 rows in revocation, and the record 1"},
        {NULL, "UPDATE registration SET used = 0", "was used another number of times", NULL},
        {NULL,
         "INSERT INTO revocation VALUES(x'00112233445566778899aabbccddeeff', 1790000000, 1, 1, "
         "NULL)",
         "rows that the record has not: revocation 00112233445566778899aabbccddeeff", NULL},
        {NULL, "INSERT INTO certificate VALUES(1000, 2, 'z', 'nf-tls', 1, 1, NULL)",
         "rows that the record has not: certificate of request 1000", NULL},
        {NULL,
         "INSERT INTO certificate(rowid, request, leaf, nf_instance, profile, not_after, issued) "
         "VALUES(-5, 1001, 2, 'z', 'nf-tls', 1, 1)",
         "rows that the record has not: certificate of request 1001", NULL},
        {NULL,
         "INSERT INTO request(rid, state, profile, evidence, fail_info, phrase, created, leaf) "
         "VALUES(zeroblob(32), 2, 'x', x'00', 1, 'x', 1, 2)",
         "rows that the record has not: request 00000000", NULL},
        {NULL,
         "INSERT INTO confirmation VALUES(zeroblob(32), (SELECT rid FROM request WHERE state = 1 "
         "LIMIT 1), 1, x'00', 1, 3)",
         "rows that the record has not: confirmation 00000000", NULL},
        {NULL,
         "INSERT INTO revocation_request VALUES(zeroblob(32), (SELECT serial FROM revocation), "
         "x'00', 1, (SELECT max(idx) FROM leaf))",
         "rows that the record has not: revocation_request 00000000", NULL},
        {NULL,
         "INSERT INTO crl(number, this_update, next_update, entries, der) VALUES(7, 1, 2, 0, "
         "x'00')",
         "rows that the record has not: crl 7", NULL},
    };

    const struct octets o = scene_octets(1);
    struct revoking revoke = {.serial = span_of(o.serial, sizeof(o.serial))};
    struct issuance_scrub at = {0};
    struct scene *s = *state;
    struct err e = {0};
    int whole;

    enrol(s, 1, s->id, UUID_1);
    assert_ok(verb_call(s->store, do_revoke, &revoke, &e), &e);
    whole = walk(s, &at, &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int before = 0; before < whole; before++) {
            struct editing x = {.trigger = rows[i].trigger, .sql = rows[i].sql, .before = before};

            assert_err(verb_call(s->store, do_edited_walk, &x, &e), ERR_DENIED, &e);
            if (x.found.code != ERR_STALE ||
                (strstr(x.found.text, rows[i].says) == NULL &&
                 (rows[i].or_says == NULL || strstr(x.found.text, rows[i].or_says) == NULL))) {
                fail_msg("%s after %d of %d: \"%s\"", rows[i].sql, before, whole, x.found.text);
            }
        }
    }
    assert_true(walk(s, &at, &e) > 0); /* nothing of it stayed */
}

struct verifying {
    const char *const *edits;
    size_t n;
    char said[TEXT_MAX];
    struct issuance_figures figures;
};

static void
add(void *arg, const char *what)
{
    struct verifying *v = arg;

    (void)strncat(v->said, what, sizeof(v->said) - strlen(v->said) - 2);
    (void)strncat(v->said, "\n", 2);
}

static int
do_verify(struct store_db *db, void *arg, struct err *e)
{
    struct verifying *v = arg;

    assert_ok(store_exec(db, "PRAGMA defer_foreign_keys = ON", STORE_NO_VALUES, e), e);
    for (size_t i = 0; i < v->n; i++) {
        assert_ok(store_exec(db, v->edits[i], STORE_NO_VALUES, e), e);
    }
    assert_ok(issuance_verify(db, add, v, &v->figures, e), e);
    return err_set(e, ERR_DENIED, "not to be kept");
}

/* A whole comparison goes on behind what it found. */
static void
all_differences_are_told(void **state)
{
    static const char *const edits[] = {
        "DROP TRIGGER registration_kept",
        "DELETE FROM registration",
        "INSERT INTO revocation VALUES(zeroblob(16), 1, 1, 1, NULL)",
        "INSERT INTO revocation VALUES(x'30313233343536373839616263646566', 1, 1, 1, NULL)",
        "UPDATE request SET leaf = 0 WHERE registration IS NOT NULL",
    };
    struct verifying whole = {.n = 0};
    struct verifying edited = {.edits = edits, .n = ARRAY_LEN(edits)};
    struct scene *s = *state;
    struct err e = {0};

    enrol(s, 1, s->id, UUID_1);
    assert_err(verb_call(s->store, do_verify, &whole, &e), ERR_DENIED, &e);
    assert_string_equal(whole.said, "");
    assert_int_equal(whole.figures.differences, 0);
    assert_int_equal(whole.figures.leaves, scene_leaves(s->store));
    assert_int_equal(whole.figures.rows, 7); /* 3 requests and certificates, a registration */
    assert_int_equal(whole.figures.pages, 0);
    assert_err(verb_call(s->store, do_verify, &edited, &e), ERR_DENIED, &e);
    assert_non_null(strstr(edited.said, "leaf 4: "));
    assert_non_null(strstr(edited.said, "0 rows in registration, and the record 1"));
    assert_non_null(strstr(edited.said, "revocation 00000000000000000000000000000000"));
    assert_non_null(strstr(edited.said, "revocation 30313233343536373839616263646566"));
    assert_non_null(strstr(edited.said, "request 01"));
    assert_true(edited.figures.differences >= 5);
}

/* The newest INTENT once more. */
static int
do_repeat(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
    uint64_t index;

    (void)arg;
    if (store_query_one(db, &rows,
                        "SELECT body FROM leaf WHERE kind = 'INTENT' ORDER BY idx DESC LIMIT 1",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    leaf = leaf_parse(row_blob(&rows, 0), e);
    store_end(&rows);
    return leaf == NULL ? -1 : ledger_append(db, leaf, &index, e);
}

/* Each leaf has its row and each row its leaf, and still it is one too many. */
static void
one_row_is_not_what_two_leaves_say(void **state)
{
    struct issuance_scrub at = {0};
    struct scene *s = *state;
    struct err e = {0};

    enrol(s, 1, s->id, UUID_1);
    assert_ok(verb_call(s->store, do_repeat, NULL, &e), &e);
    assert_int_equal(walk(s, &at, &e), -1);
    assert_non_null(strstr(e.text, "ca.db has 3 rows in request, and the record 4"));
}

static void
it_goes_on_where_it_was_stored(void **state)
{
    struct scene *s = *state;
    struct issuance_scrub at = {0};
    struct issuance_scrub whole = {0};
    struct err e = {0};
    int steps = walk(s, &whole, &e);
    int n = 0;

    assert_ok(verb_call(s->store, do_load, &at, &e), &e);
    assert_int_equal(at.begun, 0);
    assert_int_equal(at.last.ended, 0);
    do { /* each step as if the program had been started for it */
        struct issuance_scrub other = {0};

        assert_ok(verb_call(s->store, do_store, &at, &e), &e);
        assert_ok(verb_call(s->store, do_load, &other, &e), &e);
        at = other;
        n++;
    } while (!step(s, &at));
    assert_int_equal(n, steps);
    assert_ok(verb_call(s->store, do_store, &at, &e), &e);
    memset(&at, 0, sizeof(at));
    assert_ok(verb_call(s->store, do_load, &at, &e), &e);
    assert_int_equal(at.last.ended, NOW);
    assert_int_equal(at.last.leaves, scene_leaves(s->store));
}

/* Steps until it is over or finds something, each as if the program had been started for it; how
 * many pages were compared. */
static size_t
walk_pages(struct scene *s, int *steps, bool *over, struct err *found)
{
    size_t seen = 0;

    *steps = 0;
    *over = false;
    while (!*over) {
        struct issuance_scrub at = {0};
        struct stepping x = {.s = &at, .step = {.max = 1, .max_us = US, .now = NOW}};
        bool pages;

        assert_true(*steps < STEPS_MAX);
        if (verb_call(s->store, do_load, &at, found) != 0) {
            return seen;
        }
        pages = at.table == ORIGIN_TABLES;
        if (verb_call(s->store, do_step, &x, found) != 0) {
            return seen;
        }
        assert_ok(verb_call(s->store, do_store, &at, found), found);
        seen += pages ? x.step.seen : 0;
        *steps += pages ? 1 : 0;
        *over = x.step.ended;
    }
    return seen;
}

static int
do_count_pages(struct store_db *db, void *arg, struct err *e)
{
    uint64_t *n = arg;

    (void)e;
    *n = store_pages(db);
    return 0;
}

/* As whoever can write the file: one octet of its last page. */
static void
edit_last_page(const struct scene *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.db", s->dir);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &octets, &e), &e);
    octets.p[octets.n - 1] ^= 1;
    assert_ok(file_write(path, buf_span(&octets), 0600, &e), &e);
}

static void
a_pass_over_pages_goes_on_where_it_was_stored(void **state)
{
    static const uint8_t key[STORE_KEY_SIZE] = {7};
    struct scene *s = *state;
    char id[ISSUANCE_ID_SIZE];
    uint64_t pages = 0;
    struct err e = {0};
    bool over;
    int steps;

    make_room(s, id);
    for (uint8_t n = 0; n < ENROLMENTS; n++) {
        enrol(s, n, id, UUID_2);
    }
    scene_reopen(s, key);
    assert_ok(store_seal(s->store, &e), &e);
    assert_ok(verb_call(s->store, do_count_pages, &pages, &e), &e);
    assert_true(pages > ENROLMENTS);
    assert_true(walk_pages(s, &steps, &over, &e) <= pages);
    assert_true(over);
    assert_true(steps > 3);
    scene_reopen(s, key); /* nothing is in its WAL */
    assert_ok(verb_call(s->store, do_count_pages, &pages, &e), &e);
    assert_true(walk_pages(s, &steps, &over, &e) >= pages - 3); /* but for where the pass is */
    assert_true(over);
    store_free(s->store);
    s->store = NULL;
    edit_last_page(s);
    if (scene_try_reopen(s, key, &e) == 0) {
        (void)walk_pages(s, &steps, &over, &e);
        assert_false(over);
    }
    assert_int_equal(e.code, ERR_STALE);
    assert_non_null(strstr(e.text, "page "));
}

/* Of another program, or of somebody: no place to go on from, and nothing worse. */
static void
what_is_no_position_is_a_beginning(void **state)
{
    static const char *const edits[] = {
        "UPDATE scrub SET position = x''",
        "UPDATE scrub SET position = zeroblob(7)",
        "UPDATE scrub SET position = zeroblob(length(position))",
        "UPDATE scrub SET position = CAST(replace(hex(zeroblob(length(position))), '00', 'x') AS "
        "BLOB)",
        /* the form stays, and nothing else is possible */
        "UPDATE scrub SET position = CAST(substr(position, 1, 8) || replace(hex(zeroblob("
        "length(position) - 8)), '00', 'x') AS BLOB)",
    };
    struct scene *s = *state;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        struct issuance_scrub at = {0};

        for (int n = 0; n < 5; n++) {
            (void)step(s, &at);
        }
        assert_ok(verb_call(s->store, do_store, &at, &e), &e);
        memset(&at, 0, sizeof(at));
        assert_ok(verb_call(s->store, do_load, &at, &e), &e);
        assert_int_equal(at.leaf, 5);
        sql(s, edits[i]);
        assert_ok(verb_call(s->store, do_load, &at, &e), &e);
        if (at.begun != 0 || at.leaf != 0) {
            fail_msg("%s", edits[i]);
        }
        assert_true(walk(s, &at, &e) > 0);
    }
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_pass_is_right_while_rows_are_added_and_changed),
        SCENE(a_step_has_an_end),
        SCENE(what_is_edited_meanwhile_is_found_by_this_pass_or_the_next),
        SCENE(all_differences_are_told),
        SCENE(one_row_is_not_what_two_leaves_say),
        SCENE(it_goes_on_where_it_was_stored),
        SCENE(a_pass_over_pages_goes_on_where_it_was_stored),
        SCENE(what_is_no_position_is_a_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
