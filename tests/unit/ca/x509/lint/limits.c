/* SPDX-License-Identifier: Apache-2.0 */
/* What a TBS may not be, whoever built it: forms, limits, requests that do not fit. */
#include "ca/x509/lint/lint.h"

#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/x509/lint/scene.h"

enum { DAY = 24 * 60 * 60 };

/* What the builder refuses by itself is found here too, when the builder is asked for less. */
static void
validity_rules_hold_without_the_builder(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    struct tbs_request wanted = request;
    CLEANUP(x509_cleanup) X509 *x = pki_issue(&request, scene_pki->issuing_key);
    unsigned char *der = NULL;
    int size;

    (void)state;
    wanted.not_after = PKI_NOW + (time_t)1096 * DAY;
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    scene_expect(span_of(der, (size_t)size), &wanted, "validity", "cap");
    OPENSSL_free(der);
    der = NULL;

    wanted.not_after = wanted.not_before;
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    scene_expect(span_of(der, (size_t)size), &wanted, "validity", "no time at all");
    OPENSSL_free(der);
    der = NULL;

    wanted.rehearsal = true;
    wanted.not_after = PKI_NOW + (time_t)8 * DAY;
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    scene_expect(span_of(der, (size_t)size), &wanted, "validity", "rehearsal");
    OPENSSL_free(der);
    der = NULL;

    wanted.rehearsal = false;
    wanted.not_before = PKI_NOW - DAY - 1;
    wanted.not_after = PKI_NOW + DAY;
    ASN1_TIME_set(X509_getm_notBefore(x), wanted.not_before);
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    scene_expect(span_of(der, (size_t)size), &wanted, "notBefore: before", "issuer's begin");
    OPENSSL_free(der);
    der = NULL;

    wanted.not_before = PKI_NOW + (time_t)4 * 365 * DAY;
    wanted.not_after = PKI_NOW + (time_t)5 * 365 * DAY;
    ASN1_TIME_set(X509_getm_notBefore(x), wanted.not_before);
    ASN1_TIME_set(X509_getm_notAfter(x), wanted.not_after);
    size = i2d_re_X509_tbs(x, &der);
    scene_expect(span_of(der, (size_t)size), &wanted, "notAfter: past", "issuer's end");
    OPENSSL_free(der);
}

static void
a_weak_key_is_refused_even_when_it_is_the_one_expected(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *weak = pki_key("RSA-1024");
    CLEANUP(buf_free) struct buf weak_spki = pki_spki(weak);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&weak_spki));
    struct profile loose = *request.profile;
    struct err e = {0};

    (void)state;
    loose.rsa_bits = 1024; /* no file can say so, and no builder would stop it then */
    request.profile = &loose;
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    scene_expect(buf_span(&tbs), &request, "subjectPublicKeyInfo", "RSA-1024");
}

static void
another_signature_algorithm_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    struct tbs_request of_root = request;
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct err e = {0};

    (void)state;
    of_root.issuer = scene_pki->root; /* P-384 */
    assert_ok(tbs_build(&of_root, &tbs, &e), &e);
    scene_expect(buf_span(&tbs), &request, "signature", "ecdsa-with-SHA384");
}

/* No octet of the TBS may be another one: P2 and P4 of our promises. */
static void
any_flipped_octet_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
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
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct err e = {0};
    uint8_t *at;

    (void)state;
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    at = memmem(tbs.p, tbs.n, "\x55\x1d\x0f\x01\x01\xff", 6);
    assert_non_null(at);
    at[5] = 0x01;
    scene_expect(buf_span(&tbs), &request, "keyUsage", "TRUE as 01");
}

/* Puts octets into the TBS, whose own length has the form 30 82 xx xx. */
static void
insert(struct buf *tbs, size_t at, struct span octets)
{
    size_t n = (size_t)tbs->p[2] << 8 | tbs->p[3];
    struct err e = {0};

    assert_int_equal(tbs->p[1], 0x82);
    assert_non_null(buf_extend(tbs, octets.n, &e));
    memmove(tbs->p + at + octets.n, tbs->p + at, tbs->n - octets.n - at);
    memcpy(tbs->p + at, octets.p, octets.n);
    n += octets.n;
    tbs->p[2] = (uint8_t)(n >> 8);
    tbs->p[3] = (uint8_t)n;
}

static void
lengths_in_long_form_and_unique_identifiers_are_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(buf_free) struct buf ber = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf unique = BUF_INIT(TBS_MAX);
    const uint8_t *at;
    struct err e = {0};

    (void)state;
    assert_ok(tbs_build(&request, &ber, &e), &e);
    assert_ok(buf_append(&unique, buf_span(&ber), &e), &e);
    at = memmem(ber.p, ber.n, "\x30\x1e\x17\x0d", 4); /* validity */
    assert_non_null(at);
    insert(&ber, (size_t)(at - ber.p) + 1, SPAN_LITERAL("\x81"));
    scene_expect(buf_span(&ber), &request, "TBSCertificate", "long form");

    at = memmem(unique.p, unique.n, scene_spki.p, scene_spki.n);
    assert_non_null(at);
    insert(&unique, (size_t)(at - unique.p) + scene_spki.n, SPAN_LITERAL("\x82\x02\x00\x01"));
    scene_expect(buf_span(&unique), &request, "uniqueID", "subjectUniqueID");
}

