/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admin/api_route.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/registration/batch.h"
#include "tests/support/test.h"

#define ID "0123456789abcdef0123456789ABCDEF"
#define ID_LOWER "0123456789abcdef0123456789abcdef"
#define NF "9C5B94b1-35ad-49bb-b118-8e8fc24abf80"
#define CMS "application/pkcs7-mime"

static struct http_request
request_of(enum http_method method, const char *path, const char *query, const char *type)
{
    struct http_request r = {.method = method};

    (void)snprintf(r.path, sizeof(r.path), "%s", path);
    (void)snprintf(r.query, sizeof(r.query), "%s", query);
    (void)snprintf(r.content_type, sizeof(r.content_type), "%s", type);
    return r;
}

static void
every_path_has_one_command(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
        const char *query;
        const char *type;
        int status; /* of the refusal, or 0 */
        enum command_kind kind;
        int success;
        const char *allow; /* NULL: none */
        const char *why;
    } rows[] = {
        {HTTP_METHOD_GET, "/v1/registrations", "", "", 0, COMMAND_LIST, 200, NULL, ""},
        {HTTP_METHOD_POST, "/v1/registrations", "", CMS, 0, COMMAND_REGISTER, 201, NULL, ""},
        {HTTP_METHOD_POST, "/v1/registrations", "", "application/cms", 0, COMMAND_REGISTER, 201,
         NULL, ""},
        {HTTP_METHOD_POST, "/v1/registrations", "", "application/json", 415, COMMAND_REGISTER, 201,
         NULL, "application/pkcs7-mime or application/cms is expected"},
        {HTTP_METHOD_POST, "/v1/registrations", "", "", 415, COMMAND_REGISTER, 201, NULL,
         "application/cms is expected"},
        {HTTP_METHOD_DELETE, "/v1/registrations", "", "", 405, COMMAND_REGISTER, 200,
         "GET, HEAD, POST", "GET lists the registrations, POST makes one"},
        {HTTP_METHOD_POST, "/v1/registrations", "state=open", CMS, 400, COMMAND_REGISTER, 200, NULL,
         "query: only the list has one"},
        {HTTP_METHOD_GET, "/v1/registrations/" ID, "", "", 0, COMMAND_SHOW, 200, NULL, ""},
        {HTTP_METHOD_GET, "/v1/registrations/" ID, "limit=1", "", 400, COMMAND_SHOW, 200, NULL,
         "query: only the list has one"},
        {HTTP_METHOD_DELETE, "/v1/registrations/" ID, "", "", 405, COMMAND_SHOW, 200, "GET, HEAD",
         "to cancel it a registrar signs: POST to /v1/cancellations"},
        {HTTP_METHOD_POST, "/v1/registrations/" ID, "", CMS, 405, COMMAND_SHOW, 200, "GET, HEAD",
         "GET shows the registration"},
        {HTTP_METHOD_GET, "/v1/registrations/" ID "0", "", "", 404, COMMAND_SHOW, 200, NULL,
         "a registration's id has 32 hexadecimal digits"},
        {HTTP_METHOD_GET, "/v1/registrations/0123456789abcdef0123456789abcde", "", "", 404,
         COMMAND_SHOW, 200, NULL, "32 hexadecimal digits"},
        {HTTP_METHOD_GET, "/v1/registrations/0123456789abcdef0123456789abcdeg", "", "", 404,
         COMMAND_SHOW, 200, NULL, "32 hexadecimal digits"},
        {HTTP_METHOD_GET, "/v1/registrations/", "", "", 404, COMMAND_SHOW, 200, NULL,
         "32 hexadecimal digits"},
        {HTTP_METHOD_POST, "/v1/cancellations", "", CMS, 0, COMMAND_CANCEL, 200, NULL, ""},
        {HTTP_METHOD_POST, "/v1/cancellations", "", "text/plain", 415, COMMAND_CANCEL, 200, NULL,
         "is expected"},
        {HTTP_METHOD_GET, "/v1/cancellations", "", "", 405, COMMAND_CANCEL, 200, "POST",
         "POST cancels what a registrar signed"},
        {HTTP_METHOD_DELETE, "/v1/cancellations", "", "", 405, COMMAND_CANCEL, 200, "POST",
         "POST cancels"},
        {HTTP_METHOD_POST, "/v1/imports", "", "application/x-ndjson", 0, COMMAND_IMPORT, 200, NULL,
         ""},
        {HTTP_METHOD_POST, "/v1/imports", "", CMS, 415, COMMAND_IMPORT, 200, NULL,
         "application/x-ndjson is expected"},
        {HTTP_METHOD_GET, "/v1/imports", "", "", 405, COMMAND_IMPORT, 200, "POST",
         "POST imports a batch"},
        {HTTP_METHOD_GET, "/v1/imports", "limit=1", "", 400, COMMAND_IMPORT, 200, NULL,
         "query: only the list has one"},
        {HTTP_METHOD_GET, "/v1/status", "", "", 0, COMMAND_STATUS, 200, NULL, ""},
        {HTTP_METHOD_POST, "/v1/status", "", CMS, 405, COMMAND_STATUS, 200, "GET, HEAD",
         "GET tells how the RA is"},
        {HTTP_METHOD_DELETE, "/v1/status", "", "", 405, COMMAND_STATUS, 200, "GET, HEAD",
         "GET tells"},
        {HTTP_METHOD_GET, "/v1/status", "limit=1", "", 400, COMMAND_STATUS, 200, NULL,
         "query: only the list has one"},
        {HTTP_METHOD_GET, "/v1/statusx", "", "", 404, COMMAND_LIST, 200, NULL, "there are"},
        {HTTP_METHOD_GET, "/v1/status/", "", "", 404, COMMAND_LIST, 200, NULL, "there are"},
        {HTTP_METHOD_GET, "/v1/registrationsx", "", "", 404, COMMAND_LIST, 200, NULL,
         "there are /v1/registrations, /v1/cancellations, /v1/imports and /v1/status"},
        {HTTP_METHOD_GET, "/v1/registration", "", "", 404, COMMAND_LIST, 200, NULL, "there are"},
        {HTTP_METHOD_GET, "/v1/importsx", "", "", 404, COMMAND_LIST, 200, NULL, "there are"},
        {HTTP_METHOD_GET, "/v1/cancellations/x", "", "", 404, COMMAND_LIST, 200, NULL, "there are"},
        {HTTP_METHOD_GET, "/", "", "", 404, COMMAND_LIST, 200, NULL, "there are"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http_request r =
            request_of(rows[i].method, rows[i].path, rows[i].query, rows[i].type);
        struct command_request out = {0};
        const char *allow = "?";
        struct err e = {0};
        int success = 0;
        const int status = api_route_find(&r, &out, &success, &allow, &e);

        if (status != rows[i].status || success != rows[i].success ||
            (status == 0 && out.kind != rows[i].kind) ||
            strcmp(allow == NULL ? "" : allow, rows[i].allow == NULL ? "" : rows[i].allow) != 0 ||
            strstr(e.text, rows[i].why) == NULL ||
            (status != 0 && e.code != (status == 404 ? ERR_NOTFOUND : ERR_INPUT))) {
            fail_msg("%d %s: %d, %s", (int)rows[i].method, rows[i].path, status, e.text);
        }
        if (status == 0 && out.kind == COMMAND_SHOW) {
            assert_string_equal(out.id, ID_LOWER);
        }
    }
}

