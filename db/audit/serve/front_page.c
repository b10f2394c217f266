/* SPDX-License-Identifier: Apache-2.0 */
/* The report, whose numbers lead to their rows; and what there is to ask. */
#include "db/audit/report/page.h"
#include "db/audit/report/report.h"
#include "db/audit/serve/frame.h"
#include "db/audit/serve/list.h"
#include "db/audit/serve/list_form.h"

int
report_front(const struct visit *v, struct err *e)
{
    const struct report r = {
        .mirror = v->mirror, .now = v->now, .key_is_given = v->key_is_given, .is_linked = true};

    if (v->form.n > 0) {
        return err_set(e, ERR_INPUT, "the report takes nothing behind ?");
    }
    if (frame_begin(v, "Report on a record", e) != 0 || report_body(&r, v->out, e) != 0) {
        return -1;
    }
    page_end(v->out);
    return 0;
}

static void
write_noun(const struct noun *noun, FILE *out)
{
    bool any = false;

    (void)fprintf(out, "<tr><th scope=\"row\"><a href=\"/%s\">%s</a></th><td>", noun->name,
                  noun->name);
    for (int f = 0; f < FILTERS; f++) {
        if (noun->conditions[f] != NULL) {
            (void)fprintf(out, "%s<code>%s</code> %s", any ? ", " : "",
                          filter_option((enum filter)f), list_form_label((enum filter)f));
            any = true;
        }
    }
    (void)fputs("</td><td>", out);
    for (const struct noun_column *c = noun->columns; c->name != NULL; c++) {
        (void)fprintf(out, "%s%s", c == noun->columns ? "" : ", ", c->name);
    }
    (void)fputs("</td></tr>\n", out);
}

int
help_page(const struct visit *v, struct err *e)
{
    if (frame_begin(v, "What can be asked", e) != 0) {
        return -1;
    }
    (void)fprintf(
        v->out,
        "<main id=\"main\"><h1>What can be asked</h1>\n<p>All of it is answered from a mirror on "
        "this machine whose leaves were verified when they were taken in, up to the checkpoint "
        "that stands on each page. Nothing can be changed here.</p>\n<dl><dt><a "
        "href=\"/\">Report</a></dt><dd>all of it with figures; a number leads to its "
        "rows</dd>\n<dt>Lists</dt><dd>below; each row ends in the leaf that says it, which leads "
        "to what the record has about it, and to its proof</dd>\n<dt>/show?q=WHAT</dt><dd>every "
        "leaf about a serial, leaf, request, registration, network function, or somebody of the "
        "CA's own people</dd>\n<dt>/explain/SERIAL</dt><dd>how a certificate came about, in "
        "sentences, with what was signed verified again</dd>\n<dt>/prove/LEAF, "
        "/prove/SERIAL</dt><dd>a C2SP tlog-proof, for <code>nfpki-audit check-proof</code>: it "
        "needs the log key alone</dd>\n<dt>Files</dt><dd><code>/certificates.csv</code>, "
        "<code>/certificates.jsonl</code>, and so each list with the same filters: at most %d "
        "rows; <code>nfpki-audit list</code> has no limit</dd>\n<dt>Of a list</dt><dd><code>column"
        "</code>, as often as there are columns; <code>sort</code> by one that has "
        "an index, "
        "<code>way=down</code>; <code>rows</code>, at most %d; <code>after</code> a leaf; "
        "<code>as-of</code> a time. Events, findings, outages and refusals come in the order of "
        "leaves alone.</dd></dl>\n<div class=\"scroll\"><table><caption>Lists</caption><thead><tr>"
        "<th scope=\"col\">List</th><th scope=\"col\">Filters</th><th "
        "scope=\"col\">Columns</th></tr></thead><tbody>\n",
        LIST_ROWS_FILE, LIST_ROWS_MAX);
    for (size_t i = 0; i < n_nouns; i++) {
        write_noun(&nouns[i], v->out);
    }
    (void)fputs("</tbody></table></div>\n", v->out);
    frame_end(v->out);
    return 0;
}
