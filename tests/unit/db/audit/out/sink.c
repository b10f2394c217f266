/* SPDX-License-Identifier: Apache-2.0 */
/* One answer in each format. */
#include "db/audit/out/sink.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static const char *const columns[] = {"serial", "name", "count", "at", "ok"};

static char *
written(enum sink_format format, const struct cell *cells, size_t rows, const char *const *names,
        size_t n)
{
    char *got = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&got, &size);
    struct err e = {0};
    CLEANUP(sink_cleanup) struct sink *sink = sink_new(format, memory, names, n, &e);

    assert_non_null(sink);
    for (size_t i = 0; i < rows; i++) {
        sink_row(sink, cells + i * n);
    }
    sink_end(sink);
    assert_int_equal(fclose(memory), 0);
    return got;
}

static void
an_answer_is_the_same_in_each_format(void **state)
{
    const struct cell rows[2][5] = {
        {{.kind = CELL_HEX, .text = SPAN_LITERAL("75e4")},
         {.kind = CELL_TEXT, .text = SPAN_LITERAL("=1+1")},
         {.kind = CELL_INT, .number = -7},
         {.kind = CELL_TIME, .number = 1800000000},
         {.kind = CELL_BOOL, .number = 1}},
        {{.kind = CELL_HEX, .text = SPAN_LITERAL("0123456789")},
         {.kind = CELL_NONE},
         {.kind = CELL_INT, .number = INT64_C(9007199254740992)},
         {.kind = CELL_NONE},
         {.kind = CELL_BOOL}},
    };
    static const struct {
        enum sink_format format;
        const char *wanted;
    } formats[] = {
        {SINK_TABLE, "serial      name  count             at                    ok\n"
                     "75e4        =1+1  -7                2027-01-15T08:00:00Z  true\n"
                     "0123456789  -     9007199254740992  -                     false\n"},
        {SINK_CSV, "\"serial\",\"name\",\"count\",\"at\",\"ok\"\r\n"
                   "\"0x75e4\",\"'=1+1\",-7,\"2027-01-15T08:00:00Z\",true\r\n"
                   "\"0x0123456789\",,9007199254740992,,false\r\n"},
        {SINK_CSV_RAW, "\"serial\",\"name\",\"count\",\"at\",\"ok\"\r\n"
                       "\"75e4\",\"=1+1\",-7,\"2027-01-15T08:00:00Z\",true\r\n"
                       "\"0123456789\",,9007199254740992,,false\r\n"},
        {SINK_JSONL, "{\"at\":\"2027-01-15T08:00:00Z\",\"count\":-7,\"name\":\"=1+1\",\"ok\":true,"
                     "\"serial\":\"75e4\"}\n"
                     "{\"at\":null,\"count\":\"9007199254740992\",\"name\":null,\"ok\":false,"
                     "\"serial\":\"0123456789\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char *got = written(formats[i].format, rows[0], 2, columns, 5);

        assert_string_equal(got, formats[i].wanted);
        free(got);
    }
}

static void
numbers_that_are_none_and_json_of_ours(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    const struct cell row[] = {{.kind = CELL_REAL, .real = 0.5},
                               {.kind = CELL_REAL, .real = (double)INFINITY},
                               {.kind = CELL_VALUE, .text = SPAN_LITERAL("{\"x\":1}")}};
    char *json = written(SINK_JSONL, row, 1, names, 3);
    char *csv = written(SINK_CSV, row, 1, names, 3);

    (void)state;
    assert_string_equal(json, "{\"a\":0.5,\"b\":null,\"c\":{\"x\":1}}\n");
    assert_string_equal(csv, "\"a\",\"b\",\"c\"\r\n0.5,,\"{\"\"x\"\":1}\"\r\n");
    free(json);
    free(csv);
}

/* The first rows say how wide a table is; what comes behind them is not lost. */
static void
a_long_table_has_all_rows(void **state)
{
    enum { ROWS = 1000 };
    static const char *const names[] = {"n", "m"};
    struct cell *rows = mem_zalloc((size_t)2 * ROWS, sizeof(rows[0]));
    size_t lines = 0;
    char *got;

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        rows[(size_t)2 * (size_t)i] = (struct cell){.kind = CELL_INT, .number = i * i};
        rows[(size_t)2 * (size_t)i + 1] = (struct cell){.kind = CELL_INT, .number = i};
    }
    got = written(SINK_TABLE, rows, ROWS, names, 2);
    for (const char *p = got; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    assert_int_equal(lines, ROWS + 1);
    assert_non_null(strstr(got, "\n998001  999\n"));
    free(got);
    mem_free(rows);
}

static void
two_columns_of_one_name_are_no_object(void **state)
{
    static const char *const names[] = {"a", "b", "a"};
    struct err e = {0};

    (void)state;
    assert_null(sink_new(SINK_JSONL, stdout, names, 3, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "two columns have one name"));
}

static void
a_format_has_a_name(void **state)
{
    enum sink_format format = SINK_TABLE;
    struct err e = {0};

    (void)state;
    assert_ok(sink_format_parse("csv", &format, &e), &e);
    assert_int_equal(format, SINK_CSV);
    assert_ok(sink_format_parse("jsonl", &format, &e), &e);
    assert_int_equal(format, SINK_JSONL);
    assert_ok(sink_format_parse("table", &format, &e), &e);
    assert_int_equal(format, SINK_TABLE);
    assert_err(sink_format_parse("xml", &format, &e), ERR_INPUT, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_the_same_in_each_format),
        cmocka_unit_test(numbers_that_are_none_and_json_of_ours),
        cmocka_unit_test(a_long_table_has_all_rows),
        cmocka_unit_test(two_columns_of_one_name_are_no_object),
        cmocka_unit_test(a_format_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
