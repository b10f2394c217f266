/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/crl.h"

#include <string.h>

#include "ca/x509/signed.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60 };

static struct pki *pki;

static const struct crl_entry entries[] = {
    {.serial = {0x05}, .serial_size = 1, .revoked_at = PKI_NOW - 100, .reason = CRL_SUPERSEDED},
    {.serial = {0x90, 0x01}, .serial_size = 2, .revoked_at = PKI_NOW - 50},
    {.serial = {0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
     .serial_size = 16,
     .revoked_at = PKI_NOW,
     .reason = CRL_KEY_COMPROMISE},
};

static int
make(void **state)
{
    (void)state;
    pki = pki_new("P-384", "RSA-3072");
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    pki_free(pki);
    return 0;
}

static struct crl_request
request(void)
{
    struct crl_request r = {.issuer = pki->issuing,
                            .number = 7,
                            .this_update = PKI_NOW,
                            .next_update = PKI_NOW + DAY,
                            .entries = entries,
                            .n_entries = ARRAY_LEN(entries)};

    return r;
}

static void
openssl_reads_and_verifies_our_crl(void **state)
{
    struct crl_request r = request();
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
    signature = pki_sign(pki->issuing_key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), pki->issuing_key,
                              &der, &e),
              &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    assert_int_equal(X509_CRL_verify(crl, pki->issuing_key), 1);
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
    struct crl_request r = request();
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    struct err e = {0};

    (void)state;
    r.n_entries = 0;
    r.issuer = pki->root;
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
    struct crl_request r = request();
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = pki_issue_officer(pki, "ra-cmp", key);
    struct err e = {0};

    (void)state;
    r.number = 0;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    r = request();
    r.next_update = r.this_update;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    r = request();
    r.rehearsal = true;
    r.next_update = r.this_update + 7 * DAY + 1;
    assert_err(crl_build(&r, &tbs, &e), ERR_DENIED, &e);
    r = request();
    r.issuer = ra;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    r = request();
    r.entries = bad;
    r.n_entries = 2;
    memcpy(bad, entries, sizeof(bad));
    bad[1] = bad[0];
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "entries[1].serial"));
    memcpy(bad, entries, sizeof(bad));
    bad[0].serial[0] = 0;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    memcpy(bad, entries, sizeof(bad));
    bad[1].reason = (enum crl_reason)6;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "entries[1].reason"));
    memcpy(bad, entries, sizeof(bad));
    bad[0].revoked_at = PKI_NOW + 1;
    assert_err(crl_build(&r, &tbs, &e), ERR_INPUT, &e);
    assert_int_equal(tbs.n, 0);
}

struct row {
    const char *field;
    struct crl_request expected; /* departs from what is in the octets */
};

static void
the_linter_finds_each_departure(void **state)
{
    struct crl_entry later[3];
    struct crl_entry reason[3];
    struct crl_entry serial[3];
    struct crl_request r = request();
    struct row rows[] = {
        {"cRLNumber", r},
        {"thisUpdate", r},
        {"nextUpdate", r},
        {"signature", r},
        {"revokedCertificates", r},
        {"revokedCertificates[0]", r},
        {"revokedCertificates[1]", r},
        {"revokedCertificates[2]", r},
        {"nextUpdate", r},
    };
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    struct err e = {0};

    (void)state;
    memcpy(later, entries, sizeof(later));
    memcpy(reason, entries, sizeof(reason));
    memcpy(serial, entries, sizeof(serial));
    later[0].revoked_at--;
    reason[1].reason = CRL_SUPERSEDED;
    serial[2].serial[15] ^= 1;
    rows[0].expected.number = 8;
    rows[1].expected.this_update--;
    rows[2].expected.next_update++;
    rows[3].expected.issuer = pki->root;
    rows[4].expected.n_entries = 2;
    rows[5].expected.entries = later;
    rows[6].expected.entries = reason;
    rows[7].expected.entries = serial;
    rows[8].expected.next_update = r.this_update;
    assert_ok(crl_build(&r, &tbs, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(crl_lint(buf_span(&tbs), &rows[i].expected, &e), ERR_DENIED, &e);
        if (strstr(e.text, rows[i].field) == NULL) {
            fail_msg("row %zu: \"%s\" does not name %s", i, e.text, rows[i].field);
        }
    }
}

static void
any_flipped_octet_of_a_crl_is_refused(void **state)
{
    struct crl_request r = request();
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    struct err e = {0};

    (void)state;
    assert_ok(crl_build(&r, &tbs, &e), &e);
    for (size_t i = 0; i < tbs.n; i++) {
        tbs.p[i] ^= 1;
        if (crl_lint(buf_span(&tbs), &r, &e) == 0) {
            fail_msg("octet %zu of %zu: passed", i, tbs.n);
        }
        tbs.p[i] ^= 1;
    }
}

/* Puts octets into the TBS and grows the lengths (30 82 xx xx) that stand at `outer`. */
static void
insert(struct buf *tbs, size_t at, struct span octets, const size_t *outer, size_t n_outer)
{
    struct err e = {0};

    assert_non_null(buf_extend(tbs, octets.n, &e));
    memmove(tbs->p + at + octets.n, tbs->p + at, tbs->n - octets.n - at);
    memcpy(tbs->p + at, octets.p, octets.n);
    for (size_t i = 0; i < n_outer; i++) {
        tbs->p[outer[i]] = (uint8_t)(tbs->p[outer[i]] + octets.n);
    }
}

static void
what_does_not_belong_into_a_crl_is_found(void **state)
{
    struct crl_request r = request();
    CLEANUP(buf_free) struct buf extra = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf ber = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf empty = BUF_INIT(CRL_TBS_MAX);
    const uint8_t *at;
    size_t outer[3] = {2};
    struct err e = {0};

    (void)state;
    r.n_entries = 0;
    assert_ok(crl_build(&r, &extra, &e), &e);
    assert_int_equal(extra.p[1], 0x81); /* the lengths are of one octet each */
    assert_ok(buf_append(&ber, buf_span(&extra), &e), &e);
    assert_ok(buf_append(&empty, buf_span(&extra), &e), &e);
    at = memmem(extra.p, extra.n, "\xa0\x2f\x30\x2d", 4);
    assert_non_null(at);
    outer[1] = (size_t)(at - extra.p) + 1;
    outer[2] = outer[1] + 2;
    insert(&extra, extra.n, SPAN_LITERAL("\x30\x09\x06\x03\x2a\x03\x04\x04\x02\x05\x00"), outer, 3);
    assert_err(crl_lint(buf_span(&extra), &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "crlExtensions"));

    insert(&ber, outer[1], SPAN_LITERAL("\x81"), outer, 1);
    assert_err(crl_lint(buf_span(&ber), &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "TBSCertList"));

    insert(&empty, outer[1] - 1, SPAN_LITERAL("\x30\x00"), outer, 1);
    assert_err(crl_lint(buf_span(&empty), &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "present without entries"));
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_reads_and_verifies_our_crl),
        cmocka_unit_test(a_crl_without_entries_has_no_list),
        cmocka_unit_test(a_wrong_request_is_refused),
        cmocka_unit_test(the_linter_finds_each_departure),
        cmocka_unit_test(any_flipped_octet_of_a_crl_is_refused),
        cmocka_unit_test(what_does_not_belong_into_a_crl_is_found),
        cmocka_unit_test(reasons_have_their_names),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
