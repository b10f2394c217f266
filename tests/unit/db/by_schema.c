/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/by_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/test.h"

char *
by_schema_text(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    char *text = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL) {
        text = mem_strdup((const char *)sqlite3_column_text(statement, 0));
    }
    (void)sqlite3_finalize(statement);
    return text;
}

static void
copy_name(char *out, size_t size, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

struct table
by_schema_table(sqlite3 *db, const char *name)
{
    struct table t = {.name = ""};
    CLEANUP(mem_cleanup)
    char *sql = mem_printf(
        "SELECT c.name, c.type, c.\"notnull\", c.pk, EXISTS (SELECT 1 FROM "
        "pragma_index_list('%s') i JOIN pragma_index_info(i.name) x WHERE i.\"unique\" = 1 AND "
        "x.name = c.name), (SELECT count(*) FROM main.%s) FROM pragma_table_info('%s') c",
        name, name, name);
    sqlite3_stmt *statement = NULL;

    (void)snprintf(t.name, sizeof(t.name), "%s", name);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct column *c = &t.columns[t.n++];

        assert_true(t.n < BY_SCHEMA_COLUMNS);
        copy_name(c->name, sizeof(c->name), statement, 0);
        copy_name(c->type, sizeof(c->type), statement, 1);
        c->is_key = sqlite3_column_int(statement, 3) != 0;
        c->may_be_null = sqlite3_column_int(statement, 2) == 0 && !c->is_key;
        c->is_unique = c->is_key || sqlite3_column_int(statement, 4) != 0;
        t.rows = sqlite3_column_int64(statement, 5);
    }
    (void)sqlite3_finalize(statement);
    return t;
}

/* SQL for another value in the place of this one. */
char *
by_schema_another(const struct column *c)
{
    if (strcmp(c->type, "BLOB") == 0 || c->type[0] == '\0') {
        return mem_printf("CASE WHEN length(coalesce(\"%s\", x'')) = 0 THEN zeroblob(16) ELSE "
                          "CAST(substr(\"%s\", 1, length(\"%s\") - 1) || CASE WHEN "
                          "substr(\"%s\", -1) = x'5a' THEN x'5b' ELSE x'5a' END AS BLOB) END",
                          c->name, c->name, c->name, c->name);
    }
    if (strcmp(c->type, "TEXT") == 0) {
        return mem_printf("CASE WHEN length(coalesce(\"%s\", '')) = 0 THEN 'x' ELSE "
                          "substr(\"%s\", 1, length(\"%s\") - 1) || CASE WHEN "
                          "substr(\"%s\", -1) = 'Z' THEN 'Y' ELSE 'Z' END END",
                          c->name, c->name, c->name, c->name);
    }
    return mem_printf("coalesce(\"%s\", 0) + %d", c->name, c->is_key ? 1000 : 1);
}

/* Its keys, or its first column when it has none. */
static bool
names_row(const struct table *t, size_t c)
{
    for (size_t k = 0; k < t->n; k++) {
        if (t->columns[k].is_key) {
            return t->columns[c].is_key;
        }
    }
    return c == 0;
}

/* The one row of a table, as a condition. */
char *
by_schema_row(sqlite3 *db, const struct table *t, int64_t i)
{
    char *condition = mem_strdup("1");
    char order[BY_SCHEMA_SQL] = "";
    size_t n = 0;

    for (size_t c = 0; c < t->n; c++) {
        if (names_row(t, c)) {
            n += (size_t)snprintf(order + n, sizeof(order) - n, "%s\"%s\"", n == 0 ? "" : ", ",
                                  t->columns[c].name);
        }
    }
    for (size_t c = 0; c < t->n; c++) {
        if (names_row(t, c)) {
            CLEANUP(mem_cleanup)
            char *sql = mem_printf("SELECT quote(\"%s\") FROM main.%s ORDER BY %s LIMIT 1 OFFSET "
                                   "%lld",
                                   t->columns[c].name, t->name, order, (long long)i);
            CLEANUP(mem_cleanup) char *value = by_schema_text(db, sql);
            char *longer = mem_printf("%s AND \"%s\" IS %s", condition, t->columns[c].name,
                                      value == NULL ? "NULL" : value);

            mem_free(condition);
            condition = longer;
        }
    }
    return condition;
}

/* Columns of the row, with keys and what is unique as other values. */
char *
by_schema_copy(const struct table *t)
{
    char *list = mem_strdup("");

    for (size_t c = 0; c < t->n; c++) {
        CLEANUP(mem_cleanup)
        char *value = t->columns[c].is_unique ? by_schema_another(&t->columns[c])
                                              : mem_printf("\"%s\"", t->columns[c].name);
        char *longer = mem_printf("%s%s%s", list, c == 0 ? "" : ", ", value);

        mem_free(list);
        list = longer;
    }
    return list;
}
