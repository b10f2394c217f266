/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h - the header lines that decide something: Host, Content-Length, Transfer-Encoding,
 * Content-Type, Expect, If-None-Match, If-Modified-Since, Sec-Fetch-*. All others are passed over,
 * Upgrade (RFC 9110 7.8) among them. Between parse.c and fields.c.
 */
#pragma once

#include "base/http/message/parse.h"

enum { HTTP_FIELD_NAME_MAX = 32, HTTP_FIELD_VALUE_MAX = 512 };

/* All zero at the beginning of a request. */
struct http_fields {
    char name[HTTP_FIELD_NAME_MAX + 1];
    size_t name_n;
    bool name_too_long;
    char value[HTTP_FIELD_VALUE_MAX + 1];
    size_t value_n;
    bool value_too_long;

    /* What was there: how often, or that it was. */
    unsigned hosts;
    char host[HTTP_HOST_MAX + 1];
    unsigned lengths;
    unsigned codings; /* chunked */
    bool expects;     /* 100-continue */
    unsigned types;
    char content_type[HTTP_CONTENT_TYPE_MAX + 1]; /* as in struct http_request, like those below */
    bool has_if_none_match;
    bool lost_if_none_match; /* too long to be kept */
    char if_none_match[HTTP_CONDITION_MAX + 1];
    unsigned dates;
    char if_modified_since[HTTP_DATE_MAX + 1];
    /* Sec-Fetch-Site: neither same-origin nor none; -Mode: navigate; -Dest: document. */
    bool of_another, navigates, for_window;
};

/* Pieces of a name, then pieces of its value, then its end. */
void http_fields_name(struct http_fields *, const char *at, size_t n);
enum http_fault http_fields_value(struct http_fields *, const char *at, size_t n);
enum http_fault http_fields_end(struct http_fields *);
