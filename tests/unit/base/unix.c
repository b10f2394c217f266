/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unix.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void
a_path_is_as_long_as_an_address_holds(void **state)
{
    static const struct {
        size_t n;
        enum err_code code; /* ERR_IO: the address was taken, there is nothing there */
    } rows[] = {
        {0, ERR_INPUT},
        {1, ERR_IO},
        {sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, ERR_IO},
        {sizeof(((struct sockaddr_un *)NULL)->sun_path), ERR_INPUT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *path = mem_zalloc(rows[i].n + 1, 1);
        struct err e = {0};

        memset(path, 'x', rows[i].n);
        assert_err(unix_connect(path, true, &e), rows[i].code, &e);
        assert_int_equal(strstr(e.text, "a socket's path has 1 to 107 octets") != NULL,
                         rows[i].code == ERR_INPUT);
        if (rows[i].code == ERR_INPUT) {
            assert_err(unix_listen(path, 0600, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "a socket's path has 1 to 107 octets"));
        }
    }
}

static void
only_a_socket_is_replaced(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/file", dir);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/socket", dir);
    struct stat st;
    struct err e = {0};
    int first;
    int second;

    (void)state;
    assert_ok(file_write(file, SPAN_LITERAL("precious"), 0600, &e), &e);
    assert_err(unix_listen(file, 0600, &e), ERR_IO, &e);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_size, strlen("precious"));
    first = unix_listen(path, 0600, &e);
    assert_true(first >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    second = unix_listen(path, 0660, &e);
    assert_true(second >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    (void)close(first);
    (void)close(second);
}

static void
who_is_at_the_other_end_is_asked_of_a_socket(void **state)
{
    struct unix_peer who;
    struct err e = {0};
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_ok(unix_peer(fds[0], &who, &e), &e);
    assert_int_equal(who.uid, getuid());
    assert_int_equal(who.pid, getpid());
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_int_equal(pipe(fds), 0);
    assert_err(unix_peer(fds[0], &who, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "SO_PEERCRED"));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_as_long_as_an_address_holds),
        cmocka_unit_test(only_a_socket_is_replaced),
        cmocka_unit_test(who_is_at_the_other_end_is_asked_of_a_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
