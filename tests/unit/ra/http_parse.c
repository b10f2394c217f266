/* SPDX-License-Identifier: Apache-2.0 */
/* What the parser takes for the administrators' door and for no other; ra/http.c has the rest. */
#include "ra/http_parse.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

struct row {
    const char *text;
    int status; /* 0: taken */
    enum http_method method;
    const char *path;
    const char *query;
};

/* In pieces of `step` octets. */
static void
feed(const struct row *row, size_t step, bool resources)
{
    CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(HTTP_BODY_MAX);
    enum http_state state = HTTP_NEED_MORE;
    size_t n = strlen(row->text);

    if (resources) {
        http_parser_allow_resources(p);
    }
    for (size_t at = 0; at < n && state == HTTP_NEED_MORE;) {
        size_t used = 0;

        state = http_parser_feed(p, span_of(row->text + at, n - at < step ? n - at : step), &used);
        at += used;
    }
    if (state == HTTP_REFUSED) {
        assert_int_equal(http_parser_status(p), row->status);
        return;
    }
    assert_int_equal(state, HTTP_COMPLETE);
    assert_int_equal(row->status, 0);
    assert_int_equal(http_parser_request(p)->method, row->method);
    assert_string_equal(http_parser_request(p)->path, row->path);
    assert_string_equal(http_parser_request(p)->query, row->query);
}

#define REQUEST(line) line " HTTP/1.1\r\nHost: x\r\n\r\n"

static void
delete_and_a_query_are_taken_where_resources_are(void **state)
{
    static const struct row rows[] = {
        {REQUEST("DELETE /v1/x"), 0, HTTP_METHOD_DELETE, "/v1/x", ""},
        {REQUEST("GET /v1?state=open&limit=2"), 0, HTTP_METHOD_GET, "/v1", "state=open&limit=2"},
        {REQUEST("GET /v1?"), 0, HTTP_METHOD_GET, "/v1", ""},
        {REQUEST("GET /v1?a=b?c"), 400, HTTP_METHOD_GET, "", ""},
        {REQUEST("GET /v1?a=%41"), 400, HTTP_METHOD_GET, "", ""},
        {REQUEST("GET /v1?a=<b>"), 400, HTTP_METHOD_GET, "", ""},
        {REQUEST("GET /v%31"), 400, HTTP_METHOD_GET, "", ""},
        {"DELETE /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 400, HTTP_METHOD_DELETE, "",
         ""},
        {REQUEST("PUT /v1"), 405, HTTP_METHOD_GET, "", ""},
        {REQUEST("PATCH /v1"), 405, HTTP_METHOD_GET, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].text);
        feed(&rows[i], 1, true);
        feed(&rows[i], 1000, true);
    }
}

static void
elsewhere_they_are_refused(void **state)
{
    static const struct row rows[] = {
        {REQUEST("DELETE /v1/x"), 405, HTTP_METHOD_DELETE, "", ""},
        {REQUEST("GET /v1?a=b"), 400, HTTP_METHOD_GET, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        feed(&rows[i], 1, false);
        feed(&rows[i], 1000, false);
    }
}

static void
a_query_has_its_limit(void **state)
{
    char text[1024];
    size_t n = 0;
    struct row row = {text, 414, HTTP_METHOD_GET, "", ""};

    (void)state;
    n += (size_t)snprintf(text, sizeof(text), "GET /v1?");
    memset(text + n, 'a', HTTP_QUERY_MAX + 1);
    n += HTTP_QUERY_MAX + 1;
    (void)snprintf(text + n, sizeof(text) - n, " HTTP/1.1\r\nHost: x\r\n\r\n");
    feed(&row, 1, true);
    feed(&row, 1000, true);
}

static void
the_limit_of_a_body_is_that_of_the_peer(void **state)
{
    static const char small[] = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n";
    CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(HTTP_BODY_MAX);
    CLEANUP(http_parser_cleanup) struct http_parser *q = http_parser_new(HTTP_BODY_MAX);
    size_t used;

    (void)state;
    http_parser_set_body_max(q, HTTP_BODY_MAX + 1);
    assert_int_equal(http_parser_feed(p, span_str(small), &used), HTTP_REFUSED);
    assert_int_equal(http_parser_status(p), 413);
    assert_int_equal(http_parser_feed(q, span_str(small), &used), HTTP_NEED_MORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delete_and_a_query_are_taken_where_resources_are),
        cmocka_unit_test(elsewhere_they_are_refused),
        cmocka_unit_test(a_query_has_its_limit),
        cmocka_unit_test(the_limit_of_a_body_is_that_of_the_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
