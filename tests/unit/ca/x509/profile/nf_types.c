/* SPDX-License-Identifier: Apache-2.0 */
/* The types of a network function as an extension has them. */
#include "ca/x509/profile/nf.h"

#include "ca/x509/der.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

/* The first is the extension of RFC 9310 Appendix B. */
static void
nf_types_have_the_octets_of_the_vectors(void **state)
{
    const struct {
        const char *a;
        const char *b;
        struct span der;
    } rows[] = {
        {"AMF", NULL,
         SPAN_LITERAL("\x30\x05\x16\x03"
                      "AMF")},
        {"AMF", "SMF",
         SPAN_LITERAL("\x30\x0a\x16\x03"
                      "AMF\x16\x03SMF")},
        {"SCP", "SEPP", SPAN_LITERAL("\x30\x0b\x16\x03SCP\x16\x04SEPP")},
        {"5G_EIR", "NRF",
         SPAN_LITERAL("\x30\x0d\x16\x06"
                      "5G_EIR\x16\x03NRF")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct nf_identity nf = pki_nf_of(rows[i].a, rows[i].b);
        struct nf_identity again = {0};
        CLEANUP(buf_free) struct buf der = BUF_INIT(NF_TYPES_DER_MAX);
        struct err e = {0};

        assert_ok(nf_types_encode(&nf, &der, &e), &e);
        assert_true(span_equal(buf_span(&der), rows[i].der));
        assert_ok(nf_types_decode(rows[i].der, &again, &e), &e);
        assert_int_equal(again.n_types, nf.n_types);
        assert_memory_equal(again.types, nf.types, sizeof(nf.types[0]) * nf.n_types);
    }
}

static void
nf_types_in_another_order_are_not_encoded(void **state)
{
    struct nf_identity nf = pki_nf_of("SMF", "AMF");
    CLEANUP(buf_free) struct buf der = BUF_INIT(NF_TYPES_DER_MAX);
    struct err e = {0};

    (void)state;
    assert_err(nf_types_encode(&nf, &der, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "nfTypes[1]: not in ascending ASCII order");
    assert_int_equal(der.n, 0);
}

static void
malformed_nf_types_are_refused(void **state)
{
    const struct span rows[] = {
        SPAN_LITERAL("\x30\x00"),                       /* SIZE (1..MAX) */
        SPAN_LITERAL("\x30\x02\x16\x00"),               /* SIZE (1..32) */
        SPAN_LITERAL("\x30\x05\x0c\x03NRF"),            /* UTF8String */
        SPAN_LITERAL("\x30\x0a\x16\x03SMF\x16\x03NRF"), /* order */
        SPAN_LITERAL("\x30\x0a\x16\x03NRF\x16\x03NRF"), /* twice */
        SPAN_LITERAL("\x30\x05\x16\x03N F"),            /* blank */
        SPAN_LITERAL("\x30\x05\x16\x03N\0F"),           /* NUL */
        SPAN_LITERAL("\x30\x05\x16\x03N\x7f\x46"),      /* DEL */
        SPAN_LITERAL("\x30\x05\x16\x03NRF\x00"),        /* octets behind */
        SPAN_LITERAL("\x30\x05\x16\x04NRF"),            /* cut off */
        SPAN_LITERAL("\x30\x80\x16\x03NRF\x00\x00"),    /* indefinite */
        /* seventeen */
        SPAN_LITERAL(
            "\x30\x33\x16\x01"
            "a\x16\x01"
            "b\x16\x01"
            "c\x16\x01"
            "d\x16\x01"
            "e\x16\x01"
            "f\x16\x01g\x16\x01h"
            "\x16\x01i\x16\x01j\x16\x01k\x16\x01l\x16\x01m\x16\x01n\x16\x01o\x16\x01p\x16\x01q"),
        SPAN_LITERAL("\x30\x23\x16\x21"
                     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), /* 33 */
    };
    struct nf_identity nf;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (nf_types_decode(rows[i], &nf, &e) == 0) {
            fail_msg("row %zu: accepted", i);
        }
    }
}

static void
a_list_of_types_is_decoded_up_to_its_limit(void **state)
{
    (void)state;
    for (int n = NF_TYPES_MAX; n <= NF_TYPES_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(NF_TYPES_DER_MAX);
        struct nf_identity nf = {0};
        struct err e = {0};
        struct der w = DER_WRITER(&der, &e);
        int result;

        der_begin(&w, DER_SEQUENCE);
        for (int i = 0; i < n; i++) {
            char type[] = {(char)('A' + i), '\0'};

            der_put_str(&w, DER_IA5_STRING, type);
        }
        der_end(&w);
        assert_ok(der_finish(&w), &e);
        result = nf_types_decode(buf_span(&der), &nf, &e);
        if (n <= NF_TYPES_MAX) {
            assert_int_equal(result, 0);
            assert_int_equal(nf.n_types, n);
        } else {
            assert_int_equal(result, -1);
            assert_string_equal(e.text, "nfTypes: more than 16");
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nf_types_have_the_octets_of_the_vectors),
        cmocka_unit_test(nf_types_in_another_order_are_not_encoded),
        cmocka_unit_test(malformed_nf_types_are_refused),
        cmocka_unit_test(a_list_of_types_is_decoded_up_to_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
