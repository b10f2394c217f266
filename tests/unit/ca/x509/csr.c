/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/csr.h"

#include <openssl/pem.h>
#include <string.h>

#include "ca/x509/signed.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

/* Made by our own two functions: info, then signature. */
static struct buf
ours(EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf info = BUF_INIT(CSR_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    struct buf out = BUF_INIT(CSR_MAX);
    struct name subject;
    struct err e = {0};

    assert_ok(name_set(&subject, "SE", "Operator", "Issuing", &e), &e);
    assert_ok(csr_info_build(&subject, buf_span(&spki), &info, &e), &e);
    signature = pki_sign(key, buf_span(&info));
    assert_ok(signed_assemble(SIGNED_CSR, buf_span(&info), buf_span(&signature), key, &out, &e),
              &e);
    return out;
}

/* Made by OpenSSL with any digest and version. */
static struct buf
theirs(EVP_PKEY *key, const EVP_MD *md, long version)
{
    X509_REQ *req = X509_REQ_new();
    struct buf out = BUF_INIT(CSR_MAX);
    struct err e = {0};

    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"nf", -1, -1, 0);
    assert_int_equal(X509_REQ_set_version(req, version), 1);
    assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
    assert_true(X509_REQ_sign(req, key, md) > 0);
    assert_ok(OSSL_ENCODE(X509_REQ, req, &out, &e), &e);
    X509_REQ_free(req);
    return out;
}

static void
what_we_make_is_read_back(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-384");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf der = ours(key);
    struct err e = {0};
    CLEANUP(csr_cleanup) struct csr *csr = csr_parse(buf_span(&der), &e);
    CLEANUP(mem_cleanup) char *subject = NULL;

    (void)state;
    assert_non_null(csr);
    assert_true(span_equal(csr_spki(csr), buf_span(&spki)));
    assert_true(span_equal(csr_der(csr), buf_span(&der)));
    assert_int_equal(csr_key_kind(csr), PUBKEY_P384);
    subject = name_text(csr_subject(csr));
    assert_string_equal(subject, "CN=Issuing,O=Operator,C=SE");
}

