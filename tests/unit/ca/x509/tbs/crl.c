/* SPDX-License-Identifier: Apache-2.0 */
/* What is built of a request, and which requests are refused. */
#include "ca/x509/tbs/crl.h"

#include <string.h>

#include "ca/x509/signed.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/tbs/revoked.h"

enum { DAY = 24 * 60 * 60 };

static void
openssl_reads_and_verifies_our_crl(void **state)
{
    struct crl_request r = revoked_request();
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *serial = ASN1_INTEGER_new();
    X509_REVOKED *revoked = NULL;
    const unsigned char *p;
    struct err e = {0};

    (void)state;
    assert_ok(crl_build(&r, &tbs, &e), &e);
    assert_ok(crl_lint(buf_span(&tbs), &r, &e), &e);
    signature = pki_sign(revoked_pki->issuing_key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature),
                              revoked_pki->issuing_key, &der, &e),
              &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    assert_int_equal(X509_CRL_verify(crl, revoked_pki->issuing_key), 1);
    assert_int_equal(X509_CRL_get_version(crl), 1);
    ASN1_INTEGER_set(serial, 0x9001);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &revoked, serial), 1);
    assert_int_equal(X509_REVOKED_get_ext_count(revoked), 0);
    ASN1_INTEGER_set(serial, 6);
    assert_int_equal(X509_CRL_get0_by_serial(crl, &revoked, serial), 0);
}

static void
a_crl_without_entries_has_no_list(void **state)
{
    struct crl_request r = revoked_request();
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    struct err e = {0};

    (void)state;
    r.n_entries = 0;
    r.issuer = revoked_pki->root;
    assert_ok(crl_build(&r, &tbs, &e), &e);
    assert_ok(crl_lint(buf_span(&tbs), &r, &e), &e);
    r.n_entries = 1;
    assert_err(crl_lint(buf_span(&tbs), &r, &e), ERR_DENIED, &e);
}

static void
a_wrong_request_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    struct crl_entry bad[2];
    struct crl_request r = revoked_request();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = pki_issue_officer(revoked_pki, "ra-cmp", key);
    struct err e = {0};

    (void)state;
    r.number = 0;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    r = revoked_request();
    r.next_update = r.this_update;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    r = revoked_request();
    r.rehearsal = true;
    r.next_update = r.this_update + 7 * DAY + 1;
    assert_err(crl_build(&r, &tbs, &e), ERR_DENIED, &e);
    r = revoked_request();
    r.issuer = ra;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    r = revoked_request();
    r.entries = bad;
    r.n_entries = 2;
    memcpy(bad, revoked_entries, sizeof(bad));
    bad[1] = bad[0];
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "entries[1].serial"));
    memcpy(bad, revoked_entries, sizeof(bad));
    bad[0].serial[0] = 0;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    memcpy(bad, revoked_entries, sizeof(bad));
    bad[1].reason = (enum crl_reason)6;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "entries[1].reason"));
    memcpy(bad, revoked_entries, sizeof(bad));
    bad[0].revoked_at = PKI_NOW + 1;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_int_equal(tbs.n, 0);
}

static void
reasons_have_their_names(void **state)
{
    enum crl_reason reason;
    struct err e = {0};

    (void)state;
    assert_ok(crl_reason_parse("keyCompromise", &reason, &e), &e);
    assert_int_equal(reason, CRL_KEY_COMPROMISE);
    assert_string_equal(crl_reason_name(CRL_AA_COMPROMISE), "aACompromise");
    assert_null(crl_reason_name((enum crl_reason)8));
    assert_err(crl_reason_parse("certificateHold", &reason, &e), ERR_INPUT, &e);
}

static void
a_request_is_taken_up_to_its_limits(void **state)
{
    static const char positive[] = "entries[0].serial: not a positive number in shortest form";
    static const struct {
        uint64_t number;
        time_t lasts;
        bool rehearsal;
        size_t serial_size;
        uint8_t first;
        const char *says; /* NULL: good */
    } rows[] = {
        {1, 1, false, 1, 1, NULL},
        {INT64_MAX, 1, false, 1, 1, NULL},
        {0, 1, false, 1, 1, "cRLNumber: must be 1 or more"},
        {(uint64_t)INT64_MAX + 1, 1, false, 1, 1, "cRLNumber: must be 1 or more"},
        {1, 0, false, 1, 1, "nextUpdate: not after thisUpdate"},
        {1, -1, false, 1, 1, "nextUpdate: not after thisUpdate"},
        {1, (time_t)7 * DAY, true, 1, 1, NULL},
        {1, (time_t)7 * DAY + 1, true, 1, 1, "nextUpdate: more than 7 days in a rehearsal"},
        {1, (time_t)7 * DAY + 1, false, 1, 1, NULL},
        {1, 1, false, 0, 1, positive},
        {1, 1, false, 1, 0, positive},
        {1, 1, false, 19, 0x80, NULL},
        {1, 1, false, CRL_SERIAL_MAX, 0x7f, NULL},
        {1, 1, false, CRL_SERIAL_MAX, 0x80, positive},
        {1, 1, false, CRL_SERIAL_MAX + 1, 0x01, positive},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
        struct crl_entry entry = {
            .serial = {rows[i].first}, .serial_size = rows[i].serial_size, .revoked_at = PKI_NOW};
        struct crl_request r = revoked_request();
        struct err e = {0};
        int result;

        r.entries = &entry;
        r.n_entries = 1;
        r.number = rows[i].number;
        r.next_update = r.this_update + rows[i].lasts;
        r.rehearsal = rows[i].rehearsal;
        result = crl_build(&r, &tbs, &e);
        if (rows[i].says == NULL ? result != 0 || crl_lint(buf_span(&tbs), &r, &e) != 0
                                 : result == 0 || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "built" : e.text);
        }
    }
}

/* A CA whose certificate has no subjectKeyIdentifier has none that its CRLs could repeat. */
static void
an_issuer_has_a_key_identifier(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    const struct forge f = {.subject = "O=Operator/CN=Bare",
                            .key = key,
                            .not_before = PKI_NOW - DAY,
                            .not_after = PKI_NOW + DAY,
                            .extensions = {FORGE_CA},
                            .bare = true};
    CLEANUP(x509_cleanup) X509 *bare = forge_certificate(&f);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    struct crl_request r = revoked_request();
    struct err e = {0};

    (void)state;
    r.issuer = bare;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "CRL: the issuer has no subjectKeyIdentifier");
    assert_int_equal(tbs.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_reads_and_verifies_our_crl),
        cmocka_unit_test(a_crl_without_entries_has_no_list),
        cmocka_unit_test(a_wrong_request_is_refused),
        cmocka_unit_test(reasons_have_their_names),
        cmocka_unit_test(a_request_is_taken_up_to_its_limits),
        cmocka_unit_test(an_issuer_has_a_key_identifier),
    };

    return cmocka_run_group_tests(tests, revoked_make, revoked_drop);
}
