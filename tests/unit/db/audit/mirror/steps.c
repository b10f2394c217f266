/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record with every kind of leaf, taken in piece by piece: it has the rows of one that was taken
 * in at once, whatever the rules had to remember at each place.
 */
#include <string.h>
#include <unistd.h>

#include "base/ossl.h"
#include "db/audit/mirror/run.h"
#include "db/audit/walk.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/mirror/synthetic.h"

enum { LEAVES_MAX = 512 };

static struct history h;
static struct history_told told;
static struct synthetic s;
static struct buf leaves[LEAVES_MAX];
static size_t n_leaves;

static int
collect(void *arg, uint64_t index, const char *file, struct span body, struct err *e)
{
    (void)arg;
    (void)file;
    assert_true(index < LEAVES_MAX);
    leaves[index] = BUF_INIT(LEAF_MAX);
    n_leaves = index + 1;
    return buf_set(&leaves[index], body, e);
}

static struct span
leaf_of(void *arg, uint64_t index)
{
    (void)arg;
    return buf_span(&leaves[index]);
}

static int
setup(void **state)
{
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;

    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    synthetic_begin(&s);
    log = audit_open(h.l.dir, NULL, &e);
    assert_ok(log == NULL ? -1 : audit_walk(log, collect, NULL, &e), &e);
    assert_int_equal(n_leaves, told.size);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_leaves; i++) {
        buf_free(&leaves[i]);
    }
    synthetic_end(&s);
    history_end(&h);
    return 0;
}

/* What is in a table, a line for each row. */
static char *
rows_of(struct mirror *m, const char *table)
{
    CLEANUP(mem_cleanup) char *question = mem_printf("SELECT * FROM %s ORDER BY 1, 2", table);
    CLEANUP(buf_free) struct buf all = BUF_INIT(16 << 20);
    sqlite3_stmt *stmt = NULL;
    struct err e = {0};

    assert_int_equal(sqlite3_prepare_v2(mirror_sqlite(m), question, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const bool octets = sqlite3_column_type(stmt, i) == SQLITE_BLOB;
            const struct span value =
                span_of(sqlite3_column_blob(stmt, i), (size_t)sqlite3_column_bytes(stmt, i));
            CLEANUP(mem_cleanup) char *text = octets ? hex_dup(value) : NULL;

            assert_ok(buf_append(&all, octets ? span_str(text) : value, &e), &e);
            assert_ok(buf_append_str(&all, "|", &e), &e);
        }
        assert_ok(buf_append_str(&all, "\n", &e), &e);
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return mem_printf("%.*s", (int)all.n, (const char *)all.p);
}

static void
assert_same(struct mirror *one, struct mirror *other)
{
    static const char *const tables[] = {
        "leaf",     "bundle",     "tile",    "registration", "allowed",   "cancellation",
        "request",  "repeat",     "refusal", "queue_head",   "approval",  "certificate",
        "name",     "revocation", "crl",     "crl_intent",   "operation", "configuration",
        "ceremony", "signed",     "day",     "adoption",     "gap",       "figure",
        "activity", "command",    "report",  "reported",     "findings",
    };

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        CLEANUP(mem_cleanup) char *a = rows_of(one, tables[i]);
        CLEANUP(mem_cleanup) char *b = rows_of(other, tables[i]);

        if (strcmp(a, b) != 0) {
            fail_msg("%s:\n%.20000s\nand\n%.20000s", tables[i], a, b);
        }
    }
}

static void
run_to(const char *path, uint64_t size)
{
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(path, &e);
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};

    assert_non_null(m);
    synthetic_put(&s, s.dir, size, leaf_of, NULL);
    if (mirror_run(m, s.dir, NULL, NULL, &outcome, &e) != 0) {
        fail_msg("%d leaves: %s", (int)size, e.text);
    }
}

static void
compare_with_whole(const char *path)
{
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(s.dir, &s.key, &e);
    CLEANUP(mirror_cleanup) struct mirror *whole = mirror_of(log, &e);
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(path, &e);

    assert_ok(whole == NULL || m == NULL ? -1 : 0, &e);
    assert_int_equal(mirror_checkpoint(m)->size, told.size);
    assert_same(m, whole);
}

static void
leaf_by_leaf_it_has_the_same_rows(void **state)
{
    struct err e = {0};

    (void)state;
    assert_ok(mirror_init(s.path, &s.key, true, &e), &e);
    for (uint64_t size = 1; size < told.size; size += 1 + size % 3) {
        run_to(s.path, size);
    }
    run_to(s.path, told.size);
    compare_with_whole(s.path);
}

