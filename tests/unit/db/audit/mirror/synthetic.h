/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic.h - published folders of any size, of small leaves, by one log key: also such as
 * contradict each other. Everything here fails the test when it cannot. */
#pragma once

#include "base/tlog/checkpoint.h"

struct synthetic {
    char *base; /* the test's folder */
    char *dir;  /* base/ledger */
    char *path; /* base/mirror.db */
    struct log_key key;
    EVP_PKEY *signer;
};
void synthetic_begin(struct synthetic *);
/* For CLEANUP. */
void synthetic_end(struct synthetic *);

#define SYNTHETIC_NEVER UINT64_MAX
/* The folder of `size` leaves, of which those from `fork` on are others than those of other calls.
 * What is there of another size stays. */
void synthetic_publish(struct synthetic *, const char *dir, uint64_t size, uint64_t fork);
/* The same of any leaves; `body` gives them, borrowed until the next call. */
typedef struct span synthetic_body(void *arg, uint64_t index);
void synthetic_put(struct synthetic *, const char *dir, uint64_t size, synthetic_body *body,
                   void *arg);
/* The octets of a file below `dir` are changed by this: at `at` a bit is flipped; at -1 the last
 * octet is cut off; at -2 the file is removed. */
void synthetic_spoil(const char *dir, const char *name, long at);
