/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/store.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { APPLICATION = STORE_APPLICATION('t', 'e', 's', 't') };

static const struct store_migration first[] = {
    {1, "CREATE TABLE item (name TEXT PRIMARY KEY, number INTEGER NOT NULL CHECK (number > 0),"
        " bytes BLOB) STRICT;"},
    {0, NULL},
};
static const struct store_migration second[] = {
    {2, "CREATE TABLE note (name TEXT REFERENCES item(name)) STRICT;"
        "CREATE TRIGGER note_stays BEFORE DELETE ON note BEGIN SELECT RAISE(ABORT, 'stays'); END;"},
    {0, NULL},
};
static const struct store_migration broken[] = {
    {3, "CREATE TABLE half (a INTEGER) STRICT; CREATE TABLE half (a INTEGER) STRICT;"},
    {0, NULL},
};
static const struct store_migration late[] = {
    {4, "CREATE TABLE late (a INTEGER) STRICT;"},
    {0, NULL},
};

struct fixture {
    char *dir;
    char *path;
    struct tasks *tasks;
};

static struct fixture
set_up(void)
{
    struct err e = {0};
    struct fixture f = {.dir = tmpdir_new()};

    f.path = mem_printf("%s/a.db", f.dir);
    f.tasks = tasks_new(&e);
    assert_non_null(f.tasks);
    return f;
}

static void
tear_down(struct fixture *f)
{
    tasks_free(f->tasks);
    mem_free(f->path);
    tmpdir_remove(f->dir);
}

static struct store *
open_it(const struct fixture *f, struct err *e)
{
    const struct store_options options = {
        .path = f->path,
        .application = APPLICATION,
        .schemas = {first, second},
        .finished = f->tasks,
        .integrity_check = true,
    };

    return store_open(&options, e);
}

static struct store *
must_open(const struct fixture *f)
{
    struct err e = {0};
    struct store *store = open_it(f, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

/* ---- operations ---- */

struct sql_op {
    struct store_op op;
    const char *sql;
    const char *name; /* bound when not NULL */
    int64_t number;
    int64_t answer;
    struct err e;
};

static int
run_insert(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);

    return store_exec(
        db, "INSERT INTO item(name, number, bytes) VALUES(?, ?, ?)",
        STORE_VALUES(store_text(s->name), store_int(s->number), store_blob(span_of(NULL, 0))), e);
}

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);

    return store_exec(db, s->sql, STORE_NO_VALUES, e);
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

static int
insert(struct store *store, const char *name, int64_t number, struct err *e)
{
    struct sql_op s = {.op = {.run = run_insert}, .name = name, .number = number};

    return store_call(store, &s.op, e);
}

static int
execute(struct store *store, const char *sql, struct err *e)
{
    struct sql_op s = {.op = {.run = run_sql}, .sql = sql};

    return store_call(store, &s.op, e);
}

static int64_t
number(struct store *store, const char *sql)
{
    struct sql_op s = {.op = {.run = run_number}, .sql = sql};
    struct err e = {0};

    assert_ok(store_call(store, &s.op, &e), &e);
    return s.answer;
}

/* ---- opening ---- */

