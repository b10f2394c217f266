/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/mac.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdatomic.h>

#include "base/ossl.h"
#include "ca/cmp/message/field.h"

struct cmp_mac_key {
    struct buf algorithm;
    struct buf key; /* secret */
    const EVP_MD *md;
    atomic_int owners;
};

enum { MAC_ALGORITHM_MAX = 1024, KEY_KEPT_MAX = 128 /* a block of SHA-512 */ };

/* RFC 9810 5.1.3.1: OWF(secret || salt), then OWF over itself until `count` times in all. The
 * result is the HMAC key as it is: HMAC takes keys of any length. */
static int
derive_pbm(const struct cmp_mac_algorithm *p, struct span secret, struct buf *key, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned size = (unsigned)EVP_MD_get_size(p->kdf_md);
    uint8_t *k = buf_extend(key, size, e);
    bool ok;

    if (k == NULL) {
        return -1;
    }
    ok = context != NULL && EVP_DigestInit_ex2(context, p->kdf_md, NULL) == 1 &&
         EVP_DigestUpdate(context, secret.p, secret.n) == 1 &&
         EVP_DigestUpdate(context, p->salt, p->salt_size) == 1 &&
         EVP_DigestFinal_ex(context, k, NULL) == 1;
    for (int i = 1; ok && i < p->count; i++) {
        /* NULL: the same digest again, without looking it up */
        ok = EVP_DigestInit_ex2(context, NULL, NULL) == 1 &&
             EVP_DigestUpdate(context, k, size) == 1 && EVP_DigestFinal_ex(context, k, NULL) == 1;
    }
    return ok ? 0 : ossl_err(e, ERR_CRYPTO, "derive a key for PasswordBasedMac");
}

/* What HMAC makes of a key that is longer than a block of its hash (RFC 2104 2): so it is kept. */
static int
shorten(const EVP_MD *md, struct span derived, struct buf *key, struct err *e)
{
    uint8_t *k;
    unsigned n = 0;

    if (derived.n <= (size_t)EVP_MD_get_block_size(md)) {
        return buf_set(key, derived, e);
    }
    k = buf_extend(key, (size_t)EVP_MD_get_size(md), e);
    if (k == NULL) {
        return -1;
    }
    return EVP_Digest(derived.p, derived.n, k, &n, md, NULL) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "shorten a key for PBMAC1");
}

static int
derive_pbmac1(const struct cmp_mac_algorithm *p, struct span secret, struct buf *key, struct err *e)
{
    CLEANUP(buf_free) struct buf derived = BUF_SECRET(CMP_MAC_KEY_MAX);
    uint8_t *k = buf_extend(&derived, p->key_size, e);

    if (k == NULL) {
        return -1;
    }
    if (PKCS5_PBKDF2_HMAC((const char *)secret.p, (int)secret.n, p->salt, (int)p->salt_size,
                          p->count, p->kdf_md, (int)p->key_size, k) != 1) {
        return ossl_err(e, ERR_CRYPTO, "derive a key for PBMAC1");
    }
    return shorten(p->mac_md, buf_span(&derived), key, e);
}

static int
derive(const struct cmp_mac_algorithm *p, struct span secret, struct buf *key, struct err *e)
{
    return p->pbmac1 ? derive_pbmac1(p, secret, key, e) : derive_pbm(p, secret, key, e);
}

void
cmp_mac_key_free(struct cmp_mac_key *key)
{
    if (key != NULL && atomic_fetch_sub(&key->owners, 1) == 1) {
        buf_free(&key->key);
        buf_free(&key->algorithm);
        mem_free(key);
    }
}

struct cmp_mac_key *
cmp_mac_key_hold(struct cmp_mac_key *key)
{
    (void)atomic_fetch_add(&key->owners, 1);
    return key;
}

