/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - the bytes of one connection become HTTP/1.x requests, one at a time, or a refusal.
 *
 * Does: framing on llhttp, with the rules that llhttp leaves to its users (no folded lines, no bare
 * LF or CR, no NUL, one Host, one Content-Length, never length and chunks together), and the
 * limits. Everything that can be refused is refused before a body is taken in. What a client may
 * send and means nothing here is ignored: an offered Upgrade, one empty line before a request,
 * chunk extensions, trailers. Does not: sockets, timers, the meaning of a path. Ownership: the
 * parser owns the request; spans and strings live until http_parser_next().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/http/message/fault.h"

enum {
    HTTP_HEADER_MAX = 8 * 1024, /* request line and all header lines */
    HTTP_HEADER_LINES_MAX = 64,
    HTTP_BODY_MAX = 64 * 1024,
    HTTP_CHUNKED_FRAMING_MAX = 8 * 1024, /* what chunk sizes may add to a body */
    HTTP_IGNORED_MAX = 256, /* empty line, chunk extensions and trailers of one request together */
    HTTP_PATH_MAX = 256,
    HTTP_QUERY_MAX = 256,
    HTTP_FORM_MAX = 4 * 1024, /* a query of a form */
    HTTP_HOST_MAX = 63,
    HTTP_CONTENT_TYPE_MAX = 128,
    HTTP_CONDITION_MAX = 512,
    HTTP_DATE_MAX = 63,
};

/* DELETE and a query only where http_parser_allow_resources() was called. HEAD is a GET whose
 * answer is sent without its content (RFC 9110 9.3.2), so nobody can take one and not the other. */
enum http_method { HTTP_METHOD_POST, HTTP_METHOD_GET, HTTP_METHOD_DELETE };

struct http_request {
    enum http_method method;
    char path[HTTP_PATH_MAX + 1];   /* origin form, printable ASCII, no query, no '%' */
    char query[HTTP_QUERY_MAX + 1]; /* what follows '?': letters, digits and -_=& only; may be "" */
    const char *form;               /* a query as forms send it, escapes and all; may be "" */
    char host[HTTP_HOST_MAX + 1];   /* "localhost:8080"; "" when there is none, or a longer one */
    bool is_absolute;               /* "GET http://x/path": x, not kept, stands above `host` */
    char content_type[HTTP_CONTENT_TYPE_MAX + 1]; /* lower case, without parameters; may be "" */
    /* RFC 9110 13.1.2, 13.1.3; a condition that cannot be kept is there and empty. */
    bool has_if_none_match;
    char if_none_match[HTTP_CONDITION_MAX + 1];
    char if_modified_since[HTTP_DATE_MAX + 1];
    /* A browser says that a page of another origin asks, and not to be left for this one: it loads
     * it into itself, by script or in a frame (Fetch Metadata Request Headers). */
    bool is_embedded;
    struct span body;
    bool head; /* a GET that is a HEAD */
    bool keep_alive;
    bool minor_0; /* HTTP/1.0 */
};

enum http_state {
    HTTP_NEED_MORE,     /* everything given was used */
    HTTP_WANT_CONTINUE, /* the peer waits for "100 Continue"; feed again afterwards */
    HTTP_COMPLETE,      /* one request is there; the rest of the bytes was not touched */
    HTTP_REFUSED,       /* answer http_parser_fault() and close: framing is lost for good */
};

struct http_parser;
void http_parser_free(struct http_parser *);
/* `body_max` octets of body, HTTP_BODY_MAX for instance; more is 413. */
struct http_parser *http_parser_new(size_t body_max) OWNED(http_parser_free);
DEFINE_CLEANUP(http_parser_cleanup, struct http_parser, http_parser_free)
/* Takes DELETE and a query too. Before the first octet. */
void http_parser_allow_resources(struct http_parser *);
/* Takes a query of HTTP_FORM_MAX octets (RFC 3986 3.4). Before the first octet. */
void http_parser_allow_forms(struct http_parser *);
/* Another limit. Before the first octet. */
void http_parser_set_body_max(struct http_parser *, size_t body_max);

/* Takes bytes in; *used tells how many. Not to be called in HTTP_COMPLETE or HTTP_REFUSED. */
enum http_state http_parser_feed(struct http_parser *, struct span bytes, size_t *used);
/* The request of HTTP_COMPLETE. */
const struct http_request *http_parser_request(const struct http_parser *);
/* Why HTTP_REFUSED. */
enum http_fault http_parser_fault(const struct http_parser *);
/* True once a byte of the current request has come: which timer applies. An empty line before it is
 * none. */
bool http_parser_has_begun(const struct http_parser *);
/* Forgets the request of HTTP_COMPLETE and makes ready for the next one. */
void http_parser_next(struct http_parser *);
