/* SPDX-License-Identifier: Apache-2.0 */
/* A CA that says what it likes: a bare socket with scripted octets. */
#include "ca/link/client.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { MANY = 64, BODY = 90 * 1024 };

#define HELLO "\x30\x08\x02\x01\x03\x0a\x01\x01\x04\x00"
#define HELLO_AGAIN "\x30\x0b\x02\x01\x03\x0a\x01\x01\x04\x00\x89\x01v"
#define WELCOME                                                                                    \
    "\0\0\0\26\x30\x14\x02\x01\x03\x0a\x01\x10\x04\x00\x82\x01x\x83\x01y\x89\x01v\x8a\x01w"
#define ID "0123456789abcdef0123456789abcdef"
/* CONFIRMED, ROLE (which only an RA says) */
#define CONFIRMED "\0\0\0\52\x30\x28\x02\x01\x03\x0a\x01\x12\x04\x20" ID
#define ROLE "\0\0\0\52\x30\x28\x02\x01\x03\x0a\x01\x05\x04\x20" ID

struct scene {
    char *dir;
    char *path;
    int listening;
    int fd; /* the CA's end */
    struct event_base *base;
    struct link_client *client;
    size_t ups;
    size_t messages;
    size_t downs;
    struct err why;
    struct span remembered;
    const struct event *timer; /* the client's, when it waits, */
    long pause_us;             /* and how long it will */
};

static void
on_up(void *arg, const struct link_message *welcome)
{
    struct scene *s = arg;

    assert_int_equal(welcome->type, LINK_WELCOME);
    s->ups++;
}

static void
on_message(void *arg, const struct link_message *m)
{
    struct scene *s = arg;

    assert_int_equal(m->type, LINK_CONFIRMED);
    s->messages++;
}

/* By the loop's own clock, which stands still in a callback. */
static int
note_timer(const struct event_base *base, const struct event *event, void *arg)
{
    struct scene *s = arg;
    struct timeval until;
    struct timeval now;

    (void)base;
    if (event_pending(event, EV_TIMEOUT, &until) != 0) {
        assert_int_equal(event_base_gettimeofday_cached(s->base, &now), 0);
        s->timer = event;
        s->pause_us = (until.tv_sec - now.tv_sec) * 1000000L + until.tv_usec - now.tv_usec;
    }
    return 0;
}

static void
on_down(void *arg, const struct err *why)
{
    struct scene *s = arg;

    s->downs++;
    s->why = *why;
    s->pause_us = -1;
    assert_int_equal(event_base_foreach_event(s->base, note_timer, s), 0);
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    struct err e = {0};

    s->dir = tmpdir_new();
    s->path = mem_printf("%s/link.sock", s->dir);
    s->base = event_base_new();
    s->listening = unix_listen(s->path, 0600, &e);
    s->fd = -1;
    assert_true(s->listening >= 0);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    link_client_free(s->client);
    event_base_free(s->base);
    (void)close(s->listening);
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    mem_free(s->path);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

static struct span
on_hello(void *arg)
{
    const struct scene *s = arg;

    return s->remembered;
}

static void
start(struct scene *s, uid_t server_uid)
{
    const struct link_client_options options = {.base = s->base,
                                                .path = s->path,
                                                .server_uid = server_uid,
                                                .remembered = on_hello,
                                                .up = on_up,
                                                .message = on_message,
                                                .down = on_down,
                                                .arg = s};
    struct err e = {0};

    s->client = link_client_new(&options, &e);
    assert_non_null(s->client);
}

/* Runs the loop until the client has connected, and takes its HELLO. */
static void
accepted_with(struct scene *s, struct span wanted)
{
    CLEANUP(buf_free) struct buf hello = BUF_INIT(LINK_FRAME_MAX);
    struct err e = {0};

    while ((s->fd = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC)) < 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    while (frame_read(s->fd, LINK_FRAME_MAX, &hello, 1, &e) != 0) {
        assert_int_equal(e.code, ERR_BUSY);
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
    }
    assert_true(span_equal(buf_span(&hello), wanted));
}

static void
accepted(struct scene *s)
{
    accepted_with(s, SPAN_LITERAL(HELLO));
}

static void
say(struct scene *s, struct span octets)
{
    assert_int_equal(write(s->fd, octets.p, octets.n), octets.n);
}

static void
what_a_ca_may_not_say_ends_the_link(void **state)
{
    struct scene *s = *state;
    const struct {
        const char *name;
        struct span says;
        const char *why;
        size_t ups;
        size_t messages;
    } rows[] = {
        {"an answer before WELCOME", SPAN_LITERAL(CONFIRMED), "CONFIRMED does not belong here", 0,
         0},
        {"WELCOME again", SPAN_LITERAL(WELCOME WELCOME), "WELCOME does not belong here", 1, 0},
        {"a request", SPAN_LITERAL(WELCOME ROLE), "ROLE does not belong here", 1, 0},
        {"a request before WELCOME", SPAN_LITERAL(ROLE), "ROLE does not belong here", 0, 0},
        {"an answer, then no DER", SPAN_LITERAL(WELCOME CONFIRMED "\0\0\0\3abc"), "link: ", 1, 1},
        {"no frame", SPAN_LITERAL(WELCOME "\0\0\0\0"), "a frame of 0 octets", 1, 0},
        {"too long", SPAN_LITERAL(WELCOME "\0\2\0\1"), "a frame of 131073 octets", 1, 0},
    };

    start(s, geteuid());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t downs = s->downs;

        s->ups = 0;
        s->messages = 0;
        accepted(s);
        say(s, rows[i].says);
        while (s->downs == downs) {
            assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        }
        if (strstr(s->why.text, rows[i].why) == NULL || s->ups != rows[i].ups ||
            s->messages != rows[i].messages || link_client_is_up(s->client)) {
            fail_msg("%s: %s", rows[i].name, s->why.text);
        }
        (void)close(s->fd);
        s->fd = -1;
    }
}

