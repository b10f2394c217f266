/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admin/api_route.h"

#include <stdlib.h>
#include <string.h>

#include "base/http/message/answer.h"
#include "base/ossl.h"
#include "ca/registration/batch.h"

#define REGISTRATIONS "/v1/registrations"
#define CANCELLATIONS "/v1/cancellations"
#define IMPORTS "/v1/imports"
#define STATUS "/v1/status"

enum { QUERY_MEMBERS_MAX = 4 };

static int
refused(int status, struct err *e, enum err_code code, const char *why)
{
    (void)err_set(e, code, "%s", why);
    return status;
}

/* ---- query ---- */

struct query {
    char text[HTTP_QUERY_MAX + 1];
    const char *state;
    const char *nf;
    const char *after;
    const char *limit;
};

static int
query_member(struct query *q, char *name, struct err *e)
{
    struct {
        const char *name;
        const char **value;
    } const members[] = {
        {"state", &q->state}, {"nfInstanceId", &q->nf}, {"after", &q->after}, {"limit", &q->limit}};
    char *equals = strchr(name, '=');

    if (equals == NULL || equals[1] == '\0') {
        return err_set(e, ERR_INPUT, "query: write name=value");
    }
    *equals = '\0';
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (strcmp(members[i].name, name) == 0) {
            if (*members[i].value != NULL) {
                return err_set(e, ERR_INPUT, "%s: stands there twice", name);
            }
            *members[i].value = equals + 1;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "%.40s: unknown; state, nfInstanceId, after and limit are known",
                   name);
}

static int
parse_query(const char *text, struct requests_filter *out, struct err *e)
{
    struct query q = {0};
    long limit = COMMAND_PAGE;
    char *rest = q.text;
    char *end = NULL;

    memcpy(q.text, text, strlen(text)); /* and zeros behind it */
    while (rest != NULL && rest[0] != '\0') {
        char *member = strsep(&rest, "&");

        if (query_member(&q, member, e) != 0) {
            return -1;
        }
    }
    if (q.limit != NULL) {
        limit = strtol(q.limit, &end, 10);
        if (*end != '\0') {
            return err_set(e, ERR_INPUT, "limit: must be 1..%d", (int)COMMAND_PAGE_MAX);
        }
    }
    return command_parse_filter(q.state, q.nf, q.after, limit, out, e);
}

/* ---- paths ---- */

static int
check_cms(const struct http_request *r, struct err *e)
{
    return strcmp(r->content_type, "application/pkcs7-mime") == 0 ||
                   strcmp(r->content_type, "application/cms") == 0
               ? 0
               : refused(415, e, ERR_INPUT,
                         "Content-Type: application/pkcs7-mime or application/cms is expected");
}

static int
collection(const struct http_request *r, struct command_request *out, int *success,
           const char **allow, struct err *e)
{
    switch (r->method) {
    case HTTP_METHOD_GET:
        out->kind = COMMAND_LIST;
        return parse_query(r->query, &out->filter, e) == 0 ? 0 : 400;
    case HTTP_METHOD_POST:
        out->kind = COMMAND_REGISTER;
        *success = 201;
        return check_cms(r, e);
    case HTTP_METHOD_DELETE:
        break;
    }
    *allow = "GET, HEAD, POST";
    return refused(405, e, ERR_INPUT, "GET lists the registrations, POST makes one");
}

static int
one(const struct http_request *r, const char *id, struct command_request *out, const char **allow,
    struct err *e)
{
    struct err ignored;

    if (command_parse_id(id, out->id, &ignored) != 0) {
        return refused(404, e, ERR_NOTFOUND, "a registration's id has 32 hexadecimal digits");
    }
    out->kind = COMMAND_SHOW;
    if (r->method == HTTP_METHOD_GET) {
        return 0;
    }
    *allow = "GET, HEAD";
    return refused(
        405, e, ERR_INPUT,
        "GET shows the registration; to cancel it a registrar signs: POST to " CANCELLATIONS
        " what 'nfpki-ractl cancellation' prints, signed");
}

static int
cancellations(const struct http_request *r, struct command_request *out, const char **allow,
              struct err *e)
{
    out->kind = COMMAND_CANCEL;
    if (r->method != HTTP_METHOD_POST) {
        *allow = "POST";
        return refused(405, e, ERR_INPUT, "POST cancels what a registrar signed");
    }
    return check_cms(r, e);
}

static int
imports(const struct http_request *r, struct command_request *out, const char **allow,
        struct err *e)
{
    out->kind = COMMAND_IMPORT;
    if (r->method != HTTP_METHOD_POST) {
        *allow = "POST";
        return refused(405, e, ERR_INPUT, "POST imports a batch");
    }
    return strcmp(r->content_type, "application/x-ndjson") == 0
               ? 0
               : refused(415, e, ERR_INPUT, "Content-Type: application/x-ndjson is expected");
}

