/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - what a ceremony leaves behind, verified without a token: a directory with the
 * definition, the transcript, its head and the artifacts.
 *
 * It shows that the record is whole, follows the step table, and that every signed octet follows
 * from the definition and the recorded facts. It cannot show that the machine told the truth: that
 * rests on the people who were present.
 */
#pragma once

#include "ceremony/definition/definition.h"
#include "ceremony/transcript/plan.h"
#include "ceremony/transcript/state.h"
#include "ceremony/transcript/transcript.h"

#define BUNDLE_DEFINITION "definition.conf"
#define BUNDLE_TRANSCRIPT "transcript.jsonl"
#define BUNDLE_HEAD "head.txt"

struct bundle {
    char *directory;
    struct definition *definition;
    struct transcript *transcript;
    uint8_t head[SHA256_SIZE];
    /* Of what was verified: SHA-256 over a line for each file, as sha256sum prints them in the
     * order of LC_ALL=C. What else lies in the directory is no part of the bundle. */
    uint8_t sha256[SHA256_SIZE];
    bool has_prev;
    uint8_t prev_head[SHA256_SIZE];
    bool rehearsal;
    bool software; /* the token was SoftHSM */
    struct circumstances circumstances;
    struct state before; /* the register, as the previous bundle left it */
    struct state after;
};

void bundle_free(struct bundle *);
/* Loads and verifies everything that the bundle alone can show. ERR_INPUT or ERR_CRYPTO names
 * file:line and the record. */
struct bundle *bundle_load(const char *directory, struct err *e) OWNED(bundle_free);
DEFINE_CLEANUP(bundle_cleanup, struct bundle, bundle_free)

/* `b` continues the line of `prev`: its head, its register, and no rehearsal behind a production
 * ceremony or the other way round. */
int bundle_check_follows(const struct bundle *b, const struct bundle *prev, struct err *e);
