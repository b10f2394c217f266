/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/der.h"

#include <string.h>

#include "tests/support/test.h"

static void
lengths_take_their_shortest_form(void **state)
{
    static const struct {
        size_t n;
        size_t head;
    } rows[] = {{0, 2}, {127, 2}, {128, 3}, {255, 3}, {256, 4}, {65535, 4}, {65536, 5}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf content = BUF_INIT(70000);
        CLEANUP(buf_free) struct buf whole = BUF_INIT(70000);
        CLEANUP(buf_free) struct buf nested = BUF_INIT(70000);
        struct err e = {0};
        struct der w = DER_WRITER(&whole, &e);
        struct der v = DER_WRITER(&nested, &e);
        struct span in;
        struct span found;
        uint8_t tag;

        assert_non_null(rows[i].n == 0 ? (void *)&content : buf_extend(&content, rows[i].n, &e));
        der_put(&w, DER_OCTET_STRING, buf_span(&content));
        assert_ok(der_finish(&w), &e);
        der_begin(&v, DER_OCTET_STRING);
        der_put_raw(&v, buf_span(&content));
        der_end(&v);
        assert_ok(der_finish(&v), &e);
        assert_int_equal(whole.n, rows[i].n + rows[i].head);
        assert_true(span_equal(buf_span(&whole), buf_span(&nested)));
        in = buf_span(&whole);
        assert_ok(der_take(&in, &tag, &found, NULL, &e), &e);
        assert_int_equal(tag, DER_OCTET_STRING);
        assert_int_equal(found.n, rows[i].n);
        assert_ok(der_empty(in, "x", &e), &e);
    }
}

static void
malformed_elements_are_refused(void **state)
{
    const struct span rows[] = {
        SPAN_LITERAL(""),
        SPAN_LITERAL("\x04"),
        SPAN_LITERAL("\x04\x01"),
        SPAN_LITERAL("\x04\x80\x00\x00"),
        SPAN_LITERAL("\x04\x81\x01\x00"),
        SPAN_LITERAL("\x04\x82\x00\x80"),
        SPAN_LITERAL("\x04\x85\x01\x00\x00\x00\x00"),
        SPAN_LITERAL("\x04\x84\xff\xff\xff\xff"),
        SPAN_LITERAL("\x1f\x81\x01\x00"),
    };

    uint8_t zero_in_front[4 + 128] = {0x04, 0x82, 0x00, 0x80};
    struct span zero = span_of(zero_in_front, sizeof(zero_in_front));
    struct span octets;
    uint8_t type;
    struct err why = {0};

    (void)state;
    assert_err(der_take(&zero, &type, &octets, NULL, &why), ERR_INPUT, &why);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = rows[i];
        struct span content;
        uint8_t tag;
        struct err e = {0};

        assert_err(der_take(&in, &tag, &content, NULL, &e), ERR_INPUT, &e);
        assert_int_equal(in.n, rows[i].n);
    }
}

static void
integers_stay_positive(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    struct err e = {0};
    struct der w = DER_WRITER(&out, &e);

    (void)state;
    der_put_uint(&w, 0);
    der_put_uint(&w, 127);
    der_put_uint(&w, 128);
    der_put_uint(&w, UINT64_MAX);
    assert_ok(der_finish(&w), &e);
    assert_true(
        span_equal(buf_span(&out), SPAN_LITERAL("\x02\x01\x00\x02\x01\x7f\x02\x02\x00\x80"
                                                "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff")));
}

static void
times_change_their_form_in_2050(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    struct err e = {0};
    struct der w = DER_WRITER(&out, &e);

    (void)state;
    der_put_time(&w, 2524607999);
    der_put_time(&w, 2524608000);
    assert_ok(der_finish(&w), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("\x17\x0d"
                                                        "491231235959Z\x18\x0f"
                                                        "20500101000000Z")));
    der_put_time(&w, (time_t)1 << 60);
    assert_int_equal(der_finish(&w), -1);
    assert_int_equal(e.code, ERR_INPUT);
}

