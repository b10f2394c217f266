/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "tests/support/test.h"

/* An RSA key of a modulus with so many bits; it need not be one that anybody could have made. */
static EVP_PKEY *
rsa_of(int bits)
{
    BIGNUM *n = BN_new();
    BIGNUM *exponent = BN_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *parameters;
    EVP_PKEY *key = NULL;

    assert_int_equal(BN_set_bit(n, bits - 1), 1);
    assert_int_equal(BN_set_bit(n, 0), 1);
    assert_int_equal(BN_set_word(exponent, 65537), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent), 1);
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    BN_free(n);
    BN_free(exponent);
    return key;
}

static void
each_kind_of_key_is_taken_or_refused(void **state)
{
    const struct {
        EVP_PKEY *key;
        const char *says; /* NULL: taken */
    } rows[] = {
        {EVP_EC_gen("P-256"), NULL},
        {EVP_EC_gen("P-384"), NULL},
        {EVP_EC_gen("P-521"), NULL},
        {EVP_EC_gen("P-224"), "key on a curve other than P-256, P-384, P-521"},
        {EVP_EC_gen("secp256k1"), "key on a curve other than P-256, P-384, P-521"},
        {EVP_EC_gen("brainpoolP256r1"), "key on a curve other than P-256, P-384, P-521"},
        {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL},
        {EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), NULL},
        {EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "key of a kind that is not accepted"},
        {EVP_PKEY_Q_keygen(NULL, NULL, "X448"), "key of a kind that is not accepted"},
        {rsa_of(2047), "RSA key of 2047 bits; 2048 to 8192 are accepted"},
        {rsa_of(2048), NULL},
        {rsa_of(8192), NULL},
        {rsa_of(8193), "RSA key of 8193 bits; 2048 to 8192 are accepted"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result = signature_check_key(rows[i].key, &e);

        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
        EVP_PKEY_free(rows[i].key);
    }
}

/* A curve by its coefficients could be any, though these are of P-256. */
static void
a_curve_is_named(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *again = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(4096);
    struct err e = {0};

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                     1);
    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    again = public_key_parse(buf_span(&spki), &e);
    assert_non_null(again);
    assert_err(signature_check_key(again, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "key on a curve other than P-256, P-384, P-521");
}

static void
each_algorithm_of_a_key_is_taken_or_refused(void **state)
{
    const struct {
        int nid;
        int type;
        int curve;
        const char *says; /* NULL: taken */
    } rows[] = {
        {NID_rsaEncryption, V_ASN1_NULL, 0, NULL},
        {NID_rsassaPss, V_ASN1_UNDEF, 0, NULL},
        {NID_ED25519, V_ASN1_UNDEF, 0, NULL},
        {NID_ED448, V_ASN1_UNDEF, 0, NULL},
        {NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, NID_X9_62_prime256v1, NULL},
        {NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, NID_secp384r1, NULL},
        {NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, NID_secp521r1, NULL},
        {NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, NID_secp224r1, "key on a curve other than"},
        {NID_X9_62_id_ecPublicKey, V_ASN1_NULL, 0, "key on a curve other than"},
        {NID_X9_62_id_ecPublicKey, V_ASN1_UNDEF, 0, "key on a curve other than"},
        {NID_dsa, V_ASN1_NULL, 0, "key of kind DSA is not accepted"},
        {NID_X25519, V_ASN1_UNDEF, 0, "key of kind X25519 is not accepted"},
        {NID_undef, V_ASN1_UNDEF, 0, "key of kind (unknown) is not accepted"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = X509_ALGOR_new();
        ASN1_OBJECT *oid =
            rows[i].nid == NID_undef ? OBJ_txt2obj("1.2.3.4", 1) : OBJ_nid2obj(rows[i].nid);
        struct err e = {0};
        int result;

        assert_int_equal(X509_ALGOR_set0(algorithm, oid, rows[i].type,
                                         rows[i].curve == 0 ? NULL : OBJ_nid2obj(rows[i].curve)),
                         1);
        result = signature_check_key_algorithm(algorithm, &e);
        if (rows[i].says == NULL ? result != 0
                                 : result == 0 || e.code != ERR_INPUT ||
                                       strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
}

static void
each_algorithm_of_a_signature_has_its_parameters(void **state)
{
    static const struct {
        int nid;
        int type;
        const char *says; /* NULL: taken */
    } rows[] = {
        {NID_ecdsa_with_SHA224, V_ASN1_UNDEF, NULL},
        {NID_ecdsa_with_SHA256, V_ASN1_UNDEF, NULL},
        {NID_ecdsa_with_SHA384, V_ASN1_UNDEF, NULL},
        {NID_ecdsa_with_SHA512, V_ASN1_UNDEF, NULL},
        {NID_ecdsa_with_SHA256, V_ASN1_NULL, "parameters of ecdsa-with-SHA256 are not"},
        {NID_ecdsa_with_SHA1, V_ASN1_UNDEF, "signature algorithm ecdsa-with-SHA1 is not accepted"},
        {NID_ED25519, V_ASN1_UNDEF, NULL},
        {NID_ED448, V_ASN1_UNDEF, NULL},
        {NID_ED25519, V_ASN1_NULL, "parameters of ED25519 are not"},
        {NID_sha224WithRSAEncryption, V_ASN1_NULL, NULL},
        {NID_sha256WithRSAEncryption, V_ASN1_NULL, NULL},
        {NID_sha384WithRSAEncryption, V_ASN1_NULL, NULL},
        {NID_sha512WithRSAEncryption, V_ASN1_NULL, NULL},
        {NID_sha256WithRSAEncryption, V_ASN1_UNDEF, NULL},
        {NID_sha256WithRSAEncryption, V_ASN1_OCTET_STRING, "parameters of RSA-SHA256 are not"},
        {NID_sha1WithRSAEncryption, V_ASN1_NULL, "signature algorithm RSA-SHA1 is not accepted"},
        {NID_md5WithRSAEncryption, V_ASN1_NULL, "signature algorithm RSA-MD5 is not accepted"},
        {NID_rsassaPss, V_ASN1_UNDEF, "RSASSA-PSS without parameters, or with SHA-1"},
        {NID_rsassaPss, V_ASN1_NULL, "RSASSA-PSS without parameters, or with SHA-1"},
        {NID_undef, V_ASN1_UNDEF, "signature algorithm (unknown) is not accepted"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_algor_cleanup) X509_ALGOR *algorithm = X509_ALGOR_new();
        ASN1_OBJECT *oid =
            rows[i].nid == NID_undef ? OBJ_txt2obj("1.2.3.4", 1) : OBJ_nid2obj(rows[i].nid);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};
        int result;

        assert_int_equal(
            X509_ALGOR_set0(algorithm, oid, rows[i].type,
                            rows[i].type == V_ASN1_OCTET_STRING ? ASN1_OCTET_STRING_new() : NULL),
            1);
        result = signature_check_algorithm(algorithm, &failure, &e);
        if (rows[i].says == NULL ? result != 0
                                 : result == 0 || failure != CMP_BAD_ALG ||
                                       strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0) {
            fail_msg("row %zu: %s: %s", i, cmp_failure_name(failure), e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_is_taken_or_refused),
        cmocka_unit_test(a_curve_is_named),
        cmocka_unit_test(each_algorithm_of_a_key_is_taken_or_refused),
        cmocka_unit_test(each_algorithm_of_a_signature_has_its_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
