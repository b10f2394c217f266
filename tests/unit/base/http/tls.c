/* SPDX-License-Identifier: Apache-2.0 */
/* Who is answered over TLS, and what each sees of the other. */
#include "base/http/tls.h"

#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/base/http/site.h"

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
    CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
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
        if (site_ask(&web, ctx) != rows[i].answered) {
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
    CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
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
    CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
    struct web web;

    (void)state;
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SSL_CTX *ctx = web_client(site.dir, NULL);

        assert_int_equal(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)rows[i].alpn,
                                                 (unsigned)strlen(rows[i].alpn)),
                         0);
        assert_int_equal(site_ask(&web, ctx), rows[i].answered);
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
        CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);

        for (size_t j = 0; j < ARRAY_LEN(versions); j++) {
            SSL_CTX *ctx = web_client(site.dir, rows[i].certificate);
            struct web web;

            assert_int_equal(SSL_CTX_set_max_proto_version(ctx, versions[j]), 1);
            web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
            if (site_ask(&web, ctx) != rows[i].answered) {
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
    CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/credentials/server.key", site.dir);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s/server.key", site.dir);
    struct web web;

    (void)state;
    assert_int_equal(rename(from, to), 0);
    web_start(&web, &(struct http_options){0}, "127.0.0.1:0", tls);
    assert_int_equal(site_ask(&web, web_client(site.dir, "server")), 0);
    web_stop(&web);
    assert_string_equal(web.why, "certificate verify failed");
}

static void
a_renewed_certificate_is_shown_to_new_connections_only(void **state)
{
    CLEANUP(site_cleanup) struct site site = site_new(TLS_CLIENT_NONE);
    CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
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
    CLEANUP(tls_cleanup) struct tls *tls = site_tls(&site);
    CLEANUP(bio_cleanup) BIO *in = BIO_new_file(site.certificate, "r");
    CLEANUP(x509_cleanup) X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
    struct tm tm;

    (void)state;
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm), 1);
    assert_int_equal(tls_not_after(tls), timegm(&tm));
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
        cmocka_unit_test(a_renewed_certificate_is_shown_to_new_connections_only),
        cmocka_unit_test(a_credential_is_a_plain_name),
        cmocka_unit_test(who_asks_clients_for_certificates_says_whose),
        cmocka_unit_test(a_certificate_ends_when_it_says),
    };

    return cmocka_run_group_tests(tests, site_set_up, site_tear_down);
}
