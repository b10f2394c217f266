/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/front/crl.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/http/message/answer.h"
#include "base/http/message/condition.h"
#include "base/log.h"
#include "base/ossl.h"
#include "ra/daemon/crl_files.h"

enum { CACHE_CONTROL_SIZE = 64 };

struct crl_job {
    struct task task;
    struct ra *ra;
    struct http_exchange *exchange;
    char name[ROUTE_FILE_MAX + 1];
    struct crl_file file;
    int status;
    time_t changed; /* when this file came to be there */
    char etag[2 * SHA256_SIZE + 1];
};

_Static_assert((int)ROUTE_FILE_MAX <= (int)CRL_FILE_NAME_MAX, "a name of a path names a file");

/* The second in which the file got this name and content: asked before it is read, so that what is
 * read may be newer than what is said of it, never older. It is not thisUpdate, which lies in the
 * past, nor the time of the last write, before which a client may have asked. */
static int
note_change(struct crl_job *job, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/%s", job->ra->settings->crl_dir, job->name);
    struct stat st;

    if (stat(path, &st) != 0) {
        return err_set(e, ERR_NOTFOUND, "%s is not there", path);
    }
    job->changed = st.st_ctim.tv_sec;
    return 0;
}

static void
crl_run(struct task *task)
{
    struct crl_job *job = CONTAINER_OF(task, struct crl_job, task);
    uint8_t hash[SHA256_SIZE];
    struct err e;

    if (note_change(job, &e) != 0 ||
        crl_file_read(job->ra->settings->crl_dir, job->name, &job->file, &e) != 0 ||
        sha256(buf_span(&job->file.der), hash, &e) != 0) {
        job->status = e.code == ERR_NOTFOUND ? 404 : 500;
        return;
    }
    if (crl_file_parse(&job->file, &e) != 0) {
        log_err(LOG_WARNING, "crl-unusable", &e, "%s", job->name);
    }
    hex_format(span_of(hash, sizeof(hash)), job->etag);
    job->status = 200;
}

/* No cache may hide a revocation for longer than the operator allows, nor keep a CRL that is over.
 */
static void
say_freshness(const struct crl_job *job, time_t now, char out[CACHE_CONTROL_SIZE])
{
    long long age = job->ra->settings->crl_max_age;

    if (job->file.next_update != 0 && job->file.next_update - now < age) {
        age = job->file.next_update - now;
    }
    (void)snprintf(out, CACHE_CONTROL_SIZE, age > 0 ? "max-age=%lld, must-revalidate" : "no-cache",
                   age);
}

static void
reply(const struct crl_job *job)
{
    time_t now = clock_now();
    /* What a client is told must be true of the whole second: another CRL may come in the same one.
     * So it is the next full second, or this one, which is then not reached again. */
    time_t modified = job->changed + 1;
    char cache_control[CACHE_CONTROL_SIZE];
    struct http_answer answer = {.status = 200,
                                 .content_type = "application/pkix-crl",
                                 .etag = job->etag,
                                 .last_modified = modified < now ? modified : now,
                                 .cache_control = cache_control,
                                 .body = buf_span(&job->file.der)};

    say_freshness(job, now, cache_control);
    if (http_is_unchanged(http_exchange_request(job->exchange), job->etag, modified, now)) {
        answer.status = 304;
        answer.content_type = NULL;
    }
    http_reply_with(job->exchange, &answer);
}

static void
crl_done(struct task *task)
{
    struct crl_job *job = CONTAINER_OF(task, struct crl_job, task);

    if (job->status == 200) {
        reply(job);
    } else {
        http_reply(job->exchange, job->status, NULL, (struct span){0});
    }
    crl_file_clear(&job->file);
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
    job = mem_new(sizeof(*job));
    job->task = (struct task){.run = crl_run, .done = crl_done};
    job->ra = ra;
    job->exchange = x;
    (void)snprintf(job->name, sizeof(job->name), "%s", route->file);
    pool_submit(ra->pool, &job->task);
}
