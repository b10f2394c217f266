/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/chain.h"

#include <string.h>

#include "base/ossl.h"

enum {
    VERSION = 1,
    AT_VERSION = 8,
    AT_PAGE_SIZE = 12,
    AT_FROM = 16,
    AT_EPOCH = 32,
    AT_HEADER = 48,
    AT_SEAL = 80,
    OWN_HEADER = 96,
    AT_COMMIT = 4,        /* in a frame's header: pages of the file, when a transaction ends */
    SQLITE_PAGE_SIZE = 8, /* in SQLite's header */
    PAGE_MAX = 64 * 1024,
};

static const uint8_t magic[] = {'n', 'f', 'p', 'k', 'i', 'w', 'a', 'l'};

bool
chain_is_any(const uint8_t *header, size_t n)
{
    return n >= sizeof(magic) && memcmp(header, magic, sizeof(magic)) == 0;
}

/* ---- where a frame is ---- */

/* For SQLite. */
static size_t
frame_size(const struct wal *wal)
{
    return WAL_FRAME + wal->page_size;
}

static size_t
own_size(const struct wal *wal)
{
    return frame_size(wal) + TAG_SIZE;
}

static sqlite3_int64
own_place(const struct wal *wal, size_t i)
{
    return OWN_HEADER + (sqlite3_int64)i * (sqlite3_int64)own_size(wal);
}

static sqlite3_int64
end_of(const struct wal *wal, size_t frames)
{
    return wal->begun ? WAL_HEADER + (sqlite3_int64)frames * (sqlite3_int64)frame_size(wal) : 0;
}

sqlite3_int64
chain_size(const struct wal *wal)
{
    return end_of(wal, wal->left > wal->n ? wal->left : wal->n);
}

/* Which frame, and where in it. */
static void
find(const struct wal *wal, sqlite3_int64 offset, size_t *i, size_t *at)
{
    *i = (size_t)(offset - WAL_HEADER) / frame_size(wal);
    *at = (size_t)(offset - WAL_HEADER) % frame_size(wal);
}

/* ---- seals ---- */

static bool
seal_header(const struct wal *wal, const uint8_t own[OWN_HEADER], struct tag *seal)
{
    const struct span all = span_of(own, AT_SEAL);

    return tag_make(wal->keys->wal, &all, 1, seal);
}

/* Never as long as a header: so no seal of the one is a seal of the other. */
static bool
seal_frame(const struct wal *wal, size_t i, const struct wal_frame *frame, struct tag *seal)
{
    const struct span parts[] = {tag_span(i == 0 ? &wal->seal : &wal->frames[i - 1].seal),
                                 span_of(frame->header, sizeof(frame->header)),
                                 tag_span(&frame->page)};

    return tag_make(wal->keys->wal, parts, ARRAY_LEN(parts), seal);
}

/* Pages count from 0 in tags, from 1 in frames. */
static uint64_t
page_of(const uint8_t header[WAL_FRAME])
{
    return octets_get(header, 4) - 1;
}

static bool
tag_frame(const struct wal *wal, const uint8_t *frame, struct tag *tag)
{
    return tag_page(wal->keys, page_of(frame), span_of(frame + WAL_FRAME, wal->page_size), tag);
}

/* ---- the frames that there are ---- */

static void
keep(struct wal *wal, const struct wal_frame *frame)
{
    wal->frames = mem_grow(wal->frames, &wal->room, wal->n + 1, sizeof(*wal->frames));
    wal->frames[wal->n++] = *frame;
    if (octets_get(frame->header + AT_COMMIT, 4) != 0) {
        wal->committed = wal->n;
    }
}

/* Those from `n` on are not there any more. */
static void
cut(struct wal *wal, size_t n)
{
    wal->n = n < wal->n ? n : wal->n;
    wal->committed = wal->committed < wal->n ? wal->committed : wal->n;
    wal->in_scratch = wal->in_scratch <= wal->n ? wal->in_scratch : 0;
}

void
chain_forget(struct wal *wal)
{
    cut(wal, 0);
    wal->begun = false;
    wal->left = 0;
    wal->next = 0;
}

static void
make_scratch(struct wal *wal, size_t page_size)
{
    mem_free(wal->scratch);
    wal->page_size = page_size;
    wal->scratch = mem_zalloc(own_size(wal), 1);
    wal->in_scratch = 0;
}

static int
read_own(struct wal *wal, void *out, size_t n, sqlite3_int64 offset)
{
    return wal->file->pMethods->xRead(wal->file, out, (int)n, offset);
}

static int
load_header(struct wal *wal)
{
    uint8_t own[OWN_HEADER];
    const int rc = read_own(wal, own, sizeof(own), 0);
    struct tag seal;
    size_t page_size;

    if (rc != SQLITE_OK) {
        return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
    }
    if (!seal_header(wal, own, &seal)) {
        return SQLITE_IOERR_READ;
    }
    page_size = (size_t)octets_get(own + AT_PAGE_SIZE, 4);
    if (!chain_is_any(own, sizeof(own)) || octets_get(own + AT_VERSION, 4) != VERSION ||
        CRYPTO_memcmp(own + AT_SEAL, &seal, sizeof(seal)) != 0 || page_size > PAGE_MAX) {
        return SQLITE_OK;
    }
    make_scratch(wal, page_size);
    memcpy(&wal->from, own + AT_FROM, sizeof(wal->from));
    memcpy(&wal->epoch, own + AT_EPOCH, sizeof(wal->epoch));
    memcpy(wal->header, own + AT_HEADER, sizeof(wal->header));
    wal->seal = seal;
    wal->begun = true;
    return SQLITE_OK;
}

