/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection and its exchange are one object, because only one request is in flight on it:
 *
 *   HANDSHAKE --TLS is up--> ARRIVED --http_exchange_admit()--> READING
 *                                |                                 |
 *                                +--deadline, peer gone--> DEAD    v
 *                            READING --request complete--> IN_FLIGHT --http_reply()--> WRITING
 *      |                        |  \                            |                       |    |
 *      |                        |   \--refused--> WRITING(last) |                       |    |
 *      |                        |                               |             drained --+    |
 *      |                        |                     peer gone v             READING        |
 *      |                        |                             DEAD      drained, last or --- +
 *      |                        |            http_reply()-----> |       stopped: LINGERING
 *      +--deadline, peer gone---+-----------------------------> released <---/
 *
 * Deadlines: absolute for the HANDSHAKE with who ARRIVED, and for a request from its first octet
 * on; idle while READING before that octet; absolute for the WRITING of an answer; short while
 * LINGERING; none IN_FLIGHT, where the handler answers in its own time. A place (places.h) is
 * busy from IN_FLIGHT until the answer is written; in all other states, and while a refusal is
 * written, it may be given to a newcomer. LINGERING reads and drops what the peer still sends:
 * closing with unread octets would make the kernel reset the connection and the peer lose the
 * refusal that it should read (RFC 9112 9.6).
 */
#include "base/http/connection.h"

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

enum {
    READ_HIGH_WATER = 16 * 1024,
    LINGER_MS = 1000,
    CERTIFICATE_MAX = 64 * 1024,
};

/* ---- places ---- */

/* Nobody need be let in while all are busy. */
static void
change_place(struct http_exchange *x,
             void (*change)(struct http_places *places, struct http_place *place))
{
    struct http_connections *all = x->all;
    bool busy = http_places_are_busy(all->places);

    change(all->places, &x->place);
    if (busy != http_places_are_busy(all->places) && !all->stopped) {
        all->room(all->server, busy);
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
        change_place(x, http_places_leave);
        x->all = NULL; /* which may be gone when a late answer comes */
    }
}

static void
release(struct http_exchange *x)
{
    disconnect(x);
    http_exchange_free(x);
}

/* The peer is gone or too late. */
void
http_connection_drop(struct http_exchange *x)
{
    if (x->state == IN_FLIGHT || x->state == ARRIVED) {
        x->all->n_in_flight -= x->state == IN_FLIGHT;
        disconnect(x);
        x->state = DEAD;
        return;
    }
    release(x);
}

/* ---- reading ---- */

static void
take_request(struct http_exchange *x)
{
    (void)event_del(x->timer);
    x->deadline_set = false;
    change_place(x, http_places_busy);
    x->last = x->all->stopped || !http_parser_request(x->parser)->keep_alive;
    x->state = IN_FLIGHT;
    x->all->n_in_flight++;
    x->all->options.handler(x, x->all->options.user);
}

/* A peer whose octets were no request has no claim to his place, while he is told so. */
static void
refuse(struct http_exchange *x)
{
    const struct http_options *options = &x->all->options;
    enum http_fault fault = http_parser_fault(x->parser);
    bool later = x->is_unknown && fault == HTTP_FAULT_CONTENT_SIZE;

    if (options->refused != NULL) {
        options->refused(&x->address, x->peer, fault, options->user);
    }
    x->last = true;
    http_exchange_write(x, &(struct http_answer){.status = later ? 503 : http_fault_status(fault),
                                                 .retry_after = later ? 1 : 0});
}

