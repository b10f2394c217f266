/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - a policy of each purpose, and objects that are right under it but for what a row of a
 * table says. Everything is written down in the notation of tests/support/der_text.h.
 */
#pragma once

#include "pkcs11/signer/policy.h"

/* Name with one organizationName. */
#define SCENE_NAME(o) "30{31{30{06{55040a}0c{'" o "'}}}}"
#define SCENE_ISSUER SCENE_NAME("Issuing CA")

#define SCENE_P256 "30{06{2a8648ce3d040302}}"
#define SCENE_P384 "30{06{2a8648ce3d040303}}"
#define SCENE_RSA "30{06{2a864886f70d01010b}0500}"

/* SubjectPublicKeyInfo on P-256; nobody looks whether the point is on the curve. */
#define SCENE_KEY(last) "30{30{06{2a8648ce3d0201}06{2a8648ce3d030107}}03{0004 11*63" last "}}"

/* The issuer's subjectKeyIdentifier, and an authorityKeyIdentifier with another last octet. */
#define SCENE_SKI "a1*19 a2"
#define SCENE_AKI(ski) "30{80{" ski "}}"

/* Extension, not critical and critical. */
#define SCENE_EXTENSION(oid, value) "30{06{" oid "}04{" value "}}"
#define SCENE_CRITICAL(oid, value) "30{06{" oid "}0101ff 04{" value "}}"

/* What a policy of SCENE_DAYS_MAX days allows begins at the second SCENE_FROM, which is
 * '260101000000Z', the issuer's notBefore. */
enum {
    SCENE_FROM = 1767225600,
    SCENE_TO = 1798761600, /* '270101000000Z', the issuer's notAfter */
    SCENE_VALIDITY = 86400 * 100,
};

/* What is there in each place; NULL: what is right, "": nothing. */
struct scene_certificate {
    const char *version, *serial, *algorithm, *issuer, *validity, *subject, *key, *ids;
    const char *key_usage, *basic_constraints, *authority_key, *purposes, *policies, *names;
    const char *points, *more;
    const char *behind; /* the TBSCertificate */
};

/* The policy of a key on P-256 that may sign `purpose`; for an authority, certificates and CRLs. */
struct policy *scene_policy(enum policy_purpose purpose) OWNED(policy_free);

/* TBSCertificate; replaces `out`. */
void scene_certificate(const struct scene_certificate *, struct buf *out);

/* The same of a TBSCertList: NULL is number 1, from SCENE_FROM for a week, without entries. */
struct scene_crl {
    const char *number;  /* octets */
    const char *from;    /* "260101000000Z" */
    const char *entries; /* SCENE_ENTRY */
};
#define SCENE_ENTRY(serial, time) "30{02{" serial "}17{'" time "'}}"
/* TBSCertList; replaces `out`. */
void scene_crl(const struct scene_crl *, struct buf *out);

/* Whether `result` is what a row says: 0 when `reason` is NULL, else -1 with that code and a text
 * that contains the reason. Prints the row's name when not. */
bool scene_expect(const char *row, int result, const struct err *e, enum err_code code,
                  const char *reason);
