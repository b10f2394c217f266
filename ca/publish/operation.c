/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish/operation.h"

#include <stdio.h>

#include "ca/publish/checkpoint.h"

enum { HOUR = 3600, OBJECT_SIZE = 129 };

struct operation {
    struct ca *ca;
    struct admin_call *call;
    json_t *answer; /* NULL: it is refused */
    struct err why;
    struct store_op op;
    struct release_item release;
    uint64_t leaf;
    unsigned untold;
    time_t now;
};

static void
answer(struct operation *o)
{
    if (o->answer != NULL) {
        admin_answer(o->call, o->answer);
    } else {
        admin_refuse(o->call, &o->why);
    }
    o->ca->jobs--;
    mem_free(o);
}

static void
on_released(struct release_item *item)
{
    answer(CONTAINER_OF(item, struct operation, release));
}

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    struct operation *o = CONTAINER_OF(op, struct operation, op);
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_OPERATION, o->now);
    char object[OBJECT_SIZE];

    leaf_set_text(leaf, "command", admin_command(o->call));
    leaf_set_text(leaf, "by", admin_who(o->call));
    leaf_set_text(leaf, "outcome", o->answer != NULL ? "done" : "refused");
    if (admin_object(o->call) != NULL) {
        (void)snprintf(object, sizeof(object), "%s", admin_object(o->call));
        ca_printable(object);
        leaf_set_text(leaf, "object", object);
    }
    if (o->answer == NULL) {
        CLEANUP(mem_cleanup) char *reason = mem_strdup(o->why.text);

        ca_printable(reason);
        leaf_set_text(leaf, "reason", reason);
    }
    if (o->untold > 0) {
        leaf_set_int(leaf, "untold", o->untold);
    }
    return ledger_append(db, leaf, &o->leaf, e);
}

static void
on_appended(struct task *task)
{
    struct operation *o = CONTAINER_OF(task, struct operation, op.task);

    ca_check_store(&o->op, "an operation");
    o->release = (struct release_item){.leaf = o->leaf, .released = on_released};
    release_wait(o->ca->release, &o->release);
}

/* One more of this hour, when there may be. */
static bool
may_tell(struct operations *all, time_t now)
{
    if (all->hour != now / HOUR) {
        all->hour = now / HOUR;
        all->told = 0;
    }
    if (all->told >= OPERATIONS_MAX) {
        all->untold++;
        return false;
    }
    all->told++;
    return true;
}

static void
end(struct ca *ca, struct admin_call *call, json_t *object, const struct err *why)
{
    struct operation *o = mem_new(sizeof(*o));

    o->ca = ca;
    o->call = call;
    o->answer = object;
    o->now = clock_now();
    if (why != NULL) {
        o->why = *why;
    }
    ca->jobs++;
    if (!may_tell(&ca->operations, o->now)) {
        answer(o);
        return;
    }
    o->untold = ca->operations.untold;
    ca->operations.untold = 0;
    o->op = (struct store_op){.run = run_append, .task = {.done = on_appended}};
    store_submit(ca->store, &o->op);
}

void
operation_answer(struct ca *ca, struct admin_call *call, json_t *object)
{
    end(ca, call, object == NULL ? json_object() : object, NULL);
}

void
operation_refuse(struct ca *ca, struct admin_call *call, const struct err *why)
{
    end(ca, call, NULL, why);
}
