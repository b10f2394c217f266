/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever can write the three files, and has no key. What he does is found at the opening or when
 * it is read; or it is a whole state of before, as if the end of the WAL was cut off.
 */
#include <sqlite3.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/pages/files.h"
#include "tests/unit/db/pages/scene.h"

enum { PAGE = 4096, BLOCK = 4096, WAL_BEGIN = 96, FRAME = 24 + PAGE + 16, OLD = 4, NEW = 8 };

struct world {
    char *dir;
    char *path;
    struct files old;  /* of state OLD, closed */
    struct files now;  /* of state NEW, closed */
    struct files live; /* the same, killed: its WAL has the steps from OLD on */
};

static void
step_to(struct store *store, int64_t to)
{
    struct err e = {0};
    int64_t state = scene_state(store, &e);

    assert_true(state >= 0);
    for (; state < to; state++) {
        assert_ok(scene_step(store, &e), &e);
    }
}

static int
make(void **state)
{
    struct world *w = mem_new(sizeof(*w));
    struct store *store;
    struct err e = {0};

    w->dir = tmpdir_new();
    w->path = mem_printf("%s/a.db", w->dir);
    store = scene_must_open(w->path, true);
    step_to(store, OLD);
    store_free(store);
    w->old = files_read(w->path);
    store = scene_must_open(w->path, true);
    assert_ok(
        scene_run(store, "CREATE TABLE gone AS SELECT randomblob(50000); DROP TABLE gone", &e),
        &e); /* pages that were never written */
    step_to(store, NEW);
    w->live = files_read(w->path);
    store_free(store);
    w->now = files_read(w->path);
    assert_int_equal(w->now.of[FILE_WAL].n, 0);
    assert_true(w->live.of[FILE_WAL].n > 4 * FRAME);
    *state = w;
    return 0;
}

static int
unmake(void **state)
{
    struct world *w = *state;

    files_free(&w->old);
    files_free(&w->now);
    files_free(&w->live);
    mem_free(w->path);
    tmpdir_remove(w->dir);
    mem_free(w);
    return 0;
}

static struct files
copy(const struct files *from)
{
    struct files to;
    struct err e = {0};

    for (size_t i = 0; i < FILE_KINDS; i++) {
        to.of[i] = BUF_INIT(from->of[i].max);
        assert_ok(buf_set(&to.of[i], buf_span(&from->of[i]), &e), &e);
    }
    return to;
}

/* What whoever opens them, and reads all of it, is told: a state, or -1. */
static int64_t
open_all(const struct world *w, const struct files *files, struct err *e)
{
    struct store *store;
    uint64_t pages;
    int64_t state;

    files_write(files, w->path);
    store = scene_open(w->path, true, e);
    if (store == NULL) {
        return -1;
    }
    state = scene_state(store, e);
    if (state >= 0 && (scene_check(store, e) != 0 || scene_scrub(store, &pages, e) != 0)) {
        state = -1;
    }
    store_free(store);
    return state;
}

static void
must_be_found(const struct world *w, const struct files *files, const char *what, size_t i)
{
    struct err e = {0};
    const int64_t state = open_all(w, files, &e);

    if (state >= 0 || e.code != ERR_STALE) {
        fail_msg("%s (%zu): state %lld, %s: %s", what, i, (long long)state, err_code_name(e.code),
                 e.text);
    }
}

/* Found; or all of it is of one state between both. */
static int64_t
must_be_whole(const struct world *w, const struct files *files, int64_t from, int64_t to,
              const char *what, size_t i)
{
    struct err e = {0};
    const int64_t state = open_all(w, files, &e);

    if ((state < 0 && e.code != ERR_STALE) || (state >= 0 && (state < from || state > to))) {
        fail_msg("%s (%zu): state %lld, %s: %s", what, i, (long long)state, err_code_name(e.code),
                 e.text);
    }
    return state;
}

static void
what_nobody_touched_is_whole(void **state)
{
    const struct world *w = *state;
    struct err e = {0};

    assert_int_equal(open_all(w, &w->old, &e), OLD);
    assert_int_equal(open_all(w, &w->now, &e), NEW);
    assert_int_equal(open_all(w, &w->live, &e), NEW);
}

/* ---- the file ---- */

