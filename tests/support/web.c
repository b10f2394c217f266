/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/web.h"

#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/http/message/answer.h"
#include "base/ossl.h"
#include "tests/support/test.h"

enum {
    COMMAND_END = 1,
    COMMAND_ANSWER_LATE = 1000,
    COMMAND_STOP_ACCEPTING = 1000000,
    COMMAND_PAUSE = 2000000
};

/* ---- the server ---- */

static void
note_certificate(struct web *web, struct http_exchange *x)
{
    struct span der = http_exchange_certificate(x);
    X509 *certificate;
    struct err e;

    web->certificate[0] = '\0';
    if (der.n == 0) {
        return;
    }
    certificate = certificate_parse(der, &e);
    assert_non_null(certificate);
    (void)X509_NAME_oneline(X509_get_subject_name(certificate), web->certificate,
                            (int)sizeof(web->certificate));
    X509_free(certificate);
}

static void
handle(struct http_exchange *x, void *user)
{
    struct web *web = user;
    const struct http_request *r = http_exchange_request(x);

    web->handled++;
    note_certificate(web, x);
    if (strcmp(r->path, "/late") == 0) {
        web->late = x;
        (void)eventfd_write(web->late_fd, 1);
        return;
    }
    if (strcmp(r->path, "/large") == 0) {
        CLEANUP(mem_cleanup) char *octets = mem_zalloc(WEB_LARGE, 1);

        http_reply(x, 200, "application/octet-stream", span_of(octets, WEB_LARGE));
        return;
    }
    if (strcmp(r->path, "/small") == 0) {
        http_reply(x, 200, "application/octet-stream", SPAN_LITERAL("small"));
        return;
    }
    if (strcmp(r->path, "/busy") == 0) {
        http_reply_busy(x, 7, NULL, (struct span){0});
        return;
    }
    if (strcmp(r->path, "/last") == 0) {
        http_reply_with(x, &(struct http_answer){.status = 200, .close = true});
        return;
    }
    http_reply(x, 200, "application/octet-stream", r->body);
}

static bool
may_handshake(const struct http_address *address, void *user)
{
    const struct web *web = user;

    (void)address;
    return !web->no_handshakes;
}

static void
handshake_failed(const char *peer, const char *why, void *user)
{
    struct web *web = user;

    (void)peer;
    (void)snprintf(web->why, sizeof(web->why), "%s", why);
    (void)__atomic_add_fetch(&web->failed_handshakes, 1, __ATOMIC_RELEASE);
}

static void
refused(const struct http_address *address, const char *peer, enum http_fault fault, void *user)
{
    struct web *web = user;

    (void)address;
    (void)peer;
    web->refused++;
    web->fault = fault;
}

static void
on_command(evutil_socket_t fd, short what, void *user)
{
    struct web *web = user;
    eventfd_t value = 0;

    (void)what;
    (void)eventfd_read(fd, &value);
    if (value == COMMAND_ANSWER_LATE) {
        http_reply(web->late, 200, NULL, SPAN_LITERAL("late"));
        web->late = NULL;
        (void)eventfd_write(web->late_fd, 1);
    } else if (value == COMMAND_STOP_ACCEPTING) {
        http_server_stop_accepting(web->server);
        (void)eventfd_write(web->late_fd, 1);
    } else if (value == COMMAND_PAUSE) {
        (void)eventfd_write(web->late_fd, 1);
        (void)eventfd_read(web->resume_fd, &value);
    } else {
        (void)event_base_loopbreak(web->base);
    }
}

static void *
serve(void *user)
{
    struct web *web = user;

    (void)event_base_dispatch(web->base);
    return NULL;
}

void
web_start_later(struct web *web, const struct http_options *options, const char *address,
                const struct tls *tls)
{
    struct http_options o = *options;
    struct err e;

    memset(web, 0, sizeof(*web));
    o.handler = handle;
    o.may_handshake = may_handshake;
    o.handshake_failed = handshake_failed;
    o.refused = refused;
    o.user = web;
    web->base = event_base_new();
    web->command_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    web->late_fd = eventfd(0, EFD_CLOEXEC);
    web->resume_fd = eventfd(0, EFD_CLOEXEC);
    web->command = event_new(web->base, web->command_fd, EV_READ | EV_PERSIST, on_command, web);
    (void)event_add(web->command, NULL);
    web->server = http_server_new(web->base, &o);
    assert_ok(http_server_listen(web->server, address, tls, &e), &e);
}

void
web_go(struct web *web)
{
    assert_int_equal(pthread_create(&web->thread, NULL, serve, web), 0);
}

