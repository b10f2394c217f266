/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/front/front.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/http/http.h"
#include "base/http/message/answer.h"
#include "base/http/tls.h"
#include "base/log.h"
#include "base/ossl.h"
#include "ra/daemon/budget.h"
#include "ra/daemon/crowd.h"
#include "ra/front/crl.h"
#include "ra/front/ledger.h"
#include "ra/transaction/transaction.h"

enum {
    DESCRIPTORS_ELSE = 128, /* files, sockets, pipes of our own, administrators' connections */
    ADDRESSES_MAX = 65536,  /* peers whose budget is remembered */
    FULL_RETRY_S = 2,       /* Retry-After when all is in use: a request is gone within sync_wait */
    EXPIRES_SOON_S = 7 * 86400,
};

struct front {
    struct ra *ra;
    struct http_server *http;
    struct tls *tls[SETTINGS_TLS_MAX];
    struct budget *by_address;
    struct budget *by_handshake;
};

/* ---- requests ---- */

static int
charge(struct budget *budget, const struct http_address *address)
{
    return budget_take(budget, span_of(address, sizeof(*address)), clock_monotonic_ms());
}

/* `wait` seconds; in the protocol of the one who asks, if that is cheap enough. */
static void
refuse(struct front *f, struct http_exchange *x, const struct route *route, int wait)
{
    if (route->kind == ROUTE_CMP &&
        budget_take(f->ra->of_refusals, (struct span){0}, clock_monotonic_ms()) == 0) {
        transaction_refuse(f->ra, x, route, wait);
        return;
    }
    http_reply_busy(x, wait, NULL, (struct span){0});
}

/* What goes on with a transaction ends it: it is refused only when everything is in use. */
static int
find_place(struct front *f, const struct http_exchange *x, struct crowd_place *out)
{
    if (f->ra->jobs >= (size_t)f->ra->settings->requests_max) {
        return FULL_RETRY_S;
    }
    if (transaction_goes_on(x)) {
        return 0;
    }
    return crowd_enter(f->ra->beginning, out, clock_monotonic_ms());
}

static void
on_request(struct http_exchange *x, void *arg)
{
    struct front *f = arg;
    const struct settings *s = f->ra->settings;
    int wait = charge(f->by_address, http_exchange_address(x));
    struct route route;
    struct crowd_place place = {0};

    route_find(http_exchange_request(x), s->http.aliases, s->http.n_aliases, &route);
    if (wait == 0 && route.kind == ROUTE_CMP) {
        wait = find_place(f, x, &place);
    }
    if (wait > 0) {
        refuse(f, x, &route, wait);
        return;
    }
    switch (route.kind) {
    case ROUTE_CMP:
        transaction_begin(f->ra, x, &route, place);
        break;
    case ROUTE_CRL:
        crl_serve(f->ra, x, &route);
        break;
    case ROUTE_LEDGER:
        ledger_serve(f->ra, x, &route);
        break;
    case ROUTE_REFUSED:
        log_event(LOG_INFO, "request-refused", "%s: %d: %s: %s", http_exchange_peer(x),
                  route.status, route.why, http_exchange_request(x)->path);
        http_reply_with(x, &(struct http_answer){.status = route.status, .allow = route.allow});
        break;
    }
}

static bool
may_handshake(const struct http_address *address, void *arg)
{
    struct front *f = arg;

    return charge(f->by_handshake, address) == 0;
}

static void
on_handshake_failed(const char *peer, const char *why, void *arg)
{
    (void)arg;
    log_event(LOG_INFO, "handshake-failed", "%s: %s", peer, why);
}

static void
on_short(size_t n, void *arg)
{
    (void)arg;
    log_event(LOG_WARNING, "connections-short",
              "%zu connections without a complete request gave way", n);
}

static void
on_refused(const struct http_address *address, const char *peer, enum http_fault fault, void *arg)
{
    struct front *f = arg;

    /* It counts as a request; a flood of them must not become one of lines. */
    if (charge(f->by_address, address) > 0) {
        return;
    }
    log_event(LOG_INFO, "request-refused", "%s: %d: %s (%s)", peer, http_fault_status(fault),
              http_fault_reason(fault), http_fault_clause(fault));
}

/* ---- TLS ---- */

static void
say_validity(const struct tls *tls, const char *path)
{
    char until[TIME_TEXT_SIZE];
    time_t end = tls_not_after(tls);

    time_format(end, until);
    if (end - clock_now() < EXPIRES_SOON_S) {
        log_event(LOG_WARNING, "tls-expires-soon", "%s ends at %s: renew it, then send SIGHUP",
                  path, until);
    } else {
        log_event(LOG_INFO, "tls-certificate", "%s is shown, until %s", path, until);
    }
}

