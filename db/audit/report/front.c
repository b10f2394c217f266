/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/front.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/out/escape.h"
#include "db/audit/report/page.h"
#include "db/audit/report/rows.h"

/* What everybody asks first: one number each. */
static const struct {
    const char *name;
    const char *sql;
    const char *list; /* that has these */
} tiles[] = {
    {"leaves", "SELECT accepted FROM position", "events"},
    {"certificates issued", "SELECT coalesce(sum(n), 0) FROM days WHERE kind = 'ISSUED'",
     "certificates"},
    {"live certificates",
     "SELECT count(*) FROM certificates WHERE issued_at <= :now AND not_before <= :now AND "
     "not_after >= :now AND coalesce(revoked_at > :now, 1) AND rejected IS NULL",
     "certificates?status=live"},
    {"end within 30 days",
     "SELECT count(*) FROM certificates WHERE issued IS NOT NULL AND revoked IS NULL AND rejected "
     "IS NULL AND not_after BETWEEN :now AND :now + 30 * 86400",
     "certificates?expires-within=30&amp;sort=notAfter"},
    {"revoked", "SELECT coalesce(sum(n), 0) FROM days WHERE kind = 'REVOKED'", "revocations"},
    {"refused", "SELECT coalesce(sum(n), 0) FROM refusals", "refusals"},
    {"registrations", "SELECT coalesce(sum(n), 0) FROM days WHERE kind = 'REGISTRATION'",
     "registrations"},
    {"wait for officers", "SELECT count(*) FROM requests WHERE status = 'waiting'",
     "requests?status=waiting"},
};

static int
number_of(const struct report *r, const char *sql, int64_t *number, struct err *e)
{
    const struct rows_window none = {0};
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;

    if (rows_prepare(r, "first page", sql, &none, &statement, e) != 0 ||
        rows_step(r, "first page", statement, e) < 0) {
        return -1;
    }
    *number = sqlite3_column_int64(statement, 0);
    return 0;
}

static void
time_write(FILE *out, time_t at)
{
    page_cell(out, &(struct cell){.kind = CELL_TIME, .number = (int64_t)at});
}

static void
hex_write(FILE *out, struct span octets)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(octets);

    page_cell(out, &(struct cell){.kind = CELL_HEX, .text = span_str(hex)});
}

/* ---- the verdict ---- */

#define MIRRORS "SELECT count(*) FROM findings WHERE found_by = 'mirror' AND severity = "

static void
verdict_say(FILE *out, const char *class, const char *mark, const char *title, const char *text)
{
    (void)fprintf(out,
                  "<div class=\"verdict %s\" role=\"status\"><span class=\"mark\" "
                  "aria-hidden=\"true\">%s</span><div><strong>%s</strong>%s</div></div>\n",
                  class, mark, title, text);
}

static int
verdict_write(const struct report *r, FILE *out, struct err *e)
{
    int64_t errors;
    int64_t warnings;

    if (number_of(r, "SELECT count(*) FROM findings WHERE severity = 'error'", &errors, e) != 0 ||
        number_of(r, "SELECT count(*) FROM findings WHERE severity = 'warning'", &warnings, e) !=
            0) {
        return -1;
    }
    if (r->checked != NULL) { /* instead of those of before */
        if (number_of(r, MIRRORS "'error'", &errors, e) != 0 ||
            number_of(r, MIRRORS "'warning'", &warnings, e) != 0) {
            return -1;
        }
        errors += (int64_t)findings_of(r->checked, SEVERITY_ERROR);
        warnings += (int64_t)findings_of(r->checked, SEVERITY_WARNING);
    }
    verdict_say(out, "good", "✓", "The record is verified",
                "The signature under the checkpoint, every tile, every leaf, and what must be true "
                "of one leaf behind another. All that follows is made of it.");
    if (errors + warnings > 0) {
        CLEANUP(mem_cleanup)
        char *title = mem_printf("%" PRId64 " finding%s", errors + warnings,
                                 errors + warnings == 1 ? "" : "s");

        verdict_say(out, errors > 0 ? "bad" : "warn", "!", title,
                    "People must look into them: <a href=\"#findings\">see below</a>.");
    }
    if (!r->key_is_given) {
        verdict_say(out, "warn", "?", "The log key came from the ledger itself",
                    "Whoever could exchange the whole ledger could exchange this key. Get it by "
                    "another way and give it with <code>--key</code>.");
    }
    return 0;
}

static int
tiles_write(const struct report *r, FILE *out, struct err *e)
{
    (void)fputs("<ul class=\"tiles\">", out);
    for (size_t i = 0; i < ARRAY_LEN(tiles); i++) {
        int64_t number;

        if (number_of(r, tiles[i].sql, &number, e) != 0) {
            return -1;
        }
        if (r->is_linked) {
            (void)fprintf(out, "<li><a href=\"/%s\"><b>%" PRId64 "</b></a><span>%s</span></li>\n",
                          tiles[i].list, number, tiles[i].name);
        } else {
            (void)fprintf(out, "<li><b>%" PRId64 "</b><span>%s</span></li>\n", number,
                          tiles[i].name);
        }
    }
    (void)fputs("</ul>\n", out);
    return 0;
}

