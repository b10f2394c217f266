/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/queue_entry.h"

#include <string.h>

#include "db/audit/der/der.h"

/* Shorter than out, for all of it is. */
static bool
copy(struct span text, char *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~') {
            return false;
        }
        out[i] = (char)text.p[i];
    }
    out[text.n] = '\0';
    return true;
}

static bool
take_time(struct span *in, time_t *out)
{
    char text[TIME_TEXT_SIZE];
    struct err e;

    return in->n > 0 && in->p[0] == DER_GENERALIZED_TIME && audit_take_time(in, text) &&
           time_parse(text, out, &e) == 0;
}

static bool
read_entry(struct span der, struct audit_entry *out)
{
    struct span all;
    struct span registration;
    struct span assurance;
    struct span profile;
    struct span rid;

    if (der.n >= AUDIT_ENTRY_MAX || !audit_take(&der, DER_SEQUENCE, &all, NULL) || der.n != 0 ||
        !audit_take(&all, DER_UTF8_STRING, &registration, NULL) ||
        !audit_take(&all, DER_ENUMERATED, &assurance, NULL) ||
        !audit_take(&all, DER_UTF8_STRING, &profile, NULL) || !take_time(&all, &out->received) ||
        !audit_take(&all, DER_OCTET_STRING, &rid, NULL) || all.n != 0) {
        return false;
    }
    if (!copy(registration, out->registration) || !copy(profile, out->profile) ||
        assurance.n != 1 || assurance.p[0] > 1 || rid.n != SHA256_SIZE) {
        return false;
    }
    out->assurance = assurance.p[0] == 1 ? "signature" : "mac";
    hex_format(rid, out->rid);
    return true;
}

int
audit_entry_read(struct span der, struct audit_entry *out, struct err *e)
{
    return read_entry(der, out) ? 0 : err_set(e, ERR_CRYPTO, "what the RA attested is no entry");
}
