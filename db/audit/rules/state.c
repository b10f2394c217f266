/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/state.h"

#include <string.h>

#include "base/ossl.h"

void
state_spoil(struct state *s)
{
    *s->bad = true;
}

static void
put(struct state *s, const char *name, json_t *value)
{
    if (json_object_set_new(s->at, name, value) != 0) {
        state_spoil(s);
    }
}

static json_t *
get(struct state *s, const char *name)
{
    json_t *value = json_object_get(s->at, name);

    if (value == NULL) {
        state_spoil(s);
    }
    return value;
}

struct state
state_object(struct state *s, const char *name)
{
    if (s->saves) {
        put(s, name, json_object());
    }
    return (struct state){.at = get(s, name), .saves = s->saves, .bad = s->bad};
}

void
state_int(struct state *s, const char *name, int64_t *value)
{
    if (s->saves) {
        put(s, name, json_integer(*value));
    } else if (json_is_integer(get(s, name))) {
        *value = json_integer_value(get(s, name));
    } else {
        state_spoil(s);
    }
}

void
state_bool(struct state *s, const char *name, bool *value)
{
    int64_t n = *value ? 1 : 0;

    state_int(s, name, &n);
    *value = n == 1;
}

void
state_number(struct state *s, const char *name, uint64_t *value)
{
    int64_t n = (int64_t)*value;

    state_int(s, name, &n);
    *value = (uint64_t)n;
}

void
state_size(struct state *s, const char *name, size_t *value)
{
    uint64_t n = *value;

    state_number(s, name, &n);
    *value = n;
}

void
state_time(struct state *s, const char *name, time_t *value)
{
    int64_t n = *value;

    state_int(s, name, &n);
    *value = n;
}

void
state_text(struct state *s, const char *name, char **value)
{
    json_t *found;

    if (s->saves) {
        put(s, name, *value == NULL ? json_null() : json_string(*value));
        return;
    }
    found = get(s, name);
    mem_free(*value);
    *value = json_is_string(found) ? mem_strdup(json_string_value(found)) : NULL;
    if (!json_is_string(found) && !json_is_null(found)) {
        state_spoil(s);
    }
}

void
state_chars(struct state *s, const char *name, char *out, size_t size)
{
    CLEANUP(mem_cleanup) char *text = s->saves ? mem_strdup(out) : NULL;

    state_text(s, name, &text);
    if (text == NULL || strlen(text) >= size) {
        state_spoil(s);
        return;
    }
    memcpy(out, text, strlen(text) + 1);
}

void
state_octets(struct state *s, const char *name, uint8_t *octets, size_t n)
{
    CLEANUP(mem_cleanup) char *hex = s->saves ? hex_dup(span_of(octets, n)) : NULL;
    struct err e;

    state_text(s, name, &hex);
    if (!s->saves && (hex == NULL || hex_parse(hex, octets, n, &e) != 0)) {
        state_spoil(s);
    }
}

void
state_buf(struct state *s, const char *name, struct buf *octets, size_t max)
{
    CLEANUP(mem_cleanup) char *text = s->saves ? base64_dup(buf_span(octets)) : NULL;
    struct err e;

    state_text(s, name, &text);
    if (s->saves) {
        return;
    }
    buf_free(octets);
    *octets = BUF_INIT(max);
    if (text == NULL || (text[0] != '\0' && base64_parse(text, octets, &e) != 0)) {
        state_spoil(s);
    }
}

/* ---- lists ---- */

size_t
state_length(struct state *s, const char *name, size_t n)
{
    if (s->saves) {
        put(s, name, json_array());
        return n;
    }
    return json_array_size(get(s, name));
}

struct state
state_element(struct state *s, const char *name, size_t i)
{
    json_t *all = get(s, name);

    if (s->saves && json_array_append_new(all, json_object()) != 0) {
        state_spoil(s);
    }
    return (struct state){.at = json_array_get(all, i), .saves = s->saves, .bad = s->bad};
}

void *
state_list(struct state *s, const char *name, void *array, size_t *n, size_t *capacity, size_t size,
           state_one *one)
{
    const size_t length = state_length(s, name, *n);

    if (!s->saves && length > 0) {
        array = mem_grow(array, capacity, length, size);
        memset(array, 0, length * size);
    }
    *n = length;
    for (size_t i = 0; i < length; i++) {
        struct state element = state_element(s, name, i);

        one((uint8_t *)array + i * size, &element);
    }
    return array;
}
