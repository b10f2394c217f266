/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_server.h - the listener of the administrators' HTTPS door (admin/api.h). On the loop's
 * thread.
 */
#pragma once

#include "ra/daemon/ra.h"

struct api_server;
/* After the last exchange was answered, or with dead ones only. */
void api_server_free(struct api_server *);
/* Listens as admin_listen says and logs each address; listens nowhere when it is empty. `ra` is
 * borrowed. ERR_INPUT, ERR_IO as http_server_listen() and tls_new(). */
struct api_server *api_server_new(struct ra *, struct err *e) OWNED(api_server_free);
DEFINE_CLEANUP(api_server_cleanup, struct api_server, api_server_free)

/* Port of the last address; 0: it listens nowhere. */
unsigned api_server_port(const struct api_server *);
/* Reads the TLS files again; what is wrong is logged, and the old ones stay in use. */
void api_server_reload(struct api_server *);
/* See http_server_stop_accepting(), http_server_is_idle(). */
void api_server_stop(struct api_server *);
bool api_server_is_idle(const struct api_server *);
