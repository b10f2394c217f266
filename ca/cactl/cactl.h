/* SPDX-License-Identifier: Apache-2.0 */
/* cactl.h - what the commands of nfpki-cactl share. Private to nfpki-cactl. */
#pragma once

#include <jansson.h>

#include "base/err.h"

struct program;
/* Before all others: whose usage cactl_misuse() prints. */
void cactl_begin(const struct program *);
/* The daemon's admin socket, when it is not the usual one; `path` stays the caller's. */
void cactl_use_socket(const char *path);

/* Takes the reference to `request`. NULL after a failure, which was printed, with its exit status.
 */
json_t *cactl_ask(json_t *request, int *status);
/* Asks, and prints the answer. The exit status. */
int cactl_print_answer(json_t *request);
/* Prints the reason; the exit status. */
int cactl_fail(const struct err *e);
/* "usage: ..." of that command; 2. */
int cactl_misuse(const char *command);

/* approve.c: what waits, and what an officer decides about it. */
int cactl_pending(int argc, char **argv);
int cactl_approve(int argc, char **argv); /* argv[0] is approve or reject */
/* sign.c: what else officers sign, into a file. */
int cactl_sign(int argc, char **argv);
