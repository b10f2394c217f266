/* SPDX-License-Identifier: Apache-2.0 */
/* What is an element of DER, and what is DER all through. */
#include "tests/support/test.h"

#include "ca/cmp/message/der.h"

#include <stdlib.h>
#include <string.h>

#include "ca/cmp/message/msg.h"
#include "tests/support/der_text.h"

enum { TEXT_MAX = 1 << 18 };

/* ---- one element ---- */

static const struct {
    const char *name;
    const char *text;
    size_t header; /* 0: it is none */
    size_t behind;
} ELEMENTS[] = {
    {"nothing", "", 0, 0},
    {"a tag alone", "30", 0, 0},
    {"no content", "0500", 2, 0},
    {"something behind", "0500 0500", 2, 2},
    {"one octet", "040161", 2, 0},
    {"an octet less than the length says", "0402 61", 0, 0},
    {"127 octets", "047f 61*127", 2, 0},
    {"126 of 127 octets", "047f 61*126", 0, 0},
    {"128 octets", "048180 61*128", 3, 0},
    {"127 of 128 octets", "048180 61*127", 0, 0},
    {"127 octets, and their length in two", "04817f 61*127", 0, 0},
    {"128 octets, and their length in three", "04820080 61*128", 0, 0},
    {"255 octets", "0481ff 61*255", 3, 0},
    {"256 octets", "04820100 61*256", 4, 0},
    {"256 octets, and their length in four", "0483000100 61*256", 0, 0},
    {"65,536 octets", "0483010000 61*65536", 5, 0},
    {"a length of four octets", "048401000000", 0, 0},
    {"a length of five octets", "04850100000000", 0, 0},
    {"a length of five octets, of which one counts", "04850000000001 61", 0, 0},
    {"a length that ends early", "0482 01", 0, 0},
    {"a length that is not there", "0481", 0, 0},
    {"indefinite length", "3080 0000", 0, 0},
    {"a reserved length", "30ff", 0, 0},
    {"indefinite length, and 128 octets", "3080 00*128", 0, 0},
    {"a length of nine octets, of which the last counts", "0489 01 00*7 80 61*128", 0, 0},
    {"a high tag number", "1f00", 0, 0},
    {"a high tag number, context-specific", "bf00", 0, 0},
    {"the highest of the low ones", "be00", 2, 0},
};

static void
an_element_has_one_form(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ELEMENTS); i++) {
        struct span in;
        struct der d = {0};
        bool good;

        der_text(ELEMENTS[i].text, &text);
        in = buf_span(&text);
        good = der_next(&in, &d);
        if (good != (ELEMENTS[i].header != 0)) {
            fail_msg("%s: %s", ELEMENTS[i].name, good ? "taken" : "refused");
        }
        if (!good) {
            assert_ptr_equal(in.p, text.p); /* nothing is taken */
            assert_int_equal(in.n, text.n);
            continue;
        }
        if (d.tag != text.p[0] || d.whole.p != text.p || in.n != ELEMENTS[i].behind ||
            d.whole.n != text.n - in.n || d.content.p != text.p + ELEMENTS[i].header ||
            d.content.n != d.whole.n - ELEMENTS[i].header || in.p != text.p + d.whole.n) {
            fail_msg("%s: its parts are elsewhere", ELEMENTS[i].name);
        }
    }
}

static void
a_length_may_have_four_octets(void **state)
{
    enum { CONTENT = 1 << 24 };
    static const uint8_t header[] = {0x04, 0x84, 0x01, 0x00, 0x00, 0x00};
    CLEANUP(mem_cleanup) uint8_t *octets = mem_zalloc(sizeof(header) + CONTENT, 1);
    struct span in = span_of(octets, sizeof(header) + CONTENT);
    struct der d = {0};

    (void)state;
    memcpy(octets, header, sizeof(header));
    assert_true(der_next(&in, &d));
    assert_int_equal(d.content.n, CONTENT);
    assert_int_equal(in.n, 0);
}

static void
one_element_of_its_tag_stands_alone(void **state)
{
    const struct {
        const char *text;
        bool good;
    } rows[] = {{"0500", true}, {"0500 0500", false}, {"0400", false}, {"05", false}, {"", false}};
    CLEANUP(buf_free) struct buf text = BUF_INIT(64);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct der d = {.tag = DER_NULL};

        der_text(rows[i].text, &text);
        assert_int_equal(der_only(buf_span(&text), DER_NULL, &d), rows[i].good);
    }
}

/* ---- all through ---- */

#define VALUE(tag) "value with tag " tag " is not DER"
#define ORDER "elements of a SET are not in DER order"

