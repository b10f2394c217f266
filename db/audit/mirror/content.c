/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "db/audit/files.h"
#include "db/ledger/leaf.h"

enum { HEIGHT = 8, BUNDLE_MAX = AUDIT_WIDTH * (2 + LEAF_MAX), LEVEL = 1 /* zstd's fastest */ };

/* ---- reading ---- */

/* Of the row in front: width, octets, body. */
static int
unpack(struct sql *db, sqlite3_stmt *s, uint64_t n, struct buf *out, struct err *e)
{
    struct span body = sql_column(s, 2);
    int64_t octets = sqlite3_column_int64(s, 1);
    uint8_t *to;

    buf_free(out);
    *out = BUF_INIT(BUNDLE_MAX);
    if (octets < 0 || octets > BUNDLE_MAX) {
        return err_set(e, ERR_STALE, "%s: bundle %" PRIu64 " was edited", sql_path(db), n);
    }
    to = buf_extend(out, (size_t)octets, e);
    if (to == NULL || ZSTD_decompress(to, out->n, body.p, body.n) != out->n) {
        return err_set(e, ERR_STALE, "%s: bundle %" PRIu64 " was edited", sql_path(db), n);
    }
    return 0;
}

static int
bundle_read(struct sql *db, uint64_t n, unsigned *width, struct buf *out, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(db, "SELECT width, octets, body FROM bundle WHERE n = ?",
                                SQL_VALUES(sql_int((int64_t)n)), &row, e);

    if (s == NULL) {
        return -1;
    }
    if (!row) {
        return err_set(e, ERR_NOTFOUND, "%s has no bundle %" PRIu64, sql_path(db), n);
    }
    *width = (unsigned)sqlite3_column_int(s, 0);
    return unpack(db, s, n, out, e);
}

int
content_bundle(struct sql *db, uint64_t n, struct buf *out, struct err *e)
{
    unsigned width;

    return bundle_read(db, n, &width, out, e);
}

/* The n-th entry; p NULL: the bundle has other octets. */
static struct span
entry(struct span bundle, unsigned n)
{
    for (;; n--) {
        size_t length = bundle.n < 2 ? 0 : (size_t)bundle.p[0] << 8 | bundle.p[1];

        if (bundle.n < 2 || bundle.n - 2 < length) {
            return span_of(NULL, 0);
        }
        if (n == 0) {
            return span_of(bundle.p + 2, length);
        }
        bundle = span_of(bundle.p + 2 + length, bundle.n - 2 - length);
    }
}

static int
tile_read(struct sql *db, unsigned level, uint64_t n, uint8_t out[AUDIT_TILE_SIZE], unsigned *width,
          struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(db, "SELECT hashes FROM tile WHERE level = ? AND n = ?",
                                SQL_VALUES(sql_int((int64_t)level), sql_int((int64_t)n)), &row, e);
    struct span hashes;

    if (s == NULL) {
        return -1;
    }
    hashes = row ? sql_column(s, 0) : span_of(NULL, 0);
    if (!row || hashes.n == 0 || hashes.n > AUDIT_TILE_SIZE || hashes.n % MERKLE_HASH != 0) {
        return err_set(e, row ? ERR_STALE : ERR_NOTFOUND, "%s: tile %u/%" PRIu64 " %s",
                       sql_path(db), level, n, row ? "was edited" : "is missing");
    }
    memcpy(out, hashes.p, hashes.n);
    *width = (unsigned)(hashes.n / MERKLE_HASH);
    return 0;
}

/* merkle_get over the tiles. */
static int
node_get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    const unsigned inside = level % HEIGHT;
    const uint64_t first = index << inside;
    const unsigned n = 1U << inside;
    uint8_t hashes[AUDIT_TILE_SIZE];
    struct merkle_edge edge = {0};
    unsigned width = 0;

    if (tile_read(arg, level / HEIGHT, first / AUDIT_WIDTH, hashes, &width, e) != 0) {
        return -1;
    }
    if (first % AUDIT_WIDTH + n > width) {
        return err_set(e, ERR_STALE, "%s: tile %u/%" PRIu64 " was edited", sql_path(arg),
                       level / HEIGHT, first / AUDIT_WIDTH);
    }
    for (unsigned i = 0; i < n; i++) {
        struct merkle_hash hash;

        memcpy(hash.octets, hashes + (first % AUDIT_WIDTH + i) * MERKLE_HASH, MERKLE_HASH);
        if (merkle_append(&edge, &hash, NULL, NULL, e) != 0) {
            return -1;
        }
    }
    *out = merkle_root(&edge);
    return 0;
}

