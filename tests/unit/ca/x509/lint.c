/* SPDX-License-Identifier: Apache-2.0 */
/* One row per field: a certificate that passes, changed in this one field, fails with its name. */
#include "ca/x509/lint.h"

#include <stdio.h>
#include <string.h>

#include "ca/x509/pubkey.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60 };

static struct pki *pki;
static EVP_PKEY *key;
static EVP_PKEY *other_key;
static struct buf spki;

static int
make(void **state)
{
    (void)state;
    pki = pki_new("P-384", "P-256");
    key = pki_key("P-256");
    other_key = pki_key("P-256");
    spki = pki_spki(key);
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    pki_free(pki);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    buf_free(&spki);
    return 0;
}

static void
ext_drop(X509 *x, int nid)
{
    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, nid, -1)));
}

static void
ext_flip(X509 *x, int nid)
{
    X509_EXTENSION *extension = X509_get_ext(x, X509_get_ext_by_NID(x, nid, -1));

    X509_EXTENSION_set_critical(extension, X509_EXTENSION_get_critical(extension) ? 0 : 1);
}

static void
ext_twice(X509 *x, int nid)
{
    assert_int_equal(X509_add_ext(x, X509_get_ext(x, X509_get_ext_by_NID(x, nid, -1)), -1), 1);
}

/* Replaces the value by what OpenSSL's configuration text says. */
static void
ext_value(X509 *x, int nid, const char *text)
{
    X509_EXTENSION *extension;

    ext_drop(x, nid);
    extension = X509V3_EXT_nconf_nid(NULL, NULL, nid, text);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* nfTypes has no nid: found by its object. */
static int
nf_types_at(X509 *x)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.34", 1);
    int at = X509_get_ext_by_OBJ(x, oid, -1);

    ASN1_OBJECT_free(oid);
    return at;
}

static void
name_replace(X509 *x, int nid, int type, const char *value)
{
    X509_NAME *name = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(name, nid, -1);

    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
    assert_int_equal(
        X509_NAME_add_entry_by_NID(name, nid, type, (const unsigned char *)value, -1, at, 0), 1);
}

static void
version_2(X509 *x)
{
    X509_set_version(x, 1);
}

static void
serial_other(X509 *x)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x), 0x55555555);
}

static void
serial_negative(X509 *x)
{
    X509_get_serialNumber(x)->type = V_ASN1_NEG_INTEGER;
}

static void
issuer_other(X509 *x)
{
    X509_set_issuer_name(x, X509_get_subject_name(pki->root));
}

static void
not_before_other(X509 *x)
{
    ASN1_TIME_set(X509_getm_notBefore(x), PKI_NOW - 1);
}

static void
not_after_other(X509 *x)
{
    ASN1_TIME_set(X509_getm_notAfter(x), PKI_NOW + (time_t)31 * DAY);
}

static void
not_after_generalized(X509 *x)
{
    ASN1_GENERALIZEDTIME_set(X509_getm_notAfter(x), PKI_NOW + (time_t)30 * DAY);
}

static void
country_utf8(X509 *x)
{
    name_replace(x, NID_countryName, V_ASN1_UTF8STRING, "SE");
}

static void
organization_other(X509 *x)
{
    name_replace(x, NID_organizationName, V_ASN1_UTF8STRING, "5gc.mnc013.mcc345.3gppnetwork.org");
}

static void
organization_printable(X509 *x)
{
    name_replace(x, NID_organizationName, V_ASN1_PRINTABLESTRING,
                 "5gc.mnc012.mcc345.3gppnetwork.org");
}

static void
common_name_added(X509 *x)
{
    assert_int_equal(X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName,
                                                V_ASN1_UTF8STRING, (const unsigned char *)"x", -1,
                                                -1, 0),
                     1);
}

static void
name_order(X509 *x)
{
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_ENTRY *country = X509_NAME_delete_entry(name, 0);

    assert_int_equal(X509_NAME_add_entry(name, country, -1, 0), 1);
    X509_NAME_ENTRY_free(country);
}

static void
key_other(X509 *x)
{
    X509_set_pubkey(x, other_key);
}

static void
types_missing(X509 *x)
{
    X509_EXTENSION_free(X509_delete_ext(x, nf_types_at(x)));
}

static void
types_critical(X509 *x)
{
    X509_EXTENSION_set_critical(X509_get_ext(x, nf_types_at(x)), 1);
}

