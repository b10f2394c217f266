/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_connection.h - one connection and its exchange; between http.c and http_connection.c only.
 */
#pragma once

#include <event2/util.h>
#include <openssl/ssl.h>

#include "ra/http.h"

enum { HTTP_HASH_SIZE = 1024 }; /* chains of connections by peer */

/* All connections of one server; the server fills in the first part. */
struct http_connections {
    struct event_base *base;
    struct http_options options; /* without zeros that mean defaults */
    uint64_t seed;
    /* There is room again for one that waits. */
    void (*room)(void *server);
    void *server;

    struct http_exchange *first;
    struct http_exchange *by_address[HTTP_HASH_SIZE];
    size_t n;
    size_t n_in_flight;
    bool stopped; /* no request after the present one */
};

/* Takes the descriptor and `ssl` (NULL: without TLS). A peer that has its share of connections is
 * closed at once. */
void http_connection_open(struct http_connections *, evutil_socket_t fd,
                          const struct sockaddr *peer, SSL *ssl);
bool http_connections_has_share(const struct http_connections *, const struct http_address *);
/* Begins the end: see http_server_stop_accepting(). */
void http_connections_stop(struct http_connections *);
/* Drops everything; exchanges without an answer stay alive, dead. */
void http_connections_clear(struct http_connections *);
bool http_connections_is_idle(const struct http_connections *);
