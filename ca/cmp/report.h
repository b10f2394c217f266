/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what an RA says of itself (base/tlog/ra_report.h) on its way to the CA.
 *
 *   RaReport ::= SEQUENCE {
 *       text         OCTET STRING (SIZE (1..24576)),
 *       signature    OCTET STRING (SIZE (1..512)),   -- by the RA's key, over the text
 *       certificate  OCTET STRING (SIZE (1..8192))   -- the RA's
 *   }
 *
 * Pure.
 */
#pragma once

#include <openssl/x509.h>

#include "base/buf.h"

enum { CMP_REPORT_MAX = 34 * 1024 };

/* Everything borrowed. */
struct cmp_report {
    struct span text;
    struct span signature;
    struct span certificate;
};

/* Replaces `out` (maximum CMP_REPORT_MAX). ERR_INPUT for what would not be read. */
int cmp_report_encode(const struct cmp_report *, struct buf *out, struct err *e);
/* Strict inverse; `out` borrows from `der`. ERR_INPUT names the field. */
int cmp_report_decode(struct span der, struct cmp_report *out, struct err *e);
/* Is the text a report, signed by the key of this RA, which it names, and meant for the CA whose
 * issuing certificate has this hash? ERR_INPUT, ERR_CRYPTO or ERR_DENIED. */
int cmp_report_verify(const struct cmp_report *, X509 *ra, struct span ca_hash, struct err *e);
