/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/wal.h"

#include <string.h>

#include "db/pages/chain.h"
#include "db/pages/wal_frames.h"

enum { PAGE_SIZE_AT = 8 }; /* in SQLite's header */

static bool
is_sqlite(const uint8_t header[WAL_HEADER])
{
    static const uint8_t magic[] = {0x37, 0x7f, 0x06};

    return memcmp(header, magic, sizeof(magic)) == 0 && (header[3] == 0x82 || header[3] == 0x83);
}

/* ---- of a file that is not sealed ---- */

static size_t
frame_size(const struct wal *wal)
{
    return WAL_FRAME + wal->page_size;
}

static void
learn_page_size(struct wal *wal, const uint8_t header[WAL_HEADER])
{
    const size_t size = is_sqlite(header) ? (size_t)octets_get(header + PAGE_SIZE_AT, 4) : 0;

    if (size != wal->page_size) {
        wal->n = 0;
        wal->page_size = size;
        mem_free(wal->scratch);
        wal->scratch = size == 0 ? NULL : mem_zalloc(frame_size(wal), 1);
    }
}

/* Within one frame. */
static bool
find(const struct wal *wal, size_t amount, sqlite3_int64 offset, size_t *i, size_t *at)
{
    if (wal->page_size == 0 || offset < WAL_HEADER) {
        return false;
    }
    *i = (size_t)(offset - WAL_HEADER) / frame_size(wal);
    *at = (size_t)(offset - WAL_HEADER) % frame_size(wal);
    return *at + amount <= frame_size(wal);
}

static void
remember(struct wal *wal, size_t i, const struct tag *tag)
{
    wal->frames = mem_grow(wal->frames, &wal->room, i + 1, sizeof(*wal->frames));
    for (; wal->n <= i; wal->n++) {
        wal->frames[wal->n] = (struct wal_frame){0};
    }
    wal->frames[i].tag = *tag;
}

static sqlite3_int64
begin_of(const struct wal *wal, size_t i)
{
    return WAL_HEADER + (sqlite3_int64)i * (sqlite3_int64)frame_size(wal);
}

static void
forget(struct wal *wal, sqlite3_int64 from, sqlite3_int64 to)
{
    size_t i;

    if (wal->page_size == 0) {
        return;
    }
    i = from < WAL_HEADER ? 0 : (size_t)(from - WAL_HEADER) / frame_size(wal);
    for (; i < wal->n && begin_of(wal, i) + WAL_FRAME < to; i++) {
        if (begin_of(wal, i + 1) > from) {
            wal->frames[i].tag = (struct tag){0};
        }
    }
}

static int
plain_read(struct wal *wal, uint8_t *out, size_t amount, sqlite3_int64 offset)
{
    size_t i;
    size_t at;
    bool known;
    struct tag tag;
    int rc;

    if (!find(wal, amount, offset, &i, &at)) {
        return wal->file->pMethods->xRead(wal->file, out, (int)amount, offset);
    }
    known = i < wal->n && !tag_is_none(&wal->frames[i].tag);
    rc =
        wal->file->pMethods->xRead(wal->file, wal->scratch, (int)frame_size(wal), begin_of(wal, i));
    if (rc == SQLITE_IOERR_SHORT_READ && !known) {
        return wal->file->pMethods->xRead(wal->file, out, (int)amount, offset);
    }
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (!tag_page(wal->keys, i, span_of(wal->scratch + WAL_FRAME, wal->page_size), &tag)) {
        return SQLITE_IOERR_READ;
    }
    memcpy(out, wal->scratch + at, amount);
    if (known) {
        return tag_equal(&wal->frames[i].tag, &tag)
                   ? SQLITE_OK
                   : watch_page(wal->watch, i, WATCH_WAL, watch_changed);
    }
    remember(wal, i, &tag);
    return SQLITE_OK;
}

static int
plain_write(struct wal *wal, const uint8_t *from, size_t amount, sqlite3_int64 offset)
{
    size_t i;
    size_t at;
    struct tag tag;
    int rc;

    forget(wal, offset, offset + (sqlite3_int64)amount); /* also of what fails */
    rc = wal->file->pMethods->xWrite(wal->file, from, (int)amount, offset);
    if (rc == SQLITE_OK && offset == 0 && amount == WAL_HEADER) {
        learn_page_size(wal, from);
    }
    if (rc != SQLITE_OK || !find(wal, amount, offset, &i, &at) || at != WAL_FRAME ||
        amount != wal->page_size) {
        return rc;
    }
    if (!tag_page(wal->keys, i, span_of(from, amount), &tag)) {
        return SQLITE_IOERR_WRITE;
    }
    remember(wal, i, &tag);
    return SQLITE_OK;
}

/* ---- which of both ---- */

