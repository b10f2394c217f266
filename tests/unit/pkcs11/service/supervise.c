/* SPDX-License-Identifier: Apache-2.0 */
/* The real nfpki-signer --listen with a real token: what becomes of one that hangs, of clients that
 * are broken, and of starts and stops. */
#include "pkcs11/service/supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unix.h"
#include "tests/support/kill.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/service/service.h"

static struct world *late;
static size_t failures;

static void
start_it_now(const struct signer_options *o, const struct err *e)
{
    assert_string_equal(o->socket, late->socket);
    assert_int_equal(e->code, ERR_TOKEN);
    if (failures++ == 1) {
        service_start(late, "");
    }
}

static void
a_daemon_that_starts_before_its_signer_asks_again(void **state)
{
    struct world *w = *state;
    const struct signer_options options = {.socket = w->socket, .pin_fd = -1};
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    late = w;
    failures = 0;
    s = signer_start_patiently(&options, start_it_now, &e);
    assert_non_null(s);
    assert_int_equal(failures, 2);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(service_stop(w, SIGTERM), 0);
    /* not for ever */
    signer_free(TAKE(s));
    failures = 10;
    s = signer_start_patiently(&options, start_it_now, &e);
    assert_null(s);
    assert_int_equal(failures, 14);
    /* and a PIN is not tried again */
    write_pin(w, SPAN_LITERAL("wrong-pin"));
    service_start(w, "");
    wait_log(w, "pin-refused", 1);
    failures = 20;
    s = signer_start_patiently(&options, start_it_now, &e);
    assert_null(s);
    assert_int_equal(e.code, ERR_PIN);
    assert_int_equal(failures, 20);
}

/* ---- clients that are broken ---- */

static void
what_a_client_does_in_the_midst_is_its_own_end(void **state)
{
    static const uint8_t half[] = {0, 0, 1, 0, SIGNER_SIGN, 'K'};
    static const uint8_t no_job[] = {0, 0, 0, 10, SIGNER_HELLO, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t too_long[] = {0x7f, 0, 0, 0};
    const struct {
        struct span octets;
        const char *told; /* NULL: it closes instead of listening */
    } rows[] = {
        {span_of(NULL, 0), NULL},
        {span_of(half, 2), NULL},
        {span_of(half, sizeof(half)), NULL},
        {span_of(no_job, sizeof(no_job)), "a frame of type 1 from the parent"},
        {span_of(too_long, sizeof(too_long)), "a frame of 2130706432 octets"},
    };
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    service_start(w, "");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = unix_connect(w->socket, true, &e);

        assert_true(fd >= 0);
        assert_true(greeted(fd));
        if (rows[i].octets.n > 0) {
            assert_int_equal(send(fd, rows[i].octets.p, rows[i].octets.n, 0), rows[i].octets.n);
        }
        if (rows[i].told != NULL) {
            assert_true(told(fd, ERR_INPUT, rows[i].told));
            assert_true(closed(fd));
        }
        (void)close(fd);
        wait_log(w, "client-left", i + 1);
    }
    /* the session is the same, and signs */
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(log_count(w, "session-ready"), 1);
}

/* It has asked, and does not wait for the answer: there is a line for it, and the next is served.
 */
static void
who_asks_and_goes_is_in_the_journal(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    int fd;

    service_start(w, "");
    fd = unix_connect(w->socket, true, &e);
    assert_true(greeted(fd));
    ask(w, fd);
    (void)close(fd);
    wait_log(w, "client-left", 1);
    s = client_start(w, &e);
    assert_int_equal(signer_attempts(s), 1);
    assert_ok(client_sign(w, s, &e), &e);
}

/* ---- a token that hangs ---- */

static void
a_hanging_session_is_killed_and_started_again(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    pid_t session;

    w->deadline_ms = SHORT_DEADLINE_MS;
    service_start(w, "stands:C_Sign");
    wait_log(w, "session-ready", 1);
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    session = log_session(w);
    stands(w, true);
    assert_err(client_sign(w, s, &e), ERR_TOKEN, &e);
    wait_log(w, "session-ended", 1);
    assert_true(log_has(w, "no answer of the token within 3000 ms: killed"));
    assert_int_equal(kill(session, 0), -1);
    stands(w, false);
    client_sign_soon(w, s, ERR_TOKEN);
    assert_int_not_equal(log_session(w), session);
    assert_int_equal(signer_pid(s), w->service);
    /* an idle session has no deadline */
    (void)poll(NULL, 0, SHORT_DEADLINE_MS + 500);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(log_count(w, "session-ended"), 1);
}

