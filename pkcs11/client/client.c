/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's thread alone owns the child and its socket. What other threads touch is under
 * `lock`: the queue, `pid`, `attempts`, `waiting` and the state of the start.
 *
 *   DOWN --start--> UP --job--> frames out, answers in --> UP
 *   UP --end of file, deadline, nonsense--> DOWN, jobs under way fail with ERR_TOKEN
 *   DOWN --ERR_PIN or another key--> SHUT: no start is tried again
 */
#include "pkcs11/client/client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "pkcs11/client/hello.h"
#include "pkcs11/client/protocol.h"

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_MAX_MS = 5000,
};

struct signer {
    char *program, *policy;
    int pin_fd, timeout_ms;
    struct tasks *finished;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* work came, a start ended, or a blocking job was answered */
    struct task *first, **last;
    bool stopping;
    bool started; /* the first start has ended, well or with start_error */
    int start_result;
    struct err start_error;
    pid_t pid;
    uint64_t attempts;
    size_t waiting; /* submitted, and not finished */

    /* Written by the thread before `started`, then only read. */
    struct signer_hello pinned;

    /* The thread's own. */
    struct child child;
    struct buf out, in;
    uint64_t number;
    bool ending; /* the signer said that it ends after this answer */
    bool shut;
    struct err shut_error;
    int64_t not_before; /* clock_monotonic_ms() of the next start that may be tried */
    int pause_ms;
};

/* The thread: a signer that came back must be the same. */
static int
check_same(struct signer *s, const struct signer_hello *now, struct err *e)
{
    if (!span_equal(buf_span(&now->spki), buf_span(&s->pinned.spki)) ||
        !span_equal(span_of(now->policy_hash, SHA256_SIZE),
                    span_of(s->pinned.policy_hash, SHA256_SIZE))) {
        return err_set(e, ERR_DENIED,
                       "the signer came back with another key or policy (%s was changed): restart "
                       "the daemon to accept it",
                       s->policy);
    }
    return 0;
}

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
    child_stop(&s->child, grace_ms);
}

static int
go_up(struct signer *s, bool first, struct err *e)
{
    struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
    int result = signer_greet(s->program, s->policy, s->pin_fd, false, s->timeout_ms, &s->child,
                              &s->in, &hello, e);

    if (result == 0 && !first && check_same(s, &hello, e) != 0) {
        child_stop(&s->child, 0);
        result = -1;
    }
    if (result != 0) {
        s->pause_ms = s->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * s->pause_ms;
        s->pause_ms = s->pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : s->pause_ms;
        s->not_before = clock_monotonic_ms() + s->pause_ms;
        /* A PIN is tried once: what is wrong now stays wrong, and the token counts. */
        s->shut = s->shut || e->code == ERR_PIN || e->code == ERR_DENIED;
        s->shut_error = *e;
        buf_free(&hello.spki);
        return -1;
    }
    s->pause_ms = 0;
    (void)pthread_mutex_lock(&s->lock);
    s->pid = s->child.pid;
    s->attempts = hello.attempts;
    (void)pthread_mutex_unlock(&s->lock);
    if (first) {
        s->pinned = hello;
    } else {
        buf_free(&hello.spki);
    }
    return 0;
}

/* Between batches the signer has nothing to say: anything readable is its end. */
static bool
is_dead(const struct signer *s)
{
    struct pollfd p = {.fd = s->child.fd, .events = POLLIN};

    return s->child.fd < 0 || poll(&p, 1, 0) != 0;
}

static int
ensure_up(struct signer *s, struct err *e)
{
    if (!is_dead(s)) {
        return 0;
    }
    go_down(s, 0);
    if (s->shut || clock_monotonic_ms() < s->not_before) {
        *e = s->shut_error;
        return -1;
    }
    return go_up(s, false, e);
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

    if (e.code != ERR_PIN) {
        e.code = ERR_TOKEN;
    }
    for (size_t i = 0; i < n; i++) {
        if (jobs[i] != NULL) {
            fail(s, jobs[i], &e);
        }
    }
}

static int
send_job(struct signer *s, struct signer_job *job, struct err *e)
{
    struct signer_frame frame = {
        .type = SIGNER_SIGN,
        .detail = (uint8_t)job->object,
        .bytes = job->tbs,
        .evidence = job->evidence,
    };

    job->number_ = ++s->number;
    frame.number = job->number_;
    if (signer_frame_encode(&frame, &s->out, e) != 0) {
        return -1;
    }
    return frame_write(s->child.fd, buf_span(&s->out), s->timeout_ms, e);
}

/* Gives the answer to its job; the slot becomes NULL. */
static int
take_answer(struct signer *s, const struct signer_frame *frame, struct signer_job **jobs, size_t n,
            struct err *e)
{
    size_t i = 0;
    struct signer_job *job;

