/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/sql.h"

#include <assert.h>

enum { STATEMENTS = 256 /* a power of two, several times as many as there are */ };

struct statement {
    const char *text; /* by its address */
    sqlite3_stmt *sqlite;
};

struct sql {
    sqlite3 *sqlite;
    char *path;
    struct statement statements[STATEMENTS];
};

void
sql_close(struct sql *db)
{
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(db->statements[i].sqlite);
    }
    (void)sqlite3_close_v2(db->sqlite);
    mem_free(db->path);
    mem_free(db);
}

static int
configure(struct sql *db, struct err *e)
{
    sqlite3 *s = db->sqlite;
    int rc = sqlite3_db_config(s, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

    rc = rc != SQLITE_OK ? rc : sqlite3_db_config(s, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    rc =
        rc != SQLITE_OK ? rc : sqlite3_db_config(s, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    rc = rc != SQLITE_OK ? rc : sqlite3_extended_result_codes(s, 1);
    return rc == SQLITE_OK ? 0 : sql_error(db, rc, "open", e);
}

struct sql *
sql_open(const char *path, int flags, struct err *e)
{
    CLEANUP(sql_cleanup) struct sql *db = mem_new(sizeof(*db));
    int rc;

    db->path = mem_strdup(path);
    rc = sqlite3_open_v2(path, &db->sqlite, flags, NULL);
    if (rc != SQLITE_OK) {
        (void)sql_error(db, rc, "open", e);
        return NULL;
    }
    return configure(db, e) == 0 ? TAKE(db) : NULL;
}

sqlite3 *
sql_handle(const struct sql *db)
{
    return db->sqlite;
}

const char *
sql_path(const struct sql *db)
{
    return db->path;
}

int
sql_error(const struct sql *db, int rc, const char *doing, struct err *e)
{
    const int primary = rc & 0xff;
    const enum err_code code = primary == SQLITE_BUSY || primary == SQLITE_LOCKED ? ERR_BUSY
                               : primary == SQLITE_CANTOPEN                       ? ERR_NOTFOUND
                               : primary == SQLITE_NOTADB                         ? ERR_DENIED
                                                                                  : ERR_STORE;

    return err_set(e, code, "%s: %.100s: %s", db->path, doing,
                   db->sqlite == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db->sqlite));
}

int
sql_script(struct sql *db, const char *script, struct err *e)
{
    int rc = sqlite3_exec(db->sqlite, script, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sql_error(db, rc, script, e);
}

static sqlite3_stmt *
get(struct sql *db, const char *text, struct err *e)
{
    size_t at = (size_t)((uint64_t)(uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15) >> 56);
    struct statement *s;
    int rc;

    _Static_assert(STATEMENTS == 1 << 8, "8 bits of the product");
    for (size_t tried = 0; db->statements[at].text != NULL && db->statements[at].text != text;
         tried++) {
        assert(tried < STATEMENTS);
        at = (at + 1) % STATEMENTS;
    }
    s = &db->statements[at];
    if (s->sqlite == NULL) {
        rc = sqlite3_prepare_v3(db->sqlite, text, -1, SQLITE_PREPARE_PERSISTENT, &s->sqlite, NULL);
        if (rc != SQLITE_OK) {
            (void)sql_error(db, rc, text, e);
            return NULL;
        }
        s->text = text;
    }
    return s->sqlite;
}

static int
bind(sqlite3_stmt *s, int i, const struct sql_value *value)
{
    switch (value->type) {
    case SQL_NULL:
        return sqlite3_bind_null(s, i);
    case SQL_INT:
        return sqlite3_bind_int64(s, i, value->number);
    case SQL_TEXT:
        return sqlite3_bind_text64(s, i, (const char *)value->bytes.p, value->bytes.n,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case SQL_OCTETS:
        return value->bytes.n == 0
                   ? sqlite3_bind_zeroblob(s, i, 0)
                   : sqlite3_bind_blob64(s, i, value->bytes.p, value->bytes.n, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

int
sql_next(struct sql *db, sqlite3_stmt *s, bool *row, struct err *e)
{
    int rc = sqlite3_step(s);

    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : sql_error(db, rc, sqlite3_sql(s), e);
}

void
sql_end(sqlite3_stmt *s)
{
    if (s != NULL) {
        (void)sqlite3_reset(s);
        (void)sqlite3_clear_bindings(s);
    }
}

sqlite3_stmt *
sql_query(struct sql *db, const char *text, const struct sql_value *values, size_t n, bool *row,
          struct err *e)
{
    CLEANUP(sql_end_cleanup) sqlite3_stmt *s = get(db, text, e);

    if (s == NULL) {
        return NULL;
    }
    assert((size_t)sqlite3_bind_parameter_count(s) == n && sqlite3_stmt_busy(s) == 0);
    for (size_t i = 0; i < n; i++) {
        int rc = bind(s, (int)i + 1, &values[i]);

        if (rc != SQLITE_OK) {
            (void)sql_error(db, rc, text, e);
            return NULL;
        }
    }
    return sql_next(db, s, row, e) == 0 ? TAKE(s) : NULL;
}

int
sql_exec(struct sql *db, const char *text, const struct sql_value *values, size_t n, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup) sqlite3_stmt *s = sql_query(db, text, values, n, &row, e);

    return s == NULL ? -1 : 0;
}

int64_t
sql_changes(const struct sql *db)
{
    return sqlite3_changes64(db->sqlite);
}

struct span
sql_column(sqlite3_stmt *s, int column)
{
    const void *bytes = sqlite3_column_blob(s, column);

    return span_of(bytes, (size_t)sqlite3_column_bytes(s, column));
}

int
sql_number(struct sql *db, const char *text, const struct sql_value *values, size_t n,
           int64_t missing, int64_t *out, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup) sqlite3_stmt *s = sql_query(db, text, values, n, &row, e);

    if (s == NULL) {
        return -1;
    }
    *out = row && sqlite3_column_type(s, 0) != SQLITE_NULL ? sqlite3_column_int64(s, 0) : missing;
    return 0;
}
