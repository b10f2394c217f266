/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/restore/state.h"

#include "ca/daemon/record.h"

struct step_op {
    struct store_op op;
    struct restore *r;
};

int
restore_in_store(struct restore *r, restore_run_op *run, struct err *e)
{
    struct step_op o = {.op = {.run = run}, .r = r};

    return store_call(r->store, &o.op, e);
}

struct restore *
restore_of(struct store_op *op)
{
    return CONTAINER_OF(op, struct step_op, op)->r;
}

int
restore_open(struct restore *r, struct err *e)
{
    struct store_options options = ca_store_options(r->ca, r->work.copy);

    options.finished = NULL;
    r->store = store_open(&options, e);
    return r->store == NULL ? -1 : 0;
}

/* "nfCR", and "nfCA" as ca/daemon/record.c has it. */
int
restore_mark_copy(struct store_db *db, struct err *e)
{
    return store_exec(db, "PRAGMA application_id = 0x6e664352", STORE_NO_VALUES, e);
}

int
restore_unmark_copy(struct store_db *db, struct err *e)
{
    return store_exec(db, "PRAGMA application_id = 0x6e664341", STORE_NO_VALUES, e);
}

void
restore_close(struct restore *r)
{
    store_free(r->store);
    r->store = NULL;
}
