/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of jobs on their way through the stages. */
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "base/ossl.h"
#include "base/pool.h"
#include "tests/support/test.h"
#include "tests/unit/base/pipeline_world.h"

enum { MANY = 20000 };

/* ---- what a stage may do ---- */

/* Each to its own next stage. */
static void
pass(struct world *w, struct batch *batch)
{
    for (struct pipeline_job *job = batch->first; job != NULL; job = job->next) {
        job->stage = world_job(job)->next > job->stage ? world_job(job)->next : job->stage + 1;
    }
    pipeline_return(w->pipeline, batch);
    assert_null(batch->first);
    assert_int_equal(batch->n, 0);
}

/* ---- the stages ---- */

/* The story since the last time. */
#define assert_story(w, expected)                                                                  \
    do {                                                                                           \
        assert_string_equal((w)->story, (expected));                                               \
        (w)->story[0] = '\0';                                                                      \
    } while (0)

static void
finish(struct world *w)
{
    for (size_t i = 0; i < w->n_kept; i++) {
        world_end(w, &w->kept[i]);
    }
    assert_int_equal(pipeline_jobs(w->pipeline), 0);
    pipeline_free(w->pipeline);
}

/* ---- batches ---- */

static void
a_lone_job_goes_on_at_once(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, pass, pass, pass, world_end);
    assert_int_equal(pipeline_jobs(w.pipeline), 0);
    world_enter(&w, 0, 0, FIRST);
    assert_story(&w, "first 0/0; second 0/0; third 0/0; last 0/0; ");
    assert_int_equal(pipeline_jobs(w.pipeline), 0);
    world_enter(&w, 0, 0, LAST); /* and may come again */
    assert_story(&w, "last 0/0; ");
    finish(&w);
}

static void
what_comes_while_all_are_out_is_the_next_batch_in_order(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, world_keep, world_keep, world_keep, world_keep);
    world_enter(&w, 0, 5, FIRST);
    assert_story(&w, "first 0/0; ");
    world_give_back(&w, 0, LAST);
    assert_story(&w, "first 1 2 3/0; last 0/0; "); /* three at most */
    world_enter(&w, 6, 6, FIRST);
    assert_story(&w, "");
    world_give_back(&w, 1, LAST);
    assert_story(&w, "first 4 5 6/0; ");
    assert_int_equal(pipeline_jobs_before(w.pipeline, FIRST), 0);
    assert_int_equal(pipeline_jobs_before(w.pipeline, LAST), 3);
    world_give_back(&w, 3, LAST);
    world_enter(&w, 7, 7, LAST);
    assert_int_equal(pipeline_jobs_before(w.pipeline, LAST), 0);
    assert_int_equal(pipeline_jobs_before(w.pipeline, STAGES), 8);
    assert_story(&w, "");
    assert_int_equal(pipeline_jobs(w.pipeline), 8);
    world_end(&w, &w.kept[2]);
    assert_story(&w, "last 1 2 3 4/0; ");
    world_end(&w, &w.kept[4]);
    assert_story(&w, "last 5 6 7/0; ");
    finish(&w);
}

static void
so_many_are_out_and_each_has_its_slot(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, world_keep, world_keep, world_keep, world_keep);
    world_enter(&w, 0, 4, SECOND);
    assert_story(&w, "second 0/0; second 1/1; ");
    world_give_back(&w, 1, LAST);
    assert_story(&w, "second 2 3/1; last 1/0; ");
    world_end(&w, &w.kept[0]);
    assert_story(&w, "second 4/0; ");
    finish(&w);
}

static void
a_stage_without_a_bound_starts_all_that_comes(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, world_keep, world_keep, world_keep, world_keep);
    world_enter(&w, 0, 2, THIRD);
    assert_story(&w, "third 0/0; third 1/0; third 2/0; ");
    world_give_back(&w, 1, LAST);
    assert_story(&w, "last 1/0; ");
    world_enter_together(&w, 3, 7, THIRD);
    assert_story(&w, "third 3 4 5 6/0; third 7/0; ");
    finish(&w);
}

