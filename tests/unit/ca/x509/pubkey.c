/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/pubkey.h"

#include <string.h>

#include "ca/x509/der.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

static void
the_three_kinds_are_accepted(void **state)
{
    static const struct {
        const char *name;
        enum pubkey_kind kind;
    } rows[] = {{"P-256", PUBKEY_P256}, {"P-384", PUBKEY_P384}, {"RSA-2048", PUBKEY_RSA}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key(rows[i].name);
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *again = NULL;
        CLEANUP(buf_free) struct buf spki = pki_spki(key);
        enum pubkey_kind kind;
        struct err e = {0};

        again = pubkey_parse(buf_span(&spki), &kind, &e);
        assert_non_null(again);
        assert_int_equal(kind, rows[i].kind);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        assert_ok(pubkey_check(key, &kind, &e), &e);
        assert_int_equal(kind, rows[i].kind);
    }
}

static void
expect_refused(struct span spki, const char *why)
{
    struct err e = {0};
    EVP_PKEY *key = pubkey_parse(spki, NULL, &e);

    if (key != NULL || e.code != ERR_INPUT || strstr(e.text, why) == NULL) {
        EVP_PKEY_free(key);
        fail_msg("\"%s\" where \"%s\" was expected", key != NULL ? "accepted" : e.text, why);
    }
}

static void
other_keys_are_refused(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p521 = pki_key("P-521");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *small = pki_key("RSA-1024");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *k256 = EVP_EC_gen("secp256k1");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *compressed = pki_key("P-256");
    CLEANUP(buf_free) struct buf a = pki_spki(p521);
    CLEANUP(buf_free) struct buf b = pki_spki(small);
    CLEANUP(buf_free) struct buf c = pki_spki(ed);
    CLEANUP(buf_free) struct buf d = pki_spki(k256);
    CLEANUP(buf_free) struct buf f = {0};

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(compressed, "point-format", "compressed"), 1);
    f = pki_spki(compressed);
    expect_refused(buf_span(&a), "neither");
    expect_refused(buf_span(&b), "1024 bits");
    expect_refused(buf_span(&c), "neither");
    expect_refused(buf_span(&d), "neither");
    expect_refused(buf_span(&f), "neither");
    expect_refused((struct span){0}, "");
}

static void
a_point_off_the_curve_is_refused(void **state)
{
    static const char *const curves[] = {"P-256", "P-384"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key(curves[i]);
        CLEANUP(buf_free) struct buf spki = pki_spki(key);
        struct err e = {0};

        spki.p[spki.n - 1] ^= 1;
        expect_refused(buf_span(&spki), "not a valid key");
        spki.p[spki.n - 1] ^= 1;
        memset(spki.p + spki.n - 64, 0xff, 64);
        expect_refused(buf_span(&spki), "not a valid key");
        assert_ok(buf_append(&spki, SPAN_LITERAL("\0"), &e), &e);
        expect_refused(buf_span(&spki), "");
    }
}

/* SubjectPublicKeyInfo of any modulus and exponent. */
static struct buf
rsa_spki(struct span modulus, struct span exponent)
{
    static const uint8_t algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    struct buf out = BUF_INIT(PUBKEY_SPKI_MAX);
    struct err e = {0};
    struct der w = DER_WRITER(&out, &e);

    der_begin(&w, DER_SEQUENCE);
    der_put_raw(&w, span_of(algorithm, sizeof(algorithm)));
    der_begin(&w, DER_BIT_STRING);
    der_put_raw(&w, SPAN_LITERAL("\0"));
    der_begin(&w, DER_SEQUENCE);
    der_put_unsigned(&w, modulus);
    der_put_unsigned(&w, exponent);
    der_end(&w);
    der_end(&w);
    der_end(&w);
    assert_ok(der_finish(&w), &e);
    return out;
}

static size_t
modulus_of(EVP_PKEY *key, uint8_t *out, size_t size)
{
    BIGNUM *n = NULL;
    int octets;

    assert_int_equal(EVP_PKEY_get_bn_param(key, "n", &n), 1);
    octets = BN_bn2bin(n, out);
    assert_true(octets > 0 && (size_t)octets <= size);
    BN_free(n);
    return (size_t)octets;
}

