/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approvals.h - two officers who signed one text, without which nfpki-ca does not change what it
 * stands on: the plan of a restore, the acknowledgement of a line.
 */
#pragma once

#include "ca/daemon/daemon.h"

enum { PLAN_DAYS = 7, PLAN_SKEW_S = 300 };

/* What an officer signed. */
struct plan_approval {
    struct buf cms; /* DER */
    struct buf text;
    X509 *officer;
    time_t time; /* of the text */
};
void plan_approval_free(struct plan_approval *);
/* A JSON object of this kind, signed by one of our people, whose path is good now; made in the last
 * PLAN_DAYS. Whether it is what is to be done, and an officer's, is not asked here. ERR_INPUT,
 * ERR_CRYPTO, ERR_DENIED. */
int plan_approval_read(const char *path, const char *kind, const struct policy *, time_t now,
                       struct plan_approval *out, struct err *e);
/* The same of these octets, as they were at `at`. */
int plan_approval_open(struct span cms, const char *kind, const struct policy *, time_t at,
                       struct plan_approval *out, struct err *e);

/* In an operation, or in admit: are both officers by this record, and two persons? ERR_DENIED. */
int plan_approvals_check(struct store_db *, const struct plan_approval approvals[2], struct err *e);
/* The same before the leaf `place`. */
int plan_approvals_check_before(struct store_db *, const struct plan_approval approvals[2],
                                uint64_t place, struct err *e);
