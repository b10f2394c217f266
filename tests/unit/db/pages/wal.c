/* SPDX-License-Identifier: Apache-2.0 */
/* A WAL alone, without SQLite, whose own checks would stop some of this, too. */
#include "db/pages/wal.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum {
    PAGE = 512,
    BEGIN = 96,
    FRAME = WAL_FRAME + 8 + 4 + PAGE + TAG_SIZE, /* of a page that is there for the first time */
    CHANGED = WAL_FRAME + 8 + 4 + 1 + TAG_SIZE,  /* of one that has another octet */
    WHOLE = WAL_FRAME + PAGE + TAG_SIZE,         /* of version 1 */
    FRAMES = 6,
};

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
    write_frames(w, 0, FRAMES, 1);
    assert_int_equal(wal_sync(&w->wal, SQLITE_SYNC_FULL), SQLITE_OK);
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
    assert_int_equal(wal_sync(&w.wal, SQLITE_SYNC_FULL), SQLITE_OK);
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

/* ---- pages that were there before ---- */

static sqlite3_int64
place(size_t i)
{
    return WAL_HEADER + (sqlite3_int64)i * (WAL_FRAME + PAGE);
}

/* Page 1 as frame `i`: of octets 1, but for one. */
static void
write_version(struct world *w, size_t i, size_t where, uint8_t what)
{
    uint8_t header[WAL_FRAME] = {0};
    uint8_t page[PAGE];

    octets_put(header, 1, 4);
    octets_put(header + 4, FRAMES, 4);
    memset(page, 1, sizeof(page));
    page[where] = what;
    assert_int_equal(write_at(w, header, sizeof(header), place(i)), SQLITE_OK);
    assert_int_equal(write_at(w, page, sizeof(page), place(i) + WAL_FRAME), SQLITE_OK);
}

static void
must_have_version(struct world *w, size_t i, size_t where, uint8_t what)
{
    uint8_t page[PAGE];
    uint8_t wanted[PAGE];

    memset(wanted, 1, sizeof(wanted));
    wanted[where] = what;
    assert_int_equal(wal_read(&w->wal, page, PAGE, place(i) + WAL_FRAME), SQLITE_OK);
    assert_memory_equal(page, wanted, PAGE);
}

static sqlite3_int64
own_size(struct world *w)
{
    sqlite3_int64 size;

    assert_int_equal(w->file->pMethods->xFileSize(w->file, &size), SQLITE_OK);
    return size;
}

/* But for each WAL_DEPTH_MAX, which has all of the page again. */
static void
a_frame_has_what_changed(void **state)
{
    enum { VERSIONS = 150 };
    struct world w = world_new();
    sqlite3_int64 size;

    (void)state;
    open_wal(&w);
    write_all(&w);
    size = own_size(&w);
    for (size_t i = 0; i < VERSIONS; i++) {
        write_version(&w, FRAMES + i, i, 200);
    }
    assert_int_equal(wal_sync(&w.wal, SQLITE_SYNC_FULL), SQLITE_OK);
    /* The first has one octet more than page 1 of write_all(); each other one takes that back. */
    assert_true(own_size(&w) - size < VERSIONS * (CHANGED + 8) + 2 * FRAME);
    for (unsigned pass = 0; pass < 2; pass++) {
        must_have_version(&w, FRAMES + VERSIONS - 1, VERSIONS - 1, 200);
        for (size_t i = 0; i < VERSIONS; i++) {
            must_have_version(&w, FRAMES + i, i, 200);
        }
        must_have_version(&w, FRAMES + 7, 7, 200);
        close_wal(&w);
        open_wal(&w);
        assert_int_equal(w.wal.n, FRAMES + VERSIONS);
    }
    close_wal(&w);
    world_end(&w);
}

/* Which is not what a page goes on from then. */
static void
a_version_that_was_rolled_back(void **state)
{
    struct world w = world_new();

    (void)state;
    open_wal(&w);
    write_all(&w);
    write_version(&w, FRAMES, 5, 100);
    write_version(&w, FRAMES + 1, 6, 100);
    write_version(&w, FRAMES, 7, 100); /* the first of them again */
    assert_int_equal(w.wal.n, FRAMES + 1);
    must_have_version(&w, FRAMES, 7, 100);
    assert_int_equal(wal_sync(&w.wal, SQLITE_SYNC_FULL), SQLITE_OK);
    close_wal(&w);
    open_wal(&w);
    assert_int_equal(w.wal.n, FRAMES + 1);
    must_have_version(&w, FRAMES, 7, 100);
    close_wal(&w);
    world_end(&w);
}

