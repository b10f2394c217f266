/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/der.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LONG = 0x80, LENGTH_MAX = 4, NUMBER_MAX = 4, NEGATIVE = 0x80 };

/* The octets of identifier and length; 0 when they are none that DER has. */
static size_t
read_head(struct span in, uint8_t tag, size_t *n)
{
    size_t octets;

    if (in.n < 2 || in.p[0] != tag) {
        return 0;
    }
    *n = in.p[1];
    if (*n < LONG) {
        return 2;
    }
    octets = *n - LONG;
    if (octets == 0 || octets > LENGTH_MAX || in.n - 2 < octets || in.p[2] == 0) {
        return 0;
    }
    *n = 0;
    for (size_t i = 0; i < octets; i++) {
        *n = *n << 8 | in.p[2 + i];
    }
    return *n < LONG ? 0 : 2 + octets;
}

bool
audit_take(struct span *in, uint8_t tag, struct span *content, struct span *whole)
{
    size_t n = 0;
    const size_t head = read_head(*in, tag, &n);

    if (head == 0 || in->n - head < n) {
        return false;
    }
    *content = span_of(in->p + head, n);
    if (whole != NULL) {
        *whole = span_of(in->p, head + n);
    }
    *in = span_of(in->p + head + n, in->n - head - n);
    return true;
}

bool
audit_take_number(struct span *in, uint64_t *out)
{
    struct span content;

    if (!audit_take(in, DER_INTEGER, &content, NULL) || content.n == 0 ||
        (content.p[0] & NEGATIVE) != 0) {
        return false;
    }
    if (content.p[0] == 0 && content.n > 1) {
        content = span_of(content.p + 1, content.n - 1);
        if ((content.p[0] & NEGATIVE) == 0) {
            return false;
        }
    }
    if (content.n > NUMBER_MAX) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < content.n; i++) {
        *out = *out << 8 | content.p[i];
    }
    return true;
}

static bool
is_time(struct span content, size_t digits)
{
    for (size_t i = 0; i < digits && i < content.n; i++) {
        if (isdigit(content.p[i]) == 0) {
            return false;
        }
    }
    return content.n == digits + 1 && content.p[digits] == 'Z';
}

bool
audit_take_time(struct span *in, char out[TIME_TEXT_SIZE])
{
    static const char form[] = "YYYYMMDDHHMMSS";
    char digits[sizeof(form)];
    struct span content;

    if (audit_take(in, DER_UTC_TIME, &content, NULL)) {
        if (!is_time(content, sizeof(form) - 3)) {
            return false;
        }
        (void)snprintf(digits, sizeof(digits), "%s%.12s", content.p[0] >= '5' ? "19" : "20",
                       (const char *)content.p);
    } else {
        if (!audit_take(in, DER_GENERALIZED_TIME, &content, NULL) ||
            !is_time(content, sizeof(form) - 1)) {
            return false;
        }
        (void)snprintf(digits, sizeof(digits), "%.14s", (const char *)content.p);
    }
    (void)snprintf(out, TIME_TEXT_SIZE, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", digits, digits + 4,
                   digits + 6, digits + 8, digits + 10, digits + 12);
    return true;
}
