/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/journal.h"

#include <inttypes.h>
#include <string.h>

#include "db/issuance/rows.h"
#include "db/ledger/ledger.h"

enum { AT_ONCE = 1024 }; /* leaves, or checkpoints */

int
issuance_journal_find(struct store_db *db, struct issuance_journal *j, bool *found, struct err *e)
{
    const struct store_value key = store_blob(span_of(j->key, sizeof(j->key)));
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows,
                    "SELECT exempt, compared, again, stored, checked, chain FROM journal "
                    "WHERE key = ?1 AND number = ?2 AND kind = ?3",
                    STORE_VALUES(key, store_int(j->number), store_int(j->kind)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    j->exempt = (uint64_t)row_int(&rows, 0);
    j->compared = (uint64_t)row_int(&rows, 1);
    j->again = (uint64_t)row_int(&rows, 2);
    j->stored = (uint64_t)row_int(&rows, 3);
    j->checked = (uint64_t)row_int(&rows, 4);
    return row_copy_octets(&rows, 5, j->chain, sizeof(j->chain), e);
}

/* Leaves, or what the newest checkpoint covers. */
static int
stored_now(struct store_db *db, struct issuance_journal *j, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (j->kind == ISSUANCE_JOURNAL_OBJECTS) {
        return ledger_size(db, &j->checked, e);
    }
    if (store_query_one(db, &rows, "SELECT coalesce(max(size), 0) FROM checkpoint", STORE_NO_VALUES,
                        e) != 0) {
        return -1;
    }
    j->checked = (uint64_t)row_int(&rows, 0);
    return 0;
}

/* As the other journals of the key have it; false: there is none. */
static int
stored_of_key(struct store_db *db, struct issuance_journal *j, bool *found, struct err *e)
{
    const struct store_value key = store_blob(span_of(j->key, sizeof(j->key)));
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, "SELECT stored, checked FROM journal WHERE key = ?1 LIMIT 1",
                    STORE_VALUES(key), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (*found) {
        j->stored = (uint64_t)row_int(&rows, 0);
        j->checked = (uint64_t)row_int(&rows, 1);
    }
    return 0;
}

int
issuance_journal_known(struct store_db *db, const uint8_t key[ISSUANCE_JOURNAL_HASH], size_t *n,
                       uint64_t *lines, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT count(*), coalesce(sum(compared), 0) FROM journal WHERE key = ?1",
                        STORE_VALUES(store_blob(span_of(key, ISSUANCE_JOURNAL_HASH))), e) != 0) {
        return -1;
    }
    *n = (size_t)row_int(&rows, 0);
    *lines = (uint64_t)row_int(&rows, 1);
    return 0;
}

int
issuance_journal_begin(struct store_db *db, struct issuance_journal *j, struct err *e)
{
    bool found;

    j->compared = j->exempt;
    j->again = 0;
    j->stored = 0;
    if (stored_of_key(db, j, &found, e) != 0 || (!found && stored_now(db, j, e) != 0)) {
        return -1;
    }
    return store_exec(
        db,
        "INSERT INTO journal (key, number, kind, exempt, compared, chain, stored, checked) "
        "VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)",
        STORE_VALUES(store_blob(span_of(j->key, sizeof(j->key))), store_int(j->number),
                     store_int(j->kind), store_int((int64_t)j->exempt),
                     store_blob(span_of(j->chain, sizeof(j->chain))), store_int((int64_t)j->stored),
                     store_int((int64_t)j->checked)),
        e);
}

int
issuance_journal_save(struct store_db *db, const struct issuance_journal *j, struct err *e)
{
    const struct store_value key = store_blob(span_of(j->key, sizeof(j->key)));

    return store_exec(db,
                      "UPDATE journal SET compared = ?3, chain = ?4, again = ?5 "
                      "WHERE key = ?1 AND number = ?2",
                      STORE_VALUES(key, store_int(j->number), store_int((int64_t)j->compared),
                                   store_blob(span_of(j->chain, sizeof(j->chain))),
                                   store_int((int64_t)j->again)),
                      e) != 0
               ? -1
               : store_exec(db,
                            "UPDATE journal SET stored = ?2, checked = ?3 WHERE key = ?1 AND "
                            "(stored <> ?2 OR checked <> ?3)",
                            STORE_VALUES(key, store_int((int64_t)j->stored),
                                         store_int((int64_t)j->checked)),
                            e);
}

