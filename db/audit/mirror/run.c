/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/run.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/mirror/accept.h"
#include "db/audit/mirror/compare.h"
#include "db/audit/mirror/content.h"
#include "db/audit/mirror/inside.h"
#include "db/audit/mirror/messages.h"

enum {
    TRIES = 3, /* a writer may be between two files */
    PAUSE_NS = 200 * 1000 * 1000,
    BUSY_MS = 10000
};

static const char *const RESULTS[] = {
    [MIRROR_ACCEPTED] = "accepted",       [MIRROR_NOTHING_NEW] = "nothing new",
    [MIRROR_ROLLED_BACK] = "rolled back", [MIRROR_FORK] = "fork",
    [MIRROR_BROKEN] = "broken",           [MIRROR_FOREIGN] = "not this log",
    [MIRROR_FAILED] = "failed",
};

const char *
mirror_result_name(enum mirror_result result)
{
    assert((size_t)result < ARRAY_LEN(RESULTS));
    return RESULTS[result];
}

void
mirror_outcome_free(struct mirror_outcome *o)
{
    mem_free(o->evidence);
    *o = (struct mirror_outcome){0};
}

/* ---- the file ---- */

static struct sql *
open_file(const char *path, int flags, struct err *e)
{
    CLEANUP(sql_cleanup) struct sql *db = sql_open(path, SQLITE_OPEN_READWRITE | flags, e);

    if (db == NULL) {
        return NULL;
    }
    (void)sqlite3_busy_timeout(sql_handle(db), BUSY_MS);
    return sql_script(db,
                      "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = "
                      "FULL; PRAGMA cache_size = -32768",
                      e) == 0
               ? TAKE(db)
               : NULL;
}

int
mirror_init(const char *path, const struct log_key *key, bool given, struct err *e)
{
    CLEANUP(mem_cleanup) char *fresh = mem_printf("%s.new", path);
    CLEANUP(sql_cleanup) struct sql *db = NULL;

    if (access(path, F_OK) == 0) {
        return err_set(e, ERR_CONFLICT, "%s is there", path);
    }
    (void)unlink(fresh); /* of one that was interrupted here */
    db = open_file(fresh, SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE, e);
    if (db == NULL || sql_script(db, "BEGIN IMMEDIATE", e) != 0 ||
        mirror_make(db, key, given, e) != 0 || sql_script(db, "COMMIT", e) != 0) {
        return -1;
    }
    sql_close(TAKE(db)); /* with the WAL in it */
    if (link(fresh, path) != 0) {
        return err_errno(e, ERR_IO, errno, "%s", path);
    }
    (void)unlink(fresh);
    return 0;
}

struct mirror *
mirror_open_writable(const char *path, struct err *e)
{
    CLEANUP(sql_cleanup) struct sql *db = open_file(path, 0, e);

    return db == NULL ? NULL : mirror_load(TAKE(db), e);
}

int
mirror_trust(struct mirror *m, const struct log_key *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *ours = log_key_format(&m->key);
    CLEANUP(mem_cleanup) char *given = log_key_format(key);

    if (strcmp(ours, given) != 0) {
        return err_set(e, ERR_CONFLICT, "%s is of a log with another key", mirror_path(m));
    }
    m->key_is_given = true;
    return sql_exec(m->db, "UPDATE log SET key_from = 'given' WHERE key_from <> 'given'",
                    SQL_NO_VALUES, e);
}

int
mirror_note_cosigned(struct mirror *m, uint64_t size, struct err *e)
{
    m->cosigned = (int64_t)size;
    return sql_exec(m->db, "UPDATE log SET cosigned = ?", SQL_VALUES(sql_int(m->cosigned)), e);
}

/* ---- what is kept of a run ---- */

struct run {
    struct mirror *mirror;
    const char *dir;
    int64_t sync;
    struct mirror_outcome *outcome;
    struct against against;
    struct checkpoint theirs;
    struct buf note; /* theirs */
    mirror_progress *progress;
    void *arg;
};

static void
run_end(struct run *r)
{
    against_free(&r->against);
    buf_free(&r->note);
}

