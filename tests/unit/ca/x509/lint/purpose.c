/* SPDX-License-Identifier: Apache-2.0 */
/* The linter's own table, shown by profiles that no file can make. */
#include "ca/x509/lint/extensions.h"

#include <string.h>

#include "ca/x509/lint/lint.h"
#include "ca/x509/profile/profiles.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/profile/shipped.h"

/* The octets made under one profile, judged as of another. */
static void
judge(const struct profile *made, const struct profile *wanted, const char *type, EVP_PKEY *key,
      const char *reason)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct nf_identity nf = shipped_identity(type);
    struct tbs_request request = pki_request(shipped_pki, &nf, buf_span(&spki));
    struct err e = {0};

    request.profile = made;
    request.not_after = PKI_NOW + PROFILE_DAY;
    if (made->no_rev_avail) {
        request.crl_url = NULL;
    }
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    request.profile = wanted;
    if (lint_tbs(buf_span(&tbs), &request, &e) == 0 || e.code != ERR_DENIED ||
        strncmp(e.text, reason, strlen(reason)) != 0) {
        fail_msg("%s: \"%s\"", reason, e.text);
    }
}

/* The builder makes what its profile says; were the profile wrong, the linter would say so. */
static void
the_linter_has_a_matrix_of_its_own(void **state)
{
    static const struct {
        const char *eku[PROFILE_EKU_MAX];
        unsigned key_usage;
        const char *type;
        bool rsa;
        const char *reason;
    } rows[] = {
        {{"2.5.29.37.0"}, 1, "AMF", false, "lint: extKeyUsage: any purpose"},
        {{EKU_CMC_RA}, 1, "AMF", false, "lint: extKeyUsage: a purpose that no network"},
        {{"1.3.6.1.5.5.7.3.9"}, 1, "AMF", false, "lint: extKeyUsage: a purpose that no network"},
        {{EKU_CLIENT_AUTH, EKU_JWT}, 1, "AMF", false, "lint: extKeyUsage: purposes that are not"},
        {{EKU_CLIENT_AUTH, "1.3.6.1.4.1.1.1"}, 1, "AMF", false, "lint: extKeyUsage: a purpose"},
        {{"1.3.6.1.4.1.1.1"}, 2, "AMF", false, "lint: keyUsage: not digitalSignature"},
        {{EKU_CLIENT_AUTH}, 2, "AMF", false, "lint: keyUsage: does not go with"},
        {{EKU_CLIENT_AUTH}, 5, "AMF", true, "lint: keyUsage: does not go with"},
        {{EKU_CLIENT_AUTH}, 1 | 1 << 5, "AMF", false, "lint: keyUsage: what no end entity"},
        {{EKU_CLIENT_AUTH}, 1 << 3, "AMF", false, "lint: keyUsage: what no end entity"},
        {{EKU_OAUTH_TOKEN_SIGNING}, 1, "AMF", false, "lint: nfTypes: not entitled"},
        {{EKU_HTTP_CONTENT_ENCRYPT}, 4, "SCP", true, "lint: nfTypes: not entitled"},
        {{EKU_HTTP_CONTENT_ENCRYPT}, 4, "SEPP", false, "lint: subjectPublicKeyInfo: not a key"},
        {{EKU_HTTP_CONTENT_ENCRYPT}, 1, "SEPP", true, "lint: keyUsage: does not go with"},
        {{EKU_SERVER_AUTH, EKU_JWT}, 1, "AMF", false, "lint: extKeyUsage: purposes that are not"},
        {{EKU_JWT, EKU_HTTP_CONTENT_ENCRYPT}, 1, "SEPP", false, "lint: extKeyUsage: purposes that"},
        {{EKU_JWT, EKU_OAUTH_TOKEN_SIGNING}, 1, "NRF", false, "lint: extKeyUsage: purposes that"},
        {{EKU_OAUTH_TOKEN_SIGNING, EKU_CLIENT_AUTH},
         1,
         "NRF",
         false,
         "lint: extKeyUsage: purposes"},
        {{EKU_HTTP_CONTENT_ENCRYPT, EKU_OAUTH_TOKEN_SIGNING},
         4,
         "SEPP",
         true,
         "lint: extKeyUsage: purposes"},
        {{"1.3.6.1.4.1.1.1", EKU_JWT}, 1, "AMF", false, "lint: extKeyUsage: purposes that are not"},
        {{EKU_JWT}, 7, "AMF", true, "lint: keyUsage: does not go with"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct profile p = *profile_by_name("nf-tls-client");

        memcpy(p.eku, rows[i].eku, sizeof(p.eku));
        p.key_usage = rows[i].key_usage;
        judge(&p, &p, rows[i].type, rows[i].rsa ? shipped_rsa : shipped_p256, rows[i].reason);
    }
}

static void
the_linter_looks_at_keys_names_and_revocation_itself(void **state)
{
    const struct profile *tls = profile_by_name("nf-tls-client");
    const struct profile *sepp = profiles_find(shipped_profiles, "sepp");
    const struct profile *lab = profiles_find(shipped_profiles, "free5gc-lab");
    struct profile p = *tls;
    struct profile q = shipped_short_lived();
    struct profile plain = *profile_by_name("nf-tls");
    struct profile wild = *profile_by_name("nf-tls");

    (void)state;
    p.ec_keys = 1U << PUBKEY_P384;
    judge(tls, &p, "AMF", shipped_p256,
          "lint: subjectPublicKeyInfo: not a key that the profile takes");
    p.ec_keys = 0;
    p.rsa_bits = 4096;
    judge(tls, &p, "AMF", shipped_rsa,
          "lint: subjectPublicKeyInfo: not a key that the profile takes");
    judge(&q, &plain, "AMF", shipped_p256, "lint: request"); /* no CRL's place where there is one */
    judge(&plain, &q, "AMF", shipped_p256, "lint: ");
    wild.wildcard = true;
    judge(&wild, &plain, "SEPP", shipped_p256, "lint: subjectAltName");
    plain.plmns = true;
    wild = *sepp;
    wild.plmns = false;
    judge(lab, &plain, "AMF", shipped_p256, "lint: subjectAltName");
    wild.wildcard = true;
    /* the same octets, but PLMNs were not looked at by the builder */
    judge(profile_by_name("nf-tls"), &plain, "AMF", shipped_p256,
          "lint: subjectAltName: a dNSName that is in no registered PLMN");
}

/* A certificate that has nothing but this subjectAltName. */
static X509 *
with_names(const char *names)
{
    X509V3_CTX ctx;
    X509 *x = X509_new();
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
    return x;
}

#define UUID "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"

static void
names_are_judged_by_themselves(void **state)
{
    static const struct {
        const char *profile;
        const char *names;
        const char *reason; /* NULL: right */
    } rows[] = {
        {"sepp", "DNS:sepp1." DOMAIN ",DNS:*.sepp1." DOMAIN "," UUID, NULL},
        {"sepp", UUID ",DNS:sepp1." DOMAIN, NULL},
        {"nf-tls", "URI:sepp1." DOMAIN "," UUID, "the first URI is not urn:uuid"},
        {"nf-tls", "email:sepp1." DOMAIN "," UUID, "a name of another kind"},
        {"nf-tls", "otherName:1.2.3;IA5:sepp1." DOMAIN "," UUID, "a name of another kind"},
        {"nf-tls", "RID:1.2.3," UUID ",DNS:sepp1." DOMAIN, "a name of another kind"},
        {"nf-tls", UUID ",DNS:sepp1." DOMAIN "," UUID, "a name of another kind, or a second URI"},
        {"nf-tls", "DNS:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80,DNS:sepp1." DOMAIN,
         "a dNSName that is not registered"},
        {"nf-tls", "DNS:sepp1." DOMAIN ",URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf8",
         "the first URI is not urn:uuid"},
        {"nf-tls", "DNS:sepp1." DOMAIN ",URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf800",
         "the first URI is not urn:uuid"},
        {"nf-tls", "DNS:sepp1." DOMAIN ",URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf81",
         "the first URI is not urn:uuid"},
        {"nf-tls", "DNS:sepp1." DOMAIN ",URI:urn:uuix:9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
         "the first URI is not urn:uuid"},
        {"nf-tls", "DNS:*.sepp1." DOMAIN "," UUID, "a wildcard that is not allowed"},
        {"nf-tls", "DNS:sepp1." DOMAIN ",URI:urn:x," UUID, "the first URI is not urn:uuid"},
        {"nf-tls", "DNS:sepp1." DOMAIN ",URI:urn:uuid:x", "the first URI is not urn:uuid"},
        {"nf-tls", "DNS:sepp1." DOMAIN "," UUID ",URI:urn:x",
         "a name of another kind, or a second"},
        {"nf-tls", "DNS:sepp1." DOMAIN "," UUID ",IP:10.0.0.1", "a name of another kind"},
        {"nf-tls", "DNS:sepp1." DOMAIN "," UUID ",email:a@b.example", "a name of another kind"},
        {"nf-tls", "DNS:sepp2." DOMAIN "," UUID, "a dNSName that is not registered"},
        {"nf-tls", "DNS:SEPP," UUID, "a dNSName that is not registered"},
        {"nf-tls", UUID, "no urn:uuid, or no dNSName of a server"},
        {"nf-tls-client", UUID, NULL},
        {"nf-tls-client", "DNS:sepp1." DOMAIN, "no urn:uuid"},
        {"free5gc-lab", "DNS:sepp1." DOMAIN ",DNS:SEPP," UUID, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *certificate = with_names(rows[i].names);
        struct nf_identity nf = shipped_identity("SEPP");
        const struct tbs_request expected = {
            .profile = profiles_find(shipped_profiles, rows[i].profile), .nf = &nf};
        struct err e = {0};
        int result = lint_names(certificate, &expected, &e);

        if (rows[i].reason == NULL ? result != 0
                                   : result == 0 || strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
    {
        CLEANUP(x509_cleanup) X509 *certificate = with_names("DNS:sepp1." DOMAIN "," UUID);
        struct nf_identity nf = shipped_identity("SEPP");
        const struct tbs_request expected = {.profile = profiles_find(shipped_profiles, "sepp"),
                                             .nf = &nf};
        struct plmn plmn;
        struct err e = {0};

        assert_ok(plmn_set(&plmn, "345", "13", &e), &e);
        assert_ok(nf_identity_add_plmn(&nf, &plmn, &e), &e);
        assert_err(lint_names(certificate, &expected, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "a registered PLMN without a dNSName"));
    }
}

/* A certificate that has nothing but these extensions. */
static X509 *
with_extensions(const char *const extensions[6])
{
    X509V3_CTX ctx;
    X509 *x = X509_new();

    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    for (size_t i = 0; i < 6 && extensions[i] != NULL; i++) {
        const char *equals = strchr(extensions[i], '=');
        CLEANUP(mem_cleanup)
        char *name = mem_printf("%.*s", (int)(equals - extensions[i]), extensions[i]);
        X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, &ctx, name, equals + 1);

        if (extension == NULL) {
            fail_msg("%s", extensions[i]);
        }
        assert_int_equal(X509_add_ext(x, extension, -1), 1);
        X509_EXTENSION_free(extension);
    }
    return x;
}

#define SIGNS "keyUsage=critical,digitalSignature"
#define CLIENT "extendedKeyUsage=clientAuth"
#define NO_REV "2.5.29.56=DER:0500"
#define CRL "crlDistributionPoints=URI:http://pki.example/x.crl"

/* RFC 9608 2, 3 and TS 33.310 6.1.3c.3, whatever the builder and the table of extensions say. */
static void
how_revocation_is_told_is_judged_by_itself(void **state)
{
    static const char missing[] = "lint: cRLDistributionPoints: missing";
    static const char form[] = "lint: noRevAvail: not allowed, critical, or not NULL";
    static const char beside[] = "lint: noRevAvail: beside a place that tells revocation";
    static const struct {
        const char *profile;
        bool no_rev_avail;
        const char *extensions[6];
        const char *says; /* NULL: right */
    } rows[] = {
        {"nf-tls-client", true, {SIGNS, CLIENT, NO_REV}, NULL},
        {"nf-tls-client", true, {NO_REV, SIGNS, CLIENT}, NULL},
        {"nf-tls-client", true, {CRL, SIGNS, CLIENT, NO_REV}, beside},
        {"nf-tls-client", false, {CRL, SIGNS, CLIENT}, NULL},
        {"nf-tls-client", false, {NO_REV, SIGNS, CLIENT, CRL}, form},
        {"nf-tls-client", true, {SIGNS, CLIENT, NO_REV, CRL}, beside},
        {"nf-tls-client", true, {SIGNS, CLIENT, CRL, NO_REV}, beside},
        {"nf-tls-client", true, {SIGNS, CLIENT, NO_REV, "freshestCRL=URI:http://x/y"}, beside},
        {"nf-tls-client",
         true,
         {SIGNS, CLIENT, NO_REV, "authorityInfoAccess=OCSP;URI:http://o"},
         beside},
        {"nf-tls-client",
         true,
         {SIGNS, CLIENT, NO_REV, "authorityInfoAccess=caIssuers;URI:http://o"},
         NULL},
        {"nf-tls-client",
         true,
         {SIGNS, CLIENT, NO_REV, "authorityInfoAccess=caIssuers;URI:http://o,OCSP;URI:http://o"},
         beside},
        {"nf-tls-client", true, {SIGNS, CLIENT, "2.5.29.56=critical,DER:0500"}, form},
        {"nf-tls-client", true, {SIGNS, CLIENT, "2.5.29.56=DER:3000"}, form},
        {"nf-tls-client", true, {SIGNS, CLIENT, "2.5.29.56=DER:050100"}, form},
        {"nf-tls-client", true, {SIGNS, CLIENT, "2.5.29.56=DER:05"}, form},
        {"nf-tls-client", true, {SIGNS, CLIENT, "2.5.29.56=DER:05000500"}, form},
        {"nf-tls-client", false, {SIGNS, CLIENT, NO_REV}, form},
        {"issuing", true, {"keyUsage=critical,keyCertSign,cRLSign", NO_REV}, form},
        {"root", true, {"keyUsage=critical,keyCertSign,cRLSign", NO_REV}, form},
        {"nf-tls-client", false, {SIGNS, CLIENT}, missing},
        {"nf-tls-client", true, {SIGNS, CLIENT}, missing},
        {"nf-tls-client", false, {SIGNS, CLIENT, CRL}, NULL},
        {"nf-tls-client", false, {SIGNS, CLIENT, "freshestCRL=URI:http://x/y"}, missing},
        {"issuing", false, {"keyUsage=critical,keyCertSign,cRLSign"}, missing},
        {"issuing", false, {"keyUsage=critical,keyCertSign,cRLSign", CRL}, NULL},
        {"root", false, {"keyUsage=critical,keyCertSign,cRLSign"}, NULL},
        {"officer", false, {SIGNS}, missing},
        {"officer", false, {SIGNS, CRL}, NULL},
        {"registrar", false, {SIGNS, CLIENT, CRL}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *certificate = with_extensions(rows[i].extensions);
        struct profile p = *profile_by_name(rows[i].profile);
        const struct tbs_request expected = {.profile = &p};
        struct err e = {0};
        int result;

        p.no_rev_avail = rows[i].no_rev_avail;
        result = lint_purpose(certificate, shipped_p256, &expected, &e);
        if (rows[i].says == NULL ? result != 0
                                 : result == 0 || e.code != ERR_DENIED ||
                                       strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "passed" : e.text);
        }
    }
}

static void
usage_and_purpose_are_judged_by_themselves(void **state)
{
    static const char ca[] = "lint: keyUsage: not keyCertSign and cRLSign alone";
    static const char none[] = "lint: extKeyUsage: no purpose";
    static const struct {
        const char *profile;
        const char *extensions[6];
        const char *says; /* NULL: right */
    } rows[] = {
        {"issuing", {"keyUsage=critical,keyCertSign", CRL}, ca},
        {"issuing", {"keyUsage=critical,cRLSign", CRL}, ca},
        {"issuing", {"keyUsage=critical,keyCertSign,cRLSign,digitalSignature", CRL}, ca},
        {"issuing", {CRL}, ca},
        {"registrar",
         {"keyUsage=critical,nonRepudiation", CLIENT, CRL},
         "lint: keyUsage: not digitalSignature alone"},
        {"registrar",
         {"keyUsage=critical,digitalSignature,nonRepudiation", CLIENT, CRL},
         "lint: keyUsage: not digitalSignature alone"},
        {"registrar", {CLIENT, CRL}, "lint: keyUsage: not digitalSignature alone"},
        {"registrar",
         {"keyUsage=critical,digitalSignature,keyAgreement", CLIENT, CRL},
         "lint: keyUsage: what no end entity has"},
        {"registrar", {SIGNS, CRL}, none},
        {"registrar", {SIGNS, "extendedKeyUsage=DER:3000", CRL}, none},
        {"registrar",
         {SIGNS, "extendedKeyUsage=clientAuth,anyExtendedKeyUsage", CRL},
         "lint: extKeyUsage: any purpose"},
        {"officer",
         {SIGNS, "extendedKeyUsage=anyExtendedKeyUsage", CRL},
         "lint: extKeyUsage: any purpose"},
        {"officer", {SIGNS, "extendedKeyUsage=DER:3000", CRL}, none},
        {"nf-tls-client", {SIGNS, CRL}, none},
        {"nf-tls-client", {SIGNS, "extendedKeyUsage=DER:3000", CRL}, none},
        {"nf-tls-client", {CLIENT, CRL}, "lint: keyUsage: does not go with the purpose"},
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.4.1.5,clientAuth", CRL},
         "lint: extKeyUsage: purposes that are not for one key"},
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=clientAuth,1.3.6.1.4.1.5", CRL},
         "lint: extKeyUsage: a purpose that no network function has"},
        {"nf-tls-client", {SIGNS, "extendedKeyUsage=1.3.6.1.4.1.5,1.3.6.1.4.1.6", CRL}, NULL},
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.4.2.5", CRL},
         "lint: extKeyUsage: a purpose that no network function has"},
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.5.5.7.3.39", CRL,
          "1.3.6.1.5.5.7.1.34=DER:300516034e5246"},
         NULL},
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.5.5.7.3.39", CRL,
          "1.3.6.1.5.5.7.1.34=DER:300a1603414d4616034e5246"},
         NULL},
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.5.5.7.3.39", CRL,
          "1.3.6.1.5.5.7.1.34=DER:30050c034e5246"},
         "lint: nfTypes: not entitled"}, /* UTF8String */
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.5.5.7.3.39", CRL,
          "1.3.6.1.5.5.7.1.34=DER:300616044e524658"},
         "lint: nfTypes: not entitled"}, /* NRFX */
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.5.5.7.3.39", CRL,
          "1.3.6.1.5.5.7.1.34=DER:300516034e5247"},
         "lint: nfTypes: not entitled"}, /* NRG */
        {"nf-tls-client",
         {SIGNS, "extendedKeyUsage=1.3.6.1.5.5.7.3.39", CRL},
         "lint: nfTypes: not entitled"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *certificate = with_extensions(rows[i].extensions);
        const struct tbs_request expected = {.profile = profile_by_name(rows[i].profile)};
        struct err e = {0};
        int result = lint_purpose(certificate, shipped_p256, &expected, &e);

        if (rows[i].says == NULL ? result != 0
                                 : result == 0 || e.code != ERR_DENIED ||
                                       strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "passed" : e.text);
        }
    }
}

