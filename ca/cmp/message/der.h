/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h - DER (X.690 10, 11) as octets: is it strict, where are its parts, put a header in front.
 *
 * The templates of asn1.h decode what is inside a message; this looks at the tags and lengths
 * alone, so that parts that stay raw (bodies, certificates, names) are as strict as those that do
 * not.
 */
#pragma once

#include "base/buf.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0xa0, /* constructed, plus the tag number */
};

/* One element: its first octet, its content, and all of it. */
struct der {
    uint8_t tag;
    struct span content;
    struct span whole;
};

/* Takes the first element from `in`. false, and nothing taken, when there is none: end, high tag
 * number, indefinite, not minimal or too long length. */
bool der_next(struct span *in, struct der *out);

/* Exactly one element with this tag and nothing behind it. */
bool der_only(struct span in, uint8_t tag, struct der *out);

/* Exactly one element, strict DER in all constructed parts down to depth_max. ERR_INPUT. Not looked
 * at: the content of OCTET STRINGs and of context-specific primitives. */
int der_check(struct span in, unsigned depth_max, struct err *e);

/* Appends tag, length and content. */
int der_append(struct buf *out, uint8_t tag, struct span content, struct err *e);
