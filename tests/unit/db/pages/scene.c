/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/pages/scene.h"

#include <string.h>

#include "db/store/connection.h"
#include "tests/support/test.h"

const struct store_migration scene_tables[] = {
    {1, "CREATE TABLE item (n INTEGER PRIMARY KEY, owner INTEGER NOT NULL, text TEXT NOT NULL)"
        " STRICT;"
        "CREATE INDEX item_owner ON item(owner, text);"
        "CREATE TABLE state (k INTEGER PRIMARY KEY, items INTEGER, sum INTEGER) STRICT;"},
    {0, NULL},
};

const uint8_t scene_key[STORE_KEY_SIZE] = {1, 2, 3, 4};

struct store *
scene_open_under(const char *path, const uint8_t *key, struct err *e)
{
    const struct store_options options = {
        .path = path,
        .application = STORE_APPLICATION('t', 'p', 'a', 'g'),
        .schemas = {scene_tables},
        .seal_key = span_of(key, key == NULL ? 0 : STORE_KEY_SIZE),
    };

    return store_open(&options, e);
}

struct store *
scene_open(const char *path, bool key, struct err *e)
{
    return scene_open_under(path, key ? scene_key : NULL, e);
}

struct store *
scene_must_open(const char *path, bool key)
{
    struct err e = {0};
    struct store *store = scene_open(path, key, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

struct ask {
    struct store_op op;
    const char *sql;
    int64_t number;
    uint64_t pages;
    enum store_seal seal;
};

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    return connection_run(db, CONTAINER_OF(op, struct ask, op)->sql, "run", e);
}

int
scene_run(struct store *store, const char *sql, struct err *e)
{
    struct ask ask = {.op.run = run_sql, .sql = sql};

    return store_call(store, &ask.op, e);
}

int
scene_step(struct store *store, struct err *e)
{
    return scene_run(
        store,
        "INSERT INTO item(owner, text) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1"
        "  FROM c WHERE i < 3) SELECT (SELECT count(*) FROM state) % 5, hex(randomblob(100 + 700 *"
        "  (i % 2))) FROM c;"
        "UPDATE item SET text = hex(randomblob(150)) WHERE n % 7 = (SELECT count(*) FROM state) % "
        "7;"
        "DELETE FROM item WHERE n % 11 = (SELECT count(*) FROM state) % 11;"
        "INSERT INTO state SELECT (SELECT count(*) FROM state) + 1, count(*),"
        "  sum(n * length(text) + owner) FROM item;",
        e);
}

static int
run_state(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_exec(db, "PRAGMA shrink_memory", STORE_NO_VALUES, e) != 0 ||
        store_query_one(
            db, &rows,
            "SELECT ifnull(max(k), 0), ifnull((SELECT items = (SELECT count(*) FROM item INDEXED "
            "BY item_owner WHERE owner >= 0) AND sum = (SELECT sum(n * length(text) + owner) FROM "
            "item NOT INDEXED) FROM state ORDER BY k DESC LIMIT 1), 1), count(*) FROM state",
            STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    CONTAINER_OF(op, struct ask, op)->number =
        row_int(&rows, 1) == 1 && row_int(&rows, 0) == row_int(&rows, 2) ? row_int(&rows, 0) : -1;
    return 0;
}

int64_t
scene_state(struct store *store, struct err *e)
{
    struct ask ask = {.op.run = run_state};

    if (store_call(store, &ask.op, e) != 0) {
        return -1;
    }
    if (ask.number < 0) {
        (void)err_set(e, ERR_STORE, "rows of more than one state");
    }
    return ask.number;
}

static int
run_check(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    (void)op;
    if (store_query_one(db, &rows, "PRAGMA integrity_check", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    return strcmp(row_text(&rows, 0), "ok") == 0 ? 0
                                                 : err_set(e, ERR_STORE, "%s", row_text(&rows, 0));
}

int
scene_check(struct store *store, struct err *e)
{
    struct ask ask = {.op.run = run_check};

    return store_call(store, &ask.op, e);
}

static int
run_scrub(struct store_op *op, struct store_db *db, struct err *e)
{
    struct ask *ask = CONTAINER_OF(op, struct ask, op);
    uint64_t page = 0;
    bool end = false;

    ask->pages = 0;
    while (!end) {
        uint64_t seen;

        if (store_scrub(db, &page, 3, &seen, &end, e) != 0) {
            return -1;
        }
        ask->pages += seen;
    }
    return 0;
}

int
scene_scrub(struct store *store, uint64_t *pages, struct err *e)
{
    struct ask ask = {.op.run = run_scrub};
    const int result = store_call(store, &ask.op, e);

    *pages = ask.pages;
    return result;
}

static int
run_seal_state(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)e;
    CONTAINER_OF(op, struct ask, op)->seal = store_seal_state(db);
    return 0;
}

enum store_seal
scene_seal_state(struct store *store)
{
    struct ask ask = {.op.run = run_seal_state};
    struct err e = {0};

    assert_ok(store_call(store, &ask.op, &e), &e);
    return ask.seal;
}
