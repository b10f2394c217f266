/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/cactl/officer.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { DAY = 86400 };

char *
cactl_key_write(const struct cactl_scene *s, EVP_PKEY *key, const char *name,
                const char *passphrase)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    const int n_passphrase = passphrase == NULL ? 0 : (int)strlen(passphrase);
    char *text;
    long n;

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key,
                                                   passphrase == NULL ? NULL : EVP_aes_256_cbc(),
                                                   passphrase, n_passphrase, NULL, NULL),
                     1);
    n = BIO_get_mem_data(bio, &text);
    return cactl_file(s, name, span_of(text, (size_t)n));
}

static void
make_certificate(struct cactl_officer *o, const struct cactl_scene *s)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME *name;
    char *text;
    long n;

    o->key = EVP_EC_gen("P-256");
    o->certificate = X509_new();
    name = X509_get_subject_name(o->certificate);
    assert_int_equal(X509_set_version(o->certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(o->certificate), 7), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"Alice", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(o->certificate, name), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(o->certificate), -DAY));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(o->certificate), DAY));
    assert_int_equal(X509_set_pubkey(o->certificate, o->key), 1);
    assert_true(X509_sign(o->certificate, o->key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, o->certificate), 1);
    n = BIO_get_mem_data(bio, &text);
    o->certificate_path = cactl_file(s, "officer.pem", span_of(text, (size_t)n));
}

void
cactl_officer_make(struct cactl_officer *o, const struct cactl_scene *s)
{
    make_certificate(o, s);
    o->key_path = cactl_key_write(s, o->key, "key.pem", NULL);
    o->locked_path = cactl_key_write(s, o->key, "locked.pem", "secret");
}

void
cactl_officer_free(struct cactl_officer *o)
{
    mem_free(o->certificate_path);
    mem_free(o->key_path);
    mem_free(o->locked_path);
    X509_free(o->certificate);
    EVP_PKEY_free(o->key);
}

int
cactl_readable(const char *text)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    (void)close(ends[1]);
    return ends[0];
}
