/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/own_certificate.h"

#include "base/log.h"
#include "base/ossl.h"
#include "ra/daemon/ra.h"

enum own_certificate_state
own_certificate_at(const struct own_certificate *own, time_t now)
{
    if (now < own->not_before) {
        return OWN_CERTIFICATE_EARLY;
    }
    if (now > own->not_after) {
        return OWN_CERTIFICATE_ENDED;
    }
    return now < own->refused_until ? OWN_CERTIFICATE_REFUSED : OWN_CERTIFICATE_GOOD;
}

static void
say(const struct ra *ra, enum own_certificate_state state)
{
    const char *file = ra->settings->certificate;
    char at[TIME_TEXT_SIZE];

    switch (state) {
    case OWN_CERTIFICATE_GOOD:
        log_event(LOG_INFO, "own-certificate", "%s is good again", file);
        return;
    case OWN_CERTIFICATE_EARLY:
        time_format(ra->own.not_before, at);
        log_event(LOG_ERROR, "own-certificate",
                  "%s begins at %s: look at the clock; nothing is signed until then", file, at);
        return;
    case OWN_CERTIFICATE_ENDED:
        time_format(ra->own.not_after, at);
        log_event(LOG_ERROR, "own-certificate",
                  "%s ended at %s: issue another one (nfpki-cactl issue ra-cmp) and restart; "
                  "nothing is signed until then",
                  file, at);
        return;
    case OWN_CERTIFICATE_REFUSED: /* own_certificate_refused() said it */
        return;
    }
}

enum own_certificate_state
own_certificate_look(struct ra *ra)
{
    const enum own_certificate_state state = own_certificate_at(&ra->own, clock_now());

    /* That a refusal has lapsed says nothing: the CA is asked again. */
    if (state != ra->own.said &&
        !(state == OWN_CERTIFICATE_GOOD && ra->own.said == OWN_CERTIFICATE_REFUSED)) {
        ra->own.said = state;
        say(ra, state);
    }
    return state;
}

void
own_certificate_refused(struct ra *ra, struct span why)
{
    ra->own.refused_until = clock_now() + OWN_CERTIFICATE_RETRY_S;
    if (ra->own.said == OWN_CERTIFICATE_GOOD) {
        ra->own.said = OWN_CERTIFICATE_REFUSED;
        log_event(LOG_ERROR, "own-certificate", "the CA does not accept %s: %.*s",
                  ra->settings->certificate, (int)why.n, (const char *)why.p);
    }
}

void
own_certificate_taken(struct ra *ra)
{
    ra->own.refused_until = 0;
    if (ra->own.said == OWN_CERTIFICATE_REFUSED) {
        ra->own.said = OWN_CERTIFICATE_GOOD;
        say(ra, OWN_CERTIFICATE_GOOD);
    }
}
