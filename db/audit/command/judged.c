/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/judged.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/json.h"
#include "db/audit/mirror/found.h"
#include "db/audit/out/escape.h"

enum { COLUMNS = 6, IDS_MAX = LINTS_MAX * 32, THREADS_MAX = 16 };

/* ---- what is judged by ---- */

struct lint_table *
judged_table(struct err *e)
{
    CLEANUP(lint_table_cleanup) struct lint_table *table = lint_table_new(e);

    for (size_t i = 0; table != NULL && i < asked.n_profiles; i++) {
        if (lint_table_add(table, asked.profiles[i], e) != 0) {
            return NULL;
        }
    }
    return TAKE(table);
}

static size_t
threads(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

struct lint_judge *
judged_by(const struct lint_table *table, struct findings *findings, struct err *e)
{
    CLEANUP(lint_judge_cleanup) struct lint_judge *judge = lint_judge_new(table, findings);

    for (size_t i = 0; i < asked.n_issuers; i++) {
        CLEANUP(x509_cleanup) X509 *certificate = certificate_load(asked.issuers[i], e);

        if (certificate == NULL || lint_judge_issuer(judge, certificate, e) != 0) {
            return NULL;
        }
    }
    return lint_judge_threads(judge, threads(), e) == 0 ? TAKE(judge) : NULL;
}

/* ---- a row for each certificate ---- */

/* ["lint.ku.value","lint.eku.value"] */
static void
ids_of(uint64_t mask, char out[IDS_MAX])
{
    size_t n = 0;

    out[n++] = '[';
    for (size_t i = 0; lint_at(i) != NULL; i++) {
        if ((mask >> i & 1) != 0) {
            n += (size_t)snprintf(out + n, IDS_MAX - n, "%s\"%s\"", n == 1 ? "" : ",",
                                  lint_at(i)->kind.id);
        }
    }
    (void)snprintf(out + n, IDS_MAX - n, "]");
}

static int
certificates_write(FILE *out, enum sink_format format, const struct lint_judge *judge,
                   struct err *e)
{
    static const char *const columns[COLUMNS] = {"serial", "profile", "passed",
                                                 "failed", "notRun",  "leaf"};
    CLEANUP(sink_cleanup) struct sink *sink = sink_new(format, out, columns, COLUMNS, e);

    for (size_t i = 0; sink != NULL && i < lint_judge_count(judge); i++) {
        const struct lint_verdict *v = lint_judge_at(judge, i);
        char passed[IDS_MAX];
        char failed[IDS_MAX];
        char not_run[IDS_MAX];

        ids_of(v->passed, passed);
        ids_of(v->failed, failed);
        ids_of(v->not_run, not_run);
        sink_row(sink, (const struct cell[COLUMNS]){
                           {.kind = CELL_HEX, .text = span_str(v->serial)},
                           {.kind = CELL_TEXT, .text = span_str(v->profile)},
                           {.kind = CELL_VALUE, .text = span_str(passed)},
                           {.kind = CELL_VALUE, .text = span_str(failed)},
                           {.kind = CELL_VALUE, .text = span_str(not_run)},
                           {.kind = CELL_INT, .number = (int64_t)v->leaf},
                       });
    }
    if (sink == NULL) {
        return -1;
    }
    sink_end(sink);
    return 0;
}

/* ---- at the end ---- */

struct sums {
    size_t certificates;
    size_t with_findings; /* a question was answered as it must not be, */
    size_t in_part;       /* or could not be asked */
};

static struct sums
sum_up(const struct lint_judge *judge)
{
    struct sums s = {.certificates = lint_judge_count(judge)};

    for (size_t i = 0; i < s.certificates; i++) {
        s.with_findings += lint_judge_at(judge, i)->failed != 0;
        s.in_part += lint_judge_at(judge, i)->not_run != 0;
    }
    return s;
}

static void
sums_print(FILE *out, const struct judged *on, const struct lint_judge *judge,
           const struct findings *findings)
{
    const struct sums s = sum_up(judge);
    const struct basis basis = judged_basis(on);

    (void)fprintf(out, "judged: %zu certificates, %zu with findings, %zu in part alone\n",
                  s.certificates, s.with_findings, s.in_part);
    print_basis(out, &basis);
    if (on->from > 0) {
        (void)fprintf(out,
                      "  %-12s leaf %" PRIu64 " alone: what was found before it is not said again",
                      "since", on->from);
        if (on->mirror != NULL) {
            (void)fprintf(out, "; %" PRIu64 " errors are in the mirror", on->kept);
        }
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "  %-12s %zu errors, %zu warnings, %zu notices\n", "findings",
                  findings_of(findings, SEVERITY_ERROR), findings_of(findings, SEVERITY_WARNING),
                  findings_of(findings, SEVERITY_NOTICE));
    for (size_t i = 0; lint_judge_lack(judge, i) != NULL; i++) {
        const struct lint_lack *lack = lint_judge_lack(judge, i);

        (void)fprintf(out, "  %-12s %zu questions: ", "not asked", lack->n);
        escape_write_str(out, ESCAPE_TERMINAL, lack->text);
        (void)fputc('\n', out);
    }
}

/* One object behind those of the rows. */
static int
sums_json(FILE *out, const struct judged *on, const struct lint_judge *judge,
          const struct findings *findings, struct err *e)
{
    const struct sums s = sum_up(judge);
    const struct basis basis = judged_basis(on);
    json_t *lacks = json_array();
    json_t *all;
    int result;

    for (size_t i = 0; lint_judge_lack(judge, i) != NULL; i++) {
        const struct lint_lack *lack = lint_judge_lack(judge, i);

        (void)json_array_append_new(
            lacks, json_pack("{s:s, s:I}", "reason", lack->text, "questions", (json_int_t)lack->n));
    }
    all = json_pack("{s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}}", "checkpoint",
                    json_basis(basis.checkpoint, basis.key, basis.given), "summary", "certificates",
                    (json_int_t)s.certificates, "withFindings", (json_int_t)s.with_findings,
                    "inPart", (json_int_t)s.in_part, "errors",
                    (json_int_t)findings_of(findings, SEVERITY_ERROR), "warnings",
                    (json_int_t)findings_of(findings, SEVERITY_WARNING), "notices",
                    (json_int_t)findings_of(findings, SEVERITY_NOTICE), "from",
                    (json_int_t)on->from, "errorsBefore", (json_int_t)on->kept, "notAsked", lacks);
    result = json_say(out, all, e);
    json_decref(all);
    return result;
}

int
judged_write(FILE *out, enum sink_format format, const struct judged *on,
             const struct lint_judge *judge, struct findings *findings, struct err *e)
{
    if ((asked.certificates ? certificates_write(out, format, judge, e)
                            : findings_write(findings, format, out, e)) != 0) {
        return -1;
    }
    if (format == SINK_JSONL) {
        return sums_json(out, on, judge, findings, e);
    }
    sums_print(format == SINK_TABLE ? out : stderr, on, judge, findings);
    return 0;
}

int
judged_status(const struct judged *on, const struct findings *findings, int status)
{
    return status == EXIT_VERIFIED && (findings_count(findings) > 0 || on->kept > 0) ? EXIT_FINDINGS
                                                                                     : status;
}

/* ---- what is judged ---- */

void
judged_close(struct judged *on)
{
    audit_close(on->log);
    mirror_close(on->mirror);
    mem_free(on->by);
}

int
judged_open(struct judged *on)
{
    return asked.mirror != NULL && (asked.given & ASK_LEDGER) == 0 ? ask_mirror(&on->mirror)
                                                                   : ask_ledger(&on->log);
}

struct basis
judged_basis(const struct judged *on)
{
    return on->mirror != NULL ? answer_basis(on->mirror)
                              : (struct basis){audit_checkpoint(on->log), audit_key(on->log),
                                               audit_key_is_given(on->log), -1};
}

/* The state is a note, in which lines of keys that nobody has are no harm (base/tlog/note.h): one
 * says by what was judged, so that nothing passes for judged that was not, or by less. */
static int
by_line(struct judged *on, const struct lint_judge *judge, bool by_check, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = NULL;
    uint8_t hash[SHA256_SIZE];

    if (lint_judge_hash(judge, hash, e) != 0) {
        return -1;
    }
    text = base64_dup(span_of(hash, sizeof(hash)));
    on->by = mem_printf("\xe2\x80\x94 nfpki-audit/%s %s\n", by_check ? "check" : "lint", text);
    return 0;
}

static int
is_by_the_same(const struct judged *on, bool *same, struct err *e)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);

    if (file_read(asked.state, &note, e) != 0) {
        return -1;
    }
    *same = memmem(note.p, note.n, on->by, strlen(on->by)) != NULL;
    return 0;
}

