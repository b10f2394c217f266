/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - what an administrator may ask of the RA, whichever door it came through: the local
 * socket (socket.h) or HTTPS (api.h). Both give the same document and get the same answer.
 *
 * Private to ra/; everything is called on the loop's thread.
 */
#pragma once

#include <jansson.h>

#include "db/requests/requests.h"
#include "ra/admin/held.h"
#include "ra/daemon/ra.h"

enum command_kind {
    COMMAND_REGISTER, /* `document`: what a registrar signed */
    COMMAND_LIST,     /* `filter` */
    COMMAND_SHOW,     /* `id` */
    COMMAND_BUNDLE,   /* `id`: the same, with where and whom to ask */
    COMMAND_CANCEL,   /* `document`: what a registrar signed */
    COMMAND_IMPORT,   /* `manifest` and `document`, the lines */
    COMMAND_HELD,     /* `page`: of certificates; by the socket alone */
    COMMAND_STATUS,
};

enum { COMMAND_WHO_SIZE = 160, COMMAND_PAGE_MAX = 1000, COMMAND_PAGE = 100 };

struct command_request {
    enum command_kind kind;
    struct buf document; /* taken */
    struct buf manifest; /* taken */
    char id[REQUESTS_ID_SIZE];
    struct requests_filter filter;
    struct held_page page;
    char who[COMMAND_WHO_SIZE]; /* for the log: printable */
};

/* Where the answer goes. Exactly one of the first two is called, once, never inside command_run();
 * an import gives its rows before. */
struct command_door {
    void (*answer)(void *arg, json_t *answer); /* takes the reference to an object */
    void (*refuse)(void *arg, const struct err *why);
    void (*row)(void *arg, json_t *row); /* takes the reference to an object */
    void *arg;
};

void command_run(struct ra *, struct command_request *, const struct command_door *);
/* NULL: anything. ERR_INPUT names what is wrong; limit 1..COMMAND_PAGE_MAX. */
int command_parse_filter(const char *state, const char *nf_instance, const char *after,
                         int64_t limit, struct requests_filter *out, struct err *e);
/* 32 hex digits of either case into an id. ERR_INPUT. */
int command_parse_id(const char *text, char id[REQUESTS_ID_SIZE], struct err *e);
