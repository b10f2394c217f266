/* SPDX-License-Identifier: Apache-2.0 */
/*
 * purpose.h - may a certificate be used for what it is used for: not a CA, keyUsage,
 * extendedKeyUsage. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum path_purpose {
    PATH_REQUESTER, /* signs CMP messages: keyUsage, when there, has digitalSignature (RFC 9483 1.5)
                     */
    PATH_OWN,       /* a certificate of ours signs CMP messages: keyUsage digitalSignature */
    PATH_RA_CMP,    /* our RA: keyUsage digitalSignature, EKU id-kp-cmcRA (RFC 9810 4.5) */
    PATH_PERSON,    /* signs registrations, cancellations, approvals: keyUsage digitalSignature, no
                       subjectAltName, which each network function's has (TS 33.310 6.1.3c.3). Which
                       of them somebody may sign is in the CA's record only (db/issuance/role.h). */
};

/* ERR_DENIED with the reason. */
int path_check_purpose(X509 *leaf, enum path_purpose purpose, struct err *e);
