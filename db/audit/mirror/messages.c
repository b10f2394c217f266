/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <zstd.h>

#include "base/file.h"
#include "db/audit/files.h"
#include "db/audit/mirror/content.h"

enum { COMMIT = 64 /* files */, LEVEL = 1 /* zstd's fastest */ };

/* One file, and what is known of it. */
struct file {
    uint64_t n;
    unsigned width;          /* leaves, */
    unsigned named, missing; /* messages that they name, and those that are not there, */
    unsigned wrong;          /* or are another one, or cut */
    struct buf octets;
    struct err why; /* of no octets, or of the first that is wrong; code ERR_NONE: all is good */
};

static void
file_free(struct file *f)
{
    buf_free(&f->octets);
}

/* ---- taking in ---- */

/* The full one, else the partial one: the writer takes that away when the full one is there. */
static int
file_load(const char *dir, struct file *f, struct err *e)
{
    char name[AUDIT_NAME_MAX];
    CLEANUP(mem_cleanup) char *full = NULL;
    CLEANUP(mem_cleanup) char *partial = NULL;

    audit_name(AUDIT_MESSAGES, f->n, name);
    full = mem_printf("%s/%s", dir, name);
    partial = mem_printf("%s/%s.p/%u", dir, name, f->width);
    f->octets = BUF_INIT(MESSAGES_FILE_MAX);
    if (file_read(full, &f->octets, e) == 0 || (e->code == ERR_NOTFOUND && f->width < AUDIT_WIDTH &&
                                                file_read(partial, &f->octets, e) == 0)) {
        e->code = ERR_NONE;
        return 0;
    }
    return err_set(e, e->code, "%s %s", name,
                   e->code == ERR_NOTFOUND ? "is not published, or was not fetched"
                                           : "cannot be read");
}

static int
edited(const struct file *f, struct err *e)
{
    return err_set(e, ERR_STALE, "bundle %" PRIu64 " was edited", f->n);
}

/* Counts. One that is wrong is no reason to do without the others. */
static int
file_check(struct file *f, struct span entries, struct err *e)
{
    struct messages m = {.entries = entries, .to = f->width, .file = buf_span(&f->octets)};
    struct message message;
    char name[AUDIT_NAME_MAX];
    bool more;

    f->named = f->missing = f->wrong = 0;
    audit_name(AUDIT_MESSAGES, f->n, name);
    for (;;) {
        struct err why = {0};
        const bool good = messages_next(&m, &message, &more, &why) == 0;

        if (!more) {
            buf_truncate(&f->octets, f->octets.n - m.file.n); /* it may be of more leaves */
            return good && m.at == f->width ? 0 : edited(f, e);
        }
        if (!good && f->wrong++ == 0) {
            f->why = why;
            (void)err_wrap(&f->why, "%s", name);
        }
        f->named++;
        f->missing += good && message.octets.n == 0;
    }
}

/* With nothing at hand: how many are missing. */
static int
file_count(struct file *f, struct span entries, struct err *e)
{
    struct messages m = {.entries = entries, .to = f->width};
    struct message message;
    bool more = true;

    buf_truncate(&f->octets, 0);
    f->named = 0;
    while (messages_next(&m, &message, &more, &(struct err){0}), more) {
        f->named++;
    }
    f->missing = f->named;
    return m.at == f->width ? 0 : edited(f, e);
}

/* Of the row in front: octets, body. */
static int
unpack(struct sql *db, sqlite3_stmt *s, struct buf *out, struct err *e)
{
    const int64_t octets = sqlite3_column_int64(s, 0);
    const struct span body = sql_column(s, 1);
    uint8_t *to =
        octets < 0 || octets > MESSAGES_FILE_MAX ? NULL : buf_extend(out, (size_t)octets, e);

    return to != NULL && ZSTD_decompress(to, out->n, body.p, body.n) == out->n
               ? 0
               : err_set(e, ERR_STALE, "%s: a file of messages was edited", sql_path(db));
}

/* What was taken before; empty: nothing. */
static int
file_kept(struct sql *db, uint64_t n, struct buf *out, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s =
        sql_query(db, "SELECT octets, body FROM message_file WHERE n = ? AND octets > 0",
                  SQL_VALUES(sql_int((int64_t)n)), &row, e);

    return s == NULL ? -1 : row ? unpack(db, s, out, e) : 0;
}

/* The next message of what came now, or that of what was taken before, when that one is good. */
static int
merge_next(struct file *f, struct messages *now, struct messages *kept, struct buf *all, bool *more,
           struct err *e)
{
    const struct span file = now->file;
    struct message of_now = {0};
    struct message of_kept = {0};
    struct err ignored;
    const bool was_good = messages_next(kept, &of_kept, more, &ignored) == 0;
    const bool is_good = messages_next(now, &of_now, more, &ignored) == 0;
    const size_t octets = file.n - now->file.n;

