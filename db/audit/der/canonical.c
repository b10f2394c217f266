/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/canonical.h"

#include <string.h>

#include "db/audit/der/der.h"

enum {
    BOOLEAN = 0x01,
    NULL_ = 0x05,
    OID = 0x06,
    SET = 0x31,
    CONSTRUCTED = 0x20,
    HIGH_TAG = 0x1f,
    UNIVERSAL = 0xc0, /* no bit of these is set */
    TRUE_ = 0xff,
    SIGN = 0x80,
    DEPTH_MAX = 32,
};

struct walk {
    const uint8_t *begin;
    struct err *e;
};

static int
fault(const struct walk *w, const uint8_t *at, const char *what)
{
    return err_set(w->e, ERR_INPUT, "octet %zu: %s", (size_t)(at - w->begin), what);
}

static int
integer_check(const struct walk *w, struct span n)
{
    if (n.n == 0) {
        return fault(w, n.p, "an INTEGER of no octets");
    }
    return n.n > 1 && ((n.p[0] == 0 && (n.p[1] & SIGN) == 0) ||
                       (n.p[0] == TRUE_ && (n.p[1] & SIGN) != 0))
               ? fault(w, n.p, "an INTEGER with a needless octet (X.690 8.3.2)")
               : 0;
}

static int
bits_check(const struct walk *w, struct span bits)
{
    if (bits.n == 0 || bits.p[0] > 7 || (bits.n == 1 && bits.p[0] != 0)) {
        return fault(w, bits.p, "a BIT STRING of no form (X.690 8.6)");
    }
    return bits.n > 1 && (bits.p[bits.n - 1] & ((1U << bits.p[0]) - 1)) != 0
               ? fault(w, bits.p, "a BIT STRING whose unused bits are not zero (X.690 11.2.1)")
               : 0;
}

static int
oid_check(const struct walk *w, struct span oid)
{
    bool first = true;

    for (size_t i = 0; i < oid.n; i++) {
        if (first && oid.p[i] == SIGN) {
            return fault(w, oid.p + i, "an arc with a needless octet (X.690 8.19.2)");
        }
        first = (oid.p[i] & SIGN) == 0;
    }
    return oid.n > 0 && first ? 0 : fault(w, oid.p, "an object identifier that is cut");
}

static int
primitive_check(const struct walk *w, uint8_t tag, struct span content)
{
    switch (tag) {
    case BOOLEAN:
        return content.n == 1 && (content.p[0] == 0 || content.p[0] == TRUE_)
                   ? 0
                   : fault(w, content.p, "a BOOLEAN that is neither 00 nor ff (X.690 11.1)");
    case NULL_:
        return content.n == 0 ? 0 : fault(w, content.p, "a NULL that has something");
    case DER_INTEGER:
    case DER_ENUMERATED:
        return integer_check(w, content);
    case DER_BIT_STRING:
        return bits_check(w, content);
    case OID:
        return oid_check(w, content);
    default:
        return 0;
    }
}

/* X.690 11.6: by their octets, a shorter one as if zeros followed. */
static bool
is_behind(struct span a, struct span b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int order = memcmp(a.p, b.p, n);

    return order != 0 ? order > 0 : a.n > b.n;
}

static int elements_check(const struct walk *w, struct span in, bool set, int depth);

static int
element_check(const struct walk *w, struct span *in, struct span *whole, int depth)
{
    struct span content;
    const uint8_t tag = in->p[0];

    if ((tag & HIGH_TAG) == HIGH_TAG) {
        return fault(w, in->p, "a tag number above 30");
    }
    if (!audit_take(in, tag, &content, whole)) {
        return fault(w, in->p, "a length that is not as in DER, or too long");
    }
    if ((tag & CONSTRUCTED) != 0) {
        return depth == DEPTH_MAX ? fault(w, content.p, "too deep")
                                  : elements_check(w, content, tag == SET, depth + 1);
    }
    /* Strings, too, are in one piece (X.690 10.2), so nothing else is constructed. */
    return (tag & UNIVERSAL) == 0 ? primitive_check(w, tag, content) : 0;
}

static int
elements_check(const struct walk *w, struct span in, bool set, int depth)
{
    struct span last = {0};

    while (in.n > 0) {
        struct span whole;

        if (element_check(w, &in, &whole, depth) != 0) {
            return -1;
        }
        if (set && last.p != NULL && is_behind(last, whole)) {
            return fault(w, whole.p, "a SET that is not in order (X.690 11.6)");
        }
        last = whole;
    }
    return 0;
}

int
audit_der_canonical(struct span der, struct err *e)
{
    const struct walk w = {.begin = der.p, .e = e};
    struct span whole;
    struct span rest = der;

    if (der.n == 0) {
        return err_set(e, ERR_INPUT, "no octets");
    }
    if (element_check(&w, &rest, &whole, 0) != 0) {
        return -1;
    }
    return rest.n == 0 ? 0 : fault(&w, rest.p, "something is behind it");
}
