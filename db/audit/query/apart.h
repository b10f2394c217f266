/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apart.h - an answer that is made in a process of its own, which ends with it: what a question
 * does to that process is not done to the program. Call apart_ask() before threads are started and
 * before anything is written; the mirror is opened in the child.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Gives what answer(arg) gave, an exit status from 0 to 125; what it wrote to standard output and
 * error is on ours. ERR_BUSY: the child was ended by a signal; ERR_IO: there is none, or standard
 * output takes no more. -1 then: what was written is not whole. */
int apart_ask(int (*answer)(void *arg), void *arg, struct err *e);

/* In the child, from now on: `ms` of CPU time and `octets` of memory more than it has used; nothing
 * is opened, and no file written, whatever it is asked. */
int apart_confine(int64_t ms, uint64_t octets, struct err *e);