int
issuance_journal_forget(struct store_db *db, struct err *e)
{
    return store_exec(db, "DELETE FROM attempted", STORE_NO_VALUES, e) != 0
               ? -1
               : store_exec(db, "DELETE FROM journal", STORE_NO_VALUES, e);
}

/* ---- lines ---- */

/* There is a line for the leaf, or the checkpoint. */
static int
count(struct store_db *db, struct issuance_journal *j, int64_t at, struct err *e)
{
    if (store_exec(db, "INSERT OR IGNORE INTO attempted (kind, at) VALUES (?1, ?2)",
                   STORE_VALUES(store_int(j->kind), store_int(at)), e) != 0) {
        return -1;
    }
    j->again += store_changes(db) == 0 ? 1 : 0;
    return 0;
}

static int
count_leaf(struct store_db *db, struct issuance_journal *j, struct store_rows *rows, bool *belongs,
           struct err *e)
{
    int64_t leaf;

    if (store_next(rows, belongs, e) != 0) {
        return -1;
    }
    if (!*belongs) {
        return 0;
    }
    leaf = row_int(rows, 0);
    store_end(rows);
    return count(db, j, leaf, e);
}

/* The announcement of a subject that says this hash. A quote within a text is escaped, so what is
 * found is the member. */
#define ANNOUNCED(kind)                                                                            \
    "SELECT l.idx FROM leaf_subject o JOIN leaf l ON l.idx = o.idx WHERE o.subject = ?1 AND "      \
    "l.kind = '" kind "' AND instr(CAST(unpacked(l.body) AS TEXT), '\"tbs\":\"' || ?2 || '\"') "   \
    "> 0 ORDER BY o.idx LIMIT 1"

int
issuance_journal_certificate(struct store_db *db, struct issuance_journal *j,
                             const uint8_t hash[ISSUANCE_JOURNAL_HASH],
                             const uint8_t serial[ISSUANCE_JOURNAL_SERIAL], bool *belongs,
                             struct err *e)
{
    CLEANUP(mem_cleanup) char *tbs_hex = hex_dup(span_of(hash, ISSUANCE_JOURNAL_HASH));
    CLEANUP(store_end) struct store_rows rows = {0};

    return store_query(db, &rows, ANNOUNCED("INTENT"),
                       STORE_VALUES(store_blob(span_of(serial, ISSUANCE_JOURNAL_SERIAL)),
                                    store_text(tbs_hex)),
                       e) != 0
               ? -1
               : count_leaf(db, j, &rows, belongs, e);
}

int
issuance_journal_crl(struct store_db *db, struct issuance_journal *j,
                     const uint8_t hash[ISSUANCE_JOURNAL_HASH], uint64_t number, bool *belongs,
                     struct err *e)
{
    CLEANUP(mem_cleanup) char *tbs_hex = hex_dup(span_of(hash, ISSUANCE_JOURNAL_HASH));
    CLEANUP(store_end) struct store_rows rows = {0};

    return store_query(db, &rows, ANNOUNCED("CRL-INTENT"),
                       STORE_VALUES(store_int((int64_t)number), store_text(tbs_hex)), e) != 0
               ? -1
               : count_leaf(db, j, &rows, belongs, e);
}

int
issuance_journal_checkpoint(struct store_db *db, struct issuance_journal *j, uint64_t size,
                            struct err *e)
{
    return count(db, j, (int64_t)size, e);
}

/* ---- what is stored ---- */

/* ISSUED and CRL from ?1 up to ?2: how many, and the first whose announcement has no line. The
 * leaves are read by their place, the announcements by their subject; CROSS JOIN is the order in
 * which SQLite is to go: it takes attempted first otherwise, all of it for each leaf. */
/* clang-format off */
#define BODY(table) "CAST(unpacked(" table ".body) AS TEXT)"
#define IS(table, kind) "instr(" BODY(table) ", '\"kind\":\"" kind "\"') > 0"
#define STORED_LEAVES(kind, announced)                                                             \
    "SELECT count(*), min(CASE WHEN NOT EXISTS (SELECT 1 FROM leaf_subject o CROSS JOIN attempted "  \
    "a ON a.kind = 0 AND a.at = o.idx JOIN leaf i ON i.idx = o.idx WHERE o.subject = s.subject AND " \
    "i.kind = '" announced "') THEN l.idx END) FROM leaf l CROSS JOIN leaf_subject s ON s.idx = "    \
    "l.idx WHERE l.idx >= ?1 AND l.idx < ?2 AND l.kind = '" kind "'"
