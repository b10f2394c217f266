/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "tests/unit/ceremony/typist.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ossl.h"

enum { WAIT_MS = 60 * 1000, QUESTION_MAX = 512 };

static const char *
waits_at(const char *seen)
{
    static const char *const ends[] = {"\n  > ", "(not shown): "};
    size_t n = strlen(seen);

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (n >= strlen(ends[i]) && strcmp(seen + n - strlen(ends[i]), ends[i]) == 0) {
            return ends[i];
        }
    }
    return NULL;
}

/* The words between quotes in "type '...'". */
static void
quoted(const char *question, char out[QUESTION_MAX])
{
    const char *begin = strstr(question, "type '");
    const char *end = begin == NULL ? NULL : strchr(begin + 6, '\'');

    if (end == NULL) {
        fail_msg("no answer is known to: %s", question);
        return;
    }
    (void)snprintf(out, QUESTION_MAX, "%.*s", (int)(end - begin - 6), begin + 6);
}

static void
answer_to(const char *question, const char *hash, const struct typed *other, size_t n_other,
          char out[QUESTION_MAX])
{
    char now[TIME_TEXT_SIZE];

    time_format(clock_now(), now);
    for (size_t i = 0; i < n_other; i++) {
        if (strstr(question, other[i].question) != NULL) {
            if (other[i].before != NULL) {
                other[i].before();
            }
            (void)snprintf(out, QUESTION_MAX, "%s", other[i].answer);
            return;
        }
    }
    if (strstr(question, "the time (UTC)") != NULL) {
        (void)snprintf(out, QUESTION_MAX, "%s", now);
    } else if (strstr(question, "the approved paper says?") != NULL) {
        (void)snprintf(out, QUESTION_MAX, "%s", hash);
    } else if (strstr(question, "security officer's PIN") != NULL) {
        (void)snprintf(out, QUESTION_MAX, "%s", TYPIST_SO_PIN);
    } else if (strstr(question, "ser PIN") != NULL) {
        (void)snprintf(out, QUESTION_MAX, "%s", TYPIST_PIN);
    } else {
        quoted(question, out);
    }
}

/* What control characters mean at a terminal they do without the end of a line. */
static void
type(int terminal, const char *answer)
{
    size_t n = strlen(answer);

    assert_int_equal(write(terminal, answer, n), (ssize_t)n);
    if (n == 0 || (unsigned char)answer[n - 1] >= 0x20) {
        assert_int_equal(write(terminal, "\n", 1), 1);
    }
}

/* Until the other side has closed: then a terminal gives EIO and a pipe nothing. */
static bool
read_some(int fd, struct buf *out)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct err e = {0};
    char chunk[4096];
    ssize_t n;

    if (poll(&p, 1, WAIT_MS) != 1) {
        fail_msg("nothing was said for a minute after: %.*s", (int)out->n, (const char *)out->p);
    }
    n = read(fd, chunk, sizeof(chunk));
    if (n <= 0) {
        assert_true(n == 0 || errno == EIO);
        return false;
    }
    assert_ok(buf_append(out, span_of(chunk, (size_t)n), &e), &e);
    return true;
}

static int
status_of(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
typist_run(char *const argv[], const char *hash, const struct typed *other, size_t n_other,
           struct buf *out)
{
    size_t answered = 0;
    int terminal = -1;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

    if (pid == 0) {
        (void)execv(argv[0], argv);
        _exit(127);
    }
    assert_true(pid > 0);
    while (read_some(terminal, out)) {
        CLEANUP(mem_cleanup)
        char *seen = mem_printf("%.*s", (int)(out->n - answered), (const char *)out->p + answered);
        CLEANUP(mem_cleanup) char *text = mem_zalloc(strlen(seen) + 1, 1);
        char answer[QUESTION_MAX];
        size_t n = 0;

        for (const char *p = seen; *p != '\0'; p++) {
            if (*p != '\r') {
                text[n++] = *p;
            }
        }
        if (waits_at(text) != NULL) {
            /* the question is what was said last */
            const char *question = n > QUESTION_MAX ? text + n - QUESTION_MAX : text;

            answer_to(question, hash, other, n_other, answer);
            answered = out->n;
            type(terminal, answer);
        }
    }
    (void)close(terminal);
    return status_of(pid);
}

int
typist_run_alone(char *const argv[], struct buf *out)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        (void)setsid(); /* the terminal of whoever runs the tests is not for it */
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    assert_true(pid > 0);
    (void)close(ends[1]);
    while (read_some(ends[0], out)) {
    }
    (void)close(ends[0]);
    return status_of(pid);
}
