/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/sealed_db.h"

#include "db/store/connection.h"
#include "db/store/packing.h"
#include "tests/support/test.h"

void
sealed_db_open(struct sealed_db *db, const char *path, const uint8_t key[PAGES_KEY_SIZE])
{
    const struct pages_options options = {.key = span_of(key, PAGES_KEY_SIZE)};
    struct store_db *store = mem_new(sizeof(*store));
    struct err e = {0};

    store->path = mem_strdup(path);
    store->packing = packing_new();
    store->pages = pages_new(&options, &e);
    assert_non_null(store->pages);
    assert_int_equal(sqlite3_open_v2(path, &store->sqlite,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     pages_vfs(store->pages)),
                     SQLITE_OK);
    assert_int_equal(packing_register(store, store->sqlite), SQLITE_OK);
    (void)sqlite3_exec(store->sqlite, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_spill = OFF",
                       NULL, NULL, NULL);
    *db = (struct sealed_db){.store = store, .sqlite = store->sqlite};
}

void
sealed_db_close(struct sealed_db *db)
{
    connection_close(db->store);
    mem_free(db->store);
    *db = (struct sealed_db){0};
}
