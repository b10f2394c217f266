/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/heads.h"

#include <pthread.h>
#include <string.h>

#include "ca/cmp/message/msg.h"
#include "ca/x509/pubkey.h"

struct id {
    uint8_t octets[SHA256_SIZE];
};

struct cmp_heads {
    pthread_mutex_t lock;
    size_t n;    /* that are there */
    size_t next; /* where the next one goes */
    struct id known[CMP_HEADS_MAX];
};

struct cmp_heads *
cmp_heads_new(void)
{
    struct cmp_heads *heads = mem_new(sizeof(*heads));

    (void)pthread_mutex_init(&heads->lock, NULL);
    return heads;
}

void
cmp_heads_free(struct cmp_heads *heads)
{
    if (heads != NULL) {
        (void)pthread_mutex_destroy(&heads->lock);
        mem_free(heads);
    }
}

/* Of certificate, text and signature; the first two as hashes, so that none runs into the next. */
static int
identify(X509 *ra, struct span text, struct span signature, struct id *out, struct err *e)
{
    CLEANUP(buf_free) struct buf certificate = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf all = BUF_INIT(CMP_MESSAGE_MAX);
    struct id part;

    if (OSSL_ENCODE(X509, ra, &certificate, e) != 0 ||
        sha256(buf_span(&certificate), part.octets, e) != 0 ||
        buf_append(&all, span_of(part.octets, sizeof(part.octets)), e) != 0 ||
        sha256(text, part.octets, e) != 0 ||
        buf_append(&all, span_of(part.octets, sizeof(part.octets)), e) != 0 ||
        buf_append(&all, signature, e) != 0) {
        return -1;
    }
    return sha256(buf_span(&all), out->octets, e);
}

static bool
is_known(struct cmp_heads *heads, const struct id *id)
{
    bool found = false;

    (void)pthread_mutex_lock(&heads->lock);
    for (size_t i = 0; i < heads->n && !found; i++) {
        found = memcmp(heads->known[i].octets, id->octets, sizeof(id->octets)) == 0;
    }
    (void)pthread_mutex_unlock(&heads->lock);
    return found;
}

/* Two workers may have verified the same: then it is there twice, and does no harm. */
static void
remember(struct cmp_heads *heads, const struct id *id)
{
    (void)pthread_mutex_lock(&heads->lock);
    heads->known[heads->next] = *id;
    heads->next = (heads->next + 1) % CMP_HEADS_MAX;
    heads->n += heads->n < CMP_HEADS_MAX ? 1 : 0;
    (void)pthread_mutex_unlock(&heads->lock);
}

static int
verify(X509 *ra, struct span text, struct span signature, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = X509_get0_pubkey(ra);
    struct span algorithm;
    const EVP_MD *md;

    if (key == NULL || pubkey_signature_algorithm(key, &algorithm, &md, e) != 0) {
        return err_set(e, ERR_CRYPTO, "the RA's key is not P-256, P-384 or RSA of 3072 bits");
    }
    if (context == NULL || EVP_DigestVerifyInit(context, NULL, md, NULL, key) != 1 ||
        EVP_DigestVerify(context, signature.p, signature.n, text.p, text.n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "signature does not verify");
    }
    return 0;
}

int
cmp_heads_verify(struct cmp_heads *heads, X509 *ra, struct span text, struct span signature,
                 struct err *e)
{
    struct id id;

    if (heads == NULL) {
        return verify(ra, text, signature, e);
    }
    if (identify(ra, text, signature, &id, e) != 0) {
        return -1;
    }
    if (is_known(heads, &id)) {
        return 0;
    }
    if (verify(ra, text, signature, e) != 0) {
        return -1;
    }
    remember(heads, &id);
    return 0;
}

bool
cmp_heads_has(struct cmp_heads *heads, X509 *ra, struct span text, struct span signature)
{
    struct err e = {0};
    struct id id;

    return identify(ra, text, signature, &id, &e) == 0 && is_known(heads, &id);
}