/* A signer gives each signature by itself; the batch is out until the last is there. */
static void
a_part_goes_on_and_the_batch_is_out_until_its_last_job(void **state)
{
    struct world w;
    struct batch part = {0};
    struct batch *second;

    (void)state;
    world_begin(&w, world_keep, world_keep, world_keep, world_keep);
    world_enter_together(&w, 0, 4, FIRST);
    second = &w.kept[0];
    assert_story(&w, "first 0 1 2/0; ");
    batch_add(&part, batch_take(second));
    part.first->stage = THIRD;
    pipeline_return(w.pipeline, &part);
    world_turn(&w);
    assert_story(&w, "third 0/0; ");
    pipeline_end(w.pipeline, batch_take(second));
    world_turn(&w);
    assert_story(&w, "");
    batch_add(&part, batch_take(second));
    assert_null(batch_take(second));
    assert_null(second->last);
    part.first->stage = SECOND;
    pipeline_return(w.pipeline, &part);
    world_turn(&w);
    assert_story(&w, "first 3 4/0; second 2/0; ");
    finish(&w);
}

/* A checkpoint releases what it covers, whatever it came with and whatever stage it is in. */
static void
what_is_given_back_together_may_be_of_several_batches(void **state)
{
    struct world w;
    struct batch all = {0};

    (void)state;
    world_begin(&w, world_keep, world_keep, world_keep, world_keep);
    world_enter(&w, 0, 3, SECOND);
    world_enter(&w, 4, 4, FIRST);
    assert_story(&w, "second 0/0; second 1/1; first 4/0; ");
    for (size_t i = 0; i < 3; i++) {
        batch_add(&all, batch_take(&w.kept[i]));
        all.last->stage = LAST;
    }
    pipeline_return(w.pipeline, &all);
    world_turn(&w);
    assert_story(&w, "second 2 3/0; last 0 1 4/0; ");
    pipeline_return(w.pipeline, &all); /* of nothing */
    world_turn(&w);
    assert_story(&w, "");
    finish(&w);
}

/* ---- what gathers ---- */

/* `last` gathers what comes of `second` and `third`. */
static void
gathering_begin(struct world *w)
{
    world_begin(w, world_keep, world_keep, world_keep, world_keep);
    world_gather(w, LAST, 1U << SECOND | 1U << THIRD);
}

static void
what_is_worked_on_comes_along(void **state)
{
    struct world w;

    (void)state;
    gathering_begin(&w);
    world_enter(&w, 0, 0, LAST); /* a lone one waits for nobody */
    assert_story(&w, "last 0/0; ");
    world_end(&w, &w.kept[0]);
    world_enter(&w, 1, 1, FIRST); /* nor for what does not work */
    world_enter(&w, 0, 0, LAST);
    assert_story(&w, "first 1/0; last 0/0; ");
    world_end(&w, &w.kept[2]);
    assert_int_equal(w.asked, 0);
    world_enter(&w, 2, 3, SECOND);
    world_enter(&w, 4, 4, LAST);
    assert_story(&w, "second 2/0; second 3/1; ");
    world_give_back(&w, 3, LAST);
    assert_story(&w, "");
    assert_int_equal(w.asked, 1);
    world_give_back(&w, 4, THIRD); /* from one to the other, which has no bound */
    assert_story(&w, "third 3/0; ");
    world_give_back(&w, 5, LAST);
    assert_story(&w, "last 4 2 3/0; ");
    assert_int_equal(w.asked, 1);
    finish(&w);
}

