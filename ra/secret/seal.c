/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/seal.h"

#include <assert.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/ossl.h"

enum { VERSION = 1, NONCE_SIZE = 12, TAG_SIZE = 16, PLAIN_MAX = 128 };

DEFINE_CLEANUP(cipher_ctx_cleanup, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/* n characters of an alphabet of 2^k, k <= 6: no bias. */
static int
random_text(const char *alphabet, size_t size, char *out, size_t n, struct err *e)
{
    if (random_bytes((uint8_t *)out, n, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = alphabet[(uint8_t)out[i] % size];
    }
    return 0;
}

int
seal_make_secret(struct buf *out, struct err *e)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t *room;

    buf_truncate(out, 0);
    room = buf_extend(out, SEAL_SECRET_SIZE, e);
    if (room == NULL) {
        return -1;
    }
    return random_text(alphabet, 64, (char *)room, SEAL_SECRET_SIZE, e);
}

int
seal_make_reference(char out[SEAL_REFERENCE_SIZE + 1], struct err *e)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; /* base32 */

    out[SEAL_REFERENCE_SIZE] = '\0';
    return random_text(alphabet, 32, out, SEAL_REFERENCE_SIZE, e);
}

int
seal_close(struct span key, const char *id, struct span secret, struct buf *out, struct err *e)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *sealed;
    uint8_t *nonce;
    uint8_t *text;
    int n = 0;
    int last = 0;

    assert(key.n == SEAL_KEY_SIZE);
    if (secret.n == 0 || secret.n > PLAIN_MAX) {
        return err_set(e, ERR_INPUT, "a secret of %zu octets", secret.n);
    }
    buf_truncate(out, 0);
    sealed = buf_extend(out, SEAL_OVERHEAD + secret.n, e);
    if (sealed == NULL) {
        return -1;
    }
    sealed[0] = VERSION;
    nonce = sealed + 1;
    text = nonce + NONCE_SIZE;
    if (random_bytes(nonce, NONCE_SIZE, e) != 0) {
        return -1;
    }
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.p, nonce) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)id, (int)strlen(id)) != 1 ||
        EVP_EncryptUpdate(ctx, text, &n, secret.p, (int)secret.n) != 1 ||
        EVP_EncryptFinal_ex(ctx, text + n, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, text + secret.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "seal a secret");
    }
    return 0;
}

int
seal_open(struct span key, const char *id, struct span sealed, struct buf *out, struct err *e)
{
    CLEANUP(cipher_ctx_cleanup) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t tag[TAG_SIZE];
    uint8_t *plain;
    size_t size;
    int n = 0;
    int last = 0;

    assert(key.n == SEAL_KEY_SIZE && out->secret);
    if (sealed.n <= SEAL_OVERHEAD || sealed.n > SEAL_OVERHEAD + PLAIN_MAX ||
        sealed.p[0] != VERSION) {
        return err_set(e, ERR_CRYPTO, "sealed secret of %zu octets is not one of ours", sealed.n);
    }
    size = sealed.n - SEAL_OVERHEAD;
    memcpy(tag, sealed.p + sealed.n - TAG_SIZE, TAG_SIZE);
    buf_truncate(out, 0);
    plain = buf_extend(out, size, e);
    if (plain == NULL) {
        return -1;
    }
    if (ctx == NULL || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.p, sealed.p + 1) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)id, (int)strlen(id)) != 1 ||
        EVP_DecryptUpdate(ctx, plain, &n, sealed.p + 1 + NONCE_SIZE, (int)size) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1 ||
        EVP_DecryptFinal_ex(ctx, plain + n, &last) != 1) {
        buf_truncate(out, 0);
        return ossl_err(e, ERR_CRYPTO,
                        "sealed secret does not open: is this the token of this ra.db?");
    }
    return 0;
}

/* With a key of its own, derived from the one that encrypts: one key, one use. */
int
seal_stamp(struct span key, struct span octets, uint8_t out[SEAL_STAMP_SIZE], struct err *e)
{
    static const unsigned char purpose[] = "nfpki-ra: what is not signed yet";
    CLEANUP(buf_free) struct buf own = BUF_SECRET(SEAL_STAMP_SIZE);
    uint8_t *k = buf_extend(&own, SEAL_STAMP_SIZE, e);

    assert(key.n == SEAL_KEY_SIZE);
    if (k == NULL) {
        return -1;
    }
    return HMAC(EVP_sha256(), key.p, (int)key.n, purpose, sizeof(purpose) - 1, k, NULL) != NULL &&
                   HMAC(EVP_sha256(), k, SEAL_STAMP_SIZE, octets.p, octets.n, out, NULL) != NULL
               ? 0
               : ossl_err(e, ERR_CRYPTO, "HMAC");
}
