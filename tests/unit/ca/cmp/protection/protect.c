/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/protect.h"

#include <openssl/rsa.h>

#include "ca/cmp/message/der.h"
#include "tests/support/der_edit.h"
#include "tests/support/forge.h"
#include "tests/unit/ca/cmp/fixture.h"

static void
kind_of_protection_is_told_from_the_algorithm(void **state)
{
    static const struct {
        const char *file;
        enum cmp_protection protection;
    } files[] = {
        {"pbm-ir.der", CMP_PROTECTION_MAC},
        {"sig-ir.der", CMP_PROTECTION_SIGNATURE},
        {"rsa-ir.der", CMP_PROTECTION_SIGNATURE},
        {"unprotected-ir.der", CMP_UNPROTECTED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(files[i].file);

        assert_int_equal(cmp_protection_of(msg), files[i].protection);
    }
}

static void
messages_of_openssl_verify_with_their_certificate_only(void **state)
{
    static const struct {
        const char *file;
        const char *certificate;
    } files[] = {{"sig-ir.der", "dev.crt"},
                 {"sig-cr.der", "dev.crt"},
                 {"sig-kur.der", "dev.crt"},
                 {"sig-rr.der", "dev.crt"},
                 {"rsa-ir.der", "rsa.crt"}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg(files[i].file);
        CLEANUP(x509_cleanup) X509 *certificate = vector_cert(files[i].certificate);
        CLEANUP(x509_cleanup) X509 *signer = NULL;
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        signer = cmp_msg_signer(msg, &e);
        assert_non_null(signer);
        assert_int_equal(X509_cmp(signer, certificate), 0);
        assert_ok(cmp_signature_verify(msg, signer, &failure, &e), &e);
        assert_int_equal(cmp_signature_verify(msg, w->device, &failure, &e), -1);
        assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
    }
}

static void
mac_protected_messages_have_no_signature(void **state)
{
    struct world *w = *state;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("pbm-ir.der");
    enum cmp_failure failure;
    struct err e = {0};

    assert_int_equal(cmp_signature_verify(msg, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
}

/* Signs an ir with this key and tells what verification says. */
static enum cmp_failure
try_key(const struct world *w, EVP_PKEY *key, const EVP_MD *digest)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "device");
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct cmp_client c = {.certificate = certificate, .key = key, .digest = digest};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    request_der(w, &c, &der);
    msg = parse_ok(buf_span(&der));
    if (cmp_signature_verify(msg, certificate, &failure, &e) != 0) {
        assert_int_not_equal(failure, CMP_NO_FAILURE);
    }
    return failure;
}

static void
keys_and_hashes_are_accepted_or_bad_algorithms(void **state)
{
    const struct {
        const char *name;
        EVP_PKEY *key;
        const EVP_MD *digest;
        enum cmp_failure failure;
    } keys[] = {
        {"P-256", EVP_EC_gen("P-256"), EVP_sha256(), CMP_NO_FAILURE},
        {"P-256 with SHA-512", EVP_EC_gen("P-256"), EVP_sha512(), CMP_NO_FAILURE},
        {"P-384", EVP_EC_gen("P-384"), EVP_sha384(), CMP_NO_FAILURE},
        {"P-521", EVP_EC_gen("P-521"), EVP_sha512(), CMP_NO_FAILURE},
        {"RSA-2048", EVP_RSA_gen(2048), EVP_sha256(), CMP_NO_FAILURE},
        {"Ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, CMP_NO_FAILURE},
        {"Ed448", EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), NULL, CMP_NO_FAILURE},
        {"RSA, exponent of 64 bits", forge_rsa("800000000000001d"), EVP_sha256(), CMP_NO_FAILURE},
        {"RSA, exponent of 65 bits", forge_rsa("1000000000000000d"), EVP_sha256(), CMP_BAD_ALG},
        {"RSA-1024", EVP_RSA_gen(1024), EVP_sha256(), CMP_BAD_ALG},
        {"RSA with SHA-1", EVP_RSA_gen(2048), EVP_sha1(), CMP_BAD_ALG},
        {"ECDSA with SHA-1", EVP_EC_gen("P-256"), EVP_sha1(), CMP_BAD_ALG},
        {"P-224", EVP_EC_gen("P-224"), EVP_sha256(), CMP_BAD_ALG},
        {"secp256k1", EVP_EC_gen("secp256k1"), EVP_sha256(), CMP_BAD_ALG},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        enum cmp_failure failure = try_key(w, keys[i].key, keys[i].digest);

        if (failure != keys[i].failure) {
            fail_msg("%s: %s", keys[i].name, cmp_failure_name(failure));
        }
        EVP_PKEY_free(keys[i].key);
    }
}

static void
pss_needs_a_hash_of_sha2_in_both_places(void **state)
{
    static const struct {
        const char *hash;
        const char *mgf1;
        enum cmp_failure failure;
    } rows[] = {{"SHA256", "SHA256", CMP_NO_FAILURE},
                {"SHA512", "SHA256", CMP_NO_FAILURE},
                {"SHA256", "SHA1", CMP_BAD_ALG},
                {"SHA1", "SHA256", CMP_BAD_ALG}};
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_RSA_gen(2048);
    CLEANUP(x509_cleanup) X509 *certificate = certificate_of(key, "device");

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
        CLEANUP(x509_cleanup) X509 *probe = X509_dup(certificate);
        CLEANUP(buf_free) struct buf der = BUF_INIT(1024);
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf recipient = {0};
        CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        struct cmp_client c = {.certificate = certificate, .key = key};
        const X509_ALGOR *made = NULL;
        EVP_PKEY_CTX *pkey_context = NULL;
        uint8_t signature[512];
        size_t n = sizeof(signature);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_header h;
        struct err e = {0};

        /* OpenSSL writes the AlgorithmIdentifier when it signs a certificate with PSS. */
        assert_int_equal(EVP_DigestSignInit(context, &pkey_context,
                                            EVP_get_digestbyname(rows[i].hash), NULL, key),
                         1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey_context, 6), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(pkey_context, rows[i].mgf1, NULL), 1);
        assert_true(X509_sign_ctx(probe, context) > 0);
        X509_get0_signature(NULL, &made, probe);
        assert_ok(OSSL_ENCODE(X509_ALGOR, made, &der, &e), &e);

        assert_ok(cmp_header_first(&h, &e), &e);
        assert_ok(cmp_client_header(&c, &h, &name, &recipient, &e), &e);
        h.algorithm = buf_span(&der);
        assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
        assert_ok(cmp_build_part(&h, buf_span(&body), &part, &e), &e);
        EVP_MD_CTX_free(context);
        context = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(context, &pkey_context,
                                            EVP_get_digestbyname(rows[i].hash), NULL, key),
                         1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey_context, 6), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(pkey_context, rows[i].mgf1, NULL), 1);
        assert_int_equal(EVP_DigestSign(context, signature, &n, part.p, part.n), 1);
        assert_ok(cmp_build_finish(buf_span(&part), span_of(signature, n), NULL, 0, &out, &e), &e);
        msg = parse_ok(buf_span(&out));
        (void)cmp_signature_verify(msg, certificate, &failure, &e);
        if (failure != rows[i].failure) {
            fail_msg("%s, MGF1 %s: %s %s", rows[i].hash, rows[i].mgf1, cmp_failure_name(failure),
                     e.text);
        }
    }
}

