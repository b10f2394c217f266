/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signing.h - the signatures that a run of the pump waits for: each head of a page is asked for
 * once, all of them together. Private to pump.c; on the loop's thread.
 */
#pragma once

#include "ra/queue/page.h"

struct signing_wait {
    struct head_waiter waiter;
    struct signing *signing;
    struct head *head;
};

struct signing {
    struct ra *ra;
    void (*done)(void *arg); /* the last answer has come; later */
    void *arg;
    bool away; /* the signer is: nobody asks it any more, until this is set to false */
    struct signing_wait asked[PAGE_MAX]; /* all zero: none */
    size_t n_asked;
    size_t waiting; /* for so many signatures */
};

/* False when no answer is to be waited for. */
bool signing_ask(struct signing *, const struct page *);
/* Before the next page; nothing comes any more. */
void signing_forget(struct signing *);
/* Was it the way to the signer, or its token, so that it may sign soon? Else it refused. */
bool signing_is_away(const struct err *why);
