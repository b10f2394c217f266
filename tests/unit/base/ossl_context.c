/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ossl_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "base/ossl.h"
#include "tests/support/test.h"

enum { CERTIFICATE_MAX = 4096 };

/* ---- a thread with such a context ---- */

struct work {
    void (*run)(void *);
    void *user;
    struct ossl_context *context;
};

static void *
in_thread(void *argument)
{
    const struct work *work = argument;

    ossl_context_enter(work->context);
    work->run(work->user);
    ossl_context_leave(work->context);
    return NULL;
}

static void
run(void (*job)(void *), void *user)
{
    struct work work = {.run = job, .user = user, .context = ossl_context_new()};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, in_thread, &work), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ossl_context_free(work.context);
}

/* ---- certificates ---- */

struct pair {
    EVP_PKEY *key;
    EVP_PKEY *signer;
    struct buf der; /* for this key, signed with that one, in OpenSSL's own context */
    bool verifies;
    bool verifies_changed;
    bool is_known;
};

static void
certify(struct pair *p)
{
    CLEANUP(x509_cleanup) X509 *certificate = X509_new();
    bool is_eddsa =
        EVP_PKEY_is_a(p->signer, "ED25519") == 1 || EVP_PKEY_is_a(p->signer, "ED448") == 1;
    struct err e = {0};

    assert_non_null(certificate);
    assert_int_equal(X509_set_pubkey(certificate, p->key), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
    assert_true(X509_sign(certificate, p->signer, is_eddsa ? NULL : EVP_sha256()) > 0);
    p->der = BUF_INIT(CERTIFICATE_MAX);
    assert_int_equal(OSSL_ENCODE(X509, certificate, &p->der, &e), 0);
}

static bool
verify(const struct pair *p, bool *is_known)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(buf_span(&p->der), &e);
    EVP_PKEY *key = certificate == NULL ? NULL : X509_get0_pubkey(certificate);
    bool good;

    *is_known = key != NULL;
    /* the signer's key is of another context */
    good = certificate != NULL && X509_verify(certificate, p->signer) == 1 &&
           (p->key != p->signer || (key != NULL && X509_verify(certificate, key) == 1));
    ERR_clear_error();
    return good;
}

static void
look(void *user)
{
    struct pair *p = user;
    bool again;

    p->verifies = verify(p, &p->is_known);
    p->der.p[p->der.n - 1] ^= 1; /* of the signature */
    p->verifies_changed = verify(p, &again);
}

static EVP_PKEY *
rsa_pss(void)
{
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    return key;
}

/* Each kind that others' certificates may have (ca/x509/path/check.h). */
static void
certificates_are_decoded_and_verified(void **state)
{
    EVP_PKEY *keys[] = {
        EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
        EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"),
        EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"),
        EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048),
        rsa_pss(),
        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
        EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct pair p = {.key = keys[i], .signer = keys[i]};

        assert_non_null(keys[i]);
        certify(&p);
        run(look, &p);
        assert_true(p.is_known);
        assert_true(p.verifies);
        assert_false(p.verifies_changed);
        buf_free(&p.der);
        EVP_PKEY_free(keys[i]);
    }
}

/* So the lists are the short ones: what takes the time is not there. */
static void
a_key_of_another_kind_is_not_known(void **state)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *issuer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    struct pair p = {.key = other, .signer = issuer};

    (void)state;
    certify(&p);
    assert_true(verify(&p, &p.is_known));
    assert_true(p.is_known);
    run(look, &p);
    assert_true(p.verifies);
    assert_false(p.is_known);
    buf_free(&p.der);
}

/* ---- all else ---- */

static void
use(void *user)
{
    static const char *const digests[] = {"SHA1", "SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512"};
    uint8_t octets[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct err e = {0};
    size_t *good = user;

    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        EVP_MD *digest = EVP_MD_fetch(NULL, digests[i], NULL);

        *good += digest != NULL &&
                 HMAC(digest, "k", 1, (const uint8_t *)"m", 1, octets, &n) != NULL &&
                 PKCS5_PBKDF2_HMAC("p", 1, (const uint8_t *)"s", 1, 2, digest, 16, octets) == 1;
        EVP_MD_free(digest);
    }
    *good += sha256(SPAN_LITERAL("m"), octets, &e) == 0;
    *good += random_bytes(octets, sizeof(octets), &e) == 0;
}

static void
all_else_is_there(void **state)
{
    size_t good = 0;

    (void)state;
    run(use, &good);
    assert_int_equal(good, 5 + 2);
    ossl_context_free(NULL);
}

int
main(void)
{
    struct err e = {0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_decoded_and_verified),
        cmocka_unit_test(a_key_of_another_kind_is_not_known),
        cmocka_unit_test(all_else_is_there),
    };
    int result = ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);

    OPENSSL_cleanup(); /* ossl_init() leaves it to the program */
    return result;
}
