/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { STREAMS = 2, CHUNK = 64 << 10, SECONDS_MORE = 2 };

/* A pipe from what the child writes to what we have under the same number. */
struct stream {
    int from; /* -1: at its end */
    int child;
    int number;
};

static void
stream_close(struct stream *s)
{
    fd_cleanup(&s->from);
    fd_cleanup(&s->child);
}

static int
stream_open(struct stream *s, struct err *e)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_errno(e, ERR_IO, errno, "pipe");
    }
    s->from = ends[0];
    s->child = ends[1];
    return 0;
}

/* ---- the child ---- */

static void
child(struct stream *const streams[STREAMS], pid_t parent, int (*answer)(void *arg), void *arg)
{
    int status;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent) {
        abort();
    }
    for (size_t i = 0; i < STREAMS; i++) {
        if (dup2(streams[i]->child, streams[i]->number) < 0) {
            abort();
        }
        stream_close(streams[i]);
    }
    status = answer(arg);
    (void)fflush(NULL);
    _exit(status);
}

/* What this process maps already. */
static int
memory_mapped(uint64_t *octets, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
    uint64_t pages = 0;

    if (file_read("/proc/self/statm", &text, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        pages = 10 * pages + (uint64_t)(text.p[i] - '0');
    }
    *octets = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return 0;
}

int
apart_confine(int64_t ms, uint64_t octets, struct err *e)
{
    const struct rlimit none = {0, 0};
    struct rlimit seconds;
    struct rlimit memory;
    uint64_t mapped = 0;

    tzset(); /* reads a file, which 'localtime' cannot do later */
    if (memory_mapped(&mapped, e) != 0) {
        return -1;
    }
    seconds.rlim_cur = (rlim_t)(clock() / CLOCKS_PER_SEC + ms / 1000 + SECONDS_MORE);
    seconds.rlim_max = seconds.rlim_cur + 1; /* whose signal says less */
    memory = (struct rlimit){.rlim_cur = mapped + octets, .rlim_max = mapped + octets};
    return setrlimit(RLIMIT_CPU, &seconds) == 0 && setrlimit(RLIMIT_AS, &memory) == 0 &&
                   setrlimit(RLIMIT_FSIZE, &none) == 0 && setrlimit(RLIMIT_NOFILE, &none) == 0
               ? 0
               : err_errno(e, ERR_IO, errno, "setrlimit");
}

/* ---- the parent ---- */

/* What there is to read of one stream: to our own. */
static int
pass_on(struct stream *s, struct err *e)
{
    uint8_t chunk[CHUNK];
    const ssize_t n = read(s->from, chunk, sizeof(chunk));
    ssize_t done = 0;

    if (n <= 0) {
        if (n == 0 || errno != EINTR) {
            fd_cleanup(&s->from);
        }
        return 0;
    }
    for (ssize_t at = 0; at < n; at += done) {
        done = write(s->number, chunk + at, (size_t)(n - at));
        if (done < 0 && errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "%s could not be written",
                             s->number == STDOUT_FILENO ? "standard output" : "standard error");
        }
        done = done < 0 ? 0 : done;
    }
    return 0;
}

static int
pass_all_on(struct stream *const streams[STREAMS], struct err *e)
{
    struct pollfd fds[STREAMS];

    while (streams[0]->from >= 0 || streams[1]->from >= 0) {
        for (size_t i = 0; i < STREAMS; i++) {
            fds[i] = (struct pollfd){.fd = streams[i]->from, .events = POLLIN};
        }
        if (poll(fds, STREAMS, -1) < 0 && errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "poll");
        }
        for (size_t i = 0; i < STREAMS; i++) {
            if (fds[i].fd >= 0 && fds[i].revents != 0 && pass_on(streams[i], e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* The child has ended its streams, or is of no use any more. */
static int
reap(pid_t pid, struct err *e)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "waitpid");
        }
    }
    if (WIFSIGNALED(status)) {
        return err_set(e, ERR_BUSY, "its process was ended: %s", strsignal(WTERMSIG(status)));
    }
    return WEXITSTATUS(status);
}

int
apart_ask(int (*answer)(void *arg), void *arg, struct err *e)
{
    CLEANUP(stream_close) struct stream out = {-1, -1, STDOUT_FILENO};
    CLEANUP(stream_close) struct stream errors = {-1, -1, STDERR_FILENO};
    struct stream *const streams[STREAMS] = {&out, &errors};
    const pid_t parent = getpid();
    struct err ignored;
    pid_t pid;

    if (stream_open(&out, e) != 0 || stream_open(&errors, e) != 0) {
        return -1;
    }
    pid = fork();
    if (pid < 0) {
        return err_errno(e, ERR_IO, errno, "a process of its own");
    }
    if (pid == 0) {
        child(streams, parent, answer, arg);
    }
    fd_cleanup(&out.child);
    fd_cleanup(&errors.child);
    if (pass_all_on(streams, e) != 0) {
        (void)kill(pid, SIGKILL);
        (void)reap(pid, &ignored);
        return -1;
    }
    return reap(pid, e);
}
