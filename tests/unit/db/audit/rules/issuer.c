/* SPDX-License-Identifier: Apache-2.0 */
/* What the issuing key signed, and what a record says that it did. */
#include "db/audit/rules/issuer.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "db/audit/der/certificate.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

#define RID "ab00000000000000000000000000000000000000000000000000000000000000"

enum { ROOM = 8192, NUMBER = 41, DAY = 24 * 60 * 60 };

static struct pki *ours;
static struct pki *others; /* of the same names, with other keys */

static int
setup(void **state)
{
    (void)state;
    ours = pki_new("P-256", "P-384");
    others = pki_new("P-256", "P-384");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    pki_free(ours);
    pki_free(others);
    return 0;
}

/* ---- leaves ---- */

static struct leaf *
start_of(X509 *issuing)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(ROOM);
    struct leaf *leaf = leaf_new(LEAF_START, PKI_NOW);
    uint8_t hash[SHA256_SIZE] = {0};
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, issuing, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", RID);
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_hex(leaf, "issuer", span_of(hash, sizeof(hash)));
    return leaf;
}

static struct leaf *
issued_by(const struct pki *pki)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *certificate = pki_issue_officer(pki, "registrar", key);
    CLEANUP(mem_cleanup) char *serial = audit_certificate_serial(certificate);
    CLEANUP(buf_free) struct buf der = BUF_INIT(ROOM);
    struct leaf *leaf = leaf_new(LEAF_ISSUED, PKI_NOW);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    leaf_set_text(leaf, "rid", RID);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    return leaf;
}

static struct buf
crl_of(const struct pki *pki, uint64_t number)
{
    const struct crl_request request = {.issuer = pki->issuing,
                                        .number = number,
                                        .this_update = PKI_NOW,
                                        .next_update = PKI_NOW + DAY};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(ROOM);
    CLEANUP(buf_free) struct buf signature = {0};
    struct buf der = BUF_INIT(ROOM);
    struct err e = {0};

    assert_ok(crl_build(&request, &tbs, &e), &e);
    signature = pki_sign(pki->issuing_key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), pki->issuing_key,
                              &der, &e),
              &e);
    return der;
}

static struct leaf *
crl_leaf(const struct buf *der)
{
    struct leaf *leaf = leaf_new(LEAF_CRL, PKI_NOW);
    uint8_t hash[SHA256_SIZE] = {0};
    struct err e = {0};

    assert_ok(sha256(buf_span(der), hash, &e), &e);
    leaf_set_int(leaf, "number", NUMBER);
    leaf_set_hex(leaf, "sha256", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "thisUpdate", PKI_NOW);
    leaf_set_time(leaf, "nextUpdate", PKI_NOW + DAY);
    leaf_set_int(leaf, "entries", 0);
    return leaf;
}

/* Takes the leaves, which NULL ends: the last of them, or else what comes of all of them, is
 * refused; unless `says` is NULL. */
static struct audit_signatures
tell(struct audit_issuers *a, struct leaf **leaves, const char *says)
{
    struct err e = {0};
    int result = 0;

    for (size_t i = 0; leaves[i] != NULL; i++) {
        assert_int_equal(result, 0);
        assert_ok(leaf_seal(leaves[i], &e), &e);
        result = audit_issuers_check(a, leaves[i], &e);
        leaf_free(leaves[i]);
    }
    if (result == 0) {
        result = audit_issuers_end(a, &e);
    }
    if (says == NULL) {
        assert_ok(result, &e);
    } else if (result == 0 || e.code != ERR_CRYPTO || strstr(e.text, says) == NULL) {
        fail_msg("\"%s\", not \"%s\"", result == 0 ? "taken" : e.text, says);
    }
    return audit_issuers_count(a);
}

#define TELL(A, SAYS, ...) tell(A, (struct leaf *[]){__VA_ARGS__, NULL}, SAYS)

static struct audit_issuers *
bring(const struct pki *pki)
{
    struct audit_issuers *a = audit_issuers_new();
    struct err e = {0};

    assert_ok(audit_issuers_add(a, "issuing.pem", pki->issuing, &e), &e);
    return a;
}

