/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/sealed/scene.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

static const struct store_migration migrations[] = {
    {1, "CREATE TABLE leaf (idx INTEGER PRIMARY KEY) STRICT;"
        "CREATE TABLE thing (id TEXT PRIMARY KEY, owner TEXT, number INTEGER NOT NULL,"
        " bytes BLOB, text TEXT, any ANY) STRICT;"
        "CREATE TABLE note (number INTEGER PRIMARY KEY AUTOINCREMENT, thing TEXT NOT NULL"
        " REFERENCES thing (id), weight INTEGER NOT NULL) STRICT;"
        "CREATE TABLE name (name BLOB PRIMARY KEY, owner TEXT) STRICT, WITHOUT ROWID;"},
    /* As in ca.sql. */
    {2, "CREATE TABLE seal (bucket INTEGER NOT NULL, tbl INTEGER NOT NULL, key BLOB NOT NULL,"
        " leaf INTEGER NOT NULL, mac BLOB NOT NULL CHECK (length(mac) = 32),"
        " PRIMARY KEY (bucket, tbl, key)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE seal_bucket (bucket INTEGER PRIMARY KEY,"
        " nonce BLOB NOT NULL CHECK (length(nonce) = 16),"
        " sum BLOB NOT NULL CHECK (length(sum) = 32)) STRICT;"
        "CREATE TABLE seal_head (one INTEGER PRIMARY KEY CHECK (one = 1),"
        " key_id BLOB NOT NULL CHECK (length(key_id) = 32),"
        " nonce BLOB NOT NULL CHECK (length(nonce) = 16),"
        " sum BLOB NOT NULL CHECK (length(sum) = 32), leaf INTEGER NOT NULL,"
        " rows INTEGER NOT NULL, mac BLOB NOT NULL CHECK (length(mac) = 32)) STRICT;"},
    {0, NULL},
};

static const struct store_migration more[] = {
    {3, "ALTER TABLE thing ADD COLUMN added INTEGER;"},
    {0, NULL},
};

const struct sealed_table scene_thing = {
    .number = 1,
    .name = "thing",
    .keys = 1,
    .owners = SCENE_OWNERS,
    .row = "SELECT owner, * FROM thing WHERE id = ?1",
    .of_owner = "SELECT id FROM thing WHERE owner IS ?1",
    .all = "SELECT id FROM thing ORDER BY id",
    .behind = "SELECT id FROM thing WHERE id > ?1 ORDER BY id",
};

const struct sealed_table scene_note = {
    .number = 2,
    .name = "note",
    .keys = 1,
    .owners = SCENE_OWNERS,
    .row = "SELECT t.owner, n.* FROM note n JOIN thing t ON t.id = n.thing WHERE n.number = ?1",
    .of_owner = "SELECT n.number FROM note n JOIN thing t ON t.id = n.thing WHERE t.owner IS ?1",
    .all = "SELECT number FROM note ORDER BY number",
    .behind = "SELECT number FROM note WHERE number > ?1 ORDER BY number",
};

const struct sealed_table scene_name = {
    .number = 7,
    .name = "name",
    .keys = 1,
    .owners = SCENE_NAMES,
    .by_key = true,
    .row = "SELECT NULL, * FROM name WHERE name = ?1",
    .all = "SELECT name FROM name ORDER BY name",
    .behind = "SELECT name FROM name WHERE name > ?1 ORDER BY name",
};

static const struct sealed_table *const tables[] = {&scene_thing, &scene_note, &scene_name};

static int
count_leaves(struct store_db *db, uint64_t *n, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM leaf", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    *n = (uint64_t)row_int(&rows, 0);
    return 0;
}

struct scene
scene_new(void)
{
    struct scene s = {.dir = tmpdir_new()};

    s.path = mem_printf("%s/a.db", s.dir);
    s.old = mem_printf("%s/old.db", s.dir);
    memset(s.key, 0x5a, sizeof(s.key));
    return s;
}

