/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/mac.h"

#include "ca/cmp/protection/protect.h"
#include "tests/unit/ca/cmp/fixture.h"

static int
verify(const struct cmp_msg *msg, const char *secret, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key =
        cmp_mac_key_new(cmp_msg_protection_alg(msg), span_str(secret), NULL, failure, e);

    return key == NULL ? -1 : cmp_mac_verify(key, msg, failure, e);
}

static void
messages_of_openssl_verify_with_their_secret_only(void **state)
{
    static const char *const files[] = {"pbm-ir.der",        "pbm512-ir.der",    "pbm-p10cr.der",
                                        "pbm-genm.der",      "mock-ir.der",      "mock-ip.der",
                                        "mock-certconf.der", "mock-pkiconf.der", "mock-pollreq.der",
                                        "mock-pollrep.der"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(files[i]);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        assert_int_equal(cmp_protection_of(msg), CMP_PROTECTION_MAC);
        assert_ok(verify(msg, "secret-1", &failure, &e), &e);
        assert_int_equal(verify(msg, "secret-2", &failure, &e), -1);
        assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
        assert_int_equal(verify(msg, "", &failure, &e), -1);
    }
}

static void
every_hash_and_hmac_that_we_accept_protects(void **state)
{
    static const int hashes[] = {NID_sha1, NID_sha224, NID_sha256, NID_sha384, NID_sha512};
    static const int hmacs[] = {NID_hmac_sha1,      NID_hmacWithSHA1,   NID_hmacWithSHA224,
                                NID_hmacWithSHA256, NID_hmacWithSHA384, NID_hmacWithSHA512};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(hashes) + ARRAY_LEN(hmacs); i++) {
        for (size_t j = 0; j < ARRAY_LEN(hmacs); j++) {
            CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
            CLEANUP(buf_free) struct buf der = {0};
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
            struct cmp_client c = w->mac;
            enum cmp_failure failure;
            struct err e = {0};

            if (i < ARRAY_LEN(hashes)) {
                assert_ok(cmp_client_pbm(hashes[i], 100, hmacs[j], &algorithm, &e), &e);
            } else if (hmacs[i - ARRAY_LEN(hashes)] == NID_hmac_sha1) {
                continue; /* PKCS5_pbkdf2_set knows the other name only */
            } else {
                assert_ok(
                    cmp_client_pbmac1(hmacs[i - ARRAY_LEN(hashes)], 1000, hmacs[j], &algorithm, &e),
                    &e);
            }
            c.algorithm = buf_span(&algorithm);
            request_der(w, &c, &der);
            msg = parse_ok(buf_span(&der));
            assert_ok(verify(msg, SECRET, &failure, &e), &e);
            assert_int_equal(verify(msg, SECRET "!", &failure, &e), -1);
        }
    }
}

/* RFC 9481 leaves no vector for PBMAC1; RFC 6070 has PBKDF2 and RFC 2202 HMAC, which OpenSSL's own
 * functions pass. Here the composition is computed a second time, by hand; with keys that are
 * longer than a block of the hash, too. */
static void
pbmac1_is_hmac_with_the_key_of_pbkdf2(void **state)
{
    static const struct {
        int mac;
        const char *hash;
        int key_size;
    } rows[] = {
        {NID_hmacWithSHA256, "SHA256", 32},  {NID_hmacWithSHA256, "SHA256", 64},
        {NID_hmacWithSHA256, "SHA256", 65},  {NID_hmacWithSHA512, "SHA512", 128},
        {NID_hmacWithSHA512, "SHA512", 129}, {NID_hmacWithSHA1, "SHA1", 4096},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
        CLEANUP(buf_free) struct buf mac = BUF_INIT(CMP_MAC_SIZE_MAX);
        CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
        uint8_t salt[16];
        uint8_t derived[CMP_MAC_KEY_MAX];
        uint8_t expected[EVP_MAX_MD_SIZE];
        size_t n = 0;
        enum cmp_failure failure;
        struct err e = {0};
        size_t at = 0;

        assert_ok(cmp_client_pbmac1_key(NID_hmacWithSHA256, 2000, rows[i].mac, rows[i].key_size,
                                        &algorithm, &e),
                  &e);
        while (memcmp(algorithm.p + at, "\x04\x10", 2) != 0) {
            at++;
        }
        memcpy(salt, algorithm.p + at + 2, sizeof(salt));
        assert_int_equal(PKCS5_PBKDF2_HMAC("abc", 3, salt, sizeof(salt), 2000, EVP_sha256(),
                                           rows[i].key_size, derived),
                         1);
        assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, rows[i].hash, NULL, derived,
                                  (size_t)rows[i].key_size, (const uint8_t *)"part", 4, expected,
                                  sizeof(expected), &n));
        key = cmp_mac_key_new(buf_span(&algorithm), SPAN_LITERAL("abc"), NULL, &failure, &e);
        assert_non_null(key);
        assert_ok(cmp_mac_make(key, SPAN_LITERAL("part"), &mac, &e), &e);
        assert_true(span_equal(buf_span(&mac), span_of(expected, n)));
    }
}

