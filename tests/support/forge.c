/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/forge.h"

#include <openssl/conf.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FILE_MAX = 1024 * 1024 };

static void
need(bool ok, const char *what)
{
    if (!ok) {
        struct err e;

        (void)ossl_err(&e, ERR_CRYPTO, "%s", what);
        (void)fprintf(stderr, "support/forge: %s\n", e.text);
        abort();
    }
}

static X509_NAME *
name_of(const char *text)
{
    X509_NAME *name = X509_NAME_new();
    CLEANUP(mem_cleanup) char *copy = mem_strdup(text);
    char *rest = copy;
    char *part;

    while ((part = strsep(&rest, "/")) != NULL) {
        char *value = strchr(part, '=');

        if (value != NULL) {
            *value++ = '\0';
            need(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (unsigned char *)value, -1,
                                            -1, 0) == 1,
                 part);
        }
    }
    return name;
}

/* What dirName:d and dirName:l are. */
static const char names[] = "[d]\n1.C=SE\n2.O=Vendor\n[l]\n1.C=SE\n2.O=Vendor\n3.OU=Radio\n";

static X509_EXTENSION *
extension_of(const char *text, X509V3_CTX *ctx)
{
    CLEANUP(mem_cleanup) char *copy = mem_strdup(text);
    CONF *conf = NCONF_new(NULL); /* some extensions want one */
    BIO *sections = BIO_new_mem_buf(names, -1);
    char *value = strchr(copy, '=');
    X509_EXTENSION *extension;

    need(value != NULL && conf != NULL && NCONF_load_bio(conf, sections, NULL) == 1, text);
    BIO_free(sections);
    *value++ = '\0';
    X509V3_set_nconf(ctx, conf);
    extension = X509V3_EXT_nconf(conf, ctx, copy, value);
    need(extension != NULL, text);
    NCONF_free(conf);
    return extension;
}

static void
extend(X509 *x, const char *text, X509V3_CTX *ctx)
{
    X509_EXTENSION *extension = extension_of(text, ctx);

    need(X509_add_ext(x, extension, -1) == 1, text);
    X509_EXTENSION_free(extension);
}

static bool
has(const struct forge *f, const char *name)
{
    for (size_t i = 0; i < FORGE_EXTENSIONS_MAX && f->extensions[i] != NULL; i++) {
        if (strncmp(f->extensions[i], name, strlen(name)) == 0) {
            return true;
        }
    }
    return f->bare;
}

static bool
is_edwards(EVP_PKEY *key)
{
    return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 || EVP_PKEY_get_id(key) == EVP_PKEY_ED448;
}

EVP_PKEY *
forge_rsa(const char *exponent)
{
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    CLEANUP(bn_cleanup) BIGNUM *e = NULL;
    EVP_PKEY *key = NULL;

    need(BN_hex2bn(&e, exponent) > 0 && EVP_PKEY_keygen_init(context) == 1 &&
             EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1 &&
             EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1 &&
             EVP_PKEY_generate(context, &key) == 1,
         "RSA key");
    return key;
}

X509 *
forge_certificate(const struct forge *f)
{
    X509 *x = X509_new();
    CLEANUP(x509_name_cleanup) X509_NAME *subject = name_of(f->subject);
    X509 *issuer = f->issuer == NULL ? x : f->issuer;
    EVP_PKEY *issuer_key = f->issuer == NULL ? f->key : f->issuer_key;
    BIGNUM *serial = NULL;
    X509V3_CTX ctx;

    need(x != NULL && X509_set_version(x, X509_VERSION_3) == 1, "certificate");
    need(BN_hex2bn(&serial, f->serial == NULL ? "1000" : f->serial) > 0 &&
             BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL,
         "serial");
    BN_free(serial);
    need(X509_set_subject_name(x, subject) == 1 && X509_set_pubkey(x, f->key) == 1 &&
             X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
             ASN1_TIME_set(X509_getm_notBefore(x), f->not_before) != NULL &&
             ASN1_TIME_set(X509_getm_notAfter(x), f->not_after) != NULL,
         f->subject);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    if (!has(f, "subjectKeyIdentifier")) {
        extend(x, "subjectKeyIdentifier=hash", &ctx);
    }
    if (!has(f, "authorityKeyIdentifier")) {
        extend(x, "authorityKeyIdentifier=keyid:always", &ctx);
    }
    for (size_t i = 0; i < FORGE_EXTENSIONS_MAX && f->extensions[i] != NULL; i++) {
        extend(x, f->extensions[i], &ctx);
    }
    need(X509_sign(x, issuer_key,
                   is_edwards(issuer_key) ? NULL
                   : f->digest == NULL    ? EVP_sha256()
                                          : f->digest) > 0,
         "signature");
    return x;
}

static void
crl_extend(X509_CRL *crl, const struct forge_crl *f)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;
    ASN1_INTEGER *number = NULL;

    X509V3_set_ctx(&ctx, f->issuer, NULL, NULL, crl, 0);
    if (!f->no_key_identifier) {
        extension = extension_of("authorityKeyIdentifier=keyid:always", &ctx);
        need(X509_CRL_add_ext(crl, extension, -1) == 1, "CRL");
        X509_EXTENSION_free(extension);
    }
    if (f->number != NULL) {
        number = s2i_ASN1_INTEGER(NULL, f->number);
        need(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, f->number_critical, 0) == 1,
             "cRLNumber");
        ASN1_INTEGER_free(number);
    }
    if (f->extension != NULL) {
        extension = extension_of(f->extension, &ctx);
        need(X509_CRL_add_ext(crl, extension, -1) == 1, f->extension);
        X509_EXTENSION_free(extension);
    }
}

X509_CRL *
forge_crl(const struct forge_crl *f)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_set(NULL, f->this_update);
    X509_REVOKED *entry;

    need(crl != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
             X509_CRL_set_issuer_name(crl, X509_get_subject_name(f->issuer)) == 1 &&
             X509_CRL_set1_lastUpdate(crl, t) == 1,
         "CRL");
    if (f->next_update != 0) {
        need(ASN1_TIME_set(t, f->next_update) != NULL && X509_CRL_set1_nextUpdate(crl, t) == 1,
             "CRL");
    }
    if (f->revoked != NULL) {
        entry = X509_REVOKED_new();
        need(ASN1_TIME_set(t, f->this_update) != NULL &&
                 X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(f->revoked)) == 1 &&
                 X509_REVOKED_set_revocationDate(entry, t) == 1 &&
                 X509_CRL_add0_revoked(crl, entry) == 1,
             "CRL entry");
    }
    ASN1_TIME_free(t);
    crl_extend(crl, f);
    if (f->version_1) {
        need(X509_CRL_set_version(crl, X509_CRL_VERSION_1) == 1, "CRL");
    }
    need(X509_CRL_sign(crl, f->issuer_key, f->digest == NULL ? EVP_sha256() : f->digest) > 0,
         "CRL signature");
    return crl;
}

void
forge_crl_write(X509_CRL *crl, const char *path)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(FILE_MAX);
    struct err e;

    need(OSSL_ENCODE(X509_CRL, crl, &der, &e) == 0 &&
             file_write(path, buf_span(&der), 0644, &e) == 0,
         path);
}

void
forge_certificate_write(X509 *x, const char *path)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(FILE_MAX);
    struct err e;

    need(OSSL_ENCODE(X509, x, &der, &e) == 0 && file_write(path, buf_span(&der), 0644, &e) == 0,
         path);
}
