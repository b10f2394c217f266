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
    static const char form[] = "attribute, order or string type not as C, O, CN";
    const struct {
        const char *what;
        struct span der;
        const char *says;
    } rows[] = {
        {"an attribute outside of X.520",
         SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x56\x04\x03\x0c\x01x"),
         "an attribute besides C, O, CN"},
        {"an attribute of X.521",
         SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x05\x03\x0c\x01x"),
         "an attribute besides C, O, CN"},
        {"an arc more", SPAN_LITERAL("\x30\x0d\x31\x0b\x30\x09\x06\x04\x55\x04\x03\x01\x0c\x01x"),
         "an attribute besides C, O, CN"},
        {"an arc less", SPAN_LITERAL("\x30\x0b\x31\x09\x30\x07\x06\x02\x55\x04\x0c\x01x"),
         "an attribute besides C, O, CN"},
        {"a SEQUENCE for a SET",
         SPAN_LITERAL("\x30\x0c\x30\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"), "name"},
        {"something behind the value",
         SPAN_LITERAL("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x01x\x05\x00"), "name"},
        {"country as UTF8String",
         SPAN_LITERAL("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x0c\x02SE"), form},
        {"O as PrintableString",
         SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x13\x01x"), form},
        {"O before C",
         SPAN_LITERAL("\x30\x19\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x"
                      "\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02SE"),
         form},
        {"O twice",
         SPAN_LITERAL("\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x"
                      "\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x"),
         form},
        {"OU", SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0b\x0c\x01x"), form},
        {"two in one RDN",
         SPAN_LITERAL("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"
                      "\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x"),
         "name"},
        {"a NUL inside", SPAN_LITERAL("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02x\0"),
         "CN: too long, or with a NUL"},
        {"not UTF-8", SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\xff"),
         "CN: not printable UTF-8"},
        {"empty", SPAN_LITERAL("\x30\x00"), "name: without any part"},
        {"octets behind", SPAN_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x\x00"),
         "name"},
        {"long length", SPAN_LITERAL("\x30\x81\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"),
         ""},
        {"empty value", SPAN_LITERAL("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00"),
         "CN: empty, too long, or a blank at an end"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct name name;
        struct err e = {0};

        if (name_decode(rows[i].der, &name, &e) == 0 || e.code != ERR_INPUT ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].what, e.text);
        }
    }
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
/* 64 characters of four octets each */
#define F8                                                                                         \
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"                             \
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
#define F64 F8 F8 F8 F8 F8 F8 F8 F8

static void
parts_are_checked(void **state)
{
    static const char country[] = "C: must be two upper-case letters (ISO 3166)";
    static const char ends[] = "empty, too long, or a blank at an end";
    static const char printable[] = "not printable UTF-8";
    static const struct {
        const char *c;
        const char *o;
        const char *cn;
        const char *says; /* NULL: good */
    } rows[] = {
        {"AZ", NULL, NULL, NULL},
        {"ZA", NULL, NULL, NULL},
        {"se", NULL, NULL, country},
        {"SWE", NULL, NULL, country},
        {"S", NULL, NULL, country},
        {"@A", NULL, NULL, country},
        {"A@", NULL, NULL, country},
        {"[A", NULL, NULL, country},
        {"A[", NULL, NULL, country},
        {NULL, X64, NULL, NULL},
        {NULL, X64 "x", NULL, "O: more than 64 characters"},
        {NULL, NULL, X64 "x", "CN: more than 64 characters"},
        {NULL, F64, NULL, NULL},
        {NULL, F64 "x", NULL, ends},
        {NULL, " x", NULL, ends},
        {NULL, "x ", NULL, ends},
        {NULL, "x x", NULL, NULL},
        {NULL, "a\nb", NULL, printable},
        {NULL, "a\x1f", NULL, printable},
        {NULL, "a\x7f", NULL, printable},
        {NULL, "a~", NULL, NULL},
        {NULL, "a\xc2\x9f", NULL, printable},
        {NULL, "a\xc2\xa0", NULL, NULL},
        {NULL, "a\xc2", NULL, printable},
        {NULL, NULL, "", "name: without any part"},
        {NULL, NULL, NULL, "name: without any part"},
        {NULL, NULL, "\xc3\x85", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct name name;
        struct err e = {0};
        int result = name_set(&name, rows[i].c, rows[i].o, rows[i].cn, &e);

        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "accepted" : e.text);
        }
    }
}

static void
text_is_read_in_order(void **state)
{
    static const char order[] = "name: write C=, O=, CN= in this order, each once";
    static const char value[] = "too long, or with a backslash or equals sign";
    static const struct {
        const char *text;
        const char *says;
    } bad[] = {
        {"", "name: without any part"},
        {"CN=x, O=y", order},
        {"C=SE,C=SE", order},
        {"OU=x", order},
        {"C", order},
        {"CX=SE", order},
        {"=SE", order},
        {"C,=SE", order},
        {"O=a=b", value},
        {"O=a\\,b", value},
        {"C=SE,", "name: ends with a comma"},
        {"C=SE,  ", "name: ends with a comma"},
        {"C=SE O=x", value},
        {"O=", "O: empty"},
        {"C=", "C: must be two"},
        {"O=" F64 "x", value},
        {"O=" X64 "x", "O: more than 64 characters"},
    };
    struct name name;
    struct err e = {0};

    (void)state;
    assert_ok(name_parse_text("C=SE, O=An Operator,CN=REHEARSAL Root", &name, &e), &e);
    assert_string_equal(name.country, "SE");
    assert_string_equal(name.organization, "An Operator");
    assert_string_equal(name.common_name, "REHEARSAL Root");
    assert_ok(name_parse_text("O=" F64, &name, &e), &e);
    assert_ok(name_parse_text("CN=x", &name, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (name_parse_text(bad[i].text, &name, &e) == 0 || e.code != ERR_INPUT ||
            strstr(e.text, bad[i].says) == NULL) {
            fail_msg("\"%s\": %s", bad[i].text, e.text);
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

/* Compared each with each, so a name of very many parts is compared in order only. */
static void
a_name_is_compared_as_a_set_up_to_a_limit(void **state)
{
    enum { MOST = 32 };

    (void)state;
    for (int n = MOST; n <= MOST + 1; n++) {
        CLEANUP(x509_name_cleanup) X509_NAME *a = X509_NAME_new();
        CLEANUP(x509_name_cleanup) X509_NAME *b = X509_NAME_new();
        CLEANUP(x509_name_cleanup) X509_NAME *c = X509_NAME_new();
        CLEANUP(x509_name_cleanup) X509_NAME *shorter = X509_NAME_new();

        for (int i = 0; i < n; i++) {
            CLEANUP(mem_cleanup) char *up = mem_printf("u%d", i);
            CLEANUP(mem_cleanup) char *down = mem_printf("u%d", n - 1 - i);

            add_part(a, "OU", up, 0);
            add_part(b, "OU", down, 0);
            add_part(c, "OU", i == 0 ? "other" : down, 0);
            if (i > 0) {
                add_part(shorter, "OU", down, 0);
            }
        }
        assert_true(name_equal_as_set(a, a));
        assert_int_equal(name_equal_as_set(a, b), n <= MOST);
        assert_false(name_equal_as_set(a, c));
        assert_false(name_equal_as_set(c, a));
        assert_false(name_equal_as_set(a, shorter));
        assert_false(name_equal_as_set(shorter, a));
    }
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
        cmocka_unit_test(a_name_is_compared_as_a_set_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
