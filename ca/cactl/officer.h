/* SPDX-License-Identifier: Apache-2.0 */
/*
 * officer.h - what an officer signs with: a private key in a file, used in the officer's own
 * process, and a "yes" at the terminal. Private to nfpki-cactl.
 */
#pragma once

#include "base/ossl.h"

/* PEM. Its passphrase is read from descriptor `fd`, or at the terminal (-1). ERR_INPUT ends with
 * `token`: what to do with a key that is in a token. */
EVP_PKEY *officer_key_load(const char *path, int fd, const char *token, struct err *e);

/* What was shown on stderr is to be signed: "WHAT? Type yes: ", unless `yes`. ERR_INPUT without a
 * terminal, ERR_DENIED for everything else that is typed. */
int officer_confirm(const char *what, bool yes, struct err *e);
