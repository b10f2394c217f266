/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps.h - the step table: what each kind of ceremony does, in order. The same table prints the
 * plan (`check`), drives the run and is what the verifier compares the transcript with.
 */
#pragma once

#include "ceremony/definition/definition.h"

enum step_id {
    STEP_ENVIRONMENT,
    STEP_PEOPLE,
    STEP_CLOCK,
    STEP_DEFINITION,
    STEP_PREVIOUS,
    STEP_TOKEN,
    STEP_ACTIVATION,
    STEP_KEYS,
    STEP_KEY_CHECKS,
    STEP_REQUESTS,
    STEP_INCOMING,
    STEP_CERTIFICATE,
    STEP_CRL,
    STEP_DEACTIVATION,
    STEP_SEAL,
};

struct step {
    enum step_id id;
    const char *name;    /* in the transcript */
    const char *what;    /* on the screen */
    const char *actor;   /* who acts */
    const char *no_undo; /* what cannot be undone; NULL: nothing */
    unsigned int types;  /* bit 1 << enum ceremony_type */
};

/* Step `i` of this kind of ceremony, counted from 0; NULL behind the last one. */
const struct step *step_at(enum ceremony_type, size_t i);
size_t step_count(enum ceremony_type);
