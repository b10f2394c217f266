/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: a tag is of all octets that a page has in the file; zeros are of one that is not
 * known. Tags belong to one opening of one file. SQLite reads and writes whole pages of one size,
 * and may read a part of one; in the WAL each stands behind the header of its frame.
 */
#include "db/store/pages.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/pool.h"

enum {
    KEY_SIZE = 32,
    PAGE_MIN = 512, /* of SQLite */
    WAL_HEADER = 32,
    FRAME_HEADER = 24,
};

struct tag {
    uint8_t octets[16];
};

struct pages {
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
    char name[48];
    EVP_MAC_CTX *mac;
    uint8_t key[KEY_SIZE];
    char altered[64];
};

/* SQLite gives the room: the system's own follows. */
struct file {
    sqlite3_file head;
    struct pages *pages;
    bool known; /* its pages are remembered */
    bool wal;
    sqlite3_int64 page; /* octets; 0: none was read or written yet */
    struct tag *tags;
    size_t n;
};

DEFINE_CLEANUP(mac_cleanup, EVP_MAC, EVP_MAC_free)

/* ---- where a page is ---- */

static struct file *
file_of(sqlite3_file *f)
{
    return CONTAINER_OF(f, struct file, head);
}

static sqlite3_file *
system_of(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)(file_of(f) + 1);
}

static sqlite3_int64
begin_of(const struct file *f, size_t i)
{
    return f->wal ? WAL_HEADER + FRAME_HEADER + (sqlite3_int64)i * (f->page + FRAME_HEADER)
                  : (sqlite3_int64)i * f->page;
}

/* The first page that may end behind this offset. */
static size_t
first_behind(const struct file *f, sqlite3_int64 offset)
{
    const sqlite3_int64 i =
        f->wal ? (offset - WAL_HEADER) / (f->page + FRAME_HEADER) : offset / f->page;

    return i < 0 ? 0 : (size_t)i;
}

/* Exactly one page. */
static bool
is_page(struct file *f, int amount, sqlite3_int64 offset, size_t *i)
{
    if (!f->known || amount < PAGE_MIN || (amount & (amount - 1)) != 0) {
        return false;
    }
    f->page = f->page == 0 ? amount : f->page;
    *i = first_behind(f, offset);
    return amount == f->page && begin_of(f, *i) == offset;
}

static void
forget(struct file *f, sqlite3_int64 from, sqlite3_int64 to)
{
    if (f->page == 0) {
        return;
    }
    for (size_t i = first_behind(f, from); i < f->n && begin_of(f, i) < to; i++) {
        if (begin_of(f, i) + f->page > from) {
            f->tags[i] = (struct tag){0};
        }
    }
}

/* ---- what is in it ---- */

static bool
is_none(const struct tag *tag)
{
    static const struct tag none;

    return memcmp(tag, &none, sizeof(none)) == 0;
}

static bool
make_tag(const struct pages *p, const void *page, size_t n, struct tag *tag)
{
    size_t out_n = 0;

    return EVP_MAC_init(p->mac, p->key, sizeof(p->key), NULL) == 1 &&
           EVP_MAC_update(p->mac, page, n) == 1 &&
           EVP_MAC_final(p->mac, tag->octets, &out_n, sizeof(tag->octets)) == 1 &&
           out_n == sizeof(tag->octets);
}

static void
remember(struct file *f, size_t i, const struct tag *tag)
{
    const size_t had = f->n;

    if (i >= f->n) {
        f->tags = mem_grow(f->tags, &f->n, i + 1, sizeof(*f->tags));
        memset(f->tags + had, 0, (f->n - had) * sizeof(*f->tags));
    }
    f->tags[i] = *tag;
}

static int
read_system(struct file *f, void *out, int amount, sqlite3_int64 offset)
{
    sqlite3_file *system = system_of(&f->head);

    return system->pMethods->xRead(system, out, amount, offset);
}

static int
read_page(struct file *f, size_t i, void *out)
{
    const int rc = read_system(f, out, (int)f->page, begin_of(f, i));
    struct tag tag;

    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (!make_tag(f->pages, out, (size_t)f->page, &tag)) {
        return SQLITE_IOERR_READ;
    }
    if (i < f->n && !is_none(&f->tags[i]) && CRYPTO_memcmp(&f->tags[i], &tag, sizeof(tag)) != 0) {
        (void)snprintf(f->pages->altered, sizeof(f->pages->altered), "page %zu%s", i + 1,
                       f->wal ? " of its WAL" : "");
        return SQLITE_IOERR_DATA;
    }
    if (rc == SQLITE_OK) {
        remember(f, i, &tag);
    }
    return rc;
}

/* Less than a page, within one: SQLite from 3.45 on reads the end of a large value so. */
static bool
is_part(const struct file *f, int amount, sqlite3_int64 offset, size_t *i)
{
    if (!f->known || f->page == 0 || amount >= f->page) {
        return false;
    }
    *i = first_behind(f, offset);
    return offset >= begin_of(f, *i) && offset + amount <= begin_of(f, *i) + f->page;
}

/* What is given is what was compared. */
static int
read_part(struct file *f, size_t i, void *out, int amount, sqlite3_int64 offset)
{
    uint8_t *page = sqlite3_malloc64((sqlite3_uint64)f->page);
    int rc;

    if (page == NULL) {
        return SQLITE_IOERR_NOMEM;
    }
    rc = read_page(f, i, page);
    if (rc == SQLITE_OK) {
        memcpy(out, page + (offset - begin_of(f, i)), (size_t)amount);
    }
    sqlite3_free(page);
    return rc == SQLITE_IOERR_SHORT_READ ? read_system(f, out, amount, offset) : rc;
}

