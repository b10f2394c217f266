/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/effects.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/ra_report.h"
#include "db/audit/der/names.h"
#include "db/audit/mirror/columns.h"
#include "db/audit/mirror/registered.h"
#include "db/audit/mirror/tally.h"

enum { NO_REASON = -1, PROFILE_MAX = 64 };

/* Of the leaf that is added: its certificate, and what it is counted under. */
struct now {
    uint64_t index;
    const struct leaf *leaf;
    uint8_t *scratch;
    int64_t certificate; /* leaf of its INTENT; -1: none */
    char profile[PROFILE_MAX];
    int64_t reason;
};

struct effects {
    struct sql *db;
    struct tally *tally;
    bool follows;      /* something was accepted before: what changes of it is noted (changed) */
    bool any;          /* there was a leaf before, */
    time_t last;       /* with this time */
    bool up;           /* a START came, and no STOP behind it */
    bool known;        /* a START or STOP came at all */
    time_t stopped;    /* time of the last STOP */
    time_t next_crl;   /* nextUpdate of the last CRL; 0: there was none */
    struct buf issuer; /* of the last START */
};

/* ---- what is remembered between two runs is read back from the rows ---- */

static int
last_of(struct sql *db, const char *text, int64_t *a, int64_t *b, struct buf *octets, bool *row,
        struct err *e)
{
    CLEANUP(sql_end_cleanup) sqlite3_stmt *s = sql_query(db, text, SQL_NO_VALUES, row, e);

    if (s == NULL) {
        return -1;
    }
    if (*row) {
        *a = sqlite3_column_int64(s, 0);
        *b = sqlite3_column_int64(s, 1);
        return octets == NULL ? 0 : buf_set(octets, sql_column(s, 2), e);
    }
    return 0;
}

static int
load(struct effects *f, struct err *e)
{
    int64_t a = 0;
    int64_t b = 0;
    bool row = false;

    if (sql_number(f->db, "SELECT accepted FROM position", SQL_NO_VALUES, 0, &a, e) != 0) {
        return -1;
    }
    f->follows = a > 0;
    if (last_of(f->db, "SELECT time, kind FROM leaf ORDER BY idx DESC LIMIT 1", &a, &b, NULL,
                &f->any, e) != 0) {
        return -1;
    }
    f->last = a;
    if (last_of(f->db,
                "SELECT o.time, k.name = 'START' FROM operation o JOIN kind k ON k.id = o.kind "
                "WHERE k.name IN ('START', 'STOP') ORDER BY o.leaf DESC LIMIT 1",
                &a, &b, NULL, &f->known, e) != 0) {
        return -1;
    }
    f->up = f->known && b != 0;
    f->stopped = a;
    if (last_of(f->db,
                "SELECT 0, 0, issuer FROM operation WHERE issuer IS NOT NULL ORDER BY leaf DESC "
                "LIMIT 1",
                &a, &b, &f->issuer, &row, e) != 0) {
        return -1;
    }
    b = 0;
    if (last_of(f->db, "SELECT leaf, next_update FROM crl ORDER BY leaf DESC LIMIT 1", &a, &b, NULL,
                &row, e) != 0) {
        return -1;
    }
    f->next_crl = b;
    return 0;
}

void
effects_free(struct effects *f)
{
    if (f != NULL) {
        buf_free(&f->issuer);
        tally_free(f->tally);
        mem_free(f);
    }
}
DEFINE_CLEANUP(effects_cleanup, struct effects, effects_free)

struct effects *
effects_new(struct sql *db, struct err *e)
{
    CLEANUP(effects_cleanup) struct effects *f = mem_new(sizeof(*f));

    f->db = db;
    f->tally = tally_new(db);
    f->issuer = BUF_INIT(LEAF_MAX);
    return load(f, e) == 0 ? TAKE(f) : NULL;
}

/* ---- findings and gaps ---- */