int
content_hash(struct sql *db, uint64_t index, struct merkle_hash *out, struct err *e)
{
    return node_get(db, 0, index, out, e);
}

int
content_leaf(struct sql *db, uint64_t index, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf bundle = {0};
    struct merkle_hash known;
    struct merkle_hash hash;
    struct span body;
    unsigned width = 0;

    if (bundle_read(db, index / AUDIT_WIDTH, &width, &bundle, e) != 0 ||
        content_hash(db, index, &known, e) != 0) {
        return -1;
    }
    body = entry(buf_span(&bundle), (unsigned)(index % AUDIT_WIDTH));
    if (body.p == NULL) {
        return err_set(e, ERR_STALE, "%s: leaf %" PRIu64 " was edited", sql_path(db), index);
    }
    hash = merkle_leaf(body);
    if (!merkle_equal(&hash, &known)) {
        return err_set(e, ERR_STALE, "%s: leaf %" PRIu64 " was edited", sql_path(db), index);
    }
    return buf_set(out, body, e);
}

int
content_root(struct sql *db, uint64_t size, struct merkle_hash *out, struct err *e)
{
    struct merkle_edge edge;

    if (merkle_edge_load(&edge, size, node_get, db, e) != 0) {
        return -1;
    }
    *out = merkle_root(&edge);
    return 0;
}

int
content_each(struct sql *db, uint64_t from, uint64_t to, content_leaf_each *each, void *arg,
             struct err *e)
{
    CLEANUP(buf_free) struct buf bundle = {0};
    unsigned width = 0;

