/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors: what each vouches for, and which are refused at the start. */
#include "ca/trust/trust.h"

#include <openssl/dsa.h>
#include <string.h>

#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/trust/vendors.h"

static void
an_anchor_vouches_for_its_own_purpose_only(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf vendor = {0};
    CLEANUP(trust_conf_free) struct trust_conf ra = {0};
    CLEANUP(trust_conf_free) struct trust_conf none = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *our_ra = pki_issue_officer(pki, "ra-cmp", key);
    const struct forge f = {.subject = "O=Y/CN=RA",
                            .key = key,
                            .issuer = vendor_y.ca,
                            .issuer_key = vendor_y.keys[1],
                            .not_before = vendors_now - HOUR,
                            .not_after = vendors_now + HOUR,
                            .extensions = {FORGE_LEAF, "extendedKeyUsage=1.3.6.1.5.5.7.3.28"}};
    CLEANUP(x509_cleanup) X509 *their_ra = forge_certificate(&f);
    CLEANUP(trust_cleanup) struct trust *v = NULL;
    CLEANUP(trust_cleanup) struct trust *r = NULL;
    CLEANUP(trust_cleanup) struct trust *n = NULL;
    struct err e;

    (void)state;
    vendors_set(&vendor, TRUST_VENDOR, "x", "x.der");
    vendors_set(&vendor, TRUST_OPERATOR, "o", "y.der");
    vendors_set(&ra, TRUST_RA, "y", "y.der");
    v = vendors_trust(pki, &vendor);
    r = vendors_trust(pki, &ra);
    n = vendors_trust(pki, &none);
    assert_true(trust_has_initial(v));
    assert_false(trust_has_initial(r));
    assert_false(trust_has_initial(n));

    assert_int_equal(
        vendors_ask(trust_check_initial, v, vendor_x.device, vendor_x.ca, vendors_now, &e),
        CMP_NO_FAILURE);
    assert_int_equal(
        vendors_ask(trust_check_initial, v, vendor_y.device, vendor_y.ca, vendors_now, &e),
        CMP_NO_FAILURE);
    assert_int_equal(vendors_ask(trust_check_initial, v, our_ra, pki->issuing, PKI_NOW + HOUR, &e),
                     CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(
        vendors_ask(trust_check_initial, r, vendor_y.device, vendor_y.ca, vendors_now, &e),
        CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(
        vendors_ask(trust_check_initial, n, vendor_x.device, vendor_x.ca, vendors_now, &e),
        CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "no vendor_roots"));

    assert_int_equal(vendors_ask(trust_check_own, v, vendor_x.device, vendor_x.ca, vendors_now, &e),
                     CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(vendors_ask(trust_check_own, v, our_ra, NULL, PKI_NOW + HOUR, &e),
                     CMP_NO_FAILURE);
    assert_int_equal(vendors_ask(trust_check_own, v, our_ra, NULL, PKI_NOW - HOUR, &e),
                     CMP_SIGNER_NOT_TRUSTED);

    assert_int_equal(vendors_ask(trust_check_ra, n, our_ra, NULL, PKI_NOW + HOUR, &e),
                     CMP_NO_FAILURE);
    assert_int_equal(vendors_ask(trust_check_ra, v, their_ra, vendor_y.ca, vendors_now, &e),
                     CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(vendors_ask(trust_check_ra, r, their_ra, vendor_y.ca, vendors_now, &e),
                     CMP_NO_FAILURE);
    assert_int_equal(vendors_ask(trust_check_ra, r, vendor_y.device, vendor_y.ca, vendors_now, &e),
                     CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "extendedKeyUsage"));
}

static void
one_vendor_does_not_vouch_for_the_names_of_another(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf open = {0};
    CLEANUP(trust_conf_free) struct trust_conf named = {0};
    CLEANUP(trust_cleanup) struct trust *o = NULL;
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct err e;

    (void)state;
    vendors_set(&open, TRUST_VENDOR, "x", "x.der");
    vendors_set(&open, TRUST_VENDOR, "y", "y.der");
    o = vendors_trust(pki, &open);
    assert_int_equal(
        vendors_ask(trust_check_initial, o, vendor_y.device, vendor_y.ca, vendors_now, &e),
        CMP_NO_FAILURE);
    vendors_set(&named, TRUST_VENDOR, "x", "x.der");
    vendors_list(&named.sets[0].names, "O=X");
    vendors_set(&named, TRUST_VENDOR, "y", "y.der");
    vendors_list(&named.sets[1].names, "O=Z");
    vendors_list(&named.sets[1].names, "O=Y");
    t = vendors_trust(pki, &named);
    assert_int_equal(
        vendors_ask(trust_check_initial, t, vendor_x.device, vendor_x.ca, vendors_now, &e),
        CMP_NO_FAILURE);
    assert_int_equal(
        vendors_ask(trust_check_initial, t, vendor_y.device, vendor_y.ca, vendors_now, &e),
        CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "trust \"y\""));
    assert_non_null(strstr(e.text, "CN=stolen name,O=X begins with none of the names"));
}

static void
an_anchor_may_be_a_ca_below_another_but_no_end_entity(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf below = {0};
    CLEANUP(trust_conf_free) struct trust_conf leaf = {0};
    CLEANUP(trust_conf_free) struct trust_conf missing = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct err e;

    (void)state;
    vendors_set(&below, TRUST_OPERATOR, "x", "x-ca.der");
    t = vendors_trust(pki, &below);
    assert_int_equal(vendors_ask(trust_check_initial, t, vendor_x.device, NULL, vendors_now, &e),
                     CMP_NO_FAILURE);
    vendors_set(&leaf, TRUST_OPERATOR, "x", "x-device.der");
    assert_null(trust_new(pki->root, pki->issuing, &leaf, &e));
    assert_non_null(strstr(e.text, "trust \"x\""));
    assert_non_null(strstr(e.text, "not a CA certificate"));
    vendors_set(&missing, TRUST_OPERATOR, "m", "nothing.der");
    assert_null(trust_new(pki->root, pki->issuing, &missing, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_non_null(strstr(e.text, "nothing.der"));
}

static void
policies_are_demanded_where_they_are_named(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct err e;

    (void)state;
    vendors_set(&c, TRUST_VENDOR, "x", "x.der");
    vendors_list(&c.sets[0].policies, "1.2.3.4");
    t = vendors_trust(pki, &c);
    assert_int_equal(
        vendors_ask(trust_check_initial, t, vendor_x.device, vendor_x.ca, vendors_now, &e),
        CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "no explicit policy"));
}

static EVP_PKEY *
dsa_key(void)
{
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *parameters = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *group = NULL;
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_paramgen_init(parameters), 1);
    assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(parameters, 1024), 1);
    assert_int_equal(EVP_PKEY_generate(parameters, &group), 1);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    return key;
}

