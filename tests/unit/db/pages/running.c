/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever writes the files while a store with a key has them open; and who is told alone. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "db/store/connection.h"
#include "tests/support/kill.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/pages/files.h"
#include "tests/unit/db/pages/scene.h"

enum { PAGE = 4096, BLOCK = 4096, STATE = 6, KILLS = 25, TOLD_MAX = 64, HOLE = 200 };

static const char *const names[] = {"", "-wal", "-seal"};

struct world {
    char *dir;
    char *path;
    struct store *store;
};

static void
step_to(struct store *store, int64_t to)
{
    struct err e = {0};

    while (scene_state(store, &e) < to) {
        assert_ok(scene_step(store, &e), &e);
    }
}

/* Half of it is in the file, half of it in the WAL. */
static struct world
world_new(void)
{
    struct world w = {.dir = tmpdir_new()};

    w.path = mem_printf("%s/a.db", w.dir);
    w.store = scene_must_open(w.path, true);
    step_to(w.store, STATE / 2);
    store_free(w.store);
    w.store = scene_must_open(w.path, true);
    step_to(w.store, STATE);
    return w;
}

static void
world_end(struct world *w)
{
    store_free(w->store);
    mem_free(w->path);
    tmpdir_remove(w->dir);
}

static void
flip_at(const struct world *w, int kind, size_t at)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("%s%s", w->path, names[kind]);
    CLEANUP(fd_cleanup) int fd = open(name, O_RDWR | O_CLOEXEC);
    uint8_t octet;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &octet, 1, (off_t)at), 1);
    octet ^= 0x40;
    assert_int_equal(pwrite(fd, &octet, 1, (off_t)at), 1);
}

static size_t
size_of(int kind)
{
    struct world w = world_new();
    CLEANUP(files_free) struct files files = files_read(w.path);
    const size_t n = files.of[kind].n;

    world_end(&w);
    return n;
}

/* Does whoever reads all of it come upon this edit? Else nothing rests on it. */
static bool
is_found(int kind, size_t at)
{
    struct world w = world_new();
    struct err e = {0};
    uint64_t pages;
    bool found = false;

    flip_at(&w, kind, at);
    if (scene_state(w.store, &e) != STATE || scene_check(w.store, &e) != 0 ||
        scene_scrub(w.store, &pages, &e) != 0) {
        if (e.code != ERR_STALE || !store_is_failed(w.store)) {
            fail_msg("%s, %zu: %s: %s", names[kind], at, err_code_name(e.code), e.text);
        }
        found = true;
    }
    world_end(&w);
    return found;
}

/* *found: so many were. */
static void
edit_each(int kind, size_t every, size_t at, size_t *found)
{
    const size_t n = size_of(kind);

    *found = 0;
    for (size_t i = 0; i + at < n - PAGE / 2; i += every) {
        *found += is_found(kind, i + at) ? 1 : 0;
    }
}

static void
a_page_of_the_file(void **state)
{
    size_t found;

    (void)state;
    edit_each(FILE_MAIN, PAGE, 2000, &found);
    assert_true(found > 1);
}

/* Texts are random, and rows are in no order: so the frames of two worlds are not as long. */
static void
a_frame_of_the_wal(void **state)
{
    size_t found = 0;
    size_t n = size_of(FILE_WAL);

    (void)state;
    for (size_t at = 96 + 40; at < n - n / 10; at += 997) {
        found += is_found(FILE_WAL, at) ? 1 : 0;
    }
    assert_true(found > 5);
}

/* What is needed of it is in memory. */
static void
a_block_of_the_map(void **state)
{
    size_t found;

    (void)state;
    edit_each(FILE_SEAL, BLOCK, 40, &found);
    assert_int_equal(found, 0);
}

struct direct {
    struct store_op op;
    int rc;
    uint8_t octets[100];
};

