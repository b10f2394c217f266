/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No question reads a whole table that grows with what is issued: how SQLite answers each noun with
 * each filter, each word of --status, and each column that it is sorted by, by its own account. The
 * plan is the same at any size: it rests on no statistics.
 */
#include "db/audit/query/query.h"

#include <stdlib.h>
#include <string.h>

#include "db/audit/mirror/import.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

enum { NOW = 1800000100, PLAN_MAX = 1 << 16 };

/* Of these there are few, however much is issued. */
static const char *const SMALL[] = {
    "position",     "p",   "span", "kind",   "k",        "operation", "o",          "decider",
    "ceremony",     "crl", "gap",  "signed", "adoption", "command",   "crl_intent", "configuration",
    "cancellation", "b",   "s",
};

/* What reads all of them, and why. */
static const struct {
    const char *noun;
    enum filter filter;
    const char *why;
} ALL[] = {
    {"certificates", FILTER_SUBJECT, "a part of it may stand anywhere"},
    {"revocations", FILTER_SUBJECT, "a part of it may stand anywhere"},
    {"revocations", FILTER_BY, "a part of it may stand anywhere"},
    {"approvals", FILTER_SUBJECT, "a part of it may stand anywhere"},
    {"approvals", FILTER_REASON, "a part of it may stand anywhere"},
    {"approvals", FILTER_BY, "a part of it may stand anywhere"},
    {"requests", FILTER_REASON, "of refusals: a part of it may stand anywhere"},
    {"refusals", FILTER_REASON, "a part of it may stand anywhere"},
    {"refusals", FILTER_REQUEST, "of the RA's there are only lines that count"},
    {"refusals", FILTER_PLACE, "one half of it or the other is all that is answered"},
    {"events", FILTER_ACTION, "what there is of an action is all of a table"},
    {"events", FILTER_OFFICER, "a part of the subject may stand anywhere"},
    {"events", FILTER_REGISTRAR, "what is of another role is passed over before its first row"},
    {"events", FILTER_RA, "what is of another role is passed over before its first row"},
    {"events", FILTER_BY, "a part of it may stand anywhere"},
    {"registrations", FILTER_PROFILE, "nearly all of them allow nearly all profiles"},
};

static const char *
value_of(enum filter filter)
{
    switch (filter) {
    case FILTER_SERIAL:
    case FILTER_REQUEST:
    case FILTER_REGISTRATION:
    case FILTER_SPKI:
    case FILTER_ISSUER:
        return "0123456789abcdef";
    case FILTER_SINCE:
    case FILTER_UNTIL:
        return "2027-01-15";
    case FILTER_EXPIRES_WITHIN:
        return "7";
    case FILTER_REASON:
        return "superseded";
    case FILTER_NAME:
        return "amf1.5gc.example";
    case FILTER_NF:
    case FILTER_NF_TYPE:
    case FILTER_SUBJECT:
    case FILTER_PROFILE:
    case FILTER_STATUS:
    case FILTER_REGISTRAR:
    case FILTER_OFFICER:
    case FILTER_RA:
    case FILTER_NEVER_USED:
    case FILTER_ACTION:
    case FILTER_PLACE:
    case FILTER_BY:
    case FILTERS:
        break;
    }
    return "x";
}

/* ---- how it is answered ---- */

static char *asked; /* the newest statement, with its values */

static int
note(unsigned what, void *arg, void *statement, void *sql)
{
    const char *text = sql;

    (void)what;
    (void)arg;
    if (strncmp(text, "SELECT", strlen("SELECT")) == 0) {
        char *expanded = sqlite3_expanded_sql(statement);

        mem_free(asked);
        asked = mem_strdup(expanded);
        sqlite3_free(expanded);
    }
    return 0;
}

static char *
plan_of(struct mirror *m, const struct query *q)
{
    CLEANUP(buf_free) struct buf plan = BUF_INIT(PLAN_MAX);
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup) char *answer = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&answer, &n);
    sqlite3 *db = mirror_sqlite(m);
    sqlite3_stmt *statement = NULL;
    struct query_result result;
    struct err e = {0};

    assert_int_equal(sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note, NULL), SQLITE_OK);
    assert_ok(query_ask(db, q, SINK_CSV_RAW, memory, &result, &e), &e);
    assert_int_equal(fclose(memory), 0);
    assert_int_equal(sqlite3_trace_v2(db, 0, NULL, NULL), SQLITE_OK);
    assert_non_null(asked);
    text = mem_printf("EXPLAIN QUERY PLAN %s", asked);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        assert_ok(buf_append_str(&plan, (const char *)sqlite3_column_text(statement, 3), &e), &e);
        assert_ok(buf_append_str(&plan, "\n", &e), &e);
    }
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return mem_printf("%.*s", (int)plan.n, (const char *)plan.p);
}

static bool
is_small(const char *name)
{
    const size_t n = strcspn(name, " \n");

    for (size_t i = 0; i < ARRAY_LEN(SMALL); i++) {
        if (strlen(SMALL[i]) == n && strncmp(SMALL[i], name, n) == 0) {
            return true;
        }
    }
    return *name == '(' || strncmp(name, "CONSTANT", n) == 0;
}

