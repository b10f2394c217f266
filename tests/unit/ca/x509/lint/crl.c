/* SPDX-License-Identifier: Apache-2.0 */
/* What the linter finds in a CRL. */
#include "ca/x509/tbs/crl.h"

#include <string.h>

#include "ca/x509/signed.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/tbs/revoked.h"

enum { DAY = 24 * 60 * 60 };

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
    struct crl_request r = revoked_request();
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
    memcpy(later, revoked_entries, sizeof(later));
    memcpy(reason, revoked_entries, sizeof(reason));
    memcpy(serial, revoked_entries, sizeof(serial));
    later[0].revoked_at--;
    reason[1].reason = CRL_SUPERSEDED;
    serial[2].serial[15] ^= 1;
    rows[0].expected.number = 8;
    rows[1].expected.this_update--;
    rows[2].expected.next_update++;
    rows[3].expected.issuer = revoked_pki->root;
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
    struct crl_request r = revoked_request();
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
    struct crl_request r = revoked_request();
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

/* The CRL of the request, parsed, so that its parts can be changed; the signature is of no matter.
 */
static X509_CRL *
parsed(const struct crl_request *r)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    const unsigned char *p;
    X509_CRL *crl;
    struct err e = {0};

    assert_ok(crl_build(r, &tbs, &e), &e);
    signature = pki_sign(revoked_pki->issuing_key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature),
                              revoked_pki->issuing_key, &der, &e),
              &e);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    return crl;
}

static void
expect_lint(X509_CRL *crl, const struct crl_request *expected, const char *says, const char *row)
{
    unsigned char *der = NULL;
    int n = i2d_re_X509_CRL_tbs(crl, &der);
    struct err e = {0};
    int result;

    assert_true(n > 0);
    result = crl_lint(span_of(der, (size_t)n), expected, &e);
    OPENSSL_free(der);
    if (says == NULL
            ? result != 0
            : result == 0 || e.code != ERR_DENIED || strncmp(e.text, says, strlen(says)) != 0) {
        fail_msg("%s: %s", row, result == 0 ? "passed" : e.text);
    }
}

static void
drop_extension(X509_CRL *crl, int nid)
{
    X509_EXTENSION_free(X509_CRL_delete_ext(crl, X509_CRL_get_ext_by_NID(crl, nid, -1)));
}

static void
put_extension(X509_CRL *crl, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, NULL, OBJ_nid2sn(nid), value);

    assert_non_null(extension);
    assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* One field of a CRL of ours is changed. */
static void
each_field_of_a_crl_is_checked(void **state)
{
    static const char number[] = "lint: cRLNumber: missing, critical, or not the number";
    static const char authority[] =
        "lint: authorityKeyIdentifier: missing, critical, or not the issuer's";
    static const struct {
        const char *name;
        const char *says;
    } rows[] = {
        {"nothing", NULL},
        {"version 1", "lint: version: not 2"},
        {"issuer", "lint: issuer: not the name of the issuer"},
        {"no nextUpdate", "lint: nextUpdate: not the time"},
        {"no cRLNumber", number},
        {"critical cRLNumber", number},
        {"cRLNumber 0", number},
        {"a cRLNumber that no integer holds", number},
        {"negative cRLNumber", number},
        {"no authorityKeyIdentifier", authority},
        {"critical authorityKeyIdentifier", authority},
        {"another authorityKeyIdentifier", authority},
        {"an authorityKeyIdentifier with its issuer too", authority},
        {"a third extension", "lint: crlExtensions: one that is not ours"},
    };
    struct crl_request r = revoked_request();
    CLEANUP(x509_crl_cleanup) X509_CRL *good = parsed(&r);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_dup(good);
        struct crl_request expected = r;

        switch (i) {
        case 0:
            break;
        case 1:
            assert_int_equal(X509_CRL_set_version(crl, 0), 1);
            break;
        case 2:
            assert_int_equal(
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(revoked_pki->root)), 1);
            break;
        case 3:
            /* the field is optional, so OpenSSL writes none */
            assert_int_equal(X509_CRL_set1_nextUpdate(crl, X509_CRL_get0_lastUpdate(crl)), 1);
            break;
        case 4:
            drop_extension(crl, NID_crl_number);
            break;
        case 5:
            assert_int_equal(
                X509_EXTENSION_set_critical(
                    X509_CRL_get_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)), 1),
                1);
            break;
        case 6:
            drop_extension(crl, NID_crl_number);
            put_extension(crl, NID_crl_number, "DER:020100");
            expected.number = 0;
            break;
        case 7:
            drop_extension(crl, NID_crl_number);
            put_extension(crl, NID_crl_number, "DER:0209010000000000000007");
            break;
        case 8:
            drop_extension(crl, NID_crl_number);
            put_extension(crl, NID_crl_number, "DER:0201f9");
            break;
        case 9:
            drop_extension(crl, NID_authority_key_identifier);
            break;
        case 10:
            assert_int_equal(X509_EXTENSION_set_critical(
                                 X509_CRL_get_ext(crl, X509_CRL_get_ext_by_NID(
                                                           crl, NID_authority_key_identifier, -1)),
                                 1),
                             1);
            break;
        case 11:
            drop_extension(crl, NID_authority_key_identifier);
            put_extension(crl, NID_authority_key_identifier, "DER:3003800101");
            break;
        case 12: {
            CLEANUP(mem_cleanup) char *hex = NULL;
            CLEANUP(mem_cleanup) char *value = NULL;
            const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(revoked_pki->issuing);

            hex = hex_dup(span_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));
            value = mem_printf("DER:301b8014%s820301020304", hex);
            value[4 + 2 + 1] = 'b';
            drop_extension(crl, NID_authority_key_identifier);
            put_extension(crl, NID_authority_key_identifier, value);
            break;
        }
        default:
            put_extension(crl, NID_issuing_distribution_point, "critical,DER:3000");
            break;
        }
        expect_lint(crl, &expected, rows[i].says, rows[i].name);
    }
}

