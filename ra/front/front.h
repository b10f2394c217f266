/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.h - where network functions come in: listeners, TLS, paths, budgets.
 *
 * Does: give each request to transaction/transaction.h or crl.h, or refuse it before it costs. The
 * budgets are per peer (http/address.h) for every request and for every TLS handshake, and there
 * are limits for all requests under way and for those that begin a transaction (daemon/crowd.h);
 * what a registration may begin is charged in transaction/, where it is known who asks. On the
 * loop's thread.
 */
#pragma once

#include "ra/daemon/ra.h"

struct front;
/* After the last exchange was answered, or with dead ones only. */
void front_free(struct front *);
/* Listens as the settings say and logs each address. `ra` is borrowed. ERR_INPUT, ERR_IO as
 * http_server_listen() and tls_new(). */
struct front *front_new(struct ra *, struct err *e) OWNED(front_free);

/* How many connections there may be with so many descriptors. */
size_t front_connections(size_t descriptors);

/* Port of the last listener. */
unsigned front_port(const struct front *);
/* Reads the TLS files again; what is wrong is logged, and the old ones stay in use. */
void front_reload(struct front *);
/* See http_server_stop_accepting(), http_server_is_idle(). */
void front_stop(struct front *);
bool front_is_idle(const struct front *);
