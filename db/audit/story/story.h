/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story.h - all leaves about what somebody names: a certificate, request, registration, network
 * function, somebody of the CA's own people, or a leaf. Each is proven to be in the log.
 */
#pragma once

#include "db/audit/mirror/mirror.h"
#include "db/ledger/leaf.h"

enum { STORY_MAX = 4096 };

struct story_leaf {
    uint64_t index;
    struct leaf *leaf;
    struct merkle_proof proof; /* verified against the checkpoint */
};

/* Of the one certificate or request that the story is about: lower-case hex, empty when there is
 * none, or several. */
struct story_names {
    char serial[2 * 64 + 1];
    char rid[2 * 32 + 1];
    char registration[2 * 32 + 1];
    char
        registrar[2 * 64 + 1]; /* serial of the registrar's certificate, of the last REGISTRATION */
};

struct story {
    struct story_names names;
    char status[16];           /* of the certificate, "revoked"; empty */
    struct story_leaf *leaves; /* ascending */
    size_t n;
    size_t capacity;
    struct story_leaf registrar; /* its ISSUED leaf; leaf is NULL when the ledger has none */
};

/* Zeroed is empty; for CLEANUP. */
void story_free(struct story *);

/*
 * What was typed: a leaf index (up to 15 decimal digits), which stands for what that leaf is about;
 * a serial, request (rid) or registration in hex as typed.h takes it; an nfInstanceId; else a part
 * of the subject of somebody of the staff, of whom it is what they did, too. No leaves when there
 * is nothing. ERR_INPUT: too much is about it; ERR_CRYPTO: the mirror was edited.
 */
int story_of(struct mirror *, const char *typed, struct story *, struct err *e);

/* The leaf of this kind that came last, or NULL. */
const struct story_leaf *story_find(const struct story *, enum leaf_kind);

/* Up to 15 decimal digits; hex as typed.h takes it. */
bool story_is_index(const char *typed, uint64_t *index);
bool story_is_hex(const char *typed);

/* One leaf, proven; for who needs another one than those about it. */
int story_leaf_load(struct mirror *, uint64_t index, struct story_leaf *, struct err *e);
void story_leaf_free(struct story_leaf *);
/* The leaf of the ISSUED of the last certificate with this serial (hex, as typed). *found false:
 * none. */
int story_issued(struct mirror *, const char *serial, bool *found, uint64_t *index, struct err *e);
