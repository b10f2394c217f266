/* SPDX-License-Identifier: Apache-2.0 */
/* Server and client in one loop, over a real socket. */
#include "ca/link/server.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "ca/link/client.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { MANY = 300 };

struct scene {
    char *dir;
    char *path;
    struct event_base *base;
    struct link_server *server;
    struct link_client *client;
    size_t hellos;
    struct link_message welcome;
    size_t requests;
    size_t answers;
    size_t checkpoints;
    size_t ups;
    size_t downs;
    size_t closed;
    enum err_code closed_code;
    struct err why;
    size_t stop_after; /* answers */
    bool hold;         /* do not answer SUBMIT */
    size_t held;
    link_peer held_peer;
};

static const uint8_t zeros[64];

static void
on_request(void *arg, link_peer peer, const struct link_message *m)
{
    struct scene *s = arg;
    struct link_message answer = {.type = LINK_ISSUED, .id = m->id, .body = span_of(zeros, 9)};

    if (m->type == LINK_HELLO) {
        answer = (struct link_message){.type = LINK_WELCOME,
                                       .body = span_of(zeros, 3),
                                       .root = span_of(zeros, 4),
                                       .checkpoint = span_of(zeros, 5),
                                       .log_key = span_of(zeros, 6)};
        s->hellos++;
        s->held_peer = peer;
        s->welcome = answer;
        if (s->hold) {
            return;
        }
    } else {
        s->requests++;
        if (s->hold) {
            s->held++;
            s->held_peer = peer;
            return;
        }
    }
    link_server_answer(s->server, peer, &answer);
}

static void
on_closed(void *arg, link_peer peer, const struct err *why)
{
    struct scene *s = arg;

    (void)peer;
    s->closed++;
    s->closed_code = why->code;
    s->why = *why;
    (void)event_base_loopbreak(s->base);
}

static void
on_up(void *arg, const struct link_message *welcome)
{
    struct scene *s = arg;

    assert_int_equal(welcome->root.n, 4);
    s->ups++;
    (void)event_base_loopbreak(s->base);
}

static void
on_message(void *arg, const struct link_message *m)
{
    struct scene *s = arg;

    if (m->type == LINK_CHECKPOINT) {
        s->checkpoints++;
        return;
    }
    assert_int_equal(m->type, LINK_ISSUED);
    s->answers++;
    if (s->answers >= s->stop_after) {
        (void)event_base_loopbreak(s->base);
    }
}

static void
on_down(void *arg, const struct err *why)
{
    struct scene *s = arg;

    (void)why;
    s->downs++;
    (void)event_base_loopbreak(s->base);
}

static void
start_server(struct scene *s, uid_t uid, size_t open_max)
{
    const struct link_server_options options = {.base = s->base,
                                                .path = s->path,
                                                .uids = &uid,
                                                .n_uids = 1,
                                                .open_max = open_max,
                                                .request = on_request,
                                                .closed = on_closed,
                                                .arg = s};
    struct err e = {0};

    s->server = link_server_new(&options, &e);
    assert_non_null(s->server);
}

