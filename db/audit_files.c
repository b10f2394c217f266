/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit_files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum {
    WIDTH = 256, /* hashes in a full tile, entries in a full bundle (C2SP tlog-tiles) */
    HEIGHT = 8,  /* levels of the tree in one tile */
    LEVELS = 8,  /* of tiles */
    NAME_MAX_ = 96,
    ENTRIES = -1, /* instead of a level */
    TILE_SIZE = WIDTH * MERKLE_HASH,
    BUNDLE_MAX = WIDTH * (2 + LEAF_MAX),
};

struct tile {
    bool loaded;
    uint64_t index;
    char name[NAME_MAX_];
    struct merkle_hash hashes[WIDTH];
};

struct audit_log {
    char *dir;
    struct log_key key;
    struct checkpoint checkpoint;
    struct buf note;
    struct tile edge[LEVELS];    /* the partial tile of each level, verified by the root */
    struct tile current[LEVELS]; /* the last full tile of each level, verified by the one above */
    struct buf scratch;          /* a tile, or an old partial file */
    struct buf bundle;
    char name[NAME_MAX_];   /* of the bundle */
    size_t ends[WIDTH + 1]; /* where its entries end */
};

static void
destroy(struct audit_log *log)
{
    mem_free(log->dir);
    log_key_free(&log->key);
    buf_free(&log->note);
    buf_free(&log->scratch);
    buf_free(&log->bundle);
    mem_free(log);
}
DEFINE_CLEANUP(destroy_cleanup, struct audit_log, destroy)

void
audit_close(struct audit_log *log)
{
    if (log != NULL) {
        destroy(log);
    }
}

const struct checkpoint *
audit_checkpoint(const struct audit_log *log)
{
    return &log->checkpoint;
}

struct span
audit_note(const struct audit_log *log)
{
    return buf_span(&log->note);
}

const struct log_key *
audit_key(const struct audit_log *log)
{
    return &log->key;
}

const char *
audit_file(const struct audit_log *log)
{
    return log->name;
}

/* ---- files ---- */

/* "tile/0/x001/234", "tile/entries/000" (C2SP tlog-tiles: groups of three digits, all but the last
 * with an x in front). */
static void
tile_name(int level, uint64_t index, char name[NAME_MAX_])
{
    char groups[NAME_MAX_] = "";
    size_t at = sizeof(groups) - 1;
    int n;

    for (bool last = true; last || index > 0; last = false, index /= 1000) {
        char group[6];

        n = snprintf(group, sizeof(group), "%s%03u", last ? "/" : "/x", (unsigned)(index % 1000));
        at -= (size_t)n;
        memcpy(groups + at, group, (size_t)n);
    }
    n = level == ENTRIES ? snprintf(name, NAME_MAX_, "tile/entries%s", groups + at)
                         : snprintf(name, NAME_MAX_, "tile/%d%s", level, groups + at);
    if (n < 0 || n >= NAME_MAX_) {
        name[0] = '\0';
    }
}

static int
read_named(const struct audit_log *log, const char *name, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", log->dir, name);

    return file_read(path, out, e);
}

/* The full file, or the partial one of `width`. The writer removes a partial file when the full one
 * is there: between our two looks it may have done so, hence a third. */
static int
read_tile(const struct audit_log *log, int level, uint64_t index, unsigned width,
          char name[NAME_MAX_], bool *full, struct buf *out, struct err *e)
{
    char whole[NAME_MAX_];
    int result;

    tile_name(level, index, whole);
    for (int look = 0; look < 3; look++) {
        *full = look != 1;
        if (look == 1 && width == WIDTH) {
            continue;
        }
        if (*full) {
            (void)snprintf(name, NAME_MAX_, "%s", whole);
        } else {
            (void)snprintf(name, NAME_MAX_, "%.80s.p/%u", whole, width);
        }
        result = read_named(log, name, out, e);
        if (result == 0 || e->code != ERR_NOTFOUND) {
            return result;
        }
    }
    if (width < WIDTH) {
        (void)snprintf(name, NAME_MAX_, "%.80s.p/%u", whole, width);
    }
    return err_set(e, ERR_NOTFOUND, "%s is missing: the checkpoint covers %" PRIu64 " leaves", name,
                   log->checkpoint.size);
}

/* ---- tiles ---- */

