/* SPDX-License-Identifier: Apache-2.0 */
/* One row per field: a certificate that passes, changed in this one field, fails with its name. */
#include "ca/x509/lint/lint.h"

#include <string.h>

#include "ca/x509/pubkey.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/lint/scene.h"

enum { DAY = 24 * 60 * 60 };

static EVP_PKEY *other_key;

enum op {
    CALL,  /* change(x) */
    DROP,  /* the extension is gone */
    FLIP,  /* critical becomes not critical and the other way round */
    TWICE, /* a second copy */
    VALUE, /* another value, in the words of OpenSSL's configuration files */
    ADD,   /* as VALUE, but one that was not there */
};

struct row {
    const char *field; /* which the reason must name */
    enum op op;
    int nid;
    const char *text;
    void (*change)(X509 *);
};

static void
apply(X509 *x, const struct row *row)
{
    int at = X509_get_ext_by_NID(x, row->nid, -1);
    X509_EXTENSION *extension = at < 0 ? NULL : X509_get_ext(x, at);

    switch (row->op) {
    case CALL:
        row->change(x);
        break;
    case DROP:
        X509_EXTENSION_free(X509_delete_ext(x, at));
        break;
    case FLIP:
        X509_EXTENSION_set_critical(extension, X509_EXTENSION_get_critical(extension) ? 0 : 1);
        break;
    case TWICE:
        assert_int_equal(X509_add_ext(x, extension, -1), 1);
        break;
    case VALUE:
        X509_EXTENSION_free(X509_delete_ext(x, at));
        __attribute__((fallthrough));
    case ADD:
        extension = X509V3_EXT_nconf(NULL, NULL, OBJ_nid2sn(row->nid), row->text);
        assert_non_null(extension);
        assert_int_equal(X509_add_ext(x, extension, -1), 1);
        X509_EXTENSION_free(extension);
        break;
    }
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
    X509_set_issuer_name(x, X509_get_subject_name(scene_pki->root));
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

/* The table of a network function's certificate; nfTypes gets its nid in make(). */
static struct row nf_rows[] = {
    {.field = "version", .change = version_2},
    {.field = "serialNumber", .change = serial_other},
    {.field = "serialNumber", .change = serial_negative},
    {.field = "issuer", .change = issuer_other},
    {.field = "notBefore", .change = not_before_other},
    {.field = "notAfter", .change = not_after_other},
    {.field = "notAfter", .change = not_after_generalized},
    {.field = "subject", .change = country_utf8},
    {.field = "subject", .change = organization_other},
    {.field = "subject", .change = organization_printable},
    {.field = "subject", .change = common_name_added},
    {.field = "subject", .change = name_order},
    {.field = "subjectPublicKeyInfo", .change = key_other},
    {.field = "nfTypes", .op = DROP},
    {.field = "nfTypes", .op = FLIP},
    {.field = "nfTypes", .op = TWICE},
    {.field = "nfTypes", .op = VALUE, .text = "DER:30:05:16:03:4e:52:46"},
    {.field = "keyUsage", .op = DROP, .nid = NID_key_usage},
    {.field = "keyUsage", .op = FLIP, .nid = NID_key_usage},
    {.field = "keyUsage", .op = TWICE, .nid = NID_key_usage},
    {.field = "keyUsage",
     .op = VALUE,
     .nid = NID_key_usage,
     .text = "critical,digitalSignature,keyAgreement"},
    {.field = "keyUsage", .op = VALUE, .nid = NID_key_usage, .text = "critical,keyCertSign"},
    {.field = "extKeyUsage", .op = DROP, .nid = NID_ext_key_usage},
    {.field = "extKeyUsage", .op = FLIP, .nid = NID_ext_key_usage},
    {.field = "extKeyUsage", .op = TWICE, .nid = NID_ext_key_usage},
    {.field = "extKeyUsage", .op = VALUE, .nid = NID_ext_key_usage, .text = "serverAuth"},
    {.field = "extKeyUsage",
     .op = VALUE,
     .nid = NID_ext_key_usage,
     .text = "serverAuth,clientAuth,anyExtendedKeyUsage"},
    {.field = "extKeyUsage",
     .op = VALUE,
     .nid = NID_ext_key_usage,
     .text = "clientAuth,serverAuth"},
    {.field = "subjectKeyIdentifier", .op = DROP, .nid = NID_subject_key_identifier},
    {.field = "subjectKeyIdentifier", .op = FLIP, .nid = NID_subject_key_identifier},
    {.field = "subjectKeyIdentifier", .op = TWICE, .nid = NID_subject_key_identifier},
    {.field = "subjectKeyIdentifier",
     .op = VALUE,
     .nid = NID_subject_key_identifier,
     .text = "0102030405060708090a0b0c0d0e0f1011121314"},
    {.field = "authorityKeyIdentifier", .op = DROP, .nid = NID_authority_key_identifier},
    {.field = "authorityKeyIdentifier", .op = FLIP, .nid = NID_authority_key_identifier},
    {.field = "authorityKeyIdentifier", .op = TWICE, .nid = NID_authority_key_identifier},
    {.field = "authorityKeyIdentifier",
     .op = VALUE,
     .nid = NID_authority_key_identifier,
     .text = "DER:30:03:80:01:01"},
    {.field = "cRLDistributionPoints", .op = DROP, .nid = NID_crl_distribution_points},
    {.field = "cRLDistributionPoints", .op = FLIP, .nid = NID_crl_distribution_points},
    {.field = "cRLDistributionPoints", .op = TWICE, .nid = NID_crl_distribution_points},
    {.field = "cRLDistributionPoints",
     .op = VALUE,
     .nid = NID_crl_distribution_points,
     .text = "URI:http://pki.example/crl/other.crl"},
    {.field = "cRLDistributionPoints",
     .op = VALUE,
     .nid = NID_crl_distribution_points,
     .text = "URI:http://pki.example/crl/issuing.crl,URI:http://b.example/x.crl"},
    {.field = "subjectAltName", .op = DROP, .nid = NID_subject_alt_name},
    {.field = "subjectAltName", .op = FLIP, .nid = NID_subject_alt_name},
    {.field = "subjectAltName", .op = TWICE, .nid = NID_subject_alt_name},
    {.field = "subjectAltName",
     .op = VALUE,
     .nid = NID_subject_alt_name,
     .text = "critical,URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80"},
    {.field = "subjectAltName",
     .op = VALUE,
     .nid = NID_subject_alt_name,
     .text = "critical,DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org,"
             "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf81"},
    {.field = "subjectAltName",
     .op = VALUE,
     .nid = NID_subject_alt_name,
     .text = "critical,DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org,"
             "URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf80,IP:10.0.0.1"},
    {.field = "extensions", .op = ADD, .nid = NID_basic_constraints, .text = "critical,CA:TRUE"},
    {.field = "extensions", .op = ADD, .nid = NID_certificate_policies, .text = "DER:05:00"},
};

static int
make(void **state)
{
    int nf_types_nid = OBJ_create("1.3.6.1.5.5.7.1.34", "nfTypes", "nfTypes");

    (void)scene_make(state);
    other_key = pki_key("P-256");
    for (size_t i = 0; i < ARRAY_LEN(nf_rows); i++) {
        if (strcmp(nf_rows[i].field, "nfTypes") == 0) {
            nf_rows[i].nid = nf_types_nid;
        }
    }
    return 0;
}

static int
drop(void **state)
{
    EVP_PKEY_free(other_key);
    return scene_drop(state);
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

        apply(bad, &rows[i]);
        size = i2d_re_X509_tbs(bad, &der);
        assert_true(size > 0);
        scene_expect(span_of(der, (size_t)size), request, rows[i].field, row);
        OPENSSL_free(der);
    }
}

