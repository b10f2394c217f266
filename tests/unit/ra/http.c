/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ra/http.h"
#include "tests/support/test.h"

/* A server on a thread of its own that echoes bodies; "/late" is answered when told to. */
struct fixture {
    struct event_base *base;
    struct http_server *server;
    struct event *command;
    int command_fd;
    pthread_t thread;
    struct http_exchange *late;
    int late_fd; /* readable when a late one is held */
    unsigned handled;
};

static void
handle(struct http_exchange *x, void *user)
{
    struct fixture *f = user;
    const struct http_request *r = http_exchange_request(x);

    f->handled++;
    if (strcmp(r->path, "/late") == 0) {
        f->late = x;
        (void)eventfd_write(f->late_fd, 1);
        return;
    }
    http_reply(x, 200, "application/octet-stream", r->body);
}

enum { COMMAND_STOP = 1, COMMAND_ANSWER_LATE = 1000 };

static void
on_command(evutil_socket_t fd, short what, void *user)
{
    struct fixture *f = user;
    eventfd_t value = 0;

    (void)what;
    (void)eventfd_read(fd, &value);
    if (value == COMMAND_ANSWER_LATE) {
        http_reply(f->late, 200, NULL, SPAN_LITERAL("late"));
        f->late = NULL;
        (void)eventfd_write(f->late_fd, 1);
    } else {
        (void)event_base_loopbreak(f->base);
    }
}

static void *
serve(void *user)
{
    struct fixture *f = user;

    (void)event_base_dispatch(f->base);
    return NULL;
}

static void
start(struct fixture *f, int request_timeout_ms, const char *address)
{
    struct http_options options = {
        .handler = handle, .user = f, .request_timeout_ms = request_timeout_ms};
    struct err e;

    memset(f, 0, sizeof(*f));
    f->base = event_base_new();
    f->command_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->late_fd = eventfd(0, EFD_CLOEXEC);
    f->command = event_new(f->base, f->command_fd, EV_READ | EV_PERSIST, on_command, f);
    (void)event_add(f->command, NULL);
    f->server = http_server_new(f->base, &options);
    assert_ok(http_server_listen(f->server, address, &e), &e);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void
stop(struct fixture *f)
{
    (void)eventfd_write(f->command_fd, COMMAND_STOP);
    (void)pthread_join(f->thread, NULL);
    http_server_free(f->server);
    if (f->late != NULL) {
        http_reply(f->late, 200, NULL, SPAN_LITERAL("nobody"));
    }
    event_free(f->command);
    event_base_free(f->base);
    (void)close(f->command_fd);
    (void)close(f->late_fd);
}

static int
dial(const struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_server_port(f->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void
say(int fd, struct span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (n <= 0) {
            return; /* refused early: the answer tells */
        }
        bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
    }
}

/* Reads until `answers` final status lines with their bodies are there or the peer closes; writes
 * "200,400" into out, with "!" behind when the peer closed. */
static void
hear(int fd, unsigned answers, char *out, size_t n_out)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(1024 * 1024);
    struct err e;
    size_t at = 0;
    unsigned seen = 0;
    bool closed = false;

    out[0] = '\0';
    for (;;) {
        char chunk[4096];
        char *head;
        ssize_t n;

        assert_ok(buf_append(&all, SPAN_LITERAL("\0"), &e), &e);
        all.n--;
        while ((head = strstr((char *)all.p + at, "\r\n\r\n")) != NULL) {
            const char *line = (char *)all.p + at;
            const char *length = strstr(line, "Content-Length: ");
            size_t body = length != NULL && length < head ? strtoul(length + 16, NULL, 10) : 0;
            size_t end = (size_t)(head - (char *)all.p) + 4 + body;

            if (end > all.n) {
                break;
            }
            (void)snprintf(out + strlen(out), n_out - strlen(out), "%s%.3s",
                           out[0] != '\0' ? "," : "", line + 9);
            at = end;
            seen += strncmp(line + 9, "1", 1) != 0;
        }
        if (seen >= answers || closed) {
            break;
        }
        n = recv(fd, chunk, sizeof(chunk), 0);
        closed = n <= 0;
        if (n > 0) {
            assert_ok(buf_append(&all, span_of(chunk, (size_t)n), &e), &e);
        }
    }
    if (closed) {
        (void)snprintf(out + strlen(out), n_out - strlen(out), "!");
    }
}

/* A span for a static table. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define HEAD "POST /x HTTP/1.1\r\nHost: x\r\n"

struct row {
    const char *name;
    struct span bytes;
    const char *expected;
};

static void
check_row(const struct fixture *f, const struct row *row)
{
    char heard[64];
    int fd = dial(f);
    unsigned answers = 1;

    for (const char *c = row->expected; *c != '\0'; c++) {
        answers += *c == ',';
    }
    say(fd, row->bytes);
    /* One more than expected when the connection should stay open is not waited for; a refusal must
     * also close, which the read to the end shows. */
    hear(fd, strchr(row->expected, '!') != NULL ? 99 : answers, heard, sizeof(heard));
    if (strcmp(heard, row->expected) != 0) {
        fail_msg("%s: expected %s, got %s", row->name, row->expected, heard);
    }
    (void)close(fd);
}

