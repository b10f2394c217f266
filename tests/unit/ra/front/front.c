/* SPDX-License-Identifier: Apache-2.0 */
/* Where network functions come in: what is logged of it, and what ends before it costs. */
#include "ra/front/front.h"

#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/http/http.h"
#include "ra/daemon/crowd.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/running.h"

enum { DAY = 24 * 60 * 60, SPARE = 128 };

static struct talk
talk_with(unsigned port, const char *text)
{
    struct talk t = {.port = port, .request = BUF_INIT(4096)};
    struct err e = {0};

    assert_ok(buf_append_str(&t.request, text, &e), &e);
    return t;
}

static struct heard
say(struct running *w, unsigned port, const char *text)
{
    struct talk t = talk_with(port, text);

    running_do(w, talk_run, &t);
    buf_free(&t.request);
    return t.heard;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define BARE_LF "GET /x HTTP/1.1\nHost: x\r\n\r\n"

/* ---- descriptors ---- */

static void
connections_leave_descriptors_for_everything_else(void **state)
{
    static const struct {
        size_t descriptors;
        size_t connections;
    } rows[] = {
        {0, SPARE},
        {2 * SPARE, SPARE},
        {2 * SPARE + 1, SPARE + 1},
        {1024, 1024 - SPARE},
        {HTTP_CONNECTIONS_MAX + SPARE - 1, HTTP_CONNECTIONS_MAX - 1},
        {HTTP_CONNECTIONS_MAX + SPARE, HTTP_CONNECTIONS_MAX},
        {1048576, HTTP_CONNECTIONS_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(front_connections(rows[i].descriptors), rows[i].connections);
    }
}

/* The soft limit becomes what is wanted, as far as the hard one allows, and never less. */
static void
descriptors_are_asked_for_as_they_are_needed(void **state)
{
    struct running *w = *state;
    const rlim_t wanted = HTTP_CONNECTIONS_MAX + SPARE;
    struct rlimit before;
    struct err e = {0};

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int above = 0; above <= 1; above++) {
        rlim_t soft = above ? wanted + 1 : wanted - 1;
        rlim_t expected = above ? wanted + 1 : wanted;
        struct rlimit now = {.rlim_cur = soft < before.rlim_max ? soft : before.rlim_max,
                             .rlim_max = before.rlim_max};
        struct front *f;

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
        f = front_new(&w->ra, &e);
        assert_non_null(f);
        front_free(f);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
        assert_int_equal(now.rlim_cur, expected < before.rlim_max ? expected : before.rlim_max);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* ---- listeners ---- */

static void
each_listener_is_logged_with_its_port(void **state)
{
    struct running *w = *state;
    struct err e = {0};
    struct front *f;
    CLEANUP(mem_cleanup) char *text = NULL;

    tap_mark();
    f = front_new(&w->ra, &e);
    assert_non_null(f);
    text = mem_printf("\"127.0.0.1:%u\"", front_port(f));
    tap_need(text);
    assert_int_equal(tap_count("\"listening\""), 3);
    assert_int_equal(tap_count(" with TLS\""), 1);
    tap_need("admin.pem ends at "); /* it is of a day */
    assert_true(front_is_idle(f));
    front_free(f);
    front_free(NULL);
}

static void
an_address_that_is_taken_is_named(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *taken = mem_printf("127.0.0.1:%u", front_port(w->front));
    struct settings *s = w->settings;
    struct settings_list *lists[] = {&s->listen, &s->http.tls[0].listen, &s->http.plain[0].listen};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        char *before = lists[i]->items[0];
        struct err e = {0};

        lists[i]->items[0] = taken;
        assert_null(front_new(&w->ra, &e));
        lists[i]->items[0] = before;
        assert_int_equal(e.code, ERR_IO);
        assert_non_null(strstr(e.text, taken));
    }
    {
        char *before = s->http.tls[0].certificate;
        static char nowhere[] = "/nonexistent/tls.pem";
        struct err e = {0};

        s->http.tls[0].certificate = nowhere;
        assert_null(front_new(&w->ra, &e));
        s->http.tls[0].certificate = before;
        assert_non_null(strstr(e.text, nowhere));
    }
}

/* ---- the certificate of a listener ---- */

/* For the key that is there, until so many days from now. */
static void
put_certificate(struct running *w, int days)
{
    CLEANUP(mem_cleanup) char *key_path = mem_printf("%s/admin-tls-key", w->dir);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.pem", w->dir);
    CLEANUP(bio_cleanup) BIO *in = BIO_new_file(key_path, "r");
    CLEANUP(bio_cleanup) BIO *out = BIO_new_file(path, "w");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    X509 *x = forge_certificate(&(struct forge){.subject = "CN=front",
                                                .key = key,
                                                .issuer_key = key,
                                                .not_before = clock_now() - 60,
                                                .not_after = clock_now() + (time_t)days * DAY + 60,
                                                .extensions = {FORGE_LEAF}});

    assert_int_equal(PEM_write_bio_X509(out, x), 1);
    X509_free(x);
}

static void
a_certificate_is_read_again_and_its_end_is_said(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.pem", w->dir);
    struct err e = {0};

    put_certificate(w, 30);
    tap_mark();
    front_reload(w->front);
    tap_need("admin.pem is shown, until ");
    tap_need("1 TLS listeners; the configuration is read at start only");
    assert_false(tap_has("tls-expires-soon"));
    put_certificate(w, 7); /* and a minute */
    tap_mark();
    front_reload(w->front);
    tap_need("is shown, until ");
    put_certificate(w, 6);
    tap_mark();
    front_reload(w->front);
    tap_need("admin.pem ends at ");
    tap_need("renew it, then send SIGHUP");
    assert_ok(file_write(path, SPAN_LITERAL("nothing"), 0600, &e), &e);
    tap_mark();
    front_reload(w->front);
    tap_need("reload-failed");
    tap_need("the earlier certificate stays in use");
    assert_false(tap_has("is shown"));
    put_certificate(w, 30);
}

/* ---- requests ---- */

static void
what_is_refused_is_logged_with_its_reason(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *request;
        int status;
        const char *logged;
        const char *field;
    } rows[] = {
        {GET("/nothing"), 404, ": 404: ", NULL},
        {GET("/.well-known/cmp"), 405, ": 405: ", "Allow: POST"},
        {BARE_LF, 400, ": 400: a line that ends with LF alone (RFC 9112 2.2)", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};

        tap_mark();
        h = say(w, front_port(w->front), rows[i].request);
        assert_int_equal(h.status, rows[i].status);
        tap_need("\"request-refused\"");
        tap_need(rows[i].logged);
        assert_true(rows[i].field == NULL || heard_has(&h, rows[i].field));
    }
}

/* A front with its own budgets; `only` is the one place where it listens. */
enum only { PLAIN, TLS };

static struct front *
front_with(struct running *w, enum only only, struct budget_limit by_address,
           struct budget_limit by_handshake)
{
    struct settings *s = w->settings;
    const struct settings_http http = s->http;
    const size_t n = s->listen.n;
    struct front *f;
    struct err e = {0};

    s->http.by_address = by_address;
    s->http.by_handshake = by_handshake;
    s->http.n_tls = only == TLS ? 1 : 0;
    s->http.n_plain = 0;
    s->listen.n = only == TLS ? 0 : 1;
    f = front_new(&w->ra, &e);
    assert_non_null(f);
    s->http = http;
    s->listen.n = n;
    return f;
}

static const struct budget_limit two = {.interval_us = 3600 * (int64_t)1000000, .burst = 2};
static const struct budget_limit no_limit = {0};

/* What is no request counts as one, and is not logged any more then. */
static void
who_asks_too_often_waits(void **state)
{
    struct running *w = *state;
    struct front *f = front_with(w, PLAIN, two, no_limit);
    CLEANUP(heard_free) struct heard known = {0};
    CLEANUP(heard_free) struct heard wrong = {0};
    CLEANUP(heard_free) struct heard again = {0};
    CLEANUP(heard_free) struct heard busy = {0};
    CLEANUP(heard_free) struct heard cmp = {0};

    known = say(w, front_port(f), GET("/nothing"));
    assert_int_equal(known.status, 404);
    tap_mark();
    wrong = say(w, front_port(f), BARE_LF);
    assert_int_equal(wrong.status, 400);
    tap_need("\"request-refused\"");
    tap_mark();
    again = say(w, front_port(f), BARE_LF);
    assert_int_equal(again.status, 400);
    busy = say(w, front_port(f), GET("/nothing"));
    assert_int_equal(busy.status, 503);
    assert_true(heard_has(&busy, "Retry-After: 3600"));
    assert_int_equal(busy.body.n, 0);
    cmp = say(w, front_port(f), GET("/.well-known/cmp"));
    assert_int_equal(cmp.status, 503);
    assert_false(tap_has("\"request-refused\""));
    front_free(f);
}

/* One request too many is told to come again; what costs nothing is answered all the same. */
static void
when_all_is_in_use_the_rest_is_answered(void **state)
{
    static const char cmp[] = "POST /.well-known/cmp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              "Content-Type: application/pkixcmp\r\nContent-Length: 1\r\n\r\nx";
    struct running *w = *state;
    const int before = w->settings->requests_max;
    struct front *f = front_with(w, PLAIN, two, no_limit);
    CLEANUP(heard_free) struct heard other = {0};
    CLEANUP(heard_free) struct heard full = {0};
    CLEANUP(heard_free) struct heard often = {0};

    w->settings->requests_max = 0;
    other = say(w, front_port(f), GET("/nothing"));
    full = say(w, front_port(f), cmp);
    often = say(w, front_port(f), cmp); /* what he has to wait for is longer */
    w->settings->requests_max = before;
    assert_int_equal(other.status, 404);
    assert_int_equal(full.status, 503);
    assert_true(heard_has(&full, "Retry-After: 2"));
    assert_int_equal(often.status, 503);
    assert_true(heard_has(&often, "Retry-After: 3600"));
    front_free(f);
}

/* Who goes on with a transaction is served though nobody may begin one; what is not decodable goes
 * on with nothing. */
static void
who_begins_gives_way_to_who_goes_on(void **state)
{
    static const char from[] = "POST /.well-known/cmp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               "Content-Type: application/pkixcmp\r\nContent-Length: 6\r\n\r\n";
    static const struct {
        const char *octets; /* PKIMessage, an empty header, an empty body */
        int status;
    } rows[] = {
        {"\x30\x04\x30\x00\xa0\x00", 503}, /* ir */
        {"\x30\x04\x30\x00\xb4\x00", 503}, /* nested */
        {"\x30\x04\x30\x00\xb8\x00", 200}, /* certConf */
        {"\x30\x04\x30\x00\xb9\x00", 200}, /* pollReq */
        {"\x30\x04\x30\x00\xb7\x00", 200}, /* error */
        {"\x30\x04\x30\x00\x78\x00", 503}, /* no tag of a body */
        {"\x31\x04\x30\x00\xb8\x00", 503}, {"\x30\x02\x30\x00\xb8\x00", 503},
    };
    struct running *w = *state;
    struct front *f = front_with(w, PLAIN, no_limit, no_limit);
    struct crowd *before = w->ra.beginning;
    CLEANUP(crowd_cleanup) struct crowd *full = crowd_new(1, 1000);
    struct crowd_place place = {0};

    w->ra.beginning = full;
    assert_int_equal(crowd_enter(full, &place, clock_monotonic_ms()), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard h = {0};
        struct talk t = talk_with(front_port(f), from);
        struct err e = {0};

        assert_ok(buf_append(&t.request, span_of(rows[i].octets, 6), &e), &e);
        running_do(w, talk_run, &t);
        buf_free(&t.request);
        h = t.heard;
        assert_int_equal(h.status, rows[i].status);
        assert_true(i > 0 || heard_has(&h, "Retry-After: 2"));
    }
    w->ra.beginning = before;
    front_free(f);
}

static void
who_begins_too_many_handshakes_is_closed(void **state)
{
    struct running *w = *state;
    struct front *f = front_with(w, TLS, no_limit, two);
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    CLEANUP(heard_free) struct heard failed = {0};
    struct talk first = talk_with(front_port(f), GET("/nothing"));
    struct talk second = talk_with(front_port(f), GET("/nothing"));

    first.tls = second.tls = tls;
    running_do(w, talk_run, &first);
    assert_int_equal(first.heard.status, 404);
    tap_mark();
    failed = say(w, front_port(f), GET("/nothing")); /* no handshake at all */
    assert_int_equal(failed.status, 0);
    tap_need("\"handshake-failed\"");
    tap_need("127.0.0.1:");
    running_do(w, talk_run, &second);
    assert_int_equal(second.heard.status, 0);
    talk_free(&first);
    talk_free(&second);
    SSL_CTX_free(tls);
    front_free(f);
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connections_leave_descriptors_for_everything_else),
        TEST(descriptors_are_asked_for_as_they_are_needed),
        TEST(each_listener_is_logged_with_its_port),
        TEST(an_address_that_is_taken_is_named),
        TEST(a_certificate_is_read_again_and_its_end_is_said),
        TEST(what_is_refused_is_logged_with_its_reason),
        TEST(who_asks_too_often_waits),
        TEST(when_all_is_in_use_the_rest_is_answered),
        TEST(who_begins_gives_way_to_who_goes_on),
        TEST(who_begins_too_many_handshakes_is_closed),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* of a client that is closed while it writes */
    running_configure("tls \"t\" {\n listen = {\"127.0.0.1:0\"}\n certificate = \"admin.pem\"\n"
                      " credential = \"admin-tls-key\"\n}\n"
                      "plain \"old\" {\n listen = {\"127.0.0.1:0\"}\n cmp_strictness = "
                      "\"rfc4210\"\n}\n");
    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
