/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - the door of the local socket: requests of nfpki-ractl become commands (command.h).
 */
#pragma once

#include "ca/link/admin.h"
#include "ra/daemon/ra.h"

/* An admin_handler; `arg` is the struct ra. */
void register_handle(void *arg, struct admin_call *call, const char *command,
                     const json_t *request);
