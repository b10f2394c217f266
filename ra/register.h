/* SPDX-License-Identifier: Apache-2.0 */
/*
 * register.h - what an administrator may ask over the admin socket: register, list, show, cancel.
 *
 * A registration is verified here, accepted by the CA, and only then stored; its reference and
 * one-time secret are in the answer of that one call and nowhere else in the clear.
 */
#pragma once

#include "ca/link/admin.h"
#include "ra/ra.h"

/* An admin_handler; `arg` is the struct ra. */
void register_handle(void *arg, struct admin_call *call, const char *command,
                     const json_t *request);
