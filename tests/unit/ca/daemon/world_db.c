/* SPDX-License-Identifier: Apache-2.0 */
/* Who can write the file of the CA of world.h. */
#include <string.h>
#include <unistd.h>

#include "db/ledger/ledger.h"
#include "tests/unit/ca/daemon/sealed_db.h"
#include "tests/unit/ca/daemon/world.h"

enum { SEPARATOR = '\f' };
#define SEPARATORS "\f"

static char *
path_of(const struct world *w)
{
    return mem_printf("%s/state/ca.db", w->dir);
}

static struct sealed_db
open_db(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = path_of(w);
    struct sealed_db db;

    sealed_db_open(&db, path, w->seal_key);
    return db;
}

/* Each in a CREATE of its own. */
static char *
triggers_of(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    char *all = mem_strdup("");

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        char *more = mem_printf("%s%s;%c", all, sqlite3_column_text(statement, 0), SEPARATOR);

        mem_free(all);
        all = more;
    }
    (void)sqlite3_finalize(statement);
    return all;
}

void
world_mend_triggers(const struct world *w)
{
    CLEANUP(mem_cleanup) char *all = NULL;
    struct sealed_db db;
    char *rest;
    char *one;

    if (w->triggers == NULL) {
        return;
    }
    all = mem_strdup(w->triggers);
    db = open_db(w);
    rest = all;
    while ((one = strsep(&rest, SEPARATORS)) != NULL) {
        (void)sqlite3_exec(db.sqlite, one, NULL, NULL, NULL); /* the others are there */
    }
    sealed_db_close(&db);
}

static void
edit(struct world *w, sqlite3 *db, const char *sql)
{
    char *text = NULL;

    if (w->triggers == NULL) {
        w->triggers = triggers_of(db);
    }
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }
}

/* After a kill: nobody but who has the key can read its WAL. */
static void
close_in_order(const struct world *w)
{
    CLEANUP(mem_cleanup) char *wal = mem_printf("%s/state/ca.db-wal", w->dir);
    struct sealed_db db;

    if (access(wal, F_OK) == 0) {
        db = open_db(w);
        (void)sqlite3_exec(db.sqlite, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
        sealed_db_close(&db);
    }
}

void
world_edit(struct world *w, const char *sql)
{
    CLEANUP(mem_cleanup) char *path = path_of(w);
    sqlite3 *db = NULL;

    close_in_order(w);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    edit(w, db, sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void
world_edit_as_ca(struct world *w, const char *sql)
{
    struct sealed_db db = open_db(w);

    edit(w, db.sqlite, sql);
    sealed_db_close(&db);
}

static int
count_leaves(const struct world *w, const char *sql, const char *kind, const char *part,
             const char *other)
{
    struct sealed_db db = open_db(w);
    sqlite3_stmt *statement = NULL;
    int n;

    assert_int_equal(sqlite3_prepare_v2(db.sqlite, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 2, part, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 3, other, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    sealed_db_close(&db);
    return n;
}

int
world_leaves(const struct world *w, const char *kind, const char *part, const char *other)
{
    return count_leaves(w,
                        "SELECT count(*) FROM leaf WHERE kind = ?1 AND "
                        "instr(CAST(unpacked(body) AS TEXT), ?2) > 0 AND "
                        "instr(CAST(unpacked(body) AS TEXT), ?3) > 0",
                        kind, part, other);
}

int
world_leaves_when_revoked(const struct world *w, const char *kind, const char *part)
{
    return count_leaves(w,
                        "SELECT count(*) FROM leaf WHERE kind = ?1 AND "
                        "instr(CAST(unpacked(body) AS TEXT), ?2) > 0 AND idx > (SELECT min(idx) "
                        "FROM leaf WHERE kind = ?3 AND "
                        "instr(CAST(unpacked(body) AS TEXT), ?2) > 0)",
                        kind, part, "REVOKED");
}

struct forged {
    struct store_op op;
    struct issuance_intent intent;
};

static int
run_forge(struct store_op *op, struct store_db *db, struct err *e)
{
    enum issuance_outcome outcome;

    if (issuance_intend(db, &CONTAINER_OF(op, struct forged, op)->intent, &outcome, e) != 0) {
        return -1;
    }
    return outcome == ISSUANCE_DONE ? 0
                                    : err_set(e, ERR_DENIED, "%s", issuance_outcome_text(outcome));
}

void
world_call(const struct world *w, struct store_op *op)
{
    CLEANUP(mem_cleanup) char *path = path_of(w);
    const struct store_options options = {.path = path,
                                          .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
                                          .schemas = {ledger_migrations, issuance_migrations},
                                          .seal_key = span_of(w->seal_key, sizeof(w->seal_key))};
    struct err e = {0};
    CLEANUP(store_cleanup) struct store *store = store_open(&options, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(store_call(store, op, &e), &e);
}

void
world_intend(const struct world *w, const struct issuance_intent *intent)
{
    struct forged f = {.op = {.run = run_forge}, .intent = *intent};

    world_call(w, &f.op);
}
