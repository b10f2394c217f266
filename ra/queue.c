/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump reads what has no answer from ra.db, in order, and sends what is not on the wire
 * (flights.h). It runs after each WELCOME, a while after each BUSY, and when the CA is to be asked
 * again about what it keeps WAITING for people: such an entry is as one without an answer, but
 * rests meanwhile. Entries admitted while the pump rests are sent directly: their commit came after
 * its last look, so it has not seen them, and nobody else will.
 */
#include "ra/queue.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "ca/cmp/failure.h"
#include "ca/cmp/queue.h"
#include "ca/link/client.h"
#include "ca/x509/profiles.h"
#include "ra/asks.h"
#include "ra/flights.h"
#include "ra/queue_answer.h"
#include "ra/rewrap.h"

enum { PUMP_MAX = 64, PUMP_PAUSE_MS = 200, WRAP_PAUSE_S = 1 };

struct pump {
    struct store_op op;
    struct queue *queue;
    uint64_t after;
    struct requests_entry entries[PUMP_MAX];
    size_t n;
    bool running;
    bool again;      /* from the beginning, when this run is over */
    bool everything; /* also what the CA keeps waiting */
    bool everything_again;
};

struct queue {
    struct queue_options options;
    struct ra *ra;
    struct link_client *link;
    struct flights flights;
    struct asks asks;
    struct pump pump;
    struct event *retry;
    struct event *asking; /* the CA about what it keeps waiting */
    bool was_up;
    bool wrong_ca;                      /* its certificates are not those of our configuration */
    bool is_down;                       /* and that was logged */
    char deferred[LINK_PHRASE_MAX + 1]; /* why, as logged last */
};

/* ---- sending ---- */

/* May be sent to. A CA that is not ours gets nothing: requests wait for the right one. */
static bool
is_usable(const struct queue *q)
{
    return !q->wrong_ca && link_client_is_up(q->link);
}

static void
pump_later(struct queue *q)
{
    const struct timeval pause = {.tv_usec = PUMP_PAUSE_MS * 1000};

    if (!evtimer_pending(q->retry, NULL)) {
        (void)event_add(q->retry, &pause);
    }
}

static void ask_later(struct queue *q, int seconds);
static bool send_entry(struct queue *q, const struct requests_entry *entry, struct span nested);

static void
on_rewrapped(void *arg, const struct requests_entry *entry, struct span nested)
{
    struct queue *q = arg;
    struct flight *f = flights_find(&q->flights, entry->rid);

    if (f != NULL) {
        f->on_wire = false;
        flights_remove_if_idle(&q->flights, entry->rid);
    }
    if (nested.n == 0) {
        ask_later(q, WRAP_PAUSE_S);
    } else if (is_usable(q) && !send_entry(q, entry, nested)) {
        pump_later(q);
    }
}

/* Under way, as it were on the wire. False when no more can be now. */
static bool
wrap_entry(struct queue *q, struct flight *f, const struct requests_entry *entry,
           struct span nested)
{
    f->on_wire = rewrap_begin(q->ra, entry, nested, on_rewrapped, q);
    if (!f->on_wire) {
        flights_remove_if_idle(&q->flights, entry->rid);
        return false;
    }
    return true;
}

/* False when the link takes no more now. */
static bool
send_entry(struct queue *q, const struct requests_entry *entry, struct span nested)
{
    struct flight *f = flights_get(&q->flights, entry->rid);
    const struct link_message m = {
        .type = LINK_SUBMIT,
        .id = span_of(entry->rid, sizeof(entry->rid)),
        .sequence = entry->sequence,
        .previous = span_of(entry->previous, sizeof(entry->previous)),
        .body = nested,
    };
    struct err e;

    if (f->on_wire) {
        return true;
    }
    if (entry->untimely || rewrap_is_needed(q->ra, nested)) {
        return wrap_entry(q, f, entry, nested);
    }
    if (link_client_send(q->link, &m, &e) == 0) {
        f->on_wire = true;
        return true;
    }
    flights_remove_if_idle(&q->flights, entry->rid);
    if (e.code == ERR_BUSY) {
        return false;
    }
    log_err(LOG_ERROR, "submit-failed", &e, "queue entry %llu",
            (unsigned long long)entry->sequence);
    return true;
}

