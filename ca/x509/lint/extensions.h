/* SPDX-License-Identifier: Apache-2.0 */
/* extensions.h - the parts of the linter that know the extensions; called by lint.c only. */
#pragma once

#include "ca/x509/tbs/tbs.h"

/* Every extension of the profile is there once, critical or not as it must be, with exactly the
 * value that follows from the request; and there is no other one. */
int lint_extensions(X509 *certificate, const struct tbs_request *expected, struct err *e);

/* purpose.c: keyUsage, extendedKeyUsage, entitlement, kind of the key, and how revocation is
 * told go together. `key` is the certificate's. */
int lint_purpose(X509 *certificate, EVP_PKEY *key, const struct tbs_request *expected,
                 struct err *e);
/* names.c: the subjectAltName of a network function. */
int lint_names(X509 *certificate, const struct tbs_request *expected, struct err *e);

/* ERR_DENIED "lint: field: why"; returns -1. */
int lint_departs(struct err *e, const char *field, const char *why);
