/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/past.h"

#include <string.h>

static int
ending(void *arg, const struct audit_serial *serial, uint64_t before, struct audit_ending *out,
       bool *found, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(
        arg,
        "SELECT max(not_after), max(revoked < ?2), max(issued < ?2) FROM certificate WHERE serial "
        "= ?1 AND leaf < ?2",
        SQL_VALUES(sql_octets(span_of(serial->octets, serial->n)), sql_int((int64_t)before)), &row,
        e);

    if (s == NULL) {
        return -1;
    }
    *found = row && sqlite3_column_type(s, 0) != SQLITE_NULL;
    *out = (struct audit_ending){.serial = *serial,
                                 .not_after = sqlite3_column_int64(s, 0),
                                 .revoked = sqlite3_column_int64(s, 1) != 0,
                                 .issued = sqlite3_column_int64(s, 2) != 0};
    return 0;
}

static int
revoked(void *arg, uint64_t before, time_t from, audit_revoked_each *each, void *each_arg,
        struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(
        arg,
        "SELECT * FROM (SELECT r.serial, r.reason, r.date, r.leaf, (SELECT max(not_after) FROM "
        "certificate c WHERE c.serial = r.serial AND c.leaf < r.leaf) AS ends FROM revocation r "
        "WHERE r.leaf < ?1) WHERE ends >= ?2",
        SQL_VALUES(sql_int((int64_t)before), sql_int(from)), &row, e);

    if (s == NULL) {
        return -1;
    }
    while (row) {
        const struct span serial = sql_column(s, 0);
        struct audit_revoked one = {.reason = sqlite3_column_int(s, 1),
                                    .date = sqlite3_column_int64(s, 2),
                                    .leaf = (uint64_t)sqlite3_column_int64(s, 3),
                                    .not_after = sqlite3_column_int64(s, 4)};

        if (serial.n > AUDIT_SERIAL_MAX) {
            return err_set(e, ERR_STORE, "%s was edited: a serial number of %zu octets",
                           sql_path(arg), serial.n);
        }
        one.serial.n = (uint8_t)serial.n;
        memcpy(one.serial.octets, serial.p, serial.n);
        if (each(each_arg, &one) != 0 || sql_next(arg, s, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

struct audit_past
past_of(struct sql *db)
{
    return (struct audit_past){.arg = db, .ending = ending, .revoked = revoked};
}