    if (!*more) {
        return 0;
    }
    f->named++;
    if (was_good && of_kept.octets.n > 0 && (!is_good || of_now.octets.n == 0)) {
        return messages_put(all, of_kept.octets, e);
    }
    f->wrong += !is_good && octets > 0;
    f->missing += octets == 0 || (is_good && of_now.octets.n == 0);
    return octets == 0 ? messages_put(all, span_of(NULL, 0), e)
                       : buf_append(all, span_of(file.p, octets), e);
}

/* What was good once stays, whatever is published now. */
static int
file_merge(struct sql *db, struct file *f, struct span entries, struct err *e)
{
    CLEANUP(buf_free) struct buf before = BUF_INIT(MESSAGES_FILE_MAX);
    CLEANUP(buf_free) struct buf all = BUF_INIT(MESSAGES_FILE_MAX);
    struct messages now = {.entries = entries, .to = f->width, .file = buf_span(&f->octets)};
    struct messages kept = {.entries = entries, .to = f->width};
    bool more = true;

    if (file_kept(db, f->n, &before, e) != 0) {
        return -1;
    }
    if (before.n == 0) {
        return 0;
    }
    kept.file = buf_span(&before);
    f->named = f->missing = f->wrong = 0;
    while (more) {
        if (merge_next(f, &now, &kept, &all, &more, e) != 0) {
            return -1;
        }
    }
    return buf_set(&f->octets, buf_span(&all), e);
}

static int
file_store(struct sql *db, const struct file *f, struct err *e)
{
    CLEANUP(buf_free) struct buf packed = BUF_INIT(ZSTD_compressBound(MESSAGES_FILE_MAX));
    uint8_t *to = buf_extend(&packed, ZSTD_compressBound(f->octets.n), e);
    size_t n;

    if (to == NULL) {
        return -1;
    }
    n = ZSTD_compress(to, packed.n, f->octets.p, f->octets.n, LEVEL);
    if (ZSTD_isError(n) != 0) {
        return err_set(e, ERR_STORE, "messages %" PRIu64 ": %s", f->n, ZSTD_getErrorName(n));
    }
    return sql_exec(db,
                    "INSERT OR REPLACE INTO message_file(n, width, named, missing, reason, wrong, "
                    "octets, body) VALUES (?,?,?,?,?,?,?,?)",
                    SQL_VALUES(sql_int((int64_t)f->n), sql_int(f->width), sql_int(f->named),
                               sql_int(f->missing),
                               sql_text(f->why.code == ERR_NONE ? NULL : f->why.text),
                               sql_int(f->wrong), sql_int((int64_t)f->octets.n),
                               sql_octets(span_of(packed.p, n))),
                    e);
}

/* `known`: it was looked for before. */
static int
file_import(struct sql *db, const char *dir, struct file *f, bool known, struct err *e)
{
    CLEANUP(buf_free) struct buf entries = {0};
    bool is_there = file_load(dir, f, &f->why) == 0;

    if (!is_there && f->why.code == ERR_NOTFOUND && known) {
        return 0;
    }
    if (content_bundle(db, f->n, &entries, e) != 0 ||
        (is_there ? file_check : file_count)(f, buf_span(&entries), e) != 0 ||
        (f->why.code != ERR_NONE && file_merge(db, f, buf_span(&entries), e) != 0)) {
        return -1;
    }
    return file_store(db, f, e);
}

static unsigned
width_of(uint64_t n, uint64_t size)
{
    const uint64_t left = size - n * AUDIT_WIDTH;

    return left < AUDIT_WIDTH ? (unsigned)left : AUDIT_WIDTH;
}

/* Which file is next, from `n` on: one that was not taken, the last one when there are more leaves
 * by now, or one behind it. */
static int
next_file(struct sql *db, uint64_t size, uint64_t *n, bool *known, struct err *e)
{
    const int64_t from = (int64_t)*n;
    int64_t missing;
    int64_t last;
    int64_t width;

    if (sql_number(db,
                   "SELECT n FROM message_file WHERE reason IS NOT NULL AND n >= ? ORDER BY n "
                   "LIMIT 1",
                   SQL_VALUES(sql_int(from)), INT64_MAX, &missing, e) != 0 ||
        sql_number(db, "SELECT n FROM message_file ORDER BY n DESC LIMIT 1", SQL_NO_VALUES, -1,
                   &last, e) != 0 ||
        sql_number(db, "SELECT width FROM message_file WHERE n = ?", SQL_VALUES(sql_int(last)),
                   AUDIT_WIDTH, &width, e) != 0) {
        return -1;
    }
    last += width == width_of((uint64_t)last, size) ? 1 : 0;
    *known = missing < last;
    *n = *known ? (uint64_t)missing : last > from ? (uint64_t)last : *n;
    return 0;
}