static void
a_dsa_anchor_is_refused(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = dsa_key();
    CLEANUP(x509_cleanup) X509 *root = vendors_certificate("O=D/CN=Root", key, NULL, NULL);
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    struct err e = {0};

    (void)state;
    vendors_write(root, "dsa.der");
    vendors_set(&c, TRUST_VENDOR, "d", "dsa.der");
    assert_null(trust_new(pki->root, pki->issuing, &c, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "dsa.der: its key is of kind DSA"));
}

static char remarks[4096];

static void
remember(const struct err *e)
{
    (void)strncat(remarks, e->text, sizeof(remarks) - strlen(remarks) - 2);
    (void)strncat(remarks, "\n", 2);
}

static void
a_start_says_what_will_go_wrong(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;

    (void)state;
    vendors_set(&c, TRUST_VENDOR, "x", "x.der");
    vendors_list(&c.sets[0].crls, "none.crl");
    c.sets[0].crl_policy = PATH_STATUS_REQUIRED;
    vendors_list(&c.sets[0].names, "O=X");
    vendors_set(&c, TRUST_VENDOR, "y", "y.der");
    t = vendors_trust(pki, &c);
    remarks[0] = '\0';
    trust_remarks(t, vendors_now, remember);
    assert_non_null(strstr(remarks, "trust \"y\" has no names"));
    assert_null(strstr(remarks, "trust \"x\" has no names"));
    assert_non_null(strstr(remarks, "none.crl: does not exist"));
    assert_null(strstr(remarks, ".der"));
}

/* The line of the configuration comes first, where there is one. */
static void
a_root_that_cannot_be_loaded_is_named_with_its_place(void **state)
{
    static const struct {
        const char *root;
        const char *where;
        const char *begins;
        const char *says;
    } rows[] = {
        {"none.der", "/etc/x.conf:7", "/etc/x.conf:7: trust \"n\": ", "none.der"},
        {"none.der", NULL, "trust \"n\": ", "none.der"},
        {"x-device.der", "/etc/x.conf:7",
         "/etc/x.conf:7: trust \"n\": ", "x-device.der: not a CA certificate"},
    };
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};

        vendors_set(&c, TRUST_VENDOR, "n", rows[i].root);
        c.sets[0].where = rows[i].where == NULL ? NULL : mem_strdup(rows[i].where);
        assert_null(trust_new(pki->root, pki->issuing, &c, &e));
        if (strncmp(e.text, rows[i].begins, strlen(rows[i].begins)) != 0 ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
an_anchor_under_which_nothing_verifies_is_named(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct forge f = {.subject = "O=Old/CN=Root",
                      .key = key,
                      .not_before = vendors_now - 10L * HOUR,
                      .not_after = vendors_now + HOUR,
                      .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *root = forge_certificate(&f);
    struct err e = {0};

    (void)state;
    vendors_write(root, "old.der");
    vendors_set(&c, TRUST_VENDOR, "x", "x.der");
    vendors_set(&c, TRUST_VENDOR, "old", "old.der");
    t = vendors_trust(pki, &c);
    assert_ok(trust_check_anchors(t, vendors_now, &e), &e);
    assert_err(trust_check_anchors(t, vendors_now + 2L * HOUR, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "trust \"old\""));
    assert_non_null(strstr(e.text, "old.der: nothing verifies under it"));
    assert_non_null(strstr(e.text, "certificate has expired"));
    remarks[0] = '\0';
    trust_remarks(t, vendors_now + 2L * HOUR, remember);
    assert_non_null(strstr(remarks, "old.der: nothing verifies under it"));
    remarks[0] = '\0';
    trust_remarks(t, vendors_now - 20L * HOUR, remember);
    assert_non_null(strstr(remarks, "before its notBefore"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_anchor_vouches_for_its_own_purpose_only),
        cmocka_unit_test(one_vendor_does_not_vouch_for_the_names_of_another),
        cmocka_unit_test(an_anchor_may_be_a_ca_below_another_but_no_end_entity),
        cmocka_unit_test(policies_are_demanded_where_they_are_named),
        cmocka_unit_test(a_dsa_anchor_is_refused),
        cmocka_unit_test(a_start_says_what_will_go_wrong),
        cmocka_unit_test(a_root_that_cannot_be_loaded_is_named_with_its_place),
        cmocka_unit_test(an_anchor_under_which_nothing_verifies_is_named),
    };

    return cmocka_run_group_tests(tests, vendors_make, vendors_drop);
}
