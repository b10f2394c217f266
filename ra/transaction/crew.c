/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/crew.h"

#include "base/hurry.h"
#include "ra/transaction/reply.h"

struct crew {
    struct ra *ra;
    enum message_stage stage;
    struct batch batch;
    struct task work;
    struct store_op op;
    void (*compute)(struct job *);
    int (*keep)(struct job *, struct store_db *, struct err *);
    int (*close)(const struct batch *, struct store_db *, struct err *); /* NULL: none */
    crew_then *then;
};

struct crews {
    struct ra *ra;
    struct hurry *hurry;
    struct crew all[MESSAGE_STAGES][CREWS_MAX];
};

static struct crew *
muster(struct pipeline *p, enum message_stage stage, const struct batch *batch, crew_then *then)
{
    struct crews *crews = pipeline_context(p);
    struct crew *crew = &crews->all[stage][batch->slot];

    *crew = (struct crew){.ra = crews->ra, .stage = stage, .batch = *batch, .then = then};
    return crew;
}

/* ---- workers ---- */

static void
work_run(struct task *task)
{
    const struct crew *crew = CONTAINER_OF(task, struct crew, work);

    for (struct pipeline_job *step = crew->batch.first; step != NULL; step = step->next) {
        crew->compute(job_of_step(step));
    }
}

static void
work_done(struct task *task)
{
    struct crew *crew = CONTAINER_OF(task, struct crew, work);

    for (struct pipeline_job *step = crew->batch.first; crew->then != NULL && step != NULL;
         step = step->next) {
        step->stage = crew->then(job_of_step(step));
    }
    pipeline_return(crew->ra->messages, &crew->batch);
}

static struct crew *
muster_work(struct pipeline *p, enum message_stage stage, const struct batch *batch,
            void (*compute)(struct job *), crew_then *then)
{
    struct crew *crew = muster(p, stage, batch, then);

    crew->compute = compute;
    crew->work = (struct task){.run = work_run, .done = work_done};
    return crew;
}

void
crew_work(struct pipeline *p, enum message_stage stage, const struct batch *batch,
          void (*compute)(struct job *), crew_then *then)
{
    struct crew *crew = muster_work(p, stage, batch, compute, then);

    pool_submit(crew->ra->pool, &crew->work);
}

void
crew_work_short(struct pipeline *p, enum message_stage stage, const struct batch *batch,
                void (*compute)(struct job *), crew_then *then)
{
    struct crew *crew;

    if (pipeline_jobs(p) > 1) {
        crew_work(p, stage, batch, compute, then);
        return;
    }
    crew = muster_work(p, stage, batch, compute, then);
    work_run(&crew->work);
    work_done(&crew->work);
}

/* ---- the store ---- */

static int
keep_run(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct crew *crew = CONTAINER_OF(op, struct crew, op);

    for (struct pipeline_job *step = crew->batch.first; step != NULL; step = step->next) {
        struct job *job = job_of_step(step);
        struct err trouble = {0};

        job->trouble = (struct err){0};
        if (crew->keep(job, db, &trouble) != 0) {
            step->stage = crew->stage;
            job->trouble = trouble;
        }
    }
    return crew->close == NULL ? 0 : crew->close(&crew->batch, db, e);
}

static enum message_stage
in_trouble(struct job *job)
{
    if (ra_store_is_lost(&job->trouble)) {
        ra_fail(job->ra, &job->trouble);
    }
    return job->step.stage == STAGE_FORGET ? STAGE_REPLY : reply_excuse(job, &job->trouble);
}

static void
keep_done(struct task *task)
{
    struct crew *crew = CONTAINER_OF(task, struct crew, op.task);

    for (struct pipeline_job *step = crew->batch.first; step != NULL; step = step->next) {
        struct job *job = job_of_step(step);

        if (crew->op.result != 0) { /* nothing of it is there */
            step->stage = crew->stage;
            job->trouble = crew->op.e;
        }
        if (job->trouble.code != ERR_NONE) {
            step->stage = in_trouble(job);
        } else if (crew->then != NULL) {
            step->stage = crew->then(job);
        }
    }
    pipeline_return(crew->ra->messages, &crew->batch);
}

void
crew_keep(struct pipeline *p, enum message_stage stage, const struct batch *batch,
          int (*keep)(struct job *, struct store_db *, struct err *), crew_then *then)
{
    crew_keep_all(p, stage, batch, keep, NULL, then);
}

void
crew_keep_all(struct pipeline *p, enum message_stage stage, const struct batch *batch,
              int (*keep)(struct job *, struct store_db *, struct err *),
              int (*close)(const struct batch *, struct store_db *, struct err *), crew_then *then)
{
    struct crew *crew = muster(p, stage, batch, then);

    crew->keep = keep;
    crew->close = close;
    crew->op = (struct store_op){
        .run = keep_run, .task = {.done = keep_done}, .reads = stage == STAGE_KNOWN};
    store_submit(crew->ra->store, &crew->op);
}

/* ---- life ---- */

void
crews_wait(void *context)
{
    const struct crews *crews = context;

    hurry_begin(crews->hurry);
}

void
crews_soon(void *context)
{
    const struct crews *crews = context;

    hurry_soon(crews->hurry);
}

struct crews *
crews_new(struct ra *ra)
{
    struct crews *crews = mem_new(sizeof(*crews));

    crews->ra = ra;
    return crews;
}

void
crews_begin(struct crews *crews)
{
    crews->hurry = hurry_new(crews->ra->base, crews->ra->messages);
}

void
crews_free(struct crews *crews)
{
    hurry_free(crews->hurry);
    mem_free(crews);
}