static int
sync_begin(struct run *r, struct err *e)
{
    struct sql *db = r->mirror->db;

    if (r->sync != 0) {
        return 0;
    }
    if (sql_exec(
            db, "INSERT INTO sync(started, source, from_size) VALUES (?,?,?)",
            SQL_VALUES(sql_int(clock_now()), sql_text(r->dir), sql_int((int64_t)r->outcome->from)),
            e) != 0) {
        return -1;
    }
    r->sync = sqlite3_last_insert_rowid(sql_handle(db));
    return 0;
}

static int
sync_end(struct run *r, const char *reason, struct err *e)
{
    return sql_exec(r->mirror->db,
                    "UPDATE sync SET ended = ?, to_size = ?, result = ?, reason = ? WHERE id = ?",
                    SQL_VALUES(sql_int(clock_now()),
                               r->note.n == 0 ? sql_null() : sql_int((int64_t)r->theirs.size),
                               sql_text(mirror_result_name(r->outcome->result)), sql_text(reason),
                               sql_int(r->sync)),
                    e);
}

/* Both checkpoints in a file of their own: whoever has the log's key verifies them without us. */
static int
evidence_write(struct run *r, const char *reason, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(4 * NOTE_MAX);
    CLEANUP(mem_cleanup) char *root = hex_dup(span_of(r->theirs.root.octets, 8));
    char now[TIME_TEXT_SIZE];
    CLEANUP(mem_cleanup) char *head = NULL;
    CLEANUP(mem_cleanup) char *middle = NULL;

    time_format(clock_now(), now);
    head = mem_printf("nfpki-audit: two checkpoints that one log signed\n%s\nfound %s\n\n"
                      "---- known, %" PRIu64 " leaves ----\n",
                      reason, now, r->against.size);
    middle = mem_printf("---- %s, %" PRIu64 " leaves ----\n", r->dir, r->theirs.size);
    mem_free(r->outcome->evidence);
    r->outcome->evidence =
        mem_printf("%s-evidence-%" PRIu64 "-%s", mirror_path(r->mirror), r->theirs.size, root);
    return buf_append_str(&text, head, e) != 0 ||
                   buf_append(&text, buf_span(&r->against.note), e) != 0 ||
                   buf_append_str(&text, middle, e) != 0 ||
                   buf_append(&text, buf_span(&r->note), e) != 0
               ? -1
               : file_write(r->outcome->evidence, buf_span(&text), 0644, e);
}

/* Names what was found, and keeps it. */
static int
found(struct run *r, enum mirror_result result, struct err *e)
{
    struct err kept = {0};
    const bool contradicts = result == MIRROR_FORK || result == MIRROR_ROLLED_BACK;

    r->outcome->result = result;
    r->outcome->to = r->theirs.size;
    if (sync_begin(r, &kept) != 0) {
        return err_wrap(e, "(not kept: %.200s) %s", kept.text, mirror_result_name(result));
    }
    if (contradicts && (evidence_write(r, e->text, &kept) != 0 ||
                        accept_note(r->mirror->db, &r->theirs, buf_span(&r->note), r->dir,
                                    "refused", &kept) != 0)) {
        return err_wrap(e, "%s, and could not be kept: %.200s", mirror_result_name(result),
                        kept.text);
    }
    if (sync_end(r, e->text, &kept) != 0) {
        return err_wrap(e, "(not kept: %.200s) %s", kept.text, mirror_result_name(result));
    }
    return -1;
}

static int
is_behind(struct run *r, struct err *e)
{
    (void)err_set(e, ERR_CONFLICT,
                  "%s: rolled back: its checkpoint covers %" PRIu64 " leaves, and %" PRIu64
                  " were signed",
                  r->dir, r->theirs.size, r->against.size);
    return found(r, MIRROR_ROLLED_BACK, e);
}

static int
is_fork(struct run *r, struct err *e)
{
    (void)err_set(e, ERR_CONFLICT,
                  "%s: FORK: the log signed two histories, of %" PRIu64 " and of %" PRIu64
                  " leaves, and one is not the beginning of the other",
                  r->dir, r->against.size, r->theirs.size);
    return found(r, MIRROR_FORK, e);
}

