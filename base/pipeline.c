/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   outside --enter--> waiting at a stage --start--> out --return--> waiting at a later stage
 *      ^                                              |
 *      +--------------------end-----------------------+
 *
 * Every call changes the lists and sees to it that somebody drains soon: start() is called only
 * from there, and never while another one is under way, so a stage that gives back at once is a
 * turn of the loop and not a call deeper.
 */
#include "base/pipeline.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static const unsigned WAITS = UINT_MAX; /* the slot_ of a job that is not out */

struct place {
    struct stage stage;
    struct batch waiting;
    size_t jobs;  /* that wait or are out */
    unsigned out; /* batches */
    size_t *left; /* of each slot: jobs that are still out; 0: free. NULL: there is no bound */
};

struct pipeline {
    pthread_t loop;
    void *context;
    size_t jobs;
    bool draining; /* there may be a start under way */
    struct gathering gathering;
    bool asked; /* gathering.wait() was called, and nobody hurried since */
    bool hurried;
    bool noted; /* gathering.soon() was called, and nothing was started since */
    unsigned n;
    struct place places[];
};

/* A job's way is the caller's code, and so is the table: nothing at run time can mend them. */
__attribute__((noreturn, format(printf, 1, 2))) static void
broken(const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_event(LOG_ERROR, "contract-broken", "pipeline: %s", text);
    abort();
}

static void
check_thread(const struct pipeline *p, const char *function)
{
    if (!pthread_equal(p->loop, pthread_self())) {
        broken("%s() on another thread than the loop's", function);
    }
}

/* ---- life cycle ---- */

static void
check_table(const struct stage *stages, unsigned n, const struct gathering *gathering)
{
    if (n == 0 || n > PIPELINE_STAGES_MAX) {
        broken("%u stages", n);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct stage *s = &stages[i];

        if (s->name == NULL || s->start == NULL) {
            broken("stage %u has no name or no start", i);
        }
        if (s->max == 0 || s->at_once == 0 || s->at_once > PIPELINE_ANY) {
            broken("stage \"%s\": batches of %zu, %u at once", s->name, s->max, s->at_once);
        }
    }
    if (gathering->wait == NULL || gathering->soon == NULL) {
        broken("asks nobody to %s", gathering->wait == NULL ? "hurry" : "start");
    }
}

struct pipeline *
pipeline_new(const struct stage *stages, unsigned n, const struct gathering *gathering,
             void *context)
{
    struct pipeline *p;

    check_table(stages, n, gathering);
    p = mem_new(sizeof(*p) + n * sizeof(p->places[0]));
    p->loop = pthread_self();
    p->context = context;
    p->gathering = *gathering;
    p->n = n;
    for (unsigned i = 0; i < n; i++) {
        p->places[i].stage = stages[i];
        if (stages[i].at_once != PIPELINE_ANY) {
            p->places[i].left = mem_zalloc(stages[i].at_once, sizeof(size_t));
        }
    }
    return p;
}

void
pipeline_free(struct pipeline *p)
{
    if (p == NULL) {
        return;
    }
    check_thread(p, "pipeline_free");
    if (p->jobs > 0 || p->draining) {
        broken("released with %zu jobs%s", p->jobs, p->draining ? ", by a start" : "");
    }
    for (unsigned i = 0; i < p->n; i++) {
        mem_free(p->places[i].left);
    }
    mem_free(p);
}

/* ---- batches ---- */

static bool
has_job(const struct pipeline *p, uint64_t stages)
{
    for (unsigned i = 0; i < p->n && stages >> i != 0; i++) {
        if ((stages >> i & 1) != 0 && p->places[i].jobs > 0) {
            return true;
        }
    }
    return false;
}

/* For what else may come. */
static bool
gathers(const struct pipeline *p, unsigned stage)
{
    return !p->hurried && p->places[stage].waiting.n < p->places[stage].stage.max &&
           has_job(p, p->gathering.awaits[stage]);
}

static bool
is_ready(struct pipeline *p, unsigned stage)
{
    const struct place *place = &p->places[stage];

    if (place->waiting.n == 0 || (place->left != NULL && place->out >= place->stage.at_once)) {
        return false;
    }
    if (!gathers(p, stage)) {
        return true;
    }
    if (!p->asked) {
        p->asked = true;
        p->gathering.wait(p->context);
    }
    return false;
}

