/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection carries one call at a time: it is not read from until the call is answered. A call
 * whose client went away keeps living, without a connection, until the daemon answers it.
 */
#include "ca/link/admin.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "ca/link/frame.h"

struct admin_call {
    struct admin_server *server;
    struct admin_call *next;
    struct bufferevent *bev; /* NULL: the client went away */
    const char *who;         /* the server's */
    bool open;               /* the daemon owes an answer */
    char *command, *object;
    json_t *request; /* until its attachment is whole */
    struct buf attachment;
};

struct admin_server {
    struct event_base *base;
    char *path;
    admin_handler *handler;
    void *arg;
    int fd;
    char *root, *own; /* who may ask */
    struct event *accepting;
    struct admin_call *calls;
    size_t n_calls;
};

void
admin_json_cleanup(json_t **object)
{
    json_decref(*object);
    *object = NULL;
}

static void
call_free(struct admin_call *call)
{
    struct admin_call **at = &call->server->calls;

    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    call->server->n_calls--;
    json_decref(call->request);
    buf_free(&call->attachment);
    mem_free(call->command);
    mem_free(call->object);
    mem_free(call);
}

static void
hang_up(struct admin_call *call)
{
    if (call->bev != NULL) {
        bufferevent_free(call->bev);
        call->bev = NULL;
    }
    if (!call->open) {
        call_free(call);
    }
}

static json_t *
parse_object(struct span text, struct err *e)
{
    json_error_t reason;
    json_t *object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &reason);

    if (object == NULL || !json_is_object(object)) {
        json_decref(object);
        (void)err_set(e, ERR_INPUT, "not one JSON object");
        return NULL;
    }
    return object;
}

static void
hand_over(struct admin_call *call)
{
    CLEANUP(admin_json_cleanup) json_t *request = call->request;
    const char *command = json_string_value(json_object_get(request, "command"));
    struct err e = {0};

    call->request = NULL;
    call->open = true;
    if (command == NULL) {
        (void)err_set(&e, ERR_INPUT, "a JSON object with the member \"command\" is expected");
        admin_refuse(call, &e);
        return;
    }
    mem_free(call->command);
    mem_free(call->object);
    call->command = mem_strdup(command);
    call->object = NULL;
    call->server->handler(call->server->arg, call, command, request);
}

/* Octets of the attachment, as they come. */
static void
take_attachment(struct admin_call *call)
{
    struct evbuffer *in = bufferevent_get_input(call->bev);
    struct buf *a = &call->attachment;
    size_t there = evbuffer_get_length(in);
    size_t n = there < a->max - a->n ? there : a->max - a->n;
    struct err e = {0};
    uint8_t *room = n == 0 ? NULL : buf_extend(a, n, &e);

    if (room != NULL) {
        (void)evbuffer_remove(in, room, n);
    }
    if (a->n == a->max) {
        hand_over(call);
    }
}

/* What the request says of an attachment; false when it may not be. */
static bool
announce_attachment(struct admin_call *call)
{
    const json_t *size = json_object_get(call->request, "attachment");
    json_int_t n = json_integer_value(size);

    if (size != NULL && (n < 1 || n > ADMIN_ATTACHMENT_MAX)) {
        return false;
    }
    call->attachment = BUF_INIT((size_t)n);
    return true;
}

static void
take_call(struct admin_call *call)
{
    struct evbuffer *in = bufferevent_get_input(call->bev);
    struct err e = {0};
    struct span body;
    bool there;

    if (call->open) {
        return;
    }
    if (call->request != NULL) {
        take_attachment(call);
        return;
    }
    if (frame_next(in, ADMIN_REQUEST_MAX, &there, &body, &e) != 0) {
        hang_up(call);
        return;
    }
    if (!there) {
        return;
    }
    call->request = parse_object(body, &e);
    frame_drop(in, body.n);
    if (!announce_attachment(call)) {
        hang_up(call);
    } else if (call->attachment.max > 0) {
        take_attachment(call);
    } else {
        hand_over(call);
    }
}

static void
on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    take_call(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        hang_up(arg);
    }
}