static void
pss_with_another_hash_spelled_out_is_a_bad_algorithm(void **state)
{
#define SHA_OID "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
    /* RSASSA-PSS { [0] { SHA-256 }, [1] { MGF1 { SHA-256 } } }; the octet after SHA_OID names it */
    static const char pss[] = "\x30\x38\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x2b"
                              "\xa0\x0d\x30\x0b" SHA_OID "\x01"
                              "\xa1\x1a\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
                              "\x30\x0b" SHA_OID "\x01";
    enum { HASH_AT = 15 + 4 + sizeof(SHA_OID) - 1, MASK_AT = HASH_AT + 6 + 9 };
    enum { WITH_SHA256 = 1, WITH_SHA224 = 4, WITH_SHA3 = 8, BY_MGF1 = 8 };
    static const struct {
        uint8_t hash;
        uint8_t mask;
        uint8_t mask_hash;
        const char *says; /* NULL: good */
    } rows[] = {
        {WITH_SHA256, BY_MGF1, WITH_SHA256, NULL},
        {WITH_SHA224, BY_MGF1, WITH_SHA224, NULL},
        {WITH_SHA3, BY_MGF1, WITH_SHA256, "RSASSA-PSS with a hash other than SHA-2"},
        {WITH_SHA256, BY_MGF1 + 1, WITH_SHA256,
         "RSASSA-PSS with a mask generation other than MGF1"},
        {WITH_SHA256, BY_MGF1, WITH_SHA3, "MGF1 with a hash other than SHA-2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t der[sizeof(pss) - 1];
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};
        int result;

        memcpy(der, pss, sizeof(der));
        assert_int_equal(der[HASH_AT], WITH_SHA256);
        assert_int_equal(der[MASK_AT], BY_MGF1);
        assert_int_equal(der[sizeof(der) - 1], WITH_SHA256);
        der[HASH_AT] = rows[i].hash;
        der[MASK_AT] = rows[i].mask;
        der[sizeof(der) - 1] = rows[i].mask_hash;
        result = cmp_signature_algorithm_check(span_of(der, sizeof(der)), &failure, &e);
        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || failure != CMP_BAD_ALG || strcmp(e.text, rows[i].says) != 0) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

/* The mask of BY_MGF1 without its hash is one with SHA-1 (RFC 4055 2.2). */
static void
pss_says_both_hashes_or_is_a_bad_algorithm(void **state)
{
#define PSS_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define PSS_HASH "\xa0\x0d\x30\x0b" SHA_OID "\x01"
#define PSS_MASK                                                                                   \
    "\xa1\x1a\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0b" SHA_OID "\x01"
#define PSS_BARE "\xa1\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define PSS_NULL "\xa1\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x05\x00"
#define PSS_EMPTY "\xa1\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x00"
    const struct {
        struct span content;
        bool good;
    } rows[] = {
        {SPAN_LITERAL(PSS_HASH PSS_MASK), true},  {SPAN_LITERAL(PSS_HASH), false},
        {SPAN_LITERAL(PSS_MASK), false},          {SPAN_LITERAL(PSS_HASH PSS_BARE), false},
        {SPAN_LITERAL(PSS_HASH PSS_NULL), false}, {SPAN_LITERAL(PSS_HASH PSS_EMPTY), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf content = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        assert_ok(buf_append(&content, SPAN_LITERAL(PSS_OID), &e), &e);
        assert_ok(der_append(&content, DER_SEQUENCE, rows[i].content, &e), &e);
        assert_ok(der_append(&der, DER_SEQUENCE, buf_span(&content), &e), &e);
        if ((cmp_signature_algorithm_check(buf_span(&der), &failure, &e) == 0) != rows[i].good ||
            failure != (rows[i].good ? CMP_NO_FAILURE : CMP_BAD_ALG)) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
sender_and_kid_must_be_those_of_the_certificate(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_name_cleanup) X509_NAME *other = name_of("other device");

    for (int i = 0; i < 4; i++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf recipient = {0};
        CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct cmp_header h;
        struct err e = {0};

        assert_ok(cmp_header_first(&h, &e), &e);
        assert_ok(cmp_client_header(&w->signature, &h, &name, &recipient, &e), &e);
        if (i == 1) {
            h.sender = other;
        } else if (i == 2) {
            h.sender_kid = SPAN_LITERAL("another subject key id");
        } else if (i == 3) {
            h.sender_kid = span_of(NULL, 0);
        }
        assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
        msg = sealed(&w->signature, &h, buf_span(&body));
        /* one that is not there says nothing wrong: whether it must be there is check.h's */
        assert_true((cmp_signature_verify(msg, w->device, &failure, &e) == 0) ==
                    (i == 0 || i == 3));
        assert_int_equal(failure, i == 0 || i == 3 ? CMP_NO_FAILURE : CMP_BAD_MESSAGE_CHECK);
    }
}

static void
one_flipped_bit_in_header_body_or_protection_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *good = NULL;
    enum cmp_failure failure;
    struct err e = {0};
    size_t end;
    size_t wrong = 0;

    request_der(w, &w->signature, &der);
    good = parse_ok(buf_span(&der));
    assert_ok(cmp_signature_verify(good, w->device, &failure, &e), &e);
    /* extraCerts are not protected: stop where they begin */
    assert_ok(cmp_msg_protected_part(good, &part, &e), &e);
    end = part.n + cmp_msg_protection(good).n;
    for (size_t i = 0; i < end; i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *bad = NULL;
        uint8_t flip = (uint8_t)(1U << (i % 8));

        der.p[i] ^= flip;
        bad = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if (bad != NULL) {
            if (cmp_signature_verify(bad, w->device, &failure, &e) == 0) {
                fail_msg("octet %zu may be changed", i);
            }
            assert_true(failure == CMP_BAD_MESSAGE_CHECK || failure == CMP_BAD_ALG);
            wrong++;
        }
        der.p[i] ^= flip;
    }
    assert_true(wrong > 100);
}

/* The same message with these certificates as extraCerts, which no protection covers. */
static struct cmp_msg *
with_extra(struct span message, X509 *const *certificates, size_t n)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        assert_ok(OSSL_ENCODE(X509, certificates[i], &all, &e), &e);
    }
    assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&all), &e), &e);
    assert_ok(der_edit(message, "3.0", buf_span(&sequence), &changed, &e), &e);
    return parse_ok(buf_span(&changed));
}

