/* SPDX-License-Identifier: Apache-2.0 */
/* A CA, an anchor or a CRL for each check, good but for one thing; names and purposes. */
#include "ca/x509/path/check.h"

#include <openssl/rsa.h>
#include <string.h>

#include "ca/x509/path/purpose.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/path/chain.h"

/* ---- CAs ---- */

static void
a_ca_with_one_thing_changed(void **state)
{
    static const char basic[] = "basicConstraints=critical,CA:TRUE";
    static const char usage[] = "keyUsage=critical,keyCertSign,cRLSign";
    static const struct {
        const char *extensions[5];
        const char *why;
    } rows[] = {
        {{basic, usage}, NULL},
        {{"basicConstraints=critical,CA:TRUE,pathlen:0", usage}, NULL},
        {{"basicConstraints=CA:TRUE", usage}, "basicConstraints must be critical"},
        {{usage}, "invalid CA certificate"},
        {{basic, "keyUsage=critical,cRLSign"}, "invalid CA certificate"},
        {{basic}, "ey usage"},
        {{basic, usage, "nameConstraints=critical,permitted;DNS:example"}, NULL},
        {{basic, usage, "nameConstraints=permitted;DNS:example"},
         "nameConstraints must be critical"},
        {{basic, usage, "nameConstraints=critical,permitted;DNS:.example"},
         "a subtree is not in the form"},
        {{basic, usage,
          "nameConstraints=critical,permitted;DNS:example,permitted;IP:10.0.0.0/255.0.0.0"},
         NULL},
        {{basic, usage, "nameConstraints=critical,DER:3000"}, "nameConstraints without a subtree"},
        {{basic, usage, "nameConstraints=critical,DER:3006a00430028200"}, NULL}, /* all dNSNames */
        {{basic, usage, "nameConstraints=critical,excluded;DNS:*.example"},
         "a subtree is not in the form"},
        {{basic, usage, "nameConstraints=critical,DER:300ca00a30088706C0000200FF00"},
         "a subtree is not in the form"}, /* six octets of an address and a mask */
        {{basic, usage, "nameConstraints=critical,DER:300ca10a30088706C0000200FF00"},
         "a subtree is not in the form"},
        {{basic, usage, "nameConstraints=critical,excluded;IP:2001:db8::/ffff:ffff::"}, NULL},
        /* other kinds say nothing of a dNSName */
        {{basic, usage, "nameConstraints=critical,permitted;email:example"}, NULL},
        {{basic, usage, "nameConstraints=critical,excluded;URI:.example"}, NULL},
        {{basic, usage, "nameConstraints=critical,permitted;dirName:d"}, "permitted subtree"},
        {{basic, usage, "nameConstraints=critical,excluded;dirName:d"}, NULL},
        /* what OpenSSL cannot compare is refused, not passed over */
        {{basic, usage, "nameConstraints=critical,permitted;otherName:1.2.3;UTF8:x"}, NULL},
        {{basic, usage, "nameConstraints=critical,permitted;RID:1.2.3"}, NULL},
        {{basic, usage, "nameConstraints=critical,excluded;DNS:example"}, "excluded subtree"},
        {{basic, usage, "nameConstraints=critical,permitted;DNS:other"}, "permitted subtree"},
        {{basic, usage, "certificatePolicies=1.2.3", "policyConstraints=requireExplicitPolicy:9"},
         "policyConstraints must be critical"},
        {{basic, usage, "policyConstraints=critical,requireExplicitPolicy:9"},
         "policyConstraints without certificatePolicies"},
        {{basic, usage, "certificatePolicies=1.2.3",
          "policyConstraints=critical,requireExplicitPolicy:9"},
         NULL},
        {{basic, usage, "certificatePolicies=1.2.3",
          "policyConstraints=critical,requireExplicitPolicy:0"},
         "explicit policy"},
        {{basic, usage, "certificatePolicies=1.2.3", "policyConstraints=critical,DER:3000"},
         "olicy"},
        {{basic, usage, "inhibitAnyPolicy=0"}, "inhibitAnyPolicy must be critical"},
    };
    struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;

    (void)state;
    r.extensions[0] = "keyUsage=critical,digitalSignature";
    r.extensions[1] = "subjectAltName=DNS:dev.example";
    leaf = forge_certificate(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *what = mem_printf("row %zu", i);
        CLEANUP(x509_cleanup) X509 *other = NULL;

        r = chain_recipe("O=Vendor/CN=CA", chain_ca_key, chain_root, chain_root_key);
        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        other = forge_certificate(&r);
        chain_wanted(what, leaf, other, rows[i].why);
    }
}

