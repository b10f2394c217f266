/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection and its exchange are one object, because only one request is in flight on it:
 *
 *   READING --request complete--> IN_FLIGHT --http_reply()--> WRITING --drained--> READING
 *      |                              |                          \--drained, last--> LINGERING
 *      |--refused--> WRITING(last)    \--peer gone--> DEAD --http_reply()--> released
 *      \--deadline--> released
 *
 * Deadlines: idle while READING before the first octet, absolute from the first octet on, idle
 * while WRITING, short while LINGERING; none IN_FLIGHT, where the handler answers in its own time.
 * LINGERING reads and drops what the peer still sends: closing with unread octets would make the
 * kernel reset the connection and the peer lose the refusal that it should read (RFC 9112 9.6).
 */
#include "ra/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/ossl.h"

enum {
    READ_HIGH_WATER = 16 * 1024,
    LINGER_MS = 1000,
    ACCEPT_PAUSE_MS = 200, /* after running out of descriptors */
    BACKLOG = 512,
};

enum connection_state { READING, IN_FLIGHT, WRITING, LINGERING, DEAD };

struct http_exchange {
    struct http_server *server; /* NULL when DEAD */
    struct bufferevent *bev;
    struct event *timer;
    struct http_parser *parser;
    enum connection_state state;
    bool deadline_set; /* the absolute one */
    bool last;         /* close after the answer */
    bool advancing;
    struct http_exchange *previous;
    struct http_exchange *next;
    char peer[HTTP_PEER_SIZE];
};

struct listener {
    struct evconnlistener *handle;
    struct listener *next;
};

struct http_server {
    struct event_base *base;
    struct http_options options;
    struct listener *listeners;
    struct http_exchange *connections;
    struct event *accept_timer;
    size_t n_connections;
    size_t n_in_flight;
    unsigned port;
    bool stopped;
};

static void advance(struct http_exchange *x);

static void
set_timer(struct http_exchange *x, int ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    (void)event_add(x->timer, &tv);
}

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

/* Takes the connection off the network and out of the server's list; the object stays. */
static void
disconnect(struct http_exchange *x)
{
    struct http_server *s = x->server;

    if (x->bev != NULL) {
        bufferevent_free(x->bev);
        x->bev = NULL;
    }
    if (x->timer != NULL) {
        event_free(x->timer);
        x->timer = NULL;
    }
    if (s == NULL) {
        return;
    }
    if (x->previous != NULL) {
        x->previous->next = x->next;
    } else {
        s->connections = x->next;
    }
    if (x->next != NULL) {
        x->next->previous = x->previous;
    }
    x->previous = x->next = NULL;
    s->n_connections--;
    if (!s->stopped && s->n_connections + 1 == s->options.connections_max) {
        listeners_enable(s, true);
    }
}

static void
release(struct http_exchange *x)
{
    disconnect(x);
    http_parser_free(x->parser);
    mem_free(x);
}

/* The peer is gone or too late. */
static void
drop(struct http_exchange *x)
{
    if (x->state == IN_FLIGHT) {
        x->server->n_in_flight--;
        disconnect(x);
        x->server = NULL; /* which may be gone when the answer comes */
        x->state = DEAD;
        return;
    }
    release(x);
}

static const char *
reason_phrase(int status)
{
    static const struct {
        int status;
        const char *text;
    } phrases[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (phrases[i].status == status) {
            return phrases[i].text;
        }
    }
    return "Unknown";
}

static void
write_answer(struct http_exchange *x, int status, const char *content_type, struct span body)
{
    struct evbuffer *out = bufferevent_get_output(x->bev);
    const char *connection = "";
    time_t now = clock_now();
    struct tm tm;
    char date[64];

    if (gmtime_r(&now, &tm) == NULL ||
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0) {
        date[0] = '\0';
    }
    if (x->last) {
        connection = "Connection: close\r\n";
    } else if (http_parser_request(x->parser)->minor_0) {
        connection = "Connection: keep-alive\r\n";
    }
    (void)evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %zu\r\n%s%s",
                              status, reason_phrase(status), date, body.n,
                              status == 405 ? "Allow: POST, GET\r\n" : "", connection);
    if (content_type != NULL) {
        (void)evbuffer_add_printf(out, "Content-Type: %s\r\n", content_type);
    }
    (void)evbuffer_add(out, "\r\n", 2);
    (void)evbuffer_add(out, body.p, body.n);
    x->state = WRITING;
    set_timer(x, x->server->options.idle_timeout_ms);
}