/* Hashes of level `level` that the checkpoint covers. */
static uint64_t
level_size(const struct audit_log *log, unsigned level)
{
    return log->checkpoint.size >> (HEIGHT * level);
}

static struct merkle_hash
hash_of(const struct merkle_hash *hashes, unsigned n)
{
    struct merkle_edge edge = {0};
    struct err never;

    for (unsigned i = 0; i < n; i++) {
        (void)merkle_append(&edge, &hashes[i], NULL, NULL, &never);
    }
    return merkle_root(&edge);
}

static int
tile_read(struct audit_log *log, unsigned level, uint64_t index, unsigned width, struct tile *tile,
          struct err *e)
{
    bool full = false;
    size_t expected;

    tile->loaded = false;
    if (read_tile(log, (int)level, index, width, tile->name, &full, &log->scratch, e) != 0) {
        return -1;
    }
    expected = (full ? (size_t)WIDTH : width) * MERKLE_HASH;
    if (log->scratch.n != expected) {
        return err_set(e, ERR_INPUT, "%s has %zu octets, not %zu", tile->name, log->scratch.n,
                       expected);
    }
    memcpy(tile->hashes, log->scratch.p, (size_t)width * MERKLE_HASH);
    tile->index = index;
    tile->loaded = true;
    return 0;
}

/* A verified tile; NULL + e. Its parents are verified first, from the top. */
static const struct tile *
tile_get(struct audit_log *log, unsigned level, uint64_t index, struct err *e)
{
    struct tile *tile = &log->current[level];
    const struct tile *above;
    struct merkle_hash hash;

    if (index == level_size(log, level) / WIDTH) {
        return &log->edge[level];
    }
    if (tile->loaded && tile->index == index) {
        return tile;
    }
    /* A full tile has its hash in the level above, for the checkpoint covers all of it. */
    above = tile_get(log, level + 1, index / WIDTH, e);
    if (above == NULL || tile_read(log, level, index, WIDTH, tile, e) != 0) {
        return NULL;
    }
    hash = hash_of(tile->hashes, WIDTH);
    if (!merkle_equal(&hash, &above->hashes[index % WIDTH])) {
        tile->loaded = false;
        (void)err_set(e, ERR_CRYPTO, "%s was changed: it is not the tile that %s covers",
                      tile->name, above->name);
        return NULL;
    }
    return tile;
}

/* merkle_get over the tiles. */
static int
node_get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    struct audit_log *log = arg;
    unsigned inside = level % HEIGHT;
    uint64_t first = index << inside;
    const struct tile *tile = tile_get(log, level / HEIGHT, first / WIDTH, e);

    if (tile == NULL) {
        return -1;
    }
    *out = hash_of(&tile->hashes[first % WIDTH], 1U << inside);
    return 0;
}

/* The partial tiles at the right edge are what the root is made of. */
static int
edge_verify(struct audit_log *log, struct err *e)
{
    CLEANUP(mem_cleanup) char *names = mem_strdup("");
    struct merkle_edge edge = {0};
    struct merkle_hash root;

    for (unsigned level = 0; level < LEVELS; level++) {
        unsigned width = (unsigned)(level_size(log, level) % WIDTH);
        char *more;

        if (width == 0) {
            continue;
        }
        if (tile_read(log, level, level_size(log, level) / WIDTH, width, &log->edge[level], e) !=
            0) {
            return -1;
        }
        more = mem_printf("%s%s%s", names, names[0] == '\0' ? "" : " or ", log->edge[level].name);
        mem_free(names);
        names = more;
    }
    if (merkle_edge_load(&edge, log->checkpoint.size, node_get, log, e) != 0) {
        return -1;
    }
    root = merkle_root(&edge);
    if (!merkle_equal(&root, &log->checkpoint.root)) {
        return err_set(e, ERR_CRYPTO,
                       "%s was changed, or another checkpoint was put here: the tiles do not give "
                       "the root of the checkpoint",
                       names[0] == '\0' ? "checkpoint" : names);
    }
    return 0;
}

/* ---- old partial files ---- */

