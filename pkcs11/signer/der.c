/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/der.h"

enum { DEPTH_MAX = 32, CONSTRUCTED = 0x20 };

/* The length octets at in->p[1]; `*head` counts identifier and length octets. */
static int
read_length(struct span in, size_t *head, size_t *length)
{
    size_t n_octets;

    if (in.n < 2) {
        return -1;
    }
    *head = 2;
    *length = in.p[1];
    if (*length < 0x80) {
        return 0;
    }
    n_octets = *length & 0x7f;
    if (n_octets == 0 || n_octets > 4 || in.n < 2 + n_octets || in.p[2] == 0) {
        return -1; /* indefinite, too long, or a leading zero */
    }
    *length = 0;
    for (size_t i = 0; i < n_octets; i++) {
        *length = *length << 8 | in.p[2 + i];
    }
    *head = 2 + n_octets;
    return *length < 0x80 ? -1 : 0;
}

int
object_der_next(struct span *in, const char *what, struct der *out, struct err *e)
{
    size_t head = 0;
    size_t length = 0;

    if (read_length(*in, &head, &length) != 0 || length > in->n - head ||
        (in->p[0] & 0x1f) == 0x1f) {
        return err_set(e, ERR_INPUT, "%s: not DER", what);
    }
    out->tag = in->p[0];
    out->content = span_of(in->p + head, length);
    out->whole = span_of(in->p, head + length);
    *in = span_of(in->p + head + length, in->n - head - length);
    return 0;
}

int
object_der_expect(struct span *in, uint8_t tag, const char *what, struct der *out, struct err *e)
{
    if (object_der_next(in, what, out, e) != 0) {
        return -1;
    }
    if (out->tag != tag) {
        return err_set(e, ERR_INPUT, "%s: tag 0x%02x where 0x%02x belongs", what, out->tag, tag);
    }
    return 0;
}

static int
check_level(struct span in, int depth, struct err *e)
{
    struct der element;

    if (depth > DEPTH_MAX) {
        return err_set(e, ERR_INPUT, "nested more than %d levels deep", DEPTH_MAX);
    }
    while (in.n > 0) {
        if (object_der_next(&in, "element", &element, e) != 0) {
            return -1;
        }
        /* TRUE is one octet of ones; FALSE is the default wherever a BOOLEAN stands here, and DER
         * leaves defaults out (X.690 11.1, 11.5). OpenSSL takes and keeps either. */
        if (element.tag == DER_BOOLEAN &&
            (element.content.n != 1 || element.content.p[0] != 0xff)) {
            return err_set(e, ERR_INPUT, "a BOOLEAN that is not the DER of TRUE");
        }
        if ((element.tag & CONSTRUCTED) != 0 && check_level(element.content, depth + 1, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
object_der_check(struct span in, struct err *e)
{
    return check_level(in, 0, e);
}

int
der_wrap_signed(struct span tbs, struct span algorithm, struct buf *out, struct err *e)
{
    static const uint8_t signature[] = {0x03, 0x02, 0x00, 0x00};
    size_t n = tbs.n + algorithm.n + sizeof(signature);
    const uint8_t head[] = {DER_SEQUENCE,      0x84,      (uint8_t)(n >> 24), (uint8_t)(n >> 16),
                            (uint8_t)(n >> 8), (uint8_t)n};

    /* The outer length may be longer than DER wants: only the decoder sees it. */
    if (buf_set(out, span_of(head, sizeof(head)), e) != 0 || buf_append(out, tbs, e) != 0 ||
        buf_append(out, algorithm, e) != 0) {
        return -1;
    }
    return buf_append(out, span_of(signature, sizeof(signature)), e);
}
