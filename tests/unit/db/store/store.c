/* SPDX-License-Identifier: Apache-2.0 */
/* What an open database is told: values, groups, and a disk that is full. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/unit/db/store/scene.h"

/* ---- operations ---- */

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);

    return store_exec(db, s->sql, STORE_NO_VALUES, e);
}

static int
execute(struct store *store, const char *sql, struct err *e)
{
    struct sql_op s = {.op = {.run = run_sql}, .sql = sql};

    return store_call(store, &s.op, e);
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
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
    struct err e = {0};

    (void)state;
    assert_ok(scene_insert(store, "a", 1, &e), &e);
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
    scene_end(&f);
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
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
    struct store_op op = {.run = run_round_trip};
    struct err e = {0};

    (void)state;
    assert_err(store_call(store, &op, &e), ERR_NOTFOUND, &e);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), 0); /* it was rolled back */
    store_free(store);
    scene_end(&f);
}

/* ---- statements ---- */

static int
run_texts(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sql_op *s = CONTAINER_OF(op, struct sql_op, op);
    char text[] = "SELECT 0";

    for (int i = 0; i < 6; i++) { /* twice each, at one address */
        CLEANUP(store_end) struct store_rows rows = {0};

        text[sizeof(text) - 2] = (char)('1' + i % 3);
        if (store_query_one(db, &rows, text, STORE_NO_VALUES, e) != 0) {
            return -1;
        }
        s->answer = s->answer * 10 + row_int(&rows, 0);
    }
    return 0;
}

static void
an_address_with_another_text_is_another_statement(void **state)
{
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
    struct sql_op s = {.op = {.run = run_texts}};
    struct err e = {0};

    (void)state;
    assert_ok(store_call(store, &s.op, &e), &e);
    assert_int_equal(s.answer, 123123);
    store_free(store);
    scene_end(&f);
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
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);

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
    scene_end(&f);
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
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);
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
            .op = {.run = scene_run_insert, .after_commit = after, .task = {.done = count_done}},
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
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), GROUP - GROUP / 10);
    stats = store_stats_get(store);
    assert_int_equal(stats.ops - before.ops, GROUP + 2);
    assert_int_equal(stats.largest_group, STORE_GROUP_MAX);
    /* The gate alone or with some, then 256 at a time, then the count. */
    assert_in_range(stats.commits - before.commits, 3, 5);
    store_free(store);
    (void)pthread_mutex_destroy(&gate.lock);
    scene_end(&f);
}

/* An operation that writes takes it along, one that reads does not; and a hurry and the end do. */
static void
what_rests_is_in_the_next_commit(void **state)
{
    struct sql_op ops[3];
    char names[3][16];
    struct sql_op reads = {.op = {.run = run_sql, .task = {.done = count_done}, .reads = true},
                           .sql = "SELECT 1"};
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);

    (void)state;
    n_done = 0;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        ops[i] = (struct sql_op){.op = {.run = scene_run_insert, .task = {.done = count_done}},
                                 .name = names[i],
                                 .number = 1};
    }
    store_hurry(store); /* nothing rests */
    store_rest(store, &ops[0].op);
    store_submit(store, &reads.op);
    finish(f.tasks, 1);
    assert_int_equal(ops[0].op.result, -1); /* not yet */
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), 1);
    finish(f.tasks, 2);
    assert_int_equal(ops[0].op.result, 0);
    store_rest(store, &ops[1].op);
    store_hurry(store);
    finish(f.tasks, 3);
    store_rest(store, &ops[2].op);
    store_free(store);
    finish(f.tasks, 4);
    store = scene_must_open(&f);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), 3);
    store_free(store);
    scene_end(&f);
}

static void
freeing_the_store_runs_what_waits(void **state)
{
    static struct sql_op ops[50];
    static char names[50][16];
    struct scene f = scene_new();
    struct store *store = scene_must_open(&f);

    (void)state;
    n_done = 0;
    n_after = 0;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        ops[i] = (struct sql_op){
            .op = {.run = scene_run_insert, .task = {.done = count_done}},
            .name = names[i],
            .number = 1,
        };
        store_submit(store, &ops[i].op);
    }
    store_free(store);
    finish(f.tasks, ARRAY_LEN(ops));
    store = scene_must_open(&f);
    assert_int_equal(scene_number(store, "SELECT count(*) FROM item"), ARRAY_LEN(ops));
    store_free(store);
    scene_end(&f);
}

/* RLIMIT_FSIZE makes every write behind it fail (EFBIG): the disk that is full. */
static int
in_a_full_disk(const struct scene *f)
{
    struct err e = {0};
    struct store *store = scene_open(f, &e);
    const struct rlimit limit = {.rlim_cur = 64 * 1024, .rlim_max = 64 * 1024};
    bool failed = false;

    if (store == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 2;
    }
    for (int i = 0; i < 200 && !failed; i++) {
        char name[512];

        (void)snprintf(name, sizeof(name), "%0500d", i);
        failed = scene_insert(store, name, 1, &e) != 0;
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
    struct scene f = scene_new();
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
    store = scene_must_open(&f);
    assert_in_range(scene_number(store, "SELECT count(*) FROM item"), 1, 199);
    store_free(store);
    scene_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_are_taken_in_their_length_only),
        cmocka_unit_test(an_address_with_another_text_is_another_statement),
        cmocka_unit_test(constraints_have_their_own_reasons),
        cmocka_unit_test(values_come_back_as_they_went_in_and_nothing_is_not_found),
        cmocka_unit_test(a_group_shares_a_commit_and_a_failure_stays_alone),
        cmocka_unit_test(what_rests_is_in_the_next_commit),
        cmocka_unit_test(freeing_the_store_runs_what_waits),
        cmocka_unit_test(a_commit_that_fails_is_the_end_and_loses_nothing_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