static const struct {
    const char *name;
    const char *text;
    const char *reason; /* NULL: it is DER */
} WHOLES[] = {
    {"nothing", "", "tag or length is not DER"},
    {"octets behind", "0500 00", "1 octets behind the end"},
    {"an element that is none", "30{0201}", "tag or length is not DER"},
    {"an empty SEQUENCE", "30{}", NULL},

    {"end of contents", "30{0000}", VALUE("0x00")},
    {"a primitive SEQUENCE", "30{1000}", VALUE("0x10")},
    {"a primitive SET", "30{1100}", VALUE("0x11")},
    {"FALSE", "30{010100}", NULL},
    {"TRUE", "30{0101ff}", NULL},
    {"a TRUE of BER", "30{010101}", VALUE("0x01")},
    {"another TRUE of BER", "30{0101fe}", VALUE("0x01")},
    {"an empty BOOLEAN", "30{0100}", VALUE("0x01")},
    {"a BOOLEAN of two octets", "30{0102ffff}", VALUE("0x01")},
    {"NULL", "30{0500}", NULL},
    {"a NULL with content", "30{050100}", VALUE("0x05")},

    {"an empty INTEGER", "30{0200}", VALUE("0x02")},
    {"an empty INTEGER, and more", "30{0200 0500}", VALUE("0x02")},
    {"0", "30{020100}", NULL},
    {"127", "30{02017f}", NULL},
    {"127 in two octets", "30{0202007f}", VALUE("0x02")},
    {"128", "30{02020080}", NULL},
    {"-1", "30{0201ff}", NULL},
    {"-1 in two octets", "30{0202ffff}", VALUE("0x02")},
    {"-128 in two octets", "30{0202ff80}", VALUE("0x02")},
    {"-129", "30{0202ff7f}", NULL},
    {"256", "30{02020100}", NULL},
    {"an ENUMERATED of two octets", "30{0a020001}", VALUE("0x0a")},
    {"an ENUMERATED", "30{0a0101}", NULL},

    {"a BIT STRING of nothing", "30{0300}", VALUE("0x03")},
    {"no bits", "30{030100}", NULL},
    {"no bits, of which one is unused", "30{030101}", VALUE("0x03")},
    {"one bit", "30{03020780}", NULL},
    {"8 unused bits", "30{03020800}", VALUE("0x03")},
    {"an unused bit that is set", "30{030207c0}", VALUE("0x03")},
    {"the lowest bit, used", "30{03020001}", NULL},
    {"the lowest bit, unused", "30{03020101}", VALUE("0x03")},
    {"the last octet counts", "30{030304ff10}", NULL},
    {"an unused bit in the last octet", "30{030304ff08}", VALUE("0x03")},

    {"an empty OBJECT IDENTIFIER", "30{0600}", VALUE("0x06")},
    {"1.2.3", "30{06022a03}", NULL},
    {"1.2.3, and 0x80 behind it", "30{06022a03 8000}", NULL},
    {"an arc with zeros in front behind an odd one", "30{06042a038001}", VALUE("0x06")},
    {"an arc that ends early", "30{06022a83}", VALUE("0x06")},
    {"an arc of two octets", "30{06032a8101}", NULL},
    {"an arc with zeros in front", "30{06032a8001}", VALUE("0x06")},
    {"a first arc with zeros in front", "30{06038001 03}", VALUE("0x06")},
    {"zeros within an arc", "30{06042a818001}", NULL},

    {"a constructed OCTET STRING", "30{24{0400}}", "constructed tag 0x24 is not accepted"},
    {"EXTERNAL", "30{28{}}", "constructed tag 0x28 is not accepted"},
    {"the last universal tag", "30{3e{}}", "constructed tag 0x3e is not accepted"},
    {"an application tag", "30{60{}}", NULL},
    {"a context-specific tag", "30{a0{0500}}", NULL},
    {"what is in a context-specific tag", "30{a0{050100}}", VALUE("0x05")},
    {"what is in an OCTET STRING", "30{04{050100}}", NULL},
    {"what is in a primitive context-specific tag", "30{80{050100}}", NULL},

    {"a SET in order", "31{020101 020102}", NULL},
    {"a SET of equals", "31{020101 020101}", NULL},
    {"a SET out of order", "31{020102 020101}", ORDER},
    {"a SET in order of tags", "31{020101 040100}", NULL},
    {"a SET out of order of tags", "31{040100 020101}", ORDER},
    {"a SET whose third is out of order", "31{020101 020103 020102}", ORDER},
    {"a SEQUENCE in any order", "30{020102 020101}", NULL},
    {"a SET in a SEQUENCE", "30{31{020102 020101}}", ORDER},
    {"a SEQUENCE in a SET", "31{30{020102 020101}}", NULL},
    {"of the shorter first", "31{020101 02020100}", NULL},
    {"of the longer first", "31{02020100 020101}", ORDER},
};