static void
pump_visit(void *arg, const struct requests_entry *entry)
{
    struct pump *p = arg;
    struct requests_entry *copy = &p->entries[p->n++];
    struct err e;

    *copy = *entry;
    copy->nested = BUF_INIT(CMP_NESTED_MAX);
    if (buf_set(&copy->nested, buf_span(&entry->nested), &e) != 0) {
        p->n--; /* longer than anything that was admitted: damaged, and the chain check says so */
    }
}

static int
pump_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct pump *p = CONTAINER_OF(op, struct pump, op);

    p->n = 0;
    return requests_open_each(db, p->after, p->everything ? INT64_MAX : clock_now(), PUMP_MAX,
                              pump_visit, p, e);
}

static void pump_done(struct task *task);

static void
pump_step(struct pump *p)
{
    p->running = true;
    p->op = (struct store_op){.task.done = pump_done, .run = pump_run};
    store_submit(p->queue->ra->store, &p->op);
}

static void
pump_start(struct queue *q, bool everything)
{
    if (!is_usable(q)) {
        return;
    }
    if (q->pump.running) {
        q->pump.again = true;
        q->pump.everything_again = q->pump.everything_again || everything;
        return;
    }
    q->pump.everything = everything;
    q->pump.after = 0;
    pump_step(&q->pump);
}

static void
pump_done(struct task *task)
{
    struct pump *p = CONTAINER_OF(task, struct pump, op.task);
    struct queue *q = p->queue;
    bool more = p->n == PUMP_MAX;
    bool room = true;

    p->running = false;
    if (p->op.result != 0) {
        ra_fail(q->ra, &p->op.e);
        more = false;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (room && is_usable(q)) {
            room = send_entry(q, &p->entries[i], buf_span(&p->entries[i].nested));
        }
        p->after = p->entries[i].sequence;
        requests_entry_clear(&p->entries[i]);
    }
    p->n = 0;
    if (!room) {
        pump_later(q);
    } else if (more && is_usable(q)) {
        pump_step(p);
        return;
    }
    if (p->again) {
        bool everything = p->everything_again;

        p->again = false;
        p->everything_again = false;
        pump_start(q, everything);
    }
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pump_start(arg, false);
}

/* What the CA keeps waiting comes to its end unasked; this is for an answer that got lost. */
static void
ask_later(struct queue *q, int seconds)
{
    const struct timeval pause = {.tv_sec = seconds};

    if (!evtimer_pending(q->asking, NULL)) {
        (void)event_add(q->asking, &pause);
    }
}

void
queue_admitted(struct queue *q, const struct requests_entry *entry, struct span nested,
               flight_waiter *waiter, void *arg)
{
    struct flight *f = flights_get(&q->flights, entry->rid);

    f->waiter = waiter;
    f->arg = arg;
    if (is_usable(q) && !q->pump.running && !send_entry(q, entry, nested)) {
        pump_later(q);
    }
}

void
queue_forget(struct queue *q, const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct flight *f = flights_find(&q->flights, rid);

    if (f != NULL) {
        f->waiter = NULL;
        flights_remove_if_idle(&q->flights, rid);
    }
}

bool
queue_is_up(const struct queue *q)
{
    return is_usable(q);
}

/* ---- answers ---- */

