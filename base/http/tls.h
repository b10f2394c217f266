/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - what a TLS listener shows and asks for: one certificate with its key, the clients' roots.
 *
 * Does: TLS 1.2 and 1.3 and nothing older, the suites of TS 33.210 6.2 and RFC 8446 9.1 (ECDHE and
 * AEAD only), groups P-256, P-384, X25519, no SHA-1, no compression, no renegotiation, no early
 * data, no session resumption: an NF comes back after hours or days, a transaction lives on one
 * kept-alive connection, and a resumed session would carry a client certificate past a reload.
 * Does not: sockets, deadlines, the meaning of a client's certificate: it has a path to one of
 * `client_roots` and may be used for client authentication, and whoever relies on it checks the
 * rest (revocation among it) with ca/x509/path/path.h.
 *
 * All TLS of one struct tls works in an OSSL_LIB_CTX of its own, on the loop's thread.
 */
#pragma once

#include <openssl/ssl.h>

#include "base/buf.h"

enum {
    TLS_ROOTS_MAX = 16,
    TLS_CHAIN_MAX = 8,              /* certificates in one file */
    TLS_KEY_FILE_MAX = 16 * 1024,   /* octets */
    TLS_PEER_CHAIN_MAX = 32 * 1024, /* octets of certificates that a client may send */
    TLS_PEER_DEPTH_MAX = 4,         /* intermediate certificates of a client */
    TLS_CREDENTIAL_NAME_MAX = 64,
};

/* May or must a client show a certificate? A certificate that does not verify ends the handshake
 * in both cases. */
enum tls_client { TLS_CLIENT_NONE, TLS_CLIENT_OPTIONAL, TLS_CLIENT_REQUIRE };

/* Paths of PEM files; everything is borrowed and must outlive the struct tls. */
struct tls_options {
    const char *certificate; /* the server's certificate, then its chain without the root */
    const char *credential; /* its private key, unencrypted PEM: a file in $CREDENTIALS_DIRECTORY */
    enum tls_client client;
    const char *client_roots[TLS_ROOTS_MAX]; /* each one certificate or several */
    size_t n_client_roots;
};

struct tls;
/* After the server whose listeners use it. */
void tls_free(struct tls *);
/* ERR_INPUT names the file and what to do; ERR_NOTFOUND, ERR_DENIED, ERR_IO as file_read() and
 * secret_read(). A certificate that is not valid now, is not for servers, or is not the key's one
 * is refused. */
struct tls *tls_new(const struct tls_options *, struct err *e) OWNED(tls_free);
DEFINE_CLEANUP(tls_cleanup, struct tls, tls_free)

/* Reads all files again. New connections use what was read; open ones stay as they are. On failure
 * nothing changes. */
int tls_reload(struct tls *, struct err *e);

/* A server's end of a new connection; SSL_free() it. ERR_CRYPTO when there is none. */
SSL *tls_accept(const struct tls *, struct err *e) __attribute__((warn_unused_result));
/* When the certificate that is shown now ends. */
time_t tls_not_after(const struct tls *);
/* A plain name, as a file in $CREDENTIALS_DIRECTORY has: letters, digits, '.', '_', '-'. */
bool tls_is_credential_name(const char *name);
