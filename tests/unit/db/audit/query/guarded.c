/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of others reads views and does nothing else, for as long as it may. */
#include "db/audit/query/guarded.h"

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/mirror/import.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"
#include "tests/unit/db/audit/program_scene.h"

enum { QUICK_MS = 300, /* of what would not end */ PATIENCE_MS = 60000 };

/* Gives the code of the reason, ERR_NONE when it was answered. */
static enum err_code
ask_for(struct mirror *m, const char *sql, int64_t ms, char **text, struct err *e)
{
    const struct guarded question = {.sql = sql, .now = 1800000100, .limit = 10, .ms = ms};
    struct query_result result;
    size_t n = 0;
    FILE *memory = open_memstream(text, &n);
    int failed;

    assert_non_null(memory);
    e->code = ERR_NONE;
    failed = guarded_ask(mirror_sqlite(m), &question, SINK_CSV_RAW, memory, &result, e);
    assert_int_equal(fclose(memory), 0);
    assert_int_equal(failed == 0, e->code == ERR_NONE);
    return e->code;
}

static enum err_code
ask(struct mirror *m, const char *sql, char **text, struct err *e)
{
    return ask_for(m, sql, PATIENCE_MS, text, e);
}

static void
views_answer(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    static const struct {
        const char *sql;
        const char *wanted;
    } rows[] = {
        {"SELECT status, count(*) AS n FROM certificates GROUP BY 1 ORDER BY 1",
         "\"status\",\"n\"\r\n\"confirmed\",1\r\n\"issued\",2\r\n\"rejected\",1\r\n\"revoked\","
         "1\r\n"},
        {"SELECT leaf FROM certificates WHERE leaf < 5", "\"leaf\"\r\n0\r\n4\r\n"},
        {"SELECT count(*) FROM certificates WHERE 0", "\"count(*)\"\r\n0\r\n"},
        {"WITH leaves AS (SELECT leaf FROM certificates WHERE leaf < 5) SELECT * FROM leaves",
         "\"leaf\"\r\n0\r\n4\r\n"},
        {"WITH leaf AS (SELECT 1) SELECT count(*) AS n FROM leaves", "\"n\"\r\n19\r\n"},
        {"SELECT count(*) FROM main.leaves;", "\"count(*)\"\r\n19\r\n"},
        {"SELECT count(*) FROM leaves;", "\"count(*)\"\r\n19\r\n"},
        {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3) SELECT i FROM n "
         "-- end",
         "\"i\"\r\n1\r\n2\r\n3\r\n"},
        {"SELECT hex(sha256(x'')) AS h, sha256(NULL) = sha256('') AS same",
         "\"h\",\"same\"\r\n"
         "\"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\",1\r\n"},
        {"SELECT upper(hex(x'0a')) AS a, x'0a0b' AS b, 1.5 AS c, NULL AS d",
         "\"a\",\"b\",\"c\",\"d\"\r\n\"0A\",\"0a0b\",1.5,\r\n"},
        {"SELECT count(*) AS n FROM activity WHERE time < :now", "\"n\"\r\n19\r\n"},
        {"SELECT accepted FROM position", "\"accepted\"\r\n19\r\n"},
        {"SELECT serial FROM certificates WHERE subject LIKE '%nobody%'", "\"serial\"\r\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = NULL;
        struct err e = {0};

        if (ask(m, rows[i].sql, &text, &e) != ERR_NONE || strcmp(text, rows[i].wanted) != 0) {
            fail_msg("%s: %s%s", rows[i].sql, e.text, text);
        }
        free(text);
    }
}