static void
a_query_says_which_registrations(void **state)
{
    static const struct {
        const char *query;
        const char *why; /* NULL: taken */
        enum requests_standing standing;
        int limit;
        const char *nf;
        const char *after;
    } rows[] = {
        {"", NULL, REQUESTS_ANY, 100, "", ""},
        {"state=open", NULL, REQUESTS_OPEN, 100, "", ""},
        {"state=used", NULL, REQUESTS_USED, 100, "", ""},
        {"state=expired", NULL, REQUESTS_EXPIRED, 100, "", ""},
        {"state=cancelled&limit=1", NULL, REQUESTS_CANCELLED, 1, "", ""},
        {"limit=1000", NULL, REQUESTS_ANY, 1000, "", ""},
        {"nfInstanceId=" NF, NULL, REQUESTS_ANY, 100, "9c5b94b1-35ad-49bb-b118-8e8fc24abf80", ""},
        {"after=" ID "&limit=2", NULL, REQUESTS_ANY, 2, "", ID_LOWER},
        {"limit=2&", NULL, REQUESTS_ANY, 2, "", ""},
        {"limit=0", "limit: must be 1..1000", REQUESTS_ANY, 0, "", ""},
        {"limit=1001", "limit: must be 1..1000", REQUESTS_ANY, 0, "", ""},
        {"limit=-1", "limit: must be 1..1000", REQUESTS_ANY, 0, "", ""},
        {"limit=4294967297", "limit: must be 1..1000", REQUESTS_ANY, 0, "", ""},
        {"limit=1x", "limit: must be 1..1000", REQUESTS_ANY, 0, "", ""},
        {"limit=x", "limit: must be 1..1000", REQUESTS_ANY, 0, "", ""},
        {"limit=1&limit=1", "limit: stands there twice", REQUESTS_ANY, 0, "", ""},
        {"state=open&state=used", "state: stands there twice", REQUESTS_ANY, 0, "", ""},
        {"limit", "query: write name=value", REQUESTS_ANY, 0, "", ""},
        {"limit=", "query: write name=value", REQUESTS_ANY, 0, "", ""},
        {"&", "query: write name=value", REQUESTS_ANY, 0, "", ""},
        {"=1", "unknown; state, nfInstanceId, after and limit are known", REQUESTS_ANY, 0, "", ""},
        {"limits=1", "limits: unknown", REQUESTS_ANY, 0, "", ""},
        {"state=any", "state: must be open, used, expired or cancelled", REQUESTS_ANY, 0, "", ""},
        {"state=OPEN", "state: must be", REQUESTS_ANY, 0, "", ""},
        {"nfInstanceId=9c5b94b1-35ad-49bb-b118-8e8fc24abf8", "nfInstanceId: must be a UUID",
         REQUESTS_ANY, 0, "", ""},
        {"nfInstanceId=9c5b94b1-35ad-49bb-b118-8e8fc24abf800", "nfInstanceId: must be a UUID",
         REQUESTS_ANY, 0, "", ""},
        {"after=0", "after: must be the id of a registration", REQUESTS_ANY, 0, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http_request r =
            request_of(HTTP_METHOD_GET, "/v1/registrations", rows[i].query, "");
        struct command_request out = {0};
        const char *allow;
        struct err e = {0};
        int success;
        const int status = api_route_find(&r, &out, &success, &allow, &e);

        if (rows[i].why != NULL) {
            if (status != 400 || e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL) {
                fail_msg("?%s: %d %s", rows[i].query, status, e.text);
            }
        } else if (status != 0 || out.filter.standing != rows[i].standing ||
                   out.filter.limit != rows[i].limit ||
                   strcmp(out.filter.nf_instance, rows[i].nf) != 0 ||
                   strcmp(out.filter.after, rows[i].after) != 0) {
            fail_msg("?%s: %d %s", rows[i].query, status, e.text);
        }
    }
}

/* As the longest that the parser takes. */
static void
a_query_may_be_as_long_as_it_can_be(void **state)
{
    struct http_request r = request_of(HTTP_METHOD_GET, "/v1/registrations", "", "");
    struct command_request out = {0};
    const char *allow;
    struct err e = {0};
    int success;

    (void)state;
    memset(r.query, 'x', HTTP_QUERY_MAX);
    assert_int_equal(api_route_find(&r, &out, &success, &allow, &e), 400);
    memcpy(r.query, "state=", 6);
    assert_int_equal(api_route_find(&r, &out, &success, &allow, &e), 400);
    assert_string_equal(e.text, "state: must be open, used, expired or cancelled");
}

static void
a_batch_begins_with_its_manifest(void **state)
{
    static const struct {
        const char *body;
        const char *why; /* NULL: taken */
        const char *document;
    } rows[] = {
        {"{\"manifest\":\"aGVsbG8=\"}\n{\"a\":1}\n", NULL, "{\"a\":1}\n"},
        {"{\"manifest\":\"aGVsbG8=\"}\n", NULL, ""},
        {"{\"manifest\":\"aGVsbG8=\"}", NULL, ""},
        {"", "manifest: the first line must be", ""},
        {"\n", "manifest: the first line must be", ""},
        {"{}\n", "manifest: the first line must be", ""},
        {"{\"manifest\":1}\n", "manifest: the first line must be", ""},
        {"{\"manifest\":\"aGVsbG8=\",\"x\":1}\n", "manifest: the first line must be", ""},
        {"{\"manifest\":\"aGVsbG8=\",\"manifest\":\"\"}\n", "manifest: the first line must be", ""},
        {"{\"manifest\":\"aGVsbG8=\"} {\n", "manifest: the first line must be", ""},
        {"{\"manifest\":\"a-b\"}\n", "manifest: ", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command_request out = {0};
        struct err e = {0};
        const int result = api_take_batch(span_str(rows[i].body), &out, &e);

        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL)) ||
            (result == 0 && (!span_equal(buf_span(&out.manifest), span_str("hello")) ||
                             !span_equal(buf_span(&out.document), span_str(rows[i].document))))) {
            fail_msg("%s: %s", rows[i].body, e.text);
        }
        buf_free(&out.manifest);
        buf_free(&out.document);
    }
}

