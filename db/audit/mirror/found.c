/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/found.h"

#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/inside.h"
#include "db/audit/mirror/sql.h"

enum { BUSY_MS = 5000, SERIAL_MAX = 64 };

/* Of leaves that are judged now; and of any, where it is not so any more, or is counted anew. */
#define OLD                                                                                        \
    " AND (leaf >= ?1 OR code IN ('check.intent.open', 'check.crl.missing') "                      \
    "OR (code = 'check.message.missing' AND NOT EXISTS (SELECT 1 FROM message_file AS f "          \
    "WHERE f.missing > 0 AND f.n >= finding.leaf / 256 AND f.n * 256 < ?1)))"
#define COUNTED "code IN ('check.queue.twice', 'check.report.missing')"

static int
forget(struct sql *db, bool by_check, uint64_t from, struct err *e)
{
    if (sql_exec(db, "DELETE FROM finding WHERE found_by = 'lint'" OLD,
                 SQL_VALUES(sql_int((int64_t)from)), e) != 0) {
        return -1;
    }
    return by_check ? sql_exec(db, "DELETE FROM finding WHERE found_by = 'check'" OLD,
                               SQL_VALUES(sql_int((int64_t)from)), e)
                    : 0;
}

static int
keep(struct sql *db, const struct finding *f, struct err *e)
{
    const char *id = f->kind->id;
    const char *by = strncmp(id, "lint.", strlen("lint.")) == 0 ? "lint" : "check";
    const size_t n = f->serial == NULL ? 0 : strlen(f->serial) / 2;
    uint8_t serial[SERIAL_MAX];

    if (n > sizeof(serial) || (n > 0 && hex_parse(f->serial, serial, n, e) != 0)) {
        return err_set(e, ERR_STORE, "a serial number that is none");
    }
    if (sql_exec(db, "DELETE FROM finding WHERE code = ? AND " COUNTED, SQL_VALUES(sql_text(id)),
                 e) != 0) {
        return -1;
    }
    return sql_exec(
        db,
        "INSERT OR IGNORE INTO finding(found_by, code, severity, leaf, certificate, "
        "text) VALUES (?,?,?,?,(SELECT max(leaf) FROM certificate WHERE serial = ?),?)",
        SQL_VALUES(sql_text(by), sql_text(id), sql_text(severity_name(f->kind->severity)),
                   sql_int((int64_t)f->leaf), n == 0 ? sql_null() : sql_octets(span_of(serial, n)),
                   sql_text(f->text)),
        e);
}

/* What was judged up to `from`, or beyond it, is judged from where that began. */
static int
note(struct sql *db, const char *by, uint64_t from, uint64_t size, struct err *e)
{
    return sql_exec(db,
                    "INSERT INTO judged(by, time, first, size) VALUES (?,?,?,?) ON CONFLICT (by) "
                    "DO UPDATE SET time = excluded.time, first = iif(size >= excluded.first, "
                    "min(first, excluded.first), excluded.first), size = excluded.size",
                    SQL_VALUES(sql_text(by), sql_int(clock_now()), sql_int((int64_t)from),
                               sql_int((int64_t)size)),
                    e);
}

int
mirror_keep(const struct mirror *m, bool by_check, uint64_t from, const struct findings *findings,
            struct err *e)
{
    const uint64_t size = mirror_checkpoint(m)->size;
    CLEANUP(sql_cleanup) struct sql *db = sql_open(mirror_path(m), SQLITE_OPEN_READWRITE, e);

    if (db == NULL) {
        return -1;
    }
    (void)sqlite3_busy_timeout(sql_handle(db), BUSY_MS);
    if (sql_script(db, "BEGIN IMMEDIATE", e) != 0 || forget(db, by_check, from, e) != 0 ||
        note(db, "lint", from, size, e) != 0 ||
        (by_check && note(db, "check", from, size, e) != 0)) {
        return -1;
    }
    for (size_t i = 0; findings_at(findings, i) != NULL; i++) {
        if (keep(db, findings_at(findings, i), e) != 0) {
            return -1; /* closing it rolls back */
        }
    }
    return sql_script(db, "COMMIT", e);
}

int
mirror_kept_errors(const struct mirror *m, bool by_check, uint64_t from, uint64_t *n, struct err *e)
{
    int64_t kept = 0;
    const int failed =
        sql_number(m->db,
                   "SELECT count(*) FROM finding WHERE severity = 'error' AND "
                   "leaf < ? AND (found_by = 'lint' OR ?)",
                   SQL_VALUES(sql_int((int64_t)from), sql_int(by_check ? 1 : 0)), 0, &kept, e);

    *n = (uint64_t)kept;
    return failed;
}