/* For whom there is no secret: the same octets to verify with, of nobody's. */
static void
a_random_key_verifies_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    enum cmp_failure failure;
    struct err e = {0};

    request_der(w, &w->mac, &der);
    msg = parse_ok(buf_span(&der));
    key = cmp_mac_key_random(cmp_msg_protection_alg(msg), NULL, &failure, &e);
    assert_non_null(key);
    assert_true(cmp_mac_key_fits(key, msg));
    assert_int_equal(cmp_mac_verify(key, msg, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
}

/* Whatever octet changes, the message is not one, or its header is refused, or its MAC is wrong. */
static void
one_flipped_bit_anywhere_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *good = NULL;
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    enum cmp_failure failure;
    struct err e = {0};
    size_t wrong_mac = 0;

    request_der(w, &w->mac, &der);
    good = parse_ok(buf_span(&der));
    key = cmp_mac_key_new(cmp_msg_protection_alg(good), SPAN_LITERAL(SECRET), NULL, &failure, &e);
    assert_non_null(key);
    assert_ok(cmp_mac_verify(key, good, &failure, &e), &e);
    for (size_t i = 0; i < der.n * 8; i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *bad = NULL;

        der.p[i / 8] ^= (uint8_t)(1U << (i % 8));
        bad = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if (bad != NULL && cmp_mac_key_fits(key, bad)) {
            if (cmp_mac_verify(key, bad, &failure, &e) == 0) {
                fail_msg("bit %zu of octet %zu may be changed", i % 8, i / 8);
            }
            assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
            wrong_mac++;
        } else if (bad != NULL) {
            assert_int_equal(verify(bad, SECRET, &failure, &e), -1);
        }
        der.p[i / 8] ^= (uint8_t)(1U << (i % 8));
    }
    assert_true(wrong_mac > 1000);
}

static void
a_key_serves_messages_with_its_parameters_only(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf one = {0};
    CLEANUP(buf_free) struct buf two = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *first = NULL;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *other = NULL;
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    struct cmp_client c = w->mac;
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmac_sha1, &algorithm, &e), &e);
    c.algorithm = buf_span(&algorithm);
    request_der(w, &w->mac, &one);
    request_der(w, &c, &two);
    first = parse_ok(buf_span(&one));
    other = parse_ok(buf_span(&two));
    key = cmp_mac_key_new(cmp_msg_protection_alg(first), SPAN_LITERAL(SECRET), NULL, &failure, &e);
    assert_non_null(key);
    assert_true(cmp_mac_key_fits(key, first));
    assert_false(cmp_mac_key_fits(key, other));
    assert_int_equal(cmp_mac_verify(key, other, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
    assert_true(span_equal(cmp_mac_key_algorithm(key), buf_span(&w->pbm)));
}

static void
a_truncated_mac_is_no_mac(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *good = NULL;
    struct err e = {0};

    request_der(w, &w->mac, &der);
    good = parse_ok(buf_span(&der));
    for (size_t n = 0; n < 20; n++) {
        CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf cut = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *bad = NULL;
        enum cmp_failure failure;

        assert_ok(cmp_msg_protected_part(good, &part, &e), &e);
        assert_ok(cmp_build_finish(buf_span(&part), span_of(cmp_msg_protection(good).p, n), NULL, 0,
                                   &cut, &e),
                  &e);
        bad = parse_ok(buf_span(&cut));
        assert_int_equal(verify(bad, SECRET, &failure, &e), -1);
        assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
    }
}

/* A secret of no octets, or more than OpenSSL counts, is our fault and not the peer's. */
static void
a_secret_has_octets(void **state)
{
    struct world *w = *state;
    static const size_t sizes[] = {0, (size_t)INT32_MAX + 1};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        assert_null(cmp_mac_key_new(buf_span(&w->pbm), span_of("x", sizes[i]), NULL, &failure, &e));
        assert_int_equal(failure, CMP_SYSTEM_FAILURE);
        assert_string_equal(e.text, "the secret is empty or too long");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_openssl_verify_with_their_secret_only),
        cmocka_unit_test(every_hash_and_hmac_that_we_accept_protects),
        cmocka_unit_test(pbmac1_is_hmac_with_the_key_of_pbkdf2),
        cmocka_unit_test(a_random_key_verifies_nothing),
        cmocka_unit_test(one_flipped_bit_anywhere_is_refused),
        cmocka_unit_test(a_key_serves_messages_with_its_parameters_only),
        cmocka_unit_test(a_truncated_mac_is_no_mac),
        cmocka_unit_test(a_secret_has_octets),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
