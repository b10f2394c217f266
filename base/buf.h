/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - bytes: borrowed (`struct span`) and owned (`struct buf`).
 *
 * A buf has its maximum from birth, never reallocates in place and is wiped when freed or grown, so
 * no PIN is left behind. A secret buf lives in locked memory that core dumps leave out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Borrowed bytes; valid as long as their owner says. */
struct span {
    const uint8_t *p;
    size_t n;
};

/* Owned bytes. All zero is an empty buf with maximum 0. Read `p` and `n` freely, write through the
 * functions only. */
struct buf {
    uint8_t *p;
    size_t n;
    size_t capacity;
    size_t max;
    bool secret;
};

#define SPAN_LITERAL(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})
#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})
#define BUF_SECRET(maximum) ((struct buf){.max = (maximum), .secret = true})

struct span span_of(const void *p, size_t n);
struct span span_str(const char *s);
struct span buf_span(const struct buf *b);
/* Not for secrets: use span_equal_secret(). */
bool span_equal(struct span a, struct span b);
/* Constant time for equal lengths. */
bool span_equal_secret(struct span a, struct span b);

/* Appends; ERR_INPUT when the maximum would be passed, and then nothing is appended. */
int buf_append(struct buf *b, struct span bytes, struct err *e);
int buf_append_str(struct buf *b, const char *s, struct err *e);
/* Makes `n` octets of room at the end, counts them in and returns where they begin; NULL + e. */
uint8_t *buf_extend(struct buf *b, size_t n, struct err *e);
/* Replaces the content. */
int buf_set(struct buf *b, struct span bytes, struct err *e);
/* Keeps the first n octets and wipes the rest. */
void buf_truncate(struct buf *b, size_t n);
/* Drops the first n octets. */
void buf_consume(struct buf *b, size_t n);
/* Wipes and releases; the maximum stays, so the buf can be used again. For CLEANUP too. */
void buf_free(struct buf *b);
/* Moves the content of `from` into `to` (freed first); `from` is empty afterwards. */
void buf_move(struct buf *to, struct buf *from);

/* Lower-case hex with a terminating NUL; `out` holds 2 * bytes.n + 1. */
void hex_format(struct span bytes, char *out);
/* Owned hex text. */
char *hex_dup(struct span bytes) OWNED(mem_free);
/* Exactly 2 * n hex digits of either case into out[n]; ERR_INPUT otherwise. */
int hex_parse(const char *text, uint8_t *out, size_t n, struct err *e);
