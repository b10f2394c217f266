/* SPDX-License-Identifier: Apache-2.0 */
/* A request and what it is answered; sizes, addresses, and a server that has nothing but its
 * handler. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/unit/base/http/visits.h"

static void
hostile_requests_get_their_refusal(void **state)
{
    static const struct row rows[] = {
        {"plain CL", BYTES(HEAD "Content-Length: 5\r\n\r\nhello"), "200"},
        {"two CL differ", BYTES(HEAD "Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello"),
         "400!"},
        {"two CL agree", BYTES(HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"CL 5,50 list", BYTES(HEAD "Content-Length: 5, 50\r\n\r\nhello"), "400!"},
        {"CL + TE chunked",
         BYTES(HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x "
                    "HTTP/1.1\r\nHost: x\r\n\r\n"),
         "400!"},
        {"TE chunked + CL",
         BYTES(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "400!"},
        {"TE: xchunked + CL",
         BYTES(HEAD "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello"), "501!"},
        {"space before colon", BYTES(HEAD "Content-Length : 5\r\n\r\nhello"), "400!"},
        {"CL +5", BYTES(HEAD "Content-Length: +5\r\n\r\nhello"), "400!"},
        {"CL -1", BYTES(HEAD "Content-Length: -1\r\n\r\nhello"), "400!"},
        {"CL 0x5", BYTES(HEAD "Content-Length: 0x5\r\n\r\nhello"), "400!"},
        {"chunk size 0x", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
         "400!"},
        {"chunk size neg", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
         "400!"},
        {"chunk ok", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
         "200"},
        {"trailer",
         BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: y\r\n\r\n" HEAD
                    "Content-Length: 2\r\n\r\nhi"),
         "200,200"},
        {"chunk extension",
         BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"), "200"},
        {"bare LF", BYTES("POST /x HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello"), "400!"},
        {"bare CR", BYTES(HEAD "X-A: b\rc\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"obs-fold", BYTES(HEAD "X-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"NUL in header", BYTES(HEAD "X-A: b\0c\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"no Host", BYTES("POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"two Host", BYTES(HEAD "Host: y\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"body CL 10 GB header only", BYTES(HEAD "Content-Length: 10000000000\r\n\r\n"), "413!"},
        {"chunk of 16 MB, size only", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\nffffff\r\n"),
         "413!"},
        {"Expect 100", BYTES(HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"), "200"},
        {"Expect something else", BYTES(HEAD "Content-Length: 5\r\nExpect: 200-ok\r\n\r\nhello"),
         "417!"},
        {"pipelined x2",
         BYTES(HEAD "Content-Length: 5\r\n\r\nhello" HEAD "Content-Length: 2\r\n\r\nhi"),
         "200,200"},
        {"PUT", BYTES("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), "405!"},
        {"no method at all", BYTES("HELLO /x HTTP/1.1\r\nHost: x\r\n\r\n"), "405!"},
        {"HTTP/1.0", BYTES("POST /x HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"), "200!"},
        {"HTTP/1.0 with keep-alive",
         BYTES("POST /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
         "200"},
        {"HTTP/1.0 with chunks",
         BYTES("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400!"},
        {"HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "405!"},
        {"HTTP/1.2", BYTES("POST /x HTTP/1.2\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "505!"},
        {"absolute-form", BYTES("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"), "200"},
        {"escape in the path", BYTES("GET /%2e%2e/ HTTP/1.1\r\nHost: x\r\n\r\n"), "400!"},
        {"GET with a body", BYTES("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
         "400!"},
        {"POST no length", BYTES(HEAD "\r\n"), "411!"},
        {"upgrade", BYTES(HEAD "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"),
         "200"},
        {"empty line first", BYTES("\r\n" HEAD "Content-Length: 5\r\n\r\nhello"), "200"},
        {"empty line between",
         BYTES(HEAD "Content-Length: 5\r\n\r\nhello\r\n" HEAD "Content-Length: 5\r\n\r\nhello\r\n"),
         "200,200"},
        {"two empty lines", BYTES("\r\n\r\n" HEAD "Content-Length: 5\r\n\r\nhello"), "400!"},
        {"CONNECT", BYTES("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"), "405!"},
        {"Connection: close", BYTES(HEAD "Connection: close\r\nContent-Length: 5\r\n\r\nhello"),
         "200!"},
        {"a handler ends the connection with its answer",
         BYTES("GET /last HTTP/1.1\r\nHost: x\r\n\r\n" HEAD "Content-Length: 2\r\n\r\nhi"), "200!"},
        {"nothing of what follows a refusal is read",
         BYTES(HEAD "Content-Length: +5\r\n\r\nhello" HEAD "Content-Length: 2\r\n\r\nhi"), "400!"},
    };
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;

        web_group_start(&web, &(struct http_options){0}, secure);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            visit_row(&web, secure, &rows[i]);
        }
        web_stop(&web);
    }
}

/* prefix, then n times unit, then suffix */
static void
build(struct buf *b, const char *prefix, const char *unit, size_t n, const char *suffix)
{
    struct err e;

    buf_free(b);
    assert_ok(buf_append_str(b, prefix, &e), &e);
    for (size_t i = 0; i < n; i++) {
        assert_ok(buf_append_str(b, unit, &e), &e);
    }
    assert_ok(buf_append_str(b, suffix, &e), &e);
}

