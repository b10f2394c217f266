/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/disk.h"
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
    assert_non_null(strstr(e.text, "/a: more than the allowed 4 octets"));
    assert_ok(file_write(path, SPAN_LITERAL("1234"), 0600, &e), &e);
    assert_ok(file_read(path, &out, &e), &e);
    assert_ok(file_read(path, &out, &e), &e); /* replaces what is there */
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("1234")));
    assert_ok(file_write(path, SPAN_LITERAL(""), 0600, &e), &e);
    assert_ok(file_read(path, &out, &e), &e);
    assert_int_equal(out.n, 0);
    assert_err(file_read(dir, &out, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, " is not a regular file"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_err(file_read(path, &out, &e), ERR_IO, &e); /* and does not wait */
    assert_non_null(strstr(e.text, " is not a regular file"));
}

static void
a_larger_file_is_read_whole(void **state)
{
    static char text[10000];
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a", dir);
    CLEANUP(buf_free) struct buf out = BUF_INIT(sizeof(text));
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * 7);
    }
    assert_ok(file_write(path, span_of(text, sizeof(text)), 0600, &e), &e);
    assert_ok(file_read(path, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), span_of(text, sizeof(text))));
}

static void
what_cannot_be_written_is_named_and_leaves_nothing(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *none = mem_printf("%s/none/a", dir);
    CLEANUP(mem_cleanup) char *taken = mem_printf("%s/taken", dir);
    CLEANUP(mem_cleanup) char *link = mem_printf("%s/b.tmp-%ld", dir, (long)getpid());
    CLEANUP(mem_cleanup) char *target = mem_printf("%s/target", dir);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/b", dir);
    struct err e = {0};

    (void)state;
    assert_err(file_write(none, SPAN_LITERAL("x"), 0600, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "create "));
    assert_err(file_create(none, SPAN_LITERAL("x"), 0600, &e), ERR_NOTFOUND, &e);
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_err(file_write(taken, SPAN_LITERAL("x"), 0600, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "rename to "));
    assert_int_equal(rmdir(taken), 0);
    /* nobody makes us write elsewhere by a link in the place of the temporary file */
    assert_int_equal(symlink(target, link), 0);
    assert_err(file_write(path, SPAN_LITERAL("x"), 0600, &e), ERR_IO, &e);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(dir), 0); /* nothing was left */
    assert_int_equal(mkdir(dir, 0700), 0);
}

static void
a_name_without_a_folder_is_in_the_current_one(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/plain", dir);
    char before[4096];
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    struct err e = {0};

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(dir), 0);
    assert_ok(file_write("plain", SPAN_LITERAL("x"), 0600, &e), &e);
    assert_ok(file_mkdirs("a/b", 0700, &e), &e);
    assert_int_equal(chdir(before), 0);
    assert_ok(file_read(path, &out, &e), &e);
    assert_int_equal(out.n, 1);
}

static void
the_mode_is_what_was_asked_for_whatever_the_umask(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a", dir);
    mode_t before = umask(0777);
    struct stat st;
    struct err e = {0};
    int result = file_create(path, SPAN_LITERAL("x"), 0644, &e);

    (void)state;
    (void)umask(before);
    assert_ok(result, &e);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
}