/* From the first octet of a request on, which an empty line before it is not. */
static void
choose_deadline(struct http_exchange *x)
{
    bool begun = http_parser_has_begun(x->parser);

    if (begun == x->deadline_set || x->all->stopped) {
        return;
    }
    x->deadline_set = begun;
    http_exchange_set_timer(x, begun ? x->all->options.request_timeout_ms
                                     : x->all->options.idle_timeout_ms);
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
    state = http_parser_feed(x->parser, span_of(evbuffer_pullup(in, (ev_ssize_t)n), n), &used);
    (void)evbuffer_drain(in, used);
    switch (state) {
    case HTTP_NEED_MORE:
        choose_deadline(x);
        break;
    case HTTP_WANT_CONTINUE:
        choose_deadline(x);
        (void)bufferevent_write(x->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        break;
    case HTTP_REFUSED:
        refuse(x);
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
    change_place(x, http_places_wait);
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl);
        ERR_clear_error();
    }
    (void)shutdown(bufferevent_getfd(x->bev), SHUT_WR);
    http_exchange_set_timer(x, LINGER_MS);
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
    if (x->last) { /* so are all of them after the end: http_connection_stop() */
        linger(x);
        return;
    }
    http_parser_next(x->parser);
    x->state = READING;
    x->deadline_set = false;
    change_place(x, http_places_wait);
    http_exchange_set_timer(x, x->all->options.idle_timeout_ms);
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
        http_connection_drop(x);
        return;
    }
    x->state = ARRIVED;
    if (x->all->options.arrived != NULL) {
        x->all->options.arrived(x, x->all->options.user);
    } else {
        http_exchange_admit(x, x->all->options.body_max, true);
    }
}

void
http_exchange_admit(struct http_exchange *x, size_t body_max, bool is_known)
{
    assert(x->state == ARRIVED || x->state == DEAD);
    if (x->state == DEAD) {
        release(x);
        return;
    }
    http_parser_set_body_max(x->parser, body_max);
    x->is_unknown = !is_known;
    x->state = READING;
    if (x->all->stopped) {
        x->deadline_set = true;
        http_exchange_set_timer(x, HTTP_STOP_MS);
    } else {
        http_exchange_set_timer(x, x->all->options.idle_timeout_ms);
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
        http_connection_drop(x);
    }
}

static void
on_timer(evutil_socket_t fd, short what, void *user)
{
    struct http_exchange *x = user;

    (void)fd;
    (void)what;
    http_connection_drop(x);
}

/* ---- beginning and end ---- */

/* A whole request may lie in the kernel: it was not our turn yet. */
bool
http_connection_has_unread(const struct http_exchange *x)
{
    int waiting = 0;

    return ioctl(bufferevent_getfd(x->bev), FIONREAD, &waiting) == 0 && waiting > 0;
}

void
http_connection_open(struct http_connections *all, evutil_socket_t fd, const struct sockaddr *peer,
                     SSL *ssl, const void *tag)
{
    struct http_exchange *x = mem_new(sizeof(*x));
    int one = 1;

    x->tag = tag;
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
    if (all->options.forms) {
        http_parser_allow_forms(x->parser);
    }
    http_places_enter(all->places, &x->place, &x->address);
    x->all = all;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    bufferevent_setcb(x->bev, on_read, on_written, on_event, x);
    bufferevent_setwatermark(x->bev, EV_READ, 0, READ_HIGH_WATER);
    (void)bufferevent_enable(x->bev, EV_READ | EV_WRITE);
    http_exchange_set_timer(x, ssl != NULL ? all->options.request_timeout_ms
                                           : all->options.idle_timeout_ms);
}

/* Has the peer begun to say something, perhaps something that was not read yet? */
static bool
has_begun(const struct http_exchange *x)
{
    return x->state == HANDSHAKE || x->state == ARRIVED || http_parser_has_begun(x->parser) ||
           evbuffer_get_length(bufferevent_get_input(x->bev)) > 0 || http_connection_has_unread(x);
}

void
http_connection_stop(struct http_exchange *x)
{
    x->last = true;
    switch (x->state) {
    case HANDSHAKE:
    case ARRIVED:
    case READING:
        if (has_begun(x)) {
            x->deadline_set = true;
            http_exchange_set_timer(x, HTTP_STOP_MS);
        } else {
            http_connection_drop(x);
        }
        break;
    case LINGERING:
        http_connection_drop(x);
        break;
    case IN_FLIGHT:
    case WRITING:
    case DEAD:
        break;
    }
}