/* ---- the run ---- */

/* Once a log has signed two histories nothing of it is taken in. */
static int
forked_before(struct run *r, struct err *e)
{
    int64_t at = 0;

    if (sql_number(r->mirror->db, "SELECT max(ended) FROM sync WHERE result = 'fork'",
                   SQL_NO_VALUES, 0, &at, e) != 0) {
        return -1;
    }
    if (at > 0) {
        char text[TIME_TEXT_SIZE];

        time_format(at, text);
        r->outcome->result = MIRROR_FORK;
        return err_set(e, ERR_CONFLICT,
                       "%s: FORK: at %s this log was found to have signed two histories; nothing "
                       "of it is accepted any more",
                       mirror_path(r->mirror), text);
    }
    return 0;
}

/* The checkpoint alone. */
static int
look(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", r->dir);

    r->note = BUF_INIT(NOTE_MAX);
    r->outcome->result = MIRROR_BROKEN;
    if (file_read(path, &r->note, e) != 0) {
        return -1;
    }
    if (checkpoint_open(&r->mirror->key, buf_span(&r->note), &r->theirs, e) != 0) {
        r->outcome->result = MIRROR_FOREIGN;
        buf_free(&r->note);
        return err_wrap(e, "%s: not this log: checkpoint", r->dir);
    }
    return 0;
}

static int
take_in(struct run *r, struct audit_log *log, struct err *e)
{
    struct sql *db = r->mirror->db;

    if (r->mirror->asked.size > 0 && audit_consistency(log, &r->mirror->asked, e) != 0) {
        e->code = ERR_CRYPTO;
        return err_wrap(e, "it changed behind what the witnesses were asked about");
    }
    if (accept_note(db, &r->theirs, buf_span(&r->note), r->dir, "importing", e) != 0) {
        return -1;
    }
    if (mirror_import(r->mirror, log, r->sync, r->progress, r->arg, e) != 0) {
        return e->code == ERR_CONFLICT && /* with a checkpoint that was seen before */
                       compare_contradicted(db, r->mirror->contradicted, &r->against, e) == 0
                   ? is_fork(r, e)
                   : -1;
    }
    r->outcome->result = MIRROR_ACCEPTED;
    r->outcome->to = r->theirs.size;
    return 0;
}

/* What the checkpoint alone does not tell. */
static int
open_and_take(struct run *r, const struct position *p, struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(r->dir, &r->mirror->key, e);
    enum says says = SAYS_UNKNOWN;

    if (log == NULL) {
        return -1;
    }
    r->theirs = *audit_checkpoint(log); /* maybe a newer one */
    if (buf_set(&r->note, audit_note(log), e) != 0 ||
        compare_tiles(r->mirror->db, p, log, &says, &r->against, e) != 0) {
        return -1;
    }
    return says == SAYS_FORK     ? is_fork(r, e)
           : says == SAYS_BEHIND ? is_behind(r, e)
                                 : take_in(r, log, e);
}

static int
nothing_new(struct run *r, struct err *e)
{
    r->outcome->result = MIRROR_NOTHING_NEW;
    r->outcome->to = r->theirs.size;
    return sync_end(r, NULL, e);
}

/* The tree that is here has the root that what is compared rests on: else the log would be blamed
 * for what somebody did to this file. */
static int
own_tree_check(struct run *r, const struct position *p, struct err *e)
{
    const struct checkpoint *accepted = &r->mirror->checkpoint;
    const struct merkle_hash edge = merkle_root(&p->edge);
    struct merkle_hash root;

    if (content_root(r->mirror->db, p->edge.size, &root, e) != 0) {
        return -1;
    }
    return merkle_equal(&root, &edge) &&
                   (p->edge.size != accepted->size || r->mirror->note.n == 0 ||
                    merkle_equal(&root, &accepted->root))
               ? 0
               : err_set(e, ERR_STALE, "%s was edited: its tree is another one",
                         mirror_path(r->mirror));
}

