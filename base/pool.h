/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - work that is done elsewhere, and its way back to the event loop.
 *
 * A `struct task` is embedded in the caller's job. `run` is called on another thread and must touch
 * its own job only; `done` is called on the loop's thread by tasks_finish(). Between submit and
 * `done` the job belongs to the other thread. Neither allocates.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct task {
    void (*run)(struct task *);  /* elsewhere; may be NULL for users that do their own work */
    void (*done)(struct task *); /* on the loop */
    struct task *next;           /* private to the queue that holds it */
};

#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Finished tasks on their way to the loop. Any thread may post; one thread finishes. */
struct tasks;
void tasks_free(struct tasks *);
struct tasks *tasks_new(struct err *e) OWNED(tasks_free);
/* Readable while there is something to finish: watch it in the loop. */
int tasks_fd(const struct tasks *);
void tasks_post(struct tasks *, struct task *);
/* Calls `done` of everything that was posted. */
void tasks_finish(struct tasks *);

/* A fixed number of worker threads, each with an OpenSSL context of its own (ossl_context.h). */
struct pool;
/* Finishes what is queued, then joins the threads. */
void pool_free(struct pool *);
struct pool *pool_new(size_t threads, struct tasks *finished, struct err *e) OWNED(pool_free);
void pool_submit(struct pool *, struct task *);
/* The last thing in main(), when no pool and no object made by its threads is left: releases the
 * threads' library contexts. Their random generators hang on the secure heap, where the leak
 * checker does not look. */
void pool_contexts_free(void);