/* ---- what it rests on ---- */

static void
key_write(const struct report *r, FILE *out)
{
    const struct log_key *key = mirror_key(r->mirror);
    CLEANUP(mem_cleanup) char *text = log_key_format(key);

    (void)fputs("<dt>Log key</dt><dd>", out);
    hex_write(out, span_of(key->id, sizeof(key->id)));
    (void)fprintf(out, ", %s<br/><span class=\"hex\">",
                  r->key_is_given ? "given by who asked" : "taken from the ledger itself");
    escape_write(out, ESCAPE_HTML, span_of(text, strlen(text) - 1));
    (void)fputs("</span></dd>\n", out);
}

static int
cosigners_write(const struct report *r, FILE *out, struct err *e)
{
    const struct rows_window none = {0};
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    bool any = false;
    int result;

    if (rows_prepare(r, "cosigners",
                     "SELECT DISTINCT s.name FROM cosignature s JOIN checkpoint c ON c.id = "
                     "s.checkpoint WHERE c.size = (SELECT accepted FROM position) ORDER BY 1",
                     &none, &statement, e) != 0) {
        return -1;
    }
    (void)fputs("<dt>Cosignatures</dt><dd>", out);
    while ((result = rows_step(r, "cosigners", statement, e)) == 1) {
        (void)fputs(any ? ", " : "", out);
        page_text(out, (const char *)sqlite3_column_text(statement, 0));
        any = true;
    }
    (void)fputs(any ? "; whether they are right says <code>verify --policy</code></dd>\n"
                    : "none</dd>\n",
                out);
    if (mirror_cosigned(r->mirror) >= 0) {
        (void)fprintf(out,
                      "<dt>Witnesses</dt><dd>the quorum has cosigned the first %" PRId64
                      " of %" PRIu64 " leaves: what leaves behind them say nobody else has seen"
                      "</dd>\n",
                      mirror_cosigned(r->mirror), mirror_checkpoint(r->mirror)->size);
    }
    return result;
}

static int
facts_write(const struct report *r, FILE *out, struct err *e)
{
    const struct checkpoint *c = mirror_checkpoint(r->mirror);
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(c->root.octets, sizeof(c->root.octets)));
    int64_t first;
    int64_t last;

    if (number_of(r, "SELECT min(time) FROM leaves", &first, e) != 0 ||
        number_of(r, "SELECT max(time) FROM leaves", &last, e) != 0) {
        return -1;
    }
    (void)fputs("<dl><dt>Log</dt><dd>", out);
    page_text(out, c->origin);
    (void)fprintf(out,
                  "</dd>\n<dt>Size and root</dt><dd>%" PRIu64 " leaves<br/><span class=\"hex\">%s",
                  c->size, root);
    (void)fputs("</span></dd>\n", out);
    key_write(r, out);
    if (cosigners_write(r, out, e) != 0) {
        return -1;
    }
    (void)fputs("<dt>From, to</dt><dd>", out);
    time_write(out, (time_t)first);
    (void)fputs(" to ", out);
    time_write(out, (time_t)last);
    (void)fputs("</dd>\n<dt>As of</dt><dd>", out);
    time_write(out, r->now);
    (void)fputs(
        ": what has expired, has expired then</dd>\n<dt>Made by</dt><dd>nfpki-audit " NFPKI_VERSION
        "</dd></dl>\n",
        out);
    return 0;
}

int
front_write(const struct report *r, FILE *out, struct err *e)
{
    (void)fputs("<header><h1>The record of a certificate authority</h1><p class=\"soft\">", out);
    page_text(out, mirror_checkpoint(r->mirror)->origin);
    (void)fputs(", as of ", out);
    time_write(out, r->now);
    (void)fputs("</p></header>\n<main id=\"main\">\n", out);
    return verdict_write(r, out, e) != 0 || tiles_write(r, out, e) != 0 ? -1
                                                                        : facts_write(r, out, e);
}

void
front_end(const struct report *r, FILE *out)
{
    const struct span note = mirror_note(r->mirror);

    (void)fputs(
        "<h2>How to check this</h2>\n<p>Each row ends in the number of the leaf that says it. "
        "<code>nfpki-audit prove LEAF</code> writes a proof that this leaf is in the record, "
        "and <code>nfpki-audit check-proof</code> needs only that proof and the log key. The "
        "checkpoint that everything here rests on:</p>\n<pre>",
        out);
    for (size_t at = 0; at < note.n;) {
        const uint8_t *end = memchr(note.p + at, '\n', note.n - at);
        const size_t n = end == NULL ? note.n - at : (size_t)(end - note.p) - at;

        escape_write(out, ESCAPE_HTML, span_of(note.p + at, n));
        (void)fputc('\n', out);
        at += n + 1;
    }
    (void)fputs("</pre>\n</main>\n<footer><p>Times are UTC. Nothing on this page comes from "
                "anywhere else, and nothing in it runs.</p></footer>\n",
                out);
}
