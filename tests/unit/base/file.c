/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void
write_replaces_and_create_does_not(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a", dir);
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    struct stat st;
    struct err e = {0};

    (void)state;
    assert_ok(file_create(path, SPAN_LITERAL("one"), 0600, &e), &e);
    assert_err(file_create(path, SPAN_LITERAL("two"), 0600, &e), ERR_CONFLICT, &e);
    assert_ok(file_read(path, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("one")));
    assert_ok(file_write(path, SPAN_LITERAL("three"), 0640, &e), &e);
    assert_ok(file_read(path, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("three")));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0); /* no temporary file was left */
    assert_int_equal(mkdir(dir, 0700), 0);
}

static void
read_names_the_path_and_respects_the_limit(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a", dir);
    CLEANUP(buf_free) struct buf out = BUF_INIT(4);
    struct err e = {0};

    (void)state;
    assert_err(file_read(path, &out, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, path));
    assert_ok(file_write(path, SPAN_LITERAL("12345"), 0600, &e), &e);
    assert_err(file_read(path, &out, &e), ERR_INPUT, &e);
    assert_err(file_read(dir, &out, &e), ERR_IO, &e);
}

static void
mkdirs_makes_all_and_refuses_a_file_in_the_way(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a/b/c", dir);
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/f", dir);
    CLEANUP(mem_cleanup) char *below = mem_printf("%s/f/g", dir);
    struct err e = {0};

    (void)state;
    assert_ok(file_mkdirs(path, 0700, &e), &e);
    assert_ok(file_mkdirs(path, 0700, &e), &e);
    assert_ok(file_write(file, SPAN_LITERAL("x"), 0600, &e), &e);
    assert_err(file_mkdirs(file, 0700, &e), ERR_IO, &e);
    assert_err(file_mkdirs(below, 0700, &e), ERR_IO, &e);
    assert_ok(file_sync_tree(dir, &e), &e);
}

static void
frames_go_round_and_refuse_lengths_outside_the_limit(void **state)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(1000);
    struct err e = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_ok(frame_write(pair[0], SPAN_LITERAL("hello"), 1000, &e), &e);
    assert_ok(frame_read(pair[1], 100, &in, 1000, &e), &e);
    assert_true(span_equal(buf_span(&in), SPAN_LITERAL("hello")));
    assert_err(frame_write(pair[0], SPAN_LITERAL(""), 1000, &e), ERR_INPUT, &e);
    assert_err(frame_read(pair[1], 100, &in, 10, &e), ERR_BUSY, &e);
    assert_ok(frame_write(pair[0], SPAN_LITERAL("too long"), 1000, &e), &e);
    assert_err(frame_read(pair[1], 7, &in, 1000, &e), ERR_INPUT, &e);
    assert_int_equal(in.n, 5);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void
a_frame_that_ends_early_is_told_from_an_orderly_end(void **state)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(1000);
    struct err e = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[0], "\0\0\0\5hel", 7), 7);
    (void)close(pair[0]);
    assert_err(frame_read(pair[1], 100, &in, 1000, &e), ERR_IO, &e);
    assert_int_equal(in.n, 0);
    assert_err(frame_read(pair[1], 100, &in, 1000, &e), ERR_NOTFOUND, &e);
    (void)close(pair[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_replaces_and_create_does_not),
        cmocka_unit_test(read_names_the_path_and_respects_the_limit),
        cmocka_unit_test(mkdirs_makes_all_and_refuses_a_file_in_the_way),
        cmocka_unit_test(frames_go_round_and_refuse_lengths_outside_the_limit),
        cmocka_unit_test(a_frame_that_ends_early_is_told_from_an_orderly_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
