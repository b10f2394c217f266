/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.h - certificates and CRLs of any shape, good or bad, as a vendor might make them.
 * Everything aborts the test when it cannot be made.
 */
#pragma once

#include "base/ossl.h"

enum { FORGE_EXTENSIONS_MAX = 16 };

struct forge {
    const char *subject; /* "O=Vendor/CN=Root": the parts in the order of DER; "": none */
    EVP_PKEY *key;
    X509 *issuer; /* NULL: self-signed */
    EVP_PKEY *issuer_key;
    time_t not_before;
    time_t not_after;
    const char *serial;   /* hex; NULL: 1000 */
    const EVP_MD *digest; /* NULL: SHA-256 */
    /* "keyUsage=critical,keyCertSign" as in openssl-x509v3_config(5). subjectKeyIdentifier and
     * authorityKeyIdentifier come of themselves unless they are among them or `bare`. dirName:d is
     * C=SE, O=Vendor; dirName:l has OU=Radio below that. */
    const char *extensions[FORGE_EXTENSIONS_MAX];
    bool bare;
};
X509 *forge_certificate(const struct forge *);

/* basicConstraints and keyUsage of a CA and of an end entity. */
#define FORGE_CA "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"
#define FORGE_LEAF "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"

/* An RSA key of 2048 bits with this exponent, in hex. */
EVP_PKEY *forge_rsa(const char *exponent) OWNED(EVP_PKEY_free);

struct forge_crl {
    X509 *issuer;
    EVP_PKEY *issuer_key;
    time_t this_update;
    time_t next_update; /* 0: none */
    X509 *revoked;      /* NULL: nothing is */
    const EVP_MD *digest;
    const char *number; /* "1"; NULL: none */
    bool number_critical;
    bool no_key_identifier;
    bool version_1;
    const char *extension; /* one more, as above */
};
X509_CRL *forge_crl(const struct forge_crl *);
/* Into a file, DER. */
void forge_crl_write(X509_CRL *, const char *path);
void forge_certificate_write(X509 *, const char *path);
