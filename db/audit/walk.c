/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/walk.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BUNDLE_MAX = AUDIT_WIDTH * (2 + LEAF_MAX) };

struct walk {
    struct audit_log *log;
    audit_each *each;
    void *arg;
    struct buf bundle;
    char name[AUDIT_NAME_MAX];    /* of its file */
    size_t ends[AUDIT_WIDTH + 1]; /* where its entries end */
    struct buf old;               /* a partial file */
};

static void
walk_free(struct walk *w)
{
    buf_free(&w->bundle);
    buf_free(&w->old);
    mem_free(w);
}
DEFINE_CLEANUP(walk_cleanup, struct walk, walk_free)

/* ---- old partial files ---- */

/* The width in the name of a partial file, 0 when it is none. */
static unsigned
partial_width(const char *file)
{
    unsigned width = 0;

    if (file[0] == '\0' || file[0] == '0' || strlen(file) > 3) {
        return 0;
    }
    for (; *file != '\0'; file++) {
        if (*file < '0' || *file > '9') {
            return 0;
        }
        width = width * 10 + (unsigned)(*file - '0');
    }
    return width < AUDIT_WIDTH ? width : 0;
}

/* What is left over from smaller checkpoints must be the beginning of what was verified. */
static int
old_verify(struct walk *w, const char *folder, const char *file, unsigned width,
           struct span verified, const size_t *ends, struct err *e)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("%s/%s", folder, file);
    unsigned old = partial_width(file);
    unsigned common;

    if (old == 0) {
        return 0; /* a temporary file of the writer */
    }
    if (audit_read(w->log, name, &w->old, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : -1;
    }
    common = old < width ? old : width;
    if (w->old.n < ends[common] || (old <= width && w->old.n != ends[common]) ||
        !span_equal(span_of(w->old.p, ends[common]), span_of(verified.p, ends[common]))) {
        return err_set(e, ERR_CRYPTO, "%s was changed: it is not the beginning of its tile", name);
    }
    return 0;
}

static int
old_verify_all(struct walk *w, int level, uint64_t index, unsigned width, struct span verified,
               const size_t *ends, struct err *e)
{
    char name[AUDIT_NAME_MAX];
    CLEANUP(mem_cleanup) char *folder = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    DIR *dir;
    const struct dirent *entry;
    int result = 0;

    audit_name(level, index, name);
    folder = mem_printf("%s.p", name);
    path = mem_printf("%s/%s", audit_dir(w->log), folder);
    dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "%s", path);
    }
    while (result == 0 && (entry = readdir(dir)) != NULL) {
        result = old_verify(w, folder, entry->d_name, width, verified, ends, e);
    }
    (void)closedir(dir);
    return result;
}

static int
old_tiles_verify(struct walk *w, unsigned level, uint64_t index, unsigned width, struct err *e)
{
    size_t ends[AUDIT_WIDTH + 1];
    const struct audit_tile *tile = audit_tile(w->log, level, index, e);

    if (tile == NULL) {
        return -1;
    }
    for (unsigned i = 0; i <= AUDIT_WIDTH; i++) {
        ends[i] = (size_t)i * MERKLE_HASH;
    }
    return old_verify_all(w, (int)level, index, width,
                          span_of(tile->hashes, (size_t)width * MERKLE_HASH), ends, e);
}

/* ---- entries ---- */