/* There is one: place->out is below at_once. */
static unsigned
free_slot(const struct place *place)
{
    unsigned slot = 0;

    while (place->left[slot] > 0) {
        slot++;
    }
    return slot;
}

static void
start(struct pipeline *p, struct place *place)
{
    struct batch batch = {0};

    if (place->left != NULL) {
        batch.slot = free_slot(place);
        place->out++;
    }
    while (batch.n < place->stage.max && place->waiting.n > 0) {
        struct pipeline_job *job = batch_take(&place->waiting);

        job->slot_ = batch.slot;
        batch_add(&batch, job);
    }
    if (place->left != NULL) {
        place->left[batch.slot] = batch.n;
    }
    place->stage.start(p, &batch);
}

/* Since jobs only go forward, a pass from the first stage to the last takes all that a start gives
 * back at once; the next one is for what entered, or for stages that are free again. */
static void
drain(struct pipeline *p)
{
    bool again = true;

    if (p->draining) {
        return;
    }
    p->draining = true;
    while (again) {
        again = false;
        for (unsigned i = 0; i < p->n; i++) {
            while (is_ready(p, i)) {
                start(p, &p->places[i]);
                again = true;
            }
        }
    }
    p->draining = false;
}

static void
go_on(struct pipeline *p)
{
    if (!p->draining && !p->noted) {
        p->noted = true;
        p->gathering.soon(p->context);
    }
}

static void
wait_at(struct pipeline *p, struct pipeline_job *job, unsigned stage)
{
    job->stage = stage;
    job->at_ = stage + 1;
    job->slot_ = WAITS;
    batch_add(&p->places[stage].waiting, job);
    p->places[stage].jobs++;
}

/* The place that had it. */
static unsigned
leave(struct pipeline *p, const struct pipeline_job *job, const char *what)
{
    struct place *place;

    if (job->at_ == 0 || job->at_ > p->n) {
        broken("a job %s that is in no stage", what);
    }
    place = &p->places[job->at_ - 1];
    if (job->slot_ == WAITS) {
        broken("a job %s that waits for \"%s\"", what, place->stage.name);
    }
    place->jobs--;
    if (place->left != NULL) {
        place->left[job->slot_]--;
        place->out -= place->left[job->slot_] == 0 ? 1 : 0;
    }
    return job->at_ - 1;
}

/* ---- what the owner and the stages call ---- */

void
pipeline_enter(struct pipeline *p, struct pipeline_job *job, unsigned stage)
{
    check_thread(p, "pipeline_enter");
    if (job->at_ != 0) {
        broken("a job enters that is in already");
    }
    if (stage >= p->n) {
        broken("a job enters at stage %u of %u", stage, p->n);
    }
    p->jobs++;
    wait_at(p, job, stage);
    go_on(p);
}

void
pipeline_return(struct pipeline *p, struct batch *batch)
{
    struct pipeline_job *job;

    check_thread(p, "pipeline_return");
    while ((job = batch_take(batch)) != NULL) {
        unsigned from = leave(p, job, "is given back");

        if (job->stage >= p->n) {
            broken("a job goes from \"%s\" to stage %u of %u", p->places[from].stage.name,
                   job->stage, p->n);
        }
        if (job->stage <= from) {
            broken("a job goes from \"%s\" to \"%s\", which is not later",
                   p->places[from].stage.name, p->places[job->stage].stage.name);
        }
        wait_at(p, job, job->stage);
    }
    go_on(p);
}

void
pipeline_end(struct pipeline *p, struct pipeline_job *job)
{
    check_thread(p, "pipeline_end");
    (void)leave(p, job, "ends");
    job->at_ = 0;
    p->jobs--;
    go_on(p);
}

void
pipeline_start(struct pipeline *p)
{
    check_thread(p, "pipeline_start");
    p->noted = false;
    drain(p);
}

void
pipeline_hurry(struct pipeline *p)
{
    check_thread(p, "pipeline_hurry");
    p->asked = false;
    p->hurried = true;
    drain(p);
    p->hurried = false;
}

void *
pipeline_context(const struct pipeline *p)
{
    return p->context;
}

size_t
pipeline_jobs(const struct pipeline *p)
{
    return p->jobs;
}

size_t
pipeline_jobs_before(const struct pipeline *p, unsigned stage)
{
    size_t n = 0;

    for (unsigned i = 0; i < p->n && i < stage; i++) {
        n += p->places[i].jobs;
    }
    return n;
}
