/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/record.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/ca/daemon/sealed_db.h"

enum { FILE_MAX = 1024 * 1024 * 1024 };

static const char *const names[RECORD_FIGURES] = {
    "leaves",        "registrations", "uses",    "cancelled registrations",
    "requests",      "refusals",      "intents", "certificates",
    "confirmations", "revocations",   "rr",      "public keys",
    "pending",       "again",         "CRLs",
};

/* What somebody tried in vain at the admin socket is no change: office.c counts those leaves. */
static const char figures_sql[] =
    "SELECT (SELECT count(*) FROM leaf WHERE kind <> 'OPERATION'), (SELECT count(*) FROM "
    "registration), "
    "(SELECT coalesce(sum(used), 0) FROM registration), "
    "(SELECT count(*) FROM registration WHERE state = 1), (SELECT count(*) FROM request), "
    "(SELECT count(*) FROM request WHERE state = 2), "
    "(SELECT count(*) FROM request WHERE serial IS NOT NULL), "
    "(SELECT count(*) FROM certificate), (SELECT count(*) FROM confirmation), "
    "(SELECT count(*) FROM revocation), (SELECT count(*) FROM revocation_request), "
    "(SELECT count(*) FROM public_key), (SELECT count(*) FROM pending), "
    "(SELECT count(*) FROM again), (SELECT count(*) FROM crl WHERE der IS NOT NULL)";

static void
copy(const struct world *w, const char *suffix)
{
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/state/ca.db%s", w->dir, suffix);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s/copy.db%s", w->dir, suffix);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    struct err e = {0};

    (void)unlink(to);
    if (access(from, F_OK) == 0) {
        assert_ok(file_read(from, &octets, &e), &e);
        assert_ok(file_write(to, buf_span(&octets), 0600, &e), &e);
    }
}

/* The daemon has its file for itself; what it wrote before it answered is in the file and the log
 * beside it. */
static struct sealed_db
open_copy(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/copy.db", w->dir);
    struct sealed_db db;

    copy(w, "");
    copy(w, "-seal");
    copy(w, "-wal");
    sealed_db_open(&db, path, w->seal_key);
    return db;
}

static sqlite3_stmt *
first_row(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    return statement;
}

struct record
record_read(struct world *w)
{
    struct sealed_db db;
    sqlite3_stmt *row;
    struct record r;

    world_settle(w);
    db = open_copy(w);
    row = first_row(db.sqlite, figures_sql);
    for (int i = 0; i < RECORD_FIGURES; i++) {
        r.figures[i] = sqlite3_column_int64(row, i);
    }
    (void)sqlite3_finalize(row);
    sealed_db_close(&db);
    return r;
}

void
record_changed(struct world *w, const char *row, const struct record *before,
               const struct record_change *changes)
{
    const struct record now = record_read(w);

    for (size_t i = 0; i < RECORD_FIGURES; i++) {
        int64_t wanted = before->figures[i];

        for (size_t k = 0; changes[k].figure != RECORD_FIGURES; k++) {
            wanted += changes[k].figure == (enum record_figure)i ? changes[k].by : 0;
        }
        if (now.figures[i] != wanted) {
            fail_msg("%s: %lld %s in the record, not %lld", row, (long long)now.figures[i],
                     names[i], (long long)wanted);
        }
    }
}

void
record_is_unchanged(struct world *w, const char *row, const struct record *before)
{
    static const struct record_change none[] = {{RECORD_FIGURES, 0}};

    record_changed(w, row, before, none);
}

/* The one leaf of this kind about this rid. */
static struct leaf *
find_leaf(sqlite3 *db, const char *row, struct span rid, enum leaf_kind kind)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(rid);
    CLEANUP(mem_cleanup)
    char *sql = mem_printf("SELECT unpacked(body) FROM leaf WHERE instr(unpacked(body), '"
                           "\"rid\":\"%s\"') > 0 AND "
                           "instr(unpacked(body), '\"kind\":\"%s\"') > 0",
                           hex, leaf_kind_name(kind));
    sqlite3_stmt *found = first_row(db, sql);
    struct err e = {0};
    struct leaf *leaf = leaf_parse(
        span_of(sqlite3_column_blob(found, 0), (size_t)sqlite3_column_bytes(found, 0)), &e);

    if (leaf == NULL) {
        fail_msg("%s: %s", row, e.text);
    }
    if (sqlite3_step(found) != SQLITE_DONE) {
        fail_msg("%s: two leaves about one rid", row);
    }
    (void)sqlite3_finalize(found);
    return leaf;
}

static void
leaf_says(const char *row, const struct leaf *leaf, const char *member, const char *part)
{
    if (strstr(leaf_text(leaf, member), part) == NULL) {
        fail_msg("%s: the leaf is %.*s, not of \"%s\"", row, (int)leaf_body(leaf).n,
                 (const char *)leaf_body(leaf).p, part);
    }
}

void
record_has_leaf(const struct world *w, const char *row, struct span rid, enum leaf_kind kind,
                const char *member, const char *part)
{
    struct sealed_db db = open_copy(w);
    CLEANUP(leaf_cleanup) struct leaf *leaf = find_leaf(db.sqlite, row, rid, kind);

    leaf_says(row, leaf, member, part);
    sealed_db_close(&db);
}

static void
has_refusal(sqlite3 *db, const struct record_refusal *r)
{
    CLEANUP(leaf_cleanup)
    struct leaf *leaf = find_leaf(db, r->row, span_of(r->rid, sizeof(r->rid)), LEAF_REFUSAL);

    leaf_says(r->row, leaf, "reason", r->reason);
    if (leaf_int(leaf, "failInfo", -1) != (int64_t)r->failure) {
        fail_msg("%s: the leaf is %.*s", r->row, (int)leaf_body(leaf).n,
                 (const char *)leaf_body(leaf).p);
    }
}

void
record_has_refusals(struct world *w, const struct record *before,
                    const struct record_refusal *refusals, size_t n)
{
    const struct record_change changes[] = {{RECORD_LEAVES, (int64_t)n},
                                            {RECORD_REQUESTS, (int64_t)n},
                                            {RECORD_REFUSED, (int64_t)n},
                                            {RECORD_FIGURES, 0}};
    struct sealed_db db;

    record_changed(w, n > 0 ? refusals[n - 1].row : "", before, changes);
    db = open_copy(w);
    for (size_t i = 0; i < n; i++) {
        has_refusal(db.sqlite, &refusals[i]);
    }
    sealed_db_close(&db);
}

void
record_each_refusal(struct world *w, void (*visit)(void *arg, int fail_info, const char *reason),
                    void *arg)
{
    sqlite3_stmt *rows = NULL;
    struct sealed_db db;

    world_settle(w);
    db = open_copy(w);
    assert_int_equal(sqlite3_prepare_v2(db.sqlite,
                                        "SELECT unpacked(body) FROM leaf WHERE kind = 'REFUSAL'",
                                        -1, &rows, NULL),
                     SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        struct err e = {0};
        CLEANUP(leaf_cleanup)
        struct leaf *leaf = leaf_parse(
            span_of(sqlite3_column_blob(rows, 0), (size_t)sqlite3_column_bytes(rows, 0)), &e);

        assert_non_null(leaf);
        visit(arg, (int)leaf_int(leaf, "failInfo", -1), leaf_text(leaf, "reason"));
    }
    (void)sqlite3_finalize(rows);
    sealed_db_close(&db);
}