void
web_start(struct web *web, const struct http_options *options, const char *address,
          const struct tls *tls)
{
    web_start_later(web, options, address, tls);
    web_go(web);
}

void
web_stop(struct web *web)
{
    (void)eventfd_write(web->command_fd, COMMAND_END);
    (void)pthread_join(web->thread, NULL);
    http_server_free(web->server);
    if (web->late != NULL) {
        http_reply(web->late, 200, NULL, SPAN_LITERAL("nobody"));
    }
    event_free(web->command);
    event_base_free(web->base);
    (void)close(web->command_fd);
    (void)close(web->late_fd);
    (void)close(web->resume_fd);
}

void
web_wait_late(struct web *web)
{
    eventfd_t value;

    (void)eventfd_read(web->late_fd, &value);
}

void
web_answer_late(struct web *web)
{
    (void)eventfd_write(web->command_fd, COMMAND_ANSWER_LATE);
    web_wait_late(web);
}

void
web_stop_accepting(struct web *web)
{
    (void)eventfd_write(web->command_fd, COMMAND_STOP_ACCEPTING);
    web_wait_late(web);
}

void
web_pause(struct web *web)
{
    (void)eventfd_write(web->command_fd, COMMAND_PAUSE);
    web_wait_late(web);
}

void
web_resume(struct web *web)
{
    (void)eventfd_write(web->resume_fd, 1);
}

/* ---- the client ---- */

struct visitor
visitor_new(const struct web *web, SSL_CTX *ctx)
{
    return visitor_from(web, ctx, INADDR_LOOPBACK);
}

struct visitor
visitor_from(const struct web *web, SSL_CTX *ctx, uint32_t host)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_server_port(web->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct visitor v = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int one = 1;

    assert_true(v.fd >= 0);
    assert_int_equal(bind(v.fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(connect(v.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)setsockopt(v.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (ctx != NULL) {
        v.ssl = SSL_new(ctx);
        assert_int_equal(SSL_set_fd(v.ssl, v.fd), 1);
        if (SSL_connect(v.ssl) != 1) {
            visitor_close(&v);
        }
    }
    ERR_clear_error();
    return v;
}

void
visitor_close(struct visitor *v)
{
    SSL_free(v->ssl);
    if (v->fd >= 0) {
        (void)close(v->fd);
    }
    *v = (struct visitor){.fd = -1};
}

void
visitor_say(struct visitor *v, struct span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = v->ssl != NULL ? SSL_write(v->ssl, bytes.p, (int)bytes.n)
                                   : send(v->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (n <= 0) {
            ERR_clear_error();
            return;
        }
        bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
    }
}

int
visitor_read(struct visitor *v, void *to, size_t n)
{
    int got = v->ssl != NULL ? SSL_read(v->ssl, to, (int)n) : (int)recv(v->fd, to, n, 0);

    ERR_clear_error();
    return got;
}

void
visitor_hear(struct visitor *v, unsigned answers, char *out, size_t n_out)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(1024 * 1024);
    struct err e;
    size_t at = 0;
    unsigned seen = 0;
    bool closed = false;

    out[0] = '\0';
    for (;;) {
        char chunk[4096];
        char *head;
        int n;

        assert_ok(buf_append(&all, SPAN_LITERAL("\0"), &e), &e);
        all.n--;
        while ((head = strstr((char *)all.p + at, "\r\n\r\n")) != NULL) {
            const char *line = (char *)all.p + at;
            const char *length = strstr(line, "Content-Length: ");
            size_t body = length != NULL && length < head ? strtoul(length + 16, NULL, 10) : 0;
            size_t end = (size_t)(head - (char *)all.p) + 4 + body;

            if (end > all.n) {
                break;
            }
            (void)snprintf(out + strlen(out), n_out - strlen(out), "%s%.3s",
                           out[0] != '\0' ? "," : "", line + 9);
            at = end;
            seen += strncmp(line + 9, "1", 1) != 0;
        }
        if (seen >= answers || closed) {
            break;
        }
        n = visitor_read(v, chunk, sizeof(chunk));
        closed = n <= 0;
        if (n > 0) {
            assert_ok(buf_append(&all, span_of(chunk, (size_t)n), &e), &e);
        }
    }
    if (closed) {
        (void)snprintf(out + strlen(out), n_out - strlen(out), "!");
    }
}

/* ---- certificates ---- */

struct pair {
    EVP_PKEY *key;
    X509 *certificate;
};

static void
extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* `issuer` NULL: a CA; `usage` is what an end entity may do. */
static struct pair
make(const char *name, const struct pair *issuer, const char *usage, EVP_PKEY *key)
{
    struct pair p = {.key = key != NULL ? key : EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509 *c = p.certificate;
    const struct pair *by = issuer != NULL ? issuer : &p;
    uint8_t serial[8];
    BIGNUM *number;
    struct err e;

    assert_ok(random_bytes(serial, sizeof(serial), &e), &e);
    serial[0] &= 0x7f;
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    (void)BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c));
    BN_free(number);
    (void)X509_set_version(c, X509_VERSION_3);
    (void)X509_gmtime_adj(X509_getm_notBefore(c), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0);
    (void)X509_set_issuer_name(c, X509_get_subject_name(by->certificate));
    (void)X509_set_pubkey(c, p.key);
    extend(c, by->certificate, NID_subject_key_identifier, "hash");
    if (issuer == NULL) {
        extend(c, c, NID_basic_constraints, "critical,CA:TRUE");
        extend(c, c, NID_key_usage, "critical,keyCertSign");
    } else {
        extend(c, by->certificate, NID_basic_constraints, "critical,CA:FALSE");
        extend(c, by->certificate, NID_key_usage, "critical,digitalSignature");
        extend(c, by->certificate, NID_ext_key_usage, usage);
    }
    extend(c, by->certificate, NID_authority_key_identifier, "keyid:always");
    assert_true(X509_sign(c, by->key, EVP_sha256()) > 0);
    return p;
}

static void
pair_free(struct pair *p)
{
    EVP_PKEY_free(p->key);
    X509_free(p->certificate);
}

static void
write_file(const char *dir, const char *name, BIO *bio)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    struct err e;

    assert_ok(file_write(path, span_of(p, (size_t)n), 0600, &e), &e);
    BIO_free(bio);
}

static void
write_certificates(const char *dir, const char *name, X509 *certificate, X509 *issuer)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    if (issuer != NULL) {
        assert_int_equal(PEM_write_bio_X509(bio, issuer), 1);
    }
    write_file(dir, name, bio);
}

