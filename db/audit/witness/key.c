/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/witness/key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ossl.h"

enum { KEY_FILE_MAX = 8 * 1024, OTHERS = 077 };

int
witness_key_make(const char *path, const char *name, struct cosigner *c, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(bio_cleanup) BIO *pem = BIO_new(BIO_s_secmem());
    CLEANUP(buf_free) struct buf text = BUF_SECRET(KEY_FILE_MAX);
    CLEANUP(mem_cleanup) char *public = NULL;
    const char *octets;
    long n;

    if (key == NULL || pem == NULL ||
        PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "make an Ed25519 key");
    }
    if (cosigner_of(c, name, key, e) != 0) {
        return -1;
    }
    public = cosigner_format(c);
    n = BIO_get_mem_data(pem, &octets);
    if (buf_append_str(&text, public, e) != 0 ||
        buf_append(&text, span_of(octets, n < 0 ? 0 : (size_t)n), e) != 0) {
        return -1;
    }
    return file_create(path, buf_span(&text), S_IRUSR | S_IWUSR, e);
}

/* Nobody is asked for a passphrase. */
static int
no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static int
read_file(const char *path, struct buf *text, struct err *e)
{
    struct stat st;

    if (file_read(path, text, e) != 0) {
        return -1;
    }
    if (stat(path, &st) != 0) {
        return err_errno(e, ERR_IO, errno, "%s", path);
    }
    return (st.st_mode & OTHERS) == 0
               ? 0
               : err_set(e, ERR_DENIED, "%s: others than its owner may read or write it", path);
}

EVP_PKEY *
witness_key_load(const char *path, struct cosigner *c, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_SECRET(KEY_FILE_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(bio_cleanup) BIO *pem = NULL;
    struct cosigner own;
    const uint8_t *end;

    if (read_file(path, &text, e) != 0) {
        return NULL;
    }
    end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);
    if (end == NULL) {
        (void)err_set(e, ERR_INPUT, "%s: its first line is no verifier key", path);
        return NULL;
    }
    if (cosigner_parse(c, span_of(text.p, (size_t)(end - text.p)), e) != 0) {
        (void)err_wrap(e, "%s: the first line", path);
        return NULL;
    }
    ERR_clear_error();
    pem = BIO_new_mem_buf(end + 1, (int)(text.n - (size_t)(end + 1 - text.p)));
    key = pem == NULL ? NULL : PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
    if (key == NULL) {
        (void)ossl_err(e, ERR_INPUT, "%s: no private key in PEM behind the first line", path);
        return NULL;
    }
    if (cosigner_of(&own, c->name, key, e) != 0) {
        (void)err_wrap(e, "%s", path);
        return NULL;
    }
    if (c->type != COSIGNER_V1 || memcmp(own.key, c->key, COSIGNER_KEY) != 0) {
        (void)err_set(e, ERR_INPUT, "%s: the first line is not of the key behind it, of type 0x04",
                      path);
        return NULL;
    }
    return TAKE(key);
}
