/* SPDX-License-Identifier: Apache-2.0 */
/* A mirror that somebody edited with SQL: what can be told, is, and never is the log blamed. And
 * what only two runs at once can do to each other. */
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/mirror/run.h"
#include "db/ledger/leaf.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/mirror/synthetic.h"

enum { SIZE = 800, LATER = 900 };

static struct synthetic s;

static int
begin(void **state)
{
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};

    (void)state;
    synthetic_begin(&s);
    synthetic_publish(&s, s.dir, SIZE, SYNTHETIC_NEVER);
    assert_ok(mirror_init(s.path, &s.key, true, &e), &e);
    m = mirror_open_writable(s.path, &e);
    assert_ok(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), &e);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    synthetic_end(&s);
    return 0;
}

/* In another copy of the mirror each time; mem_free() its name. */
static char *
edited(const char *sql)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(64 << 20);
    char *path = mem_printf("%s/edited.db", s.base);
    sqlite3 *db = NULL;
    struct err e = {0};

    assert_ok(file_read(s.path, &octets, &e), &e);
    assert_ok(file_write(path, buf_span(&octets), 0600, &e), &e);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return path;
}

static void
assert_reason(const char *sql, const struct err *e, enum err_code code, const char *reason)
{
    if (e->code != code || strstr(e->text, reason) == NULL) {
        fail_msg("%s: %s: %s", sql, err_code_name(e->code), e->text);
    }
}

static void
what_is_no_mirror_any_more_is_not_opened(void **state)
{
    static const struct {
        const char *sql;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"PRAGMA application_id = 1", ERR_DENIED, "is no mirror"},
        {"PRAGMA user_version = 99", ERR_DENIED, "is a mirror of version 99"},
        {"UPDATE kind SET id = 1000 WHERE name = 'STOP'", ERR_DENIED,
         "numbers leaves of kind STOP otherwise"},
        {"DELETE FROM log", ERR_DENIED, "is of no log"},
        {"UPDATE log SET vkey = 'x'", ERR_INPUT, "the log's key"},
        {"UPDATE position SET accepted = 5", ERR_STALE, "was edited: 5 leaves are accepted"},
        {"UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), '800', '801') AS BLOB)",
         ERR_CRYPTO, "the accepted checkpoint"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(mem_cleanup) char *path = edited(rows[i].sql);

        assert_null(mirror_open(path, &e));
        assert_reason(rows[i].sql, &e, rows[i].code, rows[i].reason);
    }
}

static void
a_leaf_that_was_edited_has_no_octets_and_no_proof(void **state)
{
#define TAKE_BUNDLE                                                                                \
    "UPDATE bundle SET (body, octets) = (SELECT body, octets FROM bundle WHERE n = 3) WHERE n = 0"
    static const struct {
        const char *sql;
        uint64_t leaf;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"UPDATE bundle SET octets = -1", 0, ERR_STALE, "bundle 0 was edited"},
        {"UPDATE bundle SET body = x'00'", 0, ERR_STALE, "bundle 0 was edited"},
        {"DELETE FROM bundle WHERE n = 1", 300, ERR_NOTFOUND, "has no bundle 1"},
        {"DELETE FROM tile WHERE level = 0 AND n = 1", 300, ERR_NOTFOUND, "tile 0/1 is missing"},
        {"UPDATE tile SET hashes = x'00' WHERE level = 0", 300, ERR_STALE, "tile 0/1 was edited"},
        {"UPDATE tile SET hashes = substr(hashes, 1, 32)", 300, ERR_STALE, "tile 0/1 was edited"},
        {TAKE_BUNDLE, 100, ERR_STALE, "leaf 100 was edited"},
        {TAKE_BUNDLE, 5, ERR_STALE, "leaf 5 was edited"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(mem_cleanup) char *path = edited(rows[i].sql);
        CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(path, &e);
        struct merkle_proof proof;

        assert_ok(m == NULL ? -1 : 0, &e);
        assert_int_equal(mirror_prove(m, rows[i].leaf, &proof, &e), -1);
        assert_reason(rows[i].sql, &e, rows[i].code, rows[i].reason);
    }
}

static int
told(void *arg, uint64_t index, struct span body, struct err *e)
{
    (void)arg;
    (void)index;
    (void)body;
    (void)e;
    return 0;
}

