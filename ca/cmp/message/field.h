/* SPDX-License-Identifier: Apache-2.0 */
/* field.h - between the fields of OpenSSL's templates and plain C. Private to this folder. */
#pragma once

#include <time.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/failure.h"

DEFINE_CLEANUP(asn1_type_cleanup, ASN1_TYPE, ASN1_TYPE_free)

/* Sets both reasons; is -1, as err_set() is. */
#define cmp_fault(failure, value, e, ...) (cmp_fault_text((failure), (value), (e), __VA_ARGS__), -1)
void cmp_fault_text(enum cmp_failure *failure, enum cmp_failure value, struct err *e,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Content octets; empty for NULL. */
struct span field_span(const ASN1_STRING *s);
/* Content octets of an object identifier of ours in dotted form, in `out`; needs no memory. */
enum { FIELD_OID_MAX = 32 };
struct span field_oid(const char *dotted, uint8_t out[FIELD_OID_MAX]);
/* All octets of an ANY that is a SEQUENCE or context-specific; empty for another. */
struct span field_raw(const ASN1_TYPE *any);
/* false when it is NULL or does not fit. */
bool field_int(const ASN1_INTEGER *i, int64_t *out);
/* YYYYMMDDHHMMSSZ and nothing else (the DER of RFC 5280 4.1.2.5.2). */
int field_time(const ASN1_GENERALIZEDTIME *t, time_t *out, struct err *e);
/* The same, or with a fraction of a second as DER has it (X.690 11.7.3): a point and digits, of
 * which the last is not 0; at most FIELD_FRACTION_MAX. `out` is the whole second. For what RFC 5280
 * does not rule: messageTime. */
enum { FIELD_FRACTION_MAX = 18 };
int field_time_fraction(const ASN1_GENERALIZEDTIME *t, time_t *out, struct err *e);
ASN1_GENERALIZEDTIME *field_time_new(time_t t, struct err *e) __attribute__((warn_unused_result));

/* Decodes exactly one object that fills `der`; NULL + ERR_INPUT "what". */
void *field_decode(const ASN1_ITEM *item, struct span der, const char *what, struct err *e)
    __attribute__((warn_unused_result));
/* Appends the DER of an object. */
int field_encode(const ASN1_ITEM *item, const void *object, struct buf *out, struct err *e);
