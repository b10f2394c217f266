/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "pkcs11/service/control.h"
#include "pkcs11/service/door.h"

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_MAX_MS = 5000,
    GRACE_MS = 1000, /* for a session that ends by itself */
};

enum state { DOWN, STARTING, FREE, SERVING };

struct supervisor {
    const struct supervise_options *o;
    int door;
    struct child session;
    enum state state;
    bool works;       /* the session is in a call: `until` is its deadline */
    int64_t until;    /* clock_monotonic_ms(): DOWN: of the next start; STARTING: the deadline */
    int pause_ms;     /* grows while starts fail */
    bool shut;        /* a PIN was refused: no start is tried again */
    struct err down;  /* why the last start failed; no code: it did not */
    struct buf words; /* the session's last ones (control.h); empty: none */
    int served;       /* a copy of the connection that the session has, or -1 */
    pid_t served_pid;
    bool left;   /* the served one has closed */
    int waiting; /* the next connection, or -1 */
    pid_t waiting_pid;
};

/* ---- the session's life ---- */

static void
end_served(struct supervisor *s)
{
    fd_cleanup(&s->served);
    s->left = false;
}

static void
turn_waiting_away(struct supervisor *s, const struct err *why)
{
    if (s->waiting >= 0) {
        door_turn_away(s->waiting, why);
        s->waiting = -1;
    }
}

/* A start that failed: whoever comes before the next one is told. */
static void
start_failed(struct supervisor *s, const struct err *why)
{
    s->pause_ms = s->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * s->pause_ms;
    s->pause_ms = s->pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : s->pause_ms;
    s->down = *why;
    turn_waiting_away(s, why);
    if (why->code == ERR_PIN) {
        s->shut = true; /* what is wrong now stays wrong, and the token counts */
        log_err(LOG_ERROR, "pin-refused", why, "not tried again before this service is restarted");
        return;
    }
    log_err(LOG_ERROR, "session-not-started", why, "next try in %d ms", s->pause_ms);
}

/* The session has ended, or must: it gets `grace_ms`. */
static void
end_session(struct supervisor *s, int grace_ms, const struct err *why)
{
    pid_t pid = s->session.pid;
    bool starting = s->state == STARTING;

    child_stop(&s->session, grace_ms);
    end_served(s);
    s->state = DOWN;
    s->works = false;
    if (starting) {
        start_failed(s, why);
    } else {
        s->pause_ms = PAUSE_FIRST_MS;
        log_err(LOG_ERROR, "session-ended", why, "process %d is started again", (int)pid);
    }
    s->until = clock_monotonic_ms() + s->pause_ms;
}

static void
start_session(struct supervisor *s)
{
    /* execv() does not write to its arguments, but its type says so. */
    CLEANUP(mem_cleanup) char *program = mem_strdup(s->o->program);
    CLEANUP(mem_cleanup) char *policy = mem_strdup(s->o->policy);
    char policy_option[] = "--policy";
    char supervised_option[] = "--supervised";
    char pin_option[] = "--pin-fd";
    char pin_number[] = "4";
    char *argv[] = {program, policy_option, policy, supervised_option, NULL, NULL, NULL};
    struct err e = {0};

    if (s->o->pin_fd >= 0) {
        (void)lseek(s->o->pin_fd, 0, SEEK_SET);
        argv[4] = pin_option;
        argv[5] = pin_number;
    }
    buf_truncate(&s->words, 0);
    s->state = STARTING;
    s->until = clock_monotonic_ms() + s->o->deadline_ms;
    if (child_start(argv, s->o->pin_fd, &s->session, &e) != 0) {
        end_session(s, 0, &e);
    }
}

static void
serve_next(struct supervisor *s)
{
    struct err e = {0};

    if (s->state != FREE || s->waiting < 0) {
        return;
    }
    s->served = s->waiting;
    s->served_pid = s->waiting_pid;
    s->waiting = -1;
    s->state = SERVING;
    if (control_give(s->session.fd, s->served, &e) != 0) {
        end_session(s, 0, &e);
    }
}

/* ---- what happens ---- */

static void
hear(struct supervisor *s, uint8_t octet)
{
    switch ((enum control)octet) {
    case CONTROL_READY:
        s->state = FREE;
        s->pause_ms = 0;
        s->down.code = ERR_NONE;
        log_event(LOG_INFO, "session-ready", "process %d", (int)s->session.pid);
        break;
    case CONTROL_WORKS:
        s->works = true;
        s->until = clock_monotonic_ms() + s->o->deadline_ms;
        break;
    case CONTROL_RESTS:
        s->works = false;
        break;
    case CONTROL_OVER:
        log_event(LOG_INFO, "client-left", "process %d", (int)s->served_pid);
        end_served(s);
        s->works = false;
        s->state = FREE;
        break;
    case CONTROL_CONNECTION:
    case CONTROL_FAILED:
        break;
    }
}

