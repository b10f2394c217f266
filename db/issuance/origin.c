/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db/ledger/leaf.h"

enum { WAYS_MAX = 7, NUMBER_SIZE = 24 };

/* The columns of a walk, in this order. */
enum {
    COLUMN_PLACE, /* rowid or key */
    COLUMN_KEY,   /* as text, for who reads it */
    COLUMN_STATE, /* what of a row decides which leaf is its own; 0 where nothing does */
    COLUMN_FIRST, /* what the leaf must say, as text */
    COLUMN_SECOND,
    COLUMN_LEAF, /* its index and its octets; NULL: there is none */
    COLUMN_BODY,
    COLUMN_AGREES, /* with other rows */
};

/* In this state a row comes from such a leaf, whose members say what the columns do. */
struct way {
    int64_t state;
    enum leaf_kind kind;
    const char *first;  /* NULL: nothing is compared */
    const char *second; /* the same */
};

struct table {
    const char *name;
    const char *end;       /* the greatest rowid; NULL: a row counts by the index of its leaf */
    const char *next;      /* the row behind ?1 */
    bool by_key;           /* ?1 is a blob */
    const char *disagrees; /* what a row is said to be that does not agree with others */
    struct way ways[WAYS_MAX];
    size_t n_ways;
};

#define LEAF_OF(table) "LEFT JOIN leaf l ON l.idx = " table ".leaf "
/* Of a kind that is found so (db/ledger/subject.h). */
#define LEAF_WITH(kind, value)                                                                     \
    "LEFT JOIN (leaf_subject o JOIN leaf l ON l.idx = o.idx AND l.kind = '" kind                   \
    "') ON o.subject = " value " "
#define BEHIND(place) "WHERE " place " > ?1 ORDER BY " place " LIMIT 1"

