/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/guarded.h"

#include <string.h>

#include "base/ossl.h"
#include "db/audit/query/cells.h"

enum { STEPS = 1000 };

static const struct {
    int id;
    int value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 1 << 20},
    {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
    {SQLITE_LIMIT_COLUMN, 100},
    {SQLITE_LIMIT_EXPR_DEPTH, 100},
    {SQLITE_LIMIT_COMPOUND_SELECT, 40}, /* the view of all events has more than 20 */
    {SQLITE_LIMIT_VDBE_OP, 25000},
    {SQLITE_LIMIT_FUNCTION_ARG, 20},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

/* No printf nor format: what they pad is made in one step, which no deadline interrupts. */
static const char *const functions[] = {
    "abs",        "avg",      "char",       "coalesce",    "count",      "cume_dist",
    "date",       "datetime", "dense_rank", "first_value", "glob",       "group_concat",
    "hex",        "ifnull",   "iif",        "instr",       "julianday",  "lag",
    "last_value", "lead",     "length",     "like",        "lower",      "ltrim",
    "max",        "min",      "nth_value",  "ntile",       "nullif",     "percent_rank",
    "quote",      "rank",     "replace",    "round",       "row_number", "rtrim",
    "sha256",     "sign",     "strftime",   "substr",      "substring",  "sum",
    "time",       "total",    "trim",       "typeof",      "unicode",    "unixepoch",
    "upper",
};

/* Besides the views: what does not grow with the record. */
#define TABLES                                                                                     \
    "'checkpoint', 'cosignature', 'judged', 'kind', 'log', 'position', 'sync', 'witness_note'"

struct names {
    char **name;
    size_t n;
    size_t capacity;
};

struct guard {
    sqlite3 *db;
    sqlite3 *shown; /* has what a statement may name, with the same columns, and no rows */
    int64_t deadline;
    struct names views;
    struct names tables;  /* of TABLES */
    struct names modules; /* which are tables without one */
    bool is_late;
};

static void
names_free(struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        mem_free(names->name[i]);
    }
    mem_free(names->name);
}

static void
guard_free(struct guard *g)
{
    (void)sqlite3_set_authorizer(g->db, NULL, NULL);
    sqlite3_progress_handler(g->db, 0, NULL, NULL);
    names_free(&g->views);
    names_free(&g->tables);
    names_free(&g->modules);
    (void)sqlite3_close(g->shown);
}

static bool
is_in(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sqlite3_stricmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_one_of(const char *name, const struct names *names)
{
    return is_in(name, (const char *const *)names->name, names->n);
}

/* A table that grows with the record is read within a view, which ends where the record was
 * accepted: `view`, or what the statement itself defines under such a name (named_check()). No
 * column: its rows are counted, be it of a view that SQLite has dissolved or of what the statement
 * itself defines. */
static bool
may_read(const struct guard *g, const char *table, const char *column, const char *view)
{
    if (table == NULL || sqlite3_strnicmp(table, "sqlite_", 7) == 0 ||
        sqlite3_strnicmp(table, "pragma_", 7) == 0) {
        return false;
    }
    if ((view != NULL && is_one_of(view, &g->views)) || is_one_of(table, &g->views) ||
        is_one_of(table, &g->tables)) {
        return true;
    }
    return (column == NULL || column[0] == '\0') && !is_one_of(table, &g->modules);
}

static int
authorize(void *arg, int action, const char *first, const char *second, const char *database,
          const char *view)
{
    const struct guard *g = arg;
    bool may = false;

    if (database != NULL && strcmp(database, "main") != 0) {
        return SQLITE_DENY;
    }
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        may = true;
        break;
    case SQLITE_READ:
        may = may_read(g, first, second, view);
        break;
    case SQLITE_FUNCTION:
        may = second != NULL && is_in(second, functions, ARRAY_LEN(functions));
        break;
    default:
        break;
    }
    return may ? SQLITE_OK : SQLITE_DENY;
}

static int
on_progress(void *arg)
{
    struct guard *g = arg;

    g->is_late = clock_monotonic_ms() >= g->deadline;
    return g->is_late ? 1 : 0;
}

