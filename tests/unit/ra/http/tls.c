/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/http/tls.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/support/web.h"

#define REQUEST SPAN_LITERAL("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")

struct site {
    char *dir;
    char *certificate;
    char *ca;
    struct tls_options options;
};

static struct site
site_new(enum tls_client client)
{
    struct site s = {.dir = tmpdir_new()};

    web_files(s.dir);
    s.certificate = mem_printf("%s/server.pem", s.dir);
    s.ca = mem_printf("%s/ca.pem", s.dir);
    s.options = (struct tls_options){
        .certificate = s.certificate, .credential = "server.key", .client = client};
    if (client != TLS_CLIENT_NONE) {
        s.options.client_roots[s.options.n_client_roots++] = s.ca;
    }
    return s;
}

static void
site_cleanup(struct site *s)
{
    tmpdir_cleanup(&s->dir);
    mem_free(s->certificate);
    mem_free(s->ca);
}

static struct tls *
must_tls(const struct site *s)
{
    struct err e;
    struct tls *tls = tls_new(&s->options, &e);

    if (tls == NULL) {
        fail_msg("%s", e.text);
    }
    return tls;
}

/* One request by `ctx`, which is freed: 1 when it was answered. */
static unsigned
ask(struct web *web, SSL_CTX *ctx)
{
    struct visitor v = visitor_new(web, ctx);
    char heard[64] = "";

    SSL_CTX_free(ctx);
    if (v.fd < 0) {
        return 0;
    }
    visitor_say(&v, REQUEST);
    visitor_hear(&v, 1, heard, sizeof(heard)); /* TLS 1.3: a refused client hears of it here */
    visitor_close(&v);
    return strcmp(heard, "200") == 0;
}

/* The client hears of a refusal before the server has told us. */
static void
wait_for_failures(const struct web *web, unsigned n)
{
    while (__atomic_load_n(&web->failed_handshakes, __ATOMIC_ACQUIRE) < n) {
        (void)poll(NULL, 0, 5);
    }
}

static void
old_protocols_and_weak_suites_are_refused(void **state)
{
    static const struct {
        const char *name;
        int version;
        const char *suites; /* of TLS 1.2 */
        const char *groups;
        const char *signatures;
        unsigned answered;
    } rows[] = {
        {"TLS 1.1", TLS1_1_VERSION, "ALL", NULL, NULL, 0},
        {"TLS 1.0", TLS1_VERSION, "ALL", NULL, NULL, 0},
        {"TLS 1.3", TLS1_3_VERSION, NULL, NULL, NULL, 1},
        {"TLS 1.2", TLS1_2_VERSION, NULL, NULL, NULL, 1},
        {"AEAD", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", NULL, NULL, 1},
        {"ChaCha20", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", NULL, NULL, 1},
        {"CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384", NULL, NULL, 0},
        {"no forward secrecy", TLS1_2_VERSION, "AES256-GCM-SHA384", NULL, NULL, 0},
        {"CCM-8", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM8", NULL, NULL, 0},
        {"P-256", TLS1_3_VERSION, NULL, "P-256", NULL, 1},
        {"P-384", TLS1_3_VERSION, NULL, "P-384", NULL, 1},
        {"X25519", TLS1_3_VERSION, NULL, "X25519", NULL, 1},
        {"P-521", TLS1_3_VERSION, NULL, "P-521", NULL, 0},
        {"finite field", TLS1_3_VERSION, NULL, "ffdhe2048", NULL, 0},
        {"SHA-1 only", TLS1_2_VERSION, NULL, NULL, "ECDSA+SHA1:RSA+SHA1", 0},
        {"SHA-256", TLS1_2_VERSION, NULL, NULL, "ECDSA+SHA256", 1},
    };
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
    unsigned old = 0;
    struct web web;

    (void)state;
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SSL_CTX *ctx = web_client(site.dir, NULL);
        char list[64]; /* OpenSSL's macros take it without const */

        SSL_CTX_set_security_level(ctx, 0);
        assert_int_equal(SSL_CTX_set_min_proto_version(ctx, rows[i].version), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(ctx, rows[i].version), 1);
        if (rows[i].suites != NULL) {
            assert_int_equal(SSL_CTX_set_cipher_list(ctx, rows[i].suites), 1);
        }
        if (rows[i].groups != NULL) {
            (void)snprintf(list, sizeof(list), "%s", rows[i].groups);
            assert_int_equal(SSL_CTX_set1_groups_list(ctx, list), 1);
        }
        if (rows[i].signatures != NULL) {
            (void)snprintf(list, sizeof(list), "%s", rows[i].signatures);
            assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, list), 1);
        }
        if (ask(&web, ctx) != rows[i].answered) {
            fail_msg("%s: %s", rows[i].name, rows[i].answered ? "refused" : "answered");
        }
        if (rows[i].version < TLS1_2_VERSION) { /* not for want of a common suite */
            wait_for_failures(&web, ++old);
            assert_string_equal(web.why, "unsupported protocol");
        }
    }
    web_stop(&web);
    assert_int_equal(web.failed_handshakes, 8);
}