/* So does what waits until it is worked on. */
static void
what_waits_to_be_worked_on_comes_along(void **state)
{
    struct world w;

    (void)state;
    gathering_begin(&w);
    world_enter(&w, 0, 4, SECOND);
    world_enter(&w, 5, 5, LAST);
    assert_story(&w, "second 0/0; second 1/1; ");
    world_end(&w, &w.kept[0]);
    world_end(&w, &w.kept[1]);
    assert_story(&w, "second 2 3/0; second 4/1; ");
    world_end(&w, &w.kept[2]);
    world_end(&w, &w.kept[3]);
    assert_story(&w, "last 5/0; ");
    finish(&w);
}

/* What comes while one signature is made shares the next. */
static void
what_is_behind_may_be_awaited(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, world_keep, world_keep, world_keep, world_keep);
    world_gather(&w, FIRST, 1U << LAST);
    world_enter(&w, 0, 0, LAST);
    world_enter(&w, 1, 2, FIRST);
    assert_story(&w, "last 0/0; ");
    world_end(&w, &w.kept[0]);
    assert_story(&w, "first 1 2/0; ");
    finish(&w);
}

/* ---- what came at once ---- */

static void
what_came_at_once_starts_at_once(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, world_keep, pass, world_keep, world_keep);
    for (unsigned i = 0; i < 2; i++) {
        pipeline_enter(w.pipeline, &w.jobs[i].job, FIRST);
    }
    assert_story(&w, "");
    assert_int_equal(w.promised, 1);
    pipeline_start(w.pipeline);
    assert_story(&w, "first 0 1/0; ");
    pipeline_enter(w.pipeline, &w.jobs[2].job, SECOND);
    for (struct pipeline_job *job = w.kept[0].first; job != NULL; job = job->next) {
        job->stage = SECOND;
    }
    pipeline_return(w.pipeline, &w.kept[0]);
    assert_story(&w, "");
    assert_int_equal(w.promised, 2);
    pipeline_start(w.pipeline); /* and what a start gives back is part of it */
    assert_story(&w, "second 2 0/0; second 1/0; third 2 0 1/0; ");
    assert_int_equal(w.promised, 2);
    pipeline_end(w.pipeline, batch_take(&w.kept[1]));
    assert_int_equal(w.promised, 3);
    finish(&w);
}

static void
a_whole_batch_waits_for_nobody(void **state)
{
    struct world w;

    (void)state;
    gathering_begin(&w);
    world_enter(&w, 0, 0, SECOND);
    world_enter(&w, 1, 3, LAST);
    assert_story(&w, "second 0/0; ");
    world_enter(&w, 4, 4, LAST);
    assert_story(&w, "last 1 2 3 4/0; ");
    finish(&w);
}

/* What takes long holds nobody up, and each that waits is asked for. */
static void
who_hurries_starts_what_has_gathered(void **state)
{
    struct world w;

    (void)state;
    gathering_begin(&w);
    world_enter(&w, 0, 0, SECOND);
    world_enter(&w, 1, 2, LAST);
    assert_story(&w, "second 0/0; ");
    assert_int_equal(w.asked, 1);
    pipeline_hurry(w.pipeline);
    assert_story(&w, "last 1 2/0; ");
    world_end(&w, &w.kept[1]);
    world_enter(&w, 3, 3, LAST);
    assert_story(&w, "");
    assert_int_equal(w.asked, 2);
    world_end(&w, &w.kept[0]);
    assert_story(&w, "last 3/0; ");
    finish(&w);
}

/* ---- the way ---- */

static void
jobs_of_one_batch_go_different_ways(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, pass, world_keep, world_keep, world_keep);
    w.jobs[1].next = LAST;
    w.jobs[2].next = THIRD;
    world_enter_together(&w, 0, 4, FIRST);
    assert_story(&w, "first 0 1 2/0; first 3 4/0; second 0 3/0; second 4/1; third 2/0; last 1/0; ");
    finish(&w);
}

/* ---- starts that give back at once ---- */

static void
quiet_first(struct pipeline *p, struct batch *batch)
{
    world_started(p, batch, FIRST, NULL);
}

