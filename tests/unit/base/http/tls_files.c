/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a server of HTTPS: which are taken, and what is said of the others. */
#include "base/http/tls.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"
#include "tests/unit/base/http/site.h"

static void
put(const char *dir, const char *name, const char *text, mode_t mode)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    struct err e;

    assert_ok(file_write(path, span_str(text), mode, &e), &e);
    assert_int_equal(chmod(path, mode), 0);
}

static void
spoil_certificate(const struct site *s)
{
    put(s->dir, "server.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n", 0600);
}

static void
empty_certificate(const struct site *s)
{
    put(s->dir, "server.pem", "", 0600);
}

static void
other_key(const struct site *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/server.pem", s->dir);
    CLEANUP(buf_free) struct buf old = BUF_INIT(65536);
    struct err e;

    assert_ok(file_read(path, &old, &e), &e);
    web_new_server(s->dir, "second", true);
    assert_ok(file_write(path, buf_span(&old), 0600, &e), &e);
}

static void
client_as_server(const struct site *s)
{
    CLEANUP(mem_cleanup) char *client = mem_printf("%s/client.pem", s->dir);
    CLEANUP(mem_cleanup) char *key = mem_printf("%s/client.key", s->dir);
    CLEANUP(mem_cleanup) char *server_key = mem_printf("%s/credentials/server.key", s->dir);

    assert_int_equal(rename(client, s->certificate), 0);
    assert_int_equal(rename(key, server_key), 0);
}

static void
open_key(const struct site *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/server.key", s->dir);

    assert_int_equal(chmod(path, 0644), 0);
}

static void
spoil_key(const struct site *s)
{
    put(s->dir, "credentials/server.key", "no key", 0600);
}

static void
encrypt_key(const struct site *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/server.key", s->dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
    EVP_PKEY_free(key);
}

/* The server's own key, under this name and with this header. */
static void
rename_key(const struct site *s, const char *name, const char *header)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/server.key", s->dir);
    CLEANUP(bio_cleanup) BIO *in = BIO_new_file(path, "r");
    char *was = NULL;
    char *with = NULL;
    unsigned char *der = NULL;
    long n = 0;
    FILE *out;

    assert_int_equal(PEM_read_bio(in, &was, &with, &der, &n), 1);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(PEM_write(out, name, header, der, n) > 0);
    assert_int_equal(fclose(out), 0);
    OPENSSL_free(was);
    OPENSSL_free(with);
    OPENSSL_free(der);
}

static void
say_encrypted(const struct site *s)
{
    rename_key(s, "ENCRYPTED PRIVATE KEY", "");
}

static void
say_something_else(const struct site *s)
{
    rename_key(s, "KEY", "");
}

static void
say_more(const struct site *s)
{
    rename_key(s, "PRIVATE KEY", "Comment: a key\n");
}

static void
remove_certificate(const struct site *s)
{
    assert_int_equal(remove(s->certificate), 0);
}

static void
append(const char *path, const char *text)
{
    FILE *out = fopen(path, "a");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void
spoil_second(const struct site *s)
{
    append(s->certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n");
}

/* Of 1024 bits, which is too short for level 2. */
static EVP_PKEY *
weak_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(1024);

    assert_non_null(key);
    return key;
}

static X509 *
weak_certificate(EVP_PKEY *key)
{
    const time_t now = clock_now();

    return forge_certificate(
        &(struct forge){.subject = "CN=weak",
                        .key = key,
                        .issuer_key = key,
                        .not_before = now - 60,
                        .not_after = now + 3600,
                        .extensions = {FORGE_LEAF, "extendedKeyUsage=serverAuth"}});
}

static void
weaken(const struct site *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/server.key", s->dir);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = weak_key();
    CLEANUP(x509_cleanup) X509 *certificate = weak_certificate(key);
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
    out = fopen(s->certificate, "w");
    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    assert_int_equal(fclose(out), 0);
}

static void
weaken_second(const struct site *s)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = weak_key();
    CLEANUP(x509_cleanup) X509 *certificate = weak_certificate(key);
    FILE *out = fopen(s->certificate, "a");

    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    assert_int_equal(fclose(out), 0);
}

static void
remove_key(const struct site *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/server.key", s->dir);

    assert_int_equal(remove(path), 0);
}

static void
spoil_roots(const struct site *s)
{
    put(s->dir, "ca.pem", "nothing", 0600);
}

static const struct {
    const char *name;
    void (*spoil)(const struct site *);
    enum err_code code;
    const char *word; /* what the operator must read */
} broken[] = {
    {"spoilt certificate", spoil_certificate, ERR_INPUT, "server.pem"},
    {"empty certificate", empty_certificate, ERR_INPUT, "server.pem"},
    {"another key", other_key, ERR_INPUT, "not the certificate of the key"},
    {"client's certificate", client_as_server, ERR_INPUT, "not for TLS servers"},
    {"key that others can read", open_key, ERR_DENIED, "chmod 600"},
    {"spoilt key", spoil_key, ERR_INPUT, "server.key"},
    {"encrypted key", encrypt_key, ERR_INPUT, "unencrypted"},
    {"a key that is said to be encrypted", say_encrypted, ERR_INPUT, "unencrypted"},
    {"a key of another name", say_something_else, ERR_INPUT, "unencrypted"},
    {"a key with a header", say_more, ERR_INPUT, "unencrypted"},
    {"no key", remove_key, ERR_NOTFOUND, "server.key"},
    {"no certificate", remove_certificate, ERR_NOTFOUND, "server.pem"},
    {"spoilt second certificate", spoil_second, ERR_INPUT, "is not certificates in PEM"},
    {"weak certificate", weaken, ERR_INPUT, "server.pem cannot be used"},
    {"weak second certificate", weaken_second, ERR_INPUT, "server.pem cannot be used"},
    {"spoilt roots", spoil_roots, ERR_INPUT, "ca.pem"},
};

