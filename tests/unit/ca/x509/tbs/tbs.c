/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/tbs/tbs.h"

#include <stdio.h>
#include <string.h>

#include "ca/x509/lint/lint.h"
#include "ca/x509/pubkey.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60 };

static struct pki *pki;

static int
make(void **state)
{
    (void)state;
    pki = pki_new("P-384", "P-384");
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    pki_free(pki);
    return 0;
}

/* The octets of extension `nid`, and whether it is critical. */
static struct span
extension(X509 *certificate, const char *oid, int *critical, int *at)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    X509_EXTENSION *found;
    const ASN1_OCTET_STRING *value;

    *at = X509_get_ext_by_OBJ(certificate, object, -1);
    ASN1_OBJECT_free(object);
    if (*at < 0) {
        return (struct span){0};
    }
    found = X509_get_ext(certificate, *at);
    *critical = X509_EXTENSION_get_critical(found);
    value = X509_EXTENSION_get_data(found);
    return span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

static time_t
time_of(const ASN1_TIME *t)
{
    struct tm tm;

    assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
    return timegm(&tm);
}

/*
 * Our leaf from the inputs of the golden one: every extension that both have is equal, octet for
 * octet, in criticality and in order. What differs, and why:
 *   certificatePolicies     the sample has one; the table of TS 33.310 6.1.3c.3 does not ask for it
 *   authorityKeyIdentifier  ours is our issuer's
 *   subject O               PrintableString in the sample, UTF8String here (TS 33.310 6.1.1)
 *   UUID                    of version 1 in the sample, which only the lenient rules accept
 */
static void
compare_with_golden(const char *file, const char *profile)
{
    static const char *const equal[] = {"1.3.6.1.5.5.7.1.34", "2.5.29.15", "2.5.29.37",
                                        "2.5.29.14",          "2.5.29.31", "2.5.29.17"};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/vectors/x509/%s", TEST_SOURCE_DIR, file);
    CLEANUP(x509_cleanup) X509 *golden = NULL;
    CLEANUP(x509_cleanup) X509 *ours = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    struct nf_rules lenient = {.any_uuid_version = true};
    struct nf_identity nf = {.instance_id = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                             .types = {"AMF"},
                             .n_types = 1,
                             .fqdns = {"amf1.cluster1.net2.amf.5gc.mnc400.mcc311.3gppnetwork.org"},
                             .n_fqdns = 1,
                             .home_domain = "5gc.mnc400.mcc311.3gppnetwork.org",
                             .country = "US"};
    struct tbs_request request;
    struct err e = {0};
    int last = -1;

    golden = certificate_load(path, &e);
    assert_non_null(golden);
    assert_ok(OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(golden), &spki, &e), &e);
    request = pki_request(pki, &nf, buf_span(&spki));
    request.profile = profile_by_name(profile);
    request.nf_rules = &lenient;
    request.crl_url = "http://example.com/exampleca.crl";
    ours = pki_issue(&request, pki->issuing_key);

    assert_int_equal(X509_get_version(ours), X509_get_version(golden));
    assert_int_equal(X509_get_signature_nid(ours), X509_get_signature_nid(golden));
    assert_true(name_equal(X509_get_subject_name(ours), X509_get_subject_name(golden)));
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(ours)), 2);
    assert_true(EVP_PKEY_eq(X509_get0_pubkey(ours), X509_get0_pubkey(golden)) == 1);
    for (size_t i = 0; i < ARRAY_LEN(equal); i++) {
        int critical[2] = {-1, -1};
        int at[2];
        struct span a = extension(ours, equal[i], &critical[0], &at[0]);
        struct span b = extension(golden, equal[i], &critical[1], &at[1]);

        if (!span_equal(a, b) || a.n == 0 || critical[0] != critical[1] || at[0] <= last) {
            fail_msg("%s: extension %s differs", file, equal[i]);
        }
        last = at[0];
    }
    /* AKI is the seventh; the sample's eighth is certificatePolicies. */
    assert_int_equal(X509_get_ext_count(ours), 7);
    assert_int_equal(X509_get_ext_count(golden), 8);
    assert_int_equal(X509_get_ext_by_NID(ours, NID_basic_constraints, -1), -1);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(ours),
                                           X509_get0_subject_key_id(pki->issuing)),
                     0);
}

static void
the_client_certificate_equals_that_of_rfc_9310_appendix_b(void **state)
{
    (void)state;
    compare_with_golden("rfc9310_appB_client.pem", "nf-tls-client");
}

static void
the_server_certificate_has_the_shape_of_rfc_9310(void **state)
{
    (void)state;
    compare_with_golden("rfc9310_shape_server.pem", "nf-tls-server");
}

