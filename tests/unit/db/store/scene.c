/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/store/scene.h"

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

const struct store_migration scene_first[] = {
    {1, "CREATE TABLE item (name TEXT PRIMARY KEY, number INTEGER NOT NULL CHECK (number > 0),"
        " bytes BLOB) STRICT;"},
    {0, NULL},
};

const struct store_migration scene_second[] = {
    {2, "CREATE TABLE note (name TEXT REFERENCES item(name)) STRICT;"
        "CREATE TRIGGER note_stays BEFORE DELETE ON note BEGIN SELECT RAISE(ABORT, 'stays'); END;"},
    {0, NULL},
};

struct scene
scene_new(void)
{
    struct err e = {0};
    struct scene f = {.dir = tmpdir_new()};

    f.path = mem_printf("%s/a.db", f.dir);
    f.tasks = tasks_new(&e);
    assert_non_null(f.tasks);
    return f;
}

void
scene_end(struct scene *f)
{
    tasks_free(f->tasks);
    mem_free(f->path);
    tmpdir_remove(f->dir);
}

struct store *
scene_open(const struct scene *f, struct err *e)
{
    const struct store_options options = {
        .path = f->path,
        .application = SCENE_APPLICATION,
        .schemas = {scene_first, scene_second},
        .finished = f->tasks,
        .integrity_check = true,
    };

    return store_open(&options, e);
}

struct store *
scene_must_open(const struct scene *f)
{
    struct err e = {0};
    struct store *store = scene_open(f, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

int
scene_run_insert(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);

    return store_exec(
        db, "INSERT INTO item(name, number, bytes) VALUES(?, ?, ?)",
        STORE_VALUES(store_text(s->name), store_int(s->number), store_blob(span_of(NULL, 0))), e);
}

static int
run_number(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, s->sql, STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    s->answer = row_int(&rows, 0);
    return 0;
}

int
scene_insert(struct store *store, const char *name, int64_t number, struct err *e)
{
    struct sql_op s = {.op = {.run = scene_run_insert}, .name = name, .number = number};

    return store_call(store, &s.op, e);
}

int64_t
scene_number(struct store *store, const char *sql)
{
    struct sql_op s = {.op = {.run = run_number}, .sql = sql};
    struct err e = {0};

    assert_ok(store_call(store, &s.op, &e), &e);
    return s.answer;
}
