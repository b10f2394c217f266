/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/transcript/fact.h"

#include <string.h>

json_t *
fact_of_hex(struct span bytes)
{
    CLEANUP(mem_cleanup) char *text = hex_dup(bytes);

    return json_string(text);
}

json_t *
fact_of_base64(struct span bytes)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(bytes);

    return json_string(text);
}

json_t *
fact_of_time(time_t t)
{
    char text[TIME_TEXT_SIZE];

    time_format(t, text);
    return json_string(text);
}

const char *
fact_text(const json_t *fact, const char *member)
{
    const char *text = json_string_value(json_object_get(fact, member));

    return text == NULL ? "" : text;
}

bool
fact_is(const json_t *fact, const char *member, const char *expected)
{
    const char *text = json_string_value(json_object_get(fact, member));

    return text != NULL && strcmp(text, expected) == 0;
}

bool
fact_is_true(const json_t *fact, const char *member)
{
    return json_is_true(json_object_get(fact, member));
}

bool
fact_has_row(const json_t *rows, const char *wanted)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        if (json_is_string(row) && strcmp(json_string_value(row), wanted) == 0) {
            return true;
        }
    }
    return false;
}

int
fact_number(const json_t *fact, const char *member, json_int_t *out, struct err *e)
{
    const json_t *value = json_object_get(fact, member);

    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return err_set(e, ERR_INPUT, "%s: not a number", member);
    }
    *out = json_integer_value(value);
    return 0;
}

int
fact_hex(const json_t *fact, const char *member, uint8_t *out, size_t n, struct err *e)
{
    return hex_parse(fact_text(fact, member), out, n, e) == 0 ? 0 : err_wrap(e, "%s", member);
}

int
fact_base64(const json_t *fact, const char *member, struct buf *out, struct err *e)
{
    return base64_parse(fact_text(fact, member), out, e) == 0 ? 0 : err_wrap(e, "%s", member);
}

int
fact_time(const json_t *fact, const char *member, time_t *out, struct err *e)
{
    return time_parse(fact_text(fact, member), out, e) == 0 ? 0 : err_wrap(e, "%s", member);
}

/* RFC 7468 3: lines of 64 characters. */
static int
pem(const char *label, struct span der, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(der);
    CLEANUP(mem_cleanup) char *begin = mem_printf("-----BEGIN %s-----\n", label);
    CLEANUP(mem_cleanup) char *end = mem_printf("-----END %s-----\n", label);
    size_t n = strlen(text);
    int result = buf_append_str(out, begin, e);

    for (size_t at = 0; result == 0 && at < n; at += 64) {
        result = buf_append(out, span_of(text + at, n - at < 64 ? n - at : 64), e);
        result = result != 0 ? result : buf_append_str(out, "\n", e);
    }
    return result != 0 ? result : buf_append_str(out, end, e);
}

int
artifact_file(const char *form, struct span content, struct buf *out, struct err *e)
{
    if (strcmp(form, "DER") == 0 || strcmp(form, "TEXT") == 0) {
        return buf_append(out, content, e);
    }
    return pem(form, content, out, e);
}
