/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/entitlement.h"

#include <stdio.h>
#include <string.h>

#include "ca/x509/profile/profiles.h"
#include "tests/support/test.h"

#define SHIPPED TEST_SOURCE_DIR "/../ca/x509/nfpki-profiles.conf"
#define PLMN_A ".5gc.mnc012.mcc345.3gppnetwork.org"
#define PLMN_B ".5gc.mnc013.mcc345.3gppnetwork.org"

static struct profiles *shipped;

static int
load(void **state)
{
    struct err e = {0};

    (void)state;
    shipped = profiles_load(SHIPPED, &e);
    if (shipped == NULL) {
        fail_msg("%s", e.text);
    }
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    profiles_free(shipped);
    return 0;
}

/* An identity of one type, FQDNs up to a NULL, PLMNs "012" ... up to a NULL. */
static struct nf_identity
identity(const char *type, const char *const *fqdns, const char *const *mncs)
{
    struct nf_identity nf = {.instance_id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
                             .home_domain = "5gc.mnc012.mcc345.3gppnetwork.org",
                             .country = "SE"};
    struct err e = {0};

    assert_ok(nf_identity_add_type(&nf, type, &e), &e);
    for (size_t i = 0; fqdns[i] != NULL; i++) {
        assert_ok(nf_identity_add_fqdn(&nf, fqdns[i], &e), &e);
    }
    for (size_t i = 0; mncs[i] != NULL; i++) {
        struct plmn plmn;

        assert_ok(plmn_set(&plmn, "345", mncs[i], &e), &e);
        assert_ok(nf_identity_add_plmn(&nf, &plmn, &e), &e);
    }
    assert_ok(nf_identity_check(&nf, NULL, &e), &e);
    /* what stands behind the last is not in the list */
    (void)snprintf(nf.fqdns[nf.n_fqdns], NF_FQDN_SIZE, "*");
    assert_ok(plmn_set(&nf.plmns[nf.n_plmns], "345", "13", &e), &e);
    return nf;
}

/* RFC 9509 5 and R25: who is entitled to what. */
static void
each_profile_is_for_its_types(void **state)
{
    static const struct {
        const char *profile;
        const char *type;
        bool entitled;
    } rows[] = {
        {"nf-tls", "AMF", true},    {"nf-tls", "NRF", true},      {"nf-tls-client", "SEPP", true},
        {"nrf-token", "NRF", true}, {"nrf-token", "AMF", false},  {"nrf-token", "SEPP", false},
        {"n32-jwe", "SEPP", true},  {"n32-jwe", "SCP", false},    {"n32-jwe", "NRF", false},
        {"cca-jwt", "AMF", true},   {"cca-jwt", "NRF", true},     {"sepp", "SEPP", true},
        {"sepp", "SCP", false},     {"free5gc-lab", "AMF", true},
    };
    const char *const fqdns[] = {"sepp1" PLMN_A, NULL};
    const char *const mncs[] = {"12", NULL};
    const char *const none[] = {NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const bool sepp = strcmp(rows[i].type, "SEPP") == 0;
        struct nf_identity nf = identity(rows[i].type, fqdns, sepp ? mncs : none);
        const struct profile *profile = profiles_find(shipped, rows[i].profile);
        struct err e = {0};

        assert_non_null(profile);
        if (!rows[i].entitled) { /* nor is this one counted */
            (void)snprintf(nf.types[nf.n_types], NF_TYPE_SIZE, "%s", profile->nf_types[0]);
        }
        if ((entitlement_check(profile, &nf, &e) == 0) != rows[i].entitled) {
            fail_msg("%s for %s: %s", rows[i].profile, rows[i].type, e.text);
        }
        if (!rows[i].entitled) {
            assert_int_equal(e.code, ERR_DENIED);
            assert_int_equal(strncmp(e.text, "nfTypes: profile ", 17), 0);
        }
    }
}

static void
one_of_several_types_is_enough(void **state)
{
    const char *const fqdns[] = {"nrf" PLMN_A, NULL};
    const char *const none[] = {NULL};
    struct nf_identity nf = identity("AMF", fqdns, none);
    struct err e = {0};

    (void)state;
    assert_ok(nf_identity_add_type(&nf, "NRF", &e), &e);
    assert_ok(entitlement_check(profiles_find(shipped, "nrf-token"), &nf, &e), &e);
}

