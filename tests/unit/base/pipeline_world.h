/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_world.h - a pipeline of four stages of jobs that have a number. What a stage does with
 * its batches is the world's to say; what it was given is written down: "first 1 2 3/0" is a batch
 * of three in slot 0.
 */
#pragma once

#include "base/pipeline.h"

enum { FIRST, SECOND, THIRD, LAST, STAGES };
enum { JOBS = 8, BATCHES = 32 };

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
    struct batch kept[BATCHES]; /* what world_keep() had, in its order */
    size_t n_kept;
    char story[1024];
    unsigned deep; /* starts under way */
    unsigned deepest;
    size_t starts;
    unsigned asked;    /* to hurry */
    unsigned promised; /* to start */
};

extern const struct stage world_stages[STAGES];
/* It awaits nothing, and counts what it is asked for. */
extern const struct gathering world_gathering;

struct job *world_job(struct pipeline_job *);

/* What a stage may do. */
void world_keep(struct world *, struct batch *);
void world_end(struct world *, struct batch *);
/* A start, in which the world does as it does in `stage`; told unless it has no name. */
void world_started(struct pipeline *, struct batch *, unsigned stage, const char *name);

void world_begin(struct world *, deed *first, deed *second, deed *third, deed *last);
/* It is a new one, in which `stage` awaits those. */
void world_gather(struct world *, unsigned stage, uint64_t awaits);
/* What the loop has in hand is over. */
void world_turn(struct world *);
/* Jobs from..to enter at a stage, in a turn or each in its own. */
void world_enter_together(struct world *, unsigned from, unsigned to, unsigned stage);
void world_enter(struct world *, unsigned from, unsigned to, unsigned stage);
/* Gives the batch that was kept as the i-th back, to `stage`. */
void world_give_back(struct world *, size_t i, unsigned stage);