static void
a_new_file_is_private_and_has_every_migration(void **state)
{
    struct fixture f = set_up();
    struct store *store = must_open(&f);
    struct stat st;

    (void)state;
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(number(store, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 2);
    assert_int_equal(number(store, "PRAGMA user_version"), 2);
    assert_int_equal(number(store, "PRAGMA synchronous"), 2);
    assert_int_equal(number(store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number(store, "PRAGMA trusted_schema"), 0);
    store_free(store);
    tear_down(&f);
}

static void
what_was_committed_is_there_after_opening_again(void **state)
{
    struct fixture f = set_up();
    struct store *store = must_open(&f);
    struct err e = {0};

    (void)state;
    assert_ok(insert(store, "a", 1, &e), &e);
    store_free(store);
    store = must_open(&f);
    assert_int_equal(number(store, "SELECT number FROM item WHERE name = 'a'"), 1);
    store_free(store);
    tear_down(&f);
}

static void
a_migration_is_added_to_what_is_there(void **state)
{
    struct fixture f = set_up();
    const struct store_options old = {
        .path = f.path, .application = APPLICATION, .schemas = {first}};
    struct err e = {0};
    struct store *store = store_open(&old, &e);

    (void)state;
    assert_non_null(store);
    assert_ok(insert(store, "a", 1, &e), &e);
    assert_int_equal(number(store, "PRAGMA user_version"), 1);
    store_free(store);
    store = must_open(&f);
    assert_int_equal(number(store, "PRAGMA user_version"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM item"), 1);
    store_free(store);
    tear_down(&f);
}

static void
a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
    struct fixture f = set_up();
    const struct store_options options = {
        .path = f.path, .application = APPLICATION, .schemas = {first, second, broken}};
    const struct store_options gap = {
        .path = f.path, .application = APPLICATION, .schemas = {first, second, late}};
    struct store *store;
    struct err e = {0};

    (void)state;
    assert_null(store_open(&options, &e));
    assert_non_null(strstr(e.text, "migration 3"));
    assert_null(store_open(&gap, &e));
    assert_non_null(strstr(e.text, "migration 3 is missing"));
    store = must_open(&f);
    assert_int_equal(number(store, "PRAGMA user_version"), 2);
    assert_int_equal(number(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
    store_free(store);
    tear_down(&f);
}

static void
a_newer_schema_is_refused(void **state)
{
    struct fixture f = set_up();
    const struct store_options old = {
        .path = f.path, .application = APPLICATION, .schemas = {first}};
    struct err e = {0};

    (void)state;
    store_free(must_open(&f));
    assert_null(store_open(&old, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "has schema 2, this program knows up to 1"));
    tear_down(&f);
}

static void
the_database_of_another_program_is_refused(void **state)
{
    struct fixture f = set_up();
    const struct store_options other = {
        .path = f.path,
        .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
        .schemas = {first, second},
    };
    struct err e = {0};

    (void)state;
    store_free(must_open(&f));
    assert_null(store_open(&other, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "another program"));
    tear_down(&f);
}

static void
a_file_that_others_can_read_is_refused(void **state)
{
    struct fixture f = set_up();
    struct err e = {0};

    (void)state;
    store_free(must_open(&f));
    assert_int_equal(chmod(f.path, 0640), 0);
    assert_null(open_it(&f, &e));
    assert_int_equal(e.code, ERR_DENIED);
    tear_down(&f);
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
    struct fixture f = set_up();
    struct err e = {0};
    int fd = open(f.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char text[] = "this is certainly not the beginning of an SQLite database file, "
                               "and it is long enough to have a header of one hundred octets";

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
    (void)close(fd);
    assert_null(open_it(&f, &e));
    assert_int_equal(e.code, ERR_STORE);
    assert_non_null(strstr(e.text, "not a database"));
    tear_down(&f);
}

/* What is at the path of the database instead of one. */
static void
what_is_no_file_of_ours_is_not_opened(void **state)
{
    static const struct {
        const char *name;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"a FIFO", ERR_DENIED, "is not a regular file"},
        {"a folder", ERR_STORE, "open "},
        {"a symbolic link", ERR_STORE, "open "},
        {"no folder above", ERR_STORE, "No such file"},
        {"readable by the group", ERR_DENIED, "can be used by others: chmod 600 it"},
        {"writable by others", ERR_DENIED, "can be used by others: chmod 600 it"},
        {"executable by the group", ERR_DENIED, "can be used by others: chmod 600 it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f = set_up();
        CLEANUP(mem_cleanup) char *target = mem_printf("%s/target", f.dir);
        struct err e = {0};

        switch (i) {
        case 0:
            assert_int_equal(mkfifo(f.path, 0600), 0);
            break;
        case 1:
            assert_int_equal(mkdir(f.path, 0700), 0);
            break;
        case 2:
            assert_int_equal(symlink(target, f.path), 0);
            break;
        case 3:
            mem_free(f.path);
            f.path = mem_printf("%s/nowhere/a.db", f.dir);
            break;
        default:
            store_free(must_open(&f));
            assert_int_equal(chmod(f.path, i == 4 ? 0640 : i == 5 ? 0602 : 0610), 0);
            break;
        }
        if (open_it(&f, &e) != NULL || e.code != rows[i].code ||
            strstr(e.text, rows[i].says) == NULL || strstr(e.text, f.path) == NULL) {
            fail_msg("%s: %s: %s", rows[i].name, err_code_name(e.code), e.text);
        }
        tear_down(&f);
    }
}

/* Whoever can write the file can break it: an integrity check says so before anything is done. */
static void
a_damaged_database_is_refused(void **state)
{
    static const char *const damages[] = {
        "PRAGMA ignore_check_constraints = ON; UPDATE item SET number = 0",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'item'",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        struct fixture f = set_up();
        struct store *store = must_open(&f);
        sqlite3 *raw = NULL;
        struct err e = {0};

        assert_ok(insert(store, "a", 1, &e), &e);
        store_free(store);
        assert_int_equal(sqlite3_open(f.path, &raw), SQLITE_OK);
        assert_int_equal(sqlite3_exec(raw, damages[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(raw), SQLITE_OK);
        if (open_it(&f, &e) != NULL || e.code != ERR_STORE ||
            strstr(e.text, "integrity_check") == NULL) {
            fail_msg("row %zu: %s: %s", i, err_code_name(e.code), e.text);
        }
        tear_down(&f);
    }
}

/* A database that somebody made for another program, without a mark. */
static void
a_database_without_our_mark_is_another_programs(void **state)
{
    struct fixture f = set_up();
    sqlite3 *raw = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(sqlite3_open(f.path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "CREATE TABLE x (a)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    assert_int_equal(chmod(f.path, 0600), 0);
    assert_null(open_it(&f, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "is the database of another program"));
    tear_down(&f);
}

static char *last_synced;

static void
see_sync(enum disk_call call, const char *path)
{
    mem_free(last_synced);
    last_synced = call == DISK_SYNC ? mem_strdup(path) : NULL;
}

static void
the_last_call_of_opening_makes_the_names_durable(void **state)
{
    struct fixture f = set_up();
    struct err e = {0};
    struct store *store;

    (void)state;
    disk_begin(f.dir, see_sync);
    store = must_open(&f);
    assert_non_null(last_synced);
    assert_string_equal(last_synced, f.dir);
    mem_free(last_synced);
    last_synced = NULL;
    disk_begin(f.dir, NULL);
    if (disk_not_durable(NULL) != NULL) {
        fail_msg("%s is not durable", disk_not_durable(NULL));
    }
    assert_ok(insert(store, "a", 1, &e), &e);
    if (disk_not_durable(NULL) != NULL) {
        fail_msg("%s is not durable after a commit", disk_not_durable(NULL));
    }
    disk_end();
    store_free(store);
    tear_down(&f);
}

/* Each call of the disk fails once while a file is opened and written: no success is reported
 * that is not there, and after a failure nothing is accepted. */
static void
a_disk_that_fails_anywhere_loses_nothing_acknowledged(void **state)
{
    bool failed = true;
    size_t n = 0;

    (void)state;
    for (n = 0; failed; n++) {
        struct fixture f = set_up();
        struct err e = {0};
        struct store *store;
        bool inserted = false;

        disk_begin(f.dir, NULL);
        disk_fail(n);
        store = open_it(&f, &e);
        if (store != NULL) {
            inserted = insert(store, "a", 1, &e) == 0;
            if (!inserted) {
                assert_int_equal(e.code, ERR_STORE);
                assert_true(store_is_failed(store));
                assert_err(insert(store, "b", 1, &e), ERR_STORE, &e);
                assert_non_null(strstr(e.text, "an earlier commit failed"));
            }
        }
        failed = disk_has_failed();
        disk_end();
        store_free(store);
        store = must_open(&f);
        if (inserted) {
            assert_int_equal(number(store, "SELECT count(*) FROM item"), 1);
        }
        store_free(store);
        tear_down(&f);
    }
    assert_true(n > 5);
}

static void
a_second_opener_is_told_who_is_in_the_way(void **state)
{
    struct fixture f = set_up();
    struct store *store = must_open(&f);
    struct err e = {0};
    int status = 0;
    pid_t child;

    (void)state;
    assert_null(open_it(&f, &e));
    assert_int_equal(e.code, ERR_BUSY);
    child = fork();
    if (child == 0) {
        char wanted[512];

        (void)snprintf(wanted, sizeof(wanted), "another process has %s open", f.path);
        _exit(open_it(&f, &e) == NULL && e.code == ERR_BUSY && strstr(e.text, wanted) != NULL ? 0
                                                                                              : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_ok(insert(store, "still mine", 1, &e), &e);
    store_free(store);
    tear_down(&f);
}

/* ---- verbs ---- */

static void
constraints_have_their_own_reasons(void **state)
{
    static const struct {
        const char *sql;
        enum err_code code;
    } rows[] = {
        {"INSERT INTO item(name, number) VALUES('a', 2)", ERR_CONFLICT},
        {"INSERT INTO item(rowid, name, number) SELECT rowid, 'b', 1 FROM item", ERR_CONFLICT},
        {"INSERT INTO item(name, number) VALUES('b', 0)", ERR_INPUT},
        {"INSERT INTO item(name, number) VALUES('b', 'text')", ERR_INPUT},
        {"INSERT INTO item(name, number) VALUES('b', NULL)", ERR_INPUT},
        {"INSERT INTO note(name) VALUES('nobody')", ERR_INPUT},
        {"DELETE FROM note", ERR_DENIED},
        {"INSERT INTO nothing VALUES(1)", ERR_STORE},
        {"SELECT \"not a column\" FROM item", ERR_STORE},
    };
    struct fixture f = set_up();
    struct store *store = must_open(&f);
    struct err e = {0};

    (void)state;
    assert_ok(insert(store, "a", 1, &e), &e);
    assert_ok(execute(store, "INSERT INTO note(name) VALUES('a')", &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        e = (struct err){0};
        if (execute(store, rows[i].sql, &e) == 0 || e.code != rows[i].code) {
            fail_msg("%s: %s: %s", rows[i].sql, err_code_name(e.code), e.text);
        }
        assert_non_null(strstr(e.text, f.path));
    }
    assert_false(store_is_failed(store));
    store_free(store);
    tear_down(&f);
}

static int
run_round_trip(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;
    static const uint8_t bytes[] = {0, 1, 0, 255};

    (void)op;
    assert_ok(store_exec(db, "INSERT INTO item(name, number, bytes) VALUES(?, ?, ?)",
                         STORE_VALUES(store_text("x"), store_int(INT64_MAX),
                                      store_blob(span_of(bytes, sizeof(bytes)))),
                         e),
              e);
    assert_int_equal(store_changes(db), 1);
    assert_ok(store_exec(db, "INSERT INTO item(name, number, bytes) VALUES(?, ?, ?)",
                         STORE_VALUES(store_text("y"), store_int(7), store_null()), e),
              e);
    assert_ok(store_query(db, &rows, "SELECT name, number, bytes FROM item ORDER BY name",
                          STORE_NO_VALUES, e),
              e);
    assert_ok(store_next(&rows, &row, e), e);
    assert_true(row);
    assert_string_equal(row_text(&rows, 0), "x");
    assert_true(row_int(&rows, 1) == INT64_MAX);
    assert_true(span_equal(row_blob(&rows, 2), span_of(bytes, sizeof(bytes))));
    assert_ok(store_next(&rows, &row, e), e);
    assert_true(row);
    assert_true(row_is_null(&rows, 2));
    assert_int_equal(row_blob(&rows, 2).n, 0);
    assert_ok(store_next(&rows, &row, e), e);
    assert_false(row);
    store_end(&rows);
    return store_query_one(db, &rows, "SELECT number FROM item WHERE name = ?",
                           STORE_VALUES(store_text("z")), e);
}

static void
values_come_back_as_they_went_in_and_nothing_is_not_found(void **state)
{
    struct fixture f = set_up();
    struct store *store = must_open(&f);
    struct store_op op = {.run = run_round_trip};
    struct err e = {0};

    (void)state;
    assert_err(store_call(store, &op, &e), ERR_NOTFOUND, &e);
    assert_int_equal(number(store, "SELECT count(*) FROM item"), 0); /* it was rolled back */
    store_free(store);
    tear_down(&f);
}

/* What a column must be to be taken. */
static int
run_octets(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);
    CLEANUP(store_end) struct store_rows rows = {0};
    uint8_t out[2] = {0};

    if (store_query_one(db, &rows, s->sql, STORE_NO_VALUES, e) != 0 ||
        row_copy_octets(&rows, 0, out, sizeof(out), e) != 0) {
        return -1;
    }
    s->answer = out[0] << 8 | out[1];
    return 0;
}

static void
octets_are_taken_in_their_length_only(void **state)
{
    static const struct {
        const char *sql;
        const char *says; /* NULL: it is 0x0102 */
    } rows[] = {
        {"SELECT x'0102'", NULL},
        {"SELECT x''", "0 octets where 2 belong"},
        {"SELECT NULL", "0 octets where 2 belong"},
        {"SELECT x'01'", "1 octets where 2 belong"},
        {"SELECT x'010203'", "3 octets where 2 belong"},
    };
    struct fixture f = set_up();
    struct store *store = must_open(&f);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_op s = {.op = {.run = run_octets}, .sql = rows[i].sql};
        struct err e = {0};
        int result = store_call(store, &s.op, &e);

        if (rows[i].says == NULL) {
            assert_ok(result, &e);
            assert_int_equal(s.answer, 0x0102);
        } else if (result == 0 || e.code != ERR_STORE || strstr(e.text, rows[i].says) == NULL ||
                   strstr(e.text, f.path) == NULL) {
            fail_msg("%s: %s", rows[i].sql, e.text);
        }
    }
    store_free(store);
    tear_down(&f);
}

/* ---- groups ---- */

enum { GROUP = 600 };

struct gate {
    struct store_op op;
    pthread_mutex_t lock;
};

/* Holds the writer until everything is submitted: what waits becomes groups of a known size. */
static int
run_gate(struct store_op *op, struct store_db *db, struct err *e)
{
    struct gate *gate = CONTAINER_OF(op, struct gate, op);

    (void)db;
    (void)e;
    (void)pthread_mutex_lock(&gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
    return 0;
}

static size_t n_done;
static size_t n_after;

static void
count_done(struct task *task)
{
    struct store_op *op = CONTAINER_OF(task, struct store_op, task);

    /* after_commit of the whole group came first, and only for those that succeeded. */
    assert_true(op->after_commit == NULL || op->result != 0 || n_after > 0);
    n_done++;
}

static int
after(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);
    CLEANUP(store_end) struct store_rows rows = {0};

    /* In the order of submission, and what was committed is there. */
    assert_ok(store_query_one(db, &rows, "SELECT number FROM item WHERE name = ?",
                              STORE_VALUES(store_text(s->name)), e),
              e);
    n_after++;
    return s->number % 100 == 50 ? err_set(e, ERR_IO, "could not publish") : 0;
}

static void
finish(struct tasks *tasks, size_t n)
{
    while (n_done < n) {
        struct pollfd p = {.fd = tasks_fd(tasks), .events = POLLIN};

        assert_int_equal(poll(&p, 1, -1), 1);
        tasks_finish(tasks);
    }
}

static void
a_group_shares_a_commit_and_a_failure_stays_alone(void **state)
{
    static struct sql_op ops[GROUP];
    static char names[GROUP][16];
    struct fixture f = set_up();
    struct store *store = must_open(&f);
    struct gate gate = {.op = {.run = run_gate, .task = {.done = count_done}}};
    struct store_stats before;
    struct store_stats stats;

    (void)state;
    n_done = 0;
    n_after = 0;
    (void)pthread_mutex_init(&gate.lock, NULL);
    (void)pthread_mutex_lock(&gate.lock);
    before = store_stats_get(store);
    store_submit(store, &gate.op);
    for (size_t i = 0; i < GROUP; i++) {
        /* Every tenth has the name of the one before: a conflict inside the group. */
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i % 10 == 9 ? i - 1 : i);
        ops[i] = (struct sql_op){
            .op = {.run = run_insert, .after_commit = after, .task = {.done = count_done}},
            .name = names[i],
            .number = (int64_t)i + 1,
        };
        store_submit(store, &ops[i].op);
    }
    (void)pthread_mutex_unlock(&gate.lock);
    finish(f.tasks, GROUP + 1);
    for (size_t i = 0; i < GROUP; i++) {
        if (i % 10 == 9) {
            assert_int_equal(ops[i].op.result, -1);
            assert_int_equal(ops[i].op.e.code, ERR_CONFLICT);
        } else if ((i + 1) % 100 == 50) {
            assert_int_equal(ops[i].op.e.code, ERR_IO);
        } else {
            assert_int_equal(ops[i].op.result, 0);
        }
    }
    assert_int_equal(n_after, GROUP - GROUP / 10);
    assert_int_equal(number(store, "SELECT count(*) FROM item"), GROUP - GROUP / 10);
    stats = store_stats_get(store);
    assert_int_equal(stats.ops - before.ops, GROUP + 2);
    assert_int_equal(stats.largest_group, STORE_GROUP_MAX);
    /* The gate alone or with some, then 256 at a time, then the count. */
    assert_in_range(stats.commits - before.commits, 3, 5);
    store_free(store);
    (void)pthread_mutex_destroy(&gate.lock);
    tear_down(&f);
}

static void
freeing_the_store_runs_what_waits(void **state)
{
    static struct sql_op ops[50];
    static char names[50][16];
    struct fixture f = set_up();
    struct store *store = must_open(&f);

    (void)state;
    n_done = 0;
    n_after = 0;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        ops[i] = (struct sql_op){
            .op = {.run = run_insert, .task = {.done = count_done}},
            .name = names[i],
            .number = 1,
        };
        store_submit(store, &ops[i].op);
    }
    store_free(store);
    finish(f.tasks, ARRAY_LEN(ops));
    store = must_open(&f);
    assert_int_equal(number(store, "SELECT count(*) FROM item"), ARRAY_LEN(ops));
    store_free(store);
    tear_down(&f);
}

/* RLIMIT_FSIZE makes every write behind it fail (EFBIG): the disk that is full. */
static int
in_a_full_disk(const struct fixture *f)
{
    struct err e = {0};
    struct store *store = open_it(f, &e);
    const struct rlimit limit = {.rlim_cur = 64 * 1024, .rlim_max = 64 * 1024};
    bool failed = false;

    if (store == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 2;
    }
    for (int i = 0; i < 200 && !failed; i++) {
        char name[512];

        (void)snprintf(name, sizeof(name), "%0500d", i);
        failed = insert(store, name, 1, &e) != 0;
    }
    if (!failed || e.code != ERR_STORE || !store_is_failed(store)) {
        return 3;
    }
    /* Nothing is accepted any more, not even what needs no room. */
    if (execute(store, "DELETE FROM item WHERE name = 'nobody'", &e) == 0 || e.code != ERR_STORE) {
        return 4;
    }
    return 0;
}

static void
a_commit_that_fails_is_the_end_and_loses_nothing_acknowledged(void **state)
{
    struct fixture f = set_up();
    struct store *store;
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        (void)signal(SIGXFSZ, SIG_IGN);
        _exit(in_a_full_disk(&f));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    store = must_open(&f);
    assert_in_range(number(store, "SELECT count(*) FROM item"), 1, 199);
    store_free(store);
    tear_down(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_private_and_has_every_migration),
        cmocka_unit_test(what_was_committed_is_there_after_opening_again),
        cmocka_unit_test(a_migration_is_added_to_what_is_there),
        cmocka_unit_test(a_migration_that_fails_leaves_the_file_as_it_was),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(the_database_of_another_program_is_refused),
        cmocka_unit_test(a_file_that_others_can_read_is_refused),
        cmocka_unit_test(a_file_that_is_no_database_is_refused),
        cmocka_unit_test(what_is_no_file_of_ours_is_not_opened),
        cmocka_unit_test(a_damaged_database_is_refused),
        cmocka_unit_test(a_database_without_our_mark_is_another_programs),
        cmocka_unit_test(the_last_call_of_opening_makes_the_names_durable),
        cmocka_unit_test(a_disk_that_fails_anywhere_loses_nothing_acknowledged),
        cmocka_unit_test(octets_are_taken_in_their_length_only),
        cmocka_unit_test(a_second_opener_is_told_who_is_in_the_way),
        cmocka_unit_test(constraints_have_their_own_reasons),
        cmocka_unit_test(values_come_back_as_they_went_in_and_nothing_is_not_found),
        cmocka_unit_test(a_group_shares_a_commit_and_a_failure_stays_alone),
        cmocka_unit_test(freeing_the_store_runs_what_waits),
        cmocka_unit_test(a_commit_that_fails_is_the_end_and_loses_nothing_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