static void
a_page_that_was_edited(void **state)
{
    static const size_t places[] = {0, 18, 27, 60, 99, 100, 2000, PAGE - 1};
    const struct world *w = *state;

    for (size_t i = 0; i < w->now.of[FILE_MAIN].n; i += PAGE) {
        for (size_t k = 0; k < ARRAY_LEN(places); k++) {
            CLEANUP(files_free) struct files files = copy(&w->now);

            files_flip(&files, FILE_MAIN, i + places[k]);
            must_be_found(w, &files, "page", i / PAGE);
        }
    }
}

static void
two_pages_that_were_swapped(void **state)
{
    const struct world *w = *state;

    for (size_t i = PAGE; i < w->now.of[FILE_MAIN].n; i += PAGE) {
        CLEANUP(files_free) struct files files = copy(&w->now);

        if (memcmp(files.of[FILE_MAIN].p + i, files.of[FILE_MAIN].p + i - PAGE, PAGE) == 0) {
            continue; /* zeros: SQLite has them free, and had nothing to write there */
        }
        memcpy(files.of[FILE_MAIN].p + i, w->now.of[FILE_MAIN].p + i - PAGE, PAGE);
        memcpy(files.of[FILE_MAIN].p + i - PAGE, w->now.of[FILE_MAIN].p + i, PAGE);
        must_be_found(w, &files, "page", i / PAGE);
    }
}

static bool
differs(const struct world *w, size_t at)
{
    return at + PAGE <= w->old.of[FILE_MAIN].n &&
           memcmp(w->old.of[FILE_MAIN].p + at, w->now.of[FILE_MAIN].p + at, PAGE) != 0;
}

/* Alone; with each block of the map; and with the whole map but its headers. */
static void
a_page_that_was_put_back(void **state)
{
    const struct world *w = *state;
    size_t n = 0;

    for (size_t i = 0; i < w->now.of[FILE_MAIN].n; i += PAGE) {
        if (!differs(w, i)) {
            continue;
        }
        n++;
        for (size_t block = 0; block <= w->now.of[FILE_SEAL].n; block += BLOCK) {
            CLEANUP(files_free) struct files files = copy(&w->now);

            files_put_back(&files, FILE_MAIN, i, PAGE, &w->old);
            files_put_back(&files, FILE_SEAL, block, BLOCK, &w->old);
            must_be_found(w, &files, "page", i / PAGE);
        }
    }
    assert_true(n > 3);
}

static void
all_pages_that_were_put_back(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files pages = copy(&w->now);
    CLEANUP(files_free) struct files map = copy(&w->now);
    CLEANUP(files_free) struct files nodes = copy(&w->now);
    CLEANUP(files_free) struct files both = copy(&w->old);
    struct err e = {0};

    assert_ok(buf_set(&pages.of[FILE_MAIN], buf_span(&w->old.of[FILE_MAIN]), &e), &e);
    must_be_found(w, &pages, "the file", 0);
    assert_ok(buf_set(&map.of[FILE_SEAL], buf_span(&w->old.of[FILE_SEAL]), &e), &e);
    must_be_found(w, &map, "its seals", 0);
    assert_ok(buf_set(&nodes.of[FILE_MAIN], buf_span(&w->old.of[FILE_MAIN]), &e), &e);
    files_put_back(&nodes, FILE_SEAL, (size_t)2 * BLOCK, SIZE_MAX / 2, &w->old);
    must_be_found(w, &nodes, "all but the headers", 0);
    /* That is what whoever has something newer finds. */
    assert_int_equal(open_all(w, &both, &e), OLD);
}

static void
a_file_that_was_cut_or_grew(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files cut = copy(&w->now);
    CLEANUP(files_free) struct files none = copy(&w->now);
    CLEANUP(files_free) struct files grown = copy(&w->now);
    struct err e = {0};

    buf_truncate(&cut.of[FILE_MAIN], cut.of[FILE_MAIN].n / 2);
    must_be_found(w, &cut, "the last pages are missing", 0);
    buf_truncate(&none.of[FILE_MAIN], 0);
    must_be_found(w, &none, "all pages are missing", 0);
    assert_ok(
        buf_append(&grown.of[FILE_MAIN], span_of(w->now.of[FILE_MAIN].p, 2 * (size_t)PAGE), &e),
        &e);
    assert_int_equal(open_all(w, &grown, &e), NEW); /* it ends where its map says */
}

