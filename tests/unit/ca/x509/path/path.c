/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/path/path.h"

#include <string.h>

#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60 };

static struct pki *pki;
static EVP_PKEY *key;

static int
make(void **state)
{
    (void)state;
    pki = pki_new("P-384", "P-256");
    key = pki_key("P-256");
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    pki_free(pki);
    EVP_PKEY_free(key);
    return 0;
}

static struct path_request
under_root(enum path_purpose purpose)
{
    struct path_request r = {.purpose = purpose,
                             .at = PKI_NOW + DAY,
                             .anchors = &pki->root,
                             .n_anchors = 1,
                             .untrusted = &pki->issuing,
                             .n_untrusted = 1};

    return r;
}

static X509 *
nf_certificate(void)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(pki, &nf, buf_span(&spki));

    return pki_issue(&request, pki->issuing_key);
}

static void
each_purpose_takes_its_own_certificates(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    CLEANUP(x509_cleanup) X509 *ra = pki_issue_officer(pki, "ra-cmp", key);
    CLEANUP(x509_cleanup) X509 *registrar = pki_issue_officer(pki, "registrar", key);
    CLEANUP(x509_cleanup) X509 *officer = pki_issue_officer(pki, "officer", key);
    const struct {
        X509 *leaf;
        enum path_purpose purpose;
        int result;
    } rows[] = {
        {nf, PATH_REQUESTER, 0},
        {nf, PATH_RA_CMP, -1},
        {nf, PATH_PERSON, -1},
        {ra, PATH_RA_CMP, 0},
        {registrar, PATH_PERSON, 0},
        {officer, PATH_PERSON, 0},
        {registrar, PATH_RA_CMP, -1},
        {officer, PATH_RA_CMP, -1},
        {pki->issuing, PATH_REQUESTER, -1},
        {pki->root, PATH_REQUESTER, -1},
        {pki->issuing, PATH_PERSON, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct path_request r = under_root(rows[i].purpose);
        struct err e = {0};

        if (path_verify(rows[i].leaf, &r, &e) != rows[i].result) {
            fail_msg("row %zu: %s", i, e.text);
        }
        assert_int_equal(rows[i].result == 0 ? ERR_NONE : ERR_DENIED, e.code);
    }
}

static void
time_anchor_and_middle_must_fit(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    struct path_request r = under_root(PATH_REQUESTER);
    struct pki *other = pki_new("P-256", "P-256");
    X509 *many[PATH_UNTRUSTED_MAX + 1];
    struct err e = {0};

    (void)state;
    r.at = PKI_NOW - 1;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    /* through notAfter, inclusive (RFC 5280 4.1.2.5) */
    r.at = PKI_NOW;
    assert_ok(path_verify(nf, &r, &e), &e);
    r.at = PKI_NOW + (time_t)30 * DAY;
    assert_ok(path_verify(nf, &r, &e), &e);
    r.at = PKI_NOW + (time_t)30 * DAY + 1;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "expired"));
    r = under_root(PATH_REQUESTER);
    r.n_untrusted = 0;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    r = under_root(PATH_REQUESTER);
    r.anchors = &other->root;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    r.anchors = &pki->issuing; /* not self-signed, so no anchor unless pinned */
    r.n_untrusted = 0;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    r.pinned = true;
    assert_ok(path_verify(nf, &r, &e), &e);
    r.anchors = &nf;
    assert_ok(path_verify(nf, &r, &e), &e);
    r.n_anchors = 0;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = pki->issuing;
    }
    r = under_root(PATH_REQUESTER);
    r.untrusted = many;
    r.n_untrusted = ARRAY_LEN(many);
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    pki_free(other);
}

static X509_CRL *
crl_until(X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked, time_t this_update, time_t next_update)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    struct crl_entry entry = {.serial_size = 16, .revoked_at = PKI_NOW};
    struct crl_request request = {.issuer = issuer,
                                  .number = 1,
                                  .this_update = this_update,
                                  .next_update = next_update,
                                  .entries = &entry,
                                  .n_entries = revoked == NULL ? 0 : 1};
    const unsigned char *p;
    struct err e = {0};
    X509_CRL *crl;

    if (revoked != NULL) {
        memcpy(entry.serial, ASN1_STRING_get0_data(X509_get0_serialNumber(revoked)), 16);
    }
    assert_ok(crl_build(&request, &tbs, &e), &e);
    signature = pki_sign(issuer_key, buf_span(&tbs));
    assert_ok(
        signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), issuer_key, &der, &e),
        &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    return crl;
}

