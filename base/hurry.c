/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hurry.h"

#include <event2/event.h>
#include <stdlib.h>

enum { SOON_MS = 5 };

struct hurry {
    struct pipeline *pipeline;
    struct event *timer;
    struct event *soon;
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    const struct hurry *h = arg;

    (void)fd;
    (void)what;
    pipeline_hurry(h->pipeline);
}

void
hurry_begin(struct hurry *h)
{
    const struct timeval soon = {.tv_usec = (suseconds_t)SOON_MS * 1000};

    if (event_add(h->timer, &soon) != 0) {
        abort(); /* out of memory */
    }
}

static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
    const struct hurry *h = arg;

    (void)fd;
    (void)what;
    pipeline_start(h->pipeline);
}

/* Behind those that are active now. */
void
hurry_soon(struct hurry *h)
{
    event_active(h->soon, EV_TIMEOUT, 0);
}

struct hurry *
hurry_new(struct event_base *base, struct pipeline *pipeline)
{
    struct hurry *h = mem_new(sizeof(*h));

    h->pipeline = pipeline;
    h->timer = evtimer_new(base, on_timer, h);
    h->soon = evtimer_new(base, on_soon, h);
    if (h->timer == NULL || h->soon == NULL) {
        abort(); /* out of memory */
    }
    return h;
}

void
hurry_free(struct hurry *h)
{
    if (h != NULL) {
        event_free(h->timer);
        event_free(h->soon);
        mem_free(h);
    }
}
