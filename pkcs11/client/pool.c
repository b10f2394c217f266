/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/client/pool.h"

#include <assert.h>
#include <pthread.h>

#include "base/ossl.h"

enum { TRY_EACH_MS = 1000 };

struct member {
    struct signer *signer;
    int64_t tried; /* clock_monotonic_ms() of when one that is away was tried last */
};

struct signer_pool {
    pthread_mutex_t lock; /* of the choice, so that two threads do not choose the same */
    struct member members[SIGNER_POOL_MAX];
    size_t n;
    size_t next; /* where the next choice begins: of equals each gets its turn */
};

struct signer_pool *
signer_pool_new(void)
{
    struct signer_pool *p = mem_new(sizeof(*p));

    (void)pthread_mutex_init(&p->lock, NULL);
    return p;
}

void
signer_pool_free(struct signer_pool *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        signer_free(p->members[i].signer);
    }
    (void)pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

int
signer_pool_add(struct signer_pool *p, struct signer *s, struct err *e)
{
    CLEANUP(signer_cleanup) struct signer *taken = s;

    assert(p->n < SIGNER_POOL_MAX);
    if (p->n > 0 && !span_equal(signer_spki(s), signer_spki(p->members[0].signer))) {
        return err_set(e, ERR_DENIED, "its key is another than the first signer's");
    }
    p->members[p->n++].signer = TAKE(taken);
    return 0;
}

/* ---- the choice ---- */

static bool
is_away(const struct member *m)
{
    return signer_pid(m->signer) == -1;
}

/* The one with the least to do; one that is away only when all are. */
static struct member *
choose(struct signer_pool *p)
{
    struct member *best = NULL;
    size_t least = 0;
    bool best_is_away = false;

    assert(p->n > 0);
    for (size_t i = 0; i < p->n; i++) {
        struct member *m = &p->members[(p->next + i) % p->n];
        const size_t waiting = signer_waiting(m->signer);
        const bool away = is_away(m);

        if (best == NULL || (best_is_away && !away) || (best_is_away == away && waiting < least)) {
            best = m;
            least = waiting;
            best_is_away = away;
        }
    }
    p->next = (size_t)(best - p->members + 1) % p->n;
    return best;
}

/* Nobody asks them for anything, so they would stay away. */
static void
try_others(struct signer_pool *p, const struct member *chosen)
{
    const int64_t now = clock_monotonic_ms();

    for (size_t i = 0; i < p->n; i++) {
        struct member *m = &p->members[i];

        if (m != chosen && is_away(m) && (m->tried == 0 || now - m->tried >= TRY_EACH_MS)) {
            m->tried = now;
            signer_try(m->signer);
        }
    }
}

void
signer_pool_submit(struct signer_pool *p, struct signer_job *job)
{
    struct member *m;

    (void)pthread_mutex_lock(&p->lock);
    m = choose(p);
    try_others(p, m);
    signer_submit(m->signer, job);
    (void)pthread_mutex_unlock(&p->lock);
}

/* ---- what is known ---- */

size_t
signer_pool_n(const struct signer_pool *p)
{
    return p->n;
}

struct signer *
signer_pool_at(const struct signer_pool *p, size_t i)
{
    return p->members[i].signer;
}

struct signer *
signer_pool_first(const struct signer_pool *p)
{
    return p->members[0].signer;
}

bool
signer_pool_is_software(const struct signer_pool *p)
{
    bool software = false;

    for (size_t i = 0; i < p->n; i++) {
        software = software || signer_is_software(p->members[i].signer);
    }
    return software;
}

uint64_t
signer_pool_attempts(const struct signer_pool *p)
{
    uint64_t attempts = 0;

    for (size_t i = 0; i < p->n; i++) {
        attempts += signer_attempts(p->members[i].signer);
    }
    return attempts;
}
