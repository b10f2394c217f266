/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   WAITING --timer--> CONNECTED (HELLO sent) --WELCOME--> UP
 *      ^                   |                                |
 *      +----- back-off ----+---------- end, nonsense -------+
 */
#include "ca/link/client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <unistd.h>

#include "base/unix.h"
#include "ca/link/frame.h"

enum {
    BACK_OFF_FIRST_MS = 100,
    BACK_OFF_MAX_MS = 5000,
    UNSENT_MAX = 1024 * 1024,
};

struct link_client {
    struct link_client_options options;
    char *path;
    struct event *timer;
    struct bufferevent *bev; /* NULL: waiting */
    bool up;
    int pause_ms;
};

static void
wait_again(struct link_client *c)
{
    const struct timeval pause = {.tv_sec = c->pause_ms / 1000,
                                  .tv_usec = (c->pause_ms % 1000) * 1000};

    c->pause_ms = c->pause_ms * 2 > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : c->pause_ms * 2;
    (void)event_add(c->timer, &pause);
}

static void
drop(struct link_client *c, const struct err *why)
{
    if (c->bev != NULL) {
        bufferevent_free(c->bev);
        c->bev = NULL;
    }
    c->up = false;
    wait_again(c);
    c->options.down(c->options.arg, why);
}

static int
handle(struct link_client *c, struct span body, struct err *e)
{
    struct link_message m;

    if (link_decode(body, &m, e) != 0) {
        return -1;
    }
    if (link_type_is_request(m.type) || c->up != (m.type != LINK_WELCOME)) {
        return err_set(e, ERR_DENIED, "%s does not belong here", link_type_name(m.type));
    }
    if (m.type == LINK_WELCOME) {
        c->up = true;
        c->pause_ms = BACK_OFF_FIRST_MS;
        c->options.up(c->options.arg, &m);
    } else {
        c->options.message(c->options.arg, &m);
    }
    return 0;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
    struct link_client *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    struct err e = {0};
    struct span body;
    bool there = true;
    int result = 0;

    while (result == 0 && there) {
        result = frame_next(in, LINK_FRAME_MAX, &there, &body, &e);
        if (result == 0 && there) {
            result = handle(c, body, &e);
            frame_drop(in, body.n);
        }
    }
    if (c->options.taken_in != NULL) {
        c->options.taken_in(c->options.arg);
    }
    if (result != 0) {
        drop(c, &e);
    }
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
    struct err e = {0};

    (void)bev;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        (void)err_set(&e, ERR_IO, "the CA closed the link");
        drop(arg, &e);
    }
}

static int
put_message(struct link_client *c, const struct link_message *m, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LINK_FRAME_MAX);

    if (link_encode(m, &body, e) != 0) {
        return -1;
    }
    return frame_put(bufferevent_get_output(c->bev), buf_span(&body), e);
}

static int
connect_now(struct link_client *c, struct err *e)
{
    struct link_message hello = {.type = LINK_HELLO};
    int fd = unix_connect(c->path, false, e);
    struct unix_peer who;

    if (fd < 0) {
        return -1;
    }
    if (unix_peer(fd, &who, e) != 0) {
        (void)close(fd);
        return -1;
    }
    if (c->options.server_uid != (uid_t)-1 && who.uid != c->options.server_uid) {
        (void)close(fd);
        return err_set(e, ERR_DENIED, "user %u listens on %s, not the CA's user %u",
                       (unsigned)who.uid, c->path, (unsigned)c->options.server_uid);
    }
    c->bev = bufferevent_socket_new(c->options.base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (c->bev == NULL) {
        (void)close(fd);
        return err_set(e, ERR_IO, "no memory for the link");
    }
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, (size_t)2 * LINK_FRAME_MAX);
    (void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    if (c->options.remembered != NULL) {
        hello.checkpoint = c->options.remembered(c->options.arg);
    }
    return put_message(c, &hello, e);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct link_client *c = arg;
    struct err e = {0};

    (void)fd;
    (void)what;
    if (connect_now(c, &e) != 0) {
        drop(c, &e);
    }
}

int
link_client_send(struct link_client *c, const struct link_message *m, struct err *e)
{
    if (!c->up) {
        return err_set(e, ERR_BUSY, "the CA is not connected");
    }
    if (!link_type_is_request(m->type) || m->type == LINK_HELLO) {
        return err_set(e, ERR_INPUT, "an RA does not send %s", link_type_name(m->type));
    }
    if (evbuffer_get_length(bufferevent_get_output(c->bev)) > UNSENT_MAX) {
        return err_set(e, ERR_BUSY, "the CA is slow in reading");
    }
    return put_message(c, m, e);
}

bool
link_client_is_up(const struct link_client *c)
{
    return c->up;
}

struct link_client *
link_client_new(const struct link_client_options *options, struct err *e)
{
    const struct timeval at_once = {0};
    struct link_client *c = mem_new(sizeof(*c));

    c->options = *options;
    c->path = mem_strdup(options->path);
    c->options.path = c->path;
    c->pause_ms = BACK_OFF_FIRST_MS;
    c->timer = event_new(options->base, -1, 0, on_timer, c);
    if (c->timer == NULL || event_add(c->timer, &at_once) != 0) {
        (void)err_set(e, ERR_IO, "no memory for the link");
        link_client_free(c);
        return NULL;
    }
    return c;
}

void
link_client_free(struct link_client *c)
{
    if (c == NULL) {
        return;
    }
    if (c->bev != NULL) {
        bufferevent_free(c->bev);
    }
    if (c->timer != NULL) {
        event_free(c->timer);
    }
    mem_free(c->path);
    mem_free(c);
}