static void
refuse(struct http_exchange *x)
{
    x->last = true;
    write_answer(x, http_parser_status(x->parser), NULL, (struct span){0});
}

/* One step of READING; false when there is nothing to do until something happens. */
static bool
read_some(struct http_exchange *x)
{
    struct evbuffer *in = bufferevent_get_input(x->bev);
    size_t n = evbuffer_get_contiguous_space(in);
    size_t used = 0;
    enum http_state state;

    if (n == 0) {
        return false;
    }
    if (!x->deadline_set) {
        x->deadline_set = true;
        set_timer(x, x->server->options.request_timeout_ms);
    }
    state = http_parser_feed(x->parser, span_of(evbuffer_pullup(in, (ev_ssize_t)n), n), &used);
    (void)evbuffer_drain(in, used);
    switch (state) {
    case HTTP_NEED_MORE:
        break;
    case HTTP_WANT_CONTINUE:
        (void)bufferevent_write(x->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        break;
    case HTTP_REFUSED:
        refuse(x);
        break;
    case HTTP_COMPLETE:
        (void)event_del(x->timer);
        x->deadline_set = false;
        x->last = !http_parser_request(x->parser)->keep_alive;
        x->state = IN_FLIGHT;
        x->server->n_in_flight++;
        x->server->options.handler(x, x->server->options.user);
        break;
    }
    return true;
}

/* Goes on as far as the input allows; a handler that answers at once does not recurse. */
static void
advance(struct http_exchange *x)
{
    if (x->advancing) {
        return;
    }
    x->advancing = true;
    while (x->state == READING && read_some(x)) {
    }
    x->advancing = false;
}

static void
on_read(struct bufferevent *bev, void *user)
{
    struct http_exchange *x = user;

    if (x->state == LINGERING) {
        struct evbuffer *in = bufferevent_get_input(bev);

        (void)evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    advance(x);
}

/* Everything was written. */
static void
on_written(struct bufferevent *bev, void *user)
{
    struct http_exchange *x = user;

    if (x->state != WRITING || evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
        return;
    }
    if (x->last || x->server->stopped) {
        x->state = LINGERING;
        (void)shutdown(bufferevent_getfd(bev), SHUT_WR);
        set_timer(x, LINGER_MS);
        on_read(bev, x);
        return;
    }
    http_parser_next(x->parser);
    x->state = READING;
    x->deadline_set = false;
    set_timer(x, x->server->options.idle_timeout_ms);
    advance(x);
}

static void
on_event(struct bufferevent *bev, short what, void *user)
{
    (void)bev;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        drop(user);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    drop(user);
}

static void
format_peer(const struct sockaddr *address, char *out)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void)snprintf(out, HTTP_PEER_SIZE, "%s:%u", host, (unsigned)ntohs(in->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        (void)snprintf(out, HTTP_PEER_SIZE, "[%s]:%u", host, (unsigned)ntohs(in6->sin6_port));
    } else {
        (void)snprintf(out, HTTP_PEER_SIZE, "?");
    }
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int n,
          void *user)
{
    struct http_server *s = user;
    struct http_exchange *x = mem_zalloc(1, sizeof(*x));
    int one = 1;

    (void)listener;
    (void)n;
    x->server = s;
    x->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    x->timer = evtimer_new(s->base, on_timer, x);
    if (x->bev == NULL || x->timer == NULL) {
        abort(); /* out of memory, as mem_zalloc() */
    }
    x->parser = http_parser_new();
    x->next = s->connections;
    if (x->next != NULL) {
        x->next->previous = x;
    }
    s->connections = x;
    s->n_connections++;
    format_peer(address, x->peer);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    bufferevent_setcb(x->bev, on_read, on_written, on_event, x);
    bufferevent_setwatermark(x->bev, EV_READ, 0, READ_HIGH_WATER);
    (void)bufferevent_enable(x->bev, EV_READ | EV_WRITE);
    set_timer(x, s->options.idle_timeout_ms);
    if (s->n_connections == s->options.connections_max) {
        listeners_enable(s, false); /* the others wait in the kernel's queue */
    }
}

/* Out of descriptors: without a pause the loop would spin on accept(). */
static void
on_accept_error(struct evconnlistener *listener, void *user)
{
    struct http_server *s = user;
    struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};

    (void)listener;
    listeners_enable(s, false);
    (void)event_add(s->accept_timer, &pause);
}

