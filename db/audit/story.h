/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story.h - all leaves about one certificate, request or registration: what `show` shows.
 *
 * A few walks over the ledger instead of an index in memory: the first finds out what the name
 * stands for, the next ones collect until no new name is learnt, the last one adds the certificate
 * of the registrar. Each walk verifies what it reads.
 */
#pragma once

#include "db/audit/files.h"
#include "db/audit/status.h"

enum { STORY_MAX = 4096 };

/* Lower-case hex of what is looked for; empty when it is not known. */
struct story_names {
    char serial[2 * 64 + 1];
    char rid[2 * 32 + 1];
    char registration[2 * 32 + 1];
    char head[2 * 32 + 1];      /* of the RA's queue that the request is under */
    char registrar[2 * 64 + 1]; /* serial of the registrar's certificate */
};

struct story_leaf {
    uint64_t index;
    struct leaf *leaf;
    struct merkle_proof proof; /* verified against the checkpoint */
};

struct story {
    struct story_names names;
    struct story_leaf *leaves; /* ascending */
    size_t n;
    size_t capacity;
    struct story_leaf registrar; /* its ISSUED leaf; leaf is NULL when the ledger has none */
    enum audit_status status;    /* when there is a serial */
};

/* Zeroed is empty; for CLEANUP. */
void story_free(struct story *);

/* What was typed: a leaf index (up to 15 decimal digits), or a serial, a request (rid) or a
 * registration in hex as typed.h takes it. */
struct story_target {
    bool is_index;
    uint64_t index;
    char hex[2 * 64 + 1];
};
int story_target_parse(const char *text, struct story_target *, struct err *e);

/* For the first walk: told of every leaf, notes what the target stands for. `found` once true stays
 * true. */
struct story_search {
    struct story_target target;
    struct story_names names;
    bool by_registration; /* the target is a registration: everything under it is wanted */
    bool found;
};
void story_search(struct story_search *, uint64_t index, const struct leaf *);

/* The other walks. */
int story_collect(struct audit_log *, const struct story_search *, struct story *, struct err *e);
/* The leaf of this kind that came last, or NULL. */
const struct story_leaf *story_find(const struct story *, enum leaf_kind);
