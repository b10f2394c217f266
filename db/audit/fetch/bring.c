/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/fetch/bring.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static const mode_t folder_mode = 0755;
static const mode_t file_mode = 0644;

struct bringing {
    const struct bring *what;
    struct audit_log *log; /* NULL: the partial tiles are not all there yet */
    struct plan plan;
    int level;
    uint64_t done;
    uint64_t all;
    uint64_t came;
};

char *
bring_path(const struct fetch *f, const char *name)
{
    return mem_printf("%s/%s", f->dir, name);
}

int
bring_put(const struct fetch *f, const char *name, struct span octets, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = bring_path(f, name);
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');

    *slash = '\0';
    return file_mkdirs(folder, folder_mode, e) != 0 ? -1 : file_write(path, octets, file_mode, e);
}

static void
told(struct bringing *b)
{
    const struct fetch *f = b->what->f;

    b->done++;
    if (f->progress != NULL) {
        f->progress(f->arg, b->done, b->all);
    }
}

static int
keep(struct bringing *b, const struct transfer_job *job, struct span octets, struct err *e)
{
    if (bring_put(b->what->f, job->file.name, octets, e) != 0) {
        return -1;
    }
    b->came++;
    told(b);
    return 0;
}

static void
take_away(const struct fetch *f, const char *name)
{
    CLEANUP(mem_cleanup) char *path = bring_path(f, name);

    (void)unlink(path);
}

static bool
is_there(const struct fetch *f, const struct plan_file *file, const char *name)
{
    CLEANUP(mem_cleanup) char *path = bring_path(f, name);
    struct stat st;

    if (name[0] == '\0' || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    return file->level == AUDIT_ENTRIES ? st.st_size > 0
                                        : st.st_size == (off_t)file->width * MERKLE_HASH;
}

/* ---- the partial tiles, which give the root together ---- */

/* A full tile at their place would have hashes that the checkpoint does not cover. */
static bool
edge_next(void *arg, struct transfer_job *job)
{
    struct bringing *b = arg;
    const struct bring *what = b->what;

    while (b->level < AUDIT_LEVELS) {
        if (!plan_edge(what->size, b->level++, &job->file)) {
            continue;
        }
        take_away(what->f, job->file.whole);
        if (!is_there(what->f, &job->file, job->file.name)) {
            return true;
        }
        told(b);
    }
    return false;
}

static int
edge_take(void *arg, const struct transfer_job *job, bool whole, struct span octets, struct err *e)
{
    const unsigned width = whole ? (unsigned)AUDIT_WIDTH : job->file.width;

    return plan_check(&job->file, width, octets, e) != 0
               ? -1
               : keep(arg, job, span_of(octets.p, (size_t)job->file.width * MERKLE_HASH), e);
}

/* Nobody can tell which of them is the wrong one; those of before are verified. */
static void
edge_take_away(const struct bring *what)
{
    for (int level = 0; level < AUDIT_LEVELS; level++) {
        struct plan_file file;
        struct plan_file before;

        if (plan_edge(what->size, level, &file) &&
            (!plan_edge(what->earlier, level, &before) || strcmp(file.name, before.name) != 0)) {
            take_away(what->f, file.name);
        }
    }
}

static int
edge_bring(struct bringing *b, struct err *e)
{
    const struct transfer_calls calls = {edge_next, edge_take, NULL, b};
    const struct bring *what = b->what;

    b->level = 0;
    if (transfer_run(&what->f->from, &calls, e) != 0) {
        return -1;
    }
    b->log = audit_open_at(what->f->dir, what->key, what->note, e);
    if (b->log == NULL) {
        edge_take_away(what);
        return -1;
    }
    return 0;
}

/* ---- what is below them ---- */

/* Of one level. */
static bool
tile_next(void *arg, struct transfer_job *job)
{
    struct bringing *b = arg;
    struct plan ahead = b->plan;

    while (plan_next(&ahead, &job->file) && job->file.level == b->level) {
        b->plan = ahead;
        if (job->file.level != AUDIT_ENTRIES && job->file.width < AUDIT_WIDTH) {
            continue; /* at the edge */
        }
        if (!is_there(b->what->f, &job->file, job->file.name) &&
            (job->file.level != AUDIT_ENTRIES ||
             !is_there(b->what->f, &job->file, job->file.whole))) {
            return true;
        }
        told(b);
    }
    return false;
}

/* Those that the checkpoint covers; there may be more. */
static int
entries_take(struct bringing *b, const struct transfer_job *job, struct span octets, struct err *e)
{
    const struct audit_tile *tile = audit_tile(b->log, 0, job->file.index, e);
    size_t at = 0;

    if (tile == NULL) {
        return -1;
    }
    for (unsigned i = 0; i < job->file.width; i++) {
        const size_t n = (size_t)octets.p[at] << 8 | octets.p[at + 1];
        const struct merkle_hash hash = merkle_leaf(span_of(octets.p + at + 2, n));

        if (!merkle_equal(&hash, &tile->hashes[i])) {
            return err_set(e, ERR_INPUT, "its entry %u is not the one that %s covers", i,
                           tile->name);
        }
        at += 2 + n;
    }
    return keep(b, job, span_of(octets.p, at), e);
}

static int
tile_take(void *arg, const struct transfer_job *job, bool whole, struct span octets, struct err *e)
{
    struct bringing *b = arg;
    const unsigned width = whole ? (unsigned)AUDIT_WIDTH : job->file.width;

    if (plan_check(&job->file, width, octets, e) != 0) {
        return -1;
    }
    if (job->file.level == AUDIT_ENTRIES) {
        return entries_take(b, job, octets, e);
    }
    return audit_tile_check(b->log, (unsigned)job->file.level, job->file.index, octets, e) != 0
               ? -1
               : keep(b, job, octets, e);
}

struct audit_log *
bring_files(const struct bring *what, uint64_t *files, struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    struct bringing b = {.what = what, .all = plan_count(what->size)};
    const struct transfer_calls calls = {tile_next, tile_take, NULL, &b};

    if (edge_bring(&b, e) != 0) {
        return NULL;
    }
    log = b.log;
    plan_begin(&b.plan, what->size);
    for (b.level = AUDIT_LEVELS - 1; b.level >= AUDIT_ENTRIES; b.level--) {
        if (transfer_run(&what->f->from, &calls, e) != 0) {
            return NULL;
        }
    }
    *files += b.came;
    return TAKE(log);
}
