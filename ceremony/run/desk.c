/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/desk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/proc.h"
#include "ceremony/transcript/plan.h"

static volatile sig_atomic_t stop_wanted;

static void
on_signal(int number)
{
    (void)number;
    stop_wanted = 1;
}

int
desk_open(struct desk *desk, bool rehearsal, struct err *e)
{
    /* No SA_RESTART: a prompt that waits is interrupted. */
    struct sigaction action = {.sa_handler = on_signal};

    *desk = (struct desk){.rehearsal = rehearsal, .out = stdout};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    if (rehearsal) {
        return 0;
    }
    desk->in = fopen("/dev/tty", "re");
    desk->out = desk->in == NULL ? NULL : fopen("/dev/tty", "we");
    if (desk->out == NULL) {
        desk_close(desk);
        return err_set(e, ERR_DENIED, "a ceremony runs at a terminal: there is no /dev/tty");
    }
    return 0;
}

void
desk_close(struct desk *desk)
{
    if (desk->in != NULL) {
        (void)fclose(desk->in);
    }
    if (desk->out != NULL && desk->out != stdout) {
        (void)fclose(desk->out);
    }
    *desk = (struct desk){0};
}

void
desk_say(const struct desk *desk, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vfprintf(desk->out, fmt, ap);
    va_end(ap);
    (void)fflush(desk->out);
}

int
desk_check_stop(const struct desk *desk, struct err *e)
{
    (void)desk;
    return stop_wanted == 0 ? 0 : err_set(e, ERR_CONFLICT, "stopped by the administrator");
}

/* Until there is a line, or a signal that stops; one that comes between the look at `stop_wanted`
 * and the wait would be waited out, so it is let in only by the wait itself. */
static void
wait_for_line(const struct desk *desk)
{
    struct pollfd terminal = {.fd = fileno(desk->in), .events = POLLIN};
    sigset_t stops;
    sigset_t before;

    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGINT);
    (void)sigaddset(&stops, SIGTERM);
    (void)sigaddset(&stops, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &stops, &before);
    while (stop_wanted == 0 && ppoll(&terminal, 1, NULL, &before) < 0 && errno == EINTR) {
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

int
desk_ask(const struct desk *desk, const char *question, char answer[DESK_ANSWER_SIZE],
         struct err *e)
{
    size_t n;

    if (desk_check_stop(desk, e) != 0) {
        return -1;
    }
    if (desk->rehearsal) {
        (void)snprintf(answer, DESK_ANSWER_SIZE, "%s", REHEARSED_ANSWER);
        desk_say(desk, "  %s %s\n", question, answer);
        return 0;
    }
    desk_say(desk, "  %s\n  > ", question);
    answer[0] = '\0';
    wait_for_line(desk);
    if (desk_check_stop(desk, e) != 0) {
        return -1;
    }
    if (fgets(answer, DESK_ANSWER_SIZE, desk->in) == NULL) {
        answer[0] = '\0';
        return desk_check_stop(desk, e) != 0
                   ? -1
                   : err_set(e, ERR_CONFLICT, "stopped: the terminal was closed");
    }
    n = strlen(answer);
    if (n > 0 && answer[n - 1] == '\n') {
        answer[n - 1] = '\0';
    }
    return desk_check_stop(desk, e);
}

int
desk_secret(const struct desk *desk, const char *question, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *prompt = mem_printf("  %s (not shown): ", question);
    int result;

    if (desk_check_stop(desk, e) != 0) {
        return -1;
    }
    result = secret_prompt(prompt, out, e);
    return desk_check_stop(desk, e) != 0 ? -1 : result;
}
