/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection and its exchange are one object, because only one request is in flight on it:
 *
 *   HANDSHAKE --TLS is up--> READING --request complete--> IN_FLIGHT --http_reply()--> WRITING
 *      |                        |  \                            |                       |    |
 *      |                        |   \--refused--> WRITING(last) |                       |    |
 *      |                        |                               |             drained --+    |
 *      |                        |                     peer gone v             READING        |
 *      |                        |                             DEAD      drained, last or --- +
 *      |                        |            http_reply()-----> |       stopped: LINGERING
 *      +--deadline, peer gone---+-----------------------------> released <---/
 *
 * Deadlines: absolute for the HANDSHAKE and for a request from its first octet on; idle while
 * READING before that octet; absolute for the WRITING of an answer; short while LINGERING; none
 * IN_FLIGHT, where the handler answers in its own time.
 * LINGERING reads and drops what the peer still sends: closing with unread octets would make the
 * kernel reset the connection and the peer lose the refusal that it should read (RFC 9112 9.6).
 */
#include "ra/http_connection.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/ossl.h"
#include "ra/http_answer.h"

enum {
    READ_HIGH_WATER = 16 * 1024,
    LINGER_MS = 1000,
    CERTIFICATE_MAX = 64 * 1024,
};

enum connection_state { HANDSHAKE, READING, IN_FLIGHT, WRITING, LINGERING, DEAD };

struct http_exchange {
    struct http_connections *all; /* NULL when DEAD */
    struct bufferevent *bev;
    struct event *timer;
    struct http_parser *parser;
    enum connection_state state;
    bool deadline_set; /* the absolute one */
    bool last;         /* close after the answer */
    bool advancing;
    struct http_exchange *previous;
    struct http_exchange *next;
    struct http_exchange *next_by_address;
    struct http_address address;
    char peer[HTTP_PEER_SIZE];
    struct buf certificate;
};

static void
set_timer(struct http_exchange *x, int ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    (void)event_add(x->timer, &tv);
}

/* ---- the lists ---- */

static struct http_exchange **
chain_of(struct http_connections *all, const struct http_address *address)
{
    return &all->by_address[http_address_hash(address, all->seed) % HTTP_HASH_SIZE];
}

bool
http_connections_has_share(const struct http_connections *all, const struct http_address *address)
{
    size_t slot = http_address_hash(address, all->seed) % HTTP_HASH_SIZE;
    size_t n = 0;

    for (const struct http_exchange *x = all->by_address[slot];
         x != NULL && n < all->options.connections_per_address_max; x = x->next_by_address) {
        n += http_address_is_equal(&x->address, address);
    }
    return n >= all->options.connections_per_address_max;
}

static void
link_in(struct http_connections *all, struct http_exchange *x)
{
    struct http_exchange **chain = chain_of(all, &x->address);

    x->all = all;
    x->next = all->first;
    if (x->next != NULL) {
        x->next->previous = x;
    }
    all->first = x;
    x->next_by_address = *chain;
    *chain = x;
    all->n++;
}

static void
link_out(struct http_exchange *x)
{
    struct http_connections *all = x->all;
    struct http_exchange **chain = chain_of(all, &x->address);

    while (*chain != x) {
        chain = &(*chain)->next_by_address;
    }
    *chain = x->next_by_address;
    if (x->previous != NULL) {
        x->previous->next = x->next;
    } else {
        all->first = x->next;
    }
    if (x->next != NULL) {
        x->next->previous = x->previous;
    }
    x->previous = x->next = x->next_by_address = NULL;
    x->all = NULL; /* which may be gone when a late answer comes */
    if (all->n-- == all->options.connections_max && !all->stopped) {
        all->room(all->server);
    }
}

/* Takes the connection off the network and out of the lists; the object stays. */
static void
disconnect(struct http_exchange *x)
{
    if (x->bev != NULL) {
        bufferevent_free(x->bev);
        x->bev = NULL;
    }
    if (x->timer != NULL) {
        event_free(x->timer);
        x->timer = NULL;
    }
    if (x->all != NULL) {
        link_out(x);
    }
}

