/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database that refuses one thing, in front of a daemon (LD_PRELOAD). The file is as it should
 * be: what the daemon looks at when it opens it does not show.
 *
 * BREAKSQL_RUN is run once on the connection, before its first prepared statement: a temporary
 * trigger that refuses. Statements that have the text BREAKSQL_LACKS in them ask for a column that
 * is not there. A file whose name ends as BREAKSQL_ONCE says is opened once, and not again.
 */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef int open_fn(const char *, sqlite3 **, int, const char *);

__attribute__((visibility("default"))) int
sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs)
{
    static bool opened;
    void *symbol = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    const char *once = getenv("BREAKSQL_ONCE");
    open_fn *open;

    memcpy(&open, &symbol, sizeof(open));
    if (once != NULL && once[0] != '\0' && strlen(path) >= strlen(once) &&
        strcmp(path + strlen(path) - strlen(once), once) == 0) {
        if (opened) {
            *db = NULL;
            return SQLITE_CANTOPEN;
        }
        opened = true;
    }
    return open(path, db, flags, vfs);
}

typedef int prepare_fn(sqlite3 *, const char *, int, unsigned, sqlite3_stmt **, const char **);

__attribute__((visibility("default"))) int
sqlite3_prepare_v3(sqlite3 *db, const char *sql, int n, unsigned flags, sqlite3_stmt **statement,
                   const char **tail)
{
    static sqlite3 *broken;
    void *symbol = dlsym(RTLD_NEXT, "sqlite3_prepare_v3");
    const char *run = getenv("BREAKSQL_RUN");
    const char *lacks = getenv("BREAKSQL_LACKS");
    prepare_fn *prepare;

    memcpy(&prepare, &symbol, sizeof(prepare));
    if (run != NULL && run[0] != '\0' && broken != db) {
        broken = db;
        (void)sqlite3_exec(db, run, NULL, NULL, NULL);
    }
    if (lacks != NULL && lacks[0] != '\0' && strstr(sql, lacks) != NULL) {
        return prepare(db, "SELECT broken FROM sqlite_schema", -1, flags, statement, tail);
    }
    return prepare(db, sql, n, flags, statement, tail);
}
