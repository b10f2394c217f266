/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/ossl.h"

DEFINE_CLEANUP(mac_cleanup, EVP_MAC, EVP_MAC_free)

static EVP_MAC_CTX *
context(struct span key, struct err *e)
{
    CLEANUP(mac_cleanup) EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    if (ctx == NULL || EVP_MAC_init(ctx, key.p, key.n, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        (void)ossl_err(e, ERR_CRYPTO, "HMAC");
        return NULL;
    }
    return ctx;
}

static EVP_MAC_CTX *
derive(EVP_MAC_CTX *master, const char *label, struct err *e)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(MAC_SIZE);
    uint8_t *room = buf_extend(&key, MAC_SIZE, e);
    struct mac mac;

    if (room == NULL) {
        return NULL;
    }
    mac_begin(&mac, master);
    mac_add(&mac, span_str(label));
    return mac_end(&mac, room, e) != 0 ? NULL : context(buf_span(&key), e);
}

int
mac_keys_make(struct mac_keys *keys, struct span key, struct err *e)
{
    EVP_MAC_CTX *master = context(key, e);

    if (master == NULL) {
        return -1;
    }
    keys->row = derive(master, "row", e);
    keys->sum = keys->row == NULL ? NULL : derive(master, "sum", e);
    keys->head = keys->sum == NULL ? NULL : derive(master, "head", e);
    EVP_MAC_CTX_free(master);
    return keys->head == NULL ? -1 : 0;
}

void
mac_keys_free(struct mac_keys *keys)
{
    EVP_MAC_CTX_free(keys->row);
    EVP_MAC_CTX_free(keys->sum);
    EVP_MAC_CTX_free(keys->head);
    *keys = (struct mac_keys){0};
}

void
mac_begin(struct mac *mac, EVP_MAC_CTX *key)
{
    mac->ctx = key;
    mac->failed = EVP_MAC_init(key, NULL, 0, NULL) != 1; /* under the same key again */
}

void
mac_add(struct mac *mac, struct span bytes)
{
    mac->failed = mac->failed || (bytes.n > 0 && EVP_MAC_update(mac->ctx, bytes.p, bytes.n) != 1);
}

void
mac_add_int(struct mac *mac, uint64_t number, size_t octets)
{
    uint8_t bytes[sizeof(number)];

    for (size_t i = octets; i > 0; i--) {
        bytes[i - 1] = (uint8_t)(number & 0xff);
        number >>= 8;
    }
    mac_add(mac, span_of(bytes, octets));
}

int
mac_end(struct mac *mac, uint8_t out[MAC_SIZE], struct err *e)
{
    size_t n = 0;
    const bool failed = mac->failed || EVP_MAC_final(mac->ctx, out, &n, MAC_SIZE) != 1;

    return failed || n != MAC_SIZE ? ossl_err(e, ERR_CRYPTO, "HMAC") : 0;
}

bool
mac_equal(const uint8_t a[MAC_SIZE], const uint8_t b[MAC_SIZE])
{
    return span_equal_secret(span_of(a, MAC_SIZE), span_of(b, MAC_SIZE));
}