static void
on_session(struct supervisor *s)
{
    uint8_t octets[CONTROL_WORDS_MAX];
    struct err e = {0};
    ssize_t n = recv(s->session.fd, octets, sizeof(octets), MSG_DONTWAIT);
    size_t i = 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        (void)err_set(&e, ERR_TOKEN, "the process with the session ended without a word");
        if (s->words.n > 1) {
            control_reason(span_of(s->words.p + 1, s->words.n - 1), &e);
        }
        end_session(s, GRACE_MS, &e);
        return;
    }
    while (i < (size_t)n && s->words.n == 0 && octets[i] != CONTROL_FAILED) {
        hear(s, octets[i++]);
    }
    (void)buf_append(&s->words, span_of(octets + i, (size_t)n - i), &e);
    serve_next(s);
}

static void
on_door(struct supervisor *s)
{
    struct unix_peer who;
    struct err e = {0};
    int fd;

    if (door_accept(s->door, s->o->client, &fd, &who, &e) != 0) {
        log_err(LOG_WARNING, "client-refused", &e, "%s", s->o->socket);
        return;
    }
    if (fd < 0) {
        return;
    }
    if (s->state == DOWN && s->down.code != ERR_NONE) {
        door_turn_away(fd, &s->down);
        return;
    }
    if ((s->served >= 0 && !s->left) || s->waiting >= 0) {
        (void)err_set(&e, ERR_BUSY, "process %d is served: one at a time",
                      (int)(s->served >= 0 && !s->left ? s->served_pid : s->waiting_pid));
        log_err(LOG_WARNING, "client-refused", &e, "process %d", (int)who.pid);
        door_turn_away(fd, &e);
        return;
    }
    log_event(LOG_INFO, "client-connected", "process %d", (int)who.pid);
    s->waiting = fd;
    s->waiting_pid = who.pid;
    serve_next(s);
}

/* What is due by the clock. */
static void
on_time(struct supervisor *s)
{
    struct err e = {0};

    if (clock_monotonic_ms() < s->until) {
        return;
    }
    if (s->state == DOWN && !s->shut) {
        start_session(s);
    } else if (s->state == STARTING || s->works) {
        (void)err_set(&e, ERR_TOKEN, "no answer of the token within %d ms: killed",
                      s->o->deadline_ms);
        end_session(s, 0, &e);
    }
}

static int
time_left(const struct supervisor *s)
{
    int64_t left = s->until - clock_monotonic_ms();

    if (s->state == DOWN ? s->shut : s->state != STARTING && !s->works) {
        return -1;
    }
    return left < 0 ? 0 : (int)left;
}

/* ---- the whole ---- */

static int stop_fd = -1;

static void
on_signal(int number)
{
    const uint64_t one = 1;
    int saved = errno;

    (void)number;
    if (write(stop_fd, &one, sizeof(one)) < 0) {
        /* it is to stop already */
    }
    errno = saved;
}

static int
watch_signals(struct err *e)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd < 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
        sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGHUP, &action, NULL) != 0) {
        return err_errno(e, ERR_IO, errno, "watch signals");
    }
    return 0;
}

static int
run(struct supervisor *s, struct err *e)
{
    for (;;) {
        struct pollfd p[] = {
            {.fd = stop_fd, .events = POLLIN},
            {.fd = s->door, .events = POLLIN},
            {.fd = s->session.fd, .events = POLLIN},
            {.fd = s->left ? -1 : s->served}, /* these only that they close */
            {.fd = s->waiting},
        };

        if (poll(p, ARRAY_LEN(p), time_left(s)) < 0 && errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "poll");
        }
        if (p[0].revents != 0) {
            return 0;
        }
        if (p[4].revents != 0) {
            fd_cleanup(&s->waiting);
        }
        s->left = s->left || p[3].revents != 0;
        if (p[2].revents != 0) {
            on_session(s);
        }
        on_time(s);
        if (p[1].revents != 0) {
            on_door(s);
        }
    }
}

int
supervise(const struct supervise_options *o, struct err *e)
{
    struct supervisor s = {
        .o = o,
        .session = {.pid = -1, .fd = -1},
        .words = BUF_INIT(CONTROL_WORDS_MAX),
        .served = -1,
        .waiting = -1,
    };
    struct err stopping = {0};
    int result;

    if (watch_signals(e) != 0) {
        return -1;
    }
    s.door = door_open(o->socket, e);
    if (s.door < 0) {
        return -1;
    }
    log_event(LOG_INFO, "listening", "%s, for user %u", o->socket, (unsigned)o->client);
    result = run(&s, e);
    (void)err_set(&stopping, ERR_TOKEN, "the signer is being stopped");
    turn_waiting_away(&s, &stopping);
    (void)close(s.door);
    (void)unlink(o->socket);
    child_stop(&s.session, o->deadline_ms);
    end_served(&s);
    buf_free(&s.words);
    return result;
}