static int
status(const struct http_request *r, struct command_request *out, const char **allow, struct err *e)
{
    out->kind = COMMAND_STATUS;
    if (r->method == HTTP_METHOD_GET) {
        return 0;
    }
    *allow = "GET, HEAD";
    return refused(405, e, ERR_INPUT, "GET tells how the RA is");
}

int
api_route_find(const struct http_request *r, struct command_request *out, int *success,
               const char **allow, struct err *e)
{
    const size_t n = sizeof(REGISTRATIONS) - 1;
    bool is_list = strcmp(r->path, REGISTRATIONS) == 0;

    *success = 200;
    *allow = NULL;
    if (r->query[0] != '\0' && !(is_list && r->method == HTTP_METHOD_GET)) {
        return refused(400, e, ERR_INPUT, "query: only the list has one");
    }
    if (is_list) {
        return collection(r, out, success, allow, e);
    }
    if (strcmp(r->path, CANCELLATIONS) == 0) {
        return cancellations(r, out, allow, e);
    }
    if (strcmp(r->path, IMPORTS) == 0) {
        return imports(r, out, allow, e);
    }
    if (strcmp(r->path, STATUS) == 0) {
        return status(r, out, allow, e);
    }
    if (strncmp(r->path, REGISTRATIONS "/", n + 1) == 0) {
        return one(r, r->path + n + 1, out, allow, e);
    }
    return refused(404, e, ERR_NOTFOUND,
                   "there are " REGISTRATIONS ", " CANCELLATIONS ", " IMPORTS " and " STATUS);
}

int
api_take_batch(struct span body, struct command_request *out, struct err *e)
{
    const uint8_t *feed = body.n == 0 ? NULL : memchr(body.p, '\n', body.n);
    size_t n = feed == NULL ? body.n : (size_t)(feed - body.p);
    const char *manifest = NULL;
    json_t *line;
    int result;

    if (n > 4 * (size_t)BATCH_MANIFEST_MAX) {
        return err_set(e, ERR_INPUT, "manifest: the first line is longer than any");
    }
    line = json_loadb((const char *)body.p, n, JSON_REJECT_DUPLICATES, NULL);
    if (line == NULL ||
        json_unpack_ex(line, NULL, JSON_STRICT, "{s:s}", "manifest", &manifest) != 0) {
        json_decref(line);
        return err_set(e, ERR_INPUT,
                       "manifest: the first line must be {\"manifest\":\"<CMS in base64>\"}");
    }
    out->manifest = BUF_INIT(2 * BATCH_MANIFEST_MAX);
    out->document = BUF_INIT(BATCH_OCTETS_MAX);
    result = base64_parse(manifest, &out->manifest, e);
    if (result != 0) {
        (void)err_wrap(e, "manifest");
    } else if (feed != NULL) {
        result = buf_set(&out->document, span_of(feed + 1, body.n - n - 1), e);
    }
    json_decref(line);
    return result;
}

/* ---- refusals ---- */

/* The document says what it may not say. */
static bool
is_about_member(const struct err *e)
{
    return (e->code == ERR_INPUT || e->code == ERR_DENIED) &&
           registration_error_member(e->text) > 0;
}

int
api_status_of(const struct err *e)
{
    switch (e->code) {
    case ERR_INPUT:
        return is_about_member(e) ? 422 : 400;
    case ERR_CRYPTO:
        return 400; /* a signature that does not verify */
    case ERR_DENIED:
        return is_about_member(e) ? 422 : 403;
    case ERR_NOTFOUND:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_BUSY:
        return 503;
    case ERR_NONE:
    case ERR_PIN:
    case ERR_TOKEN:
    case ERR_STORE:
    case ERR_IO:
    case ERR_STALE:
        break;
    }
    return 500;
}

json_t *
api_problem(int status, const struct err *e)
{
    size_t n = is_about_member(e) ? registration_error_member(e->text) : 0;
    json_t *problem =
        json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
                  http_reason_phrase(status), "status", status, "code", err_code_name(e->code));
    json_t *detail = json_string(status == 500 ? "see the log of nfpki-ra" : e->text);

    /* Not UTF-8 only when a library quoted octets: the code still says what to do. */
    (void)json_object_set_new(problem, "detail",
                              detail == NULL ? json_string("the reason is not printable") : detail);
    if (n > 0) {
        (void)json_object_set_new(problem, "member", json_stringn(e->text, n));
    }
    return problem;
}
