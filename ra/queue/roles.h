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
#include "ra/queue/asks.h"

struct event_base;

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

struct roles_options {
    struct event_base *base;
    /* Sends a question to the CA; `reply` comes later, once, when it returned 0. */
    int (*ask)(void *user, const struct link_message *, ask_reply *reply, void *arg, struct err *e);
    void *user;
    int64_t age_ms; /* 0: ROLES_AGE_MS */
    int wait_ms;    /* 0: ROLES_WAIT_MS */
};

struct roles;
/* Tells everybody who waits ROLE_UNKNOWN; when nobody replies any more. */
void roles_free(struct roles *);
struct roles *roles_new(const struct roles_options *) OWNED(roles_free);
DEFINE_CLEANUP(roles_cleanup, struct roles, roles_free)

/* The role of the certificate with this SHA-256, by an answer that comes now (`anew`: at each TLS
 * connection) or one that is known. `done` is called exactly once, perhaps before this returns. */
void roles_ask(struct roles *, const uint8_t fingerprint[SHA256_SIZE], bool anew,
               struct role_waiter *);
/* `crls` is the hash of the CRLs that count now: when they are others than before, what is known is
 * forgotten. */
void roles_note_crls(struct roles *, const uint8_t crls[SHA256_SIZE]);
