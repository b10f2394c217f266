/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/list_form.h"

#include <string.h>

#include "db/audit/out/escape.h"
#include "db/audit/report/page.h"

#define AS_OF "As of"

static const struct {
    const char *label;
    const char *hint; /* what is typed; NULL: any text */
} filters[FILTERS] = {
    [FILTER_NF] = {"Network function", "nfInstanceId, a UUID"},
    [FILTER_NF_TYPE] = {"Type of network function", "AMF"},
    [FILTER_SERIAL] = {"Serial number", "hexadecimal"},
    [FILTER_REQUEST] = {"Request", "hexadecimal"},
    [FILTER_REGISTRATION] = {"Registration", "hexadecimal"},
    [FILTER_SUBJECT] = {"Subject", "a part of it"},
    [FILTER_NAME] = {"Name", "whole; * is anything"},
    [FILTER_PROFILE] = {"Profile", "whole"},
    [FILTER_STATUS] = {"Status", "whole"},
    [FILTER_REASON] = {"Reason", "a part, or a CRLReason"},
    [FILTER_SINCE] = {"From", "2026-01-31, or with T08:00:00Z"},
    [FILTER_UNTIL] = {"Until", "2026-01-31: the whole day"},
    [FILTER_REGISTRAR] = {"Registrar", "serial, or part of the subject"},
    [FILTER_OFFICER] = {"Officer", "serial, or part of the subject"},
    [FILTER_RA] = {"RA", "serial, or part of the subject"},
    [FILTER_SPKI] = {"Public key", "SHA-256, hexadecimal"},
    [FILTER_ISSUER] = {"Issuing certificate", "SHA-256, hexadecimal"},
    [FILTER_EXPIRES_WITHIN] = {"Ends within", "days"},
    [FILTER_NEVER_USED] = {"Never used", NULL},
    [FILTER_ACTION] = {"Action", "whole"},
    [FILTER_PLACE] = {"Place", NULL},
    [FILTER_BY] = {"By", "a part of who did it"},
};

const char *
list_form_label(enum filter filter)
{
    return filters[filter].label;
}

static void
value_write(FILE *out, const char *typed)
{
    (void)fputs(" value=\"", out);
    escape_write_str(out, ESCAPE_HTML, typed == NULL ? "" : typed);
    (void)fputc('"', out);
}

/* One of the words that it may be. */
static void
choice_write(FILE *out, const char *name, const char *words, const char *typed)
{
    (void)fprintf(out, "<select id=\"f-%s\" name=\"%s\"><option value=\"\">any</option>", name,
                  name);
    while (*words != '\0') {
        const size_t n = strcspn(words, "|");
        const bool is_it = typed != NULL && strlen(typed) == n && strncmp(words, typed, n) == 0;

        (void)fprintf(out, "<option%s>%.*s</option>", is_it ? " selected=\"\"" : "", (int)n, words);
        words += n + (words[n] == '|');
    }
    (void)fputs("</select>", out);
}

static void
text_write(FILE *out, const char *name, const char *hint, const char *typed)
{
    (void)fprintf(out, "<input id=\"f-%s\" name=\"%s\" maxlength=\"256\"", name, name);
    if (hint != NULL) {
        (void)fprintf(out, " placeholder=\"%s\"", hint);
    }
    value_write(out, typed);
    (void)fputs("/>", out);
}

static void
label_write(FILE *out, const char *name, const char *label)
{
    (void)fprintf(out, "<div><label for=\"f-%s\">%s</label>", name, label);
}

static void
filter_write(const struct list *list, enum filter f, FILE *out)
{
    const char *name = filter_option(f);
    const char *typed = list->query.filters.typed[f];

    label_write(out, name, filters[f].label);
    if (!filter_has_value(f)) {
        (void)fprintf(out, "<input type=\"checkbox\" id=\"f-%s\" name=\"%s\" value=\"yes\"%s/>",
                      name, name, typed != NULL ? " checked=\"\"" : "");
    } else if (list->query.noun->words[f] != NULL && list->query.noun->there[f] == NULL) {
        choice_write(out, name, list->query.noun->words[f], typed);
    } else {
        text_write(out, name, filters[f].hint, typed);
    }
    (void)fputs("</div>\n", out);
}