    for (uint64_t index = from; index < to; index++) {
        struct span body;

        if ((index == from || index % AUDIT_WIDTH == 0) &&
            bundle_read(db, index / AUDIT_WIDTH, &width, &bundle, e) != 0) {
            return -1;
        }
        body = entry(buf_span(&bundle), (unsigned)(index % AUDIT_WIDTH));
        if (body.p == NULL) {
            return err_set(e, ERR_STALE, "%s: leaf %" PRIu64 " was edited", sql_path(db), index);
        }
        if (each(arg, index, body, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
content_path(struct sql *db, uint64_t index, uint64_t size, struct merkle_proof *proof,
             struct err *e)
{
    return merkle_prove_inclusion(index, size, node_get, db, proof, e);
}

/* ---- writing ---- */

struct tile {
    unsigned width;
    bool changed;
    uint8_t hashes[AUDIT_TILE_SIZE];
};

struct content {
    struct sql *db;
    struct merkle_edge edge;
    struct buf bundle;
    unsigned width;
    bool changed;
    struct tile tiles[AUDIT_LEVELS];
    ZSTD_CCtx *packer;
    void *packed;
    size_t room;
};

void
content_free(struct content *c)
{
    if (c != NULL) {
        buf_free(&c->bundle);
        (void)ZSTD_freeCCtx(c->packer);
        mem_free(c->packed);
        mem_free(c);
    }
}

static int
tiles_load(struct content *c, struct err *e)
{
    for (unsigned level = 0; level < AUDIT_LEVELS; level++) {
        const uint64_t hashes = c->edge.size >> (HEIGHT * level);
        struct tile *tile = &c->tiles[level];

        if (hashes % AUDIT_WIDTH == 0) {
            continue;
        }
        if (tile_read(c->db, level, hashes / AUDIT_WIDTH, tile->hashes, &tile->width, e) != 0) {
            return -1;
        }
        if (tile->width != hashes % AUDIT_WIDTH) {
            return err_set(e, ERR_STALE, "%s: tile %u/%" PRIu64 " was edited", sql_path(c->db),
                           level, hashes / AUDIT_WIDTH);
        }
    }
    return 0;
}

static int
bundle_load(struct content *c, struct err *e)
{
    const unsigned width = (unsigned)(c->edge.size % AUDIT_WIDTH);

    if (width == 0) {
        return 0;
    }
    if (bundle_read(c->db, c->edge.size / AUDIT_WIDTH, &c->width, &c->bundle, e) != 0) {
        return -1;
    }
    return c->width == width ? 0
                             : err_set(e, ERR_STALE, "%s: bundle %" PRIu64 " was edited",
                                       sql_path(c->db), c->edge.size / AUDIT_WIDTH);
}

struct content *
content_new(struct sql *db, const struct merkle_edge *edge, struct err *e)
{
    CLEANUP(content_cleanup) struct content *c = mem_new(sizeof(*c));

    c->db = db;
    c->edge = *edge;
    c->bundle = BUF_INIT(BUNDLE_MAX);
    c->packer = ZSTD_createCCtx();
    if (c->packer == NULL) {
        abort(); /* no memory (base/mem.h) */
    }
    return tiles_load(c, e) == 0 && bundle_load(c, e) == 0 ? TAKE(c) : NULL;
}

static int
bundle_write(struct content *c, uint64_t n, struct err *e)
{
    size_t room = ZSTD_compressBound(c->bundle.n);
    size_t packed;

    if (!c->changed) {
        return 0;
    }
    if (room > c->room) {
        mem_free(c->packed);
        c->packed = mem_zalloc(1, room);
        c->room = room;
    }
    packed = ZSTD_compressCCtx(c->packer, c->packed, c->room, c->bundle.p, c->bundle.n, LEVEL);
    if (ZSTD_isError(packed) != 0) {
        return err_set(e, ERR_STORE, "bundle %" PRIu64 ": %s", n, ZSTD_getErrorName(packed));
    }
    c->changed = false;
    return sql_exec(c->db, "INSERT OR REPLACE INTO bundle(n, width, octets, body) VALUES (?,?,?,?)",
                    SQL_VALUES(sql_int((int64_t)n), sql_int((int64_t)c->width),
                               sql_int((int64_t)c->bundle.n),
                               sql_octets(span_of(c->packed, packed))),
                    e);
}

static int
tile_write(struct content *c, unsigned level, uint64_t n, struct err *e)
{
    struct tile *tile = &c->tiles[level];

    if (!tile->changed) {
        return 0;
    }
    tile->changed = false;
    return sql_exec(
        c->db, "INSERT OR REPLACE INTO tile(level, n, hashes) VALUES (?,?,?)",
        SQL_VALUES(sql_int((int64_t)level), sql_int((int64_t)n),
                   sql_octets(span_of(tile->hashes, (size_t)tile->width * MERKLE_HASH))),
        e);
}

/* Told of each subtree that is complete (merkle_completed), and of leaves at level 0. */
static int
node_add(void *arg, unsigned level, uint64_t index, const struct merkle_hash *hash, struct err *e)
{
    struct content *c = arg;
    struct tile *tile = &c->tiles[level / HEIGHT];

    if (level % HEIGHT != 0) {
        return 0;
    }
    memcpy(tile->hashes + (size_t)tile->width * MERKLE_HASH, hash->octets, MERKLE_HASH);
    tile->width++;
    tile->changed = true;
    if (tile->width < AUDIT_WIDTH) {
        return 0;
    }
    if (tile_write(c, level / HEIGHT, index / AUDIT_WIDTH, e) != 0) {
        return -1;
    }
    tile->width = 0;
    return 0;
}

int
content_add(struct content *c, struct span body, const struct merkle_hash *hash, struct err *e)
{
    const uint64_t index = c->edge.size;
    const uint8_t length[2] = {(uint8_t)(body.n >> 8), (uint8_t)body.n};

    if (buf_append(&c->bundle, span_of(length, sizeof(length)), e) != 0 ||
        buf_append(&c->bundle, body, e) != 0 || node_add(c, 0, index, hash, e) != 0 ||
        merkle_append(&c->edge, hash, node_add, c, e) != 0) {
        return -1;
    }
    c->width++;
    c->changed = true;
    if (c->width < AUDIT_WIDTH) {
        return 0;
    }
    if (bundle_write(c, index / AUDIT_WIDTH, e) != 0) {
        return -1;
    }
    buf_truncate(&c->bundle, 0);
    c->width = 0;
    return 0;
}

int
content_flush(struct content *c, struct err *e)
{
    for (unsigned level = 0; level < AUDIT_LEVELS; level++) {
        if (tile_write(c, level, (c->edge.size >> (HEIGHT * level)) / AUDIT_WIDTH, e) != 0) {
            return -1;
        }
    }
    return bundle_write(c, c->edge.size / AUDIT_WIDTH, e);
}

const struct merkle_edge *
content_edge(const struct content *c)
{
    return &c->edge;
}
