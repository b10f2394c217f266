/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine gives: raw C_Sign/s of the issuing token, fsync/s of the state directory, and
 * the single operations of which the crypto floor of one enrolment is made.
 *
 *   bench.yardsticks MODULE LABEL SERIAL KEY-ID SPKI.pem CREDENTIAL DIRECTORY
 *
 * The PIN comes from $CREDENTIALS_DIRECTORY/CREDENTIAL. Prints "name value unit" lines.
 */
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "pkcs11/key.h"

enum { RUN_MS = 1000, PBM_ITERATIONS = 500 };

static int
fail(const struct err *e)
{
    (void)fprintf(stderr, "bench.yardsticks: %s\n", e->text);
    return 1;
}

static double
rate(unsigned long count, int64_t start)
{
    int64_t ms = clock_monotonic_ms() - start;

    return (double)count * 1000.0 / (double)(ms > 0 ? ms : 1);
}

/* C_SignInit + C_Sign without anything of ours around it. */
static int
measure_token(struct key *key, struct session *session, struct err *e)
{
    const CK_FUNCTION_LIST *f = module_functions(session_module(session));
    struct span id = key_get_id(key);
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, NULL, id.n}};
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CLEANUP(mem_cleanup) uint8_t *id_copy = mem_dup(id.p, id.n);
    CK_SESSION_HANDLE handle = session_handle(session);
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG found = 0;
    unsigned long count = 0;
    int64_t start;

    wanted[1].pValue = id_copy;
    if (f->C_FindObjectsInit(handle, wanted, 2) != CKR_OK ||
        f->C_FindObjects(handle, &object, 1, &found) != CKR_OK || found != 1 ||
        f->C_FindObjectsFinal(handle) != CKR_OK) {
        return err_set(e, ERR_TOKEN, "the key is not on the token");
    }
    start = clock_monotonic_ms();
    while (clock_monotonic_ms() - start < RUN_MS) {
        CK_BYTE digest[32] = {1};
        CK_BYTE signature[512];
        CK_ULONG n = sizeof(signature);
        CK_RV rv = f->C_SignInit(handle, &mechanism, object);

        if (rv == CKR_OK) {
            rv = f->C_Sign(handle, digest, sizeof(digest), signature, &n);
        }
        if (rv != CKR_OK) {
            return session_err(session, rv, "C_Sign", e);
        }
        count++;
    }
    (void)printf("c_sign %.0f /s\n", rate(count, start));
    return 0;
}

static int
measure_fsync(const char *directory, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/bench.fsync", directory);
    CLEANUP(fd_cleanup) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    static const char block[4096];
    unsigned long count = 0;
    int64_t start = clock_monotonic_ms();

    if (fd < 0) {
        return err_set(e, ERR_IO, "cannot write in %s", directory);
    }
    while (clock_monotonic_ms() - start < RUN_MS) {
        if (write(fd, block, sizeof(block)) < 0 || fdatasync(fd) != 0) {
            return err_set(e, ERR_IO, "fdatasync in %s failed", directory);
        }
        count++;
    }
    (void)printf("fsync %.0f /s\n", rate(count, start));
    (void)unlink(path);
    return 0;
}

/* One software P-256 signature and verification, as EVP gives them. */
static int
measure_software(struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    unsigned char digest[32] = {1};
    unsigned char signature[128];
    size_t n = sizeof(signature);
    unsigned long count = 0;
    int64_t start = clock_monotonic_ms();
    double sign;
    double verify;

    if (EVP_PKEY_sign_init(ctx) != 1) {
        return ossl_err(e, ERR_CRYPTO, "sign");
    }
    for (; clock_monotonic_ms() - start < RUN_MS / 2; count++) {
        n = sizeof(signature);
        if (EVP_PKEY_sign(ctx, signature, &n, digest, sizeof(digest)) != 1) {
            return ossl_err(e, ERR_CRYPTO, "sign");
        }
    }
    sign = rate(count, start);
    if (EVP_PKEY_verify_init(ctx) != 1) {
        return ossl_err(e, ERR_CRYPTO, "verify");
    }
    count = 0;
    start = clock_monotonic_ms();
    for (; clock_monotonic_ms() - start < RUN_MS / 2; count++) {
        if (EVP_PKEY_verify(ctx, signature, n, digest, sizeof(digest)) != 1) {
            return ossl_err(e, ERR_CRYPTO, "verify");
        }
    }
    verify = rate(count, start);
    (void)printf("sw_sign %.1f us\nsw_verify %.1f us\n", 1e6 / sign, 1e6 / verify);
    return 0;
}

/* The key derivation of PasswordBasedMac with the client's default count, and one HMAC. */
static int
measure_mac(struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    unsigned char digest[32] = {1};
    unsigned long count = 0;
    int64_t start = clock_monotonic_ms();
    bool ok = true;

    for (; ok && clock_monotonic_ms() - start < RUN_MS / 4; count++) {
        for (int i = 0; ok && i < PBM_ITERATIONS; i++) {
            ok = EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
                 EVP_DigestUpdate(ctx, digest, sizeof(digest)) == 1 &&
                 EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
        }
    }
    EVP_MD_free(md);
    if (!ok) {
        return ossl_err(e, ERR_CRYPTO, "SHA-256");
    }
    (void)printf("pbm_500 %.1f us\n", 1e6 / rate(count, start));
    return 0;
}

static int
load_spki(const char *path, struct buf *der, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_file(path, "r");
    CLEANUP(evp_pkey_cleanup)
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

    if (key == NULL) {
        return ossl_err(e, ERR_INPUT, "%s: no public key in PEM", path);
    }
    return OSSL_ENCODE(PUBKEY, key, der, e);
}

static int
measure(char **argv, struct err *e)
{
    CLEANUP(module_cleanup) struct module *module = module_open(argv[1], NULL, e);
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(255);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(4096);
    CLEANUP(session_cleanup) struct session *session = NULL;
    CLEANUP(key_cleanup) struct key *key = NULL;
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", e);
    uint8_t id[KEY_ID_SIZE];

    if (module == NULL || policy == NULL || hex_parse(argv[4], id, sizeof(id), e) != 0 ||
        load_spki(argv[5], &spki, e) != 0 || secret_read(-1, argv[6], &pin, e) != 0) {
        return -1;
    }
    session = session_open(module, argv[2], argv[3], SESSION_READ_ONLY, e);
    if (session == NULL || session_login(session, buf_span(&pin), e) != 0) {
        return -1;
    }
    key = key_find(session, policy, span_of(id, sizeof(id)), buf_span(&spki), e);
    if (key == NULL || measure_token(key, session, e) != 0 || measure_fsync(argv[7], e) != 0 ||
        measure_software(e) != 0 || measure_mac(e) != 0) {
        return -1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct err e = {0};

    if (argc != 8) {
        (void)fprintf(stderr, "usage: bench.yardsticks MODULE LABEL SERIAL KEY-ID SPKI.pem "
                              "CREDENTIAL DIRECTORY\n");
        return 2;
    }
    if (ossl_init(&e) != 0 || measure(argv, &e) != 0) {
        return fail(&e);
    }
    OPENSSL_cleanup();
    return 0;
}
