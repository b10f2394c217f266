/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h - the places for connections of one server: who has one, and who gives his up when
 * they run short. Pure: it knows neither sockets nor time.
 *
 * A place waits while there is no complete request on it (a TLS handshake, half a request, a
 * connection between two requests, one that is being closed) and is busy from the request's last
 * octet until its answer is written. One that waits may be taken away; a busy one never.
 *
 *   1. An address that has its share gets no more places; its newcomer takes the place of its own
 *      that has waited longest.
 *   2. When all places are taken, the newcomer gets one of the address on which most wait; of all
 *      addresses on which so many wait, the one that has waited longest.
 *
 * So whoever opens connections without asking anything displaces himself first: an address with few
 * connections loses none while another has more of them idle. Among addresses with one each, which
 * nobody can tell from network functions, the oldest goes before the younger.
 */
#pragma once

#include <sys/queue.h>

#include "base/http/address.h"

struct http_peer;

/* Part of a connection. All zero: it has no place. */
struct http_place {
    struct http_peer *peer;
    bool waits;
    TAILQ_ENTRY(http_place) in_all;
    TAILQ_ENTRY(http_place) in_waiting;
    TAILQ_ENTRY(http_place) in_peer;
};
TAILQ_HEAD(http_place_list, http_place);

struct http_places;
/* When all have left. */
void http_places_free(struct http_places *);
/* `seed`: unforeseeable, for the hash of addresses. */
struct http_places *http_places_new(size_t max, size_t per_address_max, uint64_t seed)
    OWNED(http_places_free);
DEFINE_CLEANUP(http_places_cleanup, struct http_places, http_places_free)

/* May a newcomer of this address stay? If so *leaves is NULL, or whoever has to leave before. */
bool http_places_admit(const struct http_places *, const struct http_address *,
                       struct http_place **leaves);
/* Who comes after `place` when it cannot be taken now; NULL: nobody whom the same rule allows. */
struct http_place *http_places_next(const struct http_places *, const struct http_place *);
/* A newcomer waits, as the youngest. */
void http_places_enter(struct http_places *, struct http_place *, const struct http_address *);
void http_places_leave(struct http_places *, struct http_place *);
/* Busy, or waiting again and then the youngest. */
void http_places_busy(struct http_places *, struct http_place *);
void http_places_wait(struct http_places *, struct http_place *);

/* Whom the second rule would take; NULL: nobody waits. */
struct http_place *http_places_oldest(const struct http_places *);
size_t http_places_count(const struct http_places *);
/* All places are taken, and none of them waits. */
bool http_places_are_busy(const struct http_places *);
/* All, in no order; NULL: none. */
struct http_place *http_places_first(const struct http_places *);
