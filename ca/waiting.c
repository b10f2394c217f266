/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/waiting.h"

#include <event2/event.h>
#include <string.h>

#include "ca/issue.h"
#include "db/issuance_approval.h"

enum { LOOK_S = 5, DUE_MAX = 64, BUCKETS = 1024, WATCHERS_MAX = 16384 };

struct watcher {
    struct watcher *next;
    uint8_t rid[ISSUANCE_RID_SIZE];
    link_peer peer;
};

struct waiting {
    struct ca *ca;
    struct event *timer;
    struct store_op op;
    bool looking;
    bool again; /* something happened since the look began */
    uint8_t due[DUE_MAX][ISSUANCE_RID_SIZE];
    size_t n_due;
    struct watcher *watchers[BUCKETS];
    size_t n_watchers;
};

/* ---- who is told ---- */

static struct watcher **
place_of(struct waiting *w, const uint8_t *rid)
{
    /* A rid is a hash already. */
    struct watcher **at = &w->watchers[((unsigned)rid[0] << 8 | rid[1]) % BUCKETS];

    while (*at != NULL && memcmp((*at)->rid, rid, sizeof((*at)->rid)) != 0) {
        at = &(*at)->next;
    }
    return at;
}

void
waiting_watch(struct waiting *w, struct span rid, link_peer peer)
{
    struct watcher **at = place_of(w, rid.p);

    if (*at == NULL && w->n_watchers < WATCHERS_MAX) { /* else it hears when it asks again */
        *at = mem_zalloc(1, sizeof(**at));
        memcpy((*at)->rid, rid.p, sizeof((*at)->rid));
        w->n_watchers++;
    }
    if (*at != NULL) {
        (*at)->peer = peer;
    }
}

void
waiting_tell(struct waiting *w, link_peer answered, const struct link_message *m)
{
    struct watcher **at;
    struct watcher *watcher;

    if (w == NULL || m->id.n != ISSUANCE_RID_SIZE) {
        return;
    }
    at = place_of(w, m->id.p);
    watcher = *at;
    if (watcher == NULL) {
        return;
    }
    if (watcher->peer != answered && w->ca->link != NULL) {
        link_server_tell(w->ca->link, watcher->peer, m);
    }
    *at = watcher->next;
    w->n_watchers--;
    mem_free(watcher);
}

/* ---- what is due ---- */

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

    memcpy(w->due[w->n_due++], rid.p, sizeof(w->due[0]));
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct waiting *w = CONTAINER_OF(op, struct waiting, op);

    w->n_due = 0;
    return issuance_pending_due(db, clock_now(), DUE_MAX, add_due, w, e);
}

static void
on_look(struct task *task)
{
    struct waiting *w = CONTAINER_OF(task, struct waiting, op.task);

    ca_check_store(&w->op, "look for what waits");
    w->looking = false;
    w->ca->jobs--;
    for (size_t i = 0; i < w->n_due && !w->ca->stopping; i++) {
        issue_resume(w->ca, span_of(w->due[i], sizeof(w->due[i])));
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
waiting_new(struct ca *ca, struct err *e)
{
    struct waiting *w = mem_zalloc(1, sizeof(*w));

    w->ca = ca;
    w->timer = event_new(ca->base, -1, 0, on_timer, w);
    if (w->timer == NULL) {
        mem_free(w);
        (void)err_set(e, ERR_IO, "no memory for a timer");
        return NULL;
    }
    return w;
}

void
waiting_free(struct waiting *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (w->watchers[i] != NULL) {
            struct watcher *watcher = w->watchers[i];

            w->watchers[i] = watcher->next;
            mem_free(watcher);
        }
    }
    event_free(w->timer);
    mem_free(w);
}
