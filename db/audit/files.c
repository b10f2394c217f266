/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { HEIGHT = 8 /* levels of the tree in one tile */ };

struct audit_log {
    char *dir;
    struct log_key key;
    struct checkpoint checkpoint;
    struct buf note;
    struct audit_tile edge[AUDIT_LEVELS]; /* the partial tile of each level, verified by the root */
    struct audit_tile
        current[AUDIT_LEVELS]; /* the last full tile of each level, verified by the one above */
    struct buf scratch;        /* the file of a tile */
    bool key_is_given;
};

static void
destroy(struct audit_log *log)
{
    mem_free(log->dir);
    log_key_free(&log->key);
    buf_free(&log->note);
    buf_free(&log->scratch);
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

bool
audit_key_is_given(const struct audit_log *log)
{
    return log->key_is_given;
}

const char *
audit_dir(const struct audit_log *log)
{
    return log->dir;
}

/* ---- files ---- */

/* "tile/0/x001/234", "tile/entries/000" (C2SP tlog-tiles: groups of three digits, all but the last
 * with an x in front). */
void
audit_name(int level, uint64_t index, char name[AUDIT_NAME_MAX])
{
    char groups[AUDIT_NAME_MAX] = "";
    size_t at = sizeof(groups) - 1;
    int n;

    for (bool last = true; last || index > 0; last = false, index /= 1000) {
        char group[6];

        n = snprintf(group, sizeof(group), "%s%03u", last ? "/" : "/x", (unsigned)(index % 1000));
        at -= (size_t)n;
        memcpy(groups + at, group, (size_t)n);
    }
    n = level < 0 ? snprintf(name, AUDIT_NAME_MAX, "tile/%s%s",
                             level == AUDIT_ENTRIES ? "entries" : "messages", groups + at)
                  : snprintf(name, AUDIT_NAME_MAX, "tile/%d%s", level, groups + at);
    if (n < 0 || n >= AUDIT_NAME_MAX) {
        name[0] = '\0';
    }
}

int
audit_read(const struct audit_log *log, const char *name, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", log->dir, name);

    return file_read(path, out, e);
}

/* The full file, or the partial one of `width`. The writer removes a partial file when the full one
 * is there: between our two looks it may have done so, hence a third. */
int
audit_read_tile(const struct audit_log *log, int level, uint64_t index, unsigned width,
                char name[AUDIT_NAME_MAX], bool *full, struct buf *out, struct err *e)
{
    char whole[AUDIT_NAME_MAX];
    int result;

    audit_name(level, index, whole);
    for (int look = 0; look < 3; look++) {
        *full = look != 1;
        if (look == 1 && width == AUDIT_WIDTH) {
            continue;
        }
        if (*full) {
            (void)snprintf(name, AUDIT_NAME_MAX, "%s", whole);
        } else {
            (void)snprintf(name, AUDIT_NAME_MAX, "%.80s.p/%u", whole, width);
        }
        result = audit_read(log, name, out, e);
        if (result == 0 || e->code != ERR_NOTFOUND) {
            return result;
        }
    }
    if (width < AUDIT_WIDTH) {
        (void)snprintf(name, AUDIT_NAME_MAX, "%.80s.p/%u", whole, width);
    }
    return err_set(e, ERR_NOTFOUND, "%s is missing: the checkpoint covers %" PRIu64 " leaves", name,
                   log->checkpoint.size);
}

int
audit_read_messages(const struct audit_log *log, uint64_t n, struct buf *out, struct err *e)
{
    const uint64_t left = log->checkpoint.size - n * AUDIT_WIDTH;
    char name[AUDIT_NAME_MAX];
    bool full;

    return audit_read_tile(log, AUDIT_MESSAGES, n,
                           left < AUDIT_WIDTH ? (unsigned)left : (unsigned)AUDIT_WIDTH, name, &full,
                           out, e);
}

/* ---- tiles ---- */

uint64_t
audit_level_size(const struct audit_log *log, unsigned level)
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
tile_read(struct audit_log *log, unsigned level, uint64_t index, unsigned width,
          struct audit_tile *tile, struct err *e)
{
    bool full = false;
    size_t expected;

    tile->loaded = false;
    if (audit_read_tile(log, (int)level, index, width, tile->name, &full, &log->scratch, e) != 0) {
        return -1;
    }
    expected = (full ? (size_t)AUDIT_WIDTH : width) * MERKLE_HASH;
    if (log->scratch.n != expected) {
        return err_set(e, ERR_INPUT, "%s has %zu octets, not %zu", tile->name, log->scratch.n,
                       expected);
    }
    memcpy(tile->hashes, log->scratch.p, (size_t)width * MERKLE_HASH);
    tile->index = index;
    tile->loaded = true;
    return 0;
}

/* Its parents are verified first, from the top. */
const struct audit_tile *
audit_tile(struct audit_log *log, unsigned level, uint64_t index, struct err *e)
{
    struct audit_tile *tile = &log->current[level];
    const struct audit_tile *above;
    struct merkle_hash hash;

    if (index == audit_level_size(log, level) / AUDIT_WIDTH) {
        return &log->edge[level];
    }
    if (tile->loaded && tile->index == index) {
        return tile;
    }
    /* A full tile has its hash in the level above, for the checkpoint covers all of it. */
    above = audit_tile(log, level + 1, index / AUDIT_WIDTH, e);
    if (above == NULL || tile_read(log, level, index, AUDIT_WIDTH, tile, e) != 0) {
        return NULL;
    }
    hash = hash_of(tile->hashes, AUDIT_WIDTH);
    if (!merkle_equal(&hash, &above->hashes[index % AUDIT_WIDTH])) {
        tile->loaded = false;
        (void)err_set(e, ERR_CRYPTO, "%s was changed: it is not the tile that %s covers",
                      tile->name, above->name);
        return NULL;
    }
    return tile;
}

int
audit_tile_check(struct audit_log *log, unsigned level, uint64_t index, struct span octets,
                 struct err *e)
{
    struct merkle_hash hashes[AUDIT_WIDTH];
    struct merkle_hash hash;
    const struct audit_tile *above = audit_tile(log, level + 1, index / AUDIT_WIDTH, e);

    if (above == NULL) {
        return -1;
    }
    if (octets.n == sizeof(hashes)) {
        memcpy(hashes, octets.p, sizeof(hashes));
        hash = hash_of(hashes, AUDIT_WIDTH);
        if (merkle_equal(&hash, &above->hashes[index % AUDIT_WIDTH])) {
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "it is not the tile that %s covers", above->name);
}

/* merkle_get over the tiles. */
static int
node_get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    struct audit_log *log = arg;
    unsigned inside = level % HEIGHT;
    uint64_t first = index << inside;
    const struct audit_tile *tile = audit_tile(log, level / HEIGHT, first / AUDIT_WIDTH, e);

    if (tile == NULL) {
        return -1;
    }
    *out = hash_of(&tile->hashes[first % AUDIT_WIDTH], 1U << inside);
    return 0;
}

/* The partial tiles at the right edge are what the root is made of. */
static int
edge_verify(struct audit_log *log, struct err *e)
{
    CLEANUP(mem_cleanup) char *names = mem_strdup("");
    struct merkle_edge edge = {0};
    struct merkle_hash root;

    for (unsigned level = 0; level < AUDIT_LEVELS; level++) {
        unsigned width = (unsigned)(audit_level_size(log, level) % AUDIT_WIDTH);
        char *more;

        if (width == 0) {
            continue;
        }
        if (tile_read(log, level, audit_level_size(log, level) / AUDIT_WIDTH, width,
                      &log->edge[level], e) != 0) {
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

/* ---- opening and proving ---- */

static int
key_load(struct audit_log *log, const struct log_key *trusted, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(mem_cleanup) char *wanted = NULL;

    if (audit_read(log, "log.vkey", &text, e) != 0) {
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

static struct audit_log *
log_new(const char *dir)
{
    struct audit_log *log = mem_new(sizeof(*log));

    log->dir = mem_strdup(dir);
    log->note = BUF_INIT(NOTE_MAX);
    log->scratch = BUF_INIT(AUDIT_TILE_SIZE);
    return log;
}

static int
note_verify(struct audit_log *log, struct err *e)
{
    if (checkpoint_open(&log->key, buf_span(&log->note), &log->checkpoint, e) != 0) {
        return err_wrap(e, "checkpoint");
    }
    return edge_verify(log, e);
}

struct audit_log *
audit_open(const char *dir, const struct log_key *trusted, struct err *e)
{
    CLEANUP(destroy_cleanup) struct audit_log *log = log_new(dir);

    log->key_is_given = trusted != NULL;
    return key_load(log, trusted, e) != 0 || audit_read(log, "checkpoint", &log->note, e) != 0 ||
                   note_verify(log, e) != 0
               ? NULL
               : TAKE(log);
}

struct audit_log *
audit_open_at(const char *dir, const struct log_key *key, struct span note, struct err *e)
{
    CLEANUP(destroy_cleanup) struct audit_log *log = log_new(dir);
    CLEANUP(mem_cleanup) char *text = log_key_format(key);

    log->key_is_given = true;
    return log_key_parse(&log->key, span_str(text), e) != 0 || buf_set(&log->note, note, e) != 0 ||
                   note_verify(log, e) != 0
               ? NULL
               : TAKE(log);
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
