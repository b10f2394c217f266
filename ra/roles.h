/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roles.h - who is the holder of a certificate? The RA has no record: the CA is asked over the link
 * (ca/link/PROTOCOL.md, ROLE), and until it has answered nobody is anybody.
 *
 * Does: one question per certificate on its way, answers believed for ROLES_AGE_MS and not beyond a
 * newer CRL, a bound on waiting. Does not: verify a certificate.
 * On the loop's thread; constant space.
 */
#pragma once

#include "base/buf.h"
#include "base/ossl.h"

struct ra;

enum { ROLES_AGE_MS = 60 * 1000, ROLES_WAIT_MS = 10 * 1000, ROLES_MAX = 64 };

enum role {
    ROLE_UNKNOWN, /* the CA did not answer */
    ROLE_NOBODY,
    ROLE_RA,
    ROLE_OFFICER,
    ROLE_REGISTRAR,
};
/* "registrar" */
const char *role_name(enum role);

/* Who waits for an answer: part of the caller's job, untouched until `done`. */
struct role_waiter {
    void (*done)(struct role_waiter *, enum role);
    struct role_waiter *next;
};

struct roles;
/* Tells everybody who waits ROLE_UNKNOWN; when the queue is gone already. */
void roles_free(struct roles *);
struct roles *roles_new(struct ra *) OWNED(roles_free);

/* The role of the certificate with this SHA-256, by an answer that comes now (`anew`: at each TLS
 * connection) or one that is known. `done` is called exactly once, perhaps before this returns. */
void roles_ask(struct roles *, const uint8_t fingerprint[SHA256_SIZE], bool anew,
               struct role_waiter *);
/* `crls` is the hash of the CRLs that count now: when they are others than before, what is known is
 * forgotten. */
void roles_note_crls(struct roles *, const uint8_t crls[SHA256_SIZE]);
