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
    struct buf *blob; /* NULL: a number is asked for */
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
    if (s->blob != NULL) {
        return buf_set(s->blob, row_blob(&rows, 0), e);
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

void
running_blob(struct running *w, const char *sql, const struct store_value *values, size_t n,
             struct buf *out)
{
    struct statement s = {
        .op.run = statement_run, .sql = sql, .values = values, .n = n, .asks = true, .blob = out};
    struct err e = {0};

    assert_ok(store_call(w->ra.store, &s.op, &e), &e);
}

static int
chain_run(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)op;
    return requests_verify_chain(db, e);
}

int
running_chain(struct running *w, struct err *e)
{
    struct store_op op = {.run = chain_run};

    return store_call(w->ra.store, &op, e);
}
