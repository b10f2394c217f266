/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - an HTTP/1.1 and 1.0 listener on libevent, with or without TLS, that gives whole requests
 * to one handler.
 *
 * Does: accept, TLS handshake (tls.h), parse (parse.h), deadlines, limits of connections, one
 * request in flight per connection, late answers. Does not: routing, threads. Everything happens on
 * the thread of the event_base. A peer that goes away while its request is worked on marks the
 * exchange dead; the answer that comes later only releases it. So every exchange must be answered
 * exactly once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/http/address.h"
#include "base/http/message/parse.h"

struct event_base;
struct tls;

enum {
    HTTP_REQUEST_TIMEOUT_MS = 10 * 1000, /* from the first octet to the last, whatever trickles in;
                                            also for a TLS handshake, from the connection on */
    HTTP_IDLE_TIMEOUT_MS = 60 * 1000,    /* between two requests, and to take a whole answer */
    HTTP_SHORT_INTERVAL_MS = 60 * 1000,
    HTTP_CONNECTIONS_MAX = 4096,
    HTTP_ADDRESS_SHARE = 4, /* one peer may hold this part of the connections: a quarter */
};

/* One request on its way to its answer. */
struct http_exchange;

/* Valid until http_reply(). */
const struct http_request *http_exchange_request(const struct http_exchange *);
/* "192.0.2.1:4711" or "[2001:db8::1]:4711". */
const char *http_exchange_peer(const struct http_exchange *);
/* Who counts as one. */
const struct http_address *http_exchange_address(const struct http_exchange *);
/* DER of the certificate that the client showed in the TLS handshake, verified as tls.h says;
 * empty without one. Valid until http_reply(), for a dead exchange too. */
struct span http_exchange_certificate(const struct http_exchange *);
/* What a client that has arrived may send from now on: bodies of `body_max` octets; longer ones get
 * 413, or 503 with Retry-After while it is not known whether it might. The exchange is not the
 * caller's afterwards. */
void http_exchange_admit(struct http_exchange *, size_t body_max, bool is_known);
/* http_server_tag() of the listener that it came to. */
const void *http_exchange_tag(const struct http_exchange *);
/* True when nobody waits for the answer any more; it must be given nevertheless. */
bool http_exchange_is_dead(const struct http_exchange *);

/* Answers and ends the exchange, at once or later, never twice. `content_type` may be NULL when the
 * body is empty. The body is copied. */
void http_reply(struct http_exchange *, int status, const char *content_type, struct span body);
/* 503 with Retry-After (RFC 9110 10.2.3); `retry_after` in seconds, at least 1. */
void http_reply_busy(struct http_exchange *, int retry_after, const char *content_type,
                     struct span body);

/* Any answer; `close` ends the connection after it, `keep_alive` is ours to say. Everything is
 * copied, but for a body with `release`. */
struct http_answer;
void http_reply_with(struct http_exchange *, const struct http_answer *);

struct http_options {
    /* Called with each request; answer now or later. */
    void (*handler)(struct http_exchange *, void *user);
    /* May this peer begin a TLS handshake, which costs before anything is known? NULL: yes. A
     * connection that may not is closed. */
    bool (*may_handshake)(const struct http_address *, void *user);
    /* A handshake that failed, and octets that are no request, for a log. NULL: nobody asks. */
    void (*handshake_failed)(const char *peer, const char *why, void *user);
    void (*refused)(const struct http_address *, const char *peer, enum http_fault, void *user);
    /* Places ran short, and so many connections gave way since the last time; at the first, and
     * then once in HTTP_SHORT_INTERVAL_MS at most. NULL: nobody asks. */
    void (*ran_short)(size_t n, void *user);
    void *user;
    int request_timeout_ms; /* 0: HTTP_REQUEST_TIMEOUT_MS */
    int idle_timeout_ms;    /* 0: HTTP_IDLE_TIMEOUT_MS */
    /* Who comes when all are taken, or when his address has its share, takes the place of one that
     * has no complete request (places.h). When all of them have one, who is beyond his share
     * is closed, and others wait in the kernel. */
    size_t connections_max;             /* 0: HTTP_CONNECTIONS_MAX */
    size_t connections_per_address_max; /* 0: connections_max / HTTP_ADDRESS_SHARE */
    size_t body_max;                    /* 0: HTTP_BODY_MAX */
    /* Told of each client after its handshake. Nothing is read from it until
     * http_exchange_admit(), which must be called exactly once, now or later. NULL: it is admitted,
     * with body_max. */
    void (*arrived)(struct http_exchange *, void *user);
    bool resources; /* http_parser_allow_resources() */
    bool forms;     /* http_parser_allow_forms() */
    /* Of each answer that has none of its own, a refusal among them: header lines, each with its
     * end. And what each 405 allows. NULL: as the answer has it. Borrowed. */
    const char *fields;
    const char *allow;
};

struct http_server;
/* Closes everything. Exchanges without an answer stay alive, dead, until they are answered. */
void http_server_free(struct http_server *);
struct http_server *http_server_new(struct event_base *, const struct http_options *)
    OWNED(http_server_free);
DEFINE_CLEANUP(http_server_cleanup, struct http_server, http_server_free)

/* Listens on an address as http_address_parse() takes it, with TLS when `tls` is not NULL, which is
 * borrowed and must outlive the server; may be called several times. [::] is IPv6 only, so that it
 * stands beside 0.0.0.0. ERR_INPUT for the text, ERR_IO for the socket. */
int http_server_listen(struct http_server *, const char *address, const struct tls *tls,
                       struct err *e);
/* What http_exchange_tag() says of requests that come to the most recent listener; borrowed. NULL
 * without. */
void http_server_tag(struct http_server *, const void *tag);
/* Port of the most recent listener, for ":0". */
unsigned http_server_port(const struct http_server *);
/* No new connections and no new requests: what has been sent to us by now is answered, then the
 * connections are closed. A request whose end does not come within HTTP_STOP_MS is dropped. */
enum { HTTP_STOP_MS = 2000 };
void http_server_stop_accepting(struct http_server *);
/* Exchanges that were given to the handler, not answered yet, and still waited for. */
size_t http_server_in_flight(const struct http_server *);
/* Open connections, whatever they do. */
size_t http_server_connections(const struct http_server *);
/* No exchange is waited for, and every answer is written. */
bool http_server_is_idle(const struct http_server *);
