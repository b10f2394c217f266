/* SPDX-License-Identifier: Apache-2.0 */
/* Who can write the file of the CA of world.h. */
#include <sqlite3.h>
#include <string.h>

#include "db/issuance/seals.h"
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

struct calling {
    struct store_op op;
    enum sealed_state state;
};

static int
run_open(struct store_op *op, struct store_db *db, struct err *e)
{
    return sealed_open(db, &CONTAINER_OF(op, struct calling, op)->state, e);
}

static int
run_seal(struct store_op *op, struct store_db *db, struct err *e)
{
    uint64_t rows;

    (void)op;
    return sealed_begin(db, &rows, e);
}

/* With the seals that the daemon has; `op` NULL: all rows get them. */
static void
call(const struct world *w, struct store_op *op)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    const struct sealed_options sealing = {.file = "ca.db",
                                           .program = "nfpki-ca",
                                           .token = "the world",
                                           .key = span_of(w->seal_key, sizeof(w->seal_key)),
                                           .tables = issuance_tables,
                                           .n = ISSUANCE_TABLES,
                                           .leaves = ledger_size};
    struct store_options options = {.path = path,
                                    .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
                                    .schemas = {ledger_migrations, issuance_migrations},
                                    .settle = sealed_settle};
    struct calling opening = {.op.run = run_open};
    struct store_op seal = {.run = run_seal};
    struct err e = {0};
    CLEANUP(sealed_cleanup) struct sealed *sealed = sealed_new(&sealing, &e);
    struct store *store;

    assert_non_null(sealed);
    options.context = sealed;
    store = store_open(&options, &e);
    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(store_call(store, &opening.op, &e), &e);
    assert_true(opening.state == SEALED_NOT_YET || (op != NULL && opening.state == SEALED_ON));
    assert_ok(store_call(store, op == NULL ? &seal : op, &e), &e);
    store_free(store);
}

void
world_call(const struct world *w, struct store_op *op)
{
    call(w, op);
}

static bool
is_sealed(const struct world *w)
{
    sqlite3 *db = open_db(w);
    sqlite3_stmt *statement = NULL;
    bool sealed;

    assert_int_equal(sqlite3_prepare_v2(db, "SELECT 1 FROM seal_head", -1, &statement, NULL),
                     SQLITE_OK);
    sealed = sqlite3_step(statement) == SQLITE_ROW;
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return sealed;
}

void
world_edit_as_ca(struct world *w, const char *sql)
{
    const bool sealed = is_sealed(w);

    world_edit(w, sql);
    world_edit(w, "DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head");
    if (sealed) {
        call(w, NULL);
    }
}

void
world_intend(const struct world *w, const struct issuance_intent *intent)
{
    struct forged f = {.op = {.run = run_forge}, .intent = *intent};

    world_call(w, &f.op);
}
