/* SPDX-License-Identifier: Apache-2.0 */
/* slow.c - a preload that delays hand-overs between threads and processes at random: who is told
 * something hears of it late, who tells goes on late, a lock is taken and left late, a program
 * begins and ends late. It sleeps, so it costs no processor. Beside the C library's functions it
 * changes nothing: a test that is red with it rests on an order, or on a time, that nobody
 * promises. SLOW_SEED   the same delays are drawn again (of each process and thread; the times are
 * not) SLOW_MAX    the longest delay in milliseconds (30); one in forty is SLOW_RARE (300) at most
 *   SLOW_SHARE  percent of a thread's life that it may spend here (50) */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THOUSAND = 1000, NS_IN_US = 1000, START_US = 400000 };

/* One in so many is delayed. */
enum { IN_LOCK = 400, IN_WAKE = 8, IN_TELL = 12, IN_BEGIN = 3, IN_SYNC = 20, IN_RARE = 40 };

static struct {
    uint64_t seed, max_us, rare_us, share;
    bool ready;
} slow;

static __thread struct {
    uint64_t drawn; /* 0: not begun in this process and thread */
    pid_t pid;
    uint64_t began_us, slept_us;
} mine __attribute__((tls_model("initial-exec")));

/* Not clock_gettime(), which another preload may have set. */
static uint64_t
now_us(void)
{
    struct timespec t = {0};

    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * THOUSAND * THOUSAND + (uint64_t)t.tv_nsec / NS_IN_US;
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL || *text == '\0' ? otherwise : strtoull(text, NULL, 10);
}

static uint64_t
draw(void)
{
    uint64_t x = mine.drawn; /* xorshift64* */

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    mine.drawn = x;
    return (x * 0x2545f4914f6cdd1dULL) >> 16;
}

static void
begin(void)
{
    pid_t pid = (pid_t)syscall(SYS_getpid);

    if (mine.drawn == 0 || mine.pid != pid) {
        uint64_t self = (uint64_t)syscall(SYS_gettid);

        mine.pid = pid;
        mine.began_us = now_us();
        mine.slept_us = 0;
        mine.drawn = (slow.seed ^ (self * 0x9e3779b97f4a7c15ULL)) | 1;
        for (int i = 0; i < 4; i++) {
            (void)draw();
        }
    }
}

/* A delay once in `in` times. The lengths are as many short ones as long ones: what is short hits
 * the next instruction of another thread, what is long the next step of another process. */
static void
delay(unsigned in)
{
    int kept = errno;
    uint64_t us, most;

    if (!slow.ready) {
        return;
    }
    begin();
    if (draw() % in == 0) {
        most = draw() % IN_RARE == 0 ? slow.rare_us : slow.max_us;
        us = most >> (draw() % 10);
        if (us != 0) {
            us = us / 2 + draw() % us;
        }
        if ((mine.slept_us + us) * 100 <= (now_us() - mine.began_us + us + START_US) * slow.share) {
            struct timespec t = {.tv_sec = (time_t)(us / (THOUSAND * THOUSAND)),
                                 .tv_nsec = (long)(us % (THOUSAND * THOUSAND)) * NS_IN_US};

            (void)syscall(SYS_nanosleep, &t, NULL);
            mine.slept_us += us;
        }
    }
    errno = kept;
}

/* Files are not delayed: nobody waits for them. */
static void
delay_fd(int fd, unsigned in)
{
    int kept = errno;
    struct stat st;

    if (slow.ready && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        delay(in);
    }
    errno = kept;
}

__attribute__((constructor)) static void
loaded(void)
{
    slow.seed = number("SLOW_SEED", now_us());
    slow.max_us = number("SLOW_MAX", 30) * THOUSAND;
    slow.rare_us = number("SLOW_RARE", 300) * THOUSAND;
    slow.share = number("SLOW_SHARE", 50);
    slow.ready = true;
    delay(IN_BEGIN);
}

__attribute__((destructor)) static void
unloaded(void)
{
    delay(IN_TELL);
    slow.ready = false;
}

/* AddressSanitizer wants to be the first that is loaded, and need not be. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "verify_asan_link_order=0";
}

/* The next function of this name, in the version where the C library has an older one as well. */
static void *
next_of(const char *name, const char *version)
{
    void *found = *version == '\0' ? NULL : dlvsym(RTLD_NEXT, name, version);

    return found == NULL ? dlsym(RTLD_NEXT, name) : found;
}

#define NEXT(name, version)                                                                        \
    static __typeof__(&name) next;                                                                 \
    if (next == NULL) {                                                                            \
        void *found = next_of(#name, version);                                                     \
        memcpy(&next, &found, sizeof(next));                                                       \
    }

#define AROUND(type, name, before, after, parameters, ...)                                         \
    __attribute__((visibility("default"))) type name parameters                                    \
    {                                                                                              \
        NEXT(name, "")                                                                             \
        before;                                                                                    \
        type result = next(__VA_ARGS__);                                                           \
        after;                                                                                     \
        return result;                                                                             \
    }
#define NOTHING (void)0

/* ---- threads ---- */

struct beginning {
    void *(*start)(void *);
    void *argument;
};

static void *
begin_late(void *argument)
{
    struct beginning b = *(struct beginning *)argument;

    free(argument);
    delay(IN_BEGIN);
    return b.start(b.argument);
}

int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
               void *argument)
{
    NEXT(pthread_create, "GLIBC_2.34")
    struct beginning *b = malloc(sizeof(*b));
    int result;

    if (b == NULL) {
        return EAGAIN;
    }
    *b = (struct beginning){start, argument};
    result = next(thread, attributes, begin_late, b);
    if (result != 0) {
        free(b);
    }
    delay(IN_BEGIN);
    return result;
}

