/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ossl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { SECURE_HEAP = 1024 * 1024, SECURE_MIN = 32, CERTIFICATE_FILE_MAX = 64 * 1024 };

int
ossl_init(struct err *e)
{
    /* The host's openssl.cnf could load providers or change defaults: what was reviewed runs. */
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "initialise OpenSSL");
    }
    if (CRYPTO_secure_malloc_initialized() == 0 &&
        CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) != 1) {
        return err_set(e, ERR_CRYPTO,
                       "no locked memory for secrets: raise RLIMIT_MEMLOCK to 2 MiB at least");
    }
    return 0;
}

int
random_bytes(uint8_t *out, size_t n, struct err *e)
{
    if (RAND_priv_bytes_ex(NULL, out, n, 0) != 1) {
        return ossl_err(e, ERR_CRYPTO, "random number generator");
    }
    return 0;
}

char *
base64_dup(struct span bytes)
{
    char *text = mem_zalloc(4 * ((bytes.n + 2) / 3) + 1, 1);

    (void)EVP_EncodeBlock((unsigned char *)text, bytes.p, (int)bytes.n);
    return text;
}

int
base64_parse(const char *text, struct buf *out, struct err *e)
{
    size_t n = strlen(text);
    size_t padding = 0;
    uint8_t *to;
    CLEANUP(mem_cleanup) char *again = NULL;
    size_t before = out->n;

    if (n == 0) {
        return 0;
    }
    if (n % 4 != 0 || n > INT32_MAX) {
        return err_set(e, ERR_INPUT, "base64: the length is not a multiple of 4");
    }
    while (padding < 2 && padding < n && text[n - 1 - padding] == '=') {
        padding++;
    }
    to = buf_extend(out, n / 4 * 3, e);
    if (to == NULL) {
        return -1;
    }
    if (EVP_DecodeBlock(to, (const unsigned char *)text, (int)n) != (int)(n / 4 * 3)) {
        buf_truncate(out, before);
        return err_set(e, ERR_INPUT, "base64: a character outside the alphabet");
    }
    buf_truncate(out, out->n - padding);
    /* EVP_DecodeBlock skips blanks and ignores spare bits: only the one canonical text passes. */
    again = base64_dup(span_of(out->p + before, out->n - before));
    if (strcmp(again, text) != 0) {
        buf_truncate(out, before);
        return err_set(e, ERR_INPUT, "base64: not in canonical form");
    }
    return 0;
}

int
ossl_encode(ossl_i2d *i2d, const void *object, struct buf *out, struct err *e)
{
    unsigned char *der = NULL;
    int n = i2d(object, &der);
    int result;

    if (n <= 0) {
        return ossl_err(e, ERR_CRYPTO, "encode DER");
    }
    result = buf_append(out, span_of(der, (size_t)n), e);
    OPENSSL_free(der);
    return result;
}

X509 *
certificate_parse(struct span bytes, struct err *e)
{
    const unsigned char *p = bytes.p;
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    if (bytes.n > 0 && bytes.p[0] == 0x30) {
        certificate = d2i_X509(NULL, &p, (long)bytes.n);
        if (certificate != NULL && p != bytes.p + bytes.n) {
            (void)err_set(e, ERR_INPUT, "octets behind the certificate");
            return NULL;
        }
    } else {
        CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);

        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    }
    if (certificate == NULL) {
        (void)ossl_err(e, ERR_INPUT, "not an X.509 certificate in DER or PEM");
        return NULL;
    }
    return TAKE(certificate);
}

X509 *
certificate_load(const char *path, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CERTIFICATE_FILE_MAX);
    X509 *certificate;

    if (file_read(path, &bytes, e) != 0) {
        return NULL;
    }
    certificate = certificate_parse(buf_span(&bytes), e);
    if (certificate == NULL) {
        (void)err_wrap(e, "%s", path);
    }
    return certificate;
}

int
certificate_load_der(const char *path, size_t max, X509 **certificate, struct buf *der,
                     struct err *e)
{
    *certificate = certificate_load(path, e);
    if (*certificate == NULL) {
        return -1;
    }
    *der = BUF_INIT(max);
    return OSSL_ENCODE(X509, *certificate, der, e);
}

void *
certificate_extension(const X509 *certificate, int nid, bool *unread)
{
    int where = -1; /* and so it is left where there is none */
    void *value = X509_get_ext_d2i(certificate, nid, &where, NULL);

    *unread = value == NULL && where != -1;
    return value;
}

/* A library context whose one provider provides nothing, so that there is no decoder to search. */
static OSSL_LIB_CTX *empty_context;
static pthread_once_t empty_context_once = PTHREAD_ONCE_INIT;

static void
make_empty_context(void)
{
    empty_context = OSSL_LIB_CTX_new();
    if (empty_context == NULL || OSSL_PROVIDER_load(empty_context, "null") == NULL) {
        abort();
    }
}

X509 *
certificate_parse_keyless(struct span der, struct err *e)
{
    const unsigned char *p = der.p;
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    (void)pthread_once(&empty_context_once, make_empty_context);
    ERR_clear_error();
    certificate =
        (X509 *)ASN1_item_d2i_ex(NULL, &p, (long)der.n, ASN1_ITEM_rptr(X509), empty_context, NULL);
    if (certificate == NULL) {
        (void)ossl_err(e, ossl_code(ERR_INPUT), "not an X.509 certificate in DER");
        return NULL;
    }
    if (p != der.p + der.n) {
        (void)err_set(e, ERR_INPUT, "octets behind the certificate");
        return NULL;
    }
    return TAKE(certificate);
}

enum { KEY_SPKI_MAX = 2048 }; /* RSA-8192 needs 1064 */

int
certificate_key_hash(const X509 *certificate, uint8_t out[SHA256_SIZE], struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(KEY_SPKI_MAX);

    return OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &spki, e) != 0
               ? -1
               : sha256(buf_span(&spki), out, e);
}

bool
ossl_has_extension(const STACK_OF(X509_EXTENSION) * extensions, int nid)
{
    return X509v3_get_ext_by_NID(extensions, nid, -1) >= 0;
}

time_t
clock_now(void)
{
    return time(NULL);
}

int64_t
clock_monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
time_format(time_t t, char out[TIME_TEXT_SIZE])
{
    struct tm utc;

    (void)gmtime_r(&t, &utc);
    (void)strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

int
time_parse(const char *text, time_t *out, struct err *e)
{
    struct tm utc = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    char again[TIME_TEXT_SIZE];

    if (end == NULL || *end != '\0' || strlen(text) != TIME_TEXT_SIZE - 1) {
        return err_set(e, ERR_INPUT, "not a time like 2026-11-23T20:00:00Z");
    }
    *out = timegm(&utc);
    time_format(*out, again);
    if (strcmp(text, again) != 0) {
        return err_set(e, ERR_INPUT, "no such date");
    }
    return 0;
}
