/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor.h - what a log's key signed last, in the token that has the key: a memory that a copy of
 * every file does not have.
 *
 * It is a private data object (CKO_DATA, CKA_PRIVATE, not CKA_MODIFIABLE) with CKA_APPLICATION
 * "nfpki" and a label that names the key. It is never changed: a new one is created, and then the
 * older ones are destroyed, so that there is one at any moment; of several the newest counts. What
 * it means, and when it is written, is service/anchored.h's.
 *
 * In a software token it is a file like others. Process: nfpki-signer only.
 */
#pragma once

#include "pkcs11/key_policy.h"
#include "pkcs11/session.h"

enum {
    ANCHOR_RUN_SIZE = 16,
    ANCHOR_OBJECTS_MAX = 16, /* with more, nothing is destroyed any more: ERR_TOKEN */
};

struct anchor {
    uint8_t run[ANCHOR_RUN_SIZE]; /* who wrote it: random, of one process */
    uint64_t generation;          /* from 1; each one greater than those before it */
    uint64_t size;                /* leaves that a signed checkpoint covers, */
    uint8_t root[32];             /* and the root of the tree over them */
};

bool anchor_equal(const struct anchor *, const struct anchor *);

/*
 * The newest of the key with this CKA_ID, in a logged-in session: of the highest generation, and
 * of two of one generation, which two wrote at the same moment, that of the greater run: each of
 * them comes to the same. *found: there is one. Objects of that name with another value are passed
 * over as long as there is one that can be read; else ERR_TOKEN.
 */
int anchor_read(struct session *, const uint8_t id[KEY_ID_SIZE], bool *found, struct anchor *out,
                struct err *e);

/*
 * Creates this one, in a read/write session, and reads them all again: `newest` gets the newest,
 * which may be somebody else's. When it is this one, all others are destroyed; *left tells how many
 * could not be. ERR_TOKEN names what the token refused.
 */
int anchor_write(struct session *, const uint8_t id[KEY_ID_SIZE], const struct anchor *,
                 struct anchor *newest, size_t *left, struct err *e);
