/* SPDX-License-Identifier: Apache-2.0 */
/* shipped.h - the profiles that are shipped, and requests of theirs. */
#pragma once

#include "ca/x509/profile/profiles.h"
#include "tests/support/pki.h"

#define DOMAIN "5gc.mnc012.mcc345.3gppnetwork.org"

/* For cmocka: makes and drops them. */
int shipped_make(void **state);
int shipped_drop(void **state);
extern struct pki *shipped_pki;
extern struct profiles *shipped_profiles;
extern EVP_PKEY *shipped_p256;
extern EVP_PKEY *shipped_rsa;

/* Of a network function of this type; a SEPP has its PLMN and a wildcard. */
struct nf_identity shipped_identity(const char *type);
/* As the shipped nf-tls-short would be, were it switched on. */
struct profile shipped_short_lived(void);