static void
types_other(X509 *x)
{
    CLEANUP(asn1_octet_string_cleanup) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x30\x05\x16\x03NRF", 7);
    X509_EXTENSION_set_data(X509_get_ext(x, nf_types_at(x)), value);
}

static void
usage_missing(X509 *x)
{
    ext_drop(x, NID_key_usage);
}

static void
usage_not_critical(X509 *x)
{
    ext_flip(x, NID_key_usage);
}

static void
usage_more(X509 *x)
{
    ext_value(x, NID_key_usage, "critical,digitalSignature,keyAgreement");
}

static void
usage_cert_sign(X509 *x)
{
    ext_value(x, NID_key_usage, "critical,keyCertSign");
}

static void
extended_missing(X509 *x)
{
    ext_drop(x, NID_ext_key_usage);
}

static void
extended_critical(X509 *x)
{
    ext_flip(x, NID_ext_key_usage);
}

static void
extended_less(X509 *x)
{
    ext_value(x, NID_ext_key_usage, "serverAuth");
}

static void
extended_any(X509 *x)
{
    ext_value(x, NID_ext_key_usage, "serverAuth,clientAuth,anyExtendedKeyUsage");
}

static void
extended_order(X509 *x)
{
    ext_value(x, NID_ext_key_usage, "clientAuth,serverAuth");
}

static void
ski_missing(X509 *x)
{
    ext_drop(x, NID_subject_key_identifier);
}

static void
ski_critical(X509 *x)
{
    ext_flip(x, NID_subject_key_identifier);
}

static void
ski_other(X509 *x)
{
    ext_value(x, NID_subject_key_identifier, "0102030405060708090a0b0c0d0e0f1011121314");
}

static void
aki_missing(X509 *x)
{
    ext_drop(x, NID_authority_key_identifier);
}

static void
aki_other(X509 *x)
{
    X509_EXTENSION *of_issuing = X509_get_ext(
        pki->issuing, X509_get_ext_by_NID(pki->issuing, NID_authority_key_identifier, -1));

    ext_drop(x, NID_authority_key_identifier);
    X509_add_ext(x, of_issuing, -1);
}

static void
crldp_missing(X509 *x)
{
    ext_drop(x, NID_crl_distribution_points);
}

static void
crldp_other(X509 *x)
{
    ext_value(x, NID_crl_distribution_points, "URI:http://pki.example/crl/other.crl");
}

static void
crldp_two(X509 *x)
{
    ext_value(x, NID_crl_distribution_points,
              "URI:http://pki.example/crl/issuing.crl,URI:http://b.example/x.crl");
}

static void
crldp_critical(X509 *x)
{
    ext_flip(x, NID_crl_distribution_points);
}

static void
san_missing(X509 *x)
{
    ext_drop(x, NID_subject_alt_name);
}

static void
san_not_critical(X509 *x)
{
    ext_flip(x, NID_subject_alt_name);
}

static void
san_without_dns(X509 *x)
{
    ext_value(x, NID_subject_alt_name,
              "critical,URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80");
}

static void
san_other_uuid(X509 *x)
{
    ext_value(x, NID_subject_alt_name,
              "critical,DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org,"
              "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf81");
}

static void
san_with_ip(X509 *x)
{
    ext_value(x, NID_subject_alt_name,
              "critical,DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org,"
              "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80,IP:10.0.0.1");
}

static void
san_twice(X509 *x)
{
    ext_twice(x, NID_subject_alt_name);
}

static void
constraints_added(X509 *x)
{
    X509_EXTENSION *extension =
        X509V3_EXT_nconf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

static void
unknown_added(X509 *x)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, "1.2.3.4", "DER:0500");

    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

struct row {
    const char *field;
    void (*change)(X509 *);
};

