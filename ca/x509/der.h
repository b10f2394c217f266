/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h - writing and strict reading of DER (X.690 8, 10), as much as certificates need.
 *
 * The writer remembers its first failure: write everything, then ask der_finish() once.
 * The reader takes one element after the other from the front of a span.
 */
#pragma once

#include <time.h>

#include "base/buf.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,     /* implicit primitive [n] is DER_CONTEXT + n */
    DER_CONSTRUCTED = 0xa0, /* constructed [n] is DER_CONSTRUCTED + n */
    DER_DEPTH_MAX = 12,
};

struct der {
    struct buf *out;
    struct err *e;
    int result; /* 0, or -1 after the first failure */
    size_t depth;
    size_t open[DER_DEPTH_MAX]; /* where the content of each open element begins */
};

#define DER_WRITER(out_, e_) ((struct der){.out = (out_), .e = (e_)})

/* Opens a constructed (or wrapping) element; what follows is its content until der_end(). */
void der_begin(struct der *, uint8_t tag);
void der_end(struct der *);
/* A whole primitive element. */
void der_put(struct der *, uint8_t tag, struct span content);
void der_put_str(struct der *, uint8_t tag, const char *text);
/* Octets that are DER already. */
void der_put_raw(struct der *, struct span elements);
/* "2.5.29.15" */
void der_put_oid(struct der *, const char *dotted);
void der_put_uint(struct der *, uint64_t value);
/* A positive integer from big-endian octets without leading zeros. */
void der_put_unsigned(struct der *, struct span octets);
void der_put_true(struct der *);
/* RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from then on. Years 1950..9999. */
void der_put_time(struct der *, time_t);
/* 0 when everything was written and closed; else -1 and the reason is in the writer's `e`. */
int der_finish(struct der *);

/* Takes the element at the front: its tag, content and, when not NULL, all its octets. ERR_INPUT
 * for a truncated element, a high tag number, a length that is not in shortest form. */
int der_take(struct span *in, uint8_t *tag, struct span *content, struct span *whole,
             struct err *e);
/* As der_take, and the tag must be this one. `what` names the element in the reason. */
int der_expect(struct span *in, uint8_t tag, const char *what, struct span *content, struct err *e);
/* ERR_INPUT when something is left. */
int der_empty(struct span in, const char *what, struct err *e);