/* All rows up to the accepted size are all rows, too; so are those of an index made for this. */
static bool
has_no_begin(const char *line)
{
    static const char *const ranges[] = {"(rowid<?)", "(leaf<?)", "(issued<?)", "(confirmed<?)",
                                         "(rejected<?)"};
    CLEANUP(mem_cleanup) char *one = mem_printf("%.*s", (int)strcspn(line, "\n"), line);

    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (strstr(one, ranges[i]) != NULL || strstr(one, "AUTOMATIC") != NULL) {
            return true;
        }
    }
    return false;
}

/* A line of the plan that reads a table that grows from one end to the other; NULL: there is none.
 */
static const char *
scan_in(const char *plan, bool from_the_first)
{
    for (const char *line = plan; *line != '\0'; line = strchr(line, '\n') + 1) {
        const bool scans = strncmp(line, "SCAN ", strlen("SCAN ")) == 0;
        const bool searches = strncmp(line, "SEARCH ", strlen("SEARCH ")) == 0;

        if ((scans || (searches && !from_the_first && has_no_begin(line))) &&
            !is_small(strchr(line, ' ') + 1)) {
            return line;
        }
    }
    return NULL;
}

static bool
reads_all(const struct noun *noun, enum filter filter)
{
    for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
        if (strcmp(ALL[i].noun, noun->name) == 0 && ALL[i].filter == filter) {
            return true;
        }
    }
    return false;
}

static size_t
fault_in(struct mirror *m, const struct query *q, enum filter filter, bool in_order)
{
    CLEANUP(mem_cleanup) char *plan = plan_of(m, q);
    const char *scan = scan_in(plan, filter == FILTER_UNTIL);
    const bool sorts = strstr(plan, "TEMP B-TREE FOR ORDER BY") != NULL;

    if ((scan != NULL) != reads_all(q->noun, filter) || (in_order && sorts)) {
        print_error("list %s --%s %s: %.*s%s\n%s\n%s\n", q->noun->name, filter_option(filter),
                    q->filters.typed[filter], scan == NULL ? 0 : (int)strcspn(scan, "\n"),
                    scan == NULL ? "" : scan, in_order && sorts ? ", and sorts" : "", plan, asked);
        return 1;
    }
    return 0;
}

/* With each word that it may be, or the first one where all of them are asked alike. */
static size_t
faults_in(struct mirror *m, const struct noun *noun, enum filter filter)
{
    const bool few = strcmp(noun->name, "staff") == 0;
    const bool in_order = (noun->common >> filter & 1) != 0 || filter == FILTER_SINCE ||
                          filter == FILTER_UNTIL || filter == FILTER_EXPIRES_WITHIN;
    const char *words = noun->words[filter] == NULL ? value_of(filter) : noun->words[filter];
    size_t faults = 0;

    do {
        CLEANUP(mem_cleanup) char *word = mem_printf("%.*s", (int)strcspn(words, "|"), words);
        struct query q = {.noun = noun, .now = NOW};

        q.filters.typed[filter] = word;
        faults += fault_in(m, &q, filter, !few && in_order);
        words += strlen(word);
        words += strspn(words, "|");
    } while (filter == FILTER_STATUS && *words != '\0');
    return faults;
}

/* Findings are few, or somebody has other cares. */
static void
no_filter_reads_a_table_that_grows(void **state)
{
    struct scene *s = *state;
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(s->l.dir, NULL, &e);
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_of(log, &e);
    size_t faults = 0;

    assert_ok(m == NULL ? -1 : 0, &e);
    for (size_t i = 0; i < n_nouns; i++) {
        for (int f = 0; strcmp(nouns[i].name, "findings") != 0 && f < FILTERS; f++) {
            if (nouns[i].conditions[f] != NULL) {
                faults += faults_in(m, &nouns[i], (enum filter)f);
            }
        }
    }
    mem_free(asked);
    asked = NULL;
    assert_int_equal(faults, 0);
}

/* Lists that grow with the record are in the order of an index, where they are sorted; those that
 * name no column for it never have many rows. */
static void
what_is_sorted_by_has_an_index(void **state)
{
    static const char *const few[] = {"staff", "ceremonies", "crls", "changes"};
    struct scene *s = *state;
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(s->l.dir, NULL, &e);
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_of(log, &e);
    size_t faults = 0;

    assert_ok(m == NULL ? -1 : 0, &e);
    for (size_t i = 0; i < n_nouns; i++) {
        bool is_few = nouns[i].several;

        for (size_t k = 0; k < ARRAY_LEN(few); k++) {
            is_few = is_few || strcmp(nouns[i].name, few[k]) == 0;
        }
        assert_int_equal(nouns[i].sorted == NULL, is_few);
        for (const struct noun_column *c = nouns[i].columns; !is_few && c->name != NULL; c++) {
            for (int way = 0; way < 2 && noun_is_sorted_by(&nouns[i], c->name); way++) {
                struct query q = {
                    .noun = &nouns[i], .now = NOW, .sort = c->name, .descending = way > 0};
                CLEANUP(mem_cleanup) char *plan = plan_of(m, &q);

                if (strstr(plan, "TEMP B-TREE FOR ORDER BY") != NULL) {
                    print_error("list %s by %s: %s\n%s\n", q.noun->name, c->name, plan, asked);
                    faults++;
                }
            }
        }
    }
    mem_free(asked);
    asked = NULL;
    assert_int_equal(faults, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(no_filter_reads_a_table_that_grows),
        SCENE(what_is_sorted_by_has_an_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
