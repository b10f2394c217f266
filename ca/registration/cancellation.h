/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancellation.h - what a registrar signs to end a registration: an envelope (envelope.h) around
 *
 *   {"version":1, "cancel":{"registrationId":"<32 hex>", "time":"2026-11-23T00:00:00Z"}}
 *
 * It names one registration, whose id is the hash of what was registered, so it says nothing about
 * any other, nor about one that follows. An RA may hold it while the CA is away: CANCELLATION_DAYS.
 * Pure and thread-safe.
 */
#pragma once

#include <time.h>

#include "ca/registration/registration.h"

enum {
    CANCELLATION_CMS_MAX = 16 * 1024, /* so that it fits into a leaf of the record */
    CANCELLATION_DAYS = 7,            /* after `time` it is worth nothing any more */
    CANCELLATION_SKEW_S = 300,        /* of a registrar's clock */
};

struct cancellation {
    char registration[REGISTRATION_ID_SIZE];
    time_t time;
};

/* The document. */
char *cancellation_format(const struct cancellation *) OWNED(mem_free);
/* Strict: no duplicate or unknown member, every value checked. ERR_INPUT names the member. */
int cancellation_parse(struct span json, struct cancellation *out, struct err *e);

struct cancellation_signed {
    struct buf cms; /* DER */
    X509 *signer;
    struct cancellation content;
};
void cancellation_signed_free(struct cancellation_signed *);
DEFINE_CLEANUP(cancellation_signed_cleanup, struct cancellation_signed, cancellation_signed_free)

/* An envelope of one of our people whose path is good at `at`, with the document in its window. Not
 * asked here: whether it is a registrar's, and what is registered. ERR_INPUT, ERR_CRYPTO,
 * ERR_DENIED as envelope_open(). */
struct cancellation_signed *cancellation_verify(struct span cms, X509 *issuing, X509 *root,
                                                time_t at, struct err *e)
    OWNED(cancellation_signed_free);
