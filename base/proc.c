/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

int
proc_harden(struct err *e)
{
    const struct rlimit none = {0, 0};

    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return err_errno(e, ERR_IO, errno, "switch core dumps off");
    }
    return 0;
}

static pid_t first_parent;
static unsigned int grace_seconds;

/* The kernel gives an orphan its new parent before it sends the signal of PR_SET_PDEATHSIG, which
 * also comes when only the parent's thread ends: then this process goes on. */
static void
on_signal(int number)
{
    (void)number;
    if (getppid() != first_parent) {
        (void)alarm(grace_seconds);
    }
}

int
proc_finish_calls(unsigned int seconds, struct err *e)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    first_parent = getppid();
    grace_seconds = seconds;
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGHUP, &action, NULL) != 0) {
        return err_errno(e, ERR_IO, errno, "sigaction");
    }
    return 0;
}

static int
read_secret(int fd, const char *from, struct buf *out, struct err *e)
{
    uint8_t chunk[256];
    int result = 0;
    ssize_t n;

    buf_truncate(out, 0);
    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0) {
            result = buf_append(out, span_of(chunk, (size_t)n), e);
        }
    } while (result == 0 && (n > 0 || (n < 0 && errno == EINTR)));
    explicit_bzero(chunk, sizeof(chunk));
    if (result != 0) {
        return err_wrap(e, "secret from %s", from);
    }
    if (n < 0) {
        return err_errno(e, ERR_IO, errno, "read the secret from %s", from);
    }
    return 0;
}

int
secret_read(int fd, const char *name, struct buf *out, struct err *e)
{
    CLEANUP(fd_cleanup) int from = fd;
    CLEANUP(mem_cleanup) char *path = NULL;
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    struct stat st;

    if (fd < 0) {
        if (directory == NULL) {
            return err_set(e, ERR_NOTFOUND,
                           "no secret '%s': CREDENTIALS_DIRECTORY is not set and no descriptor "
                           "was given",
                           name);
        }
        path = mem_printf("%s/%s", directory, name);
        from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (from < 0 || fstat(from, &st) != 0) {
            return err_errno(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, errno, "open %s", path);
        }
        if ((st.st_mode & 077) != 0 || (st.st_uid != geteuid() && st.st_uid != 0)) {
            return err_set(e, ERR_DENIED, "%s can be read by others: chmod 600 and chown it", path);
        }
    }
    if (read_secret(from, path == NULL ? "the descriptor" : path, out, e) != 0) {
        return -1;
    }
    if (out->n > 0 && out->p[out->n - 1] == '\n') {
        buf_truncate(out, out->n - 1);
    }
    if (out->n == 0) {
        return err_set(e, ERR_INPUT, "the secret '%s' is empty", name);
    }
    return 0;
}

/* Asks and takes a line; what stops the program ends the wait. One signal that comes between the
 * prompt and the wait, such as an interrupt that is typed at once, would be waited out: it is let
 * in only by the wait itself. */
static int
ask_quietly(int tty, const char *prompt, struct buf *out, char *last, struct err *e)
{
    struct pollfd line = {.fd = tty, .events = POLLIN};
    sigset_t stops;
    sigset_t before;
    int result = 0;

    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGINT);
    (void)sigaddset(&stops, SIGTERM);
    (void)sigaddset(&stops, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &stops, &before);
    if (write(tty, prompt, strlen(prompt)) < 0) {
        result = err_errno(e, ERR_IO, errno, "/dev/tty");
    } else if (ppoll(&line, 1, NULL, &before) == 1) {
        while (result == 0 && read(tty, last, 1) == 1 && *last != '\n') {
            result = buf_append(out, span_of(last, 1), e);
        }
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}

int
secret_prompt(const char *prompt, struct buf *out, struct err *e)
{
    CLEANUP(fd_cleanup) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before;
    struct termios quiet;
    int result;
    char c = '\0';

    buf_truncate(out, 0);
    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        return err_errno(e, ERR_IO, errno, "a secret is typed at a terminal only");
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0) {
        return err_errno(e, ERR_IO, errno, "/dev/tty");
    }
    result = ask_quietly(tty, prompt, out, &c, e);
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    if (write(tty, "\n", 1) < 0 || result != 0) {
        return result;
    }
    if (c != '\n' || out->n == 0) {
        return err_set(e, ERR_INPUT, "nothing was typed");
    }
    return 0;
}

/* Between fork and exec: async-signal-safe calls only. */
static void
become(char *const argv[], int fd, int pass_fd, pid_t parent)
{
    int null = open("/dev/null", O_RDONLY);
    /* out of the way first: 3 and 4 may be taken by the very descriptors that are to move there */
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    int high_pass = pass_fd < 0 ? -1 : fcntl(pass_fd, F_DUPFD_CLOEXEC, 10);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || high < 0 || dup2(high, 3) < 0 ||
        (pass_fd >= 0 && dup2(high_pass, 4) < 0) || close_range(pass_fd < 0 ? 4 : 5, ~0U, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 || getppid() != parent) {
        _exit(126);
    }
    (void)execv(argv[0], argv);
    _exit(127);
}

int
child_start(char *const argv[], int pass_fd, struct child *child, struct err *e)
{
    int pair[2];
    pid_t parent = getpid();

    child->pid = -1;
    child->fd = -1;
    if (access(argv[0], X_OK) != 0) {
        return err_errno(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, errno, "start %s", argv[0]);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return err_errno(e, ERR_IO, errno, "socketpair");
    }
    child->pid = fork();
    if (child->pid == 0) {
        become(argv, pair[1], pass_fd, parent);
    }
    (void)close(pair[1]);
    if (child->pid < 0) {
        (void)close(pair[0]);
        return err_errno(e, ERR_IO, errno, "fork");
    }
    child->fd = pair[0];
    return 0;
}

void
child_stop(struct child *child, int grace_ms)
{
    const struct timespec step = {.tv_nsec = 5 * 1000 * 1000};
    int waited = 0;

    if (child->fd >= 0) {
        (void)close(child->fd);
        child->fd = -1;
    }
    while (child->pid > 0) {
        pid_t pid = waitpid(child->pid, NULL, WNOHANG);

        if (pid == child->pid || (pid < 0 && errno != EINTR)) {
            child->pid = -1;
            break;
        }
        if (waited >= grace_ms) {
            (void)kill(child->pid, SIGKILL);
        }
        (void)nanosleep(&step, NULL);
        waited += 5;
    }
}
