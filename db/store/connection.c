/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/store/base64_member.h"
#include "db/store/packing.h"
#include "db/store/unhex.h"

enum { PRIMARY_CODE = 0xff };

static int
constraint_error(struct store_db *db, int rc, const char *doing, struct err *e)
{
    enum err_code code = ERR_INPUT;

    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
        rc == SQLITE_CONSTRAINT_ROWID) {
        code = ERR_CONFLICT;
    } else if (rc == SQLITE_CONSTRAINT_TRIGGER) {
        code = ERR_DENIED;
    }
    return err_set(e, code, "%s: %s: %s", db->path, doing, sqlite3_errmsg(db->sqlite));
}

int
connection_check_pages(struct store_db *db, struct err *e)
{
    if (pages_check(db->pages, e) == 0) {
        return 0;
    }
    db->broken = true;
    return err_wrap(e, "%s", db->path);
}

int
connection_error(struct store_db *db, int rc, const char *doing, struct err *e)
{
    int primary = rc & PRIMARY_CODE;

    if (connection_check_pages(db, e) != 0) {
        return -1;
    }
    if (db->is_edited) {
        db->is_edited = false;
        return err_set(e, ERR_STALE, "%s: %s: %s", db->path, doing, sqlite3_errmsg(db->sqlite));
    }
    if (primary == SQLITE_CONSTRAINT) {
        return constraint_error(db, rc, doing, e);
    }
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
        return err_set(e, ERR_BUSY, "another process has %s open: stop it first", db->path);
    }
    /* SQLITE_ERROR is wrong SQL or a broken rule of one statement; all others are the file's. */
    if (primary != SQLITE_ERROR && primary != SQLITE_TOOBIG && primary != SQLITE_RANGE) {
        db->broken = true;
    }
    return err_set(e, ERR_STORE, "%s: %s: %s (%s)", db->path, doing,
                   db->sqlite == NULL ? "no memory" : sqlite3_errmsg(db->sqlite),
                   sqlite3_errstr(rc));
}

int
connection_run(struct store_db *db, const char *sql, const char *doing, struct err *e)
{
    int rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : connection_error(db, rc, doing, e);
}

/* A PRAGMA's one number. */
static int
pragma_int(struct store_db *db, const char *sql, int64_t *number, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);
    int result = 0;

    *number = 0;
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
    } else {
        result = connection_error(db, rc, sql, e);
    }
    (void)sqlite3_finalize(statement);
    return result;
}

/* A PRAGMA's answer must be this word: SQLite ignores what it cannot do. */
static int
pragma_word(struct store_db *db, const char *sql, const char *wanted, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);
    int result = 0;

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    if (rc != SQLITE_ROW) {
        result = connection_error(db, rc, sql, e);
    } else {
        const char *word = (const char *)sqlite3_column_text(statement, 0);

        if (word == NULL || strcmp(word, wanted) != 0) {
            result = err_set(e, ERR_STORE, "%s: %s gives \"%s\"", db->path, sql,
                             word == NULL ? "" : word);
        }
    }
    (void)sqlite3_finalize(statement);
    return result;
}

/* The file is ours alone from its first octet: SQLite would create it with the umask. */
static int
create_file(const char *path, struct err *e)
{
    CLEANUP(fd_cleanup)
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return err_errno(e, ERR_STORE, errno, "open %s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(e, ERR_DENIED, "%s is not a regular file", path);
    }
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return err_set(e, ERR_DENIED, "%s can be used by others: chmod 600 it", path);
    }
    return 0;
}

static int
sync_folder(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    CLEANUP(mem_cleanup)
    char *folder =
        slash == NULL ? mem_strdup(".") : mem_printf("%.*s", (int)(slash - path) + 1, path);

    return file_sync_dir(folder, e);
}

/* Pages that are written again before they are copied into the file are copied once, and are whole
 * in the WAL once: 8,000 frames instead of 4,000 spare 8 % of all that is written, 16,000 spare 4 %
 * more and make who waits then wait twice as long. What a large transaction left is given back. */
#define WAL_SIZE "PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 33554432;"

/* SQLite's options that do not depend on the file. */
static int
configure(struct store_db *db, struct err *e)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };

    (void)sqlite3_extended_result_codes(db->sqlite, 1);
    if (unhex_register(db->sqlite) != SQLITE_OK ||
        base64_member_register(db->sqlite) != SQLITE_OK ||
        packing_register(db, db->sqlite) != SQLITE_OK) {
        return connection_error(db, SQLITE_NOMEM, "configure SQLite", e);
    }
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        int rc = sqlite3_db_config(db->sqlite, options[i].option, options[i].value, NULL);

        if (rc != SQLITE_OK) {
            return connection_error(db, rc, "configure SQLite", e);
        }
    }
    /* EXCLUSIVE before anything that opens the file: the index of the WAL then lives in memory, and
     * no second connection can exist (the WAL-reset defect of SQLite before 3.51.3 needs two).
     * Triggers also fire for what OR REPLACE deletes. */
    return pragma_word(db, "PRAGMA locking_mode = EXCLUSIVE", "exclusive", e) != 0 ||
                   connection_run(db,
                                  "PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY;"
                                  "PRAGMA cache_size = -3072;" WAL_SIZE,
                                  "configure", e) != 0 ||
                   (pages_has_key(db->pages) &&
                    connection_run(db, "PRAGMA cache_spill = OFF", "configure", e) != 0)
               ? -1
               : connection_run(db, "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;",
                                "configure", e);
}