void
scene_close(struct scene *s)
{
    store_free(s->store);
    sealed_free(s->sealed);
    s->store = NULL;
    s->sealed = NULL;
}

void
scene_end(struct scene *s)
{
    scene_close(s);
    mem_free(s->path);
    mem_free(s->old);
    tmpdir_remove(s->dir);
}

struct opening {
    struct store_op op;
    enum sealed_state state;
};

static int
run_open(struct store_op *op, struct store_db *db, struct err *e)
{
    return sealed_open(db, &CONTAINER_OF(op, struct opening, op)->state, e);
}

int
scene_open(struct scene *s, enum sealed_state *state, struct err *e)
{
    const struct sealed_options sealing = {
        .file = "a.db",
        .program = "scene",
        .token = "the scene",
        .key = s->no_key ? (struct span){0} : span_of(s->key, sizeof(s->key)),
        .tables = tables,
        .n = ARRAY_LEN(tables),
        .leaves = s->no_leaves ? NULL : count_leaves,
    };
    struct store_options options = {
        .path = s->path,
        .application = STORE_APPLICATION('t', 's', 'e', 'a'),
        .schemas = {migrations, s->more > 0 ? more : NULL},
        .settle = sealed_settle,
    };
    struct opening opening = {.op.run = run_open};

    s->sealed = sealed_new(&sealing, e);
    assert_non_null(s->sealed);
    options.context = s->sealed;
    s->store = store_open(&options, e);
    if (s->store == NULL || store_call(s->store, &opening.op, e) != 0) {
        scene_close(s);
        return -1;
    }
    *state = opening.state;
    return 0;
}

void
scene_must_open(struct scene *s)
{
    enum sealed_state state;
    struct err e = {0};

    assert_ok(scene_open(s, &state, &e), &e);
    assert_int_equal(state, SEALED_ON);
}

void
scene_keep(struct scene *s)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    struct err e = {0};

    (void)remove(s->old);
    assert_ok(file_read(s->path, &octets, &e), &e);
    assert_ok(file_create(s->old, buf_span(&octets), 0600, &e), &e);
}

