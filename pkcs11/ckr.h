/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ckr.h - PKCS #11 return values in words (PKCS #11 v2.40, section 5.1).
 */
#pragma once

#include "base/err.h"

/* "CKR_DEVICE_ERROR"; "CKR_UNKNOWN" for a value outside the standard. Never NULL. */
const char *ckr_name(unsigned long rv);

/* "C_Sign: CKR_DEVICE_ERROR (0x30) (module /usr/lib/x.so, token root-2026)"; `token` may be NULL.
 * The code is ERR_PIN where a PIN was refused or is locked, else ERR_TOKEN. Always returns -1. */
int ckr_err(struct err *e, unsigned long rv, const char *function, const char *module,
            const char *token);