/* Of another version of the program: the leaves that are here are read again. */
static void
a_state_that_cannot_be_used_is_made_again_from_the_leaves(void **state)
{
    static const char *const states[] = {
        "UPDATE position SET rules = x'', rules_at = 0",
        "UPDATE position SET rules = CAST('no JSON' AS BLOB)",
        "UPDATE position SET rules = CAST(replace(CAST(rules AS TEXT), 'twice', 'thrice') AS BLOB)",
        "UPDATE position SET rules = CAST('{\"version\":1}' AS BLOB)",
    };
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/again.db", s.base);
    struct err e = {0};

    (void)state;
    assert_ok(mirror_init(path, &s.key, true, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        CLEANUP(mirror_cleanup) struct mirror *m = NULL;

        run_to(path, 40 * (i + 1));
        m = mirror_open_writable(path, &e);
        assert_non_null(m);
        if (sqlite3_exec(mirror_sqlite(m), states[i], NULL, NULL, NULL) != SQLITE_OK) {
            fail_msg("%s", sqlite3_errmsg(mirror_sqlite(m)));
        }
    }
    run_to(path, told.size);
    compare_with_whole(path);
}

/* The place of the first leaf that has both texts. */
static size_t
find_leaf(const char *one, const char *other)
{
    for (size_t i = 0; i < n_leaves; i++) {
        CLEANUP(mem_cleanup) char *text = mem_printf("%.*s", (int)leaves[i].n, (char *)leaves[i].p);

        if (strstr(text, one) != NULL && strstr(text, other) != NULL) {
            return i;
        }
    }
    fail_msg("no leaf with %s and %s", one, other);
    return 0;
}

/* Behind the others that leaf comes once more, at the time of the last one. */
static void
publish_twice(size_t which)
{
    static const char *const members[] = {"\"time\":\"", "\"notBefore\":\""};
    CLEANUP(mem_cleanup)
    char *text = mem_printf("%.*s", (int)leaves[which].n, (char *)leaves[which].p);
    CLEANUP(mem_cleanup)
    char *last = mem_printf("%.*s", (int)leaves[n_leaves - 1].n, (char *)leaves[n_leaves - 1].p);
    const char *time = strstr(last, members[0]);
    struct err e = {0};

    assert_non_null(time);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        char *at = strstr(text, members[i]);

        if (at != NULL) {
            memcpy(at + strlen(members[i]), time + strlen(members[0]), TIME_TEXT_SIZE - 1);
        }
    }
    leaves[n_leaves] = BUF_INIT(LEAF_MAX);
    assert_ok(buf_append_str(&leaves[n_leaves], text, &e), &e);
    synthetic_put(&s, s.dir, n_leaves + 1, leaf_of, NULL);
    buf_free(&leaves[n_leaves]);
}

/* Else what befalls the certificate would be told of the second one, which does not exist. */
static void
a_second_intent_for_what_was_issued_is_not_taken_in(void **state)
{
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    (void)state;
    publish_twice(find_leaf("\"INTENT\"", "\"officer\""));
    log = audit_open(s.dir, &s.key, &e);
    assert_ok(log == NULL ? -1 : 0, &e);
    assert_err((m = mirror_of(log, &e)) == NULL ? -1 : 0, ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "which was issued before"));
}

static void
what_was_rejected_stays_so_since_then(void **state)
{
    const size_t first = find_leaf("\"REJECTED\"", "\"serial\"");
    struct err e = {0};
    CLEANUP(mem_cleanup) char *wanted = mem_printf("%zu|", first);
    CLEANUP(mem_cleanup) char *rows = NULL;
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    (void)state;
    publish_twice(first);
    log = audit_open(s.dir, &s.key, &e);
    assert_ok(log == NULL ? -1 : 0, &e);
    m = mirror_of(log, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    rows = rows_of(m, "(SELECT rejected, 0 FROM certificates WHERE rejected IS NOT NULL)");
    if (strncmp(rows, wanted, strlen(wanted)) != 0) {
        fail_msg("%s is not %s", rows, wanted);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaf_by_leaf_it_has_the_same_rows),
        cmocka_unit_test(a_second_intent_for_what_was_issued_is_not_taken_in),
        cmocka_unit_test(what_was_rejected_stays_so_since_then),
        cmocka_unit_test(a_state_that_cannot_be_used_is_made_again_from_the_leaves),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