static void
start_client(struct scene *s)
{
    const struct link_client_options options = {.base = s->base,
                                                .path = s->path,
                                                .server_uid = geteuid(),
                                                .up = on_up,
                                                .message = on_message,
                                                .down = on_down,
                                                .arg = s};
    struct err e = {0};

    s->client = link_client_new(&options, &e);
    assert_non_null(s->client);
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    s->dir = tmpdir_new();
    s->path = mem_printf("%s/link.sock", s->dir);
    s->base = event_base_new();
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    link_client_free(s->client);
    link_server_free(s->server);
    event_base_free(s->base);
    mem_free(s->path);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

static int
submit(struct scene *s, struct err *e)
{
    const struct link_message m = {
        .type = LINK_SUBMIT, .id = span_of(zeros, 32), .body = span_of(zeros, 40)};

    return link_client_send(s->client, &m, e);
}

static void
run_until_up(struct scene *s)
{
    while (!link_client_is_up(s->client)) {
        assert_int_equal(event_base_loop(s->base, 0), 0);
    }
}

/* Of this user, and they have found each other. */
static void
start_both(struct scene *s, size_t open_max)
{
    start_server(s, geteuid(), open_max);
    start_client(s);
    run_until_up(s);
}

static void
requests_get_their_answers(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    start_both(s, 0);
    s->stop_after = MANY;
    for (int i = 0; i < MANY; i++) {
        assert_ok(submit(s, &e), &e);
    }
    assert_int_equal(event_base_loop(s->base, 0), 0);
    assert_int_equal(s->answers, MANY);
    assert_int_equal(s->requests, MANY);
}

static void
another_user_is_refused(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    start_server(s, geteuid() + 1, 0);
    start_client(s);
    while (s->closed == 0 || s->downs == 0) {
        assert_int_equal(event_base_loop(s->base, 0), 0);
    }
    assert_int_equal(s->closed_code, ERR_DENIED);
    assert_int_equal(s->ups, 0);
    assert_err(submit(s, &e), ERR_BUSY, &e);
}

static void
the_client_comes_back_when_the_server_does(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    start_client(s); /* nobody listens yet */
    assert_int_equal(event_base_loop(s->base, 0), 0);
    assert_int_equal(s->downs, 1);
    start_server(s, geteuid(), 0);
    run_until_up(s);
    link_server_free(s->server);
    s->server = NULL;
    while (s->downs < 2) {
        assert_int_equal(event_base_loop(s->base, 0), 0);
    }
    assert_err(submit(s, &e), ERR_BUSY, &e);
    start_server(s, geteuid(), 0);
    run_until_up(s);
    assert_int_equal(s->ups, 2);
}

static void
a_peer_with_too_many_open_requests_is_not_read(void **state)
{
    struct scene *s = *state;
    const struct link_message answer = {
        .type = LINK_ISSUED, .id = span_of(zeros, 32), .body = span_of(zeros, 9)};
    struct err e = {0};

    start_both(s, 4);
    s->hold = true;
    for (int i = 0; i < 10; i++) {
        assert_ok(submit(s, &e), &e);
    }
    while (s->held < 4) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    for (int i = 0; i < 5; i++) {
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
    }
    assert_int_equal(s->held, 4);
    s->hold = false;
    s->stop_after = 10;
    for (size_t i = 0; i < s->held; i++) {
        link_server_answer(s->server, s->held_peer, &answer);
    }
    while (s->answers < 10) {
        assert_int_equal(event_base_loop(s->base, 0), 0);
    }
    assert_int_equal(s->requests, 10);
}

static void
run_until_closed(struct scene *s, size_t closed)
{
    while (s->closed < closed) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
}

static void
no_more_peers_than_allowed(void **state)
{
    static const struct {
        size_t peers_max;
        size_t taken;
    } rows[] = {{1, 1}, {2, 2}, {0, 4}};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uid_t uid = geteuid();
        const struct link_server_options options = {.base = s->base,
                                                    .path = s->path,
                                                    .uids = &uid,
                                                    .n_uids = 1,
                                                    .peers_max = rows[i].peers_max,
                                                    .request = on_request,
                                                    .closed = on_closed,
                                                    .arg = s};
        CLEANUP(mem_cleanup)
        char *says = mem_printf("more than %zu peers at %s", rows[i].taken, s->path);
        struct err e = {0};
        int fds[8];

        s->server = link_server_new(&options, &e);
        assert_non_null(s->server);
        for (size_t k = 0; k < rows[i].taken; k++) {
            fds[k] = unix_connect(s->path, true, &e);
            assert_true(fds[k] >= 0);
            while (link_server_peers(s->server) <= k) {
                assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
            }
        }
        s->closed = 0;
        fds[rows[i].taken] = unix_connect(s->path, true, &e);
        run_until_closed(s, 1);
        assert_int_equal(s->closed_code, ERR_BUSY);
        assert_string_equal(s->why.text, says);
        assert_int_equal(link_server_peers(s->server), rows[i].taken);
        /* One that goes makes room. */
        (void)close(fds[0]);
        run_until_closed(s, 2);
        assert_string_equal(s->why.text, "peer closed");
        fds[0] = unix_connect(s->path, true, &e);
        while (link_server_peers(s->server) < rows[i].taken) {
            assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        }
        for (size_t k = 0; k <= rows[i].taken; k++) {
            (void)close(fds[k]);
        }
        link_server_free(s->server);
        s->server = NULL;
        assert_int_equal(access(s->path, F_OK), -1);
    }
}

/* A server that was told of no user serves nobody. */
static void
one_of_the_users_is_served(void **state)
{
    struct scene *s = *state;
    const uid_t uids[] = {geteuid() + 1, geteuid()};
    static const struct {
        size_t n;
        bool served;
    } rows[] = {{0, false}, {1, false}, {2, true}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct link_server_options options = {.base = s->base,
                                                    .path = s->path,
                                                    .uids = uids,
                                                    .n_uids = rows[i].n,
                                                    .request = on_request,
                                                    .closed = on_closed,
                                                    .arg = s};
        struct err e = {0};
        int fd;

        s->closed = 0;
        s->server = link_server_new(&options, &e);
        assert_non_null(s->server);
        fd = unix_connect(s->path, true, &e);
        while (s->closed == 0 && link_server_peers(s->server) == 0) {
            assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
        }
        assert_int_equal(s->closed == 0, rows[i].served);
        if (!rows[i].served) {
            assert_int_equal(s->closed_code, ERR_DENIED);
            assert_non_null(strstr(s->why.text, "see link_users"));
        }
        (void)close(fd);
        link_server_free(s->server);
        s->server = NULL;
    }
}

