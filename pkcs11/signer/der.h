/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h - a strict reader of DER elements (X.690 10.1: definite, shortest lengths), for deciding
 * what is signed without trusting a big parser with it.
 */
#pragma once

#include "base/buf.h"

struct der {
    uint8_t tag; /* the identifier octet; tags above 30 are refused */
    struct span content;
    struct span whole;
};

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_SEQUENCE = 0x30,
};

/* Takes the next element off the front of `in`. ERR_INPUT names `what`. */
int object_der_next(struct span *in, const char *what, struct der *out, struct err *e);
/* The same with a tag that must be. */
int object_der_expect(struct span *in, uint8_t tag, const char *what, struct der *out,
                      struct err *e);
/* Everything in `in` is strict DER, down to the leaves; at most 32 levels. */
int object_der_check(struct span in, struct err *e);
/* SEQUENCE { tbs, algorithm, BIT STRING of one zero octet }: a dummy-signed certificate or CRL. */
int der_wrap_signed(struct span tbs, struct span algorithm, struct buf *out, struct err *e);
