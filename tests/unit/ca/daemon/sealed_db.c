/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/sealed_db.h"

#include "tests/support/test.h"

void
sealed_db_open(struct sealed_db *db, const char *path, const uint8_t key[PAGES_KEY_SIZE])
{
    const struct pages_options options = {.key = span_of(key, PAGES_KEY_SIZE)};
    struct err e = {0};

    db->pages = pages_new(&options, &e);
    assert_non_null(db->pages);
    assert_int_equal(sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     pages_vfs(db->pages)),
                     SQLITE_OK);
    (void)sqlite3_exec(db->sqlite, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_spill = OFF",
                       NULL, NULL, NULL);
}

void
sealed_db_close(struct sealed_db *db)
{
    assert_int_equal(sqlite3_close(db->sqlite), SQLITE_OK);
    pages_free(db->pages);
    *db = (struct sealed_db){0};
}
