/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of the RA that are held for a while, so that messages meet where a test wants it. */
#include "tests/unit/ra/running.h"

#include <pthread.h>

#include "ra/transaction/stages.h"

enum { HELD_MAX = 64 };

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
    size_t inside; /* threads that are held; by the mutex */
    size_t left;   /* of the loop */
    size_t n;
    struct held {
        struct gate *gate;
        struct task task;
        struct store_op op;
    } all[HELD_MAX];
};

static void
hold(struct gate *g)
{
    (void)pthread_mutex_lock(&g->mutex);
    g->inside++;
    while (!g->open) {
        (void)pthread_cond_wait(&g->changed, &g->mutex);
    }
    (void)pthread_mutex_unlock(&g->mutex);
}

static void
hold_worker(struct task *task)
{
    hold(CONTAINER_OF(task, struct held, task)->gate);
}

static void
worker_left(struct task *task)
{
    CONTAINER_OF(task, struct held, task)->gate->left++;
}

static int
hold_store(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)db;
    (void)e;
    hold(CONTAINER_OF(op, struct held, op)->gate);
    return 0;
}

static void
store_left(struct task *task)
{
    CONTAINER_OF(task, struct held, op.task)->gate->left++;
}

static struct gate *
gate_new(size_t n)
{
    struct gate *g = mem_new(sizeof(*g));

    assert_true(n <= HELD_MAX);
    assert_int_equal(pthread_mutex_init(&g->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&g->changed, NULL), 0);
    g->n = n;
    for (size_t i = 0; i < n; i++) {
        g->all[i].gate = g;
    }
    return g;
}

static void
until_held(struct running *w, struct gate *g)
{
    size_t inside = 0;

    while (inside < g->n) {
        running_for(w, 1);
        (void)pthread_mutex_lock(&g->mutex);
        inside = g->inside;
        (void)pthread_mutex_unlock(&g->mutex);
    }
}

struct gate *
running_hold_workers(struct running *w)
{
    struct gate *g = gate_new((size_t)w->settings->workers);

    for (size_t i = 0; i < g->n; i++) {
        g->all[i].task = (struct task){.run = hold_worker, .done = worker_left};
        pool_submit(w->ra.pool, &g->all[i].task);
    }
    until_held(w, g);
    return g;
}

struct gate *
running_hold_store(struct running *w)
{
    struct gate *g = gate_new(1);

    g->all[0].op = (struct store_op){.run = hold_store, .task.done = store_left};
    store_submit(w->ra.store, &g->all[0].op);
    until_held(w, g);
    return g;
}

void
running_release(struct running *w, struct gate *g)
{
    (void)pthread_mutex_lock(&g->mutex);
    g->open = true;
    (void)pthread_cond_broadcast(&g->changed);
    (void)pthread_mutex_unlock(&g->mutex);
    while (g->left < g->n) {
        running_for(w, 1);
    }
    (void)pthread_cond_destroy(&g->changed);
    (void)pthread_mutex_destroy(&g->mutex);
    mem_free(g);
}

static void
until_all_are_at(struct running *w, enum message_stage stage)
{
    while (pipeline_jobs_before(w->ra.messages, stage) > 0) {
        running_for(w, 1);
    }
}

struct gate *
running_all_known(struct running *w, struct talk *talks, struct running_task **tasks, size_t n)
{
    struct gate *store = running_hold_store(w);
    const size_t before = w->ra.jobs;
    struct gate *workers;

    for (size_t i = 0; i < n; i++) {
        tasks[i] = running_begin(w, talk_run, &talks[i]);
    }
    while (w->ra.jobs < before + n) {
        running_for(w, 1);
    }
    until_all_are_at(w, STAGE_KNOWN);
    workers = running_hold_workers(w);
    running_release(w, store);
    until_all_are_at(w, STAGE_TURN);
    return workers;
}

void
running_all_meet(struct running *w, struct gate *workers)
{
    struct gate *store = running_hold_store(w);

    running_release(w, workers);
    until_all_are_at(w, STAGE_ADMIT);
    running_release(w, store);
}
