/* SPDX-License-Identifier: Apache-2.0 */
/* The record in the database: leaves, and the Merkle nodes above them. */
#include "db/ledger/rows.h"

#include <string.h>

#include "db/ledger/subject.h"
#include "db/store/packed.h"

int
ledger_size(struct store_db *db, uint64_t *size, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT coalesce(max(idx) + 1, 0) FROM leaf", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    *size = (uint64_t)row_int(&rows, 0);
    return 0;
}

int
ledger_copy_hash(const struct store_rows *rows, struct merkle_hash *out, struct err *e)
{
    return row_copy_octets(rows, 0, out->octets, MERKLE_HASH, e);
}

/* The leaf that completes full subtree `index` of `level`. */
static uint64_t
completes(unsigned level, uint64_t index)
{
    return ((index + 1) << level) - 1;
}

/* In place of `completed`, before migration 31: a start asks, which has not migrated yet. */
static int
has_nodes(struct store_db *db, bool *nodes, struct err *e)
{
    *nodes = false;
    return store_is_current(db)
               ? 0
               : store_has_row(db, "SELECT 1 FROM sqlite_schema WHERE name = 'node'",
                               STORE_NO_VALUES, nodes, e);
}

static int
query_hash(struct store_db *db, struct store_rows *rows, unsigned level, uint64_t index,
           struct err *e)
{
    const struct store_value at = store_int((int64_t)completes(level, index));
    bool nodes;

    if (level == 0) {
        return store_query_one(db, rows, "SELECT hash FROM leaf WHERE idx = ?", STORE_VALUES(at),
                               e);
    }
    if (has_nodes(db, &nodes, e) != 0) {
        return -1;
    }
    return nodes ? store_query_one(db, rows, "SELECT hash FROM node WHERE level = ? AND idx = ?",
                                   STORE_VALUES(store_int(level), store_int((int64_t)index)), e)
                 : store_query_one(
                       db, rows, "SELECT substr(hashes, ?2, 32) FROM completed WHERE idx = ?1",
                       STORE_VALUES(at, store_int((int64_t)(level - 1) * MERKLE_HASH + 1)), e);
}

/* merkle_get: a full subtree's hash from the database. */
static int
get_hash(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    return query_hash(arg, &rows, level, index, e) != 0 || ledger_copy_hash(&rows, out, e) != 0
               ? err_wrap(e, "ledger: hash %u/%llu", level, (unsigned long long)index)
               : 0;
}

static int
insert_leaf(struct store_db *db, uint64_t index, const struct leaf *leaf, struct err *e)
{
    const char *kind = leaf_kind_name(leaf_kind(leaf));
    CLEANUP(buf_free) struct buf body = {0};

    return packed_make(db, kind, leaf_body(leaf), &body, e) != 0
               ? -1
               : store_exec(db,
                            "INSERT INTO leaf(idx, kind, time, body, hash) VALUES(?, ?, ?, ?, ?)",
                            STORE_VALUES(store_int((int64_t)index), store_text(kind),
                                         store_int(leaf_time(leaf)), store_blob(buf_span(&body)),
                                         store_blob(span_of(leaf_hash(leaf), LEAF_HASH_SIZE))),
                            e);
}

/* merkle_completed: of struct buf */
static int
add_completed(void *arg, unsigned level, uint64_t index, const struct merkle_hash *hash,
              struct err *e)
{
    (void)level;
    (void)index;
    return buf_append(arg, span_of(hash->octets, MERKLE_HASH), e);
}

static int
insert_completed(struct store_db *db, uint64_t index, struct span hashes, struct err *e)
{
    return hashes.n == 0
               ? 0
               : store_exec(db, "INSERT INTO completed(idx, hashes) VALUES(?, ?)",
                            STORE_VALUES(store_int((int64_t)index), store_blob(hashes)), e);
}

/* ---- the newest leaf's side of the tree, in memory ---- */

static const char whose; /* the memory is (store_memory) */

struct tree {
    bool known;
    struct merkle_edge edge;     /* of all leaves */
    struct merkle_edge prepared; /* of a checkpoint; of none at first */
};

