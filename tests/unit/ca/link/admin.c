/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/link/admin.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

struct scene {
    char *dir;
    char *path;
    struct event_base *base;
    struct admin_server *server;
    struct admin_call *kept;
    size_t handled;
};

static void
on_call(void *arg, struct admin_call *call, const char *command, const json_t *request)
{
    struct scene *s = arg;
    struct err e = {0};

    s->handled++;
    if (strcmp(command, "echo") == 0) {
        admin_answer(call, json_pack("{s:O}", "said", json_object_get(request, "say")));
    } else if (strcmp(command, "measure") == 0) {
        CLEANUP(buf_free) struct buf attachment = {0};

        admin_take_attachment(call, &attachment);
        for (size_t i = 0; i < 3; i++) {
            admin_row(call, json_pack("{s:I}", "n", (json_int_t)i));
        }
        admin_answer(
            call, json_pack("{s:I,s:I}", "octets", (json_int_t)attachment.n, "last",
                            (json_int_t)(attachment.n == 0 ? -1 : attachment.p[attachment.n - 1])));
    } else if (strcmp(command, "long") == 0) {
        size_t n = (size_t)json_integer_value(json_object_get(request, "n"));
        CLEANUP(mem_cleanup) char *text = mem_zalloc(n + 1, 1);

        memset(text, 'x', n);
        admin_answer(call, json_pack("{s:s}", "t", text));
    } else if (strcmp(command, "garble") == 0) {
        (void)err_set(&e, ERR_CONFLICT, "quoted: \xff");
        admin_refuse(call, &e);
    } else if (strcmp(command, "keep") == 0) {
        s->kept = call;
    } else {
        (void)err_set(&e, ERR_NOTFOUND, "no command '%s'", command);
        admin_refuse(call, &e);
    }
    (void)event_base_loopbreak(s->base);
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    struct err e = {0};

    s->dir = tmpdir_new();
    s->path = mem_printf("%s/admin.sock", s->dir);
    s->base = event_base_new();
    s->server = admin_server_new(s->base, s->path, on_call, s, &e);
    assert_non_null(s->server);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    admin_server_free(s->server);
    event_base_free(s->base);
    mem_free(s->path);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}

struct asking {
    const char *path;
    json_t *request;
    struct span attachment;
    json_int_t rows;
    json_t *answer;
    struct err e;
    struct event_base *base;
    atomic_bool done;
};

static void
count_row(void *arg, json_t *row)
{
    struct asking *a = arg;

    assert_int_equal(json_integer_value(json_object_get(row, "n")), a->rows);
    a->rows++;
}

static void *
ask(void *arg)
{
    struct asking *a = arg;

    a->answer = a->attachment.n == 0
                    ? admin_ask(a->path, a->request, -1, &a->e)
                    : admin_ask_rows(a->path, a->request, a->attachment, count_row, a, -1, &a->e);
    a->done = true;
    return NULL;
}

/* The client blocks, so it asks from another thread while this one runs the loop. */
static struct asking
ask_while_serving_with(struct scene *s, json_t *request, struct span attachment)
{
    struct asking a = {.path = s->path, .request = request, .attachment = attachment};
    size_t handled = s->handled;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    while (s->handled == handled) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    while (!a.done) { /* a long answer takes several turns */
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
        (void)sched_yield();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    json_decref(request);
    return a;
}

static struct asking
ask_while_serving(struct scene *s, json_t *request)
{
    return ask_while_serving_with(s, request, (struct span){0});
}

static void
an_attachment_of_any_size_arrives_whole_and_rows_come_before_the_answer(void **state)
{
    static uint8_t octets[3 * 1024 * 1024 + 1];
    static const size_t sizes[] = {1, 1000, ADMIN_REQUEST_MAX, 2 * ADMIN_REQUEST_MAX,
                                   sizeof(octets)};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct asking a;

        octets[sizes[i] - 1] = (uint8_t)(i + 1);
        a = ask_while_serving_with(*state, json_pack("{s:s}", "command", "measure"),
                                   span_of(octets, sizes[i]));
        assert_non_null(a.answer);
        assert_int_equal(json_integer_value(json_object_get(a.answer, "octets")), sizes[i]);
        assert_int_equal(json_integer_value(json_object_get(a.answer, "last")), i + 1);
        assert_int_equal(a.rows, 3);
        json_decref(a.answer);
    }
}

