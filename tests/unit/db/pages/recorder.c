/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/pages/recorder.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "tests/support/test.h"

enum { FILES = 4, SECTOR = 512, RECORDS_MAX = 200000 };

static const char *const behind[FILES] = {"", "-wal", "-seal", "-journal"};

enum what { WRITE, TRUNCATE, SYNC, DELETE };

struct record {
    enum what what;
    size_t file;
    size_t offset; /* or size */
    size_t n;
    uint8_t *octets;
};

struct image {
    bool exists;
    uint8_t *octets;
    size_t n;
};

/* ---- what is recorded ---- */

static struct record *records;
static size_t records_n;
static size_t records_room;
static char *main_path;
static struct image first[FILES];
static sqlite3_vfs *below;
static sqlite3_vfs here;

struct recorded {
    sqlite3_file head;
    size_t file; /* FILES: another */
};

static size_t
which(const char *path)
{
    const size_t n = strlen(main_path);

    for (size_t i = 0; path != NULL && i < FILES; i++) {
        if (strncmp(path, main_path, n) == 0 && strcmp(path + n, behind[i]) == 0) {
            return i;
        }
    }
    return FILES;
}

static void
add(enum what what, size_t file, size_t offset, const void *octets, size_t n)
{
    if (file == FILES) {
        return;
    }
    assert_true(records_n < RECORDS_MAX);
    records = mem_grow(records, &records_room, records_n + 1, sizeof(*records));
    records[records_n++] =
        (struct record){what, file, offset, n, n == 0 ? NULL : mem_dup(octets, n)};
}

static struct recorded *
recorded_of(sqlite3_file *f)
{
    return CONTAINER_OF(f, struct recorded, head);
}

static sqlite3_file *
file_below(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)(recorded_of(f) + 1);
}

static int
on_close(sqlite3_file *f)
{
    return file_below(f)->pMethods->xClose(file_below(f));
}

static int
on_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return file_below(f)->pMethods->xRead(file_below(f), out, n, at);
}

static int
on_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    add(WRITE, recorded_of(f)->file, (size_t)at, from, (size_t)n);
    return file_below(f)->pMethods->xWrite(file_below(f), from, n, at);
}

static int
on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    add(TRUNCATE, recorded_of(f)->file, (size_t)size, NULL, 0);
    return file_below(f)->pMethods->xTruncate(file_below(f), size);
}

static int
on_sync(sqlite3_file *f, int flags)
{
    const int rc = file_below(f)->pMethods->xSync(file_below(f), flags);

    add(SYNC, recorded_of(f)->file, 0, NULL, 0);
    return rc;
}

static int
on_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return file_below(f)->pMethods->xFileSize(file_below(f), size);
}

static int
on_lock(sqlite3_file *f, int lock)
{
    return file_below(f)->pMethods->xLock(file_below(f), lock);
}

static int
on_unlock(sqlite3_file *f, int lock)
{
    return file_below(f)->pMethods->xUnlock(file_below(f), lock);
}

static int
on_reserved(sqlite3_file *f, int *out)
{
    return file_below(f)->pMethods->xCheckReservedLock(file_below(f), out);
}

static int
on_control(sqlite3_file *f, int what, void *arg)
{
    return file_below(f)->pMethods->xFileControl(file_below(f), what, arg);
}

static int
on_sector(sqlite3_file *f)
{
    return file_below(f)->pMethods->xSectorSize(file_below(f));
}

static int
on_characteristics(sqlite3_file *f)
{
    return file_below(f)->pMethods->xDeviceCharacteristics(file_below(f));
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_characteristics,
};

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    int rc;

    (void)vfs;
    recorded_of(f)->file = which(name);
    rc = below->xOpen(below, name, file_below(f), flags, out_flags);
    f->pMethods = file_below(f)->pMethods == NULL ? NULL : &methods;
    return rc;
}

static int
on_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    add(DELETE, which(name), 0, NULL, 0);
    return below->xDelete(below, name, sync);
}

static int
on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    return below->xAccess(below, name, flags, out);
}

static int
on_full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    return below->xFullPathname(below, name, n, out);
}

/* ---- files ---- */

static char *
path_of(const char *path, size_t file)
{
    return mem_printf("%s%s", path, behind[file]);
}

static void
load(const char *path, size_t file, struct image *image)
{
    CLEANUP(mem_cleanup) char *name = path_of(path, file);
    CLEANUP(buf_free) struct buf octets = BUF_INIT((size_t)64 * 1024 * 1024);
    struct err e = {0};

    image->exists = file_read(name, &octets, &e) == 0;
    image->n = octets.n;
    image->octets = octets.n == 0 ? NULL : mem_dup(octets.p, octets.n);
}

static void
store(const char *path, size_t file, const struct image *image)
{
    CLEANUP(mem_cleanup) char *name = path_of(path, file);
    FILE *f;

    (void)unlink(name);
    if (image->exists) {
        f = fopen(name, "wx");
        assert_non_null(f);
        assert_int_equal(fchmod(fileno(f), 0600), 0);
        assert_true(image->n == 0 || fwrite(image->octets, image->n, 1, f) == 1);
        assert_int_equal(fclose(f), 0);
    }
}

