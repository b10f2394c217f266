/* SPDX-License-Identifier: Apache-2.0 */
/* purpose.h - the part of certificate.c that knows what an end entity's certificate is good for. */
#pragma once

#include "pkcs11/signer/policy.h"

/* keyUsage within the policy's, a purpose that is not any, wildcards and noRevAvail only where the
 * policy allows them, and else a CRL distribution point. ERR_DENIED. */
int purpose_check(const struct policy *, const X509 *, struct err *e);