static void
an_attachment_that_is_too_long_ends_the_connection(void **state)
{
    struct scene *s = *state;
    static const char *const rows[] = {
        "{\"command\":\"measure\",\"attachment\":0}",
        "{\"command\":\"measure\",\"attachment\":-1}",
        "{\"command\":\"measure\",\"attachment\":\"9\"}",
        "{\"command\":\"measure\",\"attachment\":33554433}",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf answer = BUF_INIT(4096);
        struct err e = {0};
        int fd = unix_connect(s->path, true, &e);

        assert_ok(frame_write(fd, span_str(rows[i]), -1, &e), &e);
        while (frame_read(fd, 4096, &answer, 1, &e) != 0 && e.code == ERR_BUSY) {
            assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
        }
        assert_int_equal(answer.n, 0);
        assert_int_equal(s->handled, 0);
        (void)close(fd);
    }
}

static void
a_question_gets_its_answer(void **state)
{
    struct asking a =
        ask_while_serving(*state, json_pack("{s:s,s:s}", "command", "echo", "say", "hello"));

    assert_non_null(a.answer);
    assert_string_equal(json_string_value(json_object_get(a.answer, "said")), "hello");
    json_decref(a.answer);
}

static void
a_refusal_comes_back_with_its_code(void **state)
{
    struct asking a = ask_while_serving(*state, json_pack("{s:s}", "command", "dance"));

    assert_null(a.answer);
    assert_int_equal(a.e.code, ERR_NOTFOUND);
    assert_string_equal(a.e.text, "no command 'dance'");
}

static void
a_daemon_that_is_not_there_is_named(void **state)
{
    json_t *request = json_pack("{s:s}", "command", "status");
    struct err e = {0};

    (void)state;
    assert_null(admin_ask("/nonexistent/admin.sock", request, 1000, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, "is the daemon running?"));
    json_decref(request);
}

static void *
hang_up_on_a_caller(void *arg)
{
    int fd = accept4(*(const int *)arg, NULL, NULL, SOCK_CLOEXEC);

    (void)close(fd);
    return NULL;
}

static void
a_daemon_that_hangs_up_during_the_attachment_is_an_error(void **state)
{
    static uint8_t octets[ADMIN_ATTACHMENT_MAX];
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/other.sock", s->dir);
    json_t *request = json_pack("{s:s}", "command", "measure");
    pthread_t thread;
    struct err e = {0};
    int listening = unix_listen(path, 0600, &e);

    assert_true(listening >= 0);
    assert_int_equal(fcntl(listening, F_SETFL, 0), 0); /* accept4() waits */
    assert_int_equal(pthread_create(&thread, NULL, hang_up_on_a_caller, &listening), 0);
    assert_null(admin_ask_rows(path, request, span_of(octets, sizeof(octets)), NULL, NULL, -1, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, path));
    assert_true(strstr(e.text, "send: ") != NULL || strstr(e.text, "peer closed") != NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(listening);
    json_decref(request);
}

static void
a_call_outlives_its_client(void **state)
{
    struct scene *s = *state;
    struct err e = {0};
    int fd = unix_connect(s->path, true, &e);

    assert_true(fd >= 0);
    assert_ok(frame_write(fd, SPAN_LITERAL("{\"command\":\"keep\"}"), -1, &e), &e);
    while (s->kept == NULL) {
        assert_int_equal(event_base_loop(s->base, EVLOOP_ONCE), 0);
    }
    (void)close(fd);
    for (int i = 0; i < 3; i++) {
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
    }
    admin_answer(s->kept, NULL);
}

static void
what_is_no_question_reaches_no_handler(void **state)
{
    struct scene *s = *state;
    static const char *const rows[] = {
        "", "[]", "{", "{}", "{\"command\":1}", "{\"command\":\"echo\",\"command\":\"echo\"}"};
    struct err e = {0};

    for (size_t i = 1; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf answer = BUF_INIT(4096);
        int fd = unix_connect(s->path, true, &e);

        print_message("%s\n", rows[i]);
        assert_true(fd >= 0);
        assert_ok(frame_write(fd, span_str(rows[i]), -1, &e), &e);
        while (frame_read(fd, 4096, &answer, 1, &e) != 0) {
            assert_int_equal(e.code, ERR_BUSY);
            assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
        }
        assert_non_null(memmem(answer.p, answer.n, "\"error\"", 7));
        (void)close(fd);
    }
    assert_int_equal(s->handled, 0);
}

/* What the daemon answers when it is asked in `words`; runs its loop meanwhile. */
static struct err
refusal(struct scene *s, json_t *request)
{
    struct asking a = ask_while_serving(s, request);

    if (a.answer != NULL) {
        json_decref(a.answer);
        (void)snprintf(a.e.text, sizeof(a.e.text), "ok");
    }
    return a.e;
}

static void
an_answer_is_as_long_as_a_frame_may_be(void **state)
{
    /* {"ok":true,"t":"..."} */
    const json_int_t most = ADMIN_ANSWER_MAX - 18;
    struct err e;

    e = refusal(*state, json_pack("{s:s,s:I}", "command", "long", "n", most));
    assert_string_equal(e.text, "ok");
    e = refusal(*state, json_pack("{s:s,s:I}", "command", "long", "n", most + 1));
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "the answer is too long: ask for less");
}

