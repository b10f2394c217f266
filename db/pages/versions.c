/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/versions.h"

#include <string.h>

void
versions_clear(struct versions *versions)
{
    for (size_t i = 0; i < VERSIONS_SETS; i++) {
        for (size_t k = 0; k < VERSIONS_WAYS; k++) {
            mem_free(versions->of[i][k].octets);
        }
    }
    *versions = (struct versions){0};
}

const uint8_t *
versions_find(const struct versions *versions, uint64_t page, size_t frame)
{
    const struct version *set = versions->of[page % VERSIONS_SETS];

    for (size_t i = 0; i < VERSIONS_WAYS; i++) {
        if (set[i].frame == frame && set[i].page == page) {
            return set[i].octets;
        }
    }
    return NULL;
}

/* The page's own, or the oldest. */
static struct version *
place_for(struct versions *versions, uint64_t page)
{
    struct version *set = versions->of[page % VERSIONS_SETS];
    struct version *oldest = set;

    for (size_t i = 0; i < VERSIONS_WAYS; i++) {
        if (set[i].frame != 0 && set[i].page == page) {
            return &set[i];
        }
        oldest = set[i].frame < oldest->frame ? &set[i] : oldest;
    }
    return oldest;
}

void
versions_put(struct versions *versions, uint64_t page, size_t frame, const uint8_t *octets,
             size_t size)
{
    struct version *place = place_for(versions, page);

    if (place->octets == NULL) {
        place->octets = mem_zalloc(size, 1);
    }
    memcpy(place->octets, octets, size);
    place->page = page;
    place->frame = frame;
}

void
versions_cut(struct versions *versions, size_t frames)
{
    for (size_t i = 0; i < VERSIONS_SETS; i++) {
        for (size_t k = 0; k < VERSIONS_WAYS; k++) {
            struct version *v = &versions->of[i][k];

            v->frame = v->frame > frames ? 0 : v->frame;
        }
    }
}