static X509_CRL *
crl_by(X509 *issuer, EVP_PKEY *issuer_key, X509 *revoked)
{
    return crl_until(issuer, issuer_key, revoked, PKI_NOW, PKI_NOW + 2 * DAY);
}

static X509_CRL *
crl_of(X509 *revoked)
{
    return crl_by(pki->issuing, pki->issuing_key, revoked);
}

static void
the_status_of_every_certificate_is_asked(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    CLEANUP(x509_crl_cleanup) X509_CRL *empty = crl_of(NULL);
    CLEANUP(x509_crl_cleanup) X509_CRL *full = crl_of(nf);
    CLEANUP(x509_crl_cleanup) X509_CRL *root_empty = crl_by(pki->root, pki->root_key, NULL);
    CLEANUP(x509_crl_cleanup)
    X509_CRL *root_full = crl_by(pki->root, pki->root_key, pki->issuing);
    const struct {
        X509_CRL *crls[2];
        size_t n;
        enum path_status status;
        int day;
        enum path_verdict verdict;
        const char *why;
    } rows[] = {
        {{empty, root_empty}, 2, PATH_STATUS_REQUIRED, 1, PATH_GOOD, ""},
        {{empty, root_empty}, 2, PATH_STATUS_REQUIRED, 3, PATH_REFUSED, "CRL has expired"},
        {{full, root_empty}, 2, PATH_STATUS_REQUIRED, 1, PATH_REVOKED, "depth 0"},
        {{empty, root_full}, 2, PATH_STATUS_REQUIRED, 1, PATH_REVOKED, "depth 1"},
        {{empty}, 1, PATH_STATUS_REQUIRED, 1, PATH_REFUSED, "depth 1"},
        {{root_empty}, 1, PATH_STATUS_REQUIRED, 1, PATH_REFUSED, "depth 0"},
        {{NULL}, 0, PATH_STATUS_REQUIRED, 1, PATH_REFUSED, "unable to get certificate CRL"},
        {{empty}, 1, PATH_STATUS_IF_PRESENT, 1, PATH_GOOD, ""},
        {{NULL}, 0, PATH_STATUS_IF_PRESENT, 1, PATH_GOOD, ""},
        {{full}, 1, PATH_STATUS_IF_PRESENT, 1, PATH_REVOKED, "depth 0"},
        {{root_full}, 1, PATH_STATUS_IF_PRESENT, 1, PATH_REVOKED, "depth 1"},
        {{empty}, 1, PATH_STATUS_IF_PRESENT, 3, PATH_REFUSED, "CRL has expired"},
        {{full, root_full}, 2, PATH_STATUS_NONE, 1, PATH_GOOD, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct path_request r = under_root(PATH_REQUESTER);
        struct err e = {0};
        enum path_verdict verdict;

        r.at = PKI_NOW + (time_t)rows[i].day * DAY;
        r.status = rows[i].status;
        r.crls = rows[i].crls;
        r.n_crls = rows[i].n;
        verdict = path_judge(nf, &r, &e);
        if (verdict != rows[i].verdict || strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %d, %s", i, (int)verdict, e.text);
        }
    }
}

/* RFC 5280 6.3.3: too old is a CRL when the time is after nextUpdate. */
static void
a_crl_is_good_at_its_next_update(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    CLEANUP(x509_crl_cleanup)
    X509_CRL *crl = crl_until(pki->issuing, pki->issuing_key, NULL, PKI_NOW, PKI_NOW + DAY);
    struct path_request r = under_root(PATH_REQUESTER);

    (void)state;
    r.status = PATH_STATUS_IF_PRESENT;
    r.crls = &crl;
    r.n_crls = 1;
    for (int i = -1; i <= 1; i++) {
        struct err e = {0};

        r.at = PKI_NOW + DAY + i;
        assert_int_equal(path_judge(nf, &r, &e), i <= 0 ? PATH_GOOD : PATH_REFUSED);
        r.at = PKI_NOW + i;
        assert_int_equal(path_judge(nf, &r, &e), i >= 0 ? PATH_GOOD : PATH_REFUSED);
    }
}

/* A request that is taken up again later is judged at its own time, the CRLs at today's. */
static void
crls_may_have_a_time_of_their_own(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    CLEANUP(x509_crl_cleanup) X509_CRL *empty = crl_of(NULL);
    CLEANUP(x509_crl_cleanup)
    X509_CRL *later = crl_until(pki->issuing, pki->issuing_key, NULL, PKI_NOW + (time_t)39 * DAY,
                                PKI_NOW + (time_t)41 * DAY);
    CLEANUP(x509_crl_cleanup)
    X509_CRL *revoking = crl_until(pki->issuing, pki->issuing_key, nf, PKI_NOW + (time_t)39 * DAY,
                                   PKI_NOW + (time_t)41 * DAY);
    struct path_request r = under_root(PATH_REQUESTER);
    struct err e = {0};

    (void)state;
    r.status = PATH_STATUS_IF_PRESENT;
    r.crls = &empty;
    r.n_crls = 1;
    r.at = PKI_NOW + (time_t)20 * DAY;
    assert_int_equal(path_judge(nf, &r, &e), PATH_REFUSED);
    r.status_at = PKI_NOW + DAY;
    assert_int_equal(path_judge(nf, &r, &e), PATH_GOOD);
    r.at = PKI_NOW + DAY;
    r.status_at = PKI_NOW + (time_t)40 * DAY; /* the certificate has expired by then */
    assert_int_equal(path_judge(nf, &r, &e), PATH_REFUSED);
    assert_non_null(strstr(e.text, "CRL has expired"));
    r.crls = &later;
    assert_int_equal(path_judge(nf, &r, &e), PATH_GOOD);
    r.crls = &revoking;
    assert_int_equal(path_judge(nf, &r, &e), PATH_REVOKED);
}

static void
verdicts_tell_no_anchor_from_a_bad_path(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    CLEANUP(pki_cleanup) struct pki *other = pki_new("P-256", "P-256");
    struct path_request r = under_root(PATH_REQUESTER);
    struct err e = {0};

    (void)state;
    r.anchors = &other->root;
    assert_int_equal(path_judge(nf, &r, &e), PATH_NO_ANCHOR);
    assert_int_equal(e.code, ERR_DENIED);
    r = under_root(PATH_REQUESTER);
    r.at = PKI_NOW - 1;
    assert_int_equal(path_judge(nf, &r, &e), PATH_REFUSED);
    assert_non_null(strstr(e.text, "depth 0, O="));
    r = under_root(PATH_RA_CMP);
    assert_int_equal(path_judge(nf, &r, &e), PATH_REFUSED);
    assert_int_equal(path_validate(nf, &r, &e), PATH_GOOD);
}

/* A vendor's end entity with one thing changed, signed again by the issuing key. */
static X509 *
changed(void (*change)(X509 *))
{
    X509 *certificate = nf_certificate();

    change(certificate);
    assert_true(X509_sign(certificate, pki->issuing_key, EVP_sha256()) > 0);
    return certificate;
}

static void
serial_zero(X509 *x)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x), 0);
}

