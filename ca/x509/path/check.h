/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - what RFC 5280 asks of a certificate or CRL and OpenSSL's verifier does not, and
 * what bounds the verifier's work. ERR_DENIED with the reason. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

/* Of each certificate that comes from a peer. */
enum {
    PATH_CERTIFICATE_MAX = 16 * 1024, /* octets */
    PATH_EXTENSIONS_MAX = 32,
    PATH_NAMES_MAX = 128,   /* in subjectAltName */
    PATH_SUBTREES_MAX = 64, /* in nameConstraints: names x subtrees is checked by the verifier */
    PATH_POLICIES_MAX = 32, /* in certificatePolicies; the verifier's tree grows with them */
    PATH_MAPPINGS_MAX = 32, /* in policyMappings */
    PATH_RDNS_MAX = 32,     /* parts of the subject's name */
};

/* Before anything else is done with it: all of the limits above, and a key whose use is cheap.
 * policyConstraints without certificatePolicies is refused: OpenSSL 3.0 loses the memory of each,
 * and no path through such a certificate can have a policy. */
int path_check_limits(X509 *certificate, struct err *e);

/* What RFC 5280 forbids, and others' certificates have all the same; each only where an operator
 * names it. */
enum {
    PATH_ALLOW_NO_AKI = 1 << 0,          /* 4.2.1.1, of end entities; path.c looks at it */
    PATH_ALLOW_SERIAL_ZERO = 1 << 1,     /* 4.1.2.2 */
    PATH_ALLOW_SERIAL_NEGATIVE = 1 << 2, /* 4.1.2.2 */
    PATH_ALLOW_SERIAL_21 = 1 << 3,       /* 4.1.2.2: 21 octets, as of twenty random ones */
};

/*
 * A certificate below the anchor. Version 3; a serial number above zero of at most 20 octets
 * (4.1.2.2); no extension twice (4.2); critical or not where that is a MUST; extensions that are
 * for CAs in a CA only; constraints that say something (4.2.1.10, 4.2.1.11), an extendedKeyUsage
 * that does (4.2.1.12), no qualifier that is unknown in critical certificatePolicies (4.2.1.4);
 * names in their form (names.h); a public key of an accepted kind: what
 * pubkey.h accepts for our own certificates, and P-521, Ed25519, Ed448.
 */
int path_check_certificate(X509 *certificate, unsigned allow, struct err *e);

/* An anchor: a CA certificate of version 3 that may sign certificates, with an RSA, EC or EdDSA key
 * (DSA signs no more: FIPS 186-5). */
int path_check_anchor(X509 *certificate, struct err *e);

/*
 * A CRL, whoever issued it. Version 2 with nextUpdate (5.1.2.5), authorityKeyIdentifier (5.2.1) and
 * a cRLNumber of at most 20 octets (5.2.3); no extension twice; critical or not where that is a
 * MUST; a signature algorithm with SHA-256 or better, or EdDSA.
 */
int path_check_crl(X509_CRL *crl, struct err *e);
