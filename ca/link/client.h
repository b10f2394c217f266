/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the RA's end of the link: connects, says HELLO, connects again when the CA went away.
 *
 * Does: framing, back-off (0.1 s doubling to 5 s), refusing what only an RA may say.
 * Does not: remember what was sent. The RA's queue is durable, the CA's answers are idempotent:
 * send again after every `up` whatever has no answer yet. Runs in the caller's libevent loop, in
 * one thread; callbacks are never called from inside link_client_send().
 */
#pragma once

#include <sys/types.h>

#include "ca/link/msg.h"

struct event_base;

struct link_client_options {
    struct event_base *base;
    const char *path; /* of the CA's socket; copied */
    uid_t server_uid; /* whose process must listen there; (uid_t)-1: whoever may bind the path */
    /* What HELLO says: the checkpoint that is remembered, empty for none. Borrowed during the call.
     * NULL: none. */
    struct span (*remembered)(void *arg);
    /* The WELCOME of a new connection: messages may be sent from now on. */
    void (*up)(void *arg, const struct link_message *welcome);
    /* An answer. Borrowed during the call. */
    void (*message)(void *arg, const struct link_message *);
    /* Behind those that came at once: what is done with all of them may begin. NULL: nothing is. */
    void (*taken_in)(void *arg);
    /* The connection ended, or could not be made (called at each try, for the log). */
    void (*down)(void *arg, const struct err *why);
    void *arg;
};

struct link_client;
void link_client_free(struct link_client *);
/* Connects from the loop; `down` is called while it fails. */
struct link_client *link_client_new(const struct link_client_options *, struct err *e)
    OWNED(link_client_free);
DEFINE_CLEANUP(link_client_cleanup, struct link_client, link_client_free)

/* ERR_BUSY while not up, or while more than 1 MiB waits to be written: send after the next answer.
 */
int link_client_send(struct link_client *, const struct link_message *, struct err *e);
bool link_client_is_up(const struct link_client *);
