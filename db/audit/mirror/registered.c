/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/registered.h"

#include <jansson.h>

#include "db/audit/rules/evidence.h"

struct registered {
    struct sql *db;
    uint64_t index;
};

static int
allow(const struct registered *r, const char *type, const json_t *value, struct err *e)
{
    const char *text = json_string_value(value);

    return text == NULL
               ? 0
               : sql_exec(r->db,
                          "INSERT OR IGNORE INTO allowed(registration, type, value) "
                          "VALUES (?,?,?)",
                          SQL_VALUES(sql_int((int64_t)r->index), sql_text(type), sql_text(text)),
                          e);
}

/* The texts of a list, or of the member `name` of its objects. */
static int
allow_each(const struct registered *r, const char *type, const json_t *list, const char *name,
           struct err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);

        if (allow(r, type, name == NULL ? value : json_object_get(value, name), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
home_domain(const struct registered *r, const json_t *document, struct err *e)
{
    return sql_exec(
        r->db, "UPDATE registration SET home_domain = ?2 WHERE leaf = ?1",
        SQL_VALUES(sql_int((int64_t)r->index),
                   sql_text(json_string_value(json_object_get(document, "homeDomain")))),
        e);
}

int
registered_add(struct sql *db, uint64_t index, const struct leaf *leaf, struct err *e)
{
    const struct registered r = {.db = db, .index = index};
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    json_t *document;
    int result;

    if (leaf_text(leaf, "cms") == NULL && leaf_text(leaf, "batch") == NULL) {
        return 0;
    }
    if (audit_evidence_document(leaf, &text, e) != 0) {
        return -1;
    }
    document = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    result =
        home_domain(&r, document, e) != 0 ||
                allow_each(&r, "nfType", json_object_get(document, "nfTypes"), NULL, e) != 0 ||
                allow_each(&r, "fqdn", json_object_get(document, "fqdns"), NULL, e) != 0 ||
                allow_each(&r, "profile", json_object_get(document, "profiles"), "name", e) != 0
            ? -1
            : 0;
    json_decref(document);
    return result;
}
