/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/chain.h"

#include <string.h>

#include "base/ossl.h"
#include "db/pages/wal_frames.h"

enum {
    AT_VERSION = 8,
    AT_PAGE_SIZE = 12,
    AT_FROM = 16,
    AT_EPOCH = 32,
    AT_HEADER = 48,
    AT_SEAL = 80,
    SQLITE_PAGE_SIZE = 8, /* in SQLite's header */
    PAGE_MAX = 64 * 1024,
};

static const uint8_t magic[] = {'n', 'f', 'p', 'k', 'i', 'w', 'a', 'l'};

bool
chain_is_any(const uint8_t *header, size_t n)
{
    return n >= sizeof(magic) && memcmp(header, magic, sizeof(magic)) == 0;
}

/* ---- as SQLite sees it ---- */

static sqlite3_int64
end_of(const struct wal *wal, size_t frames)
{
    return wal->begun ? WAL_HEADER + (sqlite3_int64)frames * (sqlite3_int64)wal_frames_size(wal)
                      : 0;
}

sqlite3_int64
chain_size(const struct wal *wal)
{
    const sqlite3_int64 end = end_of(wal, wal->n);

    return wal->begun && wal->left > end ? wal->left : end;
}

/* Which frame, and where in it. */
static void
find(const struct wal *wal, sqlite3_int64 offset, size_t *i, size_t *at)
{
    *i = (size_t)(offset - WAL_HEADER) / wal_frames_size(wal);
    *at = (size_t)(offset - WAL_HEADER) % wal_frames_size(wal);
}

/* ---- its header ---- */

static bool
seal_header(const struct wal *wal, const uint8_t own[FRAMES_BEGIN], struct tag *seal)
{
    const struct span all = span_of(own, AT_SEAL);

    return tag_make(wal->keys->wal, &all, 1, seal);
}

void
chain_forget(struct wal *wal)
{
    wal_frames_cut(wal, 0);
    wal->begun = false;
    wal->left = 0;
    wal->next = 0;
}

static int
load_header(struct wal *wal)
{
    uint8_t own[FRAMES_BEGIN];
    const int rc = wal->file->pMethods->xRead(wal->file, own, sizeof(own), 0);
    struct tag seal;
    size_t page_size;

    if (rc != SQLITE_OK) {
        return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
    }
    if (!seal_header(wal, own, &seal)) {
        return SQLITE_IOERR_READ;
    }
    wal->version = (uint32_t)octets_get(own + AT_VERSION, 4);
    page_size = (size_t)octets_get(own + AT_PAGE_SIZE, 4);
    if (!chain_is_any(own, sizeof(own)) ||
        (wal->version != FRAMES_VERSION && wal->version != FRAMES_WHOLE_PAGES) ||
        CRYPTO_memcmp(own + AT_SEAL, &seal, sizeof(seal)) != 0 || page_size > PAGE_MAX) {
        return SQLITE_OK;
    }
    wal_frames_make_room(wal, page_size);
    memcpy(&wal->from, own + AT_FROM, sizeof(wal->from));
    memcpy(&wal->epoch, own + AT_EPOCH, sizeof(wal->epoch));
    memcpy(wal->header, own + AT_HEADER, sizeof(wal->header));
    wal->seal = seal;
    wal->begun = true;
    return SQLITE_OK;
}

/* ---- reading ---- */

int
chain_load(struct wal *wal)
{
    int rc = load_header(wal);
    bool whole = wal->begun;

    while (rc == SQLITE_OK && whole) {
        rc = wal_frames_load(wal, &whole);
    }
    return rc;
}

int
chain_read(struct wal *wal, uint8_t *out, size_t amount, sqlite3_int64 offset)
{
    size_t i;
    size_t at;
    int rc;

    if (offset + (sqlite3_int64)amount > end_of(wal, wal->n)) {
        memset(out, 0, amount);
        return SQLITE_IOERR_SHORT_READ;
    }
    if (offset < WAL_HEADER) {
        if (offset + (sqlite3_int64)amount > WAL_HEADER) {
            return SQLITE_IOERR_READ;
        }
        memcpy(out, wal->header + offset, amount);
        return SQLITE_OK;
    }
    find(wal, offset, &i, &at);
    if (at + amount > wal_frames_size(wal)) {
        return SQLITE_IOERR_READ;
    }
    rc = wal_frames_read(wal, i);
    if (rc == SQLITE_OK) {
        memcpy(out, wal->scratch + at, amount);
    }
    return rc;
}

