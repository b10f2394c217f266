/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/canonical.h"

#include <string.h>

#include "tests/support/test.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static void
what_is_der_is_taken(void **state)
{
    static const struct span good[] = {
        BYTES("\x05\x00"),     /* NULL */
        BYTES("\x01\x01\x00"), /* BOOLEAN */
        BYTES("\x01\x01\xff"),
        BYTES("\x02\x01\x00"), /* INTEGER */
        BYTES("\x02\x02\x00\x80"),
        BYTES("\x02\x02\xff\x7f"),
        BYTES("\x0a\x01\x05"), /* ENUMERATED */
        BYTES("\x03\x01\x00"), /* BIT STRING */
        BYTES("\x03\x02\x07\x80"),
        BYTES("\x06\x03\x55\x1d\x0f"),             /* OBJECT IDENTIFIER */
        BYTES("\x30\x06\x02\x01\x01\x02\x01\x00"), /* SEQUENCE, in any order */
        BYTES("\x31\x06\x02\x01\x00\x02\x01\x01"), /* SET OF, in order */
        BYTES("\x31\x08\x04\x01\x01\x04\x03\x01\x00\x00"),
        BYTES("\x80\x01\x07"), /* [0], of what kind is not seen */
        BYTES("\x16\x03zzz"),
    };
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (audit_der_canonical(good[i], &e) != 0) {
            fail_msg("%zu: %s", i, e.text);
        }
    }
}

static void
what_is_not_is_named(void **state)
{
    static const struct {
        struct span octets;
        const char *says;
    } bad[] = {
        {BYTES(""), "no octets"},
        {BYTES("\x05\x00\x05"), "octet 2: something is behind it"},
        {BYTES("\x05\x01\x00"), "octet 2: a NULL that has something"},
        {BYTES("\x01\x01\x01"), "octet 2: a BOOLEAN that is neither 00 nor ff"},
        {BYTES("\x01\x02\xff\xff"), "a BOOLEAN"},
        {BYTES("\x02\x00"), "an INTEGER of no octets"},
        {BYTES("\x02\x02\x00\x7f"), "an INTEGER with a needless octet"},
        {BYTES("\x02\x02\xff\x80"), "an INTEGER with a needless octet"},
        {BYTES("\x0a\x02\x00\x01"), "an INTEGER with a needless octet"},
        {BYTES("\x03\x00"), "a BIT STRING of no form"},
        {BYTES("\x03\x02\x08\x00"), "a BIT STRING of no form"},
        {BYTES("\x03\x01\x01"), "a BIT STRING of no form"},
        {BYTES("\x03\x02\x07\xc0"), "unused bits are not zero"},
        {BYTES("\x06\x00"), "an object identifier that is cut"},
        {BYTES("\x06\x02\x55\x81"), "an object identifier that is cut"},
        {BYTES("\x06\x03\x55\x80\x01"), "an arc with a needless octet"},
        {BYTES("\x1f\x22\x00"), "octet 0: a tag number above 30"},
        {BYTES("\x30\x03\x02\x02\x00"), "octet 2: a length that is not as in DER"},
        {BYTES("\x04\x81\x01\x00"), "a length that is not as in DER"},
        {BYTES("\x30\x80\x00\x00"), "a length that is not as in DER"},
        {BYTES("\x31\x06\x02\x01\x01\x02\x01\x00"), "octet 5: a SET that is not in order"},
        {BYTES("\x31\x05\x04\x01\x02\x04\x00"), "a SET that is not in order"},
    };
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(audit_der_canonical(bad[i].octets, &e), -1);
        assert_int_equal(e.code, ERR_INPUT);
        if (strstr(e.text, bad[i].says) == NULL) {
            fail_msg("%zu: %s", i, e.text);
        }
    }
}

static void
what_is_too_deep_is_left(void **state)
{
    uint8_t nested[2 * 40];
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(nested); i += 2) {
        nested[i] = 0x30;
        nested[i + 1] = (uint8_t)(sizeof(nested) - i - 2);
    }
    assert_int_equal(audit_der_canonical(span_of(nested, sizeof(nested)), &e), -1);
    assert_non_null(strstr(e.text, "too deep"));
    assert_ok(audit_der_canonical(span_of(nested + 20, sizeof(nested) - 20), &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_der_is_taken),
        cmocka_unit_test(what_is_not_is_named),
        cmocka_unit_test(what_is_too_deep_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
