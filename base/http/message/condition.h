/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition.h - does the client have it already? (RFC 9110 13.1) And dates as HTTP writes
 * them.
 *
 * Pure.
 */
#pragma once

#include <time.h>

#include "base/http/message/parse.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date_format(time_t, char out[HTTP_DATE_MAX + 1]);
/* In each of the three forms (RFC 9110 5.6.7). False: it is none. */
bool http_date_parse(const char *text, time_t *out);

/* Is a GET to be answered 304? If-None-Match decides where it stands, whatever If-Modified-Since
 * says (13.2.2). `etag` without its quotes; `last_modified` 0: not known. */
bool http_is_unchanged(const struct http_request *, const char *etag, time_t last_modified,
                       time_t now);
