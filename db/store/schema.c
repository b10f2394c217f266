/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/schema.h"

#include <string.h>

#include "db/store/connection.h"
#include "db/store/unhex.h"

/* One that is made here, in memory, for a comparison. */
struct model {
    struct store_db db;
};

static void
model_close(struct model *model)
{
    connection_close(&model->db);
}

static const char *
migration(const struct store_migration *const schemas[STORE_SCHEMAS_MAX], int version)
{
    for (size_t i = 0; i < STORE_SCHEMAS_MAX; i++) {
        for (const struct store_migration *m = schemas[i]; m != NULL && m->sql != NULL; m++) {
            if (m->version == version) {
                return m->sql;
            }
        }
    }
    return NULL;
}

static int
model_make(struct model *model, const struct store_migration *const schemas[STORE_SCHEMAS_MAX],
           int *newest, struct err *e)
{
    const char *sql;
    int rc = sqlite3_open(":memory:", &model->db.sqlite);

    model->db.path = mem_strdup("schema");
    if (rc == SQLITE_OK) {
        rc = unhex_register(model->db.sqlite);
    }
    if (rc != SQLITE_OK) {
        return connection_error(&model->db, rc, "open", e);
    }
    for (*newest = 0; (sql = migration(schemas, *newest + 1)) != NULL; (*newest)++) {
        if (connection_run(&model->db, sql, "migrate", e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* What `from` has, and `other` has not or has otherwise. Names that begin with sqlite_ count, too:
 * SQLite gives them to nobody, but runs a trigger that has one in the file. */
static int
compare(struct store_db *from, struct store_db *other, const char *missing, const char *changed,
        void (*differs)(void *arg, const char *what), void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows all = {0};
    bool row = true;

    if (store_query(from, &all,
                    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
                    STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    while (store_next(&all, &row, e) == 0) {
        CLEANUP(store_end) struct store_rows one = {0};
        CLEANUP(mem_cleanup) char *what = NULL;
        const char *wrong = missing;
        bool there;

        if (!row) {
            return 0;
        }
        if (store_query(other, &one,
                        "SELECT sql IS ?4 AND tbl_name = ?3 FROM sqlite_schema WHERE type = ?1 AND "
                        "name = ?2",
                        STORE_VALUES(store_text(row_text(&all, 0)), store_text(row_text(&all, 1)),
                                     store_text(row_text(&all, 2)), store_text(row_text(&all, 3))),
                        e) != 0 ||
            store_next(&one, &there, e) != 0) {
            return -1;
        }
        if (there && (changed == NULL || row_int(&one, 0) != 0)) {
            continue;
        }
        wrong = there ? changed : missing;
        what = mem_printf("%s %s: %s", row_text(&all, 0), row_text(&all, 1), wrong);
        differs(arg, what);
    }
    return -1;
}

int
store_check_schema(struct store_db *db,
                   const struct store_migration *const schemas[STORE_SCHEMAS_MAX],
                   void (*differs)(void *arg, const char *what), void *arg, struct err *e)
{
    CLEANUP(model_close) struct model model = {0};
    CLEANUP(store_end) struct store_rows version = {0};
    int newest = 0;

    if (model_make(&model, schemas, &newest, e) != 0 ||
        store_query_one(db, &version, "PRAGMA user_version", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    if (row_int(&version, 0) != newest) {
        CLEANUP(mem_cleanup)
        char *what = mem_printf("schema %lld, this program's is %d",
                                (long long)row_int(&version, 0), newest);

        differs(arg, what);
        return 0;
    }
    return compare(&model.db, db, "missing", "another one", differs, arg, e) != 0 ||
                   compare(db, &model.db, "not ours", NULL, differs, arg, e) != 0
               ? -1
               : 0;
}

static void
keep_first(void *arg, const char *what)
{
    char **first = arg;

    *first = *first == NULL ? mem_strdup(what) : *first;
}

int
store_require_schema(struct store_db *db,
                     const struct store_migration *const schemas[STORE_SCHEMAS_MAX],
                     const char *file, const char *advice, struct err *e)
{
    CLEANUP(mem_cleanup) char *first = NULL;

    if (store_check_schema(db, schemas, keep_first, &first, e) != 0) {
        return -1;
    }
    return first == NULL ? 0 : err_set(e, ERR_STORE, "%s was edited: %s: %s", file, first, advice);
}