static void
a_tree_is_synced_or_it_is_said_what_is_not_there(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *deep = mem_printf("%s/a/b", dir);
    CLEANUP(mem_cleanup) char *link = mem_printf("%s/a/link", dir);
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/a/b/f", dir);
    struct err e = {0};

    (void)state;
    assert_ok(file_mkdirs(deep, 0700, &e), &e);
    assert_ok(file_write(file, SPAN_LITERAL("x"), 0600, &e), &e);
    assert_int_equal(symlink("/nonexistent", link), 0);
    assert_ok(file_sync_tree(dir, &e), &e);
    assert_err(file_sync_tree(file, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "open "));
    assert_err(file_sync_tree("/nonexistent", &e), ERR_NOTFOUND, &e);
    assert_err(file_sync_dir("/nonexistent", &e), ERR_NOTFOUND, &e);
    assert_err(file_sync_dir(file, &e), ERR_IO, &e);
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
    assert_non_null(strstr(e.text, "/f is not a directory"));
    assert_err(file_mkdirs(below, 0700, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "mkdir "));
    assert_ok(file_mkdirs("/", 0700, &e), &e);
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
    assert_string_equal(e.text, "a frame of 0 octets");
    assert_err(frame_read(pair[1], 100, &in, 10, &e), ERR_BUSY, &e);
    assert_string_equal(e.text, "no answer in time");
    assert_ok(frame_write(pair[0], SPAN_LITERAL("too long"), -1, &e), &e);
    assert_ok(frame_write(pair[0], SPAN_LITERAL("x"), 1000, &e), &e);
    assert_ok(frame_read(pair[1], 8, &in, -1, &e), &e); /* behind what is there */
    assert_true(span_equal(buf_span(&in), SPAN_LITERAL("hellotoo long")));
    assert_ok(frame_read(pair[1], 1, &in, 1000, &e), &e);
    buf_truncate(&in, 5);
    assert_int_equal(write(pair[0], "\0\0\0\0", 4), 4);
    assert_err(frame_read(pair[1], 7, &in, 1000, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "a frame of 0 octets, allowed are 1 to 7");
    assert_int_equal(write(pair[0], "\1\2\3\4", 4), 4);
    assert_err(frame_read(pair[1], 7, &in, 1000, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "a frame of 16909060 octets, allowed are 1 to 7");
    assert_ok(frame_write(pair[0], SPAN_LITERAL("too long"), 1000, &e), &e);
    assert_err(frame_read(pair[1], 7, &in, 1000, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "a frame of 8 octets, allowed are 1 to 7");
    assert_int_equal(in.n, 5);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void
frames_that_are_written_at_once_are_read_one_by_one(void **state)
{
    CLEANUP(buf_free) struct buf frames = BUF_INIT(4 + 5 + 4 + 1);
    CLEANUP(buf_free) struct buf in = BUF_INIT(100);
    struct err e = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_err(frame_append(&frames, SPAN_LITERAL(""), &e), ERR_INPUT, &e);
    assert_ok(frame_append(&frames, SPAN_LITERAL("hello"), &e), &e);
    assert_err(frame_append(&frames, SPAN_LITERAL("xy"), &e), ERR_INPUT, &e); /* no half of it */
    assert_ok(frame_append(&frames, SPAN_LITERAL("x"), &e), &e);
    assert_ok(frames_write(pair[0], buf_span(&frames), 1000, &e), &e);
    assert_ok(frame_read(pair[1], 100, &in, 1000, &e), &e);
    assert_true(span_equal(buf_span(&in), SPAN_LITERAL("hello")));
    buf_truncate(&in, 0);
    assert_ok(frame_read(pair[1], 100, &in, 1000, &e), &e);
    assert_true(span_equal(buf_span(&in), SPAN_LITERAL("x")));
    assert_err(frame_read(pair[1], 100, &in, 10, &e), ERR_BUSY, &e);
    (void)close(pair[1]);
    assert_err(frames_write(pair[0], buf_span(&frames), 1000, &e), ERR_IO, &e);
    (void)close(pair[0]);
}

/* What does not fit into the buffer is not taken, and a peer that does not read is not waited for.
 */
static void
a_frame_has_room_or_is_refused(void **state)
{
    static char large[4 * 1024 * 1024];
    CLEANUP(buf_free) struct buf in = BUF_INIT(4);
    struct err e = {0};
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_ok(frame_write(pair[0], SPAN_LITERAL("12345"), 1000, &e), &e);
    assert_err(frame_read(pair[1], 100, &in, 1000, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "more than the allowed 4 octets");
    assert_err(frame_write(pair[0], span_of(large, sizeof(large)), 20, &e), ERR_BUSY, &e);
    assert_string_equal(e.text, "no answer in time");
    (void)close(pair[1]);
    assert_err(frame_write(pair[0], SPAN_LITERAL("x"), 1000, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "peer closed: "));
    (void)close(pair[0]);
    assert_err(frame_read(pair[0], 7, &in, 1000, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "receive: "));
}

/* Octets that come one by one. */
static void
a_frame_in_pieces_is_whole_in_the_end(void **state)
{
    static const char bytes[] = "\0\0\0\5hello";
    CLEANUP(buf_free) struct buf in = BUF_INIT(1000);
    struct err e = {0};
    int pair[2];
    pid_t pid;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            (void)usleep(1000);
            if (write(pair[0], bytes + i, 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }
    assert_ok(frame_read(pair[1], 5, &in, -1, &e), &e);
    assert_true(span_equal(buf_span(&in), SPAN_LITERAL("hello")));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
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
    assert_string_equal(e.text, "peer closed");
    assert_int_equal(in.n, 0);
    assert_err(frame_read(pair[1], 100, &in, 1000, &e), ERR_NOTFOUND, &e);
    assert_string_equal(e.text, "peer closed");
    (void)close(pair[1]);
    /* within the length */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[0], "\0\0\0", 3), 3);
    (void)close(pair[0]);
    assert_err(frame_read(pair[1], 100, &in, 1000, &e), ERR_IO, &e);
    (void)close(pair[1]);
}

static void
a_socket_that_fails_is_told_from_a_peer_that_went_away(void **state)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(1000);
    struct rlimit all;
    struct rlimit none;
    struct err e = {0};
    int pair[2];
    int pipe_ends[2];

    (void)state;
    assert_int_equal(pipe(pipe_ends), 0);
    /* Before the first octet of a frame it is the end all the same: nothing was lost. */
    assert_err(frame_read(pipe_ends[0], 100, &in, 1000, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "receive: "));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0); /* poll(2) refuses one descriptor */
    assert_int_equal(frame_read(pair[0], 100, &in, 1000, &e), -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_non_null(strstr(e.text, "poll: "));
    (void)close(pair[1]);
    assert_err(frame_write(pair[0], SPAN_LITERAL("hello"), 1000, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "peer closed: "));
    (void)close(pair[0]);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
}

/* The reader is there before the frame is, which comes in two parts. */
static void
a_frame_that_comes_later_is_waited_for(void **state)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    CLEANUP(buf_free) struct buf in = BUF_INIT(100);
    struct err e = {0};
    int pair[2];
    int status = -1;
    pid_t child;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    child = fork();
    if (child == 0) {
        (void)nanosleep(&pause, NULL);
        (void)!write(pair[0], "\0\0", 2);
        (void)nanosleep(&pause, NULL);
        _exit(write(pair[0], "\0\5hello", 7) == 7 ? 0 : 1);
    }
    assert_ok(frame_read(pair[1], 100, &in, -1, &e), &e);
    assert_true(span_equal(buf_span(&in), SPAN_LITERAL("hello")));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* A frame of exactly the limit, also when the reader is slower than the socket is large. */
static void
a_frame_of_the_limit_goes_through_and_one_octet_more_does_not(void **state)
{
    enum { LIMIT = 100 };
    static const uint8_t body[LIMIT + 1];
    CLEANUP(buf_free) struct buf in = BUF_INIT(1000);
    struct err e = {0};
    int pair[2];

    (void)state;
    for (size_t n = 1; n <= LIMIT + 1; n += LIMIT / 2) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_ok(frame_write(pair[0], span_of(body, n), 1000, &e), &e);
        buf_truncate(&in, 0);
        if (n <= LIMIT) {
            assert_ok(frame_read(pair[1], LIMIT, &in, 1000, &e), &e);
            assert_int_equal(in.n, n);
        } else {
            assert_err(frame_read(pair[1], LIMIT, &in, 1000, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "a frame of 101 octets, allowed are 1 to 100"));
        }
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(write(pair[0], "\0\0\0\0", 4), 4);
    assert_err(frame_read(pair[1], LIMIT, &in, 1000, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "a frame of 0 octets"));
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* ---- what a power cut takes ---- */

static int
write_it(const char *dir, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a", dir);

    return file_write(path, SPAN_LITERAL("new"), 0600, e);
}

static int
create_it(const char *dir, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/b", dir);

    return file_create(path, SPAN_LITERAL("new"), 0600, e);
}

static int
make_it(const char *dir, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x/y/z", dir);

    return file_mkdirs(path, 0700, e);
}

static const struct {
    const char *name;
    int (*call)(const char *dir, struct err *e);
    const char *path;
    size_t disk_calls; /* each of which is seen to fail */
} durable[] = {
    {"file_write", write_it, "a", 4},
    {"file_create", create_it, "b", 5},
    {"file_mkdirs", make_it, "x/y/z", 6},
};

static void
what_is_written_created_or_made_survives_a_power_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durable); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        struct err e = {0};

        disk_begin(dir, NULL);
        assert_ok(durable[i].call(dir, &e), &e);
        if (disk_named_early() != NULL || disk_not_durable(NULL) != NULL) {
            fail_msg("%s: named early: %s, not durable: %s", durable[i].name, disk_named_early(),
                     disk_not_durable(NULL));
        }
        disk_end();
    }
}

/* The old content or the new, and no temporary file is left. */
static void
a_disk_that_fails_is_an_error_that_names_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durable); i++) {
        for (size_t n = 0; n < durable[i].disk_calls; n++) {
            CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
            struct err e = {0};
            int result;

            disk_begin(dir, NULL);
            disk_fail(n);
            result = durable[i].call(dir, &e);
            /* The removal of the temporary name of file_create is not worth an error. */
            if (!disk_has_failed() ||
                (durable[i].call != create_it || n != 3) !=
                    (result != 0 && e.code == ERR_IO && strstr(e.text, dir) != NULL)) {
                fail_msg("%s: call %zu: %d %s", durable[i].name, n, result, e.text);
            }
            disk_end();
        }
    }
}

