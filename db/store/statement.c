/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of store.h: prepared once, bound, stepped, reset. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "db/store/connection.h"

/* FNV-1a: spreads a few dozen constant texts. */
static size_t
bucket_of(const char *sql)
{
    uint32_t hash = 2166136261U;

    for (const char *p = sql; *p != '\0'; p++) {
        hash = (hash ^ (uint8_t)*p) * 16777619U;
    }
    return hash % CONNECTION_BUCKETS;
}

/* Fibonacci hashing: the top bits of a product depend on all bits of the address. */
static size_t
place_of(const char *sql)
{
    return (size_t)((uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

_Static_assert(CONNECTION_PLACES == 1 << 8, "place_of gives 8 bits");

static struct store_statement *
prepare(struct store_db *db, const char *sql, struct err *e)
{
    struct store_statement *statement;
    sqlite3_stmt *sqlite = NULL;
    int rc = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &sqlite, NULL);

    if (rc != SQLITE_OK) {
        (void)connection_error(db, rc, sql, e);
        return NULL;
    }
    statement = mem_new(sizeof(*statement));
    statement->sqlite = sqlite;
    statement->sql = mem_strdup(sql);
    return statement;
}

static struct store_statement *
find(struct store_db *db, const char *sql, struct err *e)
{
    struct store_statement **bucket = &db->statements[bucket_of(sql)];
    struct store_statement *statement;

    for (statement = *bucket; statement != NULL; statement = statement->next) {
        if (strcmp(statement->sql, sql) == 0) {
            return statement;
        }
    }
    statement = prepare(db, sql, e);
    if (statement != NULL) {
        statement->next = *bucket;
        *bucket = statement;
    }
    return statement;
}

/* The text is constant, so nearly always it is at the address where it was last time; what is there
 * is compared with the text that was prepared, and where it is another one the text is looked up.
 */
static struct store_statement *
statement_get(struct store_db *db, const char *sql, struct err *e)
{
    struct connection_place *place = &db->places[place_of(sql)];

    if (place->sql != sql || strcmp(place->statement->sql, sql) != 0) {
        struct store_statement *statement = find(db, sql, e);

        if (statement == NULL) {
            return NULL;
        }
        *place = (struct connection_place){.sql = sql, .statement = statement};
    }
    assert(!place->statement->running);
    return place->statement;
}

static int
bind_one(sqlite3_stmt *sqlite, int i, const struct store_value *value)
{
    switch (value->type) {
    case STORE_NULL:
        return sqlite3_bind_null(sqlite, i);
    case STORE_INT:
        return sqlite3_bind_int64(sqlite, i, value->number);
    case STORE_TEXT:
        return sqlite3_bind_text64(sqlite, i, (const char *)value->bytes.p, value->bytes.n,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case STORE_BLOB:
        if (value->bytes.n == 0) {
            return sqlite3_bind_zeroblob(sqlite, i, 0);
        }
        return sqlite3_bind_blob64(sqlite, i, value->bytes.p, value->bytes.n, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

int
store_query(struct store_db *db, struct store_rows *rows, const char *sql,
            const struct store_value *values, size_t n, struct err *e)
{
    struct store_statement *statement;

    store_end(rows);
    statement = statement_get(db, sql, e);
    if (statement == NULL) {
        return -1;
    }
    assert((size_t)sqlite3_bind_parameter_count(statement->sqlite) == n);
    *rows = (struct store_rows){.db = db, .statement = statement};
    statement->running = true;
    for (size_t i = 0; i < n; i++) {
        int rc = bind_one(statement->sqlite, (int)i + 1, &values[i]);

        if (rc != SQLITE_OK) {
            return connection_error(db, rc, sql, e);
        }
    }
    return 0;
}

int
store_next(struct store_rows *rows, bool *row, struct err *e)
{
    int rc = sqlite3_step(rows->statement->sqlite);

    *row = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return connection_error(rows->db, rc, rows->statement->sql, e);
    }
    return 0;
}

int
store_query_one(struct store_db *db, struct store_rows *rows, const char *sql,
                const struct store_value *values, size_t n, struct err *e)
{
    bool row;

    if (store_query(db, rows, sql, values, n, e) != 0 || store_next(rows, &row, e) != 0) {
        return -1;
    }
    return row ? 0 : err_set(e, ERR_NOTFOUND, "not in %s", db->path);
}

void
store_end(struct store_rows *rows)
{
    if (rows->statement != NULL) {
        (void)sqlite3_reset(rows->statement->sqlite);
        (void)sqlite3_clear_bindings(rows->statement->sqlite);
        rows->statement->running = false;
    }
    *rows = (struct store_rows){0};
}

int
store_has_row(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
              bool *found, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query(db, &rows, sql, values, n, e) != 0) {
        return -1;
    }
    return store_next(&rows, found, e);
}

int
store_exec(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
           struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    return store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, &row, e) != 0 ? -1
                                                                                             : 0;
}

int
connection_undo(struct store_db *db, const char *sql, struct err *e)
{
    connection_undone(db);
    return store_exec(db, sql, STORE_NO_VALUES, e);
}

int64_t
store_changes(const struct store_db *db)
{
    return sqlite3_changes64(db->sqlite);
}

int64_t
store_last_id(const struct store_db *db)
{
    return sqlite3_last_insert_rowid(db->sqlite);
}

bool
store_is_current(const struct store_db *db)
{
    return db->current;
}

/* Whole, where there is a NUL within, too. */
static struct store_value
value_text(const struct store_rows *rows, int column)
{
    const char *text = row_text(rows, column);
    const int n = sqlite3_column_bytes(rows->statement->sqlite, column);

    return (struct store_value){.type = STORE_TEXT, .bytes = span_of(text, (size_t)n)};
}

struct store_value
row_value(const struct store_rows *rows, int column)
{
    switch (sqlite3_column_type(rows->statement->sqlite, column)) {
    case SQLITE_INTEGER:
        return store_int(row_int(rows, column));
    case SQLITE_BLOB:
        return store_blob(row_blob(rows, column));
    case SQLITE_NULL:
        return store_null();
    default: /* a fraction, which no table has, is not taken for another value */
        return value_text(rows, column);
    }
}

bool
row_is_null(const struct store_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement->sqlite, column) == SQLITE_NULL;
}

int64_t
row_int(const struct store_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement->sqlite, column);
}

const char *
row_text(const struct store_rows *rows, int column)
{
    return (const char *)sqlite3_column_text(rows->statement->sqlite, column);
}

struct span
row_blob(const struct store_rows *rows, int column)
{
    const void *bytes = sqlite3_column_blob(rows->statement->sqlite, column);

    return span_of(bytes, (size_t)sqlite3_column_bytes(rows->statement->sqlite, column));
}

void
row_copy_text(const struct store_rows *rows, int column, char *out, size_t size)
{
    const char *text = row_text(rows, column);

    (void)snprintf(out, size, "%s", text != NULL ? text : "");
}

int
row_copy_octets(const struct store_rows *rows, int column, uint8_t *out, size_t n, struct err *e)
{
    struct span bytes = row_blob(rows, column);

    if (bytes.n != n) {
        return err_set(e, ERR_STORE, "%s: %zu octets where %zu belong", rows->db->path, bytes.n, n);
    }
    memcpy(out, bytes.p, n);
    return 0;
}

int
row_copy_blob(const struct store_rows *rows, int column, size_t max, struct buf *out, struct err *e)
{
    buf_free(out);
    *out = BUF_INIT(max);
    return buf_set(out, row_blob(rows, column), e);
}