/* The frame goes out even when the object cannot be written: then with the reason. */
static void
reply(struct admin_call *call, json_t *answer)
{
    CLEANUP(mem_cleanup) char *text = json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS);
    struct err e = {0};
    size_t n = text == NULL ? 0 : strlen(text);

    json_decref(answer);
    assert(call->open);
    call->open = false;
    buf_free(&call->attachment);
    if (call->bev == NULL) {
        call_free(call);
        return;
    }
    if (n == 0 || n > ADMIN_ANSWER_MAX) {
        static const char too_long[] =
            "{\"error\":{\"code\":\"input\",\"text\":\"the answer is too long: ask for less\"}}";

        mem_free(text);
        text = mem_strdup(too_long);
        n = sizeof(too_long) - 1;
    }
    if (frame_put(bufferevent_get_output(call->bev), span_of(text, n), &e) != 0) {
        hang_up(call);
        return;
    }
    if (evbuffer_get_length(bufferevent_get_input(call->bev)) > 0) { /* the next call, perhaps */
        bufferevent_trigger(call->bev, EV_READ,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
    }
}

void
admin_answer(struct admin_call *call, json_t *answer)
{
    json_t *object = answer == NULL ? json_object() : answer;

    (void)json_object_set_new(object, "ok", json_true());
    reply(call, object);
}

void
admin_refuse(struct admin_call *call, const struct err *why)
{
    json_t *text = json_string(why->text);

    /* Not UTF-8 only when a library quoted octets: the code still says what to do. */
    text = text == NULL ? json_string("the reason is not printable") : text;
    reply(call,
          json_pack("{s:{s:s,s:o}}", "error", "code", err_code_name(why->code), "text", text));
}

void
admin_take_attachment(struct admin_call *call, struct buf *out)
{
    buf_move(out, &call->attachment);
}

void
admin_row(struct admin_call *call, json_t *row)
{
    CLEANUP(admin_json_cleanup) json_t *object = json_pack("{s:o}", "row", row);
    CLEANUP(mem_cleanup) char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    struct err e = {0};

    assert(call->open);
    if (call->bev != NULL && text != NULL) {
        /* What does not go out now is missed by the reader in the answer's counts. */
        (void)frame_put(bufferevent_get_output(call->bev), span_str(text), &e);
    }
}

const char *
admin_who(const struct admin_call *call)
{
    return call->who;
}

const char *
admin_command(const struct admin_call *call)
{
    return call->command;
}

void
admin_about(struct admin_call *call, const char *object)
{
    mem_free(call->object);
    call->object = object == NULL ? NULL : mem_strdup(object);
}

const char *
admin_object(const struct admin_call *call)
{
    return call->object;
}

/* The host's list of users may be elsewhere, and slow: asked once, at the start. */
static char *
person(uid_t uid)
{
    char octets[4096];
    struct passwd row;
    struct passwd *found = NULL;

    if (getpwuid_r(uid, &row, octets, sizeof(octets), &found) != 0 || found == NULL) {
        return mem_printf("uid %u", (unsigned)uid);
    }
    for (const char *p = row.pw_name; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e) {
            return mem_printf("uid %u", (unsigned)uid);
        }
    }
    return mem_printf("uid %u (%s)", (unsigned)uid, row.pw_name);
}

static int
admit(struct admin_server *s, int fd, struct err *e)
{
    struct admin_call *call;
    struct unix_peer who;

    if (unix_peer(fd, &who, e) != 0) {
        return -1;
    }
    if ((who.uid != 0 && who.uid != geteuid()) || s->n_calls >= ADMIN_CALLS_MAX) {
        return err_set(e, ERR_DENIED, "user %u may not, or there are too many", (unsigned)who.uid);
    }
    call = mem_new(sizeof(*call));
    call->server = s;
    call->who = who.uid == 0 ? s->root : s->own;
    call->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (call->bev == NULL) {
        mem_free(call);
        return err_set(e, ERR_IO, "no memory for a connection");
    }
    call->next = s->calls;
    s->calls = call;
    s->n_calls++;
    bufferevent_setcb(call->bev, on_read, NULL, on_event, call);
    bufferevent_setwatermark(call->bev, EV_READ, 0, (size_t)2 * ADMIN_REQUEST_MAX);
    (void)bufferevent_enable(call->bev, EV_READ | EV_WRITE);
    return 0;
}

static void
on_accept(evutil_socket_t listening, short what, void *arg)
{
    struct err e = {0};
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (fd >= 0 && admit(arg, fd, &e) != 0) {
        (void)close(fd);
    }
}

struct admin_server *
admin_server_new(struct event_base *base, const char *path, admin_handler *handler, void *arg,
                 struct err *e)
{
    struct admin_server *s = mem_new(sizeof(*s));

    s->base = base;
    s->path = mem_strdup(path);
    s->handler = handler;
    s->arg = arg;
    s->root = person(0);
    s->own = person(geteuid());
    s->fd = unix_listen(path, 0600, e);
    if (s->fd < 0) {
        admin_server_free(s);
        return NULL;
    }
    s->accepting = event_new(base, s->fd, EV_READ | EV_PERSIST, on_accept, s);
    if (s->accepting == NULL || event_add(s->accepting, NULL) != 0) {
        (void)err_set(e, ERR_IO, "watch %s", path);
        admin_server_free(s);
        return NULL;
    }
    return s;
}