static int
find(struct effects *f, const struct now *n, const char *code, const char *severity,
     const char *text, struct err *e)
{
    return sql_exec(f->db,
                    "INSERT OR IGNORE INTO finding(found_by, code, severity, leaf, certificate, "
                    "text) VALUES ('mirror',?,?,?,?,?)",
                    SQL_VALUES(sql_text(code), sql_text(severity), sql_int((int64_t)n->index),
                               n->certificate < 0 ? sql_null() : sql_int(n->certificate),
                               sql_text(text)),
                    e);
}

static int
gap(struct effects *f, const struct now *n, const char *kind, time_t since, time_t until,
    struct err *e)
{
    return sql_exec(
        f->db, "INSERT OR IGNORE INTO gap(leaf, kind, since, until) VALUES (?,?,?,?)",
        SQL_VALUES(sql_int((int64_t)n->index), sql_text(kind), sql_int(since), sql_int(until)), e);
}

/* ---- certificates ---- */

/* What becomes of this request and its certificate is another thing than what was accepted. */
static int
changed(struct effects *f, struct span rid, struct err *e)
{
    return !f->follows ? 0
                       : sql_exec(f->db, "INSERT OR IGNORE INTO changed(rid) VALUES (?)",
                                  SQL_VALUES(sql_octets(rid)), e);
}

/* The newest certificate of the leaf's serial, which this statement may have changed: it gives its
 * leaf, its profile and its rid. */
static int
certificate_note(struct effects *f, struct now *n, const char *text, const struct sql_value *values,
                 size_t count, struct err *e)
{
    bool row;
    CLEANUP(sql_end_cleanup) sqlite3_stmt *s = sql_query(f->db, text, values, count, &row, e);

    if (s == NULL) {
        return -1;
    }
    if (row) {
        struct span profile = sql_column(s, 1);
        size_t length = profile.n < PROFILE_MAX ? profile.n : PROFILE_MAX - 1;

        n->certificate = sqlite3_column_int64(s, 0);
        memcpy(n->profile, profile.p, length);
        n->profile[length] = '\0';
        return changed(f, sql_column(s, 2), e) != 0 ? -1 : sql_next(f->db, s, &row, e);
    }
    return 0;
}

static int
requested(struct effects *f, struct now *n, struct err *e)
{
    return changed(f, columns_octets(n->leaf, "rid", &n->scratch).bytes, e);
}

static int
intent(struct effects *f, struct now *n, struct err *e)
{
    n->certificate = (int64_t)n->index;
    if (requested(f, n, e) != 0) {
        return -1;
    }
    return f->issuer.n == 0
               ? 0
               : sql_exec(f->db, "UPDATE certificate SET issuer = ? WHERE leaf = ?",
                          SQL_VALUES(sql_octets(buf_span(&f->issuer)), sql_int(n->certificate)), e);
}

struct naming {
    struct effects *f;
    int64_t certificate;
};

static int
name_add(void *arg, const char *type, const char *value, struct err *e)
{
    const struct naming *naming = arg;

    return sql_exec(naming->f->db,
                    "INSERT OR IGNORE INTO name(certificate, type, value) VALUES (?,?,?)",
                    SQL_VALUES(sql_int(naming->certificate), sql_text(type), sql_text(value)), e);
}

