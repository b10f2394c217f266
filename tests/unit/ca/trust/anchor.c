/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/anchor.h"

#include <openssl/rsa.h>
#include <string.h>

#include "tests/support/forge.h"
#include "tests/support/test.h"

enum { AT = 1790000000, DAY = 24 * 60 * 60 };

static struct forge
recipe(EVP_PKEY *key)
{
    return (struct forge){.subject = "C=SE/O=Vendor/CN=Root",
                          .key = key,
                          .not_before = AT - DAY,
                          .not_after = AT + 10L * DAY,
                          .extensions = {FORGE_CA}};
}

/* why NULL: something can verify */
static void
wanted(const char *what, const struct forge *f, const char *const *names, size_t n, const char *why)
{
    CLEANUP(x509_cleanup) X509 *anchor = forge_certificate(f);
    struct err e = {0};
    int result = anchor_check(anchor, names, n, AT, &e);

    if ((result == 0) != (why == NULL) ||
        (why != NULL && (strstr(e.text, why) == NULL || e.code != ERR_DENIED))) {
        fail_msg("%s: '%s', '%s' is expected", what, e.text, why == NULL ? "good" : why);
    }
}

static void
anchors_of_each_kind_of_key(void **state)
{
    static const struct {
        const char *type;
        const char *curve;
        size_t bits;
        const char *why;
    } rows[] = {
        {"EC", "P-256", 0, NULL},  {"EC", "P-521", 0, NULL},    {"EC", "secp256k1", 0, NULL},
        {"RSA", NULL, 2048, NULL}, {"RSA", NULL, 1024, "weak"}, {"ED25519", NULL, 0, NULL},
        {"ED448", NULL, 0, NULL},  {"EC", "P-192", 0, "weak"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *what = mem_printf("row %zu", i);
        CLEANUP(evp_pkey_cleanup)
        EVP_PKEY *key = rows[i].curve != NULL ? EVP_EC_gen(rows[i].curve)
                        : rows[i].bits > 0    ? EVP_RSA_gen((unsigned)rows[i].bits)
                                              : EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type);
        const struct forge f = recipe(key);

        assert_non_null(key);
        wanted(what, &f, NULL, 0, rows[i].why);
    }
}

