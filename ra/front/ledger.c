/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/front/ledger.h"

#include <stdio.h>

#include "base/file.h"
#include "base/http/message/answer.h"
#include "ra/daemon/ledger_file.h"

enum { RETRY_AFTER = 1 };

struct ledger_job {
    struct task task;
    struct ra *ra;
    struct http_exchange *exchange;
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

static void
ledger_free(struct ledger_job *job)
{
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
    if (job->status == 200 && job->octets.n <= LEDGER_OCTETS_MAX - ra->ledger_octets) {
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
    struct ledger_job *job;

    if (ra->settings->ledger_dir == NULL) {
        http_reply(x, 404, NULL, (struct span){0});
        return;
    }
    if (ra->ledger_jobs >= LEDGER_JOBS_MAX || ra->ledger_octets >= LEDGER_OCTETS_MAX) {
        http_reply_busy(x, RETRY_AFTER, NULL, (struct span){0});
        return;
    }
    ra->ledger_jobs++;
    job = mem_new(sizeof(*job));
    job->task = (struct task){.run = ledger_run, .done = ledger_done};
    job->ra = ra;
    job->exchange = x;
    job->octets = BUF_INIT(LEDGER_FILE_SIZE_MAX);
    (void)snprintf(job->name, sizeof(job->name), "%s", route->file);
    pool_submit(ra->pool, &job->task);
}
