/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - one SQLite file, one connection, one thread that writes it, many operations a commit.
 *
 * Does: open or create the file (0600, WAL, synchronous=FULL, locking_mode=EXCLUSIVE, defensive, no
 * extensions), see to it that only we wrote what is read of it (db/pages/pages.h), bring its schema
 * up to date, run operations in groups, call them back on the loop. Does not: know any table,
 * retry, log.
 *
 * Group commit: everything that waits (at most STORE_GROUP_MAX operations) runs in one transaction,
 * each operation in a SAVEPOINT of its own when it is not the only one. One that fails is rolled
 * back alone. `done` comes after COMMIT and its fsync. A commit that fails, and any I/O error, is
 * the end: the group and everything after it fail with ERR_STORE and the program must stop (a page
 * that the kernel could not write is marked clean, so a second try would lie). A page that somebody
 * else changed is the end in the same way, with ERR_STALE.
 *
 *   static int
 *   request_insert(struct store_op *op, struct store_db *db, struct err *e)
 *   {
 *       struct request_op *r = CONTAINER_OF(op, struct request_op, op);
 *
 *       return store_exec(db, "INSERT INTO request(rid, raw, at) VALUES(?, ?, ?)",
 *                         STORE_VALUES(store_blob(r->rid), store_blob(r->raw), store_int(r->at)),
 * e);
 *   }
 *
 *   static int
 *   request_raw(struct store_db *db, struct span rid, struct buf *raw, struct err *e)
 *   {
 *       CLEANUP(store_end) struct store_rows rows = {0};
 *
 *       if (store_query_one(db, &rows, "SELECT raw FROM request WHERE rid = ?",
 *                           STORE_VALUES(store_blob(rid)), e) != 0) {
 *           return err_wrap(e, "request");    ERR_NOTFOUND when there is none
 *       }
 *       return buf_set(raw, row_blob(&rows, 0), e);
 *   }
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pool.h"

enum {
    STORE_GROUP_MAX = 256, /* operations in one commit */
    STORE_SCHEMAS_MAX = 4,
    STORE_KEY_SIZE = 32,
};

/* From nfpki_embed_sql(target file.sql symbol) in CMake: `const struct store_migration symbol[]`,
 * one element for each "-- migration N" line of the file, closed by {0, NULL}. Declare it with
 * `extern const struct store_migration symbol[];` in the header of the module. */
struct store_migration {
    int version; /* from 1, without a gap in the merged list */
    const char *sql;
};

/* Four letters in the file that say whose it is, for example STORE_APPLICATION('n', 'f', 'C', 'A').
 */
#define STORE_APPLICATION(a, b, c, d)                                                              \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* The connection; only inside run and after_commit, and in admit. */
struct store_db;

struct store_options {
    const char *path;
    uint32_t application; /* a file of another one is refused */
    /* Merged by version, for example {ledger_migrations, ca_migrations}. Each version that is newer
     * than the file's runs in a transaction of its own; a file with a newer version is refused. */
    const struct store_migration *schemas[STORE_SCHEMAS_MAX];
    struct tasks *finished; /* gets the operations; NULL when only store_call() is used */
    bool integrity_check;   /* PRAGMA integrity_check first: reads all of it; unless it is sealed */
    /* May be NULL. Looks at what is there, reading only, before anything is changed: what it
     * refuses stays as it is, octet by octet. The schema may be an older one, and there are no
     * tables in a new file. */
    int (*admit)(void *arg, struct store_db *, struct err *e);
    void *admit_arg;
    /* STORE_KEY_SIZE octets, of a token, borrowed; empty: none. With it a new file is sealed before
     * anything is in it, one that is sealed is believed page by page (db/pages/pages.h), and one
     * that is not can be: store_seal(). */
    struct span seal_key;
    /* May be NULL. For who only looks, all of it being done in `admit`: a page that is not what its
     * seal says is told ("page 17") and given as it is. So is one that is sealed when there is no
     * key, of a file that was closed in order. Behind `admit` store_open() says ERR_DENIED
     * then, and nothing was changed. */
    void (*tell)(void *arg, const char *what);
    void *tell_arg;
};

