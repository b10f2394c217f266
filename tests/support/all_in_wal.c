/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/all_in_wal.h"

#include <sqlite3.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { BEGINNING = 100 };

void
all_in_wal(const char *path)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
    if (sqlite3_exec(db, "PRAGMA wal_autocheckpoint = 0; VACUUM", NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s", sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(truncate(path, BEGINNING), 0);
}
