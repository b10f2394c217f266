/* SPDX-License-Identifier: Apache-2.0 */
/* The three kinds of key, and every other key that is refused. */
#include "tests/support/test.h"

#include "pkcs11/algorithm.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define EC_KEY(curve, point) "30{30{06{2a8648ce3d0201}" curve "}03{00 " point "}}"
#define P256 "06{2a8648ce3d030107}"
#define P384 "06{2b81040022}"
/* The generators (SEC 2 2.4.2, 2.5.1; secp256k1 2.4.1; brainpoolP256r1 RFC 5639 3.4). */
#define X256 "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define Y256 "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define X384                                                                                       \
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"                             \
    "5502f25dbf55296c3a545e3872760ab7"
#define Y384                                                                                       \
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"                             \
    "0a60b1ce1d7e819d7a431d7c90ea0e5f"
#define K1                                                                                         \
    "04 79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"                          \
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define RSA_KEY(modulus, exponent)                                                                 \
    "30{30{06{2a864886f70d010101}0500}03{00 30{02{" modulus "}02{" exponent "}}}}"

/* The parameters of P-256 spelled out (SEC 1 C.2, SEC 2 2.4.2). */
#define EXPLICIT                                                                                   \
    "30{020101 30{06{2a8648ce3d0101}02{00 ffffffff00000001 00*12 ff*12}}"                          \
    "30{04{ffffffff00000001 00*12 ff*11 fc}"                                                       \
    "04{5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b}"                         \
    "03{00 c49d360886e704936a6678e1139d26b7819f7e90}}04{04" X256 Y256 "}"                          \
    "02{00 ffffffff00000000 ff*8 bce6faada7179e84f3b9cac2fc632551}020101}"

#define NONE_OF "the public key is none of P-256, P-384"
#define NOT_CANONICAL "the SubjectPublicKeyInfo is not in canonical form"
#define NOT_DER "not a DER SubjectPublicKeyInfo"

static const struct {
    const char *name;
    const char *text;
    const char *reason; /* NULL: it is one of the three */
    enum key_algorithm algorithm;
} KEYS[] = {
    {"P-256", EC_KEY(P256, "04" X256 Y256), NULL, KEY_P256},
    {"P-384", EC_KEY(P384, "04" X384 Y384), NULL, KEY_P384},
    {"RSA-3072", RSA_KEY("00 c1*384", "010001"), NULL, KEY_RSA3072},

    {"nothing", "", "a public key of 0 octets", KEY_P256},
    {"1024 octets", "30*1024", NOT_DER, KEY_P256},
    {"1025 octets", "30*1025", "a public key of 1025 octets", KEY_P256},
    {"garbage", "0500", NOT_DER, KEY_P256},
    {"octets behind", EC_KEY(P256, "04" X256 Y256) "00", NOT_CANONICAL, KEY_P256},
    {"a length that is not the shortest",
     "308159 30{06{2a8648ce3d0201}" P256 "}03{00 04" X256 Y256 "}", NOT_CANONICAL, KEY_P256},
    {"a point that is not on the curve", EC_KEY(P256, "04" X256 X256), NOT_DER, KEY_P256},
    {"a compressed point of P-256", EC_KEY(P256, "03" X256), NONE_OF, KEY_P256},
    {"a compressed point of P-384", EC_KEY(P384, "03" X384), NONE_OF, KEY_P384},
    {"the hybrid form of P-256", EC_KEY(P256, "07" X256 Y256), NONE_OF, KEY_P256},
    {"the hybrid form of P-384", EC_KEY(P384, "07" X384 Y384), NONE_OF, KEY_P384},
    {"P-256 with its parameters spelled out", EC_KEY(EXPLICIT, "04" X256 Y256), NONE_OF, KEY_P256},
    {"secp256k1", EC_KEY("06{2b8104000a}", K1), NONE_OF, KEY_P256},
    {"Ed25519",
     "30{30{06{2b6570}}03{00 d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a}}",
     NONE_OF, KEY_P256},
    {"RSA of 3071 bits", RSA_KEY("41*384", "010001"), NONE_OF, KEY_RSA3072},
    {"RSA of 3079 bits, whose key is as long", RSA_KEY("41*385", "010001"), NONE_OF, KEY_RSA3072},
    {"RSA of 3080 bits", RSA_KEY("00 c1*385", "010001"), NONE_OF, KEY_RSA3072},
    {"RSA of 2048 bits", RSA_KEY("00 c1*256", "010001"), NONE_OF, KEY_RSA3072},
    {"RSA with exponent 3", RSA_KEY("00 c1*384", "03"), NONE_OF, KEY_RSA3072},
    {"RSA with exponent 65,539", RSA_KEY("00 c1*384", "010003"), NONE_OF, KEY_RSA3072},
    {"RSA without the NULL", "30{30{06{2a864886f70d010101}}03{00 30{02{00 c1*384}02{010001}}}}",
     NOT_CANONICAL, KEY_RSA3072},
};