/* ---- the map ---- */

static void
a_block_of_the_map_that_was_edited_or_put_back(void **state)
{
    const struct world *w = *state;
    size_t found = 0;

    for (size_t i = 0; i < w->now.of[FILE_SEAL].n; i += BLOCK) {
        CLEANUP(files_free) struct files files = copy(&w->now);
        CLEANUP(files_free) struct files back = copy(&w->now);

        for (size_t at = 0; at < BLOCK; at += 16) {
            files_flip(&files, FILE_SEAL, i + at);
        }
        found += must_be_whole(w, &files, NEW, NEW, "block", i / BLOCK) < 0;
        files_put_back(&back, FILE_SEAL, i, BLOCK, &w->old);
        (void)must_be_whole(w, &back, NEW, NEW, "block put back", i / BLOCK);
    }
    assert_int_equal(found, 5); /* one header, and of four nodes the place that counts */
}

static void
a_header_in_the_place_of_the_other(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < 2; i++) {
        CLEANUP(files_free) struct files files = copy(&w->now);

        memcpy(files.of[FILE_SEAL].p + i * BLOCK, w->now.of[FILE_SEAL].p + (1 - i) * BLOCK, BLOCK);
        (void)must_be_whole(w, &files, NEW, NEW, "header", i);
    }
}

/* The first one alone is none yet, when it is torn: nothing rests on it. */
static void
both_headers(void **state)
{
    static const size_t places[] = {0, 8, 12, 16, 24, 32, 48, 64, 72, 104};
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        CLEANUP(files_free) struct files files = copy(&w->now);

        files_flip(&files, FILE_SEAL, places[i]);
        files_flip(&files, FILE_SEAL, BLOCK + places[i]);
        must_be_found(w, &files, "octet", places[i]);
    }
}

/* As if nothing was sealed, and that is what is said: who opens it knows better. But what a WAL
 * that is sealed belongs to is missing. */
static void
a_map_that_is_missing(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files closed = copy(&w->now);
    CLEANUP(files_free) struct files killed = copy(&w->live);
    struct store *store;

    buf_truncate(&closed.of[FILE_SEAL], 0);
    buf_truncate(&killed.of[FILE_SEAL], 0);
    files_write(&closed, w->path);
    store = scene_must_open(w->path, true);
    assert_int_equal(scene_seal_state(store), STORE_NOT_SEALED);
    store_free(store);
    must_be_found(w, &killed, "a WAL that is sealed", 0);
}

static void
another_key_or_none(void **state)
{
    const struct world *w = *state;
    const struct files *const each[] = {&w->now, &w->live};
    const uint8_t other[STORE_KEY_SIZE] = {9};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(each); i++) {
        CLEANUP(files_free) struct files after = {0};

        files_write(each[i], w->path);
        assert_null(scene_open_under(w->path, other, &e));
        assert_int_equal(e.code, ERR_DENIED);
        assert_non_null(strstr(e.text, "another key"));
        assert_null(scene_open(w->path, false, &e));
        assert_int_equal(e.code, ERR_DENIED);
        assert_non_null(strstr(e.text, "no key"));
        after = files_read(w->path); /* and nothing was changed */
        for (size_t k = 0; k < FILE_KINDS; k++) {
            assert_true(span_equal(buf_span(&after.of[k]), buf_span(&each[i]->of[k])));
        }
    }
}

/* ---- the WAL ---- */

static size_t
frames_of(const struct files *files)
{
    return (files->of[FILE_WAL].n - WAL_BEGIN) / FRAME;
}

