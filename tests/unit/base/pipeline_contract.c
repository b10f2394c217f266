/* SPDX-License-Identifier: Apache-2.0 */
/* A contract that is broken ends the program, and it says which. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/base/pipeline_world.h"

static void
never(struct pipeline *p, struct batch *batch)
{
    (void)p;
    (void)batch;
}

static void
a_stage_is_entered_again(struct world *w)
{
    world_enter(w, 0, 0, SECOND);
    world_give_back(w, 0, SECOND);
}

static void
an_earlier_stage_is_entered(struct world *w)
{
    world_enter(w, 0, 0, THIRD);
    world_give_back(w, 0, SECOND);
}

/* One of a batch is enough. */
static void
a_stage_is_forgotten(struct world *w)
{
    world_enter_together(w, 0, 1, SECOND);
    w->kept[0].first->stage = THIRD;
    pipeline_return(w->pipeline, &w->kept[0]);
}

static void
there_is_no_such_stage(struct world *w)
{
    world_enter(w, 0, 0, LAST);
    world_give_back(w, 0, STAGES);
}

static void
there_is_no_such_stage_to_enter(struct world *w)
{
    world_enter(w, 0, 0, STAGES);
}

static void
a_job_enters_twice(struct world *w)
{
    world_enter(w, 0, 0, SECOND);
    world_enter(w, 0, 0, SECOND);
}

static void
a_job_ends_twice(struct world *w)
{
    world_enter(w, 0, 0, SECOND);
    pipeline_end(w->pipeline, &w->jobs[0].job);
    pipeline_end(w->pipeline, &w->jobs[0].job);
}

static void
a_job_ends_that_waits(struct world *w)
{
    world_enter(w, 0, 1, FIRST);
    pipeline_end(w->pipeline, &w->jobs[1].job);
}

static void
a_batch_is_given_back_twice(struct world *w)
{
    struct batch again;

    world_enter(w, 0, 1, LAST);
    world_end(w, &w->kept[0]);
    world_enter(w, 2, 2, FIRST);
    again = w->kept[2];
    world_give_back(w, 2, LAST);
    pipeline_return(w->pipeline, &again);
}

static void
a_job_is_given_back_that_ended(struct world *w)
{
    struct batch again;

    world_enter(w, 0, 0, SECOND);
    again = w->kept[0];
    world_end(w, &w->kept[0]);
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
it_is_released_with_jobs(struct world *w)
{
    world_enter(w, 0, 2, FIRST);
    pipeline_free(w->pipeline);
}

static void
end_and_release(struct world *w, struct batch *batch)
{
    world_end(w, batch);
    pipeline_free(w->pipeline);
}

static void
it_is_released_by_a_start(struct world *w)
{
    w->deeds[LAST] = end_and_release;
    world_enter(w, 0, 0, LAST);
}

static void
there_are_no_stages(struct world *w)
{
    w->pipeline = pipeline_new(world_stages, 0, &world_gathering, w);
}

static void
there_are_more_stages_than_may_be(struct world *w)
{
    struct stage table[PIPELINE_STAGES_MAX + 1];

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        table[i] = world_stages[FIRST];
    }
    pipeline_free(pipeline_new(table, PIPELINE_STAGES_MAX, &world_gathering, w));
    w->pipeline = pipeline_new(table, ARRAY_LEN(table), &world_gathering, w);
}

/* As a table has it, where a row was forgotten. */
static void
a_stage_is_not_there(struct world *w)
{
    static const struct stage table[] = {
        [0] = {"first", 1, 1, never}, [2] = {"third", 1, 1, never}};

    w->pipeline = pipeline_new(table, ARRAY_LEN(table), &world_gathering, w);
}

static void
a_stage_has_no_name(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){NULL, 1, 1, never}, 1, &world_gathering, w);
}

static void
a_stage_has_no_start(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){"open", 1, 1, NULL}, 1, &world_gathering, w);
}

static void
a_stage_takes_nothing(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){"open", 0, 1, never}, 1, &world_gathering, w);
}

static void
a_stage_never_starts(struct world *w)
{
    w->pipeline = pipeline_new(&(struct stage){"open", 16, 0, never}, 1, &world_gathering, w);
}

static void
more_are_out_than_may_be(struct world *w)
{
    pipeline_free(pipeline_new(&(struct stage){"open", SIZE_MAX, PIPELINE_AT_ONCE_MAX, never}, 1,
                               &world_gathering, w));
    pipeline_free(
        pipeline_new(&(struct stage){"open", 1, PIPELINE_ANY, never}, 1, &world_gathering, w));
    w->pipeline =
        pipeline_new(&(struct stage){"open", 1, PIPELINE_ANY + 1, never}, 1, &world_gathering, w);
}

static void
ask_nobody(void *context)
{
    (void)context;
}

static void
nobody_would_hurry_it(struct world *w)
{
    w->pipeline = pipeline_new(world_stages, STAGES, &(struct gathering){.soon = ask_nobody}, w);
}

static void
nobody_would_start_it(struct world *w)
{
    w->pipeline = pipeline_new(world_stages, STAGES, &(struct gathering){.wait = ask_nobody}, w);
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

ELSEWHERE(enter_elsewhere, world_enter(w, 0, 0, FIRST))
ELSEWHERE(return_elsewhere, pipeline_return(w->pipeline, &w->kept[0]))
ELSEWHERE(end_elsewhere, pipeline_end(w->pipeline, &w->jobs[0].job))
ELSEWHERE(start_elsewhere, pipeline_start(w->pipeline))
ELSEWHERE(hurry_elsewhere, pipeline_hurry(w->pipeline))
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
    {nobody_would_hurry_it, "asks nobody to hurry"},
    {nobody_would_start_it, "asks nobody to start"},
    {enter_elsewhere, "pipeline_enter() on another thread"},
    {return_elsewhere, "pipeline_return() on another thread"},
    {end_elsewhere, "pipeline_end() on another thread"},
    {start_elsewhere, "pipeline_start() on another thread"},
    {hurry_elsewhere, "pipeline_hurry() on another thread"},
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
            world_begin(&w, world_keep, world_keep, world_keep, world_keep);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_breaks_the_contract_is_told_and_stopped),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