static void
times_are_of_the_years_1950_to_9999(void **state)
{
    static const struct {
        time_t t;
        const char *octets; /* NULL: refused */
    } rows[] = {
        {-631152001, NULL},
        {-631152000, "\x17\x0d"
                     "500101000000Z"},
        {0, "\x17\x0d"
            "700101000000Z"},
        {253402300799, "\x18\x0f"
                       "99991231235959Z"},
        {253402300800, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(100);
        struct err e = {0};
        struct der w = DER_WRITER(&out, &e);

        der_put_time(&w, rows[i].t);
        if (rows[i].octets == NULL) {
            assert_int_equal(der_finish(&w), -1);
            assert_string_equal(e.text, "time outside the years 1950 to 9999");
        } else {
            assert_ok(der_finish(&w), &e);
            assert_true(span_equal(buf_span(&out), span_str(rows[i].octets)));
        }
    }
}

static void
each_malformed_element_says_why(void **state)
{
    static const uint8_t long_form[2 + 2 + 0x80] = {0x04, 0x81, 0x80};
    const struct {
        struct span der;
        const char *says; /* NULL: good */
    } rows[] = {
        {SPAN_LITERAL(""), "DER: no element with a low tag number"},
        {SPAN_LITERAL("\x04"), "DER: no element with a low tag number"},
        {SPAN_LITERAL("\x1f\x00"), "DER: no element with a low tag number"},
        {SPAN_LITERAL("\x3f\x20\x00"), "DER: no element with a low tag number"},
        {SPAN_LITERAL("\x1e\x00"), NULL},
        {SPAN_LITERAL("\x04\x00"), NULL},
        {SPAN_LITERAL("\x04\x01"), "DER: element cut off"},
        {SPAN_LITERAL("\x04\x01x"), NULL},
        {SPAN_LITERAL("\x04\x80"), "DER: bad length"},
        {SPAN_LITERAL("\x04\x81"), "DER: bad length"},
        {SPAN_LITERAL("\x04\x81\x00"), "DER: bad length"},
        {SPAN_LITERAL("\x04\x82\x01"), "DER: bad length"},
        {SPAN_LITERAL("\x04\x85\x01\x00\x00\x00\x00"), "DER: bad length"},
        {SPAN_LITERAL("\x04\x84\x01\x00\x00\x00"), "DER: element cut off"},
        {SPAN_LITERAL("\x04\x81\x7f"), "DER: length not in shortest form"},
        {SPAN_LITERAL("\x04\x81\x80"), "DER: element cut off"},
        {span_of(long_form, 3 + 0x80), NULL},
        {span_of(long_form, 3 + 0x7f), "DER: element cut off"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span in = rows[i].der;
        struct span content;
        uint8_t tag;
        struct err e = {0};
        int result = der_take(&in, &tag, &content, NULL, &e);

        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
    {
        struct span in = SPAN_LITERAL("\x04\x00");
        struct span content;
        struct err e = {0};

        assert_err(der_expect(&in, DER_SEQUENCE, "thing", &content, &e), ERR_INPUT, &e);
        assert_string_equal(e.text, "thing: tag 0x04 where 0x30 belongs");
        assert_int_equal(in.n, 2);
        assert_err(der_empty(in, "thing", &e), ERR_INPUT, &e);
        assert_string_equal(e.text, "thing: octets behind the end");
    }
}

static void
the_first_failure_stays(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(4);
    struct err e = {0};
    struct der w = DER_WRITER(&out, &e);

    (void)state;
    der_begin(&w, DER_SEQUENCE);
    der_put_str(&w, DER_UTF8_STRING, "too long");
    der_end(&w);
    der_put_uint(&w, 1);
    assert_int_equal(der_finish(&w), -1);
    assert_int_equal(e.code, ERR_INPUT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_take_their_shortest_form),
        cmocka_unit_test(malformed_elements_are_refused),
        cmocka_unit_test(integers_stay_positive),
        cmocka_unit_test(times_change_their_form_in_2050),
        cmocka_unit_test(times_are_of_the_years_1950_to_9999),
        cmocka_unit_test(each_malformed_element_says_why),
        cmocka_unit_test(the_first_failure_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
