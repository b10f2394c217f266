/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/cert_policy.h"

#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

#define OWN "1.3.6.1.4.1.99999"

static void
only_what_everybody_can_read_is_a_policy(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* NULL: good */
    } rows[] = {
        {OWN ".1", NULL},
        {OWN ".0.268435455", NULL},
        {OWN, "alone"},
        {OWN ".268435456", "2^28"},
        {OWN ".99999999999999999999", "2^28"},
        {OWN ".1.", "behind"},
        {OWN "..1", "decimal"},
        {OWN ".01", "decimal"},
        {OWN ".x", "decimal"},
        {OWN ".-1", "decimal"},
        {"1.3.6.1.4.1.", "decimal"},
        {"2.5.29.32.0", "not below"},
        {"2.25.146746973955696582463241471912985749617.2", "not below"},
        {"1.3.6.1.4.11.1", "not below"},
        {"", "not below"},
        {OWN ".1111111.1111111.1111111.1111111.1111111.1111111.11111", "longer"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        if ((cert_policy_check(rows[i].text, &e) == 0) != (rows[i].says == NULL) ||
            (rows[i].says != NULL && strstr(e.text, rows[i].says) == NULL)) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
a_list_is_short_and_has_none_twice(void **state)
{
    static const char *const five[] = {OWN ".1", OWN ".2", OWN ".3", OWN ".4", OWN ".5"};
    static const char *const twice[] = {OWN ".1", OWN ".1"};
    const char *out[CERT_POLICIES_MAX];
    struct err e = {0};

    (void)state;
    assert_err(cert_policies_take(five, 5, out, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "at most 4 policies");
    assert_ok(cert_policies_take(five, 4, out, &e), &e);
    assert_string_equal(out[3], OWN ".4");
    assert_err(cert_policies_take(twice, 2, out, &e), ERR_INPUT, &e);
    assert_ok(cert_policies_take(five, 2, out, &e), &e);
    assert_string_equal(out[1], OWN ".2");
    assert_null(out[2]);
}

/* What is built is what lint expects, and what others read. */
static void
they_stand_in_the_certificate(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    struct profile profile = *request.profile;
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CERTIFICATEPOLICIES *policies;
    int critical = -1;
    char text[64];

    (void)state;
    profile.policies[0] = OWN ".1";
    profile.policies[1] = OWN ".2.268435455";
    profile.policies[2] = OWN ".3";
    profile.policies[3] = OWN ".4"; /* no more may be there, and no NULL is behind the last */
    request.profile = &profile;
    certificate = pki_issue(&request, pki->issuing_key);
    policies = X509_get_ext_d2i(certificate, NID_certificate_policies, &critical, NULL);
    assert_int_equal(critical, 0);
    assert_int_equal(sk_POLICYINFO_num(policies), CERT_POLICIES_MAX);
    for (int i = 0; i < CERT_POLICIES_MAX; i++) {
        const POLICYINFO *policy = sk_POLICYINFO_value(policies, i);

        assert_true(OBJ_obj2txt(text, sizeof(text), policy->policyid, 1) > 0);
        assert_string_equal(text, profile.policies[i]);
        assert_null(policy->qualifiers);
    }
    CERTIFICATEPOLICIES_free(policies);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_everybody_can_read_is_a_policy),
        cmocka_unit_test(a_list_is_short_and_has_none_twice),
        cmocka_unit_test(they_stand_in_the_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