static void
all_leaves_are_told_but_one_that_was_edited(void **state)
{
    CLEANUP(mem_cleanup) char *path = edited(TAKE_BUNDLE);
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *whole = mirror_open(s.path, &e);
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(path, &e);

    (void)state;
    assert_ok(mirror_each(whole, NULL, told, NULL, &e), &e);
    assert_err(mirror_each(m, NULL, told, NULL, &e), ERR_STALE, &e);
}

/* Octets and hash of another history, which fit each other. */
static void
a_leaf_with_its_hash_that_was_put_there_is_not_under_the_checkpoint(void **state)
{
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/other", s.base);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other.db", s.base);
    CLEANUP(mem_cleanup) char *sql = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    struct err e = {0};
    struct merkle_proof proof;

    (void)state;
    synthetic_publish(&s, dir, SIZE, SIZE - 1);
    assert_ok(mirror_init(other, &s.key, true, &e), &e);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(other, &e);
        CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};

        assert_ok(mirror_run(m, dir, NULL, NULL, &outcome, &e), &e);
    }
    sql =
        mem_printf("ATTACH '%s' AS o; UPDATE bundle SET (body, octets) = (SELECT body, octets "
                   "FROM o.bundle x WHERE x.n = 3) WHERE n = 3; UPDATE tile SET hashes = (SELECT "
                   "hashes FROM o.tile x WHERE x.level = 0 AND x.n = 3) WHERE level = 0 AND n = 3",
                   other);
    path = edited(sql);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(path, &e);

        assert_ok(m == NULL ? -1 : 0, &e);
        assert_int_equal(mirror_prove(m, SIZE - 1, &proof, &e), -1);
        assert_reason("other history", &e, ERR_STALE, "is not under its checkpoint");
    }
}

/* The log is not blamed for it. */
static void
a_run_into_an_edited_mirror_ends_with_what_is_wrong_with_it(void **state)
{
#define FORGET "UPDATE position SET rules = x'', rules_at = 0; "
    static const struct {
        const char *sql;
        const char *reason;
    } rows[] = {
        {"UPDATE position SET edge = x'00'", "does not say where it is"},
        {"UPDATE position SET edge = zeroblob(length(edge))", "its tree is another one"},
        {"UPDATE tile SET hashes = substr(hashes, 1, 64) WHERE level = 1", "was edited"},
        {"UPDATE bundle SET width = 7 WHERE n = 3", "bundle 3 was edited"},
        {"UPDATE tile SET hashes = CAST(hashes || zeroblob(32) AS BLOB) WHERE n = 3",
         "tile 0/3 was edited"},
        {FORGET TAKE_BUNDLE, "leaf 32 was edited"},
        {FORGET "UPDATE bundle SET body = x'00' WHERE n = 1", "bundle 1 was edited"},
        {"INSERT INTO leaf VALUES (850, 1, 1)", "UNIQUE"},
    };

    (void)state;
    synthetic_publish(&s, s.dir, LATER, SYNTHETIC_NEVER);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(mem_cleanup) char *path = edited(rows[i].sql);
        CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(path, &e);
        CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};

        assert_ok(m == NULL ? -1 : 0, &e);
        assert_int_equal(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), -1);
        if (outcome.result != MIRROR_FAILED && outcome.result != MIRROR_BROKEN) {
            fail_msg("%s: %s: %s", rows[i].sql, mirror_result_name(outcome.result), e.text);
        }
        assert_reason(rows[i].sql, &e, e.code, rows[i].reason);
        assert_int_equal(mirror_checkpoint(m)->size, SIZE);
    }
}

/* A checkpoint was seen by a run that was killed; what came later contradicts it. */
/* The checkpoint of this folder was seen by a run that ended before it was accepted. */
static char *
seen_sql(const char *dir)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("%s/checkpoint", dir);
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *hex = NULL;
    CLEANUP(mem_cleanup) char *root = NULL;
    struct checkpoint c;
    struct err e = {0};

    assert_ok(file_read(name, &note, &e), &e);
    assert_ok(checkpoint_open(&s.key, buf_span(&note), &c, &e), &e);
    hex = hex_dup(buf_span(&note));
    root = hex_dup(span_of(c.root.octets, MERKLE_HASH));
    return mem_printf("INSERT INTO checkpoint(size, root, note, seen, source, state) VALUES (%d, "
                      "x'%s', x'%s', 1, 'killed', 'importing')",
                      (int)c.size, root, hex);
}