static void
anchors_with_one_thing_changed(void **state)
{
    static const char *const vendor[] = {"CN=a,O=Other,C=SE", "O=Vendor,C=SE"};
    static const char *const other[] = {"O=Other,C=SE"};
    static const char *const line[] = {"OU=Radio,O=Vendor,C=SE"};
    static const char *const upper[] = {"ou=radio,o=VENDOR,c=se"};
    static const char *const longer[] = {"XO=Vendor,C=SE"};
    static const char *const escaped[] = {"CN=a\\,O=Vendor,C=SE"};
    static const char *const comma[] = {",O=Vendor,C=SE"};
    static const char *const any[] = {""};
    static const char *const country[] = {"C=SE"};
    const struct {
        const char *what;
        long from;
        long to;
        const char *extension;
        bool bare;
        const char *const *names;
        size_t n_names;
        const char *why;
    } rows[] = {
        {"nothing", -1, 10, NULL, false, NULL, 0, NULL},
        {"ended", -5, -1, NULL, false, NULL, 0, "expired"},
        {"begins", 2, 10, NULL, false, NULL, 0, NULL},
        {"an unknown critical extension", -1, 10, "1.2.3.4=critical,DER:0500", false, NULL, 0,
         "unhandled critical"},
        {"an unknown extension", -1, 10, "1.2.3.4=DER:0500", false, NULL, 0, NULL},
        {"an extension that does not decode", -1, 10, "crlDistributionPoints=DER:0500", false, NULL,
         0, "no certificate can name it as its issuer"},
        {"no subjectKeyIdentifier", -1, 10, NULL, true, NULL, 0, "Subject Key Identifier"},
        {"names", -1, 10, NULL, false, other, 1, NULL},
        {"constraints without names", -1, 10, "nameConstraints=critical,permitted;dirName:d", false,
         NULL, 0, NULL},
        {"constraints that have one of the names", -1, 10,
         "nameConstraints=critical,permitted;dirName:d", false, vendor, 2, NULL},
        {"constraints that have none", -1, 10, "nameConstraints=critical,permitted;dirName:d",
         false, other, 1, "exclude all of the set's names"},
        {"constraints above the name", -1, 10, "nameConstraints=critical,permitted;dirName:d",
         false, line, 1, NULL},
        {"exclusion of a part of the name", -1, 10, "nameConstraints=critical,excluded;dirName:l",
         false, vendor + 1, 1, NULL},
        {"exclusion of the name", -1, 10, "nameConstraints=critical,excluded;dirName:l", false,
         line, 1, "exclude all of the set's names"},
        {"constraints in other letters", -1, 10, "nameConstraints=critical,permitted;dirName:d",
         false, upper, 1, NULL},
        {"an attribute that ends as theirs", -1, 10, "nameConstraints=critical,permitted;dirName:d",
         false, longer, 1, "exclude all of the set's names"},
        {"a value that ends as theirs", -1, 10, "nameConstraints=critical,permitted;dirName:d",
         false, escaped, 1, "exclude all of the set's names"},
        {"nothing before the comma", -1, 10, "nameConstraints=critical,permitted;dirName:d", false,
         comma, 1, NULL},
        {"any name", -1, 10, "nameConstraints=critical,permitted;dirName:d", false, any, 1, NULL},
        {"any name, and an exclusion", -1, 10, "nameConstraints=critical,excluded;dirName:d", false,
         any, 1, NULL},
        {"a name above the constraints", -1, 10, "nameConstraints=critical,permitted;dirName:d",
         false, country, 1, NULL},
        {"a name above the exclusion", -1, 10, "nameConstraints=critical,excluded;dirName:d", false,
         country, 1, NULL},
        {"a name below the exclusion", -1, 10, "nameConstraints=critical,excluded;dirName:d", false,
         line, 1, "exclude all of the set's names"},
        {"exclusion of all that is permitted", -1, 10,
         "nameConstraints=critical,permitted;dirName:d,excluded;dirName:d", false, vendor + 1, 1,
         "exclude all of the set's names"},
        {"exclusion of a part of what is permitted", -1, 10,
         "nameConstraints=critical,permitted;dirName:d,excluded;dirName:l", false, vendor + 1, 1,
         NULL},
        {"exclusion of others", -1, 10, "nameConstraints=critical,excluded;dirName:d", false, other,
         1, NULL},
        {"hosts, then names", -1, 10,
         "nameConstraints=critical,permitted;DNS:vendor.example,permitted;dirName:d", false, other,
         1, "exclude all of the set's names"},
        {"names, then hosts", -1, 10,
         "nameConstraints=critical,permitted;dirName:d,permitted;DNS:vendor.example", false, other,
         1, "exclude all of the set's names"},
        {"the second of two", -1, 10,
         "nameConstraints=critical,permitted;dirName:l,permitted;dirName:d", false, vendor + 1, 1,
         NULL},
        {"the first of two", -1, 10,
         "nameConstraints=critical,permitted;dirName:d,permitted;DNS:vendor.example", false, line,
         1, NULL},
        {"exclusion of hosts", -1, 10, "nameConstraints=critical,excluded;DNS:vendor.example",
         false, other, 1, NULL},
        {"the second exclusion", -1, 10,
         "nameConstraints=critical,excluded;DNS:vendor.example,excluded;dirName:d", false, vendor,
         2, NULL},
        {"the second exclusion, of all", -1, 10,
         "nameConstraints=critical,excluded;DNS:vendor.example,excluded;dirName:d", false,
         vendor + 1, 1, "exclude all of the set's names"},
        {"constraints of hosts", -1, 10, "nameConstraints=critical,permitted;DNS:vendor.example",
         false, other, 1, NULL},
    };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forge f = recipe(key);

        f.not_before = AT + rows[i].from * DAY;
        f.not_after = AT + rows[i].to * DAY;
        f.extensions[2] = rows[i].extension;
        f.bare = rows[i].bare;
        wanted(rows[i].what, &f, rows[i].names, rows[i].n_names, rows[i].why);
    }
}

/* A CA below another, without a certificate for that other. */
static void
an_anchor_need_not_be_self_signed(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *root_key = EVP_EC_gen("P-384");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_RSA_gen(2048);
    struct forge f = recipe(root_key);
    CLEANUP(x509_cleanup) X509 *root = forge_certificate(&f);

    (void)state;
    f.subject = "O=Vendor/CN=CA";
    f.key = key;
    f.issuer = root;
    f.issuer_key = root_key;
    wanted("a CA below another", &f, NULL, 0, NULL);
}

static void
an_anchor_is_a_ca_that_signs_certificates(void **state)
{
    static const struct {
        const char *constraints;
        const char *usage;
        const char *why;
    } rows[] = {
        {"basicConstraints=CA:TRUE", "keyUsage=critical,keyCertSign", NULL}, /* not critical */
        {"basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign", NULL},
        {"basicConstraints=critical,CA:FALSE", "keyUsage=critical,keyCertSign", ""},
        {"basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign", ""},
    };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forge f = recipe(key);

        f.extensions[0] = rows[i].constraints;
        f.extensions[1] = rows[i].usage;
        wanted(rows[i].constraints, &f, NULL, 0, rows[i].why);
    }
}

static void
an_anchor_may_be_there_before_its_time(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    struct forge f = recipe(key);
    CLEANUP(x509_cleanup) X509 *anchor = forge_certificate(&f);

    (void)state;
    assert_false(anchor_is_early(anchor, AT));
    assert_true(anchor_is_early(anchor, AT - 2L * DAY));
    assert_true(anchor_is_early(anchor, AT - 1L * DAY - 1));
    assert_false(anchor_is_early(anchor, AT - 1L * DAY));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchors_of_each_kind_of_key),
        cmocka_unit_test(anchors_with_one_thing_changed),
        cmocka_unit_test(an_anchor_need_not_be_self_signed),
        cmocka_unit_test(an_anchor_is_a_ca_that_signs_certificates),
        cmocka_unit_test(an_anchor_may_be_there_before_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