/* Faults of the request itself, which a builder without checks would have repeated. */
static void
what_nobody_should_have_decided_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(buf_free) struct buf off = pki_spki(scene_key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf tbs_off = BUF_INIT(TBS_MAX);
    struct tbs_request wanted = request;
    struct err e = {0};
    uint8_t *at;

    (void)state;
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    at = memmem(tbs.p, tbs.n, request.serial, SERIAL_SIZE);
    assert_non_null(at);
    at[0] = wanted.serial[0] = 0x01;
    scene_expect(buf_span(&tbs), &wanted, "serialNumber", "form");
    at[0] = request.serial[0];

    wanted = request;
    wanted.nf = NULL;
    scene_expect(buf_span(&tbs), &wanted, "request", "no identity");

    off.p[off.n - 1] ^= 1;
    wanted = request;
    wanted.spki = buf_span(&off);
    assert_ok(tbs_build(&wanted, &tbs_off, &e), &e);
    scene_expect(buf_span(&tbs_off), &wanted, "", "a point off the curve");
}

static void
judged(X509 *x, const struct tbs_request *wanted, const char *says, const char *row)
{
    unsigned char *der = NULL;
    int size = i2d_re_X509_tbs(x, &der);
    struct err e = {0};
    int result = lint_tbs(span_of(der, (size_t)size), wanted, &e);

    OPENSSL_free(der);
    if (says == NULL ? result != 0
                     : result == 0 || e.code != ERR_DENIED || strcmp(e.text, says) != 0) {
        fail_msg("%s: %s", row, result == 0 ? "passed" : e.text);
    }
}

/* At each limit of the validity and a second past it. */
static void
validity_is_taken_up_to_its_limits(void **state)
{
    static const char longer[] = "lint: validity: longer than the profile allows";
    static const char order[] = "lint: validity: notAfter is not after notBefore";
    const time_t begins = PKI_NOW - DAY;
    const time_t ends = begins + (time_t)5 * 365 * DAY;
    const struct {
        time_t from;
        time_t until;
        bool rehearsal;
        const char *says; /* NULL: passes */
    } rows[] = {
        {PKI_NOW, PKI_NOW + 1, false, NULL},
        {PKI_NOW, PKI_NOW, false, order},
        {PKI_NOW, PKI_NOW - 1, false, order},
        {PKI_NOW, PKI_NOW - DAY + 1, false, order},
        {PKI_NOW, PKI_NOW + (time_t)1095 * DAY, false, NULL},
        {PKI_NOW, PKI_NOW + (time_t)1095 * DAY + 1, false, longer},
        {PKI_NOW, PKI_NOW + (time_t)7 * DAY, true, NULL},
        {PKI_NOW, PKI_NOW + (time_t)7 * DAY + 1, true, longer},
        {begins, PKI_NOW, false, NULL},
        {begins - 1, PKI_NOW, false, "lint: notBefore: before the issuer's certificate begins"},
        {ends - DAY, ends, false, NULL},
        {ends - DAY, ends + 1, false, "lint: notAfter: past the end of the issuer's certificate"},
    };
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(x509_cleanup) X509 *good = pki_issue(&request, scene_pki->issuing_key);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *row = mem_printf("row %zu", i);
        CLEANUP(x509_cleanup) X509 *x = X509_dup(good);
        struct tbs_request wanted = request;

        wanted.not_before = rows[i].from;
        wanted.not_after = rows[i].until;
        wanted.rehearsal = rows[i].rehearsal;
        ASN1_TIME_set(X509_getm_notBefore(x), rows[i].from);
        ASN1_TIME_set(X509_getm_notAfter(x), rows[i].until);
        judged(x, &wanted, rows[i].says, row);
    }
}

static void
a_serial_number_has_its_form(void **state)
{
    static const struct {
        uint8_t first;
        const char *says;
    } rows[] = {
        {0x40, NULL},
        {0x7f, NULL},
        {0x3f, "lint: serialNumber: not of the form 01xxxxxx"},
        {0x80, "lint: serialNumber: not of the form 01xxxxxx"},
        {0xc0, "lint: serialNumber: not of the form 01xxxxxx"},
    };
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(x509_cleanup) X509 *good = pki_issue(&request, scene_pki->issuing_key);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *row = mem_printf("%02x", rows[i].first);
        CLEANUP(x509_cleanup) X509 *x = X509_dup(good);
        struct tbs_request wanted = request;

        wanted.serial[0] = rows[i].first;
        assert_int_equal(
            ASN1_STRING_set(X509_get_serialNumber(x), wanted.serial, sizeof(wanted.serial)), 1);
        judged(x, &wanted, rows[i].says, row);
    }
}