static sqlite3_file *
file_of(struct store_db *db)
{
    sqlite3_file *file = NULL;

    assert_int_equal(sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    return file;
}

/* As a newer SQLite reads the last page of a large value. */
static int
run_part(struct store_op *op, struct store_db *db, struct err *e)
{
    struct direct *d = CONTAINER_OF(op, struct direct, op);
    sqlite3_file *file = file_of(db);

    (void)e;
    d->rc = file->pMethods->xRead(file, d->octets, sizeof(d->octets), PAGE + 1950);
    return 0;
}

static void
a_part_of_a_page(void **state)
{
    struct world w = world_new();
    struct direct d = {.op.run = run_part};
    CLEANUP(files_free) struct files files = files_read(w.path);
    struct err e = {0};

    (void)state;
    assert_ok(store_call(w.store, &d.op, &e), &e);
    assert_int_equal(d.rc, SQLITE_OK);
    assert_memory_equal(d.octets, files.of[FILE_MAIN].p + PAGE + 1950, sizeof(d.octets));
    flip_at(&w, FILE_MAIN, PAGE + 100); /* elsewhere in it */
    d.op = (struct store_op){.run = run_part};
    assert_err(store_call(w.store, &d.op, &e), ERR_STALE, &e);
    assert_int_equal(d.rc, SQLITE_IOERR_DATA);
    assert_non_null(strstr(e.text, "page 2 "));
    world_end(&w);
}

/* Behind a hole, and behind all that is in the WAL. */
static int
run_hole(struct store_op *op, struct store_db *db, struct err *e)
{
    const uint8_t page[PAGE] = {1};
    sqlite3_file *file = file_of(db);
    sqlite3_int64 size;

    (void)op;
    (void)e;
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    assert_int_equal(file->pMethods->xWrite(file, page, PAGE, size + HOLE * (sqlite3_int64)PAGE),
                     SQLITE_OK);
    return 0;
}

/* As SQLite leaves one where its locks are, at 1 GB. */
static void
a_page_that_was_never_written(void **state)
{
    struct world w = world_new();
    struct store_op op = {.run = run_hole};
    CLEANUP(files_free) struct files files = {0};
    struct err e = {0};
    uint64_t pages;

    (void)state;
    assert_ok(store_call(w.store, &op, &e), &e);
    files = files_read(w.path);
    assert_ok(scene_scrub(w.store, &pages, &e), &e);
    assert_int_equal(pages, files.of[FILE_MAIN].n / PAGE);
    flip_at(&w, FILE_MAIN, files.of[FILE_MAIN].n - (size_t)2 * PAGE + 7);
    assert_err(scene_scrub(w.store, &pages, &e), ERR_STALE, &e);
    world_end(&w);
}

/* What SQLite gives back when it has a limit (journal_size_limit). */
static void
a_wal_that_was_large_is_small_again(void **state)
{
    struct world w = world_new();
    CLEANUP(files_free) struct files large = {0};
    CLEANUP(files_free) struct files small = {0};
    struct err e = {0};

    (void)state;
    assert_ok(scene_run(w.store,
                        "PRAGMA journal_size_limit = 400000; PRAGMA wal_autocheckpoint = 25;"
                        "CREATE TABLE large AS SELECT randomblob(2000000)",
                        &e),
              &e);
    large = files_read(w.path);
    assert_true(large.of[FILE_WAL].n > 2000000);
    assert_ok(scene_run(w.store, "DROP TABLE large", &e), &e);
    step_to(w.store, STATE + 2);
    small = files_read(w.path);
    assert_true(small.of[FILE_WAL].n < 420000);
    store_free(w.store);
    w.store = scene_must_open(w.path, true);
    assert_int_equal(scene_state(w.store, &e), STATE + 2);
    world_end(&w);
}

/* ---- a process that is killed ---- */

static void
who_is_killed_has_what_was_acknowledged(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    _Atomic int64_t *acknowledged = mmap(NULL, sizeof(*acknowledged), PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(acknowledged != MAP_FAILED);
    *acknowledged = 0;
    for (unsigned i = 0; i < KILLS; i++) {
        const int64_t before = *acknowledged;
        const pid_t child = fork();
        struct store *store;
        uint64_t pages;
        int64_t found;
        struct err e = {0};

        assert_true(child >= 0);
        if (child == 0) {
            store = scene_open(path, true, &e);
            if (store != NULL) {
                (void)scene_run(store, "PRAGMA wal_autocheckpoint = 25", &e);
                for (int64_t k = scene_state(store, &e); scene_step(store, &e) == 0; k++) {
                    *acknowledged = k + 1;
                }
            }
            _exit(1);
        }
        /* Every other one while it opens, or shortly afterwards. */
        while (i % 2 == 0 && *acknowledged == before && test_has_ended(child) == 0) {
            (void)usleep(1000);
        }
        (void)usleep(1000 + (i * 7919) % 40000);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        store = scene_must_open(path, true);
        found = scene_state(store, &e);
        if (found < *acknowledged || found > *acknowledged + 1 || scene_check(store, &e) != 0 ||
            scene_scrub(store, &pages, &e) != 0) {
            fail_msg("%lld of %lld: %s", (long long)found, (long long)*acknowledged, e.text);
        }
        *acknowledged = found;
        store_free(store);
    }
    assert_true(*acknowledged > 5);
    (void)munmap(acknowledged, sizeof(*acknowledged));
}

/* ---- who is told ---- */

struct told {
    char *pages[TOLD_MAX];
    size_t n;
    int64_t items;
};

static void
tell(void *arg, const char *what)
{
    struct told *told = arg;

    assert_true(told->n < TOLD_MAX);
    told->pages[told->n++] = mem_strdup(what);
}

static int
look(void *arg, struct store_db *db, struct err *e)
{
    struct told *told = arg;
    CLEANUP(store_end) struct store_rows rows = {0};
    uint64_t page = 0;
    bool end = false;

    assert_int_equal(store_seal_state(db), STORE_SEALED);
    if (store_query_one(db, &rows, "SELECT sum(length(text) > 0) FROM item NOT INDEXED",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    told->items = row_int(&rows, 0);
    while (!end) {
        uint64_t seen;

        if (store_scrub(db, &page, 5, &seen, &end, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool
has_told(const struct told *told, const char *what)
{
    for (size_t i = 0; i < told->n; i++) {
        if (strcmp(told->pages[i], what) == 0) {
            return true;
        }
    }
    return false;
}

/* Two pages in the middle of texts: all rows are there still. */
static void
who_wants_to_see_all_of_it_is_told(void **state)
{
    struct told told = {0};
    const struct store_options options = {.application = STORE_APPLICATION('t', 'p', 'a', 'g'),
                                          .seal_key = span_of(scene_key, STORE_KEY_SIZE),
                                          .schemas = {scene_tables},
                                          .admit = look,
                                          .admit_arg = &told,
                                          .tell = tell,
                                          .tell_arg = &told};
    struct world w = world_new();
    struct store_options here = options;
    CLEANUP(files_free) struct files before = {0};
    CLEANUP(files_free) struct files after = {0};
    struct err e = {0};

    (void)state;
    here.path = w.path;
    store_free(w.store);
    w.store = NULL;
    flip_at(&w, FILE_MAIN, 7 * PAGE - 20);
    flip_at(&w, FILE_MAIN, 9 * PAGE - 20);
    before = files_read(w.path);
    assert_null(store_open(&here, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_true(told.items > 0);
    assert_true(has_told(&told, "page 7"));
    assert_true(has_told(&told, "page 9"));
    assert_false(has_told(&told, "page 8"));
    after = files_read(w.path);
    for (size_t i = 0; i < FILE_KINDS; i++) {
        assert_true(span_equal(buf_span(&before.of[i]), buf_span(&after.of[i])));
    }
    while (told.n > 0) {
        mem_free(told.pages[--told.n]);
    }
    world_end(&w);
}

static void
without_a_key_nothing_is_sealed(void **state)
{
    static const uint8_t keys[][STORE_KEY_SIZE - 1] = {{1}};
    struct store_options options = {.application = STORE_APPLICATION('t', 'p', 'a', 'g'),
                                    .schemas = {scene_tables},
                                    .seal_key = span_of(keys[0], sizeof(keys[0]))};
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    struct store *store;
    struct err e = {0};

    (void)state;
    options.path = path;
    assert_null(store_open(&options, &e));
    assert_int_equal(e.code, ERR_INPUT); /* half a key is none */
    store = scene_must_open(path, false);
    assert_err(store_seal(store, &e), ERR_DENIED, &e);
    assert_int_equal(scene_seal_state(store), STORE_NO_KEY);
    assert_ok(scene_step(store, &e), &e);
    store_free(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_key_nothing_is_sealed),
        cmocka_unit_test(a_page_of_the_file),
        cmocka_unit_test(a_frame_of_the_wal),
        cmocka_unit_test(a_block_of_the_map),
        cmocka_unit_test(a_part_of_a_page),
        cmocka_unit_test(a_page_that_was_never_written),
        cmocka_unit_test(a_wal_that_was_large_is_small_again),
        cmocka_unit_test(who_is_killed_has_what_was_acknowledged),
        cmocka_unit_test(who_wants_to_see_all_of_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
