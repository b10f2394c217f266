/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/field.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

DEFINE_CLEANUP(time_cleanup, ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free)

void
cmp_fault_text(enum cmp_failure *failure, enum cmp_failure value, struct err *e, const char *fmt,
               ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    *failure = value;
    (void)err_set(e, value == CMP_SYSTEM_FAILURE ? ERR_CRYPTO : ERR_INPUT, "%s", text);
}

struct span
field_span(const ASN1_STRING *s)
{
    return s == NULL ? span_of(NULL, 0)
                     : span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

/* An arc may be a UUID (ITU-T X.667). */
__extension__ typedef unsigned __int128 oid_arc;

static oid_arc
take_arc(const char **p)
{
    oid_arc arc = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        arc = 10 * arc + (unsigned)(**p - '0');
    }
    *p += **p == '.' ? 1 : 0;
    return arc;
}

/* X.690 8.19: seven bits an octet, the first two arcs in one. */
struct span
field_oid(const char *dotted, uint8_t out[FIELD_OID_MAX])
{
    const char *p = dotted;
    oid_arc arc = 40 * take_arc(&p);
    size_t n = 0;

    arc += take_arc(&p);
    for (bool more = true; more; arc = take_arc(&p)) {
        size_t size = 1;

        while (7 * size < 8 * sizeof(arc) && arc >> (7 * size) != 0) {
            size++;
        }
        assert(n + size <= FIELD_OID_MAX); /* it is a constant */
        for (size_t k = size; k > 0; k--) {
            out[n++] = (uint8_t)((arc >> (7 * (k - 1)) & 0x7f) | (k > 1 ? 0x80 : 0));
        }
        more = *p != '\0';
    }
    return span_of(out, n);
}

struct span
field_raw(const ASN1_TYPE *any)
{
    if (any == NULL || (any->type != V_ASN1_SEQUENCE && any->type != V_ASN1_OTHER)) {
        return span_of(NULL, 0);
    }
    return field_span(any->value.asn1_string);
}

bool
field_int(const ASN1_INTEGER *i, int64_t *out)
{
    return i != NULL && ASN1_INTEGER_get_int64(out, i) == 1;
}

/* YYYYMMDDHHMMSS */
enum { WHOLE_SECOND = 14 };

int
field_time(const ASN1_GENERALIZEDTIME *t, time_t *out, struct err *e)
{
    struct span s = field_span(t);
    struct tm tm = {0};

    if (s.n != WHOLE_SECOND + 1 || s.p[s.n - 1] != 'Z' || ASN1_TIME_to_tm(t, &tm) != 1) {
        return err_set(e, ERR_INPUT, "time is not YYYYMMDDHHMMSSZ");
    }
    *out = timegm(&tm);
    return 0;
}

/* ".123Z" */
static bool
is_fraction(struct span s)
{
    if (s.n < sizeof(".1Z") - 1 || s.n > FIELD_FRACTION_MAX + 2 || s.p[0] != '.' ||
        s.p[s.n - 1] != 'Z' || s.p[s.n - 2] == '0') {
        return false;
    }
    for (size_t i = 1; i < s.n - 1; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    return true;
}

int
field_time_fraction(const ASN1_GENERALIZEDTIME *t, time_t *out, struct err *e)
{
    struct span s = field_span(t);
    CLEANUP(time_cleanup) ASN1_GENERALIZEDTIME *whole = NULL;
    char text[WHOLE_SECOND + 2];

    if (s.n <= WHOLE_SECOND + 1) {
        return field_time(t, out, e);
    }
    if (!is_fraction(span_of(s.p + WHOLE_SECOND, s.n - WHOLE_SECOND))) {
        return err_set(e, ERR_INPUT,
                       "time is not YYYYMMDDHHMMSSZ, nor with a fraction in DER (X.690 11.7.3)");
    }
    memcpy(text, s.p, WHOLE_SECOND);
    text[WHOLE_SECOND] = 'Z';
    text[WHOLE_SECOND + 1] = '\0';
    whole = ASN1_GENERALIZEDTIME_new();
    if (whole == NULL || ASN1_STRING_set(whole, text, -1) != 1) {
        return ossl_err(e, ERR_CRYPTO, "GeneralizedTime");
    }
    return field_time(whole, out, e);
}

ASN1_GENERALIZEDTIME *
field_time_new(time_t t, struct err *e)
{
    ASN1_GENERALIZEDTIME *new = ASN1_GENERALIZEDTIME_set(NULL, t);

    if (new == NULL) {
        (void)ossl_err(e, ERR_CRYPTO, "GeneralizedTime");
    }
    return new;
}

void *
field_decode(const ASN1_ITEM *item, struct span der, const char *what, struct err *e)
{
    const unsigned char *p = der.p;
    ASN1_VALUE *object;

    if (der.n == 0 || der.n > INT_MAX) {
        (void)err_set(e, ERR_INPUT, "%s is empty or too long", what);
        return NULL;
    }
    ERR_clear_error();
    object = ASN1_item_d2i(NULL, &p, (long)der.n, item);
    if (object == NULL) {
        (void)ossl_err(e, ossl_code(ERR_INPUT), "%s does not decode", what);
        return NULL;
    }
    if (p != der.p + der.n) {
        (void)err_set(e, ERR_INPUT, "%s has octets behind its end", what);
        ASN1_item_free(object, item);
        return NULL;
    }
    return object;
}

int
field_encode(const ASN1_ITEM *item, const void *object, struct buf *out, struct err *e)
{
    unsigned char *der = NULL;
    int n = ASN1_item_i2d(object, &der, item);
    int result;

    if (n <= 0) {
        return ossl_err(e, ERR_CRYPTO, "encode DER");
    }
    result = buf_append(out, span_of(der, (size_t)n), e);
    OPENSSL_free(der);
    return result;
}
