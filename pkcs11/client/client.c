/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that wait, the thread that takes them to the signer in batches, and who waits for an answer.
 */
#include "pkcs11/client/client.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "pkcs11/client/attempted.h"
#include "pkcs11/client/evidence.h"
#include "pkcs11/client/signer.h"

enum { START_TRIES = 5, START_PAUSE_MS = 500 };

static void
set_pid(struct signer *s, pid_t pid)
{
    (void)pthread_mutex_lock(&s->lock);
    s->pid = pid;
    (void)pthread_mutex_unlock(&s->lock);
}

static void
go_down(struct signer *s, int grace_ms)
{
    set_pid(s, -1);
    signer_process_stop(&s->process, grace_ms);
}

static int
go_up(struct signer *s, struct err *e)
{
    int (*look)(void *arg, struct signer *, struct err *e);
    struct signer_counts counts;
    uint64_t known;

    if (signer_process_start(&s->process, &counts, e) != 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->pid = signer_process_pid(&s->process);
    s->apart = signer_process_is_apart(&s->process);
    known = s->counts.attempts;
    look = s->look;
    s->counts.attempts = counts.attempts > known ? counts.attempts : known;
    if (counts.signatures > s->counts.signatures) { /* after a kill it knows of less than we do */
        s->counts.signatures = counts.signatures;
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (look != NULL) {
        return look(s->look_arg, s, e);
    }
    return counts.attempts >= known
               ? 0
               : err_set(e, ERR_DENIED,
                         "the signer came back with an older journal: it has %" PRIu64
                         " attempts, and had %" PRIu64,
                         counts.attempts, known);
}

static int
ensure_up(struct signer *s, struct err *e)
{
    if (signer_process_is_up(&s->process)) {
        return 0;
    }
    go_down(s, 0);
    if (go_up(s, e) != 0) {
        go_down(s, 0);
        return -1;
    }
    return 0;
}

static void
finish(struct signer *s, struct signer_job *job)
{
    (void)pthread_mutex_lock(&s->lock);
    s->waiting--;
    (void)pthread_mutex_unlock(&s->lock);
    if (job->private_ == NULL) {
        tasks_post(s->finished, &job->task);
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    *(bool *)job->private_ = true;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

static void
fail(struct signer *s, struct signer_job *job, const struct err *e)
{
    job->result = -1;
    job->e = *e;
    buf_truncate(&job->signature, 0);
    finish(s, job);
}

/* Every failure of the way to the signer is one of the token for whoever submitted. */
static void
fail_all(struct signer *s, struct signer_job **jobs, size_t n, const struct err *reason)
{
    struct err e = *reason;

    if (e.code != ERR_PIN && e.code != ERR_STALE) {
        e.code = ERR_TOKEN;
    }
    for (size_t i = 0; i < n; i++) {
        if (jobs[i] != NULL) {
            fail(s, jobs[i], &e);
        }
    }
}

static void
answered(void *context, struct signer_job *job, bool attempted)
{
    struct signer *s = context;

    if (attempted) {
        (void)pthread_mutex_lock(&s->lock);
        s->counts.attempts++;
        s->counts.signatures++;
        (void)pthread_mutex_unlock(&s->lock);
    }
    finish(s, job);
}

static void
work(struct signer *s, struct signer_job **jobs, size_t n)
{
    struct err e = {0};
    bool ending = false;

    /* Too large ones would end the connection for the others. */
    for (size_t i = 0; i < n;) {
        if (jobs[i]->tbs.n > 0 && jobs[i]->tbs.n <= SIGNER_TBS_MAX &&
            jobs[i]->evidence.n <= SIGNER_EVIDENCE_MAX) {
            i++;
            continue;
        }
        (void)err_set(&e, ERR_INPUT, "an object of %zu octets", jobs[i]->tbs.n);
        fail(s, jobs[i], &e);
        jobs[i] = jobs[--n];
    }
    if (n == 0) {
        return;
    }
    if (ensure_up(s, &e) != 0) {
        fail_all(s, jobs, n, &e);
    } else if (signer_process_ask(&s->process, jobs, n, answered, s, &ending, &e) != 0) {
        go_down(s, 0);
        fail_all(s, jobs, n, &e);
    } else if (ending) {
        go_down(s, SIGNER_GRACE_MS);
    }
}

/* Waits for work; 0 when the client stops. */
static size_t
take_jobs(struct signer *s, struct signer_job **jobs)
{
    size_t n = 0;

    (void)pthread_mutex_lock(&s->lock);
    while (s->first == NULL && !s->stopping) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    while (s->first != NULL && n < SIGNER_BATCH_MAX && !s->stopping) {
        struct task *task = s->first;

        s->first = task->next;
        if (s->first == NULL) {
            s->last = &s->first;
        }
        task->next = NULL;
        jobs[n++] = CONTAINER_OF(task, struct signer_job, task);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

static void *
thread_main(void *argument)
{
    struct signer *s = argument;
    struct signer_job *jobs[SIGNER_BATCH_MAX];
    struct err e = {0};
    int result = go_up(s, &e);
    size_t n;

    (void)pthread_mutex_lock(&s->lock);
    s->started = true;
    s->start_result = result;
    s->start_error = e;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    while (result == 0 && (n = take_jobs(s, jobs)) > 0) {
        work(s, jobs, n);
    }
    go_down(s, SIGNER_GRACE_MS);
    return NULL;
}

struct signer *
signer_start(const struct signer_options *o, struct err *e)
{
    struct signer *s = mem_new(sizeof(*s));
    int errnum;

    s->finished = o->finished;
    signer_process_init(&s->process, o);
    s->pid = -1;
    s->last = &s->first;
    s->trial_ended = true;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->changed, NULL);
    /* The thread forks, because the child gets SIGTERM when the thread that forked it ends. */
    errnum = pthread_create(&s->thread, NULL, thread_main, s);
    if (errnum != 0) {
        (void)err_errno(e, ERR_IO, errnum, "start a thread");
        s->started = true;
        s->stopping = true;
        s->thread = pthread_self();
        signer_free(s);
        return NULL;
    }
    (void)pthread_mutex_lock(&s->lock);
    while (!s->started) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (s->start_result != 0) {
        *e = s->start_error;
        signer_free(s);
        return NULL;
    }
    return s;
}

/* A PIN that was refused is not tried again. */
static bool
is_worth_another_try(const struct err *e)
{
    return e->code == ERR_NOTFOUND || e->code == ERR_TOKEN || e->code == ERR_BUSY;
}

struct signer *
signer_start_patiently(const struct signer_options *o,
                       void (*failed)(const struct signer_options *, const struct err *),
                       struct err *e)
{
    const struct timespec pause = {.tv_nsec = START_PAUSE_MS * 1000000L};
    struct signer *s = signer_start(o, e);

    for (int tries = 1; s == NULL && tries < START_TRIES && is_worth_another_try(e); tries++) {
        failed(o, e);
        (void)nanosleep(&pause, NULL);
        s = signer_start(o, e);
    }
    return s;
}

void
signer_free(struct signer *s)
{
    struct err e = {0};
    struct task *task;

    if (s == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->stopping = true;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    if (pthread_equal(s->thread, pthread_self()) == 0) {
        (void)pthread_join(s->thread, NULL);
    }
    (void)err_set(&e, ERR_TOKEN, "the signer was stopped");
    while ((task = s->first) != NULL) {
        s->first = task->next;
        task->next = NULL;
        fail(s, CONTAINER_OF(task, struct signer_job, task), &e);
    }
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->lock);
    signer_process_clear(&s->process);
    buf_free(&s->trial.signature);
    mem_free(s);
}

static struct buf
room_for(enum signer_object object)
{
    return object == SIGNER_SEAL        ? BUF_SECRET(SIGNATURE_MAX)
           : object == SIGNER_ATTEMPTED ? BUF_INIT(ATTEMPTED_MAX)
                                        : BUF_INIT(SIGNATURE_MAX);
}

static void
enqueue(struct signer *s, struct signer_job *job)
{
    job->result = -1;
    job->task.next = NULL;
    (void)pthread_mutex_lock(&s->lock);
    assert(!s->stopping);
    *s->last = &job->task;
    s->last = &job->task.next;
    s->waiting++;
    (void)pthread_mutex_unlock(&s->lock);
    /* Behind the lock, which who is woken needs at once. */
    (void)pthread_cond_broadcast(&s->changed);
}

void
signer_submit(struct signer *s, struct signer_job *job)
{
    assert(s->finished != NULL);
    job->private_ = NULL;
    job->signature = room_for(job->object);
    enqueue(s, job);
}

/* A question that its journal need not be read for: what is behind any line? */
void
signer_try(struct signer *s)
{
    bool free;

    (void)pthread_mutex_lock(&s->lock);
    free = s->trial_ended;
    s->trial_ended = false;
    (void)pthread_mutex_unlock(&s->lock);
    if (!free) {
        return;
    }
    buf_free(&s->trial.signature);
    attempted_ask(UINT64_MAX, s->trial_question);
    s->trial = (struct signer_job){.object = SIGNER_ATTEMPTED,
                                   .tbs = span_of(s->trial_question, sizeof(s->trial_question)),
                                   .signature = room_for(SIGNER_ATTEMPTED),
                                   .private_ = &s->trial_ended};
    enqueue(s, &s->trial);
}

void
signer_look(struct signer *s, int (*look)(void *arg, struct signer *, struct err *e), void *arg)
{
    (void)pthread_mutex_lock(&s->lock);
    s->look = look;
    s->look_arg = arg;
    (void)pthread_mutex_unlock(&s->lock);
}

/* Of signer_look(), which is on the thread that asks. */
static void
ask_from_within(struct signer *s, struct signer_job *job)
{
    bool ending = false;

    job->result = -1;
    (void)pthread_mutex_lock(&s->lock);
    s->waiting++;
    (void)pthread_mutex_unlock(&s->lock);
    if (signer_process_ask(&s->process, &job, 1, answered, s, &ending, &job->e) != 0) {
        struct err e = job->e;

        fail_all(s, &job, 1, &e);
    }
}

int
signer_sign_logged(struct signer *s, enum signer_object object, struct span tbs,
                   struct span evidence, struct buf *signature, struct err *e)
{
    bool answered = false;
    struct signer_job job = {
        .object = object, .tbs = tbs, .evidence = evidence, .private_ = &answered};

    job.signature = room_for(object);
    if (pthread_equal(s->thread, pthread_self()) != 0) {
        ask_from_within(s, &job);
    } else {
        enqueue(s, &job);
    }
    (void)pthread_mutex_lock(&s->lock);
    while (!answered) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (job.result == 0) {
        job.result = buf_set(signature, buf_span(&job.signature), &job.e);
    }
    if (job.result != 0) {
        *e = job.e;
    }
    buf_free(&job.signature);
    return job.result;
}

int
signer_sign(struct signer *s, enum signer_object object, struct span tbs, struct buf *signature,
            struct err *e)
{
    return signer_sign_logged(s, object, tbs, span_of(NULL, 0), signature, e);
}

int
signer_seal_key(struct signer *s, struct span text, struct buf *key, struct err *e)
{
    return signer_sign(s, SIGNER_SEAL, text, key, e);
}

int
signer_last(struct signer *s, struct signed_last *last, struct err *e)
{
    CLEANUP(buf_free) struct buf answer = BUF_INIT(SIGNATURE_MAX);

    return signer_sign(s, SIGNER_LAST, SIGNER_LAST_TEXT, &answer, e) != 0
               ? -1
               : signed_last_decode(buf_span(&answer), last, e);
}

int
signer_anchor(struct signer *s, struct signer_anchored *out, struct err *e)
{
    CLEANUP(buf_free) struct buf answer = BUF_INIT(SIGNATURE_MAX);

    return signer_sign(s, SIGNER_ANCHOR, SIGNER_ANCHOR_TEXT, &answer, e) != 0
               ? -1
               : signer_anchored_decode(buf_span(&answer), out, e);
}

int
signer_attempted(struct signer *s, uint64_t first, struct buf *answer, struct err *e)
{
    uint8_t question[ATTEMPTED_QUESTION_SIZE];

    attempted_ask(first, question);
    return signer_sign(s, SIGNER_ATTEMPTED, span_of(question, sizeof(question)), answer, e);
}