struct store;
/* Runs what was submitted, closes the file, joins the thread. OpenSSL objects that operations made
 * must be gone by then: the thread's library context goes too. */
void store_free(struct store *);
/* ERR_BUSY "another process has PATH open"; ERR_DENIED a newer schema, another application, a
 * file that others can read, one that is sealed and no key, or another key; ERR_STALE its seals, or
 * a page that was needed, were edited or put back; ERR_STORE otherwise. Creates the file, not its
 * folder. */
struct store *store_open(const struct store_options *, struct err *e) OWNED(store_free);
DEFINE_CLEANUP(store_cleanup, struct store, store_free)

/* ---- operations ---- */

struct store_op {
    struct task task; /* task.done: on the loop, after COMMIT; task.run is not used */
    /* In the writer thread, inside the group's transaction. Must not touch what others touch. */
    int (*run)(struct store_op *, struct store_db *, struct err *e);
    /* May be NULL. In the writer thread after COMMIT, in the order of submission, before any `done`
     * of the group; only when `run` succeeded and the group was committed. It must not write to the
     * database. Its failure becomes the result, though what `run` did stays. */
    int (*after_commit)(struct store_op *, struct store_db *, struct err *e);
    bool reads;   /* it writes nothing: what rests does not come along */
    int result;   /* out: 0 or -1 */
    struct err e; /* out */
    bool over_;   /* private: of store_call */
    bool call_;
    bool seal_;
};

/* The operation belongs to the store until its `done` runs. From any thread; never blocks. */
void store_submit(struct store *, struct store_op *);
/* Nobody waits for it: it rests until another one comes that writes, and is in that one's commit,
 * first; or until store_hurry(), or the end of the store. */
void store_rest(struct store *, struct store_op *);
void store_hurry(struct store *);
/* Blocking, for start-up and tools: `done` is not called. Returns the result, with the reason in
 * `e`.
 */
int store_call(struct store *, struct store_op *, struct err *e);

/* A commit or an fsync failed: nothing works any more, the program must stop. */
bool store_is_failed(const struct store *);

struct store_stats {
    uint64_t commits;
    uint64_t ops;
    uint64_t failed_ops;
    uint64_t largest_group;
};
struct store_stats store_stats_get(struct store *);

/* ---- seals: who can have written the file (db/pages/pages.h) ---- */

enum store_seal {
    STORE_NO_KEY,     /* nothing is sealed: a sealed file is not opened without a key */
    STORE_NOT_SEALED, /* a key, and a file of before: store_seal() */
    STORE_SEALED,
};

/* Inside operations, and in `admit`: there a new file is not sealed yet. */
enum store_seal store_seal_state(const struct store_db *);
/* "sealed", "no key", "not sealed". */
const char *store_seal_name(enum store_seal);
/* NOT_SEALED becomes SEALED, durably: each page as it is. The caller has verified what is in it, in
 * this opening. Blocking, outside of operations; runs in the writer thread, between groups. A
 * failure may be tried again, but for one that ends the store. Sealed: does nothing. ERR_DENIED:
 * there is no key. */
int store_seal(struct store *, struct err *e);
/* When it was opened the file had no table and was nobody's, whatever its length and its WAL: there
 * is nothing in it to be believed. In `admit` and in operations. */
bool store_is_new(const struct store_db *);
/* Pages of the file. In an operation. */
uint64_t store_pages(const struct store_db *);
/* Goes on with a pass over the file, in an operation: compares up to `max` pages from number *page
 * on; 0 is the beginning. *seen: so many. *end: the pass is over, and *page is 0 again; at once
 * when the file is not sealed. ERR_STALE is the end of the store, as of any read. */
int store_scrub(struct store_db *, uint64_t *page, uint64_t max, uint64_t *seen, bool *end,
                struct err *e);

/* `n` octets of this connection, for what a module would read from it again and again: the same for
 * each call with the same `whose`, an address that is the module's alone. All zero at first, and
 * again when anything was undone: then they may be of rows that are not there. Whoever changes
 * those rows keeps them right. For run, after_commit and admit; borrowed, and no pointer in them is
 * freed.
 */
