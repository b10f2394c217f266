/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew.h - a batch of messages is with a worker, or in one operation of the store, and goes on when
 * that is done. Private to ra/; on the loop's thread but for what is called there.
 */
#pragma once

#include "ra/transaction/stages.h"

struct store_db;

enum { CREWS_MAX = 16 /* batches of a stage that are out at once */ };

/* One for each batch that may be out; the context of the pipeline. */
struct crews;
void crews_free(struct crews *);
struct crews *crews_new(struct ra *) OWNED(crews_free);
/* The pipeline is there (ra->messages). */
void crews_begin(struct crews *);
/* For struct gathering: a commit waits a few milliseconds, and no longer, for what is on its way to
 * it; and what came at once goes on at once. */
void crews_wait(void *context);
void crews_soon(void *context);

static inline struct job *
job_of_step(struct pipeline_job *step)
{
    return step == NULL ? NULL : CONTAINER_OF(step, struct job, step);
}

/* On the loop, when the others are done with it: where it goes. NULL: it was told where. */
typedef enum message_stage crew_then(struct job *);

/* Each by one worker. */
void crew_work(struct pipeline *, enum message_stage, const struct batch *,
               void (*compute)(struct job *), crew_then *then);
/* The same, on the loop when this is the only message under way: for what takes no longer than to
 * wake a worker, and waits for nobody. */
void crew_work_short(struct pipeline *, enum message_stage, const struct batch *,
                     void (*compute)(struct job *), crew_then *then);
/* Each in the same operation. -1: what the store says no to, unexpectedly: an excuse, and the end
 * of the RA when it is ERR_STORE; what it wrote is kept unless it is a part (db/store/batch.h). */
void crew_keep(struct pipeline *, enum message_stage, const struct batch *,
               int (*keep)(struct job *, struct store_db *, struct err *), crew_then *then);
/* The same with `close` once behind all of them, in the operation: when it fails, nothing of that
 * is there. */
void crew_keep_all(struct pipeline *, enum message_stage, const struct batch *,
                   int (*keep)(struct job *, struct store_db *, struct err *),
                   int (*close)(const struct batch *, struct store_db *, struct err *),
                   crew_then *then);
