/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/queue_entry.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"

enum {
    SEQUENCE = 0x30,
    UTF8_STRING = 0x0c,
    ENUMERATED = 0x0a,
    GENERALIZED_TIME = 0x18,
    OCTET_STRING = 0x04,
    LONG = 0x80,     /* a length of 127 at most is one octet, */
    ONE_MORE = 0x81, /* of 255 at most two */
};

/* The content of the element in front. */
static bool
take(struct span *in, uint8_t tag, struct span *content)
{
    size_t head = 2;
    size_t n;

    if (in->n < head || in->p[0] != tag) {
        return false;
    }
    n = in->p[1];
    if (n == ONE_MORE && in->n > head) {
        n = in->p[head++];
        if (n < LONG) {
            return false;
        }
    } else if (n >= LONG) {
        return false;
    }
    if (in->n - head < n) {
        return false;
    }
    *content = span_of(in->p + head, n);
    *in = span_of(in->p + head + n, in->n - head - n);
    return true;
}

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

/* YYYYMMDDHHMMSSZ */
static bool
read_time(struct span content, time_t *out)
{
    char text[TIME_TEXT_SIZE];
    const char *p = (const char *)content.p;
    struct err e;

    if (content.n != sizeof("20261129170000Z") - 1) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%.1s", p, p + 4, p + 6, p + 8,
                   p + 10, p + 12, p + 14);
    return time_parse(text, out, &e) == 0;
}

static bool
read_entry(struct span der, struct audit_entry *out)
{
    struct span all;
    struct span registration;
    struct span assurance;
    struct span profile;
    struct span received;
    struct span rid;

    if (der.n >= AUDIT_ENTRY_MAX || !take(&der, SEQUENCE, &all) || der.n != 0 ||
        !take(&all, UTF8_STRING, &registration) || !take(&all, ENUMERATED, &assurance) ||
        !take(&all, UTF8_STRING, &profile) || !take(&all, GENERALIZED_TIME, &received) ||
        !take(&all, OCTET_STRING, &rid) || all.n != 0) {
        return false;
    }
    if (!copy(registration, out->registration) || !copy(profile, out->profile) ||
        assurance.n != 1 || assurance.p[0] > 1 || !read_time(received, &out->received) ||
        rid.n != SHA256_SIZE) {
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
