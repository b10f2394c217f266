/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/echo.h"

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/msg.h"
#include "ca/cmp/protection/check.h"

enum {
    OCTET_STRING = 0x04,
    LENGTH_LONG = 0x80,
    LENGTH_OCTETS_MAX = 4,
    TRANSACTION_ID = DER_CONTEXT | 4,
    SENDER_NONCE = DER_CONTEXT | 5,
    DIRECTORY_NAME = DER_CONTEXT | 4,
};

/* What is behind the tag and the length of the PKIMessage. The length itself may be wrong: the
 * message was cut, or something is behind it. */
static struct span
inside(struct span octets)
{
    size_t head = 2;

    if (octets.n < head || octets.p[0] != DER_SEQUENCE) {
        return span_of(NULL, 0);
    }
    if ((octets.p[1] & LENGTH_LONG) != 0) {
        size_t more = octets.p[1] & ~(unsigned)LENGTH_LONG;

        if (more == 0 || more > LENGTH_OCTETS_MAX) {
            return span_of(NULL, 0);
        }
        head += more;
    }
    return octets.n < head ? span_of(NULL, 0) : span_of(octets.p + head, octets.n - head);
}

/* [n] EXPLICIT OCTET STRING */
static struct span
identifier(const struct der *field)
{
    struct der string;

    return der_only(field->content, OCTET_STRING, &string) && string.content.n <= CMP_ID_MAX
               ? string.content
               : span_of(NULL, 0);
}

static int
version(const struct der *pvno)
{
    return pvno->content.n == 1 && pvno->content.p[0] == CMP_PVNO_2021 ? CMP_PVNO_2021
                                                                       : CMP_PVNO_2000;
}

void
cmp_echo_read(struct span octets, size_t max, struct cmp_echo *out)
{
    struct span rest = inside(octets);
    struct der header;
    struct der pvno;
    struct der sender;
    struct der field;
    struct err e;

    *out = (struct cmp_echo){.pvno = CMP_PVNO_2000};
    if (!der_next(&rest, &header) || header.tag != DER_SEQUENCE || header.whole.n > max ||
        !der_next(&header.content, &pvno) || pvno.tag != DER_INTEGER ||
        !der_next(&header.content, &sender) || !der_next(&header.content, &field)) {
        return;
    }
    out->pvno = version(&pvno);
    if (sender.tag == DIRECTORY_NAME && der_check(sender.whole, CMP_DEPTH_MAX, &e) == 0) {
        out->sender = sender.whole;
    }
    while (der_next(&header.content, &field)) {
        if (field.tag == TRANSACTION_ID) {
            out->transaction_id = identifier(&field);
        } else if (field.tag == SENDER_NONCE) {
            out->sender_nonce = identifier(&field);
        }
    }
}
