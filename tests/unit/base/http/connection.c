/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps a connection when places run short, seen by the peers. */
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http/connections.h"
#include "tests/support/test.h"
#include "tests/unit/base/http/visits.h"

enum { LOOPBACK = 0x7f000000 };

/* What an idle peer has done so far. */
struct way {
    const char *name;
    bool listens_secure; /* the server */
    bool secure;         /* this peer finishes its handshake */
    const char *said;
    bool asked; /* and it was answered */
};
static const struct way ways[] = {
    {"nothing", false, false, "", false},
    {"half a request", false, false, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe",
     false},
    {"half a header", false, false, "POST /x HT", false},
    {"an empty line", false, false, "\r\n", false},
    {"one request", false, false, "", true},
    {"no handshake", true, false, "", false},
    {"half a handshake", true, false, "\x16\x03\x01\x02", false},
    {"a handshake", true, true, "", false},
    {"TLS and half a request", true, true, "POST /x HT", false},
    {"TLS and one request", true, true, "", true},
};

/* Nobody's time is over, and one address may have all places. */
static struct http_options
all_for_one(size_t places)
{
    return (struct http_options){.connections_max = places,
                                 .connections_per_address_max = places,
                                 .request_timeout_ms = HOUR_MS,
                                 .idle_timeout_ms = HOUR_MS};
}

/* A peer that does as much and then no more, as the Nth address. */
static struct visitor
idle(const struct web *web, const struct way *way, unsigned host)
{
    struct visitor v = visitor_from(web, web_group_client(way->secure), LOOPBACK + host);

    visitor_say(&v, span_str(way->asked ? ASK : way->said));
    if (way->asked) {
        visit_expect(&v, "200");
    }
    return v;
}

static void
ask(const struct web *web, bool secure, unsigned host)
{
    struct visitor v = visitor_from(web, web_group_client(secure), LOOPBACK + host);

    assert_true(v.fd >= 0);
    visitor_say(&v, SPAN_LITERAL(ASK));
    visit_expect(&v, "200");
    visitor_close(&v);
}

/* Who has asked and gets no answer before web_answer_late(). */
static struct visitor
busy(struct web *web, bool secure)
{
    struct visitor v = visitor_from(web, web_group_client(secure), LOOPBACK + 1);

    visitor_say(&v, SPAN_LITERAL(LATE));
    web_wait_late(web);
    return v;
}

/* The late answer reaches the one that was busy. */
static void
expect_late_answer(struct web *web, struct visitor *v)
{
    web_answer_late(web);
    visit_expect(v, "200");
    visitor_close(v);
}

/* So many connections of the first address, which say nothing. */
static void
flood(const struct web *web, struct visitor *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = visitor_from(web, NULL, LOOPBACK + 1);
    }
}

static void
close_all(struct visitor *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        visitor_close(&v[i]);
    }
}

static void
wait_for_connections(const struct web *web, size_t n)
{
    while (http_server_connections(web->server) < n) {
        (void)poll(NULL, 0, 10);
    }
}

static void
wait_and_close(struct visitor *v)
{
    visit_wait_for_the_end(v);
    visitor_close(v);
}

static void
idle_connections_of_one_address_stop_nobody(void **state)
{
    const struct http_options options = all_for_one(8);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        bool secure = ways[i].listens_secure;
        struct visitor held[20];
        struct web web;

        print_message("%s\n", ways[i].name);
        web_group_start(&web, &options, secure);
        for (size_t k = 0; k < ARRAY_LEN(held); k++) {
            held[k] = idle(&web, &ways[i], 1);
        }
        ask(&web, secure, 1);
        ask(&web, secure, 2);
        /* the oldest had to go: at least 12 for the younger ones, then one for each that asked */
        for (size_t k = 0; k < 13; k++) {
            wait_and_close(&held[k]);
        }
        assert_true(http_server_connections(web.server) <= 8);
        close_all(held + 13, ARRAY_LEN(held) - 13);
        web_stop(&web);
    }
}