/* The first line, without its line break. */
static void
a_manifest_has_a_limit(void **state)
{
    static const size_t rows[] = {4 * BATCH_MANIFEST_MAX - 1, 4 * BATCH_MANIFEST_MAX,
                                  4 * BATCH_MANIFEST_MAX + 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *line = mem_zalloc(rows[i] + 2, 1);
        struct command_request out = {0};
        struct err e = {0};

        memset(line, ' ', rows[i]);
        memcpy(line, "{\"manifest\":\"aGVsbG8=\"}", 23);
        line[rows[i]] = '\n';
        if (rows[i] <= 4 * (size_t)BATCH_MANIFEST_MAX) {
            assert_ok(api_take_batch(span_of(line, rows[i] + 1), &out, &e), &e);
        } else {
            assert_err(api_take_batch(span_of(line, rows[i] + 1), &out, &e), ERR_INPUT, &e);
            assert_string_equal(e.text, "manifest: the first line is longer than any");
        }
        buf_free(&out.manifest);
        buf_free(&out.document);
    }
}

static void
a_reason_has_one_status(void **state)
{
    static const struct {
        enum err_code code;
        const char *text;
        int status;
        const char *member; /* NULL: none */
        const char *detail; /* NULL: the text */
    } rows[] = {
        {ERR_INPUT, "no such thing", 400, NULL, NULL},
        {ERR_INPUT, "fqdns[0]: too long", 422, "fqdns[0]", NULL},
        {ERR_INPUT, "registration: not JSON", 400, NULL, NULL},
        {ERR_DENIED, "not for you", 403, NULL, NULL},
        {ERR_DENIED, "profiles[0].name: not for an AMF", 422, "profiles[0].name", NULL},
        {ERR_CRYPTO, "signature", 400, NULL, NULL},
        {ERR_CRYPTO, "fqdns: x", 400, NULL, NULL},
        {ERR_NOTFOUND, "no registration", 404, NULL, NULL},
        {ERR_CONFLICT, "again", 409, NULL, NULL},
        {ERR_BUSY, "later", 503, NULL, NULL},
        {ERR_NONE, "?", 500, NULL, "see the log of nfpki-ra"},
        {ERR_PIN, "pin", 500, NULL, "see the log of nfpki-ra"},
        {ERR_TOKEN, "token", 500, NULL, "see the log of nfpki-ra"},
        {ERR_STORE, "/var/lib/x: disk", 500, NULL, "see the log of nfpki-ra"},
        {ERR_IO, "io", 500, NULL, "see the log of nfpki-ra"},
        {ERR_INPUT, "\xff", 400, NULL, "the reason is not printable"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {.code = rows[i].code};
        json_t *problem;
        const char *member;
        const char *detail;

        (void)snprintf(e.text, sizeof(e.text), "%s", rows[i].text);
        problem = api_problem(api_status_of(&e), &e);
        member = json_string_value(json_object_get(problem, "member"));
        detail = json_string_value(json_object_get(problem, "detail"));
        if (api_status_of(&e) != rows[i].status ||
            json_integer_value(json_object_get(problem, "status")) != rows[i].status ||
            strcmp(json_string_value(json_object_get(problem, "code")),
                   err_code_name(rows[i].code)) != 0 ||
            strcmp(member == NULL ? "" : member, rows[i].member == NULL ? "" : rows[i].member) !=
                0 ||
            strcmp(detail, rows[i].detail == NULL ? rows[i].text : rows[i].detail) != 0) {
            fail_msg("%s %s: %d", err_code_name(rows[i].code), rows[i].text, api_status_of(&e));
        }
        json_decref(problem);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_one_command),
        cmocka_unit_test(a_query_says_which_registrations),
        cmocka_unit_test(a_query_may_be_as_long_as_it_can_be),
        cmocka_unit_test(a_batch_begins_with_its_manifest),
        cmocka_unit_test(a_manifest_has_a_limit),
        cmocka_unit_test(a_reason_has_one_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
