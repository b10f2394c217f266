/* SPDX-License-Identifier: Apache-2.0 */
/* kill.h - kill(2), but for one process: never a number that means all of them, which is what is
 * left in place of a process that has ended. Who is killed with SIGKILL has closed what it had open
 * when test_kill() returns: nobody asks a process any more that is about to die. */
#pragma once

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

enum { TEST_KILL_WAIT_MS = 1 };

/* A process that nobody has waited for yet has ended, too. */
static inline int
test_has_ended(pid_t pid)
{
    char path[sizeof("/proc/18446744073709551615/stat")];
    char text[512];
    const char *state;
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    f = fopen(path, "re");
    if (f == NULL) {
        return 1;
    }
    n = fread(text, 1, sizeof(text) - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    state = strrchr(text, ')'); /* a name may have one itself */
    return state == NULL || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

static inline int
test_kill(pid_t pid, int sig)
{
    if (pid <= 1 || kill(pid, sig) != 0) {
        return -1;
    }
    while (sig == SIGKILL && !test_has_ended(pid)) {
        (void)poll(NULL, 0, TEST_KILL_WAIT_MS);
    }
    return 0;
}