/* ---- certificates ---- */

static void
what_the_issuing_key_signed_is_counted(void **state)
{
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *a = bring(ours);
    struct audit_signatures s =
        TELL(a, NULL, start_of(ours->issuing), issued_by(ours), issued_by(ours));

    (void)state;
    assert_int_equal(s.verified, 2);
    assert_int_equal(s.unverified, 0);
}

static void
what_cannot_be_verified_is_counted_apart(void **state)
{
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *none = audit_issuers_new();
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *one = bring(ours);
    struct err e = {0};
    struct audit_signatures s = TELL(none, NULL, start_of(ours->issuing), issued_by(others));

    (void)state;
    assert_int_equal(s.verified, 0);
    assert_int_equal(s.unverified, 1);
    /* another issuing certificate, from the second start on */
    s = TELL(one, NULL, start_of(ours->issuing), issued_by(ours), start_of(others->issuing),
             issued_by(others), issued_by(others));
    assert_int_equal(s.verified, 1);
    assert_int_equal(s.unverified, 2);
    audit_issuers_free(one);
    one = bring(ours);
    assert_ok(audit_issuers_add(one, "next.pem", others->issuing, &e), &e);
    s = TELL(one, NULL, start_of(ours->issuing), issued_by(ours), start_of(others->issuing),
             issued_by(others), issued_by(others));
    assert_int_equal(s.verified, 3);
}

static void
what_somebody_else_signed_is_named(void **state)
{
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *a = bring(ours);

    (void)state;
    (void)TELL(a, "issuing.pem did not sign it", start_of(ours->issuing), issued_by(others));
}

static void
an_issuing_certificate_that_no_start_names_is_none(void **state)
{
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *a = bring(others);

    (void)state;
    (void)TELL(a, "issuing.pem: no START names this issuing certificate", start_of(ours->issuing),
               issued_by(others));
}

/* ---- CRLs ---- */

static void
a_crl_is_the_one_that_the_record_has(void **state)
{
    CLEANUP(buf_free) struct buf right = crl_of(ours, NUMBER);
    CLEANUP(buf_free) struct buf twin = crl_of(ours, NUMBER); /* ECDSA: another signature */
    CLEANUP(buf_free) struct buf newer = crl_of(ours, NUMBER + 4);
    CLEANUP(buf_free) struct buf forged = crl_of(others, NUMBER);
    const struct {
        const struct buf *brought;
        const struct buf *recorded;
        const char *says;
    } rows[] = {
        {&right, &right, NULL},
        {&twin, &right, "a.crl has number 41, and is not the CRL of that number"},
        {&newer, &right, "a.crl has number 45, which the ledger does not"},
        {&forged, &forged, "a.crl was not signed by issuing.pem"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(audit_issuers_cleanup) struct audit_issuers *a = bring(ours);
        struct err e = {0};
        struct audit_signatures s;

        assert_ok(audit_issuers_add_crl(a, "a.crl", buf_span(rows[i].brought), &e), &e);
        s = TELL(a, rows[i].says, start_of(ours->issuing), crl_leaf(rows[i].recorded));
        assert_int_equal(s.crls, rows[i].says == NULL ? 1 : 0);
    }
}

static void
what_is_no_crl_is_not_taken(void **state)
{
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *a = audit_issuers_new();
    CLEANUP(buf_free) struct buf longer = crl_of(ours, NUMBER);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append(&longer, span_of("", 1), &e), &e);
    assert_err(audit_issuers_add_crl(a, "a.crl", buf_span(&longer), &e), ERR_INPUT, &e);
    assert_err(audit_issuers_add_crl(a, "a.crl", SPAN_LITERAL("CRL"), &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "a.crl: not one CRL with a number in DER"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_issuing_key_signed_is_counted),
        cmocka_unit_test(what_cannot_be_verified_is_counted_apart),
        cmocka_unit_test(what_somebody_else_signed_is_named),
        cmocka_unit_test(an_issuing_certificate_that_no_start_names_is_none),
        cmocka_unit_test(a_crl_is_the_one_that_the_record_has),
        cmocka_unit_test(what_is_no_crl_is_not_taken),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