static void
write_unsynced(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    (void)close(fd);
}

/* What a PKCS #11 module wrote: files in folders; what is no file is left alone. */
static void
a_tree_is_synced_to_its_last_file(void **state)
{
    size_t n = 0;
    bool failed = true;

    (void)state;
    for (n = 0; failed; n++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(mem_cleanup) char *folder = mem_printf("%s/t", dir);
        CLEANUP(mem_cleanup) char *below = mem_printf("%s/t/u", dir);
        CLEANUP(mem_cleanup) char *file = mem_printf("%s/t/u/f", dir);
        CLEANUP(mem_cleanup) char *other = mem_printf("%s/t/g", dir);
        CLEANUP(mem_cleanup) char *fifo = mem_printf("%s/t/fifo", dir);
        CLEANUP(mem_cleanup) char *dangling = mem_printf("%s/t/l", dir);
        struct err e = {0};
        int result;

        assert_int_equal(mkdir(folder, 0700), 0);
        disk_begin(folder, NULL);
        assert_int_equal(mkdir(below, 0700), 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(symlink("nowhere", dangling), 0);
        write_unsynced(file);
        write_unsynced(other);
        disk_fail(n + 3); /* behind the mkdir and the two writes */
        result = file_sync_tree(folder, &e);
        failed = disk_has_failed();
        if (failed ? result == 0 || e.code != ERR_IO || strstr(e.text, folder) == NULL
                   : result != 0 || disk_not_durable(NULL) != NULL) {
            fail_msg("call %zu: %d %s", n, result, e.text);
        }
        assert_err(file_sync_tree(file, &e), ERR_IO, &e);
        assert_err(file_sync_tree("/nowhere", &e), ERR_NOTFOUND, &e);
        disk_end();
    }
    assert_int_equal(n, 4 + 1); /* two files, two folders */
}

static void
all_that_is_on_a_disk_is_synced_at_once(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/f", dir);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/g", dir);
    struct err e = {0};

    (void)state;
    assert_ok(file_sync_all(dir, &e), &e); /* the real call */
    disk_begin(dir, NULL);
    write_unsynced(file);
    write_unsynced(other);
    disk_fail(2);
    assert_err(file_sync_all(dir, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, dir));
    assert_non_null(disk_not_durable(NULL));
    assert_ok(file_sync_all(dir, &e), &e);
    assert_null(disk_not_durable(NULL));
    assert_err(file_sync_all(file, &e), ERR_IO, &e);
    assert_err(file_sync_all("/nowhere", &e), ERR_NOTFOUND, &e);
    disk_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_replaces_and_create_does_not),
        cmocka_unit_test(read_names_the_path_and_respects_the_limit),
        cmocka_unit_test(mkdirs_makes_all_and_refuses_a_file_in_the_way),
        cmocka_unit_test(frames_go_round_and_refuse_lengths_outside_the_limit),
        cmocka_unit_test(a_larger_file_is_read_whole),
        cmocka_unit_test(what_cannot_be_written_is_named_and_leaves_nothing),
        cmocka_unit_test(a_name_without_a_folder_is_in_the_current_one),
        cmocka_unit_test(the_mode_is_what_was_asked_for_whatever_the_umask),
        cmocka_unit_test(a_tree_is_synced_or_it_is_said_what_is_not_there),
        cmocka_unit_test(frames_that_are_written_at_once_are_read_one_by_one),
        cmocka_unit_test(a_frame_has_room_or_is_refused),
        cmocka_unit_test(a_frame_in_pieces_is_whole_in_the_end),
        cmocka_unit_test(a_frame_that_ends_early_is_told_from_an_orderly_end),
        cmocka_unit_test(a_socket_that_fails_is_told_from_a_peer_that_went_away),
        cmocka_unit_test(a_frame_that_comes_later_is_waited_for),
        cmocka_unit_test(a_frame_of_the_limit_goes_through_and_one_octet_more_does_not),
        cmocka_unit_test(what_is_written_created_or_made_survives_a_power_cut),
        cmocka_unit_test(a_disk_that_fails_is_an_error_that_names_the_file),
        cmocka_unit_test(a_tree_is_synced_to_its_last_file),
        cmocka_unit_test(all_that_is_on_a_disk_is_synced_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
