/* SPDX-License-Identifier: Apache-2.0 */
/* wrapping.h - an RA, and others that wrap a message of a network function for it. */
#pragma once

#include "tests/unit/ra/fixture.h"

/* Who signs the wrapper. */
enum wrapped_by {
    OURS, /* an RA of our CA */
    OURS_EXPIRED,
    OUR_NF,
    OUR_REGISTRAR,
    ITSELF,           /* this RA */
    ITSELF_BEFORE,    /* another certificate for its key */
    PARTNER,          /* an RA under an anchor of purpose ra */
    PARTNER_NO_RA,    /* another end entity of it */
    PARTNER_NO_SIGNS, /* a key that may not sign */
    PARTNER_ENDS,     /* its last second is now */
    PARTNER_ENDED,    /* it was the one before */
    PARTNER_BEGINS,
    PARTNER_EARLY,
    VENDOR, /* id-kp-cmcRA under an anchor of another purpose */
    NOBODY, /* self-signed */
    SIGNERS,
};

struct wrapping {
    EVP_PKEY *key; /* of all but our own */
    EVP_PKEY *other_key;
    X509 *of[SIGNERS];
    struct cmp_client nf;
    struct buf inner; /* an ir of it */
    struct cmp_msg *msg;
    struct buf body; /* nested { inner } */
};
extern struct wrapping wrapping;

/* For cmocka: *state is a struct fixture. */
int wrapping_set_up(void **state);
int wrapping_tear_down(void **state);
struct cmp_client wrapping_client(struct fixture *, enum wrapped_by);

/* nested [20] SEQUENCE OF these. */
struct buf wrapping_nest(const struct span *messages, size_t n);
/* As fixture_row(); and the wrapper is kept when it was opened. */
int wrapping_expect(struct fixture *, const struct cmp_client *by, struct span body,
                    const struct fixture_message *, const struct fixture_verdict *,
                    const char *row);
