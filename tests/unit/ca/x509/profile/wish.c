/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/wish.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

static const struct {
    const char *nid;
    const char *value;
    bool drop;   /* taken by a profile that passes over */
    bool reject; /* taken by one that does not */
} rows[] = {
    {"subjectAltName", "DNS:amf.example", true, true},
    {"subjectKeyIdentifier", "00:11", true, true},
    {"keyUsage", "critical,digitalSignature", true, true},
    {"keyUsage", "keyEncipherment", true, false},
    {"keyUsage", "keyCertSign", true, false},
    {"extendedKeyUsage", "serverAuth,clientAuth", true, true},
    {"extendedKeyUsage", "clientAuth", true, true},
    {"extendedKeyUsage", "1.3.6.1.5.5.7.3.37", true, false},
    {"extendedKeyUsage", "anyExtendedKeyUsage", true, false},
    {"basicConstraints", "CA:FALSE", true, true},
    {"basicConstraints", "critical,CA:TRUE", true, false},
    {"basicConstraints", "DER:05:00", true, false},
    {"certificatePolicies", "DER:30:05:30:03:06:01:2a", true, false},
    {"nameConstraints", "critical,permitted;DNS:example", true, false},
    {"1.3.6.1.4.1.1.5", "DER:05:00", true, false},
    /* AMF; AMF and SMF; SMF; not in order; empty */
    {"1.3.6.1.5.5.7.1.34", "DER:30:05:16:03:41:4d:46", true, true},
    {"1.3.6.1.5.5.7.1.34", "DER:30:0a:16:03:41:4d:46:16:03:53:4d:46", true, true},
    {"1.3.6.1.5.5.7.1.34", "DER:30:05:16:03:4e:52:46", false, false},
    {"1.3.6.1.5.5.7.1.34", "DER:30:0a:16:03:53:4d:46:16:03:41:4d:46", false, false},
    {"1.3.6.1.5.5.7.1.34", "DER:30:00", false, false},
};

static X509_EXTENSION *
extension(size_t i)
{
    X509V3_CTX ctx;
    X509_EXTENSION *made;

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    made = X509V3_EXT_conf(NULL, &ctx, rows[i].nid, rows[i].value);
    if (made == NULL) {
        fail_msg("%s: %s", rows[i].nid, rows[i].value);
    }
    return made;
}

static void
what_is_asked_for_is_passed_over_or_refused(void **state)
{
    const struct nf_identity nf = {.types = {"AMF", "SMF"}, .n_types = 2};
    struct profile profile = *profile_by_name("nf-tls");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        STACK_OF(X509_EXTENSION) *asked = sk_X509_EXTENSION_new_null();
        struct err e = {0};

        assert_true(sk_X509_EXTENSION_push(asked, extension(i)) > 0);
        profile.reject_unknown = false;
        if ((wish_check(&profile, &nf, asked, &e) == 0) != rows[i].drop) {
            fail_msg("row %zu, drop: %s", i, e.text);
        }
        profile.reject_unknown = true;
        if ((wish_check(&profile, &nf, asked, &e) == 0) != rows[i].reject) {
            fail_msg("row %zu, reject: %s", i, e.text);
        }
        if (rows[i].drop && !rows[i].reject) {
            assert_int_equal(e.code, ERR_INPUT);
        }
        sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    }
}

static void
nothing_asked_for_is_fine(void **state)
{
    const struct nf_identity nf = {.types = {"AMF"}, .n_types = 1};
    struct profile profile = *profile_by_name("nf-tls");
    struct err e = {0};

    (void)state;
    profile.reject_unknown = true;
    assert_ok(wish_check(&profile, &nf, NULL, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_passed_over_or_refused),
        cmocka_unit_test(nothing_asked_for_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