static int
load_names(const struct guard *g, const char *sql, struct names *names, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    int rc;

    if (statement_prepare(g->db, sql, &statement, e) != 0) {
        return -1;
    }
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        names->name = mem_grow(names->name, &names->capacity, names->n + 1, sizeof(names->name[0]));
        names->name[names->n++] = mem_strdup((const char *)sqlite3_column_text(statement, 0));
    }
    return statement_ended(statement, rc, e);
}

/* Octets as they are: who draws a sample goes by hashes that nobody could choose (nfpki-audit(1)).
 */
static void
sha256_of(sqlite3_context *context, int n, sqlite3_value **values)
{
    const void *octets = sqlite3_value_blob(values[0]);
    uint8_t hash[SHA256_SIZE];
    struct err e;

    (void)n;
    if (sha256(span_of(octets, (size_t)sqlite3_value_bytes(values[0])), hash, &e) == 0) {
        sqlite3_result_blob(context, hash, sizeof(hash), SQLITE_TRANSIENT);
    }
}

static void
sha256_add(sqlite3 *db)
{
    (void)sqlite3_create_function_v2(db, "sha256", 1,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                     sha256_of, NULL, NULL, NULL);
}

static int
shown_open(struct guard *g, struct err *e)
{
    struct names sql = {0};
    int rc = sqlite3_open(":memory:", &g->shown);

    if (load_names(g,
                   "SELECT 'CREATE VIEW \"' || s.name || '\" AS SELECT ' || group_concat('0 AS "
                   "\"' || c.name || '\"') FROM sqlite_schema s, pragma_table_info(s.name) c "
                   "WHERE s.type = 'view' OR s.name IN (" TABLES ") GROUP BY s.name",
                   &sql, e) != 0) {
        names_free(&sql);
        return -1;
    }
    for (size_t i = 0; i < sql.n && rc == SQLITE_OK; i++) {
        rc = sqlite3_exec(g->shown, sql.name[i], NULL, NULL, NULL);
    }
    names_free(&sql);
    sha256_add(g->shown);
    return rc == SQLITE_OK ? 0 : err_set(e, ERR_STORE, "SQL: %s", sqlite3_errmsg(g->shown));
}

static int
set_up(struct guard *g, struct err *e)
{
    int is_on = 0;

    if (load_names(g, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name", &g->views,
                   e) != 0 ||
        load_names(g, "SELECT name FROM sqlite_schema WHERE name IN (" TABLES ")", &g->tables, e) !=
            0 ||
        load_names(g, "PRAGMA module_list", &g->modules, e) != 0 || shown_open(g, e) != 0) {
        return -1;
    }
    if (statement_run(g->db, "PRAGMA query_only = 1", e) != 0 ||
        statement_run(g->db, "PRAGMA trusted_schema = 0", e) != 0 ||
        statement_run(g->db, "PRAGMA temp_store = MEMORY", e) != 0) {
        return -1;
    }
    sha256_add(g->db);
    /* SQLite has both, or does not know them: then there is nothing to switch off. */
    (void)sqlite3_db_config(g->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &is_on);
    (void)sqlite3_db_config(g->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, &is_on);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        (void)sqlite3_limit(g->db, limits[i].id, limits[i].value);
    }
    (void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + GUARDED_MEMORY);
    (void)sqlite3_set_authorizer(g->db, authorize, g);
    sqlite3_progress_handler(g->db, STEPS, on_progress, g);
    return 0;
}

/* What SQLite says of the statement. With a name that is none, or with what is no SELECT, comes
 * what there is to be asked. */
static int
refused(const struct guard *g, sqlite3 *db, struct err *e)
{
    const char *text = sqlite3_errmsg(db);
    CLEANUP(mem_cleanup) char *names = mem_strdup("");

    if (strcmp(text, "not authorized") == 0) {
        text = "not one SELECT";
    } else if (strncmp(text, "no such table", sizeof("no such table") - 1) != 0) {
        return err_set(e, ERR_INPUT, "SQL: %s", text);
    }
    for (size_t i = 0; i < g->views.n; i++) {
        char *longer = mem_printf("%s%s%s", names, i == 0 ? "" : ", ", g->views.name[i]);

        mem_free(names);
        names = longer;
    }
    return err_set(e, ERR_INPUT, "SQL: %.60s; there are %s", text, names);
}

