/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrix.h - which purposes, key usages, keys, NF types and validities go together,
 * whatever a file of profiles says (RFC 9509 5: a CA MUST ensure the right ones;
 * TS 33.310 6.1.3c.3).
 *
 * Closed: no CA certificate, no anyExtendedKeyUsage, no purpose of PKI's own processes, one purpose
 * group in a profile, wildcards and PLMN ids for SEPPs only. Pure.
 */
#pragma once

#include "ca/x509/profile/profile.h"

/* Of a network function's profile. ERR_INPUT with the reason; *option is the name of the option in
 * the file that is at fault. */
int profile_matrix_check(const struct profile *, const char **option, struct err *e);

/* "serverAuth" -> its OID, dotted text of an OID -> itself; NULL when it is neither. */
const char *profile_purpose(const char *text);
/* The name of a purpose of the matrix, else `oid` itself. */
const char *profile_purpose_name(const char *oid);
