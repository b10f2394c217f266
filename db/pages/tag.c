/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/tag.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "base/ossl.h"

enum { MAC_SIZE = 32 };

DEFINE_CLEANUP(mac_cleanup, EVP_MAC, EVP_MAC_free)
DEFINE_CLEANUP(mac_ctx_cleanup, EVP_MAC_CTX, EVP_MAC_CTX_free)

static EVP_MAC_CTX *
context(struct span key, struct err *e)
{
    CLEANUP(mac_cleanup) EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    CLEANUP(mac_ctx_cleanup) EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    if (ctx == NULL || EVP_MAC_init(ctx, key.p, key.n, params) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "HMAC");
        return NULL;
    }
    return TAKE(ctx);
}

static bool
compute(EVP_MAC_CTX *key, const struct span *parts, size_t n, uint8_t out[MAC_SIZE])
{
    size_t size = 0;
    bool ok = EVP_MAC_init(key, NULL, 0, NULL) == 1; /* under the same key again */

    for (size_t i = 0; ok && i < n; i++) {
        ok = EVP_MAC_update(key, parts[i].p, parts[i].n) == 1;
    }
    return ok && EVP_MAC_final(key, out, &size, MAC_SIZE) == 1 && size == MAC_SIZE;
}

static EVP_MAC_CTX *
derive(EVP_MAC_CTX *master, const char *label, struct err *e)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(MAC_SIZE);
    const struct span text = span_str(label);
    uint8_t *room = buf_extend(&key, MAC_SIZE, e);

    if (room == NULL) {
        return NULL;
    }
    if (!compute(master, &text, 1, room)) {
        (void)ossl_err(e, ERR_CRYPTO, "HMAC");
        return NULL;
    }
    return context(buf_span(&key), e);
}

int
tag_keys_make(struct tag_keys *keys, struct span key, struct err *e)
{
    CLEANUP(buf_free) struct buf fresh = BUF_SECRET(MAC_SIZE);
    CLEANUP(mac_ctx_cleanup) EVP_MAC_CTX *master = NULL;

    if (key.n == 0) {
        uint8_t *room = buf_extend(&fresh, MAC_SIZE, e);

        if (room == NULL || random_bytes(room, MAC_SIZE, e) != 0) {
            return -1;
        }
        key = buf_span(&fresh);
    }
    master = context(key, e);
    if (master == NULL) {
        return -1;
    }
    keys->page = derive(master, "pages: a page", e);
    keys->map = keys->page == NULL ? NULL : derive(master, "pages: the map", e);
    keys->wal = keys->map == NULL ? NULL : derive(master, "pages: the WAL", e);
    return keys->wal == NULL ? -1 : 0;
}

void
tag_keys_free(struct tag_keys *keys)
{
    EVP_MAC_CTX_free(keys->page);
    EVP_MAC_CTX_free(keys->map);
    EVP_MAC_CTX_free(keys->wal);
    *keys = (struct tag_keys){0};
}

bool
tag_make(EVP_MAC_CTX *key, const struct span *parts, size_t n, struct tag *out)
{
    uint8_t mac[MAC_SIZE];

    if (!compute(key, parts, n, mac)) {
        return false;
    }
    memcpy(out->octets, mac, sizeof(out->octets));
    return true;
}

bool
tag_page(const struct tag_keys *keys, uint64_t page, struct span content, struct tag *out)
{
    uint8_t number[sizeof(page)] = {0};
    const struct span parts[] = {content, span_of(number, sizeof(number))};

    octets_put(number, page, sizeof(number));
    return tag_make(keys->page, parts, ARRAY_LEN(parts), out);
}

bool
tag_is_none(const struct tag *tag)
{
    static const struct tag none;

    return memcmp(tag, &none, sizeof(none)) == 0;
}

bool
tag_equal(const struct tag *a, const struct tag *b)
{
    return CRYPTO_memcmp(a, b, sizeof(*a)) == 0;
}

void
octets_put(uint8_t *out, uint64_t number, size_t octets)
{
    for (size_t i = octets; i > 0; i--) {
        out[i - 1] = (uint8_t)(number & 0xff);
        number >>= 8;
    }
}

uint64_t
octets_get(const uint8_t *from, size_t octets)
{
    uint64_t number = 0;

    for (size_t i = 0; i < octets; i++) {
        number = number << 8 | from[i];
    }
    return number;
}