static void
all_else_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    static const char *const rows[] = {
        "",
        ";",
        "-- nothing",
        "SELEC 1",
        "ATTACH '/tmp/x.db' AS x",
        "DETACH main",
        "PRAGMA query_only = 0",
        "PRAGMA user_version",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_table_info('leaf')",
        "VACUUM INTO '/tmp/x.db'",
        "VACUUM",
        "CREATE TEMP TABLE t(a)",
        "CREATE TABLE t(a)",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE leaf",
        "DELETE FROM leaf",
        "DELETE FROM certificates",
        "INSERT INTO kind VALUES (99, 'x')",
        "INSERT INTO kind VALUES (99, 'x') RETURNING id",
        "UPDATE position SET accepted = 1 RETURNING accepted",
        "BEGIN",
        "ROLLBACK",
        "SAVEPOINT s",
        "ANALYZE",
        "REINDEX",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM leaf",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'x')",
        "SELECT printf('%.*c', 900000000, 'x')",
        "SELECT format('%.*c', 900000000, 'x')",
        "SELECT length(zeroblob(900000000))",
        "SELECT length(randomblob(900000000))",
        "SELECT json_each.value FROM json_each('[1]')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT sqlite_compileoption_get(1)",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_temp_master",
        "WITH v AS (SELECT leaf FROM certificate) SELECT * FROM v",
        "SELECT * FROM (SELECT leaf FROM certificate) AS v",
        "SELECT * FROM dbstat",
        "SELECT count(*) FROM dbstat",
        "SELECT count(*) FROM pragma_database_list",
        "SELECT count(*) FROM json_each('[1]')",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT body FROM bundle",
        "SELECT serial FROM certificate",
        "SELECT leaf FROM certificate",
        "SELECT rowid FROM certificate",
        "SELECT nothing FROM certificates",
        "SELECT * FROM certificates WHERE leaf IN (SELECT leaf FROM certificate)",
        "EXPLAIN DELETE FROM leaf",
        "WITH leaves AS (SELECT n, length(body) FROM bundle) SELECT * FROM leaves",
        "WITH \"LEAVES\"(a) AS MATERIALIZED (SELECT idx FROM leaf) SELECT max(a) FROM leaves",
        "SELECT (WITH leaves AS (SELECT idx FROM main.leaf) SELECT max(idx) FROM leaves)",
        "WITH x AS (WITH leaves AS (SELECT idx FROM leaf) SELECT * FROM leaves) SELECT * FROM x",
        "EXPLAIN WITH leaves AS (SELECT idx FROM leaf) SELECT * FROM leaves",
        "SELECT count(*) FROM leaf",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = NULL;
        struct err e = {0};

        if (ask(m, rows[i], &text, &e) != ERR_INPUT) {
            fail_msg("%s: %s: %s", rows[i], err_code_name(e.code), text);
        }
        free(text);
    }
}

#define THERE_ARE                                                                                  \
    "; there are activity, approvals, ceremonies, certificates, changes, crls, days, findings, "   \
    "leaves, names, outages, refusals, registrations, requests, revocations, staff"

