/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - what a request line asks for (RFC 9112 3.2): "/path", or the absolute form
 * "http://host/path" that clients behind a proxy send, whose authority stands above Host and tells
 * us nothing, because we have one. Pure.
 */
#pragma once

#include "base/http/message/parse.h"

enum {
    HTTP_AUTHORITY_MAX = 255 + 6, /* a name of the DNS and a port */
    HTTP_TARGET_MAX = 8 + HTTP_AUTHORITY_MAX + HTTP_PATH_MAX + 1 + HTTP_QUERY_MAX,
};

/* Fills in path and query; `queries`: one may have a query. */
enum http_fault http_target_parse(const char *text, bool queries, struct http_request *out);
