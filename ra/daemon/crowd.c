/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/crowd.h"

#include <assert.h>

enum { SECOND = 1000, LEAST_PART = 8, PRESUMED_PART = 4 };

struct crowd {
    size_t max;
    size_t least;
    int64_t patience_ms;
    size_t places; /* as it is now */
    size_t inside;
    int64_t turn_us; /* when the last one who was refused may come */
    /* Of about a second: */
    int64_t begun_ms;
    size_t served;
    int64_t longest_ms;
    size_t rate; /* of the one before: served a second */
};

void
crowd_free(struct crowd *c)
{
    mem_free(c);
}

struct crowd *
crowd_new(size_t max, int patience_ms)
{
    struct crowd *c = mem_new(sizeof(*c));

    *c = (struct crowd){.max = max,
                        .least = (max + LEAST_PART - 1) / LEAST_PART,
                        .patience_ms = patience_ms < CROWD_STAY ? CROWD_STAY : patience_ms,
                        .places = max};
    return c;
}

static void
turn_over(struct crowd *c, int64_t now_ms)
{
    const int64_t ms = now_ms - c->begun_ms;

    if (ms < SECOND) {
        return;
    }
    c->rate = c->served * SECOND / (size_t)ms;
    c->places *= 2;
    if (c->longest_ms > CROWD_STAY) {
        c->places = c->rate * CROWD_STAY / SECOND;
    }
    if (c->places < c->least) {
        c->places = c->least;
    }
    if (c->places > c->max || c->inside == 0) { /* nobody: there is no crowd */
        c->places = c->max;
    }
    c->begun_ms = now_ms;
    c->served = 0;
    c->longest_ms = 0;
}

/* What was served in a second in which few came says little. */
static int
wait_for_turn(struct crowd *c, int64_t now_ms)
{
    const int64_t now_us = now_ms * SECOND;
    const int64_t most_us = (int64_t)(CROWD_WAIT_MAX - 1) * SECOND * SECOND;
    const size_t presumed = (c->max + PRESUMED_PART - 1) / PRESUMED_PART;
    const size_t rate = c->rate < presumed ? presumed : c->rate;

    if (c->turn_us < now_us) {
        c->turn_us = now_us;
    }
    if (c->turn_us - now_us < most_us) {
        c->turn_us += (int64_t)SECOND * SECOND / (int64_t)rate;
    }
    return (int)((c->turn_us - now_us) / (SECOND * SECOND)) + 1;
}

int
crowd_enter(struct crowd *c, struct crowd_place *place, int64_t now_ms)
{
    turn_over(c, now_ms);
    if (c->inside >= c->places) {
        return wait_for_turn(c, now_ms);
    }
    c->inside++;
    *place = (struct crowd_place){.since_ms = now_ms, .taken = true};
    return 0;
}

void
crowd_leave(struct crowd *c, struct crowd_place *place, bool telling, int64_t now_ms)
{
    const int64_t ms = now_ms - place->since_ms;

    if (!place->taken) {
        return;
    }
    assert(c->inside > 0);
    c->inside--;
    place->taken = false;
    if (telling) {
        c->served += ms < c->patience_ms;
        c->longest_ms = ms > c->longest_ms ? ms : c->longest_ms;
    }
    turn_over(c, now_ms);
}
