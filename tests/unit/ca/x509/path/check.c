/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate or CRL for each check, good but for one thing. */
#include "ca/x509/path/check.h"

#include <openssl/rsa.h>
#include <string.h>

#include "ca/x509/path/path.h"
#include "ca/x509/path/purpose.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"

enum { AT = 1790000000, DAY = 24 * 60 * 60 };

static EVP_PKEY *root_key;
static EVP_PKEY *ca_key;
static EVP_PKEY *leaf_key;
static X509 *root;
static X509 *ca;

static struct forge
recipe(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    return (struct forge){.subject = subject,
                          .key = key,
                          .issuer = issuer,
                          .issuer_key = issuer_key,
                          .not_before = AT - DAY,
                          .not_after = AT + 10L * DAY};
}

static int
make(void **state)
{
    struct forge r;

    (void)state;
    root_key = EVP_EC_gen("P-256");
    ca_key = EVP_EC_gen("P-256");
    leaf_key = EVP_EC_gen("P-256");
    r = recipe("O=Vendor/CN=Root", root_key, NULL, NULL);
    r.extensions[0] = "basicConstraints=critical,CA:TRUE";
    r.extensions[1] = "keyUsage=critical,keyCertSign,cRLSign";
    root = forge_certificate(&r);
    r.subject = "O=Vendor/CN=CA";
    r.key = ca_key;
    r.issuer = root;
    r.issuer_key = root_key;
    ca = forge_certificate(&r);
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(leaf_key);
    X509_free(root);
    X509_free(ca);
    return 0;
}

static enum path_verdict
judge(X509 *leaf, X509 *middle, struct err *e)
{
    const struct path_request request = {.purpose = PATH_REQUESTER,
                                         .at = AT,
                                         .anchors = &root,
                                         .n_anchors = 1,
                                         .untrusted = &middle,
                                         .n_untrusted = 1};

    *e = (struct err){0};
    return path_judge(leaf, &request, e);
}

static void
wanted(const char *what, X509 *leaf, X509 *middle, const char *why)
{
    struct err e;
    enum path_verdict verdict = judge(leaf, middle, &e);

    if ((why == NULL) != (verdict == PATH_GOOD) || strstr(e.text, why == NULL ? "" : why) == NULL) {
        fail_msg("%s: %d: '%s', '%s' is expected\n", what, (int)verdict, e.text,
                 why == NULL ? "good" : why);
    }
}

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
        struct forge r = recipe(rows[i].subject == NULL ? "O=Vendor/CN=dev" : rows[i].subject,
                                leaf_key, ca, ca_key);

        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        r.serial = rows[i].serial;
        r.bare = rows[i].bare;
        leaf = forge_certificate(&r);
        wanted(what, leaf, ca, rows[i].why);
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
        struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);

        r.serial = rows[i].serial;
        r.bare = rows[i].bare;
        r.extensions[0] = "keyUsage=critical,digitalSignature";
        r.extensions[1] = rows[i].identifier;
        leaf = forge_certificate(&r);
        for (unsigned allow = 0; allow < 1U << 4; allow++) {
            struct path_request request = {.purpose = PATH_REQUESTER,
                                           .at = AT,
                                           .anchors = &root,
                                           .n_anchors = 1,
                                           .untrusted = &ca,
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
    struct forge r = recipe("O=Vendor/CN=CA", ca_key, root, root_key);
    CLEANUP(x509_cleanup) X509 *bare = NULL;
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct err e = {0};
    struct path_request request = {.purpose = PATH_REQUESTER,
                                   .at = AT,
                                   .anchors = &root,
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
    r = recipe("O=Vendor/CN=dev", leaf_key, bare, ca_key);
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
    struct forge r = recipe("O=Vendor/CN=dev", NULL, ca, ca_key);
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
        wanted(what, leaf, ca, keys[i].why);
    }
    for (size_t i = 0; i < ARRAY_LEN(pss); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pss_key(pss[i].bits);
        CLEANUP(x509_cleanup) X509 *leaf = NULL;

        r.key = key;
        leaf = forge_certificate(&r);
        wanted("RSA-PSS", leaf, ca, pss[i].why);
    }
    r.key = ed;
    edwards = forge_certificate(&r);
    wanted("Ed25519", edwards, ca, NULL);
    r.key = leaf_key;
    r.digest = EVP_sha1();
    sha1 = forge_certificate(&r);
    wanted("SHA-1", sha1, ca, "too weak");
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
            struct forge r = recipe("O=Vendor/CN=x", ca_key, root, root_key);
            CLEANUP(x509_cleanup) X509 *x = NULL;

            r.extensions[0] = rows[i].of_ca ? "basicConstraints=critical,CA:TRUE"
                                            : "basicConstraints=critical,CA:FALSE";
            r.extensions[1] = text;
            x = forge_certificate(&r);
            /* the signature is broken: nobody has looked at it when the limit speaks */
            assert_true(X509_set_pubkey(x, leaf_key));
            assert_int_equal(path_check_limits(x, &e), over == 0 ? 0 : -1);
            if (over == 1 && strstr(e.text, rows[i].why) == NULL) {
                fail_msg("row %zu: %s", i, e.text);
            }
            if (over == 1) {
                assert_int_equal(judge(x, ca, &e), PATH_REFUSED);
                assert_non_null(strstr(e.text, rows[i].why));
            }
        }
    }
}

