/* SPDX-License-Identifier: Apache-2.0 */
/* Each clause's question is asked of a record with everything in it. */
#include "db/audit/evidence/evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit/mirror/import.h"
#include "db/audit/mirror/mirror.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"

static struct history h;
static struct history_told told;
static struct mirror *mirror;

static int
setup(void **state)
{
    (void)state;
    history_begin(&h, 1768204800);
    history_tell(&h, &told);
    mirror = mirror_here(h.l.dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_close(mirror);
    history_end(&h);
    return 0;
}

/* What is said of the clause; freed by whoever asks. */
static char *
say(const char *clause, enum sink_format format, size_t *found)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct err e = {0};

    assert_non_null(out);
    assert_ok(evidence_write(mirror_sqlite(mirror), clause, format, out, found, &e), &e);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void
must_say(const char *clause, const char *wanted)
{
    size_t found;
    char *text = say(clause, SINK_TABLE, &found);

    if (strstr(text, wanted) == NULL) {
        fail_msg("%s: no \"%s\" in: %s", clause, wanted, text);
    }
    free(text);
}

static void
every_question_can_be_asked(void **state)
{
    size_t all;
    size_t found;
    char *text = say(NULL, SINK_TABLE, &all);

    (void)state;
    assert_true(all > 25);
    free(text);
    text = say(NULL, SINK_JSONL, &found);
    assert_int_equal(found, all);
    assert_non_null(strstr(text, "\"clause\":\"BR 5.4.1(1)4\",\"firstLeaf\":null"));
    free(text);
    text = say("a.8.", SINK_CSV, &found);
    assert_int_equal(found, 2);
    assert_non_null(strstr(text, "\"clause\",\"of\""));
    free(text);
    text = say("no such clause", SINK_TABLE, &found);
    assert_int_equal(found, 0);
    assert_string_equal(text, "");
    free(text);
}

static void
what_the_record_says_is_counted(void **state)
{
    CLEANUP(mem_cleanup)
    char *issued = mem_printf("rows         %" PRIu64 ", leaves ", h.kinds[LEAF_ISSUED]);
    CLEANUP(mem_cleanup)
    char *crls = mem_printf("rows         %" PRIu64 ", leaves ", h.kinds[LEAF_CRL]);
    CLEANUP(mem_cleanup)
    char *ceremonies = mem_printf("rows         %" PRIu64 ", leaves ", h.kinds[LEAF_CEREMONY]);
    CLEANUP(mem_cleanup)
    char *leaves =
        mem_printf("rows         %" PRIu64 ", leaves 0 to %" PRIu64 "\n", told.size, told.size - 1);

    (void)state;
    must_say("BR 5.4.1(2)4", issued);
    must_say("BR 5.4.1(2)5", crls);
    must_say("BR 5.4.3", leaves);
    must_say("BR 5.4.1(1)4", "the record says nothing of it");
    must_say("BR 6.1.1.3", "rows         1, leaves ");
    must_say("BR 6.1.1.3", ": check the number\n");
    must_say("BR 5.4.1(1)1", ceremonies);
    must_say("4-eyes", "rows         1, leaves ");
}

static void
what_cannot_be_asked_is_no_answer(void **state)
{
    sqlite3 *empty = NULL;
    FILE *out = fopen("/dev/null", "w");
    size_t found;
    struct err e = {0};

    (void)state;
    assert_non_null(out);
    assert_int_equal(sqlite3_open(":memory:", &empty), SQLITE_OK);
    assert_int_equal(evidence_write(empty, NULL, SINK_TABLE, out, &found, &e), -1);
    assert_int_equal(e.code, ERR_STORE);
    assert_non_null(strstr(e.text, "no such table"));
    assert_int_equal(sqlite3_close(empty), SQLITE_OK);
    assert_int_equal(fclose(out), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_can_be_asked),
        cmocka_unit_test(what_the_record_says_is_counted),
        cmocka_unit_test(what_cannot_be_asked_is_no_answer),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
