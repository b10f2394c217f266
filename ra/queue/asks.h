/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks.h - what administrators asked the CA and wait for: REGISTER, CANCEL. Nothing of it is in the
 * queue: who asked is told that nothing is known when the link goes away. Private to ra/; on the
 * loop's thread.
 */
#pragma once

#include "ca/link/msg.h"
#include "db/requests/requests.h"

enum { ASKS_MAX = 128 };

/* `answer` is NULL when the link went away first: nothing is known then. */
typedef void ask_reply(void *arg, const struct link_message *answer);

struct ask {
    uint8_t id[REQUESTS_RID_SIZE];
    size_t n_id; /* 0: free */
    ask_reply *reply;
    void *arg;
};

struct asks {
    struct ask all[ASKS_MAX]; /* all zero: none */
};

/* Where a question with this id may stand. ERR_BUSY: somebody asks the same, or too many ask. */
struct ask *asks_place(struct asks *, struct span id, struct err *e);
/* It was sent: `reply` is called once. */
void ask_put(struct ask *, struct span id, ask_reply *reply, void *arg);
/* Gives the answer to who asked; false when nobody did. */
bool asks_answer(struct asks *, const struct link_message *);
/* The link went away. */
void asks_give_up(struct asks *);
