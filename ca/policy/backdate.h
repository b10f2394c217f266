/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backdate.h - from when what is made now is good (RFC 5280 4.1.2.5, 5.1.2.4): a while ago, since
 * clocks of those who verify may be behind, but not before its issuer was. Private to nfpki-ca.
 */
#pragma once

#include "base/ossl.h"

int backdate_begin(const X509 *issuing, int backdate_s, time_t now, time_t *out, struct err *e);
/* Could this notBefore, which an intent may have recorded, be of a judgement at `now` under some
 * configuration? ERR_DENIED; ERR_CRYPTO when the issuer is not valid yet. */
int backdate_check(const X509 *issuing, time_t begin, time_t now, struct err *e);