static void
keys_are_judged_by_themselves(void **state)
{
    static const char *const good[6] = {SIGNS, CLIENT, CRL};
    static const char *const encrypts[6] = {"keyUsage=critical,keyEncipherment",
                                            "extendedKeyUsage=1.3.6.1.5.5.7.3.38", CRL,
                                            "1.3.6.1.5.5.7.1.34=DER:3006160453455050"};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p384 = pki_key("P-384");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p521 = pki_key("P-521");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    const struct {
        const char *const *extensions;
        EVP_PKEY *key;
        unsigned ec_keys;
        int rsa_bits;
        bool taken;
    } rows[] = {
        {good, shipped_p256, 1U << PUBKEY_P256, 0, true},
        {good, shipped_p256, 1U << PUBKEY_P384, 0, false},
        {good, p384, 1U << PUBKEY_P384, 0, true},
        {good, p384, 1U << PUBKEY_P256, 0, false},
        {good, p521, 1U << PUBKEY_P256 | 1U << PUBKEY_P384, 2048, false},
        {good, ed, 1U << PUBKEY_P256 | 1U << PUBKEY_P384, 2048, false},
        {good, shipped_rsa, 0, 3072, true},
        {good, shipped_rsa, 0, 3073, false},
        {good, shipped_rsa, 1U << PUBKEY_P256, 0, false},
        {encrypts, shipped_rsa, 0, 2048, true},
        {encrypts, shipped_p256, 1U << PUBKEY_P256, 2048, false}, /* RFC 5480 3 */
        {encrypts, p384, 1U << PUBKEY_P384, 2048, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *certificate = with_extensions(rows[i].extensions);
        struct profile p = *profile_by_name("nf-tls-client");
        const struct tbs_request expected = {.profile = &p};
        struct err e = {0};
        int result;

        p.ec_keys = rows[i].ec_keys;
        p.rsa_bits = rows[i].rsa_bits;
        result = lint_purpose(certificate, rows[i].key, &expected, &e);
        if (rows[i].taken ? result != 0
                          : result == 0 || strcmp(e.text, "lint: subjectPublicKeyInfo: not a key "
                                                          "that the profile takes") != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "passed" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_linter_has_a_matrix_of_its_own),
        cmocka_unit_test(names_are_judged_by_themselves),
        cmocka_unit_test(the_linter_looks_at_keys_names_and_revocation_itself),
        cmocka_unit_test(how_revocation_is_told_is_judged_by_itself),
        cmocka_unit_test(usage_and_purpose_are_judged_by_themselves),
        cmocka_unit_test(keys_are_judged_by_themselves),
    };

    return cmocka_run_group_tests(tests, shipped_make, shipped_drop);
}