static int
read_file(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    struct file *f = file_of(file);
    size_t i;

    return is_page(f, amount, offset, &i)   ? read_page(f, i, out)
           : is_part(f, amount, offset, &i) ? read_part(f, i, out, amount, offset)
                                            : read_system(f, out, amount, offset);
}

static int
write_file(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset)
{
    struct file *f = file_of(file);
    struct tag tag;
    size_t i;
    int rc;

    if (!f->known) {
        return system_of(file)->pMethods->xWrite(system_of(file), from, amount, offset);
    }
    forget(f, offset, offset + amount); /* also of a part, and of what fails */
    rc = system_of(file)->pMethods->xWrite(system_of(file), from, amount, offset);
    if (rc != SQLITE_OK || !is_page(f, amount, offset, &i)) {
        return rc;
    }
    if (!make_tag(f->pages, from, (size_t)amount, &tag)) {
        return SQLITE_IOERR_WRITE;
    }
    remember(f, i, &tag);
    return SQLITE_OK;
}

static int
truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    forget(file_of(file), size, INT64_MAX);
    return system_of(file)->pMethods->xTruncate(system_of(file), size);
}

static int
close_file(sqlite3_file *file)
{
    mem_free(file_of(file)->tags);
    return system_of(file)->pMethods->xClose(system_of(file));
}

/* ---- all else is the system's ---- */

static int
sync_file(sqlite3_file *file, int flags)
{
    return system_of(file)->pMethods->xSync(system_of(file), flags);
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return system_of(file)->pMethods->xFileSize(system_of(file), size);
}

static int
lock_file(sqlite3_file *file, int lock)
{
    return system_of(file)->pMethods->xLock(system_of(file), lock);
}

static int
unlock_file(sqlite3_file *file, int lock)
{
    return system_of(file)->pMethods->xUnlock(system_of(file), lock);
}

static int
is_reserved(sqlite3_file *file, int *out)
{
    return system_of(file)->pMethods->xCheckReservedLock(system_of(file), out);
}

static int
control_file(sqlite3_file *file, int what, void *arg)
{
    return system_of(file)->pMethods->xFileControl(system_of(file), what, arg);
}

static int
sector_size(sqlite3_file *file)
{
    return system_of(file)->pMethods->xSectorSize(system_of(file));
}

static int
characteristics(sqlite3_file *file)
{
    return system_of(file)->pMethods->xDeviceCharacteristics(system_of(file));
}

/* Version 1: no page is ever mapped, and no index of the WAL is shared. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct pages *pages = vfs->pAppData;
    struct file *f = file_of(file);
    int rc;

    *f = (struct file){.pages = pages,
                       .known = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0,
                       .wal = (flags & SQLITE_OPEN_WAL) != 0};
    rc = pages->system->xOpen(pages->system, name, system_of(file), flags, out_flags);
    /* It is closed when it has methods. */
    f->head.pMethods = system_of(file)->pMethods == NULL ? NULL : &methods;
    return rc;
}

static int
delete_file(sqlite3_vfs *vfs, const char *name, int sync)
{
    const struct pages *pages = vfs->pAppData;

    return pages->system->xDelete(pages->system, name, sync);
}

static int
access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    const struct pages *pages = vfs->pAppData;

    return pages->system->xAccess(pages->system, name, flags, out);
}

static int
full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    const struct pages *pages = vfs->pAppData;

    return pages->system->xFullPathname(pages->system, name, n, out);
}

/* ---- life cycle ---- */

static EVP_MAC_CTX *
poly1305(struct err *e)
{
    CLEANUP(mac_cleanup) EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    EVP_MAC_CTX *ctx = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

    if (ctx == NULL) {
        (void)ossl_err(e, ERR_CRYPTO, "Poly1305");
    }
    return ctx;
}

/* What does not open files (time, random numbers) is the system's as it is. */
static void
fill(struct pages *p)
{
    p->vfs = *p->system;
    p->vfs.szOsFile = (int)sizeof(struct file) + p->system->szOsFile;
    p->vfs.pNext = NULL;
    p->vfs.zName = p->name;
    p->vfs.pAppData = p;
    p->vfs.xOpen = open_file;
    p->vfs.xDelete = delete_file;
    p->vfs.xAccess = access_file;
    p->vfs.xFullPathname = full_name;
}

struct pages *
pages_new(struct err *e)
{
    CLEANUP(pages_cleanup) struct pages *p = mem_new(sizeof(*p));
    const int initialized = sqlite3_initialize();

    (void)snprintf(p->name, sizeof(p->name), "nfpki-%p", (void *)p);
    p->system = sqlite3_vfs_find(NULL);
    if (initialized != SQLITE_OK || p->system == NULL) {
        (void)err_set(e, ERR_STORE, "SQLite opens no files here");
        return NULL;
    }
    p->mac = poly1305(e);
    if (p->mac == NULL || random_bytes(p->key, sizeof(p->key), e) != 0) {
        return NULL;
    }
    fill(p);
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
        EVP_MAC_CTX_free(p->mac);
        mem_free(p);
    }
}

const char *
pages_vfs(const struct pages *p)
{
    return p->name;
}

const char *
pages_altered(const struct pages *p)
{
    return p->altered[0] == '\0' ? NULL : p->altered;
}