static int
try(struct run *r, struct err *e)
{
    CLEANUP(position_free) struct position p = {0};
    enum says says = SAYS_UNKNOWN;

    if (look(r, e) != 0 || sync_begin(r, e) != 0) {
        return -1;
    }
    if (position_load(r->mirror->db, &p, e) != 0 || own_tree_check(r, &p, e) != 0 ||
        compare_checkpoint(r->mirror->db, &p, &r->theirs, &says, &r->against, e) != 0) {
        return -1;
    }
    switch (says) {
    case SAYS_SAME:
        return nothing_new(r, e);
    case SAYS_BEHIND:
        return is_behind(r, e);
    case SAYS_FORK:
        return is_fork(r, e);
    case SAYS_UNKNOWN:
    case SAYS_MORE:
        break;
    }
    return open_and_take(r, &p, e);
}

/* Of the files: the mirror's own failures are ERR_STORE, ERR_BUSY and so on. */
static bool
may_mend(const struct run *r, const struct err *e)
{
    return r->outcome->result == MIRROR_BROKEN &&
           (e->code == ERR_NOTFOUND || e->code == ERR_INPUT || e->code == ERR_CRYPTO ||
            e->code == ERR_IO);
}

int
mirror_refused(struct mirror *m, const char *source, uint64_t size, bool is_fork,
               const char *reason, struct err *e)
{
    const int64_t now = clock_now();

    return sql_exec(
        m->db,
        "INSERT INTO sync(started, ended, source, from_size, to_size, result, reason) VALUES "
        "(?1,?1,?2,?3,?4,?5,?6)",
        SQL_VALUES(sql_int(now), sql_text(source), sql_int((int64_t)m->checkpoint.size),
                   sql_int((int64_t)size),
                   sql_text(mirror_result_name(is_fork ? MIRROR_FORK : MIRROR_ROLLED_BACK)),
                   sql_text(reason)),
        e);
}

void
mirror_expect(struct mirror *m, const struct checkpoint *asked)
{
    m->asked = *asked;
}

int
mirror_run(struct mirror *m, const char *dir, mirror_progress *progress, void *arg,
           struct mirror_outcome *outcome, struct err *e)
{
    CLEANUP(run_end)
    struct run r = {.mirror = m, .dir = dir, .outcome = outcome, .progress = progress, .arg = arg};
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int result;

    *outcome = (struct mirror_outcome){.result = MIRROR_FAILED};
    outcome->from = m->checkpoint.size;
    if (forked_before(&r, e) != 0) {
        return -1;
    }
    result = try(&r, e);
    for (int tried = 1; result != 0 && tried < TRIES && may_mend(&r, e); tried++) {
        (void)nanosleep(&pause, NULL);
        run_end(&r);
        result = try(&r, e);
    }
    if (result != 0 && outcome->result == MIRROR_BROKEN) {
        outcome->result = may_mend(&r, e) ? MIRROR_BROKEN : MIRROR_FAILED;
        (void)err_wrap(e, "%s: BROKEN", dir);
        return found(&r, outcome->result, e);
    }
    if (result == 0 && messages_import(m->db, dir, m->checkpoint.size, e) != 0) {
        outcome->result = MIRROR_FAILED;
        return -1;
    }
    return result;
}

/* ---- what it says of itself ---- */

int
mirror_newest(struct mirror *m, time_t *newest, struct err *e)
{
    int64_t at = 0;

    if (sql_number(m->db, "SELECT time FROM leaf WHERE idx = (SELECT accepted - 1 FROM position)",
                   SQL_NO_VALUES, 0, &at, e) != 0) {
        return -1;
    }
    *newest = at;
    return 0;
}

int
mirror_figure(struct mirror *m, const char *name, uint64_t *n, struct err *e)
{
    int64_t found_n = 0;

    if (sql_number(m->db, "SELECT n FROM figure WHERE name = ?", SQL_VALUES(sql_text(name)), 0,
                   &found_n, e) != 0) {
        return -1;
    }
    *n = (uint64_t)found_n;
    return 0;
}