static void
quiet_second(struct pipeline *p, struct batch *batch)
{
    world_started(p, batch, SECOND, NULL);
}

static const struct stage quiet[] = {
    {"first", 1, 1, quiet_first},
    {"second", 1, 1, quiet_second},
};

/* A level of the stack for each would be MANY levels. */
static void
a_start_is_never_called_in_another_one(void **state)
{
    struct world w = {.deeds = {pass, world_end}};
    struct job *jobs = mem_zalloc(MANY, sizeof(*jobs));

    (void)state;
    w.pipeline = pipeline_new(quiet, ARRAY_LEN(quiet), &world_gathering, &w);
    for (size_t i = 0; i < MANY; i++) {
        pipeline_enter(w.pipeline, &jobs[i].job, FIRST);
    }
    assert_int_equal(pipeline_jobs(w.pipeline), MANY);
    world_turn(&w);
    assert_int_equal(w.starts, 2 * MANY);
    assert_int_equal(w.deepest, 1);
    finish(&w);
    mem_free(jobs);
}

static size_t left;

/* Each lets the next one in, as an answer brings the next question; and its memory is used again.
 */
static void
end_and_enter(struct world *w, struct batch *batch)
{
    struct pipeline_job *job = batch_take(batch);

    pipeline_end(w->pipeline, job);
    memset(job, 0xa5, sizeof(*job));
    if (left > 0) {
        left--;
        memset(job, 0, sizeof(*job));
        pipeline_enter(w->pipeline, job, FIRST);
        pipeline_start(w->pipeline); /* neither is this a way in */
    }
}

static void
what_a_start_lets_in_is_started_after_it(void **state)
{
    struct world w = {.deeds = {pass, end_and_enter}};

    (void)state;
    left = MANY;
    w.pipeline = pipeline_new(quiet, ARRAY_LEN(quiet), &world_gathering, &w);
    world_enter(&w, 0, 0, FIRST);
    assert_int_equal(left, 0);
    assert_int_equal(w.starts, 2 * (MANY + 1));
    assert_int_equal(w.deepest, 1);
    finish(&w);
}

static void
free_all(struct world *w, struct batch *batch)
{
    struct pipeline_job *job;

    while ((job = batch_take(batch)) != NULL) {
        pipeline_end(w->pipeline, job);
        mem_free(world_job(job));
    }
}

static void
who_ends_a_job_may_release_it_at_once(void **state)
{
    struct world w = {.deeds = {pass, free_all}};

    (void)state;
    w.pipeline = pipeline_new(quiet, ARRAY_LEN(quiet), &world_gathering, &w);
    for (unsigned i = 0; i < MANY; i++) {
        struct job *job = mem_zalloc(1, sizeof(*job));

        pipeline_enter(w.pipeline, &job->job, FIRST);
    }
    world_turn(&w);
    assert_int_equal(w.starts, 2 * MANY);
    finish(&w);
}

/* ---- with workers, as daemons use it ---- */

enum { WORKERS = 3, BATCH = 16 };

struct work {
    struct task task;
    struct pipeline *pipeline;
    struct batch batch;
    bool busy;
};

static struct pool *pool;

static struct work works[2][WORKERS];

static size_t largest;

/* On another thread: which is next is known there. */
static void
work_run(struct task *task)
{
    struct work *work = CONTAINER_OF(task, struct work, task);

    for (struct pipeline_job *job = work->batch.first; job != NULL; job = job->next) {
        world_job(job)->next++; /* how often it was worked on */
        job->stage = job->stage == 0 && world_job(job)->number % 3 == 0 ? 2 : job->stage + 1;
    }
}

static void
work_done(struct task *task)
{
    struct work *work = CONTAINER_OF(task, struct work, task);

    work->busy = false;
    pipeline_return(work->pipeline, &work->batch);
}

