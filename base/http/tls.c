/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "base/validity.h"

/* RFC 8446 9.1: the first one must be there, the others should. */
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
/* TS 33.210 6.2.3: forward secrecy and AEAD. */
#define SUITES_12                                                                                  \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "P-256:P-384:X25519"
#define SIGNATURES                                                                                 \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:rsa_pss_rsae_sha256:"                    \
    "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:"               \
    "rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

enum { SECURITY_LEVEL = 2, PEM_FILE_MAX = 256 * 1024 }; /* level 2: 112 bits, RSA-2048 at least */

struct tls {
    struct tls_options options;
    OSSL_LIB_CTX *libctx;
    SSL_CTX *current;
    time_t not_after;
};

DEFINE_CLEANUP(ssl_ctx_cleanup, SSL_CTX, SSL_CTX_free)

bool
tls_is_credential_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= TLS_CREDENTIAL_NAME_MAX && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

void
tls_free(struct tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_CTX_free(tls->current);
    OPENSSL_thread_stop_ex(tls->libctx); /* its random generators of this thread */
    OSSL_LIB_CTX_free(tls->libctx);
    mem_free(tls);
}

/* ---- the private key ---- */

/* PEM in secure memory becomes DER in secure memory. */
static EVP_PKEY *
parse_key(const struct tls *tls, struct span pem, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = NULL;
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    const unsigned char *p;
    long n = 0;

    while (key == NULL && PEM_read_bio_ex(bio, &name, &header, &der, &n,
                                          PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
        size_t length = strlen(name);

        if (length >= 11 && strcmp(name + length - 11, "PRIVATE KEY") == 0 && header[0] == '\0' &&
            strcmp(name, "ENCRYPTED PRIVATE KEY") != 0) {
            p = der;
            key = d2i_AutoPrivateKey_ex(NULL, &p, n, tls->libctx, NULL);
        }
        OPENSSL_secure_free(name);
        OPENSSL_secure_free(header);
        OPENSSL_secure_clear_free(der, (size_t)n);
    }
    if (key == NULL) {
        (void)ossl_err(e, ERR_INPUT,
                       "credential '%s' must be an unencrypted private key in PEM, as openssl "
                       "genpkey writes it",
                       tls->options.credential);
    }
    return key;
}

static EVP_PKEY *
load_key(const struct tls *tls, struct err *e)
{
    CLEANUP(buf_free) struct buf pem = BUF_SECRET(TLS_KEY_FILE_MAX);

    if (secret_read(-1, tls->options.credential, &pem, e) != 0) {
        (void)err_wrap(e, "the private key of %s", tls->options.certificate);
        return NULL;
    }
    return parse_key(tls, buf_span(&pem), e);
}

/* ---- certificates ---- */

struct chain {
    X509 *items[TLS_CHAIN_MAX];
    size_t n;
};

static void
chain_clear(struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        X509_free(chain->items[i]);
    }
    chain->n = 0;
}

/* Every certificate of a PEM file, 1 .. TLS_CHAIN_MAX. */
static int
load_chain(OSSL_LIB_CTX *libctx, const char *path, struct chain *chain, struct err *e)
{
    CLEANUP(buf_free) struct buf pem = BUF_INIT(PEM_FILE_MAX);
    CLEANUP(bio_cleanup) BIO *bio = NULL;

    if (file_read(path, &pem, e) != 0) {
        return -1;
    }
    bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    for (;;) {
        X509 *certificate = X509_new_ex(libctx, NULL);

        if (PEM_read_bio_X509(bio, &certificate, NULL, NULL) == NULL) {
            X509_free(certificate);
            break;
        }
        if (chain->n == TLS_CHAIN_MAX) {
            X509_free(certificate);
            return err_set(e, ERR_INPUT, "%s holds more than %d certificates", path,
                           (int)TLS_CHAIN_MAX);
        }
        chain->items[chain->n++] = certificate;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || chain->n == 0) {
        return ossl_err(e, ERR_INPUT, "%s is not certificates in PEM", path);
    }
    ERR_clear_error();
    return 0;
}

/* What every client would refuse is refused here, with the reason. */
static int
check_leaf(const struct tls *tls, X509 *leaf, struct err *e)
{
    const char *path = tls->options.certificate;
    time_t now = clock_now();

    if (X509_cmp_time(X509_get0_notBefore(leaf), &now) > 0) {
        return err_set(e, ERR_INPUT, "%s is not valid yet", path);
    }
    if (validity_is_past(X509_get0_notAfter(leaf), now)) {
        return err_set(e, ERR_INPUT, "%s has expired: renew it", path);
    }
    if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1) {
        return err_set(e, ERR_INPUT,
                       "%s is not for TLS servers: it needs digitalSignature, and serverAuth in "
                       "an extended key usage",
                       path);
    }
    return 0;
}

static time_t
end_of(const X509 *certificate)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1 ? timegm(&tm) : 0;
}

