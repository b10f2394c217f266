/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/name.h"

#include <string.h>

#include "tests/support/test.h"

static void
the_encoding_is_canonical(void **state)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(NAME_DER_MAX);
    struct name name;
    struct name again;
    struct err e = {0};

    (void)state;
    assert_ok(name_set(&name, "SE", "Operator", "Root", &e), &e);
    assert_ok(name_encode(&name, &der, &e), &e);
    assert_true(span_equal(buf_span(&der),
                           SPAN_LITERAL("\x30\x2f\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02SE"
                                        "\x31\x11\x30\x0f\x06\x03\x55\x04\x0a\x0c\x08Operator"
                                        "\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04Root")));
    assert_ok(name_decode(buf_span(&der), &again, &e), &e);
    assert_string_equal(again.country, "SE");
    assert_string_equal(again.organization, "Operator");
    assert_string_equal(again.common_name, "Root");
}

static void
every_other_form_is_refused(void **state)
{
    const struct {
        const char *what;
        struct span der;
    } rows[] = {
        {"country as UTF8String",
         SPAN_LITERAL("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x0c\x02SE")},
        {"O as PrintableString",
         SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x13\x01x")},
        {"O before C", SPAN_LITERAL("\x30\x19\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x"
                                    "\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02SE")},
        {"O twice", SPAN_LITERAL("\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x"
                                 "\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x")},
        {"OU", SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0b\x0c\x01x")},
        {"two in one RDN", SPAN_LITERAL("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"
                                        "\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x")},
        {"a NUL inside", SPAN_LITERAL("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02x\0")},
        {"not UTF-8", SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\xff")},
        {"empty", SPAN_LITERAL("\x30\x00")},
        {"octets behind",
         SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x\x00")},
        {"long length", SPAN_LITERAL("\x30\x81\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x")},
        {"empty value", SPAN_LITERAL("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct name name;
        struct err e = {0};

        if (name_decode(rows[i].der, &name, &e) == 0 || e.code != ERR_INPUT) {
            fail_msg("%s: accepted", rows[i].what);
        }
    }
}

static void
parts_are_checked(void **state)
{
    static const char sixty_five[] =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    struct name name;
    struct err e = {0};

    (void)state;
    assert_err(name_set(&name, "se", NULL, NULL, &e), ERR_INPUT, &e);
    assert_err(name_set(&name, "SWE", NULL, NULL, &e), ERR_INPUT, &e);
    assert_err(name_set(&name, NULL, sixty_five, NULL, &e), ERR_INPUT, &e);
    assert_err(name_set(&name, NULL, " x", NULL, &e), ERR_INPUT, &e);
    assert_err(name_set(&name, NULL, "a\nb", NULL, &e), ERR_INPUT, &e);
    assert_err(name_set(&name, NULL, NULL, "", &e), ERR_INPUT, &e);
    assert_ok(name_set(&name, NULL, sixty_five + 1, "Å", &e), &e);
}

static void
text_is_read_in_order(void **state)
{
    static const char *const bad[] = {"",      "CN=x, O=y", "C=SE,C=SE", "OU=x",     "C",
                                      "O=a=b", "O=a\\,b",   "C=SE,",     "C=SE O=x", "O="};
    struct name name;
    struct err e = {0};

    (void)state;
    assert_ok(name_parse_text("C=SE, O=An Operator,CN=REHEARSAL Root", &name, &e), &e);
    assert_string_equal(name.country, "SE");
    assert_string_equal(name.organization, "An Operator");
    assert_string_equal(name.common_name, "REHEARSAL Root");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (name_parse_text(bad[i], &name, &e) == 0) {
            fail_msg("\"%s\": accepted", bad[i]);
        }
    }
}

static void
comparison_ignores_case_and_string_type(void **state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *a = X509_NAME_new();
    CLEANUP(x509_name_cleanup) X509_NAME *b = X509_NAME_new();
    CLEANUP(mem_cleanup) char *text = NULL;

    (void)state;
    X509_NAME_add_entry_by_txt(a, "O", V_ASN1_UTF8STRING, (const unsigned char *)"An Operator", -1,
                               -1, 0);
    X509_NAME_add_entry_by_txt(b, "O", V_ASN1_PRINTABLESTRING,
                               (const unsigned char *)"an  OPERATOR", -1, -1, 0);
    assert_true(name_equal(a, b));
    X509_NAME_add_entry_by_txt(b, "CN", V_ASN1_UTF8STRING, (const unsigned char *)"x,y", -1, -1, 0);
    assert_false(name_equal(a, b));
    text = name_text(b);
    assert_string_equal(text, "CN=x\\,y,O=an  OPERATOR");
}

static void
add_part(X509_NAME *name, const char *type, const char *value, int set)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
                                                (const unsigned char *)value, -1, -1, set),
                     1);
}

static void
a_name_is_within_its_first_rdns(void **state)
{
    static const struct {
        const char *subtree;
        bool within;
    } rows[] = {
        {"C=SE", true},
        {"O=Vendor,C=SE", true},
        {"CN=a+OU=b,O=Vendor,C=SE", true}, /* an RDN of two parts, whole or not at all */
        {"OU=b,O=Vendor,C=SE", false},
        {"O=Vendor", false},
        {"O=vendor,C=SE", false},
        {"", false},
    };
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    CLEANUP(x509_name_cleanup) X509_NAME *trick = X509_NAME_new();
    CLEANUP(x509_name_cleanup) X509_NAME *empty = X509_NAME_new();

    (void)state;
    add_part(name, "C", "SE", 0);
    add_part(name, "O", "Vendor", 0);
    add_part(name, "OU", "b", 0);
    add_part(name, "CN", "a", -1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (name_is_within(name, rows[i].subtree) != rows[i].within) {
            CLEANUP(mem_cleanup) char *text = name_text(name);

            fail_msg("%s within %s", text, rows[i].subtree);
        }
    }
    /* its text ends with the subtree's, its parts do not */
    add_part(trick, "CN", "x,O=Vendor", 0);
    assert_false(name_is_within(trick, "O=Vendor"));
    assert_false(name_is_within(empty, "O=Vendor"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_encoding_is_canonical),
        cmocka_unit_test(every_other_form_is_refused),
        cmocka_unit_test(parts_are_checked),
        cmocka_unit_test(text_is_read_in_order),
        cmocka_unit_test(comparison_ignores_case_and_string_type),
        cmocka_unit_test(a_name_is_within_its_first_rdns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