static void
a_checkpoint_that_was_seen_and_never_accepted_is_not_forgotten(void **state)
{
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/other", s.base);
    CLEANUP(mem_cleanup) char *sql = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    struct err e = {0};

    (void)state;
    synthetic_publish(&s, dir, 850, 820);
    sql = seen_sql(dir);
    path = edited(sql);
    m = mirror_open_writable(path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    synthetic_publish(&s, s.dir, SIZE, SYNTHETIC_NEVER);
    assert_int_equal(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), -1);
    assert_int_equal(outcome.result, MIRROR_ROLLED_BACK);
    mirror_outcome_free(&outcome);
    synthetic_publish(&s, s.dir, 840, SYNTHETIC_NEVER);
    assert_int_equal(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), -1);
    assert_int_equal(outcome.result, MIRROR_ROLLED_BACK);
    mirror_outcome_free(&outcome);
    synthetic_publish(&s, s.dir, LATER, SYNTHETIC_NEVER);
    assert_int_equal(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), -1);
    assert_int_equal(outcome.result, MIRROR_FORK);
    assert_non_null(outcome.evidence);
    assert_reason("fork", &e, ERR_CONFLICT, "of 850 and of 900 leaves");
}

/* It is smaller than one that was seen and never accepted, so it seems to be an old one, though it
 * is none's beginning. */
static void
a_fork_that_looks_like_a_rollback_is_found_when_the_tree_is_there(void **state)
{
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/other", s.base);
    CLEANUP(mem_cleanup) char *sql = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    struct err e = {0};

    (void)state;
    synthetic_publish(&s, s.dir, 870, SYNTHETIC_NEVER);
    sql = seen_sql(s.dir);
    path = edited(sql);
    m = mirror_open_writable(path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    synthetic_publish(&s, s.dir, 840, SYNTHETIC_NEVER); /* this one is its beginning */
    assert_int_equal(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), -1);
    assert_int_equal(outcome.result, MIRROR_ROLLED_BACK);
    mirror_outcome_free(&outcome);
    synthetic_publish(&s, dir, 850, 820);
    assert_int_equal(mirror_run(m, dir, NULL, NULL, &outcome, &e), -1);
    assert_int_equal(outcome.result, MIRROR_ROLLED_BACK);
    mirror_outcome_free(&outcome);
    synthetic_publish(&s, s.dir, LATER, SYNTHETIC_NEVER);
    assert_int_equal(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), -1);
    assert_int_equal(outcome.result, MIRROR_FORK);
    assert_non_null(outcome.evidence);
    assert_reason("fork", &e, ERR_CONFLICT, "of 850 and of 900 leaves");
}

/* Behind a transaction of the first one, the second one does it all. */
static void
overtake(void *arg, uint64_t done, uint64_t size)
{
    struct err e = {0};
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(s.path, &e);
    bool *once = arg;

    (void)done;
    if (!*once) {
        *once = true;
        assert_ok(mirror_run(m, s.dir, NULL, NULL, &outcome, &e), &e);
        assert_int_equal(mirror_checkpoint(m)->size, size);
    }
}

static void
two_runs_at_once_do_not_mix(void **state)
{
    struct err e = {0};
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(s.path, &e);
    bool once = false;

    (void)state;
    synthetic_publish(&s, s.dir, 5000, SYNTHETIC_NEVER);
    assert_int_equal(mirror_run(m, s.dir, overtake, &once, &outcome, &e), -1);
    assert_true(once);
    assert_int_equal(outcome.result, MIRROR_FAILED);
    assert_reason("two runs", &e, ERR_BUSY, "another run imports into it");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define EDITS(test) cmocka_unit_test_setup_teardown(test, begin, end)
        EDITS(what_is_no_mirror_any_more_is_not_opened),
        EDITS(a_leaf_that_was_edited_has_no_octets_and_no_proof),
        EDITS(all_leaves_are_told_but_one_that_was_edited),
        EDITS(a_leaf_with_its_hash_that_was_put_there_is_not_under_the_checkpoint),
        EDITS(a_run_into_an_edited_mirror_ends_with_what_is_wrong_with_it),
        EDITS(a_checkpoint_that_was_seen_and_never_accepted_is_not_forgotten),
        EDITS(a_fork_that_looks_like_a_rollback_is_found_when_the_tree_is_there),
        EDITS(two_runs_at_once_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