/* "*.example" may stand for "secret.example", and OpenSSL does not think so. */
static void
a_wildcard_is_not_for_names_that_are_constrained(void **state)
{
    struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    CLEANUP(x509_cleanup) X509 *dns = NULL;
    CLEANUP(x509_cleanup) X509 *uri = NULL;

    (void)state;
    r.extensions[0] = "keyUsage=critical,digitalSignature";
    r.extensions[1] = "subjectAltName=DNS:*.example";
    leaf = forge_certificate(&r);
    r = chain_recipe("O=Vendor/CN=CA", chain_ca_key, chain_root, chain_root_key);
    r.extensions[0] = "basicConstraints=critical,CA:TRUE";
    r.extensions[1] = "keyUsage=critical,keyCertSign";
    r.extensions[2] = "nameConstraints=critical,excluded;DNS:secret.example";
    dns = forge_certificate(&r);
    r.extensions[2] = "nameConstraints=critical,excluded;URI:secret.example";
    uri = forge_certificate(&r);
    chain_wanted("dNSName", leaf, dns, "below nameConstraints");
    chain_wanted("URI", leaf, uri, NULL);
    chain_wanted("none", leaf, chain_ca, NULL);
}

static void
a_path_has_no_more_than_its_length(void **state)
{
    X509 *chain[PATH_LENGTH_MAX + 2];
    struct forge r = chain_recipe("O=Vendor/CN=C0", chain_ca_key, chain_root, chain_root_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct path_request request = {.purpose = PATH_REQUESTER,
                                   .at = AT,
                                   .anchors = &chain_root,
                                   .n_anchors = 1,
                                   .untrusted = chain};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("O=Vendor/CN=C%zu", i);

        r.subject = name;
        r.issuer = i == 0 ? chain_root : chain[i - 1];
        r.issuer_key = i == 0 ? chain_root_key : chain_ca_key;
        r.extensions[0] = "basicConstraints=critical,CA:TRUE";
        r.extensions[1] = "keyUsage=critical,keyCertSign";
        chain[i] = forge_certificate(&r);
    }
    for (size_t n = PATH_LENGTH_MAX; n <= PATH_LENGTH_MAX + 1; n++) {
        X509_free(leaf);
        r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain[n - 1], chain_ca_key);
        r.extensions[0] = "keyUsage=critical,digitalSignature";
        leaf = forge_certificate(&r);
        request.n_untrusted = n;
        assert_int_equal(path_judge(leaf, &request, &e),
                         n == PATH_LENGTH_MAX ? PATH_GOOD : PATH_REFUSED);
    }
    assert_non_null(strstr(e.text, "chain too long"));
    for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
        X509_free(chain[i]);
    }
}

/* ---- CRLs ---- */