static void
a_crl_is_linted_up_to_its_limits(void **state)
{
    static uint8_t zeros[64];
    struct crl_request r = revoked_request();
    CLEANUP(mem_cleanup) uint8_t *big = mem_zalloc((size_t)CRL_TBS_MAX + 1, 1);
    struct err e = {0};

    (void)state;
    /* the first number, and the longest rehearsal */
    r.number = 1;
    r.next_update = r.this_update + 7 * DAY;
    r.rehearsal = true;
    {
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = parsed(&r);

        expect_lint(crl, &r, NULL, "at the limits");
    }
    r.rehearsal = false;
    r.next_update++;
    {
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = parsed(&r);

        expect_lint(crl, &r, NULL, "no rehearsal");
        r.rehearsal = true;
        expect_lint(crl, &r, "lint: nextUpdate: not the time", "a rehearsal");
    }
    assert_err(crl_lint(span_of(big, (size_t)CRL_TBS_MAX + 1), &r, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "lint: TBSCertList: too long");
    assert_err(crl_lint(span_of(zeros, sizeof(zeros)), &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "lint: TBSCertList"));
    assert_err(crl_lint(SPAN_LITERAL("\x30\x04\x05\x00\x05\x00"), &r, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "lint: TBSCertList: does not parse"));
}

/* An entry has its reason as only extension, not critical; or none. */
static void
the_reason_of_an_entry_has_one_form(void **state)
{
    static const char departs[] = "lint: revokedCertificates[0]: serial, date or reason departs";
    struct crl_request r = revoked_request();
    CLEANUP(x509_crl_cleanup) X509_CRL *good = parsed(&r);
    static const struct {
        const char *name;
        const char *reason; /* instead of the one that is there; NULL: none */
        const char *more;
        const char *says;
    } rows[] = {
        {"as it is", "DER:0a0104", NULL, NULL},
        {"critical", "critical,DER:0a0104", NULL, departs},
        {"another", "DER:0a0105", NULL, departs},
        {"missing", NULL, NULL, departs},
        {"with a date", "DER:0a0104", "DER:180f32303236303932313134313332305a", departs},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_dup(good);
        X509_REVOKED *entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);

        X509_EXTENSION_free(X509_REVOKED_delete_ext(entry, 0));
        if (rows[i].reason != NULL) {
            X509_EXTENSION *x = X509V3_EXT_nconf(NULL, NULL, "CRLReason", rows[i].reason);

            assert_non_null(x);
            assert_int_equal(X509_REVOKED_add_ext(entry, x, -1), 1);
            X509_EXTENSION_free(x);
        }
        if (rows[i].more != NULL) {
            X509_EXTENSION *x = X509V3_EXT_nconf(NULL, NULL, "invalidityDate", rows[i].more);

            assert_non_null(x);
            assert_int_equal(X509_REVOKED_add_ext(entry, x, -1), 1);
            X509_EXTENSION_free(x);
        }
        expect_lint(crl, &r, rows[i].says, rows[i].name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_linter_finds_each_departure),
        cmocka_unit_test(any_flipped_octet_of_a_crl_is_refused),
        cmocka_unit_test(what_does_not_belong_into_a_crl_is_found),
        cmocka_unit_test(each_field_of_a_crl_is_checked),
        cmocka_unit_test(a_crl_is_linted_up_to_its_limits),
        cmocka_unit_test(the_reason_of_an_entry_has_one_form),
    };

    return cmocka_run_group_tests(tests, revoked_make, revoked_drop);
}