/* Reads a bundle and finds where its entries end: 2 octets of length, then the entry. */
static int
bundle_read(struct walk *w, uint64_t index, unsigned width, struct err *e)
{
    bool full = false;
    size_t at = 0;
    unsigned n = 0;

    if (audit_read_tile(w->log, AUDIT_ENTRIES, index, width, w->name, &full, &w->bundle, e) != 0) {
        return -1;
    }
    while (at < w->bundle.n) {
        const uint8_t *p = w->bundle.p + at;
        size_t rest = w->bundle.n - at;
        size_t length = rest < 2 ? 0 : (size_t)p[0] << 8 | p[1];

        if (n == AUDIT_WIDTH || rest < 2 || rest - 2 < length) {
            return err_set(e, ERR_INPUT, "%s: leaf %" PRIu64 ": the file is cut or has too much",
                           w->name, index * AUDIT_WIDTH + n);
        }
        at += 2 + length;
        w->ends[++n] = at;
    }
    if (n != (full ? (unsigned)AUDIT_WIDTH : width)) {
        return err_set(e, ERR_INPUT, "%s: leaf %" PRIu64 ": the file has %u entries, not %u",
                       w->name, index * AUDIT_WIDTH + (n < width ? n : width), n,
                       full ? (unsigned)AUDIT_WIDTH : width);
    }
    return 0;
}

/* Where in the tile the hash of an entry is, to tell an exchanged entry from a changed one. */
static int
entry_fault(const struct walk *w, uint64_t leaf, const struct audit_tile *tile, unsigned width,
            const struct merkle_hash *hash, struct err *e)
{
    for (unsigned i = 0; i < width; i++) {
        if (merkle_equal(hash, &tile->hashes[i])) {
            return err_set(e, ERR_CRYPTO,
                           "%s: leaf %" PRIu64 " was moved: what stands there is leaf %" PRIu64,
                           w->name, leaf, leaf / AUDIT_WIDTH * AUDIT_WIDTH + i);
        }
    }
    return err_set(e, ERR_CRYPTO, "%s: leaf %" PRIu64 " was changed: its hash is not in %s",
                   w->name, leaf, tile->name);
}

static int
bundle_walk(struct walk *w, uint64_t index, unsigned width, struct err *e)
{
    const struct audit_tile *tile = audit_tile(w->log, 0, index, e);

    if (tile == NULL || bundle_read(w, index, width, e) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < width; i++) {
        const uint8_t *begin = w->bundle.p + w->ends[i] + 2;
        struct span body = span_of(begin, w->ends[i + 1] - w->ends[i] - 2);
        struct merkle_hash hash = merkle_leaf(body);

        if (!merkle_equal(&hash, &tile->hashes[i])) {
            return entry_fault(w, index * AUDIT_WIDTH + i, tile, width, &hash, e);
        }
        if (w->each(w->arg, index * AUDIT_WIDTH + i, w->name, body, e) != 0) {
            return -1;
        }
    }
    return old_verify_all(w, AUDIT_ENTRIES, index, width, span_of(w->bundle.p, w->ends[width]),
                          w->ends, e);
}

static unsigned
width_of(uint64_t n, uint64_t index)
{
    uint64_t rest = n - index * AUDIT_WIDTH;

    return rest < AUDIT_WIDTH ? (unsigned)rest : (unsigned)AUDIT_WIDTH;
}

static int
walk_all(struct walk *w, uint64_t from, struct err *e)
{
    uint64_t size = audit_checkpoint(w->log)->size;

    for (uint64_t index = from / AUDIT_WIDTH; index * AUDIT_WIDTH < size; index++) {
        if (bundle_walk(w, index, width_of(size, index), e) != 0) {
            return -1;
        }
    }
    for (unsigned level = 0; level < AUDIT_LEVELS; level++) {
        uint64_t n = audit_level_size(w->log, level);

        from /= AUDIT_WIDTH;
        for (uint64_t index = from; index * AUDIT_WIDTH < n; index++) {
            if (old_tiles_verify(w, level, index, width_of(n, index), e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

int
audit_walk(struct audit_log *log, audit_each *each, void *arg, struct err *e)
{
    return audit_walk_from(log, 0, each, arg, e);
}

int
audit_walk_from(struct audit_log *log, uint64_t from, audit_each *each, void *arg, struct err *e)
{
    CLEANUP(walk_cleanup) struct walk *w = mem_new(sizeof(*w));

    w->log = log;
    w->each = each;
    w->arg = arg;
    w->bundle = BUF_INIT(BUNDLE_MAX);
    w->old = BUF_INIT(BUNDLE_MAX);
    return walk_all(w, from, e);
}
