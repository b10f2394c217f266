/* SPDX-License-Identifier: Apache-2.0 */
/* An end entity for each check, and for each limit, good but for one thing. */
#include "ca/x509/path/check.h"

#include <openssl/rsa.h>
#include <string.h>

#include "ca/x509/path/purpose.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/path/chain.h"

/* ---- end entities ---- */

#define L61 "a123456789012345678901234567890123456789012345678901234567890"
#define L63 L61 "12"

static void
an_end_entity_with_one_thing_changed(void **state)
{
    static const char usage[] = "keyUsage=critical,digitalSignature";
    static const char basic[] = "basicConstraints=critical,CA:FALSE";
    static const struct {
        const char *extensions[5];
        const char *serial;
        bool bare;
        const char *subject;
        const char *why; /* NULL: good */
    } rows[] = {
        {{basic, usage}, NULL, false, NULL, NULL},
        {{usage}, NULL, false, NULL, NULL},
        {{NULL}, NULL, false, NULL, NULL}, /* no keyUsage is none that forbids */
        {{basic, usage, "extendedKeyUsage=clientAuth"}, NULL, false, NULL, NULL},
        {{basic, usage, "1.2.3.4=DER:0500"}, NULL, false, NULL, NULL},
        {{basic, usage}, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", false, NULL, NULL},
        {{basic, usage}, "00", false, NULL, "serial number not positive"},
        {{basic, usage}, "-05", false, NULL, "serial number not positive"},
        {{basic, usage}, "8000000000000000000000000000000000000000", false, NULL, "20 octets"},
        {{basic, usage, "1.2.3.4=critical,DER:0500"}, NULL, false, NULL, "unhandled critical"},
        {{basic, usage, usage}, NULL, false, NULL, ""}, /* whoever sees it first */
        {{basic, usage, "1.2.3.4=DER:0500", "1.2.3.4=DER:0500"}, NULL, false, NULL, "twice"},
        {{basic, usage, "subjectKeyIdentifier=critical,hash"}, NULL, false, NULL, "ritical"},
        {{basic, usage, "authorityKeyIdentifier=critical,keyid:always"},
         NULL,
         false,
         NULL,
         "ritical"},
        {{basic, usage, "authorityInfoAccess=critical,OCSP;URI:http://o"},
         NULL,
         false,
         NULL,
         "ritical"},
        {{basic, usage}, NULL, true, NULL, "Authority Key Identifier"},
        {{basic, "keyUsage=critical,keyEncipherment"}, NULL, false, NULL, "digitalSignature"},
        {{basic, "keyUsage=critical,digitalSignature,keyCertSign"}, NULL, false, NULL, "key"},
        {{"basicConstraints=critical,CA:TRUE", usage}, NULL, false, NULL, ""},
        {{"basicConstraints=critical,CA:FALSE,pathlen:0", usage}, NULL, false, NULL, "ath"},
        {{basic, usage, "nameConstraints=critical,permitted;DNS:x"}, NULL, false, NULL, "CA"},
        {{basic, usage, "certificatePolicies=1.2.3",
          "policyConstraints=critical,requireExplicitPolicy:3"},
         NULL,
         false,
         NULL,
         "for CA certificates only"},
        {{basic, usage, "inhibitAnyPolicy=critical,3"},
         NULL,
         false,
         NULL,
         "for CA certificates only"},
        {{"policyMappings=1.2.3:1.2.4", basic, usage}, NULL, false, NULL, "for CA certificates"},
        {{basic, usage, "subjectAltName=DNS:*.a"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DNS:*."}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:*"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:a."}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:a-.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:" L63 ".example"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DNS:" L63 "x.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:" L63 "." L63 "." L63 "." L61},
         NULL,
         false,
         NULL,
         NULL},
        {{basic, usage, "subjectAltName=DNS:" L63 "." L63 "." L63 "." L61 "x"},
         NULL,
         false,
         NULL,
         "name 1"},
        {{basic, usage, "subjectAltName=DNS:a.1x"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DNS:a.9"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:9.a"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DER:3000"}, NULL, false, NULL, ""},
        {{basic, usage, "subjectAltName=DER:30028200"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=email:a~b@c.example"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DER:300e810c61206240632e6578616d7065"},
         NULL,
         false,
         NULL,
         "name 1"}, /* a blank */
        {{basic, usage, "subjectAltName=DER:300c810a617f40632e6578616d70"},
         NULL,
         false,
         NULL,
         "name 1"}, /* DEL */
        {{basic, usage, "subjectAltName=email:a@*.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DER:30058703C00002"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=IP:2001:db8::1"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DER:3011870F000000000000000000000000000000"},
         NULL,
         false,
         NULL,
         "name 1"},
        /* kinds that have no form of their own here */
        {{basic, usage, "subjectAltName=otherName:1.2.3;UTF8:a..b"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=RID:1.2.3"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=URI:urn:x"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=dirName:d"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DER:3004a3023000"},
         NULL,
         false,
         NULL,
         NULL}, /* x400Address */
        {{basic, usage, "policyMappings=1.2.3:1.2.4"}, NULL, false, NULL, "for CA certificates"},
        {{basic, usage, "subjectAltName=DNS:x"}, NULL, false, "", "mpty"},
        {{basic, usage, "subjectAltName=critical,DNS:x"}, NULL, false, "", NULL},
        {{basic, usage, "certificatePolicies=1.2.3,1.2.3"}, NULL, false, NULL, "polic"},
        {{basic, usage, "certificatePolicies=critical,DER:3011300f06022a033009300706032a03040500"},
         NULL,
         false,
         NULL,
         "a qualifier that is not known"},
        {{basic, usage, "certificatePolicies=DER:3011300f06022a033009300706032a03040500"},
         NULL,
         false,
         NULL,
         NULL},
        {{basic, usage,
          "certificatePolicies=critical,"
          "DER:3017301506022a03300f300d06082b06010505070201160178"},
         NULL,
         false,
         NULL,
         NULL},
        {{basic, usage, "extendedKeyUsage=DER:3000"}, NULL, false, NULL, "without a purpose"},
        {{basic, usage, "subjectAltName=DNS:a-1.example,email:a@b.example,IP:192.0.2.1"},
         NULL,
         false,
         NULL,
         NULL},
        {{basic, usage, "subjectAltName=DNS:*.example"}, NULL, false, NULL, NULL},
        {{basic, usage, "subjectAltName=DNS:a_b.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:x,DNS:a..example"}, NULL, false, NULL, "name 2"},
        {{basic, usage, "subjectAltName=DNS:-a.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:a.*.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DNS:192.0.2.1"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=email:example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=email:a@b@c.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=email:@c.example"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DER:30078705C000020101"}, NULL, false, NULL, "name 1"},
        {{basic, usage, "subjectAltName=DER:3002"}, NULL, false, NULL, "subjectAltName: malformed"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *what = mem_printf("row %zu", i);
        CLEANUP(x509_cleanup) X509 *leaf = NULL;
        struct forge r = chain_recipe(rows[i].subject == NULL ? "O=Vendor/CN=dev" : rows[i].subject,
                                      chain_leaf_key, chain_ca, chain_ca_key);

        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        r.serial = rows[i].serial;
        r.bare = rows[i].bare;
        leaf = forge_certificate(&r);
        chain_wanted(what, leaf, chain_ca, rows[i].why);
    }
}

/* Each is good with its own bit, and with no other. */
static void
what_an_operator_lets_pass(void **state)
{
    static const struct {
        const char *serial;
        const char *identifier; /* instead of authorityKeyIdentifier with keyIdentifier */
        bool bare;
        unsigned allow;
    } rows[] = {
        {"00", NULL, false, PATH_ALLOW_SERIAL_ZERO},
        {"-05", NULL, false, PATH_ALLOW_SERIAL_NEGATIVE},
        {"-7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL, false, PATH_ALLOW_SERIAL_NEGATIVE},
        {"8000000000000000000000000000000000000000", NULL, false, PATH_ALLOW_SERIAL_21},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL, false, PATH_ALLOW_SERIAL_21},
        {"010000000000000000000000000000000000000000000000", NULL, false, 0}, /* with none */
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", NULL, false, 0},       /* 22 octets */
        {NULL, NULL, true, PATH_ALLOW_NO_AKI},
        {NULL, "authorityKeyIdentifier=issuer:always", false, PATH_ALLOW_NO_AKI},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *leaf = NULL;
        struct forge r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, chain_ca, chain_ca_key);

        r.serial = rows[i].serial;
        r.bare = rows[i].bare;
        r.extensions[0] = "keyUsage=critical,digitalSignature";
        r.extensions[1] = rows[i].identifier;
        leaf = forge_certificate(&r);
        for (unsigned allow = 0; allow < 1U << 4; allow++) {
            struct path_request request = {.purpose = PATH_REQUESTER,
                                           .at = AT,
                                           .anchors = &chain_root,
                                           .n_anchors = 1,
                                           .untrusted = &chain_ca,
                                           .n_untrusted = 1,
                                           .allow = allow};
            struct err e = {0};
            bool good = path_judge(leaf, &request, &e) == PATH_GOOD;

            if (good != ((allow & rows[i].allow) != 0)) {
                fail_msg("row %zu with %u: %s", i, allow, good ? "good" : e.text);
            }
        }
    }
}

/* It is about end entities: a CA without it would make a path that nobody can find. */
static void
a_ca_is_never_without_key_identifier(void **state)
{
    struct forge r = chain_recipe("O=Vendor/CN=CA", chain_ca_key, chain_root, chain_root_key);
    CLEANUP(x509_cleanup) X509 *bare = NULL;
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct err e = {0};
    struct path_request request = {.purpose = PATH_REQUESTER,
                                   .at = AT,
                                   .anchors = &chain_root,
                                   .n_anchors = 1,
                                   .untrusted = &bare,
                                   .n_untrusted = 1,
                                   .allow = PATH_ALLOW_NO_AKI};

    (void)state;
    r.extensions[0] = "basicConstraints=critical,CA:TRUE";
    r.extensions[1] = "keyUsage=critical,keyCertSign";
    r.extensions[2] = "subjectKeyIdentifier=hash";
    r.bare = true;
    bare = forge_certificate(&r);
    r = chain_recipe("O=Vendor/CN=dev", chain_leaf_key, bare, chain_ca_key);
    leaf = forge_certificate(&r);
    assert_int_equal(path_judge(leaf, &request, &e), PATH_REFUSED);
    assert_non_null(strstr(e.text, "Authority Key Identifier"));
}

static EVP_PKEY *
pss_key(size_t bits)
{
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    return key;
}

static void
strength_and_kind_of_keys_and_signatures(void **state)
{
    static const struct {
        const char *curve; /* NULL: RSA */
        unsigned bits;
        const char *why;
    } keys[] = {{"P-256", 0, NULL},     {"P-384", 0, NULL},       {"P-521", 0, NULL},
                {NULL, 2048, NULL},     {NULL, 1024, "too weak"}, {"secp256k1", 0, "neither P-256"},
                {"P-224", 0, "neither"}};
    static const struct {
        size_t bits;
        const char *why;
    } pss[] = {{2048, NULL}, {1024, "too weak"}};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct forge r = chain_recipe("O=Vendor/CN=dev", NULL, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *edwards = NULL;
    CLEANUP(x509_cleanup) X509 *sha1 = NULL;

    (void)state;
    r.extensions[0] = "keyUsage=critical,digitalSignature";
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CLEANUP(mem_cleanup) char *what = mem_printf("key %zu", i);
        CLEANUP(evp_pkey_cleanup)
        EVP_PKEY *key =
            keys[i].curve == NULL ? EVP_RSA_gen(keys[i].bits) : EVP_EC_gen(keys[i].curve);
        CLEANUP(x509_cleanup) X509 *leaf = NULL;

        r.key = key;
        leaf = forge_certificate(&r);
        chain_wanted(what, leaf, chain_ca, keys[i].why);
    }
    for (size_t i = 0; i < ARRAY_LEN(pss); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pss_key(pss[i].bits);
        CLEANUP(x509_cleanup) X509 *leaf = NULL;

        r.key = key;
        leaf = forge_certificate(&r);
        chain_wanted("RSA-PSS", leaf, chain_ca, pss[i].why);
    }
    r.key = ed;
    edwards = forge_certificate(&r);
    chain_wanted("Ed25519", edwards, chain_ca, NULL);
    r.key = chain_leaf_key;
    r.digest = EVP_sha1();
    sha1 = forge_certificate(&r);
    chain_wanted("SHA-1", sha1, chain_ca, "too weak");
}

/* ---- limits ---- */

/* "item0,item1,..." */
static char *
many(const char *name, const char *item, int n)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(256 * 1024);
    struct err e = {0};

    assert_ok(buf_append_str(&text, name, &e), &e);
    for (int i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *one = mem_printf("%s%s%d", i == 0 ? "" : ",", item, i + 3);

        assert_ok(buf_append_str(&text, one, &e), &e);
    }
    return mem_printf("%.*s", (int)text.n, (const char *)text.p);
}

static void
limits_come_before_the_first_signature(void **state)
{
    const struct {
        const char *name;
        const char *item;
        int most;
        const char *why;
        bool of_ca;
    } rows[] = {
        {"subjectAltName=", "DNS:n", PATH_NAMES_MAX, "subjectAltName", false},
        {"certificatePolicies=", "1.2.", PATH_POLICIES_MAX, "certificatePolicies", false},
        {"nameConstraints=critical,", "permitted;DNS:n", PATH_SUBTREES_MAX, "nameConstraints",
         true},
        {"policyMappings=", "1.2.9:1.2.", PATH_MAPPINGS_MAX, "policyMappings", true},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int over = 0; over < 2; over++) {
            CLEANUP(mem_cleanup) char *text = many(rows[i].name, rows[i].item, rows[i].most + over);
            struct forge r =
                chain_recipe("O=Vendor/CN=x", chain_ca_key, chain_root, chain_root_key);
            CLEANUP(x509_cleanup) X509 *x = NULL;

            r.extensions[0] = rows[i].of_ca ? "basicConstraints=critical,CA:TRUE"
                                            : "basicConstraints=critical,CA:FALSE";
            r.extensions[1] = text;
            x = forge_certificate(&r);
            /* the signature is broken: nobody has looked at it when the limit speaks */
            assert_true(X509_set_pubkey(x, chain_leaf_key));
            assert_int_equal(path_check_limits(x, &e), over == 0 ? 0 : -1);
            if (over == 1 && strstr(e.text, rows[i].why) == NULL) {
                fail_msg("row %zu: %s", i, e.text);
            }
            if (over == 1) {
                assert_int_equal(chain_judge(x, chain_ca, &e), PATH_REFUSED);
                assert_non_null(strstr(e.text, rows[i].why));
            }
        }
    }
}

static void
size_extensions_parts_and_modulus_are_limited(void **state)
{
    CLEANUP(mem_cleanup) char *large = many("nsComment=", "0123456789", 3000);
    struct forge r = chain_recipe("O=Vendor/CN=x", chain_leaf_key, chain_ca, chain_ca_key);
    CLEANUP(x509_cleanup) X509 *big = NULL;
    CLEANUP(x509_cleanup) X509 *extended = NULL;
    CLEANUP(x509_cleanup) X509 *named = NULL;
    CLEANUP(x509_cleanup) X509 *middle = NULL;
    CLEANUP(mem_cleanup) char *parts = mem_strdup("O=Vendor");
    struct err e;

    (void)state;
    r.extensions[0] = large;
    big = forge_certificate(&r);
    chain_wanted("size", big, chain_ca, "more than 16384 octets");
    r.extensions[0] = NULL;
    extended = forge_certificate(&r);
    for (int i = 0; i < PATH_EXTENSIONS_MAX; i++) {
        CLEANUP(mem_cleanup) char *oid = mem_printf("1.2.3.%d", i);
        X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, oid, "DER:0500");

        X509_add_ext(extended, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(extended, chain_ca_key, EVP_sha256()) > 0);
    chain_wanted("extensions", extended, chain_ca, "more than 32 extensions");
    for (int i = 0; i < PATH_RDNS_MAX; i++) {
        char *longer = mem_printf("%s/OU=u%d", parts, i);

        mem_free(parts);
        parts = longer;
    }
    r.subject = parts;
    named = forge_certificate(&r);
    chain_wanted("parts", named, chain_ca, "more than 32 parts");
    /* of the certificates beside the leaf too */
    r.subject = "O=Vendor/CN=x";
    middle = forge_certificate(&r);
    assert_int_equal(chain_judge(middle, big, &e), PATH_REFUSED);
    assert_non_null(strstr(e.text, "certificate 1 beside it"));
}

/* Its length is the time that a verification takes; a stranger's key has none that OpenSSL takes
 * for smaller moduli only. */
static void
an_exponent_is_limited(void **state)
{
    static const struct {
        const char *exponent;
        int result;
    } rows[] = {{"800000000000001d", 0}, {"1000000000000000d", -1}};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = forge_rsa(rows[i].exponent);
        struct forge r = chain_recipe("O=Vendor/CN=x", key, chain_ca, chain_ca_key);
        CLEANUP(x509_cleanup) X509 *x = forge_certificate(&r);

        assert_int_equal(path_check_limits(x, &e), rows[i].result);
    }
    assert_non_null(strstr(e.text, "exponent"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_entity_with_one_thing_changed),
        cmocka_unit_test(what_an_operator_lets_pass),
        cmocka_unit_test(a_ca_is_never_without_key_identifier),
        cmocka_unit_test(strength_and_kind_of_keys_and_signatures),
        cmocka_unit_test(limits_come_before_the_first_signature),
        cmocka_unit_test(size_extensions_parts_and_modulus_are_limited),
        cmocka_unit_test(an_exponent_is_limited),
    };

    return cmocka_run_group_tests(tests, chain_make, chain_drop);
}
