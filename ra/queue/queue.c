/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/queue.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/cmp/message/failure.h"
#include "ca/x509/profile/profiles.h"
#include "ra/queue/answer.h"
#include "ra/queue/ca_log.h"
#include "ra/queue/pump.h"

enum { REST_MS = 100 };

struct queue {
    struct queue_options options;
    struct ra *ra;
    struct link_client *link;
    struct flights flights;
    struct asks asks;
    struct ca_log *log;
    struct queue_answers answers;
    struct event *rest; /* they are stored then, whatever else is */
    struct pump *pump;  /* held while the CA's certificates or its log are not ours */
    struct queue_link state;
    bool was_up;
    bool is_down;                       /* and that was logged */
    char deferred[LINK_PHRASE_MAX + 1]; /* why, as logged last */
};

/* ---- who waits ---- */

void
queue_admitted(struct queue *q, const struct queue_item *item, flight_waiter *waiter, void *arg)
{
    struct flight *f = flights_get(&q->flights, item->rid);

    f->waiter = waiter;
    f->arg = arg;
    f->confirm_wait = item->confirm_wait;
    f->stands = item->stands;
    pump_admitted(q->pump, item);
}

void
queue_left(struct queue *q, const struct err *why)
{
    pump_left(q->pump, why);
}

bool
queue_withdraw(struct queue *q, const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct flight *f = flights_get(&q->flights, rid);

    f->withdrawn = !f->on_wire;
    return f->withdrawn;
}

