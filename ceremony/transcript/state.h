/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - the register: what a line of ceremonies has made so far. Each bundle carries it from
 * the one before, so that a number is never used twice and a revocation never forgotten.
 */
#pragma once

#include <jansson.h>

#include "ceremony/definition/definition.h"

enum {
    STATE_ISSUED_MAX = 64,
    STATE_KEY_ID_SIZE = 16,
};

struct issued {
    uint8_t serial[SERIAL_SIZE];
    uint8_t spki_sha256[SHA256_SIZE];
    time_t not_after;
};

/* All zero is the register before the first ceremony. */
struct state {
    X509 *root; /* NULL: none yet */
    char token_label[DEFINITION_LABEL_SIZE];
    char token_serial[DEFINITION_SERIAL_SIZE];
    uint8_t key_id[STATE_KEY_ID_SIZE];
    struct issued issued[STATE_ISSUED_MAX]; /* certificates of issuing CAs, also if only intended */
    size_t n_issued;
    uint64_t crl_number; /* of the last CRL that was ever intended; 0: none */
    time_t crl_this_update;
    struct crl_entry revoked[DEFINITION_REVOKED_MAX]; /* ascending */
    size_t n_revoked;
};

/* Frees what `s` holds and makes it empty; for CLEANUP. */
void state_clear(struct state *s);
/* `to` is cleared first. */
void state_copy(struct state *to, const struct state *from);
/* New reference. */
json_t *state_format(const struct state *) __attribute__((warn_unused_result));
/* `out` is cleared first. ERR_INPUT names the member. */
int state_parse(const json_t *, struct state *out, struct err *e);
bool state_equal(const struct state *, const struct state *);

/* The root's SubjectPublicKeyInfo. */
int state_root_spki(const struct state *, struct buf *out, struct err *e);
/* ERR_CONFLICT when the serial or the key was certified before, or is the root's own. */
int state_add_issued(struct state *, const uint8_t serial[SERIAL_SIZE], struct span spki,
                     time_t not_after, struct err *e);
/* Every entry must be of a certificate in the register that is not revoked yet. */
int state_add_revoked(struct state *, const struct crl_entry *entries, size_t n, struct err *e);