static void
four_addresses_that_hold_all_places_stop_nobody(void **state)
{
    const struct http_options options = {
        .connections_max = 8, .request_timeout_ms = HOUR_MS, .idle_timeout_ms = HOUR_MS};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        bool secure = ways[i].listens_secure;
        struct visitor held[4][4]; /* a quarter of 8 is 2: the older two have to go */
        struct web web;

        print_message("%s\n", ways[i].name);
        web_group_start(&web, &options, secure);
        for (unsigned host = 0; host < 4; host++) {
            for (unsigned k = 0; k < 4; k++) {
                held[host][k] = idle(&web, &ways[i], host + 1);
            }
        }
        for (unsigned host = 5; host > 0; host--) {
            ask(&web, secure, host);
        }
        for (unsigned host = 0; host < 4; host++) {
            wait_and_close(&held[host][0]);
            wait_and_close(&held[host][1]);
            visitor_close(&held[host][2]);
            visitor_close(&held[host][3]);
        }
        web_stop(&web);
    }
}

/* Somebody who is in the middle of something keeps it, whatever one other address does. */
static void
a_flood_of_connections_displaces_itself(void **state)
{
    const struct http_options options = all_for_one(8);

    (void)state;
    for (size_t secure = 0; secure < 2; secure++) {
        struct visitor many[100];
        struct visitor other;
        struct web web;

        web_group_start(&web, &options, secure != 0);
        other = visitor_from(&web, web_group_client(secure != 0), LOOPBACK + 2);
        visitor_say(&other, SPAN_LITERAL("POST /x HTTP/1.1\r\nHost: x\r\nContent-Le"));
        flood(&web, many, ARRAY_LEN(many));
        visitor_say(&other, SPAN_LITERAL("ngth: 0\r\n\r\n"));
        visit_expect(&other, "200");
        visitor_close(&other);
        close_all(many, ARRAY_LEN(many));
        web_stop(&web);
    }
}

static void
a_request_under_way_keeps_its_place(void **state)
{
    const struct http_options options = all_for_one(4);

    (void)state;
    for (size_t secure = 0; secure < 2; secure++) {
        struct visitor more[20];
        struct visitor late;
        struct web web;

        web_group_start(&web, &options, secure != 0);
        late = busy(&web, secure != 0);
        flood(&web, more, ARRAY_LEN(more));
        ask(&web, secure != 0, 1);
        expect_late_answer(&web, &late);
        close_all(more, ARRAY_LEN(more));
        web_stop(&web);
    }
}

/* The server sees the newcomer first, and only then that the oldest has asked something. */
static void
a_request_that_was_not_read_yet_keeps_its_place(void **state)
{
    const struct http_options options = {
        .connections_max = 2, .connections_per_address_max = 2, .idle_timeout_ms = HOUR_MS};
    struct visitor oldest;
    struct visitor idle_one;
    struct visitor newcomer;
    struct web web;

    (void)state;
    web_group_start(&web, &options, false);
    oldest = visitor_from(&web, NULL, LOOPBACK + 1);
    idle_one = visitor_from(&web, NULL, LOOPBACK + 1);
    wait_for_connections(&web, 2);
    web_pause(&web);
    newcomer = visitor_from(&web, NULL, LOOPBACK + 1);
    visitor_say(&newcomer, SPAN_LITERAL(ASK));
    visitor_say(&oldest, SPAN_LITERAL(ASK));
    web_resume(&web);
    visit_expect(&oldest, "200");
    visit_expect(&newcomer, "200");
    wait_and_close(&idle_one);
    visitor_close(&oldest);
    visitor_close(&newcomer);
    web_stop(&web);
}

