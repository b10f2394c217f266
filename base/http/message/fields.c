/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/fields.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum header_name {
    NAME_OTHER,
    NAME_HOST,
    NAME_LENGTH,
    NAME_CODING,
    NAME_TYPE,
    NAME_EXPECT,
    NAME_NONE_MATCH, /* from here on: of any length */
    NAME_MODIFIED_SINCE,
    NAME_FETCH_SITE,
    NAME_FETCH_MODE,
    NAME_FETCH_DEST,
};

static enum header_name
header_name(const struct http_fields *f)
{
    static const struct {
        const char *text;
        enum header_name name;
    } names[] = {
        {"host", NAME_HOST},
        {"content-length", NAME_LENGTH},
        {"transfer-encoding", NAME_CODING},
        {"content-type", NAME_TYPE},
        {"expect", NAME_EXPECT},
        {"if-none-match", NAME_NONE_MATCH},
        {"if-modified-since", NAME_MODIFIED_SINCE},
        {"sec-fetch-site", NAME_FETCH_SITE},
        {"sec-fetch-mode", NAME_FETCH_MODE},
        {"sec-fetch-dest", NAME_FETCH_DEST},
    };

    if (f->name_too_long) {
        return NAME_OTHER;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcasecmp(names[i].text, f->name) == 0) {
            return names[i].name;
        }
    }
    return NAME_OTHER;
}

void
http_fields_name(struct http_fields *f, const char *at, size_t n)
{
    if (n > HTTP_FIELD_NAME_MAX - f->name_n) {
        f->name_too_long = true; /* none of ours */
        return;
    }
    memcpy(f->name + f->name_n, at, n);
    f->name_n += n;
    f->name[f->name_n] = '\0';
}

enum http_fault
http_fields_value(struct http_fields *f, const char *at, size_t n)
{
    enum header_name name = header_name(f);

    if (name == NAME_OTHER) {
        return HTTP_FAULT_NONE;
    }
    if (n > HTTP_FIELD_VALUE_MAX - f->value_n) {
        /* A condition that is too long is none: the whole is sent. */
        f->value_too_long = true;
        return name >= NAME_NONE_MATCH ? HTTP_FAULT_NONE : HTTP_FAULT_HEADER_SIZE;
    }
    memcpy(f->value + f->value_n, at, n);
    f->value_n += n;
    f->value[f->value_n] = '\0';
    return HTTP_FAULT_NONE;
}

static enum http_fault
take_content_type(struct http_fields *f)
{
    size_t n = strcspn(f->value, "; \t");

    if (n > HTTP_CONTENT_TYPE_MAX || ++f->types > 1) {
        return HTTP_FAULT_TYPE;
    }
    for (size_t i = 0; i < n; i++) {
        f->content_type[i] = (char)tolower((unsigned char)f->value[i]);
    }
    f->content_type[n] = '\0';
    return HTTP_FAULT_NONE;
}

/* Several lines are one list (RFC 9110 5.3). */
static void
take_none_match(struct http_fields *f)
{
    size_t n = strlen(f->if_none_match);

    f->has_if_none_match = true;
    if (f->value_too_long || f->value_n + 1 > HTTP_CONDITION_MAX - n) {
        f->lost_if_none_match = true;
    }
    if (f->lost_if_none_match) {
        f->if_none_match[0] = '\0';
        return;
    }
    if (n > 0) {
        f->if_none_match[n++] = ',';
    }
    memcpy(f->if_none_match + n, f->value, f->value_n); /* and zeros behind it */
}

/* Two dates are none. */
static void
take_modified_since(struct http_fields *f)
{
    if (++f->dates > 1 || f->value_too_long || f->value_n > HTTP_DATE_MAX) {
        f->if_modified_since[0] = '\0';
        return;
    }
    memcpy(f->if_modified_since, f->value, f->value_n); /* and zeros behind it */
}

/* A longer one is none that anybody asks for. */
static void
take_host(struct http_fields *f)
{
    if (f->value_n <= HTTP_HOST_MAX) {
        memcpy(f->host, f->value, f->value_n); /* and zeros behind it */
    }
}

static bool
is(const struct http_fields *f, const char *value)
{
    return !f->value_too_long && strcmp(f->value, value) == 0;
}

static enum http_fault
take_field(struct http_fields *f)
{
    switch (header_name(f)) {
    case NAME_OTHER:
        break;
    case NAME_HOST:
        f->hosts++;
        take_host(f);
        break;
    case NAME_LENGTH:
        f->lengths++;
        break;
    case NAME_CODING:
        f->codings++;
        /* RFC 9112 6.1: a coding that we do not understand */
        return strcasecmp(f->value, "chunked") == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_CODING;
    case NAME_TYPE:
        return take_content_type(f);
    case NAME_EXPECT:
        f->expects = true;
        return strcasecmp(f->value, "100-continue") == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_EXPECT;
    case NAME_NONE_MATCH:
        take_none_match(f);
        break;
    case NAME_MODIFIED_SINCE:
        take_modified_since(f);
        break;
    case NAME_FETCH_SITE:
        f->of_another = f->of_another || !(is(f, "same-origin") || is(f, "none"));
        break;
    case NAME_FETCH_MODE:
        f->navigates = is(f, "navigate");
        break;
    case NAME_FETCH_DEST:
        f->for_window = is(f, "document");
        break;
    }
    return HTTP_FAULT_NONE;
}

enum http_fault
http_fields_end(struct http_fields *f)
{
    enum http_fault fault = take_field(f);

    f->name_n = f->value_n = 0;
    f->name[0] = f->value[0] = '\0';
    f->name_too_long = f->value_too_long = false;
    return fault;
}