static void
broken_files_are_named_and_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_OPTIONAL);
        CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
        CLEANUP(tls_cleanup) struct tls *none = NULL;
        SSL_CTX *ctx = web_client(site.dir, NULL);
        struct web web;
        struct err e;

        broken[i].spoil(&site);
        assert_err(tls_reload(tls, &e), broken[i].code, &e);
        if (strstr(e.text, broken[i].word) == NULL) {
            fail_msg("%s: \"%s\" does not say %s", broken[i].name, e.text, broken[i].word);
        }
        none = tls_new(&site.options, &e);
        assert_null(none);
        web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
        assert_int_equal(site_ask(&web, ctx), 1);
        web_stop(&web);
    }
}

/* Something else may stand before it, with a short name, and another key behind it. */
static void
the_first_key_of_a_file_is_the_one(void **state)
{
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = NULL;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/credentials/server.key", site.dir);
    CLEANUP(buf_free) struct buf key = BUF_INIT(8192);
    EVP_PKEY *other = EVP_EC_gen("P-256");
    FILE *out;
    struct err e;

    (void)state;
    assert_ok(file_read(path, &key, &e), &e);
    put(site.dir, "credentials/server.key", "-----BEGIN X-----\nAAAA\n-----END X-----\n", 0600);
    out = fopen(path, "a");
    assert_non_null(out);
    assert_int_equal(fwrite(key.p, 1, key.n, out), key.n);
    assert_int_equal(PEM_write_PrivateKey(out, other, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(out), 0);
    EVP_PKEY_free(other);
    tls = site_tls(&site);
    assert_non_null(tls);
}

static void
write_certificate(const struct site *s, X509 *certificate)
{
    FILE *out = fopen(s->certificate, "w");

    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    assert_int_equal(fclose(out), 0);
}

static void
a_certificate_that_is_not_valid_now_is_refused(void **state)
{
    static const struct {
        long from;
        long to;
        const char *word;
    } rows[] = {{-7200, -3600, "expired"}, {3600, 7200, "not valid yet"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
        CLEANUP(x509_cleanup) X509 *certificate = NULL;
        CLEANUP(tls_cleanup) struct tls *tls = NULL;
        struct err e;

        certificate = certificate_load(site.certificate, &e);
        assert_non_null(certificate);
        (void)X509_gmtime_adj(X509_getm_notBefore(certificate), rows[i].from);
        (void)X509_gmtime_adj(X509_getm_notAfter(certificate), rows[i].to);
        assert_true(i2d_re_X509_tbs(certificate, NULL) > 0);
        write_certificate(&site, certificate);
        tls = tls_new(&site.options, &e);
        assert_null(tls);
        if (strstr(e.text, rows[i].word) == NULL) {
            fail_msg("\"%s\" does not say %s", e.text, rows[i].word);
        }
    }
}

/* The server's chain, and the clients' roots: each file has 1 .. TLS_CHAIN_MAX certificates. */
static void
a_file_has_its_limit_of_certificates(void **state)
{
    const size_t counts[] = {1, TLS_CHAIN_MAX, TLS_CHAIN_MAX + 1};

    (void)state;
    for (int roots = 0; roots < 2; roots++) {
        for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
            CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_OPTIONAL);
            CLEANUP(buf_free) struct buf server = BUF_INIT(256 * 1024);
            CLEANUP(buf_free) struct buf ca = BUF_INIT(64 * 1024);
            CLEANUP(buf_free) struct buf all = BUF_INIT(256 * 1024);
            CLEANUP(tls_cleanup) struct tls *tls = NULL;
            CLEANUP(mem_cleanup)
            char *why = mem_printf("%s holds more than 8 certificates",
                                   roots != 0 ? site.ca : site.certificate);
            const uint8_t *end;
            struct err e = {0};

            assert_ok(file_read(site.certificate, &server, &e), &e);
            assert_ok(file_read(site.ca, &ca, &e), &e);
            end = memmem(server.p, server.n, "-----END CERTIFICATE-----\n", 26);
            assert_non_null(end);
            for (size_t k = 0; k < counts[i]; k++) {
                assert_ok(buf_append(&all,
                                     roots == 0 && k == 0
                                         ? span_of(server.p, (size_t)(end + 26 - server.p))
                                         : buf_span(&ca),
                                     &e),
                          &e);
            }
            assert_ok(file_write(roots != 0 ? site.ca : site.certificate, buf_span(&all), 0600, &e),
                      &e);
            tls = tls_new(&site.options, &e);
            if (counts[i] <= TLS_CHAIN_MAX) {
                if (tls == NULL) {
                    fail_msg("%zu: %s", counts[i], e.text);
                }
            } else {
                assert_null(tls);
                assert_int_equal(e.code, ERR_INPUT);
                assert_string_equal(e.text, why);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_named_and_change_nothing),
        cmocka_unit_test(the_first_key_of_a_file_is_the_one),
        cmocka_unit_test(a_certificate_that_is_not_valid_now_is_refused),
        cmocka_unit_test(a_file_has_its_limit_of_certificates),
    };

    return cmocka_run_group_tests(tests, site_set_up, site_tear_down);
}
