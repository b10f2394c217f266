/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert_policy.h - certificate policies (RFC 5280 4.2.1.4) that an operator puts into certificates:
 * object identifiers under its own enterprise number, without qualifiers. They tell its own relying
 * parties something; nothing here is decided by them. Pure.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum { CERT_POLICIES_MAX = 4, CERT_POLICY_SIZE = 64 /* dotted, with its NUL */ };

/* Is it one: 1.3.6.1.4.1.<enterprise number>.<...>, each arc below 2^28, which is what every
 * decoder reads (Go's crypto/x509 takes 31 bits, others 28)? ERR_INPUT says what is not. */
int cert_policy_check(const char *dotted, struct err *e);
/* Takes over `n` texts, of which none may be twice, into `out`, whose unused members are NULL; the
 * texts are borrowed. ERR_INPUT. */
int cert_policies_take(const char *const *texts, size_t n, const char *out[CERT_POLICIES_MAX],
                       struct err *e);
