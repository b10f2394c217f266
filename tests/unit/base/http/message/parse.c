/* SPDX-License-Identifier: Apache-2.0 */
/* What the parser takes for the administrators' door and for no other; http.c has the rest. */
#include "base/http/message/parse.h"

#include <stdio.h>
#include <string.h>

#include "base/http/message/target.h"
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
        assert_int_equal(http_fault_status(http_parser_fault(p)), row->status);
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
    assert_int_equal(http_fault_status(http_parser_fault(p)), 413);
    assert_int_equal(http_parser_feed(q, span_str(small), &used), HTTP_NEED_MORE);
}

/* ---- what is refused, fault by fault ---- */

#define HEAD "POST /x HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define A16 "aaaaaaaaaaaaaaaa"
#define A128 A16 A16 A16 A16 A16 A16 A16 A16
#define A64 A16 A16 A16 A16
#define A256 A128 A128
#define A512 A256 A256
/* A span for a static table. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

/* In pieces of `step` octets; HTTP_FAULT_NONE and the number of requests when all were taken. */
static enum http_fault
fault_of(struct span bytes, size_t step, unsigned *requests)
{
    CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(HTTP_BODY_MAX);
    size_t at = 0;

    *requests = 0;
    while (at < bytes.n) {
        size_t n = bytes.n - at < step ? bytes.n - at : step;
        size_t used = 0;
        enum http_state state = http_parser_feed(p, span_of(bytes.p + at, n), &used);

        at += used;
        if (state == HTTP_REFUSED) {
            return http_parser_fault(p);
        }
        if (state == HTTP_COMPLETE) {
            (*requests)++;
            http_parser_next(p);
        }
    }
    return HTTP_FAULT_NONE;
}

