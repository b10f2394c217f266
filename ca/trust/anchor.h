/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor.h - could anything verify under this anchor? Private to ca/trust/.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"

/*
 * A throw-away end entity as the anchor would have issued it is verified, but for its signature: so
 * what OpenSSL asks of an anchor is asked here as it is asked of each request (path.h): validity,
 * strength of the key, critical extensions, the form of a CA certificate. And one of the `names`
 * that the operator takes (texts as of name_is_within()) must fit its nameConstraints (RFC 5280
 * 4.2.1.10). ERR_DENIED with the reason; ERR_CRYPTO when it could not be found out.
 * What becomes valid later is no reason: anchor_is_early().
 */
int anchor_check(X509 *anchor, const char *const *names, size_t n_names, time_t now, struct err *e);
bool anchor_is_early(const X509 *anchor, time_t now);