static void
weak_rsa_keys_are_refused(void **state)
{
    const struct {
        struct span exponent;
        const char *why; /* NULL: fine */
    } rows[] = {
        {SPAN_LITERAL("\x01\x00\x01"), NULL},
        {SPAN_LITERAL("\x03"), "exponent"},
        {SPAN_LITERAL("\xff\xff"), "exponent"},
        {SPAN_LITERAL("\x01\x00\x02"), "exponent"},
        {SPAN_LITERAL("\x01\x00\x00\x00\x00\x00\x00\x00\x01"), "exponent"},
    };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("RSA-2048");
    uint8_t modulus[256];
    size_t n = modulus_of(key, modulus, sizeof(modulus));
    CLEANUP(buf_free) struct buf even = {0};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf spki = rsa_spki(span_of(modulus, n), rows[i].exponent);

        if (rows[i].why == NULL) {
            CLEANUP(evp_pkey_cleanup) EVP_PKEY *good = pubkey_parse(buf_span(&spki), NULL, &e);

            assert_non_null(good);
        } else {
            expect_refused(buf_span(&spki), rows[i].why);
        }
    }
    modulus[n - 1] ^= 1;
    even = rsa_spki(span_of(modulus, n), rows[0].exponent);
    expect_refused(buf_span(&even), "divisible by 2");
}

static void
rsa_keys_that_are_not_der_are_refused(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("RSA-2048");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    uint8_t *modulus = memmem(spki.p, spki.n, "\x02\x82\x01\x01\x00", 5);
    uint8_t *bits = memmem(spki.p, spki.n, "\x03\x82\x01\x0f\x00", 5);

    (void)state;
    assert_non_null(modulus);
    assert_non_null(bits);
    modulus[4] = 0xff; /* negative */
    expect_refused(buf_span(&spki), "not a positive INTEGER");
    modulus[4] = 0x00;
    modulus[5] &= 0x7f; /* a zero in front that no sign asks for */
    expect_refused(buf_span(&spki), "not a positive INTEGER");
    modulus[5] |= 0x80;
    bits[4] = 1;
    expect_refused(buf_span(&spki), "unused bits");
}

