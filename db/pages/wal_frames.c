/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/wal_frames.h"

#include <string.h>

#include "base/ossl.h"
#include "db/pages/change.h"

enum {
    AT_COMMIT = 4, /* in SQLite's header of a frame: pages of the file, when a transaction ends */
    AT_BASE = WAL_FRAME,
    AT_LENGTH = 28,
    AT_CHANGE = 32,
    PENDING_MAX = 64 * 1024,
};

/* ---- where they are ---- */

static size_t
record_max(const struct wal *wal)
{
    return AT_CHANGE + change_max(wal->page_size) + TAG_SIZE;
}

/* Where the next one is, when there are `n`. */
uint64_t
wal_frames_end(const struct wal *wal, size_t n)
{
    return n == 0 ? FRAMES_BEGIN : wal->frames[n - 1].at + wal->frames[n - 1].n;
}

/* Pages count from 0 here, from 1 in frames. */
static uint64_t
page_of(const uint8_t header[WAL_FRAME])
{
    return octets_get(header, 4) - 1;
}

static uint32_t *
bucket_of(struct wal *wal, const struct wal_frame *frame)
{
    return &wal->newest[page_of(frame->header) % WAL_BUCKETS];
}

size_t
wal_frames_newest(const struct wal *wal, uint64_t page)
{
    uint32_t k = wal->newest[page % WAL_BUCKETS];

    while (k != 0 && page_of(wal->frames[k - 1].header) != page) {
        k = wal->frames[k - 1].below;
    }
    return k;
}

/* ---- seals ---- */

/* Of the frame behind the first `i`, without its own seal. No header begins as this does. */
static bool
seal_record(const struct wal *wal, size_t i, struct span record, struct tag *seal)
{
    const struct span before = tag_span(i == 0 ? &wal->seal : &wal->frames[i - 1].tag);
    const struct span all[] = {span_str("frame"), before, record};
    struct tag page;
    const struct span whole[] = {before, span_of(record.p, WAL_FRAME), tag_span(&page)};

    if (wal->version != FRAMES_WHOLE_PAGES) {
        return tag_make(wal->keys->wal, all, ARRAY_LEN(all), seal);
    }
    return tag_page(wal->keys, page_of(record.p), span_of(record.p + WAL_FRAME, wal->page_size),
                    &page) &&
           tag_make(wal->keys->wal, whole, ARRAY_LEN(whole), seal);
}

/* ---- which there are ---- */

static void
keep(struct wal *wal, struct wal_frame frame)
{
    uint32_t *newest = bucket_of(wal, &frame);

    frame.below = *newest;
    wal->frames = mem_grow(wal->frames, &wal->room, wal->n + 1, sizeof(*wal->frames));
    wal->frames[wal->n++] = frame;
    *newest = (uint32_t)wal->n;
    if (octets_get(frame.header + AT_COMMIT, 4) != 0) {
        wal->committed = wal->n;
    }
}

/* Those from `n` on are not there any more. */
void
wal_frames_cut(struct wal *wal, size_t n)
{
    const uint64_t end = wal_frames_end(wal, n < wal->n ? n : wal->n);

    if (n >= wal->n) {
        return;
    }
    if (wal->pending.n > 0 && end < wal->pending.at + wal->pending.n) {
        wal->pending.n = end < wal->pending.at ? 0 : (size_t)(end - wal->pending.at);
    }
    while (wal->n > n) {
        const struct wal_frame *last = &wal->frames[--wal->n];

        *bucket_of(wal, last) = last->below;
    }
    versions_cut(&wal->versions, wal->n);
    wal->committed = wal->committed < wal->n ? wal->committed : wal->n;
    wal->in_scratch = wal->in_scratch <= wal->n ? wal->in_scratch : 0;
}

void
wal_frames_make_room(struct wal *wal, size_t page_size)
{
    mem_free(wal->scratch);
    mem_free(wal->record);
    mem_free(wal->pending.octets);
    versions_clear(&wal->versions);
    wal->page_size = page_size;
    wal->scratch = mem_zalloc(wal_frames_size(wal), 1);
    wal->record = mem_zalloc(record_max(wal), 1);
    wal->pending = (struct wal_pending){.octets = mem_zalloc(PENDING_MAX + record_max(wal), 1)};
    wal->in_scratch = 0;
}