static void
a_wal_that_was_edited_or_cut(void **state)
{
    static const size_t places[] = {0, 4, 8, 16, 24, 1000, 24 + PAGE, FRAME - 1};
    const struct world *w = *state;
    int64_t last = OLD;

    for (size_t i = 0; i < frames_of(&w->live); i++) {
        CLEANUP(files_free) struct files cut = copy(&w->live);
        int64_t state_then;

        for (size_t k = 0; k < ARRAY_LEN(places); k++) {
            CLEANUP(files_free) struct files files = copy(&w->live);

            files_flip(&files, FILE_WAL, WAL_BEGIN + i * FRAME + places[k]);
            (void)must_be_whole(w, &files, OLD, NEW, "frame", i);
        }
        buf_truncate(&cut.of[FILE_WAL], WAL_BEGIN + i * FRAME + 100);
        state_then = must_be_whole(w, &cut, last, NEW - 1, "cut in frame", i);
        assert_true(state_then >= OLD);
        last = state_then;
    }
    assert_int_equal(last, NEW - 1);
    for (size_t i = 0; i < WAL_BEGIN; i++) {
        CLEANUP(files_free) struct files files = copy(&w->live);
        struct err e = {0};

        files_flip(&files, FILE_WAL, i);
        assert_int_equal(open_all(w, &files, &e), OLD);
    }
}

static void
frames_of_a_wal_that_were_swapped(void **state)
{
    const struct world *w = *state;

    for (size_t i = 1; i < frames_of(&w->live); i++) {
        CLEANUP(files_free) struct files files = copy(&w->live);
        uint8_t *at = files.of[FILE_WAL].p + WAL_BEGIN + i * FRAME;

        memcpy(at, w->live.of[FILE_WAL].p + WAL_BEGIN + (i - 1) * FRAME, FRAME);
        memcpy(at - FRAME, w->live.of[FILE_WAL].p + WAL_BEGIN + i * FRAME, FRAME);
        (void)must_be_whole(w, &files, OLD, NEW, "frame", i);
    }
}

/* Frames of another WAL of the same file: with its header, and in its place. */
static void
frames_of_another_time(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files later = {0};
    struct store *store;
    struct err e = {0};

    files_write(&w->now, w->path);
    store = scene_must_open(w->path, true);
    step_to(store, NEW + 4);
    later = files_read(w->path);
    store_free(store);
    for (size_t i = 0; i < frames_of(&w->live) && i < frames_of(&later); i++) {
        CLEANUP(files_free) struct files files = copy(&later);

        files_put_back(&files, FILE_WAL, WAL_BEGIN + i * FRAME, FRAME, &w->live);
        (void)must_be_whole(w, &files, NEW, NEW + 4, "frame", i);
    }
    {
        CLEANUP(files_free) struct files header = copy(&later);
        CLEANUP(files_free) struct files all = copy(&later);

        files_put_back(&header, FILE_WAL, 0, WAL_BEGIN, &w->live);
        (void)must_be_whole(w, &header, NEW, NEW + 4, "header", 0);
        /* All of that WAL is in the file: so it is as if it was empty. */
        assert_ok(buf_set(&all.of[FILE_WAL], buf_span(&w->live.of[FILE_WAL]), &e), &e);
        assert_int_equal(must_be_whole(w, &all, NEW, NEW, "WAL", 0), NEW);
        /* But not in one that is older, and it does not go on from one that is newer. */
        files_write(&later, w->path);
        store = scene_must_open(w->path, true);
        store_free(store);
        files_free(&all);
        all = files_read(w->path);
        assert_ok(buf_set(&all.of[FILE_WAL], buf_span(&w->live.of[FILE_WAL]), &e), &e);
        must_be_found(w, &all, "an older WAL", 0);
    }
}

static void
a_wal_of_another_file(void **state)
{
    const struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/other.db", w->dir);
    CLEANUP(files_free) struct files other = {0};
    CLEANUP(files_free) struct files files = copy(&w->now);
    struct store *store = scene_must_open(path, true);
    struct err e = {0};

    step_to(store, 2);
    other = files_read(path);
    store_free(store);
    assert_ok(buf_set(&files.of[FILE_WAL], buf_span(&other.of[FILE_WAL]), &e), &e);
    must_be_found(w, &files, "the WAL of another file", 0);
}

/* ---- by SQLite itself ---- */

static sqlite3 *
open_sqlite(const char *path)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void
run_sqlite(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
}