static void
who_comes_when_the_last_one_left_a_hanging_session_waits(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    int fd;

    w->deadline_ms = SHORT_DEADLINE_MS;
    service_start(w, "stands:C_Sign");
    wait_log(w, "session-ready", 1);
    fd = unix_connect(w->socket, true, &e);
    assert_true(greeted(fd));
    stands(w, true);
    ask(w, fd);
    wait_journal(w, 1);
    (void)close(fd);
    stands(w, false); /* for the next session */
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(log_count(w, "session-ended"), 1);
    assert_int_equal(log_count(w, "client-refused"), 0);
}

static void
a_start_that_hangs_is_killed_and_tried_again(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    int fd;

    stands(w, true);
    w->deadline_ms = SHORT_DEADLINE_MS;
    service_start(w, "stands:C_Login");
    fd = unix_connect(w->socket, true, &e); /* waits, and is told */
    assert_true(told(fd, ERR_TOKEN, "no answer of the token within 3000 ms"));
    (void)close(fd);
    wait_log(w, "session-not-started", 1);
    stands(w, false);
    wait_log(w, "session-ready", 1);
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
}

static void
a_session_that_is_killed_is_started_again(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    service_start(w, "");
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(test_kill(log_session(w), SIGKILL), 0);
    wait_log(w, "session-ready", 2);
    client_sign_soon(w, s, ERR_TOKEN);
    assert_true(log_has(w, "ended without a word"));
}

/* ---- starts that fail ---- */

static void
a_refused_pin_is_not_tried_again(void **state)
{
    struct world *w = *state;
    struct err e = {0};

    write_pin(w, SPAN_LITERAL("wrong-pin"));
    service_start(w, "");
    wait_log(w, "pin-refused", 1);
    write_pin(w, USER_PIN);
    for (int i = 0; i < 3; i++) {
        assert_null(client_try(w, &e));
        assert_int_equal(e.code, ERR_PIN);
        (void)poll(NULL, 0, 200);
    }
    assert_int_equal(log_count(w, "pin-refused"), 1);
    assert_int_equal(log_count(w, "session-ready"), 0);
}

