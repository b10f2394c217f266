/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - the verifier's side of each step: takes the step's facts in order. */
#pragma once

#include "ceremony/bundle/verifier.h"
#include "ceremony/definition/steps.h"

/* Attributes and probes as ceremony policy wants them (keys.c). */
int verifier_take_attributes(struct verifier *, const char *label, const char *policy,
                             enum pubkey_kind kind, const uint8_t id[STATE_KEY_ID_SIZE],
                             struct err *e);
/* The next fact: what the token was asked to do with this key, and refused. Borrowed. NULL + e. */
const json_t *verifier_take_probes(struct verifier *, const char *label, struct err *e);
/* Each of `probes` is among those made. */
int verifier_want_probes(const struct verifier *, const json_t *made, const char *const *probes,
                         size_t n, struct err *e);
int verifier_keys(struct verifier *, struct err *e);
int verifier_key_checks(struct verifier *, struct err *e);

/* Secret keys, after the pairs in the same steps (secrets.c). */
int verifier_secrets(struct verifier *, struct err *e);
int verifier_secret_checks(struct verifier *, struct err *e);

/* What was signed (signed.c). */
int verifier_requests(struct verifier *, struct err *e);
int verifier_incoming(struct verifier *, struct err *e);
int verifier_certificate(struct verifier *, struct err *e);
int verifier_crl(struct verifier *, struct err *e);

/* Everything else (steps.c). */
int verifier_step(struct verifier *, enum step_id, struct err *e);