static void
a_reason_that_is_no_text_keeps_its_code(void **state)
{
    struct err e = refusal(*state, json_pack("{s:s}", "command", "garble"));

    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.text, "the reason is not printable");
}

static void
a_request_is_as_long_as_a_frame_may_be(void **state)
{
    struct scene *s = *state;
    /* {"command":"echo","say":"..."} */
    const size_t most = ADMIN_REQUEST_MAX - 27;
    CLEANUP(mem_cleanup) char *text = mem_zalloc(most + 2, 1);
    json_t *request;
    struct err e = {0};

    memset(text, 'x', most);
    e = refusal(s, json_pack("{s:s,s:s}", "command", "echo", "say", text));
    assert_string_equal(e.text, "ok");
    text[most] = 'x';
    request = json_pack("{s:s,s:s}", "command", "echo", "say", text);
    assert_null(admin_ask(s->path, request, -1, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "admin.sock: the request is too long"));
    json_decref(request);
}

static void
the_longest_attachment_is_taken(void **state)
{
    CLEANUP(mem_cleanup) uint8_t *octets = mem_zalloc(ADMIN_ATTACHMENT_MAX, 1);
    struct asking a = ask_while_serving_with(*state, json_pack("{s:s}", "command", "measure"),
                                             span_of(octets, ADMIN_ATTACHMENT_MAX));

    assert_non_null(a.answer);
    assert_int_equal(json_integer_value(json_object_get(a.answer, "octets")), ADMIN_ATTACHMENT_MAX);
    json_decref(a.answer);
}

static void
no_more_calls_than_allowed_at_once(void **state)
{
    struct scene *s = *state;
    int fds[ADMIN_CALLS_MAX + 1];
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        CLEANUP(buf_free) struct buf answer = BUF_INIT(4096);
        bool taken = i < ADMIN_CALLS_MAX;

        fds[i] = unix_connect(s->path, true, &e);
        assert_true(fds[i] >= 0);
        (void)frame_write(fds[i], SPAN_LITERAL("{\"command\":\"echo\",\"say\":\"x\"}"), -1, &e);
        while (frame_read(fds[i], 4096, &answer, 1, &e) != 0 && e.code == ERR_BUSY) {
            assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
        }
        assert_int_equal(answer.n > 0, taken);
        assert_int_equal(s->handled, taken ? i + 1 : ADMIN_CALLS_MAX);
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        (void)close(fds[i]);
    }
}

