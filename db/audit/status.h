/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - what became of a certificate, leaf by leaf. */
#pragma once

#include "db/ledger/leaf.h"

enum audit_status {
    AUDIT_PENDING,   /* intended, not issued yet */
    AUDIT_ISSUED,    /* signed, not confirmed yet */
    AUDIT_CONFIRMED, /* the end entity has it */
    AUDIT_REJECTED,  /* the end entity did not want it, or the intent was given up */
    AUDIT_REVOKED,
};
const char *audit_status_name(enum audit_status);
/* The status after this leaf, which is about the certificate. */
enum audit_status audit_status_next(enum audit_status, enum leaf_kind);