/* A key without its octets. */
static struct cmp_mac_key *
empty_key(struct span algorithm, const struct cmp_mac_algorithm *p, struct err *e)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = mem_new(sizeof(*key));

    atomic_init(&key->owners, 1);
    key->algorithm = BUF_INIT(MAC_ALGORITHM_MAX);
    key->key = BUF_SECRET(KEY_KEPT_MAX);
    key->md = p->mac_md;
    return buf_set(&key->algorithm, algorithm, e) == 0 ? TAKE(key) : NULL;
}

struct cmp_mac_key *
cmp_mac_key_new(struct span algorithm, struct span secret, const struct cmp_mac_limits *limits,
                enum cmp_failure *failure, struct err *e)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    struct cmp_mac_algorithm p;

    if (cmp_mac_algorithm_read(algorithm, limits, &p, e) != 0) {
        *failure = CMP_BAD_ALG;
        return NULL;
    }
    if (secret.n == 0 || secret.n > INT32_MAX) {
        (void)cmp_fault(failure, CMP_SYSTEM_FAILURE, e, "the secret is empty or too long");
        return NULL;
    }
    *failure = CMP_SYSTEM_FAILURE;
    key = empty_key(algorithm, &p, e);
    if (key == NULL || derive(&p, secret, &key->key, e) != 0) {
        return NULL;
    }
    *failure = CMP_NO_FAILURE;
    return TAKE(key);
}

struct cmp_mac_key *
cmp_mac_key_random(struct span algorithm, const struct cmp_mac_limits *limits,
                   enum cmp_failure *failure, struct err *e)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    struct cmp_mac_algorithm p;
    uint8_t *octets;

    if (cmp_mac_algorithm_read(algorithm, limits, &p, e) != 0) {
        *failure = CMP_BAD_ALG;
        return NULL;
    }
    *failure = CMP_SYSTEM_FAILURE;
    key = empty_key(algorithm, &p, e);
    octets = key == NULL ? NULL : buf_extend(&key->key, CMP_MAC_SIZE_MAX, e);
    if (octets == NULL) {
        return NULL;
    }
    if (RAND_priv_bytes(octets, CMP_MAC_SIZE_MAX) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "random octets");
        return NULL;
    }
    *failure = CMP_NO_FAILURE;
    return TAKE(key);
}

int
cmp_mac_work_do(const struct cmp_mac_work *work, struct err *e)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(KEY_KEPT_MAX);
    struct cmp_mac_algorithm p;

    cmp_mac_algorithm_of_work(work, &p);
    return derive(&p, SPAN_LITERAL("nobody's secret"), &key, e);
}

struct span
cmp_mac_key_algorithm(const struct cmp_mac_key *key)
{
    return buf_span(&key->algorithm);
}

bool
cmp_mac_key_fits(const struct cmp_mac_key *key, const struct cmp_msg *msg)
{
    return span_equal(buf_span(&key->algorithm), cmp_msg_protection_alg(msg));
}

int
cmp_mac_make(const struct cmp_mac_key *key, struct span protected_part, struct buf *mac,
             struct err *e)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (HMAC(key->md, key->key.p, (int)key->key.n, protected_part.p, protected_part.n, out, &n) ==
        NULL) {
        return ossl_err(e, ERR_CRYPTO, "HMAC");
    }
    return buf_set(mac, span_of(out, n), e);
}

int
cmp_mac_verify(const struct cmp_mac_key *key, const struct cmp_msg *msg, enum cmp_failure *failure,
               struct err *e)
{
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(buf_free) struct buf mac = BUF_INIT(CMP_MAC_SIZE_MAX);

    if (!cmp_mac_key_fits(key, msg)) {
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e,
                         "the key was derived with other parameters than the message's");
    }
    *failure = CMP_SYSTEM_FAILURE;
    if (cmp_msg_protected_part(msg, &part, e) != 0 ||
        cmp_mac_make(key, buf_span(&part), &mac, e) != 0) {
        return -1;
    }
    if (!span_equal_secret(cmp_msg_protection(msg), buf_span(&mac))) {
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e, "MAC does not verify");
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
