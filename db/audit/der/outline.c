/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/outline.h"

enum { NEGATIVE = 0x80 };

static bool
take_serial(struct span *in, struct span *out)
{
    if (!audit_take(in, DER_INTEGER, out, NULL) || out->n == 0 || (out->p[0] & NEGATIVE) != 0) {
        return false;
    }
    if (out->p[0] == 0 && out->n > 1) {
        *out = span_of(out->p + 1, out->n - 1);
        return (out->p[0] & NEGATIVE) != 0;
    }
    return true;
}

/* What follows the key (extensions) is not looked at. */
static bool
read_tbs(struct span tbs, struct audit_outline *out)
{
    struct span content;
    struct span validity;
    const bool good =
        audit_take(&tbs, DER_CONTEXT_0, &content, NULL) && take_serial(&tbs, &out->serial) &&
        audit_take(&tbs, DER_SEQUENCE, &content, NULL) &&
        audit_take(&tbs, DER_SEQUENCE, &content, &out->issuer) &&
        audit_take(&tbs, DER_SEQUENCE, &validity, NULL) &&
        audit_take_time(&validity, out->not_before) && audit_take_time(&validity, out->not_after) &&
        validity.n == 0 && audit_take(&tbs, DER_SEQUENCE, &content, &out->subject) &&
        audit_take(&tbs, DER_SEQUENCE, &content, &out->spki);

    out->rest = tbs;
    return good;
}

static bool
read_certificate(struct span der, struct audit_outline *out)
{
    struct span all;
    struct span content;
    struct span tbs;

    return audit_take(&der, DER_SEQUENCE, &all, NULL) && der.n == 0 &&
           audit_take(&all, DER_SEQUENCE, &tbs, &out->tbs) &&
           audit_take(&all, DER_SEQUENCE, &content, NULL) &&
           audit_take(&all, DER_BIT_STRING, &content, NULL) && all.n == 0 && read_tbs(tbs, out);
}

int
audit_outline_read(struct span der, struct audit_outline *out, struct err *e)
{
    return read_certificate(der, out)
               ? 0
               : err_set(e, ERR_CRYPTO, "what was issued is not one certificate in DER");
}

int
audit_outline_octets(const struct leaf *leaf, struct buf *der, struct err *e)
{
    return base64_parse(leaf_text(leaf, "certificate"), der, e) == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "what was issued is not one certificate in DER: no base64");
}
