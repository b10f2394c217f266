/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/plmn.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_two_digit_mnc_is_padded),
        cmocka_unit_test(the_plmn_of_a_sepp_is_read_out_of_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
