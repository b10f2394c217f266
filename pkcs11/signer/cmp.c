/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ProtectedPart ::= SEQUENCE { header PKIHeader, body PKIBody } (RFC 9810 5.1.3).
 * The header is decoded in full, because it says who speaks; of the body its kind decides, and what
 * is in it is not looked at.
 */
#include "pkcs11/signer/der.h"
#include "pkcs11/signer/object.h"

enum {
    DIRECTORY_NAME = 0xa4, /* GeneralName [4], explicit because Name is a CHOICE */
    PROTECTION_ALG = 0xa1, /* PKIHeader [1] */
    FIELD_FIRST = 0xa0,    /* PKIHeader [0] .. [8] */
    FIELD_LAST = 0xa8,
    CONTEXT_CONSTRUCTED = 0xa0,
    TAG_NUMBER = 0x1f,
};

static int
check_version(const struct der *pvno, struct err *e)
{
    if (pvno->content.n != 1 || (pvno->content.p[0] != 2 && pvno->content.p[0] != 3)) {
        return err_set(e, ERR_DENIED, "pvno is neither cmp2000 nor cmp2021");
    }
    return 0;
}

static int
check_protection(const struct policy *p, struct span field, struct err *e)
{
    struct der algorithm;

    if (object_der_expect(&field, DER_SEQUENCE, "protectionAlg", &algorithm, e) != 0) {
        return -1;
    }
    if (field.n != 0 || !span_equal(algorithm.whole, key_algorithm_identifier(p->algorithm))) {
        return err_set(e, ERR_DENIED, "protectionAlg is not that of a %s key",
                       key_algorithm_name(p->algorithm));
    }
    return 0;
}

/* The optional fields, each at most once and in order (RFC 9810 5.1.1). */
static int
check_fields(const struct policy *p, struct span fields, struct err *e)
{
    uint8_t previous = FIELD_FIRST - 1;
    bool protected = false;

    while (fields.n > 0) {
        struct der field;

        if (object_der_next(&fields, "header field", &field, e) != 0) {
            return -1;
        }
        if (field.tag <= previous || field.tag > FIELD_LAST) {
            return err_set(e, ERR_INPUT, "a header field with tag 0x%02x out of order", field.tag);
        }
        previous = field.tag;
        if (field.tag == PROTECTION_ALG) {
            protected = true;
            if (check_protection(p, field.content, e) != 0) {
                return -1;
            }
        }
    }
    return protected ? 0 : err_set(e, ERR_DENIED, "no protectionAlg");
}

static int
check_header(const struct policy *p, struct span header, struct err *e)
{
    struct der pvno;
    struct der sender;
    struct der recipient;

    if (object_der_check(header, e) != 0 ||
        object_der_expect(&header, DER_INTEGER, "pvno", &pvno, e) != 0 ||
        object_der_expect(&header, DIRECTORY_NAME, "sender", &sender, e) != 0 ||
        object_der_next(&header, "recipient", &recipient, e) != 0) {
        return err_wrap(e, "PKIHeader");
    }
    if (!span_equal(sender.content, buf_span(&p->sender_name))) {
        return err_set(e, ERR_DENIED, "the sender is not the subject of the RA's certificate");
    }
    return check_version(&pvno, e) != 0 ? -1 : check_fields(p, header, e);
}

static int
check_body(const struct policy *p, const struct der *body, struct err *e)
{
    struct span content = body->content;
    struct der inner;
    unsigned int number = body->tag & TAG_NUMBER;

    if ((body->tag & ~TAG_NUMBER) != CONTEXT_CONSTRUCTED) {
        return err_set(e, ERR_INPUT, "PKIBody has tag 0x%02x", body->tag);
    }
    /* Every choice is explicitly tagged: exactly one element within. */
    if (object_der_next(&content, "PKIBody", &inner, e) != 0) {
        return -1;
    }
    if (content.n != 0) {
        return err_set(e, ERR_INPUT, "octets behind the body");
    }
    if ((p->bodies >> number & 1) == 0) {
        return err_set(e, ERR_DENIED, "the policy does not allow PKIBody [%u]", number);
    }
    return 0;
}

int
object_check_cmp(const struct policy *p, struct span part, struct err *e)
{
    struct der whole;
    struct der header;
    struct der body;

    if (object_der_expect(&part, DER_SEQUENCE, "ProtectedPart", &whole, e) != 0 ||
        object_der_expect(&whole.content, DER_SEQUENCE, "PKIHeader", &header, e) != 0 ||
        object_der_next(&whole.content, "PKIBody", &body, e) != 0) {
        return -1;
    }
    if (part.n != 0 || whole.content.n != 0) {
        return err_set(e, ERR_INPUT, "octets behind the ProtectedPart");
    }
    return check_header(p, header.content, e) != 0 ? -1 : check_body(p, &body, e);
}
