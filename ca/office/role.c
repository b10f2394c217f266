/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/office/role.h"

#include <string.h>

#include "db/issuance/role.h"

struct telling {
    struct ca *ca;
    link_peer peer;
    uint8_t id[SHA256_SIZE];
    struct store_op op;
    enum issuance_role role;
};

static int
run_find(struct store_op *op, struct store_db *db, struct err *e)
{
    struct telling *t = CONTAINER_OF(op, struct telling, op);

    return issuance_role_find(db, span_of(t->id, sizeof(t->id)), clock_now(), &t->role, e);
}

static void
on_found(struct task *task)
{
    struct telling *t = CONTAINER_OF(task, struct telling, op.task);
    const struct link_message m = {.type = LINK_ROLE_IS,
                                   .id = span_of(t->id, sizeof(t->id)),
                                   .phrase = span_str(issuance_role_name(t->role))};

    ca_check_store(&t->op, "find a role");
    ca_answer(t->ca, t->peer, &m);
    t->ca->jobs--;
    mem_free(t);
}

void
role_tell(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct telling *t = mem_new(sizeof(*t));

    t->ca = ca;
    t->peer = peer;
    memcpy(t->id, m->id.p, sizeof(t->id)); /* the link's shape: exactly so many */
    t->op = (struct store_op){.run = run_find, .task = {.done = on_found}};
    ca->jobs++;
    store_submit(ca->store, &t->op);
}