static int
tree_get(struct store_db *db, struct tree **out, struct err *e)
{
    struct tree *tree = store_memory(db, &whose, sizeof(*tree));
    uint64_t size;

    if (!tree->known && (ledger_size(db, &size, e) != 0 ||
                         merkle_edge_load(&tree->edge, size, get_hash, db, e) != 0)) {
        return -1;
    }
    tree->known = true;
    *out = tree;
    return 0;
}

/* The edge of the first `size` leaves, from memory when it is there. */
static int
edge_get(struct store_db *db, uint64_t size, struct merkle_edge *edge, struct err *e)
{
    struct tree *tree;

    if (tree_get(db, &tree, e) != 0) {
        return -1;
    }
    if (size == tree->edge.size || size == tree->prepared.size) {
        *edge = size == tree->edge.size ? tree->edge : tree->prepared;
        return 0;
    }
    return merkle_edge_load(edge, size, get_hash, db, e);
}

int
ledger_prepare_root(struct store_db *db, uint64_t size, struct merkle_hash *root, struct err *e)
{
    struct tree *tree;
    struct merkle_edge edge;

    if (tree_get(db, &tree, e) != 0 || edge_get(db, size, &edge, e) != 0) {
        return -1;
    }
    tree->prepared = edge;
    *root = merkle_root(&edge);
    return 0;
}

int
ledger_check_hashes(struct store_db *db, uint64_t index, struct span body, struct err *e)
{
    struct merkle_hash hash = merkle_leaf(body);
    struct merkle_hash stored;
    unsigned level = 0;

    if (get_hash(db, 0, index, &stored, e) != 0) {
        return -1;
    }
    if (!merkle_equal(&hash, &stored)) {
        return err_set(e, ERR_STALE, "its hash is not that of its octets");
    }
    for (uint64_t bits = index; (bits & 1) != 0; bits >>= 1) {
        struct merkle_hash left;

        if (get_hash(db, level, bits - 1, &left, e) != 0 ||
            get_hash(db, level + 1, bits >> 1, &stored, e) != 0) {
            return -1;
        }
        hash = merkle_node(&left, &hash);
        level++;
        if (!merkle_equal(&hash, &stored)) {
            return err_set(e, ERR_STALE, "the hash %u/%llu above it is not that of its halves",
                           level, (unsigned long long)(bits >> 1));
        }
    }
    return 0;
}