/* Answers wait for a peer up to 4 MiB; the one that passes them costs the connection. */
static void
a_peer_that_does_not_read_is_closed(void **state)
{
    enum { BODY = 16 * 1024, LEAST = 4 * 1024 * 1024 / BODY };
    static const uint8_t octets[BODY];
    struct scene *s = *state;
    const struct link_message told = {
        .type = LINK_ISSUED, .id = span_of(zeros, 32), .body = span_of(octets, BODY)};
    struct err e = {0};
    size_t n = 0;

    start_both(s, 0);
    s->hold = true;
    assert_ok(submit(s, &e), &e);
    while (s->held == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    s->closed = 0;
    while (s->closed == 0) { /* the loop does not run: nothing is written */
        link_server_tell(s->server, s->held_peer, &told);
        n++;
    }
    assert_int_equal(s->closed_code, ERR_BUSY);
    assert_string_equal(s->why.text, "the peer does not read its answers");
    assert_true(n > LEAST - LEAST / 100 && n <= LEAST + 1);
    assert_int_equal(link_server_peers(s->server), 0);
}

/* An answer that is none is our bug, and costs the connection, not the daemon. */
static void
an_answer_that_cannot_be_written_closes_the_peer(void **state)
{
    struct scene *s = *state;
    const struct link_message bad = {.type = LINK_ISSUED, .id = span_of(zeros, 32)};
    struct err e = {0};

    start_both(s, 0);
    s->hold = true;
    assert_ok(submit(s, &e), &e);
    while (s->held == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    s->closed = 0;
    link_server_answer(s->server, s->held_peer, &bad);
    assert_int_equal(s->closed, 1);
    assert_string_equal(s->why.text, "link: ISSUED: body is out of its limits");
}

/* Sends raw octets and runs the loop until the server has closed the connection. */
static void
server_closes(struct scene *s, struct span raw, enum err_code expected)
{
    struct err e = {0};
    int fd = unix_connect(s->path, true, &e);
    size_t closed = s->closed;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, raw.p, raw.n), raw.n);
    while (s->closed == closed) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    assert_int_equal(s->closed_code, expected);
    assert_int_equal(link_server_peers(s->server), 0);
    (void)close(fd);
}

static void
nonsense_closes_the_peer_and_nobody_else(void **state)
{
    struct scene *s = *state;
    const struct {
        struct span raw;
        enum err_code expected;
        const char *says;
    } rows[] = {
        /* length 0; length above the maximum; not DER; type 99 */
        {SPAN_LITERAL("\0\0\0\0"), ERR_INPUT, "a frame of 0 octets"},
        {SPAN_LITERAL("\0\2\0\1"), ERR_INPUT, "a frame of 131073 octets"},
        {SPAN_LITERAL("\0\0\0\3abc"), ERR_INPUT, "link: not DER"},
        {SPAN_LITERAL("\0\0\0\12\x30\x08\x02\x01\x03\x0a\x01\x63\x04\x00"), ERR_INPUT,
         "link: unknown message type 99"},
        /* CANCEL before HELLO; HELLO twice; WELCOME from an RA */
        {SPAN_LITERAL("\0\0\0\35\x30\x1b\x02\x01\x03\x0a\x01\x04\x04\x10"
                      "0123456789abcdef\x82\x01x"),
         ERR_DENIED, "CANCEL before HELLO, or HELLO again"},
        {SPAN_LITERAL("\0\0\0\12\x30\x08\x02\x01\x03\x0a\x01\x01\x04\x00"
                      "\0\0\0\12\x30\x08\x02\x01\x03\x0a\x01\x01\x04\x00"),
         ERR_DENIED, "HELLO before HELLO, or HELLO again"},
        {SPAN_LITERAL("\0\0\0\26\x30\x14\x02\x01\x03\x0a\x01\x10\x04\x00\x82\x01x\x83\x01y"
                      "\x89\x01v\x8a\x01w"),
         ERR_DENIED, "an RA does not say WELCOME"},
    };

    start_server(s, geteuid(), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("row %zu\n", i);
        server_closes(s, rows[i].raw, rows[i].expected);
        assert_non_null(strstr(s->why.text, rows[i].says));
    }
    start_client(s);
    run_until_up(s);
}