static void
size_extensions_parts_and_modulus_are_limited(void **state)
{
    CLEANUP(mem_cleanup) char *large = many("nsComment=", "0123456789", 3000);
    struct forge r = recipe("O=Vendor/CN=x", leaf_key, ca, ca_key);
    CLEANUP(x509_cleanup) X509 *big = NULL;
    CLEANUP(x509_cleanup) X509 *extended = NULL;
    CLEANUP(x509_cleanup) X509 *named = NULL;
    CLEANUP(x509_cleanup) X509 *middle = NULL;
    CLEANUP(mem_cleanup) char *parts = mem_strdup("O=Vendor");
    struct err e;

    (void)state;
    r.extensions[0] = large;
    big = forge_certificate(&r);
    wanted("size", big, ca, "more than 16384 octets");
    r.extensions[0] = NULL;
    extended = forge_certificate(&r);
    for (int i = 0; i < PATH_EXTENSIONS_MAX; i++) {
        CLEANUP(mem_cleanup) char *oid = mem_printf("1.2.3.%d", i);
        X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, oid, "DER:0500");

        X509_add_ext(extended, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(extended, ca_key, EVP_sha256()) > 0);
    wanted("extensions", extended, ca, "more than 32 extensions");
    for (int i = 0; i < PATH_RDNS_MAX; i++) {
        char *longer = mem_printf("%s/OU=u%d", parts, i);

        mem_free(parts);
        parts = longer;
    }
    r.subject = parts;
    named = forge_certificate(&r);
    wanted("parts", named, ca, "more than 32 parts");
    /* of the certificates beside the leaf too */
    r.subject = "O=Vendor/CN=x";
    middle = forge_certificate(&r);
    assert_int_equal(judge(middle, big, &e), PATH_REFUSED);
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
        struct forge r = recipe("O=Vendor/CN=x", key, ca, ca_key);
        CLEANUP(x509_cleanup) X509 *x = forge_certificate(&r);

        assert_int_equal(path_check_limits(x, &e), rows[i].result);
    }
    assert_non_null(strstr(e.text, "exponent"));
}

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
    struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;

    (void)state;
    r.extensions[0] = "keyUsage=critical,digitalSignature";
    r.extensions[1] = "subjectAltName=DNS:dev.example";
    leaf = forge_certificate(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *what = mem_printf("row %zu", i);
        CLEANUP(x509_cleanup) X509 *other = NULL;

        r = recipe("O=Vendor/CN=CA", ca_key, root, root_key);
        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        other = forge_certificate(&r);
        wanted(what, leaf, other, rows[i].why);
    }
}

/* "*.example" may stand for "secret.example", and OpenSSL does not think so. */
static void
a_wildcard_is_not_for_names_that_are_constrained(void **state)
{
    struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    CLEANUP(x509_cleanup) X509 *dns = NULL;
    CLEANUP(x509_cleanup) X509 *uri = NULL;

    (void)state;
    r.extensions[0] = "keyUsage=critical,digitalSignature";
    r.extensions[1] = "subjectAltName=DNS:*.example";
    leaf = forge_certificate(&r);
    r = recipe("O=Vendor/CN=CA", ca_key, root, root_key);
    r.extensions[0] = "basicConstraints=critical,CA:TRUE";
    r.extensions[1] = "keyUsage=critical,keyCertSign";
    r.extensions[2] = "nameConstraints=critical,excluded;DNS:secret.example";
    dns = forge_certificate(&r);
    r.extensions[2] = "nameConstraints=critical,excluded;URI:secret.example";
    uri = forge_certificate(&r);
    wanted("dNSName", leaf, dns, "below nameConstraints");
    wanted("URI", leaf, uri, NULL);
    wanted("none", leaf, ca, NULL);
}

