/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/schedule.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/ossl.h"

struct due {
    int64_t at_ms;
    size_t which;
};

struct schedule {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t start_ms;
    unsigned rate;
    size_t count;
    size_t begun; /* of 0 to count - 1, the first time */
    size_t ended;
    struct due *heap; /* those that come again, the earliest first */
    size_t n;
};

void
schedule_free(struct schedule *s)
{
    if (s != NULL) {
        (void)pthread_mutex_destroy(&s->lock);
        (void)pthread_cond_destroy(&s->changed);
        mem_free(s->heap);
        mem_free(s);
    }
}

struct schedule *
schedule_new(size_t count, unsigned rate)
{
    struct schedule *s = mem_new(sizeof(*s));

    if (pthread_mutex_init(&s->lock, NULL) != 0 || pthread_cond_init(&s->changed, NULL) != 0) {
        abort();
    }
    s->start_ms = clock_monotonic_ms();
    s->rate = rate;
    s->count = count;
    s->heap = mem_zalloc(count + 1, sizeof(*s->heap));
    return s;
}

static void
push(struct schedule *s, struct due d)
{
    size_t i = s->n++;

    for (; i > 0 && s->heap[(i - 1) / 2].at_ms > d.at_ms; i = (i - 1) / 2) {
        s->heap[i] = s->heap[(i - 1) / 2];
    }
    s->heap[i] = d;
}

static struct due
pop(struct schedule *s)
{
    const struct due first = s->heap[0];
    const struct due last = s->heap[--s->n];
    size_t i = 0;

    for (size_t child; (child = 2 * i + 1) < s->n; i = child) {
        child += child + 1 < s->n && s->heap[child + 1].at_ms < s->heap[child].at_ms;
        if (s->heap[child].at_ms >= last.at_ms) {
            break;
        }
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = last;
    return first;
}

static bool
next(struct schedule *s, struct due *out)
{
    const struct due fresh = {
        .at_ms = s->rate == 0 ? s->start_ms : s->start_ms + (int64_t)(s->begun * 1000 / s->rate),
        .which = s->begun,
    };

    if (s->begun < s->count && (s->n == 0 || fresh.at_ms <= s->heap[0].at_ms)) {
        s->begun++;
        *out = fresh;
        return true;
    }
    if (s->n > 0) {
        *out = pop(s);
        return true;
    }
    return false;
}

static void
sleep_until(int64_t at_ms)
{
    const int64_t ms = at_ms - clock_monotonic_ms();
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    if (ms > 0) {
        (void)nanosleep(&t, NULL);
    }
}

bool
schedule_take(struct schedule *s, size_t *which, int64_t *due_ms)
{
    struct due d;
    bool some;

    (void)pthread_mutex_lock(&s->lock);
    while (!(some = next(s, &d)) && s->ended < s->count) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (some) {
        sleep_until(d.at_ms);
        *which = d.which;
        *due_ms = d.at_ms;
    }
    return some;
}

void
schedule_again(struct schedule *s, size_t which, int64_t wait_ms)
{
    (void)pthread_mutex_lock(&s->lock);
    push(s, (struct due){clock_monotonic_ms() + wait_ms, which});
    (void)pthread_cond_signal(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

void
schedule_ended(struct schedule *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->ended++;
    if (s->ended == s->count) {
        (void)pthread_cond_broadcast(&s->changed);
    }
    (void)pthread_mutex_unlock(&s->lock);
}