/* A modulus with the structure of CVE-2017-15361: a power of 65537 modulo every small prime. */
static void
the_fingerprint_of_roca_is_found(void **state)
{
    CLEANUP(bn_cleanup) BIGNUM *primorial = BN_new();
    CLEANUP(bn_cleanup) BIGNUM *n = BN_new();
    BN_CTX *ctx = BN_CTX_new();
    uint8_t octets[256];
    CLEANUP(buf_free) struct buf spki = {0};
    bool fine = false;

    (void)state;
    BN_one(primorial);
    for (BN_ULONG p = 2; p <= 167; p++) {
        bool prime = true;

        for (BN_ULONG d = 2; d * d <= p; d++) {
            prime = prime && p % d != 0;
        }
        if (prime) {
            BN_mul_word(primorial, p);
        }
    }
    /* n = k * primorial + 65537^0, odd, of 2048 bits, without a factor below 1000 */
    while (!fine) {
        BN_rand(n, 2048 - BN_num_bits(primorial), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
        BN_mul(n, n, primorial, ctx);
        BN_add_word(n, 1);
        fine = BN_num_bits(n) == 2048;
        for (BN_ULONG p = 2; p < 1000; p++) {
            fine = fine && BN_mod_word(n, p) != 0;
        }
    }
    BN_bn2bin(n, octets);
    BN_CTX_free(ctx);
    spki = rsa_spki(span_of(octets, sizeof(octets)), SPAN_LITERAL("\x01\x00\x01"));
    expect_refused(buf_span(&spki), "CVE-2017-15361");
}

static void
the_key_identifier_is_that_of_openssl(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-384");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(x509_cleanup) X509 *certificate = X509_new();
    unsigned char expected[SKI_SIZE];
    uint8_t found[SKI_SIZE];
    unsigned int n = 0;
    struct err e = {0};

    (void)state;
    X509_set_pubkey(certificate, key);
    assert_int_equal(X509_pubkey_digest(certificate, EVP_sha1(), expected, &n), 1);
    assert_ok(pubkey_ski(buf_span(&spki), found, &e), &e);
    assert_memory_equal(found, expected, SKI_SIZE);
}

static void
each_issuers_key_has_one_algorithm(void **state)
{
    static const struct {
        const char *key;
        int nid; /* undef: refused */
    } rows[] = {{"P-256", NID_ecdsa_with_SHA256},
                {"P-384", NID_ecdsa_with_SHA384},
                {"RSA-3072", NID_sha256WithRSAEncryption},
                {"RSA-2048", NID_undef},
                {"P-521", NID_undef}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key(rows[i].key);
        struct span identifier;
        struct err e = {0};

        if (rows[i].nid == NID_undef) {
            assert_err(pubkey_signature_algorithm(key, &identifier, NULL, &e), ERR_INPUT, &e);
        } else {
            CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = X509_ALGOR_new();
            CLEANUP(buf_free) struct buf der = BUF_INIT(64);
            int parameter = rows[i].nid == NID_sha256WithRSAEncryption ? V_ASN1_NULL : V_ASN1_UNDEF;

            assert_ok(pubkey_signature_algorithm(key, &identifier, NULL, &e), &e);
            X509_ALGOR_set0(algorithm, OBJ_nid2obj(rows[i].nid), parameter, NULL);
            assert_ok(OSSL_ENCODE(X509_ALGOR, algorithm, &der, &e), &e);
            assert_true(span_equal(buf_span(&der), identifier));
        }
    }
}

static void
a_key_is_taken_up_to_its_limit(void **state)
{
    static const uint8_t zeros[PUBKEY_SPKI_MAX + 1];
    struct err e = {0};

    (void)state;
    assert_err(pubkey_check_spki(span_of(zeros, PUBKEY_SPKI_MAX + 1), NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "public key: longer than 2048 octets");
    assert_err(pubkey_check_spki(span_of(zeros, PUBKEY_SPKI_MAX), NULL, &e), ERR_INPUT, &e);
    assert_null(strstr(e.text, "longer"));
}

static void
bits_are_counted_from_the_first_that_is_set(void **state)
{
    static const struct {
        uint8_t first;
        int bits;
    } rows[] = {{0x80, 2048}, {0xff, 2048}, {0x7f, 2047}, {0x40, 2047}, {0x01, 2041}};
    uint8_t modulus[256] = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf spki = {0};
        enum pubkey_kind kind;
        int bits;
        struct err e = {0};

        modulus[0] = rows[i].first;
        spki = rsa_spki(span_of(modulus, sizeof(modulus)), SPAN_LITERAL("\x01\x00\x01"));
        assert_ok(pubkey_bits(buf_span(&spki), &kind, &bits, &e), &e);
        assert_int_equal(kind, PUBKEY_RSA);
        assert_int_equal(bits, rows[i].bits);
    }
}

static void
sizes_of_rsa_keys_are_limited(void **state)
{
    static const struct {
        size_t octets;
        uint8_t first;
        const char *why; /* NULL: its size is right, and something else is wrong */
    } rows[] = {
        {256, 0x7f, "2047 bits"},
        {256, 0x80, NULL},
        {1024, 0xff, NULL},
        {1025, 0x01, "8193 bits"},
    };
    static uint8_t modulus[1025];

    (void)state;
    memset(modulus, 0xff, sizeof(modulus)); /* odd, and divisible by 3 or 5 */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf spki = {0};

        modulus[0] = rows[i].first;
        spki = rsa_spki(span_of(modulus, rows[i].octets), SPAN_LITERAL("\x01\x00\x01"));
        expect_refused(buf_span(&spki), rows[i].why == NULL ? "divisible by" : rows[i].why);
    }
}

static void
an_empty_key_has_no_identifier(void **state)
{
    const struct {
        struct span spki;
        const char *why; /* NULL: it has one */
    } rows[] = {
        {SPAN_LITERAL("\x30\x04\x30\x00\x03\x00"), "public key: empty"},
        {SPAN_LITERAL("\x30\x05\x30\x00\x03\x01\x00"), "public key: empty"},
        {SPAN_LITERAL("\x30\x06\x30\x00\x03\x02\x00x"), NULL},
        {SPAN_LITERAL("\x30\x06\x30\x00\x04\x02\x00x"), "public key"},
        {SPAN_LITERAL("\x31\x00"), "public key"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t id[SKI_SIZE];
        struct err e = {0};
        int result = pubkey_ski(rows[i].spki, id, &e);

        if (rows[i].why == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_kinds_are_accepted),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(a_point_off_the_curve_is_refused),
        cmocka_unit_test(weak_rsa_keys_are_refused),
        cmocka_unit_test(rsa_keys_that_are_not_der_are_refused),
        cmocka_unit_test(the_fingerprint_of_roca_is_found),
        cmocka_unit_test(the_key_identifier_is_that_of_openssl),
        cmocka_unit_test(each_issuers_key_has_one_algorithm),
        cmocka_unit_test(a_key_is_taken_up_to_its_limit),
        cmocka_unit_test(bits_are_counted_from_the_first_that_is_set),
        cmocka_unit_test(sizes_of_rsa_keys_are_limited),
        cmocka_unit_test(an_empty_key_has_no_identifier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
