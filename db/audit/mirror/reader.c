/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/reader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "db/audit/walk.h"

struct reader {
    struct audit_log *log;
    uint64_t from;
    pthread_t thread;
    bool started;
    struct reader_bundle *filling; /* the thread's */
    struct reader_bundle *given;   /* the caller's */

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct reader_bundle *ready[READER_AHEAD]; /* oldest first */
    size_t n;
    struct reader_bundle *spent; /* the caller's before: who made it ends it */
    bool stopped;                /* nobody wants any more */
    bool ended;                  /* and so it is with the folder: */
    int result;
    struct err e;
};

static void
bundle_free(struct reader_bundle *b)
{
    for (size_t i = 0; b != NULL && i < b->n; i++) {
        leaf_free(b->leaves[i]);
    }
    mem_free(b);
}

/* ---- the thread ---- */

/* -1: nobody wants it, nor hears why. */
static int
hand_over(struct reader *r)
{
    struct reader_bundle *spent;
    int result = -1;

    (void)pthread_mutex_lock(&r->lock);
    while (r->n == READER_AHEAD && !r->stopped) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    if (!r->stopped) {
        r->ready[r->n++] = TAKE(r->filling);
        (void)pthread_cond_signal(&r->changed);
        result = 0;
    }
    spent = TAKE(r->spent);
    (void)pthread_mutex_unlock(&r->lock);
    bundle_free(spent);
    return result;
}

static int
leaf_read(void *arg, uint64_t index, const char *file, struct span body, struct err *e)
{
    struct reader *r = arg;
    struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL) {
        return err_wrap(e, "%s: leaf %" PRIu64, file, index);
    }
    if (r->filling == NULL) {
        r->filling = mem_new(sizeof(*r->filling));
        r->filling->first = index;
        (void)snprintf(r->filling->file, sizeof(r->filling->file), "%s", file);
    }
    r->filling->leaves[r->filling->n++] = leaf;
    return (index + 1) % AUDIT_WIDTH == 0 ? hand_over(r) : 0;
}

static void *
run(void *arg)
{
    struct reader *r = arg;
    struct err e = {0};
    int result = audit_walk_from(r->log, r->from, leaf_read, r, &e);

    if (result == 0 && r->filling != NULL) {
        (void)hand_over(r);
    }
    (void)pthread_mutex_lock(&r->lock);
    r->ended = true;
    r->result = result;
    r->e = e;
    (void)pthread_cond_signal(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* ---- who takes them ---- */

void
reader_free(struct reader *r)
{
    if (r == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&r->lock);
    r->stopped = true;
    (void)pthread_cond_signal(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    if (r->started) {
        (void)pthread_join(r->thread, NULL);
    }
    for (size_t i = 0; i < r->n; i++) {
        bundle_free(r->ready[i]);
    }
    bundle_free(r->filling);
    bundle_free(r->given);
    bundle_free(r->spent);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

struct reader *
reader_new(struct audit_log *log, uint64_t from, struct err *e)
{
    CLEANUP(reader_cleanup) struct reader *r = mem_new(sizeof(*r));
    int errnum;

    r->log = log;
    r->from = from;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->changed, NULL);
    errnum = pthread_create(&r->thread, NULL, run, r);
    if (errnum != 0) {
        (void)err_errno(e, ERR_BUSY, errnum, "a thread that reads the ledger");
        return NULL;
    }
    r->started = true;
    return TAKE(r);
}

int
reader_next(struct reader *r, const struct reader_bundle **out, struct err *e)
{
    struct reader_bundle *spent;
    int result = 0;

    (void)pthread_mutex_lock(&r->lock);
    spent = TAKE(r->spent); /* the thread had no time for it */
    r->spent = TAKE(r->given);
    while (r->n == 0 && !r->ended) {
        (void)pthread_cond_wait(&r->changed, &r->lock);
    }
    if (r->n > 0) {
        r->given = r->ready[0];
        r->n--;
        for (size_t i = 0; i < r->n; i++) {
            r->ready[i] = r->ready[i + 1];
        }
        (void)pthread_cond_signal(&r->changed);
    } else if (r->result != 0) {
        *e = r->e;
        result = -1;
    }
    (void)pthread_mutex_unlock(&r->lock);
    bundle_free(spent);
    *out = r->given;
    return result;
}