static void
a_sepp_speaks_for_its_registered_plmns_and_no_others(void **state)
{
    static const struct {
        const char *fqdns[4];
        const char *mncs[3];
        const char *reason; /* NULL: entitled */
    } rows[] = {
        {{"sepp1" PLMN_A}, {"12"}, NULL},
        {{"*.sepp1" PLMN_A}, {"12"}, NULL},
        {{"*.sepp1" PLMN_A, "sepp1" PLMN_A, "sepp1" PLMN_B}, {"12", "13"}, NULL},
        {{"sepp1" PLMN_A}, {NULL}, "plmns: profile sepp needs them"},
        {{"sepp1" PLMN_A}, {"12", "13"}, "plmns[1]: no FQDN"},
        {{"sepp1" PLMN_B}, {"12", "13"}, "plmns[0]: no FQDN"},
        {{"sepp1" PLMN_A, "n32.sepp" PLMN_A, "amf1" PLMN_A}, {"12"}, "fqdns[2]: profile sepp"},
    };
    const struct profile *sepp = profiles_find(shipped, "sepp");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct nf_identity nf = identity("SEPP", rows[i].fqdns, rows[i].mncs);
        struct err e = {0};
        int result = entitlement_check(sepp, &nf, &e);

        if (rows[i].reason == NULL
                ? result != 0
                : result == 0 || strncmp(e.text, rows[i].reason, strlen(rows[i].reason)) != 0) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
a_plmn_that_is_not_counted_is_not_spoken_for(void **state)
{
    const char *const fqdns[] = {"sepp1" PLMN_A, NULL};
    const char *const mncs[] = {"12", NULL};
    struct nf_identity nf = identity("SEPP", fqdns, mncs);
    struct err e = {0};

    (void)state;
    (void)snprintf(nf.fqdns[0], NF_FQDN_SIZE, "sepp1" PLMN_B);
    assert_err(entitlement_check(profiles_find(shipped, "sepp"), &nf, &e), ERR_DENIED, &e);
    assert_int_equal(strncmp(e.text, "fqdns[0]: profile sepp", 22), 0);
}

static void
wildcards_are_for_sepps_and_their_own_names(void **state)
{
    static const char *const bad[] = {
        "*" PLMN_A,
        "*.amf" PLMN_A,
        "sepp*" PLMN_A,
        "*.*.sepp1" PLMN_A,
        "a.*.sepp1" PLMN_A,
        "*.sepp1" PLMN_B,
        "*.sepp1.example.org",
        "*",
        "*.",
        "**.sepp1" PLMN_A,
        "*sepp1" PLMN_A,
        "*xy.sepp1" PLMN_A,
        "x*y.sepp1" PLMN_A,
    };
    const char *const fqdns[] = {"*.sepp1" PLMN_A, NULL};
    const char *const mncs[] = {"12", NULL};
    struct nf_identity nf = identity("SEPP", fqdns, mncs);
    struct err e = {0};

    (void)state;
    assert_err(entitlement_check(profile_by_name("nf-tls"), &nf, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "fqdns[0]: profile nf-tls has no wildcards");
    /* what is no server leaves it out */
    assert_ok(entitlement_check(profiles_find(shipped, "n32-jwe"), &nf, &e), &e);
    assert_false(entitlement_has_fqdn(profiles_find(shipped, "n32-jwe"), fqdns[0]));
    assert_true(entitlement_has_fqdn(profiles_find(shipped, "sepp"), fqdns[0]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)snprintf(nf.fqdns[0], NF_FQDN_SIZE, "%s", bad[i]);
        if (nf_identity_check(&nf, NULL, &e) == 0 || strncmp(e.text, "fqdns[0]: ", 10) != 0) {
            fail_msg("%s: %s", bad[i], e.text);
        }
    }
}

static void
plmns_are_of_sepps_of_this_operator(void **state)
{
    static const char *const domains[] = {"5gc.mnc012.mcc345.3gppnetwork.org"};
    const struct nf_rules rules = {.home_domains = domains, .n_home_domains = 1};
    const char *const fqdns[] = {"sepp1" PLMN_A, "sepp1" PLMN_B, NULL};
    const char *const mncs[] = {"12", "13", NULL};
    struct nf_identity nf = identity("SEPP", fqdns, mncs);
    struct nf_identity other = nf;
    struct err e = {0};

    (void)state;
    assert_err(nf_identity_check(&nf, &rules, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "plmns[1]: 5gc.mnc013.mcc345.3gppnetwork.org is not one"));
    other.plmns[1] = other.plmns[0];
    assert_false(nf_identity_equal(&nf, &other));
    assert_err(nf_identity_check(&other, NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "plmns[1]: stands there twice");
    (void)snprintf(nf.types[0], NF_TYPE_SIZE, "AMF");
    assert_err(nf_identity_check(&nf, NULL, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "plmns: nfTypes has no SEPP");
    nf.n_plmns = 0;
    assert_err(nf_identity_check(&nf, NULL, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "fqdns[1]: not below"));
    nf.n_plmns = NF_PLMNS_MAX;
    assert_err(nf_identity_add_plmn(&nf, &nf.plmns[0], &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_profile_is_for_its_types),
        cmocka_unit_test(one_of_several_types_is_enough),
        cmocka_unit_test(a_sepp_speaks_for_its_registered_plmns_and_no_others),
        cmocka_unit_test(a_plmn_that_is_not_counted_is_not_spoken_for),
        cmocka_unit_test(wildcards_are_for_sepps_and_their_own_names),
        cmocka_unit_test(plmns_are_of_sepps_of_this_operator),
    };

    return cmocka_run_group_tests(tests, load, drop);
}