static int
lock(struct store_db *db, struct err *e)
{
    return connection_run(db, "BEGIN EXCLUSIVE; COMMIT;", "lock", e);
}

/* Whether a close brings what is in the WAL into the file. */
static int
set_close(struct store_db *db, bool writes, struct err *e)
{
    int rc = sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writes ? 0 : 1, NULL);

    return rc == SQLITE_OK ? 0 : connection_error(db, rc, "configure SQLite", e);
}

/* `which`: SQLITE_FCNTL_FILE_POINTER, or _JOURNAL_POINTER for the WAL. With a descriptor of our own
 * SQLite's locks would end when that is closed. */
static int
sync_file(struct store_db *db, int which, const char *doing, struct err *e)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(db->sqlite, "main", which, &file);

    if (rc == SQLITE_OK && file != NULL && file->pMethods != NULL) {
        rc = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
    }
    return rc == SQLITE_OK ? 0 : connection_error(db, rc, doing, e);
}

/*
 * What was read up to here may be in the kernel's memory alone: pages whose fsync failed are marked
 * clean, so the process that wrote them has ended, the next one reads them, and no fsync of its own
 * brings them to the disk. So all of the WAL is written once more, into the file, and the WAL
 * begins anew. The file's own pages are in the WAL until they were synced.
 */
static int
make_durable(struct store_db *db, struct err *e)
{
    int rc = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    if (rc != SQLITE_OK) {
        return connection_error(db, rc, "make durable what it has", e);
    }
    return sync_file(db, SQLITE_FCNTL_FILE_POINTER, "sync the file", e) != 0 ||
                   sync_file(db, SQLITE_FCNTL_JOURNAL_POINTER, "sync its WAL", e) != 0
               ? -1
               : set_close(db, true, e);
}

/* The file is new or the application's. */
static int
check_application(struct store_db *db, uint32_t application, bool *is_new, struct err *e)
{
    int64_t found;
    int64_t objects;

    if (pragma_int(db, "PRAGMA application_id", &found, e) != 0 ||
        pragma_int(db, "SELECT count(*) FROM sqlite_schema", &objects, e) != 0) {
        return -1;
    }
    *is_new = found == 0 && objects == 0;
    if (!*is_new && found != (int32_t)application) {
        return err_set(e, ERR_DENIED, "%s is the database of another program", db->path);
    }
    return 0;
}

static int
mark(struct store_db *db, uint32_t application, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *sql = mem_printf("PRAGMA application_id = %d", (int)(int32_t)application);

    return connection_run(db, sql, "mark the file", e);
}

/* NULL: it is not there, or twice. */
static const struct store_migration *
find_migration(const struct store_options *options, int64_t version)
{
    const struct store_migration *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < STORE_SCHEMAS_MAX; i++) {
        for (const struct store_migration *m = options->schemas[i]; m != NULL && m->sql != NULL;
             m++) {
            if (m->version == version) {
                found = m;
                n++;
            }
        }
    }
    return n == 1 ? found : NULL;
}

static int64_t
newest_version(const struct store_options *options)
{
    int64_t newest = 0;

    for (size_t i = 0; i < STORE_SCHEMAS_MAX; i++) {
        for (const struct store_migration *m = options->schemas[i]; m != NULL && m->sql != NULL;
             m++) {
            newest = m->version > newest ? m->version : newest;
        }
    }
    return newest;
}