static bool
is_chosen(const struct query *q, const char *column)
{
    const char *at = q->columns == NULL ? q->noun->shown : q->columns;
    const size_t n = strlen(column);

    while (*at != '\0') {
        const size_t length = strcspn(at, ",");

        if (length == n && strncmp(at, column, n) == 0) {
            return true;
        }
        at += length + (at[length] == ',');
    }
    return false;
}

static void
columns_write(const struct query *q, FILE *out)
{
    (void)fputs("<fieldset class=\"columns\"><legend>Columns; the leaf is always "
                "the last</legend>\n",
                out);
    for (const struct noun_column *c = q->noun->columns; c->name != NULL; c++) {
        (void)fprintf(out,
                      "<label><input type=\"checkbox\" name=\"column\" value=\"%s\"%s/> "
                      "%s</label>\n",
                      c->name, is_chosen(q, c->name) ? " checked=\"\"" : "", c->name);
    }
    (void)fputs("</fieldset>\n", out);
}

static void
order_write(const struct query *q, FILE *out)
{
    if (!q->noun->several) {
        (void)fputs("<div><label for=\"f-sort\">Sorted by</label><select id=\"f-sort\" "
                    "name=\"sort\"><option value=\"\">leaf, as recorded</option>",
                    out);
        for (const struct noun_column *c = q->noun->columns; c->name != NULL; c++) {
            if (noun_is_sorted_by(q->noun, c->name)) {
                (void)fprintf(out, "<option%s>%s</option>",
                              q->sort != NULL && strcmp(q->sort, c->name) == 0 ? " selected=\"\""
                                                                               : "",
                              c->name);
            }
        }
        (void)fputs("</select></div>\n", out);
    }
    (void)fprintf(out,
                  "<div><label for=\"f-way\">Order</label><select id=\"f-way\" name=\"way\">"
                  "<option value=\"up\">ascending, oldest first</option><option "
                  "value=\"down\"%s>descending, newest first</option></select></div>\n",
                  q->descending ? " selected=\"\"" : "");
    (void)fputs("<div><label for=\"f-rows\">Rows</label><select id=\"f-rows\" name=\"rows\">", out);
    for (int rows = 50; rows <= LIST_ROWS_MAX; rows = rows == 50 ? LIST_ROWS : LIST_ROWS_MAX) {
        (void)fprintf(out, "<option%s>%d</option>",
                      q->limit == (uint64_t)rows ? " selected=\"\"" : "", rows);
        if (rows == LIST_ROWS_MAX) {
            break;
        }
    }
    (void)fputs("</select></div>\n", out);
}

/* What it was narrowed to, which the form keeps to itself while it is closed. */
static void
asked_write(const struct list *list, FILE *out)
{
    const struct query *q = &list->query;
    bool any = false;

    for (int f = 0; f <= FILTERS; f++) {
        const char *typed = f < FILTERS ? q->filters.typed[f] : list->as_of;

        if (typed != NULL) {
            (void)fprintf(out, "%s%s: ", any ? "; " : "<p class=\"asked\">",
                          f < FILTERS ? filters[f].label : AS_OF);
            page_text(out, typed);
            any = true;
        }
    }
    if (any) {
        (void)fprintf(out, ". <a href=\"/%s\">All of them</a></p>\n", q->noun->name);
    }
}

void
list_form_write(const struct list *list, FILE *out)
{
    const struct query *q = &list->query;

    asked_write(list, out);
    (void)fprintf(out,
                  "<details><summary>Narrow it, sort it, choose columns</summary>\n<form "
                  "class=\"ask\" action=\"/%s\" method=\"get\"><fieldset class=\"filters\">"
                  "<legend>Those that have all of this</legend>\n",
                  q->noun->name);
    for (int f = 0; f < FILTERS; f++) {
        if (q->noun->conditions[f] != NULL) {
            filter_write(list, (enum filter)f, out);
        }
    }
    label_write(out, "as-of", AS_OF);
    text_write(out, "as-of", "a time, as From; empty: now", list->as_of);
    (void)fputs("</div>\n", out);
    order_write(q, out);
    (void)fputs("</fieldset>\n", out);
    columns_write(q, out);
    (void)fprintf(out,
                  "<p><button>Ask</button> <a href=\"/%s\">All of them</a></p></form></details>\n",
                  q->noun->name);
}
