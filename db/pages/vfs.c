/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/vfs.h"

#include <string.h>

#include "base/pool.h"

enum role { OTHER, MAIN, WAL };

/* SQLite gives the room: the system's own follows. */
struct file {
    sqlite3_file head;
    struct pages *pages;
    enum role role;
};

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

static int
read_file(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    const struct file *f = file_of(file);

    return f->role == MAIN ? body_read(f->pages, out, amount, offset)
           : f->role == WAL
               ? wal_read(&f->pages->wal, out, amount, offset)
               : system_of(file)->pMethods->xRead(system_of(file), out, amount, offset);
}

static int
write_file(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset)
{
    const struct file *f = file_of(file);

    return f->role == MAIN ? body_write(f->pages, from, amount, offset)
           : f->role == WAL
               ? wal_write(&f->pages->wal, &f->pages->map.slot, from, amount, offset)
               : system_of(file)->pMethods->xWrite(system_of(file), from, amount, offset);
}

static int
truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    const struct file *f = file_of(file);

    return f->role == MAIN  ? body_truncate(f->pages, size)
           : f->role == WAL ? wal_truncate(&f->pages->wal, size)
                            : system_of(file)->pMethods->xTruncate(system_of(file), size);
}

static int
close_file(sqlite3_file *file)
{
    const struct file *f = file_of(file);

    if (f->role == WAL) {
        wal_close(&f->pages->wal);
    } else if (f->role == MAIN) {
        f->pages->main = NULL;
    }
    return system_of(file)->pMethods->xClose(system_of(file));
}

static int
sync_file(sqlite3_file *file, int flags)
{
    const struct file *f = file_of(file);

    return f->role == MAIN  ? body_sync(f->pages, flags)
           : f->role == WAL ? wal_sync(&f->pages->wal, flags)
                            : system_of(file)->pMethods->xSync(system_of(file), flags);
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    const struct file *f = file_of(file);

    return f->role == MAIN  ? body_size(f->pages, size)
           : f->role == WAL ? wal_size(&f->pages->wal, size)
                            : system_of(file)->pMethods->xFileSize(system_of(file), size);
}

/* Behind the first lock nobody else writes. */
static int
lock_file(sqlite3_file *file, int lock)
{
    const struct file *f = file_of(file);
    int rc = system_of(file)->pMethods->xLock(system_of(file), lock);

    if (rc == SQLITE_OK && f->role == MAIN && !f->pages->loaded) {
        rc = body_load(f->pages);
    }
    return rc;
}

/* ---- all else is the system's ---- */

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

/* A second main file (ATTACH) is not ours. */
static enum role
role_of(const struct pages *p, int flags)
{
    return (flags & SQLITE_OPEN_MAIN_DB) != 0 && p->main == NULL   ? MAIN
           : (flags & SQLITE_OPEN_WAL) != 0 && p->wal.file == NULL ? WAL
                                                                   : OTHER;
}

static int
begin_file(struct file *f, const char *name)
{
    struct pages *p = f->pages;

    if (f->role == MAIN) {
        p->main = system_of(&f->head);
        mem_free(p->map_name);
        p->map_name = mem_printf("%s-seal%c", name, '\0'); /* SQLite's names end twice */
        return SQLITE_OK;
    }
    return f->role == WAL
               ? wal_open(&p->wal, system_of(&f->head), p->sealed ? &p->map.slot : NULL, p->has_key)
               : SQLITE_OK;
}

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct pages *p = vfs->pAppData;
    struct file *f = file_of(file);
    int rc;

    *f = (struct file){.pages = p, .role = role_of(p, flags)};
    if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 && p->sealed) {
        return SQLITE_CANTOPEN; /* never played back, nor written */
    }
    rc = p->system->xOpen(p->system, name, system_of(file), flags, out_flags);
    rc = rc == SQLITE_OK ? begin_file(f, name) : rc;
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

static bool
is_journal(const char *name)
{
    static const char end[] = "-journal";
    const size_t n = strlen(name);

    return n >= sizeof(end) - 1 && strcmp(name + n - (sizeof(end) - 1), end) == 0;
}

/* A journal beside a sealed file is not ours: it is as if there was none. */
static int
access_file(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    const struct pages *p = vfs->pAppData;

    if (p->sealed && is_journal(name)) {
        *out = 0;
        return SQLITE_OK;
    }
    return p->system->xAccess(p->system, name, flags, out);
}

static int
full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    const struct pages *pages = vfs->pAppData;

    return pages->system->xFullPathname(pages->system, name, n, out);
}

/* What does not open files (time, random numbers) is the system's as it is. */
void
vfs_fill(struct pages *p)
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
