/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h - the way of many jobs through a table of stages, in batches of what has arrived.
 *
 * A job enters at a stage and waits there. When fewer than `at_once` batches of that stage are out,
 * what waits, `max` jobs at most and in the order in which it came, is a batch: the stage's `start`
 * gets it and has it until it is given back. What comes meanwhile is the next batch, so load makes
 * the batches and no timer does: a lone job goes on at once. (One that gathers is late by what is
 * out then, see struct gathering.) "At once" is behind what the loop has in hand: what it takes in
 * together, the frames that were read at once or what tasks_finish() brings, goes on together. Who
 * has a job says where it goes next, always later than where it is, by raising job->stage; or ends
 * it. Nobody calls the next step.
 *
 * Does: keep the order, bound what is out, take no more of the stack however many stages give back
 * at once. Does not: know what a job is, allocate for one, look at a clock, know the event loop.
 * Ownership: a job is embedded in what the caller owns, all zero before it enters. What ends in _
 * is the pipeline's; `next` and `stage` are the stage's while it has the job, and the pipeline's
 * while it waits. After pipeline_end() the pipeline knows nothing of it: enter it again or release
 * it. Thread: all functions, and so `start`, on the thread that called pipeline_new(), the loop's.
 * Between start and return a job may be elsewhere, and may be told there where it goes next.
 * Limits: PIPELINE_STAGES_MAX, PIPELINE_AT_ONCE_MAX. How many jobs there may be is the business of
 * who lets them in: pipeline_jobs().
 * Who breaks this contract has a bug: one line in the log says what, and the program aborts.
 *
 *   static void
 *   look_done(struct task *task)                          on the loop, when the store has committed
 *   {
 *       struct look *look = CONTAINER_OF(task, struct look, op.task);
 *
 *       pipeline_return(look->pipeline, &look->batch);    each job's stage was raised in look_run
 *   }
 *
 *   static void
 *   start_look(struct pipeline *p, struct batch *batch)
 *   {
 *       struct ca *ca = pipeline_context(p);
 *       struct look *look = &ca->looks[batch->slot];      one for each that may be out: at_once
 *
 *       *look = (struct look){.pipeline = p, .batch = *batch,
 *                             .op = {.run = look_run, .task = {.done = look_done}}};
 *       store_submit(ca->store, &look->op);
 *   }
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum {
    PIPELINE_STAGES_MAX = 64,
    PIPELINE_AT_ONCE_MAX = 256,
    PIPELINE_ANY, /* as at_once: there is no bound, what comes starts at once */
};

struct pipeline_job {
    struct pipeline_job *next; /* in the list that it is in; NULL: the last */
    unsigned stage; /* where it waits or is; who has it raises it to where it goes next */
    unsigned at_;   /* private: 1 + the stage where it is; 0: outside */
    unsigned slot_; /* private: of the batch with which it is out, or that it waits */
};

/* A list of jobs, first come first; all zero is empty. A copy is the same list: one of the two is
 * used from then on. */
struct batch {
    struct pipeline_job *first, *last;
    size_t n;
    unsigned slot; /* of what `start` gets: below at_once, and no other batch of this stage that is
                      out has it; 0 with PIPELINE_ANY. In a list of the stage's own: nothing */
};

/* Behind the others. */
static inline void
batch_add(struct batch *b, struct pipeline_job *job)
{
    job->next = NULL;
    if (b->first == NULL) {
        b->first = job;
    } else {
        b->last->next = job;
    }
    b->last = job;
    b->n++;
}

/* The first one, out of the list; NULL when it is empty. What goes on alone is taken out before it
 * does. */
static inline struct pipeline_job *
batch_take(struct batch *b)
{
    struct pipeline_job *job = b->first;

    if (job != NULL) {
        b->first = job->next;
        b->last = b->first == NULL ? NULL : b->last;
        b->n--;
    }
    return job;
}

struct pipeline;

struct stage {
    const char *name; /* for the log */
    size_t max;       /* jobs in one batch */
    unsigned at_once; /* batches out, or PIPELINE_ANY */
    /* Begins with these jobs; they are the stage's until each is given back or ended, here or
     * later, all at once or in parts. *batch itself is gone when start returns: what goes on later
     * copies it. Not called for what another start gives back until that one has returned. Never
     * with an empty batch. */
    void (*start)(struct pipeline *, struct batch *batch);
};

/* A commit, or a signature over all that comes together, costs little more for many jobs than for
 * one. A stage that gathers starts no batch as long as a job is in a stage that it awaits, for more
 * may come along; unless a whole batch waits already. A lone job waits for nobody.
 */
struct gathering {
    /* Of each stage that gathers: bit 1 << stage of those that it awaits, be they before it or
     * behind; a job that waits there counts, too. 0: it does not gather */
    uint64_t awaits[PIPELINE_STAGES_MAX];
    /* Something waits for that, which may take long: in a few milliseconds pipeline_hurry() is to
     * be called. Not called again before it was. May be called wherever a start may; calls nothing
     * of the pipeline. */
    void (*wait)(void *context);
    /* Something may start: pipeline_start() is to be called behind what the loop has in hand, so
     * that all that came at once goes on at once. Not called again before it was. Called as `wait`
     * is. */
    void (*soon)(void *context);
};

/* NULL is fine. No job may be in it, and no start under way. */
void pipeline_free(struct pipeline *);
/* The table is copied, so at_once may be what a configuration says; and so is the other. */
struct pipeline *pipeline_new(const struct stage *stages, unsigned n, const struct gathering *,
                              void *context) OWNED(pipeline_free);
DEFINE_CLEANUP(pipeline_cleanup, struct pipeline, pipeline_free)

/* ---- these only note what is to be done ---- */

/* A job that is outside, to wait at `stage`. */
void pipeline_enter(struct pipeline *, struct pipeline_job *, unsigned stage);
/* Jobs that are out, of one batch or of several, whole or a part, each with its stage raised. The
 * list is empty then, and the next batch may have the slot. */
void pipeline_return(struct pipeline *, struct batch *);
/* A job that is out leaves. Once. */
void pipeline_end(struct pipeline *, struct pipeline_job *);

/* ---- these call the `start` of any stage before they return, unless one is under way ---- */

/* What may start does: asked for by gathering.soon. */
void pipeline_start(struct pipeline *);
/* What has gathered by now starts, too, whatever is out: asked for by gathering.wait. */
void pipeline_hurry(struct pipeline *);

void *pipeline_context(const struct pipeline *);
/* Those that have entered and not ended. A stop waits for 0. */
size_t pipeline_jobs(const struct pipeline *);
/* Of these, those that have not come to `stage` yet. */
size_t pipeline_jobs_before(const struct pipeline *, unsigned stage);