#define STORED_CERTIFICATES STORED_LEAVES("ISSUED", "INTENT")
#define STORED_CRLS STORED_LEAVES("CRL", "CRL-INTENT")
#define STORED_CHECKPOINTS                                                                         \
    "SELECT count(*), min(CASE WHEN NOT EXISTS (SELECT 1 FROM attempted a WHERE a.kind = 1 AND "   \
    "a.at = c.size) THEN c.size END) FROM checkpoint c WHERE c.size > ?1 AND c.size <= ?2"
/* clang-format on */

static int
look(struct store_db *db, struct issuance_journal *j, const char *sql, uint64_t to,
     int64_t *missing, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, sql,
                        STORE_VALUES(store_int((int64_t)j->checked), store_int((int64_t)to)),
                        e) != 0) {
        return -1;
    }
    j->stored += (uint64_t)row_int(&rows, 0);
    if (!row_is_null(&rows, 1) && (*missing < 0 || row_int(&rows, 1) < *missing)) {
        *missing = row_int(&rows, 1);
    }
    return 0;
}

int
issuance_journal_stored(struct store_db *db, struct issuance_journal *j, uint64_t to, bool *more,
                        int64_t *missing, struct err *e)
{
    const uint64_t end = to > j->checked + AT_ONCE ? j->checked + AT_ONCE : to;
    int result;

    *missing = -1;
    *more = false;
    if (j->checked >= to) {
        return 0;
    }
    result = j->kind == ISSUANCE_JOURNAL_CHECKPOINTS
                 ? look(db, j, STORED_CHECKPOINTS, end, missing, e)
             : look(db, j, STORED_CERTIFICATES, end, missing, e) != 0
                 ? -1
                 : look(db, j, STORED_CRLS, end, missing, e);
    j->checked = end;
    *more = end < to;
    return result;
}

int
issuance_journal_wanted(struct store_db *db, const struct issuance_journal *j, int64_t missing,
                        struct issuance_journal_wanted *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

    *out = (struct issuance_journal_wanted){.number = (uint64_t)missing};
    if (j->kind == ISSUANCE_JOURNAL_CHECKPOINTS) {
        return 0;
    }
    if (store_query_one(db, &rows, "SELECT unpacked(body) FROM leaf WHERE idx = ?1",
                        STORE_VALUES(store_int(missing)), e) != 0) {
        return -1;
    }
    leaf = leaf_parse(row_blob(&rows, 0), e);
    if (leaf == NULL) {
        return -1;
    }
    out->is_crl = leaf_kind(leaf) == LEAF_CRL;
    if (out->is_crl) {
        out->number = (uint64_t)leaf_int(leaf, "number", 0);
        return 0;
    }
    return hex_parse(leaf_text(leaf, "serial"), out->serial, sizeof(out->serial), e);
}

/* ---- all of it ---- */

struct verifying {
    void (*differs)(void *arg, const char *what);
    void *arg;
};

