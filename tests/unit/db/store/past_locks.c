/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever can write the file does so, past all locks, while a store has it open. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/store/connection.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { PAGE = 4096, FILE_MAX = 8 * 1024 * 1024 };

static const struct store_migration migrations[] = {
    {1, "CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"},
    {0, NULL},
};

struct world {
    char *dir;
    char *path;
    char *wal;
    struct store *store;
};

static struct world
world_open(void)
{
    struct world w = {.dir = tmpdir_new()};
    struct store_options options = {.application = STORE_APPLICATION('t', 'p', 'a', 'g'),
                                    .schemas = {migrations}};
    struct err e = {0};

    w.path = mem_printf("%s/a.db", w.dir);
    w.wal = mem_printf("%s/a.db-wal", w.dir);
    options.path = w.path;
    w.store = store_open(&options, &e);
    if (w.store == NULL) {
        fail_msg("%s", e.text);
    }
    return w;
}

static void
world_end(struct world *w)
{
    store_free(w->store);
    mem_free(w->path);
    mem_free(w->wal);
    tmpdir_remove(w->dir);
}

struct sql {
    struct store_op op;
    const char *sql;
    int64_t sum;
};

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    return store_exec(db, CONTAINER_OF(op, struct sql, op)->sql, STORE_NO_VALUES, e);
}

/* SQLite keeps no page in its memory, and reads all of them. */
static int
run_read(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_exec(db, "PRAGMA shrink_memory", STORE_NO_VALUES, e) != 0 ||
        store_query_one(db, &rows, "SELECT sum(n * length(text)) FROM t", STORE_NO_VALUES, e) !=
            0) {
        return -1;
    }
    CONTAINER_OF(op, struct sql, op)->sum = row_int(&rows, 0);
    return 0;
}

static void
must_run(struct world *w, const char *sql)
{
    struct sql s = {.op.run = run_sql, .sql = sql};
    struct err e = {0};

    assert_ok(store_call(w->store, &s.op, &e), &e);
}

static int
read_all(struct world *w, struct err *e)
{
    struct sql s = {.op.run = run_read};

    return store_call(w->store, &s.op, e);
}

static void
fill(struct world *w)
{
    must_run(w, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 400) "
                "INSERT INTO t SELECT n, hex(randomblob(300)) FROM c");
}

static void
write_at(const char *path, off_t offset, struct span octets)
{
    CLEANUP(fd_cleanup) int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, octets.p, octets.n, offset), octets.n);
}

/* ---- what is done ---- */

/* Where the rows' text is, not in the headers. */
static void
edit_file(const struct world *w, const struct buf *before)
{
    (void)before;
    write_at(w->path, 20 * PAGE + 2000, SPAN_LITERAL("edited"));
}

static void
edit_wal(const struct world *w, const struct buf *before)
{
    (void)before;
    write_at(w->wal, 32 + 20 * (PAGE + 24) + 24 + 2000, SPAN_LITERAL("edited"));
}

/* A page as it once was. */
static void
put_back(const struct world *w, const struct buf *before)
{
    write_at(w->path, 20 * PAGE, span_of(before->p + 20 * PAGE, PAGE));
}

static void
swap(const struct world *w, const struct buf *before)
{
    CLEANUP(buf_free) struct buf now = BUF_INIT(FILE_MAX);
    struct err e = {0};

    (void)before;
    assert_ok(file_read(w->path, &now, &e), &e);
    write_at(w->path, 20 * PAGE, span_of(now.p + 21 * PAGE, PAGE));
}

static const struct {
    const char *what;
    bool in_wal; /* and not in the file, yet */
    void (*does)(const struct world *, const struct buf *before);
    const char *says;
} attacks[] = {
    {"a page is edited", false, edit_file, "page 21 was changed"},
    {"a page of the WAL is edited", true, edit_wal, "page 21 of its WAL was changed"},
    {"a page is put back", false, put_back, "page 21 was changed"},
    {"a page is another one", false, swap, "page 21 was changed"},
};

