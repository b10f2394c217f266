/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/lane_pace.h"

#include <stdlib.h>
#include <time.h>

#include "ca/cmp/protection/mac.h"

enum {
    MEASURE_STEPS = 1000,
    MEASURE_TIMES = 5,
    MARGIN = 4, /* a quarter */
    RAISED_MS = 10 * 60 * 1000,
    NS_IN_S = 1000000000,
    PS_IN_NS = 1000,
};

int64_t
lane_pace_cpu_ns(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (int64_t)t.tv_sec * NS_IN_S + t.tv_nsec
                                                           : 0;
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t
with_margin(int64_t ps)
{
    return ps + ps / MARGIN;
}

int
lane_pace_measure(struct lane_pace *pace, unsigned kind, struct err *e)
{
    const struct cmp_mac_work work = {.kind = kind, .steps = MEASURE_STEPS};
    int64_t took[MEASURE_TIMES];

    for (size_t i = 0; i < MEASURE_TIMES; i++) {
        int64_t before = lane_pace_cpu_ns();

        if (cmp_mac_work_do(&work, e) != 0) {
            return -1;
        }
        took[i] = lane_pace_cpu_ns() - before;
    }
    qsort(took, MEASURE_TIMES, sizeof(took[0]), compare);
    *pace = (struct lane_pace){.measured_ps =
                                   took[MEASURE_TIMES / 2] * PS_IN_NS / MEASURE_STEPS + MARGIN};
    pace->foreseen_ps = with_margin(pace->measured_ps);
    return 0;
}

int64_t
lane_pace_ns(const struct lane_pace *pace, uint64_t steps)
{
    return (int64_t)steps * pace->foreseen_ps / PS_IN_NS;
}

void
lane_pace_raise(struct lane_pace *pace, int64_t now_ms)
{
    pace->foreseen_ps = with_margin(pace->foreseen_ps);
    pace->raised_until_ms = now_ms + RAISED_MS;
}

void
lane_pace_settle(struct lane_pace *pace, int64_t now_ms)
{
    if (pace->raised_until_ms != 0 && pace->raised_until_ms < now_ms) {
        pace->foreseen_ps = with_margin(pace->measured_ps);
        pace->raised_until_ms = 0;
    }
}
