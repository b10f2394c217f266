/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/alt_names.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "tests/support/test.h"

/* "DNS:a.example,URI:..." as in openssl-x509v3_config(5); "": none. */
static GENERAL_NAMES *
names(const char *text)
{
    CLEANUP(x509_extension_cleanup) X509_EXTENSION *extension = NULL;
    GENERAL_NAMES *out;

    if (text[0] == '\0') {
        return NULL;
    }
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    if (extension == NULL) {
        fail_msg("%s", text);
    }
    out = X509V3_EXT_d2i(extension);
    assert_non_null(out);
    return out;
}

static void
compare(const char *row, GENERAL_NAMES *a, GENERAL_NAMES *b, bool equal)
{
    if (alt_names_equal(a, b) != equal || alt_names_equal(b, a) != equal) {
        fail_msg("%s: %s", row, equal ? "not equal" : "equal");
    }
}

static void
names_are_equal_by_the_rules_of_their_kind(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } rows[] = {
        {"", "", true},
        {"", "DNS:a.example", false},
        {"DNS:a.example", "DNS:a.example", true},
        {"DNS:a.example", "DNS:A.EXAMPLE", true},
        {"DNS:a.example", "DNS:b.example", false},
        {"DNS:a.example", "DNS:a.exampl", false},
        {"DNS:a.example", "DNS:a.example,DNS:b.example", false},
        {"DNS:a.example,DNS:b.example", "DNS:b.example,DNS:a.example", true},
        {"DNS:a.example", "DNS:a.example,DNS:a.example", true},
        {"email:a@a.example", "email:a@A.example", true},
        {"email:a@a.example", "email:A@a.example", false},
        {"email:a@a.example", "email:ab@a.exampl", false},
        {"email:a@a.example", "email:b@a.example", false},
        {"URI:http://a.example/x", "URI:HTTP://A.example/x", true},
        {"URI:http://a.example/x", "URI:http://a.example/X", false},
        {"URI:http://a.example/x", "URI:http://a.example/xy", false},
        {"URI:http://a.example", "URI:http://A.example", true},
        {"URI:http://me@a.example/", "URI:http://Me@a.example/", false},
        {"URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
         "URI:URN:UUID:9C5B94B1-35AD-49BB-B118-8E8FC24ABF80", true},
        {"URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
         "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf81", false},
        {"URI:urn:uuida:x", "URI:urn:uuida:X", false},
        {"URI:urn:uuid:", "URI:urn:uuid:", true},
        {"URI:urn:uuid:", "URI:URN:UUID:", true},
        {"URI:http:/.a.example", "URI:http:/.A.example", false},
        {"URI:http:x//a.example", "URI:http:x//A.example", false},
        {"URI:urn:nid:a", "URI:URN:nid:a", true},
        {"URI:urn:nid:a", "URI:urn:nid:A", false},
        {"IP:192.0.2.1", "IP:192.0.2.1", true},
        {"IP:192.0.2.1", "IP:192.0.2.2", false},
        {"RID:1.2.3", "RID:1.2.3", true},
        {"RID:1.2.3", "RID:1.2.4", false},
        {"otherName:1.2.3;UTF8:x", "otherName:1.2.3;UTF8:x", true},
        {"otherName:1.2.3;UTF8:x", "otherName:1.2.4;UTF8:x", false},
        {"otherName:1.2.3;UTF8:x", "otherName:1.2.3;IA5:x", false},
        /* the same text as another kind is another name */
        {"DNS:a.example", "email:a.example", false},
        {"DNS:a.example", "URI:a.example", false},
        {"email:a.example", "URI:a.example", false},
        {"IP:97.98.99.100", "DNS:abcd", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(general_names_cleanup) GENERAL_NAMES *a = names(rows[i].a);
        CLEANUP(general_names_cleanup) GENERAL_NAMES *b = names(rows[i].b);
        CLEANUP(mem_cleanup) char *row = mem_printf("%s | %s", rows[i].a, rows[i].b);

        compare(row, a, b, rows[i].equal);
    }
}

/* GeneralNames of exactly these octets. */
static GENERAL_NAMES *
decoded(struct span der)
{
    const unsigned char *p = der.p;
    GENERAL_NAMES *out = d2i_GENERAL_NAMES(NULL, &p, (long)der.n);

    assert_non_null(out);
    return out;
}

/* x400Address holds a SEQUENCE, and others a string: what is read as the wrong one reads elsewhere
 * (CVE-2020-1971, CVE-2023-0286). */
static void
kinds_that_nobody_uses_are_never_taken_for_others(void **state)
{
    const struct {
        const char *name;
        struct span der;
    } rows[] = {
        {"x400Address", SPAN_LITERAL("\x30\x04\xa3\x02\x30\x00")},
        {"x400Address with something", SPAN_LITERAL("\x30\x0a\xa3\x08\x30\x06\x61\x04\x13\x02SE")},
        {"ediPartyName", SPAN_LITERAL("\x30\x07\xa5\x05\xa1\x03\x0c\x01x")},
        {"ediPartyName with an assigner",
         SPAN_LITERAL("\x30\x0c\xa5\x0a\xa0\x03\x0c\x01y\xa1\x03\x0c\x01x")},
        {"directoryName", SPAN_LITERAL("\x30\x04\xa4\x02\x30\x00")},
        {"dNSName", SPAN_LITERAL("\x30\x04\x82\x02\x30\x00")},
        {"iPAddress", SPAN_LITERAL("\x30\x04\x87\x02\x30\x00")},
        {"otherName", SPAN_LITERAL("\x30\x0b\xa0\x09\x06\x02\x2a\x03\xa0\x03\x0c\x01x")},
        {"otherName with a BOOLEAN",
         SPAN_LITERAL("\x30\x0b\xa0\x09\x06\x02\x2a\x03\xa0\x03\x01\x01\xff")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
            CLEANUP(general_names_cleanup) GENERAL_NAMES *a = decoded(rows[i].der);
            CLEANUP(general_names_cleanup) GENERAL_NAMES *b = decoded(rows[k].der);
            CLEANUP(mem_cleanup) char *row = mem_printf("%s | %s", rows[i].name, rows[k].name);

            compare(row, a, b, i == k);
        }
    }
}

static void
too_many_are_equal_to_nothing(void **state)
{
    (void)state;
    for (int n = ALT_NAMES_MAX; n <= ALT_NAMES_MAX + 1; n++) {
        CLEANUP(general_names_cleanup) GENERAL_NAMES *many = names("DNS:a.example");
        CLEANUP(general_names_cleanup) GENERAL_NAMES *one = names("DNS:a.example");

        while (sk_GENERAL_NAME_num(many) < n) {
            CLEANUP(general_names_cleanup) GENERAL_NAMES *more = names("DNS:a.example");

            assert_true(sk_GENERAL_NAME_push(many, sk_GENERAL_NAME_pop(more)) > 0);
        }
        compare("many", many, one, n == ALT_NAMES_MAX);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_equal_by_the_rules_of_their_kind),
        cmocka_unit_test(kinds_that_nobody_uses_are_never_taken_for_others),
        cmocka_unit_test(too_many_are_equal_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
