/* SPDX-License-Identifier: Apache-2.0 */
/* Who arrives waits until it is decided how much is read of it. */
#include <event2/event.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/base/http/visits.h"

enum { ADMITTED_MAX = 10 };

static void
on_admit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    http_exchange_admit(arg, ADMITTED_MAX, false);
}

static void
admit_later(struct http_exchange *x, void *user)
{
    const struct web *web = user;
    const struct timeval wait = {.tv_usec = 20 * 1000};

    assert_int_equal(event_base_once(web->base, -1, EV_TIMEOUT, on_admit, x, &wait), 0);
}

static void
admit_now(struct http_exchange *x, void *user)
{
    (void)user;
    http_exchange_admit(x, ADMITTED_MAX, true);
}

/* What a peer sends meanwhile waits; what it may send is what it was admitted for. */
static void
a_client_is_read_when_it_was_admitted(void **state)
{
    static const struct row as_much = {"as much",
                                       BYTES(HEAD "Content-Length: 10\r\n\r\n0123456789"), "200"};

    (void)state;
    for (int later = 0; later <= 1; later++) {
        const struct row more = {"more", BYTES(HEAD "Content-Length: 11\r\n\r\n0123456789a"),
                                 later ? "503!" : "413!"};
        const struct row wrong = {"wrong", BYTES(HEAD "Content-Length: x\r\n\r\n"), "400!"};
        const struct http_options options = {.arrived = later ? admit_later : admit_now,
                                             .body_max = 200000};
        struct web web;
        struct visitor v;
        char answer[512];

        web_group_start(&web, &options, true);
        visit_row(&web, true, &as_much);
        visit_row(&web, true, &more);
        visit_row(&web, true, &wrong);
        v = visit(&web, true);
        visitor_say(&v, more.bytes);
        visit_read_all(&v, answer, sizeof(answer));
        assert_int_equal(strstr(answer, "\r\nRetry-After: 1\r\n") != NULL, later);
        assert_int_equal(strstr(answer, "Retry-After") != NULL, later);
        visitor_close(&v);
        web_stop(&web);
        assert_int_equal(web.handled, 1);
    }
}

static void
admit_after_the_end(struct http_exchange *x, void *user)
{
    const struct web *web = user;
    const struct timeval wait = {.tv_usec = 500 * 1000};

    assert_int_equal(event_base_once(web->base, -1, EV_TIMEOUT, on_admit, x, &wait), 0);
}

/* Nobody has read anything of it, perhaps there is nothing to read yet. */
static void
who_has_arrived_before_the_end_is_answered(void **state)
{
    const struct http_options options = {.arrived = admit_after_the_end};
    struct visitor v;
    struct web web;
    char heard[64];

    (void)state;
    web_group_start(&web, &options, true);
    v = visit(&web, true);
    web_stop_accepting(&web);
    visitor_say(&v, SPAN_LITERAL(HEAD "Content-Length: 5\r\n\r\nhello"));
    visitor_hear(&v, 99, heard, sizeof(heard));
    assert_string_equal(heard, "200!");
    visitor_close(&v);
    web_stop(&web);
}

static void
a_client_that_goes_before_it_is_admitted_is_forgotten(void **state)
{
    const struct http_options options = {.arrived = admit_later};
    static const struct row row = {"next", BYTES(HEAD "Content-Length: 5\r\n\r\nhello"), "200"};
    struct web web;

    (void)state;
    web_group_start(&web, &options, true);
    for (int i = 0; i < 20; i++) {
        struct visitor v = visit(&web, true);

        visitor_close(&v);
    }
    visit_row(&web, true, &row);
    web_stop(&web);
    assert_int_equal(web.handled, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_read_when_it_was_admitted),
        cmocka_unit_test(a_client_that_goes_before_it_is_admitted_is_forgotten),
        cmocka_unit_test(who_has_arrived_before_the_end_is_answered),
    };

    return cmocka_run_group_tests(tests, web_group_set_up, web_group_tear_down);
}
