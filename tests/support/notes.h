/* SPDX-License-Identifier: Apache-2.0 */
/* notes.h - checkpoints of a log whose key a test has. Everything aborts the test when it cannot be
 * made. */
#pragma once

#include "base/tlog/checkpoint.h"

struct notes {
    EVP_PKEY *key;
    struct log_key log;
    char *vkey; /* with its line break */
};
/* P-256. */
struct notes notes_new(const char *origin);
void notes_free(struct notes *);
/* A signed note over `size` leaves, whose root has `root` in each octet; buf_free() it. */
struct buf notes_sign(const struct notes *, uint64_t size, uint8_t root);