static void
what_is_not_der_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(256);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(WHOLES); i++) {
        struct err e = {0};
        int result;

        der_text(WHOLES[i].text, &text);
        result = der_check(buf_span(&text), 8, &e);
        if ((result == 0) != (WHOLES[i].reason == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strcmp(e.text, WHOLES[i].reason) != 0))) {
            fail_msg("%s: %s", WHOLES[i].name, result == 0 ? "taken" : e.text);
        }
    }
}

/* depth_max counts what is within: a primitive value is at 0. */
static void
elements_are_nested_as_deep_as_is_allowed(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(64);
    struct err e = {0};

    (void)state;
    der_text("0500", &text);
    assert_ok(der_check(buf_span(&text), 0, &e), &e);
    der_text("30{}", &text);
    assert_err(der_check(buf_span(&text), 0, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "elements are nested too deep");
    assert_ok(der_check(buf_span(&text), 1, &e), &e);
    der_text("30{a0{31{0500}}}", &text);
    assert_err(der_check(buf_span(&text), 2, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "elements are nested too deep");
    assert_ok(der_check(buf_span(&text), 3, &e), &e);
    der_text("30{30{}30{}30{}}", &text); /* beside each other is not within */
    assert_ok(der_check(buf_span(&text), 2, &e), &e);
}

/* ---- a header in front ---- */

static void
a_header_is_as_short_as_can_be(void **state)
{
    static const struct {
        size_t n;
        const char *header;
    } rows[] = {
        {0, "0400"},         {1, "0401"},           {127, "047f"},
        {128, "048180"},     {255, "0481ff"},       {256, "04820100"},
        {65535, "0482ffff"}, {65536, "0483010000"}, {65537, "0483010001"},
    };
    CLEANUP(mem_cleanup) char *octets = mem_zalloc(65537, 1);
    CLEANUP(buf_free) struct buf header = BUF_INIT(64);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);
        struct err e = {0};
        struct span in;
        struct der d;

        der_text(rows[i].header, &header);
        assert_ok(der_append(&out, 0x04, span_of(octets, rows[i].n), &e), &e);
        assert_int_equal(out.n, header.n + rows[i].n);
        assert_memory_equal(out.p, header.p, header.n);
        in = buf_span(&out);
        assert_true(der_next(&in, &d));
        assert_int_equal(d.content.n, rows[i].n);
    }
}

/* What is too long is not looked at. */
static void
an_element_that_is_too_long_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(64);
    struct err e = {0};

    (void)state;
    assert_err(der_append(&out, 0x04, span_of("", (size_t)1 << 32), &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "element of 4294967296 octets is too long");
    assert_int_equal(out.n, 0);
    assert_err(der_append(&out, 0x04, span_of("", ((size_t)1 << 32) - 1), &e), ERR_INPUT, &e);
    assert_null(strstr(e.text, "is too long")); /* it is the buffer that has no room */
}

static void
deep_nesting_is_refused(void **state)
{
    struct buf inner = BUF_INIT(1000);
    struct err e = {0};

    (void)state;
    for (unsigned depth = 0; depth < 40; depth++) {
        CLEANUP(buf_free) struct buf outer = BUF_INIT(1000);
        int result = der_check(buf_span(&inner), CMP_DEPTH_MAX, &e);

        assert_true((result == 0) == (depth >= 1 && depth <= CMP_DEPTH_MAX));
        assert_ok(der_append(&outer, DER_SEQUENCE, buf_span(&inner), &e), &e);
        buf_move(&inner, &outer);
    }
    buf_free(&inner);
}

