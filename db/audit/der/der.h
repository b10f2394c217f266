/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h - one element of DER after the other: what an auditor reads of it at every leaf, without a
 * decoder's tables (X.690 10.1: definite lengths, as short as they can be). Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/ossl.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xa0,
};

/* The content of the element in front, which has this tag; `in` goes on behind it. `whole` (NULL:
 * nobody wants it) is the element. All borrowed. */
bool audit_take(struct span *in, uint8_t tag, struct span *content, struct span *whole);
/* An INTEGER of 0 to 2^32 - 1. */
bool audit_take_number(struct span *in, uint64_t *out);
/* UTCTime or GeneralizedTime as certificates have them: whole seconds, Z (RFC 5280 4.1.2.5). As
 * text, "2026-11-23T20:00:00Z"; that it is a day there is says who reads the text. */
bool audit_take_time(struct span *in, char out[TIME_TEXT_SIZE]);
