/* SPDX-License-Identifier: Apache-2.0 */
/* A WAL alone, without SQLite, whose own checks would stop some of this, too. */
#include "db/pages/wal.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { PAGE = 512, BEGIN = 96, FRAME = WAL_FRAME + PAGE + TAG_SIZE, FRAMES = 6 };

struct world {
    char *dir;
    char *path;
    struct tag_keys keys;
    struct watch watch;
    struct wal wal;
    struct slot slot;
    sqlite3_vfs *vfs;
    sqlite3_file *file;
};

static void
open_wal(struct world *w)
{
    w->wal = (struct wal){.keys = &w->keys, .watch = &w->watch};
    w->file = mem_zalloc(1, (size_t)w->vfs->szOsFile);
    assert_int_equal(w->vfs->xOpen(w->vfs, w->path, w->file,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL,
                                   NULL),
                     SQLITE_OK);
    assert_int_equal(wal_open(&w->wal, w->file, &w->slot, true), SQLITE_OK);
}

static void
close_wal(struct world *w)
{
    wal_close(&w->wal);
    (void)w->file->pMethods->xClose(w->file);
    mem_free(w->file);
}

static int
write_at(struct world *w, const void *from, int n, sqlite3_int64 at)
{
    return wal_write(&w->wal, &w->slot, from, n, at);
}

/* Each with another page, and each the end of a transaction. */
static void
write_frames(struct world *w, uint8_t first, uint8_t n, uint8_t content)
{
    for (uint8_t i = first; i < first + n; i++) {
        const sqlite3_int64 at = WAL_HEADER + (sqlite3_int64)i * (WAL_FRAME + PAGE);
        uint8_t header[WAL_FRAME] = {0};
        uint8_t page[PAGE];

        octets_put(header, i + 1U, 4);
        octets_put(header + 4, FRAMES, 4);
        memset(page, content + i, sizeof(page));
        assert_int_equal(write_at(w, header, sizeof(header), at), SQLITE_OK);
        assert_int_equal(write_at(w, page, sizeof(page), at + WAL_FRAME), SQLITE_OK);
    }
}

static void
write_all(struct world *w)
{
    uint8_t header[WAL_HEADER] = {0x37, 0x7f, 0x06, 0x82};

    octets_put(header + 8, PAGE, 4);
    assert_int_equal(write_at(w, header, sizeof(header), 0), SQLITE_OK);
    write_frames(w, 0, FRAMES, 0);
}

static struct world
world_new(void)
{
    const uint8_t key[] = {5};
    struct world w = {.dir = tmpdir_new(), .slot = {.seal = {{3}}}};
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/a.db", w.dir);
    struct err e = {0};

    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    assert_ok(file_write(file, span_of(NULL, 0), 0600, &e), &e);
    assert_ok(tag_keys_make(&w.keys, span_of(key, sizeof(key)), &e), &e);
    w.vfs = sqlite3_vfs_find(NULL);
    w.path = mem_printf("%s/a.db-wal%c", w.dir, '\0');
    return w;
}

static void
world_end(struct world *w)
{
    tag_keys_free(&w->keys);
    mem_free(w->path);
    tmpdir_remove(w->dir);
}

static void
read_own(struct world *w, uint8_t *out, size_t n, size_t at)
{
    assert_int_equal(w->file->pMethods->xRead(w->file, out, (int)n, (sqlite3_int64)at), SQLITE_OK);
}

static void
write_own(struct world *w, const uint8_t *from, size_t n, size_t at)
{
    assert_int_equal(w->file->pMethods->xWrite(w->file, from, (int)n, (sqlite3_int64)at),
                     SQLITE_OK);
}

static void
a_frame_is_believed_in_its_place_alone(void **state)
{
    struct world w = world_new();

    (void)state;
    open_wal(&w);
    write_all(&w);
    assert_int_equal(w.wal.n, FRAMES);
    for (size_t from = 0; from < FRAMES; from++) {
        for (size_t to = 0; to < FRAMES; to++) {
            uint8_t frame[FRAME];
            uint8_t before[FRAME];

            read_own(&w, before, sizeof(before), BEGIN + to * FRAME);
            read_own(&w, frame, sizeof(frame), BEGIN + from * FRAME);
            write_own(&w, frame, sizeof(frame), BEGIN + to * FRAME);
            close_wal(&w);
            open_wal(&w);
            assert_int_equal(w.wal.n, from == to ? FRAMES : to);
            write_own(&w, before, sizeof(before), BEGIN + to * FRAME);
        }
    }
    close_wal(&w);
    world_end(&w);
}

/* As behind a rollback. */
static void
frames_are_written_again_from_one_on(void **state)
{
    struct world w = world_new();
    sqlite3_int64 size;

    (void)state;
    open_wal(&w);
    write_all(&w);
    write_frames(&w, 3, 1, 100);
    assert_int_equal(w.wal.n, 4);
    close_wal(&w);
    open_wal(&w);
    assert_int_equal(w.wal.n, 4);
    assert_int_equal(wal_size(&w.wal, &size), SQLITE_OK);
    assert_int_equal(size, WAL_HEADER + 4 * (WAL_FRAME + PAGE));
    assert_true(wal_has(&w.wal, 3));
    assert_false(wal_has(&w.wal, 4));
    close_wal(&w);
    world_end(&w);
}

/* And in no other way. */
static void
frames_are_not_changed(void **state)
{
    struct world w = world_new();
    const uint8_t page[PAGE] = {9};
    const sqlite3_int64 third = WAL_HEADER + (sqlite3_int64)2 * (WAL_FRAME + PAGE);

    (void)state;
    open_wal(&w);
    write_all(&w);
    assert_int_equal(write_at(&w, page, PAGE, third + WAL_FRAME), SQLITE_IOERR_WRITE);
    assert_int_equal(write_at(&w, page, 8, third + WAL_FRAME), SQLITE_IOERR_WRITE);
    assert_int_equal(write_at(&w, page, WAL_FRAME, third + FRAMES * (WAL_FRAME + PAGE)),
                     SQLITE_IOERR_WRITE);
    assert_int_equal(w.watch.why.code, ERR_STORE);
    close_wal(&w);
    world_end(&w);
}

static void
one_that_is_in_the_file_must_be_all_of_it(void **state)
{
    struct world w = world_new();
    struct slot_wal position;

    (void)state;
    open_wal(&w);
    write_all(&w);
    assert_true(wal_position(&w.wal, &position));
    assert_int_equal(position.frames, FRAMES);
    w.slot.seal.octets[0]++; /* another map, which has it */
    w.slot.wal = position;
    close_wal(&w);
    open_wal(&w);
    assert_int_equal(w.wal.n, FRAMES);
    assert_int_equal(w.file->pMethods->xTruncate(w.file, BEGIN + (FRAMES - 1) * FRAME), SQLITE_OK);
    close_wal(&w);
    open_wal(&w);
    assert_int_equal(w.wal.n, 0);
    close_wal(&w);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_believed_in_its_place_alone),
        cmocka_unit_test(frames_are_written_again_from_one_on),
        cmocka_unit_test(frames_are_not_changed),
        cmocka_unit_test(one_that_is_in_the_file_must_be_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
