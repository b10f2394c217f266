/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_certificate.h - is the certificate that the RA signs with good now? When it has ended, has
 * not begun or is revoked, nobody can verify what the RA signs, and the CA takes nothing: that is
 * the RA's own error, logged as such with what to do, and no network function's. Private to ra/; on
 * the loop's thread.
 *
 * By its dates, and by what the CA says (LINK_DEFERRED): that lapses, so that the CA is asked
 * again.
 */
#pragma once

#include <time.h>

#include "base/buf.h"

struct ra;

enum { OWN_CERTIFICATE_RETRY_S = 60 /* Retry-After, while it is not good */ };

enum own_certificate_state {
    OWN_CERTIFICATE_GOOD,
    OWN_CERTIFICATE_EARLY,
    OWN_CERTIFICATE_ENDED,
    OWN_CERTIFICATE_REFUSED, /* by the CA */
};

struct own_certificate {
    time_t not_before; /* by the loader; both are within its validity */
    time_t not_after;
    time_t refused_until;
    enum own_certificate_state said; /* in the log */
};

/* What it is at this time. */
enum own_certificate_state own_certificate_at(const struct own_certificate *, time_t now);
/* What it is now; a change is logged. Called with each message, and now and then without. */
enum own_certificate_state own_certificate_look(struct ra *);
/* The CA does not take it, and why. */
void own_certificate_refused(struct ra *, struct span why);
/* The CA took what it signed. */
void own_certificate_taken(struct ra *);
