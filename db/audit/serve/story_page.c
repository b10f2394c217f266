/* SPDX-License-Identifier: Apache-2.0 */
/* What the record has about one thing: its leaves, how it came about, and the proofs. */
#include <inttypes.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/out/escape.h"
#include "db/audit/proof.h"
#include "db/audit/report/page.h"
#include "db/audit/serve/frame.h"
#include "db/audit/story/explain.h"
#include "db/audit/story/message.h"
#include "db/audit/story/print.h"
#include "db/audit/story/tell.h"

enum { SHOWN_MAX = 500 /* leaves on a page */ };

static const char *
asked_for(const struct visit *v)
{
    if (v->route.what[0] != '\0') {
        return v->route.what;
    }
    return v->form.n == 1 && strcmp(v->form.fields[0].name, "q") == 0 ? v->form.fields[0].value
                                                                      : NULL;
}

static int
load(const struct visit *v, struct story *story, struct err *e)
{
    const char *what = asked_for(v);

    if (what == NULL || (v->route.what[0] != '\0' && v->form.n > 0)) {
        return err_set(e, ERR_INPUT,
                       "ask for a serial, a leaf, a request, a registration, a network function "
                       "or a part of somebody's name: /show?q=...");
    }
    if (story_of(v->mirror, what, story, e) != 0) {
        return -1;
    }
    return story->n > 0 ? 0
                        : err_set(e, ERR_NOTFOUND,
                                  "the record has nothing about that (up to the "
                                  "leaves that are verified here)");
}

/* ---- show ---- */

static void
fact(FILE *out, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        (void)fprintf(out, "<dt>%s</dt><dd>", name);
        page_text(out, text);
        (void)fputs("</dd>\n", out);
    }
}

/* Of our digits, which lead on. */
static void
hex_fact(FILE *out, const char *name, const char *hex)
{
    if (hex[0] != '\0') {
        (void)fprintf(out,
                      "<dt>%s</dt><dd><a href=\"/show/%s\"><span "
                      "class=\"hex\">%s</span></a></dd>\n",
                      name, hex, hex);
    }
}

static int
write_certificate(FILE *out, const struct story *story, struct err *e)
{
    const struct story_leaf *issued = story_find(story, LEAF_ISSUED);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(audit_summary_free) struct audit_summary s = {0};

    (void)fputs("<dl>", out);
    if (issued != NULL && story->names.serial[0] != '\0') {
        certificate = audit_certificate(issued->leaf, e);
        if (certificate == NULL || audit_summarize(certificate, &s, e) != 0) {
            return -1;
        }
        fact(out, "Subject", s.subject);
        fact(out, "Names", s.names);
        fact(out, "Issuer", s.issuer);
        fact(out, "From", s.not_before);
        fact(out, "Until", s.not_after);
        fact(out, "Key", s.key);
        fact(out, "SHA-256", s.sha256);
    }
    fact(out, "Status", story->status);
    fact(out, "Serial number", story->names.serial);
    hex_fact(out, "Request", story->names.rid);
    hex_fact(out, "Registration", story->names.registration);
    (void)fputs("</dl>\n", out);
    return 0;
}

/* To the other page about it, and to what is kept. */
static void
write_links(const struct visit *v, const struct story *story)
{
    const bool is_explained = v->route.kind == ROUTE_EXPLAIN;
    const char *one = story->names.serial[0] != '\0' ? story->names.serial : story->names.rid;

    if (one[0] != '\0') {
        (void)fprintf(v->out, "<p class=\"turns\"><a href=\"/%s/%s\">%s</a> ",
                      is_explained ? "show" : "explain", one,
                      is_explained ? "All leaves about it" : "How it came about");
        if (story->names.serial[0] != '\0' && story_find(story, LEAF_ISSUED) != NULL) {
            (void)fprintf(v->out, "<a href=\"/prove/%s\">Proof that it was issued</a> ", one);
        }
        (void)fprintf(v->out, "<a href=\"/show/%s.json\">All of it as JSON</a></p>\n", one);
    }
}

static void
write_message(const struct visit *v, const struct story_leaf *leaf)
{
    struct story_message message;

    if (story_message(v->mirror, leaf, &message)) {
        CLEANUP(mem_cleanup) char *text = story_message_text(&message);

        (void)fputs("<br/>The message: ", v->out);
        page_text(v->out, text);
    }
}

static int
write_leaf(const struct visit *v, const struct story_leaf *leaf, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = tell_leaf(v->mirror, leaf->leaf, e);

    if (text == NULL) {
        return -1;
    }
    (void)fputs("<tr><th scope=\"row\" class=\"t\">", v->out);
    page_cell(v->out, &(struct cell){.kind = CELL_TIME, .number = leaf_time(leaf->leaf)});
    (void)fprintf(v->out, "</th><td>%s</td><td>", leaf_kind_name(leaf_kind(leaf->leaf)));
    page_text(v->out, text);
    write_message(v, leaf);
    (void)fputs("<details><summary>The leaf itself</summary><pre>", v->out);
    escape_write(v->out, ESCAPE_HTML, leaf_body(leaf->leaf));
    (void)fprintf(v->out,
                  "</pre></details></td><td class=\"n\"><a href=\"/show/%" PRIu64 "\">%" PRIu64
                  "</a></td><td><a href=\"/prove/%" PRIu64 "\">%zu hashes</a></td></tr>\n",
                  leaf->index, leaf->index, leaf->index, leaf->proof.n);
    return 0;
}

