/* SPDX-License-Identifier: Apache-2.0 */
/* The real nfpki-signer --listen with a real token: where it listens, and who is served. */
#include "pkcs11/service/door.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/unit/pkcs11/service/service.h"

/* ---- who is served ---- */

static void
its_user_is_served(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    struct stat st;

    service_start(w, "");
    assert_int_equal(stat(w->socket, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0660);
    s = client_start(w, &e);
    assert_int_equal(signer_pid(s), w->service);
    assert_true(signer_is_software(s));
    for (int i = 0; i < 3; i++) {
        assert_ok(client_sign(w, s, &e), &e);
    }
    assert_int_equal(signer_attempts(s), 3);
    /* the next connection is to the same session, and its journal goes on */
    signer_free(TAKE(s));
    s = client_start(w, &e);
    assert_int_equal(signer_attempts(s), 3);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(log_count(w, "session-ready"), 1);
    assert_int_equal(log_count(w, "client-connected"), 2);
    /* here it is the service's own user: its token is within reach */
    assert_int_equal(log_count(w, "client-is-own-user"), 1);
    assert_false(signer_is_apart(s));
}

static void
another_user_is_refused(void **state)
{
    struct world *w = *state;
    struct err e = {0};

    w->client = getuid() + 1;
    service_start(w, "");
    assert_null(client_try(w, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "may not use this signer"));
    wait_log(w, "client-refused", 1);
    assert_int_equal(log_count(w, "client-connected"), 0);
    assert_int_equal(log_count(w, "client-is-own-user"), 0);
}

/* Of a process of user `nobody`: what connect() and the first frame are. */
static void
as_nobody(struct world *w, int wanted_errno, const char *wanted_text)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct err e = {0};
        int fd = -1;

        if (setgid(65534) == 0 && setuid(65534) == 0) {
            fd = unix_connect(w->socket, true, &e);
        }
        if (wanted_errno != 0) {
            _exit(fd < 0 && strstr(e.text, strerror(wanted_errno)) != NULL ? 0 : 1);
        }
        _exit(fd >= 0 && told(fd, ERR_DENIED, wanted_text) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* With a second user; only root can be two. As another user the test before this one shows it. */
static void
a_real_other_user_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    service_start(w, "");
    if (getuid() == 0) {
        assert_int_equal(chmod(w->dir, 0711), 0);
        as_nobody(w, EACCES, NULL);
        assert_int_equal(chmod(w->socket, 0666), 0);
        as_nobody(w, 0, "user 65534 may not use this signer");
        wait_log(w, "client-refused", 1);
    }
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
}

static void
one_client_is_served_and_the_second_is_told(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *first = NULL;
    CLEANUP(signer_cleanup) struct signer *second = NULL;
    CLEANUP(mem_cleanup) char *reason = mem_printf("process %d is served", (int)getpid());
    struct err e = {0};

    service_start(w, "");
    first = client_start(w, &e);
    assert_ok(client_sign(w, first, &e), &e);
    assert_null(client_try(w, &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_non_null(strstr(e.text, reason));
    assert_ok(client_sign(w, first, &e), &e);
    signer_free(TAKE(first));
    second = client_start(w, &e);
    assert_ok(client_sign(w, second, &e), &e);
}

static void
who_comes_while_the_session_starts_waits_and_the_second_is_told(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    int fd;

    stands(w, true);
    service_start(w, "stands:C_Login");
    fd = unix_connect(w->socket, true, &e);
    assert_true(fd >= 0);
    wait_log(w, "client-connected", 1);
    assert_null(client_try(w, &e));
    assert_int_equal(e.code, ERR_BUSY);
    (void)close(fd);
    stands(w, false);
    /* the one that waited has gone, and does not stand in the way */
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
}

static void
only_a_dead_socket_is_replaced(void **state)
{
    struct world *w = *state;
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    int dead = unix_listen(w->socket, 0600, &e);

    assert_true(dead >= 0);
    (void)close(dead); /* and the file stays, as after kill -9 */
    service_start(w, "");
    s = client_start(w, &e);
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(service_run(w, w->socket), 1);
    assert_true(log_has(w, "another process listens there"));
    assert_ok(client_sign(w, s, &e), &e);
    assert_int_equal(service_run(w, w->policy), 1); /* a file is no socket */
    assert_true(log_has(w, "listen on"));
}

int
main(void)
{
#define SERVICE_TEST(test) cmocka_unit_test_setup_teardown(test, service_setup, service_teardown)
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(its_user_is_served),
        SERVICE_TEST(another_user_is_refused),
        SERVICE_TEST(a_real_other_user_is_refused),
        SERVICE_TEST(one_client_is_served_and_the_second_is_told),
        SERVICE_TEST(who_comes_while_the_session_starts_waits_and_the_second_is_told),
        SERVICE_TEST(only_a_dead_socket_is_replaced),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
