/* SPDX-License-Identifier: Apache-2.0 */
/* attempts.h - a journal with two attempts in it. */
#pragma once

#include "pkcs11/signer/journal/journal.h"

extern const uint8_t KEY[32];
extern const uint8_t HASH[32];

/* For cmocka: *state is the name of a folder. */
int attempts_set_up(void **state);
int attempts_tear_down(void **state);

/* A journal of two attempts, the second of a checkpoint; the path, mem_free() it. */
char *attempts_two(const char *dir);