static void
serial_negative(X509 *x)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x), -5);
}

static void
serial_of_21_octets(X509 *x)
{
    BIGNUM *n = BN_new();

    BN_one(n);
    BN_lshift(n, n, 159);
    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
}

static void
extension_twice(X509 *x)
{
    X509_add_ext(x, X509_get_ext(x, 0), -1);
}

static void
ski_critical(X509 *x)
{
    X509_EXTENSION_set_critical(
        X509_get_ext(x, X509_get_ext_by_NID(x, NID_subject_key_identifier, -1)), 1);
}

static void
unknown_critical(X509 *x)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, "1.2.3.4", "critical,DER:0500");

    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

static void
usage_without_signature(X509 *x)
{
    X509_EXTENSION *extension =
        X509V3_EXT_nconf_nid(NULL, NULL, NID_key_usage, "critical,keyEncipherment");

    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_key_usage, -1)));
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

static void
what_openssl_leaves_out_is_checked(void **state)
{
    static const struct {
        const char *why;
        void (*change)(X509 *);
    } rows[] = {{"serial", serial_zero},
                {"serial", serial_negative},
                {"serial", serial_of_21_octets},
                {"twice", extension_twice},
                {"ritical", ski_critical},
                {"critical", unknown_critical},
                {"digitalSignature", usage_without_signature}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup) X509 *leaf = changed(rows[i].change);
        struct path_request r = under_root(PATH_REQUESTER);
        struct err e = {0};

        assert_err(path_verify(leaf, &r, &e), ERR_DENIED, &e);
        if (strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: \"%s\" does not say %s", i, e.text, rows[i].why);
        }
    }
}

