/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/control.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"

static void
a_connection_is_handed_on(void **state)
{
    struct err e = {0};
    char text[4] = "";
    int pair[2];
    int ends[2];
    int taken = -1;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(ends), 0);
    assert_ok(control_give(pair[0], ends[1], &e), &e);
    (void)close(ends[1]);
    assert_ok(control_take(pair[1], &taken, &e), &e);
    assert_true(taken >= 0);
    assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(taken, "abc", 3), 3);
    assert_int_equal(read(ends[0], text, sizeof(text)), 3);
    assert_memory_equal(text, "abc", 3);
    (void)close(taken);
    (void)close(ends[0]);
    /* the end */
    (void)close(pair[0]);
    assert_ok(control_take(pair[1], &taken, &e), &e);
    assert_int_equal(taken, -1);
    (void)close(pair[1]);
}

static void
what_is_no_connection_is_refused(void **state)
{
    struct err e = {0};
    int pair[2];
    int taken = -1;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[0], "c", 1), 1); /* without a descriptor */
    assert_err(control_take(pair[1], &taken, &e), ERR_INPUT, &e);
    control_say(pair[0], CONTROL_READY);
    assert_err(control_take(pair[1], &taken, &e), ERR_INPUT, &e);
    (void)close(pair[0]);
    (void)close(pair[1]);
    /* nobody made a socket of it */
    assert_int_equal(pipe(pair), 0);
    assert_err(control_take(pair[0], &taken, &e), ERR_IO, &e);
    assert_err(control_give(pair[1], pair[0], &e), ERR_IO, &e);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void
last_words_arrive(void **state)
{
    const struct {
        struct span words;
        enum err_code code;
        const char *text;
    } rows[] = {
        {SPAN_LITERAL("\x06wrong PIN"), ERR_PIN, "wrong PIN"},
        {SPAN_LITERAL("\x0a"), ERR_IO, ""},
        {SPAN_LITERAL("\x0b"
                      "a copy"),
         ERR_STALE, "a copy"},
        {SPAN_LITERAL("\x0c unknown"), ERR_TOKEN, " unknown"},
        {SPAN_LITERAL("\0none"), ERR_TOKEN, "none"},
        {SPAN_LITERAL(""), ERR_TOKEN, ""},
    };
    struct err e = {0};
    uint8_t octets[CONTROL_WORDS_MAX];
    ssize_t n;
    int pair[2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        control_reason(rows[i].words, &e);
        assert_int_equal(e.code, rows[i].code);
        assert_string_equal(e.text, rows[i].text);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    (void)err_set(&e, ERR_DENIED, "%0600d", 7); /* as long as a reason can be */
    control_fail(pair[0], &e);
    n = read(pair[1], octets, sizeof(octets));
    assert_int_equal(n, 2 + strlen(e.text));
    assert_int_equal(octets[0], CONTROL_FAILED);
    assert_int_equal(octets[1], ERR_DENIED);
    /* the other end is gone: no signal, no failure */
    (void)close(pair[1]);
    control_say(pair[0], CONTROL_OVER);
    (void)close(pair[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_handed_on),
        cmocka_unit_test(what_is_no_connection_is_refused),
        cmocka_unit_test(last_words_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