static void
what_was_read_is_not_another_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        struct world w = world_open();
        CLEANUP(buf_free) struct buf before = BUF_INIT(FILE_MAX);
        struct err e = {0};

        fill(&w);
        if (!attacks[i].in_wal) {
            struct store_options options = {.path = w.path,
                                            .application = STORE_APPLICATION('t', 'p', 'a', 'g'),
                                            .schemas = {migrations}};

            must_run(&w, "UPDATE t SET text = hex(randomblob(300))");
            store_free(w.store); /* all is in the file then */
            assert_ok(file_read(w.path, &before, &e), &e);
            w.store = store_open(&options, &e);
            assert_non_null(w.store);
            must_run(&w, "UPDATE t SET text = hex(randomblob(300))");
            store_free(w.store);
            w.store = store_open(&options, &e);
            assert_non_null(w.store);
        }
        assert_ok(read_all(&w, &e), &e);
        attacks[i].does(&w, &before);
        if (read_all(&w, &e) == 0) {
            fail_msg("%s: not found", attacks[i].what);
        }
        if (e.code != ERR_STALE || strstr(e.text, attacks[i].says) == NULL ||
            !store_is_failed(w.store)) {
            fail_msg("%s: %s: %s", attacks[i].what, err_code_name(e.code), e.text);
        }
        world_end(&w);
    }
}

struct part {
    struct store_op op;
    int rc;
    uint8_t octets[100];
};

/* As a newer SQLite reads the last page of a large value. */
static int
run_part(struct store_op *op, struct store_db *db, struct err *e)
{
    struct part *p = CONTAINER_OF(op, struct part, op);
    sqlite3_file *file = NULL;

    (void)e;
    assert_int_equal(sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    p->rc = file->pMethods->xRead(file, p->octets, sizeof(p->octets), 20 * PAGE + 1950);
    return 0;
}

static void
a_part_of_a_page_is_not_another_either(void **state)
{
    struct world w = world_open();
    struct store_options options = {.application = STORE_APPLICATION('t', 'p', 'a', 'g'),
                                    .schemas = {migrations}};
    CLEANUP(buf_free) struct buf before = BUF_INIT(FILE_MAX);
    struct part part = {.op.run = run_part};
    struct err e = {0};

    (void)state;
    options.path = w.path;
    fill(&w);
    store_free(w.store);
    assert_ok(file_read(w.path, &before, &e), &e);
    w.store = store_open(&options, &e);
    assert_non_null(w.store);
    assert_ok(store_call(w.store, &part.op, &e), &e); /* which reads the page */
    assert_int_equal(part.rc, SQLITE_OK);
    assert_memory_equal(part.octets, before.p + 20 * PAGE + 1950, sizeof(part.octets));
    edit_file(&w, NULL);
    part.op = (struct store_op){.run = run_part};
    assert_err(store_call(w.store, &part.op, &e), ERR_STALE, &e);
    assert_int_equal(part.rc, SQLITE_IOERR_DATA);
    assert_non_null(strstr(e.text, "page 21 was changed"));
    world_end(&w);
}

/* What the store itself does is no such thing: the WAL goes into the file and begins anew, pages
 * are freed and used again, rows change in pages that are in the WAL already. */
static void
what_the_store_does_itself_is_believed(void **state)
{
    struct world w = world_open();
    struct err e = {0};

    (void)state;
    for (int i = 0; i < 12; i++) {
        fill(&w);
        must_run(&w, "UPDATE t SET text = hex(randomblob(300))");
        assert_ok(read_all(&w, &e), &e);
        must_run(&w, "DELETE FROM t WHERE n % 3 = 0");
        must_run(&w, "UPDATE t SET text = text || hex(randomblob(2000)) WHERE n % 7 = 0");
        assert_ok(read_all(&w, &e), &e);
        must_run(&w, "DELETE FROM t");
        assert_ok(read_all(&w, &e), &e);
    }
    world_end(&w);
}

/* Whoever edits a page that nobody read is not found here: what is in it is verified by others. */
static void
a_page_that_nobody_read_is_taken_as_it_is(void **state)
{
    struct world w = world_open();
    struct store_options options = {.application = STORE_APPLICATION('t', 'p', 'a', 'g'),
                                    .schemas = {migrations}};
    struct err e = {0};

    (void)state;
    options.path = w.path;
    fill(&w);
    store_free(w.store);
    w.store = store_open(&options, &e);
    assert_non_null(w.store);
    edit_file(&w, NULL);
    assert_ok(read_all(&w, &e), &e);
    store_free(w.store);
    /* But all are read when the whole file is looked at. */
    options.integrity_check = true;
    w.store = store_open(&options, &e);
    assert_non_null(w.store);
    write_at(w.path, 20 * PAGE + 2000, SPAN_LITERAL("again!"));
    assert_err(read_all(&w, &e), ERR_STALE, &e);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_not_another_later),
        cmocka_unit_test(a_part_of_a_page_is_not_another_either),
        cmocka_unit_test(what_the_store_does_itself_is_believed),
        cmocka_unit_test(a_page_that_nobody_read_is_taken_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