/* An issuing CA with other extensions, signed again by the root; its leaf keeps its signature. */
static X509 *
other_issuing(int drop, const char *name, const char *text)
{
    X509 *x = X509_dup(pki->issuing);
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, name, text);
    int at = X509_get_ext_by_NID(x, drop, -1);

    assert_non_null(extension);
    if (at >= 0) {
        X509_EXTENSION_free(X509_delete_ext(x, at));
    }
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(x, pki->root_key, EVP_sha384()) > 0);
    return x;
}

static void
name_constraints_must_be_critical(void **state)
{
    CLEANUP(x509_cleanup) X509 *nf = nf_certificate();
    CLEANUP(x509_cleanup)
    X509 *good = other_issuing(NID_undef, "nameConstraints", "critical,permitted;DNS:org");
    CLEANUP(x509_cleanup)
    X509 *bad = other_issuing(NID_undef, "nameConstraints", "permitted;DNS:org");
    struct path_request r = under_root(PATH_REQUESTER);
    struct err e = {0};

    (void)state;
    r.untrusted = &good;
    assert_ok(path_verify(nf, &r, &e), &e);
    r.untrusted = &bad;
    assert_err(path_verify(nf, &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "nameConstraints must be critical"));
}

static void
a_ca_is_no_requester_whatever_its_key_usage_says(void **state)
{
    CLEANUP(x509_cleanup)
    X509 *ca =
        other_issuing(NID_key_usage, "keyUsage", "critical,digitalSignature,keyCertSign,cRLSign");
    struct path_request r = under_root(PATH_REQUESTER);
    struct err e = {0};

    (void)state;
    assert_err(path_verify(ca, &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "a CA certificate"));
}

static void
sha_1_and_small_keys_are_too_weak(void **state)
{
    CLEANUP(x509_cleanup) X509 *sha1 = nf_certificate();
    CLEANUP(x509_cleanup) X509 *small = nf_certificate();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *rsa = pki_key("RSA-1024");
    struct path_request r = under_root(PATH_REQUESTER);
    struct err e = {0};

    (void)state;
    assert_true(X509_sign(sha1, pki->issuing_key, EVP_sha1()) > 0);
    assert_err(path_verify(sha1, &r, &e), ERR_DENIED, &e);
    X509_set_pubkey(small, rsa);
    assert_true(X509_sign(small, pki->issuing_key, EVP_sha256()) > 0);
    assert_err(path_verify(small, &r, &e), ERR_DENIED, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_purpose_takes_its_own_certificates),
        cmocka_unit_test(time_anchor_and_middle_must_fit),
        cmocka_unit_test(the_status_of_every_certificate_is_asked),
        cmocka_unit_test(a_crl_is_good_at_its_next_update),
        cmocka_unit_test(crls_may_have_a_time_of_their_own),
        cmocka_unit_test(verdicts_tell_no_anchor_from_a_bad_path),
        cmocka_unit_test(what_openssl_leaves_out_is_checked),
        cmocka_unit_test(name_constraints_must_be_critical),
        cmocka_unit_test(a_ca_is_no_requester_whatever_its_key_usage_says),
        cmocka_unit_test(sha_1_and_small_keys_are_too_weak),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