static int
issued(struct effects *f, struct now *n, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(mem_cleanup) char *subject = NULL;
    struct sql_value serial = columns_octets(n->leaf, "serial", &n->scratch);
    struct audit_outline outline;
    struct naming naming;
    uint8_t hash[SHA256_SIZE];
    uint8_t spki[SHA256_SIZE];
    bool whole = true;

    if (audit_outline_octets(n->leaf, &der, e) != 0 ||
        audit_outline_read(buf_span(&der), &outline, e) != 0 ||
        sha256(buf_span(&der), hash, e) != 0 || sha256(outline.spki, spki, e) != 0) {
        return -1;
    }
    subject = audit_names_subject(&outline);
    if (certificate_note(
            f, n,
            "UPDATE certificate SET issued = ?2, issued_at = ?3, sha256 = ?4, spki_sha256 = ?5, "
            "subject = ?6 WHERE leaf = (SELECT max(leaf) FROM certificate WHERE serial = ?1) "
            "RETURNING leaf, profile, rid",
            SQL_VALUES(serial, sql_int((int64_t)n->index), sql_int(leaf_time(n->leaf)),
                       sql_octets(span_of(hash, sizeof(hash))),
                       sql_octets(span_of(spki, sizeof(spki))), sql_text(subject)),
            e) != 0) {
        return -1;
    }
    if (sql_exec(f->db,
                 "UPDATE registration SET first_use = ?2 WHERE first_use IS NULL AND registration "
                 "= (SELECT registration FROM certificate WHERE leaf = ?1)",
                 SQL_VALUES(sql_int(n->certificate), sql_int((int64_t)n->index)), e) != 0) {
        return -1;
    }
    naming = (struct naming){.f = f, .certificate = n->certificate};
    if (audit_names_read(&outline, name_add, &naming, &whole, e) != 0) {
        return -1;
    }
    return whole ? 0
                 : find(f, n, "names", "warning",
                        "the certificate has names that RFC 5280 does not have", e);
}

static int
confirmed(struct effects *f, struct now *n, struct err *e)
{
    return certificate_note(
        f, n,
        "UPDATE certificate SET confirmed = coalesce(confirmed, ?2), confirmed_at = "
        "coalesce(confirmed_at, ?3) WHERE leaf = (SELECT max(leaf) FROM certificate WHERE serial = "
        "?1) RETURNING leaf, profile, rid",
        SQL_VALUES(columns_octets(n->leaf, "serial", &n->scratch), sql_int((int64_t)n->index),
                   sql_int(leaf_time(n->leaf))),
        e);
}

static int
rejected(struct effects *f, struct now *n, struct err *e)
{
    return certificate_note(
        f, n,
        "UPDATE certificate SET rejected_reason = iif(rejected IS NULL, ?3, rejected_reason), "
        "rejected = coalesce(rejected, ?2) WHERE leaf = (SELECT max(leaf) FROM certificate WHERE "
        "serial = ?1) RETURNING leaf, profile, rid",
        SQL_VALUES(columns_octets(n->leaf, "serial", &n->scratch), sql_int((int64_t)n->index),
                   sql_text(leaf_text(n->leaf, "reason"))),
        e);
}

static int
revoked(struct effects *f, struct now *n, struct err *e)
{
    if (certificate_note(
            f, n,
            "UPDATE certificate SET revoked = coalesce(revoked, ?2), revoked_at = "
            "coalesce(revoked_at, ?3) WHERE leaf = (SELECT max(leaf) FROM certificate WHERE serial "
            "= ?1) RETURNING leaf, profile, rid",
            SQL_VALUES(columns_octets(n->leaf, "serial", &n->scratch), sql_int((int64_t)n->index),
                       sql_int(leaf_time(n->leaf))),
            e) != 0) {
        return -1;
    }
    n->reason = leaf_int(n->leaf, "reason", NO_REASON);
    return n->certificate < 0
               ? 0
               : sql_exec(f->db,
                          "UPDATE revocation SET certificate = ?, profile = ? WHERE leaf = ?",
                          SQL_VALUES(sql_int(n->certificate), sql_text(n->profile),
                                     sql_int((int64_t)n->index)),
                          e);
}

/* ---- others ---- */

static int
registered(struct effects *f, struct now *n, struct err *e)
{
    return registered_add(f->db, n->index, n->leaf, e);
}

