/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/body.h"

#include <string.h>

enum {
    HEADER = 100,   /* of the file, in page 1 */
    PAGE_MIN = 512, /* of SQLite */
};

/* ---- FILE-seal ---- */

static int
open_map(struct pages *p, int flags)
{
    int rc;

    p->map_file = mem_zalloc(1, (size_t)p->system->szOsFile);
    /* As if it were a WAL: its name is durable with its first sync, its mode is the file's. */
    rc = p->system->xOpen(p->system, p->map_name, p->map_file,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL | flags, NULL);
    if (rc != SQLITE_OK) {
        body_close(p);
    }
    return rc;
}

void
body_close(struct pages *p)
{
    if (p->map_file != NULL && p->map_file->pMethods != NULL) {
        (void)p->map_file->pMethods->xClose(p->map_file);
    }
    mem_free(p->map_file);
    p->map_file = NULL;
}

void
body_set_page_size(struct pages *p, size_t size)
{
    p->page_size = size;
    mem_free(p->scratch);
    p->scratch = mem_zalloc(size, 1);
}

/* There is one: whose? */
static int
load_map(struct pages *p)
{
    enum map_found found = MAP_NONE;
    bool any = false;
    int rc = open_map(p, 0);

    if (rc == SQLITE_OK) {
        rc = p->has_key ? map_open(&p->map, p->map_file, &found) : map_is_any(p->map_file, &any);
    }
    if (rc == SQLITE_OK && any && p->watch.tell == NULL) {
        rc = watch_end(&p->watch, ERR_DENIED, "it is sealed, and there is no key to read it with");
    } else if (rc == SQLITE_OK && found == MAP_OTHER) {
        rc = watch_end(&p->watch, ERR_DENIED, "it is sealed under another key");
    } else if (rc == SQLITE_OK && found == MAP_EDITED) {
        rc = watch_found(&p->watch, "all that seals it (FILE-seal)", " was edited, or put back");
    }
    if (rc == SQLITE_OK && found == MAP_OURS) {
        p->sealed = true;
        body_set_page_size(p, p->map.slot.page_size);
    } else {
        body_close(p);
    }
    return rc;
}

int
body_load(struct pages *p)
{
    int exists = 0;
    int rc = p->system->xAccess(p->system, p->map_name, SQLITE_ACCESS_EXISTS, &exists);

    if (rc == SQLITE_OK && exists != 0) {
        rc = load_map(p);
    }
    p->loaded = rc == SQLITE_OK;
    return rc;
}

int
body_seal(struct pages *p)
{
    static const struct slot_wal none;
    int rc = open_map(p, SQLITE_OPEN_CREATE);

    if (rc != SQLITE_OK) {
        return rc;
    }
    rc = p->map_file->pMethods->xTruncate(p->map_file, 0);
    map_attach(&p->map, p->map_file);
    p->map.slot.page_size = (uint32_t)p->page_size;
    rc = rc != SQLITE_OK ? rc : map_write(&p->map, &none);
    if (rc == SQLITE_OK) {
        p->sealed = true;
        wal_seal(&p->wal);
    }
    return rc;
}

/* ---- pages ---- */

/* Exactly one; the first one tells how large they are. */
static bool
is_page(struct pages *p, size_t amount, sqlite3_int64 offset)
{
    if (p->page_size == 0 && amount >= PAGE_MIN && (amount & (amount - 1)) == 0) {
        body_set_page_size(p, amount);
    }
    return p->page_size != 0 && amount == p->page_size && (size_t)offset % amount == 0;
}

/* Within one. */
static bool
is_part(const struct pages *p, size_t amount, sqlite3_int64 offset)
{
    return p->page_size != 0 && (size_t)offset % p->page_size + amount <= p->page_size;
}

static bool
is_zero(const uint8_t *octets, size_t n)
{
    return octets[0] == 0 && memcmp(octets, octets + 1, n - 1) == 0;
}

/* Has page `i` this content? One that is not known, and is not sealed, is remembered when it was
 * read `whole`. */
static int
match(struct pages *p, uint64_t i, const uint8_t *page, bool whole, bool *same)
{
    struct tag known;
    struct tag tag;
    int rc = map_get(&p->map, i, &known);

    *same = true;
    if (rc != SQLITE_OK) {
        return rc;
    }
    if (tag_is_none(&known) && p->sealed) { /* SQLite had nothing to write there */
        *same = is_zero(page, p->page_size);
        return SQLITE_OK;
    }
    if (!tag_page(&p->keys, i, span_of(page, p->page_size), &tag)) {
        return SQLITE_IOERR_READ;
    }
    if (tag_is_none(&known)) {
        return whole ? map_set(&p->map, i, &tag) : SQLITE_OK;
    }
    *same = tag_equal(&known, &tag);
    return SQLITE_OK;
}

/* SQLITE_OK also when it differs and that is told. */
static int
found_other(struct pages *p, uint64_t i)
{
    return watch_page(&p->watch, i, WATCH_MAIN, p->sealed ? watch_edited : watch_changed);
}

static sqlite3_int64
place_of(const struct pages *p, uint64_t i)
{
    return (sqlite3_int64)i * (sqlite3_int64)p->page_size;
}

