/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pipeline.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ossl.h"
#include "base/pool.h"
#include "tests/support/test.h"

/* Four stages of jobs that have a number. What a stage does with its batches is the world's to say;
 * what it was given is written down: "first 1 2 3/0" is a batch of three in slot 0. */
enum { FIRST, SECOND, THIRD, LAST, STAGES };
enum { JOBS = 8, BATCHES = 32, MANY = 20000 };

struct job {
    struct pipeline_job job;
    unsigned number;
    unsigned next; /* stage, where KEEP does not apply */
};

struct world;
typedef void deed(struct world *, struct batch *);

struct world {
    struct pipeline *pipeline;
    struct job jobs[JOBS];
    deed *deeds[STAGES];
    struct batch kept[BATCHES]; /* what keep() had, in its order */
    size_t n_kept;
    char story[1024];
    unsigned deep; /* starts under way */
    unsigned deepest;
    size_t starts;
};

static struct job *
job_of(struct pipeline_job *job)
{
    return CONTAINER_OF(job, struct job, job);
}

/* ---- what a stage may do ---- */

static void
keep(struct world *w, struct batch *batch)
{
    assert_true(w->n_kept < BATCHES);
    w->kept[w->n_kept++] = *batch;
}

/* Each to its own next stage. */
static void
pass(struct world *w, struct batch *batch)
{
    for (struct pipeline_job *job = batch->first; job != NULL; job = job->next) {
        job->stage = job_of(job)->next > job->stage ? job_of(job)->next : job->stage + 1;
    }
    pipeline_return(w->pipeline, batch);
    assert_null(batch->first);
    assert_int_equal(batch->n, 0);
}

static void
end(struct world *w, struct batch *batch)
{
    struct pipeline_job *job;

    while ((job = batch_take(batch)) != NULL) {
        pipeline_end(w->pipeline, job);
    }
}

/* ---- the stages ---- */

static void
tell(struct world *w, const char *stage, const struct batch *batch)
{
    size_t n = strlen(w->story);

    n += (size_t)snprintf(w->story + n, sizeof(w->story) - n, "%s", stage);
    for (struct pipeline_job *job = batch->first; job != NULL; job = job->next) {
        n += (size_t)snprintf(w->story + n, sizeof(w->story) - n, " %u", job_of(job)->number);
    }
    (void)snprintf(w->story + n, sizeof(w->story) - n, "/%u; ", batch->slot);
    assert_true(n + 16 < sizeof(w->story));
}

static void
begin(struct pipeline *p, struct batch *batch, unsigned stage, const char *name)
{
    struct world *w = pipeline_context(p);
    size_t n = 0;

    w->pipeline = p;
    w->starts++;
    w->deep++;
    w->deepest = w->deep > w->deepest ? w->deep : w->deepest;
    for (struct pipeline_job *job = batch->first; job != NULL; job = job->next) {
        assert_int_equal(job->stage, stage);
        n++;
        assert_true(job->next != NULL || job == batch->last);
    }
    assert_true(n > 0);
    assert_int_equal(batch->n, n);
    if (name != NULL) {
        tell(w, name, batch);
    }
    w->deeds[stage](w, batch);
    w->deep--;
}

static void
start_first(struct pipeline *p, struct batch *batch)
{
    begin(p, batch, FIRST, "first");
}

static void
start_second(struct pipeline *p, struct batch *batch)
{
    begin(p, batch, SECOND, "second");
}

static void
start_third(struct pipeline *p, struct batch *batch)
{
    begin(p, batch, THIRD, "third");
}

static void
start_last(struct pipeline *p, struct batch *batch)
{
    begin(p, batch, LAST, "last");
}

static const struct stage stages[STAGES] = {
    [FIRST] = {"first", 3, 1, start_first},
    [SECOND] = {"second", 2, 2, start_second},
    [THIRD] = {"third", 4, PIPELINE_ANY, start_third},
    [LAST] = {"last", 4, 1, start_last},
};

static void
world_begin(struct world *w, deed *first, deed *second, deed *third, deed *last)
{
    *w = (struct world){.deeds = {first, second, third, last}};
    w->pipeline = pipeline_new(stages, STAGES, w);
    for (unsigned i = 0; i < JOBS; i++) {
        w->jobs[i].number = i;
    }
}

