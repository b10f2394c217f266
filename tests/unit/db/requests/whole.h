/* SPDX-License-Identifier: Apache-2.0 */
/* whole.h - a sealed ra.db with two rows at least in each table that can have two, made by the
 * verbs alone, and what it was a while before. */
#pragma once

#include "tests/unit/db/requests/verb.h"

enum { WHOLE_REGISTRATIONS = 5, WHOLE_MESSAGES = 10 };

struct whole {
    char *dir;
    char *path;     /* of ra.db */
    char *older;    /* copies: when a part of it was there, */
    char *original; /* and all of it */
};

/* For cmocka: *state is a struct whole, whose store is closed. */
int whole_setup(void **state);
int whole_teardown(void **state);

/* Registration k, of network function whole_nf[k]. */
extern const char *const whole_ids[WHOLE_REGISTRATIONS];
extern const char *const whole_nfs[WHOLE_REGISTRATIONS];
/* What pins registration k. */
struct requests_signer whole_signer(unsigned k);
/* Message n, of the transaction "t<n>", under registration 0 or, when it is 6, 1. */
struct admitting whole_admitting(unsigned n);
const char *whole_registration_of(unsigned n);
const char *whole_vkey(unsigned n);
struct requests_certificate whole_certificate(unsigned n);
/* Admits it, with its head. */
int whole_admit(struct store_db *, void *admitting, struct err *);