int
judged_since(struct judged *on, const struct lint_judge *judge, bool by_check, struct err *e)
{
    bool known = false;
    bool same = false;

    if (asked.state == NULL) {
        return 0;
    }
    if (by_line(on, judge, by_check, e) != 0 ||
        audit_state_load(asked.state, judged_basis(on).key, &known, &on->earlier, e) != 0) {
        return -1;
    }
    if (!known) {
        return 0;
    }
    if (is_by_the_same(on, &same, e) != 0) {
        return -1;
    }
    if (same) {
        on->from = on->earlier.size;
    } else {
        (void)fprintf(stderr,
                      "nfpki-audit: all is judged again: %s is of another command or version, or "
                      "of other files of --issuer or --profiles\n",
                      asked.state);
    }
    return on->log != NULL ? audit_consistency(on->log, &on->earlier, e)
                           : mirror_kept_errors(on->mirror, by_check, on->from, &on->kept, e);
}

struct telling {
    const struct judged *on;
    audit_each *each;
    void *arg;
};

static int
leaf_told(void *arg, uint64_t index, struct span body, struct err *e)
{
    const struct telling *t = arg;

    return t->each(t->arg, index, mirror_path(t->on->mirror), body, e);
}

static int
mirror_walk(void *from, audit_each *each, void *arg, struct err *e)
{
    const struct judged *on = from;
    struct telling t = {on, each, arg};

    return mirror_each(on->mirror, on->earlier.size == 0 ? NULL : &on->earlier, leaf_told, &t, e);
}