int
wal_frames_flush(struct wal *wal)
{
    const struct wal_pending *p = &wal->pending;
    int rc = SQLITE_OK;

    if (p->n > 0) {
        rc = wal->file->pMethods->xWrite(wal->file, p->octets, (int)p->n, (sqlite3_int64)p->at);
        wal->pending.n = rc == SQLITE_OK ? 0 : p->n;
    }
    return rc;
}

/* ---- reading ---- */

static int
read_own(struct wal *wal, void *out, size_t n, uint64_t offset)
{
    return wal->file->pMethods->xRead(wal->file, out, (int)n, (sqlite3_int64)offset);
}

/* How long what begins as wal->record would be, with its seal; 0: it is none. */
static size_t
record_size(const struct wal *wal)
{
    const size_t n = (size_t)octets_get(wal->record + AT_LENGTH, 4);

    return wal->version == FRAMES_WHOLE_PAGES ? WAL_FRAME + wal->page_size + TAG_SIZE
           : n <= change_max(wal->page_size)  ? AT_CHANGE + n + TAG_SIZE
                                              : 0;
}

/* Once its seal was verified: from which frame it goes on. False: from none that there is. */
static bool
set_base(const struct wal *wal, struct wal_frame *frame)
{
    const uint32_t base =
        wal->version == FRAMES_WHOLE_PAGES ? 0 : (uint32_t)octets_get(wal->record + AT_BASE, 4);

    frame->base = base;
    frame->depth = 1;
    if (base == 0) {
        return true;
    }
    if (base > wal->n || page_of(wal->frames[base - 1].header) != page_of(frame->header)) {
        return false;
    }
    frame->depth += wal->frames[base - 1].depth;
    return frame->depth <= WAL_DEPTH_MAX;
}

/* *whole: the next frame is there. What is behind the end of the file is read as zeros. */
int
wal_frames_load(struct wal *wal, bool *whole)
{
    struct wal_frame frame = {.at = wal_frames_end(wal, wal->n)};
    const int rc = read_own(wal, wal->record, record_max(wal), frame.at);
    const size_t n = record_size(wal);

    *whole = false;
    if ((rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) || n == 0) {
        return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
    }
    frame.n = (uint32_t)n;
    memcpy(frame.header, wal->record, sizeof(frame.header));
    if (!seal_record(wal, wal->n, span_of(wal->record, n - TAG_SIZE), &frame.tag)) {
        return SQLITE_IOERR_READ;
    }
    *whole = CRYPTO_memcmp(wal->record + n - TAG_SIZE, &frame.tag, TAG_SIZE) == 0 &&
             set_base(wal, &frame);
    if (*whole) {
        keep(wal, frame);
    }
    return SQLITE_OK;
}

/* Frame `k`, from 1, into wal->record: the same as it was. */
static int
read_record(struct wal *wal, size_t k)
{
    const struct wal_frame *frame = &wal->frames[k - 1];
    struct tag seal;
    int rc = wal_frames_flush(wal);

    rc = rc == SQLITE_OK ? read_own(wal, wal->record, frame->n, frame->at) : rc;
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (!seal_record(wal, k - 1, span_of(wal->record, frame->n - TAG_SIZE), &seal)) {
        return SQLITE_IOERR_READ;
    }
    return tag_equal(&seal, &frame->tag) ? SQLITE_OK
                                         : watch_page(wal->watch, k - 1, WATCH_WAL, watch_changed);
}

/* What wal->record makes of the page. */
static bool
apply_record(const struct wal *wal, const struct wal_frame *frame, uint8_t *page)
{
    if (wal->version == FRAMES_WHOLE_PAGES) {
        memcpy(page, wal->record + WAL_FRAME, wal->page_size);
        return true;
    }
    return change_apply(span_of(wal->record + AT_CHANGE, frame->n - AT_CHANGE - TAG_SIZE), page,
                        wal->page_size);
}

/* What the page of frame `k` begins as, and goes on from through way[*n - 1] to way[0], which is
 * `k` itself: what is in memory, or zeros. */
static void
find_way(struct wal *wal, size_t k, uint8_t *page, size_t way[WAL_DEPTH_MAX], size_t *n)
{
    const uint64_t number = page_of(wal->frames[k - 1].header);
    const uint8_t *begin = NULL;

    *n = 0;
    while (k != 0 && begin == NULL) {
        begin = versions_find(&wal->versions, number, k);
        if (begin == NULL) {
            way[(*n)++] = k;
            k = wal->frames[k - 1].base;
        }
    }
    if (begin == NULL) {
        memset(page, 0, wal->page_size);
    } else {
        memcpy(page, begin, wal->page_size);
    }
}