static void
on_stored(void *arg, const struct queue_answer *a)
{
    struct queue *q = arg;
    struct flight *f = flights_find(&q->flights, a->rid);

    if (a->op.result != 0 && a->op.e.code == ERR_STORE) {
        ra_fail(q->ra, &a->op.e);
    } else if (a->op.result != 0) {
        log_err(LOG_ERROR, "answer-refused", &a->op.e, "%s from the CA", link_type_name(a->type));
    } else if (a->type == LINK_REFUSED && (f == NULL || f->waiter == NULL)) {
        log_event(LOG_WARNING, "refused-later", "nobody waits any more, and the CA says: %s",
                  a->phrase);
    }
    if (a->type == LINK_WAITING || a->type == LINK_DEFERRED) {
        ask_later(q, a->check_after);
    }
    if (f != NULL && a->type == LINK_DEFERRED) {
        f->on_wire = false; /* who waits waits on */
        flights_remove_if_idle(&q->flights, a->rid);
    } else if (f != NULL) {
        flight_waiter *waiter = f->waiter;
        void *waiting = f->arg;

        flights_remove(&q->flights, a->rid);
        if (waiter != NULL && a->op.result == 0 && a->found) {
            waiter(waiting, &a->enrolment);
        }
    }
}

/* Not the network function's fault: it hears nothing of it. */
static void
deferred(struct queue *q, const struct link_message *m)
{
    if (m->fail_info == CMP_SIGNER_NOT_TRUSTED) {
        own_certificate_refused(q->ra, m->phrase);
    } else if (!span_equal(m->phrase, span_str(q->deferred))) {
        (void)snprintf(q->deferred, sizeof(q->deferred), "%.*s", (int)m->phrase.n,
                       (const char *)m->phrase.p);
        log_event(LOG_ERROR, "deferred", "the CA decides nothing (%s): %s",
                  cmp_failure_name((enum cmp_failure)m->fail_info), q->deferred);
    }
    queue_answer_store(q->ra->store, m, on_stored, q);
}

/* It took what we signed. */
static void
taken(struct queue *q, const struct link_message *m)
{
    const struct flight *f = flights_find(&q->flights, m->id.p);

    if (f != NULL && f->on_wire) {
        own_certificate_taken(q->ra);
        q->deferred[0] = '\0';
    }
    queue_answer_store(q->ra->store, m, on_stored, q);
}

static void
on_message(void *arg, const struct link_message *m)
{
    struct queue *q = arg;
    struct flight *f;

    if (asks_answer(&q->asks, m)) {
        return;
    }
    if (m->id.n != REQUESTS_RID_SIZE) {
        log_event(LOG_WARNING, "answer-unknown", "%s without a question", link_type_name(m->type));
        return;
    }
    switch (m->type) {
    case LINK_ISSUED:
    case LINK_CONFIRMED:
    case LINK_REVOKED:
    case LINK_REFUSED:
    case LINK_WAITING:
        taken(q, m);
        break;
    case LINK_DEFERRED:
        deferred(q, m);
        break;
    case LINK_BUSY:
        f = flights_find(&q->flights, m->id.p);
        if (f != NULL) {
            f->on_wire = false;
            flights_remove_if_idle(&q->flights, m->id.p);
        }
        pump_later(q);
        break;
    case LINK_HELLO:
    case LINK_SUBMIT:
    case LINK_REGISTER:
    case LINK_CANCEL:
    case LINK_ROLE:
    case LINK_WELCOME:
    case LINK_REGISTERED:
    case LINK_CANCELLED:
    case LINK_ROLE_IS:
        log_event(LOG_WARNING, "answer-unknown", "%s without a question", link_type_name(m->type));
        break;
    }
}

/* The CA decides by its own; what is refused here or there only puzzles people. */
static void
check_profiles(const struct queue *q, const struct link_message *welcome)
{
    uint8_t hash[SHA256_SIZE];
    struct err e;

    if (welcome->id.n > 0 && profiles_hash(q->ra->settings->profiles, hash, &e) == 0 &&
        !span_equal(welcome->id, span_of(hash, sizeof(hash)))) {
        log_event(LOG_ERROR, "profiles-differ",
                  "the CA has another file of profiles: give both the same (option profiles of "
                  "nfpki-ca.conf and nfpki-ra.conf)");
    }
}