static void
sizes_end_at_their_limits(void **state)
{
    static const struct {
        const char *name;
        const char *prefix;
        const char *unit;
        size_t n;
        const char *suffix;
        const char *expected;
    } rows[] = {
        {"header 9 KB", HEAD "X-A: ", "a", 9000, "\r\nContent-Length: 5\r\n\r\nhello", "431!"},
        {"header of 7 KB", HEAD "X-A: ", "a", 7000, "\r\nContent-Length: 5\r\n\r\nhello", "200"},
        {"1000 headers", HEAD, "A: b\r\n", 1000, "Content-Length: 5\r\n\r\nhello", "431!"},
        {"64 lines", HEAD, "A: b\r\n", 62, "Content-Length: 5\r\n\r\nhello", "200"},
        {"65 lines", HEAD, "A: b\r\n", 63, "Content-Length: 5\r\n\r\nhello", "431!"},
        {"body CL 100 KB", HEAD "Content-Length: 100000\r\n\r\n", "a", 100000, "", "413!"},
        {"body of 64 KiB", HEAD "Content-Length: 65536\r\n\r\n", "a", 65536, "", "200"},
        {"body of 64 KiB and one", HEAD "Content-Length: 65537\r\n\r\n", "a", 65537, "", "413!"},
        {"body chunked 100 KB", HEAD "Transfer-Encoding: chunked\r\n\r\n186a0\r\n", "a", 100000,
         "\r\n0\r\n\r\n", "413!"},
        {"66000 chunks of one octet", HEAD "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n",
         66000, "0\r\n\r\n", "413!"},
        {"path of 300", "POST /", "a", 300, " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
         "414!"},
    };
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(1024 * 1024);

    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;

        web_group_start(&web, &(struct http_options){0}, secure);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            build(&bytes, rows[i].prefix, rows[i].unit, rows[i].n, rows[i].suffix);
            visit_row(&web, secure,
                      &(struct row){rows[i].name, buf_span(&bytes), rows[i].expected});
        }
        web_stop(&web);
    }
}

static void
a_server_may_take_larger_bodies(void **state)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(1024 * 1024);
    struct web web;

    (void)state;
    web_group_start(&web, &(struct http_options){.body_max = 200000}, false);
    build(&bytes, HEAD "Content-Length: 200000\r\n\r\n", "a", 200000, "");
    visit_row(&web, false, &(struct row){"200 KB", buf_span(&bytes), "200"});
    build(&bytes, HEAD "Content-Length: 200001\r\n\r\n", "a", 200001, "");
    visit_row(&web, false, &(struct row){"and one", buf_span(&bytes), "413!"});
    web_stop(&web);
}

