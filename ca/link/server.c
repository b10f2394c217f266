/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer lives in a list until its connection ends. Requests under way refer to it by number only,
 * so an answer never meets a peer that is gone.
 */
#include "ca/link/server.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "ca/link/frame.h"

enum {
    OPEN_DEFAULT = 1024,
    PEERS_DEFAULT = 4,
    UNSENT_MAX = 4 * 1024 * 1024, /* a peer that does not read its answers is closed */
};

struct peer {
    struct link_server *server;
    struct peer *next;
    link_peer number;
    uid_t user;
    struct bufferevent *bev;
    size_t open;   /* requests without answer */
    bool greeted;  /* said HELLO */
    bool welcomed; /* and was answered */
    bool reading;  /* inside read_frames(): do not free */
    bool doomed;   /* to be freed when read_frames() returns */
};

struct link_server {
    struct link_server_options options;
    char *path;
    uid_t *uids;
    int fd;
    struct event *accepting;
    struct peer *peers;
    size_t n_peers;
    link_peer last;
};

static void
peer_free(struct peer *peer)
{
    struct link_server *s = peer->server;
    struct peer **at = &s->peers;

    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    s->n_peers--;
    bufferevent_free(peer->bev);
    mem_free(peer);
}

static void
peer_close(struct peer *peer, const struct err *why)
{
    struct link_server *s = peer->server;

    if (!peer->doomed) {
        peer->doomed = true;
        s->options.closed(s->options.arg, peer->number, why);
    }
    if (!peer->reading) {
        peer_free(peer);
    }
}

static int
handle(struct peer *peer, struct span body, struct err *e)
{
    struct link_message m;

    if (link_decode(body, &m, e) != 0) {
        return -1;
    }
    if (!link_type_is_request(m.type)) {
        return err_set(e, ERR_DENIED, "an RA does not say %s", link_type_name(m.type));
    }
    if (peer->greeted != (m.type != LINK_HELLO)) {
        return err_set(e, ERR_DENIED, "%s before HELLO, or HELLO again", link_type_name(m.type));
    }
    peer->greeted = true;
    peer->open++;
    peer->server->options.request(peer->server->options.arg, peer->number, &m);
    return 0;
}

/* One that is doomed, has too much under way, or waits for its WELCOME, is not read from. */
static bool
may_read(const struct peer *peer)
{
    return !peer->doomed && peer->open < peer->server->options.open_max &&
           peer->greeted == peer->welcomed;
}

static void
read_frames(struct peer *peer)
{
    struct evbuffer *in = bufferevent_get_input(peer->bev);
    struct err e = {0};
    struct span body;
    bool there = true;
    int result = 0;

    peer->reading = true;
    while (result == 0 && there && may_read(peer)) {
        result = frame_next(in, LINK_FRAME_MAX, &there, &body, &e);
        if (result == 0 && there) {
            result = handle(peer, body, &e);
            frame_drop(in, body.n);
        }
    }
    peer->reading = false;
    if (result != 0 || peer->doomed) {
        peer_close(peer, &e);
    } else if (peer->open >= peer->server->options.open_max) {
        (void)bufferevent_disable(peer->bev, EV_READ);
    }
}

static void
on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    read_frames(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
    struct err e = {0};

    (void)bev;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        (void)err_set(&e, ERR_IO, "peer closed");
        peer_close(arg, &e);
    }
}

static bool
is_allowed(const struct link_server *s, uid_t uid)
{
    for (size_t i = 0; i < s->options.n_uids; i++) {
        if (s->uids[i] == uid) {
            return true;
        }
    }
    return false;
}

