/* SPDX-License-Identifier: Apache-2.0 */
/* unix.h - Unix stream sockets: who listens, who connects, and who is at the other end. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Has it a length that a socket's address has room for? */
int unix_check_path(const char *path, struct err *e);
/* A listening, non-blocking socket at `path` (replaced when it exists) with `mode`. */
int unix_listen(const char *path, mode_t mode, struct err *e);
/* Begins to connect; the descriptor is non-blocking when `wait` is false. */
int unix_connect(const char *path, bool wait, struct err *e);
struct unix_peer {
    pid_t pid;
    uid_t uid;
};
/* Who is at the other end (SO_PEERCRED): who connected, or who began to listen. */
int unix_peer(int fd, struct unix_peer *out, struct err *e);