static int
use_certificate(const struct tls *tls, SSL_CTX *ctx, time_t *not_after, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = load_key(tls, e);
    CLEANUP(chain_clear) struct chain chain = {0};
    const char *path = tls->options.certificate;

    if (key == NULL || load_chain(tls->libctx, path, &chain, e) != 0 ||
        check_leaf(tls, chain.items[0], e) != 0) {
        return -1;
    }
    if (X509_check_private_key(chain.items[0], key) != 1) {
        return ossl_err(e, ERR_INPUT, "%s is not the certificate of the key in credential '%s'",
                        path, tls->options.credential);
    }
    for (size_t i = 0; i < chain.n; i++) {
        if ((i == 0 ? SSL_CTX_use_certificate(ctx, chain.items[0])
                    : (int)SSL_CTX_add1_chain_cert(ctx, chain.items[i])) != 1) {
            return ossl_err(e, ERR_INPUT, "%s cannot be used", path);
        }
    }
    if (SSL_CTX_use_PrivateKey(ctx, key) != 1) {
        return ossl_err(e, ERR_INPUT, "credential '%s' cannot be used", tls->options.credential);
    }
    *not_after = end_of(chain.items[0]);
    return 0;
}

static int
use_client_roots(const struct tls *tls, SSL_CTX *ctx, struct err *e)
{
    for (size_t i = 0; i < tls->options.n_client_roots; i++) {
        CLEANUP(chain_clear) struct chain roots = {0};

        if (load_chain(tls->libctx, tls->options.client_roots[i], &roots, e) != 0) {
            return -1;
        }
        for (size_t j = 0; j < roots.n; j++) {
            if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), roots.items[j]) != 1 ||
                SSL_CTX_add_client_CA(ctx, roots.items[j]) != 1) {
                return ossl_err(e, ERR_INPUT, "%s cannot be used", tls->options.client_roots[i]);
            }
        }
    }
    return 0;
}

static int
ask_clients(const struct tls *tls, SSL_CTX *ctx, struct err *e)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    int mode = SSL_VERIFY_NONE;

    switch (tls->options.client) {
    case TLS_CLIENT_NONE:
        break;
    case TLS_CLIENT_OPTIONAL:
        mode = SSL_VERIFY_PEER;
        break;
    case TLS_CLIENT_REQUIRE:
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        break;
    }
    SSL_CTX_set_verify(ctx, mode, validity_on_verify);
    if (mode == SSL_VERIFY_NONE) {
        return 0;
    }
    if (tls->options.n_client_roots == 0) {
        return err_set(e, ERR_INPUT, "client certificates without client roots");
    }
    SSL_CTX_set_max_cert_list(ctx, TLS_PEER_CHAIN_MAX);
    X509_VERIFY_PARAM_set_depth(param, TLS_PEER_DEPTH_MAX);
    if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) != 1 ||
        X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1) {
        return ossl_err(e, ERR_CRYPTO, "TLS verification");
    }
    return use_client_roots(tls, ctx, e);
}

/* ---- the context ---- */

/* RFC 7301: a client that names its protocols and not ours is a client of something else. */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *n_out, const unsigned char *in,
        unsigned int n_in, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";

    (void)ssl;
    (void)arg;
    for (unsigned int i = 0; i < n_in && i + 1U + in[i] <= n_in; i += 1U + in[i]) {
        for (size_t j = 0; j < sizeof(ours) - 1; j += 9) {
            if (in[i] == 8 && memcmp(in + i + 1, ours + j + 1, 8) == 0) {
                *out = in + i + 1;
                *n_out = 8;
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
restrict_protocol(SSL_CTX *ctx, struct err *e)
{
    /* OpenSSL's macros take them without const. */
    char groups[] = GROUPS;
    char signatures[] = SIGNATURES;

    SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    if (SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, SUITES_13) != 1 ||
        SSL_CTX_set_cipher_list(ctx, SUITES_12) != 1 ||
        SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
        SSL_CTX_set1_sigalgs_list(ctx, signatures) != 1 ||
        SSL_CTX_set1_client_sigalgs_list(ctx, signatures) != 1) {
        return ossl_err(e, ERR_CRYPTO, "TLS suites");
    }
    return 0;
}

int
tls_reload(struct tls *tls, struct err *e)
{
    CLEANUP(ssl_ctx_cleanup)
    SSL_CTX *ctx = SSL_CTX_new_ex(tls->libctx, NULL, TLS_server_method());
    time_t not_after = 0;

    if (ctx == NULL) {
        return ossl_err(e, ERR_CRYPTO, "TLS");
    }
    if (restrict_protocol(ctx, e) != 0 || use_certificate(tls, ctx, &not_after, e) != 0 ||
        ask_clients(tls, ctx, e) != 0) {
        ERR_clear_error();
        return -1;
    }
    SSL_CTX_free(tls->current);
    tls->current = TAKE(ctx);
    tls->not_after = not_after;
    return 0;
}

struct tls *
tls_new(const struct tls_options *options, struct err *e)
{
    CLEANUP(tls_cleanup) struct tls *tls = mem_new(sizeof(*tls));

    tls->options = *options;
    tls->libctx = OSSL_LIB_CTX_new();
    if (tls->libctx == NULL) {
        abort(); /* out of memory */
    }
    return tls_reload(tls, e) == 0 ? TAKE(tls) : NULL;
}

SSL *
tls_accept(const struct tls *tls, struct err *e)
{
    SSL *ssl = SSL_new(tls->current);

    if (ssl == NULL) {
        (void)ossl_err(e, ERR_CRYPTO, "TLS connection");
    }
    return ssl;
}

time_t
tls_not_after(const struct tls *tls)
{
    return tls->not_after;
}