/* Jobs from..to enter at a stage, one by one. */
static void
enter(struct world *w, unsigned from, unsigned to, unsigned stage)
{
    for (unsigned i = from; i <= to; i++) {
        pipeline_enter(w->pipeline, &w->jobs[i].job, stage);
    }
}

/* Gives the batch that was kept as the i-th back, to `stage`. */
static void
give_back(struct world *w, size_t i, unsigned stage)
{
    for (struct pipeline_job *job = w->kept[i].first; job != NULL; job = job->next) {
        job->stage = stage;
    }
    pipeline_return(w->pipeline, &w->kept[i]);
}

/* The story since the last time. */
#define assert_story(w, expected)                                                                  \
    do {                                                                                           \
        assert_string_equal((w)->story, (expected));                                               \
        (w)->story[0] = '\0';                                                                      \
    } while (0)

static void
world_end(struct world *w)
{
    for (size_t i = 0; i < w->n_kept; i++) {
        end(w, &w->kept[i]);
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
    world_begin(&w, pass, pass, pass, end);
    assert_int_equal(pipeline_jobs(w.pipeline), 0);
    enter(&w, 0, 0, FIRST);
    assert_story(&w, "first 0/0; second 0/0; third 0/0; last 0/0; ");
    assert_int_equal(pipeline_jobs(w.pipeline), 0);
    enter(&w, 0, 0, LAST); /* and may come again */
    assert_story(&w, "last 0/0; ");
    world_end(&w);
}

static void
what_comes_while_all_are_out_is_the_next_batch_in_order(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, keep, keep, keep, keep);
    enter(&w, 0, 5, FIRST);
    assert_story(&w, "first 0/0; ");
    give_back(&w, 0, LAST);
    assert_story(&w, "first 1 2 3/0; last 0/0; "); /* three at most */
    enter(&w, 6, 6, FIRST);
    assert_story(&w, "");
    give_back(&w, 1, LAST);
    assert_story(&w, "first 4 5 6/0; ");
    give_back(&w, 3, LAST);
    enter(&w, 7, 7, LAST);
    assert_story(&w, "");
    assert_int_equal(pipeline_jobs(w.pipeline), 8);
    end(&w, &w.kept[2]);
    assert_story(&w, "last 1 2 3 4/0; ");
    end(&w, &w.kept[4]);
    assert_story(&w, "last 5 6 7/0; ");
    world_end(&w);
}

static void
so_many_are_out_and_each_has_its_slot(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, keep, keep, keep, keep);
    enter(&w, 0, 4, SECOND);
    assert_story(&w, "second 0/0; second 1/1; ");
    give_back(&w, 1, LAST);
    assert_story(&w, "second 2 3/1; last 1/0; ");
    end(&w, &w.kept[0]);
    assert_story(&w, "second 4/0; ");
    world_end(&w);
}

static void
a_stage_without_a_bound_starts_all_that_comes(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, keep, keep, keep, keep);
    enter(&w, 0, 2, THIRD);
    assert_story(&w, "third 0/0; third 1/0; third 2/0; ");
    give_back(&w, 1, LAST);
    assert_story(&w, "last 1/0; ");
    pipeline_hold(w.pipeline);
    enter(&w, 3, 7, THIRD);
    pipeline_go(w.pipeline);
    assert_story(&w, "third 3 4 5 6/0; third 7/0; ");
    world_end(&w);
}

/* A signer gives each signature by itself; the batch is out until the last is there. */
static void
a_part_goes_on_and_the_batch_is_out_until_its_last_job(void **state)
{
    struct world w;
    struct batch part = {0};
    struct batch *second;

    (void)state;
    world_begin(&w, keep, keep, keep, keep);
    pipeline_hold(w.pipeline);
    enter(&w, 0, 4, FIRST);
    pipeline_go(w.pipeline);
    second = &w.kept[0];
    assert_story(&w, "first 0 1 2/0; ");
    batch_add(&part, batch_take(second));
    part.first->stage = THIRD;
    pipeline_return(w.pipeline, &part);
    assert_story(&w, "third 0/0; ");
    pipeline_end(w.pipeline, batch_take(second));
    assert_story(&w, "");
    batch_add(&part, batch_take(second));
    assert_null(batch_take(second));
    assert_null(second->last);
    part.first->stage = SECOND;
    pipeline_return(w.pipeline, &part);
    assert_story(&w, "first 3 4/0; second 2/0; ");
    world_end(&w);
}

