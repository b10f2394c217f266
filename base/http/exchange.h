/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - a connection with its one exchange, as connection.c, which moves it along,
 * and exchange.c, which answers, see it. The picture of its states is in connection.c.
 */
#pragma once

#include "base/http/connections.h"
#include "base/http/message/answer.h"

enum connection_state { HANDSHAKE, ARRIVED, READING, IN_FLIGHT, WRITING, LINGERING, DEAD };

struct http_exchange {
    struct http_connections *all; /* NULL when DEAD */
    struct http_place place;
    struct bufferevent *bev;
    struct event *timer;
    struct http_parser *parser;
    enum connection_state state;
    bool deadline_set; /* the absolute one */
    bool last;         /* close after the answer */
    bool advancing;
    bool is_unknown; /* it might be one who may send more */
    struct http_address address;
    char peer[HTTP_PEER_SIZE];
    const void *tag; /* of its listener */
    struct buf certificate;
};

/* Nothing of it is on the network any more. */
void http_exchange_free(struct http_exchange *);
void http_exchange_set_timer(struct http_exchange *, int ms);
/* Begins WRITING. */
void http_exchange_write(struct http_exchange *, const struct http_answer *);