void *store_memory(struct store_db *, const void *whose, size_t n);

/* ---- verbs: for run and after_commit ---- */

enum store_type { STORE_NULL, STORE_INT, STORE_TEXT, STORE_BLOB };

struct store_value {
    enum store_type type;
    int64_t number;
    struct span bytes; /* borrowed until store_exec returns or the rows end */
};

static inline struct store_value
store_int(int64_t number)
{
    return (struct store_value){.type = STORE_INT, .number = number};
}

/* NULL becomes NULL. */
static inline struct store_value
store_text(const char *text)
{
    return text == NULL ? (struct store_value){.type = STORE_NULL}
                        : (struct store_value){.type = STORE_TEXT, .bytes = span_str(text)};
}

/* An empty span is an empty blob, not NULL. */
static inline struct store_value
store_blob(struct span bytes)
{
    return (struct store_value){.type = STORE_BLOB, .bytes = bytes};
}

static inline struct store_value
store_null(void)
{
    return (struct store_value){.type = STORE_NULL};
}

/* The values for ?1, ?2, ...: two arguments at once. */
#define STORE_VALUES(...)                                                                          \
    ((const struct store_value[]){__VA_ARGS__}),                                                   \
        (sizeof((const struct store_value[]){__VA_ARGS__}) / sizeof(struct store_value))
#define STORE_NO_VALUES NULL, 0

/*
 * One statement that gives no rows. `sql` must be constant text: statements are prepared once and
 * kept. ERR_CONFLICT when a UNIQUE or PRIMARY KEY constraint says no, ERR_DENIED when a trigger
 * does, ERR_INPUT for the other constraints (CHECK, NOT NULL, FOREIGN KEY, type), else ERR_STORE;
 * the text has SQLite's own words and the file.
 */
int store_exec(struct store_db *, const char *sql, const struct store_value *values, size_t n,
               struct err *e);
/* Rows that the last store_exec changed. */
int64_t store_changes(const struct store_db *);
/* The rowid of what was inserted last. */
int64_t store_last_id(const struct store_db *);
/* Is the schema as new as this program's? In admit it may not be. */
bool store_is_current(const struct store_db *);

/* All zero is ended. Use CLEANUP(store_end). The same `sql` cannot run twice at the same time. */
struct store_rows {
    struct store_db *db;
    struct store_statement *statement;
};
/* Begins a query; then store_next() until *row is false. */
int store_query(struct store_db *, struct store_rows *, const char *sql,
                const struct store_value *values, size_t n, struct err *e);
int store_next(struct store_rows *, bool *row, struct err *e);
/* A query whose first row is wanted: ERR_NOTFOUND when there is none. */
int store_query_one(struct store_db *, struct store_rows *, const char *sql,
                    const struct store_value *values, size_t n, struct err *e);
void store_end(struct store_rows *);
/* Is there any row? */
int store_has_row(struct store_db *, const char *sql, const struct store_value *values, size_t n,
                  bool *found, struct err *e);

/* Columns from 0, of the row that store_next or store_query_one gave; borrowed until the next call
 * on these rows. Text that is NULL is NULL; a blob that is NULL is empty. */
bool row_is_null(const struct store_rows *, int column);
int64_t row_int(const struct store_rows *, int column);
const char *row_text(const struct store_rows *, int column);
struct span row_blob(const struct store_rows *, int column);
/* Its value; a fraction is given as its text. */
struct store_value row_value(const struct store_rows *, int column);
/* The same, copied: text cut to `size` - 1 octets, NULL as ""; a blob within `max`, NULL as an
 * empty buf (freed first). */
void row_copy_text(const struct store_rows *, int column, char *out, size_t size);
/* A blob of exactly `n` octets: ERR_STORE when it has another length, which the schema forbids. */
int row_copy_octets(const struct store_rows *, int column, uint8_t *out, size_t n, struct err *e);
int row_copy_blob(const struct store_rows *, int column, size_t max, struct buf *out,
                  struct err *e);
