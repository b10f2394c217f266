/* SPDX-License-Identifier: Apache-2.0 */
/* tbs_hash.h - SHA-256 of a TBSCertificate, as an INTENT leaf has it. */
#pragma once

#include "base/ossl.h"
#include "tests/support/test.h"

/* mem_free() it. */
static inline char *
test_tbs_hash(X509 *certificate)
{
    unsigned char *der = NULL;
    const int n = i2d_re_X509_tbs(certificate, &der);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_true(n > 0);
    assert_ok(sha256(span_of(der, (size_t)n), hash, &e), &e);
    OPENSSL_free(der);
    return hex_dup(span_of(hash, sizeof(hash)));
}