int
judged_verify(struct judged *on, struct audit_issuers *issuers, audit_leaf *each, void *arg,
              struct audit_figures *figures, struct err *e)
{
    const struct audit_source source = {.walk = mirror_walk, .from = on};

    return on->mirror != NULL ? audit_verify_source(&source, issuers, each, arg, figures, e)
                              : audit_verify(on->log, issuers, each, arg, figures, e);
}

int
judged_signed(struct lint_judge *judge, struct err *e)
{
    const struct lint_verdict *forged;

    lint_judge_end(judge);
    forged = lint_judge_forged(judge);
    return forged == NULL
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "leaf %" PRIu64
                         ": serial %s was issued, and the issuing certificate did not sign it",
                         forged->leaf, forged->serial);
}

/* A mirror that cannot be written was judged as well as another one. */
static void
mirror_note_findings(const struct judged *on, bool by_check, const struct findings *findings)
{
    struct err e;

    if (mirror_keep(on->mirror, by_check, on->from, findings, &e) != 0) {
        (void)fprintf(stderr, "nfpki-audit: warning: the findings are not in the mirror: %s\n",
                      e.text);
    }
}

int
judged_remember(const struct judged *on, bool by_check, const struct findings *findings,
                struct err *e)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);

    if (on->mirror != NULL) {
        mirror_note_findings(on, by_check, findings);
    }
    if (asked.state == NULL) {
        return 0;
    }
    return buf_append(&note, on->mirror != NULL ? mirror_note(on->mirror) : audit_note(on->log),
                      e) != 0 ||
                   buf_append(&note, span_str(on->by), e) != 0
               ? -1
               : audit_state_save(asked.state, buf_span(&note), e);
}
