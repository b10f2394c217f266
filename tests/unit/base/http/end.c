/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of connections when the server is told to end. */
#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/base/http/visits.h"

static void
what_was_sent_before_the_end_is_answered(void **state)
{
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct visitor late;
        struct visitor idle;
        struct visitor sent;
        struct web web;
        char heard[64];

        web_group_start(&web, &(struct http_options){0}, secure);
        late = visit(&web, secure);
        visitor_say(&late, SPAN_LITERAL(LATE));
        web_wait_late(&web);
        idle = visit(&web, secure);
        sent = visit(&web, secure);
        visitor_say(&sent, SPAN_LITERAL(HEAD "Content-Length: 5\r\n\r\nhe"));
        visit_row(&web, secure,
                  &(struct row){"other", SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"), "200"});
        web_stop_accepting(&web);
        visit_wait_for_the_end(&idle);
        visitor_say(&sent, SPAN_LITERAL("llo"));
        visitor_hear(&sent, 99, heard, sizeof(heard));
        assert_string_equal(heard, "200!");
        assert_false(http_server_is_idle(web.server));
        web_answer_late(&web);
        visitor_hear(&late, 99, heard, sizeof(heard));
        assert_string_equal(heard, "200!");
        while (!http_server_is_idle(web.server)) {
            (void)poll(NULL, 0, 10);
        }
        visitor_close(&late);
        visitor_close(&idle);
        visitor_close(&sent);
        web_stop(&web);
    }
}

/* The loop is stopped while the request arrives, so that it is in the kernel's queue still. */
static void
a_connection_that_was_not_accepted_yet_is_answered(void **state)
{
    struct visitor v;
    struct web web;
    char heard[64];

    (void)state;
    web_start_later(&web, &(struct http_options){0}, "127.0.0.1:0", NULL);
    v = visit(&web, false);
    visitor_say(&v, SPAN_LITERAL(HEAD "Content-Length: 5\r\n\r\nhello"));
    http_server_stop_accepting(web.server);
    web_go(&web);
    visitor_hear(&v, 99, heard, sizeof(heard));
    assert_string_equal(heard, "200!");
    visitor_close(&v);
    web_stop(&web);
}

/* Nobody's own time is over: it is the end that ends them. */
static void
what_does_not_come_to_its_end_is_dropped(void **state)
{
    const struct http_options options = {.request_timeout_ms = HOUR_MS, .idle_timeout_ms = HOUR_MS};
    struct visitor header;
    struct visitor body;
    struct visitor handshake;
    struct visitor silent;
    struct web web;

    (void)state;
    web_group_start(&web, &options, true);
    header = visit(&web, true);
    visitor_say(&header, SPAN_LITERAL(HEAD "Content-Le"));
    body = visit(&web, true);
    visitor_say(&body, SPAN_LITERAL(HEAD "Content-Length: 60000\r\n\r\nhe"));
    handshake = visitor_new(&web, NULL);
    visitor_say(&handshake, SPAN_LITERAL("\x16\x03"));
    silent = visitor_new(&web, NULL);
    while (http_server_connections(web.server) < 4) {
        (void)poll(NULL, 0, 10);
    }
    visit_row(&web, true,
              &(struct row){"other", SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"), "200"});
    web_stop_accepting(&web);
    silent.ssl = SSL_new(web_group_client(true));
    assert_int_equal(SSL_set_fd(silent.ssl, silent.fd), 1);
    assert_int_equal(SSL_connect(silent.ssl), 1);
    visitor_say(&silent, SPAN_LITERAL("\r\n")); /* which is no beginning */
    visit_trickle(&body);
    visit_wait_for_the_end(&header);
    visit_wait_for_the_end(&handshake);
    visit_wait_for_the_end(&silent);
    visitor_close(&silent);
    visitor_close(&header);
    visitor_close(&body);
    visitor_close(&handshake);
    web_stop(&web);
    assert_int_equal(web.handled, 1);
}

/* Who is in the middle of a handshake may have asked already. */
static void
a_handshake_is_finished_and_its_request_answered(void **state)
{
    const struct http_options options = {.request_timeout_ms = HOUR_MS, .idle_timeout_ms = HOUR_MS};
    struct visitor v;
    struct web web;
    char answer[512];

    (void)state;
    web_group_start(&web, &options, true);
    v = visitor_new(&web, NULL);
    while (http_server_connections(web.server) < 1) {
        (void)poll(NULL, 0, 10);
    }
    web_stop_accepting(&web);
    v.ssl = SSL_new(web_group_client(true));
    assert_int_equal(SSL_set_fd(v.ssl, v.fd), 1);
    assert_int_equal(SSL_connect(v.ssl), 1);
    visitor_say(&v, SPAN_LITERAL(HEAD "Content-Length: 5\r\n\r\nhello"));
    visit_read_all(&v, answer, sizeof(answer));
    assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    visitor_close(&v);
    web_stop(&web);
}

/* Nobody has read a word of it yet. */
static void
what_was_not_read_before_the_end_is_answered(void **state)
{
    const struct http_options options = {.connections_max = 2,
                                         .connections_per_address_max = 2,
                                         .request_timeout_ms = HOUR_MS,
                                         .idle_timeout_ms = HOUR_MS};
    struct visitor v;
    struct web web;

    (void)state;
    web_start_later(&web, &options, "127.0.0.1:0", NULL);
    v = visit(&web, false);
    (void)event_base_loop(web.base, EVLOOP_NONBLOCK); /* the server sees that he has come */
    assert_int_equal(http_server_connections(web.server), 1);
    visitor_say(&v, SPAN_LITERAL(ASK));
    http_server_stop_accepting(web.server);
    web_go(&web);
    visit_expect(&v, "200");
    visitor_close(&v);
    web_stop(&web);
}

/* Although there is a place again. */
static void
after_the_end_nobody_is_let_in(void **state)
{
    const struct http_options options = {.connections_max = 1,
                                         .connections_per_address_max = 1,
                                         .request_timeout_ms = HOUR_MS,
                                         .idle_timeout_ms = HOUR_MS};
    struct visitor late;
    struct visitor newcomer;
    struct web web;

    (void)state;
    web_group_start(&web, &options, false);
    late = visit(&web, false);
    visitor_say(&late, SPAN_LITERAL(LATE));
    web_wait_late(&web);
    web_stop_accepting(&web);
    web_answer_late(&web);
    visit_expect(&late, "200");
    visitor_close(&late);
    newcomer = visitor_from(&web, NULL, INADDR_LOOPBACK + 1);
    visitor_say(&newcomer, SPAN_LITERAL(ASK));
    (void)poll(NULL, 0, 100);
    web_stop(&web);
    assert_int_equal(web.handled, 1);
    visitor_close(&newcomer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_before_the_end_is_answered),
        cmocka_unit_test(a_connection_that_was_not_accepted_yet_is_answered),
        cmocka_unit_test(what_does_not_come_to_its_end_is_dropped),
        cmocka_unit_test(a_handshake_is_finished_and_its_request_answered),
        cmocka_unit_test(what_was_not_read_before_the_end_is_answered),
        cmocka_unit_test(after_the_end_nobody_is_let_in),
    };

    return cmocka_run_group_tests(tests, web_group_set_up, web_group_tear_down);
}
