/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/http_fields.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum header_name { NAME_OTHER, NAME_HOST, NAME_LENGTH, NAME_CODING, NAME_TYPE, NAME_EXPECT };

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

int
http_fields_value(struct http_fields *f, const char *at, size_t n)
{
    if (header_name(f) == NAME_OTHER) {
        return 0;
    }
    if (n > HTTP_FIELD_VALUE_MAX - f->value_n) {
        return 431;
    }
    memcpy(f->value + f->value_n, at, n);
    f->value_n += n;
    f->value[f->value_n] = '\0';
    return 0;
}

static int
take_content_type(struct http_fields *f)
{
    size_t n = strcspn(f->value, "; \t");

    if (n > HTTP_CONTENT_TYPE_MAX || f->content_type[0] != '\0') {
        return 400;
    }
    for (size_t i = 0; i < n; i++) {
        f->content_type[i] = (char)tolower((unsigned char)f->value[i]);
    }
    f->content_type[n] = '\0';
    return 0;
}

int
http_fields_end(struct http_fields *f)
{
    int status = 0;

    switch (header_name(f)) {
    case NAME_OTHER:
        break;
    case NAME_HOST:
        f->hosts++;
        break;
    case NAME_LENGTH:
        f->lengths++;
        break;
    case NAME_CODING:
        f->codings++;
        if (strcasecmp(f->value, "chunked") != 0) {
            status = 501; /* RFC 9112 6.1: a coding that we do not understand */
        }
        break;
    case NAME_TYPE:
        status = take_content_type(f);
        break;
    case NAME_EXPECT:
        f->expects = true;
        if (strcasecmp(f->value, "100-continue") != 0) {
            status = 417;
        }
        break;
    }
    f->name_n = f->value_n = 0;
    f->name[0] = f->value[0] = '\0';
    f->name_too_long = false;
    return status;
}
