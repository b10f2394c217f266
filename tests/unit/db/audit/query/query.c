/* SPDX-License-Identifier: Apache-2.0 */
/* Questions with known answers, of a ledger with one of everything. */
#include "db/audit/query/query.h"

#include <stdlib.h>
#include <string.h>

#include "db/audit/mirror/import.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"
#include "tests/unit/db/audit/program_scene.h"

enum { NOW = 1800000100 };

struct typed {
    enum filter filter;
    const char *value;
};

/* The rows as CSV, without the names. */
static char *
ask(struct mirror *m, const struct query *query, struct query_result *result)
{
    CLEANUP(mem_cleanup) char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    struct err e = {0};
    const char *body;

    assert_non_null(memory);
    assert_ok(query_check(query, &e), &e);
    assert_ok(query_ask(mirror_sqlite(m), query, SINK_CSV_RAW, memory, result, &e), &e);
    assert_int_equal(fclose(memory), 0);
    body = strstr(text, "\r\n");
    assert_non_null(body);
    return mem_strdup(body + 2);
}

static void
assert_leaves(struct mirror *m, const char *noun, const struct typed *typed, size_t n,
              const char *leaves)
{
    struct query query = {.noun = noun_find(noun), .columns = "leaf", .now = NOW};
    CLEANUP(mem_cleanup) char *got = NULL;
    struct query_result result;

    assert_non_null(query.noun);
    for (size_t i = 0; i < n; i++) {
        query.filters.typed[typed[i].filter] = typed[i].value;
    }
    got = ask(m, &query, &result);
    for (char *p = got; *p != '\0'; p++) {
        if (*p == '\r' || *p == '\n') {
            *p = ' ';
        }
    }
    if (strcmp(got, leaves) != 0) {
        fail_msg("%s --%s %s: %s instead of %s", noun, filter_option(typed[0].filter),
                 typed[0].value, got, leaves);
    }
}