    while (i < n && (jobs[i] == NULL || jobs[i]->number_ != frame->number)) {
        i++;
    }
    if (i == n) {
        return err_set(e, ERR_TOKEN, "the signer answered a job that is not there");
    }
    job = jobs[i];
    if (frame->type == SIGNER_SIGNED) {
        (void)pthread_mutex_lock(&s->lock);
        s->attempts++;
        (void)pthread_mutex_unlock(&s->lock);
        job->result = buf_set(&job->signature, frame->bytes, &job->e);
    } else if (frame->type == SIGNER_REFUSED) {
        job->result = signer_reason(frame, &job->e);
        /* A refusal of the object leaves the signer alive, any other reason ends it. */
        s->ending = s->ending || (job->e.code != ERR_INPUT && job->e.code != ERR_DENIED);
    } else {
        return err_set(e, ERR_TOKEN, "the signer answered with a frame of type %d",
                       (int)frame->type);
    }
    jobs[i] = NULL;
    finish(s, job);
    return 0;
}

static int
exchange(struct signer *s, struct signer_job **jobs, size_t n, struct err *e)
{
    struct signer_frame frame;

    for (size_t i = 0; i < n; i++) {
        if (send_job(s, jobs[i], e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (signer_read_frame(s->child.fd, s->timeout_ms, &s->in, &frame, e) != 0) {
            return -1;
        }
        if (frame.type == SIGNER_FAILED) {
            return signer_reason(&frame, e);
        }
        if (take_answer(s, &frame, jobs, n, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
work(struct signer *s, struct signer_job **jobs, size_t n)
{
    struct err e = {0};

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
    s->ending = false;
    if (ensure_up(s, &e) != 0) {
        fail_all(s, jobs, n, &e);
    } else if (exchange(s, jobs, n, &e) != 0) {
        go_down(s, 0);
        fail_all(s, jobs, n, &e);
    } else if (s->ending) {
        go_down(s, SIGNER_GRACE_MS);
    }
    buf_truncate(&s->out, 0);
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
    int result = go_up(s, true, &e);
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

    s->program = mem_strdup(o->program);
    s->policy = mem_strdup(o->policy);
    s->pin_fd = o->pin_fd;
    s->timeout_ms = o->timeout_ms == 0 ? SIGNER_TIMEOUT_MS : o->timeout_ms;
    s->finished = o->finished;
    s->child = (struct child){.pid = -1, .fd = -1};
    s->pid = -1;
    s->last = &s->first;
    s->out = BUF_INIT(SIGNER_FRAME_MAX);
    s->in = BUF_SECRET(SIGNER_ANSWER_MAX);
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
    buf_free(&s->pinned.spki);
    buf_free(&s->out);
    buf_free(&s->in);
    mem_free(s->program);
    mem_free(s->policy);
    mem_free(s);
}

static void
enqueue(struct signer *s, struct signer_job *job)
{
    job->result = -1;
    job->signature =
        job->object == SIGNER_SEAL ? BUF_SECRET(SIGNATURE_MAX) : BUF_INIT(SIGNATURE_MAX);
    job->task.next = NULL;
    (void)pthread_mutex_lock(&s->lock);
    assert(!s->stopping);
    *s->last = &job->task;
    s->last = &job->task.next;
    s->waiting++;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

void
signer_submit(struct signer *s, struct signer_job *job)
{
    assert(s->finished != NULL);
    job->private_ = NULL;
    enqueue(s, job);
}

int
signer_sign_logged(struct signer *s, enum signer_object object, struct span tbs,
                   struct span evidence, struct buf *signature, struct err *e)
{
    bool answered = false;
    struct signer_job job = {
        .object = object, .tbs = tbs, .evidence = evidence, .private_ = &answered};

    enqueue(s, &job);
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
signer_seal_key(struct signer *s, struct buf *key, struct err *e)
{
    return signer_sign(s, SIGNER_SEAL, SIGNER_SEAL_TEXT, key, e);
}

struct span
signer_spki(const struct signer *s)
{
    return buf_span(&s->pinned.spki);
}

enum key_algorithm
signer_algorithm(const struct signer *s)
{
    return s->pinned.algorithm;
}

struct span
signer_algorithm_identifier(const struct signer *s)
{
    return key_algorithm_identifier(s->pinned.algorithm);
}

bool
signer_is_software(const struct signer *s)
{
    return s->pinned.software;
}

struct span
signer_policy_hash(const struct signer *s)
{
    return span_of(s->pinned.policy_hash, SHA256_SIZE);
}

pid_t
signer_pid(struct signer *s)
{
    pid_t pid;

    (void)pthread_mutex_lock(&s->lock);
    pid = s->pid;
    (void)pthread_mutex_unlock(&s->lock);
    return pid;
}

size_t
signer_waiting(struct signer *s)
{
    size_t waiting;

    (void)pthread_mutex_lock(&s->lock);
    waiting = s->waiting;
    (void)pthread_mutex_unlock(&s->lock);
    return waiting;
}

uint64_t
signer_attempts(struct signer *s)
{
    uint64_t attempts;

    (void)pthread_mutex_lock(&s->lock);
    attempts = s->attempts;
    (void)pthread_mutex_unlock(&s->lock);
    return attempts;
}
