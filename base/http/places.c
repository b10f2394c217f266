/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every place is in the list of all; one that waits is also in two lists in the order of waiting,
 * of its peer and of all. `with` counts the peers on which exactly so many wait, so that the most
 * is known without looking at them.
 */
#include "base/http/places.h"

#include <assert.h>

enum { HASH_SIZE = 1024 };

struct http_peer {
    struct http_address address;
    size_t n;
    size_t n_waiting;
    struct http_place_list waiting;
    LIST_ENTRY(http_peer) in_chain;
};
LIST_HEAD(chain, http_peer);

struct http_places {
    size_t max;
    size_t per_address_max;
    uint64_t seed;
    size_t n;
    size_t n_waiting;
    size_t most; /* that wait on one peer */
    size_t *with;
    struct http_place_list all;
    struct http_place_list waiting;
    struct chain peers[HASH_SIZE];
};

struct http_places *
http_places_new(size_t max, size_t per_address_max, uint64_t seed)
{
    struct http_places *p = mem_new(sizeof(*p));

    p->max = max;
    p->per_address_max = per_address_max;
    p->seed = seed;
    p->with = mem_zalloc(max + 1, sizeof(*p->with));
    TAILQ_INIT(&p->all);
    TAILQ_INIT(&p->waiting);
    return p;
}

void
http_places_free(struct http_places *p)
{
    if (p != NULL) {
        assert(p->n == 0);
        mem_free(p->with);
        mem_free(p);
    }
}

/* ---- peers ---- */

static size_t
chain_of(const struct http_places *p, const struct http_address *address)
{
    return http_address_hash(address, p->seed) % HASH_SIZE;
}

static struct http_peer *
find_peer(const struct http_places *p, const struct http_address *address)
{
    struct http_peer *peer;

    LIST_FOREACH(peer, &p->peers[chain_of(p, address)], in_chain)
    {
        if (http_address_is_equal(&peer->address, address)) {
            return peer;
        }
    }
    return NULL;
}

static struct http_peer *
make_peer(struct http_places *p, const struct http_address *address)
{
    struct http_peer *peer = mem_new(sizeof(*peer));

    peer->address = *address;
    TAILQ_INIT(&peer->waiting);
    LIST_INSERT_HEAD(&p->peers[chain_of(p, address)], peer, in_chain);
    return peer;
}

/* From so many that wait on one peer to so many; by one. */
static void
count(struct http_places *p, size_t before, size_t now)
{
    if (before > 0) {
        p->with[before]--;
    }
    if (now > 0) {
        p->with[now]++;
    }
    if (now > p->most || (before == p->most && p->with[before] == 0)) {
        p->most = now;
    }
}

/* ---- places ---- */

void
http_places_wait(struct http_places *p, struct http_place *place)
{
    struct http_peer *peer = place->peer;

    if (place->waits) {
        return;
    }
    place->waits = true;
    TAILQ_INSERT_TAIL(&p->waiting, place, in_waiting);
    TAILQ_INSERT_TAIL(&peer->waiting, place, in_peer);
    p->n_waiting++;
    peer->n_waiting++;
    count(p, peer->n_waiting - 1, peer->n_waiting);
}

void
http_places_busy(struct http_places *p, struct http_place *place)
{
    struct http_peer *peer = place->peer;

    if (!place->waits) {
        return;
    }
    place->waits = false;
    TAILQ_REMOVE(&p->waiting, place, in_waiting);
    TAILQ_REMOVE(&peer->waiting, place, in_peer);
    p->n_waiting--;
    peer->n_waiting--;
    count(p, peer->n_waiting + 1, peer->n_waiting);
}

void
http_places_enter(struct http_places *p, struct http_place *place,
                  const struct http_address *address)
{
    struct http_peer *peer = find_peer(p, address);

    assert(place->peer == NULL && p->n < p->max);
    place->peer = peer != NULL ? peer : make_peer(p, address);
    place->peer->n++;
    p->n++;
    TAILQ_INSERT_TAIL(&p->all, place, in_all);
    http_places_wait(p, place);
}

void
http_places_leave(struct http_places *p, struct http_place *place)
{
    struct http_peer *peer = place->peer;

    http_places_busy(p, place);
    TAILQ_REMOVE(&p->all, place, in_all);
    p->n--;
    if (--peer->n == 0) {
        LIST_REMOVE(peer, in_chain);
        mem_free(peer);
    }
    *place = (struct http_place){0};
}

/* ---- who goes ---- */

/* From `place` on, the first of a peer on which most wait. */
static struct http_place *
of_the_most(const struct http_places *p, struct http_place *place)
{
    while (place != NULL && place->peer->n_waiting < p->most) {
        place = TAILQ_NEXT(place, in_waiting);
    }
    return place;
}

struct http_place *
http_places_oldest(const struct http_places *p)
{
    return of_the_most(p, TAILQ_FIRST(&p->waiting));
}

bool
http_places_admit(const struct http_places *p, const struct http_address *address,
                  struct http_place **leaves)
{
    const struct http_peer *peer = find_peer(p, address);

    *leaves = NULL;
    if (peer != NULL && peer->n >= p->per_address_max) {
        *leaves = TAILQ_FIRST(&peer->waiting);
        return *leaves != NULL;
    }
    if (p->n < p->max) {
        return true;
    }
    *leaves = http_places_oldest(p);
    return *leaves != NULL;
}

struct http_place *
http_places_next(const struct http_places *p, const struct http_place *place)
{
    return place->peer->n >= p->per_address_max ? TAILQ_NEXT(place, in_peer)
                                                : of_the_most(p, TAILQ_NEXT(place, in_waiting));
}

/* ---- all ---- */

size_t
http_places_count(const struct http_places *p)
{
    return p->n;
}

bool
http_places_are_busy(const struct http_places *p)
{
    return p->n >= p->max && p->n_waiting == 0;
}

struct http_place *
http_places_first(const struct http_places *p)
{
    return TAILQ_FIRST(&p->all);
}
