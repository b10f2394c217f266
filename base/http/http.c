/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: its listeners and its limits. Connections are in connections.c and
 * connection.c.
 */
#include "base/http/http.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http/connections.h"
#include "base/http/tls.h"
#include "base/ossl.h"

enum {
    ACCEPT_PAUSE_MS = 200, /* after running out of descriptors */
    BACKLOG = 512,
};

struct listener {
    struct http_server *server;
    struct evconnlistener *handle;
    const struct tls *tls; /* NULL: none */
    const void *tag;       /* of each exchange */
    struct listener *next;
};

struct http_server {
    struct http_connections connections;
    struct listener *listeners;
    struct event *accept_timer;
    unsigned port;
};

static void
listeners_enable(struct http_server *s, bool enable)
{
    for (struct listener *l = s->listeners; l != NULL; l = l->next) {
        if (enable) {
            (void)evconnlistener_enable(l->handle);
        } else {
            (void)evconnlistener_disable(l->handle);
        }
    }
}

/* While there is none the others wait in the kernel's queue. */
static void
on_room(void *arg, bool there_is)
{
    struct http_server *s = arg;

    listeners_enable(s, there_is);
}

/* Limits before work: the handshake is what costs. Takes the descriptor. */
static void
welcome(const struct listener *l, evutil_socket_t fd, const struct sockaddr *peer)
{
    struct http_server *s = l->server;
    const struct http_options *options = &s->connections.options;
    struct http_address address = http_address_of(peer);
    SSL *ssl = NULL;
    struct err e;

    if ((l->tls != NULL && options->may_handshake != NULL &&
         !options->may_handshake(&address, options->user)) ||
        !http_connections_admit(&s->connections, &address) ||
        (l->tls != NULL && (ssl = tls_accept(l->tls, &e)) == NULL)) {
        (void)close(fd);
        return;
    }
    http_connections_open(&s->connections, fd, peer, ssl, l->tag);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int n,
          void *user)
{
    const struct listener *l = user;

    (void)listener;
    (void)n;
    welcome(l, fd, peer);
}

/* Out of descriptors: somebody leaves, or without a pause the loop would spin on accept(). */
static void
on_accept_error(struct evconnlistener *listener, void *user)
{
    const struct listener *l = user;
    struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};

    (void)listener;
    if (EVUTIL_SOCKET_ERROR() == EMFILE && http_connections_shed(&l->server->connections)) {
        return;
    }
    listeners_enable(l->server, false);
    (void)event_add(l->server->accept_timer, &pause);
}

static void
on_accept_timer(evutil_socket_t fd, short what, void *user)
{
    struct http_server *s = user;
    const struct http_connections *c = &s->connections;

    (void)fd;
    (void)what;
    if (!c->stopped && !http_places_are_busy(c->places)) {
        listeners_enable(s, true);
    }
}

static void
set_defaults(struct http_options *o)
{
    if (o->request_timeout_ms == 0) {
        o->request_timeout_ms = HTTP_REQUEST_TIMEOUT_MS;
    }
    if (o->idle_timeout_ms == 0) {
        o->idle_timeout_ms = HTTP_IDLE_TIMEOUT_MS;
    }
    if (o->connections_max == 0) {
        o->connections_max = HTTP_CONNECTIONS_MAX;
    }
    if (o->connections_per_address_max == 0) {
        o->connections_per_address_max =
            (o->connections_max + HTTP_ADDRESS_SHARE - 1) / HTTP_ADDRESS_SHARE;
    }
    if (o->body_max == 0) {
        o->body_max = HTTP_BODY_MAX;
    }
}

struct http_server *
http_server_new(struct event_base *base, const struct http_options *options)
{
    struct http_server *s = mem_new(sizeof(*s));
    struct http_connections *c = &s->connections;
    uint64_t seed;
    struct err e;

    *c = (struct http_connections){.base = base, .options = *options, .room = on_room, .server = s};
    set_defaults(&c->options);
    s->accept_timer = evtimer_new(base, on_accept_timer, s);
    if (s->accept_timer == NULL || random_bytes((uint8_t *)&seed, sizeof(seed), &e) != 0) {
        abort();
    }
    c->places =
        http_places_new(c->options.connections_max, c->options.connections_per_address_max, seed);
    return s;
}

void
http_server_free(struct http_server *s)
{
    if (s == NULL) {
        return;
    }
    http_connections_clear(&s->connections);
    http_places_free(s->connections.places);
    while (s->listeners != NULL) {
        struct listener *l = s->listeners;

        s->listeners = l->next;
        evconnlistener_free(l->handle);
        mem_free(l);
    }
    event_free(s->accept_timer);
    mem_free(s);
}

static unsigned
port_of(evutil_socket_t fd)
{
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof(address);
    unsigned port = 0;

    (void)getsockname(fd, (struct sockaddr *)&address, &n); /* it is bound */
    if (address.ss_family == AF_INET) {
        port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    } else if (address.ss_family == AF_INET6) {
        port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    }
    return port;
}

int
http_server_listen(struct http_server *s, const char *address, const struct tls *tls, struct err *e)
{
    struct addrinfo *info = http_address_parse(address, e);
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct listener *l;
    int errnum;

    if (info == NULL) {
        return -1;
    }
    if (info->ai_family == AF_INET6) {
        flags |= LEV_OPT_BIND_IPV6ONLY;
    }
    l = mem_new(sizeof(*l));
    l->server = s;
    l->tls = tls;
    l->handle = evconnlistener_new_bind(s->connections.base, on_accept, l, flags, BACKLOG,
                                        info->ai_addr, (int)info->ai_addrlen);
    errnum = EVUTIL_SOCKET_ERROR();
    freeaddrinfo(info);
    if (l->handle == NULL) {
        mem_free(l);
        return err_errno(e, ERR_IO, errnum, "listen on %s", address);
    }
    evconnlistener_set_error_cb(l->handle, on_accept_error);
    l->next = s->listeners;
    s->listeners = l;
    s->port = port_of(evconnlistener_get_fd(l->handle));
    return 0;
}

void
http_server_tag(struct http_server *s, const void *tag)
{
    assert(s->listeners != NULL);
    s->listeners->tag = tag;
}

unsigned
http_server_port(const struct http_server *s)
{
    return s->port;
}

/* A connection in the kernel's queue may hold a request that was sent before the end was known. */
static void
accept_the_waiting(struct http_server *s)
{
    for (const struct listener *l = s->listeners; l != NULL; l = l->next) {
        while (http_places_count(s->connections.places) < s->connections.options.connections_max) {
            struct sockaddr_storage peer = {0};
            socklen_t n = sizeof(peer);
            int fd = accept4(evconnlistener_get_fd(l->handle), (struct sockaddr *)&peer, &n,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);

            if (fd < 0) {
                break; /* none is left, or nothing can be done about it */
            }
            welcome(l, fd, (struct sockaddr *)&peer);
        }
    }
}

void
http_server_stop_accepting(struct http_server *s)
{
    if (s->connections.stopped) {
        return;
    }
    listeners_enable(s, false);
    accept_the_waiting(s);
    http_connections_stop(&s->connections);
}

size_t
http_server_in_flight(const struct http_server *s)
{
    return s->connections.n_in_flight;
}

size_t
http_server_connections(const struct http_server *s)
{
    return http_places_count(s->connections.places);
}

bool
http_server_is_idle(const struct http_server *s)
{
    return http_connections_is_idle(&s->connections);
}
