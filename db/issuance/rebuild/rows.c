/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/rebuild/rows.h"

#include <string.h>

int
rebuild_octets(const struct leaf *leaf, const char *name, struct rebuild_octets *out, struct err *e)
{
    const char *text = leaf_text(leaf, name);

    out->n = text == NULL ? 0 : strlen(text) / 2;
    if (out->n > sizeof(out->octets)) {
        return err_set(e, ERR_STORE, "%s is longer than %zu octets", name, sizeof(out->octets));
    }
    return out->n == 0 ? 0 : hex_parse(text, out->octets, out->n, e);
}

struct store_value
rebuild_value(const struct rebuild_octets *o)
{
    return o->n == 0 ? store_null() : store_blob(span_of(o->octets, o->n));
}

struct store_value
rebuild_time(const struct leaf *leaf, const char *name)
{
    const char *text = leaf_text(leaf, name);
    time_t at;
    struct err e;

    return text != NULL && time_parse(text, &at, &e) == 0 ? store_int(at) : store_null();
}

int
rebuild_base64(const struct leaf *leaf, const char *name, struct buf *out, struct err *e)
{
    const char *text = leaf_text(leaf, name);

    return text == NULL ? 0 : base64_parse(text, out, e);
}

int
rebuild_one(struct store_db *db, const char *what, struct err *e)
{
    return store_changes(db) == 1
               ? 0
               : err_set(e, ERR_STORE,
                         "ca.db does not have what is %s here, or has it in another "
                         "state: it is another one, or was edited",
                         what);
}

int
rebuild_rid(const struct leaf *leaf, uint8_t rid[ISSUANCE_RID_SIZE], struct err *e)
{
    return hex_parse(leaf_text(leaf, "rid"), rid, ISSUANCE_RID_SIZE, e);
}

/* ---- steps ---- */

int
rebuild_advance(struct store_db *db, const uint8_t rid[ISSUANCE_RID_SIZE], enum issuance_state from,
                enum issuance_state to, uint64_t index, const char *what, struct err *e)
{
    return store_exec(db, "UPDATE request SET state = ?1, leaf = ?2 WHERE rid = ?3 AND state = ?4",
                      STORE_VALUES(store_int(to), store_int((int64_t)index),
                                   store_blob(span_of(rid, ISSUANCE_RID_SIZE)), store_int(from)),
                      e) != 0
               ? -1
               : rebuild_one(db, what, e);
}

int
rebuild_confirmation(struct store_db *db, const uint8_t rid[ISSUANCE_RID_SIZE], bool accepted,
                     const struct leaf *leaf, uint64_t index, struct err *e)
{
    return store_exec(db,
                      "INSERT INTO confirmation(rid, request, accepted, evidence, created, leaf) "
                      "VALUES(?1, ?1, ?2, x'', ?3, ?4)",
                      STORE_VALUES(store_blob(span_of(rid, ISSUANCE_RID_SIZE)),
                                   store_int(accepted ? 1 : 0), store_int(leaf_time(leaf)),
                                   store_int((int64_t)index)),
                      e);
}
