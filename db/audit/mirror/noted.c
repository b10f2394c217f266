/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/noted.h"

#include <inttypes.h>

#include "db/audit/mirror/content.h"
#include "db/audit/mirror/inside.h"

int
mirror_note_keep(struct mirror *m, struct span key_id, struct span note, struct err *e)
{
    return sql_exec(m->db, "INSERT OR REPLACE INTO witness_note(key_id, note) VALUES (?,?)",
                    SQL_VALUES(sql_octets(key_id), sql_octets(note)), e);
}

int
mirror_notes(struct mirror *m, mirror_noted *told, void *arg, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s =
        sql_query(m->db,
                  "SELECT * FROM (SELECT note FROM checkpoint WHERE state = 'accepted' ORDER BY "
                  "size DESC, id DESC LIMIT 8) UNION ALL SELECT note FROM witness_note",
                  SQL_NO_VALUES, &row, e);
    int result = s == NULL ? -1 : 0;

    while (result == 0 && row) {
        result = told(arg, sql_column(s, 0), e) == 0 ? sql_next(m->db, s, &row, e) : -1;
    }
    return result;
}

int
mirror_begins_with(struct mirror *m, const struct checkpoint *earlier, struct err *e)
{
    struct merkle_hash root;

    if (earlier->size > 0 && content_root(m->db, earlier->size, &root, e) != 0) {
        return -1;
    }
    return earlier->size == 0 || merkle_equal(&root, &earlier->root)
               ? 0
               : err_set(e, ERR_CONFLICT,
                         "%s does not begin with the %" PRIu64 " leaves of another checkpoint",
                         sql_path(m->db), earlier->size);
}
