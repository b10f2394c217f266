/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/acknowledged.h"

#include <jansson.h>
#include <string.h>

#include "db/audit/rules/officers.h"

static bool
same_text(const json_t *text, const struct leaf *leaf, const char *name)
{
    const char *said = json_string_value(json_object_get(text, name));
    const char *named = leaf_text(leaf, name);

    return said != NULL && strcmp(said, named == NULL ? "" : named) == 0;
}

static bool
is_number(const json_t *value, int64_t wanted)
{
    return json_is_integer(value) && json_integer_value(value) == wanted;
}

static bool
fits_line(const json_t *text, const struct leaf *leaf)
{
    static const char *const texts[] = {"key", "object", "sha256", "serial", "reason"};
    const char *kind = json_string_value(json_object_get(text, "kind"));
    bool fits = kind != NULL && strcmp(kind, "acknowledgement") == 0 &&
                is_number(json_object_get(text, "line"), leaf_int(leaf, "line", -1)) &&
                is_number(json_object_get(text, "number"), leaf_int(leaf, "number", 0));

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        fits = fits && same_text(text, leaf, texts[i]);
    }
    return fits;
}

/* Nobody uses it at another place: it is of the leaves before. */
static bool
fits_place(const json_t *text, const struct merkle_edge *edge)
{
    const struct merkle_hash root = merkle_root(edge);
    const json_t *log = json_object_get(text, "log");
    const char *said = json_string_value(json_object_get(log, "root"));
    char hex[2 * MERKLE_HASH + 1];

    hex_format(span_of(root.octets, sizeof(root.octets)), hex);
    return said != NULL && strcmp(said, hex) == 0 &&
           is_number(json_object_get(log, "leaves"), (int64_t)edge->size);
}

static int
text_check(const void *arg, struct span content, const struct leaf *leaf, struct err *e)
{
    json_t *text = json_loadb((const char *)content.p, content.n, JSON_REJECT_DUPLICATES, NULL);
    const bool line = fits_line(text, leaf);
    const bool place = fits_place(text, arg);

    json_decref(text);
    if (!line) {
        return err_set(e, ERR_CRYPTO, "the officers signed something else than was acknowledged");
    }
    return place ? 0 : err_set(e, ERR_CRYPTO, "an ACKNOWLEDGED of other leaves than are before it");
}

int
audit_acknowledged_check(const struct audit_holders *officers, const struct merkle_edge *edge,
                         const struct leaf *leaf, struct err *e)
{
    return audit_officers_check(officers, leaf, text_check, edge, e);
}