/* Only root may play another user; the socket's mode would keep it away before. */
static void
another_user_is_not_read(void **state)
{
    enum { NOBODY = 65534 };
    struct scene *s = *state;
    CLEANUP(buf_free) struct buf answer = BUF_INIT(4096);
    struct err e = {0};
    int fd;

    if (geteuid() != 0) {
        fd = unix_connect(s->path, true, &e); /* the daemon's own user is served */
        assert_true(fd >= 0);
        (void)close(fd);
        return;
    }
    assert_int_equal(chmod(s->dir, 0711), 0);
    assert_int_equal(chmod(s->path, 0666), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    fd = unix_connect(s->path, true, &e);
    assert_int_equal(seteuid(0), 0);
    assert_true(fd >= 0);
    (void)frame_write(fd, SPAN_LITERAL("{\"command\":\"echo\",\"say\":\"x\"}"), -1, &e);
    while (frame_read(fd, 4096, &answer, 1, &e) != 0 && e.code == ERR_BUSY) {
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
    }
    assert_int_equal(answer.n, 0);
    assert_int_equal(s->handled, 0);
    (void)close(fd);
}

struct daemon {
    int listening;
    const char *says; /* NULL: hangs up */
};

/* Answers one request with what it was given. */
static void *
play_daemon(void *arg)
{
    const struct daemon *d = arg;
    CLEANUP(buf_free) struct buf request = BUF_INIT(ADMIN_REQUEST_MAX);
    struct err e = {0};
    int fd;

    while ((fd = accept4(d->listening, NULL, NULL, SOCK_CLOEXEC)) < 0) {
        struct pollfd ready = {.fd = d->listening, .events = POLLIN};

        (void)poll(&ready, 1, -1);
    }
    if (frame_read(fd, ADMIN_REQUEST_MAX, &request, -1, &e) == 0 && d->says != NULL) {
        (void)frame_write(fd, span_str(d->says), -1, &e);
    }
    (void)close(fd);
    return NULL;
}

static void
what_is_no_answer_of_a_daemon_is_said(void **state)
{
    static const struct {
        const char *says;
        enum err_code code; /* ERR_NONE: an answer */
        const char *text;
    } rows[] = {
        {"{\"ok\":true}", ERR_NONE, ""},
        {"{\"ok\":false}", ERR_IO, "the daemon's answer is neither \"ok\" nor \"error\""},
        {"{\"ok\":1}", ERR_IO, "neither"},
        {"{}", ERR_IO, "neither"},
        {"{\"error\":{\"code\":\"denied\"}}", ERR_IO, "neither"},
        {"{\"error\":{\"text\":\"no\"}}", ERR_IO, "neither"},
        {"{\"error\":{\"code\":\"input\",\"text\":\"no\"}}", ERR_INPUT, "no"},
        {"{\"error\":{\"code\":\"io\",\"text\":\"no\"}}", ERR_IO, "no"},
        {"{\"error\":{\"code\":\"strange\",\"text\":\"no\"}}", ERR_IO, "no"},
        {"[]", ERR_INPUT, "fake.sock: not one JSON object"},
        {"{\"ok\":true,\"ok\":true}", ERR_INPUT, "fake.sock: not one JSON object"},
        {NULL, ERR_IO, "fake.sock: "},
    };
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/fake.sock", s->dir);
    CLEANUP(admin_json_cleanup) json_t *request = json_pack("{s:s}", "command", "status");
    struct err e = {0};
    struct daemon d = {.listening = unix_listen(path, 0600, &e)};

    assert_true(d.listening >= 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(admin_json_cleanup) json_t *answer = NULL;
        pthread_t thread;

        d.says = rows[i].says;
        assert_int_equal(pthread_create(&thread, NULL, play_daemon, &d), 0);
        e.code = ERR_NONE;
        answer = admin_ask(path, request, -1, &e);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (e.code != rows[i].code || (answer == NULL) != (e.code != ERR_NONE) ||
            (answer == NULL && strstr(e.text, rows[i].text) == NULL)) {
            fail_msg("row %zu: %s: %s", i, err_code_name(e.code), e.text);
        }
    }
    (void)close(d.listening);
}

static void
a_daemon_that_may_not_listen_says_why(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/none/admin.sock", s->dir);
    struct err e = {0};

    assert_null(admin_server_new(s->base, path, on_call, s, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, path));
}

static void
a_frame_that_is_too_long_ends_the_connection(void **state)
{
    struct scene *s = *state;
    const struct {
        struct span octets;
    } rows[] = {{SPAN_LITERAL("\0\0\0\0")}, {SPAN_LITERAL("\0\1\0\1")}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf answer = BUF_INIT(4096);
        struct err e = {0};
        int fd = unix_connect(s->path, true, &e);

        assert_int_equal(write(fd, rows[i].octets.p, rows[i].octets.n), rows[i].octets.n);
        while (frame_read(fd, 4096, &answer, 1, &e) != 0 && e.code == ERR_BUSY) {
            assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
        }
        assert_int_equal(answer.n, 0);
        (void)close(fd);
    }
    assert_int_equal(s->handled, 0);
}

/* The loop has ended, and so has the server: what it was asked before is answered all the same. */
static void
what_was_answered_last_is_heard(void **state)
{
    struct scene *s = *state;
    CLEANUP(buf_free) struct buf heard = BUF_INIT(ADMIN_ANSWER_MAX);
    struct err e = {0};
    CLEANUP(fd_cleanup) int fd = unix_connect(s->path, true, &e);

    assert_int_equal(frame_write(fd, SPAN_LITERAL("{\"command\":\"keep\"}"), -1, &e), 0);
    while (s->kept == NULL) {
        assert_true(event_base_loop(s->base, EVLOOP_ONCE) >= 0);
    }
    admin_answer(s->kept, NULL);
    admin_server_free(s->server);
    s->server = NULL;
    assert_int_equal(frame_read(fd, ADMIN_ANSWER_MAX, &heard, -1, &e), 0);
    assert_true(span_equal(buf_span(&heard), SPAN_LITERAL("{\"ok\":true}")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_gets_its_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_attachment_of_any_size_arrives_whole_and_rows_come_before_the_answer, setup,
            teardown),
        cmocka_unit_test_setup_teardown(an_attachment_that_is_too_long_ends_the_connection, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_refusal_comes_back_with_its_code, setup, teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_is_not_there_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_hangs_up_during_the_attachment_is_an_error,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_outlives_its_client, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_question_reaches_no_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_is_as_long_as_a_frame_may_be, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_answered_last_is_heard, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reason_that_is_no_text_keeps_its_code, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_is_as_long_as_a_frame_may_be, setup, teardown),
        cmocka_unit_test_setup_teardown(the_longest_attachment_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_calls_than_allowed_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(another_user_is_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_answer_of_a_daemon_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_may_not_listen_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_that_is_too_long_ends_the_connection, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