static void
the_uuid_of_the_sample_is_refused_by_the_strict_rules(void **state)
{
    struct nf_identity nf = pki_nf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    struct err e = {0};

    (void)state;
    (void)snprintf(nf.instance_id, sizeof(nf.instance_id), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_err(tbs_build(&request, &tbs, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "nfInstanceId"));
    assert_int_equal(tbs.n, 0);
}

static void
both_usages_stand_in_the_certificate_of_a_server_that_is_a_client_too(void **state)
{
    struct nf_identity nf = pki_nf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("RSA-2048");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    int critical = -1;
    int at;

    (void)state;
    certificate = pki_issue(&request, pki->issuing_key);
    assert_true(span_equal(
        extension(certificate, "2.5.29.37", &critical, &at),
        SPAN_LITERAL(
            "\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03"
            "\x02")));
    assert_int_equal(critical, 0);
    assert_int_equal(time_of(X509_get0_notBefore(certificate)), request.not_before);
    assert_int_equal(time_of(X509_get0_notAfter(certificate)), request.not_after);
    assert_int_equal(X509_verify(certificate, pki->issuing_key), 1);
}

static void
the_same_request_gives_the_same_octets(void **state)
{
    struct nf_identity nf = pki_nf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf a = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf b = BUF_INIT(TBS_MAX);
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
    struct err e = {0};

    (void)state;
    assert_ok(tbs_build(&request, &a, &e), &e);
    assert_ok(tbs_build(&request, &b, &e), &e);
    assert_true(span_equal(buf_span(&a), buf_span(&b)));
}

static void
a_certificate_that_ends_after_2049_has_generalized_time(void **state)
{
    struct name subject;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-384");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(x509_cleanup) X509 *root = NULL;
    struct err e = {0};
    struct tbs_request request = {.profile = profile_by_name("root"),
                                  .subject = &subject,
                                  .spki = buf_span(&spki),
                                  .not_before = PKI_NOW,
                                  .not_after = PKI_NOW + (time_t)9132 * DAY};

    (void)state;
    assert_ok(name_set(&subject, NULL, "Operator", "Root", &e), &e);
    assert_ok(serial_new(request.serial, clock_now(), &e), &e);
    root = pki_issue(&request, key);
    assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(root)), V_ASN1_UTCTIME);
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(root)), V_ASN1_GENERALIZEDTIME);
    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_get_pathlen(root), -1);
    assert_int_equal(X509_get_pathlen(pki->issuing), 0);
    assert_int_equal(X509_get_key_usage(root), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_get_ext_by_NID(root, NID_crl_distribution_points, -1), -1);
}

static void
the_infrastructure_profiles_have_their_one_purpose(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = pki_issue_officer(pki, "ra-cmp", key);
    CLEANUP(x509_cleanup) X509 *registrar = pki_issue_officer(pki, "registrar", key);
    CLEANUP(x509_cleanup) X509 *officer_of_ours = pki_issue_officer(pki, "officer", key);
    CLEANUP(mem_cleanup) char *text = name_text(X509_get_subject_name(ra));
    int critical = -1;
    int at;

    (void)state;
    assert_true(span_equal(extension(ra, "2.5.29.37", &critical, &at),
                           SPAN_LITERAL("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x1c")));
    /* clientAuth and nothing else; an officer's key signs approvals and states no purpose */
    assert_true(span_equal(extension(registrar, "2.5.29.37", &critical, &at),
                           SPAN_LITERAL("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02")));
    assert_int_equal(extension(officer_of_ours, "2.5.29.37", &critical, &at).n, 0);
    assert_int_equal(X509_get_key_usage(officer_of_ours), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_key_usage(ra), KU_DIGITAL_SIGNATURE);
    assert_string_equal(text, "CN=ra-cmp,O=Example Operator,C=SE");
    assert_int_equal(extension(ra, "2.5.29.17", &critical, &at).n, 0);
}

/* Each row spoils one field of a good request. */
struct row {
    const char *name;
    void (*spoil)(struct tbs_request *);
    enum err_code code;
};

static struct nf_identity spoiled_nf;
static struct name spoiled_name;

static void
serial_form(struct tbs_request *r)
{
    r->serial[0] = 0x80;
}

static void
no_issuer(struct tbs_request *r)
{
    r->issuer = NULL;
}

static void
no_url(struct tbs_request *r)
{
    r->crl_url = NULL;
}

static void
https_url(struct tbs_request *r)
{
    r->crl_url = "ldap://x/y";
}

static void
blank_in_url(struct tbs_request *r)
{
    r->crl_url = "http://x/ y";
}

static void
no_nf(struct tbs_request *r)
{
    r->nf = NULL;
}

static void
name_beside_nf(struct tbs_request *r)
{
    r->subject = &spoiled_name;
}

