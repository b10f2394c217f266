/* SPDX-License-Identifier: Apache-2.0 */
/* What is pinned and what is shown are the same text when, and only when, it is one proof. */
#include "ca/registration/proof.h"

#include <stdio.h>
#include <string.h>

#include "ca/x509/name.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

static struct pki *pki;
static EVP_PKEY *key;
static X509 *device;

static int
setup(void **state)
{
    (void)state;
    pki = pki_new("P-256", "P-256");
    key = pki_key("P-256");
    device = pki_issue_officer(pki, "ra-cmp", key);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    X509_free(device);
    EVP_PKEY_free(key);
    pki_free(pki);
    return 0;
}

static void
hash_of(struct buf der, uint8_t out[SHA256_SIZE])
{
    struct err e = {0};

    assert_ok(sha256(buf_span(&der), out, &e), &e);
    buf_free(&der);
}

static struct buf
der_of(X509 *certificate)
{
    struct buf der = BUF_INIT(4096);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return der;
}

/* As a registrar writes it: what the registration matches, the request shows. */
static void
what_a_registration_pins_is_what_its_requests_show(void **state)
{
    CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_issuer_name(device));
    CLEANUP(mem_cleanup) char *subject = name_text(X509_get_subject_name(device));
    struct registration r = {.proof.kind = PROOF_CERTIFICATE};
    struct proof_shown shown = {0};
    CLEANUP(mem_cleanup) char *certificate = NULL;
    CLEANUP(mem_cleanup) char *public_key = NULL;
    CLEANUP(mem_cleanup) char *vendor = NULL;
    struct err e = {0};

    (void)state;
    assert_ok(proof_shown_by(device, &shown, &e), &e);
    hash_of(der_of(device), r.proof.sha256);
    assert_ok(registration_matches_certificate(&r, device, &e), &e);
    certificate = proof_text(&r.proof);
    assert_string_equal(certificate, shown.certificate);
    r.proof.kind = PROOF_PUBLIC_KEY;
    hash_of(pki_spki(key), r.proof.sha256);
    public_key = proof_text(&r.proof);
    assert_string_equal(public_key, shown.public_key);
    r.proof.kind = PROOF_VENDOR;
    (void)snprintf(r.proof.issuer, sizeof(r.proof.issuer), "%s", issuer);
    (void)snprintf(r.proof.subject, sizeof(r.proof.subject), "%s", subject);
    assert_ok(registration_matches_certificate(&r, device, &e), &e);
    vendor = proof_text(&r.proof);
    assert_string_equal(vendor, shown.vendor);
    proof_shown_free(&shown);
}

static void
another_certificate_shows_another_text(void **state)
{
    CLEANUP(x509_cleanup) X509 *same_key = pki_issue_officer(pki, "ra-cmp", key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *other_key = pki_issue_officer(pki, "ra-cmp", other);
    struct proof_shown a = {0};
    struct proof_shown b = {0};
    struct proof_shown c = {0};
    struct err e = {0};

    (void)state;
    assert_ok(proof_shown_by(device, &a, &e), &e);
    assert_ok(proof_shown_by(same_key, &b, &e), &e);
    assert_ok(proof_shown_by(other_key, &c, &e), &e);
    assert_string_not_equal(a.certificate, b.certificate);
    assert_string_equal(a.public_key, b.public_key);
    assert_string_not_equal(a.public_key, c.public_key);
    assert_string_equal(a.vendor, c.vendor); /* of one name, that is */
    proof_shown_free(&a);
    proof_shown_free(&b);
    proof_shown_free(&c);
}

/* One hash in two kinds is two proofs; a secret is none that anybody can compare. */
static void
kinds_do_not_meet(void **state)
{
    struct proof proof = {.kind = PROOF_CERTIFICATE, .sha256 = {1}};
    CLEANUP(mem_cleanup) char *certificate = proof_text(&proof);
    CLEANUP(mem_cleanup) char *public_key = NULL;

    (void)state;
    assert_string_equal(certificate, "certificate 01000000000000000000000000000000"
                                     "00000000000000000000000000000000");
    proof.kind = PROOF_PUBLIC_KEY;
    public_key = proof_text(&proof);
    assert_string_not_equal(certificate, public_key);
    proof.kind = PROOF_MAC;
    assert_null(proof_text(&proof));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_registration_pins_is_what_its_requests_show),
        cmocka_unit_test(another_certificate_shows_another_text),
        cmocka_unit_test(kinds_do_not_meet),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
