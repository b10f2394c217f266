/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due/waiting.h"

#include <event2/event.h>
#include <string.h>

#include "ca/request/stages.h"
#include "db/issuance/life/approval.h"

enum { LOOK_S = 5, DUE_MAX = 64 };

struct waiting {
    struct ca *ca;
    struct event *timer;
    struct store_op op;
    bool looking;
    bool again; /* something happened since the look began */
    uint8_t rids[DUE_MAX][ISSUANCE_RID_SIZE];
    size_t n;
    struct issuance_pending due[DUE_MAX];
};

static void
look_later(struct waiting *w)
{
    const struct timeval pause = {.tv_sec = LOOK_S};

    (void)event_add(w->timer, &pause);
}

static void
add_due(void *arg, struct span rid)
{
    struct waiting *w = arg;

    memcpy(w->rids[w->n++], rid.p, sizeof(w->rids[0]));
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct waiting *w = CONTAINER_OF(op, struct waiting, op);
    bool found;

    w->n = 0;
    if (issuance_pending_due(db, clock_now(), DUE_MAX, add_due, w, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < w->n; i++) {
        if (issuance_pending_find(db, span_of(w->rids[i], sizeof(w->rids[i])), &w->due[i], &found,
                                  e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
submit(struct ca *ca, const struct issuance_pending *due)
{
    const struct span rid = span_of(due->rid, sizeof(due->rid));
    struct flight *busy = NULL;
    struct flight *flight = ca_flight_begin(ca, rid, 0, &busy);
    struct request *r;

    if (flight == NULL) {
        return; /* on its way: the next look finds what that did not */
    }
    r = request_new(ca, flight, buf_span(&due->evidence));
    r->queue_sequence = due->queue_sequence;
    memcpy(r->queue_previous, due->queue_previous, sizeof(r->queue_previous));
    r->ras = ca_ras_hold(ca);
    r->is_due = true;
    requests_enter(ca->requests, r, STAGE_OPEN);
}

static void
on_look(struct task *task)
{
    struct waiting *w = CONTAINER_OF(task, struct waiting, op.task);

    ca_check_store(&w->op, "look for what waits");
    w->looking = false;
    w->ca->jobs--;
    for (size_t i = 0; i < w->n; i++) {
        if (!w->ca->stopping) {
            submit(w->ca, &w->due[i]);
        }
        issuance_pending_free(&w->due[i]);
    }
    if (w->again) {
        waiting_look(w);
    } else {
        look_later(w);
    }
}

void
waiting_look(struct waiting *w)
{
    if (w->ca->stopping) {
        return;
    }
    w->again = w->looking;
    if (w->looking) {
        return;
    }
    w->looking = true;
    w->ca->jobs++;
    w->op = (struct store_op){.run = run_look, .task = {.done = on_look}};
    store_submit(w->ca->store, &w->op);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    waiting_look(arg);
}

/* ---- life ---- */

struct waiting *
waiting_new(struct ca *ca)
{
    struct waiting *w = mem_new(sizeof(*w));

    w->ca = ca;
    w->timer = ca_timer(ca, on_timer, w);
    return w;
}

void
waiting_free(struct waiting *w)
{
    if (w == NULL) {
        return;
    }
    event_free(w->timer);
    mem_free(w);
}
