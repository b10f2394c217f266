/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - an HTTP/1.1 and 1.0 listener on libevent that gives whole requests to one handler.
 *
 * Does: accept, parse (http_parse.h), deadlines, one request in flight per connection, late
 * answers. Does not: TLS, routing, threads. Everything happens on the thread of the event_base. A
 * peer that goes away while its request is worked on marks the exchange dead; the answer that comes
 * later only releases it. So every exchange must be answered exactly once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ra/http_parse.h"

struct event_base;

enum {
    HTTP_REQUEST_TIMEOUT_MS =
        10 * 1000,                    /* from the first octet to the last, whatever trickles in */
    HTTP_IDLE_TIMEOUT_MS = 60 * 1000, /* between two requests, and for a slow reader */
    HTTP_CONNECTIONS_MAX = 4096,
    HTTP_PEER_SIZE = 64,
};

/* One request on its way to its answer. */
struct http_exchange;

/* Valid until http_reply(). */
const struct http_request *http_exchange_request(const struct http_exchange *);
/* "192.0.2.1:4711" or "[2001:db8::1]:4711". */
const char *http_exchange_peer(const struct http_exchange *);
/* True when nobody waits for the answer any more; it must be given nevertheless. */
bool http_exchange_is_dead(const struct http_exchange *);
/* Answers and ends the exchange, at once or later, never twice. `content_type` may be NULL when the
 * body is empty. The body is copied. */
void http_reply(struct http_exchange *, int status, const char *content_type, struct span body);

struct http_options {
    /* Called with each request; answer now or later. */
    void (*handler)(struct http_exchange *, void *user);
    void *user;
    int request_timeout_ms; /* 0: HTTP_REQUEST_TIMEOUT_MS */
    int idle_timeout_ms;    /* 0: HTTP_IDLE_TIMEOUT_MS */
    size_t connections_max; /* 0: HTTP_CONNECTIONS_MAX */
};

struct http_server;
/* Closes everything. Exchanges without an answer stay alive, dead, until they are answered. */
void http_server_free(struct http_server *);
struct http_server *http_server_new(struct event_base *, const struct http_options *)
    OWNED(http_server_free);
DEFINE_CLEANUP(http_server_cleanup, struct http_server, http_server_free)

/* Listens on "192.0.2.1:8829", "[::]:8829" or "127.0.0.1:0"; may be called several times. Numeric
 * addresses only. ERR_INPUT for the text, ERR_IO for the socket. */
int http_server_listen(struct http_server *, const char *address, struct err *e);
/* Port of the most recent listener, for ":0". */
unsigned http_server_port(const struct http_server *);
/* No new connections and no new requests; what is in flight is answered, then closed. */
void http_server_stop_accepting(struct http_server *);
/* Exchanges that were given to the handler, not answered yet, and still waited for. */
size_t http_server_in_flight(const struct http_server *);
/* No exchange is waited for, and every answer is written. */
bool http_server_is_idle(const struct http_server *);