static void
each_filter_finds_what_it_names(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    const struct {
        const char *noun;
        struct typed typed[3];
        const char *leaves;
    } rows[] = {
        {"certificates", {{FILTER_NF, AUDIT_NF}}, "4  8  11  14  "},
        {"certificates", {{FILTER_NF, "6BA7B810-9DAD-41D1-80B4-00C04FD430C8"}}, "4  8  11  14  "},
        {"certificates", {{FILTER_NF, "x"}}, ""},
        {"certificates", {{FILTER_SERIAL, s->confirmed.serial}}, "8  "},
        {"certificates", {{FILTER_REQUEST, s->confirmed.rid}}, "8  "},
        {"certificates", {{FILTER_REGISTRATION, AUDIT_REGISTRATION}}, "4  8  11  14  "},
        {"certificates", {{FILTER_SUBJECT, "registrar"}}, "0  "},
        {"certificates", {{FILTER_SUBJECT, "%"}}, ""},
        {"certificates", {{FILTER_NAME, "AMF1.5gc.example"}}, "0  4  8  11  14  "},
        {"certificates", {{FILTER_NAME, "*.5gc.example"}}, "0  4  8  11  14  "},
        {"certificates", {{FILTER_NAME, "5gc.example"}}, ""},
        {"certificates", {{FILTER_PROFILE, "registrar"}}, "0  "},
        {"certificates", {{FILTER_STATUS, "revoked"}}, "4  "},
        {"certificates", {{FILTER_STATUS, "live"}}, "0  8  14  "},
        {"certificates", {{FILTER_STATUS, "expired"}}, ""},
        {"certificates", {{FILTER_REASON, "keyCompromise"}}, "4  "},
        {"certificates", {{FILTER_REASON, "1"}}, "4  "},
        {"certificates", {{FILTER_REASON, "superseded"}}, ""},
        {"certificates", {{FILTER_SINCE, "2027-01-15T08:00:08Z"}}, "8  11  14  "},
        {"certificates", {{FILTER_UNTIL, "2027-01-15T08:00:08Z"}}, "0  4  8  "},
        {"certificates",
         {{FILTER_SINCE, "2027-01-15"}, {FILTER_UNTIL, "2027-01-15"}},
         "0  4  8  11  14  "},
        {"certificates", {{FILTER_UNTIL, "2027-01-14"}}, ""},
        {"certificates", {{FILTER_REGISTRAR, s->registrar.serial}}, "4  8  11  14  "},
        {"certificates", {{FILTER_REGISTRAR, "Registrar One"}}, "4  8  11  14  "},
        {"certificates", {{FILTER_REGISTRAR, "Two"}}, ""},
        {"certificates", {{FILTER_OFFICER, "any"}}, ""},
        {"certificates", {{FILTER_RA, "any"}}, ""},
        {"certificates", {{FILTER_EXPIRES_WITHIN, "1"}}, "0  8  14  "},
        {"certificates", {{FILTER_EXPIRES_WITHIN, "0"}}, ""},
        {"certificates",
         {{FILTER_STATUS, "confirmed"}, {FILTER_NF, AUDIT_NF}, {FILTER_PROFILE, "nf-tls"}},
         "8  "},
        {"registrations", {{FILTER_REGISTRAR, "registrar one"}}, "2  "},
        {"registrations", {{FILTER_STATUS, "live"}}, "2  "},
        {"registrations", {{FILTER_STATUS, "expired"}}, ""},
        {"registrations", {{FILTER_NEVER_USED, ""}}, ""},
        {"registrations", {{FILTER_EXPIRES_WITHIN, "2"}}, "2  "},
        {"requests", {{FILTER_STATUS, "rejected"}}, "10  "},
        {"requests", {{FILTER_SERIAL, s->issued.serial}}, "13  "},
        {"requests", {{FILTER_NF, AUDIT_NF}}, "3  7  10  13  "},
        {"revocations", {{FILTER_REASON, "KEYCOMPROMISE"}}, "18  "},
        {"revocations", {{FILTER_BY, "officer"}}, "18  "},
        {"staff", {{FILTER_PROFILE, "registrar"}}, "0  "},
        {"staff", {{FILTER_PROFILE, "officer"}}, ""},
        {"events", {{FILTER_REGISTRAR, "One"}}, "2  "},
        {"events", {{FILTER_SERIAL, s->revoked.serial}}, "4  5  6  18  "},
        {"events", {{FILTER_ACTION, "confirm"}}, "6  16  "},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = 0;

        while (n < 3 && rows[i].typed[n].value != NULL) {
            n++;
        }
        assert_leaves(m, rows[i].noun, rows[i].typed, n, rows[i].leaves);
    }
}

/* What has run out, says the time of the question. */
static void
what_is_expired_depends_on_when_it_is_asked(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    struct query query = {.noun = noun_find("certificates"),
                          .columns = "leaf,expired",
                          .now = NOW + 86400,
                          .filters.typed[FILTER_STATUS] = "expired",
                          .filters.typed[FILTER_NF] = AUDIT_NF};
    struct query_result result;
    CLEANUP(mem_cleanup) char *got = ask(m, &query, &result);

    assert_string_equal(got, "true,4\r\ntrue,8\r\ntrue,11\r\ntrue,14\r\n");
    assert_true(result.has_clock);
    assert_int_equal(result.rows, 4);
    query.filters.typed[FILTER_STATUS] = NULL;
    query.columns = NULL;
    mem_free(got);
    got = ask(m, &query, &result);
    assert_false(result.has_clock);
}

static void
every_noun_can_be_asked_for_every_column_and_filter(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);

    for (size_t i = 0; i < n_nouns; i++) {
        CLEANUP(mem_cleanup) char *columns = mem_strdup("leaf");
        struct query query = {.noun = &nouns[i], .now = NOW};
        struct query_result result;

        for (const struct noun_column *c = nouns[i].columns; c->name != NULL; c++) {
            char *more = mem_printf("%s,%s", columns, c->name);

            mem_free(columns);
            columns = more;
        }
        query.columns = columns;
        mem_free(ask(m, &query, &result));
        query.columns = NULL;
        mem_free(ask(m, &query, &result));
        for (int f = 0; f < FILTERS; f++) {
            const char *words = nouns[i].words[f];

            query.filters = (struct filters){0};
            if (nouns[i].conditions[f] != NULL && words == NULL) {
                query.filters.typed[f] =
                    f == FILTER_SINCE || f == FILTER_UNTIL ? "2027-01-15" : "10";
                mem_free(ask(m, &query, &result));
            }
            for (int n = 0; n < 25 && words != NULL && *words != '\0';
                 n++, words += strcspn(words, "|")) {
                char word[32];

                words += strspn(words, "|");
                (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(words, "|"), words);
                query.filters.typed[f] = word;
                mem_free(ask(m, &query, &result));
            }
        }
    }
}

