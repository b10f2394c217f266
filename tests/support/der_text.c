/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/der_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
need(bool ok, const char *at)
{
    if (!ok) {
        (void)fprintf(stderr, "support/der_text: at \"%.40s\"\n", at);
        abort();
    }
}

static void
append(struct buf *out, struct span bytes, const char *at)
{
    struct err e = {0};

    need(buf_append(out, bytes, &e) == 0, at);
}

/* The shortest definite length (X.690 10.1). */
static void
append_length(size_t n, struct buf *out, const char *at)
{
    uint8_t octets[1 + sizeof(n)];
    size_t count = 0;

    for (size_t rest = n; n >= 0x80 && rest > 0; rest >>= 8) {
        count++;
    }
    octets[0] = (uint8_t)(count == 0 ? n : 0x80 | count);
    for (size_t i = 0; i < count; i++) {
        octets[1 + i] = (uint8_t)(n >> (8 * (count - 1 - i)));
    }
    append(out, span_of(octets, 1 + count), at);
}

static const char *
append_octet(const char *at, struct buf *out)
{
    const char digits[3] = {at[0], at[1], '\0'};
    char *end;
    uint8_t octet = (uint8_t)strtoul(digits, &end, 16);

    need(end == digits + 2, at);
    append(out, span_of(&octet, 1), at);
    return at + 2;
}

static const char *
repeat(const char *at, struct buf *out)
{
    char *end;
    unsigned long n = strtoul(at + 1, &end, 10);

    need(end != at + 1 && n > 0 && out->n > 0, at);
    for (unsigned long i = 1; i < n; i++) {
        const uint8_t octet = out->p[out->n - 1];

        append(out, span_of(&octet, 1), at);
    }
    return end;
}

/* Up to the brace that closes this level, or the end; returns where it stands. */
static const char *
level(const char *at, struct buf *out)
{
    while (*at != '\0' && *at != '}') {
        if (*at == ' ') {
            at++;
        } else if (*at == '\'') {
            const char *end = strchr(at + 1, '\'');

            need(end != NULL, at);
            append(out, span_of(at + 1, (size_t)(end - at - 1)), at);
            at = end + 1;
        } else if (*at == '*') {
            at = repeat(at, out);
        } else if (*at == '{') {
            CLEANUP(buf_free) struct buf within = BUF_INIT(out->max);
            const char *end = level(at + 1, &within);

            need(*end == '}', at);
            append_length(within.n, out, at);
            append(out, buf_span(&within), at);
            at = end + 1;
        } else {
            at = append_octet(at, out);
        }
    }
    return at;
}

void
der_text(const char *text, struct buf *out)
{
    buf_truncate(out, 0);
    need(*level(text, out) == '\0', text);
}
