/* SPDX-License-Identifier: Apache-2.0 */
/* revoked.h - a CRL with three entries that may be made. */
#pragma once

#include "ca/x509/tbs/crl.h"
#include "tests/support/pki.h"

/* For cmocka: makes and drops the issuer. */
int revoked_make(void **state);
int revoked_drop(void **state);
extern struct pki *revoked_pki;

extern const struct crl_entry revoked_entries[3];
struct crl_request revoked_request(void);