/* What SQLite ended with, other than well. */
static int
ended(const struct guard *g, const struct guarded *q, int rc, struct err *e)
{
    if (rc == SQLITE_NOMEM) {
        return err_set(e, ERR_BUSY, "it took more than %d MiB of memory", GUARDED_MEMORY >> 20);
    }
    if (g->is_late || rc == SQLITE_INTERRUPT) {
        return err_set(e, ERR_BUSY, "it took more than %lld ms (--timeout)", (long long)q->ms);
    }
    return refused(g, g->db, e);
}

/* Every name that the statement itself uses is one that is shown, or its own. The authorizer cannot
 * see that: a table within `WITH leaves AS (...)` is to it as one within the view `leaves`. */
static int
named_check(const struct guard *g, const char *sql, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;

    return sqlite3_prepare_v3(g->shown, sql, -1, 0, &statement, NULL) == SQLITE_OK
               ? 0
               : refused(g, g->shown, e);
}

/* Whoever asks can give no other. */
static int
parameters_check(sqlite3_stmt *statement, struct err *e)
{
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i);

        if (name == NULL || strcmp(name, ":now") != 0) {
            return err_set(e, ERR_INPUT, "SQL: there is :now, and no %.60s",
                           name == NULL ? "?" : name);
        }
    }
    return 0;
}

/* One statement, that gives rows and changes nothing, and nothing behind it. */
static int
prepare(const struct guard *g, const struct guarded *q, sqlite3_stmt **statement, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *more = NULL;
    const char *rest = NULL;
    int rc = sqlite3_prepare_v3(g->db, q->sql, -1, 0, statement, &rest);

    if (rc != SQLITE_OK) {
        return ended(g, q, rc, e);
    }
    if (*statement == NULL || sqlite3_column_count(*statement) == 0 ||
        sqlite3_stmt_readonly(*statement) == 0 || sqlite3_stmt_isexplain(*statement) != 0) {
        return err_set(e, ERR_INPUT, "SQL: not a SELECT");
    }
    if (parameters_check(*statement, e) != 0 || named_check(g, q->sql, e) != 0) {
        return -1;
    }
    rc = sqlite3_prepare_v3(g->db, rest, -1, 0, &more, NULL);
    return rc == SQLITE_OK && more == NULL ? 0
                                           : err_set(e, ERR_INPUT, "SQL: more than one statement");
}

static int
rows(const struct guard *g, const struct guarded *q, sqlite3_stmt *statement, struct sink *sink,
     struct query_result *result, struct err *e)
{
    CLEANUP(cells_free) struct cells cells = {0};
    int rc;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (result->rows == q->limit) {
            result->is_cut = true;
            rc = SQLITE_DONE;
            break;
        }
        result->rows++;
        cells_read(&cells, statement, (size_t)sqlite3_column_count(statement));
        sink_row(sink, cells.cell);
    }
    sink_end(sink);
    return rc == SQLITE_DONE ? 0 : ended(g, q, rc, e);
}

int
guarded_ask(sqlite3 *db, const struct guarded *q, enum sink_format format, FILE *out,
            struct query_result *result, struct err *e)
{
    CLEANUP(guard_free) struct guard guard = {.db = db, .deadline = clock_monotonic_ms() + q->ms};
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    CLEANUP(sink_cleanup) struct sink *sink = NULL;
    const struct filters none = {0};
    const char *names[SINK_COLUMNS];
    int n;

    *result = (struct query_result){.rows = 0};
    if (set_up(&guard, e) != 0 || prepare(&guard, q, &statement, e) != 0 ||
        filters_bind(&none, q->now, statement, e) != 0) {
        return -1;
    }
    result->has_clock = sqlite3_bind_parameter_index(statement, ":now") > 0;
    n = sqlite3_column_count(statement);
    for (int i = 0; i < n; i++) {
        names[i] = sqlite3_column_name(statement, i);
    }
    sink = sink_new(format, out, names, (size_t)n, e);
    return sink == NULL ? -1 : rows(&guard, q, statement, sink, result, e);
}
