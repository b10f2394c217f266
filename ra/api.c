/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   request -> worker: certificate of the TLS client -> route -> command.c -> answer
 *
 * A job lives as long as its exchange waits for the answer; what an import has to say is collected
 * as text meanwhile.
 */
#include "ra/api.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/ossl.h"
#include "ca/registration/batch.h"
#include "ca/x509/name.h"
#include "ca/x509/path.h"
#include "ra/api_route.h"
#include "ra/http_answer.h"

enum {
    CRL_MAX = 16 * 1024 * 1024,
    ROWS_MAX = 64 * 1024 * 1024, /* of an import's answer */
    LOCATION_SIZE = 64,
};

enum role { ROLE_NOBODY, ROLE_OFFICER, ROLE_REGISTRAR };

struct api_job {
    struct task task;
    struct ra *ra;
    struct http_exchange *x;
    struct buf certificate;
    enum role role;
    char who[COMMAND_WHO_SIZE];
    int status; /* of success */
    enum command_kind kind;
    struct buf rows; /* of an import, as text */
    struct err e;
};

static void
job_free(struct api_job *job)
{
    job->ra->jobs--;
    buf_free(&job->certificate);
    buf_free(&job->rows);
    mem_free(job);
}

/* ---- answers ---- */

static void
reply(struct api_job *job, struct http_answer answer)
{
    http_reply_with(job->x, &answer);
    job_free(job);
}

static void
reply_problem(struct api_job *job, int status, const char *allow, const struct err *why)
{
    json_t *problem = api_problem(status, why);
    CLEANUP(mem_cleanup) char *text = json_dumps(problem, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(problem);
    reply(job, (struct http_answer){.status = status,
                                    .allow = allow,
                                    .retry_after = status == 503 ? 1 : 0,
                                    .content_type = "application/problem+json",
                                    .body = span_str(text == NULL ? "{}" : text)});
}

static void
on_refusal(void *arg, const struct err *why)
{
    reply_problem(arg, api_status_of(why), NULL, why);
}

static void
on_row(void *arg, json_t *row)
{
    struct api_job *job = arg;
    CLEANUP(mem_cleanup) char *text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
    struct err e;

    json_decref(row);
    /* Each row is far shorter than its registration was: it always fits. */
    if (text == NULL || buf_append_str(&job->rows, job->rows.n == 0 ? "[" : ",", &e) != 0 ||
        buf_append_str(&job->rows, text, &e) != 0) {
        log_event(LOG_ERROR, "row-lost", "an import's answer lacks a row");
    }
}

/* {"registrations":[rows],"summary":{...}} without making one object of all. */
static int
close_rows(struct api_job *job, const char *summary, struct buf *out, struct err *e)
{
    if (buf_append_str(out, "{\"registrations\":", e) != 0 ||
        buf_append(out, job->rows.n == 0 ? span_str("[") : buf_span(&job->rows), e) != 0 ||
        buf_append_str(out, "],\"summary\":", e) != 0 || buf_append_str(out, summary, e) != 0) {
        return -1;
    }
    return buf_append_str(out, "}", e);
}

static void
on_answer(void *arg, json_t *answer)
{
    struct api_job *job = arg;
    CLEANUP(mem_cleanup) char *text = json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(ROWS_MAX + 1024);
    const char *id = json_string_value(json_object_get(answer, "id"));
    char location[LOCATION_SIZE];
    struct err e;

    (void)snprintf(location, sizeof(location), "/v1/registrations/%s", id == NULL ? "" : id);
    json_decref(answer);
    if (text == NULL || (job->kind == COMMAND_IMPORT ? close_rows(job, text, &whole, &e)
                                                     : buf_append_str(&whole, text, &e)) != 0) {
        (void)err_set(&e, ERR_IO, "the answer is too long");
        reply_problem(job, 500, NULL, &e);
        return;
    }
    reply(job, (struct http_answer){.status = job->status,
                                    .location = job->status == 201 ? location : NULL,
                                    .content_type = "application/json",
                                    .cache_control = "no-store",
                                    .body = buf_span(&whole)});
}

/* ---- who asks ---- */

static int
load_crls(const struct settings *s, X509_CRL **crls, size_t *n, struct err *e)
{
    for (size_t i = 0; i < s->admin_crls.n; i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_MAX);
        const unsigned char *p;

        if (file_read(s->admin_crls.items[i], &der, e) != 0) {
            return -1;
        }
        p = der.p;
        crls[*n] = d2i_X509_CRL(NULL, &p, (long)der.n);
        if (crls[*n] == NULL) {
            return ossl_err(e, ERR_INPUT, "%s: not a CRL in DER", s->admin_crls.items[i]);
        }
        (*n)++;
    }
    return 0;
}

/* Which of the two may it be, by its extendedKeyUsage alone? */
static enum role
role_of(X509 *certificate)
{
    struct err e;

    return path_check_purpose(certificate, PATH_REGISTRAR, &e) == 0 ? ROLE_REGISTRAR
           : path_check_purpose(certificate, PATH_OFFICER, &e) == 0 ? ROLE_OFFICER
                                                                    : ROLE_NOBODY;
}

