/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_check.h - a fresh process looks for a key that was just made: what only this process
 * remembers, or what never reached the medium, is not there for another.
 */
#pragma once

#include "ceremony/definition/definition.h"
#include "pkcs11/key.h"

/* Starts this program again, which opens the token anew, finds the key by identifier and public
 * half, reads back every attribute and signs a fixed text, which is verified here. The root key
 * (root-signing-v1) signs certificates and CRLs only: it is found, not used. *signed_text tells
 * which it was. The PIN goes through memory only. */
int self_check(const struct token_plan *, const char *serial, const char *policy, struct span id,
               struct span spki, struct span pin, bool *signed_text, struct err *e);

/* The same for a secret key (pkcs11/secret.h): the fresh process makes the MAC of a fixed text,
 * which must be `mac`, what this process got for self_check_text(). */
int self_check_secret(const struct token_plan *, const char *serial, const char *policy,
                      struct span id, struct span mac, struct span pin, struct err *e);
struct span self_check_text(void);

/* The other end, in the fresh process: request on descriptor 3, PIN on descriptor 4. Returns the
 * exit status. */
int self_check_main(void);
