/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/connections.h"

#include "base/http/connection.h"
#include "base/ossl.h"
#include "base/pool.h"

/* Connections that are spared because octets of theirs were not read yet. */
enum { PASSED_OVER_MAX = 8 };

static struct http_exchange *
exchange_at(struct http_place *place)
{
    return place == NULL ? NULL : CONTAINER_OF(place, struct http_exchange, place);
}

/* ---- who gives way ---- */

bool
http_connections_may_tell(int64_t told_at, int64_t now)
{
    return told_at == 0 || now - told_at >= HTTP_SHORT_INTERVAL_MS;
}

static void
report_shortage(struct http_connections *all)
{
    int64_t now = clock_monotonic_ms();

    all->n_gave_way++;
    if (!http_connections_may_tell(all->told_at, now)) {
        return;
    }
    all->told_at = now;
    if (all->options.ran_short != NULL) {
        all->options.ran_short(all->n_gave_way, all->options.user);
    }
    all->n_gave_way = 0;
}

static void
take_place_of(struct http_connections *all, struct http_place *first)
{
    struct http_exchange *x = exchange_at(first);

    for (int i = 0; i < PASSED_OVER_MAX && x != NULL && http_connection_has_unread(x); i++) {
        x = exchange_at(http_places_next(all->places, &x->place));
    }
    if (x == NULL || http_connection_has_unread(x)) {
        x = exchange_at(first);
    }
    http_connection_drop(x);
    report_shortage(all);
}

bool
http_connections_admit(const struct http_connections *all, const struct http_address *address)
{
    struct http_place *leaves;

    return http_places_admit(all->places, address, &leaves);
}

bool
http_connections_shed(struct http_connections *all)
{
    struct http_place *oldest = http_places_oldest(all->places);

    if (oldest != NULL) {
        take_place_of(all, oldest);
    }
    return oldest != NULL;
}

/* ---- beginning and end ---- */

void
http_connections_open(struct http_connections *all, evutil_socket_t fd, const struct sockaddr *peer,
                      SSL *ssl, const void *tag)
{
    struct http_address address = http_address_of(peer);
    struct http_place *leaves;

    if (http_places_admit(all->places, &address, &leaves) && leaves != NULL) {
        take_place_of(all, leaves);
    }
    http_connection_open(all, fd, peer, ssl, tag);
}

void
http_connections_stop(struct http_connections *all)
{
    struct http_place *next;

    all->stopped = true;
    for (struct http_place *p = http_places_first(all->places); p != NULL; p = next) {
        next = TAILQ_NEXT(p, in_all);
        http_connection_stop(exchange_at(p));
    }
}

void
http_connections_clear(struct http_connections *all)
{
    struct http_place *place;

    all->stopped = true;
    while ((place = http_places_first(all->places)) != NULL) {
        http_connection_drop(exchange_at(place));
    }
}

bool
http_connections_is_idle(const struct http_connections *all)
{
    for (struct http_place *p = http_places_first(all->places); p != NULL;
         p = TAILQ_NEXT(p, in_all)) {
        if (exchange_at(p)->state != LINGERING) {
            return false;
        }
    }
    return true;
}
