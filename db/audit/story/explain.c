/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/explain.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/query/cells.h"
#include "db/audit/story/asked.h"
#include "db/audit/story/signatures.h"
#include "db/audit/story/tell.h"

struct explaining {
    const struct explanation *x;
    struct signatures *signatures;
    explain_told *told; /* NULL: for people */
    void *arg;
    FILE *out;
    time_t not_after;
    bool has_mac, lacks_message, has_vendor, has_unsigned, has_unverified, has_revocation,
        lacks_revoker, has_crl;
};

/* ---- one leaf ---- */

static void
write_part(struct explaining *w, const struct story_leaf *leaf, const char *text,
           enum signature signature)
{
    const struct cell row[] = {
        {.kind = CELL_TIME, .number = leaf_time(leaf->leaf)},
        {.kind = CELL_TEXT, .text = span_str(leaf_kind_name(leaf_kind(leaf->leaf)))},
        {.kind = CELL_TEXT, .text = span_str(text)},
        {.kind = CELL_TEXT, .text = span_str(signature_name(signature))},
        {.kind = CELL_INT, .number = (int64_t)leaf->index},
    };
    char at[TIME_TEXT_SIZE];

    if (w->told != NULL) {
        w->told(w->arg, row, ARRAY_LEN(row));
        return;
    }
    time_format(leaf_time(leaf->leaf), at);
    (void)fprintf(w->out, "%s  leaf %" PRIu64 "\n    ", at, leaf->index);
    print_text(w->out, text);
    (void)fprintf(w->out, "\n    proof: %zu hashes to the root", leaf->proof.n);
    if (signature != SIGNATURE_NONE) {
        (void)fprintf(w->out, "; signature: %s", signature_name(signature));
    }
    (void)fputc('\n', w->out);
}

/* asking.told: of the message that this leaf names. */
static void
write_message(void *arg, const struct story_leaf *leaf, const char *text,
              enum asked_verdict verdict)
{
    struct explaining *w = arg;
    const struct cell row[] = {
        {.kind = CELL_TIME, .number = leaf_time(leaf->leaf)},
        {.kind = CELL_TEXT, .text = span_str("message")},
        {.kind = CELL_TEXT, .text = span_str(text)},
        {.kind = CELL_TEXT, .text = span_str(asked_verdict_name(verdict))},
        {.kind = CELL_INT, .number = (int64_t)leaf->index},
    };

    w->has_mac = w->has_mac || verdict == ASKED_WORD;
    w->has_vendor = w->has_vendor || verdict == ASKED_UNASKED;
    w->lacks_message = w->lacks_message || verdict == ASKED_NOT_THERE;
    if (w->told != NULL) {
        w->told(w->arg, row, ARRAY_LEN(row));
        return;
    }
    (void)fputs("    ", w->out);
    print_text(w->out, text);
    (void)fprintf(w->out, ": %s\n", asked_verdict_name(verdict));
}

/* What the record cannot show of it. */
static void
note_gaps(struct explaining *w, const struct story_leaf *leaf, enum signature signature)
{
    const enum leaf_kind kind = leaf_kind(leaf->leaf);

    if (kind == LEAF_REQUEST) {
        w->has_mac = w->has_mac || strcmp(leaf_text(leaf->leaf, "assurance"), "mac") == 0;
    }
    if (kind == LEAF_INTENT) {
        (void)time_parse(leaf_text(leaf->leaf, "notAfter"), &w->not_after, &(struct err){0});
    }
    w->has_unsigned = w->has_unsigned || signature == SIGNATURE_ABSENT;
    w->has_unverified = w->has_unverified || signature == SIGNATURE_UNASKED;
    w->has_revocation = w->has_revocation || kind == LEAF_REVOKED;
    w->lacks_revoker =
        w->lacks_revoker || (kind == LEAF_REVOKED && leaf_text(leaf->leaf, "rr") == NULL);
    w->has_crl = w->has_crl || kind == LEAF_CRL;
}

static int
part(struct explaining *w, const struct story_leaf *leaf, struct err *e)
{
    const struct asking asking = {.mirror = w->x->mirror,
                                  .story = w->x->story,
                                  .vendors = w->x->vendors,
                                  .told = write_message,
                                  .arg = w};
    enum signature signature;
    CLEANUP(mem_cleanup) char *text = tell_leaf(w->x->mirror, leaf->leaf, e);

    if (text == NULL || signatures_check(w->signatures, leaf, &signature, e) != 0) {
        return err_wrap(e, "leaf %" PRIu64, leaf->index);
    }
    note_gaps(w, leaf, signature);
    write_part(w, leaf, text, signature);
    return asked_check(&asking, leaf, e) == 0 ? 0 : err_wrap(e, "leaf %" PRIu64, leaf->index);
}

/* The first CRL that looked at a revocation. */
static int
part_crl(struct explaining *w, const struct story_leaf *revoked, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    CLEANUP(story_leaf_free) struct story_leaf crl = {0};

    if (statement_prepare(mirror_sqlite(w->x->mirror),
                          "SELECT c.leaf FROM revocations v JOIN crls c ON c.number = v.on_crl "
                          "WHERE v.leaf = ? ORDER BY c.leaf LIMIT 1",
                          &statement, e) != 0) {
        return -1;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)revoked->index);
    if (sqlite3_step(statement) != SQLITE_ROW) {
        return 0;
    }
    return story_leaf_load(w->x->mirror, (uint64_t)sqlite3_column_int64(statement, 0), &crl, e) == 0
               ? part(w, &crl, e)
               : -1;
}

