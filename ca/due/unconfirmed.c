/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due/unconfirmed.h"

#include <event2/event.h>

#include "ca/publish/crl.h"

enum { TICK_MAX_S = 10, BATCH_MAX = 64 };

struct unconfirmed {
    struct ca *ca;
    struct event *timer;
    struct store_op op;
    int64_t since; /* the last RA connected, clock_monotonic_ms(); 0: none has */
    time_t now;
    int n; /* that were ended */
    bool busy;
};

static int
run_end(struct store_op *op, struct store_db *db, struct err *e)
{
    struct unconfirmed *u = CONTAINER_OF(op, struct unconfirmed, op);
    const struct ca_conf *conf = &u->ca->conf;
    const enum issuance_confirm least =
        conf->revoke_unconfirmed ? ISSUANCE_EXPECTED : ISSUANCE_REQUIRED;

    return issuance_end_unconfirmed(db, u->now - conf->confirm_wait_s, least, BATCH_MAX,
                                    ca_when(u->ca, u->now), &u->n, e);
}

static void begin(struct unconfirmed *u);

static void
on_ended(struct task *task)
{
    struct unconfirmed *u = CONTAINER_OF(task, struct unconfirmed, op.task);

    ca_check_store(&u->op, "end what was not confirmed");
    u->busy = false;
    u->ca->jobs--;
    if (u->n > 0) {
        log_event(LOG_WARNING, "unconfirmed", "%d certificates were not confirmed in time: revoked",
                  u->n);
        crl_make(u->ca->crl, NULL);
    }
    if (u->n == BATCH_MAX && !u->ca->stopping) {
        begin(u);
    }
}

static void
begin(struct unconfirmed *u)
{
    u->busy = true;
    u->ca->jobs++;
    u->now = clock_now();
    u->op = (struct store_op){.run = run_end, .task = {.done = on_ended}};
    store_submit(u->ca->store, &u->op);
}

static bool
is_time(const struct unconfirmed *u)
{
    const struct ca *ca = u->ca;

    /* Whoever has connected did so by the link, which is there until it stops. */
    return !u->busy && !ca->stopping && u->since != 0 && link_server_peers(ca->link) > 0 &&
           clock_monotonic_ms() - u->since >= (int64_t)ca->conf.confirm_wait_s * 1000;
}

static void
tick_later(struct unconfirmed *u)
{
    const int wait = u->ca->conf.confirm_wait_s;
    const struct timeval tick = {.tv_sec = wait < TICK_MAX_S ? wait : TICK_MAX_S};

    (void)event_add(u->timer, &tick);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct unconfirmed *u = arg;

    (void)fd;
    (void)what;
    tick_later(u);
    if (is_time(u)) {
        begin(u);
    }
}

void
unconfirmed_connected(struct unconfirmed *u)
{
    u->since = clock_monotonic_ms();
}

struct unconfirmed *
unconfirmed_new(struct ca *ca)
{
    struct unconfirmed *u = mem_new(sizeof(*u));

    u->ca = ca;
    u->timer = ca_timer(ca, on_tick, u);
    tick_later(u);
    return u;
}

void
unconfirmed_free(struct unconfirmed *u)
{
    if (u == NULL) {
        return;
    }
    event_free(u->timer);
    mem_free(u);
}
