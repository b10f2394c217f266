/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connections.h - all connections of one server: who may come in, who gives way, the end.
 * Between http.c and connection*.c, exchange.c only.
 */
#pragma once

#include <event2/util.h>
#include <openssl/ssl.h>

#include "base/http/http.h"
#include "base/http/places.h"

/* All connections of one server, which fills in the first part. */
struct http_connections {
    struct event_base *base;
    struct http_options options; /* without zeros that mean defaults */
    struct http_places *places;
    /* From now on all places are busy, or not any more. */
    void (*room)(void *server, bool there_is);
    void *server;

    size_t n_in_flight;
    size_t n_gave_way; /* and nobody was told yet */
    int64_t told_at;   /* 0: never */
    bool stopped;      /* no request after the present one */
};

/* Is it time to tell that places run short, which was told then (0: never)? */
bool http_connections_may_tell(int64_t told_at, int64_t now);
/* May a newcomer of this address stay, perhaps in the place of another? */
bool http_connections_admit(const struct http_connections *, const struct http_address *);
/* Takes the descriptor and `ssl` (NULL: without TLS) of a newcomer who may stay. */
void http_connections_open(struct http_connections *, evutil_socket_t fd,
                           const struct sockaddr *peer, SSL *ssl, const void *tag);
/* Drops one that has no complete request, because descriptors ran out. False: there is none. */
bool http_connections_shed(struct http_connections *);
/* Begins the end: see http_server_stop_accepting(). */
void http_connections_stop(struct http_connections *);
/* Drops everything; exchanges without an answer stay alive, dead. */
void http_connections_clear(struct http_connections *);
bool http_connections_is_idle(const struct http_connections *);