void
front_reload(struct front *f)
{
    const struct settings_http *s = &f->ra->settings->http;
    struct err e;

    for (size_t i = 0; i < s->n_tls; i++) {
        if (tls_reload(f->tls[i], &e) != 0) {
            log_err(LOG_ERROR, "reload-failed", &e, "the earlier certificate stays in use");
        } else {
            say_validity(f->tls[i], s->tls[i].certificate);
        }
    }
    log_event(LOG_INFO, "reloaded", "%zu TLS listeners; the configuration is read at start only",
              s->n_tls);
}

/* ---- beginning and end ---- */

size_t
front_connections(size_t descriptors)
{
    if (descriptors >= HTTP_CONNECTIONS_MAX + DESCRIPTORS_ELSE) {
        return HTTP_CONNECTIONS_MAX;
    }
    return descriptors > 2 * DESCRIPTORS_ELSE ? descriptors - DESCRIPTORS_ELSE : DESCRIPTORS_ELSE;
}

/* As many descriptors as connections may need, as far as the system lets us. */
static size_t
connections_max(void)
{
    struct rlimit limit;
    const rlim_t wanted = HTTP_CONNECTIONS_MAX + DESCRIPTORS_ELSE;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        abort(); /* there is such a limit */
    }
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    return front_connections(limit.rlim_cur);
}

/* Port 0 is any: the log says which. */
static void
say_listening(const struct front *f, const char *address, const char *how)
{
    int n = (int)(strrchr(address, ':') - address);

    log_event(LOG_INFO, "listening", "%.*s:%u%s", n, address, http_server_port(f->http), how);
}

static int
listen_on(struct front *f, const struct settings_list *addresses,
          enum settings_strictness strictness, const struct tls *tls, struct err *e)
{
    const struct cmp_rules *rules =
        strictness == STRICTNESS_RFC4210 ? &f->ra->old_rules : &f->ra->rules;

    for (size_t i = 0; i < addresses->n; i++) {
        if (http_server_listen(f->http, addresses->items[i], tls, e) != 0) {
            return -1;
        }
        http_server_tag(f->http, rules);
        say_listening(f, addresses->items[i], tls != NULL ? " with TLS" : "");
    }
    return 0;
}

static int
listen_everywhere(struct front *f, struct err *e)
{
    const struct settings *s = f->ra->settings;

    for (size_t i = 0; i < s->http.n_tls; i++) {
        const struct tls_options options = settings_tls_get(&s->http.tls[i]);

        f->tls[i] = tls_new(&options, e);
        if (f->tls[i] == NULL ||
            listen_on(f, &s->http.tls[i].listen, s->http.tls[i].strictness, f->tls[i], e) != 0) {
            return -1;
        }
        say_validity(f->tls[i], options.certificate);
    }
    for (size_t i = 0; i < s->http.n_plain; i++) {
        if (listen_on(f, &s->http.plain[i].listen, s->http.plain[i].strictness, NULL, e) != 0) {
            return -1;
        }
    }
    return listen_on(f, &s->listen, s->strictness, NULL, e);
}

void
front_free(struct front *f)
{
    if (f == NULL) {
        return;
    }
    http_server_free(f->http);
    for (size_t i = 0; i < SETTINGS_TLS_MAX; i++) {
        tls_free(f->tls[i]);
    }
    budget_free(f->by_address);
    budget_free(f->by_handshake);
    mem_free(f);
}

DEFINE_CLEANUP(front_cleanup, struct front, front_free)

struct front *
front_new(struct ra *ra, struct err *e)
{
    CLEANUP(front_cleanup) struct front *f = mem_new(sizeof(*f));
    const struct http_options options = {.handler = on_request,
                                         .may_handshake = may_handshake,
                                         .handshake_failed = on_handshake_failed,
                                         .refused = on_refused,
                                         .ran_short = on_short,
                                         .user = f,
                                         .connections_max = connections_max()};

    f->ra = ra;
    f->by_address = budget_new(&ra->settings->http.by_address, ADDRESSES_MAX);
    f->by_handshake = budget_new(&ra->settings->http.by_handshake, ADDRESSES_MAX);
    f->http = http_server_new(ra->base, &options);
    return listen_everywhere(f, e) == 0 ? TAKE(f) : NULL;
}

unsigned
front_port(const struct front *f)
{
    return http_server_port(f->http);
}

void
front_stop(struct front *f)
{
    http_server_stop_accepting(f->http);
}

bool
front_is_idle(const struct front *f)
{
    return http_server_is_idle(f->http);
}