static void
hostile_requests_get_their_refusal(void **state)
{
    static const struct row rows[] = {
        {"plain length", BYTES(HEAD "Content-Length: 5\r\n\r\nhello"), "200"},
        {"two lengths that differ",
         BYTES(HEAD "Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello"), "400!"},
        {"two lengths that agree",
         BYTES(HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"length as a list", BYTES(HEAD "Content-Length: 5, 50\r\n\r\nhello"), "400!"},
        {"length and chunks",
         BYTES(HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x "
                    "HTTP/1.1\r\nHost: x\r\n\r\n"),
         "400!"},
        {"chunks and length",
         BYTES(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "400!"},
        {"unknown coding and length",
         BYTES(HEAD "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello"), "501!"},
        {"space before the colon", BYTES(HEAD "Content-Length : 5\r\n\r\nhello"), "400!"},
        {"length +5", BYTES(HEAD "Content-Length: +5\r\n\r\nhello"), "400!"},
        {"length -1", BYTES(HEAD "Content-Length: -1\r\n\r\nhello"), "400!"},
        {"length 0x5", BYTES(HEAD "Content-Length: 0x5\r\n\r\nhello"), "400!"},
        {"chunk size 0x5",
         BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"), "400!"},
        {"chunk size -5", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"),
         "400!"},
        {"chunks", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "200"},
        {"trailer",
         BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: y\r\n\r\n"),
         "400!"},
        {"chunk extension",
         BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"), "400!"},
        {"bare LF", BYTES("POST /x HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello"), "400!"},
        {"bare CR", BYTES(HEAD "X-A: b\rc\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"folded line", BYTES(HEAD "X-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"NUL in a header", BYTES(HEAD "X-A: b\0c\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"no Host", BYTES("POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"two Hosts", BYTES(HEAD "Host: y\r\nContent-Length: 5\r\n\r\nhello"), "400!"},
        {"length of 10 GB, header only", BYTES(HEAD "Content-Length: 10000000000\r\n\r\n"), "413!"},
        {"chunk of 16 MB, size only", BYTES(HEAD "Transfer-Encoding: chunked\r\n\r\nffffff\r\n"),
         "413!"},
        {"Expect with its body",
         BYTES(HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"), "200"},
        {"Expect something else", BYTES(HEAD "Content-Length: 5\r\nExpect: 200-ok\r\n\r\nhello"),
         "417!"},
        {"two in one packet",
         BYTES(HEAD "Content-Length: 5\r\n\r\nhello" HEAD "Content-Length: 2\r\n\r\nhi"),
         "200,200"},
        {"PUT", BYTES("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), "405!"},
        {"no method at all", BYTES("HELLO /x HTTP/1.1\r\nHost: x\r\n\r\n"), "405!"},
        {"HTTP/1.0 closes", BYTES("POST /x HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"), "200!"},
        {"HTTP/1.0 with keep-alive",
         BYTES("POST /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
         "200"},
        {"HTTP/1.0 with chunks",
         BYTES("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400!"},
        {"HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400!"},
        {"HTTP/1.2", BYTES("POST /x HTTP/1.2\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "505!"},
        {"absolute form", BYTES("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"), "400!"},
        {"escape in the path", BYTES("GET /%2e%2e/ HTTP/1.1\r\nHost: x\r\n\r\n"), "400!"},
        {"GET with a body", BYTES("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
         "400!"},
        {"POST without a length", BYTES(HEAD "\r\n"), "411!"},
        {"upgrade", BYTES(HEAD "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"),
         "400!"},
        {"empty line first", BYTES("\r\n" HEAD "Content-Length: 5\r\n\r\nhello"), "400!"},
        {"Connection: close", BYTES(HEAD "Connection: close\r\nContent-Length: 5\r\n\r\nhello"),
         "200!"},
        {"nothing of what follows a refusal is read",
         BYTES(HEAD "Content-Length: +5\r\n\r\nhello" HEAD "Content-Length: 2\r\n\r\nhi"), "400!"},
    };
    struct fixture f;

    (void)state;
    start(&f, 0, "127.0.0.1:0");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&f, &rows[i]);
    }
    stop(&f);
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
        {"header of 9 KB", HEAD "X-A: ", "a", 9000, "\r\nContent-Length: 5\r\n\r\nhello", "431!"},
        {"header of 7 KB", HEAD "X-A: ", "a", 7000, "\r\nContent-Length: 5\r\n\r\nhello", "200"},
        {"1000 lines", HEAD, "A: b\r\n", 1000, "Content-Length: 5\r\n\r\nhello", "431!"},
        {"64 lines", HEAD, "A: b\r\n", 62, "Content-Length: 5\r\n\r\nhello", "200"},
        {"65 lines", HEAD, "A: b\r\n", 63, "Content-Length: 5\r\n\r\nhello", "431!"},
        {"body of 100 KB", HEAD "Content-Length: 100000\r\n\r\n", "a", 100000, "", "413!"},
        {"body of 64 KiB", HEAD "Content-Length: 65536\r\n\r\n", "a", 65536, "", "200"},
        {"body of 64 KiB and one", HEAD "Content-Length: 65537\r\n\r\n", "a", 65537, "", "413!"},
        {"chunk of 100 KB", HEAD "Transfer-Encoding: chunked\r\n\r\n186a0\r\n", "a", 100000,
         "\r\n0\r\n\r\n", "413!"},
        {"66000 chunks of one octet", HEAD "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n",
         66000, "0\r\n\r\n", "413!"},
        {"path of 300", "POST /", "a", 300, " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
         "414!"},
    };
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(1024 * 1024);
    struct fixture f;

    (void)state;
    start(&f, 0, "127.0.0.1:0");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        build(&bytes, rows[i].prefix, rows[i].unit, rows[i].n, rows[i].suffix);
        check_row(&f, &(struct row){rows[i].name, buf_span(&bytes), rows[i].expected});
    }
    stop(&f);
}

static void
expect_is_answered_before_the_body(void **state)
{
    struct fixture f;
    char heard[64];
    char line[64] = "";
    int fd;

    (void)state;
    start(&f, 0, "127.0.0.1:0");
    fd = dial(&f);
    say(fd, SPAN_LITERAL(HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    assert_int_equal(recv(fd, line, 25, MSG_WAITALL), 25);
    assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, SPAN_LITERAL("hello"));
    hear(fd, 1, heard, sizeof(heard));
    assert_string_equal(heard, "200");
    (void)close(fd);
    stop(&f);
}

static void
octets_that_trickle_in_do_not_extend_the_deadline(void **state)
{
    static const char *const beginnings[] = {"POST /x HTTP/1.1\r\nHost: x\r\nX: ",
                                             HEAD "Content-Length: 60000\r\n\r\n"};
    struct fixture f;

    (void)state;
    start(&f, 300, "127.0.0.1:0");
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        int fd = dial(&f);
        int64_t begin = clock_monotonic_ms();
        bool closed = false;

        say(fd, span_str(beginnings[i]));
        while (!closed) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            char octet;

            say(fd, SPAN_LITERAL("a"));
            closed = poll(&p, 1, 20) == 1 && recv(fd, &octet, 1, 0) <= 0;
        }
        assert_true(clock_monotonic_ms() - begin >= 250);
        (void)close(fd);
    }
    assert_int_equal(f.handled, 0);
    stop(&f);
}

static void
a_late_answer_reaches_a_peer_that_waits(void **state)
{
    struct fixture f;
    char heard[64];
    eventfd_t value;
    int fd;

    (void)state;
    start(&f, 100, "127.0.0.1:0");
    fd = dial(&f);
    say(fd, SPAN_LITERAL("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" HEAD
                         "Content-Length: 2\r\n\r\nhi"));
    (void)eventfd_read(f.late_fd, &value);
    (void)poll(NULL, 0, 200);       /* longer than the deadline of a request that comes in */
    assert_int_equal(f.handled, 1); /* the second one waits its turn */
    (void)eventfd_write(f.command_fd, COMMAND_ANSWER_LATE);
    hear(fd, 2, heard, sizeof(heard));
    assert_string_equal(heard, "200,200");
    (void)close(fd);
    stop(&f);
}

static void
a_late_answer_to_a_peer_that_left_is_released(void **state)
{
    struct fixture f;
    eventfd_t value;
    int fd;

    (void)state;
    start(&f, 0, "127.0.0.1:0");
    fd = dial(&f);
    say(fd, SPAN_LITERAL("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"));
    (void)eventfd_read(f.late_fd, &value);
    (void)close(fd);
    /* Another peer's round trip: by then the loop has seen the end of the first. */
    check_row(&f, &(struct row){"other", SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"), "200"});
    check_row(&f, &(struct row){"other", SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"), "200"});
    assert_true(http_exchange_is_dead(f.late));
    assert_int_equal(http_server_in_flight(f.server), 0);
    (void)eventfd_write(f.command_fd, COMMAND_ANSWER_LATE);
    (void)eventfd_read(f.late_fd, &value);
    stop(&f);
}

static void
an_exchange_outlives_its_server(void **state)
{
    struct fixture f;
    eventfd_t value;
    int fd;

    (void)state;
    start(&f, 0, "127.0.0.1:0");
    fd = dial(&f);
    say(fd, SPAN_LITERAL("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"));
    (void)eventfd_read(f.late_fd, &value);
    stop(&f); /* answers after the server was freed; the sanitizers watch */
    (void)close(fd);
}

static void
addresses_are_numeric_and_have_a_port(void **state)
{
    static const char *const bad[] = {"",     "localhost:80", "127.0.0.1", "::1",
                                      "[::1", "127.0.0.1:x",  "1:2:3"};
    CLEANUP(http_server_cleanup) struct http_server *s = NULL;
    struct event_base *base = event_base_new();
    struct http_options options = {.handler = handle};
    struct err e;

    (void)state;
    s = http_server_new(base, &options);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(http_server_listen(s, bad[i], &e), ERR_INPUT, &e);
    }
    assert_ok(http_server_listen(s, "127.0.0.1:0", &e), &e);
    assert_true(http_server_port(s) != 0);
    http_server_free(TAKE(s));
    event_base_free(base);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_requests_get_their_refusal),
        cmocka_unit_test(sizes_end_at_their_limits),
        cmocka_unit_test(expect_is_answered_before_the_body),
        cmocka_unit_test(octets_that_trickle_in_do_not_extend_the_deadline),
        cmocka_unit_test(a_late_answer_reaches_a_peer_that_waits),
        cmocka_unit_test(a_late_answer_to_a_peer_that_left_is_released),
        cmocka_unit_test(an_exchange_outlives_its_server),
        cmocka_unit_test(addresses_are_numeric_and_have_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
