/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/flights.h"

#include <string.h>

static struct flight **
place_of(struct flights *all, const uint8_t *rid)
{
    struct flight **place = &all->buckets[((unsigned)rid[0] << 8 | rid[1]) % FLIGHTS_BUCKETS];

    while (*place != NULL && memcmp((*place)->rid, rid, REQUESTS_RID_SIZE) != 0) {
        place = &(*place)->next;
    }
    return place;
}

static void
remove_at(struct flight **place)
{
    struct flight *f = *place;

    *place = f->next;
    mem_free(f);
}

static bool
is_idle(const struct flight *f)
{
    return !f->on_wire && f->waiter == NULL && !f->withdrawn;
}

void
flights_clear(struct flights *all)
{
    for (size_t i = 0; i < FLIGHTS_BUCKETS; i++) {
        while (all->buckets[i] != NULL) {
            remove_at(&all->buckets[i]);
        }
    }
}

struct flight *
flights_find(struct flights *all, const uint8_t rid[REQUESTS_RID_SIZE])
{
    return *place_of(all, rid);
}

struct flight *
flights_get(struct flights *all, const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct flight **place = place_of(all, rid);

    if (*place == NULL) {
        *place = mem_new(sizeof(**place));
        memcpy((*place)->rid, rid, REQUESTS_RID_SIZE);
    }
    return *place;
}

void
flights_remove(struct flights *all, const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct flight **place = place_of(all, rid);

    if (*place != NULL) {
        remove_at(place);
    }
}

void
flights_remove_if_idle(struct flights *all, const uint8_t rid[REQUESTS_RID_SIZE])
{
    struct flight **place = place_of(all, rid);

    if (*place != NULL && is_idle(*place)) {
        remove_at(place);
    }
}

void
flights_land(struct flights *all)
{
    for (size_t i = 0; i < FLIGHTS_BUCKETS; i++) {
        struct flight **place = &all->buckets[i];

        while (*place != NULL) {
            (*place)->on_wire = false;
            if (is_idle(*place)) {
                remove_at(place);
            } else {
                place = &(*place)->next;
            }
        }
    }
}
