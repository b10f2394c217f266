/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/pages.h"

#include <assert.h>
#include <stdio.h>

#include "db/pages/vfs.h"

/* In the header of the file. */
enum { PAGE_SIZE_AT = 16, WRITES_AT = 18, READS_AT = 19, IN_WAL_MODE = 2, HEADER = 20 };

struct pages *
pages_new(const struct pages_options *options, struct err *e)
{
    CLEANUP(pages_cleanup) struct pages *p = mem_new(sizeof(*p));
    /* Nobody asks how much memory SQLite has; counting it takes a lock each time. It is refused
     * when somebody uses SQLite already. */
    const int counts = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    const int initialized = sqlite3_initialize();

    (void)counts;
    (void)snprintf(p->name, sizeof(p->name), "nfpki-%p", (void *)p);
    p->watch = (struct watch){.tell = options->tell, .arg = options->tell_arg};
    p->map.keys = &p->keys;
    p->map.watch = &p->watch;
    p->wal.keys = &p->keys;
    p->wal.watch = &p->watch;
    p->has_key = options->key.n > 0;
    p->system = sqlite3_vfs_find(NULL);
    if (initialized != SQLITE_OK || p->system == NULL) {
        (void)err_set(e, ERR_STORE, "SQLite opens no files here");
        return NULL;
    }
    if (p->has_key && options->key.n != PAGES_KEY_SIZE) {
        (void)err_set(e, ERR_INPUT, "a key that seals pages has %d octets", PAGES_KEY_SIZE);
        return NULL;
    }
    if (tag_keys_make(&p->keys, options->key, e) != 0) {
        return NULL;
    }
    vfs_fill(p);
    if (sqlite3_vfs_register(&p->vfs, 0) != SQLITE_OK) {
        (void)err_set(e, ERR_STORE, "SQLite takes no other way to its files");
        return NULL;
    }
    return TAKE(p);
}

void
pages_free(struct pages *p)
{
    if (p != NULL) {
        (void)sqlite3_vfs_unregister(&p->vfs);
        map_clear(&p->map);
        body_close(p);
        wal_close(&p->wal);
        tag_keys_free(&p->keys);
        mem_free(p->map_name);
        mem_free(p->scratch);
        mem_free(p);
    }
}

const char *
pages_vfs(const struct pages *p)
{
    return p->name;
}

int
pages_check(const struct pages *p, struct err *e)
{
    if (p->watch.why.code == ERR_NONE) {
        return 0;
    }
    *e = p->watch.why;
    return -1;
}

bool
pages_has_key(const struct pages *p)
{
    return p->has_key;
}

bool
pages_is_sealed(const struct pages *p)
{
    return p->sealed;
}

uint64_t
pages_count(const struct pages *p)
{
    sqlite3_int64 size = 0;

    if (p->sealed) {
        return p->map.slot.count;
    }
    return p->main == NULL || p->page_size == 0 ||
                   p->main->pMethods->xFileSize(p->main, &size) != SQLITE_OK
               ? 0
               : (uint64_t)size / p->page_size;
}

/* ---- sealing ---- */

static int
failed(const struct pages *p, const char *doing, int rc, struct err *e)
{
    return pages_check(p, e) != 0 ? -1 : err_set(e, ERR_STORE, "%s: %s", doing, sqlite3_errstr(rc));
}

/* Pages of the file, which may be one that SQLite did not read yet. */
static int
measure(struct pages *p, uint64_t *n, struct err *e)
{
    uint8_t header[HEADER];
    sqlite3_int64 size = 0;
    size_t page;
    int rc = p->main->pMethods->xFileSize(p->main, &size);

    rc = rc != SQLITE_OK ? rc : body_read(p, header, sizeof(header), 0);
    if (rc != SQLITE_OK) {
        return failed(p, "read its header", rc, e);
    }
    if (header[WRITES_AT] != IN_WAL_MODE || header[READS_AT] != IN_WAL_MODE) {
        return err_set(e, ERR_STORE, "it has no WAL: start again"); /* a write of it failed */
    }
    page = (size_t)octets_get(header + PAGE_SIZE_AT, 2);
    page = page == 1 ? (size_t)64 * 1024 : page; /* as SQLite writes it */
    if (p->page_size == 0 && page != 0) {
        body_set_page_size(p, page);
    }
    if (page != p->page_size || page == 0 || (size_t)size % page != 0) {
        return err_set(e, ERR_STORE, "it does not have pages of one size");
    }
    *n = (uint64_t)size / page;
    return 0;
}

int
pages_seal(struct pages *p, struct err *e)
{
    uint64_t n = 0;
    int rc;

    if (p->sealed) {
        return 0;
    }
    assert(p->has_key && p->main != NULL && p->loaded && p->watch.tell == NULL);
    rc = wal_settle(&p->wal);
    if (rc != SQLITE_OK) {
        return failed(p, "empty its WAL", rc, e);
    }
    if (measure(p, &n, e) != 0) {
        return -1;
    }
    for (uint64_t i = 0; rc == SQLITE_OK && i < n; i++) {
        rc = body_compare(p, i);
    }
    rc = rc == SQLITE_OK ? map_resize(&p->map, n) : rc;
    rc = rc == SQLITE_OK ? body_seal(p) : rc;
    return rc == SQLITE_OK ? 0 : failed(p, "seal it", rc, e);
}

int
pages_scrub(struct pages *p, uint64_t *page, uint64_t max, uint64_t *seen, bool *end, struct err *e)
{
    int rc = SQLITE_OK;

    *seen = 0;
    while (p->sealed && *page < p->map.slot.count && *seen < max) {
        rc = body_compare(p, *page);
        if (rc != SQLITE_OK) {
            return failed(p, "read a page", rc, e);
        }
        ++*page;
        ++*seen;
    }
    *end = !p->sealed || *page >= p->map.slot.count;
    *page = *end ? 0 : *page;
    return 0;
}