static void
release(struct http_exchange *x)
{
    disconnect(x);
    http_parser_free(x->parser);
    buf_free(&x->certificate);
    mem_free(x);
}

/* The peer is gone or too late. */
static void
drop(struct http_exchange *x)
{
    if (x->state == IN_FLIGHT) {
        x->all->n_in_flight--;
        disconnect(x);
        x->state = DEAD;
        return;
    }
    release(x);
}

/* ---- answers ---- */

static void
write_answer(struct http_exchange *x, struct http_answer answer)
{
    x->last = x->last || answer.close;
    answer.close = x->last;
    answer.keep_alive = !x->last && http_parser_request(x->parser)->minor_0;
    http_answer_write(&answer, bufferevent_get_output(x->bev));
    x->state = WRITING;
    set_timer(x, x->all->options.idle_timeout_ms);
}

/* ---- reading ---- */

static void
take_request(struct http_exchange *x)
{
    (void)event_del(x->timer);
    x->deadline_set = false;
    x->last = x->all->stopped || !http_parser_request(x->parser)->keep_alive;
    x->state = IN_FLIGHT;
    x->all->n_in_flight++;
    x->all->options.handler(x, x->all->options.user);
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
        set_timer(x, x->all->options.request_timeout_ms);
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
        x->last = true;
        write_answer(x, (struct http_answer){.status = http_parser_status(x->parser)});
        break;
    case HTTP_COMPLETE:
        take_request(x);
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

/* Says that nothing more comes, and waits for the peer to say the same. */
static void
linger(struct http_exchange *x)
{
    SSL *ssl = bufferevent_openssl_get_ssl(x->bev);

    x->state = LINGERING;
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl);
        ERR_clear_error();
    }
    (void)shutdown(bufferevent_getfd(x->bev), SHUT_WR);
    set_timer(x, LINGER_MS);
    on_read(x->bev, x);
}

/* Everything was written. */
static void
on_written(struct bufferevent *bev, void *user)
{
    struct http_exchange *x = user;

    if (x->state != WRITING || evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
        return;
    }
    if (x->last || x->all->stopped) {
        linger(x);
        return;
    }
    http_parser_next(x->parser);
    x->state = READING;
    x->deadline_set = false;
    set_timer(x, x->all->options.idle_timeout_ms);
    advance(x);
}

/* ---- TLS ---- */

/* The time for the handshake was the same as a request has; the request gets its own. */
static void
secured(struct http_exchange *x)
{
    CLEANUP(x509_cleanup)
    X509 *certificate = SSL_get1_peer_certificate(bufferevent_openssl_get_ssl(x->bev));
    struct err e;

    x->certificate = BUF_INIT(CERTIFICATE_MAX);
    if (certificate != NULL && OSSL_ENCODE(X509, certificate, &x->certificate, &e) != 0) {
        drop(x);
        return;
    }
    if (x->all->options.body_max_of != NULL) {
        http_parser_set_body_max(x->parser, x->all->options.body_max_of(buf_span(&x->certificate),
                                                                        x->all->options.user));
    }
    x->state = READING;
    if (x->all->stopped) {
        x->deadline_set = true;
        set_timer(x, HTTP_STOP_MS);
    } else {
        set_timer(x, x->all->options.idle_timeout_ms);
    }
    advance(x);
}

static void
report_handshake(const struct http_exchange *x)
{
    unsigned long code = bufferevent_get_openssl_error(x->bev);
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    const struct http_options *options = &x->all->options;

    if (options->handshake_failed != NULL) {
        options->handshake_failed(x->peer, reason == NULL ? "the peer went away" : reason,
                                  options->user);
    }
}

static void
on_event(struct bufferevent *bev, short what, void *user)
{
    struct http_exchange *x = user;

    (void)bev;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        secured(x);
    } else if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        if (x->state == HANDSHAKE) {
            report_handshake(x);
        }
        drop(x);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *user)
{
    struct http_exchange *x = user;

    (void)fd;
    (void)what;
    drop(x);
}

/* ---- beginning and end ---- */

