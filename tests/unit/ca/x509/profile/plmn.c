/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/plmn.h"

#include <string.h>

#include "base/mem.h"
#include "tests/support/test.h"

static void
a_two_digit_mnc_is_padded(void **state)
{
    struct plmn a;
    struct plmn b;
    char domain[PLMN_DOMAIN_SIZE];
    struct err e = {0};

    (void)state;
    assert_ok(plmn_set(&a, "345", "12", &e), &e);
    assert_ok(plmn_set(&b, "345", "012", &e), &e);
    assert_true(plmn_equal(&a, &b)); /* TS 23.003 28.2: one domain */
    plmn_domain(&a, domain);
    assert_string_equal(domain, "5gc.mnc012.mcc345.3gppnetwork.org");
    assert_ok(plmn_set(&b, "345", "120", &e), &e);
    assert_false(plmn_equal(&a, &b));
    assert_err(plmn_set(&a, "34", "12", &e), ERR_INPUT, &e);
    assert_err(plmn_set(&a, "3456", "12", &e), ERR_INPUT, &e);
    assert_err(plmn_set(&a, "345", "1", &e), ERR_INPUT, &e);
    assert_err(plmn_set(&a, "345", "1234", &e), ERR_INPUT, &e);
    assert_err(plmn_set(&a, "345", "1x", &e), ERR_INPUT, &e);
    assert_err(plmn_set(&a, "", "12", &e), ERR_INPUT, &e);
}

static void
the_plmn_of_a_sepp_is_read_out_of_its_name(void **state)
{
    static const struct {
        const char *fqdn;
        bool is;
    } rows[] = {
        {"sepp.5gc.mnc012.mcc345.3gppnetwork.org", true},
        {"sepp1-east.5gc.mnc012.mcc345.3gppnetwork.org", true},
        {"*.sepp1.5gc.mnc012.mcc345.3gppnetwork.org", true},
        {"a.b.sepp1.5gc.mnc012.mcc345.3gppnetwork.org", true},
        {"*.5gc.mnc012.mcc345.3gppnetwork.org", false},
        {"sep.5gc.mnc012.mcc345.3gppnetwork.org", false},
        {"amf1.5gc.mnc012.mcc345.3gppnetwork.org", false},
        {"sepp1.amf.5gc.mnc012.mcc345.3gppnetwork.org", false},
        {".5gc.mnc012.mcc345.3gppnetwork.org", false},
        {"5gc.mnc012.mcc345.3gppnetwork.org", false},
        {"sepp1.5gc.mnc12.mcc345.3gppnetwork.org", false},
        {"sepp1.5gc.mnc01x.mcc345.3gppnetwork.org", false},
        {"sepp1.5gc.mnc012.mcc345.3gppnetwork.orgs", false},
        {"sepp1.6gc.mnc012.mcc345.3gppnetwork.org", false},
        {"sepp1.5gc.mnc012.mcc345.3gppnetwork.org.example", false},
        {"sepp1", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plmn plmn = {{0}, {0}};

        if (plmn_of_sepp(rows[i].fqdn, &plmn) != rows[i].is) {
            fail_msg("%s", rows[i].fqdn);
        }
        if (rows[i].is) {
            assert_string_equal(plmn.mnc, "012");
            assert_string_equal(plmn.mcc, "345");
        }
    }
}

static void
codes_are_digits_and_of_their_length(void **state)
{
    static const char mcc[] = "mcc: must be three digits";
    static const char mnc[] = "mnc: must be two or three digits";
    static const struct {
        const char *mcc;
        const char *mnc;
        const char *says; /* NULL: good */
    } rows[] = {
        {"345", "12", NULL}, {"345", "123", NULL}, {"", "12", mcc},     {"34", "12", mcc},
        {"3456", "12", mcc}, {"345x", "12", mcc},  {"34x", "12", mcc},  {"345", "", mnc},
        {"345", "1", mnc},   {"345", "1234", mnc}, {"345", "12x", mnc}, {"345", "123x", mnc},
        {" 345", "12", mcc}, {"345", "12 ", mnc},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plmn plmn;
        struct err e = {0};
        int result = plmn_set(&plmn, rows[i].mcc, rows[i].mnc, &e);

        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "accepted" : e.text);
        }
    }
}

static void
equal_is_both_codes(void **state)
{
    const struct plmn a = {.mcc = "345", .mnc = "012"};
    const struct plmn b = {.mcc = "345", .mnc = "013"};
    const struct plmn c = {.mcc = "346", .mnc = "012"};

    (void)state;
    assert_true(plmn_equal(&a, &a));
    assert_false(plmn_equal(&a, &b));
    assert_false(plmn_equal(&a, &c));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_two_digit_mnc_is_padded),
        cmocka_unit_test(the_plmn_of_a_sepp_is_read_out_of_its_name),
        cmocka_unit_test(codes_are_digits_and_of_their_length),
        cmocka_unit_test(equal_is_both_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