static void
a_token_that_comes_later_is_found(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *tokens = mem_printf("%s/tokens", w->dir);
    CLEANUP(mem_cleanup) char *hidden = mem_printf("%s/hidden", w->dir);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    assert_int_equal(rename(tokens, hidden), 0);
    assert_int_equal(mkdir(tokens, 0700), 0);
    service_start(w, "");
    wait_log(w, "session-not-started", 2);
    assert_null(client_try(w, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_int_equal(rmdir(tokens), 0);
    assert_int_equal(rename(hidden, tokens), 0);
    wait_log(w, "session-ready", 1);
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
}

static void
the_pin_may_come_through_a_descriptor(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    int fd;

    write_pin(w, SPAN_LITERAL("wrong-pin"));
    fd = memfd_create("pin", 0);
    w->pin_fd = fcntl(fd, F_DUPFD, 10); /* 0 to 3 have their uses */
    (void)close(fd);
    assert_int_equal(write(w->pin_fd, USER_PIN.p, USER_PIN.n), USER_PIN.n);
    service_start(w, "");
    wait_log(w, "session-ready", 1);
    assert_int_equal(test_kill(log_session(w), SIGKILL), 0);
    wait_log(w, "session-ready", 2); /* which needed it again */
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
}

static void
a_service_without_a_client_does_not_start(void **state)
{
    struct world *w = *state;

    write_policy(w, "");
    assert_int_equal(service_run(w, w->socket), 2);
    assert_true(log_has(w, "option 'client_user' is missing"));
    write_policy_for(w, "client_user = 0", "self_test {}");
    assert_int_equal(service_run(w, w->socket), 1);
    assert_true(log_has(w, "its purpose is self_test"));
    assert_int_equal(access(w->socket, F_OK), -1);
}

/* ---- the end ---- */

static void
a_stop_leaves_nothing_behind(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    pid_t session;

    service_start(w, "");
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    session = log_session(w);
    assert_int_equal(service_stop(w, SIGTERM), 0);
    assert_int_equal(kill(session, 0), -1);
    assert_int_equal(access(w->socket, F_OK), -1);
    assert_err(client_sign(w, s, &e), ERR_TOKEN, &e);
    /* and when it is there again, the same client goes on */
    service_start(w, "");
    client_sign_soon(w, s, ERR_TOKEN);
}

/* Nothing is for good: whose fault it is can be repaired without the client. */
static void
a_client_goes_on_when_its_service_is_right_again(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    service_start(w, "");
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(service_stop(w, SIGTERM), 0);
    w->more = "# another file";
    service_start(w, "");
    for (int i = 0; i < 3; i++) {
        assert_err(client_sign(w, s, &e), ERR_TOKEN, &e);
    }
    assert_non_null(strstr(e.text, "another key or policy"));
    assert_int_equal(service_stop(w, SIGTERM), 0);
    w->more = "";
    write_pin(w, SPAN_LITERAL("wrong-pin"));
    service_start(w, "");
    wait_log(w, "pin-refused", 1);
    while (client_sign(w, s, &e) != 0 && e.code != ERR_PIN) {
        assert_int_equal(e.code, ERR_TOKEN);
        (void)poll(NULL, 0, 20);
    }
    assert_int_equal(e.code, ERR_PIN);
    assert_int_equal(service_stop(w, SIGTERM), 0);
    write_pin(w, USER_PIN);
    service_start(w, "");
    client_sign_soon(w, s, ERR_PIN);
}

/* The call gets the time that each call has. */
static void
a_stop_does_not_wait_for_ever(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    pid_t session;
    int fd;

    w->deadline_ms = SHORT_DEADLINE_MS;
    service_start(w, "stands:C_Sign");
    wait_log(w, "session-ready", 1);
    fd = unix_connect(w->socket, true, &e);
    assert_true(greeted(fd));
    session = log_session(w);
    stands(w, true);
    ask(w, fd);
    wait_journal(w, 1);
    assert_int_equal(service_stop(w, SIGTERM), 0);
    assert_int_equal(kill(session, 0), -1);
    (void)close(fd);
}

static void
a_killed_supervisor_leaves_no_child_behind(void **state)
{
    enum doing { NOTHING, HAS_A_CLIENT, READS, HANGS };
    static const enum doing rows[] = {NOTHING, HAS_A_CLIENT, READS, HANGS};
    struct world *w = *state;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        pid_t session;
        int status = 0;
        int fd = -1;

        service_start(w, rows[i] == HANGS ? "stands:C_Sign" : "");
        wait_log(w, "session-ready", i + 1);
        session = log_session(w);
        if (rows[i] != NOTHING) {
            fd = unix_connect(w->socket, true, &e);
            assert_true(greeted(fd));
        }
        if (rows[i] == READS) {
            assert_int_equal(send(fd, "\0\0\1\0half", 8, 0), 8);
            (void)poll(NULL, 0, 200); /* for what it has not begun yet, it ends as well */
        }
        if (rows[i] == HANGS) {
            stands(w, true);
            ask(w, fd);
            wait_journal(w, 1);
        }
        (void)service_stop(w, SIGKILL);
        assert_int_equal(waitpid(session, &status, 0), session);
        /* what does not come back by itself gets five seconds */
        assert_true(WIFSIGNALED(status) ? rows[i] >= READS && WTERMSIG(status) == SIGALRM
                                        : rows[i] != HANGS && WEXITSTATUS(status) == 0);
        assert_int_equal(access(w->socket, F_OK), 0); /* the stale one, which the next replaces */
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

int
main(void)
{
#define SERVICE_TEST(test) cmocka_unit_test_setup_teardown(test, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(a_daemon_that_starts_before_its_signer_asks_again),
        SERVICE_TEST(what_a_client_does_in_the_midst_is_its_own_end),
        SERVICE_TEST(who_asks_and_goes_is_in_the_journal),
        SERVICE_TEST(a_hanging_session_is_killed_and_started_again),
        SERVICE_TEST(who_comes_when_the_last_one_left_a_hanging_session_waits),
        SERVICE_TEST(a_start_that_hangs_is_killed_and_tried_again),
        SERVICE_TEST(a_session_that_is_killed_is_started_again),
        SERVICE_TEST(a_refused_pin_is_not_tried_again),
        SERVICE_TEST(a_token_that_comes_later_is_found),
        SERVICE_TEST(the_pin_may_come_through_a_descriptor),
        SERVICE_TEST(a_service_without_a_client_does_not_start),
        SERVICE_TEST(a_stop_leaves_nothing_behind),
        SERVICE_TEST(a_stop_does_not_wait_for_ever),
        SERVICE_TEST(a_client_goes_on_when_its_service_is_right_again),
        SERVICE_TEST(a_killed_supervisor_leaves_no_child_behind),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