void
http_connection_open(struct http_connections *all, evutil_socket_t fd, const struct sockaddr *peer,
                     SSL *ssl)
{
    struct http_exchange *x = mem_zalloc(1, sizeof(*x));
    int one = 1;

    x->address = http_address_of(peer);
    http_address_format(peer, x->peer);
    x->state = ssl != NULL ? HANDSHAKE : READING;
    x->bev = ssl != NULL ? bufferevent_openssl_socket_new(
                               all->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
                         : bufferevent_socket_new(all->base, fd, BEV_OPT_CLOSE_ON_FREE);
    x->timer = evtimer_new(all->base, on_timer, x);
    if (x->bev == NULL || x->timer == NULL) {
        abort(); /* out of memory, as mem_zalloc() */
    }
    x->parser = http_parser_new(all->options.body_max);
    if (all->options.resources) {
        http_parser_allow_resources(x->parser);
    }
    link_in(all, x);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    bufferevent_setcb(x->bev, on_read, on_written, on_event, x);
    bufferevent_setwatermark(x->bev, EV_READ, 0, READ_HIGH_WATER);
    (void)bufferevent_enable(x->bev, EV_READ | EV_WRITE);
    set_timer(x, ssl != NULL ? all->options.request_timeout_ms : all->options.idle_timeout_ms);
}

/* Has the peer begun to say something, perhaps something that was not read yet? */
static bool
has_begun(const struct http_exchange *x)
{
    int waiting = 0;

    return x->state == HANDSHAKE || http_parser_has_begun(x->parser) ||
           evbuffer_get_length(bufferevent_get_input(x->bev)) > 0 ||
           (ioctl(bufferevent_getfd(x->bev), FIONREAD, &waiting) == 0 && waiting > 0);
}

static void
stop_one(struct http_exchange *x)
{
    x->last = true;
    switch (x->state) {
    case HANDSHAKE:
    case READING:
        if (has_begun(x)) {
            x->deadline_set = true;
            set_timer(x, HTTP_STOP_MS);
        } else {
            drop(x);
        }
        break;
    case LINGERING:
        drop(x);
        break;
    case IN_FLIGHT:
    case WRITING:
    case DEAD:
        break;
    }
}

void
http_connections_stop(struct http_connections *all)
{
    struct http_exchange *next;

    all->stopped = true;
    for (struct http_exchange *x = all->first; x != NULL; x = next) {
        next = x->next;
        stop_one(x);
    }
}

void
http_connections_clear(struct http_connections *all)
{
    all->stopped = true;
    while (all->first != NULL) {
        struct http_exchange *x = all->first;

        drop(x);
    }
}

bool
http_connections_is_idle(const struct http_connections *all)
{
    for (const struct http_exchange *x = all->first; x != NULL; x = x->next) {
        if (x->state != LINGERING) {
            return false;
        }
    }
    return true;
}

/* ---- exchanges ---- */

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

const struct http_address *
http_exchange_address(const struct http_exchange *x)
{
    return &x->address;
}

struct span
http_exchange_certificate(const struct http_exchange *x)
{
    return buf_span(&x->certificate);
}

bool
http_exchange_is_dead(const struct http_exchange *x)
{
    return x->state == DEAD;
}

static void
reply(struct http_exchange *x, struct http_answer answer)
{
    assert(x->state == IN_FLIGHT || x->state == DEAD);
    if (x->state == DEAD) {
        release(x);
        return;
    }
    x->all->n_in_flight--;
    write_answer(x, answer);
}

void
http_reply(struct http_exchange *x, int status, const char *content_type, struct span body)
{
    reply(x, (struct http_answer){.status = status, .content_type = content_type, .body = body});
}

void
http_reply_with(struct http_exchange *x, const struct http_answer *answer)
{
    reply(x, *answer);
}

void
http_reply_busy(struct http_exchange *x, int retry_after, const char *content_type,
                struct span body)
{
    reply(x, (struct http_answer){.status = 503,
                                  .retry_after = retry_after > 0 ? retry_after : 1,
                                  .content_type = content_type,
                                  .body = body});
}