/* What is left over from smaller checkpoints must be the beginning of what was verified. */
static int
old_verify(struct audit_log *log, const char *folder, const char *file, unsigned width,
           struct span verified, const size_t *ends, struct err *e)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("%s/%s", folder, file);
    unsigned old = 0;
    unsigned common;

    if (file[strspn(file, "0123456789")] != '\0' || strlen(file) > 3 ||
        sscanf(file, "%3u", &old) != 1 || old == 0 || old >= WIDTH) {
        return 0; /* a temporary file of the writer */
    }
    if (read_named(log, name, &log->scratch, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : -1;
    }
    common = old < width ? old : width;
    if (log->scratch.n < ends[common] || (old <= width && log->scratch.n != ends[common]) ||
        !span_equal(span_of(log->scratch.p, ends[common]), span_of(verified.p, ends[common]))) {
        return err_set(e, ERR_CRYPTO, "%s was changed: it is not the beginning of its tile", name);
    }
    return 0;
}

static int
old_verify_all(struct audit_log *log, int level, uint64_t index, unsigned width,
               struct span verified, const size_t *ends, struct err *e)
{
    char name[NAME_MAX_];
    CLEANUP(mem_cleanup) char *folder = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    DIR *dir;
    const struct dirent *entry;
    int result = 0;

    tile_name(level, index, name);
    folder = mem_printf("%s.p", name);
    path = mem_printf("%s/%s", log->dir, folder);
    dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "%s", path);
    }
    while (result == 0 && (entry = readdir(dir)) != NULL) {
        result = old_verify(log, folder, entry->d_name, width, verified, ends, e);
    }
    (void)closedir(dir);
    return result;
}

static int
old_tiles_verify(struct audit_log *log, unsigned level, uint64_t index, unsigned width,
                 struct err *e)
{
    size_t ends[WIDTH + 1];
    const struct tile *tile = tile_get(log, level, index, e);

    if (tile == NULL) {
        return -1;
    }
    for (unsigned i = 0; i <= WIDTH; i++) {
        ends[i] = (size_t)i * MERKLE_HASH;
    }
    return old_verify_all(log, (int)level, index, width,
                          span_of(tile->hashes, (size_t)width * MERKLE_HASH), ends, e);
}

/* ---- entries ---- */

/* Reads a bundle and finds where its entries end: 2 octets of length, then the entry. */
static int
bundle_read(struct audit_log *log, uint64_t index, unsigned width, struct err *e)
{
    bool full = false;
    size_t at = 0;
    unsigned n = 0;

    if (read_tile(log, ENTRIES, index, width, log->name, &full, &log->bundle, e) != 0) {
        return -1;
    }
    while (at < log->bundle.n) {
        const uint8_t *p = log->bundle.p + at;
        size_t rest = log->bundle.n - at;
        size_t length = rest < 2 ? 0 : (size_t)p[0] << 8 | p[1];

        if (n == WIDTH || rest < 2 || rest - 2 < length) {
            return err_set(e, ERR_INPUT, "%s: leaf %" PRIu64 ": the file is cut or has too much",
                           log->name, index * WIDTH + n);
        }
        at += 2 + length;
        log->ends[++n] = at;
    }
    if (n != (full ? (unsigned)WIDTH : width)) {
        return err_set(e, ERR_INPUT, "%s: leaf %" PRIu64 ": the file has %u entries, not %u",
                       log->name, index * WIDTH + (n < width ? n : width), n,
                       full ? (unsigned)WIDTH : width);
    }
    return 0;
}

/* Where in the tile the hash of an entry is, to tell an exchanged entry from a changed one. */
static int
entry_fault(const struct audit_log *log, uint64_t leaf, const struct tile *tile, unsigned width,
            const struct merkle_hash *hash, struct err *e)
{
    for (unsigned i = 0; i < width; i++) {
        if (merkle_equal(hash, &tile->hashes[i])) {
            return err_set(e, ERR_CRYPTO,
                           "%s: leaf %" PRIu64 " was moved: what stands there is leaf %" PRIu64,
                           log->name, leaf, leaf / WIDTH * WIDTH + i);
        }
    }
    return err_set(e, ERR_CRYPTO, "%s: leaf %" PRIu64 " was changed: its hash is not in %s",
                   log->name, leaf, tile->name);
}

static int
bundle_walk(struct audit_log *log, uint64_t index, unsigned width, audit_each *each, void *arg,
            struct err *e)
{
    const struct tile *tile = tile_get(log, 0, index, e);