static void
a_request_that_does_not_fit_its_profile_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    const struct tbs_request good = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(x509_cleanup) X509 *x = pki_issue(&good, scene_pki->issuing_key);
    struct profile short_lived = *profile_by_name("nf-tls");
    struct profile authority = *profile_by_name("issuing");
    struct name subject;
    struct err e = {0};

    (void)state;
    assert_ok(name_set(&subject, "SE", "Operator", "x", &e), &e);
    for (int i = 0; i < 7; i++) {
        CLEANUP(mem_cleanup) char *row = mem_printf("change %d", i);
        struct tbs_request wanted = good;

        switch (i) {
        case 0:
            wanted.nf = NULL;
            wanted.subject = &subject;
            break;
        case 1:
            wanted.profile = profile_by_name("registrar");
            break;
        case 2:
            wanted.profile = profile_by_name("registrar");
            wanted.nf = NULL;
            break;
        case 3:
            wanted.issuer = NULL;
            break;
        case 4:
            wanted.profile = profile_by_name("root");
            wanted.nf = NULL;
            wanted.subject = &subject;
            break;
        case 5:
            wanted.crl_url = NULL;
            break;
        default: /* fits: what has noRevAvail has no CRL, and this is where it ends */
            short_lived.no_rev_avail = true;
            wanted.profile = &short_lived;
            wanted.crl_url = NULL;
            judged(x, &wanted, "lint: noRevAvail: missing", row);
            continue;
        }
        judged(x, &wanted, "lint: request: does not fit its profile", row);
    }
    {
        struct tbs_request request = good;
        CLEANUP(x509_cleanup) X509 *ca = NULL;

        request.profile = profile_by_name("issuing");
        request.issuer = scene_pki->root;
        request.nf = NULL;
        request.subject = &subject;
        ca = pki_issue(&request, scene_pki->root_key);
        /* a CA has no noRevAvail, whatever its profile says (RFC 9608 2) */
        authority.no_rev_avail = true;
        request.profile = &authority;
        judged(ca, &request, "lint: extensions: one that the profile does not have", "CA");
    }
}

/* What the CRL of a CA and the certificates under it repeat of the CA's own certificate. */
static void
an_issuer_that_cannot_be_one_is_refused(void **state)
{
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    CLEANUP(x509_cleanup) X509 *x = pki_issue(&request, scene_pki->issuing_key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p521 = pki_key("P-521");
    CLEANUP(x509_cleanup) X509 *bare = X509_dup(scene_pki->issuing);
    CLEANUP(x509_cleanup) X509 *other = X509_dup(scene_pki->issuing);

    (void)state;
    X509_EXTENSION_free(
        X509_delete_ext(bare, X509_get_ext_by_NID(bare, NID_subject_key_identifier, -1)));
    request.issuer = bare;
    judged(x, &request, "lint: authorityKeyIdentifier: the expected value cannot be encoded",
           "no subjectKeyIdentifier");
    assert_int_equal(X509_set_pubkey(other, p521), 1);
    request.issuer = other;
    judged(x, &request, "lint: signature: the issuer's key has no algorithm of ours", "P-521");
}

static void
what_is_no_tbs_is_refused(void **state)
{
    static uint8_t zeros[TBS_MAX + 1];
    struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(scene_pki, &nf, buf_span(&scene_spki));
    struct err e = {0};

    (void)state;
    assert_err(lint_tbs(span_of(zeros, TBS_MAX + 1), &request, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "lint: TBSCertificate: too long");
    assert_err(lint_tbs(span_of(zeros, TBS_MAX), &request, &e), ERR_DENIED, &e);
    assert_null(strstr(e.text, "too long"));
    assert_err(lint_tbs(SPAN_LITERAL("\x30\x06\x05\x00\x05\x00\x05\x00"), &request, &e), ERR_DENIED,
               &e);
    assert_non_null(strstr(e.text, "lint: TBSCertificate: does not parse"));
    assert_err(lint_tbs(SPAN_LITERAL("\x30\x04\x05\x00\x05\x00"), &request, &e), ERR_DENIED, &e);
    assert_err(lint_tbs(SPAN_LITERAL("\x31\x00"), &request, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "lint: TBSCertificate"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity_rules_hold_without_the_builder),
        cmocka_unit_test(a_weak_key_is_refused_even_when_it_is_the_one_expected),
        cmocka_unit_test(another_signature_algorithm_is_refused),
        cmocka_unit_test(any_flipped_octet_is_refused),
        cmocka_unit_test(a_critical_flag_that_is_not_der_is_refused),
        cmocka_unit_test(lengths_in_long_form_and_unique_identifiers_are_refused),
        cmocka_unit_test(what_nobody_should_have_decided_is_refused),
        cmocka_unit_test(validity_is_taken_up_to_its_limits),
        cmocka_unit_test(a_serial_number_has_its_form),
        cmocka_unit_test(a_request_that_does_not_fit_its_profile_is_refused),
        cmocka_unit_test(an_issuer_that_cannot_be_one_is_refused),
        cmocka_unit_test(what_is_no_tbs_is_refused),
    };

    return cmocka_run_group_tests(tests, scene_make, scene_drop);
}