static void
a_path_has_no_more_than_its_length(void **state)
{
    X509 *chain[PATH_LENGTH_MAX + 2];
    struct forge r = recipe("O=Vendor/CN=C0", ca_key, root, root_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct path_request request = {
        .purpose = PATH_REQUESTER, .at = AT, .anchors = &root, .n_anchors = 1, .untrusted = chain};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("O=Vendor/CN=C%zu", i);

        r.subject = name;
        r.issuer = i == 0 ? root : chain[i - 1];
        r.issuer_key = i == 0 ? root_key : ca_key;
        r.extensions[0] = "basicConstraints=critical,CA:TRUE";
        r.extensions[1] = "keyUsage=critical,keyCertSign";
        chain[i] = forge_certificate(&r);
    }
    for (size_t n = PATH_LENGTH_MAX; n <= PATH_LENGTH_MAX + 1; n++) {
        X509_free(leaf);
        r = recipe("O=Vendor/CN=dev", leaf_key, chain[n - 1], ca_key);
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

        f.issuer = ca;
        f.issuer_key = ca_key;
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
    const struct forge_crl f = {.issuer = ca,
                                .issuer_key = ca_key,
                                .this_update = AT - DAY,
                                .next_update = AT + DAY,
                                .number = "1",
                                .extension = "1.2.3.4=critical,DER:0500"};
    CLEANUP(x509_crl_cleanup) X509_CRL *made = forge_crl(&f);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(65536);
    struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    struct path_request request = {.purpose = PATH_REQUESTER,
                                   .at = AT,
                                   .anchors = &ca,
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
        struct forge r = recipe("O=Vendor/CN=CA", ca_key, root, root_key);
        CLEANUP(x509_cleanup) X509 *middle = NULL;
        CLEANUP(x509_cleanup) X509 *leaf = NULL;

        r.extensions[0] = "basicConstraints=critical,CA:TRUE";
        r.extensions[1] = "keyUsage=critical,keyCertSign";
        r.extensions[2] = constraints;
        middle = forge_certificate(&r);
        r = recipe("O=Vendor/CN=dev", leaf_key, middle, ca_key);
        r.extensions[0] = "keyUsage=critical,digitalSignature";
        r.extensions[1] = names;
        leaf = forge_certificate(&r);
        wanted(what, leaf, middle, rows[i].why);
    }
}

static void
a_certificate_is_of_version_3(void **state)
{
    struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);
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
        struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);
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
    const struct forge_crl f = {.issuer = ca,
                                .issuer_key = ca_key,
                                .this_update = AT - DAY,
                                .next_update = AT + DAY,
                                .number = "1"};
    struct forge r = recipe("O=Vendor/CN=dev", leaf_key, ca, ca_key);
    CLEANUP(x509_cleanup) X509 *leaf = forge_certificate(&r);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&f);
    X509_CRL *crls[PATH_CRLS_MAX + 1];
    X509 *middle[PATH_UNTRUSTED_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(crls); i++) {
        crls[i] = crl;
    }
    for (size_t i = 0; i < ARRAY_LEN(middle); i++) {
        middle[i] = ca;
    }
    for (size_t over = 0; over < 2; over++) {
        struct path_request request = {.purpose = PATH_REQUESTER,
                                       .at = AT,
                                       .anchors = &root,
                                       .n_anchors = 1,
                                       .untrusted = &ca,
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
        {leaf_key, {FORGE_CA}, NULL},
        {ed, {FORGE_CA}, NULL},
        {leaf_key, {FORGE_LEAF}, "not a CA certificate"},
        {leaf_key, {NULL}, "not a CA certificate"},
        {leaf_key, {"basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign"}, "not a CA"},
        {x25519, {FORGE_CA}, "its key is of kind X25519: only RSA, EC and EdDSA keys vouch"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forge r = recipe("O=Vendor/CN=Anchor", rows[i].key, root, root_key);
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
        cmocka_unit_test(an_end_entity_with_one_thing_changed),
        cmocka_unit_test(what_an_operator_lets_pass),
        cmocka_unit_test(a_ca_is_never_without_key_identifier),
        cmocka_unit_test(strength_and_kind_of_keys_and_signatures),
        cmocka_unit_test(limits_come_before_the_first_signature),
        cmocka_unit_test(size_extensions_parts_and_modulus_are_limited),
        cmocka_unit_test(an_exponent_is_limited),
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

    return cmocka_run_group_tests(tests, make, drop);
}