static void
a_crl_with_one_thing_changed(void **state)
{
    struct row {
        struct forge_crl crl;
        const char *why;
    } rows[] = {
        {{.number = "1"}, NULL},
        {{.number = "0"}, NULL},
        {{.number = NULL}, "without cRLNumber"},
        {{.number = "1", .number_critical = true}, "crlNumber must not be critical"},
        {{.number = "0x8000000000000000000000000000000000000000"}, "cRLNumber not positive"},
        {{.number = "0x7fffffffffffffffffffffffffffffffffffffff"}, NULL},
        {{.number = "1", .digest = EVP_sha224()}, "SHA-256 or better"},
        {{.number = "1", .digest = EVP_sha512()}, NULL},
        {{.number = "1", .extension = "freshestCRL=critical,URI:http://x/y"},
         "freshestCRL must not be critical"},
        {{.number = "1", .extension = "authorityInfoAccess=critical,caIssuers;URI:http://x/y"},
         "authorityInfoAccess must not be critical"},
        {{.number = "-1"}, "cRLNumber not positive"},
        {{.number = "1", .next_update = -1}, "without nextUpdate"},
        {{.number = "1", .no_key_identifier = true}, "without authorityKeyIdentifier"},
        {{.number = "1", .version_1 = true}, "not a version 2 CRL"},
        {{.number = "1", .digest = EVP_sha1()}, "SHA-256 or better"},
        {{.number = "1", .digest = EVP_sha384()}, NULL},
        {{.number = "1", .extension = "issuingDistributionPoint=onlyuser:TRUE"},
         "issuingDistributionPoint must be critical"},
        {{.number = "1", .extension = "issuingDistributionPoint=critical,onlyuser:TRUE"}, NULL},
        {{.number = "1", .extension = "authorityKeyIdentifier=keyid:always"}, "twice"},
        {{.number = "1", .extension = "deltaCRL=DER:020101"}, "must be critical"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
        struct forge_crl f = rows[i].crl;
        struct err e = {0};
        int result;

        f.issuer = chain_ca;
        f.issuer_key = chain_ca_key;
        f.this_update = AT - DAY;
        f.next_update = f.next_update < 0 ? 0 : AT + DAY;
        crl = forge_crl(&f);
        result = path_check_crl(crl, &e);
        if ((result == 0) != (rows[i].why == NULL) ||
            strstr(e.text, rows[i].why == NULL ? "" : rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

/* A critical extension of a CRL that nobody knows: its scope is not known (RFC 5280 5.2). */
static void
a_crl_with_an_unknown_critical_extension_says_nothing(void **state)
{
    const struct forge_crl f = {.issuer = chain_ca,
                                .issuer_key = chain_ca_key,
                                .this_update = AT - DAY,
                                .next_update = AT + DAY,
                                .number = "1",
                                .extension = "1.2.3.4=critical,DER:0500"};
    CLEANUP(x509_crl_cleanup) X509_CRL *made = forge_crl(&f);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(65536);
    struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct path_request request = {.purpose = PATH_REQUESTER,
                                   .at = AT,
                                   .anchors = &chain_ca,
                                   .n_anchors = 1,
                                   .pinned = true,
                                   .status = PATH_STATUS_IF_PRESENT,
                                   .crls = &crl,
                                   .n_crls = 1};
    const unsigned char *p;
    struct err e = {0};

    (void)state;
    leaf = forge_certificate(&r);
    assert_ok(OSSL_ENCODE(X509_CRL, made, &der, &e), &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n); /* flags are set when it is parsed */
    assert_int_equal(path_judge(leaf, &request, &e), PATH_REFUSED);
    assert_non_null(strstr(e.text, "unhandled critical CRL extension"));
}

/* Of an end entity that asks, names of these kinds below a CA that constrains the same kind. */
static void
names_are_constrained_by_their_own_kind(void **state)
{
    static const struct {
        const char *names;
        const char *constraints;
        const char *why; /* NULL: good */
    } rows[] = {
        {"URI:http://a.example/", "permitted;URI:a.example", NULL},
        {"URI:http://b.other/", "permitted;URI:a.example", "permitted subtree"},
        {"email:a@b.example", "permitted;email:b.example", NULL},
        {"email:a@b.example", "permitted;email:c.example", "permitted subtree"},
        {"email:b.example@x", "permitted;DNS:other", NULL},
        {"IP:10.0.0.1", "permitted;IP:10.0.0.0/255.0.0.0", NULL},
        {"IP:11.0.0.1", "permitted;IP:10.0.0.0/255.0.0.0", "permitted subtree"},
        {"IP:10.0.0.1", "excluded;IP:10.0.0.0/255.0.0.0", "excluded subtree"},
        {"dirName:d", "permitted;DNS:other", NULL},
        {"RID:1.2.3", "permitted;RID:1.2.4", "nsupported"},
        {"otherName:1.2.3;UTF8:x", "permitted;otherName:1.2.3;UTF8:y", ""},
        {"otherName:1.2.3;UTF8:dev.example", "permitted;DNS:other", NULL},
        {"URI:dev.example", "permitted;DNS:dev.example", NULL},
        {"DNS:dev.example", "permitted;URI:other", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *what = mem_printf("row %zu", i);
        CLEANUP(mem_cleanup) char *names = mem_printf("subjectAltName=%s", rows[i].names);
        CLEANUP(mem_cleanup)
        char *constraints = mem_printf("nameConstraints=critical,%s", rows[i].constraints);
        struct forge r = chain_recipe("O=Vendor/CN=CA", chain_ca_key, chain_root, chain_root_key);
        CLEANUP(x509_cleanup) X509 *middle = NULL;
        CLEANUP(x509_cleanup) X509 *leaf = NULL;

        r.extensions[0] = "basicConstraints=critical,CA:TRUE";
        r.extensions[1] = "keyUsage=critical,keyCertSign";
        r.extensions[2] = constraints;
        middle = forge_certificate(&r);
        r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, middle, chain_ca_key);
        r.extensions[0] = "keyUsage=critical,digitalSignature";
        r.extensions[1] = names;
        leaf = forge_certificate(&r);
        chain_wanted(what, leaf, middle, rows[i].why);
    }
}

static void
a_certificate_is_of_version_3(void **state)
{
    struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = forge_certificate(&r);
    struct err e = {0};

    (void)state;
    assert_ok(path_check_certificate(leaf, 0, &e), &e);
    for (long version = 0; version < 2; version++) {
        assert_int_equal(X509_set_version(leaf, version), 1);
        assert_err(path_check_certificate(leaf, 0, &e), ERR_DENIED, &e);
        assert_string_equal(e.text, "not an X.509 version 3 certificate");
    }
}

static void
purposes_are_judged_by_themselves(void **state)
{
    static const struct {
        const char *extensions[4];
        enum path_purpose purpose;
        const char *why; /* NULL: good */
    } rows[] = {
        {{NULL}, PATH_REQUESTER, NULL},
        {{NULL}, PATH_OWN, "keyUsage without digitalSignature"},
        {{NULL}, PATH_PERSON, "keyUsage without digitalSignature"},
        {{NULL}, PATH_RA_CMP, "keyUsage without digitalSignature"},
        {{"keyUsage=critical,digitalSignature"}, PATH_OWN, NULL},
        {{"keyUsage=critical,digitalSignature"}, PATH_PERSON, NULL},
        {{"keyUsage=critical,digitalSignature", "subjectAltName=DNS:x"}, PATH_OWN, NULL},
        {{"keyUsage=critical,digitalSignature", "subjectAltName=DNS:x"},
         PATH_PERSON,
         "subjectAltName: a network function's, not a person's"},
        {{"subjectAltName=DNS:x", "keyUsage=critical,digitalSignature"},
         PATH_PERSON,
         "subjectAltName: a network function's, not a person's"},
        {{"keyUsage=critical,nonRepudiation"}, PATH_REQUESTER, "keyUsage without digital"},
        {{"keyUsage=critical,digitalSignature"},
         PATH_RA_CMP,
         "extendedKeyUsage without 1.3.6.1.5.5.7.3.28"},
        {{"keyUsage=critical,digitalSignature", "extendedKeyUsage=clientAuth"},
         PATH_RA_CMP,
         "extendedKeyUsage without 1.3.6.1.5.5.7.3.28"},
        {{"keyUsage=critical,digitalSignature", "extendedKeyUsage=anyExtendedKeyUsage"},
         PATH_RA_CMP,
         "extendedKeyUsage without 1.3.6.1.5.5.7.3.28"},
        {{"keyUsage=critical,digitalSignature", "extendedKeyUsage=1.3.6.1.5.5.7.3.28,clientAuth"},
         PATH_RA_CMP,
         NULL},
        {{"basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature,keyCertSign"},
         PATH_REQUESTER,
         "a CA certificate where an end entity's belongs"},
        {{"basicConstraints=DER:0500", "keyUsage=critical,digitalSignature"},
         PATH_REQUESTER,
         "certificate with a malformed extension"},
        {{"keyUsage=DER:0500"}, PATH_OWN, "certificate with a malformed extension"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);
        CLEANUP(x509_cleanup) X509 *leaf = NULL;
        struct err e = {0};
        int result;

        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        leaf = forge_certificate(&r);
        result = path_check_purpose(leaf, rows[i].purpose, &e);
        if (rows[i].why == NULL
                ? result != 0
                : result == 0 || e.code != ERR_DENIED || strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "good" : e.text);
        }
    }
}

static void
candidates_and_crls_are_counted(void **state)
{
    const struct forge_crl f = {.issuer = chain_ca,
                                .issuer_key = chain_ca_key,
                                .this_update = AT - DAY,
                                .next_update = AT + DAY,
                                .number = "1"};
    struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = forge_certificate(&r);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&f);
    X509_CRL *crls[PATH_CRLS_MAX + 1];
    X509 *middle[PATH_UNTRUSTED_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(crls); i++) {
        crls[i] = crl;
    }
    for (size_t i = 0; i < ARRAY_LEN(middle); i++) {
        middle[i] = chain_ca;
    }
    for (size_t over = 0; over < 2; over++) {
        struct path_request request = {.purpose = PATH_REQUESTER,
                                       .at = AT,
                                       .anchors = &chain_root,
                                       .n_anchors = 1,
                                       .untrusted = &chain_ca,
                                       .n_untrusted = 1,
                                       .status = PATH_STATUS_IF_PRESENT,
                                       .crls = crls,
                                       .n_crls = PATH_CRLS_MAX + over};
        struct err e = {0};

        assert_int_equal(path_judge(leaf, &request, &e), over == 0 ? PATH_GOOD : PATH_REFUSED);
        if (over == 1) {
            assert_string_equal(e.text, "certification path: more than 32 CRLs");
        }
        request.n_crls = 0;
        request.untrusted = middle;
        request.n_untrusted = PATH_UNTRUSTED_MAX + over;
        e = (struct err){0};
        assert_int_equal(path_judge(leaf, &request, &e), over == 0 ? PATH_GOOD : PATH_REFUSED);
        if (over == 1) {
            assert_non_null(strstr(e.text, "certification path: more than"));
            assert_non_null(strstr(e.text, "certificates"));
        }
    }
}

/* An anchor is the operator's choice, but it must be able to be one. */
static void
an_anchor_is_a_ca_with_a_key_that_signs(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    const struct {
        EVP_PKEY *key;
        const char *extensions[3];
        const char *why; /* NULL: good */
    } rows[] = {
        {chain_leaf_key, {FORGE_CA}, NULL},
        {ed, {FORGE_CA}, NULL},
        {chain_leaf_key, {FORGE_LEAF}, "not a CA certificate"},
        {chain_leaf_key, {NULL}, "not a CA certificate"},
        {chain_leaf_key,
         {"basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign"},
         "not a CA"},
        {x25519, {FORGE_CA}, "its key is of kind X25519: only RSA, EC and EdDSA keys vouch"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forge r =
            chain_recipe("O=Vendor/CN=Anchor", rows[i].key, chain_root, chain_root_key);
        CLEANUP(x509_cleanup) X509 *anchor = NULL;
        struct err e = {0};
        int result;

        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        anchor = forge_certificate(&r);
        result = path_check_anchor(anchor, &e);
        if (rows[i].why == NULL
                ? result != 0
                : result == 0 || e.code != ERR_DENIED || strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "good" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ca_with_one_thing_changed),
        cmocka_unit_test(a_wildcard_is_not_for_names_that_are_constrained),
        cmocka_unit_test(a_path_has_no_more_than_its_length),
        cmocka_unit_test(a_crl_with_one_thing_changed),
        cmocka_unit_test(a_crl_with_an_unknown_critical_extension_says_nothing),
        cmocka_unit_test(names_are_constrained_by_their_own_kind),
        cmocka_unit_test(a_certificate_is_of_version_3),
        cmocka_unit_test(purposes_are_judged_by_themselves),
        cmocka_unit_test(candidates_and_crls_are_counted),
        cmocka_unit_test(an_anchor_is_a_ca_with_a_key_that_signs),
    };

    return cmocka_run_group_tests(tests, chain_make, chain_drop);
}