static void
write_key(const char *dir, const char *name, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    write_file(dir, name, bio);
}

/* What is in the files, to issue more. */
static struct pair web_ca;
static EVP_PKEY *web_server_key;

void
web_forget(void)
{
    pair_free(&web_ca);
    EVP_PKEY_free(web_server_key);
    web_ca = (struct pair){0};
    web_server_key = NULL;
}

void
web_new_server(const char *dir, const char *name, bool new_key)
{
    CLEANUP(mem_cleanup) char *credentials = mem_printf("%s/credentials", dir);
    struct pair p;

    if (new_key) {
        EVP_PKEY_free(web_server_key);
        web_server_key = EVP_EC_gen("P-256");
        write_key(credentials, "server.key", web_server_key);
    }
    (void)EVP_PKEY_up_ref(web_server_key);
    p = make(name, &web_ca, "serverAuth", web_server_key);
    write_certificates(dir, "server.pem", p.certificate, NULL);
    pair_free(&p);
}

void
web_files(const char *dir)
{
    CLEANUP(mem_cleanup) char *credentials = mem_printf("%s/credentials", dir);
    struct pair other = make("Other CA", NULL, NULL, NULL);
    struct pair client;
    struct pair stranger = make("stranger", &other, "clientAuth", NULL);
    struct err e;

    web_forget();
    web_ca = make("Test CA", NULL, NULL, NULL);
    client = make("client", &web_ca, "clientAuth", NULL);
    assert_ok(file_mkdirs(credentials, 0700, &e), &e);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", credentials, 1), 0);
    write_certificates(dir, "ca.pem", web_ca.certificate, NULL);
    write_certificates(dir, "client.pem", client.certificate, NULL);
    write_key(dir, "client.key", client.key);
    write_certificates(dir, "stranger.pem", stranger.certificate, NULL);
    write_key(dir, "stranger.key", stranger.key);
    web_new_server(dir, "first", true);
    pair_free(&client);
    pair_free(&stranger);
    pair_free(&other);
}

SSL_CTX *
web_client(const char *dir, const char *certificate)
{
    CLEANUP(mem_cleanup) char *ca = mem_printf("%s/ca.pem", dir);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_int_equal(SSL_CTX_load_verify_file(ctx, ca), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (certificate != NULL) {
        CLEANUP(mem_cleanup) char *pem = mem_printf("%s/%s.pem", dir, certificate);
        CLEANUP(mem_cleanup) char *key = mem_printf("%s/%s.key", dir, certificate);

        assert_int_equal(SSL_CTX_use_certificate_file(ctx, pem, SSL_FILETYPE_PEM), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM), 1);
    }
    return ctx;
}