static const struct table tables[ORIGIN_TABLES] = {
    [ORIGIN_REGISTRATION] =
        {.name = "registration",
         .end = "SELECT coalesce(max(rowid), 0) FROM registration",
         .next =
             "SELECT g.rowid, g.id, g.state, g.id, NULL, l.idx, unpacked(l.body), g.used = (SELECT "
             "count(*) FROM request q WHERE q.registration = g.id AND q.renews IS NULL AND "
             "q.instead_of IS NULL AND q.state IN (0, 1, 3, 4)) FROM registration g " LEAF_OF("g")
                 BEHIND("g.rowid"),
         .disagrees = "was used another number of times than ca.db says",
         .ways = {{ISSUANCE_LIVE, LEAF_REGISTRATION, "registration", NULL},
                  {ISSUANCE_CANCELLED, LEAF_CANCEL, "registration", NULL},
                  {ISSUANCE_FOLLOWED, LEAF_REGISTRATION, "registration", NULL}},
         .n_ways = 3},
    [ORIGIN_REQUEST] =
        {.name = "request",
         .end = "SELECT coalesce(max(rowid), 0) FROM request",
         .next = "SELECT q.rowid, lower(hex(q.rid)), q.state, lower(hex(q.rid)), "
                 "lower(hex(q.serial)), l.idx, unpacked(l.body), 1 FROM request q " LEAF_OF("q")
                     BEHIND("q.rowid"),
         .ways = {{ISSUANCE_INTENT, LEAF_INTENT, "rid", "serial"},
                  {ISSUANCE_ISSUED, LEAF_ISSUED, "rid", "serial"},
                  {ISSUANCE_REFUSED, LEAF_REFUSAL, "rid", NULL},
                  {ISSUANCE_CONFIRMED, LEAF_CONFIRMED, "rid", "serial"},
                  {ISSUANCE_REJECTED, LEAF_REJECTED, "rid", "serial"},
                  {ISSUANCE_REJECTED, LEAF_REVOKED, NULL, "serial"},
                  {ISSUANCE_ABANDONED, LEAF_REVOKED, NULL, "serial"}},
         .n_ways = 7},
    [ORIGIN_CERTIFICATE] =
        {.name = "certificate",
         .end = "SELECT coalesce(max(rowid), 0) FROM certificate",
         .next = "SELECT c.rowid, iif(q.rid IS NULL, 'of request ' || c.request, "
                 "lower(hex(q.serial))), 0, "
                 "lower(hex(q.rid)), lower(hex(q.serial)), l.idx, unpacked(l.body), c.revoked IS "
                 "(SELECT r.idx FROM leaf_subject s JOIN leaf r ON r.idx = s.idx AND r.kind = "
                 "'REVOKED' WHERE s.subject = q.serial) FROM certificate c LEFT JOIN request q ON "
                 "q.rowid = c.request " LEAF_OF("c") BEHIND("c.rowid"),
         .disagrees = "is revoked, and the record does not say so, or the other way round",
         .ways = {{0, LEAF_ISSUED, "rid", "serial"}},
         .n_ways = 1},
    [ORIGIN_REVOCATION] =
        {.name = "revocation",
         .by_key = true,
         .next = "SELECT v.serial, lower(hex(v.serial)), 0, lower(hex(v.serial)), NULL, l.idx, "
                 "unpacked(l.body), 1 FROM revocation v " LEAF_WITH("REVOKED", "v.serial")
                     BEHIND("v.serial"),
         .ways = {{0, LEAF_REVOKED, "serial", NULL}},
         .n_ways = 1},
    [ORIGIN_CONFIRMATION] =
        {.name = "confirmation",
         .end = "SELECT coalesce(max(rowid), 0) FROM confirmation",
         .next = "SELECT c.rowid, lower(hex(c.rid)), c.accepted, lower(hex(c.request)), "
                 "lower(hex(q.serial)), l.idx, unpacked(l.body), 1 FROM confirmation c LEFT JOIN "
                 "request q "
                 "ON q.rid = c.request " LEAF_OF("c") BEHIND("c.rowid"),
         .ways = {{1, LEAF_CONFIRMED, "rid", "serial"},
                  {0, LEAF_REJECTED, "rid", "serial"},
                  {0, LEAF_REVOKED, NULL, "serial"}},
         .n_ways = 3},
    [ORIGIN_PENDING] =
        {.name = "pending",
         .end = "SELECT coalesce(max(rowid), 0) FROM pending",
         .next = "SELECT p.rowid, lower(hex(p.rid)), 0, lower(hex(p.rid)), p.registration, "
                 "l.idx, unpacked(l.body), 1 FROM pending p " LEAF_OF("p") BEHIND("p.rowid"),
         .ways = {{0, LEAF_REQUEST, "rid", "registration"}},
         .n_ways = 1},
    [ORIGIN_APPROVAL] =
        {.name = "approval",
         .end = "SELECT coalesce(max(rowid), 0) FROM approval",
         .next = "SELECT a.rowid, lower(hex(a.rid)), 0, lower(hex(a.rid)), "
                 "lower(hex(a.officer)), l.idx, unpacked(l.body), 1 FROM approval a " LEAF_OF("a")
                     BEHIND("a.rowid"),
         .ways = {{0, LEAF_APPROVAL, "rid", "officer"}},
         .n_ways = 1},
    [ORIGIN_AGAIN] = {.name = "again",
                      .end = "SELECT coalesce(max(rowid), 0) FROM again",
                      .next =
                          "SELECT a.rowid, lower(hex(a.rid)), 0, lower(hex(a.rid)), "
                          "lower(hex(a.request)), l.idx, unpacked(l.body), 1 FROM again a " LEAF_OF(
                              "a") BEHIND("a.rowid"),
                      .ways = {{0, LEAF_AGAIN, "again", "rid"}},
                      .n_ways = 1},
    [ORIGIN_REVOCATION_REQUEST] =
        {.name = "revocation_request",
         .end = "SELECT coalesce(max(rowid), 0) FROM revocation_request",
         .next =
             "SELECT r.rowid, lower(hex(r.rid)), 0, lower(hex(r.rid)), "
             "lower(hex(r.serial)), l.idx, unpacked(l.body), 1 FROM revocation_request r " LEAF_OF(
                 "r") BEHIND("r.rowid"),
         .ways = {{0, LEAF_REVOKED, "rr", "serial"}},
         .n_ways = 1},
    [ORIGIN_CRL] =
        {.name = "crl",
         .next =
             "SELECT c.number, CAST(c.number AS TEXT), 0, CAST(c.number AS TEXT), NULL, "
             "l.idx, unpacked(l.body), 1 FROM crl c " LEAF_WITH(
                 "CRL",
                 "c.number") "WHERE c.der IS NOT NULL AND c.number > ?1 ORDER BY c.number LIMIT 1",
         .ways = {{0, LEAF_CRL, "number", NULL}},
         .n_ways = 1},
    [ORIGIN_QUEUE_HEAD] =
        {.name = "queue_head",
         .by_key = true,
         .next = "SELECT h.hash, lower(hex(h.hash)), 0, lower(hex(h.hash)), lower(hex(h.ra)), "
                 "l.idx, unpacked(l.body), h.recorded IS l.time FROM queue_head h " LEAF_OF("h")
                     BEHIND("h.hash"),
         .disagrees = "was recorded at another time than ca.db says",
         .ways = {{0, LEAF_QUEUE_HEAD, "head", "ra"}},
         .n_ways = 1},
};

const char *
origin_name(enum origin_table t)
{
    return tables[t].name;
}

