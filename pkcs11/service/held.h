/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.h - all that a signer holds: its policy, the journal, the token, the key. Opened once, and
 * left with the process: some modules crash when they are closed.
 */
#pragma once

#include "pkcs11/key.h"
#include "pkcs11/secret.h"
#include "pkcs11/service/anchored.h"
#include "pkcs11/signer/journal/journal.h"
#include "pkcs11/signer/journal/snapshot.h"
#include "pkcs11/signer/policy.h"

struct held {
    struct policy *policy;
    struct journal *journal; /* NULL in a self-test */
    struct module *module;
    struct session *session;
    struct key *key;
    struct secret *secret;     /* NULL: the policy has no section seal */
    struct anchored *anchored; /* NULL: no log's, or its policy says none */
};

/*
 * Reads the policy file, opens the journal (not in a self-test) and the token, and compares all
 * attributes of the key; of a log the journal with what the token knows. `pin_fd`: as of
 * secret_read(). What was opened before a failure stays.
 */
int held_open(struct held *, const char *policy, int pin_fd, bool self_test, struct err *e);
/* A snapshot of the journal, when it has so many lines more than the last one: while it is served,
 * at a start, and at an end in order. Without section seal there is none. A failure is logged, and
 * changes nothing. */
enum { HELD_KEEP = 65536, HELD_KEEP_START = 16384, HELD_KEEP_END = 4096 };
void held_keep(const struct held *, uint64_t each);
/* The process ends: how many signatures there are stands in the journal then. A failure is logged,
 * and changes nothing: it is known up to the last commit. */
void held_end(const struct held *);