static void
must(int rc, sqlite3 *db, const char *sql)
{
    if (rc != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
}

void
scene_attack(const struct scene *s, const char *sql)
{
    CLEANUP(mem_cleanup) char *attach = mem_printf("ATTACH '%s' AS old", s->old);
    sqlite3 *db = NULL;

    must(sqlite3_open(s->path, &db), db, s->path);
    must(sqlite3_exec(db, attach, NULL, NULL, NULL), db, attach);
    must(sqlite3_exec(db, sql, NULL, NULL, NULL), db, sql);
    (void)sqlite3_close(db);
}

static int
run_verb(struct store_op *op, struct store_db *db, struct err *e)
{
    struct verb *verb = CONTAINER_OF(op, struct verb, op);

    if (verb->run(verb, db, e) != 0) {
        return -1;
    }
    return verb->fails ? err_set(e, ERR_DENIED, "not to be") : 0;
}

int
scene_do(struct scene *s, struct verb *verb, struct err *e)
{
    verb->op = (struct store_op){.run = run_verb};
    return store_call(s->store, &verb->op, e);
}

static int
do_attack(struct verb *verb, struct store_db *db, struct err *e)
{
    return store_exec(db, verb->sql, STORE_NO_VALUES, e);
}

void
scene_attack_running(struct scene *s, const char *sql)
{
    struct verb verb = {.run = do_attack, .sql = sql};
    struct err e = {0};

    assert_ok(scene_do(s, &verb, &e), &e);
}

static int
do_row(struct verb *verb, struct store_db *db, struct err *e)
{
    return sealed_row(db, verb->table, &verb->key, 1, &verb->found, e);
}

int
scene_row(struct scene *s, const struct sealed_table *table, struct store_value key, bool *found,
          struct err *e)
{
    struct verb verb = {.run = do_row, .table = table, .key = key};
    int result = scene_do(s, &verb, e);

    *found = verb.found;
    return result;
}

static int
do_owner(struct verb *verb, struct store_db *db, struct err *e)
{
    return sealed_owner(db, verb->owners, verb->key, e);
}

int
scene_owner(struct scene *s, unsigned owners, struct store_value owner, struct err *e)
{
    struct verb verb = {.run = do_owner, .owners = owners, .key = owner};

    return scene_do(s, &verb, e);
}

static int
do_change(struct verb *verb, struct store_db *db, struct err *e)
{
    if (sealed_change(db, verb->table, &verb->key, 1, e) != 0 ||
        store_exec(db, verb->sql, STORE_VALUES(verb->key, store_int(verb->number)), e) != 0) {
        return -1;
    }
    return store_exec(db, "INSERT INTO leaf DEFAULT VALUES", STORE_NO_VALUES, e);
}

int
scene_change(struct scene *s, const struct sealed_table *table, struct store_value key,
             const char *sql, int64_t number, struct err *e)
{
    struct verb verb = {.run = do_change, .table = table, .key = key, .sql = sql, .number = number};

    return scene_do(s, &verb, e);
}

struct scrubbing {
    struct store_op op;
    struct sealed_cursor cursor;
    size_t max;
    size_t seen;
    bool end;
};

static int
run_scrub(struct store_op *op, struct store_db *db, struct err *e)
{
    struct scrubbing *s = CONTAINER_OF(op, struct scrubbing, op);

    return sealed_scrub(db, &s->cursor, s->max, &s->seen, &s->end, e);
}

int
scene_scrub(struct scene *s, size_t max, size_t *seen, struct err *e)
{
    struct scrubbing scrub = {.op.run = run_scrub, .max = max};
    int result = 0;

    *seen = 0;
    while (result == 0 && !scrub.end) {
        result = store_call(s->store, &scrub.op, e);
        *seen += scrub.seen;
    }
    sealed_cursor_free(&scrub.cursor);
    return result;
}

static int
do_begin(struct verb *verb, struct store_db *db, struct err *e)
{
    uint64_t rows = 0;
    uint64_t counted = 0;

    (void)verb;
    if (store_exec(db, "INSERT INTO leaf DEFAULT VALUES", STORE_NO_VALUES, e) != 0 ||
        sealed_count(db, &counted, e) != 0 || sealed_begin(db, &rows, e) != 0) {
        return -1;
    }
    assert_int_equal(rows, counted);
    return 0;
}

void
scene_fill(struct scene *s)
{
    static const char *const first[] = {
        "INSERT INTO thing VALUES('a', 'A', 1, NULL, 'one', 'ab')",
        "INSERT INTO thing VALUES('b', 'B', 1, x'0102', NULL, 4)",
        "INSERT INTO thing VALUES('c', NULL, 1, x'', '', NULL)",
        "INSERT INTO note(thing, weight) VALUES('a', 5), ('b', 6)",
        "INSERT INTO name VALUES(x'01', 'A'), (x'02', 'B')",
    };
    struct verb begin = {.run = do_begin};
    enum sealed_state state;
    struct err e = {0};

    assert_ok(scene_open(s, &state, &e), &e);
    assert_int_equal(state, SEALED_NOT_YET);
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        scene_attack_running(s, first[i]); /* nothing is sealed yet */
    }
    assert_ok(scene_do(s, &begin, &e), &e);
    scene_close(s);
    scene_keep(s);
    scene_must_open(s);
    assert_ok(scene_change(s, &scene_thing, store_text("a"),
                           "UPDATE thing SET number = ?2 WHERE id = ?1", 2, &e),
              &e);
    assert_ok(
        scene_change(s, &scene_note, store_int(3), "INSERT INTO note VALUES(?1, 'a', ?2)", 7, &e),
        &e);
    assert_ok(scene_change(s, &scene_name, store_blob(SPAN_LITERAL("\x03")),
                           "INSERT INTO name VALUES(?1, iif(?2 = 1, 'A', 'B'))", 1, &e),
              &e);
    scene_close(s);
}
