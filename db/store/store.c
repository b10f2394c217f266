/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer thread. Invariants: the connection belongs to the opener until the thread starts and
 * after it was joined, to the thread in between; what waits and rests, `stopping` and `stats`
 * belong to `lock`; an operation is posted exactly once.
 */
#include "db/store/store.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "db/store/connection.h"

struct store {
    struct store_db db;
    struct tasks *finished;
    OSSL_LIB_CTX *libctx; /* default of the writer thread */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t work; /* something waits, or stopping */
    pthread_cond_t over; /* a store_call is over */
    struct task *first;
    struct task **last;
    struct task *resting; /* store_rest(), in their order */
    struct task **last_resting;
    bool stopping;
    atomic_bool failed;
    enum err_code why; /* it failed; the writer thread's */
    struct store_stats stats;
};

struct group {
    struct store_op *ops[STORE_GROUP_MAX];
    size_t n;
};

/* One operation inside the group's transaction; its failure undoes what it did, no more. */
static int
run_op(struct store_db *db, struct store_op *op, struct err *e)
{
    if (store_exec(db, "SAVEPOINT op", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    op->result = op->run(op, db, &op->e);
    /* SQLite ends the whole transaction by itself on some errors: then nobody's work is there. */
    if (db->broken || sqlite3_get_autocommit(db->sqlite) != 0) {
        *e = op->e;
        return -1;
    }
    if (op->result != 0 && connection_undo(db, "ROLLBACK TO op", e) != 0) {
        return -1;
    }
    return store_exec(db, "RELEASE op", STORE_NO_VALUES, e);
}

/* The only one of its group: the transaction is what is undone, so no page is copied for less. */
static int
run_alone(struct store_db *db, struct store_op *op, struct err *e)
{
    op->result = op->run(op, db, &op->e);
    if (db->broken || sqlite3_get_autocommit(db->sqlite) != 0) {
        *e = op->e;
        return -1;
    }
    return op->result == 0 || (connection_undo(db, "ROLLBACK", e) == 0 &&
                               store_exec(db, "BEGIN IMMEDIATE", STORE_NO_VALUES, e) == 0)
               ? 0
               : -1;
}

static int
run_transaction(struct store_db *db, struct group *group, struct err *e)
{
    if (store_exec(db, "BEGIN IMMEDIATE", STORE_NO_VALUES, e) != 0 ||
        (group->n == 1 && run_alone(db, group->ops[0], e) != 0)) {
        return -1;
    }
    for (size_t i = 0; i < group->n && group->n > 1; i++) {
        if (run_op(db, group->ops[i], e) != 0) {
            return -1;
        }
    }
    /* Not every read tells its error to who asked: that of a checkpoint tells it nobody. */
    return connection_check_pages(db, e) != 0 ? -1 : store_exec(db, "COMMIT", STORE_NO_VALUES, e);
}

/* Nothing of this group, nor of a later one, is believed again. */
static void
fail_group(struct store *store, struct group *group, const struct err *e)
{
    if (!atomic_load(&store->failed)) {
        store->why = e->code == ERR_STALE ? ERR_STALE : ERR_STORE;
        atomic_store(&store->failed, true);
    }
    for (size_t i = 0; i < group->n; i++) {
        struct store_op *op = group->ops[i];

        op->result =
            err_set(&op->e, store->why, "the database failed, stop and look: %.400s", e->text);
    }
}

static void
run_group(struct store *store, struct group *group)
{
    struct err e = {0};

    if (atomic_load(&store->failed)) {
        (void)err_set(&e, ERR_STORE, "%s: an earlier commit failed", store->db.path);
        fail_group(store, group, &e);
        return;
    }
    if (group->ops[0]->seal_) {
        group->ops[0]->result = connection_seal(&store->db, &group->ops[0]->e);
        if (store->db.broken) {
            fail_group(store, group, &group->ops[0]->e);
        }
        return;
    }
    if (run_transaction(&store->db, group, &e) != 0) {
        fail_group(store, group, &e);
        if (sqlite3_get_autocommit(store->db.sqlite) == 0) {
            (void)sqlite3_exec(store->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
        }
        return;
    }
    for (size_t i = 0; i < group->n; i++) {
        struct store_op *op = group->ops[i];

        if (op->result == 0 && op->after_commit != NULL) {
            op->result = op->after_commit(op, &store->db, &op->e);
        }
    }
}

static void
count_group(struct store *store, const struct group *group)
{
    store->stats.commits++;
    store->stats.ops += group->n;
    if (group->n > store->stats.largest_group) {
        store->stats.largest_group = group->n;
    }
    for (size_t i = 0; i < group->n; i++) {
        store->stats.failed_ops += group->ops[i]->result != 0 ? 1 : 0;
    }
}

/* Behind tasks_post() an operation may be gone already. */
static void
post_group(struct store *store, struct group *group)
{
    bool calls = false;

    (void)pthread_mutex_lock(&store->lock);
    count_group(store, group);
    for (size_t i = 0; i < group->n; i++) {
        struct store_op *op = group->ops[i];

        if (op->call_) {
            op->over_ = true;
            calls = true;
        }
    }
    if (calls) {
        (void)pthread_cond_broadcast(&store->over);
    }
    /* Calls return only when they get the lock, so every op is still there until it is posted. */
    for (size_t i = 0; i < group->n; i++) {
        struct store_op *op = group->ops[i];

        if (!op->call_) {
            tasks_post(store->finished, &op->task);
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
}

/* What seals runs in no transaction, so with nobody else. */
static bool
is_alone(const struct store *store, const struct group *group)
{
    return group->n > 0 &&
           (group->ops[0]->seal_ || CONTAINER_OF(store->first, struct store_op, task)->seal_);
}

/* In front of all that waits. */
static void
wake_resting(struct store *store)
{
    if (store->resting == NULL) {
        return;
    }
    *store->last_resting = store->first;
    if (store->first == NULL) {
        store->last = store->last_resting;
    }
    store->first = store->resting;
    store->resting = NULL;
    store->last_resting = &store->resting;
}

/* Does something of what waits write? */
static bool
has_writer(const struct store *store)
{
    for (const struct task *task = store->first; task != NULL; task = task->next) {
        const struct store_op *op =
            (const struct store_op *)(const void *)((const char *)task -
                                                    offsetof(struct store_op, task));

        if (!op->reads) {
            return true;
        }
    }
    return false;
}

/* Takes what waits; false when there is nothing and will be nothing. */
static bool
take_group(struct store *store, struct group *group)
{
    group->n = 0;
    (void)pthread_mutex_lock(&store->lock);
    while (store->first == NULL && !store->stopping) {
        (void)pthread_cond_wait(&store->work, &store->lock);
    }
    if (store->stopping || has_writer(store)) {
        wake_resting(store);
    }
    while (store->first != NULL && group->n < STORE_GROUP_MAX && !is_alone(store, group)) {
        struct task *task = store->first;

        store->first = task->next;
        task->next = NULL;
        group->ops[group->n++] = CONTAINER_OF(task, struct store_op, task);
    }
    if (store->first == NULL) {
        store->last = &store->first;
    }
    (void)pthread_mutex_unlock(&store->lock);
    return group->n > 0;
}

static void *
writer(void *argument)
{
    struct store *store = argument;
    struct group group;

    /* A context of its own, as base/pool's workers have: OpenSSL's shared one does not scale. */
    (void)OSSL_LIB_CTX_set0_default(store->libctx);
    while (take_group(store, &group)) {
        run_group(store, &group);
        post_group(store, &group);
    }
    OPENSSL_thread_stop_ex(store->libctx);
    return NULL;
}

struct store *
store_open(const struct store_options *options, struct err *e)
{
    struct store *store = mem_new(sizeof(*store));
    int errnum;

    (void)pthread_mutex_init(&store->lock, NULL);
    (void)pthread_cond_init(&store->work, NULL);
    (void)pthread_cond_init(&store->over, NULL);
    store->last = &store->first;
    store->last_resting = &store->resting;
    store->finished = options->finished;
    store->libctx = OSSL_LIB_CTX_new();
    if (store->libctx == NULL) {
        abort();
    }
    if (connection_open(&store->db, options, e) != 0) {
        store_free(store);
        return NULL;
    }
    errnum = pthread_create(&store->thread, NULL, writer, store);
    if (errnum != 0) {
        (void)err_errno(e, ERR_STORE, errnum, "start the writer thread");
        store_free(store);
        return NULL;
    }
    store->started = true;
    return store;
}

void
store_free(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->started) {
        (void)pthread_mutex_lock(&store->lock);
        store->stopping = true;
        (void)pthread_cond_signal(&store->work);
        (void)pthread_mutex_unlock(&store->lock);
        (void)pthread_join(store->thread, NULL);
    }
    connection_close(&store->db);
    OSSL_LIB_CTX_free(store->libctx);
    (void)pthread_cond_destroy(&store->over);
    (void)pthread_cond_destroy(&store->work);
    (void)pthread_mutex_destroy(&store->lock);
    mem_free(store);
}

static void
prepare(struct store_op *op)
{
    op->result = -1;
    op->e = (struct err){0};
    op->over_ = false;
    op->task.next = NULL;
}

/* Under the lock. */
static void
push(struct store *store, struct store_op *op)
{
    prepare(op);
    *store->last = &op->task;
    store->last = &op->task.next;
}

void
store_submit(struct store *store, struct store_op *op)
{
    (void)pthread_mutex_lock(&store->lock);
    op->call_ = false;
    push(store, op);
    (void)pthread_mutex_unlock(&store->lock);
    /* Behind the lock, which who is woken needs at once. */
    (void)pthread_cond_signal(&store->work);
}

void
store_rest(struct store *store, struct store_op *op)
{
    (void)pthread_mutex_lock(&store->lock);
    op->call_ = false;
    prepare(op);
    *store->last_resting = &op->task;
    store->last_resting = &op->task.next;
    (void)pthread_mutex_unlock(&store->lock);
}

void
store_hurry(struct store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    wake_resting(store);
    (void)pthread_mutex_unlock(&store->lock);
    (void)pthread_cond_signal(&store->work);
}

int
store_call(struct store *store, struct store_op *op, struct err *e)
{
    (void)pthread_mutex_lock(&store->lock);
    op->call_ = true;
    push(store, op);
    (void)pthread_cond_signal(&store->work);
    while (!op->over_) {
        (void)pthread_cond_wait(&store->over, &store->lock);
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (op->result != 0) {
        *e = op->e;
    }
    return op->result;
}

int
store_seal(struct store *store, struct err *e)
{
    struct store_op op = {.seal_ = true};

    return store_call(store, &op, e);
}

bool
store_is_failed(const struct store *store)
{
    return atomic_load(&store->failed);
}

struct store_stats
store_stats_get(struct store *store)
{
    struct store_stats stats;

    (void)pthread_mutex_lock(&store->lock);
    stats = store->stats;
    (void)pthread_mutex_unlock(&store->lock);
    return stats;
}