/* SQLITE_IOERR_SHORT_READ at the end of the file. */
static int
fetch(struct pages *p, uint64_t i, uint8_t *out, bool *same)
{
    int read;
    int rc;

    *same = true;
    if (p->sealed && i >= p->map.slot.count) { /* the file ends there */
        memset(out, 0, p->page_size);
        return SQLITE_IOERR_SHORT_READ;
    }
    read = p->main->pMethods->xRead(p->main, out, (int)p->page_size, place_of(p, i));
    if (read != SQLITE_OK && read != SQLITE_IOERR_SHORT_READ) {
        return read;
    }
    rc = match(p, i, out, read == SQLITE_OK, same);
    return rc == SQLITE_OK ? read : rc;
}

static int
read_page(struct pages *p, uint64_t i, uint8_t *out)
{
    bool same;
    const int read = fetch(p, i, out, &same);
    const int rc = same ? SQLITE_OK : found_other(p, i);

    return rc == SQLITE_OK ? read : rc;
}

/* What is given is what was compared. */
static int
read_part(struct pages *p, uint8_t *out, size_t amount, sqlite3_int64 offset)
{
    const int rc = read_page(p, (uint64_t)offset / p->page_size, p->scratch);

    if (rc == SQLITE_IOERR_SHORT_READ && !p->sealed) {
        return p->main->pMethods->xRead(p->main, out, (int)amount, offset);
    }
    memcpy(out, p->scratch + (size_t)offset % p->page_size, amount);
    return rc;
}

int
body_read(struct pages *p, void *out, int amount, sqlite3_int64 offset)
{
    const size_t n = (size_t)amount;
    int rc = SQLITE_OK;

    if (p->loaded && !(p->sealed && offset + amount <= HEADER)) {
        if (is_page(p, n, offset)) {
            return read_page(p, (uint64_t)offset / n, out);
        }
        if (is_part(p, n, offset)) {
            return read_part(p, out, n, offset);
        }
        if (p->sealed) {
            rc = found_other(p, (uint64_t)offset / p->page_size);
        }
    }
    return rc == SQLITE_OK ? p->main->pMethods->xRead(p->main, out, amount, offset) : rc;
}

/* Pages that are not known any more. */
static int
forget(struct pages *p, sqlite3_int64 from, sqlite3_int64 to)
{
    static const struct tag none;
    int rc = SQLITE_OK;

    for (uint64_t i = p->page_size == 0 ? UINT64_MAX : (uint64_t)from / p->page_size;
         rc == SQLITE_OK && i < p->map.slot.count && place_of(p, i) < to; i++) {
        rc = map_set(&p->map, i, &none);
    }
    return rc;
}

int
body_write(struct pages *p, const void *from, int amount, sqlite3_int64 offset)
{
    const struct span content = span_of(from, (size_t)amount);
    const bool page = is_page(p, content.n, offset);
    const uint64_t i = page ? (uint64_t)offset / content.n : 0;
    struct tag tag;
    int rc = SQLITE_OK;

    if (p->watch.tell != NULL || (p->sealed && !page)) {
        return SQLITE_READONLY;
    }
    if (!p->sealed) {
        rc = forget(p, offset, offset + amount); /* also of a part, and of what fails */
    }
    rc = rc == SQLITE_OK ? p->main->pMethods->xWrite(p->main, from, amount, offset) : rc;
    if (rc != SQLITE_OK || !page) {
        return rc;
    }
    return tag_page(&p->keys, i, content, &tag) ? map_set(&p->map, i, &tag) : SQLITE_IOERR_WRITE;
}

int
body_truncate(struct pages *p, sqlite3_int64 size)
{
    int rc = SQLITE_OK;

    if (p->page_size != 0) {
        const uint64_t pages = (uint64_t)size / p->page_size;

        if (p->sealed && (pages * p->page_size != (uint64_t)size)) {
            return SQLITE_IOERR_TRUNCATE;
        }
        rc = p->sealed || pages < p->map.slot.count ? map_resize(&p->map, pages) : SQLITE_OK;
    }
    return rc == SQLITE_OK ? p->main->pMethods->xTruncate(p->main, size) : rc;
}

int
body_sync(struct pages *p, int flags)
{
    const int rc = p->main->pMethods->xSync(p->main, flags);
    struct slot_wal wal = p->map.slot.wal;

    if (rc != SQLITE_OK) {
        return rc;
    }
    if (!p->sealed || !p->map.changed) {
        return map_settle(&p->map);
    }
    (void)wal_position(&p->wal, &wal); /* else what is in the file is no more than it was */
    return map_write(&p->map, &wal);
}

int
body_size(struct pages *p, sqlite3_int64 *size)
{
    if (!p->sealed) {
        return p->main->pMethods->xFileSize(p->main, size);
    }
    *size = place_of(p, p->map.slot.count);
    return SQLITE_OK;
}

int
body_compare(struct pages *p, uint64_t i)
{
    bool same;
    const int read = fetch(p, i, p->scratch, &same);
    const int rc = same || wal_has(&p->wal, i) ? SQLITE_OK : found_other(p, i);

    return rc != SQLITE_OK || read == SQLITE_IOERR_SHORT_READ ? rc : read;
}
