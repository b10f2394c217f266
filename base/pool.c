/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ossl_context.h"

/* First in, first out; not locked by itself. */
struct queue {
    struct task *first;
    struct task **last;
};

static void
queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void
queue_push(struct queue *q, struct task *task)
{
    task->next = NULL;
    *q->last = task;
    q->last = &task->next;
}

static struct task *
queue_pop(struct queue *q)
{
    struct task *task = q->first;

    if (task != NULL) {
        q->first = task->next;
        if (q->first == NULL) {
            q->last = &q->first;
        }
        task->next = NULL;
    }
    return task;
}

struct tasks {
    pthread_mutex_t lock;
    struct queue finished;
    int fd;
};

struct tasks *
tasks_new(struct err *e)
{
    struct tasks *t = mem_new(sizeof(*t));

    (void)pthread_mutex_init(&t->lock, NULL);
    queue_init(&t->finished);
    t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->fd < 0) {
        (void)err_errno(e, ERR_IO, errno, "eventfd");
        tasks_free(t);
        return NULL;
    }
    return t;
}

void
tasks_free(struct tasks *t)
{
    if (t == NULL) {
        return;
    }
    if (t->fd >= 0) {
        (void)close(t->fd);
    }
    (void)pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

int
tasks_fd(const struct tasks *t)
{
    return t->fd;
}

void
tasks_post(struct tasks *t, struct task *task)
{
    bool wake;

    (void)pthread_mutex_lock(&t->lock);
    wake = t->finished.first == NULL;
    queue_push(&t->finished, task);
    (void)pthread_mutex_unlock(&t->lock);
    if (wake && eventfd_write(t->fd, 1) != 0 && errno != EAGAIN) {
        abort(); /* EAGAIN: already readable; anything else is a bug */
    }
}

void
tasks_finish(struct tasks *t)
{
    struct queue batch;
    struct task *task;
    eventfd_t count;

    (void)eventfd_read(t->fd, &count);
    queue_init(&batch);
    (void)pthread_mutex_lock(&t->lock);
    while ((task = queue_pop(&t->finished)) != NULL) {
        queue_push(&batch, task);
    }
    (void)pthread_mutex_unlock(&t->lock);
    while ((task = queue_pop(&batch)) != NULL) {
        task->done(task);
    }
}

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct queue waiting;
    bool stopping;
    struct tasks *finished;
    size_t n_threads;
    pthread_t threads[];
};

/* Library contexts live as long as the process, because an object made in one may outlive the
 * thread inside a job; a thread that ends leaves its context to the next one. */
struct context {
    struct ossl_context *ossl;
    struct context *next;
};
static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct context *contexts_idle;

static struct context *
context_take(void)
{
    struct context *c;

    (void)pthread_mutex_lock(&contexts_lock);
    c = contexts_idle;
    if (c != NULL) {
        contexts_idle = c->next;
    }
    (void)pthread_mutex_unlock(&contexts_lock);
    if (c == NULL) {
        c = mem_new(sizeof(*c));
        c->ossl = ossl_context_new();
    }
    return c;
}

static void
context_leave(struct context *c)
{
    (void)pthread_mutex_lock(&contexts_lock);
    c->next = contexts_idle;
    contexts_idle = c;
    (void)pthread_mutex_unlock(&contexts_lock);
}

void
pool_contexts_free(void)
{
    (void)pthread_mutex_lock(&contexts_lock);
    while (contexts_idle != NULL) {
        struct context *c = contexts_idle;

        contexts_idle = c->next;
        ossl_context_free(c->ossl);
        mem_free(c);
    }
    (void)pthread_mutex_unlock(&contexts_lock);
}

static void *
worker(void *argument)
{
    struct pool *pool = argument;
    struct context *context = context_take();
    struct task *task;

    ossl_context_enter(context->ossl);
    for (;;) {
        (void)pthread_mutex_lock(&pool->lock);
        while (pool->waiting.first == NULL && !pool->stopping) {
            (void)pthread_cond_wait(&pool->work, &pool->lock);
        }
        task = queue_pop(&pool->waiting);
        (void)pthread_mutex_unlock(&pool->lock);
        if (task == NULL) {
            break;
        }
        task->run(task);
        tasks_post(pool->finished, task);
    }
    ossl_context_leave(context->ossl);
    context_leave(context);
    return NULL;
}

struct pool *
pool_new(size_t threads, struct tasks *finished, struct err *e)
{
    struct pool *pool = mem_new(sizeof(*pool) + threads * sizeof(pool->threads[0]));

    assert(threads > 0);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->work, NULL);
    queue_init(&pool->waiting);
    pool->finished = finished;
    for (size_t i = 0; i < threads; i++) {
        int errnum = pthread_create(&pool->threads[i], NULL, worker, pool);

        if (errnum != 0) {
            (void)err_errno(e, ERR_IO, errnum, "start worker thread %zu", i);
            pool_free(pool);
            return NULL;
        }
        pool->n_threads++;
    }
    return pool;
}

void
pool_free(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_threads; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->lock);
    mem_free(pool);
}

void
pool_submit(struct pool *pool, struct task *task)
{
    (void)pthread_mutex_lock(&pool->lock);
    queue_push(&pool->waiting, task);
    (void)pthread_mutex_unlock(&pool->lock);
    /* Behind the lock, which who is woken needs at once. */
    (void)pthread_cond_signal(&pool->work);
}