/* ---- writing ---- */

/* All that was in it is in the file, and it begins anew. */
static int
write_header(struct wal *wal, const struct slot *slot, const uint8_t *from)
{
    uint8_t own[FRAMES_BEGIN] = {0};
    const size_t page_size = (size_t)octets_get(from + SQLITE_PAGE_SIZE, 4);
    sqlite3_int64 size = 0;
    struct err ignored = {0};

    chain_forget(wal);
    if (page_size > PAGE_MAX || wal->file->pMethods->xFileSize(wal->file, &size) != SQLITE_OK ||
        random_bytes(wal->epoch.octets, sizeof(wal->epoch.octets), &ignored) != 0) {
        return SQLITE_IOERR_WRITE;
    }
    if (page_size != wal->page_size || wal->pending.octets == NULL) {
        wal_frames_make_room(wal, page_size);
    }
    wal->left = size;
    wal->version = FRAMES_VERSION;
    wal->from = slot->seal;
    memcpy(wal->header, from, sizeof(wal->header));
    memcpy(own, magic, sizeof(magic));
    octets_put(own + AT_VERSION, FRAMES_VERSION, 4);
    octets_put(own + AT_PAGE_SIZE, page_size, 4);
    memcpy(own + AT_FROM, &wal->from, TAG_SIZE);
    memcpy(own + AT_EPOCH, &wal->epoch, TAG_SIZE);
    memcpy(own + AT_HEADER, wal->header, sizeof(wal->header));
    if (!seal_header(wal, own, &wal->seal)) {
        return SQLITE_IOERR_WRITE;
    }
    memcpy(own + AT_SEAL, &wal->seal, TAG_SIZE);
    wal->begun = true;
    return wal->file->pMethods->xWrite(wal->file, own, sizeof(own), 0);
}

int
chain_write(struct wal *wal, const struct slot *slot, const uint8_t *from, size_t amount,
            sqlite3_int64 offset)
{
    size_t i;
    size_t at;

    if (offset == 0 && amount == WAL_HEADER) {
        return write_header(wal, slot, from);
    }
    if (wal->begun && wal->version == FRAMES_VERSION && offset >= WAL_HEADER) {
        find(wal, offset, &i, &at);
        if (at == 0 && amount == WAL_FRAME && i <= wal->n) {
            memcpy(wal->next_header, from, WAL_FRAME);
            wal->next = i + 1;
            return SQLITE_OK;
        }
        if (at == WAL_FRAME && amount == wal->page_size && wal->next == i + 1) {
            wal->next = 0;
            return wal_frames_write(wal, i, from);
        }
    }
    (void)watch_end(wal->watch, ERR_STORE,
                    "its WAL: SQLite does not write frame behind frame, as it must here");
    return SQLITE_IOERR_WRITE;
}

/* Frames, and what there is of before, as far as SQLite wants them to be left. */
int
chain_truncate(struct wal *wal, sqlite3_int64 size)
{
    sqlite3_int64 end;
    size_t i;
    size_t at;
    int rc;

    if (size == 0 || !wal->begun) {
        chain_forget(wal);
        return wal->file->pMethods->xTruncate(wal->file, 0);
    }
    find(wal, size < WAL_HEADER ? WAL_HEADER : size, &i, &at);
    rc = wal_frames_flush(wal);
    end = (sqlite3_int64)wal_frames_end(wal, i < wal->n ? i : wal->n);
    if (i >= wal->n && size > end) {
        end = size;
    }
    if (rc == SQLITE_OK && (i < wal->n || wal->left > end)) {
        wal_frames_cut(wal, i);
        wal->left = end;
        rc = wal->file->pMethods->xTruncate(wal->file, end);
    }
    return rc;
}