static int
cancelled(struct effects *f, struct now *n, struct err *e)
{
    return sql_exec(f->db,
                    "UPDATE registration SET cancelled = coalesce(cancelled, ?2) WHERE leaf = "
                    "(SELECT max(leaf) FROM registration WHERE registration = ?1)",
                    SQL_VALUES(columns_octets(n->leaf, "registration", &n->scratch),
                               sql_int((int64_t)n->index)),
                    e);
}

static int
refused(struct effects *f, struct now *n, struct err *e)
{
    n->reason = leaf_int(n->leaf, "failInfo", NO_REASON);
    return requested(f, n, e);
}

static int
decided(struct effects *f, struct now *n, struct err *e)
{
    return sql_exec(f->db, "INSERT OR IGNORE INTO decider(officer, subject) VALUES (?,?)",
                    SQL_VALUES(columns_octets(n->leaf, "officer", &n->scratch),
                               sql_text(leaf_text(n->leaf, "subject"))),
                    e);
}

static int
started(struct effects *f, struct now *n, struct err *e)
{
    struct sql_value issuer = columns_octets(n->leaf, "issuer", &n->scratch);
    const time_t at = leaf_time(n->leaf);
    const bool crash = f->up;
    const bool was = f->known;

    f->up = true;
    f->known = true;
    if (buf_set(&f->issuer, issuer.bytes, e) != 0) {
        return -1;
    }
    return !was ? 0 : gap(f, n, crash ? "crash" : "stop", crash ? f->last : f->stopped, at, e);
}

static int
stopped(struct effects *f, struct now *n, struct err *e)
{
    (void)e;
    f->up = false;
    f->known = true;
    f->stopped = leaf_time(n->leaf);
    return 0;
}

static int
crl(struct effects *f, struct now *n, struct err *e)
{
    const time_t before = f->next_crl;
    struct sql_value next = columns_time(n->leaf, "nextUpdate");

    f->next_crl = next.number;
    if (sql_exec(f->db,
                 "UPDATE crl SET up_to = (SELECT up_to FROM crl_intent i WHERE i.number = "
                 "crl.number AND i.tbs = crl.tbs ORDER BY i.leaf DESC LIMIT 1) WHERE leaf = ?",
                 SQL_VALUES(sql_int((int64_t)n->index)), e) != 0) {
        return -1;
    }
    return before == 0 || before >= leaf_time(n->leaf)
               ? 0
               : gap(f, n, "crl", before, leaf_time(n->leaf), e);
}

static int
clock_set(struct effects *f, struct now *n, struct err *e)
{
    const time_t expected = (time_t)columns_time(n->leaf, "expected").number;
    const time_t at = leaf_time(n->leaf);

    return gap(f, n, "clock", expected < at ? expected : at, expected < at ? at : expected, e);
}

/* ---- what an RA says of itself ---- */

/* A word that is hex, or none: "unknown". */
static struct sql_value
hex_word(struct now *n, struct span word)
{
    CLEANUP(mem_cleanup) char *text = mem_printf("%.*s", (int)word.n, (const char *)word.p);
    uint8_t *at = n->scratch;
    struct err e;

    if (word.n == 0 || hex_parse(text, at, word.n / 2, &e) != 0) {
        return sql_null();
    }
    n->scratch = at + word.n / 2;
    return sql_octets(span_of(at, word.n / 2));
}

static struct sql_value
text_or_null(struct span text)
{
    return text.n == 0 ? sql_null() : sql_text_n(text);
}

