/* SPDX-License-Identifier: Apache-2.0 */
/* lint_extensions.h - the part of the linter that knows the extensions; called by lint.c only. */
#pragma once

#include "ca/x509/tbs.h"

/* Every extension of the profile is there once, critical or not as it must be, with exactly the
 * value that follows from the request; and there is no other one. */
int lint_extensions(X509 *certificate, const struct tbs_request *expected, struct err *e);

/* ERR_DENIED "lint: field: why"; returns -1. */
int lint_departs(struct err *e, const char *field, const char *why);