/* An answer that was given in the loop's last turn waits to be written: what the socket takes of it
 * at once goes out. */
static void
write_out(struct admin_call *call)
{
    struct evbuffer *out = bufferevent_get_output(call->bev);

    (void)evbuffer_unfreeze(out, 1); /* its bufferevent will not write any more */
    (void)evbuffer_write(out, bufferevent_getfd(call->bev));
}

void
admin_server_free(struct admin_server *s)
{
    if (s == NULL) {
        return;
    }
    while (s->calls != NULL) {
        assert(!s->calls->open);
        if (s->calls->bev != NULL) {
            write_out(s->calls);
        }
        hang_up(s->calls);
    }
    if (s->accepting != NULL) {
        event_free(s->accepting);
    }
    if (s->fd >= 0) {
        (void)close(s->fd);
        (void)unlink(s->path);
    }
    mem_free(s->root);
    mem_free(s->own);
    mem_free(s->path);
    mem_free(s);
}

static enum err_code
code_by_name(const char *name)
{
    for (int code = ERR_INPUT; code <= ERR_IO; code++) {
        if (strcmp(name, err_code_name((enum err_code)code)) == 0) {
            return (enum err_code)code;
        }
    }
    return ERR_IO;
}

/* The daemon's refusal becomes the reason. */
static int
check_answer(const json_t *answer, struct err *e)
{
    const json_t *error = json_object_get(answer, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "text"));

    if (json_is_true(json_object_get(answer, "ok"))) {
        return 0;
    }
    if (code == NULL || text == NULL) {
        return err_set(e, ERR_IO, "the daemon's answer is neither \"ok\" nor \"error\"");
    }
    return err_set(e, code_by_name(code), "%s", text);
}

/* Sends the request and what it announces. */
static int
put_request(int fd, const json_t *request, struct span attachment, int timeout_ms, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);

    if (text == NULL || strlen(text) > ADMIN_REQUEST_MAX) {
        return err_set(e, ERR_INPUT, "the request is too long");
    }
    if (frame_write(fd, span_str(text), timeout_ms, e) != 0) {
        return -1;
    }
    for (size_t sent = 0; sent < attachment.n;) {
        ssize_t n = send(fd, attachment.p + sent, attachment.n - sent, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR) {
            return err_errno(e, ERR_IO, errno, "send");
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* The answer, after its rows. */
static json_t *
read_answer(int fd, admin_row_seen *seen, void *arg, int timeout_ms, struct err *e)
{
    for (;;) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(ADMIN_ANSWER_MAX);
        CLEANUP(admin_json_cleanup) json_t *answer = NULL;
        json_t *row;

        if (frame_read(fd, ADMIN_ANSWER_MAX, &body, timeout_ms, e) != 0) {
            e->code = e->code == ERR_NOTFOUND ? ERR_IO : e->code;
            return NULL;
        }
        answer = parse_object(buf_span(&body), e);
        row = json_object_get(answer, "row");
        if (row == NULL || seen == NULL) {
            return TAKE(answer);
        }
        seen(arg, row);
    }
}

static json_t *
ask(const char *path, const json_t *request, struct span attachment, admin_row_seen *seen,
    void *arg, int timeout_ms, struct err *e)
{
    CLEANUP(fd_cleanup) int fd = unix_connect(path, true, e);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;

    if (fd < 0) {
        (void)err_wrap(e, "is the daemon running?");
        return NULL;
    }
    if (put_request(fd, request, attachment, timeout_ms, e) == 0) {
        answer = read_answer(fd, seen, arg, timeout_ms, e);
    }
    if (answer == NULL) {
        (void)err_wrap(e, "%s", path);
        return NULL;
    }
    return check_answer(answer, e) == 0 ? TAKE(answer) : NULL;
}

json_t *
admin_ask_rows(const char *path, json_t *request, struct span attachment, admin_row_seen *seen,
               void *arg, int timeout_ms, struct err *e)
{
    if (attachment.n > 0) {
        (void)json_object_set_new(request, "attachment", json_integer((json_int_t)attachment.n));
    }
    return ask(path, request, attachment, seen, arg, timeout_ms, e);
}

json_t *
admin_ask(const char *path, const json_t *request, int timeout_ms, struct err *e)
{
    return ask(path, request, (struct span){0}, NULL, NULL, timeout_ms, e);
}