AROUND(int, pthread_mutex_lock, delay(IN_LOCK), delay(IN_LOCK), (pthread_mutex_t * m), m)
AROUND(int, pthread_mutex_unlock, NOTHING, delay(IN_LOCK), (pthread_mutex_t * m), m)
AROUND(int, pthread_join, NOTHING, delay(IN_WAKE), (pthread_t thread, void **value), thread, value)

int
pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    NEXT(pthread_cond_wait, "GLIBC_2.3.2")
    int result;

    delay(IN_WAKE);
    result = next(c, m);
    delay(IN_WAKE);
    return result;
}

int
pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    NEXT(pthread_cond_timedwait, "GLIBC_2.3.2")
    int result;

    delay(IN_WAKE);
    result = next(c, m, until);
    delay(IN_WAKE);
    return result;
}

int
pthread_cond_signal(pthread_cond_t *c)
{
    NEXT(pthread_cond_signal, "GLIBC_2.3.2")
    int result;

    delay(IN_TELL);
    result = next(c);
    delay(IN_TELL);
    return result;
}

int
pthread_cond_broadcast(pthread_cond_t *c)
{
    NEXT(pthread_cond_broadcast, "GLIBC_2.3.2")
    int result;

    delay(IN_TELL);
    result = next(c);
    delay(IN_TELL);
    return result;
}

/* ---- descriptors ---- */

AROUND(int, poll, NOTHING, delay(IN_WAKE), (struct pollfd * fds, nfds_t n, int ms), fds, n, ms)
AROUND(int, ppoll, NOTHING, delay(IN_WAKE),
       (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *mask), fds, n, t,
       mask)
AROUND(int, select, NOTHING, delay(IN_WAKE),
       (int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t), n, r, w, x, t)
AROUND(int, epoll_wait, NOTHING, delay(IN_WAKE), (int fd, struct epoll_event *e, int n, int ms), fd,
       e, n, ms)
AROUND(int, epoll_pwait, NOTHING, delay(IN_WAKE),
       (int fd, struct epoll_event *e, int n, int ms, const sigset_t *mask), fd, e, n, ms, mask)
AROUND(ssize_t, read, NOTHING, delay_fd(fd, IN_TELL), (int fd, void *p, size_t n), fd, p, n)
AROUND(ssize_t, readv, NOTHING, delay_fd(fd, IN_TELL), (int fd, const struct iovec *v, int n), fd,
       v, n)
AROUND(ssize_t, write, delay_fd(fd, IN_TELL), delay_fd(fd, IN_TELL),
       (int fd, const void *p, size_t n), fd, p, n)
AROUND(ssize_t, writev, delay_fd(fd, IN_TELL), delay_fd(fd, IN_TELL),
       (int fd, const struct iovec *v, int n), fd, v, n)
AROUND(ssize_t, send, delay(IN_TELL), delay(IN_TELL), (int fd, const void *p, size_t n, int flags),
       fd, p, n, flags)
AROUND(ssize_t, recv, NOTHING, delay(IN_TELL), (int fd, void *p, size_t n, int flags), fd, p, n,
       flags)
AROUND(ssize_t, sendmsg, delay(IN_TELL), delay(IN_TELL),
       (int fd, const struct msghdr *m, int flags), fd, m, flags)
AROUND(ssize_t, recvmsg, NOTHING, delay(IN_TELL), (int fd, struct msghdr *m, int flags), fd, m,
       flags)
AROUND(int, accept4, delay(IN_TELL), delay(IN_TELL),
       (int fd, struct sockaddr *a, socklen_t *n, int flags), fd, a, n, flags)
AROUND(int, accept, delay(IN_TELL), delay(IN_TELL), (int fd, struct sockaddr *a, socklen_t *n), fd,
       a, n)
AROUND(int, connect, delay(IN_TELL), delay(IN_TELL),
       (int fd, const struct sockaddr *a, socklen_t n), fd, a, n)
AROUND(int, listen, delay(IN_TELL), delay(IN_TELL), (int fd, int n), fd, n)
AROUND(int, shutdown, delay(IN_TELL), delay(IN_TELL), (int fd, int how), fd, how)
AROUND(int, close, delay_fd(fd, IN_TELL), NOTHING, (int fd), fd)

/* ---- files that others look for ---- */

AROUND(int, fdatasync, delay(IN_SYNC), delay(IN_SYNC), (int fd), fd)
AROUND(int, fsync, delay(IN_SYNC), delay(IN_SYNC), (int fd), fd)
AROUND(int, rename, delay(IN_TELL), delay(IN_TELL), (const char *from, const char *to), from, to)
AROUND(int, unlink, delay(IN_TELL), delay(IN_TELL), (const char *path), path)

/* ---- processes ---- */

AROUND(int, kill, delay(IN_TELL), delay(IN_WAKE), (pid_t pid, int sig), pid, sig)
AROUND(pid_t, waitpid, NOTHING, delay(IN_WAKE), (pid_t pid, int *status, int options), pid, status,
       options)

pid_t
fork(void)
{
    NEXT(fork, "")
    pid_t pid = next();

    delay(IN_BEGIN);
    return pid;
}