static int
line_add(struct effects *f, struct now *n, int64_t number, const struct ra_report *report,
         const struct ra_report_line *l, struct err *e)
{
    const bool start = l->what == RA_REPORT_START;
    const bool did = l->what == RA_REPORT_DID;
    const bool counts = l->what == RA_REPORT_REFUSED || l->what == RA_REPORT_OTHERS;
    const time_t at = counts ? report->to : l->at;

    if (tally_time(f->tally, n->index, at, e) != 0) {
        return -1;
    }
    return sql_exec(f->db,
                    "INSERT INTO reported(leaf, line, what, time, n, fail_info, registration, "
                    "version, config, profiles, command, outcome, object, text) VALUES "
                    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                    SQL_VALUES(sql_int((int64_t)n->index), sql_int(number),
                               sql_text(ra_report_what_name(l->what)), sql_int(at),
                               counts ? sql_int((int64_t)l->count) : sql_null(),
                               counts ? sql_int(l->fail_info) : sql_null(),
                               counts ? hex_word(n, l->word[0]) : sql_null(),
                               start ? text_or_null(l->word[0]) : sql_null(),
                               start ? hex_word(n, l->word[1]) : sql_null(),
                               start ? hex_word(n, l->word[2]) : sql_null(),
                               did ? text_or_null(l->word[0]) : sql_null(),
                               did ? text_or_null(l->word[1]) : sql_null(),
                               did ? text_or_null(l->word[2]) : sql_null(), text_or_null(l->text)),
                    e);
}

static int
reported(struct effects *f, struct now *n, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    uint8_t *const scratch = n->scratch;
    struct ra_report report;
    struct ra_report_line line;
    struct span lines;
    int64_t number = 0;

    if (base64_parse(leaf_text(n->leaf, "text"), &text, e) != 0 ||
        ra_report_parse(buf_span(&text), &report, &lines, e) != 0 ||
        sql_exec(f->db, "UPDATE report SET number = ?2, since = ?3, until = ?4 WHERE leaf = ?1",
                 SQL_VALUES(sql_int((int64_t)n->index), sql_int((int64_t)report.number),
                            sql_int(report.from), sql_int(report.to)),
                 e) != 0) {
        return -1;
    }
    while (ra_report_next(&lines, &line)) {
        n->scratch = scratch;
        if (line_add(f, n, number++, &report, &line, e) != 0) {
            return -1;
        }
    }
    return 0;
}

typedef int effect(struct effects *, struct now *, struct err *);

/* The other kinds change nothing but days. */
static effect *const EFFECTS[LEAF_KINDS] = {
    [LEAF_START] = started,           [LEAF_STOP] = stopped,
    [LEAF_CANCEL] = cancelled,        [LEAF_REFUSAL] = refused,
    [LEAF_INTENT] = intent,           [LEAF_ISSUED] = issued,
    [LEAF_CONFIRMED] = confirmed,     [LEAF_REJECTED] = rejected,
    [LEAF_REVOKED] = revoked,         [LEAF_CRL] = crl,
    [LEAF_RA_REPORT] = reported,      [LEAF_CLOCK] = clock_set,
    [LEAF_REGISTRATION] = registered, [LEAF_REQUEST] = requested,
    [LEAF_APPROVAL] = decided,
};

int
effects_add(struct effects *f, uint64_t index, const struct leaf *leaf, uint8_t *scratch,
            struct err *e)
{
    effect *has = EFFECTS[leaf_kind(leaf)];
    const char *profile = leaf_text(leaf, "profile");
    struct now n = {
        .index = index, .leaf = leaf, .scratch = scratch, .certificate = -1, .reason = NO_REASON};

    if (profile != NULL) {
        (void)snprintf(n.profile, sizeof(n.profile), "%s", profile);
    }
    if (has != NULL && has(f, &n, e) != 0) {
        return -1;
    }
    if (f->any && f->last - leaf_time(leaf) > LEAF_BACK_MAX &&
        gap(f, &n, "clock", leaf_time(leaf), f->last, e) != 0) {
        return -1;
    }
    f->any = true;
    f->last = leaf_time(leaf);
    return tally_time(f->tally, index, leaf_time(leaf), e) != 0
               ? -1
               : tally_day(f->tally, leaf_time(leaf), leaf_kind(leaf), n.profile, n.reason, e);
}

int
effects_flush(struct effects *f, struct err *e)
{
    return tally_flush(f->tally, e);
}