static const struct row nf_rows[] = {
    {"version", version_2},
    {"serialNumber", serial_other},
    {"serialNumber", serial_negative},
    {"issuer", issuer_other},
    {"notBefore", not_before_other},
    {"notAfter", not_after_other},
    {"notAfter", not_after_generalized},
    {"subject", country_utf8},
    {"subject", organization_other},
    {"subject", organization_printable},
    {"subject", common_name_added},
    {"subject", name_order},
    {"subjectPublicKeyInfo", key_other},
    {"nfTypes", types_missing},
    {"nfTypes", types_critical},
    {"nfTypes", types_other},
    {"keyUsage", usage_missing},
    {"keyUsage", usage_not_critical},
    {"keyUsage", usage_more},
    {"keyUsage", usage_cert_sign},
    {"extKeyUsage", extended_missing},
    {"extKeyUsage", extended_critical},
    {"extKeyUsage", extended_less},
    {"extKeyUsage", extended_any},
    {"extKeyUsage", extended_order},
    {"subjectKeyIdentifier", ski_missing},
    {"subjectKeyIdentifier", ski_critical},
    {"subjectKeyIdentifier", ski_other},
    {"authorityKeyIdentifier", aki_missing},
    {"authorityKeyIdentifier", aki_other},
    {"cRLDistributionPoints", crldp_missing},
    {"cRLDistributionPoints", crldp_other},
    {"cRLDistributionPoints", crldp_two},
    {"cRLDistributionPoints", crldp_critical},
    {"subjectAltName", san_missing},
    {"subjectAltName", san_not_critical},
    {"subjectAltName", san_without_dns},
    {"subjectAltName", san_other_uuid},
    {"subjectAltName", san_with_ip},
    {"subjectAltName", san_twice},
    {"extensions", constraints_added},
    {"extensions", unknown_added},
};

static void
expect(struct span tbs, const struct tbs_request *request, const char *field, const char *row)
{
    CLEANUP(mem_cleanup) char *prefix = mem_printf("lint: %s", field);
    struct err e = {0};

    if (lint_tbs(tbs, request, &e) == 0) {
        fail_msg("%s: passed", row);
    }
    if (e.code != ERR_DENIED || strncmp(e.text, prefix, strlen(prefix)) != 0) {
        fail_msg("%s: %s: \"%s\" where %s was changed", row, err_code_name(e.code), e.text, field);
    }
}

static void
run_rows(const struct tbs_request *request, EVP_PKEY *issuer_key, const struct row *rows, size_t n)
{
    CLEANUP(x509_cleanup) X509 *good = pki_issue(request, issuer_key);

    for (size_t i = 0; i < n; i++) {
        CLEANUP(x509_cleanup) X509 *bad = X509_dup(good);
        CLEANUP(mem_cleanup) char *row = mem_printf("row %zu (%s)", i, rows[i].field);
        unsigned char *der = NULL;
        int size;

        rows[i].change(bad);
        size = i2d_re_X509_tbs(bad, &der);
        assert_true(size > 0);
        expect(span_of(der, (size_t)size), request, rows[i].field, row);
        OPENSSL_free(der);
    }
}

static void
every_field_of_a_network_function_is_checked(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));

    (void)state;
    run_rows(&request, pki->issuing_key, nf_rows, ARRAY_LEN(nf_rows));
}

static void
path_length_dropped(X509 *x)
{
    ext_value(x, NID_basic_constraints, "critical,CA:TRUE");
}

static void
path_length_one(X509 *x)
{
    ext_value(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
}

static void
constraints_missing(X509 *x)
{
    ext_drop(x, NID_basic_constraints);
}

static void
constraints_not_critical(X509 *x)
{
    ext_flip(x, NID_basic_constraints);
}

static void
no_crl_sign(X509 *x)
{
    ext_value(x, NID_key_usage, "critical,keyCertSign");
}

static void
extended_added(X509 *x)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, NULL, NID_ext_key_usage, "serverAuth");

    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

