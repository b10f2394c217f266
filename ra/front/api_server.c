/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/front/api_server.h"

#include <string.h>

#include "base/http/http.h"
#include "base/http/tls.h"
#include "base/log.h"
#include "ra/admin/api.h"

enum {
    REQUEST_TIMEOUT_MS = 60 * 1000, /* a batch over a slow line */
    CONNECTIONS_MAX = 64,
};

struct api_server {
    struct tls *tls; /* NULL: nobody listens */
    struct http_server *http;
};

static void
destroy(struct api_server **p)
{
    if (*p != NULL) {
        http_server_free((*p)->http);
        tls_free((*p)->tls);
        mem_free(*p);
        *p = NULL;
    }
}

void
api_server_free(struct api_server *a)
{
    destroy(&a);
}

static void
on_handshake_failed(const char *peer, const char *why, void *arg)
{
    (void)arg;
    log_event(LOG_WARNING, "admin-refused", "%s: TLS: %s", peer, why);
}

static void
on_short(size_t n, void *arg)
{
    (void)arg;
    log_event(LOG_WARNING, "connections-short",
              "%zu administrators' connections without a complete request gave way", n);
}

static void
on_refused(const struct http_address *address, const char *peer, enum http_fault fault, void *arg)
{
    (void)address;
    (void)arg;
    log_event(LOG_WARNING, "admin-refused", "%s: %d: %s (%s)", peer, http_fault_status(fault),
              http_fault_reason(fault), http_fault_clause(fault));
}

/* Port 0 is any: the log says which. */
static void
say_listening(const struct api_server *a, const char *address)
{
    int n = (int)(strrchr(address, ':') - address);

    log_event(LOG_INFO, "listening", "%.*s:%u for administrators", n, address,
              http_server_port(a->http));
}

struct api_server *
api_server_new(struct ra *ra, struct err *e)
{
    CLEANUP(destroy) struct api_server *a = mem_new(sizeof(*a));
    const struct settings *s = ra->settings;
    const struct tls_options tls = {.certificate = s->admin_tls_certificate,
                                    .credential = s->admin_tls_credential,
                                    .client = TLS_CLIENT_REQUIRE,
                                    .client_roots = {s->root, s->issuing},
                                    .n_client_roots = 2};
    const struct http_options http = {.handler = api_handle,
                                      .handshake_failed = on_handshake_failed,
                                      .refused = on_refused,
                                      .ran_short = on_short,
                                      .user = ra,
                                      .arrived = api_arrived,
                                      .request_timeout_ms = REQUEST_TIMEOUT_MS,
                                      .connections_max = CONNECTIONS_MAX,
                                      .connections_per_address_max = CONNECTIONS_MAX,
                                      .resources = true};

    if (s->admin_listen.n == 0) {
        return TAKE(a);
    }
    a->tls = tls_new(&tls, e);
    if (a->tls == NULL) {
        (void)err_wrap(e, "admin_listen");
        return NULL;
    }
    a->http = http_server_new(ra->base, &http);
    for (size_t i = 0; i < s->admin_listen.n; i++) {
        if (http_server_listen(a->http, s->admin_listen.items[i], a->tls, e) != 0) {
            return NULL;
        }
        say_listening(a, s->admin_listen.items[i]);
    }
    return TAKE(a);
}

unsigned
api_server_port(const struct api_server *a)
{
    return a->http == NULL ? 0 : http_server_port(a->http);
}

void
api_server_reload(struct api_server *a)
{
    struct err e;

    if (a->tls != NULL && tls_reload(a->tls, &e) != 0) {
        log_err(LOG_ERROR, "reload-failed", &e,
                "admin_listen: the earlier certificate stays in use");
    }
}

void
api_server_stop(struct api_server *a)
{
    if (a->http != NULL) {
        http_server_stop_accepting(a->http);
    }
}

bool
api_server_is_idle(const struct api_server *a)
{
    return a->http == NULL || http_server_is_idle(a->http);
}