/* Nothing but descriptors ran out: places there are enough. */
static void
an_idle_connection_gives_its_descriptor(void **state)
{
    const struct http_options options = {.idle_timeout_ms = HOUR_MS};
    struct rlimit usual;
    struct rlimit few;
    struct visitor held[2];
    struct visitor newcomer;
    int taken[256];
    size_t n = 0;
    struct web web;

    (void)state;
    web_group_start(&web, &options, false);
    flood(&web, held, ARRAY_LEN(held));
    wait_for_connections(&web, ARRAY_LEN(held));
    web_pause(&web);
    newcomer = visitor_from(&web, NULL, LOOPBACK + 2);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    few = (struct rlimit){.rlim_cur = ARRAY_LEN(taken), .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < ARRAY_LEN(taken) && (taken[n] = dup(newcomer.fd)) >= 0) {
        n++;
    }
    web_resume(&web);
    visitor_say(&newcomer, SPAN_LITERAL(ASK));
    visit_expect(&newcomer, "200");
    wait_and_close(&held[0]);
    while (n > 0) {
        (void)close(taken[--n]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    visitor_close(&held[1]);
    visitor_close(&newcomer);
    web_stop(&web);
}

/* Nobody can give one: who comes waits in the kernel until there is one again. */
static void
without_a_descriptor_to_give_the_newcomer_waits(void **state)
{
    const struct http_options options = {.idle_timeout_ms = HOUR_MS};
    struct rlimit usual;
    struct rlimit few;
    struct visitor late;
    struct visitor newcomer;
    int taken[256];
    size_t n = 0;
    struct web web;

    (void)state;
    web_group_start(&web, &options, false);
    late = busy(&web, false);
    web_pause(&web);
    newcomer = visitor_from(&web, NULL, LOOPBACK + 2);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    few = (struct rlimit){.rlim_cur = ARRAY_LEN(taken), .rlim_max = usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < ARRAY_LEN(taken) && (taken[n] = dup(newcomer.fd)) >= 0) {
        n++;
    }
    web_resume(&web);
    visitor_say(&newcomer, SPAN_LITERAL(ASK));
    (void)poll(NULL, 0, 50); /* it is tried in vain meanwhile */
    while (n > 0) {
        (void)close(taken[--n]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    visit_expect(&newcomer, "200");
    expect_late_answer(&web, &late);
    visitor_close(&newcomer);
    web_stop(&web);
}

static void
beyond_a_share_of_busy_connections_one_is_closed(void **state)
{
    const struct http_options options = {.connections_max = 4,
                                         .idle_timeout_ms = HOUR_MS}; /* a quarter of 4 is 1 */
    struct visitor late;
    struct visitor more;
    struct web web;

    (void)state;
    web_group_start(&web, &options, false);
    late = busy(&web, false);
    more = visitor_from(&web, NULL, LOOPBACK + 1);
    wait_and_close(&more);
    ask(&web, false, 2);
    expect_late_answer(&web, &late);
    web_stop(&web);
}

static void
when_all_are_busy_others_wait_in_the_kernel(void **state)
{
    const struct http_options options = {
        .connections_max = 1, .connections_per_address_max = 1, .idle_timeout_ms = HOUR_MS};
    struct visitor late;
    struct visitor more;
    struct web web;

    (void)state;
    web_group_start(&web, &options, false);
    late = busy(&web, false);
    more = visitor_from(&web, NULL, LOOPBACK + 2);
    visitor_say(&more, SPAN_LITERAL(ASK));
    (void)poll(NULL, 0, 100);
    assert_int_equal(web.handled, 1);
    web_answer_late(&web);
    visit_expect(&late, "200");
    visit_expect(&more, "200"); /* in the place of the first, which has nothing more to ask */
    visitor_close(&late);
    visitor_close(&more);
    web_stop(&web);
}

/* In order, and not; who leaves after it is not. */
static void
who_leaves_in_the_middle_of_a_handshake_is_reported(void **state)
{
    static const struct {
        struct linger linger;
        const char *why;
    } rows[] = {{{.l_onoff = 0}, "unexpected eof while reading"},
                {{.l_onoff = 1}, "the peer went away"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct visitor v;
        struct web web;

        web_group_start(&web, &(struct http_options){0}, true);
        ask(&web, true, 1);
        v = visitor_from(&web, NULL, LOOPBACK + 1);
        visitor_say(&v, SPAN_LITERAL("\x16\x03"));
        wait_for_connections(&web, 1);
        assert_int_equal(
            setsockopt(v.fd, SOL_SOCKET, SO_LINGER, &rows[i].linger, sizeof(rows[i].linger)), 0);
        visitor_close(&v);
        while (__atomic_load_n(&web.failed_handshakes, __ATOMIC_ACQUIRE) == 0) {
            (void)poll(NULL, 0, 10);
        }
        web_stop(&web);
        assert_int_equal(web.failed_handshakes, 1);
        assert_string_equal(web.why, rows[i].why);
    }
}

static void
a_share_is_a_quarter_and_not_less(void **state)
{
    struct visitor first;
    struct visitor second;
    struct web web;

    (void)state;
    web_group_start(&web, &(struct http_options){.connections_max = 1}, false);
    ask(&web, false, 1);
    ask(&web, false, 2);
    web_stop(&web);
    web_group_start(&web, &(struct http_options){.connections_max = 5}, false);
    first = visitor_from(&web, NULL, LOOPBACK + 1);
    second = visitor_from(&web, NULL, LOOPBACK + 1);
    visitor_say(&second, SPAN_LITERAL(ASK));
    visit_expect(&second, "200");
    visitor_say(&first, SPAN_LITERAL(ASK));
    visit_expect(&first, "200"); /* a quarter of five is two */
    visitor_close(&first);
    visitor_close(&second);
    web_stop(&web);
}

/* So many that have asked, unseen, before one that has not; then somebody needs a place. */
static void
crowd(size_t n, bool first_goes)
{
    const struct http_options options = all_for_one(n + 1);
    struct visitor asking[16];
    struct visitor idle_one;
    struct visitor newcomer;
    struct web web;

    web_group_start(&web, &options, false);
    for (size_t i = 0; i < n; i++) {
        asking[i] = visitor_from(&web, NULL, LOOPBACK + 1);
        wait_for_connections(&web, i + 1);
    }
    idle_one = visitor_from(&web, NULL, LOOPBACK + 1);
    wait_for_connections(&web, n + 1);
    web_pause(&web);
    newcomer = visitor_from(&web, NULL, LOOPBACK + 1);
    visitor_say(&newcomer, SPAN_LITERAL(ASK));
    for (size_t i = 0; i < n; i++) {
        visitor_say(&asking[i], SPAN_LITERAL(ASK));
    }
    web_resume(&web);
    visit_expect(&newcomer, "200");
    for (size_t i = first_goes; i < n; i++) {
        visit_expect(&asking[i], "200");
    }
    wait_and_close(first_goes ? &asking[0] : &idle_one);
    if (first_goes) {
        visitor_say(&idle_one, SPAN_LITERAL(ASK));
        visit_expect(&idle_one, "200");
    }
    visitor_close(&idle_one);
    visitor_close(&newcomer);
    close_all(asking, n);
    web_stop(&web);
}

static void
eight_that_were_not_read_yet_are_spared(void **state)
{
    (void)state;
    crowd(8, false);
    crowd(9, true);
}

static size_t shortages;
static size_t gave_way;

static void
note_shortage(size_t n, void *user)
{
    (void)user;
    shortages++;
    gave_way += n;
}

static void
a_shortage_is_told_once_in_a_while(void **state)
{
    struct http_options options = all_for_one(1);
    struct web web;

    (void)state;
    options.ran_short = note_shortage;
    web_group_start(&web, &options, false);
    for (int i = 0; i < 3; i++) {
        struct visitor held = visitor_from(&web, NULL, LOOPBACK + 1);

        ask(&web, false, 2);
        wait_and_close(&held);
    }
    web_stop(&web);
    assert_int_equal(shortages, 1);
    assert_int_equal(gave_way, 1);
}

static void
a_shortage_is_told_again_after_a_minute(void **state)
{
    (void)state;
    assert_true(http_connections_may_tell(0, 1));
    assert_false(http_connections_may_tell(1000, 1000));
    assert_false(http_connections_may_tell(1000, 1000 + HTTP_SHORT_INTERVAL_MS - 1));
    assert_true(http_connections_may_tell(1000, 1000 + HTTP_SHORT_INTERVAL_MS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_connections_of_one_address_stop_nobody),
        cmocka_unit_test(four_addresses_that_hold_all_places_stop_nobody),
        cmocka_unit_test(a_flood_of_connections_displaces_itself),
        cmocka_unit_test(a_request_under_way_keeps_its_place),
        cmocka_unit_test(a_request_that_was_not_read_yet_keeps_its_place),
        cmocka_unit_test(an_idle_connection_gives_its_descriptor),
        cmocka_unit_test(without_a_descriptor_to_give_the_newcomer_waits),
        cmocka_unit_test(beyond_a_share_of_busy_connections_one_is_closed),
        cmocka_unit_test(when_all_are_busy_others_wait_in_the_kernel),
        cmocka_unit_test(who_leaves_in_the_middle_of_a_handshake_is_reported),
        cmocka_unit_test(a_share_is_a_quarter_and_not_less),
        cmocka_unit_test(eight_that_were_not_read_yet_are_spared),
        cmocka_unit_test(a_shortage_is_told_once_in_a_while),
        cmocka_unit_test(a_shortage_is_told_again_after_a_minute),
    };

    return cmocka_run_group_tests(tests, web_group_set_up, web_group_tear_down);
}