static void
ends_before_it_begins(struct tbs_request *r)
{
    r->not_after = r->not_before;
}

static void
over_three_years(struct tbs_request *r)
{
    r->not_after = r->not_before + (time_t)1095 * DAY + 1;
}

static void
past_the_issuer(struct tbs_request *r)
{
    r->not_before += (time_t)4 * 365 * DAY;
    r->not_after = r->not_before + (time_t)365 * DAY + DAY;
}

static void
before_the_issuer(struct tbs_request *r)
{
    r->not_before = PKI_NOW - DAY - 1;
}

static void
eight_days_in_a_rehearsal(struct tbs_request *r)
{
    r->rehearsal = true;
    r->not_after = r->not_before + (time_t)8 * DAY;
}

static void
server_without_name(struct tbs_request *r)
{
    spoiled_nf = *r->nf;
    spoiled_nf.n_fqdns = 0;
    r->nf = &spoiled_nf;
}

static void
upper_case(struct tbs_request *r)
{
    spoiled_nf = *r->nf;
    spoiled_nf.instance_id[0] = 'A';
    r->nf = &spoiled_nf;
}

static void
foreign_name(struct tbs_request *r)
{
    spoiled_nf = *r->nf;
    (void)snprintf(spoiled_nf.fqdns[0], NF_FQDN_SIZE, "amf.example.com");
    r->nf = &spoiled_nf;
}

static void
unmarked_ca_in_a_rehearsal(struct tbs_request *r)
{
    struct err e;

    assert_ok(name_set(&spoiled_name, "SE", "O", "CA", &e), &e);
    r->profile = profile_by_name("issuing");
    r->issuer = pki->root;
    r->nf = NULL;
    r->subject = &spoiled_name;
    r->rehearsal = true;
    r->not_after = r->not_before + DAY;
}

static void
mark_without_its_blank(struct tbs_request *r)
{
    struct err e;

    unmarked_ca_in_a_rehearsal(r);
    assert_ok(name_set(&spoiled_name, "SE", "O", "REHEARSALS", &e), &e);
}

static void
marked_ca_outside_of_a_rehearsal(struct tbs_request *r)
{
    struct err e;

    unmarked_ca_in_a_rehearsal(r);
    assert_ok(name_set(&spoiled_name, "SE", "O", REHEARSAL_PREFIX "CA", &e), &e);
    r->rehearsal = false;
}

static void
ca_without_common_name(struct tbs_request *r)
{
    struct err e;

    unmarked_ca_in_a_rehearsal(r);
    assert_ok(name_set(&spoiled_name, "SE", "O", NULL, &e), &e);
    r->rehearsal = false;
}

static X509 *officer;

static void
issuer_that_is_no_ca(struct tbs_request *r)
{
    r->issuer = officer;
}

static void
ca_below_path_length_zero(struct tbs_request *r)
{
    unmarked_ca_in_a_rehearsal(r);
    r->rehearsal = false;
    r->issuer = pki->issuing;
}

static void
a_request_with_one_wrong_field_is_refused(void **state)
{
    static const struct row rows[] = {
        {"serialNumber", serial_form, ERR_INPUT},
        {"issuer", no_issuer, ERR_INPUT},
        {"crl_url", no_url, ERR_INPUT},
        {"crl_url", https_url, ERR_INPUT},
        {"crl_url", blank_in_url, ERR_INPUT},
        {"subject", no_nf, ERR_INPUT},
        {"subject", name_beside_nf, ERR_INPUT},
        {"notAfter", ends_before_it_begins, ERR_INPUT},
        {"notAfter", over_three_years, ERR_DENIED},
        {"notBefore: before the issuer", before_the_issuer, ERR_DENIED},
        {"notAfter: past", past_the_issuer, ERR_DENIED},
        {"notAfter", eight_days_in_a_rehearsal, ERR_DENIED},
        {"fqdns", server_without_name, ERR_DENIED},
        {"upper-case", upper_case, ERR_INPUT},
        {"fqdns[0]", foreign_name, ERR_DENIED},
        {"REHEARSAL", unmarked_ca_in_a_rehearsal, ERR_DENIED},
        {"REHEARSAL", mark_without_its_blank, ERR_DENIED},
        {"REHEARSAL", marked_ca_outside_of_a_rehearsal, ERR_DENIED},
        {"subject", ca_without_common_name, ERR_INPUT},
        {"issuer", issuer_that_is_no_ca, ERR_INPUT},
        {"pathLen", ca_below_path_length_zero, ERR_DENIED},
    };
    struct nf_identity nf = pki_nf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);

    (void)state;
    officer = pki_issue_officer(pki, "ra-cmp", key);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
        struct err e = {0};

        rows[i].spoil(&request);
        assert_err(tbs_build(&request, &tbs, &e), rows[i].code, &e);
        if (strstr(e.text, rows[i].name) == NULL) {
            fail_msg("row %zu: \"%s\" does not name %s", i, e.text, rows[i].name);
        }
        assert_int_equal(tbs.n, 0);
    }
    X509_free(officer);
}