/* *whole: the next frame is there. */
static int
load_frame(struct wal *wal, bool *whole)
{
    const int rc = read_own(wal, wal->scratch, own_size(wal), own_place(wal, wal->n));
    struct wal_frame frame;

    *whole = false;
    if (rc != SQLITE_OK) {
        return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
    }
    memcpy(frame.header, wal->scratch, sizeof(frame.header));
    if (!tag_frame(wal, wal->scratch, &frame.page) ||
        !seal_frame(wal, wal->n, &frame, &frame.seal)) {
        return SQLITE_IOERR_READ;
    }
    *whole = CRYPTO_memcmp(wal->scratch + frame_size(wal), &frame.seal, TAG_SIZE) == 0;
    if (*whole) {
        keep(wal, &frame);
    }
    return SQLITE_OK;
}

int
chain_load(struct wal *wal)
{
    int rc = load_header(wal);
    bool whole = wal->begun;

    while (rc == SQLITE_OK && whole) {
        rc = load_frame(wal, &whole);
    }
    return rc;
}

/* Into scratch, and the same as it was. */
static int
read_frame(struct wal *wal, size_t i)
{
    struct tag tag;
    int rc;

    if (wal->in_scratch == i + 1) {
        return SQLITE_OK;
    }
    wal->in_scratch = 0;
    rc = read_own(wal, wal->scratch, own_size(wal), own_place(wal, i));
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (!tag_frame(wal, wal->scratch, &tag)) {
        return SQLITE_IOERR_READ;
    }
    if (!tag_equal(&tag, &wal->frames[i].page) ||
        memcmp(wal->scratch, wal->frames[i].header, WAL_FRAME) != 0) {
        return watch_page(wal->watch, i, WATCH_WAL, watch_changed);
    }
    wal->in_scratch = i + 1;
    return SQLITE_OK;
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
    if (at + amount > frame_size(wal)) {
        return SQLITE_IOERR_READ;
    }
    rc = read_frame(wal, i);
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
    uint8_t own[OWN_HEADER] = {0};
    const size_t page_size = (size_t)octets_get(from + SQLITE_PAGE_SIZE, 4);
    sqlite3_int64 size = 0;
    struct err ignored = {0};

    chain_forget(wal);
    if (page_size > PAGE_MAX || wal->file->pMethods->xFileSize(wal->file, &size) != SQLITE_OK ||
        random_bytes(wal->epoch.octets, sizeof(wal->epoch.octets), &ignored) != 0) {
        return SQLITE_IOERR_WRITE;
    }
    make_scratch(wal, page_size);
    wal->left = size < OWN_HEADER ? 0 : (size_t)(size - OWN_HEADER) / own_size(wal);
    wal->from = slot->seal;
    memcpy(wal->header, from, sizeof(wal->header));
    memcpy(own, magic, sizeof(magic));
    octets_put(own + AT_VERSION, VERSION, 4);
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

/* Header, page and seal at once. */
static int
write_frame(struct wal *wal, size_t i, const uint8_t *page)
{
    struct wal_frame frame;
    int rc;

    cut(wal, i);
    wal->in_scratch = 0;
    memcpy(frame.header, wal->next_header, sizeof(frame.header));
    memcpy(wal->scratch, frame.header, sizeof(frame.header));
    memcpy(wal->scratch + WAL_FRAME, page, wal->page_size);
    if (!tag_frame(wal, wal->scratch, &frame.page) || !seal_frame(wal, i, &frame, &frame.seal)) {
        return SQLITE_IOERR_WRITE;
    }
    memcpy(wal->scratch + frame_size(wal), &frame.seal, TAG_SIZE);
    rc =
        wal->file->pMethods->xWrite(wal->file, wal->scratch, (int)own_size(wal), own_place(wal, i));
    if (rc == SQLITE_OK) {
        keep(wal, &frame);
        wal->in_scratch = wal->n;
    }
    return rc;
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
    if (wal->begun && offset >= WAL_HEADER) {
        find(wal, offset, &i, &at);
        if (at == 0 && amount == WAL_FRAME && i <= wal->n) {
            memcpy(wal->next_header, from, WAL_FRAME);
            wal->next = i + 1;
            return SQLITE_OK;
        }
        if (at == WAL_FRAME && amount == wal->page_size && wal->next == i + 1) {
            wal->next = 0;
            return write_frame(wal, i, from);
        }
    }
    (void)watch_end(wal->watch, ERR_STORE,
                    "its WAL: SQLite does not write frame behind frame, as it must here");
    return SQLITE_IOERR_WRITE;
}

int
chain_truncate(struct wal *wal, sqlite3_int64 size)
{
    size_t i;
    size_t at;

    if (size == 0 || !wal->begun) {
        chain_forget(wal);
        return wal->file->pMethods->xTruncate(wal->file, 0);
    }
    find(wal, size < WAL_HEADER ? WAL_HEADER : size, &i, &at);
    cut(wal, i);
    wal->left = i;
    return wal->file->pMethods->xTruncate(wal->file, own_place(wal, i));
}
