/* SPDX-License-Identifier: Apache-2.0 */
/* The strict reader of DER. */
#include "tests/support/test.h"

#include "pkcs11/signer/der.h"

#include <string.h>

#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/scene.h"

struct row {
    const char *name;
    const char *text;
    const char *reason; /* NULL: it is DER */
};

/* One element at the front; what is `behind` it is left. */
static const struct {
    const char *name;
    const char *text;
    size_t head, content, behind;
    bool refused;
} ELEMENTS[] = {
    {"no content", "0500", 2, 0, 0, false},
    {"one octet", "0401 aa", 2, 1, 0, false},
    {"octets behind", "0401 aa bbcc", 2, 1, 2, false},
    {"127 octets", "047f aa*127", 2, 127, 0, false},
    {"128 octets", "048180 aa*128", 3, 128, 0, false},
    {"255 octets", "0481ff aa*255", 3, 255, 0, false},
    {"256 octets", "04820100 aa*256", 4, 256, 0, false},
    {"65,536 octets", "0483010000 aa*65536", 5, 65536, 0, false},
    {"the greatest tag", "9e00", 2, 0, 0, false},

    {"nothing", "", 0, 0, 0, true},
    {"a tag", "04", 0, 0, 0, true},
    {"one octet missing", "0402 aa", 0, 0, 0, true},
    {"all octets missing", "0401", 0, 0, 0, true},
    {"127 octets, long form", "04817f aa*127", 0, 0, 0, true},
    {"0 octets, long form", "048100", 0, 0, 0, true},
    {"a leading zero in the length", "048200ff aa*255", 0, 0, 0, true},
    {"128 octets, one missing", "048180 aa*127", 0, 0, 0, true},
    {"indefinite length", "3080 0000", 0, 0, 0, true},
    {"no octet of length", "0481", 0, 0, 0, true},
    {"one octet of length missing", "048201", 0, 0, 0, true},
    {"one octet of length missing, of four", "0484010000", 0, 0, 0, true},
    {"four octets of length", "0484ffffffff aa", 0, 0, 0, true},
    {"five octets of length", "04850100000000 aa", 0, 0, 0, true},
    {"length FF", "04ff", 0, 0, 0, true},
    {"indefinite length, nothing behind", "0480", 0, 0, 0, true},
    {"80 is no length of 128", "0480 aa*130", 0, 0, 0, true},
    {"nine octets of length, of which eight say 128", "0489 01 00*7 80 aa*200", 0, 0, 0, true},
    {"a tag of two octets", "1f2100", 0, 0, 0, true},
    {"tag 1F", "1f00", 0, 0, 0, true},
    {"tag 3F", "3f01aa", 0, 0, 0, true},
    {"tag BF", "bf00", 0, 0, 0, true},
    {"tag FF", "ff02aaaa", 0, 0, 0, true},
};

static bool
takes_off(size_t row, const struct buf *text, const uint8_t *octets)
{
    struct der element = {0};
    struct err e = {0};
    struct span in = span_of(octets, text->n);
    const size_t whole = ELEMENTS[row].head + ELEMENTS[row].content;

    if (object_der_next(&in, "field", &element, &e) != 0) {
        return ELEMENTS[row].refused && e.code == ERR_INPUT &&
               strcmp(e.text, "field: not DER") == 0;
    }
    return !ELEMENTS[row].refused && element.tag == octets[0] && element.whole.p == octets &&
           element.whole.n == whole && element.content.p == octets + ELEMENTS[row].head &&
           element.content.n == ELEMENTS[row].content && in.p == octets + whole &&
           in.n == ELEMENTS[row].behind;
}

static void
one_element_is_taken_off_the_front(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(70000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ELEMENTS); i++) {
        uint8_t *octets;
        bool good;

        der_text(ELEMENTS[i].text, &text);
        /* With nothing behind them, so that a sanitizer sees who looks there. */
        octets = mem_zalloc(text.n == 0 ? 1 : text.n, 1);
        if (text.n > 0) {
            memcpy(octets, text.p, text.n);
        }
        good = takes_off(i, &text, octets);
        mem_free(octets);
        if (!good) {
            fail_msg("row '%s'", ELEMENTS[i].name);
        }
    }
}

/* The length of four octets that is there: as long as the largest CRL. */
static void
an_element_may_have_a_length_of_four_octets(void **state)
{
    enum { N = 0x01000000 };
    CLEANUP(buf_free) struct buf b = BUF_INIT(N + 6);
    struct der element = {0};
    struct err e = {0};
    struct span in;

    (void)state;
    assert_ok(buf_set(&b, SPAN_LITERAL("\x04\x84\x01\x00\x00\x00"), &e), &e);
    assert_non_null(buf_extend(&b, N, &e));
    in = buf_span(&b);
    assert_ok(object_der_next(&in, "field", &element, &e), &e);
    assert_int_equal(element.content.n, N);
    assert_ptr_equal(element.content.p, b.p + 6);
    assert_int_equal(in.n, 0);
}