static void
the_protection_certificate_is_found_wherever_it_is(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *ca = certificate_of(other_key, "CA");
    /* the same name on another key */
    CLEANUP(x509_cleanup) X509 *namesake = certificate_of(other_key, "device");
    X509 *const right = w->device;
    X509 *const orders[][6] = {
        {right},           {right, ca},
        {ca, right},       {ca, ca, ca, ca, ca, right},
        {namesake, right}, {namesake, namesake, namesake, right},
        {right, namesake}, {namesake, namesake, namesake, namesake, right}, /* four are tried */
        {ca, namesake},    {ca},
    };
    const size_t n_right = 7;

    for (int kid = 0; kid <= 1; kid++) { /* without senderKID, and with it */
        CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
        CLEANUP(buf_free) struct buf recipient = {0};
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        struct cmp_header h;
        struct err e = {0};

        assert_ok(cmp_header_first(&h, &e), &e);
        assert_ok(cmp_client_header(&w->signature, &h, &name, &recipient, &e), &e);
        assert_ok(cmp_client_body_request(CMP_IR, w->key, w->subject, &body, &e), &e);
        if (kid == 0) {
            h.sender_kid = span_of(NULL, 0);
        }
        assert_ok(cmp_client_seal(&w->signature, &h, buf_span(&body), &der, &e), &e);
        for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
            CLEANUP(x509_cleanup) X509 *found = NULL;
            enum cmp_failure failure;
            size_t n = 0;

            while (n < 6 && orders[i][n] != NULL) {
                n++;
            }
            msg = with_extra(buf_span(&der), orders[i], n);
            found = cmp_signer_parse(msg, &e);
            assert_non_null(found);
            /* senderKID tells namesakes apart, however many there are */
            if ((cmp_signature_verify(msg, found, &failure, &e) == 0) !=
                (i < n_right || (kid == 1 && i == n_right))) {
                fail_msg("order %zu, %s senderKID", i, kid == 1 ? "with" : "without");
            }
        }
    }
}

