/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wish.h - the extensions that a request asks for. None of them gets into a certificate; what they
 * say may be a reason to refuse it. Pure.
 */
#pragma once

#include <openssl/x509v3.h>

#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"

/*
 * nfTypes must be some of the registered ones (RFC 9310 5: access is decided by them): ERR_DENIED.
 * Under a profile with reject_unknown also: no extension that certificates of network functions do
 * not have, no purpose and no key usage that the profile has not, no CA: ERR_INPUT names the
 * extension. Without it they are passed over (RFC 9810 5.3.1: the CA may change what is asked for).
 * The subjectAltName is the RA's to compare. `extensions` may be NULL.
 */
int wish_check(const struct profile *, const struct nf_identity *,
               const STACK_OF(X509_EXTENSION) * extensions, struct err *e);