static void
a_public_key_is_one_of_three_in_its_one_form(void **state)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(2048);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        enum key_algorithm algorithm = (enum key_algorithm)99;
        struct err e = {0};
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

        der_text(KEYS[i].text, &spki);
        key = key_public_parse(buf_span(&spki), &algorithm, &e);
        good += scene_expect(KEYS[i].name, key == NULL ? -1 : 0, &e, ERR_INPUT, KEYS[i].reason) &&
                        (key == NULL || algorithm == KEYS[i].algorithm)
                    ? 1
                    : 0;
    }
    assert_int_equal(good, ARRAY_LEN(KEYS));
}

/* What is on the wire and in files, written down a second time. */
static void
each_has_its_name_its_digest_and_its_identifier(void **state)
{
    static const struct {
        enum key_algorithm algorithm;
        const char *name;
        size_t digest;
        const char *identifier;
    } rows[] = {
        {KEY_P256, "P-256", 32, SCENE_P256},
        {KEY_P384, "P-384", 48, SCENE_P384},
        {KEY_RSA3072, "RSA-3072", 32, SCENE_RSA},
    };
    CLEANUP(buf_free) struct buf identifier = BUF_INIT(64);
    enum key_algorithm algorithm = KEY_P256;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(key_algorithm_name(rows[i].algorithm), rows[i].name);
        assert_ok(key_algorithm_parse(rows[i].name, &algorithm, &e), &e);
        assert_int_equal(algorithm, rows[i].algorithm);
        assert_int_equal(key_algorithm_digest_size(rows[i].algorithm), rows[i].digest);
        assert_int_equal(EVP_MD_get_size(key_algorithm_digest(rows[i].algorithm)), rows[i].digest);
        der_text(rows[i].identifier, &identifier);
        assert_true(span_equal(key_algorithm_identifier(rows[i].algorithm), buf_span(&identifier)));
    }
    assert_err(key_algorithm_parse("P-521", &algorithm, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "key algorithm 'P-521': use P-256, P-384 or RSA-3072");
    assert_err(key_algorithm_parse("P-25", &algorithm, &e), ERR_INPUT, &e);
    assert_err(key_algorithm_parse("", &algorithm, &e), ERR_INPUT, &e);
}

static EVP_PKEY *
make_key(enum key_algorithm algorithm)
{
    return algorithm == KEY_P256   ? EVP_EC_gen("P-256")
           : algorithm == KEY_P384 ? EVP_EC_gen("P-384")
                                   : EVP_RSA_gen(3072);
}

static int
verify_digest(EVP_PKEY *key, enum key_algorithm algorithm, struct span digest,
              struct span signature, struct err *e)
{
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = key_public_verifier(key, algorithm, e);

    assert_non_null(ctx);
    return key_public_verify_with(ctx, algorithm, digest, signature, e);
}

/* A signature over the text is one over its digest, and over nothing else. */
static void
check_signatures(EVP_PKEY *key, enum key_algorithm algorithm)
{
    const struct span text = SPAN_LITERAL("to be signed");
    struct err e = {0};
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t octets[SIGNATURE_MAX];
    size_t n = sizeof(octets);
    uint8_t digest[64] = {0};
    unsigned n_digest = 0;
    struct span signature;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, key_algorithm_digest(algorithm), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, octets, &n, text.p, text.n), 1);
    assert_int_equal(
        EVP_Digest(text.p, text.n, digest, &n_digest, key_algorithm_digest(algorithm), NULL), 1);
    signature = span_of(octets, n);
    assert_ok(key_public_verify(key, algorithm, text, signature, &e), &e);
    assert_err(key_public_verify(key, algorithm, span_of(text.p, text.n - 1), signature, &e),
               ERR_CRYPTO, &e);
    assert_err(key_public_verify(key, algorithm, text, span_of(octets, n - 1), &e), ERR_CRYPTO, &e);
    assert_ok(verify_digest(key, algorithm, span_of(digest, n_digest), signature, &e), &e);
    assert_err(verify_digest(key, algorithm, span_of(digest, n_digest), span_of("", 0), &e),
               ERR_CRYPTO, &e);
    assert_err(verify_digest(key, algorithm, span_of(digest, n_digest - 1), signature, &e),
               ERR_INPUT, &e);
    assert_err(verify_digest(key, algorithm, span_of(digest, n_digest + 1), signature, &e),
               ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "a digest of "));
    digest[0] ^= 1;
    assert_err(verify_digest(key, algorithm, span_of(digest, n_digest), signature, &e), ERR_CRYPTO,
               &e);
    digest[0] ^= 1;
    octets[n - 1] ^= 1;
    assert_err(key_public_verify(key, algorithm, text, signature, &e), ERR_CRYPTO, &e);
    assert_err(verify_digest(key, algorithm, span_of(digest, n_digest), signature, &e), ERR_CRYPTO,
               &e);
}

static void
a_signature_is_over_one_text_under_the_keys_algorithm(void **state)
{
    static const enum key_algorithm algorithms[] = {KEY_P256, KEY_P384, KEY_RSA3072};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = make_key(algorithms[i]);

        assert_non_null(key);
        check_signatures(key, algorithms[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_public_key_is_one_of_three_in_its_one_form),
        cmocka_unit_test(each_has_its_name_its_digest_and_its_identifier),
        cmocka_unit_test(a_signature_is_over_one_text_under_the_keys_algorithm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
