/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renew.h - may the holder of a certificate of ours have another one (RFC 9483 4.1.2 to 4.1.4)?
 *
 * The holder is who ca.db says it is: the certificate that signs leads to its nfInstanceId, and
 * that to the live registration, which says what the new certificate says. Pure, as policy.h.
 * Private to nfpki-ca.
 */
#pragma once

#include "ca/cmp/certreq.h"
#include "ca/trust/trust.h"
#include "db/issuance/issuance.h"

/* nfpki-ca.conf(5). All zero: any time, live certificates only, new keys only, kur only. */
struct renew_rules {
    int window;       /* percent of the lifetime that must have passed */
    int expired_days; /* a certificate that ended at most so many days ago may be updated */
    bool same_key;    /* for a key that the renewed certificate has */
    bool reenrolment; /* cr, p10cr and ir signed with a live certificate */
};

/* Who asks. */
struct renew_request {
    const struct cmp_msg *msg;
    const struct cmp_certreq *asked;
    X509 *signer; /* the protection of msg verified under it */
    const struct issuance_holder *holder;
    const char *registration; /* that the RA names: must be the one that governs */
    bool is_superseded;       /* by a registration that was made to replace the holder's */
    const char *profile;      /* that the RA names */
    const struct trust *trust;
    time_t now;
};

/* What is granted. */
struct renewal {
    const char *profile; /* kur: of the certificate that is updated; else the one that was named */
    bool replaces;       /* it takes the place of the holder's: no use of the registration */
    bool is_update;      /* and supersedes it when it is confirmed */
};

/*
 * 0, or -1 with certRevoked, signerNotTrusted, notAuthorized, badCertId, badCertTemplate.
 * A kur needs the window to be open. cr, p10cr and ir replace the holder's certificate when they
 * ask for its profile within the window, and are one more certificate otherwise.
 */
int renew_judge(const struct renew_rules *, const struct renew_request *, struct renewal *out,
                enum cmp_failure *failure, struct err *e);
