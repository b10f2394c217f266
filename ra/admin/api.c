/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   TLS client -> its role, from the CA (queue/roles.h) -> may send what that role may
 *   request -> worker: path and CRLs of its certificate -> its role -> route -> command.c -> answer
 *
 * A job lives as long as its exchange waits for the answer; what an import has to say is collected
 * as text meanwhile.
 */
#include "ra/admin/api.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/http/message/answer.h"
#include "base/log.h"
#include "base/ossl.h"
#include "ca/registration/batch.h"
#include "ca/x509/name.h"
#include "ca/x509/path/path.h"
#include "ra/admin/api_route.h"
#include "ra/queue/roles.h"

enum {
    CRL_MAX = 16 * 1024 * 1024,
    ROWS_MAX = 64 * 1024 * 1024, /* of an import's answer */
    LOCATION_SIZE = 64,
};

struct api_job {
    struct task task;
    struct ra *ra;
    struct http_exchange *x;
    struct buf certificate;
    uint8_t fingerprint[SHA256_SIZE];
    uint8_t crls[SHA256_SIZE]; /* of the CRLs that it was checked against */
    bool is_good;              /* path and status */
    struct role_waiter waiter;
    enum role role;
    char *subject;
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
    mem_free(job->subject);
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

/* Into *all the hash over them. */
static int
load_crls(const struct settings *s, X509_CRL **crls, size_t *n, uint8_t all[SHA256_SIZE],
          struct err *e)
{
    CLEANUP(buf_free) struct buf hashes = BUF_INIT((size_t)SETTINGS_LIST_MAX * SHA256_SIZE);

    for (size_t i = 0; i < s->admin_crls.n; i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_MAX);
        uint8_t hash[SHA256_SIZE];
        const unsigned char *p;

        if (file_read(s->admin_crls.items[i], &der, e) != 0 ||
            sha256(buf_span(&der), hash, e) != 0 ||
            buf_append(&hashes, span_of(hash, sizeof(hash)), e) != 0) {
            return -1;
        }
        p = der.p;
        crls[*n] = d2i_X509_CRL(NULL, &p, (long)der.n);
        if (crls[*n] == NULL) {
            return ossl_err(e, ERR_INPUT, "%s: not a CRL in DER", s->admin_crls.items[i]);
        }
        (*n)++;
    }
    return sha256(buf_span(&hashes), all, e);
}

static int
check_certificate(struct api_job *job, X509 *certificate, struct err *e)
{
    const struct credentials *c = &job->ra->credentials;
    X509_CRL *crls[SETTINGS_LIST_MAX] = {NULL};
    struct path_request request = {.purpose = PATH_PERSON,
                                   .at = clock_now(),
                                   .anchors = &c->root,
                                   .n_anchors = 1,
                                   .untrusted = &c->issuing,
                                   .n_untrusted = 1,
                                   .status = PATH_STATUS_REQUIRED,
                                   .crls = crls};
    int result = load_crls(job->ra->settings, crls, &request.n_crls, job->crls, e);

    if (result == 0) {
        result = path_verify(certificate, &request, e);
    }
    for (size_t i = 0; i < request.n_crls; i++) {
        X509_CRL_free(crls[i]);
    }
    return result;
}

static void
identify_run(struct task *task)
{
    struct api_job *job = CONTAINER_OF(task, struct api_job, task);
    CLEANUP(x509_cleanup)
    X509 *certificate = certificate_parse(buf_span(&job->certificate), &job->e);

    if (certificate == NULL ||
        sha256(buf_span(&job->certificate), job->fingerprint, &job->e) != 0) {
        return;
    }
    job->subject = name_text(X509_get_subject_name(certificate));
    job->is_good = check_certificate(job, certificate, &job->e) == 0;
}

/* An officer looks at what is there; only a registrar makes something, or ends it. */
static bool
may(enum role role, enum command_kind kind)
{
    switch (kind) {
    case COMMAND_REGISTER:
    case COMMAND_IMPORT:
    case COMMAND_CANCEL:
        return role == ROLE_REGISTRAR;
    case COMMAND_LIST:
    case COMMAND_SHOW:
    case COMMAND_BUNDLE:
    case COMMAND_STATUS:
        return role == ROLE_REGISTRAR || role == ROLE_OFFICER;
    case COMMAND_HELD:
        break;
    }
    return false;
}

