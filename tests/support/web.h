/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h - an http_server on a thread of its own, and a client that sends any octets, with or
 * without TLS. Everything aborts the test when it cannot be made.
 *
 * The server echoes bodies. "/small" is answered with "small", "/late" is answered when told to,
 * "/large" with WEB_LARGE octets,
 * "/last" with the end of the connection.
 */
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>

#include "base/http/http.h"

enum {
    WEB_LARGE = 32 * 1024 * 1024
}; /* more than the kernel takes for a peer that does not read */

struct web {
    struct event_base *base;
    struct http_server *server;
    struct event *command;
    int command_fd;
    pthread_t thread;
    struct http_exchange *late;
    int resume_fd;
    int late_fd; /* readable when a late one is held, and when it was answered */
    unsigned handled;
    unsigned failed_handshakes;
    bool no_handshakes;    /* refuse them */
    unsigned refused;      /* what the parser refused; read it after web_stop() */
    enum http_fault fault; /* the last of them */
    char certificate[256]; /* subject of the last request's client certificate */
    char why[256];         /* of the last failed handshake */
};

/* `options` without handler and user; `tls` may be NULL. */
void web_start(struct web *, const struct http_options *options, const char *address,
               const struct tls *tls);
/* The same in two steps: between them the kernel takes connections and nobody serves them. */
void web_start_later(struct web *, const struct http_options *options, const char *address,
                     const struct tls *tls);
void web_go(struct web *);
void web_stop(struct web *);
/* Answers the late one and waits until it is done. */
void web_answer_late(struct web *);
/* On the server's thread: http_server_stop_accepting(). */
void web_stop_accepting(struct web *);
/* Between the two the server does nothing, and everything waits in the kernel. */
void web_pause(struct web *);
void web_resume(struct web *);
/* Waits until a late one is held. */
void web_wait_late(struct web *);

/* A client's connection. */
struct visitor {
    int fd;
    SSL *ssl; /* NULL: without TLS */
};

/* Connects to 127.0.0.1 or [::1], as the server listens. `ctx` NULL: without TLS; a handshake that
 * fails gives fd -1. */
struct visitor visitor_new(const struct web *, SSL_CTX *ctx);
/* The same from another address of ours, 0x7f000002 for 127.0.0.2. */
struct visitor visitor_from(const struct web *, SSL_CTX *ctx, uint32_t host);
void visitor_close(struct visitor *);
/* Sends as much as is taken: a refusal may come early, and the answer tells. */
void visitor_say(struct visitor *, struct span);
/* One read; <= 0 at the end. */
int visitor_read(struct visitor *, void *to, size_t n);
/* Reads until `answers` final status lines with their bodies are there or the peer closes; writes
 * "200,400" into out, with "!" behind when the peer closed. */
void visitor_hear(struct visitor *, unsigned answers, char *out, size_t n_out);

/* A CA, a server's and a client's certificate, as files in `dir`: ca.pem, server.pem (with its
 * chain), client.pem, client.key, stranger.pem, stranger.key (of another CA); the server's key is
 * the credential "server.key" in dir/credentials, which CREDENTIALS_DIRECTORY names afterwards. */
void web_files(const char *dir);
/* The keys of the last web_files(); call at the end. */
void web_forget(void);
/* Makes server.pem again, with `name` as CN, for the same key or a new one. */
void web_new_server(const char *dir, const char *name, bool new_key);
/* A client that trusts ca.pem. `certificate` is NULL, "client" or "stranger". */
SSL_CTX *web_client(const char *dir, const char *certificate);