static void
a_limit_says_that_there_are_more(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    struct query query = {.noun = noun_find("certificates"), .columns = "leaf", .limit = 2};
    struct query_result result;

    mem_free(ask(m, &query, &result));
    assert_int_equal(result.rows, 2);
    assert_true(result.is_cut);
    query.limit = 5;
    mem_free(ask(m, &query, &result));
    assert_int_equal(result.rows, 5);
    assert_false(result.is_cut);
}

/* Each says what is wrong, and what there is instead. */
static void
a_question_that_makes_no_sense_is_refused(void **state)
{
    const struct {
        const char *noun;
        const char *columns;
        struct typed typed;
        const char *says;
    } rows[] = {
        {"certificates", "leaf", {FILTER_PLACE, "CA"}, "certificates have no --place, but --nf"},
        {"ceremonies",
         "leaf",
         {FILTER_NF, "x"},
         "ceremonies have no --nf, but --name --since --until --by"},
        {"crls", "serial", {FILTER_SINCE, "2027-01-15"}, "crls have no column serial, but number"},
        {"crls", "number,", {FILTER_SINCE, "2027-01-15"}, "crls have no column , but number"},
        {"crls", "number,leaf,number", {FILTER_SINCE, "2027-01-15"}, "column number twice"},
        {"certificates", "leaf", {FILTER_SERIAL, "xyz"}, "--serial: hexadecimal"},
        {"certificates", "leaf", {FILTER_SINCE, "yesterday"}, "--since: a time is YYYY-MM-DD"},
        {"certificates", "leaf", {FILTER_UNTIL, "2027-02-30"}, "--until: a time is YYYY-MM-DD"},
        {"certificates", "leaf", {FILTER_EXPIRES_WITHIN, "x"}, "--expires-within: days, at most"},
        {"certificates", "leaf", {FILTER_EXPIRES_WITHIN, "99999"}, "--expires-within: days"},
        {"certificates",
         "leaf",
         {FILTER_STATUS, "revokd"},
         "--status of certificates is one of: pending | issued | confirmed | rejected | revoked | "
         "live | "
         "expired"},
        {"certificates", "leaf", {FILTER_STATUS, "Revoked"}, "--status of certificates is one of"},
        {"certificates", "leaf", {FILTER_STATUS, "live expired"}, "--status of certificates is"},
        {"staff", "leaf", {FILTER_STATUS, ""}, "--status of staff is one of: pending | issued"},
        {"registrations",
         "leaf",
         {FILTER_STATUS, "revoked"},
         "--status of registrations is one of: live | cancelled | superseded | expired"},
        {"requests", "leaf", {FILTER_STATUS, "live"}, "--status of requests is one of: refused"},
        {"approvals",
         "leaf",
         {FILTER_STATUS, "approved"},
         "--status of approvals is one of: approve | reject"},
        {"refusals", "leaf", {FILTER_PLACE, "XX"}, "--place of refusals is one of: CA | RA"},
        {"outages",
         "leaf",
         {FILTER_ACTION, "power"},
         "--action of outages is one of: stop | crash | clock | crl"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct query query = {.noun = noun_find(rows[i].noun), .columns = rows[i].columns};
        struct err e = {0};

        query.filters.typed[rows[i].typed.filter] = rows[i].typed.value;
        assert_err(query_check(&query, &e), ERR_INPUT, &e);
        assert_says(e.text, rows[i].says);
    }
    assert_null(noun_find("passwords"));
}

/* Of words that a record has of its own, too. */
static void
a_word_that_no_record_has_is_refused_with_those_of_this_one(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    const struct {
        const char *noun;
        struct typed typed;
        const char *says; /* NULL: it is an answer, be it none */
    } rows[] = {
        {"events", {FILTER_ACTION, "revoked"}, "--action of events is one of: register | cancel"},
        {"events", {FILTER_ACTION, "rev"}, " | adopt | backup | backup, refused"},
        {"events", {FILTER_ACTION, "backup"}, NULL},
        {"events", {FILTER_ACTION, "request again"}, NULL},
        {"certificates", {FILTER_PROFILE, "nf-tsl"}, "--profile of certificates is one of: nf-tls"},
        {"certificates", {FILTER_PROFILE, "nf-tsl"}, "| adopted | own"},
        {"certificates", {FILTER_PROFILE, "own"}, NULL},
        {"certificates", {FILTER_PROFILE, "nf-tls-server"}, NULL},
        {"registrations", {FILTER_PROFILE, "officer"}, "is one of: nf-tls | nf-tls-client"},
        {"staff", {FILTER_PROFILE, "nf-tls"}, "--profile of staff is one of: ra-cmp"},
        {"requests", {FILTER_NF_TYPE, "amf-1"}, "--nf-type of requests is one of: 5G_DDNMF"},
        {"requests", {FILTER_NF_TYPE, "NEF"}, NULL},
        {"certificates", {FILTER_NF_TYPE, "' OR 1=1 --"}, "--nf-type of certificates is one of"},
        {"certificates", {FILTER_PROFILE, "' OR 1=1 --"}, "--profile of certificates is one of"},
    };
    char *text = NULL;

    assert_int_equal(sqlite3_exec(mirror_sqlite(m),
                                  "PRAGMA query_only = 0;"
                                  "INSERT INTO command VALUES (3, 9, 'backup', 'me', 'done', NULL, "
                                  "NULL, NULL), (4, 9, 'backup', 'me', 'refused', NULL, NULL, "
                                  "NULL), (5, 9, 'x\x1b', 'me', 'done', NULL, NULL, NULL);"
                                  "INSERT INTO day VALUES (0, 1, 0, 'own', -1, 1)",
                                  NULL, NULL, &text),
                     SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct query query = {.noun = noun_find(rows[i].noun), .now = NOW};
        struct query_result result;
        struct err e = {0};

        query.filters.typed[rows[i].typed.filter] = rows[i].typed.value;
        if (rows[i].says == NULL) {
            mem_free(ask(m, &query, &result));
            continue;
        }
        assert_err(query_ask(mirror_sqlite(m), &query, SINK_TABLE, stdout, &result, &e), ERR_INPUT,
                   &e);
        assert_says(e.text, rows[i].says);
        assert_null(strchr(e.text, '\x1b'));
    }
}

static int
stop(void *arg)
{
    (void)arg;
    return 1;
}

static void
a_mirror_that_cannot_be_read_gives_no_answer(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    const struct query query = {.noun = noun_find("certificates")};
    struct query_result result;
    sqlite3 *empty = NULL;
    struct err e = {0};

    assert_int_equal(sqlite3_open(":memory:", &empty), SQLITE_OK);
    assert_err(query_ask(empty, &query, SINK_TABLE, stdout, &result, &e), ERR_STORE, &e);
    assert_says(e.text, "mirror: no such table: certificates");
    assert_int_equal(sqlite3_close(empty), SQLITE_OK);
    sqlite3_progress_handler(mirror_sqlite(m), 1, stop, NULL);
    assert_err(query_ask(mirror_sqlite(m), &query, SINK_TABLE, stdout, &result, &e), ERR_STORE, &e);
    assert_says(e.text, "mirror: interrupted");
}

/* What was typed is never read as SQL. */
static void
a_value_is_a_value(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    static const enum filter texts[] = {FILTER_NF,     FILTER_SUBJECT,   FILTER_NAME,
                                        FILTER_REASON, FILTER_REGISTRAR, FILTER_OFFICER};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct typed typed = {texts[i], "' OR 1=1 --"};

        assert_leaves(m, "certificates", &typed, 1, "");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(each_filter_finds_what_it_names),
        SCENE(what_is_expired_depends_on_when_it_is_asked),
        SCENE(every_noun_can_be_asked_for_every_column_and_filter),
        SCENE(a_limit_says_that_there_are_more),
        cmocka_unit_test(a_question_that_makes_no_sense_is_refused),
        SCENE(a_word_that_no_record_has_is_refused_with_those_of_this_one),
        SCENE(a_mirror_that_cannot_be_read_gives_no_answer),
        SCENE(a_value_is_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