static void
every_field_of_a_network_function_is_checked(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));

    (void)state;
    run_rows(&request, scene_pki->issuing_key, nf_rows, ARRAY_LEN(nf_rows));
}

static void
every_field_of_an_issuing_ca_is_checked(void **state)
{
    static const struct row rows[] = {
        {.field = "basicConstraints",
         .op = VALUE,
         .nid = NID_basic_constraints,
         .text = "critical,CA:TRUE"},
        {.field = "basicConstraints",
         .op = VALUE,
         .nid = NID_basic_constraints,
         .text = "critical,CA:TRUE,pathlen:1"},
        {.field = "basicConstraints", .op = DROP, .nid = NID_basic_constraints},
        {.field = "basicConstraints", .op = FLIP, .nid = NID_basic_constraints},
        {.field = "keyUsage", .op = VALUE, .nid = NID_key_usage, .text = "critical,keyCertSign"},
        {.field = "keyUsage",
         .op = VALUE,
         .nid = NID_key_usage,
         .text = "critical,keyCertSign,cRLSign,digitalSignature"},
        {.field = "extensions", .op = ADD, .nid = NID_ext_key_usage, .text = "serverAuth"},
        {.field = "cRLDistributionPoints", .op = DROP, .nid = NID_crl_distribution_points},
        {.field = "subjectKeyIdentifier", .op = DROP, .nid = NID_subject_key_identifier},
        {.field = "authorityKeyIdentifier", .op = DROP, .nid = NID_authority_key_identifier},
    };
    struct tbs_request request = pki_request(scene_pki, NULL, buf_span(&scene_spki));
    struct name subject;
    struct err e = {0};

    (void)state;
    assert_ok(name_set(&subject, "SE", "Operator", "Issuing", &e), &e);
    request.profile = profile_by_name("issuing");
    request.issuer = scene_pki->root;
    request.subject = &subject;
    run_rows(&request, scene_pki->root_key, rows, ARRAY_LEN(rows));
}

static void
every_field_of_a_root_is_checked(void **state)
{
    static const struct row rows[] = {
        {.field = "basicConstraints",
         .op = VALUE,
         .nid = NID_basic_constraints,
         .text = "critical,CA:TRUE,pathlen:1"},
        {.field = "keyUsage", .op = VALUE, .nid = NID_key_usage, .text = "critical,keyCertSign"},
        {.field = "extensions",
         .op = ADD,
         .nid = NID_crl_distribution_points,
         .text = "URI:http://a/b"},
        {.field = "authorityKeyIdentifier", .op = DROP, .nid = NID_authority_key_identifier},
        {.field = "issuer", .change = issuer_other},
    };
    struct tbs_request request = pki_request(scene_pki, NULL, buf_span(&scene_spki));
    struct name subject;
    struct err e = {0};

    (void)state;
    assert_ok(name_set(&subject, "SE", "Operator", "Another Root", &e), &e);
    request.profile = profile_by_name("root");
    request.issuer = NULL;
    request.crl_url = NULL;
    request.subject = &subject;
    run_rows(&request, scene_key, rows, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_network_function_is_checked),
        cmocka_unit_test(every_field_of_an_issuing_ca_is_checked),
        cmocka_unit_test(every_field_of_a_root_is_checked),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
