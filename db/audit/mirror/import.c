/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/import.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/accept.h"
#include "db/audit/mirror/compare.h"
#include "db/audit/mirror/content.h"
#include "db/audit/mirror/inside.h"
#include "db/audit/mirror/messages.h"
#include "db/audit/mirror/past.h"
#include "db/audit/mirror/position.h"
#include "db/audit/mirror/reader.h"
#include "db/audit/mirror/rows.h"
#include "db/audit/rules/rules.h"

struct importing {
    struct mirror *mirror;
    struct audit_log *log;
    struct audit_past past;
    struct audit_rules *rules;
    struct content *content;
    struct rows *rows;
    uint64_t saved;       /* as the position in the database says */
    uint64_t rules_saved; /* so many leaves when the state of the rules was saved */
    bool resumable;       /* a file, not memory */
    bool open;            /* a transaction is */
    /* The next checkpoint that was signed and not accepted: the tree must have its root there. */
    uint64_t mark;
    struct merkle_hash mark_root;
    mirror_progress *progress;
    void *progress_arg;
};

static void
importing_end(struct importing *i)
{
    struct err ignored;

    if (i->open) {
        (void)sql_script(i->mirror->db, "ROLLBACK", &ignored);
    }
    audit_rules_free(i->rules);
    content_free(i->content);
    rows_free(i->rows);
}

/* ---- the beginning ---- */

/* Leaves that are here, and that the rules have not seen. */
static int
replay(void *arg, uint64_t index, struct span body, struct err *e)
{
    const struct importing *i = arg;
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    return leaf == NULL || audit_rules_check(i->rules, leaf, e) != 0
               ? err_wrap(e, "%s: leaf %" PRIu64, sql_path(i->mirror->db), index)
               : 0;
}

static int
rules_begin(struct importing *i, const struct position *p, struct err *e)
{
    uint64_t from = p->rules_at;

    i->past = past_of(i->mirror->db);
    i->rules = p->rules.n == 0 ? NULL : audit_rules_load(buf_span(&p->rules), &i->past, e);
    if (i->rules == NULL && p->rules.n > 0 && e->code != ERR_STALE) {
        return -1;
    }
    if (i->rules == NULL) { /* none, or of another version of this program: from the beginning */
        i->rules = audit_rules_new();
        audit_rules_past(i->rules, &i->past);
        from = 0;
    }
    i->rules_saved = from;
    return content_each(i->mirror->db, from, p->edge.size, replay, i, e);
}

/* What was signed before, and not accepted, is a beginning of this tree, too. */
static int
mark_check(struct importing *i, struct err *e)
{
    const struct merkle_edge *edge = content_edge(i->content);
    const struct merkle_hash root = merkle_root(edge);

    if (!merkle_equal(&root, &i->mark_root)) {
        i->mirror->contradicted = i->mark;
        return err_set(e, ERR_CONFLICT,
                       "checkpoint: fork: the first %" PRIu64
                       " leaves are not those of a checkpoint that was seen before",
                       i->mark);
    }
    return compare_next(i->mirror->db, i->mark, &i->mark, &i->mark_root, e);
}

static int
mark_begin(struct importing *i, struct err *e)
{
    const uint64_t size = content_edge(i->content)->size;

    if (compare_next(i->mirror->db, size == 0 ? 0 : size - 1, &i->mark, &i->mark_root, e) != 0) {
        return -1;
    }
    return i->mark > 0 && i->mark == size ? mark_check(i, e) : 0;
}

static int
begin(struct importing *i, struct err *e)
{
    CLEANUP(position_free) struct position p = {0};
    struct sql *db = i->mirror->db;

    if (sql_script(db, "BEGIN IMMEDIATE", e) != 0) {
        return -1;
    }
    i->open = true;
    if (position_load(db, &p, e) != 0 || rules_begin(i, &p, e) != 0) {
        return -1;
    }
    i->saved = p.edge.size;
    i->content = content_new(db, &p.edge, e);
    i->rows = i->content == NULL ? NULL : rows_new(db, e);
    return i->rows == NULL ? -1 : mark_begin(i, e);
}

/* ---- leaf by leaf ---- */

static int
save(struct importing *i, bool rules, struct err *e)
{
    const struct merkle_edge *edge = content_edge(i->content);
    CLEANUP(mem_cleanup) char *text = rules ? audit_rules_save(i->rules) : NULL;

    if (content_flush(i->content, e) != 0 || rows_flush(i->rows, e) != 0 ||
        position_save(i->mirror->db, edge, text, e) != 0) {
        return -1;
    }
    i->saved = edge->size;
    i->rules_saved = rules ? edge->size : i->rules_saved;
    return 0;
}

