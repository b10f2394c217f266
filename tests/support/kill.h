/* SPDX-License-Identifier: Apache-2.0 */
/* kill.h - kill(2), but for one process: never a number that means all of them, which is what is
 * left in place of a process that has ended. */
#pragma once

#include <signal.h>
#include <sys/types.h>

static inline int
test_kill(pid_t pid, int sig)
{
    return pid > 1 ? kill(pid, sig) : -1;
}