/* Into scratch. What is in memory is compared with the file, too. */
int
wal_frames_read(struct wal *wal, size_t i)
{
    uint8_t *page = wal->scratch + WAL_FRAME;
    size_t way[WAL_DEPTH_MAX];
    size_t n;
    int rc;

    if (wal->in_scratch == i + 1) {
        return SQLITE_OK;
    }
    wal->in_scratch = 0;
    find_way(wal, i + 1, page, way, &n);
    rc = n == 0 ? read_record(wal, i + 1) : SQLITE_OK;
    while (rc == SQLITE_OK && n > 0) {
        const size_t k = way[--n];

        rc = read_record(wal, k);
        if (rc == SQLITE_OK && !apply_record(wal, &wal->frames[k - 1], page)) {
            rc = SQLITE_IOERR_DATA;
        }
    }
    if (rc == SQLITE_OK) {
        memcpy(wal->scratch, wal->frames[i].header, WAL_FRAME);
        versions_put(&wal->versions, page_of(wal->scratch), i + 1, page, wal->page_size);
        wal->in_scratch = i + 1;
    }
    return rc;
}

/* ---- writing ---- */

/* The frame that the next one of this page goes on from, from 1, and the page in it; 0: from none.
 */
static int
find_base(struct wal *wal, uint64_t page, size_t *base, const uint8_t **content)
{
    int rc = SQLITE_OK;

    *base = wal_frames_newest(wal, page);
    *content = NULL;
    if (*base == 0 || wal->frames[*base - 1].depth == WAL_DEPTH_MAX) {
        *base = 0;
        return SQLITE_OK;
    }
    *content = versions_find(&wal->versions, page, *base);
    if (*content == NULL) {
        rc = wal_frames_read(wal, *base - 1);
        *content = wal->scratch + WAL_FRAME;
    }
    return rc;
}

/* Into wal->record, but for its seal; the frame knows what of it. */
static int
make_record(struct wal *wal, const uint8_t *page, struct wal_frame *frame)
{
    uint8_t *change = wal->record + AT_CHANGE;
    const uint8_t *content;
    size_t base;
    size_t n;
    const int rc = find_base(wal, page_of(frame->header), &base, &content);

    if (rc != SQLITE_OK) {
        return rc;
    }
    n = change_encode(content, page, wal->page_size, change);
    if (base != 0 && n > wal->page_size / 2) { /* no more than half of it is the same */
        base = 0;
        n = change_encode(NULL, page, wal->page_size, change);
    }
    memcpy(wal->record, frame->header, WAL_FRAME);
    octets_put(wal->record + AT_BASE, base, 4);
    octets_put(wal->record + AT_LENGTH, n, 4);
    frame->n = (uint32_t)(AT_CHANGE + n + TAG_SIZE);
    frame->base = (uint32_t)base;
    frame->depth = base == 0 ? 1 : wal->frames[base - 1].depth + 1;
    return SQLITE_OK;
}

static int
append(struct wal *wal, const struct wal_frame *frame)
{
    struct wal_pending *p = &wal->pending;
    const int rc = p->n + frame->n > PENDING_MAX ? wal_frames_flush(wal) : SQLITE_OK;

    if (rc == SQLITE_OK) {
        p->at = p->n == 0 ? frame->at : p->at;
        memcpy(p->octets + p->n, wal->record, frame->n);
        p->n += frame->n;
    }
    return rc;
}

int
wal_frames_write(struct wal *wal, size_t i, const uint8_t *page)
{
    struct wal_frame frame = {0};
    int rc;

    wal_frames_cut(wal, i);
    frame.at = wal_frames_end(wal, i);
    memcpy(frame.header, wal->next_header, sizeof(frame.header));
    rc = make_record(wal, page, &frame);
    if (rc != SQLITE_OK) {
        return rc;
    }
    if (!seal_record(wal, i, span_of(wal->record, frame.n - TAG_SIZE), &frame.tag)) {
        return SQLITE_IOERR_WRITE;
    }
    memcpy(wal->record + frame.n - TAG_SIZE, &frame.tag, TAG_SIZE);
    rc = append(wal, &frame);
    if (rc == SQLITE_OK) {
        keep(wal, frame);
        versions_put(&wal->versions, page_of(frame.header), wal->n, page, wal->page_size);
    }
    return rc;
}