static void
nothing_is_resumed_and_nothing_negotiated_again(void **state)
{
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
    SSL_CTX *ctx = web_client(site.dir, NULL);
    struct web web;
    struct visitor v;
    char heard[64];

    (void)state;
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    v = visitor_new(&web, ctx);
    assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(v.ssl)), 0);
    assert_int_equal(SSL_SESSION_is_resumable(SSL_get_session(v.ssl)), 0);
    assert_int_equal(SSL_renegotiate(v.ssl), 1);
    (void)SSL_do_handshake(v.ssl);
    visitor_say(&v, REQUEST);
    visitor_hear(&v, 1, heard, sizeof(heard));
    assert_string_not_equal(heard, "200");
    visitor_close(&v);
    SSL_CTX_free(ctx);
    web_stop(&web);
}

static void
a_client_of_another_protocol_is_refused(void **state)
{
    static const struct {
        const char *alpn;
        unsigned answered;
    } rows[] = {{"\x08http/1.1", 1},
                {"\x02h2\x08http/1.1", 1},
                {"\x08http/1.0", 1},
                {"\x02h2", 0},
                {"\x08http/1.9", 0},
                {"\x09http/1.1x", 0},
                {"\x07http/1.", 0},
                {"\x03"
                 "ftp",
                 0}};
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
    struct web web;

    (void)state;
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SSL_CTX *ctx = web_client(site.dir, NULL);

        assert_int_equal(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)rows[i].alpn,
                                                 (unsigned)strlen(rows[i].alpn)),
                         0);
        assert_int_equal(ask(&web, ctx), rows[i].answered);
    }
    web_stop(&web);
}

static void
a_client_certificate_is_asked_for_as_configured(void **state)
{
    static const struct {
        enum tls_client client;
        const char *certificate;
        unsigned answered;
        const char *seen;
    } rows[] = {
        {TLS_CLIENT_NONE, NULL, 1, ""},
        {TLS_CLIENT_NONE, "client", 1, ""},
        {TLS_CLIENT_OPTIONAL, NULL, 1, ""},
        {TLS_CLIENT_OPTIONAL, "client", 1, "/CN=client"},
        {TLS_CLIENT_OPTIONAL, "stranger", 0, ""},
        {TLS_CLIENT_REQUIRE, NULL, 0, ""},
        {TLS_CLIENT_REQUIRE, "client", 1, "/CN=client"},
        {TLS_CLIENT_REQUIRE, "stranger", 0, ""},
    };
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(site_cleanup) struct site site = site_new(rows[i].client);
        CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);

        for (size_t j = 0; j < ARRAY_LEN(versions); j++) {
            SSL_CTX *ctx = web_client(site.dir, rows[i].certificate);
            struct web web;

            assert_int_equal(SSL_CTX_set_max_proto_version(ctx, versions[j]), 1);
            web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
            if (ask(&web, ctx) != rows[i].answered) {
                fail_msg("row %zu, version %zu", i, j);
            }
            web_stop(&web);
            assert_string_equal(web.certificate, rows[i].seen);
            assert_int_equal(web.failed_handshakes, !rows[i].answered);
        }
    }
}