int
origin_ends_get(struct store_db *db, struct origin_ends *out, struct err *e)
{
    memset(out, 0, sizeof(*out));
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        CLEANUP(store_end) struct store_rows rows = {0};

        if (tables[t].end == NULL) {
            continue;
        }
        if (store_query_one(db, &rows, tables[t].end, STORE_NO_VALUES, e) != 0) {
            return -1;
        }
        out->rows[t] = row_int(&rows, 0);
    }
    return ledger_size(db, &out->leaves, e);
}

/* ---- one row ---- */

static bool
member_is(const struct leaf *leaf, const char *member, const char *wanted)
{
    const char *text;
    char number[NUMBER_SIZE];

    if (member == NULL) {
        return true;
    }
    text = leaf_text(leaf, member);
    if (text == NULL) {
        (void)snprintf(number, sizeof(number), "%" PRId64, leaf_int(leaf, member, -1));
        text = number;
    }
    return wanted != NULL && strcmp(text, wanted) == 0;
}

static bool
is_from(const struct table *t, const struct store_rows *rows, const struct leaf *leaf)
{
    for (size_t i = 0; i < t->n_ways; i++) {
        const struct way *way = &t->ways[i];

        if (way->state == row_int(rows, COLUMN_STATE) && way->kind == leaf_kind(leaf) &&
            member_is(leaf, way->first, row_text(rows, COLUMN_FIRST)) &&
            member_is(leaf, way->second, row_text(rows, COLUMN_SECOND))) {
            return true;
        }
    }
    return false;
}

static int
check_row(const struct table *t, const struct store_rows *rows, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

    if (row_is_null(rows, COLUMN_LEAF)) {
        return err_set(e, ERR_STALE, "ca.db has rows that the record has not: %s %s", t->name,
                       row_text(rows, COLUMN_KEY));
    }
    leaf = leaf_parse(row_blob(rows, COLUMN_BODY), e);
    if (leaf == NULL || !is_from(t, rows, leaf)) {
        return err_set(e, ERR_STALE,
                       "ca.db has rows that the record has not: %s %s, which leaf %" PRId64
                       " is not about",
                       t->name, row_text(rows, COLUMN_KEY), row_int(rows, COLUMN_LEAF));
    }
    return row_int(rows, COLUMN_AGREES) != 0 ? 0
                                             : err_set(e, ERR_STALE, "%s %s %s", t->name,
                                                       row_text(rows, COLUMN_KEY), t->disagrees);
}

static int
move(const struct table *t, const struct store_rows *rows, struct origin_place *place,
     struct err *e)
{
    struct span key;

    place->begun = 1;
    if (!t->by_key) {
        place->row = row_int(rows, COLUMN_PLACE);
        return 0;
    }
    key = row_blob(rows, COLUMN_PLACE);
    if (key.n > sizeof(place->key)) {
        return err_set(e, ERR_STALE, "ca.db has rows that the record has not: %s %s", t->name,
                       row_text(rows, COLUMN_KEY));
    }
    memcpy(place->key, key.p, key.n);
    place->key_n = key.n;
    return 0;
}

/* Before the first one nothing is less than an empty blob, and no number less than the least. */
static struct store_value
behind(const struct table *t, const struct origin_place *place)
{
    if (t->by_key) {
        return store_blob(span_of(place->key, place->key_n));
    }
    return store_int(place->begun != 0 ? place->row : INT64_MIN);
}

int
origin_next(struct store_db *db, enum origin_table table, const struct origin_ends *ends,
            struct origin_place *place, bool *found, bool *counts, struct err *e)
{
    const struct table *t = &tables[table];
    CLEANUP(store_end) struct store_rows rows = {0};

    *counts = false;
    if (store_query(db, &rows, t->next, STORE_VALUES(behind(t, place)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    if (move(t, &rows, place, e) != 0 || check_row(t, &rows, e) != 0) {
        return -1;
    }
    *counts = t->end == NULL ? (uint64_t)row_int(&rows, COLUMN_LEAF) < ends->leaves
                             : place->row <= ends->rows[table];
    return 0;
}

int64_t
origin_expected(enum origin_table table, const struct compare_seen *seen)
{
    switch (table) {
    case ORIGIN_REGISTRATION:
        return seen->registrations;
    case ORIGIN_REQUEST:
        return seen->intents + seen->refusals;
    case ORIGIN_CERTIFICATE:
        return seen->certificates;
    case ORIGIN_REVOCATION:
        return seen->revocations;
    case ORIGIN_PENDING:
        return seen->pending;
    case ORIGIN_APPROVAL:
        return seen->approvals;
    case ORIGIN_AGAIN:
        return seen->again;
    case ORIGIN_CRL:
        return seen->crls;
    case ORIGIN_CONFIRMATION:
    case ORIGIN_REVOCATION_REQUEST:
    case ORIGIN_QUEUE_HEAD:
    case ORIGIN_TABLES:
        break;
    }
    return -1;
}
