/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/der.h"

#include <assert.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

enum { OID_MAX = 64, LENGTH_MAX = 5 /* 0x84 and four octets */ };

/* Octets of the length field for `n` octets of content, into `out`. */
static size_t
length_format(size_t n, uint8_t out[LENGTH_MAX])
{
    size_t octets = 0;

    if (n < 0x80) {
        out[0] = (uint8_t)n;
        return 1;
    }
    while (octets < 4 && n >> (8 * octets) != 0) {
        octets++;
    }
    out[0] = (uint8_t)(0x80 | octets);
    for (size_t i = 0; i < octets; i++) {
        out[1 + i] = (uint8_t)(n >> (8 * (octets - 1 - i)));
    }
    return 1 + octets;
}

static void
append(struct der *w, const void *p, size_t n)
{
    if (w->result == 0) {
        w->result = buf_append(w->out, span_of(p, n), w->e);
    }
}

void
der_begin(struct der *w, uint8_t tag)
{
    append(w, &tag, 1);
    assert(w->depth < DER_DEPTH_MAX);
    w->open[w->depth] = w->out->n;
    w->depth++;
}

void
der_end(struct der *w)
{
    uint8_t length[LENGTH_MAX];
    size_t start;
    size_t content;
    size_t n;

    assert(w->depth > 0);
    w->depth--;
    if (w->result != 0) {
        return;
    }
    start = w->open[w->depth];
    content = w->out->n - start;
    n = length_format(content, length);
    if (buf_extend(w->out, n, w->e) == NULL) {
        w->result = -1;
        return;
    }
    /* The length is known only now: the content makes room for it. */
    memmove(w->out->p + start + n, w->out->p + start, content);
    memcpy(w->out->p + start, length, n);
}

void
der_put(struct der *w, uint8_t tag, struct span content)
{
    uint8_t head[1 + LENGTH_MAX] = {tag};
    size_t n = length_format(content.n, head + 1);

    append(w, head, 1 + n);
    append(w, content.p, content.n);
}

void
der_put_str(struct der *w, uint8_t tag, const char *text)
{
    der_put(w, tag, span_str(text));
}

void
der_put_raw(struct der *w, struct span elements)
{
    append(w, elements.p, elements.n);
}

void
der_put_oid(struct der *w, const char *dotted)
{
    uint8_t oid[OID_MAX];
    int n = a2d_ASN1_OBJECT(oid, sizeof(oid), dotted, -1);

    /* The text comes from tables of ours. */
    assert(n > 0);
    der_put(w, DER_OID, span_of(oid, (size_t)n));
}

void
der_put_uint(struct der *w, uint64_t value)
{
    uint8_t octets[8];
    size_t skip = 0;

    for (size_t i = 0; i < sizeof(octets); i++) {
        octets[i] = (uint8_t)(value >> (8 * (sizeof(octets) - 1 - i)));
    }
    while (skip < sizeof(octets) - 1 && octets[skip] == 0) {
        skip++;
    }
    der_put_unsigned(w, span_of(octets + skip, sizeof(octets) - skip));
}

void
der_put_unsigned(struct der *w, struct span octets)
{
    der_begin(w, DER_INTEGER);
    if (octets.n > 0 && octets.p[0] >= 0x80) {
        append(w, "", 1); /* keeps it positive */
    }
    append(w, octets.p, octets.n);
    der_end(w);
}

void
der_put_true(struct der *w)
{
    static const uint8_t yes = 0xff;

    der_put(w, DER_BOOLEAN, span_of(&yes, 1));
}

void
der_put_time(struct der *w, time_t t)
{
    struct tm tm;
    char text[80];
    int year;

    if (w->result != 0) {
        return;
    }
    if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 50 || tm.tm_year > 8099) {
        w->result = err_set(w->e, ERR_INPUT, "time outside the years 1950 to 9999");
        return;
    }
    year = tm.tm_year + 1900;
    (void)snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", year, tm.tm_mon + 1, tm.tm_mday,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (year < 2050) {
        der_put_str(w, DER_UTC_TIME, text + 2);
    } else {
        der_put_str(w, DER_GENERALIZED_TIME, text);
    }
}

int
der_finish(struct der *w)
{
    assert(w->depth == 0);
    return w->result;
}

int
der_take(struct span *in, uint8_t *tag, struct span *content, struct span *whole, struct err *e)
{
    size_t head = 2;
    size_t n;

    if (in->n < 2 || (in->p[0] & 0x1f) == 0x1f) {
        return err_set(e, ERR_INPUT, "DER: no element with a low tag number");
    }
    n = in->p[1];
    if (n >= 0x80) {
        size_t octets = n & 0x7f;

        /* X.690 10.1: definite and shortest */
        if (octets == 0 || octets > 4 || in->n < 2 + octets || in->p[2] == 0) {
            return err_set(e, ERR_INPUT, "DER: bad length");
        }
        n = 0;
        for (size_t i = 0; i < octets; i++) {
            n = n << 8 | in->p[2 + i];
        }
        if (n < 0x80) {
            return err_set(e, ERR_INPUT, "DER: length not in shortest form");
        }
        head += octets;
    }
    if (n > in->n - head) {
        return err_set(e, ERR_INPUT, "DER: element cut off");
    }
    *tag = in->p[0];
    *content = span_of(in->p + head, n);
    if (whole != NULL) {
        *whole = span_of(in->p, head + n);
    }
    *in = span_of(in->p + head + n, in->n - head - n);
    return 0;
}

int
der_expect(struct span *in, uint8_t tag, const char *what, struct span *content, struct err *e)
{
    uint8_t found;
    struct span rest = *in;

    if (der_take(&rest, &found, content, NULL, e) != 0) {
        return err_wrap(e, "%s", what);
    }
    if (found != tag) {
        return err_set(e, ERR_INPUT, "%s: tag 0x%02x where 0x%02x belongs", what, found, tag);
    }
    *in = rest;
    return 0;
}

int
der_empty(struct span in, const char *what, struct err *e)
{
    return in.n == 0 ? 0 : err_set(e, ERR_INPUT, "%s: octets behind the end", what);
}
