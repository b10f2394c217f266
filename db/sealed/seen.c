/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing; at least half of the places are free. */
#include "db/sealed/seen.h"

#include "base/mem.h"

enum { ROOM_FIRST = 1024 };

/* Where it is, or belongs. */
static uint64_t *
place_of(const struct seen *s, uint64_t number)
{
    size_t i = (size_t)number & (s->room - 1);

    while (s->numbers[i] != 0 && s->numbers[i] != number) {
        i = (i + 1) & (s->room - 1);
    }
    return &s->numbers[i];
}

bool
seen_has(const struct seen *s, uint64_t number)
{
    return s->n > 0 && *place_of(s, number) == number;
}

static void
grow(struct seen *s)
{
    struct seen larger = {.room = s->room == 0 ? ROOM_FIRST : s->room * 2, .n = s->n};

    larger.numbers = mem_zalloc(larger.room, sizeof(*larger.numbers));
    for (size_t i = 0; i < s->room; i++) {
        if (s->numbers[i] != 0) {
            *place_of(&larger, s->numbers[i]) = s->numbers[i];
        }
    }
    mem_free(s->numbers);
    *s = larger;
}

void
seen_add(struct seen *s, uint64_t number)
{
    uint64_t *place;

    if (s->n >= s->room / 2) {
        grow(s);
    }
    place = place_of(s, number);
    s->n += *place == 0 ? 1 : 0;
    *place = number;
}

void
seen_end(struct seen *s)
{
    mem_free(s->numbers);
    *s = (struct seen){0};
}
