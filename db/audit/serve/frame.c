/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/frame.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/ossl.h"
#include "base/ossl_thread.h"
#include "db/audit/query/cells.h"
#include "db/audit/report/page.h"
#include "db/audit/serve/witnesses.h"

/* serve.css, as it is built in (db/CMakeLists.txt). */
extern const unsigned char serve_style[];
extern const size_t serve_style_size;

char *
frame_styles(void)
{
    const struct span styles[] = {page_style(), span_of(serve_style, serve_style_size)};
    char *hashes[ARRAY_LEN(styles)];
    char *all;

    for (size_t i = 0; i < ARRAY_LEN(styles); i++) {
        uint8_t hash[SHA256_SIZE];
        struct err e;

        if (sha256(styles[i], hash, &e) != 0) {
            abort(); /* OpenSSL has it */
        }
        hashes[i] = base64_dup(span_of(hash, sizeof(hash)));
    }
    all = mem_printf("'sha256-%s' 'sha256-%s'", hashes[0], hashes[1]);
    mem_free(hashes[0]);
    mem_free(hashes[1]);
    return all;
}

static void
link_write(FILE *out, const char *path, const char *name, bool is_here)
{
    (void)fprintf(out, "<li><a href=\"/%s\"%s>%s</a></li>", path,
                  is_here ? " aria-current=\"page\"" : "", name);
}

/* `here` may be NULL. */
static void
begin(FILE *out, const char *title, const struct route *here)
{
    page_begin(out, title);
    (void)fputs("<style>", out);
    (void)fwrite(serve_style, 1, serve_style_size, out);
    (void)fputs("</style>\n<a class=\"skip\" href=\"#main\">To the page itself</a>\n<nav "
                "class=\"top\" aria-label=\"The record\"><ul>",
                out);
    link_write(out, "", "Report", here != NULL && here->kind == ROUTE_REPORT);
    for (size_t i = 0; i < n_nouns; i++) {
        link_write(out, nouns[i].name, nouns[i].name, here != NULL && here->noun == &nouns[i]);
    }
    link_write(out, "help", "Help", here != NULL && here->kind == ROUTE_HELP);
    (void)fputs("</ul><form action=\"/show\" method=\"get\" "
                "role=\"search\"><label for=\"q\">Serial, leaf, request, network function or "
                "name</label><input id=\"q\" name=\"q\" maxlength=\"256\" required=\"\"/><button>"
                "Show</button></form></nav>\n",
                out);
}

void
frame_end(FILE *out)
{
    (void)fputs("</main>\n<footer><p>Times are UTC. nfpki-audit " NFPKI_VERSION
                " answers from a mirror on this machine, which it only reads; nothing in this page "
                "runs, and it asks nobody else for anything.</p></footer>\n",
                out);
    page_end(out);
}

void
frame_sorry(FILE *out, const char *title, const char *text)
{
    begin(out, title, NULL);
    (void)fprintf(out, "<main id=\"main\"><h1>%s</h1>\n<p>", title);
    page_text(out, text);
    (void)fputs("</p>\n<p><a href=\"/help\">What can be asked</a></p>\n", out);
    frame_end(out);
}

/* ---- what the page is made of ---- */

/* The first row of a question without parameters; its cells are borrowed until it is finalized. */
static int
first_row(const struct visit *v, const char *sql, sqlite3_stmt **statement, bool *any,
          struct err *e)
{
    int rc;

    if (statement_prepare(mirror_sqlite(v->mirror), sql, statement, e) != 0) {
        return -1;
    }
    rc = sqlite3_step(*statement);
    *any = rc == SQLITE_ROW;
    return *any ? 0 : statement_ended(*statement, rc, e);
}

static int
write_newest(const struct visit *v, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    struct cell at = {.kind = CELL_TIME};
    bool any;

    if (first_row(v, "SELECT time FROM leaves ORDER BY leaf DESC LIMIT 1", &statement, &any, e) !=
        0) {
        return -1;
    }
    if (!any) {
        return 0;
    }
    at.number = sqlite3_column_int64(statement, 0);
    (void)fputs("; newest leaf ", v->out);
    page_cell(v->out, &at);
    if (v->now - at.number > STALE_S) {
        (void)fputs(" <strong class=\"stale\">stale: older than a day</strong>", v->out);
    }
    return 0;
}

static int
write_verified(const struct visit *v, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    struct cell cell = {.kind = CELL_TIME};
    bool any;

    if (first_row(v,
                  "SELECT ended, result FROM sync WHERE ended IS NOT NULL ORDER BY id DESC LIMIT 1",
                  &statement, &any, e) != 0) {
        return -1;
    }
    if (any) {
        cell.number = sqlite3_column_int64(statement, 0);
        (void)fputs("<span>looked for more at ", v->out);
        page_cell(v->out, &cell);
        (void)fputs(": ", v->out);
        page_text(v->out, (const char *)sqlite3_column_text(statement, 1));
        (void)fputs("</span> ", v->out);
    }
    return 0;
}

int
frame_begin(const struct visit *v, const char *title, struct err *e)
{
    const struct checkpoint *c = mirror_checkpoint(v->mirror);
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(c->root.octets, sizeof(c->root.octets)));

    begin(v->out, title, &v->route);
    (void)fputs("<p class=\"position\"><span><b>", v->out);
    page_text(v->out, mirror_key(v->mirror)->origin);
    (void)fprintf(v->out, "</b> verified up to <b>%" PRIu64 "</b> leaves", c->size);
    if (write_newest(v, e) != 0) {
        return -1;
    }
    (void)fprintf(v->out, "</span> <span>root <span class=\"hex\">%s</span></span> ", root);
    if (write_verified(v, e) != 0 || witnesses_write(v, e) != 0) {
        return -1;
    }
    if (!v->key_is_given) {
        (void)fputs(" <strong class=\"stale\">the log key came from the ledger itself</strong>",
                    v->out);
    }
    (void)fputs("</p>\n", v->out);
    return 0;
}
