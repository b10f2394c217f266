/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint.h - the judge between the TBS and the signer: reads the octets back, independent of
 * tbs/tbs.c, and refuses every departure from the profile and from the request.
 *
 * Checked: DER (re-encoding gives the same octets), version, serial, signature algorithm, issuer,
 * validity (form, order, cap, issuer's end), subject, key (kind, strength, equal to the request's),
 * no unique identifiers, and each extension's presence, criticality and exact value, none besides.
 * Then, by what the octets say alone: purposes, key usage, key and NF types that go together, names
 * and wildcards, noRevAvail or a place that tells revocation, but not both.
 */
#pragma once

#include "ca/x509/tbs/tbs.h"

/* `tbs` is a DER TBSCertificate. ERR_DENIED "lint: <field>: ..." when it departs. Call before the
 * signature is asked for, and on signed_tbs() of the finished certificate before it is released. */
int lint_tbs(struct span tbs, const struct tbs_request *expected, struct err *e);
