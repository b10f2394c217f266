/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/asks.h"

#include <string.h>

struct ask *
asks_place(struct asks *asks, struct span id, struct err *e)
{
    struct ask *place = NULL;

    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct ask *ask = &asks->all[i];

        if (ask->n_id != 0 && span_equal(id, span_of(ask->id, ask->n_id))) {
            (void)err_set(e, ERR_BUSY, "somebody else is asking the CA the same");
            return NULL;
        }
        if (ask->n_id == 0) {
            place = ask;
        }
    }
    if (place == NULL) {
        (void)err_set(e, ERR_BUSY, "too many commands wait for the CA");
    }
    return place;
}

void
ask_put(struct ask *ask, struct span id, ask_reply *reply, void *arg)
{
    memcpy(ask->id, id.p, id.n);
    ask->n_id = id.n;
    ask->reply = reply;
    ask->arg = arg;
}

bool
asks_answer(struct asks *asks, const struct link_message *m)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct ask ask = asks->all[i];

        if (ask.n_id != 0 && span_equal(m->id, span_of(ask.id, ask.n_id))) {
            asks->all[i].n_id = 0;
            ask.reply(ask.arg, m);
            return true;
        }
    }
    return false;
}

void
asks_give_up(struct asks *asks)
{
    for (size_t i = 0; i < ASKS_MAX; i++) {
        struct ask ask = asks->all[i];

        if (ask.n_id != 0) {
            asks->all[i].n_id = 0;
            ask.reply(ask.arg, NULL);
        }
    }
}
