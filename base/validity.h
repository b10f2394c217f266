/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validity.h - is it within its time? Both ends belong to it: a certificate is good through
 * notAfter (RFC 5280 4.1.2.5: "the period of time from notBefore through notAfter, inclusive"), a
 * CRL until the current time is after nextUpdate (6.3.3 (a)(2)). OpenSSL ends both a second
 * earlier.
 */
#pragma once

#include <openssl/x509_vfy.h>
#include <time.h>

#include "base/ossl.h"

int validity_read(const X509 *, time_t *from, time_t *until, struct err *e);
/* false also when there is no reading its times. */
bool validity_has(const X509 *, time_t at);
/* Is `at` after this time (notAfter, nextUpdate)? true for one that cannot be read. */
bool validity_is_past(const ASN1_TIME *, time_t at);

/* For a verify callback, with ok 0: OpenSSL says "expired" in the very second of notAfter or
 * nextUpdate. Then the error is cleared and the answer is to be 1. */
bool validity_is_last_second(X509_STORE_CTX *);
/* A verify callback that does this and nothing else. */
int validity_on_verify(int ok, X509_STORE_CTX *);
