/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline with an event loop. */
#include "base/hurry.h"

#include <event2/event.h>

#include "base/ossl.h"
#include "tests/support/test.h"

enum { FIRST, LAST, STAGES };

struct scene {
    struct event_base *base;
    struct pipeline *pipeline;
    struct hurry *hurry;
    struct pipeline_job jobs[3];
    struct batch kept; /* of the first stage */
    size_t ended;
};

static void
keep(struct pipeline *p, struct batch *batch)
{
    ((struct scene *)pipeline_context(p))->kept = *batch;
}

static void
end(struct pipeline *p, struct batch *batch)
{
    struct pipeline_job *job;

    while ((job = batch_take(batch)) != NULL) {
        ((struct scene *)pipeline_context(p))->ended++;
        pipeline_end(p, job);
    }
}

static void
wait_briefly(void *context)
{
    hurry_begin(((const struct scene *)context)->hurry);
}

static void
start_soon(void *context)
{
    hurry_soon(((const struct scene *)context)->hurry);
}

static void
begin(struct scene *s)
{
    static const struct stage stages[STAGES] = {
        [FIRST] = {"first", 2, 1, keep}, [LAST] = {"last", 2, 1, end}};
    static const struct gathering gathering = {
        .awaits = {[LAST] = 1U << FIRST}, .wait = wait_briefly, .soon = start_soon};

    *s = (struct scene){.base = event_base_new()};
    s->pipeline = pipeline_new(stages, STAGES, &gathering, s);
    s->hurry = hurry_new(s->base, s->pipeline);
}

static void
finish(struct scene *s)
{
    pipeline_free(s->pipeline);
    hurry_free(s->hurry);
    event_base_free(s->base);
}

static void
turn(const struct scene *s)
{
    assert_true(event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static void
what_came_at_once_starts_behind_it(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    pipeline_enter(s.pipeline, &s.jobs[0], FIRST);
    pipeline_enter(s.pipeline, &s.jobs[1], FIRST);
    assert_int_equal(s.kept.n, 0);
    turn(&s);
    assert_int_equal(s.kept.n, 2);
    end(s.pipeline, &s.kept);
    finish(&s);
}

static void
what_waits_for_others_does_so_for_some_milliseconds(void **state)
{
    struct scene s;
    int64_t begun;

    (void)state;
    begin(&s);
    pipeline_enter(s.pipeline, &s.jobs[0], FIRST);
    pipeline_enter(s.pipeline, &s.jobs[1], LAST);
    begun = clock_monotonic_ms();
    turn(&s);
    assert_int_equal(s.kept.n, 1);
    assert_int_equal(s.ended, 0);
    while (s.ended == 0) { /* the first one stays where it is */
        assert_true(clock_monotonic_ms() - begun < 10000);
        assert_true(event_base_loop(s.base, EVLOOP_ONCE) >= 0);
    }
    assert_true(clock_monotonic_ms() - begun >= 3);
    end(s.pipeline, &s.kept);
    finish(&s);
}

static void
none_is_released_too(void **state)
{
    (void)state;
    hurry_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_at_once_starts_behind_it),
        cmocka_unit_test(what_waits_for_others_does_so_for_some_milliseconds),
        cmocka_unit_test(none_is_released_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
