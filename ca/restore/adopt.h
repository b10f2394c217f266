/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adopt.h - certificates that the record lost, and somebody has: an RA, their holders. What our
 * issuing key signed is ours, wherever it comes from; nothing else is taken.
 */
#pragma once

#include "ca/daemon/daemon.h"
#include "db/issuance/rebuild/rebuild.h"

enum { ADOPT_MAX = 4096 };

struct adopted {
    struct buf der;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    struct span tbs; /* in der */
    time_t not_before;
    time_t not_after;
};
struct adoption {
    struct adopted *all;
    size_t n, capacity;
    size_t n_intended;         /* out of adoption_settle: whose INTENT the record has */
    uint8_t hash[SHA256_SIZE]; /* of the file */
};
void adoption_free(struct adoption *);
/* Certificates in PEM, one behind the other; what is between them is not looked at. ERR_DENIED: one
 * that the issuing key did not sign, or not for a serial number of ours. */
int adoption_read(const char *path, const struct policy *, struct adoption *out, struct err *e);

/* In an operation's run: drops what the record has. ERR_STALE: it has another certificate with that
 * serial number. */
int adoption_settle(struct adoption *, struct store_db *, struct err *e);
/* Is one of them of this serial number? */
bool adoption_has(const struct adoption *, struct span serial);
/* All of them are the record's (restored_adopt). */
int adoption_take(const struct adoption *, struct store_db *, struct rebuild *,
                  struct issuance_when, struct err *e);
