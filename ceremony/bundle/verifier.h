/* SPDX-License-Identifier: Apache-2.0 */
/* verifier.h - a bundle that is being verified: its facts are taken in order, each exactly once. */
#pragma once

#include "ceremony/bundle/bundle.h"

struct verified_key {
    uint8_t id[STATE_KEY_ID_SIZE];
    struct buf spki;
};

struct verifier {
    struct bundle *bundle;
    size_t next; /* record */
    struct verified_key keys[DEFINITION_KEYS_MAX];
    uint8_t secrets[DEFINITION_SECRETS_MAX][STATE_KEY_ID_SIZE];
    char token_serial[DEFINITION_SERIAL_SIZE]; /* from the initialisation, then from the token */
    json_int_t objects, private_keys;          /* on the token at activation */
    struct buf subject_spki;                   /* of what is certified */
    json_t *artifacts;                         /* {"file","sha256"} so far, in order */
};

/* The next record, which must be of this type. Borrowed. NULL + e. */
const json_t *verifier_take(struct verifier *, const char *type, struct err *e);
/* ERR_INPUT "transcript:line: type: what" about the record taken last. Always -1. */
int verifier_bad(const struct verifier *, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the reason that `e` holds already. */
int verifier_wrap(const struct verifier *, struct err *e);
/* A prompt whose answer is exactly `expected` (in a rehearsal: marked as such). */
int verifier_take_prompt(struct verifier *, const char *expected, struct err *e);
/* The artifact `file` with exactly this content; its file in the bundle is compared too. */
int verifier_take_artifact(struct verifier *, const char *file, const char *form,
                           struct span content, struct err *e);
/* The same for whatever content; `content` is replaced. */
int verifier_read_artifact(struct verifier *, const char *file, const char *form,
                           struct buf *content, struct err *e);
