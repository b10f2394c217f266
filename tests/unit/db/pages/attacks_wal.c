/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever writes the WAL, uses SQLite, or puts a journal beside the file, and has no key. What he
 * does is found; or it is a whole state of before, as if the end of the WAL was cut off.
 */
#include "tests/unit/db/pages/attack.h"

#include <sqlite3.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"

/* ---- the WAL ---- */

/* In each field, and in the change that it has, when it is so long. */
static void
a_wal_that_was_edited_or_cut(void **state)
{
    static const size_t places[] = {0, 4, 8, 16, 24, 27, 28, 30, 31, 32, 34, 36, 100, 1000};
    const struct world *w = *state;
    int64_t last = OLD;
    size_t at;
    size_t n;

    for (size_t i = 0; files_frame(&w->live, i, &at, &n); i++) {
        CLEANUP(files_free) struct files cut = attack_copy(&w->live);
        int64_t state_then;

        for (size_t k = 0; k < ARRAY_LEN(places) && places[k] < n; k++) {
            CLEANUP(files_free) struct files files = attack_copy(&w->live);

            files_flip(&files, FILE_WAL, at + places[k]);
            (void)attack_must_be_whole(w, &files, OLD, NEW - 1, "frame", i);
            files_free(&files);
            files = attack_copy(&w->live);
            files_flip(&files, FILE_WAL, at + n - 1 - k);
            (void)attack_must_be_whole(w, &files, OLD, NEW - 1, "end of frame", i);
        }
        buf_truncate(&cut.of[FILE_WAL], at + n / 2);
        state_then = attack_must_be_whole(w, &cut, last, NEW - 1, "cut in frame", i);
        assert_true(state_then >= OLD);
        last = state_then;
    }
    assert_int_equal(last, NEW - 1);
    for (size_t i = 0; i < WAL_BEGIN; i++) {
        CLEANUP(files_free) struct files files = attack_copy(&w->live);
        struct err e = {0};

        files_flip(&files, FILE_WAL, i);
        assert_int_equal(attack_open_all(w, &files, &e), OLD);
    }
}

/* Each with the one before it. */
static void
frames_of_a_wal_that_were_swapped(void **state)
{
    const struct world *w = *state;
    size_t before;
    size_t n_before;
    size_t at;
    size_t n;

    assert_true(files_frame(&w->live, 0, &before, &n_before));
    for (size_t i = 1; files_frame(&w->live, i, &at, &n); i++) {
        CLEANUP(files_free) struct files files = attack_copy(&w->live);
        uint8_t *to = files.of[FILE_WAL].p + before;

        memcpy(to, w->live.of[FILE_WAL].p + at, n);
        memcpy(to + n, w->live.of[FILE_WAL].p + before, n_before);
        (void)attack_must_be_whole(w, &files, OLD, NEW - 1, "frame", i);
        before = at;
        n_before = n;
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
    size_t at;
    size_t n;

    files_write(&w->now, w->path);
    store = scene_must_open(w->path, true);
    attack_step_to(store, NEW + 4);
    later = files_read(w->path);
    store_free(store);
    for (size_t i = 0; files_frame(&w->live, i, &at, &n) && at < later.of[FILE_WAL].n; i++) {
        CLEANUP(files_free) struct files files = attack_copy(&later);

        files_put_back(&files, FILE_WAL, at, n, &w->live);
        (void)attack_must_be_whole(w, &files, NEW, NEW + 4, "frame", i);
    }
    {
        CLEANUP(files_free) struct files header = attack_copy(&later);
        CLEANUP(files_free) struct files all = attack_copy(&later);

        files_put_back(&header, FILE_WAL, 0, WAL_BEGIN, &w->live);
        (void)attack_must_be_whole(w, &header, NEW, NEW + 4, "header", 0);
        /* All of that WAL is in the file: so it is as if it was empty. */
        assert_ok(buf_set(&all.of[FILE_WAL], buf_span(&w->live.of[FILE_WAL]), &e), &e);
        assert_int_equal(attack_must_be_whole(w, &all, NEW, NEW, "WAL", 0), NEW);
        /* But not in one that is older, and it does not go on from one that is newer. */
        files_write(&later, w->path);
        store = scene_must_open(w->path, true);
        store_free(store);
        files_free(&all);
        all = files_read(w->path);
        assert_ok(buf_set(&all.of[FILE_WAL], buf_span(&w->live.of[FILE_WAL]), &e), &e);
        attack_must_be_found(w, &all, "an older WAL", 0);
    }
}

static void
a_wal_of_another_file(void **state)
{
    const struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/other.db", w->dir);
    CLEANUP(files_free) struct files other = {0};
    CLEANUP(files_free) struct files files = attack_copy(&w->now);
    struct store *store = scene_must_open(path, true);
    struct err e = {0};

    attack_step_to(store, 2);
    other = files_read(path);
    store_free(store);
    assert_ok(buf_set(&files.of[FILE_WAL], buf_span(&other.of[FILE_WAL]), &e), &e);
    attack_must_be_found(w, &files, "the WAL of another file", 0);
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
        attack_must_be_found(w, &closed, edits[i], 0);
        assert_true(killed.of[FILE_WAL].n > 0);
        attack_must_be_found(w, &killed, edits[i], 1);
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
    assert_int_equal(attack_open_all(w, &after, &e), NEW);
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
    attack_must_be_found(w, &after, "a file that was rolled back", 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(a_wal_that_was_edited_or_cut),     ATTACK(frames_of_a_wal_that_were_swapped),
        ATTACK(frames_of_another_time),           ATTACK(a_wal_of_another_file),
        ATTACK(who_edits_it_with_sqlite),         ATTACK(who_only_reads_it_does_no_harm),
        ATTACK(a_hot_journal_is_not_played_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
