/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/cells.h"

void
cells_free(struct cells *cells)
{
    for (size_t i = 0; i < SINK_COLUMNS; i++) {
        mem_free(cells->hex[i]);
        cells->hex[i] = NULL;
    }
}

static struct cell
read_cell(sqlite3_stmt *statement, int at, char **hex)
{
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        return (struct cell){.kind = CELL_INT, .number = sqlite3_column_int64(statement, at)};
    case SQLITE_FLOAT:
        return (struct cell){.kind = CELL_REAL, .real = sqlite3_column_double(statement, at)};
    case SQLITE_TEXT: {
        const unsigned char *text = sqlite3_column_text(statement, at);

        return (struct cell){.kind = CELL_TEXT,
                             .text = span_of(text, (size_t)sqlite3_column_bytes(statement, at))};
    }
    case SQLITE_BLOB: {
        const void *octets = sqlite3_column_blob(statement, at);

        mem_free(*hex);
        *hex = hex_dup(span_of(octets, (size_t)sqlite3_column_bytes(statement, at)));
        return (struct cell){.kind = CELL_HEX, .text = span_str(*hex)};
    }
    default:
        return (struct cell){.kind = CELL_NONE};
    }
}

void
cells_read(struct cells *cells, sqlite3_stmt *statement, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cells->cell[i] = read_cell(statement, (int)i, &cells->hex[i]);
    }
}

static int
fail(sqlite3 *db, struct err *e)
{
    return err_set(e, ERR_STORE, "mirror: %s", sqlite3_errmsg(db));
}

int
statement_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct err *e)
{
    return sqlite3_prepare_v3(db, sql, -1, 0, statement, NULL) == SQLITE_OK ? 0 : fail(db, e);
}

int
statement_ended(sqlite3_stmt *statement, int rc, struct err *e)
{
    return rc == SQLITE_DONE ? 0 : fail(sqlite3_db_handle(statement), e);
}

int
statement_run(sqlite3 *db, const char *sql, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    int rc;

    if (statement_prepare(db, sql, &statement, e) != 0) {
        return -1;
    }
    do {
        rc = sqlite3_step(statement);
    } while (rc == SQLITE_ROW);
    return statement_ended(statement, rc, e);
}

void
statement_cleanup(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
    *statement = NULL;
}
