/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of the mirror while pages are asked for: it is imported into, locked, replaced. */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "db/audit/mirror/found.h"
#include "db/audit/mirror/run.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/serve/site.h"

/* ---- an import ---- */

static char *empty; /* a mirror; all of it is imported while it is asked */
static atomic_bool imported;

static void *
import(void *arg)
{
    (void)arg;
    site_import(empty);
    atomic_store(&imported, true);
    return NULL;
}

/* How many leaves its head says, while its rows are those of as many. */
static unsigned long
leaves_of(const struct site *site, const char *path)
{
    static const char says[] = "verified up to <b>";
    CLEANUP(mem_cleanup) char *page = site_ask(site, path);
    const char *at = strstr(page, says);
    unsigned long leaves;

    assert_int_equal(site_status(page), 200);
    assert_non_null(at);
    leaves = strtoul(at + strlen(says), NULL, 10);
    assert_int_equal(strstr(page, "<tr><th scope=\"row\"") != NULL, leaves > 0);
    assert_int_equal(strstr(page, "; newest leaf ") != NULL, leaves > 0);
    return leaves;
}

static void
a_page_is_of_one_state_of_the_mirror(void **state)
{
    unsigned long leaves = 0;
    struct site site;
    pthread_t thread;
    bool is_last;

    (void)state;
    empty = mem_printf("%s/empty.db", site_record.folder);
    site_mirror_new(empty);
    site_begin(&site, &(struct serve_options){.mirror = empty});
    assert_int_equal(leaves_of(&site, "/events"), 0);
    assert_int_equal(pthread_create(&thread, NULL, import, NULL), 0);
    do {
        const unsigned long before = leaves;

        is_last = atomic_load(&imported);
        leaves = leaves_of(&site, "/events");
        assert_true(leaves == before || before == 0);
    } while (!is_last);
    assert_true(leaves > 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    site_end(&site);
    mem_free(empty);
}

static int64_t
number_of(struct mirror *m, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number;

    assert_int_equal(sqlite3_prepare_v2(mirror_sqlite(m), sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return number;
}

/* What a visit has opened stays as it was, and cannot be written. */
static void
what_is_open_stays_as_it_was(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/stays.db", site_record.folder);
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(mirror_cleanup) struct mirror *after = NULL;

    (void)state;
    site_mirror_new(path);
    m = mirror_open(path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    site_import(path);
    assert_int_equal(number_of(m, "SELECT accepted FROM position"), 0);
    assert_int_equal(number_of(m, "SELECT count(*) FROM leaves"), 0);
    after = mirror_open(path, &e);
    assert_ok(after == NULL ? -1 : 0, &e);
    assert_true(number_of(after, "SELECT count(*) FROM leaves") > 0);
    assert_int_equal(sqlite3_db_readonly(mirror_sqlite(after), "main"), 1);
    assert_int_equal(sqlite3_exec(mirror_sqlite(after), "DELETE FROM leaf", NULL, NULL, NULL) &
                         0xff,
                     SQLITE_READONLY);
}

static void
keep(const struct mirror *m, bool by_check, uint64_t from)
{
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    struct err e = {0};

    assert_ok(mirror_keep(m, by_check, from, findings, &e), &e);
}

/* The report says when it was, and of which leaves. */
static void
a_check_is_told_with_what_it_has_judged(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checked.db", site_record.folder);
    CLEANUP(mem_cleanup) char *of_all = NULL;
    CLEANUP(mem_cleanup) char *of_the_end = NULL;
    CLEANUP(mirror_cleanup) struct mirror *before = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    struct site site;
    uint64_t size;

    (void)state;
    site_mirror_new(path);
    before = mirror_open(path, &e);
    assert_ok(before == NULL ? -1 : 0, &e);
    site_import(path);
    m = mirror_open(path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    size = mirror_checkpoint(m)->size;
    of_all =
        mem_printf("and has judged leaves 0 to %llu: below.</p>", (unsigned long long)size - 1);
    of_the_end =
        mem_printf("and has judged leaves 7 to %llu: below.</p>", (unsigned long long)size - 1);
    site_begin(&site, &(struct serve_options){.mirror = path});
    site_expect(&site, "/", 200, "Nobody asked for it");
    keep(m, false, 0);
    site_expect(&site, "/", 200, "Nobody asked for it");
    keep(before, true, 0); /* of no leaf, when there was none */
    site_expect(&site, "/", 200, "newer ones were not judged");
    keep(m, true, 7);
    site_expect(&site, "/", 200, of_the_end);
    keep(m, true, 0);
    site_expect(&site, "/", 200, of_all);
    keep(m, true, 7);
    site_expect(&site, "/", 200, of_all);
    site_end(&site);
}

/* Somebody has it for himself, and keeps it: there is a page that says so, behind a while. */
static void
a_mirror_that_somebody_has_for_himself_is_busy(void **state)
{
    sqlite3 *db = NULL;
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    assert_int_equal(sqlite3_open(site_record.file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    site_expect(&site, "/changes", 200, ": all of them"); /* it is only written */
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(sqlite3_open(site_record.file, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
        SQLITE_OK);
    site_expect(&site, "/changes", 503, "The mirror is busy");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    site_expect(&site, "/changes", 200, ": all of them");
    site_end(&site);
}

/* ---- another file ---- */

/* The file is looked at anew for each answer. */
static void
another_mirror_in_its_place_is_not_shown(void **state)
{
    CLEANUP(mem_cleanup) char *kept = mem_printf("%s/kept.db", site_record.folder);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other.db", site_record.folder);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    struct site site;
    struct err e = {0};

    (void)state;
    m = mirror_open(site_record.file, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    assert_ok(log_key_set(&key, "another.example/log",
                          span_of(mirror_key(m)->spki, mirror_key(m)->spki_n), &e),
              &e);
    assert_ok(mirror_init(other, &key, true, &e), &e);
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    site_expect(&site, "/changes", 200, ": all of them");
    assert_int_equal(rename(site_record.file, kept), 0);
    site_expect(&site, "/changes", 500, "does not answer");
    assert_int_equal(rename(other, site_record.file), 0);
    site_expect(&site, "/changes", 500, "of another log now");
    assert_int_equal(rename(kept, site_record.file), 0);
    site_expect(&site, "/changes", 200, ": all of them");
    site_end(&site);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_of_one_state_of_the_mirror),
        cmocka_unit_test(what_is_open_stays_as_it_was),
        cmocka_unit_test(a_check_is_told_with_what_it_has_judged),
        cmocka_unit_test(a_mirror_that_somebody_has_for_himself_is_busy),
        cmocka_unit_test(another_mirror_in_its_place_is_not_shown),
    };

    return cmocka_run_group_tests(tests, site_set_up, site_tear_down);
}