int
show_page(const struct visit *v, struct err *e)
{
    CLEANUP(story_free) struct story story = {0};

    if (load(v, &story, e) != 0 || frame_begin(v, "What the record has about it", e) != 0) {
        return -1;
    }
    (void)fputs("<main id=\"main\"><h1>What the record has about ", v->out);
    page_text(v->out, asked_for(v));
    (void)fputs("</h1>\n", v->out);
    if (write_certificate(v->out, &story, e) != 0) {
        return -1;
    }
    write_links(v, &story);
    (void)fputs("<div class=\"scroll\"><table><caption>Each leaf is proven to be under the "
                "checkpoint above</caption><thead><tr><th scope=\"col\">Time</th><th "
                "scope=\"col\">Leaf</th><th scope=\"col\">What it says</th><th scope=\"col\" "
                "class=\"n\">Index</th><th scope=\"col\">Proof</th></tr></thead><tbody>\n",
                v->out);
    for (size_t i = 0; i < story.n && i < SHOWN_MAX; i++) {
        if (write_leaf(v, &story.leaves[i], e) != 0) {
            return -1;
        }
    }
    (void)fputs("</tbody></table></div>\n", v->out);
    if (story.n > SHOWN_MAX) {
        (void)fprintf(v->out, "<p>The first %d of %zu leaves; nfpki-audit show has all.</p>\n",
                      SHOWN_MAX, story.n);
    }
    frame_end(v->out);
    return 0;
}

static struct basis
basis_of(const struct visit *v)
{
    return (struct basis){mirror_checkpoint(v->mirror), mirror_key(v->mirror), v->key_is_given,
                          mirror_cosigned(v->mirror)};
}

int
show_data(const struct visit *v, struct err *e)
{
    CLEANUP(story_free) struct story story = {0};
    const struct basis basis = basis_of(v);

    return load(v, &story, e) == 0 ? story_json(v->out, &basis, v->mirror, &story, e) : -1;
}

/* ---- explain ---- */

static void
write_part(void *arg, const struct cell *cells, size_t n)
{
    page_table_row(arg, cells, n, UINT64_C(1) << (n - 1));
}

int
explain_page(const struct visit *v, struct err *e)
{
    static const char *const heads[] = {"Time", "What", "In words", "Signature", "Leaf"};
    static const struct cell like[] = {{.kind = CELL_TIME},
                                       {.kind = CELL_TEXT},
                                       {.kind = CELL_TEXT},
                                       {.kind = CELL_TEXT},
                                       {.kind = CELL_INT}};
    CLEANUP(story_free) struct story story = {0};
    const struct basis basis = basis_of(v);
    const struct explanation x = {.mirror = v->mirror,
                                  .story = &story,
                                  .issuers = v->issuers,
                                  .vendors = v->vendors,
                                  .basis = &basis,
                                  .now = v->now};

    if (load(v, &story, e) != 0 || frame_begin(v, "How it came about", e) != 0) {
        return -1;
    }
    (void)fputs("<main id=\"main\"><h1>How it came about: ", v->out);
    page_text(v->out, asked_for(v));
    (void)fputs("</h1>\n", v->out);
    write_links(v, &story);
    page_table_begin(v->out,
                     "In order; each signature that the record has was verified again just now",
                     heads, like, ARRAY_LEN(heads));
    if (explain_tell(&x, write_part, v->out, e) != 0) {
        return -1;
    }
    page_table_end(v->out);
    frame_end(v->out);
    return 0;
}

/* ---- prove ---- */

int
prove_data(const struct visit *v, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(PROOF_MAX);
    CLEANUP(story_leaf_free) struct story_leaf leaf = {0};
    uint64_t index = 0;
    bool found = story_is_index(v->route.what, &index);

    if (!found && !story_is_hex(v->route.what)) {
        return err_set(e, ERR_INPUT, "a leaf by its index, or a serial number in hex");
    }
    if (!found && story_issued(v->mirror, v->route.what, &found, &index, e) != 0) {
        return -1;
    }
    if (!found || index >= mirror_checkpoint(v->mirror)->size) {
        return err_set(e, ERR_NOTFOUND, "there is no such leaf, or certificate that was issued");
    }
    if (story_leaf_load(v->mirror, index, &leaf, e) != 0 ||
        proof_format(leaf_body(leaf.leaf), index, &leaf.proof, mirror_note(v->mirror), &text, e) !=
            0) {
        return -1;
    }
    (void)fwrite(text.p, 1, text.n, v->out);
    return 0;
}