/* The end of what was answered WAITING takes no place of the peer, and gives none back. */
static void
what_became_of_a_waiting_request_is_told_unasked(void **state)
{
    struct scene *s = *state;
    const struct link_message end = {
        .type = LINK_ISSUED, .id = span_of(zeros, 32), .body = span_of(zeros, 9)};
    struct err e = {0};

    start_both(s, 2);
    s->hold = true;
    for (int i = 0; i < 3; i++) {
        assert_ok(submit(s, &e), &e);
    }
    while (s->held < 2) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    s->stop_after = 3;
    for (int i = 0; i < 3; i++) {
        link_server_tell(s->server, s->held_peer, &end);
    }
    while (s->answers < 3) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    assert_int_equal(s->held, 2); /* full still */
    s->stop_after = 6;
    link_server_answer(s->server, s->held_peer, &end);
    while (s->held < 3) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    link_server_tell(s->server, s->held_peer + 1, &end); /* nobody */
    link_server_answer(s->server, s->held_peer, &end);
    link_server_answer(s->server, s->held_peer, &end);
    while (s->answers < 6) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
}

static void
an_answer_for_a_peer_that_is_gone_reaches_nobody(void **state)
{
    struct scene *s = *state;
    const struct link_message answer = {.type = LINK_CONFIRMED, .id = span_of(zeros, 32)};
    struct err e = {0};

    start_both(s, 0);
    s->hold = true;
    assert_ok(submit(s, &e), &e);
    while (s->held == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    link_client_free(s->client);
    s->client = NULL;
    while (link_server_peers(s->server) > 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    link_server_answer(s->server, s->held_peer, &answer);
}

/* As the octets of a peer come: HELLO, and behind it a ROLE. */
#define EARLY                                                                                      \
    "\0\0\0\12\x30\x08\x02\x01\x03\x0a\x01\x01\x04\x00"                                            \
    "\0\0\0\52\x30\x28\x02\x01\x03\x0a\x01\x05\x04\x20"                                            \
    "0123456789abcdef0123456789abcdef"

static int
connect_early(struct scene *s)
{
    struct err e = {0};
    int fd = unix_connect(s->path, true, &e);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, EARLY, sizeof(EARLY) - 1), sizeof(EARLY) - 1);
    s->hold = true;
    s->hellos = 0;
    while (s->hellos == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    for (int i = 0; i < 5; i++) {
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
    }
    assert_int_equal(s->requests, 0);
    return fd;
}

static void
nothing_of_a_peer_is_read_before_it_is_welcome(void **state)
{
    const struct link_message told = {.type = LINK_CHECKPOINT, .checkpoint = span_of(zeros, 1)};
    struct scene *s = *state;
    CLEANUP(buf_free) struct buf frame = BUF_INIT(LINK_FRAME_MAX);
    struct link_message m;
    struct err e = {0};
    int fd;

    start_server(s, geteuid(), 0);
    fd = connect_early(s);
    link_server_tell_all(s->server, &told); /* not to this one */
    link_server_answer(s->server, s->held_peer, &s->welcome);
    while (s->requests == 0) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    assert_int_equal(s->requests, 1);
    assert_ok(frame_read(fd, LINK_FRAME_MAX, &frame, 1000, &e), &e);
    assert_ok(link_decode(buf_span(&frame), &m, &e), &e);
    assert_int_equal(m.type, LINK_WELCOME);
    (void)close(fd);
}

static void
one_that_is_not_welcome_can_be_closed(void **state)
{
    const struct err why = {.code = ERR_CRYPTO, .text = "not ours"};
    struct scene *s = *state;
    int fd;

    start_server(s, geteuid(), 0);
    fd = connect_early(s);
    link_server_close(s->server, s->held_peer, &why);
    assert_int_equal(s->closed, 1);
    assert_int_equal(s->closed_code, ERR_CRYPTO);
    assert_int_equal(link_server_peers(s->server), 0);
    link_server_close(s->server, s->held_peer, &why); /* nobody */
    assert_int_equal(s->closed, 1);
    assert_int_equal(s->requests, 0);
    (void)close(fd);
}

static void
who_is_welcome_is_told_what_all_are_told(void **state)
{
    const struct link_message told = {.type = LINK_CHECKPOINT, .checkpoint = span_of(zeros, 1)};
    struct scene *s = *state;

    start_both(s, 0);
    link_server_tell_all(s->server, &told);
    link_server_tell_all(s->server, &told);
    while (s->checkpoints < 2) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_get_their_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(another_user_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_client_comes_back_when_the_server_does, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_peer_with_too_many_open_requests_is_not_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_more_peers_than_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(one_of_the_users_is_served, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_does_not_read_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_cannot_be_written_closes_the_peer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nonsense_closes_the_peer_and_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(what_became_of_a_waiting_request_is_told_unasked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_of_a_peer_is_read_before_it_is_welcome, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_is_not_welcome_can_be_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_welcome_is_told_what_all_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_for_a_peer_that_is_gone_reaches_nobody, setup,
                                        teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as proc_harden() does for the programs */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
