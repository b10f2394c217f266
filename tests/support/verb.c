/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/verb.h"

struct verb_op {
    struct store_op op;
    int (*verb)(struct store_db *, void *arg, struct err *);
    void *arg;
};

static int
verb_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct verb_op *v = CONTAINER_OF(op, struct verb_op, op);

    return v->verb(db, v->arg, e);
}

int
verb_call(struct store *store, int (*verb)(struct store_db *, void *, struct err *), void *arg,
          struct err *e)
{
    struct verb_op v = {.op.run = verb_run, .verb = verb, .arg = arg};

    return store_call(store, &v.op, e);
}
