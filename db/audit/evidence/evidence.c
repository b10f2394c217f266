/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/evidence/evidence.h"

#include <inttypes.h>
#include <string.h>

#include "base/conf.h"
#include "db/audit/query/cells.h"

/* evidence.conf, as it is built in (db/CMakeLists.txt). */
extern const unsigned char evidence_conf[];
extern const size_t evidence_conf_size;

enum { COLUMNS = 9 };

static cfg_opt_t evidence_options[] = {
    CFG_STR("clause", "", CFGF_NONE),
    CFG_STR("of", "", CFGF_NONE),
    CFG_BOOL("check", cfg_false, CFGF_NONE),
    CFG_STR("shows", "", CFGF_NONE),
    CFG_STR("query", "", CFGF_NONE),
    CFG_STR("cannot", "", CFGF_NONE),
    CFG_END(),
};
static cfg_opt_t options[] = {
    CFG_SEC("evidence", evidence_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

/* How many rows answer, and where they are. */
struct answer {
    bool asked; /* there is a query */
    int64_t rows;
    bool has_leaves;
    int64_t first, last;
};

static int
answer_read(sqlite3 *db, const char *query, struct answer *out, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *sql = mem_printf("SELECT count(*), min(leaf), max(leaf) FROM (%s)", query);
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;

    *out = (struct answer){0};
    if (query[0] == '\0') {
        return 0;
    }
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        return err_set(e, ERR_STORE, "%s: %s", query, sqlite3_errmsg(db));
    }
    *out = (struct answer){.asked = true,
                           .rows = sqlite3_column_int64(statement, 0),
                           .has_leaves = sqlite3_column_type(statement, 1) != SQLITE_NULL,
                           .first = sqlite3_column_int64(statement, 1),
                           .last = sqlite3_column_int64(statement, 2)};
    return 0;
}

static bool
is_wanted(cfg_t *section, const char *wanted)
{
    return wanted == NULL || strcasestr(cfg_getstr(section, "clause"), wanted) != NULL ||
           strcasestr(cfg_getstr(section, "of"), wanted) != NULL;
}

static void
line(FILE *out, const char *label, const char *text)
{
    if (text[0] != '\0') {
        (void)fprintf(out, "  %-12s %s\n", label, text);
    }
}

/* All of it is text of ours. */
static void
paragraph_write(FILE *out, cfg_t *section, const struct answer *a)
{
    (void)fprintf(out, "%s (%s)%s\n", cfg_getstr(section, "clause"), cfg_getstr(section, "of"),
                  cfg_getbool(section, "check") == cfg_true ? ": check the number" : "");
    line(out, "shows", cfg_getstr(section, "shows"));
    line(out, "query", cfg_getstr(section, "query"));
    if (a->asked) {
        (void)fprintf(out, "  %-12s %" PRId64, "rows", a->rows);
        if (a->has_leaves) {
            (void)fprintf(out, ", leaves %" PRId64 " to %" PRId64, a->first, a->last);
        }
        (void)fputc('\n', out);
    } else {
        line(out, "rows", "the record says nothing of it");
    }
    line(out, "cannot show", cfg_getstr(section, "cannot"));
    (void)fputc('\n', out);
}

static struct cell
text_of(cfg_t *section, const char *option)
{
    const char *text = cfg_getstr(section, option);

    return text[0] == '\0' ? (struct cell){.kind = CELL_NONE}
                           : (struct cell){.kind = CELL_TEXT, .text = span_str(text)};
}

static void
row_write(struct sink *sink, cfg_t *section, const struct answer *a)
{
    const enum cell_kind leaf = a->has_leaves ? CELL_INT : CELL_NONE;

    sink_row(sink, (const struct cell[COLUMNS]){
                       text_of(section, "clause"),
                       text_of(section, "of"),
                       {.kind = CELL_BOOL, .number = cfg_getbool(section, "check") == cfg_true},
                       text_of(section, "shows"),
                       text_of(section, "query"),
                       {.kind = a->asked ? CELL_INT : CELL_NONE, .number = a->rows},
                       {.kind = leaf, .number = a->first},
                       {.kind = leaf, .number = a->last},
                       text_of(section, "cannot"),
                   });
}

int
evidence_write(sqlite3 *db, const char *clause, enum sink_format format, FILE *out, size_t *found,
               struct err *e)
{
    static const char *const columns[COLUMNS] = {
        "clause", "of", "checkNumber", "shows", "query", "rows", "firstLeaf", "lastLeaf", "cannot"};
    CLEANUP(conf_cleanup)
    cfg_t *conf =
        conf_parse("evidence.conf", span_of(evidence_conf, evidence_conf_size), options, e);
    CLEANUP(sink_cleanup) struct sink *sink = sink_new(format, out, columns, COLUMNS, e);

    *found = 0;
    if (conf == NULL || sink == NULL) {
        return -1;
    }
    for (unsigned i = 0; i < cfg_size(conf, "evidence"); i++) {
        cfg_t *section = cfg_getnsec(conf, "evidence", i);
        struct answer a;

        if (!is_wanted(section, clause)) {
            continue;
        }
        if (answer_read(db, cfg_getstr(section, "query"), &a, e) != 0) {
            return -1;
        }
        (*found)++;
        if (format == SINK_TABLE) {
            paragraph_write(out, section, &a);
        } else {
            row_write(sink, section, &a);
        }
    }
    if (format != SINK_TABLE) {
        sink_end(sink);
    }
    return 0;
}