static void
a_crl_s_place_is_a_url_of_its_form(void **state)
{
    static const char host[] = "crl_url: must be http://host/... of at most 255 characters";
    static const char visible[] = "crl_url: only visible ASCII characters";
    char longest[CRL_URL_MAX + 2];
    const struct {
        const char *url;
        const char *says; /* NULL: good */
    } rows[] = {
        {"http://x", NULL},      {"http://x/~!", NULL},          {"http://", host},
        {"http:///x", host},     {"https://x/y", host},          {"", host},
        {"HTTP://x/y", host},    {"http://x/\x7f", visible},     {"http://x/\x1f", visible},
        {"http://x/ ", visible}, {"http://x/\xc3\xa5", visible}, {longest, NULL},
    };
    struct nf_identity nf = pki_nf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);

    (void)state;
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "http://", 7);
    longest[CRL_URL_MAX] = '\0';
    for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
        struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
        const char *says = i == ARRAY_LEN(rows) ? host : rows[i].says;
        struct err e = {0};
        int result;

        if (i == ARRAY_LEN(rows)) { /* a character more */
            longest[CRL_URL_MAX] = 'x';
            longest[CRL_URL_MAX + 1] = '\0';
        }
        request.crl_url = i == ARRAY_LEN(rows) ? longest : rows[i].url;
        result = tbs_build(&request, &tbs, &e);
        if (says == NULL ? result != 0
                         : result == 0 || e.code != ERR_INPUT || strstr(e.text, says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "built" : e.text);
        }
    }
}

static void
validity_is_built_up_to_its_limits(void **state)
{
    const time_t begins = PKI_NOW - DAY;
    const time_t ends = begins + (time_t)5 * 365 * DAY;
    const struct {
        time_t from;
        time_t until;
        bool rehearsal;
        time_t most; /* of the profile; 0: as it is */
        const char *says;
    } rows[] = {
        {PKI_NOW, PKI_NOW + 1, false, 0, NULL},
        {PKI_NOW, PKI_NOW, false, 0, "notAfter: not after notBefore"},
        {PKI_NOW, PKI_NOW + (time_t)1095 * DAY, false, 0, NULL},
        {PKI_NOW, PKI_NOW + (time_t)1095 * DAY + 1, false, 0,
         "notAfter: more than 94608000 seconds"},
        {PKI_NOW, PKI_NOW + (time_t)7 * DAY, true, 0, NULL},
        {PKI_NOW, PKI_NOW + (time_t)7 * DAY + 1, true, 0, "notAfter: more than 604800 seconds"},
        {PKI_NOW, PKI_NOW + DAY, true, DAY, NULL},
        {PKI_NOW, PKI_NOW + DAY + 1, true, DAY, "notAfter: more than 86400 seconds"},
        {begins, PKI_NOW, false, 0, NULL},
        {begins - 1, PKI_NOW, false, 0, "notBefore: before the issuer's certificate begins"},
        {ends - DAY, ends, false, 0, NULL},
        {ends - DAY, ends + 1, false, 0, "notAfter: past the end of the issuer's certificate"},
    };
    struct nf_identity nf = pki_nf();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));
        struct profile profile = *request.profile;
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
        struct err e = {0};
        int result;

        profile.max_validity = rows[i].most == 0 ? profile.max_validity : rows[i].most;
        request.profile = &profile;
        request.not_before = rows[i].from;
        request.not_after = rows[i].until;
        request.rehearsal = rows[i].rehearsal;
        result = tbs_build(&request, &tbs, &e);
        if (rows[i].says == NULL ? result != 0
                                 : result == 0 || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "built" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_certificate_equals_that_of_rfc_9310_appendix_b),
        cmocka_unit_test(the_server_certificate_has_the_shape_of_rfc_9310),
        cmocka_unit_test(the_uuid_of_the_sample_is_refused_by_the_strict_rules),
        cmocka_unit_test(both_usages_stand_in_the_certificate_of_a_server_that_is_a_client_too),
        cmocka_unit_test(the_same_request_gives_the_same_octets),
        cmocka_unit_test(a_certificate_that_ends_after_2049_has_generalized_time),
        cmocka_unit_test(the_infrastructure_profiles_have_their_one_purpose),
        cmocka_unit_test(a_request_with_one_wrong_field_is_refused),
        cmocka_unit_test(a_crl_s_place_is_a_url_of_its_form),
        cmocka_unit_test(validity_is_built_up_to_its_limits),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
