/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/base64_member.h"

#include <string.h>

#include "base/ossl.h"
#include "db/store/packed.h"

static struct span
bytes_of(sqlite3_value *value)
{
    const void *p = sqlite3_value_blob(value);

    return span_of(p, (size_t)sqlite3_value_bytes(value));
}

/* What is behind "NAME":" up to the quote; NULL: it is not there. */
static char *
member_find(struct span json, struct span name)
{
    CLEANUP(mem_cleanup) char *key = mem_printf("\"%.*s\":\"", (int)name.n, (const char *)name.p);
    const char *end = (const char *)json.p + json.n;
    const char *value = memmem(json.p, json.n, key, strlen(key));
    const char *quote;

    if (value == NULL) {
        return NULL;
    }
    value += strlen(key);
    quote = memchr(value, '"', (size_t)(end - value));
    return quote == NULL ? NULL : mem_printf("%.*s", (int)(quote - value), value);
}

static void
base64_member(sqlite3_context *context, int n_values, sqlite3_value **values)
{
    const struct span json = bytes_of(values[0]);
    const struct span name = bytes_of(values[1]);
    CLEANUP(mem_cleanup) char *text = json.n == 0 || name.n == 0 ? NULL : member_find(json, name);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(PACKED_MAX);
    struct err e;

    (void)n_values;
    if (text != NULL && base64_parse(text, &octets, &e) == 0) {
        sqlite3_result_blob(context, octets.p, (int)octets.n, SQLITE_TRANSIENT);
    }
}

int
base64_member_register(sqlite3 *sqlite)
{
    return sqlite3_create_function_v2(sqlite, "base64_member", 2,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      base64_member, NULL, NULL, NULL);
}
