/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/rows.h"

#include "db/audit/mirror/columns.h"
#include "db/audit/mirror/effects.h"

struct rows {
    struct sql *db;
    struct effects *effects;
    uint8_t scratch[LEAF_MAX];
};

void
rows_free(struct rows *r)
{
    if (r != NULL) {
        effects_free(r->effects);
        mem_free(r);
    }
}

struct rows *
rows_new(struct sql *db, struct err *e)
{
    CLEANUP(rows_cleanup) struct rows *r = mem_new(sizeof(*r));

    r->db = db;
    r->effects = effects_new(db, e);
    return r->effects == NULL ? NULL : TAKE(r);
}

int
rows_add(struct rows *r, uint64_t index, const struct leaf *leaf, struct err *e)
{
    if (sql_exec(
            r->db, "INSERT INTO leaf(idx, kind, time) VALUES (?,?,?)",
            SQL_VALUES(sql_int((int64_t)index), sql_int(leaf_kind(leaf)), sql_int(leaf_time(leaf))),
            e) != 0 ||
        columns_insert(r->db, index, leaf, r->scratch, e) != 0 ||
        effects_add(r->effects, index, leaf, r->scratch, e) != 0) {
        return err_wrap(e, "leaf %llu", (unsigned long long)index);
    }
    return 0;
}

int
rows_flush(struct rows *r, struct err *e)
{
    return effects_flush(r->effects, e);
}
