/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate of every shipped profile, read back with OpenSSL. */
#include <string.h>

#include "ca/x509/profile/profiles.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/profile/shipped.h"

enum { TEXT_SIZE = 512 };

/* The extension's text as OpenSSL prints it, lines joined by a blank. */
static void
extension_text(X509 *certificate, int nid, char out[TEXT_SIZE])
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    int at = X509_get_ext_by_NID(certificate, nid, -1);
    char *text;
    long n;

    out[0] = '\0';
    if (at < 0) {
        return;
    }
    assert_int_equal(X509V3_EXT_print(bio, X509_get_ext(certificate, at), 0, 0), 1);
    n = BIO_get_mem_data(bio, &text);
    assert_in_range(n, 1, TEXT_SIZE - 1);
    memcpy(out, text, (size_t)n);
    out[n] = '\0';
}

static const struct {
    const char *profile;
    const char *type;
    bool rsa;
    const char *key_usage;
    const char *purposes;
    const char *names;
} goldens[] = {
    {"nf-tls", "AMF", false, "Digital Signature",
     "TLS Web Server Authentication, TLS Web Client Authentication",
     "DNS:sepp1." DOMAIN ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"nf-tls-client", "AMF", false, "Digital Signature", "TLS Web Client Authentication",
     "DNS:sepp1." DOMAIN ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"nf-tls-server", "AMF", true, "Digital Signature", "TLS Web Server Authentication",
     "DNS:sepp1." DOMAIN ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"sepp", "SEPP", false, "Digital Signature",
     "TLS Web Server Authentication, TLS Web Client Authentication",
     "DNS:sepp1." DOMAIN ", DNS:*.sepp1." DOMAIN
     ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"nrf-token", "NRF", false, "Digital Signature", "1.3.6.1.5.5.7.3.39",
     "DNS:sepp1." DOMAIN ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"cca-jwt", "AMF", false, "Digital Signature", "1.3.6.1.5.5.7.3.37",
     "DNS:sepp1." DOMAIN ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"n32-jwe", "SEPP", true, "Key Encipherment", "1.3.6.1.5.5.7.3.38",
     "DNS:sepp1." DOMAIN ", URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {"free5gc-lab", "AMF", true, "Digital Signature",
     "TLS Web Server Authentication, TLS Web Client Authentication",
     "DNS:sepp1." DOMAIN ", DNS:AMF, URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
};

static void
a_certificate_of_each_shipped_profile_says_what_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
        CLEANUP(buf_free) struct buf spki = pki_spki(goldens[i].rsa ? shipped_rsa : shipped_p256);
        struct nf_identity nf = shipped_identity(goldens[i].type);
        struct tbs_request request = pki_request(shipped_pki, &nf, buf_span(&spki));
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        char text[TEXT_SIZE];

        request.profile = profiles_find(shipped_profiles, goldens[i].profile);
        certificate = pki_issue(&request, shipped_pki->issuing_key);
        extension_text(certificate, NID_key_usage, text);
        assert_string_equal(text, goldens[i].key_usage);
        extension_text(certificate, NID_ext_key_usage, text);
        assert_string_equal(text, goldens[i].purposes);
        extension_text(certificate, NID_subject_alt_name, text);
        assert_string_equal(text, goldens[i].names);
        assert_true(X509_get_ext_by_NID(certificate, NID_crl_distribution_points, -1) >= 0);
    }
}

static void
a_short_lived_certificate_has_no_rev_avail_and_no_crl(void **state)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(shipped_p256);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct nf_identity nf = shipped_identity("AMF");
    struct tbs_request request = pki_request(shipped_pki, &nf, buf_span(&spki));
    struct profile p = shipped_short_lived();
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    ASN1_OBJECT *oid = OBJ_txt2obj("2.5.29.56", 1);
    X509_EXTENSION *extension;
    struct err e = {0};
    int at;

    (void)state;
    request.profile = &p;
    request.not_after = PKI_NOW + PROFILE_DAY;
    assert_err(tbs_build(&request, &tbs, &e), ERR_INPUT, &e); /* with a CRL's place */
    request.crl_url = NULL;
    certificate = pki_issue(&request, shipped_pki->issuing_key);
    at = X509_get_ext_by_OBJ(certificate, oid, -1);
    ASN1_OBJECT_free(oid);
    assert_true(at >= 0);
    extension = X509_get_ext(certificate, at);
    assert_int_equal(X509_EXTENSION_get_critical(extension), 0);
    assert_int_equal(ASN1_STRING_length(X509_EXTENSION_get_data(extension)), 2);
    assert_memory_equal(ASN1_STRING_get0_data(X509_EXTENSION_get_data(extension)), "\x05\x00", 2);
    assert_true(X509_get_ext_by_NID(certificate, NID_crl_distribution_points, -1) < 0);
    request.not_after += 1;
    assert_err(tbs_build(&request, &tbs, &e), ERR_DENIED, &e);
}

static void
no_tbs_is_built_for_a_key_that_the_profile_does_not_take(void **state)
{
    CLEANUP(buf_free) struct buf ec = pki_spki(shipped_p256);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct nf_identity nf = shipped_identity("SEPP");
    struct tbs_request request = pki_request(shipped_pki, &nf, buf_span(&ec));
    struct err e = {0};

    (void)state;
    request.profile = profiles_find(shipped_profiles, "n32-jwe");
    assert_err(tbs_build(&request, &tbs, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "public key: profile n32-jwe takes RSA of 3072 bits or more"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_each_shipped_profile_says_what_it_should),
        cmocka_unit_test(a_short_lived_certificate_has_no_rev_avail_and_no_crl),
        cmocka_unit_test(no_tbs_is_built_for_a_key_that_the_profile_does_not_take),
    };

    return cmocka_run_group_tests(tests, shipped_make, shipped_drop);
}