static void
what_there_is_to_be_asked_is_said(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    static const struct {
        const char *sql;
        const char *says;
    } rows[] = {
        {"SELECT * FROM events", "SQL: no such table: events" THERE_ARE},
        {"WITH leaves AS (SELECT idx FROM leaf) SELECT * FROM leaves",
         "SQL: no such table: leaf" THERE_ARE},
        {"DELETE FROM leaf", "SQL: not one SELECT" THERE_ARE},
        {"EXPLAIN SELECT 1", "SQL: not a SELECT"},
        {"EXPLAIN QUERY PLAN SELECT 1", "SQL: not a SELECT"},
        {"SELECT :foo", "SQL: there is :now, and no :foo"},
        {"SELECT :now, ?", "SQL: there is :now, and no ?"},
        {"SELECT serial FROM certificates WHERE serial = ?7", "SQL: there is :now, and no ?"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = NULL;
        struct err e = {0};

        assert_int_equal(ask(m, rows[i].sql, &text, &e), ERR_INPUT);
        assert_string_equal(e.text, rows[i].says);
        free(text);
    }
}

/* A thousand characters, doubled so often that it is longer than anything may be. */
#define LONG_TEXT                                                                                  \
    "WITH RECURSIVE t(x) AS (SELECT 'aaaaaaaaaaaaaaaa' UNION ALL SELECT x||x FROM t WHERE "        \
    "length(x) < 300000) "
#define NUMBERS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "

static void
what_would_not_end_is_stopped(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    static const char *const rows[] = {
        NUMBERS "SELECT count(*) FROM n",
        NUMBERS "SELECT max(i) FROM n ORDER BY 1",
        NUMBERS "SELECT i FROM n ORDER BY i DESC", /* sorts in memory until time or memory is up */
        "SELECT count(*) FROM leaves a, leaves b, leaves c, leaves d, leaves e, leaves f, leaves g",
        NUMBERS
        "SELECT count(*) FROM n WHERE 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' LIKE "
        "'%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b' OR i < 0",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int64_t begin = clock_monotonic_ms();
        char *text = NULL;
        struct err e = {0};

        if (ask_for(m, rows[i], QUICK_MS, &text, &e) != ERR_BUSY) {
            fail_msg("%s: %s: %s", rows[i], e.text, text);
        }
        assert_true(clock_monotonic_ms() - begin < 60000); /* an endless one is not ended by luck */
        free(text);
    }
}

static void
what_is_too_long_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    static const char *const rows[] = {
        LONG_TEXT "SELECT length(x || x || x || x || x) FROM t ORDER BY 1 DESC LIMIT 1",
        LONG_TEXT "SELECT length(replace(x, 'a', x)) FROM t ORDER BY 1 DESC LIMIT 1",
        NUMBERS "SELECT length(group_concat('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')) FROM "
                "(SELECT i FROM n LIMIT 100000)",
        "SELECT 'a' LIKE "
        "'%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a"
        "%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a'",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = NULL;
        struct err e = {0};
        const enum err_code code = ask_for(m, rows[i], QUICK_MS, &text, &e);

        if (code != ERR_INPUT && code != ERR_BUSY) {
            fail_msg("%s: %s: %s", rows[i], e.text, text);
        }
        free(text);
    }
}

static void
a_connection_that_cannot_be_guarded_is_not_asked(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    const struct guarded question = {.sql = "SELECT 1", .limit = 1, .ms = GUARDED_MS};
    struct query_result result;
    struct err e = {0};

    (void)sqlite3_limit(mirror_sqlite(m), SQLITE_LIMIT_SQL_LENGTH, 20);
    assert_err(guarded_ask(mirror_sqlite(m), &question, SINK_CSV, stdout, &result, &e), ERR_STORE,
               &e);
}

/* What may be named is known by the schema. */
static void
a_schema_with_names_that_are_no_names_is_not_asked(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    char *text = NULL;
    struct err e = {0};

    assert_int_equal(sqlite3_exec(mirror_sqlite(m),
                                  "PRAGMA query_only = 0; CREATE VIEW \"a\"\"b\" AS SELECT 1 AS x",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(ask(m, "SELECT 1", &text, &e), ERR_STORE);
    free(text);
}

static void
rows_have_an_end_which_is_told(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_here(s->l.dir);
    const struct guarded question = {
        .sql = "SELECT leaf FROM leaves", .limit = 10, .ms = GUARDED_MS};
    struct query_result result;
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    struct err e = {0};

    assert_non_null(memory);
    assert_ok(guarded_ask(mirror_sqlite(m), &question, SINK_JSONL, memory, &result, &e), &e);
    assert_int_equal(fclose(memory), 0);
    assert_int_equal(result.rows, 10);
    assert_true(result.is_cut);
    assert_says(text, "{\"leaf\":9}\n");
    assert_null(strstr(text, "{\"leaf\":10}"));
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(views_answer),
        SCENE(all_else_is_refused),
        SCENE(what_there_is_to_be_asked_is_said),
        SCENE(what_would_not_end_is_stopped),
        SCENE(what_is_too_long_is_refused),
        SCENE(a_connection_that_cannot_be_guarded_is_not_asked),
        SCENE(a_schema_with_names_that_are_no_names_is_not_asked),
        SCENE(rows_have_an_end_which_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
