/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/import.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/content.h"
#include "db/audit/mirror/inside.h"
#include "db/audit/mirror/rows.h"
#include "db/audit/rules/rules.h"
#include "db/audit/walk.h"
#include "db/store/store.h"

extern const struct store_migration mirror_indexes[];

struct importing {
    struct mirror *mirror;
    struct audit_log *log;
    struct audit_rules *rules;
    struct content *content;
    struct rows *rows;
    uint64_t findings; /* of times */
};

static void
importing_end(struct importing *i)
{
    audit_rules_free(i->rules);
    content_free(i->content);
    rows_free(i->rows);
}

/* A leaf that is dated before the one before it, by more than clocks and threads do. */
static int
note_time(struct importing *i, uint64_t index, const struct leaf *leaf, struct err *e)
{
    const struct audit_times *t = audit_rules_times(i->rules);
    CLEANUP(mem_cleanup) char *text = NULL;
    char at[TIME_TEXT_SIZE];

    if (t->findings == i->findings) {
        return 0;
    }
    i->findings = t->findings;
    time_format(leaf_time(leaf), at);
    text =
        mem_printf("is dated %s, long before the leaf before it: the clock was set back while the "
                   "authority ran, or it is not of its date",
                   at);
    return sql_exec(i->mirror->db,
                    "INSERT OR IGNORE INTO finding(found_by, code, severity, leaf, text) VALUES "
                    "('mirror', 'time', 'warning', ?, ?)",
                    SQL_VALUES(sql_int((int64_t)index), sql_text(text)), e);
}

static int
leaf_import(void *arg, uint64_t index, const char *file, struct span body, struct err *e)
{
    struct importing *i = arg;
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);
    struct merkle_hash hash;

    if (leaf == NULL || audit_rules_check(i->rules, leaf, e) != 0) {
        return err_wrap(e, "%s: leaf %" PRIu64, file, index);
    }
    memcpy(hash.octets, leaf_hash(leaf), sizeof(hash.octets));
    return content_add(i->content, body, &hash, e) != 0 || rows_add(i->rows, index, leaf, e) != 0
               ? -1
               : note_time(i, index, leaf, e);
}

/* The tree that is here is the one that was signed: from here on views see it. */
static int
accept(struct importing *i, struct err *e)
{
    const struct checkpoint *checkpoint = audit_checkpoint(i->log);
    const struct merkle_edge *edge = content_edge(i->content);
    struct merkle_hash root = merkle_root(edge);
    struct sql *db = i->mirror->db;

    if (edge->size != checkpoint->size || !merkle_equal(&root, &checkpoint->root)) {
        return err_set(e, ERR_CRYPTO, "checkpoint: what was read has another root");
    }
    return sql_exec(db,
                    "INSERT INTO checkpoint(size, root, note, seen, source, state) VALUES "
                    "(?,?,?,?,?,'accepted')",
                    SQL_VALUES(sql_int((int64_t)checkpoint->size),
                               sql_octets(span_of(root.octets, MERKLE_HASH)),
                               sql_octets(audit_note(i->log)), sql_int(clock_now()),
                               sql_text(audit_dir(i->log))),
                    e) != 0 ||
                   sql_exec(db, "UPDATE position SET accepted = ?1, next = ?1",
                            SQL_VALUES(sql_int((int64_t)edge->size)), e) != 0 ||
                   sql_script(db,
                              "INSERT INTO day SELECT 0, day, kind, profile, reason, n FROM day d "
                              "WHERE pending = 1 ON CONFLICT DO UPDATE SET n = n + excluded.n; "
                              "DELETE FROM day WHERE pending = 1",
                              e) != 0
               ? -1
               : 0;
}

static int
run(struct importing *i, struct err *e)
{
    struct sql *db = i->mirror->db;
    const struct merkle_edge empty = {0};

    if (sql_script(db, "BEGIN", e) != 0) {
        return -1;
    }
    i->rules = audit_rules_new();
    i->content = content_new(db, &empty, e);
    i->rows = i->content == NULL ? NULL : rows_new(db, e);
    if (i->rows == NULL || audit_walk(i->log, leaf_import, i, e) != 0 ||
        content_flush(i->content, e) != 0 || accept(i, e) != 0 ||
        sql_script(db, "COMMIT", e) != 0 || sql_script(db, mirror_indexes[0].sql, e) != 0) {
        return -1;
    }
    return mirror_load_accepted(i->mirror, e);
}

struct mirror *
mirror_of(struct audit_log *log, struct err *e)
{
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(sql_cleanup)
    struct sql *db =
        sql_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, e);
    CLEANUP(importing_end) struct importing importing = {.log = log};

    if (db == NULL || mirror_make(db, audit_key(log), audit_key_is_given(log), e) != 0) {
        return NULL;
    }
    m = mirror_load(TAKE(db), e);
    importing.mirror = m;
    return m != NULL && run(&importing, e) == 0 &&
                   sql_script(m->db, "PRAGMA query_only = 1", e) == 0
               ? TAKE(m)
               : NULL;
}