static void
a_servers_own_certificate_is_not_a_clients(void **state)
{
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_REQUIRE);
    CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/credentials/server.key", site.dir);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s/server.key", site.dir);
    struct web web;

    (void)state;
    assert_int_equal(rename(from, to), 0);
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    assert_int_equal(ask(&web, web_client(site.dir, "server")), 0);
    web_stop(&web);
    assert_string_equal(web.why, "certificate verify failed");
}

/* ---- files ---- */

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
        CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
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
        assert_int_equal(ask(&web, ctx), 1);
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
    tls = must_tls(&site);
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

static void
a_renewed_certificate_is_shown_to_new_connections_only(void **state)
{
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
    SSL_CTX *ctx = web_client(site.dir, NULL);
    struct web web;
    struct visitor before;
    struct visitor after;
    char heard[64];
    char name[64];
    struct err e;

    (void)state;
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    before = visitor_new(&web, ctx);
    web_new_server(site.dir, "second", true);
    assert_ok(tls_reload(tls, &e), &e); /* nobody else uses it now */
    after = visitor_new(&web, ctx);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(after.ssl)),
                                    NID_commonName, name, sizeof(name));
    assert_string_equal(name, "second");
    visitor_say(&before, REQUEST);
    visitor_hear(&before, 1, heard, sizeof(heard));
    assert_string_equal(heard, "200");
    visitor_close(&before);
    visitor_close(&after);
    SSL_CTX_free(ctx);
    web_stop(&web);
    assert_true(tls_not_after(tls) > clock_now());
}

static void
a_credential_is_a_plain_name(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {{"a23456789012345678901234567890123456789012345678901234567890ABCD", true}, /* 64 */
                {"a23456789012345678901234567890123456789012345678901234567890ABCDE", false},
                {"ra-tls.key", true},
                {"a", true},
                {"", false},
                {"..", false},
                {"../x", false},
                {"/etc/x", false},
                {".key", false},
                {"a b", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(tls_is_credential_name(rows[i].name), rows[i].good);
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

static void
who_asks_clients_for_certificates_says_whose(void **state)
{
    static const struct {
        enum tls_client client;
        bool taken;
    } rows[] = {{TLS_CLIENT_NONE, true}, {TLS_CLIENT_OPTIONAL, false}, {TLS_CLIENT_REQUIRE, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_OPTIONAL);
        CLEANUP(tls_cleanup) struct tls *tls = NULL;
        struct err e = {0};

        site.options.client = rows[i].client;
        site.options.n_client_roots = 0;
        tls = tls_new(&site.options, &e);
        assert_int_equal(tls != NULL, rows[i].taken);
        if (!rows[i].taken) {
            assert_int_equal(e.code, ERR_INPUT);
            assert_string_equal(e.text, "client certificates without client roots");
        }
    }
}

static void
a_certificate_ends_when_it_says(void **state)
{
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = must_tls(&site);
    CLEANUP(bio_cleanup) BIO *in = BIO_new_file(site.certificate, "r");
    CLEANUP(x509_cleanup) X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
    struct tm tm;

    (void)state;
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm), 1);
    assert_int_equal(tls_not_after(tls), timegm(&tm));
}

static int
set_up(void **state)
{
    struct err e;

    (void)state;
    assert_ok(proc_harden(&e), &e); /* SIGPIPE */
    assert_ok(ossl_init(&e), &e);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    web_forget();
    OPENSSL_cleanup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_protocols_and_weak_suites_are_refused),
        cmocka_unit_test(nothing_is_resumed_and_nothing_negotiated_again),
        cmocka_unit_test(a_client_of_another_protocol_is_refused),
        cmocka_unit_test(a_client_certificate_is_asked_for_as_configured),
        cmocka_unit_test(a_servers_own_certificate_is_not_a_clients),
        cmocka_unit_test(broken_files_are_named_and_change_nothing),
        cmocka_unit_test(the_first_key_of_a_file_is_the_one),
        cmocka_unit_test(a_certificate_that_is_not_valid_now_is_refused),
        cmocka_unit_test(a_renewed_certificate_is_shown_to_new_connections_only),
        cmocka_unit_test(a_credential_is_a_plain_name),
        cmocka_unit_test(a_file_has_its_limit_of_certificates),
        cmocka_unit_test(who_asks_clients_for_certificates_says_whose),
        cmocka_unit_test(a_certificate_ends_when_it_says),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