static int
strangers(struct store_db *db, const struct verifying *v, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    if (store_query(
            db, &rows,
            "SELECT a.kind, a.at FROM attempted a LEFT JOIN leaf l ON l.idx = a.at "
            "WHERE CASE a.kind WHEN 0 THEN l.idx IS NULL OR NOT (" IS("l", "INTENT") " OR " IS(
                "l", "CRL-INTENT") ") WHEN 1 THEN a.at < 1 OR a.at > (SELECT count(*) FROM "
                                   "leaf) ELSE 1 END ORDER BY a.kind, a.at",
            STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0) {
        CLEANUP(mem_cleanup) char *text = NULL;

        if (!row) {
            return 0;
        }
        text = mem_printf("attempted %" PRId64 ", %" PRId64
                          ": there is no announcement, or no checkpoint, of that place",
                          row_int(&rows, 0), row_int(&rows, 1));
        v->differs(v->arg, text);
    }
    return -1;
}

/* clang-format off */
#define KEY(table) "substr(" BODY(table) ", instr(" BODY(table) ", '\"key\":\"') + 7, 64)"
#define HASH(table) "substr(" BODY(table) ", instr(" BODY(table) ", '\"sha256\":\"') + 10, 64)"
#define LINE(table)                                                                                \
    "CAST(substr(" BODY(table) ", instr(" BODY(table) ", '\"line\":') + 7, 19) AS INTEGER)"
#define COUNTED                                                                                    \
    "SELECT coalesce(sum(compared - exempt - again), 0) - (SELECT count(*) FROM (SELECT DISTINCT " \
    KEY("l") ", " LINE("l") ", " HASH("l") " FROM leaf l WHERE " IS("l", "ACKNOWLEDGED")           \
    " AND EXISTS (SELECT 1 FROM journal j WHERE j.kind = ?1 AND " KEY("l")                         \
    " = lower(hex(j.key)) AND " LINE("l") " BETWEEN j.exempt + 1 AND j.compared))), (SELECT "      \
    "count(*) FROM attempted WHERE kind = ?1) FROM journal WHERE kind = ?1"
/* clang-format on */

/* A line is counted once, or again, or officers acknowledged it, whichever journal of the key has
 * it. */
static int
sums(struct store_db *db, const struct verifying *v, enum issuance_journal_kind kind, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, COUNTED, STORE_VALUES(store_int(kind)), e) != 0) {
        return -1;
    }
    if (row_int(&rows, 0) != row_int(&rows, 1)) {
        CLEANUP(mem_cleanup)
        char *text = mem_printf("journal of kind %d: %" PRId64 " lines were compared for the first "
                                "time, and attempted has %" PRId64,
                                (int)kind, row_int(&rows, 0), row_int(&rows, 1));

        v->differs(v->arg, text);
    }
    return 0;
}

/* How far it was looked at, and what was found stored. */
static int
looked_at(struct store_db *db, enum issuance_journal_kind kind, struct issuance_journal *j,
          bool *whole, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT coalesce(max(checked), 0), coalesce(sum(stored), 0), count(*) > 0 "
                        "AND max(exempt) = 0 FROM (SELECT max(checked) AS checked, max(stored) AS "
                        "stored, max(exempt) AS exempt FROM journal WHERE kind = ?1 GROUP BY key)",
                        STORE_VALUES(store_int(kind)), e) != 0) {
        return -1;
    }
    *j = (struct issuance_journal){.kind = kind,
                                   .checked = (uint64_t)row_int(&rows, 0),
                                   .stored = (uint64_t)row_int(&rows, 1)};
    *whole = row_int(&rows, 2) != 0;
    return 0;
}

static int
stored_lines(struct store_db *db, const struct verifying *v, enum issuance_journal_kind kind,
             struct err *e)
{
    struct issuance_journal said;
    struct issuance_journal found = {.kind = kind};
    bool whole;
    bool more = true;

    if (looked_at(db, kind, &said, &whole, e) != 0) {
        return -1;
    }
    while (whole && more) {
        int64_t missing;

        if (issuance_journal_stored(db, &found, said.checked, &more, &missing, e) != 0) {
            return -1;
        }
        if (missing >= 0) {
            CLEANUP(mem_cleanup)
            char *text =
                mem_printf(kind == ISSUANCE_JOURNAL_CHECKPOINTS
                               ? "checkpoint over %" PRId64 " leaves: has no line in a "
                                 "journal"
                               : "leaf %" PRId64 ": what it has as signed has no line in a journal",
                           missing);

            v->differs(v->arg, text);
        }
    }
    if (whole && found.stored != said.stored) {
        CLEANUP(mem_cleanup)
        char *text = mem_printf("journal of kind %d: %" PRIu64 " stored signatures were compared, "
                                "and there are %" PRIu64,
                                (int)kind, said.stored, found.stored);

        v->differs(v->arg, text);
    }
    return 0;
}

int
issuance_journal_verify(struct store_db *db, void (*differs)(void *arg, const char *what),
                        void *arg, struct err *e)
{
    const struct verifying v = {.differs = differs, .arg = arg};

    if (strangers(db, &v, e) != 0) {
        return -1;
    }
    for (int kind = ISSUANCE_JOURNAL_OBJECTS; kind <= ISSUANCE_JOURNAL_CHECKPOINTS; kind++) {
        if (sums(db, &v, (enum issuance_journal_kind)kind, e) != 0 ||
            stored_lines(db, &v, (enum issuance_journal_kind)kind, e) != 0) {
            return -1;
        }
    }
    return 0;
}
