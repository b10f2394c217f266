/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plmn.h - the identity of a mobile network and the names that belong to it (TS 23.003 2.2, 28.2).
 * Pure; struct plmn is a value.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum {
    PLMN_DOMAIN_SIZE = 34, /* with its NUL */
};

struct plmn {
    char mcc[4];
    char mnc[4]; /* three digits: one of two has a 0 in front, as in the domain */
};

/* ERR_INPUT: the MCC has three digits, the MNC two or three. */
int plmn_set(struct plmn *, const char *mcc, const char *mnc, struct err *e);
bool plmn_equal(const struct plmn *, const struct plmn *);
/* "5gc.mnc012.mcc345.3gppnetwork.org" */
void plmn_domain(const struct plmn *, char out[PLMN_DOMAIN_SIZE]);
/* The PLMN of a SEPP's name in lower case: [labels.]sepp<any>.5gc.mnc<3>.mcc<3>.3gppnetwork.org,
 * the first label perhaps a wildcard. false: it is none. */
bool plmn_of_sepp(const char *fqdn, struct plmn *out);
