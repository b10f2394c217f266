/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the CA's end of the link: a Unix stream socket that serves processes of known users.
 *
 * A peer that is not one of the configured users (SO_PEERCRED), says something that is no request,
 * something too long, or anything before HELLO, is closed and reported; the server goes on.
 * A peer with `open_max` requests under way is not read from until an answer is sent, and one that
 * said HELLO not until it was answered with WELCOME: nothing of it is judged before.
 * Runs in the caller's libevent loop, in one thread.
 */
#pragma once

#include <sys/types.h>

#include "ca/link/msg.h"

struct event_base;

/* Names a peer; never used again, so an answer that comes too late reaches nobody. */
typedef uint64_t link_peer;

struct link_server_options {
    struct event_base *base;
    const char *path;  /* created 0660, replaced when it exists; removed at the end; copied */
    const uid_t *uids; /* copied; empty: nobody */
    size_t n_uids;
    size_t open_max;  /* requests of one peer without answer; 0: 1024 */
    size_t peers_max; /* 0: 4 */
    /* SUBMIT, REGISTER or CANCEL: to be answered with exactly one link_server_answer(). HELLO too:
     * with WELCOME. Borrowed during the call. */
    void (*request)(void *arg, link_peer, const struct link_message *);
    /* A peer was refused or closed. */
    void (*closed)(void *arg, link_peer, const struct err *why);
    void *arg;
};

struct link_server;
void link_server_free(struct link_server *);
struct link_server *link_server_new(const struct link_server_options *, struct err *e)
    OWNED(link_server_free);
DEFINE_CLEANUP(link_server_cleanup, struct link_server, link_server_free)

/* Does nothing when the peer is gone. May be called inside `request`. */
void link_server_answer(struct link_server *, link_peer, const struct link_message *);
/* What became of a request that was answered before with WAITING: an answer more. */
void link_server_tell(struct link_server *, link_peer, const struct link_message *);
/* To everybody who got WELCOME. */
void link_server_tell_all(struct link_server *, const struct link_message *);
/* Ends the connection, with this reason for `closed`. Does nothing when the peer is gone. */
void link_server_close(struct link_server *, link_peer, const struct err *why);
size_t link_server_peers(const struct link_server *);
/* Who it is, however often he connects; of a peer that is there: inside `request`. */
uid_t link_server_user(const struct link_server *, link_peer);
