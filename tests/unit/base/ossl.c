/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ossl.h"

#include <string.h>

#include "tests/support/test.h"

static void
base64_takes_the_canonical_form_only(void **state)
{
    static const char *const bad[] = {"YQ", "YR==", "Y===", "YWI=YWI=", " YQ==", "YQ=\n", "Y!=="};
    CLEANUP(buf_free) struct buf out = BUF_INIT(100);
    CLEANUP(mem_cleanup) char *text = base64_dup(SPAN_LITERAL("ab"));
    struct err e = {0};

    (void)state;
    assert_string_equal(text, "YWI=");
    assert_ok(base64_parse("YWI=", &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL("ab")));
    assert_ok(base64_parse("", &out, &e), &e);
    assert_int_equal(out.n, 2);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (base64_parse(bad[i], &out, &e) == 0) {
            fail_msg("accepted: %s", bad[i]);
        }
        assert_int_equal(out.n, 2);
    }
}

static void
times_go_round_and_impossible_dates_are_refused(void **state)
{
    static const char *const bad[] = {"2026-02-30T00:00:00Z", "2026-11-23T20:00:00",
                                      "2026-11-23 20:00:00Z", "2026-11-23T25:00:00Z",
                                      "2026-11-23T20:00:00Zx"};
    char text[TIME_TEXT_SIZE];
    time_t t = 0;
    struct err e = {0};

    (void)state;
    assert_ok(time_parse("2026-11-23T20:00:00Z", &t, &e), &e);
    time_format(t, text);
    assert_string_equal(text, "2026-11-23T20:00:00Z");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (time_parse(bad[i], &t, &e) == 0) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void
sha256_of_abc_is_the_published_value(void **state)
{
    uint8_t hash[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    struct err e = {0};

    (void)state;
    assert_ok(sha256(SPAN_LITERAL("abc"), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
a_certificate_with_octets_behind_it_is_refused(void **state)
{
    static const uint8_t not_one[] = {0x30, 0x03, 0x02, 0x01, 0x01};
    struct err e = {0};

    (void)state;
    assert_null(certificate_parse(span_of(not_one, sizeof(not_one)), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(certificate_parse(SPAN_LITERAL("hello"), &e));
    assert_null(certificate_load("/nonexistent.pem", &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_takes_the_canonical_form_only),
        cmocka_unit_test(times_go_round_and_impossible_dates_are_refused),
        cmocka_unit_test(sha256_of_abc_is_the_published_value),
        cmocka_unit_test(a_certificate_with_octets_behind_it_is_refused),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
