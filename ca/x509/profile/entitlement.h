/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entitlement.h - may this network function have a certificate of this profile, and which of its
 * names stand in it? (RFC 9509 5, TS 33.310 6.1.3c.3, TS 33.501 13.1)
 *
 * Asked when a registration comes in, before the TBS is built, and again, by code of its own, when
 * it is linted. Pure.
 */
#pragma once

#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"

/* ERR_DENIED names what of the identity, which has passed nf_identity_check(), does not fit. */
int entitlement_check(const struct profile *, const struct nf_identity *, struct err *e);

/* Does this FQDN of the identity stand in the certificate? A wildcard does under profiles that have
 * one; a TLS server's profile that has none is refused by entitlement_check(). */
bool entitlement_has_fqdn(const struct profile *, const char *fqdn);
