/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/position.h"

#include <string.h>

void
position_free(struct position *p)
{
    buf_free(&p->rules);
    *p = (struct position){0};
}

static int
edge_read(struct merkle_edge *edge, uint64_t size, struct span octets)
{
    edge->size = size;
    edge->n = (unsigned)__builtin_popcountll(size);
    if (edge->n > MERKLE_LEVELS || octets.n != (size_t)edge->n * MERKLE_HASH) {
        return -1;
    }
    for (unsigned i = 0; i < edge->n; i++) {
        memcpy(edge->subtrees[i].octets, octets.p + (size_t)i * MERKLE_HASH, MERKLE_HASH);
    }
    return 0;
}

int
position_load(struct sql *db, struct position *p, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(db, "SELECT accepted, next, edge, rules, rules_at FROM position",
                                SQL_NO_VALUES, &row, e);

    position_free(p);
    p->rules = BUF_INIT(POSITION_RULES_MAX);
    if (s == NULL) {
        return -1;
    }
    if (!row || edge_read(&p->edge, (uint64_t)sqlite3_column_int64(s, 1), sql_column(s, 2)) != 0) {
        return err_set(e, ERR_STORE, "%s was edited: it does not say where it is", sql_path(db));
    }
    p->accepted = (uint64_t)sqlite3_column_int64(s, 0);
    p->rules_at = (uint64_t)sqlite3_column_int64(s, 4);
    return buf_set(&p->rules, sql_column(s, 3), e);
}

int
position_check(struct sql *db, uint64_t here, struct err *e)
{
    int64_t next = 0;

    if (sql_number(db, "SELECT next FROM position", SQL_NO_VALUES, -1, &next, e) != 0) {
        return -1;
    }
    return next == (int64_t)here
               ? 0
               : err_set(e, ERR_BUSY, "%s: another run imports into it", sql_path(db));
}

int
position_save(struct sql *db, const struct merkle_edge *edge, const char *rules, struct err *e)
{
    uint8_t octets[MERKLE_LEVELS * MERKLE_HASH];

    for (unsigned i = 0; i < edge->n; i++) {
        memcpy(octets + (size_t)i * MERKLE_HASH, edge->subtrees[i].octets, MERKLE_HASH);
    }
    return sql_exec(db,
                    "UPDATE position SET next = ?1, edge = ?2, rules = coalesce(?3, rules), "
                    "rules_at = iif(?3 IS NULL, rules_at, ?1)",
                    SQL_VALUES(sql_int((int64_t)edge->size),
                               sql_octets(span_of(octets, (size_t)edge->n * MERKLE_HASH)),
                               rules == NULL ? sql_null() : sql_octets(span_str(rules))),
                    e);
}

int
position_accept(struct sql *db, struct err *e)
{
    return sql_exec(db, "UPDATE position SET accepted = next", SQL_NO_VALUES, e) != 0 ||
                   sql_exec(db,
                            "INSERT INTO day SELECT 0, day, kind, profile, reason, n FROM day d "
                            "WHERE pending = 1 ON CONFLICT DO UPDATE SET n = n + excluded.n",
                            SQL_NO_VALUES, e) != 0
               ? -1
               : sql_exec(db, "DELETE FROM day WHERE pending = 1", SQL_NO_VALUES, e);
}