static void
run_command(struct api_job *job)
{
    const struct command_door door = {
        .answer = on_answer, .refuse = on_refusal, .row = on_row, .arg = job};
    const struct http_request *request = http_exchange_request(job->x);
    struct command_request command = {0};
    const char *allow = NULL;
    int status;

    status = api_route_find(request, &command, &job->status, &allow, &job->e);
    if (status == 0 && !may(job->role, command.kind)) {
        (void)err_set(&job->e, ERR_DENIED, "this takes a registrar's certificate");
        status = 403;
    }
    job->kind = command.kind;
    if (status == 0 && (command.kind == COMMAND_REGISTER || command.kind == COMMAND_CANCEL)) {
        command.document = BUF_INIT(HTTP_BODY_MAX);
        if (buf_set(&command.document, request->body, &job->e) != 0) {
            (void)err_set(&job->e, ERR_INPUT, "what is signed has %d octets at most",
                          (int)REGISTRATION_MAX);
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

static void
refuse_client(struct api_job *job, int status)
{
    log_err(LOG_WARNING, "admin-refused", &job->e, "%s", http_exchange_peer(job->x));
    reply_problem(job, status, NULL, &job->e);
}

static void
on_role(struct role_waiter *w, enum role role)
{
    struct api_job *job = CONTAINER_OF(w, struct api_job, waiter);

    job->role = role;
    switch (role) {
    case ROLE_UNKNOWN:
        (void)err_set(&job->e, ERR_BUSY,
                      "the CA, which knows whose certificate this is, does not answer: try again");
        refuse_client(job, 503);
        return;
    case ROLE_NOBODY:
    case ROLE_RA:
        (void)err_set(&job->e, ERR_DENIED,
                      "neither a registrar's nor an officer's certificate by the CA's record, or "
                      "not any more");
        refuse_client(job, 401);
        return;
    case ROLE_OFFICER:
    case ROLE_REGISTRAR:
        break;
    }
    (void)snprintf(job->who, sizeof(job->who), "%s %s over https", role_name(role), job->subject);
    run_command(job);
}

static void
identify_done(struct task *task)
{
    struct api_job *job = CONTAINER_OF(task, struct api_job, task);

    if (!job->is_good) {
        refuse_client(job, 401);
        return;
    }
    roles_note_crls(job->ra->roles, job->crls);
    job->waiter.done = on_role;
    roles_ask(job->ra->roles, job->fingerprint, false, &job->waiter);
}

void
api_handle(struct http_exchange *x, void *user)
{
    struct api_job *job = mem_new(sizeof(*job));
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

/* ---- a TLS client has arrived ---- */

struct arrival {
    struct role_waiter waiter;
    struct http_exchange *x;
};

/* Only a registrar sends batches; each request asks again who it is. */
static void
on_arrival(struct role_waiter *w, enum role role)
{
    struct arrival *a = CONTAINER_OF(w, struct arrival, waiter);

    http_exchange_admit(a->x,
                        role == ROLE_REGISTRAR ? BATCH_OCTETS_MAX + 4 * (size_t)BATCH_MANIFEST_MAX
                                               : HTTP_BODY_MAX,
                        role != ROLE_UNKNOWN);
    mem_free(a);
}

void
api_arrived(struct http_exchange *x, void *user)
{
    const struct ra *ra = user;
    struct span der = http_exchange_certificate(x);
    uint8_t fingerprint[SHA256_SIZE];
    struct arrival *a;
    struct err e;
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse_keyless(der, &e);

    /* A network function's is nobody's: nothing is asked about it. */
    if (certificate == NULL || path_check_purpose(certificate, PATH_PERSON, &e) != 0 ||
        sha256(der, fingerprint, &e) != 0) {
        http_exchange_admit(x, HTTP_BODY_MAX, true);
        return;
    }
    a = mem_new(sizeof(*a));
    a->x = x;
    a->waiter.done = on_arrival;
    roles_ask(ra->roles, fingerprint, true, &a->waiter);
}
