/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/link/admin.h"

#include <event2/event.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/frame.h"
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
    for (int i = 0; i < 3; i++) {
        assert_true(event_base_loop(s->base, EVLOOP_NONBLOCK) >= 0);
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
        cmocka_unit_test_setup_teardown(a_call_outlives_its_client, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_question_reaches_no_handler, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
