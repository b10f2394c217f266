/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base/pipeline_world.h"

#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "tests/support/test.h"

struct job *
world_job(struct pipeline_job *job)
{
    return CONTAINER_OF(job, struct job, job);
}

/* ---- what a stage may do ---- */

void
world_keep(struct world *w, struct batch *batch)
{
    assert_true(w->n_kept < BATCHES);
    w->kept[w->n_kept++] = *batch;
}

void
world_end(struct world *w, struct batch *batch)
{
    struct pipeline_job *job;

    while ((job = batch_take(batch)) != NULL) {
        pipeline_end(w->pipeline, job);
    }
    world_turn(w);
}

/* ---- the stages ---- */

static void
tell(struct world *w, const char *stage, const struct batch *batch)
{
    size_t n = strlen(w->story);

    n += (size_t)snprintf(w->story + n, sizeof(w->story) - n, "%s", stage);
    for (struct pipeline_job *job = batch->first; job != NULL; job = job->next) {
        n += (size_t)snprintf(w->story + n, sizeof(w->story) - n, " %u", world_job(job)->number);
    }
    (void)snprintf(w->story + n, sizeof(w->story) - n, "/%u; ", batch->slot);
    assert_true(n + 16 < sizeof(w->story));
}

void
world_started(struct pipeline *p, struct batch *batch, unsigned stage, const char *name)
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
    world_started(p, batch, FIRST, "first");
}

static void
start_second(struct pipeline *p, struct batch *batch)
{
    world_started(p, batch, SECOND, "second");
}

static void
start_third(struct pipeline *p, struct batch *batch)
{
    world_started(p, batch, THIRD, "third");
}

static void
start_last(struct pipeline *p, struct batch *batch)
{
    world_started(p, batch, LAST, "last");
}

const struct stage world_stages[STAGES] = {
    [FIRST] = {"first", 3, 1, start_first},
    [SECOND] = {"second", 2, 2, start_second},
    [THIRD] = {"third", 4, PIPELINE_ANY, start_third},
    [LAST] = {"last", 4, 1, start_last},
};

static void
ask_to_hurry(void *context)
{
    ((struct world *)context)->asked++;
}

static void
promise(void *context)
{
    ((struct world *)context)->promised++;
}

const struct gathering world_gathering = {.wait = ask_to_hurry, .soon = promise};

void
world_begin(struct world *w, deed *first, deed *second, deed *third, deed *last)
{
    *w = (struct world){.deeds = {first, second, third, last}};
    w->pipeline = pipeline_new(world_stages, STAGES, &world_gathering, w);
    for (unsigned i = 0; i < JOBS; i++) {
        w->jobs[i].number = i;
    }
}

void
world_gather(struct world *w, unsigned stage, uint64_t awaits)
{
    struct gathering gathering = world_gathering;

    gathering.awaits[stage] = awaits;
    pipeline_free(w->pipeline);
    w->pipeline = pipeline_new(world_stages, STAGES, &gathering, w);
}

void
world_turn(struct world *w)
{
    pipeline_start(w->pipeline);
}

void
world_enter_together(struct world *w, unsigned from, unsigned to, unsigned stage)
{
    for (unsigned i = from; i <= to; i++) {
        pipeline_enter(w->pipeline, &w->jobs[i].job, stage);
    }
    world_turn(w);
}

void
world_enter(struct world *w, unsigned from, unsigned to, unsigned stage)
{
    for (unsigned i = from; i <= to; i++) {
        world_enter_together(w, i, i, stage);
    }
}

void
world_give_back(struct world *w, size_t i, unsigned stage)
{
    for (struct pipeline_job *job = w->kept[i].first; job != NULL; job = job->next) {
        job->stage = stage;
    }
    pipeline_return(w->pipeline, &w->kept[i]);
    world_turn(w);
}

/* ---- with workers, as daemons use it ---- */