static void
each_fault_is_found_and_named(void **state)
{
    static const struct {
        struct span bytes;
        enum http_fault fault;
    } rows[] = {
        {BYTES("GET /x HTTP/1.1\nHost: x\r\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\n\n"), HTTP_FAULT_BARE_LF},
        {BYTES("\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES(CHUNKED "5\nhello\r\n0\r\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES(CHUNKED "5;a\nhello\r\n0\r\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES(CHUNKED "5\r\nhello\n0\r\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES(CHUNKED "0\r\nA: b\n\r\n"), HTTP_FAULT_BARE_LF},
        {BYTES(CHUNKED "0\r\n\n"), HTTP_FAULT_BARE_LF},
        {BYTES(HEAD "A: b\rc\r\n\r\n"), HTTP_FAULT_BARE_CR},
        {BYTES(CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n"), HTTP_FAULT_BARE_CR},
        {BYTES(CHUNKED "5\r\nhello\rx"), HTTP_FAULT_BARE_CR},
        {BYTES(CHUNKED "0\r\nA: b\rc\r\n\r\n"), HTTP_FAULT_BARE_CR},
        {BYTES(HEAD "A: b\0c\r\n\r\n"), HTTP_FAULT_NUL},
        {BYTES(CHUNKED "0\r\nA: b\0c\r\n\r\n"), HTTP_FAULT_NUL},
        {BYTES(HEAD "A: b\r\n c\r\n\r\n"), HTTP_FAULT_FOLD},
        {BYTES(HEAD "A: b\r\n\tc\r\n\r\n"), HTTP_FAULT_FOLD},
        {BYTES(" GET /x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_FOLD},
        {BYTES(CHUNKED "0\r\nA: b\r\n c\r\n\r\n"), HTTP_FAULT_FOLD},
        {BYTES("\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_EMPTY_LINES},
        {BYTES("GET\r\n\r\n"), HTTP_FAULT_METHOD},
        {BYTES("GET /x\r\n\r\n"), HTTP_FAULT_VERSION},
        {BYTES("GET /x y HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_REQUEST_LINE},
        {BYTES("GET x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET},
        {BYTES("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET},
        {BYTES("GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET},
        {BYTES("GET * HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET},
        {BYTES("GET /%78 HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET_CHARACTER},
        {BYTES("GET /x?y HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET_CHARACTER},
        {BYTES("GET /x#y HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET_CHARACTER},
        {BYTES("GET /" A256 " HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET_LENGTH},
        {BYTES("GET /" A512 A512 A512 " HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_TARGET_LENGTH},
        {BYTES("PUT /x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_METHOD},
        {BYTES("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_METHOD},
        {BYTES("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_METHOD},
        {BYTES("hello /x HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_METHOD},
        {BYTES("\x16\x03\x01\x02"), HTTP_FAULT_METHOD},
        {BYTES("GET /x HTTP/1.2\r\nHost: x\r\n\r\n"), HTTP_FAULT_VERSION},
        {BYTES("GET /x HTTP/2.0\r\nHost: x\r\n\r\n"), HTTP_FAULT_VERSION},
        {BYTES("GET /x HTTP/0.9\r\nHost: x\r\n\r\n"), HTTP_FAULT_VERSION},
        {BYTES("GET /x HTTP/0.9\r\n\r\n"), HTTP_FAULT_VERSION},
        {BYTES(HEAD "A : b\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(HEAD "A\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(HEAD ": b\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(CHUNKED "0\r\nGET /y HTTP/1.1\r\nHost: x\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(CHUNKED "0\r\nA : b\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(CHUNKED "0\r\nA\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(CHUNKED "0\r\n: b\r\n\r\n"), HTTP_FAULT_FIELD},
        {BYTES(HEAD "Host: " A512 A512 "\r\n\r\n"), HTTP_FAULT_HEADER_SIZE},
        {BYTES("GET /x HTTP/1.1\r\n\r\n"), HTTP_FAULT_NO_HOST},
        {BYTES("GET http://x/x HTTP/1.1\r\n\r\n"), HTTP_FAULT_NO_HOST},
        {BYTES("GET /x HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n"), HTTP_FAULT_HOSTS},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"), HTTP_FAULT_HOSTS},
        {BYTES(HEAD "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n"), HTTP_FAULT_TYPE},
        {BYTES(HEAD "Content-Type: " A128 "a\r\n\r\n"), HTTP_FAULT_TYPE},
        {BYTES(HEAD "Expect: money\r\n\r\n"), HTTP_FAULT_EXPECT},
        {BYTES(HEAD "Content-Length: +1\r\n\r\na"), HTTP_FAULT_LENGTH},
        {BYTES(HEAD "Content-Length: 1, 1\r\n\r\na"), HTTP_FAULT_LENGTH},
        {BYTES(HEAD "Content-Length: 0x1\r\n\r\na"), HTTP_FAULT_LENGTH},
        {BYTES(HEAD "Content-Length: 99999999999999999999\r\n\r\na"), HTTP_FAULT_LENGTH},
        {BYTES(HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), HTTP_FAULT_LENGTHS},
        {BYTES(HEAD "\r\n"), HTTP_FAULT_NO_LENGTH},
        {BYTES(HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
         HTTP_FAULT_FRAMINGS},
        {BYTES(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
         HTTP_FAULT_FRAMINGS},
        {BYTES(HEAD "Transfer-Encoding: gzip\r\n\r\n"), HTTP_FAULT_CODING},
        {BYTES(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n"), HTTP_FAULT_CODING},
        {BYTES(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
         HTTP_FAULT_CODINGS},
        {BYTES("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_FAULT_CODING_1_0},
        {BYTES(CHUNKED "0x1\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "-1\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "+1\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED " 1\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "1 \r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED ";a\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "1;a\0b\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "00000000000000001\r\na\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "1\r\nab\r\n0\r\n\r\n"), HTTP_FAULT_CHUNK},
        {BYTES(CHUNKED "1;" A256 "\r\na\r\n0\r\n\r\n"), HTTP_FAULT_IGNORED},
        {BYTES(CHUNKED "1;" A256), HTTP_FAULT_IGNORED}, /* at once, not at the end */
        {BYTES(CHUNKED "1;" A128 "\r\na\r\n0;" A128 "\r\n\r\n"), HTTP_FAULT_IGNORED},
        {BYTES(CHUNKED "0\r\nA: " A128 "\r\nB: " A128 "\r\n\r\n"), HTTP_FAULT_IGNORED},
        {BYTES(CHUNKED "0;" A128 "\r\nB: " A128 "\r\n\r\n"), HTTP_FAULT_IGNORED},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"), HTTP_FAULT_CONTENT},
        {BYTES("HEAD /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"), HTTP_FAULT_CONTENT},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         HTTP_FAULT_CONTENT},
        {BYTES(HEAD "Content-Length: 65537\r\n\r\n"), HTTP_FAULT_CONTENT_SIZE},
        {BYTES(CHUNKED "10001\r\n"), HTTP_FAULT_CONTENT_SIZE},
        {BYTES(CHUNKED "ffffffffffffffff\r\n"), HTTP_FAULT_CONTENT_SIZE},
    };
    bool seen[HTTP_FAULTS] = {false};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const size_t steps[] = {1, 7, rows[i].bytes.n};

        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            size_t step = steps[k];
            unsigned requests;
            enum http_fault fault = fault_of(rows[i].bytes, step, &requests);

            if (fault != rows[i].fault || requests != 0) {
                fail_msg("row %zu, in pieces of %zu: %s, not %s", i, step, http_fault_reason(fault),
                         http_fault_reason(rows[i].fault));
            }
        }
        seen[rows[i].fault] = true;
    }
    for (int f = HTTP_FAULT_NONE + 1; f < HTTP_FAULTS; f++) {
        if (!seen[f]) {
            fail_msg("no row for: %s", http_fault_reason((enum http_fault)f));
        }
        assert_in_range(http_fault_status((enum http_fault)f), 400, 599);
        assert_true(strlen(http_fault_clause((enum http_fault)f)) > 4);
    }
}

/* ---- what means nothing here is passed over ---- */

static void
what_a_server_may_ignore_is_ignored(void **state)
{
    static const struct {
        struct span bytes;
        unsigned requests;
    } rows[] = {
#define H2C "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEA\r\n"
        {BYTES(HEAD H2C "Content-Length: 2\r\n\r\nhi" HEAD "Content-Length: 0\r\n\r\n"), 2},
        {BYTES(HEAD H2C "Content-Length: 0\r\n\r\n" HEAD H2C "Content-Length: 0\r\n\r\n"), 2},
        {BYTES(HEAD H2C "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" HEAD
                        "Content-Length: 0\r\n\r\n"),
         2},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\n" H2C "\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"), 2},
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
               "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"),
         2},
        {BYTES("HEAD /x HTTP/1.0\r\n" H2C "\r\nPOST /x HTTP/1.0\r\nConnection: Upgrade, "
               "keep-alive\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"),
         2},
        {BYTES("\r\n" HEAD "Content-Length: 2\r\n\r\nhi\r\n" HEAD
               "Content-Length: 2\r\n\r\nhi\r\n"),
         2},
        {BYTES("POST http://y/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), 1},
        {BYTES("GET http://y/x HTTP/1.0\r\n\r\n"), 1},
        {BYTES(CHUNKED "2;a\r\nhi\r\n2 ; a = \"b;\\\"c\";d\t\r\nhi\r\n0;e\r\n\r\n" HEAD
                       "Content-Length: 0\r\n\r\n"),
         2},
        {BYTES(CHUNKED "2\r\nhi\r\n000\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n"
                       "Host:\r\n\r\n" HEAD "Content-Length: 0\r\n\r\n"),
         2},
        /* 2 + 126 + 128 octets: as much as is ignored */
        {BYTES("\r\n" CHUNKED "1;" A64 A16 A16 A16 "aaaaaaaaaaaaa\r\na\r\n0\r\nA: " A64 A16 A16 A16
               "aaaaaaaaaaa\r\n\r\n" HEAD "Content-Length: 0\r\n\r\n"),
         2},
        /* a condition that is too long is none */
        {BYTES("GET /x HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"" A512 A512 "\"\r\n"
               "If-Modified-Since: " A512 A512 "\r\n\r\n"),
         1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t step = 1; step <= 1000; step += 37) {
            unsigned requests;
            enum http_fault fault = fault_of(rows[i].bytes, step, &requests);

            if (fault != HTTP_FAULT_NONE || requests != rows[i].requests) {
                fail_msg("row %zu in pieces of %zu: %s, %u requests", i, step,
                         http_fault_reason(fault), requests);
            }
        }
    }
}

static void
the_last_octet_that_is_ignored_is_the_256th(void **state)
{
    char text[1024];

    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        unsigned requests;
        /* 2 for the empty line, 1 + 100 for the extension, the rest for "A: " and CRLF */
        size_t trailer = HTTP_IGNORED_MAX - 2 - 101 - 5 + extra;
        int n = snprintf(text, sizeof(text), "\r\n" CHUNKED "1;%0100d\r\na\r\n0\r\nA: %0*d\r\n\r\n",
                         0, (int)trailer, 0);

        assert_int_equal(fault_of(span_of(text, (size_t)n), 1, &requests),
                         extra == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_IGNORED);
        assert_int_equal(fault_of(span_of(text, (size_t)n), 1000, &requests),
                         extra == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_IGNORED);
    }
}

/* The request itself; it is gone with the next. */
static void
complete(struct http_parser *p, const char *text)
{
    size_t used;

    assert_int_equal(http_parser_feed(p, span_str(text), &used), HTTP_COMPLETE);
    assert_int_equal(used, strlen(text));
}

static void
chunks_and_conditions_arrive_as_they_were_meant(void **state)
{
    CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(HTTP_BODY_MAX);
    const struct http_request *r = NULL;

    (void)state;
    complete(p, CHUNKED "5;a=b\r\nhello\r\n6\r\n\r\n0\r\n\r\r\n0\r\nX: y\r\n\r\n");
    r = http_parser_request(p);
    assert_int_equal(r->body.n, 11);
    assert_memory_equal(r->body.p, "hello\r\n0\r\n\r", 11);
    assert_false(r->has_if_none_match);
    http_parser_next(p);
    complete(
        p,
        "HEAD http://y/x HTTP/1.1\r\nHost: x\r\nIF-NONE-MATCH: \"a\"\r\nIf-None-Match: W/\"b\"\r\n"
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    r = http_parser_request(p);
    assert_true(r->head);
    assert_int_equal(r->method, HTTP_METHOD_GET);
    assert_string_equal(r->path, "/x");
    assert_string_equal(r->if_none_match, "\"a\",W/\"b\"");
    assert_string_equal(r->if_modified_since, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(r->keep_alive);
    http_parser_next(p);
    assert_false(http_parser_has_begun(p));
    assert_int_equal(http_parser_feed(p, SPAN_LITERAL("\r\n"), &(size_t){0}), HTTP_NEED_MORE);
    assert_false(http_parser_has_begun(p)); /* an empty line is no beginning */
    complete(p, "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n");
    assert_false(http_parser_request(p)->keep_alive);
    assert_false(http_parser_request(p)->has_if_none_match);
}

struct feeding {
    const char *text;
    enum http_state state;
    size_t used; /* 0: all of it */
};

static void
who_waits_for_a_word_is_told_to_go_on(void **state)
{
#define EXPECT HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n"
    static const struct {
        const char *name;
        struct feeding feedings[3];
    } rows[] = {
        {"header, then body",
         {{EXPECT "\r\n", HTTP_WANT_CONTINUE, 0},
          {"he", HTTP_NEED_MORE, 0},
          {"llo", HTTP_COMPLETE, 0}}},
        {"header in pieces",
         {{EXPECT "A: b", HTTP_NEED_MORE, 0},
          {"\r\n\r\n", HTTP_WANT_CONTINUE, 0},
          {"hello", HTTP_COMPLETE, 0}}},
        {"header and a part of the body",
         {{EXPECT "\r\nhe", HTTP_NEED_MORE, 0}, {"llo", HTTP_COMPLETE, 0}}},
        {"header and the body", {{EXPECT "\r\nhello", HTTP_COMPLETE, 0}}},
        {"no body at all",
         {{HEAD "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", HTTP_COMPLETE, 0}}},
        {"nothing is expected",
         {{HEAD "Content-Length: 5\r\n\r\n", HTTP_NEED_MORE, 0}, {"hello", HTTP_COMPLETE, 0}}},
        {"HTTP/1.0",
         {{"POST /x HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", HTTP_NEED_MORE,
           0},
          {"hello", HTTP_COMPLETE, 0}}},
        {"chunks",
         {{HEAD "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", HTTP_WANT_CONTINUE,
           0},
          {"1\r\na\r\n", HTTP_NEED_MORE, 0},
          {"0\r\n\r\nnext", HTTP_COMPLETE, 5}}},
        {"a refusal", {{EXPECT "Content-Length: 5\r\n\r\n", HTTP_REFUSED, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(HTTP_BODY_MAX);

        for (size_t k = 0; k < ARRAY_LEN(rows[i].feedings) && rows[i].feedings[k].text != NULL;
             k++) {
            const struct feeding *f = &rows[i].feedings[k];
            size_t used;
            enum http_state got = http_parser_feed(p, span_str(f->text), &used);

            if (got != f->state ||
                (got != HTTP_REFUSED && used != (f->used == 0 ? strlen(f->text) : f->used))) {
                fail_msg("%s, feeding %zu: state %d, %zu octets", rows[i].name, k, (int)got, used);
            }
            assert_true(http_parser_has_begun(p));
        }
    }
}

static void
a_body_may_be_as_long_as_it_may(void **state)
{
    CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(3);

    (void)state;
    complete(p, HEAD "Content-Length: 3\r\nContent-Type: A/B; c\r\n\r\nabc");
    assert_int_equal(http_parser_request(p)->method, HTTP_METHOD_POST);
    assert_false(http_parser_request(p)->head);
    assert_false(http_parser_request(p)->minor_0);
    assert_string_equal(http_parser_request(p)->content_type, "a/b");
    assert_true(span_equal(http_parser_request(p)->body, SPAN_LITERAL("abc")));
    http_parser_next(p); /* nothing is left of it */
    complete(p, "POST /y HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
    assert_true(http_parser_request(p)->minor_0);
    assert_false(http_parser_request(p)->keep_alive);
    assert_string_equal(http_parser_request(p)->content_type, "");
    assert_int_equal(http_parser_request(p)->body.n, 0);
    http_parser_free(NULL);
}

static void
a_target_may_have_the_longest_of_each_part(void **state)
{
    enum { REST = 64 };
    char text[HTTP_TARGET_MAX + REST];

    (void)state;
    for (size_t extra = 0; extra <= 1; extra++) {
        CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(3);
        size_t used;
        char *to = text;
        enum http_state got;

        to += snprintf(to, 32, "GET https://");
        memset(to, 'a', HTTP_AUTHORITY_MAX);
        to += HTTP_AUTHORITY_MAX;
        memset(to, 'b', HTTP_PATH_MAX);
        *to = '/';
        to += HTTP_PATH_MAX;
        *to++ = '?';
        memset(to, 'c', HTTP_QUERY_MAX + extra);
        to += HTTP_QUERY_MAX + extra;
        to += snprintf(to, 32, " HTTP/1.1\r\nHost: x\r\n\r\n");
        http_parser_allow_resources(p);
        got = http_parser_feed(p, span_of(text, (size_t)(to - text)), &used);
        assert_int_equal(got, extra == 0 ? HTTP_COMPLETE : HTTP_REFUSED);
        if (extra == 0) {
            assert_int_equal(strlen(http_parser_request(p)->query), HTTP_QUERY_MAX);
        } else {
            assert_int_equal(http_parser_fault(p), HTTP_FAULT_TARGET_LENGTH);
        }
    }
}

/* The longest one, and the Host that it was sent to; the next request has neither. */
static void
a_form_and_its_host_are_kept_until_the_next_request(void **state)
{
    static char text[HTTP_FORM_MAX + 64] = "GET /a?";
    CLEANUP(http_parser_cleanup) struct http_parser *p = http_parser_new(3);
    CLEANUP(http_parser_cleanup) struct http_parser *other = http_parser_new(3);
    char host[HTTP_HOST_MAX + 2] = {0};
    size_t used;

    (void)state;
    memset(text + 7, 'x', HTTP_FORM_MAX);
    (void)snprintf(text + 7 + HTTP_FORM_MAX, 57, " HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
    http_parser_allow_forms(p);
    assert_int_equal(http_parser_feed(p, span_str(text), &used), HTTP_COMPLETE);
    assert_int_equal(strlen(http_parser_request(p)->form), HTTP_FORM_MAX);
    assert_string_equal(http_parser_request(p)->host, "[::1]:80");
    http_parser_next(p);
    memset(host, 'h', HTTP_HOST_MAX + 1);
    (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    assert_int_equal(http_parser_feed(p, span_str(text), &used), HTTP_COMPLETE);
    assert_string_equal(http_parser_request(p)->form, "");
    assert_string_equal(http_parser_request(p)->host, "");
    http_parser_next(p);
    (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host + 1);
    assert_int_equal(http_parser_feed(p, span_str(text), &used), HTTP_COMPLETE);
    assert_string_equal(http_parser_request(p)->host, host + 1);
    assert_int_equal(
        http_parser_feed(other, span_str("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"), &used),
        HTTP_REFUSED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delete_and_a_query_are_taken_where_resources_are),
        cmocka_unit_test(elsewhere_they_are_refused),
        cmocka_unit_test(a_query_has_its_limit),
        cmocka_unit_test(the_limit_of_a_body_is_that_of_the_peer),
        cmocka_unit_test(each_fault_is_found_and_named),
        cmocka_unit_test(what_a_server_may_ignore_is_ignored),
        cmocka_unit_test(the_last_octet_that_is_ignored_is_the_256th),
        cmocka_unit_test(chunks_and_conditions_arrive_as_they_were_meant),
        cmocka_unit_test(who_waits_for_a_word_is_told_to_go_on),
        cmocka_unit_test(a_body_may_be_as_long_as_it_may),
        cmocka_unit_test(a_target_may_have_the_longest_of_each_part),
        cmocka_unit_test(a_form_and_its_host_are_kept_until_the_next_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
