/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again.h - what this key was asked for before, and may not be asked for otherwise: a serial number
 * has one certificate, and CRLs go on in number and time. The journal tells it at each start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

enum {
    AGAIN_SERIAL = 16,
    AGAIN_HASH = 32,
    AGAIN_WINDOW = 65536,      /* certificates that are remembered, the newest */
    AGAIN_CRL_STEP = 1 << 20,  /* by which a number may grow: no one can make the last of all */
    AGAIN_AHEAD_S = 24 * 3600, /* of this clock, for the same reason */
};

/* Of a CRL. */
struct crl_head {
    uint64_t number;
    int64_t this_update;
    uint8_t hash[AGAIN_HASH]; /* SHA-256 of the TBSCertList */
};

struct again;
void again_free(struct again *);
struct again *again_new(void) OWNED(again_free);
DEFINE_CLEANUP(again_cleanup, struct again, again_free)

/* The same octets may be signed again: after a crash they are. ERR_DENIED names serial or number.
 */
int again_check_certificate(const struct again *, const uint8_t serial[AGAIN_SERIAL],
                            const uint8_t hash[AGAIN_HASH], struct err *e);
int again_check_crl(const struct again *, const struct crl_head *, time_t now, struct err *e);
void again_add_certificate(struct again *, const uint8_t serial[AGAIN_SERIAL],
                           const uint8_t hash[AGAIN_HASH]);
void again_add_crl(struct again *, const struct crl_head *);

/* What is remembered, to be added to another one: each certificate, oldest first, and the last CRL;
 * NULL: there is none. */
size_t again_count(const struct again *);
int again_each(const struct again *,
               int (*visit)(void *arg, const uint8_t serial[AGAIN_SERIAL],
                            const uint8_t hash[AGAIN_HASH], struct err *e),
               void *arg, struct err *e);
const struct crl_head *again_crl(const struct again *);