static void
crldp_added(X509 *x)
{
    X509_EXTENSION *extension =
        X509V3_EXT_nconf_nid(NULL, NULL, NID_crl_distribution_points, "URI:http://a/b");

    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

static void
every_field_of_an_issuing_ca_is_checked(void **state)
{
    static const struct row rows[] = {
        {"basicConstraints", path_length_dropped},
        {"basicConstraints", path_length_one},
        {"basicConstraints", constraints_missing},
        {"basicConstraints", constraints_not_critical},
        {"keyUsage", no_crl_sign},
        {"extensions", extended_added},
        {"cRLDistributionPoints", crldp_missing},
        {"subjectKeyIdentifier", ski_missing},
        {"authorityKeyIdentifier", aki_missing},
    };
    struct tbs_request request = pki_request(pki, NULL, buf_span(&spki));
    struct name subject;
    struct err e = {0};

    (void)state;
    assert_ok(name_set(&subject, "SE", "Operator", "Issuing", &e), &e);
    request.profile = profile_by_name("issuing");
    request.issuer = pki->root;
    request.subject = &subject;
    run_rows(&request, pki->root_key, rows, ARRAY_LEN(rows));
}

static void
every_field_of_a_root_is_checked(void **state)
{
    static const struct row rows[] = {
        {"basicConstraints", path_length_one},
        {"keyUsage", no_crl_sign},
        {"extensions", crldp_added},
        {"authorityKeyIdentifier", aki_missing},
        {"issuer", issuer_other},
    };
    struct tbs_request request = pki_request(pki, NULL, buf_span(&spki));
    struct name subject;
    struct err e = {0};

    (void)state;
    assert_ok(name_set(&subject, "SE", "Operator", "Another Root", &e), &e);
    request.profile = profile_by_name("root");
    request.issuer = NULL;
    request.crl_url = NULL;
    request.subject = &subject;
    run_rows(&request, key, rows, ARRAY_LEN(rows));
}

/* What the builder refuses by itself is found here too, when the builder is asked for less. */
static void
validity_rules_hold_without_the_builder(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    struct tbs_request wanted = request;
    CLEANUP(x509_cleanup) X509 *x = pki_issue(&request, pki->issuing_key);
    unsigned char *der = NULL;
    int size;

    (void)state;
    wanted.not_after = PKI_NOW + (time_t)1096 * DAY;
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    expect(span_of(der, (size_t)size), &wanted, "validity", "cap");
    OPENSSL_free(der);
    der = NULL;

    wanted.rehearsal = true;
    wanted.not_after = PKI_NOW + (time_t)8 * DAY;
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    expect(span_of(der, (size_t)size), &wanted, "validity", "rehearsal");
    OPENSSL_free(der);
    der = NULL;

    wanted.rehearsal = false;
    wanted.not_before = PKI_NOW + (time_t)4 * 365 * DAY;
    wanted.not_after = PKI_NOW + (time_t)5 * 365 * DAY;
    ASN1_TIME_set(X509_getm_notBefore(x), wanted.not_before);
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    expect(span_of(der, (size_t)size), &wanted, "notAfter: past", "issuer's end");
    OPENSSL_free(der);
}

static void
a_weak_key_is_refused_even_when_it_is_the_one_expected(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *weak = pki_key("RSA-1024");
    CLEANUP(buf_free) struct buf weak_spki = pki_spki(weak);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&weak_spki));
    struct err e = {0};

    (void)state;
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    expect(buf_span(&tbs), &request, "subjectPublicKeyInfo", "RSA-1024");
}

static void
another_signature_algorithm_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    struct tbs_request of_root = request;
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct err e = {0};

    (void)state;
    of_root.issuer = pki->root; /* P-384 */
    assert_ok(tbs_build(&of_root, &tbs, &e), &e);
    expect(buf_span(&tbs), &request, "signature", "ecdsa-with-SHA384");
}

/* No octet of the TBS may be another one: P2 and P4 of our promises. */
static void
any_flipped_octet_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct err e = {0};

    (void)state;
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    assert_ok(lint_tbs(buf_span(&tbs), &request, &e), &e);
    for (size_t i = 0; i < tbs.n; i++) {
        tbs.p[i] ^= 1;
        if (lint_tbs(buf_span(&tbs), &request, &e) == 0) {
            fail_msg("octet %zu of %zu: passed", i, tbs.n);
        }
        assert_int_equal(e.code, ERR_DENIED);
        tbs.p[i] ^= 1;
    }
    for (size_t n = 0; n < tbs.n; n++) {
        assert_int_equal(lint_tbs(span_of(tbs.p, n), &request, &e), -1);
    }
    assert_ok(buf_append(&tbs, SPAN_LITERAL("\0"), &e), &e);
    assert_int_equal(lint_tbs(buf_span(&tbs), &request, &e), -1);
}

static void
a_critical_flag_that_is_not_der_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct err e = {0};
    uint8_t *at;

    (void)state;
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    at = memmem(tbs.p, tbs.n, "\x55\x1d\x0f\x01\x01\xff", 6);
    assert_non_null(at);
    at[5] = 0x01;
    expect(buf_span(&tbs), &request, "keyUsage", "TRUE as 01");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_network_function_is_checked),
        cmocka_unit_test(every_field_of_an_issuing_ca_is_checked),
        cmocka_unit_test(every_field_of_a_root_is_checked),
        cmocka_unit_test(validity_rules_hold_without_the_builder),
        cmocka_unit_test(a_weak_key_is_refused_even_when_it_is_the_one_expected),
        cmocka_unit_test(another_signature_algorithm_is_refused),
        cmocka_unit_test(any_flipped_octet_is_refused),
        cmocka_unit_test(a_critical_flag_that_is_not_der_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
