/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h - what every program does to itself, the children it starts, and where secrets come from.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

/* umask 077, no core dump, not dumpable, SIGPIPE ignored. Call early in main(). */
int proc_harden(struct err *e);

/*
 * A secret without its trailing line break: from descriptor `fd` when fd >= 0 (read to its end and
 * closed), else from the file `name` in $CREDENTIALS_DIRECTORY. 1 .. out->max octets. `out` must be
 * a BUF_SECRET. A credential file that others can read is ERR_DENIED.
 */
int secret_read(int fd, const char *name, struct buf *out, struct err *e);

/* A secret typed at /dev/tty with echo off; ERR_IO when there is no terminal. */
int secret_prompt(const char *prompt, struct buf *out, struct err *e);

/*
 * For a child that must not be cut off inside a call: SoftHSM rewrites a token's file at each
 * login, and a process that ends in the middle leaves half a token. SIGTERM, SIGINT and SIGHUP are
 * then only noted; the end of the socket ends the child. When the parent is gone, what hangs still
 * is ended by SIGALRM after `seconds`, so that nothing outlives its parent for long.
 */
int proc_finish_calls(unsigned int seconds, struct err *e);

struct child {
    pid_t pid;
    int fd; /* our end of the socketpair; the child has the other one as descriptor 3 */
};
/* fork + exec of argv[0] (a path) with stdin from /dev/null, stdout and stderr inherited,
 * descriptor 3 the socketpair, `pass_fd` (or -1) as descriptor 4, every other descriptor closed.
 * Call before threads are started or from a thread that holds no lock. The child gets SIGTERM when
 * the thread that started it ends. */
int child_start(char *const argv[], int pass_fd, struct child *child, struct err *e);
/* Closes the socket, waits `grace_ms`, then SIGKILL, and reaps. */
void child_stop(struct child *child, int grace_ms);