static int
admit(struct link_server *s, int fd, struct err *e)
{
    struct peer *peer;
    struct unix_peer who;

    if (unix_peer(fd, &who, e) != 0) {
        return -1;
    }
    if (!is_allowed(s, who.uid)) {
        return err_set(e, ERR_DENIED, "user %u may not use %s: see link_users", (unsigned)who.uid,
                       s->path);
    }
    if (s->n_peers >= s->options.peers_max) {
        return err_set(e, ERR_BUSY, "more than %zu peers at %s", s->options.peers_max, s->path);
    }
    peer = mem_new(sizeof(*peer));
    peer->server = s;
    peer->number = s->last;
    peer->user = who.uid;
    peer->bev = bufferevent_socket_new(s->options.base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (peer->bev == NULL) {
        mem_free(peer);
        return err_set(e, ERR_IO, "no memory for a peer");
    }
    peer->next = s->peers;
    s->peers = peer;
    s->n_peers++;
    bufferevent_setcb(peer->bev, on_read, NULL, on_event, peer);
    /* libevent stops reading when this much waits: one frame and the begin of the next. */
    bufferevent_setwatermark(peer->bev, EV_READ, 0, (size_t)2 * LINK_FRAME_MAX);
    (void)bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
    return 0;
}

static void
on_accept(evutil_socket_t listening, short what, void *arg)
{
    struct link_server *s = arg;
    struct err e = {0};
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (fd < 0) {
        return; /* gone again, or no descriptors left: the next event tries anew */
    }
    s->last++;
    if (admit(s, fd, &e) != 0) {
        (void)close(fd);
        s->options.closed(s->options.arg, s->last, &e);
    }
}

static struct peer *
find(const struct link_server *s, link_peer number)
{
    struct peer *peer = s->peers;

    while (peer != NULL && peer->number != number) {
        peer = peer->next;
    }
    return peer;
}

/* Reading again is left to the loop, so that `request` is never entered from inside an answer. */
static void
resume(struct peer *peer)
{
    (void)bufferevent_enable(peer->bev, EV_READ);
    bufferevent_trigger(peer->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
}

/* False when the peer had to be closed. */
static bool
put(struct peer *peer, const struct link_message *m)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LINK_FRAME_MAX);
    struct evbuffer *out = bufferevent_get_output(peer->bev);
    struct err e = {0};

    if (link_encode(m, &body, &e) != 0 || frame_put(out, buf_span(&body), &e) != 0) {
        peer_close(peer, &e);
        return false;
    }
    if (evbuffer_get_length(out) > UNSENT_MAX) {
        (void)err_set(&e, ERR_BUSY, "the peer does not read its answers");
        peer_close(peer, &e);
        return false;
    }
    return true;
}

void
link_server_answer(struct link_server *s, link_peer number, const struct link_message *m)
{
    struct peer *peer = find(s, number);
    bool was_full;

    if (peer == NULL || peer->doomed) {
        return;
    }
    assert(!link_type_is_request(m->type) && peer->open > 0);
    was_full = peer->open >= s->options.open_max || !peer->welcomed;
    peer->open--;
    peer->welcomed = peer->welcomed || m->type == LINK_WELCOME;
    if (put(peer, m) && was_full) {
        resume(peer);
    }
}

void
link_server_tell(struct link_server *s, link_peer number, const struct link_message *m)
{
    struct peer *peer = find(s, number);

    assert(!link_type_is_request(m->type));
    if (peer != NULL && !peer->doomed) {
        (void)put(peer, m);
    }
}

void
link_server_tell_all(struct link_server *s, const struct link_message *m)
{
    struct peer *next;

    for (struct peer *peer = s->peers; peer != NULL; peer = next) {
        next = peer->next; /* put() may close this one */
        if (peer->welcomed) {
            link_server_tell(s, peer->number, m);
        }
    }
}

void
link_server_close(struct link_server *s, link_peer number, const struct err *why)
{
    struct peer *peer = find(s, number);

    if (peer != NULL) {
        peer_close(peer, why);
    }
}

size_t
link_server_peers(const struct link_server *s)
{
    return s->n_peers;
}

uid_t
link_server_user(const struct link_server *s, link_peer number)
{
    const struct peer *peer = find(s, number);

    assert(peer != NULL);
    return peer->user;
}

struct link_server *
link_server_new(const struct link_server_options *options, struct err *e)
{
    struct link_server *s = mem_new(sizeof(*s));

    s->options = *options;
    s->options.open_max = options->open_max == 0 ? OPEN_DEFAULT : options->open_max;
    s->options.peers_max = options->peers_max == 0 ? PEERS_DEFAULT : options->peers_max;
    s->path = mem_strdup(options->path);
    s->options.path = s->path;
    s->uids = mem_dup(options->uids, options->n_uids * sizeof(uid_t));
    s->options.uids = s->uids;
    s->fd = unix_listen(s->path, 0660, e);
    if (s->fd < 0) {
        link_server_free(s);
        return NULL;
    }
    s->accepting = event_new(options->base, s->fd, EV_READ | EV_PERSIST, on_accept, s);
    if (s->accepting == NULL || event_add(s->accepting, NULL) != 0) {
        (void)err_set(e, ERR_IO, "watch %s", s->path);
        link_server_free(s);
        return NULL;
    }
    return s;
}

void
link_server_free(struct link_server *s)
{
    if (s == NULL) {
        return;
    }
    while (s->peers != NULL) {
        peer_free(s->peers);
    }
    if (s->accepting != NULL) {
        event_free(s->accepting);
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
        (void)unlink(s->path);
    }
    mem_free(s->uids);
    mem_free(s->path);
    mem_free(s);
}