static void
a_message_without_extra_certs_has_no_signer(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("pbm-ir.der");
    struct err e = {0};

    (void)state;
    assert_null(cmp_signer_parse(msg, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_string_equal(e.text, "no extraCerts: the protection certificate must be there");
    assert_null(cmp_msg_signer(msg, &e));
    assert_string_equal(e.text, "no extraCerts: the protection certificate must be the first");
}

/* A certificate whose key is no point of its curve: nothing verifies under it. */
static void
a_key_that_does_not_decode_is_a_bad_algorithm(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf message = {0};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(x509_cleanup) X509 *broken = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};
    uint8_t *at;

    request_der(w, &w->signature, &message);
    msg = parse_ok(buf_span(&message));
    assert_ok(OSSL_ENCODE(X509, w->device, &der, &e), &e);
    assert_ok(OSSL_ENCODE(PUBKEY, w->device_key, &spki, &e), &e);
    at = memmem(der.p, der.n, spki.p, spki.n);
    assert_non_null(at);
    at[spki.n - 1] ^= 1;
    broken = certificate_parse_keyless(buf_span(&der), &e);
    assert_non_null(broken);
    assert_int_equal(cmp_signature_verify(msg, broken, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_ALG);
    assert_string_equal(e.text, "key of the protection certificate does not decode");
}

static void
an_unknown_protection_is_a_bad_algorithm(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf good = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *unprotected = vector_msg("unprotected-ir.der");
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};
    uint8_t *at;

    request_der(w, &w->signature, &good);
    at = memmem(good.p, good.n, "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 10);
    assert_non_null(at);
    at[9] = 9; /* ecdsa-with-SHA2 and nothing that is known */
    msg = parse_ok(buf_span(&good));
    assert_int_equal(cmp_protection_of(msg), CMP_PROTECTION_UNKNOWN);
    assert_int_equal(cmp_signature_verify(msg, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_ALG);
    assert_int_equal(cmp_signature_verify(unprotected, w->device, &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_MESSAGE_CHECK);
    assert_string_equal(e.text, "message is not signed");
    assert_int_equal(cmp_signature_algorithm_check(SPAN_LITERAL("\x05\x00"), &failure, &e), -1);
    assert_int_equal(failure, CMP_BAD_ALG);
    assert_non_null(strstr(e.text, "protectionAlg does not decode"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_of_protection_is_told_from_the_algorithm),
        cmocka_unit_test(messages_of_openssl_verify_with_their_certificate_only),
        cmocka_unit_test(mac_protected_messages_have_no_signature),
        cmocka_unit_test(keys_and_hashes_are_accepted_or_bad_algorithms),
        cmocka_unit_test(pss_needs_a_hash_of_sha2_in_both_places),
        cmocka_unit_test(pss_with_another_hash_spelled_out_is_a_bad_algorithm),
        cmocka_unit_test(pss_says_both_hashes_or_is_a_bad_algorithm),
        cmocka_unit_test(sender_and_kid_must_be_those_of_the_certificate),
        cmocka_unit_test(the_protection_certificate_is_found_wherever_it_is),
        cmocka_unit_test(one_flipped_bit_in_header_body_or_protection_is_refused),
        cmocka_unit_test(a_message_without_extra_certs_has_no_signer),
        cmocka_unit_test(a_key_that_does_not_decode_is_a_bad_algorithm),
        cmocka_unit_test(an_unknown_protection_is_a_bad_algorithm),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
