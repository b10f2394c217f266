/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - what requests were made with, octet for octet as it came: leaves name it by its
 * SHA-256, and it is published beside the leaves that do, TILE_WIDTH leaves to a file (tiles.h;
 * db/LEDGER.md, "Messages").
 *
 * A file has, for each of its leaves that names a message, in their order: a length of 4 octets,
 * big endian, and so many octets; a length of 0 says that the CA does not have it, or keeps it back
 * for a secret in it. Pure.
 */
#pragma once

#include "base/ossl.h"
#include "db/ledger/leaf.h"

enum {
    MESSAGE_MAX = 64 * 1024,
    MESSAGES_FILE_MAX = 256 * (4 + MESSAGE_MAX),
};

struct message {
    unsigned leaf; /* that names it, counted within the file */
    enum leaf_kind kind;
    uint8_t sha256[SHA256_SIZE];
    struct span octets; /* borrowed; empty: it is not published */
};

/* Of many leaves. */
struct message_count {
    uint64_t named;
    uint64_t missing; /* is not there */
    uint64_t wrong;   /* another one than its leaf names, or cut */
};

/* Does this leaf name a message? Fills kind and sha256. The octets are of a leaf (leaf_parse()). */
bool message_named(struct span leaf, struct message *out);

/* Two files side by side; begin with `at` 0. */
struct messages {
    struct span entries; /* leaves, each behind a length of 2 octets, */
    unsigned to;         /* of which so many count; 0: all */
    struct span file;
    unsigned at;
};
/* The next leaf that names a message; *more is false behind the last one, and what is left of the
 * file then is of leaves behind these. ERR_CRYPTO: what the file has for it is another one, or is
 * cut; all of `out` but the octets is there all the same. ERR_INPUT: the entries are cut. */
int messages_next(struct messages *, struct message *out, bool *more, struct err *e);

/* Of a file alone: what it has for the next message that a leaf names; `m` says which, and gets its
 * octets. ERR_CRYPTO as above; behind another one it goes on, a cut one stays in front. */
int message_take(struct span *file, struct message *m, struct err *e);

/* Appends what a file has for one message. ERR_INPUT: it is too long. */
int messages_put(struct buf *file, struct span octets, struct err *e);
