/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope.h - a document that one of our people signed: CMS SignedData (RFC 5652 5) with attached
 * content, exactly one signer, no unsigned attributes, SHA-256 or better, under a certificate that
 * our issuing CA issued itself. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum { ENVELOPE_MAX = 32 * 1024, ENVELOPE_CONTENT_MAX = 16 * 1024 };

struct envelope {
    struct buf cms;     /* DER, whatever came in */
    struct buf content; /* the signed octets */
    X509 *signer;
};
void envelope_free(struct envelope *);
DEFINE_CLEANUP(envelope_cleanup, struct envelope, envelope_free)

struct envelope_rules {
    const char *what; /* in front of every reason: "registration" */
    X509 *issuing;    /* must have issued the signer's certificate, which the CMS carries */
    X509 *root;
    time_t at;
};

/* `cms` is DER, or PEM "CMS"/"PKCS7". The signer is one of our people or processes
 * (PATH_PERSON). Whether the certificate is known and not revoked, and what it may sign, is in the
 * CA's record (db/issuance/role.h) and the CA's to ask. ERR_INPUT for form, ERR_CRYPTO for a
 * signature that does not verify, ERR_DENIED for a signer who may not. */
struct envelope *envelope_open(struct span cms, const struct envelope_rules *, struct err *e)
    OWNED(envelope_free);
