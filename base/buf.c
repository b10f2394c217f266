/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants: n <= capacity <= max; p is NULL exactly when capacity is 0; secret bytes are in
 * OPENSSL_secure memory and every release wipes.
 */
#include "base/buf.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct span
span_of(const void *p, size_t n)
{
    return (struct span){p, n};
}

struct span
span_str(const char *s)
{
    return span_of(s, strlen(s));
}

struct span
buf_span(const struct buf *b)
{
    return span_of(b->p, b->n);
}

bool
span_equal(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_equal_secret(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

static void
release(struct buf *b)
{
    if (b->p == NULL) {
        return;
    }
    if (b->secret) {
        OPENSSL_secure_clear_free(b->p, b->capacity);
    } else {
        OPENSSL_clear_free(b->p, b->capacity);
    }
}

/* Allocates, copies, wipes: never realloc, which may leave the old bytes behind. */
static int
reserve(struct buf *b, size_t extra, struct err *e)
{
    size_t capacity = b->capacity == 0 ? 64 : b->capacity;
    uint8_t *larger;

    if (extra > b->max || b->n > b->max - extra) {
        return err_set(e, ERR_INPUT, "more than the allowed %zu octets", b->max);
    }
    if (b->n + extra <= b->capacity) {
        return 0;
    }
    while (capacity < b->n + extra) {
        capacity *= 2;
    }
    capacity = capacity > b->max ? b->max : capacity;
    larger = b->secret ? OPENSSL_secure_zalloc(capacity) : OPENSSL_zalloc(capacity);
    if (larger == NULL) {
        abort();
    }
    if (b->n > 0) {
        memcpy(larger, b->p, b->n);
    }
    release(b);
    b->p = larger;
    b->capacity = capacity;
    return 0;
}

uint8_t *
buf_extend(struct buf *b, size_t n, struct err *e)
{
    uint8_t *start;

    if (reserve(b, n, e) != 0) {
        return NULL;
    }
    start = b->p + b->n;
    b->n += n;
    return start;
}

int
buf_append(struct buf *b, struct span bytes, struct err *e)
{
    uint8_t *to;

    if (bytes.n == 0) {
        return 0;
    }
    to = buf_extend(b, bytes.n, e);
    if (to == NULL) {
        return -1;
    }
    memcpy(to, bytes.p, bytes.n);
    return 0;
}

int
buf_append_str(struct buf *b, const char *s, struct err *e)
{
    return buf_append(b, span_str(s), e);
}

int
buf_set(struct buf *b, struct span bytes, struct err *e)
{
    buf_truncate(b, 0);
    return buf_append(b, bytes, e);
}

void
buf_truncate(struct buf *b, size_t n)
{
    assert(n <= b->n);
    if (b->p != NULL) {
        OPENSSL_cleanse(b->p + n, b->n - n);
    }
    b->n = n;
}

void
buf_consume(struct buf *b, size_t n)
{
    size_t rest;

    assert(n <= b->n);
    if (n == 0) {
        return;
    }
    rest = b->n - n;
    memmove(b->p, b->p + n, rest);
    buf_truncate(b, rest);
}

void
buf_free(struct buf *b)
{
    release(b);
    b->p = NULL;
    b->n = 0;
    b->capacity = 0;
}

void
buf_move(struct buf *to, struct buf *from)
{
    if (to == from) {
        return;
    }
    release(to);
    *to = *from;
    from->p = NULL;
    from->n = 0;
    from->capacity = 0;
}

void
hex_format(struct span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.n; i++) {
        out[2 * i] = digits[bytes.p[i] >> 4];
        out[2 * i + 1] = digits[bytes.p[i] & 15];
    }
    out[2 * bytes.n] = '\0';
}

char *
hex_dup(struct span bytes)
{
    char *text = mem_zalloc(2 * bytes.n + 1, 1);

    hex_format(bytes, text);
    return text;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int
hex_parse(const char *text, uint8_t *out, size_t n, struct err *e)
{
    if (strlen(text) != 2 * n) {
        return err_set(e, ERR_INPUT, "%zu hex digits where %zu are expected", strlen(text), 2 * n);
    }
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return err_set(e, ERR_INPUT, "not a hex digit at position %zu", 2 * i + 1);
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return 0;
}