static int
import_all(struct sql *db, const char *dir, uint64_t size, struct err *e)
{
    bool known = false;
    uint64_t n = 0;

    for (unsigned i = 1;; i++, n++) {
        CLEANUP(file_free) struct file f = {0};

        if (next_file(db, size, &n, &known, e) != 0) {
            return -1;
        }
        if (n * AUDIT_WIDTH >= size) {
            return 0;
        }
        f.n = n;
        f.width = width_of(n, size);
        if (file_import(db, dir, &f, known, e) != 0 ||
            (i % COMMIT == 0 && sql_script(db, "COMMIT; BEGIN IMMEDIATE", e) != 0)) {
            return -1;
        }
    }
}

int
messages_import(struct sql *db, const char *dir, uint64_t size, struct err *e)
{
    struct err ignored;

    if (sql_script(db, "BEGIN IMMEDIATE", e) != 0) {
        return -1;
    }
    if (import_all(db, dir, size, e) == 0 && sql_script(db, "COMMIT", e) == 0) {
        return 0;
    }
    (void)sql_script(db, "ROLLBACK", &ignored);
    return -1;
}

/* ---- asking ---- */

/* What the row says of the n-th file, which must be of more than `at` leaves. Why: ERR_CRYPTO, a
 * message in it may be wrong; ERR_NOTFOUND, what it lacks was not published, or not fetched. */
static int
load(struct sql *db, uint64_t n, unsigned at, struct buf *out, struct err *why, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s = sql_query(
        db, "SELECT octets, body, reason, wrong FROM message_file WHERE n = ?1 AND width > ?2",
        SQL_VALUES(sql_int((int64_t)n), sql_int(at)), &row, e);

    buf_truncate(out, 0);
    if (s == NULL) {
        return -1;
    }
    *why = (struct err){0};
    if (!row) {
        return err_set(e, ERR_NOTFOUND, "it was not published, or not fetched");
    }
    if (sqlite3_column_type(s, 2) != SQLITE_NULL) {
        (void)err_set(why, sqlite3_column_int(s, 3) != 0 ? ERR_CRYPTO : ERR_NOTFOUND, "%s",
                      (const char *)sqlite3_column_text(s, 2));
    }
    if (why->code == ERR_NOTFOUND && sqlite3_column_int(s, 0) == 0) {
        *e = *why;
        return -1;
    }
    return unpack(db, s, out, e);
}

int
messages_load_file(struct sql *db, uint64_t n, struct buf *out, struct err *e)
{
    struct err ignored;

    return load(db, n, 0, out, &ignored, e);
}

int
messages_load(struct sql *db, uint64_t leaf, struct buf *out, struct err *e)
{
    const uint64_t n = leaf / AUDIT_WIDTH;
    CLEANUP(buf_free) struct buf file = BUF_INIT(MESSAGES_FILE_MAX);
    CLEANUP(buf_free) struct buf entries = {0};
    struct messages m = {0};
    struct message message;
    char name[AUDIT_NAME_MAX];
    struct err why;
    bool good;
    bool more;

    if (load(db, n, (unsigned)(leaf % AUDIT_WIDTH), &file, &why, e) != 0 ||
        content_bundle(db, n, &entries, e) != 0) {
        return -1;
    }
    m.entries = buf_span(&entries);
    m.file = buf_span(&file);
    do {
        good = messages_next(&m, &message, &more, e) == 0;
    } while (more && message.leaf != leaf % AUDIT_WIDTH);
    if (!more || (!good && why.code != ERR_CRYPTO)) {
        return err_set(e, ERR_STALE, "%s: a file of messages was edited", sql_path(db));
    }
    if (!good) {
        audit_name(AUDIT_MESSAGES, n, name);
        return err_wrap(e, "%s", name);
    }
    return message.octets.n == 0
               ? err_set(e, ERR_NOTFOUND, "%s",
                         why.code == ERR_NOTFOUND ? why.text
                                                  : "the CA did not have it, or keeps it back")
               : buf_set(out, message.octets, e);
}

int
messages_count(struct sql *db, struct message_count *count, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup)
    sqlite3_stmt *s =
        sql_query(db, "SELECT total(named), total(missing), total(wrong) FROM message_file",
                  SQL_NO_VALUES, &row, e);

    if (s == NULL) {
        return -1;
    }
    *count = (struct message_count){.named = (uint64_t)sqlite3_column_int64(s, 0),
                                    .missing = (uint64_t)sqlite3_column_int64(s, 1),
                                    .wrong = (uint64_t)sqlite3_column_int64(s, 2)};
    return 0;
}