/* A clock that is further behind would find its new certificate not yet valid. */
static void
check_backdate(const struct queue *q, const struct link_message *welcome)
{
    struct ra *ra = q->ra;
    const int window = ra->settings->message_time_window;

    ra->behind_s = window;
    if (welcome->backdate > 0 && welcome->backdate < (uint32_t)window) {
        ra->behind_s = (int)welcome->backdate;
        log_event(LOG_WARNING, "backdate-short",
                  "the CA's certificates begin %d s before they are made, less than "
                  "message_time_window: messages that are more than %d s behind are refused",
                  ra->behind_s, ra->behind_s);
    }
}

static void
on_up(void *arg, const struct link_message *welcome)
{
    struct queue *q = arg;
    const struct credentials *c = &q->ra->credentials;

    if (!span_equal(welcome->body, buf_span(&c->issuing_der)) ||
        !span_equal(welcome->root, buf_span(&c->root_der))) {
        q->wrong_ca = true;
        log_event(LOG_ERROR, "wrong-ca",
                  "the CA has another issuing or root certificate than our configuration: compare "
                  "issuing_certificate and root_certificate with the CA's");
        return;
    }
    if (welcome->software && !q->was_up) {
        log_event(LOG_WARNING, "software-token", "the CA's key is in software: for tests only");
    }
    check_profiles(q, welcome);
    check_backdate(q, welcome);
    log_event(LOG_INFO, "link-up", "connected with the CA");
    q->was_up = true;
    q->wrong_ca = false;
    q->is_down = false;
    pump_start(q, true); /* the CA tells the end of what waits to whom it has from */
    q->options.up(q->options.arg);
}

static void
on_down(void *arg, const struct err *why)
{
    struct queue *q = arg;

    if (!q->is_down) {
        log_err(LOG_WARNING, "link-down", why, "requests are queued and answered \"waiting\"");
    }
    q->is_down = true; /* the tries that follow say nothing new */
    flights_land(&q->flights);
    asks_give_up(&q->asks);
}

int
queue_ask(struct queue *q, const struct link_message *m, ask_reply *reply, void *arg, struct err *e)
{
    struct ask *ask = asks_place(&q->asks, m->id, e);

    if (ask == NULL) {
        return -1;
    }
    if (q->wrong_ca) {
        return err_set(e, ERR_DENIED, "the CA at link_socket is not the configured one");
    }
    if (link_client_send(q->link, m, e) != 0) {
        return err_wrap(e, "link to the CA");
    }
    ask_put(ask, m->id, reply, arg);
    return 0;
}

/* ---- life ---- */

struct queue *
queue_new(const struct queue_options *options, struct err *e)
{
    CLEANUP(queue_cleanup) struct queue *q = mem_zalloc(1, sizeof(*q));
    const struct link_client_options link = {
        .base = options->ra->base,
        .path = options->ra->settings->link,
        .server_uid = (uid_t)-1,
        .up = on_up,
        .message = on_message,
        .down = on_down,
        .arg = q,
    };

    q->options = *options;
    q->ra = options->ra;
    q->pump.queue = q;
    q->retry = evtimer_new(q->ra->base, on_retry, q);
    q->asking = evtimer_new(q->ra->base, on_retry, q);
    if (q->retry == NULL || q->asking == NULL) {
        abort(); /* out of memory */
    }
    q->link = link_client_new(&link, e);
    return q->link == NULL ? NULL : TAKE(q);
}

void
queue_free(struct queue *q)
{
    if (q == NULL) {
        return;
    }
    link_client_free(q->link);
    if (q->retry != NULL) {
        event_free(q->retry);
    }
    if (q->asking != NULL) {
        event_free(q->asking);
    }
    flights_clear(&q->flights);
    for (size_t i = 0; i < PUMP_MAX; i++) {
        requests_entry_clear(&q->pump.entries[i]);
    }
    mem_free(q);
}