static void
who_edits_it_with_sqlite(void **state)
{
    static const char *const edits[] = {
        "UPDATE item SET owner = 7 WHERE owner = 3",
        "DELETE FROM state WHERE k = 2",
        "DROP INDEX item_owner",
        "CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM item; END",
        "VACUUM",
    };
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        CLEANUP(files_free) struct files closed = {0};
        CLEANUP(files_free) struct files killed = {0};
        sqlite3 *db;

        files_write(&w->now, w->path);
        db = open_sqlite(w->path); /* anybody can read it */
        run_sqlite(db, "SELECT count(*) FROM item; PRAGMA wal_checkpoint");
        run_sqlite(db, edits[i]);
        killed = files_read(w->path);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        closed = files_read(w->path);
        must_be_found(w, &closed, edits[i], 0);
        assert_true(killed.of[FILE_WAL].n > 0);
        must_be_found(w, &killed, edits[i], 1);
    }
}

static void
who_only_reads_it_does_no_harm(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files after = {0};
    struct err e = {0};
    sqlite3 *db;

    files_write(&w->now, w->path);
    db = open_sqlite(w->path);
    run_sqlite(db, "SELECT sum(length(text)) FROM item");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    after = files_read(w->path);
    assert_int_equal(open_all(w, &after, &e), NEW);
}

/* ---- a rollback journal ---- */

static void
put_number(struct buf *out, uint32_t n)
{
    const uint8_t octets[] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                              (uint8_t)n};
    struct err e = {0};

    assert_ok(buf_append(out, span_of(octets, sizeof(octets)), &e), &e);
}

/* One that says that page 1 was the one of `old`, and the file as long as that. */
static void
write_journal(const struct world *w, const struct files *old)
{
    static const uint8_t magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s-journal", w->path);
    CLEANUP(buf_free) struct buf out = BUF_INIT((size_t)4 * PAGE);
    const uint8_t *page = old->of[FILE_MAIN].p;
    uint32_t sum = 5;
    struct err e = {0};

    assert_ok(buf_append(&out, span_of(magic, sizeof(magic)), &e), &e);
    put_number(&out, 1);
    put_number(&out, sum);
    put_number(&out, (uint32_t)(old->of[FILE_MAIN].n / PAGE));
    put_number(&out, 512);
    put_number(&out, PAGE);
    memset(buf_extend(&out, 512 - out.n, &e), 0, 512 - 28);
    put_number(&out, 1);
    assert_ok(buf_append(&out, span_of(page, PAGE), &e), &e);
    for (int i = PAGE - 200; i > 0; i -= 200) {
        sum += page[i];
    }
    put_number(&out, sum);
    assert_ok(file_write(path, buf_span(&out), 0600, &e), &e);
}

static void
a_hot_journal_is_not_played_back(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files after = {0};
    struct err e = {0};
    struct store *store;
    sqlite3 *db;

    files_write(&w->now, w->path);
    write_journal(w, &w->old);
    store = scene_must_open(w->path, true);
    assert_int_equal(scene_state(store, &e), NEW);
    assert_ok(scene_check(store, &e), &e);
    store_free(store);
    /* SQLite alone would have: the journal is one. */
    files_write(&w->now, w->path);
    write_journal(w, &w->old);
    db = open_sqlite(w->path);
    (void)sqlite3_exec(db, "SELECT count(*) FROM item", NULL, NULL, NULL);
    (void)sqlite3_close(db);
    after = files_read(w->path);
    assert_int_equal(after.of[FILE_MAIN].n, w->old.of[FILE_MAIN].n);
    assert_true(after.of[FILE_MAIN].n != w->now.of[FILE_MAIN].n);
    must_be_found(w, &after, "a file that was rolled back", 0);
}

#define ATTACK(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(what_nobody_touched_is_whole),
        ATTACK(a_page_that_was_edited),
        ATTACK(two_pages_that_were_swapped),
        ATTACK(a_page_that_was_put_back),
        ATTACK(all_pages_that_were_put_back),
        ATTACK(a_file_that_was_cut_or_grew),
        ATTACK(a_block_of_the_map_that_was_edited_or_put_back),
        ATTACK(a_header_in_the_place_of_the_other),
        ATTACK(both_headers),
        ATTACK(a_map_that_is_missing),
        ATTACK(another_key_or_none),
        ATTACK(a_wal_that_was_edited_or_cut),
        ATTACK(frames_of_a_wal_that_were_swapped),
        ATTACK(frames_of_another_time),
        ATTACK(a_wal_of_another_file),
        ATTACK(who_edits_it_with_sqlite),
        ATTACK(who_only_reads_it_does_no_harm),
        ATTACK(a_hot_journal_is_not_played_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