/* A checkpoint releases what it covers, whatever it came with and whatever stage it is in. */
static void
what_is_given_back_together_may_be_of_several_batches(void **state)
{
    struct world w;
    struct batch all = {0};

    (void)state;
    world_begin(&w, keep, keep, keep, keep);
    enter(&w, 0, 3, SECOND);
    enter(&w, 4, 4, FIRST);
    assert_story(&w, "second 0/0; second 1/1; first 4/0; ");
    for (size_t i = 0; i < 3; i++) {
        batch_add(&all, batch_take(&w.kept[i]));
        all.last->stage = LAST;
    }
    pipeline_return(w.pipeline, &all);
    assert_story(&w, "second 2 3/0; last 0 1 4/0; ");
    pipeline_return(w.pipeline, &all); /* of nothing */
    assert_story(&w, "");
    world_end(&w);
}

/* ---- the way ---- */

static void
jobs_of_one_batch_go_different_ways(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, pass, keep, keep, keep);
    w.jobs[1].next = LAST;
    w.jobs[2].next = THIRD;
    pipeline_hold(w.pipeline);
    enter(&w, 0, 4, FIRST);
    pipeline_go(w.pipeline);
    assert_story(&w, "first 0 1 2/0; first 3 4/0; second 0 3/0; second 4/1; third 2/0; last 1/0; ");
    world_end(&w);
}

/* A burst is taken in whole, also when a part of the program holds that does not know of another.
 */
static void
nothing_starts_while_it_is_held(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, keep, keep, keep, keep);
    enter(&w, 0, 0, LAST);
    assert_story(&w, "last 0/0; ");
    pipeline_hold(w.pipeline);
    enter(&w, 1, 2, LAST);
    pipeline_hold(w.pipeline);
    end(&w, &w.kept[0]);
    enter(&w, 3, 3, FIRST);
    pipeline_go(w.pipeline);
    enter(&w, 4, 4, FIRST);
    assert_story(&w, "");
    pipeline_go(w.pipeline);
    assert_story(&w, "first 3 4/0; last 1 2/0; ");
    world_end(&w);
}

static void
hold_and_pass(struct world *w, struct batch *batch)
{
    pipeline_hold(w->pipeline);
    pass(w, batch);
}

/* Until somebody lets go; what had not started by then goes on together. */
static void
a_start_may_hold_the_others(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w, hold_and_pass, pass, pass, end);
    enter(&w, 0, 1, FIRST);
    assert_story(&w, "first 0/0; ");
    w.deeds[FIRST] = pass;
    pipeline_go(w.pipeline);
    assert_story(&w, "first 1/0; second 0 1/0; third 0 1/0; last 0 1/0; ");
    world_end(&w);
}

/* ---- starts that give back at once ---- */

static void
quiet_first(struct pipeline *p, struct batch *batch)
{
    begin(p, batch, FIRST, NULL);
}

static void
quiet_second(struct pipeline *p, struct batch *batch)
{
    begin(p, batch, SECOND, NULL);
}

static const struct stage quiet[] = {
    {"first", 1, 1, quiet_first},
    {"second", 1, 1, quiet_second},
};

/* A level of the stack for each would be MANY levels. */
static void
a_start_is_never_called_in_another_one(void **state)
{
    struct world w = {.deeds = {pass, end}};
    struct job *jobs = mem_zalloc(MANY, sizeof(*jobs));

    (void)state;
    w.pipeline = pipeline_new(quiet, ARRAY_LEN(quiet), &w);
    pipeline_hold(w.pipeline);
    for (size_t i = 0; i < MANY; i++) {
        pipeline_enter(w.pipeline, &jobs[i].job, FIRST);
    }
    assert_int_equal(pipeline_jobs(w.pipeline), MANY);
    pipeline_go(w.pipeline);
    assert_int_equal(w.starts, 2 * MANY);
    assert_int_equal(w.deepest, 1);
    world_end(&w);
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
        pipeline_hold(w->pipeline);
        pipeline_go(w->pipeline); /* neither is this a way in */
    }
}