static void
pem_is_read_and_must_stand_alone(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf der = theirs(key, EVP_sha256(), 0);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CSR_MAX);
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(csr_cleanup) struct csr *csr = NULL;
    struct err e = {0};
    char *p;
    long n;

    (void)state;
    assert_true(PEM_write_bio(bio, "CERTIFICATE REQUEST", "", der.p, (long)der.n) > 0);
    n = BIO_get_mem_data(bio, &p);
    assert_ok(buf_append(&text, span_of(p, (size_t)n), &e), &e);
    csr = csr_parse(buf_span(&text), &e);
    assert_non_null(csr);
    assert_true(span_equal(csr_der(csr), buf_span(&der)));
    assert_ok(buf_append_str(&text, "\nx", &e), &e);
    assert_null(csr_parse(buf_span(&text), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(csr_parse(SPAN_LITERAL("-----BEGIN CERTIFICATE-----\nMAA=\n-----END "
                                       "CERTIFICATE-----\n"),
                          &e));
    assert_null(csr_parse(SPAN_LITERAL(""), &e));
}

static void
possession_must_be_proven(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    CLEANUP(buf_free) struct buf der = theirs(key, EVP_sha256(), 0);
    CLEANUP(buf_free) struct buf other_spki = pki_spki(other);
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct err e = {0};
    uint8_t *at;

    (void)state;
    /* the key of somebody else under our signature */
    at = memmem(der.p, der.n, spki.p, spki.n);
    assert_non_null(at);
    memcpy(at, other_spki.p, other_spki.n);
    assert_null(csr_parse(buf_span(&der), &e));
    assert_int_equal(e.code, ERR_CRYPTO);
    memcpy(at, spki.p, spki.n);
    der.p[der.n - 1] ^= 1;
    assert_null(csr_parse(buf_span(&der), &e));
}

static void
weak_or_malformed_requests_are_refused(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *small = pki_key("RSA-1024");
    CLEANUP(buf_free) struct buf sha1 = theirs(key, EVP_sha1(), 0);
    CLEANUP(buf_free) struct buf weak = theirs(small, EVP_sha256(), 0);
    CLEANUP(buf_free) struct buf version = theirs(key, EVP_sha256(), 1);
    CLEANUP(buf_free) struct buf good = theirs(key, EVP_sha384(), 0);
    struct err e = {0};

    (void)state;
    assert_null(csr_parse(buf_span(&sha1), &e));
    assert_non_null(strstr(e.text, "SHA-256"));
    assert_null(csr_parse(buf_span(&weak), &e));
    assert_non_null(strstr(e.text, "1024"));
    assert_null(csr_parse(buf_span(&version), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_ok(buf_append(&good, SPAN_LITERAL("\0"), &e), &e);
    assert_null(csr_parse(buf_span(&good), &e));
    buf_truncate(&good, good.n - 1);
    for (size_t n = 0; n < good.n; n++) {
        assert_null(csr_parse(span_of(good.p, n), &e));
    }
    for (size_t i = 0; i < good.n; i++) {
        good.p[i] ^= 1;
        assert_null(csr_parse(buf_span(&good), &e));
        good.p[i] ^= 1;
    }
}

static void
a_request_is_taken_up_to_its_limit(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf der = theirs(key, EVP_sha256(), 0);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CSR_MAX + 1);
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(csr_cleanup) struct csr *csr = NULL;
    struct err e = {0};
    size_t blanks;
    char *p;
    long n;

    (void)state;
    assert_true(PEM_write_bio(bio, "NEW CERTIFICATE REQUEST", "", der.p, (long)der.n) > 0);
    n = BIO_get_mem_data(bio, &p);
    assert_ok(buf_append(&text, span_of(p, (size_t)n), &e), &e);
    blanks = CSR_MAX - text.n;
    memset(buf_extend(&text, blanks, &e), ' ', blanks);
    csr = csr_parse(buf_span(&text), &e);
    assert_non_null(csr);
    assert_ok(buf_append_str(&text, " ", &e), &e);
    assert_null(csr_parse(buf_span(&text), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "CSR: longer than 16384 octets");
}

static void
each_form_that_is_refused_says_why(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf good = theirs(key, EVP_sha256(), 0);
    CLEANUP(buf_free) struct buf version = theirs(key, EVP_sha256(), 1);
    CLEANUP(buf_free) struct buf ber = BUF_INIT(CSR_MAX);
    CLEANUP(buf_free) struct buf sha224 = theirs(key, EVP_sha224(), 0);
    CLEANUP(buf_free) struct buf sha512 = theirs(key, EVP_sha512(), 0);
    CLEANUP(csr_cleanup) struct csr *taken = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(good.p[1], 0x81); /* the outer length in an octet more */
    assert_ok(buf_append(&ber, SPAN_LITERAL("\x30\x82\x00"), &e), &e);
    assert_ok(buf_append(&ber, span_of(good.p + 2, good.n - 2), &e), &e);
    assert_null(csr_parse(buf_span(&ber), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "CSR: not in DER");
    assert_null(csr_parse(buf_span(&version), &e));
    assert_string_equal(e.text, "CSR: not of version 1");
    assert_ok(buf_append(&good, SPAN_LITERAL("\0"), &e), &e);
    assert_null(csr_parse(buf_span(&good), &e));
    assert_non_null(strstr(e.text, "CSR: not exactly one PKCS #10 request"));
    assert_null(csr_parse(buf_span(&sha224), &e));
    assert_string_equal(e.text, "CSR: signature must be ECDSA or RSA with SHA-256, 384, 512");
    taken = csr_parse(buf_span(&sha512), &e);
    assert_non_null(taken);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_make_is_read_back),
        cmocka_unit_test(pem_is_read_and_must_stand_alone),
        cmocka_unit_test(possession_must_be_proven),
        cmocka_unit_test(weak_or_malformed_requests_are_refused),
        cmocka_unit_test(a_request_is_taken_up_to_its_limit),
        cmocka_unit_test(each_form_that_is_refused_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