static int
check_certificate(struct api_job *job, X509 *certificate, struct err *e)
{
    const struct credentials *c = &job->ra->credentials;
    X509_CRL *crls[SETTINGS_LIST_MAX] = {NULL};
    enum role role = role_of(certificate);
    struct path_request request = {.at = clock_now(),
                                   .anchors = &c->root,
                                   .n_anchors = 1,
                                   .untrusted = &c->issuing,
                                   .n_untrusted = 1,
                                   .status = PATH_STATUS_REQUIRED,
                                   .crls = crls};
    int result;

    request.purpose = role == ROLE_OFFICER ? PATH_OFFICER : PATH_REGISTRAR;
    result = load_crls(job->ra->settings, crls, &request.n_crls, e);
    if (result == 0) {
        result = path_verify(certificate, &request, e);
    }
    for (size_t i = 0; i < request.n_crls; i++) {
        X509_CRL_free(crls[i]);
    }
    job->role = result == 0 ? role : ROLE_NOBODY;
    return result;
}

static void
identify_run(struct task *task)
{
    struct api_job *job = CONTAINER_OF(task, struct api_job, task);
    CLEANUP(x509_cleanup)
    X509 *certificate = certificate_parse(buf_span(&job->certificate), &job->e);
    CLEANUP(mem_cleanup) char *subject = NULL;

    if (certificate == NULL) {
        return;
    }
    subject = name_text(X509_get_subject_name(certificate));
    (void)snprintf(job->who, sizeof(job->who), "%s %s over https",
                   role_of(certificate) == ROLE_OFFICER ? "officer" : "registrar", subject);
    (void)check_certificate(job, certificate, &job->e);
}

/* An officer looks after what is there; only a registrar makes something. */
static bool
may(enum role role, enum command_kind kind)
{
    switch (kind) {
    case COMMAND_REGISTER:
    case COMMAND_IMPORT:
        return role == ROLE_REGISTRAR;
    case COMMAND_LIST:
    case COMMAND_SHOW:
    case COMMAND_BUNDLE:
    case COMMAND_CANCEL:
        return role == ROLE_REGISTRAR || role == ROLE_OFFICER;
    }
    return false;
}

static void
identify_done(struct task *task)
{
    struct api_job *job = CONTAINER_OF(task, struct api_job, task);
    const struct command_door door = {
        .answer = on_answer, .refuse = on_refusal, .row = on_row, .arg = job};
    const struct http_request *request = http_exchange_request(job->x);
    struct command_request command = {0};
    const char *allow = NULL;
    int status;

    if (job->role == ROLE_NOBODY) {
        log_err(LOG_WARNING, "admin-refused", &job->e, "%s", http_exchange_peer(job->x));
        reply_problem(job, 401, NULL, &job->e);
        return;
    }
    status = api_route_find(request, &command, &job->status, &allow, &job->e);
    if (status == 0 && !may(job->role, command.kind)) {
        (void)err_set(&job->e, ERR_DENIED, "this takes a registrar's certificate");
        status = 403;
    }
    job->kind = command.kind;
    if (status == 0 && command.kind == COMMAND_REGISTER) {
        command.document = BUF_INIT(HTTP_BODY_MAX);
        if (request->body.n > HTTP_BODY_MAX) {
            (void)err_set(&job->e, ERR_INPUT, "a registration has %d octets at most",
                          (int)REGISTRATION_MAX);
            status = 413;
        } else if (buf_set(&command.document, request->body, &job->e) != 0) {
            status = 413;
        }
    } else if (status == 0 && command.kind == COMMAND_IMPORT &&
               api_take_batch(request->body, &command, &job->e) != 0) {
        status = api_status_of(&job->e);
    }
    if (status != 0) {
        buf_free(&command.document);
        buf_free(&command.manifest);
        log_err(LOG_WARNING, "command-refused", &job->e, "%s", job->who);
        reply_problem(job, status, allow, &job->e);
        return;
    }
    (void)snprintf(command.who, sizeof(command.who), "%s", job->who);
    command_run(job->ra, &command, &door);
}

void
api_handle(struct http_exchange *x, void *user)
{
    struct api_job *job = mem_zalloc(1, sizeof(*job));
    struct span certificate = http_exchange_certificate(x);

    job->ra = user;
    job->ra->jobs++;
    job->x = x;
    job->rows = BUF_INIT(ROWS_MAX);
    job->certificate = BUF_INIT(certificate.n);
    if (buf_set(&job->certificate, certificate, &job->e) != 0) {
        reply_problem(job, 401, NULL, &job->e);
        return;
    }
    job->task = (struct task){.run = identify_run, .done = identify_done};
    pool_submit(job->ra->pool, &job->task);
}

size_t
api_body_max(struct span certificate, void *user)
{
    struct err e;
    CLEANUP(x509_cleanup) X509 *parsed = certificate_parse_keyless(certificate, &e);

    (void)user;
    return parsed != NULL && role_of(parsed) != ROLE_NOBODY
               ? BATCH_OCTETS_MAX + 4 * (size_t)BATCH_MANIFEST_MAX
               : HTTP_BODY_MAX;
}
