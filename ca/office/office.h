/* SPDX-License-Identifier: Apache-2.0 */
/* office.h - what nfpki-cactl(8) may ask. Private to nfpki-ca. */
#pragma once

#include "ca/daemon/daemon.h"

/* The admin_handler; arg is the struct ca. */
void office_handle(void *arg, struct admin_call *call, const char *command, const json_t *request);
