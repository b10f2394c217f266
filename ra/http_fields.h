/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_fields.h - the header lines that decide something: Host, Content-Length, Transfer-Encoding,
 * Content-Type, Expect. All others are passed over. Between http_parse.c and http_fields.c.
 */
#pragma once

#include "ra/http_parse.h"

enum { HTTP_FIELD_NAME_MAX = 32, HTTP_FIELD_VALUE_MAX = 512 };

/* All zero at the beginning of a request. */
struct http_fields {
    char name[HTTP_FIELD_NAME_MAX + 1];
    size_t name_n;
    bool name_too_long;
    char value[HTTP_FIELD_VALUE_MAX + 1];
    size_t value_n;

    /* What was there: how often, or that it was. */
    unsigned hosts;
    unsigned lengths;
    unsigned codings;                             /* chunked */
    bool expects;                                 /* 100-continue */
    char content_type[HTTP_CONTENT_TYPE_MAX + 1]; /* as in struct http_request */
};

/* Pieces of a name, then pieces of its value, then its end. The status of a refusal, or 0: 400,
 * 417, 431, 501. */
void http_fields_name(struct http_fields *, const char *at, size_t n);
int http_fields_value(struct http_fields *, const char *at, size_t n);
int http_fields_end(struct http_fields *);
