/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/accept.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/ossl.h"
#include "base/tlog/note.h"
#include "db/audit/mirror/position.h"
#include "db/store/store.h"

extern const struct store_migration mirror_indexes[];

enum { COSIGNED = 4 + 8 + 64 /* key id, time, Ed25519 */, ALGORITHM_TIME = 8 };

/* ---- checkpoints ---- */

int
accept_note(struct sql *db, const struct checkpoint *c, struct span note, const char *source,
            const char *state, struct err *e)
{
    if (sql_exec(
            db,
            "UPDATE checkpoint SET state = iif(state = 'accepted', state, ?) WHERE size = ? AND "
            "note = ?",
            SQL_VALUES(sql_text(state), sql_int((int64_t)c->size), sql_octets(note)), e) != 0) {
        return -1;
    }
    return sql_changes(db) > 0
               ? 0
               : sql_exec(db,
                          "INSERT INTO checkpoint(size, root, note, seen, source, state) VALUES "
                          "(?,?,?,?,?,?)",
                          SQL_VALUES(sql_int((int64_t)c->size),
                                     sql_octets(span_of(c->root.octets, MERKLE_HASH)),
                                     sql_octets(note), sql_int(clock_now()), sql_text(source),
                                     sql_text(state)),
                          e);
}

static sqlite3_int64
time_of(struct span octets)
{
    uint64_t at = 0;

    for (size_t i = 0; i < ALGORITHM_TIME; i++) {
        at = at << 8 | octets.p[NOTE_KEY_ID + i];
    }
    return at > INT64_MAX ? -1 : (sqlite3_int64)at;
}

static int
cosignature(struct sql *db, int64_t checkpoint, const struct note_line *line, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *name = mem_printf("%.*s", (int)line->name.n, line->name.p);
    CLEANUP(mem_cleanup) char *encoded = mem_printf("%.*s", (int)line->encoded.n, line->encoded.p);
    sqlite3_int64 at = -1;

    if (note_line_decode(line, &octets, e) != 0) {
        return 0; /* nobody believes it */
    }
    at = octets.n == COSIGNED ? time_of(buf_span(&octets)) : at;
    return sql_exec(
        db, "INSERT INTO cosignature(checkpoint, name, key_id, time, line) VALUES (?,?,?,?,?)",
        SQL_VALUES(sql_int(checkpoint), sql_text(name), sql_octets(span_of(octets.p, NOTE_KEY_ID)),
                   at < 0 ? sql_null() : sql_int(at), sql_text(encoded)),
        e);
}

