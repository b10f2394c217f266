/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/check.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/ledger/rows.h"
#include "db/ledger/subject.h"

/* What was once published or stored is still the beginning of what is stored. */
static int
check_agrees(struct store_db *db, const struct checkpoint *checkpoint, uint64_t size,
             const char *whose, enum err_code code, struct err *e)
{
    struct merkle_hash root;

    if (checkpoint->size == 0) {
        return 0; /* there was none yet */
    }
    if (checkpoint->size > size) {
        return err_set(e, code,
                       "the %s checkpoint covers %" PRIu64 " leaves, the database has %" PRIu64
                       ": it is an older copy, do not start with it",
                       whose, checkpoint->size, size);
    }
    if (ledger_root_at(db, checkpoint->size, &root, e) != 0) {
        return -1;
    }
    return merkle_equal(&root, &checkpoint->root)
               ? 0
               : err_set(e, code, "the %s checkpoint has another root than the database", whose);
}

/* As checkpoints have it, for whoever compares by eye. */
static char *
root_text(const uint8_t root[LEAF_HASH_SIZE])
{
    return base64_dup(span_of(root, LEAF_HASH_SIZE));
}

/*
 * The log's signer writes what it is asked for into its journal before it signs, and it is asked
 * for what is committed here: so this record has all of that, or it is not the record that was
 * signed. What is stored as signed was asked for: so the journal has it, or it is not the journal.
 */
static int
check_signed(struct store_db *db, const struct check_against *against, uint64_t size, struct err *e)
{
    const struct ledger_signed *last = against->signed_last;
    const uint64_t both = last->size < size ? last->size : size;
    CLEANUP(mem_cleanup) char *signed_root = root_text(last->root);
    CLEANUP(mem_cleanup) char *stored_root = root_text(against->stored.root.octets);
    CLEANUP(mem_cleanup) char *root = NULL;
    struct merkle_hash hash;

    if (ledger_root_at(db, both, &hash, e) != 0) {
        return -1;
    }
    root = root_text(hash.octets);
    if (last->size > size) {
        return err_set(e, ERR_STALE,
                       "ca.db is older than what was signed: %" PRIu64
                       " leaves, root %s; the log signer's journal ends at %" PRIu64
                       ", root %s: put back the newest ca.db, nfpki-ca(8)",
                       size, root, last->size, signed_root);
    }
    if (last->size > 0 && memcmp(hash.octets, last->root, sizeof(last->root)) != 0) {
        return err_set(e, ERR_STALE,
                       "ca.db has another history than what was signed: over %" PRIu64
                       " leaves it has root %s, the log signer's journal %s: do not start with it, "
                       "nfpki-ca(8)",
                       last->size, root, signed_root);
    }
    if (last->size < against->stored.size) {
        return err_set(e, ERR_STALE,
                       "the log signer's journal is older than ca.db: it ends at %" PRIu64
                       "; ca.db has a signed checkpoint over %" PRIu64
                       ", root %s: put back the newest journal, nfpki-ca(8)",
                       last->size, against->stored.size, stored_root);
    }
    return 0;
}

/* At the sizes of what was signed, what the leaves themselves give. */
static int
check_edge(const struct merkle_edge *edge, const struct check_against *against, struct err *e)
{
    const struct ledger_signed *last = against->signed_last;
    struct merkle_hash root;

    if (edge->size != against->stored.size && edge->size != against->published.size &&
        (last == NULL || edge->size != last->size)) {
        return 0;
    }
    root = merkle_root(edge);
    if (edge->size == against->stored.size && !merkle_equal(&root, &against->stored.root)) {
        return err_set(e, ERR_STALE, "the leaves are not those of the stored checkpoint");
    }
    if (edge->size == against->published.size && !merkle_equal(&root, &against->published.root)) {
        return err_set(e, ERR_STALE, "the leaves are not those of the published checkpoint");
    }
    if (last != NULL && edge->size == last->size &&
        memcmp(root.octets, last->root, sizeof(last->root)) != 0) {
        return err_set(e, ERR_STALE, "the leaves are not those of the log signer's checkpoint");
    }
    return 0;
}

struct checking {
    struct merkle_edge edge;
    bool has_subjects; /* before migration 26 there are none: it makes them of these octets */
};

/* What stands beside the octets of a leaf could have been edited with them, or not. */
static int
check_leaf(struct checking *c, const struct store_rows *rows, uint64_t index, struct err *e)
{
    const struct span body = row_blob(rows, 1);
    const struct merkle_hash hash = merkle_leaf(body);
    struct merkle_hash stored;

    if (ledger_copy_hash(rows, &stored, e) != 0) {
        return err_set(e, ERR_STALE, "leaf %" PRIu64 " is missing", index);
    }
    if (!merkle_equal(&hash, &stored)) {
        return err_set(e, ERR_STALE, "leaf %" PRIu64 " was edited", index);
    }
    if ((c->has_subjects ? subject_check_row(rows, body, 2, 3, e)
                         : subject_check_kind(body, row_text(rows, 2), e)) != 0) {
        return err_wrap(e, "leaf %" PRIu64, index);
    }
    return merkle_append(&c->edge, &hash, NULL, NULL, e);
}

/* From the leaves themselves. */
static int
check_bodies(struct store_db *db, const struct check_against *against, uint64_t size, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct checking c = {0};
    struct merkle_hash root;
    struct merkle_hash all;

    if (store_has_row(db, "SELECT 1 FROM sqlite_schema WHERE name = 'leaf_subject'",
                      STORE_NO_VALUES, &c.has_subjects, e) != 0 ||
        (c.has_subjects && subject_check_end(db, size, e) != 0) ||
        store_query(db, &rows,
                    c.has_subjects
                        ? "SELECT l.hash, unpacked(l.body), l.kind, o.subject FROM leaf l "
                          "LEFT JOIN leaf_subject o ON o.idx = l.idx ORDER BY l.idx"
                        : "SELECT hash, unpacked(body), kind FROM leaf ORDER BY idx",
                    STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    for (uint64_t i = 0; i < size; i++) {
        bool row;

        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
        if (!row) {
            return err_set(e, ERR_STALE, "leaf %" PRIu64 " is missing", i);
        }
        if (check_leaf(&c, &rows, i, e) != 0 || check_edge(&c.edge, against, e) != 0) {
            return -1;
        }
    }
    store_end(&rows);
    if (ledger_root_at(db, size, &root, e) != 0) {
        return -1;
    }
    all = merkle_root(&c.edge);
    return merkle_equal(&root, &all)
               ? 0
               : err_set(e, ERR_STALE, "the hashes are not those of the leaves");
}

int
check_record(struct store_db *db, const struct check_against *against, struct err *e)
{
    uint64_t size = 0;

    if ((db != NULL && ledger_size(db, &size, e) != 0) ||
        check_agrees(db, &against->stored, size, "stored", ERR_STALE, e) != 0 ||
        (against->signed_last != NULL && check_signed(db, against, size, e) != 0) ||
        check_agrees(db, &against->published, against->stored.size, "published", ERR_STALE, e) !=
            0) {
        return -1;
    }
    return size == 0 || (store_seal_state(db) == STORE_SEALED && !against->whole)
               ? 0
               : check_bodies(db, against, size, e);
}
