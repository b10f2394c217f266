/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ossl_thread.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl_err.h"

DEFINE_CLEANUP(evp_md_ctx_cleanup, EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_CLEANUP(evp_pkey_cleanup, EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP(evp_pkey_ctx_cleanup, EVP_PKEY_CTX, EVP_PKEY_CTX_free)

enum { EC_GROUP_NAME_MAX = 16 };

/* SubjectPublicKeyInfo up to the point, whose first octet says uncompressed (RFC 5480 2.1.1, 2.2).
 * There is one encoding, so one comparison. */
static const struct {
    const char *group;
    size_t n_head;
    size_t n_point;
    uint8_t head[27];
} ec_keys[] = {
    {SN_X9_62_prime256v1, 27, 65, {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04}},
    {SN_secp384r1, 24, 97, {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                            0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                            0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04}},
};

struct kept {
    OSSL_LIB_CTX *libctx;
    EVP_MD *sha256;
    EVP_PKEY *blanks[ARRAY_LEN(ec_keys)];
};

static pthread_key_t kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;

static void
forget(void *arg)
{
    struct kept *k = arg;

    for (size_t i = 0; i < ARRAY_LEN(k->blanks); i++) {
        EVP_PKEY_free(k->blanks[i]);
    }
    EVP_MD_free(k->sha256);
    mem_free(k);
}

static void
make_key(void)
{
    if (pthread_key_create(&kept_key, forget) != 0) {
        abort();
    }
}

static struct kept *
kept(void)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_set0_default(NULL); /* which it is; changes nothing */
    struct kept *k;

    (void)pthread_once(&kept_once, make_key);
    k = pthread_getspecific(kept_key);
    if (k != NULL && k->libctx != libctx) {
        forget(k);
        k = NULL;
    }
    if (k == NULL) {
        k = mem_new(sizeof(*k));
        k->libctx = libctx;
        if (pthread_setspecific(kept_key, k) != 0) {
            abort();
        }
    }
    return k;
}

/* ---- SHA-256 ---- */

int
sha256_parts(const struct span *parts, size_t n, uint8_t out[SHA256_SIZE], struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct kept *k = kept();
    int ok;

    if (k->sha256 == NULL) {
        k->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    }
    ok = ctx != NULL && k->sha256 != NULL && EVP_DigestInit_ex2(ctx, k->sha256, NULL) == 1 ? 1 : 0;
    for (size_t i = 0; i < n && ok == 1; i++) {
        ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
    }
    return ok == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? 0
                                                              : ossl_err(e, ERR_CRYPTO, "SHA-256");
}

int
sha256(struct span bytes, uint8_t out[SHA256_SIZE], struct err *e)
{
    return sha256_parts(&bytes, 1, out, e);
}

/* ---- public keys ---- */

static EVP_PKEY *
blank_new(const char *curve)
{
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    char group[EC_GROUP_NAME_MAX]; /* OSSL_PARAM knows no const */
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    (void)snprintf(group, sizeof(group), "%s", curve);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, parameters) != 1) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* To copy one and set its point costs a quarter of what the curve costs that is made anew. NULL:
 * there is no memory for it. */
static EVP_PKEY *
blank(size_t i)
{
    struct kept *k = kept();

    if (k->blanks[i] == NULL) {
        k->blanks[i] = blank_new(ec_keys[i].group);
    }
    return k->blanks[i];
}

/* The import of a point refuses one that is not on the curve, as the decoders do. */
static EVP_PKEY *
ec_key_of(size_t i, struct span point)
{
    EVP_PKEY *from = blank(i);
    EVP_PKEY *key = from == NULL ? NULL : EVP_PKEY_dup(from);

    if (key == NULL || EVP_PKEY_set1_encoded_public_key(key, point.p, point.n) != 1) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

EVP_PKEY *
public_key_parse(struct span spki, struct err *e)
{
    const unsigned char *p = spki.p;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;

    for (size_t i = 0; i < ARRAY_LEN(ec_keys) && key == NULL; i++) {
        if (spki.n == ec_keys[i].n_head - 1 + ec_keys[i].n_point &&
            memcmp(spki.p, ec_keys[i].head, ec_keys[i].n_head) == 0) {
            key = ec_key_of(i, span_of(spki.p + ec_keys[i].n_head - 1, ec_keys[i].n_point));
            if (key == NULL) {
                (void)ossl_err(e, ERR_INPUT, "public key does not decode");
                return NULL;
            }
        }
    }
    if (key == NULL) {
        key = d2i_PUBKEY(NULL, &p, (long)spki.n);
        if (key == NULL || p != spki.p + spki.n) {
            (void)ossl_err(e, ERR_INPUT, "public key does not decode");
            return NULL;
        }
    }
    return TAKE(key);
}