static void
what_a_start_lets_in_is_started_after_it(void **state)
{
    struct world w = {.deeds = {pass, end_and_enter}};

    (void)state;
    left = MANY;
    w.pipeline = pipeline_new(quiet, ARRAY_LEN(quiet), &w);
    pipeline_enter(w.pipeline, &w.jobs[0].job, FIRST);
    assert_int_equal(left, 0);
    assert_int_equal(w.starts, 2 * (MANY + 1));
    assert_int_equal(w.deepest, 1);
    world_end(&w);
}

static void
free_all(struct world *w, struct batch *batch)
{
    struct pipeline_job *job;

    while ((job = batch_take(batch)) != NULL) {
        pipeline_end(w->pipeline, job);
        mem_free(job_of(job));
    }
}

static void
who_ends_a_job_may_release_it_at_once(void **state)
{
    struct world w = {.deeds = {pass, free_all}};

    (void)state;
    w.pipeline = pipeline_new(quiet, ARRAY_LEN(quiet), &w);
    pipeline_hold(w.pipeline);
    for (unsigned i = 0; i < MANY; i++) {
        struct job *job = mem_zalloc(1, sizeof(*job));

        pipeline_enter(w.pipeline, &job->job, FIRST);
    }
    pipeline_go(w.pipeline);
    assert_int_equal(w.starts, 2 * MANY);
    world_end(&w);
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
        job_of(job)->next++; /* how often it was worked on */
        job->stage = job->stage == 0 && job_of(job)->number % 3 == 0 ? 2 : job->stage + 1;
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
        assert_int_equal(job_of(job)->next, job_of(job)->number % 3 == 0 ? 1 : 2);
        (*ended)++;
        pipeline_end(p, job);
    }
}

static void
every_job_ends_once_whoever_works_on_it(void **state)
{
    struct stage table[] = {
        {"open", BATCH, WORKERS, start_work},
        {"judge", BATCH, WORKERS, start_work},
        {"answer", BATCH, 1, start_answer},
    };
    struct job *jobs = mem_zalloc(MANY, sizeof(*jobs));
    struct err e = {0};
    struct tasks *tasks = tasks_new(&e);
    size_t ended = 0;
    struct pipeline *p = pipeline_new(table, ARRAY_LEN(table), &ended);

    (void)state;
    memset(table, 0, sizeof(table)); /* it has a copy */
    pool = pool_new(WORKERS, tasks, &e);
    assert_non_null(pool);
    largest = 0;
    for (unsigned i = 0; i < MANY; i++) {
        jobs[i].number = i;
        pipeline_enter(p, &jobs[i].job, 0);
    }
    while (pipeline_jobs(p) > 0) {
        struct pollfd fd = {.fd = tasks_fd(tasks), .events = POLLIN};

        assert_int_equal(poll(&fd, 1, 10000), 1);
        pipeline_hold(p);
        tasks_finish(tasks);
        pipeline_go(p);
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
never(struct pipeline *p, struct batch *batch)
{
    (void)p;
    (void)batch;
}

static void
a_stage_is_entered_again(struct world *w)
{
    enter(w, 0, 0, SECOND);
    give_back(w, 0, SECOND);
}

static void
an_earlier_stage_is_entered(struct world *w)
{
    enter(w, 0, 0, THIRD);
    give_back(w, 0, SECOND);
}

/* One of a batch is enough. */
static void
a_stage_is_forgotten(struct world *w)
{
    pipeline_hold(w->pipeline);
    enter(w, 0, 1, SECOND);
    pipeline_go(w->pipeline);
    w->kept[0].first->stage = THIRD;
    pipeline_return(w->pipeline, &w->kept[0]);
}

static void
there_is_no_such_stage(struct world *w)
{
    enter(w, 0, 0, LAST);
    give_back(w, 0, STAGES);
}

static void
there_is_no_such_stage_to_enter(struct world *w)
{
    enter(w, 0, 0, STAGES);
}

static void
a_job_enters_twice(struct world *w)
{
    enter(w, 0, 0, SECOND);
    enter(w, 0, 0, SECOND);
}

static void
a_job_ends_twice(struct world *w)
{
    enter(w, 0, 0, SECOND);
    pipeline_end(w->pipeline, &w->jobs[0].job);
    pipeline_end(w->pipeline, &w->jobs[0].job);
}

static void
a_job_ends_that_waits(struct world *w)
{
    enter(w, 0, 1, FIRST);
    pipeline_end(w->pipeline, &w->jobs[1].job);
}

static void
a_batch_is_given_back_twice(struct world *w)
{
    struct batch again;

    enter(w, 0, 1, LAST);
    end(w, &w->kept[0]);
    enter(w, 2, 2, FIRST);
    again = w->kept[2];
    give_back(w, 2, LAST);
    pipeline_return(w->pipeline, &again);
}

static void
a_job_is_given_back_that_ended(struct world *w)
{
    struct batch again;

    enter(w, 0, 0, SECOND);
    again = w->kept[0];
    end(w, &w->kept[0]);
    again.first->stage = LAST;
    pipeline_return(w->pipeline, &again);
}

static void
a_job_is_what_was_in_memory(struct world *w)
{
    struct batch b = {0};

    memset(&w->jobs[0].job, 0xa5, sizeof(w->jobs[0].job));
    batch_add(&b, &w->jobs[0].job);
    pipeline_return(w->pipeline, &b);
}

static void
it_is_let_go_twice(struct world *w)
{
    pipeline_hold(w->pipeline);
    pipeline_go(w->pipeline);
    pipeline_go(w->pipeline);
}

static void
it_is_released_with_jobs(struct world *w)
{
    enter(w, 0, 2, FIRST);
    pipeline_free(w->pipeline);
}

static void
end_and_release(struct world *w, struct batch *batch)
{
    end(w, batch);
    pipeline_free(w->pipeline);
}

static void
it_is_released_by_a_start(struct world *w)
{
    w->deeds[LAST] = end_and_release;
    enter(w, 0, 0, LAST);
}

static void
there_are_no_stages(struct world *w)
{
    w->pipeline = pipeline_new(stages, 0, w);
}

static void
there_are_more_stages_than_may_be(struct world *w)
{
    struct stage table[PIPELINE_STAGES_MAX + 1];

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        table[i] = stages[FIRST];
    }
    pipeline_free(pipeline_new(table, PIPELINE_STAGES_MAX, w));
    w->pipeline = pipeline_new(table, ARRAY_LEN(table), w);
}

/* As a table has it, where a row was forgotten. */
static void
a_stage_is_not_there(struct world *w)
{
    static const struct stage table[] = {
        [0] = {"first", 1, 1, never}, [2] = {"third", 1, 1, never}};

    w->pipeline = pipeline_new(table, ARRAY_LEN(table), w);
}

static void
a_stage_has_no_name(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){NULL, 1, 1, never}, 1, w);
}

