/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/lots.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/pool.h"

enum { LOT = 32, LOTS_OF_A_THREAD = 2 };

struct lot {
    struct task task;
    struct lots *of;
    struct lot *next;
    struct span issuer;
    bool judged;
    size_t n;
    struct lint_asked asked[LOT];
};

struct lots {
    struct tasks *finished;
    struct pool *pool;
    size_t most, n; /* lots that are not told of yet */
    struct lot *first, **last;
    struct lot *gathering; /* NULL: none */
    lots_told *told;
    void *arg;
};

static void
lot_free(struct lot *lot)
{
    for (size_t i = 0; i < lot->n; i++) {
        lint_asked_clear(&lot->asked[i]);
    }
    mem_free(lot);
}

void
lots_free(struct lots *l)
{
    if (l == NULL) {
        return;
    }
    pool_free(l->pool);
    while (l->first != NULL) {
        struct lot *lot = l->first;

        l->first = lot->next;
        lot_free(lot);
    }
    if (l->gathering != NULL) {
        lot_free(l->gathering);
    }
    tasks_free(l->finished);
    mem_free(l);
}

struct lots *
lots_new(size_t threads, lots_told *told, void *arg, struct err *e)
{
    struct lots *l = mem_new(sizeof(*l));

    l->told = told;
    l->arg = arg;
    l->last = &l->first;
    l->most = LOTS_OF_A_THREAD * threads;
    l->finished = tasks_new(e);
    l->pool = l->finished == NULL ? NULL : pool_new(threads, l->finished, e);
    if (l->pool == NULL) {
        lots_free(l);
        return NULL;
    }
    return l;
}

/* The issuing certificate is this thread's own: its key is used in this thread's context. */
static void
lot_run(struct task *task)
{
    struct lot *lot = CONTAINER_OF(task, struct lot, task);
    const unsigned char *p = lot->issuer.p;
    CLEANUP(x509_cleanup)
    X509 *issuer = lot->issuer.n == 0 ? NULL : d2i_X509(NULL, &p, (long)lot->issuer.n);

    for (size_t i = 0; i < lot->n; i++) {
        lint_asked_judge(&lot->asked[i], issuer);
    }
}

/* Those at the beginning that are judged are told. */
static void
lot_done(struct task *task)
{
    struct lot *lot = CONTAINER_OF(task, struct lot, task);
    struct lots *l = lot->of;

    lot->judged = true;
    while (l->first != NULL && l->first->judged) {
        lot = l->first;
        l->first = lot->next;
        l->last = l->first == NULL ? &l->first : l->last;
        l->n--;
        for (size_t i = 0; i < lot->n; i++) {
            l->told(l->arg, &lot->asked[i]);
        }
        lot_free(lot);
    }
}

static void
wait_until(struct lots *l, size_t most)
{
    struct pollfd waited = {.fd = tasks_fd(l->finished), .events = POLLIN};

    while (l->n > most) {
        if (poll(&waited, 1, -1) < 0 && errno != EINTR) {
            abort(); /* one descriptor of our own */
        }
        tasks_finish(l->finished);
    }
}

static void
give(struct lots *l)
{
    struct lot *lot = TAKE(l->gathering);

    *l->last = lot;
    l->last = &lot->next;
    l->n++;
    pool_submit(l->pool, &lot->task);
    wait_until(l, l->most);
}

void
lots_add(struct lots *l, struct lint_asked *asked, struct span issuer)
{
    if (l->gathering != NULL && l->gathering->issuer.p != issuer.p) {
        give(l);
    }
    if (l->gathering == NULL) {
        l->gathering = mem_new(sizeof(*l->gathering));
        l->gathering->task = (struct task){.run = lot_run, .done = lot_done};
        l->gathering->of = l;
        l->gathering->issuer = issuer;
    }
    l->gathering->asked[l->gathering->n++] = *asked;
    *asked = (struct lint_asked){0};
    if (l->gathering->n == LOT) {
        give(l);
    }
}

void
lots_end(struct lots *l)
{
    if (l->gathering != NULL) {
        give(l);
    }
    wait_until(l, 0);
}
