/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - one connection, from its first octet to its last. Between connections.c
 * and connection.c.
 */
#pragma once

#include "base/http/exchange.h"

/* Takes the descriptor and `ssl` (NULL: without TLS), enters the places, and reads. */
void http_connection_open(struct http_connections *, evutil_socket_t fd,
                          const struct sockaddr *peer, SSL *ssl, const void *tag);
/* The peer is gone or too late: off the network, out of its place. Released, unless an answer is to
 * come. */
void http_connection_drop(struct http_exchange *);
/* See http_server_stop_accepting(). */
void http_connection_stop(struct http_exchange *);
/* Octets that were not read yet lie in the kernel. */
bool http_connection_has_unread(const struct http_exchange *);
