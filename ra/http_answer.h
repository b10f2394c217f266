/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_answer.h - an answer as octets. Pure but for the Date.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct evbuffer;

struct http_answer {
    int status;
    int retry_after;          /* seconds; 0: none */
    const char *content_type; /* NULL: none */
    const char *allow;        /* of a 405; NULL: "POST, GET" */
    const char *location;     /* NULL: none */
    struct span body;
    bool close;      /* after this one */
    bool keep_alive; /* to be said, because HTTP/1.0 closes otherwise */
};

/* "Not Found" */
const char *http_reason_phrase(int status);
void http_answer_write(const struct http_answer *, struct evbuffer *out);
