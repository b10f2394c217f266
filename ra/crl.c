/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/crl.h"

#include "base/file.h"

enum { CRL_MAX = 16 * 1024 * 1024 };

struct crl_job {
    struct task task;
    struct http_exchange *exchange;
    char *path;
    struct buf crl;
    int status;
};

static void
crl_run(struct task *task)
{
    struct crl_job *job = CONTAINER_OF(task, struct crl_job, task);
    struct err e;

    job->status = 200;
    if (file_read(job->path, &job->crl, &e) != 0) {
        job->status = e.code == ERR_NOTFOUND ? 404 : 500;
    }
}

static void
crl_done(struct task *task)
{
    struct crl_job *job = CONTAINER_OF(task, struct crl_job, task);

    http_reply(job->exchange, job->status, job->status == 200 ? "application/pkix-crl" : NULL,
               buf_span(&job->crl));
    buf_free(&job->crl);
    mem_free(job->path);
    mem_free(job);
}

void
crl_serve(struct ra *ra, struct http_exchange *x, const struct route *route)
{
    struct crl_job *job;

    if (ra->settings->crl_dir == NULL) {
        http_reply(x, 404, NULL, (struct span){0});
        return;
    }
    job = mem_zalloc(1, sizeof(*job));
    job->task = (struct task){.run = crl_run, .done = crl_done};
    job->exchange = x;
    job->crl = BUF_INIT(CRL_MAX);
    job->path = mem_printf("%s/%s", ra->settings->crl_dir, route->file);
    pool_submit(ra->pool, &job->task);
}