static int
commit(struct importing *i, struct err *e)
{
    struct sql *db = i->mirror->db;

    if (save(i, i->saved + IMPORT_COMMIT - i->rules_saved >= IMPORT_RULES, e) != 0 ||
        sql_script(db, "COMMIT", e) != 0) {
        return -1;
    }
    i->open = false;
    if (i->progress != NULL) {
        i->progress(i->progress_arg, i->saved, audit_checkpoint(i->log)->size);
    }
    if (sql_script(db, "BEGIN IMMEDIATE", e) != 0) {
        return -1;
    }
    i->open = true;
    return position_check(db, i->saved, e);
}

/* A leaf of the bundle that was not full, and is here. */
static int
compare_old(struct importing *i, uint64_t index, const struct merkle_hash *hash, struct err *e)
{
    struct merkle_hash known;

    if (content_hash(i->mirror->db, index, &known, e) != 0) {
        return -1;
    }
    return merkle_equal(hash, &known)
               ? 0
               : err_set(e, ERR_CRYPTO, "%s was edited: leaf %" PRIu64 " is another one",
                         sql_path(i->mirror->db), index);
}

static int
leaf_import(struct importing *i, uint64_t index, const char *file, const struct leaf *leaf,
            struct err *e)
{
    const struct merkle_edge *edge = content_edge(i->content);
    struct merkle_hash hash;

    memcpy(hash.octets, leaf_hash(leaf), sizeof(hash.octets));
    if (index < edge->size) {
        return compare_old(i, index, &hash, e);
    }
    if (audit_rules_check(i->rules, leaf, e) != 0) {
        return err_wrap(e, "%s: leaf %" PRIu64, file, index);
    }
    if (content_add(i->content, leaf_body(leaf), &hash, e) != 0 ||
        rows_add(i->rows, index, leaf, e) != 0 ||
        (edge->size == i->mark && mark_check(i, e) != 0)) {
        return -1;
    }
    return i->resumable && edge->size % IMPORT_COMMIT == 0 ? commit(i, e) : 0;
}

static int
leaves_import(struct importing *i, struct err *e)
{
    CLEANUP(reader_cleanup) struct reader *reader = reader_new(i->log, i->saved, e);
    const struct reader_bundle *b = NULL;

    if (reader == NULL) {
        return -1;
    }
    do {
        if (reader_next(reader, &b, e) != 0) {
            return -1;
        }
        for (size_t n = 0; b != NULL && n < b->n; n++) {
            if (leaf_import(i, b->first + n, b->file, b->leaves[n], e) != 0) {
                return -1;
            }
        }
    } while (b != NULL);
    return 0;
}

static int
end(struct importing *i, int64_t sync, struct err *e)
{
    const struct checkpoint *checkpoint = audit_checkpoint(i->log);
    const struct merkle_edge *edge = content_edge(i->content);
    const struct merkle_hash root = merkle_root(edge);
    struct sql *db = i->mirror->db;

    if (edge->size != checkpoint->size || !merkle_equal(&root, &checkpoint->root)) {
        return err_set(e, ERR_CRYPTO, "%s was edited: its tree is not that of the checkpoint",
                       sql_path(db));
    }
    if (save(i, i->resumable, e) != 0 || accept_tree(db, i->log, i->rules, sync, e) != 0 ||
        sql_script(db, "COMMIT", e) != 0) {
        return -1;
    }
    i->open = false;
    return 0;
}

int
mirror_import(struct mirror *m, struct audit_log *log, int64_t sync, mirror_progress *progress,
              void *arg, struct err *e)
{
    CLEANUP(importing_end)
    struct importing i = {
        .mirror = m,
        .log = log,
        .resumable = sqlite3_db_filename(sql_handle(m->db), "main")[0] != '\0',
        .progress = progress,
        .progress_arg = arg,
    };

    return begin(&i, e) != 0 || leaves_import(&i, e) != 0 || end(&i, sync, e) != 0 ||
                   accept_indexes(m->db, e) != 0
               ? -1
               : mirror_load_accepted(m, e);
}

struct mirror *
mirror_of(struct audit_log *log, struct err *e)
{
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(sql_cleanup)
    struct sql *db =
        sql_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, e);

    if (db == NULL || mirror_make(db, audit_key(log), audit_key_is_given(log), e) != 0) {
        return NULL;
    }
    m = mirror_load(TAKE(db), e);
    return m != NULL && mirror_import(m, log, 0, NULL, NULL, e) == 0 &&
                   messages_import(m->db, audit_dir(log), m->checkpoint.size, e) == 0 &&
                   sql_script(m->db, "PRAGMA query_only = 1", e) == 0
               ? TAKE(m)
               : NULL;
}