/* More pages than are kept in memory, and what is not synced yet is read. */
static void
pages_that_are_not_in_memory(void **state)
{
    enum { MANY = VERSIONS_SETS * VERSIONS_WAYS + 80 };
    struct world w = world_new();
    uint8_t page[PAGE];

    (void)state;
    open_wal(&w);
    write_all(&w);
    for (uint8_t turn = 1; turn <= 2; turn++) {
        for (size_t i = 0; i < MANY; i++) {
            uint8_t header[WAL_FRAME] = {0};
            const size_t at = FRAMES + (turn - 1U) * MANY + i;

            octets_put(header, i + 100, 4);
            memset(page, turn, PAGE / 2);
            memset(page + PAGE / 2, (int)(i & 0xff), PAGE - PAGE / 2);
            page[PAGE - 1] = turn;
            assert_int_equal(write_at(&w, header, sizeof(header), place(at)), SQLITE_OK);
            assert_int_equal(write_at(&w, page, PAGE, place(at) + WAL_FRAME), SQLITE_OK);
        }
    }
    for (size_t i = 0; i < (size_t)2 * MANY; i++) {
        assert_int_equal(wal_read(&w.wal, page, PAGE, place(FRAMES + i) + WAL_FRAME), SQLITE_OK);
        assert_int_equal(page[0], i / MANY + 1);
        assert_int_equal(page[PAGE / 2], (i % MANY) & 0xff);
        assert_int_equal(page[PAGE - 1], i / MANY + 1);
    }
    close_wal(&w);
    world_end(&w);
}

/* ---- of an earlier version ---- */

static void
seal_with(const struct world *w, struct tag *seal, const struct span *parts, size_t n)
{
    assert_true(tag_make(w->keys.wal, parts, n, seal));
}

static void
write_version_1(struct world *w)
{
    uint8_t own[BEGIN] = "nfpkiwal";
    uint8_t frame[WHOLE];
    const struct span all = span_of(own, 80);
    struct tag before;

    octets_put(own + 8, 1, 4);
    octets_put(own + 12, PAGE, 4);
    memcpy(own + 16, &w->slot.seal, TAG_SIZE);
    octets_put(own + 48, 0x377f0682, 4);
    octets_put(own + 48 + 8, PAGE, 4);
    seal_with(w, &before, &all, 1);
    memcpy(own + 80, &before, TAG_SIZE);
    write_own(w, own, sizeof(own), 0);
    for (size_t i = 0; i < FRAMES; i++) {
        const struct span content = span_of(frame + WAL_FRAME, PAGE);
        struct tag page;
        const struct span parts[] = {tag_span(&before), span_of(frame, WAL_FRAME), tag_span(&page)};
        struct tag seal;

        memset(frame, 0, WAL_FRAME);
        octets_put(frame, i / 2 + 1, 4);
        octets_put(frame + 4, FRAMES, 4);
        memset(frame + WAL_FRAME, (int)i + 1, PAGE);
        assert_true(tag_page(&w->keys, i / 2, content, &page));
        seal_with(w, &seal, parts, 3);
        memcpy(frame + WAL_FRAME + PAGE, &seal, TAG_SIZE);
        write_own(w, frame, sizeof(frame), BEGIN + i * WHOLE);
        before = seal;
    }
}

/* As an earlier program that was killed left it: it comes into the file, and nothing is added. */
static void
a_wal_with_whole_pages_is_read(void **state)
{
    struct world w = world_new();
    const uint8_t header[WAL_FRAME] = {0};
    uint8_t page[PAGE];

    (void)state;
    open_wal(&w);
    write_version_1(&w);
    close_wal(&w);
    open_wal(&w);
    assert_int_equal(w.wal.n, FRAMES);
    for (size_t i = 0; i < FRAMES; i++) {
        assert_int_equal(wal_read(&w.wal, page, PAGE, place(i) + WAL_FRAME), SQLITE_OK);
        assert_int_equal(page[0], i + 1);
        assert_int_equal(page[PAGE - 1], i + 1);
    }
    assert_int_equal(write_at(&w, header, sizeof(header), place(FRAMES)), SQLITE_IOERR_WRITE);
    page[7] ^= 1;
    write_own(&w, page, 8, BEGIN + 4 * WHOLE + WAL_FRAME);
    close_wal(&w);
    w.watch = (struct watch){0};
    open_wal(&w);
    assert_int_equal(w.wal.n, 4);
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
        cmocka_unit_test(a_frame_has_what_changed),
        cmocka_unit_test(a_version_that_was_rolled_back),
        cmocka_unit_test(pages_that_are_not_in_memory),
        cmocka_unit_test(a_wal_with_whole_pages_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