static int
open_plain(struct wal *wal, const uint8_t header[WAL_HEADER], bool has_key)
{
    if (chain_is_any(header, WAL_HEADER)) {
        return has_key ? watch_end(wal->watch, ERR_STALE,
                                   "its WAL is sealed, and what seals the file (FILE-seal) is "
                                   "missing: it was moved away, or put back")
                       : watch_end(wal->watch, ERR_DENIED,
                                   "its WAL is sealed, and there is no key to read it");
    }
    learn_page_size(wal, header);
    return SQLITE_OK;
}

/* Is all of it in the file, and some of it gone? */
static bool
is_cut(const struct wal *wal, const struct slot_wal *known)
{
    return wal->n < known->frames || known->frames == 0 ||
           !tag_equal(&wal->frames[known->frames - 1].tag, &known->last);
}

static int
open_sealed(struct wal *wal, const struct slot *slot, const uint8_t header[WAL_HEADER])
{
    int rc;

    if (is_sqlite(header)) {
        return watch_found(wal->watch, "its WAL", " was not written by this program");
    }
    rc = chain_load(wal);
    if (rc != SQLITE_OK || !wal->begun || tag_equal(&wal->from, &slot->seal)) {
        return rc;
    }
    if (!tag_equal(&wal->epoch, &slot->wal.epoch)) {
        chain_forget(wal);
        return watch_found(wal->watch, "its WAL",
                           " is not of this file: one of them was put back, or is a copy");
    }
    if (is_cut(wal, &slot->wal)) {
        chain_forget(wal);
    }
    return SQLITE_OK;
}

int
wal_open(struct wal *wal, sqlite3_file *file, const struct slot *slot, bool has_key)
{
    uint8_t header[WAL_HEADER];
    const int rc = file->pMethods->xRead(file, header, sizeof(header), 0);

    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    wal->file = file;
    wal->sealed = slot != NULL;
    return wal->sealed ? open_sealed(wal, slot, header) : open_plain(wal, header, has_key);
}

int
wal_settle(struct wal *wal)
{
    sqlite3_int64 size = 0;
    int rc = SQLITE_OK;

    if (wal->file != NULL) {
        rc = wal->file->pMethods->xFileSize(wal->file, &size);
        rc = rc != SQLITE_OK ? rc : wal->file->pMethods->xSync(wal->file, SQLITE_SYNC_FULL);
    }
    return rc == SQLITE_OK && size != 0 ? SQLITE_MISUSE : rc;
}

void
wal_seal(struct wal *wal)
{
    wal->sealed = wal->file != NULL;
    wal->n = 0;
    wal->page_size = 0;
    wal->in_scratch = 0;
}

void
wal_close(struct wal *wal)
{
    mem_free(wal->frames);
    mem_free(wal->scratch);
    mem_free(wal->record);
    mem_free(wal->pending.octets);
    versions_clear(&wal->versions);
    *wal = (struct wal){.keys = wal->keys, .watch = wal->watch};
}

int
wal_read(struct wal *wal, void *out, int amount, sqlite3_int64 offset)
{
    return wal->sealed ? chain_read(wal, out, (size_t)amount, offset)
                       : plain_read(wal, out, (size_t)amount, offset);
}

int
wal_write(struct wal *wal, const struct slot *slot, const void *from, int amount,
          sqlite3_int64 offset)
{
    return wal->sealed ? chain_write(wal, slot, from, (size_t)amount, offset)
                       : plain_write(wal, from, (size_t)amount, offset);
}

int
wal_truncate(struct wal *wal, sqlite3_int64 size)
{
    if (wal->sealed) {
        return chain_truncate(wal, size);
    }
    forget(wal, size, INT64_MAX);
    return wal->file->pMethods->xTruncate(wal->file, size);
}

int
wal_sync(struct wal *wal, int flags)
{
    const int rc = wal->sealed ? wal_frames_flush(wal) : SQLITE_OK;

    return rc == SQLITE_OK ? wal->file->pMethods->xSync(wal->file, flags) : rc;
}

int
wal_size(struct wal *wal, sqlite3_int64 *size)
{
    if (!wal->sealed) {
        return wal->file->pMethods->xFileSize(wal->file, size);
    }
    *size = chain_size(wal);
    return SQLITE_OK;
}

bool
wal_has(const struct wal *wal, uint64_t page)
{
    return wal->sealed && wal_frames_newest(wal, page) != 0;
}

bool
wal_position(const struct wal *wal, struct slot_wal *out)
{
    if (!wal->sealed || wal->committed == 0) {
        return false;
    }
    *out = (struct slot_wal){
        .epoch = wal->epoch, .frames = wal->committed, .last = wal->frames[wal->committed - 1].tag};
    return true;
}