/* ---- the end ---- */

/* What no leaf says. */
static void
write_end(const struct explaining *w, const char *kind, const char *before, const char *text)
{
    const struct cell row[] = {
        {.kind = CELL_TIME, .number = w->x->now},
        {.kind = CELL_TEXT, .text = span_str(kind)},
        {.kind = CELL_TEXT, .text = span_str(text)},
        {.kind = CELL_NONE},
        {.kind = CELL_NONE},
    };

    if (w->told != NULL) {
        w->told(w->arg, row, ARRAY_LEN(row));
    } else {
        (void)fprintf(w->out, "%s%s\n", before, text);
    }
}

static void
write_now(const struct explaining *w)
{
    const char *status = w->x->story->status;
    const bool is_usable = strcmp(status, "issued") == 0 || strcmp(status, "confirmed") == 0;
    char at[TIME_TEXT_SIZE];
    CLEANUP(mem_cleanup) char *text = NULL;

    time_format(w->x->now, at);
    text = mem_printf("As of %s it is %s%s.", at,
                      status[0] == '\0' ? "a request without a certificate" : status,
                      !is_usable                 ? ""
                      : w->not_after < w->x->now ? ", and has expired"
                                                 : ", and has not expired");
    write_end(w, "now", "\n", text);
}

static void
write_gaps(const struct explaining *w)
{
    const struct {
        bool is_there;
        const char *text;
    } gaps[] = {
        {w->has_mac, "that whoever asked knew the one-time secret: that is the RA's word"},
        {w->lacks_message,
         "messages that are not there, as said above: the record has their SHA-256"},
        {w->has_vendor, "that a vendor's device asked: give the vendor's root with --vendor"},
        {w->has_unsigned, "signatures that are not in the record, as said above"},
        {w->has_unverified, "that the issuing key signed it: give its certificate with --issuer"},
        {w->lacks_revoker, "who revoked it, but for what the CA wrote down"},
        {w->has_revocation && !w->has_crl, "a CRL since the revocation"},
        {w->has_crl, "the CRL itself: the record has its SHA-256 (verify --crl)"},
    };

    if (w->told == NULL) {
        (void)fprintf(w->out, "Not shown by the record:\n");
    }
    for (size_t i = 0; i < ARRAY_LEN(gaps); i++) {
        if (gaps[i].is_there) {
            write_end(w, "not shown", "  - ", gaps[i].text);
        }
    }
}

static int
parts(struct explaining *w, struct err *e)
{
    const struct story *story = w->x->story;

    for (size_t i = 0; i < story->n; i++) {
        const struct story_leaf *leaf = &story->leaves[i];

        if (part(w, leaf, e) != 0 ||
            (leaf_kind(leaf->leaf) == LEAF_REVOKED && part_crl(w, leaf, e) != 0)) {
            return -1;
        }
    }
    return 0;
}

static int
all(struct explaining *w, struct err *e)
{
    const struct explanation *x = w->x;
    CLEANUP(signatures_cleanup)
    struct signatures *signatures = signatures_new(x->mirror, x->issuers);

    if (x->story->names.serial[0] == '\0' && x->story->names.rid[0] == '\0') {
        return err_set(e, ERR_INPUT,
                       "that is not one certificate or request: ask for one of what `show` has");
    }
    w->signatures = signatures;
    if (parts(w, e) != 0) {
        return -1;
    }
    write_now(w);
    write_gaps(w);
    return 0;
}

int
explain_tell(const struct explanation *x, explain_told *told, void *arg, struct err *e)
{
    struct explaining w = {.x = x, .told = told, .arg = arg};

    return all(&w, e);
}

struct writing {
    struct sink *sink;
    struct span key;
};

static void
write_row(void *arg, const struct cell *cells, size_t n)
{
    const struct writing *w = arg;
    struct cell row[6] = {{.kind = CELL_NONE}};

    memcpy(row, cells, n * sizeof(row[0]));
    row[n] = (struct cell){.kind = CELL_VALUE, .text = w->key};
    sink_row(w->sink, row);
}

int
explain(const struct explanation *x, enum sink_format format, FILE *out, struct err *e)
{
    static const char *const columns[] = {"time", "kind", "text", "signature", "leaf", "key"};
    struct explaining w = {.x = x, .out = out};
    CLEANUP(sink_cleanup) struct sink *sink = NULL;
    struct writing writing = {.key = x->key};

    if (format == SINK_TABLE) {
        if (all(&w, e) != 0) {
            return -1;
        }
        (void)fprintf(out, "\nVerified\n");
        print_basis(out, x->basis);
        return 0;
    }
    sink = sink_new(format, out, columns, format == SINK_JSONL ? 6 : 5, e);
    writing.sink = sink;
    if (sink == NULL || explain_tell(x, write_row, &writing, e) != 0) {
        return -1;
    }
    sink_end(sink);
    return 0;
}
