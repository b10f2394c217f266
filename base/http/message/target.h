/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - what a request line asks for (RFC 9112 3.2): "/path", or the absolute form
 * "http://host/path" that clients behind a proxy send, whose authority stands above Host and tells
 * nothing to who has one; who does not know that asks is_absolute. Pure.
 */
#pragma once

#include "base/http/message/parse.h"

enum {
    HTTP_AUTHORITY_MAX = 255 + 6, /* a name of the DNS and a port */
    HTTP_TARGET_MAX = 8 + HTTP_AUTHORITY_MAX + HTTP_PATH_MAX + 1 + HTTP_QUERY_MAX,
    HTTP_TARGET_FORM_MAX = HTTP_TARGET_MAX - HTTP_QUERY_MAX + HTTP_FORM_MAX,
};

/* Which query may follow. */
enum http_queries {
    HTTP_QUERY_NONE,
    HTTP_QUERY_PLAIN, /* request.query */
    HTTP_QUERY_FORM,  /* request.form, which borrows from the text */
};

/* Fills in path, query or form, and is_absolute. */
enum http_fault http_target_parse(const char *text, enum http_queries, struct http_request *out);
