/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outline.h - what is compared of every certificate: where its parts are in its octets (RFC 5280
 * 4.1). No key is decoded and no extension read: certificate.h does, for whoever asks for one.
 */
#pragma once

#include "db/audit/der/der.h"
#include "db/ledger/leaf.h"

/* Borrowed from the DER. */
struct audit_outline {
    struct span tbs;    /* the whole TBSCertificate, as it was signed */
    struct span serial; /* its octets, without the one that says that it is positive */
    struct span issuer; /* a whole Name */
    struct span subject;
    struct span spki; /* the whole SubjectPublicKeyInfo */
    struct span rest; /* what is behind it, which is not looked at: extensions (names.h) */
    char not_before[TIME_TEXT_SIZE];
    char not_after[TIME_TEXT_SIZE];
};

/* ERR_CRYPTO when it is not one certificate. */
int audit_outline_read(struct span der, struct audit_outline *, struct err *e);
/* The octets of an ISSUED leaf. ERR_CRYPTO, too. */
int audit_outline_octets(const struct leaf *, struct buf *der, struct err *e);