static void
on_accept_timer(evutil_socket_t fd, short what, void *user)
{
    struct http_server *s = user;

    (void)fd;
    (void)what;
    if (!s->stopped && s->n_connections < s->options.connections_max) {
        listeners_enable(s, true);
    }
}

struct http_server *
http_server_new(struct event_base *base, const struct http_options *options)
{
    struct http_server *s = mem_zalloc(1, sizeof(*s));

    s->base = base;
    s->options = *options;
    if (s->options.request_timeout_ms == 0) {
        s->options.request_timeout_ms = HTTP_REQUEST_TIMEOUT_MS;
    }
    if (s->options.idle_timeout_ms == 0) {
        s->options.idle_timeout_ms = HTTP_IDLE_TIMEOUT_MS;
    }
    if (s->options.connections_max == 0) {
        s->options.connections_max = HTTP_CONNECTIONS_MAX;
    }
    s->accept_timer = evtimer_new(base, on_accept_timer, s);
    if (s->accept_timer == NULL) {
        abort();
    }
    return s;
}

void
http_server_free(struct http_server *s)
{
    if (s == NULL) {
        return;
    }
    s->stopped = true;
    while (s->connections != NULL) {
        struct http_exchange *x = s->connections;

        drop(x);
    }
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

    if (getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET) {
        port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    } else if (address.ss_family == AF_INET6) {
        port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    }
    return port;
}

/* "host:port" or "[host]:port", both numeric: no resolver in a daemon. */
static struct addrinfo *
parse_address(const char *address, struct err *e)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *result = NULL;
    const char *colon = strrchr(address, ':');
    char host[INET6_ADDRSTRLEN + 1] = "";
    size_t n = colon != NULL ? (size_t)(colon - address) : 0;
    bool bracketed = n > 2 && address[0] == '[' && address[n - 1] == ']';
    struct span text = bracketed ? span_of(address + 1, n - 2) : span_of(address, n);

    if (n > 0 && text.n < sizeof(host)) {
        memcpy(host, text.p, text.n);
    }
    if (colon == NULL || host[0] == '\0' || colon[1] == '\0' ||
        (!bracketed && strchr(host, ':') != NULL) ||
        getaddrinfo(host, colon + 1, &hints, &result) != 0) {
        (void)err_set(e, ERR_INPUT, "listen address \"%s\": write 192.0.2.1:8829 or [::]:8829",
                      address);
        return NULL;
    }
    return result;
}

int
http_server_listen(struct http_server *s, const char *address, struct err *e)
{
    struct addrinfo *info = parse_address(address, e);
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct listener *l;
    int errnum;

    if (info == NULL) {
        return -1;
    }
    if (info->ai_family == AF_INET6) {
        flags |= LEV_OPT_BIND_IPV6ONLY; /* so that [::] and 0.0.0.0 can stand side by side */
    }
    l = mem_zalloc(1, sizeof(*l));
    l->handle = evconnlistener_new_bind(s->base, on_accept, s, flags, BACKLOG, info->ai_addr,
                                        (int)info->ai_addrlen);
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

unsigned
http_server_port(const struct http_server *s)
{
    return s->port;
}

void
http_server_stop_accepting(struct http_server *s)
{
    struct http_exchange *next;

    s->stopped = true;
    listeners_enable(s, false);
    for (struct http_exchange *x = s->connections; x != NULL; x = next) {
        next = x->next;
        x->last = true;
        if (x->state == READING || x->state == LINGERING) {
            drop(x);
        }
    }
}

size_t
http_server_in_flight(const struct http_server *s)
{
    return s->n_in_flight;
}

bool
http_server_is_idle(const struct http_server *s)
{
    for (const struct http_exchange *x = s->connections; x != NULL; x = x->next) {
        if (x->state == IN_FLIGHT || x->state == WRITING) {
            return false;
        }
    }
    return true;
}

const struct http_request *
http_exchange_request(const struct http_exchange *x)
{
    return http_parser_request(x->parser);
}

const char *
http_exchange_peer(const struct http_exchange *x)
{
    return x->peer;
}

bool
http_exchange_is_dead(const struct http_exchange *x)
{
    return x->state == DEAD;
}

void
http_reply(struct http_exchange *x, int status, const char *content_type, struct span body)
{
    assert(x->state == IN_FLIGHT || x->state == DEAD);
    if (x->state == DEAD) {
        release(x);
        return;
    }
    x->server->n_in_flight--;
    write_answer(x, status, content_type, body);
}
