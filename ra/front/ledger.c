/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/front/ledger.h"

#include <stdio.h>

#include "base/file.h"
#include "ra/daemon/ledger_file.h"
#include "ra/http/message/answer.h"

/* 256 entries of 65,535 octets, each with its length. */
enum { LEDGER_FILE_SIZE_MAX = 256 * (2 + 65535) };

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
ledger_done(struct task *task)
{
    struct ledger_job *job = CONTAINER_OF(task, struct ledger_job, task);
    const bool stays = ledger_file_stays(job->name);

    if (job->status == 200) {
        http_reply_with(job->exchange,
                        &(struct http_answer){.status = 200,
                                              .content_type = stays ? "application/octet-stream"
                                                                    : "text/plain; charset=utf-8",
                                              .cache_control = stays ? "max-age=31536000, immutable"
                                                                     : "no-cache",
                                              .body = buf_span(&job->octets)});
    } else {
        http_reply(job->exchange, job->status, NULL, (struct span){0});
    }
    buf_free(&job->octets);
    mem_free(job);
}

void
ledger_serve(struct ra *ra, struct http_exchange *x, const struct route *route)
{
    struct ledger_job *job;

    if (ra->settings->ledger_dir == NULL) {
        http_reply(x, 404, NULL, (struct span){0});
        return;
    }
    job = mem_new(sizeof(*job));
    job->task = (struct task){.run = ledger_run, .done = ledger_done};
    job->ra = ra;
    job->exchange = x;
    job->octets = BUF_INIT(LEDGER_FILE_SIZE_MAX);
    (void)snprintf(job->name, sizeof(job->name), "%s", route->file);
    pool_submit(ra->pool, &job->task);
}
