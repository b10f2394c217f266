/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that take their time, and answers that do. */
#include <poll.h>

#include "tests/support/test.h"
#include "tests/unit/base/http/visits.h"

/* Short for a peer that wants to be slow, long for one that a busy machine makes slow. */
enum { DEADLINE_MS = 1500 };

static void
octets_that_trickle_in_do_not_extend_the_deadline(void **state)
{
    static const struct {
        const char *name;
        const char *beginning;
    } rows[] = {{"slow header", "POST /x HTTP/1.1\r\nHost: x\r\nX: "},
                {"slow body", HEAD "Content-Length: 60000\r\n\r\n"}};
    const struct http_options options = {.request_timeout_ms = DEADLINE_MS,
                                         .idle_timeout_ms = HOUR_MS};

    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;

        web_group_start(&web, &options, secure);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct visitor v = visit(&web, secure);

            visitor_say(&v, span_str(rows[i].beginning));
            visit_trickle(&v);
            visitor_close(&v);
        }
        assert_int_equal(web.handled, 0);
        web_stop(&web);
    }
}

static void
a_handshake_that_is_not_finished_ends_at_the_deadline(void **state)
{
    static const struct {
        const char *name;
        struct span bytes;
    } rows[] = {{"nothing at all", {0}},
                {"half a ClientHello", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01")},
                {"an endless record", BYTES("\x16\x03\x01\x3f\xff\x01\x00\x3f\xf0\x03\x03")}};
    const struct http_options options = {.request_timeout_ms = DEADLINE_MS,
                                         .idle_timeout_ms = HOUR_MS};
    struct web web;

    (void)state;
    web_group_start(&web, &options, true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct visitor v = visitor_new(&web, NULL);

        visitor_say(&v, rows[i].bytes);
        visit_wait_for_the_end(&v);
        visitor_close(&v);
    }
    web_stop(&web);
}

static void
an_idle_connection_is_closed(void **state)
{
    const struct http_options options = {.idle_timeout_ms = DEADLINE_MS};

    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;
        struct visitor v;
        char heard[64];

        web_group_start(&web, &options, secure);
        v = visit(&web, secure);
        visit_wait_for_the_end(&v); /* without a request */
        visitor_close(&v);
        v = visit(&web, secure);
        visitor_say(&v, SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"));
        visitor_hear(&v, 99, heard, sizeof(heard)); /* after one */
        assert_string_equal(heard, "200!");
        visitor_close(&v);
        web_stop(&web);
    }
}

/* The answer is larger than what the kernel holds for a peer that reads nothing. */
static void
a_slow_reader_is_dropped(void **state)
{
    const struct http_options options = {.idle_timeout_ms = DEADLINE_MS};

    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        CLEANUP(mem_cleanup) uint8_t *octets = mem_zalloc(1, 64 * 1024);
        size_t all = 0;
        struct web web;
        struct visitor v;
        int n;

        web_group_start(&web, &options, secure);
        v = visit(&web, secure);
        visitor_say(&v, SPAN_LITERAL("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
        /* The server has nobody else: it is gone from its list when it was dropped. */
        while (__atomic_load_n(&web.handled, __ATOMIC_ACQUIRE) == 0 ||
               http_server_connections(web.server) > 0) {
            (void)poll(NULL, 0, 10);
        }
        while ((n = visitor_read(&v, octets, 64 * 1024)) > 0) {
            all += (size_t)n;
        }
        assert_true(all < WEB_LARGE);
        visitor_close(&v);
        web_stop(&web);
    }
}

static void
a_late_answer_reaches_a_peer_that_waits(void **state)
{
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;
        struct visitor v;
        char heard[64];

        web_group_start(&web, &(struct http_options){.request_timeout_ms = DEADLINE_MS}, secure);
        v = visit(&web, secure);
        visitor_say(&v, SPAN_LITERAL("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                     "5\r\n\r\nhello" HEAD "Content-Length: 2\r\n\r\nhi"));
        web_wait_late(&web);
        (void)poll(NULL, 0, DEADLINE_MS + 100); /* no deadline for an answer */
        assert_int_equal(web.handled, 1);       /* the second one waits its turn */
        web_answer_late(&web);
        visitor_hear(&v, 2, heard, sizeof(heard));
        assert_string_equal(heard, "200,200");
        visitor_close(&v);
        web_stop(&web);
    }
}

static void
a_late_answer_to_a_peer_that_left_is_released(void **state)
{
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        const struct row other = {"other", SPAN_LITERAL(HEAD "Content-Length: 0\r\n\r\n"), "200"};
        struct web web;
        struct visitor v;

        web_group_start(&web, &(struct http_options){0}, secure);
        v = visit(&web, secure);
        visitor_say(&v, SPAN_LITERAL(LATE));
        web_wait_late(&web);
        visitor_close(&v);
        /* Other peers' round trips: by then the loop has seen the end of the first. */
        visit_row(&web, secure, &other);
        visit_row(&web, secure, &other);
        assert_true(http_exchange_is_dead(web.late));
        assert_int_equal(http_server_in_flight(web.server), 0);
        web_answer_late(&web);
        web_stop(&web);
    }
}

static void
an_exchange_outlives_its_server(void **state)
{
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        struct web web;
        struct visitor v;

        web_group_start(&web, &(struct http_options){0}, secure);
        v = visit(&web, secure);
        visitor_say(&v, SPAN_LITERAL(LATE));
        web_wait_late(&web);
        web_stop(&web); /* answers after the server was freed; the sanitizers watch */
        visitor_close(&v);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_that_trickle_in_do_not_extend_the_deadline),
        cmocka_unit_test(a_handshake_that_is_not_finished_ends_at_the_deadline),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_slow_reader_is_dropped),
        cmocka_unit_test(a_late_answer_reaches_a_peer_that_waits),
        cmocka_unit_test(a_late_answer_to_a_peer_that_left_is_released),
        cmocka_unit_test(an_exchange_outlives_its_server),
    };

    return cmocka_run_group_tests(tests, web_group_set_up, web_group_tear_down);
}