static void
expect_is_answered_before_the_body(void **state)
{
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;
        struct visitor v;
        char heard[64];
        char line[64] = "";
        int n = 0;

        web_group_start(&web, &(struct http_options){0}, secure);
        v = visit(&web, secure);
        visitor_say(&v, SPAN_LITERAL(HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
        while (n < 25) {
            int got = visitor_read(&v, line + n, 25 - (size_t)n);

            assert_true(got > 0);
            n += got;
        }
        assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
        visitor_say(&v, SPAN_LITERAL("hello"));
        visitor_hear(&v, 1, heard, sizeof(heard));
        assert_string_equal(heard, "200");
        visitor_close(&v);
        web_stop(&web);
    }
}

static void
busy_says_when_to_come_again(void **state)
{
    struct web web;
    struct visitor v;
    char answer[512];

    (void)state;
    web_group_start(&web, &(struct http_options){0}, false);
    v = visit(&web, false);
    visitor_say(&v, SPAN_LITERAL("GET /busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    visit_read_all(&v, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_non_null(strstr(answer, "\r\nRetry-After: 7\r\n"));
    visitor_close(&v);
    web_stop(&web);
}

/* What a HEAD is answered has the headers of the GET, without what they speak of. */
static void
head_is_answered_like_get_without_content(void **state)
{
    static const char rest[] = "HTTP/1.1 503 Service Unavailable\r\n";
    struct web web;
    struct visitor v;
    char answer[4096];
    const char *second;

    (void)state;
    web_group_start(&web, &(struct http_options){0}, false);
    v = visit(&web, false);
    visitor_say(&v, SPAN_LITERAL("HEAD /small HTTP/1.1\r\nHost: x\r\n\r\n"
                                 "HEAD /busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    visit_read_all(&v, answer, sizeof(answer));
    assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(strstr(answer, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: application/octet-stream\r\n"));
    second = strstr(answer, "\r\n\r\n") + 4;
    assert_memory_equal(second, rest, sizeof(rest) - 1);
    assert_string_equal(strstr(second, "\r\n\r\n"), "\r\n\r\n");
    visitor_close(&v);
    web_stop(&web);
}

static void
a_refusal_is_reported_with_its_reason(void **state)
{
    const struct row row = {"LF", SPAN_LITERAL("GET /x HTTP/1.1\nHost: x\r\n\r\n"), "400!"};
    struct web web;

    (void)state;
    web_group_start(&web, &(struct http_options){0}, false);
    visit_row(&web, false, &row);
    web_stop(&web);
    assert_int_equal(web.refused, 1);
    assert_int_equal(web.fault, HTTP_FAULT_BARE_LF);
}

/* Is there an IPv6 loopback at all? */
static bool
has_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool there = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return there;
}

static int
dial_ipv6(unsigned port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t)port),
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Both on one port: [::] leaves IPv4 alone. */
static void
both_families_have_their_listener(void **state)
{
    const struct row row = {"ask", SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"), "200"};
    CLEANUP(mem_cleanup) char *all = NULL;
    struct visitor v = {0};
    struct web web;
    char heard[64];
    struct err e;

    (void)state;
    if (!has_ipv6()) {
        print_message("no IPv6 loopback here: IPv4 alone\n");
        return;
    }
    web_start_later(&web, &(struct http_options){0}, "0.0.0.0:0", NULL);
    all = mem_printf("[::]:%u", http_server_port(web.server));
    assert_ok(http_server_listen(web.server, all, NULL, &e), &e);
    assert_err(http_server_listen(web.server, all, NULL, &e), ERR_IO, &e); /* taken */
    web_go(&web);
    visit_row(&web, false, &row);
    v.fd = dial_ipv6(http_server_port(web.server));
    visitor_say(&v, row.bytes);
    visitor_hear(&v, 1, heard, sizeof(heard));
    assert_string_equal(heard, "200");
    visitor_close(&v);
    web_stop(&web);
}

static void
a_handshake_may_be_refused_before_it_begins(void **state)
{
    struct web web;
    struct visitor v;

    (void)state;
    web_group_start(&web, &(struct http_options){0}, true);
    web.no_handshakes = true;
    v = visitor_new(&web, web_group_client(true));
    assert_int_equal(v.fd, -1);
    web.no_handshakes = false;
    v = visit(&web, true);
    visitor_close(&v);
    web_stop(&web);
}

/* ---- nobody is told ---- */

static void
answer_empty(struct http_exchange *x, void *user)
{
    (void)user;
    if (strcmp(http_exchange_request(x)->path, "/busy") == 0) {
        http_reply_busy(x, 0, NULL, (struct span){0});
        return;
    }
    http_reply(x, 200, NULL, (struct span){0});
}

/* What the peer hears when it has said this; the server runs between our looks. */
static void
hear_alone(struct event_base *base, unsigned port, struct span said, char *text, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t at = 0;
    ssize_t n = -1;

    memset(text, 0, size);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, said.p, said.n, MSG_NOSIGNAL), said.n);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    while (n != 0 && at < size - 1) {
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
        n = recv(fd, text + at, size - 1 - at, MSG_DONTWAIT);
        n = n < 0 && errno != EAGAIN ? 0 : n;
        at += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
}

static void
a_server_needs_nobody_but_its_handler(void **state)
{
    const struct http_options options = {
        .handler = answer_empty, .connections_max = 1, .connections_per_address_max = 1};
    struct event_base *base = event_base_new();
    struct http_server *server = http_server_new(base, &options);
    struct web plain;
    struct visitor held;
    char text[512];
    struct err e;

    (void)state;
    assert_ok(http_server_listen(server, "127.0.0.1:0", NULL, &e), &e);
    hear_alone(base, http_server_port(server), SPAN_LITERAL("GET /x HTTP/1.1\nHost: x\r\n\r\n"),
               text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 400 Bad Request\r\n", 26);
    hear_alone(base, http_server_port(server),
               SPAN_LITERAL("GET /busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), text,
               sizeof(text));
    assert_non_null(strstr(text, "\r\nRetry-After: 1\r\n")); /* never at once */
    plain = (struct web){.server = server};
    held = visitor_new(&plain, NULL);
    hear_alone(base, http_server_port(server),
               SPAN_LITERAL("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), text,
               sizeof(text)); /* in the place of the other one */
    assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
    visit_wait_for_the_end(&held);
    visitor_close(&held);
    assert_err(http_server_listen(server, "here", NULL, &e), ERR_INPUT, &e);
    http_server_stop_accepting(server);
    http_server_stop_accepting(server); /* once is enough */
    assert_true(http_server_is_idle(server));
    http_server_free(server);
    http_server_free(NULL);
    event_base_free(base);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_requests_get_their_refusal),
        cmocka_unit_test(sizes_end_at_their_limits),
        cmocka_unit_test(a_server_may_take_larger_bodies),
        cmocka_unit_test(expect_is_answered_before_the_body),
        cmocka_unit_test(busy_says_when_to_come_again),
        cmocka_unit_test(head_is_answered_like_get_without_content),
        cmocka_unit_test(a_refusal_is_reported_with_its_reason),
        cmocka_unit_test(both_families_have_their_listener),
        cmocka_unit_test(a_handshake_may_be_refused_before_it_begins),
        cmocka_unit_test(a_server_needs_nobody_but_its_handler),
    };

    return cmocka_run_group_tests(tests, web_group_set_up, web_group_tear_down);
}
