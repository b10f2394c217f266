/* SPDX-License-Identifier: Apache-2.0 */
#include "db/requests/requests.h"

void
requests_ca_log_clear(struct requests_ca_log *log)
{
    buf_free(&log->vkey);
    buf_free(&log->note);
    *log = (struct requests_ca_log){0};
}

int
requests_ca_log_find(struct store_db *db, const char *vkey, struct requests_ca_log *out,
                     bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    requests_ca_log_clear(out);
    if (store_query(db, &rows,
                    "SELECT vkey, size, note FROM ca_log WHERE vkey = coalesce(?1, vkey) "
                    "ORDER BY id DESC LIMIT 1",
                    STORE_VALUES(store_text(vkey)), e) != 0 ||
        store_next(&rows, found, e) != 0) {
        return -1;
    }
    if (!*found) {
        return 0;
    }
    out->size = (uint64_t)row_int(&rows, 1);
    return row_copy_blob(&rows, 0, REQUESTS_VKEY_MAX, &out->vkey, e) != 0 ||
                   row_copy_blob(&rows, 2, REQUESTS_NOTE_MAX, &out->note, e) != 0
               ? -1
               : 0;
}

/* Its row, or the one that it gets. */
static int
row_of(struct store_db *db, const char *vkey, int64_t *id, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows,
                        "SELECT coalesce((SELECT id FROM ca_log WHERE vkey = ?1), (SELECT max(id) "
                        "FROM ca_log) + 1, 1)",
                        STORE_VALUES(store_text(vkey)), e) != 0) {
        return -1;
    }
    *id = row_int(&rows, 0);
    return 0;
}

int
requests_ca_log_keep(struct store_db *db, const char *vkey, uint64_t size, struct span note,
                     struct err *e)
{
    int64_t id;

    return row_of(db, vkey, &id, e) != 0
               ? -1
               : store_exec(db,
                            "INSERT INTO ca_log(id, vkey, size, note) VALUES(?1, ?2, ?3, ?4) ON "
                            "CONFLICT(vkey) DO "
                            "UPDATE SET size = excluded.size, note = excluded.note WHERE "
                            "excluded.size > size",
                            STORE_VALUES(store_int(id), store_text(vkey), store_int((int64_t)size),
                                         store_blob(note)),
                            e);
}
