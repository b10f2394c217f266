/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/der.h"

#include <string.h>

enum { DER_HEADER_MAX = 6 };

bool
der_next(struct span *in, struct der *out)
{
    const uint8_t *p = in->p;
    size_t header = 2;
    size_t n;

    if (in->n < 2 || (p[0] & 0x1fU) == 0x1f) {
        return false;
    }
    n = p[1];
    if (n >= 0x80) {
        size_t octets = n & 0x7fU;

        /* X.690 10.1: definite, in as few octets as can be */
        if (octets == 0 || octets > 4 || in->n < 2 + octets || p[2] == 0) {
            return false;
        }
        n = 0;
        for (size_t i = 0; i < octets; i++) {
            n = n << 8 | p[2 + i];
        }
        header += octets;
        if (n < 0x80) {
            return false;
        }
    }
    if (n > in->n - header) {
        return false;
    }
    out->tag = p[0];
    out->content = span_of(p + header, n);
    out->whole = span_of(p, header + n);
    *in = span_of(p + header + n, in->n - header - n);
    return true;
}

bool
der_only(struct span in, uint8_t tag, struct der *out)
{
    return der_next(&in, out) && out->tag == tag && in.n == 0;
}

static bool
is_canonical_integer(struct span v)
{
    if (v.n == 0) {
        return false;
    }
    /* X.690 8.3.2: the first nine bits are not all the same */
    return v.n == 1 || !((v.p[0] == 0x00 && v.p[1] < 0x80) || (v.p[0] == 0xff && v.p[1] >= 0x80));
}

static bool
is_canonical_bit_string(struct span v)
{
    if (v.n == 0 || v.p[0] > 7 || (v.n == 1 && v.p[0] != 0)) {
        return false;
    }
    /* X.690 11.2.1: unused bits are zero */
    return v.n == 1 || (v.p[v.n - 1] & ((1U << v.p[0]) - 1)) == 0;
}

static bool
is_canonical_oid(struct span v)
{
    bool first = true;

    if (v.n == 0 || (v.p[v.n - 1] & 0x80U) != 0) {
        return false;
    }
    for (size_t i = 0; i < v.n; i++) {
        if (first && v.p[i] == 0x80) {
            return false;
        }
        first = (v.p[i] & 0x80U) == 0;
    }
    return true;
}

static bool
is_canonical_primitive(const struct der *d)
{
    switch (d->tag) {
    case 0x00: /* end of contents: BER only */
    case 0x10: /* SEQUENCE and SET are constructed */
    case 0x11:
        return false;
    case DER_BOOLEAN:
        return d->content.n == 1 && (d->content.p[0] == 0x00 || d->content.p[0] == 0xff);
    case DER_INTEGER:
    case 0x0a: /* ENUMERATED */
        return is_canonical_integer(d->content);
    case DER_BIT_STRING:
        return is_canonical_bit_string(d->content);
    case DER_NULL:
        return d->content.n == 0;
    case DER_OID:
        return is_canonical_oid(d->content);
    default:
        return true;
    }
}

static bool
is_sorted(struct span earlier, struct span later)
{
    int order = memcmp(earlier.p, later.p, earlier.n < later.n ? earlier.n : later.n);

    return order < 0 || (order == 0 && earlier.n <= later.n);
}

static int
check_elements(struct span in, bool sorted, unsigned depth, struct err *e)
{
    struct span before = {0};
    struct der d;

    while (in.n > 0) {
        if (!der_next(&in, &d)) {
            return err_set(e, ERR_INPUT, "tag or length is not DER");
        }
        if ((d.tag & 0x20U) == 0) {
            if (!is_canonical_primitive(&d)) {
                return err_set(e, ERR_INPUT, "value with tag 0x%02x is not DER", d.tag);
            }
        } else {
            /* X.690 10.2: strings of the universal class are primitive, so what is constructed is
             * SEQUENCE, SET, EXTERNAL (8) or EMBEDDED PDV (11) */
            if (d.tag < 0x40 && d.tag != DER_SEQUENCE && d.tag != DER_SET) {
                return err_set(e, ERR_INPUT, "constructed tag 0x%02x is not accepted", d.tag);
            }
            if (depth == 0) {
                return err_set(e, ERR_INPUT, "elements are nested too deep");
            }
            if (check_elements(d.content, d.tag == DER_SET, depth - 1, e) != 0) {
                return -1;
            }
        }
        /* X.690 10.3, 11.6 */
        if (sorted && before.p != NULL && !is_sorted(before, d.whole)) {
            return err_set(e, ERR_INPUT, "elements of a SET are not in DER order");
        }
        before = d.whole;
    }
    return 0;
}

int
der_check(struct span in, unsigned depth_max, struct err *e)
{
    struct span rest = in;
    struct der d;

    if (!der_next(&rest, &d)) {
        return err_set(e, ERR_INPUT, "tag or length is not DER");
    }
    if (rest.n != 0) {
        return err_set(e, ERR_INPUT, "%zu octets behind the end", rest.n);
    }
    return check_elements(in, false, depth_max, e);
}

int
der_append(struct buf *out, uint8_t tag, struct span content, struct err *e)
{
    uint8_t header[DER_HEADER_MAX] = {tag};
    size_t n = 2;

    if (content.n < 0x80) {
        header[1] = (uint8_t)content.n;
    } else {
        size_t octets = 0;

        for (size_t rest = content.n; rest != 0; rest >>= 8) {
            octets++;
        }
        if (octets > 4) {
            return err_set(e, ERR_INPUT, "element of %zu octets is too long", content.n);
        }
        header[1] = (uint8_t)(0x80 | octets);
        for (size_t i = 0; i < octets; i++) {
            header[2 + i] = (uint8_t)(content.n >> (8 * (octets - 1 - i)));
        }
        n += octets;
    }
    if (buf_append(out, span_of(header, n), e) != 0) {
        return -1;
    }
    return content.n == 0 ? 0 : buf_append(out, content, e);
}
