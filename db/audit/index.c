/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/index.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Rows, and an open-addressing table of (row number + 1) by serial that is at most half full. */
struct audit_index {
    const char *nf;
    struct audit_row *rows;
    size_t n;
    size_t capacity;
    size_t *slots;
    size_t n_slots; /* a power of two */
};

const char *
audit_status_name(enum audit_status status)
{
    switch (status) {
    case AUDIT_PENDING:
        return "pending";
    case AUDIT_ISSUED:
        return "issued";
    case AUDIT_CONFIRMED:
        return "confirmed";
    case AUDIT_REJECTED:
        return "rejected";
    case AUDIT_REVOKED:
        return "revoked";
    }
    assert(false);
    return "";
}

enum audit_status
audit_status_next(enum audit_status status, enum leaf_kind kind)
{
    if (status == AUDIT_REVOKED) {
        return status; /* there is no way back */
    }
    if (kind == LEAF_ISSUED) {
        return AUDIT_ISSUED;
    }
    if (kind == LEAF_CONFIRMED) {
        return AUDIT_CONFIRMED;
    }
    if (kind == LEAF_REJECTED) {
        return AUDIT_REJECTED;
    }
    return kind == LEAF_REVOKED ? AUDIT_REVOKED : status;
}

void
audit_index_free(struct audit_index *index)
{
    if (index == NULL) {
        return;
    }
    for (size_t i = 0; i < index->n; i++) {
        mem_free(index->rows[i].serial);
        mem_free(index->rows[i].nf);
        mem_free(index->rows[i].profile);
        mem_free(index->rows[i].not_after);
    }
    mem_free(index->rows);
    mem_free(index->slots);
    mem_free(index);
}

struct audit_index *
audit_index_new(const char *nf)
{
    struct audit_index *index = mem_new(sizeof(*index));

    index->nf = nf;
    index->n_slots = 64;
    index->slots = mem_zalloc(index->n_slots, sizeof(index->slots[0]));
    return index;
}

/* FNV-1a: serials are random, and the entries were verified; no one picks collisions here. */
static size_t
hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325U;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
    }
    return (size_t)hash;
}

/* Where `serial` is, or the free slot where it belongs. */
static size_t *
slot_of(const struct audit_index *index, const char *serial)
{
    size_t i = hash_text(serial) & (index->n_slots - 1);

    while (index->slots[i] != 0 && strcmp(index->rows[index->slots[i] - 1].serial, serial) != 0) {
        i = (i + 1) & (index->n_slots - 1);
    }
    return &index->slots[i];
}

static void
grow(struct audit_index *index)
{
    mem_free(index->slots);
    index->n_slots *= 2;
    index->slots = mem_zalloc(index->n_slots, sizeof(index->slots[0]));
    for (size_t i = 0; i < index->n; i++) {
        *slot_of(index, index->rows[i].serial) = i + 1;
    }
}

static void
intent_add(struct audit_index *index, uint64_t at, const struct leaf *leaf)
{
    const char *nf = leaf_text(leaf, "nfInstanceId");
    const char *serial = leaf_text(leaf, "serial");
    size_t *slot;

    if (index->nf != NULL && (nf == NULL || strcasecmp(nf, index->nf) != 0)) {
        return;
    }
    if (*slot_of(index, serial) != 0) {
        return; /* a second intent of a serial that was given up */
    }
    if (2 * (index->n + 1) > index->n_slots) {
        grow(index);
    }
    slot = slot_of(index, serial);
    *slot = index->n + 1;
    index->rows = mem_grow(index->rows, &index->capacity, index->n + 1, sizeof(index->rows[0]));
    index->rows[index->n++] = (struct audit_row){
        .serial = mem_strdup(serial),
        .nf = nf == NULL ? NULL : mem_strdup(nf),
        .profile = mem_strdup(leaf_text(leaf, "profile")),
        .not_after = mem_strdup(leaf_text(leaf, "notAfter")),
        .leaf = at,
        .status = AUDIT_PENDING,
    };
}

void
audit_index_add(struct audit_index *index, uint64_t at, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");
    struct audit_row *row;
    size_t slot;

    if (serial == NULL) {
        return;
    }
    if (leaf_kind(leaf) == LEAF_INTENT) {
        intent_add(index, at, leaf);
        return;
    }
    slot = *slot_of(index, serial);
    if (slot != 0) {
        row = &index->rows[slot - 1];
        row->status = audit_status_next(row->status, leaf_kind(leaf));
        row->leaf = at;
    }
}

size_t
audit_index_size(const struct audit_index *index)
{
    return index->n;
}

const struct audit_row *
audit_index_row(const struct audit_index *index, size_t i)
{
    assert(i < index->n);
    return &index->rows[i];
}