static void
the_end_of_the_link_is_told(void **state)
{
    struct scene *s = *state;

    start(s, (uid_t)-1); /* whoever may bind the path */
    accepted(s);
    (void)close(s->fd);
    s->fd = -1;
    while (s->downs == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    assert_int_equal(s->why.code, ERR_IO);
    assert_string_equal(s->why.text, "the CA closed the link");
}

/* The pause is over. */
static void
hurry(const struct scene *s)
{
    struct event *timer;

    memcpy(&timer, &s->timer, sizeof(timer)); /* the loop shows it as const */
    event_active(timer, EV_TIMEOUT, 0);
}

static void
the_pause_doubles_up_to_its_limit_until_a_ca_is_there(void **state)
{
    static const long pauses_ms[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    struct scene *s = *state;
    struct err e = {0};

    (void)close(s->listening);
    assert_int_equal(unlink(s->path), 0);
    start(s, geteuid());
    for (size_t i = 0; i < ARRAY_LEN(pauses_ms); i++) {
        if (i > 0) {
            hurry(s);
        }
        while (s->downs == i) {
            assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        }
        if (s->pause_us != pauses_ms[i] * 1000) {
            fail_msg("pause %zu: %ld us", i, s->pause_us);
        }
    }
    /* one that does not greet changes nothing; one that does is the first again */
    s->listening = unix_listen(s->path, 0600, &e);
    assert_true(s->listening >= 0);
    for (int greets = 0; greets < 2; greets++) {
        const size_t downs = s->downs;

        hurry(s);
        accepted(s);
        if (greets == 1) {
            say(s, SPAN_LITERAL(WELCOME));
            while (!link_client_is_up(s->client)) {
                assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
            }
        }
        (void)close(s->fd);
        s->fd = -1;
        while (s->downs == downs) {
            assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        }
        assert_int_equal(s->pause_us, (greets == 1 ? 100 : 5000) * 1000L);
    }
}

/* Nothing is said to a process of another user, not even HELLO. */
static void
another_user_s_socket_is_not_the_ca(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup)
    char *wanted = mem_printf("user %u listens on %s, not the CA's user %u", (unsigned)geteuid(),
                              s->path, (unsigned)geteuid() + 1);
    char octet;

    start(s, geteuid() + 1);
    while (s->downs == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    assert_int_equal(s->why.code, ERR_DENIED);
    assert_string_equal(s->why.text, wanted);
    s->fd = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(s->fd >= 0);
    assert_int_equal(read(s->fd, &octet, 1), 0);
}

static void
an_ra_sends_requests_and_hello_by_itself(void **state)
{
    static const struct {
        enum link_type type;
        const char *says; /* NULL: sent */
    } rows[] = {
        {LINK_HELLO, "an RA does not send HELLO"},
        {LINK_CONFIRMED, "an RA does not send CONFIRMED"},
        {(enum link_type)99, "an RA does not send ?"},
        {LINK_ROLE, NULL},
    };
    struct scene *s = *state;
    struct err e = {0};

    start(s, geteuid());
    accepted(s);
    {
        const struct link_message early = {.type = LINK_ROLE, .id = SPAN_LITERAL(ID)};

        assert_err(link_client_send(s->client, &early, &e), ERR_BUSY, &e);
        assert_string_equal(e.text, "the CA is not connected");
    }
    say(s, SPAN_LITERAL(WELCOME));
    while (!link_client_is_up(s->client)) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct link_message m = {.type = rows[i].type, .id = SPAN_LITERAL(ID)};
        int result = link_client_send(s->client, &m, &e);

        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "sent" : e.text);
        }
    }
    {
        const struct link_message m = {.type = LINK_ROLE, .id = SPAN_LITERAL("short")};

        assert_err(link_client_send(s->client, &m, &e), ERR_INPUT, &e);
        assert_string_equal(e.text, "link: ROLE: id is out of its limits");
    }
}

static void
each_hello_says_what_is_remembered_then(void **state)
{
    struct scene *s = *state;

    start(s, geteuid());
    accepted(s);
    s->remembered = SPAN_LITERAL("v");
    (void)close(s->fd);
    accepted_with(s, SPAN_LITERAL(HELLO_AGAIN));
}

/* The loop does not run, so nothing is read: a MiB may wait, and the message that passes it. */
static void
a_ca_that_does_not_read_is_not_sent_more(void **state)
{
    static const uint8_t zeros[BODY];
    const struct link_message m = {
        .type = LINK_SUBMIT, .id = SPAN_LITERAL(ID), .body = span_of(zeros, sizeof(zeros))};
    struct scene *s = *state;
    struct err e = {0};
    size_t sent = 0;

    start(s, geteuid());
    accepted(s);
    say(s, SPAN_LITERAL(WELCOME));
    while (!link_client_is_up(s->client)) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    while (sent < MANY && link_client_send(s->client, &m, &e) == 0) {
        sent++;
    }
    assert_int_equal(sent, 1024 * 1024 / BODY + 1);
    assert_int_equal(e.code, ERR_BUSY);
    assert_string_equal(e.text, "the CA is slow in reading");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_ca_may_not_say_ends_the_link, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_link_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_pause_doubles_up_to_its_limit_until_a_ca_is_there,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(another_user_s_socket_is_not_the_ca, setup, teardown),
        cmocka_unit_test_setup_teardown(an_ra_sends_requests_and_hello_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(each_hello_says_what_is_remembered_then, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ca_that_does_not_read_is_not_sent_more, setup, teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as proc_harden() does for the programs */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
