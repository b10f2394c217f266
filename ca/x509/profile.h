/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - the closed table of what we issue. A certificate has exactly the fields of its
 * profile (TS 33.310 6.1.3c.3 for network functions, 6.1.2 and RFC 5280 4.2.1.9 for the CAs).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum profile_class {
    PROFILE_NF,             /* subject C + O, critical subjectAltName, nfTypes */
    PROFILE_INFRASTRUCTURE, /* of our own processes and officers: subject from C, O, CN */
    PROFILE_ISSUING,        /* CA certificate, pathLenConstraint 0, signed by the root */
    PROFILE_ROOT,           /* self-signed */
};

enum { PROFILE_EKU_MAX = 2, REHEARSAL_DAYS_MAX = 7 };
/* Stands in front of the CN of every CA certificate that a rehearsal makes. */
#define REHEARSAL_PREFIX "REHEARSAL "

struct profile {
    const char *name; /* "nf-tls" */
    enum profile_class class;
    const char *eku[PROFILE_EKU_MAX]; /* dotted, in the order of the extension; NULL: no more */
    bool server;                      /* an FQDN is needed (TS 33.310 6.1.3c.3) */
    int max_days;                     /* hard cap of validity, whatever else allows more */
};

/* nf-tls-server nf-tls-client nf-tls ra-cmp registrar officer issuing root; NULL when there is
 * none. */
const struct profile *profile_by_name(const char *name);
/* The table in order, for lists; NULL behind the end. */
const struct profile *profile_at(size_t i);
/* An end entity profile that a registration may name. */
bool profile_is_nf(const struct profile *);
bool profile_is_ca(const struct profile *);
