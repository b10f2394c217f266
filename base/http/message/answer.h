/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - an answer as octets. Pure but for the Date.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

struct evbuffer;

struct http_answer {
    int status;
    int retry_after;           /* seconds; 0: none */
    const char *content_type;  /* NULL: none */
    const char *allow;         /* of a 405; NULL: "GET, HEAD, POST" */
    const char *location;      /* NULL: none */
    const char *etag;          /* without its quotes; NULL: none */
    time_t last_modified;      /* 0: not known */
    const char *cache_control; /* NULL: none */
    const char *fields;        /* header lines of ours, each with its end; NULL: no more */
    struct span body;
    /* NULL: the body is copied. Else it stays where it is until this is called with it and `arg`,
     * once: everything was sent, or never will be. */
    void (*release)(const void *octets, size_t n, void *arg);
    void *arg;
    bool close;      /* after this one */
    bool keep_alive; /* to be said, because HTTP/1.0 closes otherwise */
    bool head;       /* as if with the body (RFC 9110 9.3.2) */
};

/* "Not Found" */
const char *http_reason_phrase(int status);
/* Its body is not needed any more. */
void http_answer_release(const struct http_answer *);
/* `last`: the connection ends after it. */
void http_answer_write(const struct http_answer *, bool last, struct evbuffer *out);
