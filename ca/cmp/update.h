/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update.h - does a key update request ask for the same identity again (RFC 9483 4.1.3)? Pure.
 */
#pragma once

#include "ca/cmp/certreq.h"

/*
 * `old` is the certificate that protects the kur, which is the one to be updated.
 * -1 with badCertId: the control oldCertId names another one; notAuthorized: the template asks for
 * another subject or subjectAltName (absent ones are unchanged ones).
 */
int cmp_certreq_check_update(const struct cmp_certreq *, X509 *old, enum cmp_failure *failure,
                             struct err *e);