static int
cosignatures(struct sql *db, const struct log_key *key, struct span octets, struct err *e)
{
    CLEANUP(mem_cleanup) struct note *note = mem_new(sizeof(*note));
    int64_t checkpoint = 0;

    if (note_parse(octets, note, e) != 0 ||
        sql_number(db, "SELECT max(id) FROM checkpoint WHERE state = 'accepted' AND note = ?",
                   SQL_VALUES(sql_octets(octets)), 0, &checkpoint, e) != 0 ||
        sql_exec(db, "DELETE FROM cosignature WHERE checkpoint = ?",
                 SQL_VALUES(sql_int(checkpoint)), e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < note->n; i++) {
        if (!span_equal(note->lines[i].name, span_str(key->origin)) &&
            cosignature(db, checkpoint, &note->lines[i], e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- what the rules counted ---- */

static int
figure(struct sql *db, const char *name, uint64_t n, struct err *e)
{
    return sql_exec(db, "INSERT OR REPLACE INTO figure(name, n) VALUES (?,?)",
                    SQL_VALUES(sql_text(name), sql_int((int64_t)n)), e);
}

static int
figures(struct sql *db, const struct audit_rules *rules, struct err *e)
{
    const struct audit_times *t = audit_rules_times(rules);

    return figure(db, "open", audit_rules_open(rules), e) != 0 ||
                   figure(db, "waiting", audit_rules_waiting(rules), e) != 0 ||
                   figure(db, "twice", audit_rules_twice(rules), e) != 0 ||
                   figure(db, "missing", audit_rules_missing(rules), e) != 0 ||
                   figure(db, "acknowledged", audit_rules_acknowledged(rules), e) != 0 ||
                   figure(db, "back", t->back, e) != 0 ||
                   figure(db, "most", (uint64_t)t->most, e) != 0 ||
                   figure(db, "taken", t->taken, e) != 0 ||
                   figure(db, "findings", t->findings, e) != 0
               ? -1
               : 0;
}

/* A later START may say that people took it so: then it is none. */
static int
clock_findings(struct sql *db, const struct audit_times *t, struct err *e)
{
    if (sql_exec(db, "DELETE FROM finding WHERE found_by = 'mirror' AND code = 'time'",
                 SQL_NO_VALUES, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < t->findings && i < AUDIT_TIMES_KEPT; i++) {
        char at[TIME_TEXT_SIZE];
        CLEANUP(mem_cleanup) char *text = NULL;

        time_format(t->found[i].at, at);
        text =
            mem_printf("is dated %s, long before the leaf before it: the clock was set back while "
                       "the authority ran, or it is not of its date",
                       at);
        if (sql_exec(db,
                     "INSERT INTO finding(found_by, code, severity, leaf, text) VALUES "
                     "('mirror', 'time', 'warning', ?, ?)",
                     SQL_VALUES(sql_int((int64_t)t->found[i].leaf), sql_text(text)), e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- what became of what was asked ---- */

#define CERTIFICATE_STATUS                                                                         \
    "UPDATE certificate SET status = CASE WHEN revoked IS NOT NULL THEN 'revoked' WHEN rejected "  \
    "IS NOT NULL THEN 'rejected' WHEN confirmed IS NOT NULL THEN 'confirmed' WHEN issued IS NOT "  \
    "NULL THEN 'issued' ELSE 'pending' END"
#define REQUEST_STATUS                                                                             \
    "UPDATE request SET status = iif(EXISTS (SELECT 1 FROM refusal f WHERE f.rid = request.rid), " \
    "'refused', coalesce((SELECT c.status FROM certificate c WHERE c.rid = request.rid ORDER BY "  \
    "c.leaf DESC LIMIT 1), 'waiting'))"
#define OF_CHANGED " WHERE rid IN (SELECT rid FROM changed)"

/* Of everything the first time: nothing noted yet what changed (effects.c). */
static int
statuses(struct sql *db, struct err *e)
{
    int64_t accepted = 0;

    if (sql_number(db, "SELECT accepted FROM position", SQL_NO_VALUES, 0, &accepted, e) != 0) {
        return -1;
    }
    if (accepted == 0) {
        return sql_script(db, mirror_indexes[0].sql, e) != 0 ||
                       sql_exec(db, CERTIFICATE_STATUS, SQL_NO_VALUES, e) != 0
                   ? -1
                   : sql_exec(db, REQUEST_STATUS, SQL_NO_VALUES, e);
    }
    return sql_exec(db, CERTIFICATE_STATUS OF_CHANGED, SQL_NO_VALUES, e) != 0 ||
                   sql_exec(db, REQUEST_STATUS OF_CHANGED, SQL_NO_VALUES, e) != 0
               ? -1
               : sql_exec(db, "DELETE FROM changed", SQL_NO_VALUES, e);
}

/* ---- all of it ---- */

int
accept_tree(struct sql *db, struct audit_log *log, const struct audit_rules *rules, int64_t sync,
            struct err *e)
{
    const struct checkpoint *c = audit_checkpoint(log);

    if (sql_exec(db,
                 "UPDATE checkpoint SET state = 'accepted' WHERE state = 'importing' AND size <= ?",
                 SQL_VALUES(sql_int((int64_t)c->size)), e) != 0 ||
        accept_note(db, c, audit_note(log), audit_dir(log), "accepted", e) != 0 ||
        cosignatures(db, audit_key(log), audit_note(log), e) != 0 || figures(db, rules, e) != 0 ||
        clock_findings(db, audit_rules_times(rules), e) != 0 || statuses(db, e) != 0 ||
        position_accept(db, e) != 0) {
        return -1;
    }
    return sync == 0
               ? 0
               : sql_exec(
                     db,
                     "UPDATE sync SET ended = ?, to_size = ?, result = 'accepted' WHERE "
                     "id = ?",
                     SQL_VALUES(sql_int(clock_now()), sql_int((int64_t)c->size), sql_int(sync)), e);
}

int
accept_indexes(struct sql *db, struct err *e)
{
    for (const struct store_migration *m = mirror_indexes; m->sql != NULL; m++) {
        if (sql_script(db, m->sql, e) != 0) {
            return -1;
        }
    }
    return 0;
}
