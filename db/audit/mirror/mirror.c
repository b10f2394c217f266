/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/mirror.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/content.h"
#include "db/audit/mirror/inside.h"
#include "db/audit/mirror/messages.h"
#include "db/ledger/leaf.h"
#include "db/store/store.h"

extern const struct store_migration mirror_migrations[];

enum {
    BUSY_MS = 5000,
    STEPS = 1000 /* of SQLite, between two looks */,
    APPLICATION = 0x6e664d72 /* "nfMr" */
};

void
mirror_close(struct mirror *m)
{
    if (m != NULL) {
        sql_close(m->db);
        log_key_free(&m->key);
        buf_free(&m->note);
        mem_free(m);
    }
}

/* ---- making one ---- */

static int
kinds_make(struct sql *db, struct err *e)
{
    for (unsigned kind = 0; kind < LEAF_KINDS; kind++) {
        if (sql_exec(db, "INSERT INTO kind(id, name) VALUES (?,?)",
                     SQL_VALUES(sql_int(kind), sql_text(leaf_kind_name((enum leaf_kind)kind))),
                     e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
newest_version(void)
{
    int version = 0;

    for (const struct store_migration *m = mirror_migrations; m->sql != NULL; m++) {
        version = m->version;
    }
    return version;
}

int
mirror_make(struct sql *db, const struct log_key *key, bool given, struct err *e)
{
    CLEANUP(mem_cleanup) char *vkey = log_key_format(key);
    CLEANUP(mem_cleanup)
    char *marks = mem_printf("PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION,
                             newest_version());

    for (const struct store_migration *m = mirror_migrations; m->sql != NULL; m++) {
        if (sql_script(db, m->sql, e) != 0) {
            return -1;
        }
    }
    return kinds_make(db, e) != 0 ||
                   sql_exec(db,
                            "INSERT INTO log(one, origin, vkey, key_from, made_by, made) VALUES "
                            "(1,?,?,?,?,?)",
                            SQL_VALUES(sql_text(key->origin), sql_text(vkey),
                                       sql_text(given ? "given" : "ledger"),
                                       sql_text(NFPKI_VERSION), sql_int(clock_now())),
                            e) != 0 ||
                   sql_exec(db,
                            "INSERT INTO position(one, accepted, next, edge, rules, rules_at) "
                            "VALUES (1, 0, 0, x'', x'', 0)",
                            SQL_NO_VALUES, e) != 0 ||
                   sql_script(db, marks, e) != 0
               ? -1
               : 0;
}

/* ---- opening one ---- */

static int
is_ours(struct sql *db, struct err *e)
{
    int64_t application = 0;
    int64_t version = 0;

    if (sql_number(db, "PRAGMA application_id", SQL_NO_VALUES, 0, &application, e) != 0 ||
        sql_number(db, "PRAGMA user_version", SQL_NO_VALUES, 0, &version, e) != 0) {
        return -1;
    }
    if (application != APPLICATION) {
        return err_set(e, ERR_DENIED, "%s is no mirror", sql_path(db));
    }
    return version == newest_version() ? 0
                                       : err_set(e, ERR_DENIED,
                                                 "%s is a mirror of version %" PRId64
                                                 ", this program's is %d: make another "
                                                 "one of the same ledger",
                                                 sql_path(db), version, newest_version());
}

/* The numbers of kinds are this program's. */
static int
kinds_compare(struct sql *db, struct err *e)
{
    for (unsigned kind = 0; kind < LEAF_KINDS; kind++) {
        int64_t id = -1;

        if (sql_number(db, "SELECT id FROM kind WHERE name = ?",
                       SQL_VALUES(sql_text(leaf_kind_name((enum leaf_kind)kind))), -1, &id,
                       e) != 0) {
            return -1;
        }
        if (id != (int64_t)kind) {
            return err_set(e, ERR_DENIED,
                           "%s numbers leaves of kind %s otherwise than this program: make another "
                           "one of the same ledger",
                           sql_path(db), leaf_kind_name((enum leaf_kind)kind));
        }
    }
    return 0;
}

static int
log_load(struct mirror *m, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s =
        sql_query(m->db, "SELECT vkey, key_from = 'given', ifnull(cosigned, -1) FROM log",
                  SQL_NO_VALUES, &row, e);

    if (s == NULL) {
        return -1;
    }
    if (!row) {
        return err_set(e, ERR_DENIED, "%s is of no log", sql_path(m->db));
    }
    m->key_is_given = sqlite3_column_int(s, 1) != 0;
    m->cosigned = sqlite3_column_int64(s, 2);
    return log_key_parse(&m->key, sql_column(s, 0), e) == 0
               ? 0
               : err_wrap(e, "%s: the log's key", sql_path(m->db));
}

/* The signature is verified again: it is what answers rest on. */
int
mirror_load_accepted(struct mirror *m, struct err *e)
{
    int64_t accepted = 0;
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(
        m->db,
        "SELECT note FROM checkpoint WHERE state = 'accepted' ORDER BY size DESC, id DESC LIMIT 1",
        SQL_NO_VALUES, &row, e);

    if (s == NULL ||
        sql_number(m->db, "SELECT accepted FROM position", SQL_NO_VALUES, 0, &accepted, e) != 0) {
        return -1;
    }
    m->checkpoint = (struct checkpoint){0};
    buf_truncate(&m->note, 0);
    if (row && (buf_set(&m->note, sql_column(s, 0), e) != 0 ||
                checkpoint_open(&m->key, buf_span(&m->note), &m->checkpoint, e) != 0)) {
        return err_wrap(e, "%s: the accepted checkpoint", sql_path(m->db));
    }
    return m->checkpoint.size == (uint64_t)accepted
               ? 0
               : err_set(e, ERR_STALE,
                         "%s was edited: %" PRId64 " leaves are accepted, the checkpoint is over "
                         "%" PRIu64,
                         sql_path(m->db), accepted, m->checkpoint.size);
}

struct mirror *
mirror_load(struct sql *db, struct err *e)
{
    CLEANUP(mirror_cleanup) struct mirror *m = mem_new(sizeof(*m));

    m->db = db;
    m->note = BUF_INIT(NOTE_MAX);
    return is_ours(db, e) == 0 && kinds_compare(db, e) == 0 && log_load(m, e) == 0 &&
                   mirror_load_accepted(m, e) == 0
               ? TAKE(m)
               : NULL;
}

struct mirror *
mirror_open(const char *path, struct err *e)
{
    CLEANUP(sql_cleanup) struct sql *db = sql_open(path, SQLITE_OPEN_READONLY, e);

    if (db == NULL) {
        return NULL;
    }
    (void)sqlite3_busy_timeout(sql_handle(db), BUSY_MS);
    /* One state of it for all questions, whatever is imported meanwhile. */
    return sql_script(db, "BEGIN", e) == 0 ? mirror_load(TAKE(db), e) : NULL;
}

/* ---- what it says ---- */

sqlite3 *
mirror_sqlite(struct mirror *m)
{
    return sql_handle(m->db);
}

const struct checkpoint *
mirror_checkpoint(const struct mirror *m)
{
    return &m->checkpoint;
}

struct span
mirror_note(const struct mirror *m)
{
    return buf_span(&m->note);
}

const struct log_key *
mirror_key(const struct mirror *m)
{
    return &m->key;
}

bool
mirror_key_is_given(const struct mirror *m)
{
    return m->key_is_given;
}

int64_t
mirror_cosigned(const struct mirror *m)
{
    const int64_t size = (int64_t)m->checkpoint.size;

    return m->cosigned > size ? size : m->cosigned;
}

const char *
mirror_path(const struct mirror *m)
{
    return sql_path(m->db);
}

void
mirror_watch(struct mirror *m, mirror_over *is_over, void *arg)
{
    m->is_over = is_over;
    m->over_arg = arg;
    sqlite3_progress_handler(mirror_sqlite(m), STEPS, is_over, arg);
}

static int
is_there(const struct mirror *m, uint64_t index, struct err *e)
{
    if (m->is_over != NULL && m->is_over(m->over_arg) != 0) {
        return err_set(e, ERR_BUSY, "nobody waits for it any more");
    }
    return index < m->checkpoint.size
               ? 0
               : err_set(e, ERR_NOTFOUND, "%s has no leaf %" PRIu64, sql_path(m->db), index);
}

int
mirror_leaf(struct mirror *m, uint64_t index, struct buf *out, struct err *e)
{
    return is_there(m, index, e) == 0 ? content_leaf(m->db, index, out, e) : -1;
}

int
mirror_message(struct mirror *m, uint64_t index, struct buf *out, struct err *e)
{
    return is_there(m, index, e) == 0 ? messages_load(m->db, index, out, e) : -1;
}

int
mirror_messages(struct mirror *m, uint64_t n, struct buf *out, struct err *e)
{
    return messages_load_file(m->db, n, out, e);
}

int
mirror_messages_count(struct mirror *m, struct message_count *count, struct err *e)
{
    return messages_count(m->db, count, e);
}

int
mirror_prove(struct mirror *m, uint64_t index, struct merkle_proof *proof, struct err *e)
{
    const uint64_t size = m->checkpoint.size;
    CLEANUP(buf_free) struct buf body = BUF_INIT(LEAF_MAX);
    struct merkle_hash hash;

    if (mirror_leaf(m, index, &body, e) != 0 || content_path(m->db, index, size, proof, e) != 0) {
        return -1;
    }
    hash = merkle_leaf(buf_span(&body));
    return merkle_verify_inclusion(index, size, &hash, proof, &m->checkpoint.root, e) == 0
               ? 0
               : err_set(e, ERR_STALE,
                         "%s was edited: leaf %" PRIu64 " is not under its checkpoint",
                         sql_path(m->db), index);
}

/* ---- all leaves ---- */

struct visit {
    const struct checkpoint *earlier;
    mirror_told *told;
    void *arg;
    struct merkle_edge edge;
};

static int
earlier_check(const struct visit *v, struct err *e)
{
    const struct merkle_hash root = merkle_root(&v->edge);

    return v->earlier == NULL || v->earlier->size != v->edge.size ||
                   merkle_equal(&root, &v->earlier->root)
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "the first %" PRIu64 " leaves are not those that were there before",
                         v->edge.size);
}

static int
visit_leaf(void *arg, uint64_t index, struct span body, struct err *e)
{
    struct visit *v = arg;
    const struct merkle_hash hash = merkle_leaf(body);

    if (merkle_append(&v->edge, &hash, NULL, NULL, e) != 0 ||
        v->told(v->arg, index, body, e) != 0) {
        return -1;
    }
    return earlier_check(v, e);
}

int
mirror_each(struct mirror *m, const struct checkpoint *earlier, mirror_told *told, void *arg,
            struct err *e)
{
    struct visit v = {.earlier = earlier, .told = told, .arg = arg};
    struct merkle_hash root;

    if (earlier != NULL && earlier->size > m->checkpoint.size) {
        return err_set(e, ERR_CRYPTO,
                       "%s has %" PRIu64 " leaves, and there were %" PRIu64 " before",
                       sql_path(m->db), m->checkpoint.size, earlier->size);
    }
    if (content_each(m->db, 0, m->checkpoint.size, visit_leaf, &v, e) != 0) {
        return -1;
    }
    root = merkle_root(&v.edge);
    return merkle_equal(&root, &m->checkpoint.root)
               ? 0
               : err_set(e, ERR_STALE, "%s was edited: its leaves are not those of its checkpoint",
                         sql_path(m->db));
}