static void
a_stage_has_no_start(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){"open", 1, 1, NULL}, 1, w);
}

static void
a_stage_takes_nothing(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){"open", 0, 1, never}, 1, w);
}

static void
a_stage_never_starts(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){"open", 16, 0, never}, 1, w);
}

static void
more_are_out_than_may_be(struct world *w)
{
    pipeline_free(
        pipeline_new(&(struct stage){"open", SIZE_MAX, PIPELINE_AT_ONCE_MAX, never}, 1, w));
    pipeline_free(pipeline_new(&(struct stage){"open", 1, PIPELINE_ANY, never}, 1, w));
    w->pipeline = pipeline_new(&(struct stage){"open", 1, PIPELINE_ANY + 1, never}, 1, w);
}

/* On another thread: each function by itself, for the first one does not come back. */
#define ELSEWHERE(name, call)                                                                      \
    static void *name##_thread(void *arg)                                                          \
    {                                                                                              \
        struct world *w = arg;                                                                     \
        call;                                                                                      \
        return NULL;                                                                               \
    }                                                                                              \
    static void name(struct world *w)                                                              \
    {                                                                                              \
        pthread_t thread;                                                                          \
        (void)pthread_create(&thread, NULL, name##_thread, w);                                     \
        (void)pthread_join(thread, NULL);                                                          \
    }

ELSEWHERE(enter_elsewhere, enter(w, 0, 0, FIRST))
ELSEWHERE(return_elsewhere, pipeline_return(w->pipeline, &w->kept[0]))
ELSEWHERE(end_elsewhere, pipeline_end(w->pipeline, &w->jobs[0].job))
ELSEWHERE(hold_elsewhere, pipeline_hold(w->pipeline))
ELSEWHERE(go_elsewhere, pipeline_go(w->pipeline))
ELSEWHERE(free_elsewhere, pipeline_free(w->pipeline))

static const struct {
    void (*breaks)(struct world *);
    const char *says;
} contracts[] = {
    {a_stage_is_entered_again,
     "a job goes from \\\"second\\\" to \\\"second\\\", which is not later"},
    {an_earlier_stage_is_entered, "from \\\"third\\\" to \\\"second\\\", which is not later"},
    {a_stage_is_forgotten, "from \\\"second\\\" to \\\"second\\\", which is not later"},
    {there_is_no_such_stage, "a job goes from \\\"last\\\" to stage 4 of 4"},
    {there_is_no_such_stage_to_enter, "a job enters at stage 4 of 4"},
    {a_job_enters_twice, "a job enters that is in already"},
    {a_job_ends_twice, "a job ends that is in no stage"},
    {a_job_ends_that_waits, "a job ends that waits for \\\"first\\\""},
    {a_batch_is_given_back_twice, "a job is given back that waits for \\\"last\\\""},
    {a_job_is_given_back_that_ended, "a job is given back that is in no stage"},
    {a_job_is_what_was_in_memory, "a job is given back that is in no stage"},
    {it_is_let_go_twice, "let go, though nobody holds it"},
    {it_is_released_with_jobs, "released with 3 jobs\""},
    {it_is_released_by_a_start, "released with 0 jobs, by a start"},
    {there_are_no_stages, "0 stages"},
    {there_are_more_stages_than_may_be, "65 stages"},
    {a_stage_is_not_there, "stage 1 has no name or no start"},
    {a_stage_has_no_name, "stage 0 has no name or no start"},
    {a_stage_has_no_start, "stage 0 has no name or no start"},
    {a_stage_takes_nothing, "stage \\\"open\\\": batches of 0, 1 at once"},
    {a_stage_never_starts, "stage \\\"open\\\": batches of 16, 0 at once"},
    {more_are_out_than_may_be, "stage \\\"open\\\": batches of 1, 258 at once"},
    {enter_elsewhere, "pipeline_enter() on another thread"},
    {return_elsewhere, "pipeline_return() on another thread"},
    {end_elsewhere, "pipeline_end() on another thread"},
    {hold_elsewhere, "pipeline_hold() on another thread"},
    {go_elsewhere, "pipeline_go() on another thread"},
    {free_elsewhere, "pipeline_free() on another thread"},
};

/* In a process of its own, what it writes on stderr and how it ends. */
static void
who_breaks_the_contract_is_told_and_stopped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contracts); i++) {
        char said[4096] = "";
        size_t n = 0;
        ssize_t got;
        int ends[2];
        int status = 0;
        pid_t pid;

        assert_int_equal(pipe(ends), 0);
        pid = fork();
        if (pid == 0) {
            struct world w;

            (void)signal(SIGABRT, SIG_DFL); /* cmocka's would go on with the next test */
            (void)dup2(ends[1], STDERR_FILENO);
            world_begin(&w, keep, keep, keep, keep);
            contracts[i].breaks(&w);
            _exit(0);
        }
        (void)close(ends[1]);
        while (n + 1 < sizeof(said) && (got = read(ends[0], said + n, sizeof(said) - 1 - n)) > 0) {
            n += (size_t)got;
        }
        (void)close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT ||
            strstr(said, "\"contract-broken\"") == NULL ||
            strstr(said, contracts[i].says) == NULL) {
            fail_msg("\"%s\": status %d, said: %s", contracts[i].says, status, said);
        }
    }
}

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
        cmocka_unit_test(jobs_of_one_batch_go_different_ways),
        cmocka_unit_test(nothing_starts_while_it_is_held),
        cmocka_unit_test(a_start_may_hold_the_others),
        cmocka_unit_test(a_start_is_never_called_in_another_one),
        cmocka_unit_test(what_a_start_lets_in_is_started_after_it),
        cmocka_unit_test(who_ends_a_job_may_release_it_at_once),
        cmocka_unit_test(every_job_ends_once_whoever_works_on_it),
        cmocka_unit_test(who_breaks_the_contract_is_told_and_stopped),
        cmocka_unit_test(no_pipeline_is_released_too),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