static void
start_work(struct pipeline *p, struct batch *batch)
{
    struct work *work = &works[batch->first->stage][batch->slot];

    assert_true(batch->slot < WORKERS);
    assert_true(batch->n <= BATCH);
    assert_false(work->busy);
    largest = batch->n > largest ? batch->n : largest;
    *work = (struct work){
        .task = {.run = work_run, .done = work_done}, .pipeline = p, .batch = *batch, .busy = true};
    pool_submit(pool, &work->task);
}

static void
start_answer(struct pipeline *p, struct batch *batch)
{
    size_t *ended = pipeline_context(p);
    struct pipeline_job *job;

    while ((job = batch_take(batch)) != NULL) {
        assert_int_equal(world_job(job)->next, world_job(job)->number % 3 == 0 ? 1 : 2);
        (*ended)++;
        pipeline_end(p, job);
    }
}

/* This loop starts what there is after each turn. */
static void
nothing(void *context)
{
    (void)context;
}

static void
every_job_ends_once_whoever_works_on_it(void **state)
{
    struct stage table[] = {
        {"open", BATCH, WORKERS, start_work},
        {"judge", BATCH, WORKERS, start_work},
        {"answer", BATCH, 1, start_answer},
    };
    static const struct gathering gathering = {.wait = nothing, .soon = nothing};
    struct job *jobs = mem_zalloc(MANY, sizeof(*jobs));
    struct err e = {0};
    struct tasks *tasks = tasks_new(&e);
    size_t ended = 0;
    struct pipeline *p = pipeline_new(table, ARRAY_LEN(table), &gathering, &ended);

    (void)state;
    memset(table, 0, sizeof(table)); /* it has a copy */
    pool = pool_new(WORKERS, tasks, &e);
    assert_non_null(pool);
    largest = 0;
    for (unsigned i = 0; i < MANY; i++) {
        jobs[i].number = i;
        pipeline_enter(p, &jobs[i].job, 0);
    }
    pipeline_start(p);
    while (pipeline_jobs(p) > 0) {
        struct pollfd fd = {.fd = tasks_fd(tasks), .events = POLLIN};

        assert_int_equal(poll(&fd, 1, 10000), 1);
        tasks_finish(tasks);
        pipeline_start(p);
    }
    assert_int_equal(ended, MANY);
    assert_int_equal(largest, BATCH);
    pipeline_free(p);
    pool_free(pool);
    tasks_free(tasks);
    mem_free(jobs);
}

/* ---- a contract that is broken ends the program, and it says which ---- */

static void
no_pipeline_is_released_too(void **state)
{
    (void)state;
    pipeline_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_job_goes_on_at_once),
        cmocka_unit_test(what_comes_while_all_are_out_is_the_next_batch_in_order),
        cmocka_unit_test(so_many_are_out_and_each_has_its_slot),
        cmocka_unit_test(a_stage_without_a_bound_starts_all_that_comes),
        cmocka_unit_test(a_part_goes_on_and_the_batch_is_out_until_its_last_job),
        cmocka_unit_test(what_is_given_back_together_may_be_of_several_batches),
        cmocka_unit_test(what_is_worked_on_comes_along),
        cmocka_unit_test(what_waits_to_be_worked_on_comes_along),
        cmocka_unit_test(what_is_behind_may_be_awaited),
        cmocka_unit_test(what_came_at_once_starts_at_once),
        cmocka_unit_test(a_whole_batch_waits_for_nobody),
        cmocka_unit_test(who_hurries_starts_what_has_gathered),
        cmocka_unit_test(jobs_of_one_batch_go_different_ways),
        cmocka_unit_test(a_start_is_never_called_in_another_one),
        cmocka_unit_test(what_a_start_lets_in_is_started_after_it),
        cmocka_unit_test(who_ends_a_job_may_release_it_at_once),
        cmocka_unit_test(every_job_ends_once_whoever_works_on_it),
        cmocka_unit_test(no_pipeline_is_released_too),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