void
queue_withdrawn(struct queue *q, const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct flight *f = flights_find(&q->flights, rid);

    if (f != NULL) {
        f->withdrawn = false;
        flights_remove_if_idle(&q->flights, rid);
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
    return pump_is_usable(q->pump);
}

struct queue_link
queue_link(const struct queue *q)
{
    return q->state;
}

static void
link_is(struct queue *q, const char *state)
{
    if (q->state.state == NULL || strcmp(q->state.state, state) != 0) {
        q->state = (struct queue_link){.state = state, .since = clock_now()};
    }
}

bool
queue_is_busy(const struct queue *q)
{
    return q->answers.resting != NULL || pump_is_running(q->pump) || ca_log_is_busy(q->log);
}

/* ---- answers ---- */

static void
on_stored(void *arg, const struct queue_answer *a)
{
    struct queue *q = arg;
    struct flight *f = flights_find(&q->flights, a->rid);

    if (a->result != 0 && ra_store_is_lost(&a->e)) {
        ra_fail(q->ra, &a->e);
    } else if (a->result != 0) {
        log_err(LOG_ERROR, "answer-refused", &a->e, "%s from the CA", link_type_name(a->type));
    } else if (a->type == LINK_REFUSED && (f == NULL || f->waiter == NULL)) {
        log_event(LOG_WARNING, "refused-later", "nobody waits any more, and the CA says: %s",
                  a->phrase);
    }
    if (a->type == LINK_WAITING || a->type == LINK_DEFERRED) {
        pump_ask_later(q->pump, a->check_after);
    }
    if (f != NULL && a->type == LINK_DEFERRED) {
        f->on_wire = false; /* who waits waits on */
        flights_remove_if_idle(&q->flights, a->rid);
    } else if (f != NULL) {
        flight_waiter *waiter = f->waiter;
        void *waiting = f->arg;

        flights_remove(&q->flights, a->rid);
        if (waiter != NULL && a->result == 0 && a->found) {
            waiter(waiting, &a->asked.enrolment);
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
    queue_answers_add(&q->answers, m, flights_find(&q->flights, m->id.p));
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
    queue_answers_add(&q->answers, m, f);
}

static void
hold(struct queue *q)
{
    pump_hold(q->pump, true);
    link_is(q, "held");
}

/* What it sent before was answered by the same state, or by none: it gets nothing more. */
static void
hold_stale(struct queue *q, const struct err *why)
{
    hold(q);
    log_err(LOG_ERROR, why->code == ERR_STALE ? "stale-ca" : "wrong-log", why,
            "the CA gets nothing, see nfpki-ra(8)");
}

static void
on_message(void *arg, const struct link_message *m)
{
    struct queue *q = arg;
    struct flight *f;
    struct err e = {0};

    if (m->type == LINK_CHECKPOINT) {
        if (!pump_is_held(q->pump) &&
            ca_log_show(q->log, span_of(NULL, 0), m->checkpoint, &e) != 0) {
            hold_stale(q, &e);
        }
        return;
    }
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
        pump_later(q->pump);
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
    case LINK_REPORT:
    case LINK_REPORTED:
    case LINK_CHECKPOINT:
        log_event(LOG_WARNING, "answer-unknown", "%s without a question", link_type_name(m->type));
        break;
    }
}

/* Who is told already what an answer says does not wait until it is stored. */
static void
tell_early(struct queue *q)
{
    for (const struct queue_answer *a = q->answers.first; a != NULL; a = a->next) {
        struct flight *f = flights_find(&q->flights, a->rid);

        if (a->type == LINK_CONFIRMED && f != NULL && f->waiter != NULL && f->stands) {
            flight_waiter *waiter = f->waiter;

            f->waiter = NULL;
            waiter(f->arg, NULL);
        }
    }
}

static void
on_taken_in(void *arg)
{
    struct queue *q = arg;
    const struct timeval soon = {.tv_usec = (suseconds_t)REST_MS * 1000};

    tell_early(q);
    queue_answers_store(&q->answers);
    if (q->answers.resting != NULL && !evtimer_pending(q->rest, NULL)) {
        (void)event_add(q->rest, &soon);
    }
}

static void
on_rest(evutil_socket_t fd, short what, void *arg)
{
    struct queue *q = arg;

    (void)fd;
    (void)what;
    store_hurry(q->ra->store);
}

bool
queue_is_confirmed(const struct queue *q, int64_t enrolment)
{
    return queue_answers_confirmed(&q->answers, enrolment);
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
    struct err e = {0};

    if (!span_equal(welcome->body, buf_span(&c->issuing_der)) ||
        !span_equal(welcome->root, buf_span(&c->root_der))) {
        hold(q);
        log_event(LOG_ERROR, "wrong-ca",
                  "the CA has another issuing or root certificate than our configuration: compare "
                  "issuing_certificate and root_certificate with the CA's");
        return;
    }
    if (ca_log_show(q->log, welcome->log_key, welcome->checkpoint, &e) != 0) {
        hold_stale(q, &e);
        return;
    }
    if (welcome->software && !q->was_up) {
        log_event(LOG_WARNING, "software-token", "the CA's key is in software: for tests only");
    }
    check_profiles(q, welcome);
    check_backdate(q, welcome);
    log_event(LOG_INFO, "link-up", "connected with the CA");
    q->was_up = true;
    pump_hold(q->pump, false);
    link_is(q, "up");
    q->is_down = false;
    pump_start(q->pump, true); /* the CA tells the end of what waits to whom it has from */
    q->options.up(q->options.arg);
}

static struct span
on_connected(void *arg)
{
    const struct queue *q = arg;

    return ca_log_remembered(q->log);
}

static void
on_down(void *arg, const struct err *why)
{
    struct queue *q = arg;

    if (!q->is_down) {
        log_err(LOG_WARNING, "link-down", why, "requests are queued and answered \"waiting\"");
    }
    q->is_down = true; /* the tries that follow say nothing new */
    link_is(q, "down");
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
    if (pump_is_held(q->pump)) {
        return err_set(e, ERR_DENIED,
                       "the CA at link_socket is not the configured one, or an older copy");
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
    CLEANUP(queue_cleanup) struct queue *q = mem_new(sizeof(*q));
    const struct link_client_options link = {
        .base = options->ra->base,
        .path = options->ra->settings->link,
        .server_uid = (uid_t)-1,
        .remembered = on_connected,
        .up = on_up,
        .message = on_message,
        .taken_in = on_taken_in,
        .down = on_down,
        .arg = q,
    };

    q->options = *options;
    q->ra = options->ra;
    q->answers = (struct queue_answers){.store = q->ra->store, .stored = on_stored, .arg = q};
    link_is(q, "down");
    q->rest = evtimer_new(q->ra->base, on_rest, q);
    if (q->rest == NULL) {
        abort(); /* out of memory */
    }
    q->log = ca_log_new(q->ra, e);
    if (q->log == NULL) {
        return NULL;
    }
    q->link = link_client_new(&link, e);
    if (q->link == NULL) {
        return NULL;
    }
    q->pump = pump_new(q->ra, q->link, &q->flights);
    return TAKE(q);
}

void
queue_free(struct queue *q)
{
    if (q == NULL) {
        return;
    }
    link_client_free(q->link);
    pump_free(q->pump);
    queue_answers_clear(&q->answers);
    event_free(q->rest);
    ca_log_free(q->log);
    flights_clear(&q->flights);
    mem_free(q);
}
