/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/front/ledger.h"

#include <stdio.h>

#include "base/file.h"
#include "base/http/message/answer.h"
#include "ra/daemon/ledger_file.h"

enum { RETRY_AFTER = 1 };

struct ledger_job {
    struct task task;
    struct ledger_job *next, *previous; /* of all; NULL at the ends */
    struct ra *ra;
    struct http_exchange *exchange;
    struct http_address address; /* who asked */
    bool is_sent;                /* else a worker has it */
    char name[ROUTE_FILE_MAX + 1];
    struct buf octets;
    int status;
};

static void
ledger_run(struct task *task)
{
    struct ledger_job *job = CONTAINER_OF(task, struct ledger_job, task);
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/%s", job->ra->settings->ledger_dir, job->name);
    struct err e;

    if (file_read(path, &job->octets, &e) == 0) {
        job->status = 200;
    } else {
        job->status = e.code == ERR_NOTFOUND ? 404 : 500;
    }
}

/* What one address holds. */
struct share {
    size_t jobs, octets;
};

static struct share
share_of(const struct ra *ra, const struct http_address *address)
{
    struct share s = {0};

    for (const struct ledger_job *j = ra->ledger_held; j != NULL; j = j->next) {
        if (http_address_is_equal(&j->address, address)) {
            s.jobs += j->is_sent ? 0 : 1;
            s.octets += j->is_sent ? j->octets.n : 0;
        }
    }
    return s;
}

static void
hold(struct ledger_job *job)
{
    job->next = job->ra->ledger_held;
    if (job->next != NULL) {
        job->next->previous = job;
    }
    job->ra->ledger_held = job;
}

static void
ledger_free(struct ledger_job *job)
{
    if (job->next != NULL) {
        job->next->previous = job->previous;
    }
    if (job->previous != NULL) {
        job->previous->next = job->next;
    } else {
        job->ra->ledger_held = job->next;
    }
    buf_free(&job->octets);
    mem_free(job);
}

/* They were sent, or nobody waits for them any more. */
static void
on_release(const void *octets, size_t n, void *arg)
{
    struct ledger_job *job = arg;

    (void)octets;
    job->ra->ledger_octets -= n;
    ledger_free(job);
}

/* The octets are sent from where they were read to: the job stays as long as they do. */
static void
reply(struct ledger_job *job)
{
    const bool stays = ledger_file_stays(job->name);

    job->is_sent = true;
    job->ra->ledger_octets += job->octets.n;
    http_reply_with(
        job->exchange,
        &(struct http_answer){.status = 200,
                              .content_type =
                                  stays ? "application/octet-stream" : "text/plain; charset=utf-8",
                              .cache_control = stays ? "max-age=31536000, immutable" : "no-cache",
                              .body = buf_span(&job->octets),
                              .release = on_release,
                              .arg = job});
}

static void
ledger_done(struct task *task)
{
    struct ledger_job *job = CONTAINER_OF(task, struct ledger_job, task);
    struct ra *ra = job->ra;

    ra->ledger_jobs--;
    if (job->status == 200 && job->octets.n <= LEDGER_OCTETS_MAX - ra->ledger_octets &&
        job->octets.n <= LEDGER_OCTETS_SHARE - share_of(ra, &job->address).octets) {
        reply(job);
        return;
    }
    if (job->status == 200) {
        http_reply_busy(job->exchange, RETRY_AFTER, NULL, (struct span){0});
    } else {
        http_reply(job->exchange, job->status, NULL, (struct span){0});
    }
    ledger_free(job);
}

void
ledger_serve(struct ra *ra, struct http_exchange *x, const struct route *route)
{
    const struct http_address *address = http_exchange_address(x);
    const struct share share = share_of(ra, address);
    struct ledger_job *job;

    if (ra->settings->ledger_dir == NULL) {
        http_reply(x, 404, NULL, (struct span){0});
        return;
    }
    if (ra->ledger_jobs >= LEDGER_JOBS_MAX || ra->ledger_octets >= LEDGER_OCTETS_MAX ||
        share.jobs >= LEDGER_JOBS_SHARE || share.octets >= LEDGER_OCTETS_SHARE) {
        http_reply_busy(x, RETRY_AFTER, NULL, (struct span){0});
        return;
    }
    ra->ledger_jobs++;
    job = mem_new(sizeof(*job));
    job->task = (struct task){.run = ledger_run, .done = ledger_done};
    job->ra = ra;
    job->exchange = x;
    job->address = *address;
    job->octets = BUF_INIT(LEDGER_FILE_SIZE_MAX);
    (void)snprintf(job->name, sizeof(job->name), "%s", route->file);
    hold(job);
    pool_submit(ra->pool, &job->task);
}
