/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/compare.h"

#include <string.h>

#include "base/tlog/note.h"
#include "db/audit/mirror/content.h"

void
against_free(struct against *a)
{
    buf_free(&a->note);
    *a = (struct against){0};
}

/* *row false: there is no such checkpoint. */
static int
note_load(struct sql *db, const char *text, const struct sql_value *values, size_t n,
          struct against *out, bool *row, struct err *e)
{
    CLEANUP(sql_end_cleanup) sqlite3_stmt *s = sql_query(db, text, values, n, row, e);

    if (s == NULL) {
        return -1;
    }
    if (!*row) {
        return 0;
    }
    against_free(out);
    out->size = (uint64_t)sqlite3_column_int64(s, 0);
    out->note = BUF_INIT(NOTE_MAX);
    return buf_set(&out->note, sql_column(s, 1), e);
}

/* The one that `size` leaves were imported under, or the accepted one. */
static int
covering(struct sql *db, uint64_t size, struct against *out, struct err *e)
{
    bool row = false;

    return note_load(db,
                     "SELECT size, note FROM checkpoint WHERE state <> 'refused' AND size >= ? "
                     "ORDER BY size LIMIT 1",
                     SQL_VALUES(sql_int((int64_t)size)), out, &row, e);
}

/* The largest that was not refused. */
static int
newest(struct sql *db, struct against *out, struct err *e)
{
    bool row = false;

    return note_load(db,
                     "SELECT size, note FROM checkpoint WHERE state <> 'refused' ORDER BY size "
                     "DESC, id DESC LIMIT 1",
                     SQL_NO_VALUES, out, &row, e);
}

/* Two roots over as many leaves. */
static int
twins(struct sql *db, const struct checkpoint *theirs, struct against *out, bool *found,
      struct err *e)
{
    return note_load(
        db, "SELECT size, note FROM checkpoint WHERE size = ? AND root <> ? ORDER BY id LIMIT 1",
        SQL_VALUES(sql_int((int64_t)theirs->size),
                   sql_octets(span_of(theirs->root.octets, MERKLE_HASH))),
        out, found, e);
}

static int
beginning(struct sql *db, const struct checkpoint *theirs, enum says *says, struct against *out,
          struct err *e)
{
    struct merkle_hash root;

    if (content_root(db, theirs->size, &root, e) != 0 || newest(db, out, e) != 0) {
        return -1;
    }
    *says = merkle_equal(&root, &theirs->root) ? SAYS_BEHIND : SAYS_FORK;
    return 0;
}

/* As many leaves as are here. A larger one that was signed and not accepted says that there were
 * more. */
static int
same_size(struct sql *db, const struct position *p, enum says *says, struct against *out,
          struct err *e)
{
    uint64_t larger = 0;
    int64_t accepted = 0;
    struct merkle_hash root;

    if (compare_next(db, p->edge.size, &larger, &root, e) != 0 ||
        sql_number(db, "SELECT count(*) FROM checkpoint WHERE state = 'accepted' AND size = ?",
                   SQL_VALUES(sql_int((int64_t)p->edge.size)), 0, &accepted, e) != 0) {
        return -1;
    }
    if (larger > 0) {
        *says = SAYS_BEHIND;
        return covering(db, larger, out, e);
    }
    *says = accepted > 0 ? SAYS_SAME : SAYS_UNKNOWN;
    return 0;
}

int
compare_checkpoint(struct sql *db, const struct position *p, const struct checkpoint *theirs,
                   enum says *says, struct against *out, struct err *e)
{
    bool found = false;

    *says = SAYS_UNKNOWN;
    if (twins(db, theirs, out, &found, e) != 0) {
        return -1;
    }
    if (found) {
        *says = SAYS_FORK;
        return 0;
    }
    if (theirs->size < p->edge.size) {
        return beginning(db, theirs, says, out, e);
    }
    return theirs->size == p->edge.size ? same_size(db, p, says, out, e) : 0;
}

int
compare_tiles(struct sql *db, const struct position *p, struct audit_log *log, enum says *says,
              struct against *out, struct err *e)
{
    const struct checkpoint here = {.size = p->edge.size, .root = merkle_root(&p->edge)};
    uint64_t signed_size = 0;
    struct merkle_hash root;

    if (audit_consistency(log, &here, e) != 0) {
        if (e->code != ERR_CONFLICT) {
            return -1;
        }
        *says = SAYS_FORK;
        return covering(db, here.size, out, e);
    }
    *says = SAYS_MORE;
    if (compare_next(db, audit_checkpoint(log)->size, &signed_size, &root, e) != 0) {
        return -1;
    }
    if (signed_size > 0) {
        *says = SAYS_BEHIND;
        return covering(db, signed_size, out, e);
    }
    return 0;
}

int
compare_next(struct sql *db, uint64_t from, uint64_t *size, struct merkle_hash *root, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(
        db,
        "SELECT size, root FROM checkpoint WHERE state <> 'accepted' AND size > ? ORDER BY size "
        "LIMIT 1",
        SQL_VALUES(sql_int((int64_t)from)), &row, e);

    *size = 0;
    if (s == NULL) {
        return -1;
    }
    if (row && sql_column(s, 1).n == MERKLE_HASH) {
        *size = (uint64_t)sqlite3_column_int64(s, 0);
        memcpy(root->octets, sql_column(s, 1).p, MERKLE_HASH);
    }
    return 0;
}

int
compare_contradicted(struct sql *db, uint64_t size, struct against *out, struct err *e)
{
    bool row = false;

    return note_load(db,
                     "SELECT size, note FROM checkpoint WHERE state <> 'accepted' AND size = ? "
                     "ORDER BY id LIMIT 1",
                     SQL_VALUES(sql_int((int64_t)size)), out, &row, e);
}
