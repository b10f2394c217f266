/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tbs.h - from what was decided to the TBSCertificate that says exactly this.
 *
 * The octets are written by our own DER writer; lint/lint.h reads them back through OpenSSL's
 * parser, so that a fault of one is seen by the other. Pure: the same request gives the same
 * octets.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"
#include "ca/x509/serial.h"

enum {
    TBS_MAX = 16 * 1024, /* the maximum to give `out`; 16 long FQDNs need 6 KiB */
    CRL_URL_MAX = 255,
};

/* Everything is borrowed during the call. */
struct tbs_request {
    const struct profile *profile;
    X509 *issuer;                    /* NULL for a root: it is its own issuer */
    const struct nf_identity *nf;    /* NF profiles; must have passed nf_identity_check() */
    const struct nf_rules *nf_rules; /* under which it passed; NULL: strict */
    const struct name *subject;      /* the other profiles */
    struct span spki;                /* must have passed pubkey_parse() */
    uint8_t serial[SERIAL_SIZE];
    time_t not_before;
    time_t not_after;
    const char *crl_url; /* http: URL in the cRLDistributionPoints; NULL for a root and with the
                            profile's no_rev_avail */
    bool rehearsal;      /* validity of 7 days at most; CN of a CA begins with REHEARSAL_PREFIX */
};

/*
 * Appends the DER TBSCertificate. Checks first what the request alone shows: profile and its fields
 * fit, the serial's form, notBefore and notAfter are within the issuer's (never cut off in
 * silence), validity within the profile's cap, the identity is in form and entitled to the profile
 * (profile/entitlement.h), the key of a kind that the profile takes. ERR_INPUT names the field;
 * ERR_DENIED what policy forbids.
 */
int tbs_build(const struct tbs_request *, struct buf *out, struct err *e);