static void
a_tag_that_must_be_is_compared(void **state)
{
    struct span in = SPAN_LITERAL("\x02\x01\x05\x30\x00");
    struct der element = {0};
    struct err e = {0};

    (void)state;
    assert_ok(object_der_expect(&in, DER_INTEGER, "number", &element, &e), &e);
    assert_int_equal(element.content.n, 1);
    assert_err(object_der_expect(&in, DER_INTEGER, "number", &element, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "number: tag 0x30 where 0x02 belongs");
    assert_err(object_der_expect(&in, DER_INTEGER, "number", &element, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "number: not DER");
}

static void
everything_is_der_down_to_the_leaves(void **state)
{
    static const struct row rows[] = {
        {"nothing", "", NULL},
        {"two elements", "0500 30{02{05}}", NULL},
        {"TRUE", "30{0101ff}", NULL},
        {"primitive, not looked into", "04{3080}", NULL},
        {"the second is not", "0500 3080", "element: not DER"},
        {"an octet behind", "0500 05", "element: not DER"},
        {"the leaf is not", "30{a0{31{0482}}}", "element: not DER"},
        {"the second leaf is not", "30{a0{0500 0481}}", "element: not DER"},
        {"TRUE as 1", "30{010101}", "a BOOLEAN that is not the DER of TRUE"},
        {"FALSE", "010100", "a BOOLEAN that is not the DER of TRUE"},
        {"a BOOLEAN of no octets", "0100", "a BOOLEAN that is not the DER of TRUE"},
        {"a BOOLEAN of two octets", "0102ffff", "a BOOLEAN that is not the DER of TRUE"},
    };
    CLEANUP(buf_free) struct buf b = BUF_INIT(4096);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        der_text(rows[i].text, &b);
        good += scene_expect(rows[i].name, object_der_check(buf_span(&b), &e), &e, ERR_INPUT,
                             rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

static void
nesting_ends_at_32_levels(void **state)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(4096);

    (void)state;
    for (int levels = 31; levels <= 33; levels++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
        struct err e = {0};

        for (int i = 0; i < levels; i++) {
            assert_ok(buf_append_str(&text, "30{", &e), &e);
        }
        for (int i = 0; i < levels; i++) {
            assert_ok(buf_append_str(&text, "}", &e), &e);
        }
        assert_ok(buf_append(&text, span_of("", 1), &e), &e);
        der_text((const char *)text.p, &b);
        if (levels <= 32) {
            assert_ok(object_der_check(buf_span(&b), &e), &e);
        } else {
            assert_err(object_der_check(buf_span(&b), &e), ERR_INPUT, &e);
            assert_string_equal(e.text, "nested more than 32 levels deep");
        }
    }
}

static void
a_tbs_is_wrapped_as_if_it_were_signed(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(64);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&out, "what was there", &e), &e);
    assert_ok(der_wrap_signed(SPAN_LITERAL("tbs"), SPAN_LITERAL("al"), &out, &e), &e);
    assert_int_equal(out.n, 15);
    assert_memory_equal(out.p, "\x30\x84\0\0\0\x09tbsal\x03\x02\0\0", 15);
    for (size_t max = 0; max < 15; max++) {
        CLEANUP(buf_free) struct buf small = BUF_INIT(max);

        assert_err(der_wrap_signed(SPAN_LITERAL("tbs"), SPAN_LITERAL("al"), &small, &e), ERR_INPUT,
                   &e);
    }
}

/* As long as a CRL may be: all four octets of the length. */
static void
the_wrap_has_a_length_of_four_octets(void **state)
{
    enum { N = 0x01020304 - 6 };
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(N);
    CLEANUP(buf_free) struct buf out = BUF_INIT(N + 64);
    struct err e = {0};

    (void)state;
    assert_non_null(buf_extend(&tbs, N, &e));
    assert_ok(der_wrap_signed(buf_span(&tbs), SPAN_LITERAL("al"), &out, &e), &e);
    assert_memory_equal(out.p, "\x30\x84\x01\x02\x03\x04", 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_element_is_taken_off_the_front),
        cmocka_unit_test(an_element_may_have_a_length_of_four_octets),
        cmocka_unit_test(a_tag_that_must_be_is_compared),
        cmocka_unit_test(everything_is_der_down_to_the_leaves),
        cmocka_unit_test(nesting_ends_at_32_levels),
        cmocka_unit_test(a_tbs_is_wrapped_as_if_it_were_signed),
        cmocka_unit_test(the_wrap_has_a_length_of_four_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
