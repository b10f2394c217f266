/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/client/process.h"

#include <poll.h>
#include <unistd.h>

#include "base/file.h"

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_MAX_MS = 5000,
    FRAMES_MAX = 64 * 1024, /* sent at once */
};

void
signer_process_init(struct signer_process *p, const struct signer_options *o)
{
    *p = (struct signer_process){
        .program = o->program == NULL ? NULL : mem_strdup(o->program),
        .policy = o->policy == NULL ? NULL : mem_strdup(o->policy),
        .socket = o->socket == NULL ? NULL : mem_strdup(o->socket),
        .pin_fd = o->pin_fd,
        .timeout_ms = o->timeout_ms == 0 ? SIGNER_TIMEOUT_MS : o->timeout_ms,
        .child = {.pid = -1, .fd = -1},
        .out = BUF_INIT(SIGNER_FRAME_MAX),
        .in = BUF_SECRET(SIGNER_ANSWER_MAX),
        .frames = BUF_INIT(FRAMES_MAX),
    };
}

void
signer_process_clear(struct signer_process *p)
{
    buf_free(&p->pinned.spki);
    buf_free(&p->out);
    buf_free(&p->frames);
    buf_free(&p->in);
    mem_free(p->program);
    mem_free(p->policy);
    mem_free(p->socket);
}

/* Between batches the signer has nothing to say: anything readable is its end. */
bool
signer_process_is_up(const struct signer_process *p)
{
    struct pollfd readable = {.fd = p->child.fd, .events = POLLIN};

    return p->child.fd >= 0 && poll(&readable, 1, 0) == 0;
}

/* A signer that came back must be the same. */
static int
check_same(const struct signer_process *p, const struct signer_hello *now, struct err *e)
{
    if (!span_equal(buf_span(&now->spki), buf_span(&p->pinned.spki)) ||
        !span_equal(span_of(now->policy_hash, SHA256_SIZE),
                    span_of(p->pinned.policy_hash, SHA256_SIZE))) {
        return err_set(e, ERR_DENIED,
                       "the signer came back with another key or policy (%s): restart the daemon "
                       "to accept it",
                       p->socket == NULL ? p->policy : p->socket);
    }
    return 0;
}

static int
has_failed(struct signer_process *p, const struct err *e)
{
    p->pause_ms = p->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * p->pause_ms;
    p->pause_ms = p->pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : p->pause_ms;
    p->not_before = clock_monotonic_ms() + p->pause_ms;
    /* A PIN is tried once: what is wrong now stays wrong, and the token counts. */
    p->shut = p->shut || (p->socket == NULL &&
                          (e->code == ERR_PIN || e->code == ERR_DENIED || e->code == ERR_STALE));
    p->shut_error = *e;
    return -1;
}

int
signer_process_start(struct signer_process *p, struct signer_counts *counts, struct err *e)
{
    struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
    bool first = p->pinned.spki.n == 0;
    int result;

    if (p->shut || clock_monotonic_ms() < p->not_before) {
        *e = p->shut_error;
        return -1;
    }
    result = p->socket != NULL
                 ? signer_call(p->socket, p->timeout_ms, &p->child, &p->in, &hello, &p->service, e)
                 : signer_greet(p->program, p->policy, p->pin_fd, false, p->timeout_ms, &p->child,
                                &p->in, &hello, e);
    if (result == 0 && !first && check_same(p, &hello, e) != 0) {
        child_stop(&p->child, 0);
        result = -1;
    }
    if (result != 0) {
        buf_free(&hello.spki);
        return has_failed(p, e);
    }
    p->pause_ms = 0;
    *counts = hello.counts;
    if (first) {
        p->pinned = hello;
    } else {
        buf_free(&hello.spki);
    }
    return 0;
}

pid_t
signer_process_pid(const struct signer_process *p)
{
    return p->socket == NULL ? p->child.pid : p->service.pid;
}

/* For root nobody is. */
bool
signer_process_is_apart(const struct signer_process *p)
{
    return p->socket != NULL && geteuid() != 0 && p->service.uid != geteuid();
}

void
signer_process_stop(struct signer_process *p, int grace_ms)
{
    child_stop(&p->child, grace_ms);
}

static int
flush(struct signer_process *p, struct err *e)
{
    const int result = frames_write(p->child.fd, buf_span(&p->frames), p->timeout_ms, e);

    buf_truncate(&p->frames, 0);
    return result;
}

/* What is not large goes with the next one: then the signer has them at once, and its journal is
 * synced once. */
static int
send_job(struct signer_process *p, struct signer_job *job, struct err *e)
{
    struct signer_frame frame = {
        .type = SIGNER_SIGN,
        .detail = (uint8_t)job->object,
        .bytes = job->tbs,
        .evidence = job->evidence,
    };

    job->number_ = ++p->number;
    frame.number = job->number_;
    if (signer_frame_encode(&frame, &p->out, e) != 0 ||
        (p->frames.n + FRAME_LENGTH + p->out.n > FRAMES_MAX && flush(p, e) != 0)) {
        return -1;
    }
    return FRAME_LENGTH + p->out.n > FRAMES_MAX
               ? frame_write(p->child.fd, buf_span(&p->out), p->timeout_ms, e)
               : frame_append(&p->frames, buf_span(&p->out), e);
}

static int
send_jobs(struct signer_process *p, struct signer_job **jobs, size_t n, struct err *e)
{
    buf_truncate(&p->frames, 0);
    for (size_t i = 0; i < n; i++) {
        if (send_job(p, jobs[i], e) != 0) {
            return -1;
        }
    }
    return flush(p, e);
}

/* The job that is answered; NULL when there is none. Its slot becomes NULL. */
static struct signer_job *
take_job(const struct signer_frame *frame, struct signer_job **jobs, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct signer_job *job = jobs[i];

        if (job != NULL && job->number_ == frame->number) {
            if (frame->type != SIGNER_SIGNED && frame->type != SIGNER_REFUSED) {
                (void)err_set(e, ERR_TOKEN, "the signer answered with a frame of type %d",
                              (int)frame->type);
                return NULL;
            }
            jobs[i] = NULL;
            return job;
        }
    }
    (void)err_set(e, ERR_TOKEN, "the signer answered a job that is not there");
    return NULL;
}

/* The result into the job; true when the signer goes on after this answer: a refusal of the object
 * leaves it alive, as that another one has taken over does; any other reason ends it. */
static bool
take_answer(const struct signer_frame *frame, struct signer_job *job)
{
    if (frame->type == SIGNER_SIGNED) {
        job->result = buf_set(&job->signature, frame->bytes, &job->e);
        return true;
    }
    job->result = signer_reason(frame, &job->e);
    return job->e.code == ERR_INPUT || job->e.code == ERR_DENIED || job->e.code == ERR_STALE;
}

int
signer_process_ask(struct signer_process *p, struct signer_job **jobs, size_t n,
                   signer_answered *answered, void *context, bool *ending, struct err *e)
{
    struct signer_frame frame;

    *ending = false;
    if (send_jobs(p, jobs, n, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct signer_job *job;

        if (signer_read_frame(p->child.fd, p->timeout_ms, &p->in, &frame, e) != 0) {
            return -1;
        }
        if (frame.type == SIGNER_FAILED) {
            return signer_reason(&frame, e);
        }
        job = take_job(&frame, jobs, n, e);
        if (job == NULL) {
            return -1;
        }
        if (!take_answer(&frame, job)) {
            *ending = true;
        }
        answered(context, job, frame.type == SIGNER_SIGNED && signer_is_attempt(job->object));
    }
    buf_truncate(&p->out, 0);
    return 0;
}