static void
set_of_must_be_sorted(void **state)
{
    const struct {
        struct span der;
        const char *says; /* NULL: good */
    } rows[] = {
        {SPAN_LITERAL("\x31\x06\x02\x01\x01\x02\x01\x02"), NULL},
        {SPAN_LITERAL("\x31\x06\x02\x01\x01\x02\x01\x01"), NULL},
        {SPAN_LITERAL("\x31\x06\x02\x01\x02\x02\x01\x01"), "not in DER order"},
        {SPAN_LITERAL("\x31\x07\x02\x01\x7f\x02\x02\x00\x80"), NULL},
        {SPAN_LITERAL("\x31\x07\x02\x02\x00\x80\x02\x01\x7f"), "not in DER order"},
        {SPAN_LITERAL("\x31\x09\x02\x01\x01\x02\x01\x03\x02\x01\x02"), "not in DER order"},
        /* in a SEQUENCE the order says something */
        {SPAN_LITERAL("\x30\x06\x02\x01\x02\x02\x01\x01"), NULL},
        {SPAN_LITERAL("\x31\x08\x30\x06\x02\x01\x02\x02\x01\x01"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result = der_check(rows[i].der, 2, &e);

        if (rows[i].says == NULL ? result != 0
                                 : result == 0 || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "accepted" : e.text);
        }
    }
}

static void
primitives_have_one_encoding(void **state)
{
    static const struct {
        const char *name;
        uint8_t n;
        uint8_t der[6];
        bool good;
    } rows[] = {
        {"BOOLEAN FALSE", 3, {1, 1, 0}, true},
        {"BOOLEAN TRUE", 3, {1, 1, 0xff}, true},
        {"BOOLEAN 1", 3, {1, 1, 1}, false},
        {"BOOLEAN of two octets", 4, {1, 2, 0, 0}, false},
        {"INTEGER -1", 3, {2, 1, 0xff}, true},
        {"INTEGER 128", 4, {2, 2, 0, 0x80}, true},
        {"INTEGER 127, long", 4, {2, 2, 0, 0x7f}, false},
        {"INTEGER -1, long", 4, {2, 2, 0xff, 0xff}, false},
        {"INTEGER, empty", 2, {2, 0}, false},
        {"ENUMERATED, long", 4, {10, 2, 0, 1}, false},
        {"BIT STRING", 4, {3, 2, 1, 2}, true},
        {"BIT STRING, empty", 3, {3, 1, 0}, true},
        {"BIT STRING, dirty", 4, {3, 2, 1, 3}, false},
        {"BIT STRING, 8 unused", 4, {3, 2, 8, 0}, false},
        {"BIT STRING, empty with unused", 3, {3, 1, 1}, false},
        {"BIT STRING without octets", 2, {3, 0}, false},
        {"NULL", 2, {5, 0}, true},
        {"NULL with content", 3, {5, 1, 0}, false},
        {"OID", 3, {6, 1, 0x2a}, true},
        {"OID, empty", 2, {6, 0}, false},
        {"OID, cut off", 4, {6, 2, 0x2a, 0x81}, false},
        {"OID, padded arc", 5, {6, 3, 0x2a, 0x80, 1}, false},
        {"end of contents", 2, {0, 0}, false},
        {"primitive SEQUENCE", 2, {0x10, 0}, false},
        {"primitive SET", 2, {0x11, 0}, false},
        {"ENUMERATED", 3, {10, 1, 0}, true},
        {"INTEGER -129", 4, {2, 2, 0xff, 0x7f}, true},
        {"BOOLEAN, empty", 2, {1, 0}, false},
        {"BIT STRING, 7 unused", 4, {3, 2, 7, 0x80}, true},
        {"BIT STRING, 7 unused, dirty", 4, {3, 2, 7, 0xc0}, false},
        {"OID of two octets in an arc", 5, {6, 3, 0x2a, 0x81, 1}, true},
        {"OID, padded first arc", 4, {6, 2, 0x80, 1}, false},
        {"constructed OCTET STRING", 2, {0x24, 0}, false},
        {"constructed EXTERNAL", 2, {0x28, 0}, false},
        {"constructed, of an application", 2, {0x61, 0}, true},
        {"high tag number", 4, {0x1f, 0x20, 1, 0}, false},
        {"two elements", 4, {5, 0, 5, 0}, false},
        {"long form for 1", 4, {4, 0x81, 1, 0}, false},
        {"length 0 in long form", 3, {4, 0x81, 0}, false},
        {"length beyond the end", 3, {4, 2, 0}, false},
        {"length of five octets", 6, {4, 0x85, 1, 0, 0, 0}, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        if ((der_check(span_of(rows[i].der, rows[i].n), 1, &e) == 0) != rows[i].good) {
            fail_msg("%s: %s", rows[i].name, rows[i].good ? e.text : "accepted");
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_has_one_form),
        cmocka_unit_test(a_length_may_have_four_octets),
        cmocka_unit_test(one_element_of_its_tag_stands_alone),
        cmocka_unit_test(what_is_not_der_is_refused),
        cmocka_unit_test(elements_are_nested_as_deep_as_is_allowed),
        cmocka_unit_test(a_header_is_as_short_as_can_be),
        cmocka_unit_test(an_element_that_is_too_long_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(set_of_must_be_sorted),
        cmocka_unit_test(primitives_have_one_encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
