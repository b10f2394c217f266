/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in ra.db while the RA runs. */
#include "tests/unit/ra/running.h"

struct statement {
    struct store_op op;
    const char *sql;
    const struct store_value *values;
    size_t n;
    bool asks;
    int64_t number;
};

static int
statement_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct statement *s = CONTAINER_OF(op, struct statement, op);
    CLEANUP(store_end) struct store_rows rows = {0};

    if (!s->asks) {
        return store_exec(db, s->sql, s->values, s->n, e);
    }
    if (store_query_one(db, &rows, s->sql, s->values, s->n, e) != 0) {
        return -1;
    }
    s->number = row_int(&rows, 0);
    return 0;
}

void
running_sql(struct running *w, const char *sql, const struct store_value *values, size_t n)
{
    struct statement s = {.op.run = statement_run, .sql = sql, .values = values, .n = n};
    struct err e = {0};

    assert_ok(store_call(w->ra.store, &s.op, &e), &e);
}

int64_t
running_number(struct running *w, const char *sql, const struct store_value *values, size_t n)
{
    struct statement s = {
        .op.run = statement_run, .sql = sql, .values = values, .n = n, .asks = true};
    struct err e = {0};

    assert_ok(store_call(w->ra.store, &s.op, &e), &e);
    return s.number;
}