int
ledger_last_time(struct store_db *db, time_t *at, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    *at = 0;
    if (store_has_row(db, "SELECT 1 FROM sqlite_schema WHERE name = 'leaf'", STORE_NO_VALUES, &row,
                      e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    if (store_query(db, &rows, "SELECT time FROM leaf ORDER BY idx DESC LIMIT 1", STORE_NO_VALUES,
                    e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *at = row ? (time_t)row_int(&rows, 0) : 0;
    return 0;
}

int
ledger_append(struct store_db *db, struct leaf *leaf, uint64_t *index, struct err *e)
{
    CLEANUP(buf_free) struct buf completed = BUF_INIT((size_t)MERKLE_LEVELS * MERKLE_HASH);
    struct tree *tree;
    struct merkle_hash hash;
    uint64_t at;

    if (leaf_seal(leaf, e) != 0 || tree_get(db, &tree, e) != 0) {
        return err_wrap(e, "ledger");
    }
    at = tree->edge.size;
    memcpy(hash.octets, leaf_hash(leaf), MERKLE_HASH);
    tree->known = false; /* unless all of it is there */
    if (insert_leaf(db, at, leaf, e) != 0 || subject_insert(db, at, leaf, e) != 0 ||
        merkle_append(&tree->edge, &hash, add_completed, &completed, e) != 0 ||
        insert_completed(db, at, buf_span(&completed), e) != 0) {
        return err_wrap(e, "ledger");
    }
    tree->known = true;
    if (index != NULL) {
        *index = at;
    }
    return 0;
}

int
ledger_root_at(struct store_db *db, uint64_t size, struct merkle_hash *root, struct err *e)
{
    struct merkle_edge edge;

    if (merkle_edge_load(&edge, size, get_hash, db, e) != 0) {
        return -1;
    }
    *root = merkle_root(&edge);
    return 0;
}

int
ledger_root(struct store_db *db, uint64_t size, uint8_t root[LEAF_HASH_SIZE], struct err *e)
{
    struct merkle_hash hash;

    if (ledger_root_at(db, size, &hash, e) != 0) {
        return -1;
    }
    memcpy(root, hash.octets, LEAF_HASH_SIZE);
    return 0;
}

int
ledger_append_edge(struct store_db *db, uint64_t size, struct buf *out, struct err *e)
{
    struct merkle_edge edge;

    if (edge_get(db, size, &edge, e) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < edge.n; i++) {
        if (buf_append(out, span_of(edge.subtrees[i].octets, MERKLE_HASH), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
load_body(struct store_db *db, uint64_t index, struct buf *leaf, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    return store_query_one(db, &rows, "SELECT unpacked(body) FROM leaf WHERE idx = ?",
                           STORE_VALUES(store_int((int64_t)index)), e) != 0
               ? -1
               : buf_set(leaf, row_blob(&rows, 0), e);
}

int
ledger_prove(struct store_db *db, uint64_t index, uint64_t size, struct buf *leaf, struct buf *path,
             struct err *e)
{
    struct merkle_proof proof;

    if (load_body(db, index, leaf, e) != 0 ||
        merkle_prove_inclusion(index, size, get_hash, db, &proof, e) != 0) {
        return err_wrap(e, "ledger: prove leaf %llu", (unsigned long long)index);
    }
    buf_truncate(path, 0);
    for (size_t i = 0; i < proof.n; i++) {
        if (buf_append(path, span_of(proof.hashes[i].octets, MERKLE_HASH), e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Of nodes, which are few: of 256 leaves. */
static int
append_nodes(struct store_db *db, unsigned level, uint64_t begin, uint64_t count, struct buf *out,
             struct err *e)
{
    for (uint64_t i = 0; i < count; i++) {
        struct merkle_hash hash;

        if (get_hash(db, level, begin + i, &hash, e) != 0 ||
            buf_append(out, span_of(hash.octets, MERKLE_HASH), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
append_leaf_hashes(struct store_db *db, uint64_t begin, uint64_t count, struct buf *out,
                   struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    int result = store_query(
        db, &rows, "SELECT hash FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx",
        STORE_VALUES(store_int((int64_t)begin), store_int((int64_t)(begin + count))), e);

    for (uint64_t i = 0; i < count && result == 0; i++) {
        struct merkle_hash hash;
        bool row;

        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
        if (!row) {
            return err_set(e, ERR_STORE, "ledger: hash 0/%llu is missing",
                           (unsigned long long)(begin + i));
        }
        result = ledger_copy_hash(&rows, &hash, e) != 0
                     ? -1
                     : buf_append(out, span_of(hash.octets, MERKLE_HASH), e);
    }
    return result;
}

int
ledger_append_hashes(struct store_db *db, unsigned level, uint64_t begin, uint64_t count,
                     struct buf *out, struct err *e)
{
    return level == 0 ? append_leaf_hashes(db, begin, count, out, e)
                      : append_nodes(db, level, begin, count, out, e);
}

int
ledger_append_leaves(struct store_db *db, uint64_t begin, uint64_t count, struct buf *out,
                     struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    int result = store_query(
        db, &rows, "SELECT unpacked(body) FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx",
        STORE_VALUES(store_int((int64_t)begin), store_int((int64_t)(begin + count))), e);

    for (uint64_t i = 0; i < count && result == 0; i++) {
        uint8_t length[2];
        struct span body;
        bool row;

        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
        if (!row) {
            return err_set(e, ERR_STORE, "ledger: leaf %llu is missing",
                           (unsigned long long)(begin + i));
        }
        body = row_blob(&rows, 0);
        length[0] = (uint8_t)(body.n >> 8);
        length[1] = (uint8_t)(body.n & 0xff);
        result = buf_append(out, span_of(length, sizeof(length)), e) != 0
                     ? -1
                     : buf_append(out, body, e);
    }
    return result;
}
