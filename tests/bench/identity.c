/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/identity.h"

#include <openssl/pem.h>
#include <stdio.h>

#include "tests/support/forge.h"

enum { DAY = 24 * 60 * 60, DER_MAX = 4096 };

void
identities_free(struct identity *list, size_t n)
{
    for (size_t i = 0; list != NULL && i < n; i++) {
        X509_free(list[i].certificate);
        EVP_PKEY_free(list[i].key);
    }
    mem_free(list);
}

static int
make_one(BIO *out, X509 *vendor, EVP_PKEY *vendor_key, size_t i, struct err *e)
{
    CLEANUP(mem_cleanup) char *subject = mem_printf("O=Vendor/CN=nf-%zu", i);
    CLEANUP(mem_cleanup) char *serial = mem_printf("%zx", i + 0x10000);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
    const struct forge f = {.subject = subject,
                            .key = key,
                            .issuer = vendor,
                            .issuer_key = vendor_key,
                            .not_before = clock_now() - DAY,
                            .not_after = clock_now() + DAY,
                            .serial = serial,
                            .extensions = {FORGE_LEAF}};
    CLEANUP(x509_cleanup) X509 *certificate = forge_certificate(&f);
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    if (OSSL_ENCODE(X509, certificate, &der, e) != 0 || sha256(buf_span(&der), hash, e) != 0) {
        return -1;
    }
    if (PEM_write_bio_X509(out, certificate) != 1 ||
        PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return ossl_err(e, ERR_IO, "an identity cannot be written");
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    (void)printf("%s\n", hex);
    return 0;
}

int
identities_make(const char *path, size_t n, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *out = BIO_new_file(path, "w");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    const struct forge f = {.subject = "O=Vendor/CN=Root",
                            .key = key,
                            .not_before = clock_now() - DAY,
                            .not_after = clock_now() + 2 * DAY,
                            .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *vendor = forge_certificate(&f);

    if (out == NULL) {
        return ossl_err(e, ERR_IO, "%s cannot be written", path);
    }
    for (size_t i = 0; i < n; i++) {
        if (make_one(out, vendor, key, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

struct identity *
identities_load(const char *path, size_t n, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *in = BIO_new_file(path, "r");
    struct identity *list = mem_zalloc(n, sizeof(*list));

    for (size_t i = 0; i < n; i++) {
        list[i].certificate = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
        list[i].key = in == NULL ? NULL : PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
        if (list[i].certificate == NULL || list[i].key == NULL) {
            (void)ossl_err(e, ERR_INPUT, "%s has %zu identities", path, i);
            identities_free(list, n);
            return NULL;
        }
    }
    return list;
}
