/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h - the local socket on which a daemon is administered: one JSON object there, one back.
 *
 *   request  {"command":"revoke", ...}
 *   answer   {"ok":true, ...}  or  {"error":{"code":"denied","text":"..."}}
 *
 * Frames of a length of 4 octets and the text. A request with "attachment":N is followed by N
 * octets as they are, for what is too long for a frame. Before its answer a daemon may send rows:
 * {"row":{...}}. One call at a time per connection. Served are root
 * and the daemon's own user (SO_PEERCRED); others are closed unread. Duplicate members are refused.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

struct event_base;

enum {
    ADMIN_REQUEST_MAX = 64 * 1024,
    ADMIN_ANSWER_MAX = 4 * 1024 * 1024,
    ADMIN_ATTACHMENT_MAX = 32 * 1024 * 1024,
    ADMIN_CALLS_MAX = 16, /* connections at once */
};

/* The daemon's side, in its libevent loop. */
struct admin_server;
/* To be given to exactly one of admin_answer() and admin_refuse(), now or later from the loop; it
 * stays good when the client goes away meanwhile. */
struct admin_call;

/* `command` and `request` (a JSON object) are borrowed during the call. Answer an unknown command
 * with admin_refuse(ERR_INPUT). */
typedef void admin_handler(void *arg, struct admin_call *call, const char *command,
                           const json_t *request);

/* All calls must have been answered; what was not written yet of the answers is, as far as the
 * sockets take it at once. */
void admin_server_free(struct admin_server *);
/* The socket is created 0600 (replaced when it exists). */
struct admin_server *admin_server_new(struct event_base *base, const char *path,
                                      admin_handler *handler, void *arg, struct err *e)
    OWNED(admin_server_free);
DEFINE_CLEANUP(admin_server_cleanup, struct admin_server, admin_server_free)

/* The attachment of the request, moved; empty when there was none. */
void admin_take_attachment(struct admin_call *, struct buf *out);
/* Sends a row of the answer to come; takes the reference. */
void admin_row(struct admin_call *, json_t *row);
/* Takes the reference to `answer`, a JSON object; "ok":true is added. NULL: nothing but this. */
void admin_answer(struct admin_call *, json_t *answer);
void admin_refuse(struct admin_call *, const struct err *why);
/* Who asks, for the record and the log: "uid 0 (root)", in printable ASCII. Borrowed from the
 * server. */
const char *admin_who(const struct admin_call *);
/* What is asked, and, when admin_about() said so, about what; else NULL. Borrowed from the call. */
const char *admin_command(const struct admin_call *);
void admin_about(struct admin_call *, const char *object);
const char *admin_object(const struct admin_call *);

/* The tool's side: connects, asks, waits. The daemon's refusal comes back as the reason, with its
 * code; ERR_IO tells that the daemon is not there. timeout_ms < 0: for ever. The caller owns the
 * object. */
json_t *admin_ask(const char *path, const json_t *request, int timeout_ms, struct err *e)
    __attribute__((warn_unused_result));

/* The same with an attachment (may be empty); `seen` gets each row, borrowed. The time-out is of
 * each frame. */
typedef void admin_row_seen(void *arg, json_t *row);
json_t *admin_ask_rows(const char *path, json_t *request, struct span attachment,
                       admin_row_seen *seen, void *arg, int timeout_ms, struct err *e)
    __attribute__((warn_unused_result));

void admin_json_cleanup(json_t **object); /* for CLEANUP */
