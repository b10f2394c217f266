/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door.h - the socket where the client of a signer comes in, and who may. Whoever may not is told
 * why in a FAILED frame, as a signer does that cannot be started.
 */
#pragma once

#include <sys/types.h>

#include "base/unix.h"

/* Mode 0660. A socket that nobody listens on is replaced, as after a kill; where somebody does it
 * is ERR_BUSY, and all else is left as it is. */
int door_open(const char *path, struct err *e);

/* Who is at the door: *fd is -1 when they have gone again. ERR_DENIED, and turned away, when they
 * are not of this user. */
int door_accept(int door, uid_t client, int *fd, struct unix_peer *who, struct err *e);
/* FAILED with this reason, and closed. */
void door_turn_away(int fd, const struct err *why);
