/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/canonical.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ESCAPED_MAX = 6 /* of one octet: \uXXXX */, NUMBER_MAX = 24 };

struct member {
    const char *name;
    const json_t *value;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* Nothing in it is escaped. */
static bool
is_plain(const char *text, size_t n)
{
    bool plain = true;

    for (size_t i = 0; i < n; i++) {
        plain = plain && text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\';
    }
    return plain;
}

static char *
put(char *at, const char *text, size_t n)
{
    memcpy(at, text, n);
    return at + n;
}

static char *
put_value(char *at, const json_t *value)
{
    const char *text = json_string_value(value);
    const size_t n = json_string_length(value);

    if (text != NULL && is_plain(text, n)) {
        return put(put(put(at, "\"", 1), text, n), "\"", 1);
    }
    return at + json_dumpb(value, at, n * ESCAPED_MAX + NUMBER_MAX,
                           JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
}

char *
canonical_dup(json_t *object, size_t *octets)
{
    CLEANUP(mem_cleanup)
    struct member *members = mem_zalloc(json_object_size(object) + 1, sizeof(*members));
    size_t room = sizeof("{}");
    size_t n = 0;
    const char *name;
    json_t *value;
    char *text;
    char *at;

    json_object_foreach(object, name, value)
    {
        members[n++] = (struct member){name, value};
        room +=
            strlen(name) + sizeof("\"\":,") + json_string_length(value) * ESCAPED_MAX + NUMBER_MAX;
    }
    qsort(members, n, sizeof(members[0]), by_name);
    text = mem_new(room);
    at = put(text, "{", 1);
    for (size_t i = 0; i < n; i++) {
        at = i == 0 ? put(at, "\"", 1) : put(at, ",\"", 2);
        at = put(at, members[i].name, strlen(members[i].name));
        at = put_value(put(at, "\":", 2), members[i].value);
    }
    *octets = (size_t)(put(at, "}", 1) - text);
    return text;
}