    if (tile == NULL || bundle_read(log, index, width, e) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < width; i++) {
        const uint8_t *begin = log->bundle.p + log->ends[i] + 2;
        struct span body = span_of(begin, log->ends[i + 1] - log->ends[i] - 2);
        struct merkle_hash hash = merkle_leaf(body);

        if (!merkle_equal(&hash, &tile->hashes[i])) {
            return entry_fault(log, index * WIDTH + i, tile, width, &hash, e);
        }
        if (each(arg, index * WIDTH + i, body, e) != 0) {
            return -1;
        }
    }
    return old_verify_all(log, ENTRIES, index, width, span_of(log->bundle.p, log->ends[width]),
                          log->ends, e);
}

static unsigned
width_of(uint64_t n, uint64_t index)
{
    uint64_t rest = n - index * WIDTH;

    return rest < WIDTH ? (unsigned)rest : (unsigned)WIDTH;
}

int
audit_walk(struct audit_log *log, audit_each *each, void *arg, struct err *e)
{
    uint64_t size = log->checkpoint.size;

    for (uint64_t index = 0; index * WIDTH < size; index++) {
        if (bundle_walk(log, index, width_of(size, index), each, arg, e) != 0) {
            return -1;
        }
    }
    for (unsigned level = 0; level < LEVELS; level++) {
        uint64_t n = level_size(log, level);

        for (uint64_t index = 0; index * WIDTH < n; index++) {
            if (old_tiles_verify(log, level, index, width_of(n, index), e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- opening and proving ---- */

static int
key_load(struct audit_log *log, const struct log_key *trusted, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(mem_cleanup) char *wanted = NULL;

    if (read_named(log, "log.vkey", &text, e) != 0) {
        return -1;
    }
    if (log_key_parse(&log->key, buf_span(&text), e) != 0) {
        return err_wrap(e, "log.vkey");
    }
    wanted = log_key_format(trusted == NULL ? &log->key : trusted);
    if (!span_equal(buf_span(&text), span_str(wanted))) {
        return err_set(e, ERR_CRYPTO,
                       trusted == NULL ? "log.vkey was changed: it has no line break at its end"
                                       : "log.vkey is not the trusted key");
    }
    return 0;
}

struct audit_log *
audit_open(const char *dir, const struct log_key *trusted, struct err *e)
{
    CLEANUP(destroy_cleanup) struct audit_log *log = mem_zalloc(1, sizeof(*log));

    log->dir = mem_strdup(dir);
    log->note = BUF_INIT(CHECKPOINT_MAX);
    log->scratch = BUF_INIT(BUNDLE_MAX);
    log->bundle = BUF_INIT(BUNDLE_MAX);
    if (key_load(log, trusted, e) != 0 || read_named(log, "checkpoint", &log->note, e) != 0) {
        return NULL;
    }
    if (checkpoint_open(&log->key, buf_span(&log->note), &log->checkpoint, e) != 0) {
        (void)err_wrap(e, "checkpoint");
        return NULL;
    }
    if (edge_verify(log, e) != 0) {
        return NULL;
    }
    return TAKE(log);
}

int
audit_inclusion(struct audit_log *log, uint64_t index, const struct merkle_hash *leaf,
                struct merkle_proof *proof, struct err *e)
{
    if (merkle_prove_inclusion(index, log->checkpoint.size, node_get, log, proof, e) != 0 ||
        merkle_verify_inclusion(index, log->checkpoint.size, leaf, proof, &log->checkpoint.root,
                                e) != 0) {
        return err_wrap(e, "leaf %" PRIu64, index);
    }
    return 0;
}

int
audit_consistency(struct audit_log *log, const struct checkpoint *earlier, struct err *e)
{
    struct merkle_proof proof;

    if (earlier->size > log->checkpoint.size) {
        return err_set(e, ERR_CONFLICT,
                       "checkpoint: rolled back: it covers %" PRIu64
                       " leaves, the remembered one %" PRIu64,
                       log->checkpoint.size, earlier->size);
    }
    if (earlier->size == 0) {
        return 0; /* every log begins with nothing */
    }
    if (merkle_prove_consistency(earlier->size, log->checkpoint.size, node_get, log, &proof, e) !=
        0) {
        return -1;
    }
    if (merkle_verify_consistency(earlier->size, log->checkpoint.size, &proof, &earlier->root,
                                  &log->checkpoint.root, e) != 0) {
        return err_set(e, ERR_CONFLICT,
                       "checkpoint: fork: the first %" PRIu64
                       " leaves are not those of the remembered checkpoint",
                       earlier->size);
    }
    return 0;
}