static int
migrate_one(struct store_db *db, const struct store_migration *migration, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *version = mem_printf("PRAGMA user_version = %d; COMMIT", migration->version);

    if (connection_run(db, "BEGIN IMMEDIATE", "migrate", e) == 0 &&
        connection_run(db, migration->sql, "migrate", e) == 0 &&
        connection_run(db, version, "migrate", e) == 0) {
        return 0;
    }
    (void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return err_wrap(e, "migration %d", migration->version);
}

static int
migrate(struct store_db *db, const struct store_options *options, struct err *e)
{
    int64_t newest = newest_version(options);
    int64_t version;

    if (pragma_int(db, "PRAGMA user_version", &version, e) != 0) {
        return -1;
    }
    if (version > newest) {
        return err_set(e, ERR_DENIED,
                       "%s has schema %lld, this program knows up to %lld: run the newer program",
                       db->path, (long long)version, (long long)newest);
    }
    db->current = true; /* when this is through */
    while (++version <= newest) {
        const struct store_migration *migration = find_migration(options, version);

        if (migration == NULL) {
            return err_set(e, ERR_STORE,
                           "%s: migration %lld is missing in the program, or there twice", db->path,
                           (long long)version);
        }
        if (migrate_one(db, migration, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
look_at_version(struct store_db *db, const struct store_options *options, struct err *e)
{
    int64_t version;

    if (pragma_int(db, "PRAGMA user_version", &version, e) != 0) {
        return -1;
    }
    db->current = version == newest_version(options);
    return 0;
}

/* Reads only: whoever says no leaves no trace. */
static int
look(struct store_db *db, const struct store_options *options, struct err *e)
{
    int64_t pages;

    /* A lock of an empty file would write its first page: it comes later. */
    if (configure(db, e) != 0 || pragma_int(db, "PRAGMA page_count", &pages, e) != 0 ||
        (pages > 0 && lock(db, e) != 0) ||
        check_application(db, options->application, &db->is_new, e) != 0 ||
        look_at_version(db, options, e) != 0 ||
        (options->integrity_check && !pages_is_sealed(db->pages) &&
         pragma_word(db, "PRAGMA integrity_check", "ok", e) != 0)) {
        return -1;
    }
    return options->admit == NULL ? 0 : options->admit(options->admit_arg, db, e);
}

/* Nothing is in it that somebody would have to verify. */
static int
seal_new(struct store_db *db, struct err *e)
{
    return pages_has_key(db->pages) && pages_seal(db->pages, e) != 0
               ? err_wrap(e, "seal %s", db->path)
               : 0;
}

static int
take(struct store_db *db, const struct store_options *options, struct err *e)
{
    if (pragma_word(db, "PRAGMA journal_mode = WAL", "wal", e) != 0 || lock(db, e) != 0 ||
        make_durable(db, e) != 0 || (db->is_new && seal_new(db, e) != 0) ||
        (db->is_new && mark(db, options->application, e) != 0) || migrate(db, options, e) != 0) {
        return -1;
    }
    /* The names of the file and of its WAL are durable before anything in them is relied on. */
    return sync_folder(options->path, e);
}

int
connection_open(struct store_db *db, const struct store_options *options, struct err *e)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    CLEANUP(mem_cleanup) char *wal = mem_printf("%s-wal", options->path);
    bool had_wal = access(wal, F_OK) == 0;
    const struct pages_options pages = {
        .key = options->seal_key, .tell = options->tell, .tell_arg = options->tell_arg};
    int rc;

    db->path = mem_strdup(options->path);
    if (create_file(options->path, e) != 0) {
        return -1;
    }
    db->pages = pages_new(&pages, e);
    if (db->pages == NULL) {
        return -1;
    }
    db->packing = packing_new();
    rc = sqlite3_open_v2(options->path, &db->sqlite, flags, pages_vfs(db->pages));
    if (rc != SQLITE_OK) {
        return connection_error(db, rc, "open", e);
    }
    /* A WAL that SQLite makes for itself goes again with a close. */
    if ((had_wal && set_close(db, false, e) != 0) || look(db, options, e) != 0 ||
        set_close(db, false, e) != 0) {
        return -1;
    }
    return options->tell != NULL
               ? err_set(e, ERR_DENIED, "%s was opened to be looked at alone", db->path)
               : take(db, options, e);
}

int
connection_seal(struct store_db *db, struct err *e)
{
    if (pages_is_sealed(db->pages)) {
        return 0;
    }
    if (!pages_has_key(db->pages)) {
        return err_set(e, ERR_DENIED, "%s: there is no key to seal it with", db->path);
    }
    if (make_durable(db, e) == 0 && pages_seal(db->pages, e) == 0) {
        return 0;
    }
    db->broken = true;
    return err_wrap(e, "seal %s", db->path);
}

void
connection_close(struct store_db *db)
{
    struct err ignored = {0};

    if (db->sqlite != NULL && db->broken) { /* what the disk has is for the next opening to tell */
        (void)set_close(db, false, &ignored);
    }
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        struct store_statement *statement = db->statements[i];

        while (statement != NULL) {
            struct store_statement *next = statement->next;

            (void)sqlite3_finalize(statement->sqlite);
            mem_free(statement->sql);
            mem_free(statement);
            statement = next;
        }
        db->statements[i] = NULL;
    }
    memset(db->places, 0, sizeof(db->places));
    connection_forget(db);
    packing_free(db->packing);
    db->packing = NULL;
    (void)sqlite3_close_v2(db->sqlite);
    db->sqlite = NULL;
    pages_free(db->pages);
    db->pages = NULL;
    mem_free(db->path);
    db->path = NULL;
}