void
recorder_begin(const char *path)
{
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    main_path = mem_strdup(path);
    for (size_t i = 0; i < FILES; i++) {
        load(path, i, &first[i]);
    }
    below = sqlite3_vfs_find(NULL);
    here = *below;
    here.pNext = NULL;
    here.zName = "recorder";
    here.szOsFile = (int)sizeof(struct recorded) + below->szOsFile;
    here.xOpen = on_open;
    here.xDelete = on_delete;
    here.xAccess = on_access;
    here.xFullPathname = on_full_name;
    assert_int_equal(sqlite3_vfs_register(&here, 1), SQLITE_OK);
}

size_t
recorder_count(void)
{
    return records_n;
}

void
recorder_end(void)
{
    (void)sqlite3_vfs_unregister(&here);
    (void)sqlite3_vfs_register(below, 1);
}

void
recorder_free(void)
{
    for (size_t i = 0; i < records_n; i++) {
        mem_free(records[i].octets);
    }
    mem_free(records);
    records = NULL;
    records_n = 0;
    records_room = 0;
    for (size_t i = 0; i < FILES; i++) {
        mem_free(first[i].octets);
        first[i] = (struct image){0};
    }
    mem_free(main_path);
    main_path = NULL;
}

/* ---- played back ---- */

struct playback {
    size_t next;
    struct image now[FILES];
    struct image synced[FILES];
    size_t since[FILES]; /* the change behind the last sync */
};

static void
resize(struct image *image, size_t n)
{
    uint8_t *octets = mem_zalloc(n + 1, 1);

    if (image->n > 0) {
        memcpy(octets, image->octets, image->n < n ? image->n : n);
    }
    mem_free(image->octets);
    image->octets = octets;
    image->n = n;
}

static void
copy(struct image *to, const struct image *from)
{
    mem_free(to->octets);
    *to = *from;
    to->octets = from->n == 0 ? NULL : mem_dup(from->octets, from->n);
}

static void
write_part(struct image *image, const struct record *r, size_t from, size_t to)
{
    const size_t end = r->offset + to;

    image->exists = true;
    if (end > image->n) {
        resize(image, end);
    }
    if (image->octets != NULL) {
        memcpy(image->octets + r->offset + from, r->octets + from, to - from);
    }
}

static void
apply(struct image *image, const struct record *r)
{
    if (r->what == WRITE) {
        write_part(image, r, 0, r->n);
    } else if (r->what == TRUNCATE) {
        image->exists = true;
        resize(image, r->offset);
    } else if (r->what == DELETE) {
        mem_free(image->octets);
        *image = (struct image){0};
    }
}

struct playback *
playback_new(void)
{
    struct playback *p = mem_new(sizeof(*p));

    for (size_t i = 0; i < FILES; i++) {
        copy(&p->now[i], &first[i]);
        copy(&p->synced[i], &first[i]);
    }
    return p;
}

void
playback_free(struct playback *p)
{
    for (size_t i = 0; i < FILES; i++) {
        mem_free(p->now[i].octets);
        mem_free(p->synced[i].octets);
    }
    mem_free(p);
}

bool
playback_next(struct playback *p)
{
    const struct record *r = &records[p->next];

    if (p->next == records_n) {
        return false;
    }
    apply(&p->now[r->file], r);
    p->next++;
    if (r->what == SYNC) {
        copy(&p->synced[r->file], &p->now[r->file]);
        p->since[r->file] = p->next;
    }
    return true;
}

void
playback_kill(const struct playback *p, const char *path)
{
    for (size_t i = 0; i < FILES; i++) {
        store(path, i, &p->now[i]);
    }
}

static bool
toss(unsigned *chance)
{
    *chance = *chance * 1103515245U + 12345U;
    return (*chance >> 16 & 1U) != 0;
}

/* One change that was not synced: all of it, nothing, or some of its sectors. */
static void
apply_some(struct image *image, const struct record *r, unsigned *chance)
{
    if (*chance == 0 || !toss(chance)) {
        return;
    }
    if (r->what != WRITE || toss(chance)) {
        apply(image, r);
        return;
    }
    for (size_t at = 0; at < r->n;) {
        const size_t rest = SECTOR - (r->offset + at) % SECTOR;
        const size_t to = at + (rest < r->n - at ? rest : r->n - at);

        if (toss(chance)) {
            write_part(image, r, at, to);
        }
        at = to;
    }
}

void
playback_cut(const struct playback *p, const char *path, unsigned chance)
{
    for (size_t i = 0; i < FILES; i++) {
        struct image image = {0};

        copy(&image, &p->synced[i]);
        for (size_t k = p->since[i]; k < p->next; k++) {
            if (records[k].file == i) {
                apply_some(&image, &records[k], &chance);
            }
        }
        store(path, i, &image);
        mem_free(image.octets);
    }
}
