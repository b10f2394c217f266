/* SPDX-License-Identifier: Apache-2.0 */
/* Who can write the file of the CA of world.h. */
#include <sqlite3.h>
#include <string.h>

#include "db/ledger/ledger.h"
#include "tests/unit/ca/daemon/world.h"

enum { SEPARATOR = '\f' };
#define SEPARATORS "\f"

static sqlite3 *
open_db(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
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
    sqlite3 *db;
    char *rest;
    char *one;

    if (w->triggers == NULL) {
        return;
    }
    all = mem_strdup(w->triggers);
    db = open_db(w);
    rest = all;
    while ((one = strsep(&rest, SEPARATORS)) != NULL) {
        (void)sqlite3_exec(db, one, NULL, NULL, NULL); /* the others are there */
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void
world_edit(struct world *w, const char *sql)
{
    sqlite3 *db = open_db(w);
    char *text = NULL;

    if (w->triggers == NULL) {
        w->triggers = triggers_of(db);
    }

    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int
world_leaves(const struct world *w, const char *kind, const char *part, const char *other)
{
    sqlite3 *db = open_db(w);
    sqlite3_stmt *statement = NULL;
    int n;

    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM leaf WHERE kind = ?1 AND "
                                        "instr(CAST(body AS TEXT), ?2) > 0 AND "
                                        "instr(CAST(body AS TEXT), ?3) > 0",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 2, part, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 3, other, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return n;
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
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    const struct store_options options = {.path = path,
                                          .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
                                          .schemas = {ledger_migrations, issuance_migrations}};
    struct err e = {0};
    struct store *store = store_open(&options, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(store_call(store, op, &e), &e);
    store_free(store);
}

void
world_intend(const struct world *w, const struct issuance_intent *intent)
{
    struct forged f = {.op = {.run = run_forge}, .intent = *intent};

    world_call(w, &f.op);
}
