/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the signers' journals that belong to nothing, journals that were edited, and what is
 * stored without a line: nfpki-ca does not start with them.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/journal_lines.h"

enum { FILE_MAX = 8 * 1024 * 1024 };

/* ---- tables, aside in a file of their own: a start compares the schema ---- */

static void
edit_aside(struct world *w, const char *sql)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("ATTACH DATABASE '%s/aside.db' AS aside; PRAGMA aside.journal_mode = "
                            "MEMORY; %s",
                            w->dir, sql);

    world_edit_as_ca(w, text);
}

static void
put_aside(struct world *w)
{
    edit_aside(w, "CREATE TABLE aside.journal AS SELECT * FROM main.journal;"
                  "CREATE TABLE aside.attempted AS SELECT * FROM main.attempted");
}

static void
put_back(struct world *w)
{
    edit_aside(w, "DELETE FROM main.journal; INSERT INTO main.journal SELECT * FROM aside.journal;"
                  "DROP TABLE aside.journal; DROP TABLE aside.attempted");
}

/* ---- at start ---- */

enum change { HASH, SERIAL, NUMBER, BARE, NOTHING };

/* A line as that of something genuine, but for one thing. */
static void
a_line_that_belongs_to_nothing_is_found_at_start(void **state)
{
    static const struct {
        const char *name;
        const char *key;
        char like;
        char kind;
        enum change change;
        const char *says;
    } rows[] = {
        {"a certificate with other octets", "issuing", 'T', 'T', HASH, "a certificate with SHA"},
        {"a certificate of another number", "issuing", 'T', 'T', SERIAL, "a certificate with SHA"},
        {"a certificate without its number", "issuing", 'T', 'T', BARE, "a certificate with SHA"},
        {"a CRL with other octets", "issuing", 'L', 'L', HASH, "a CRL with SHA"},
        {"a CRL of another number", "issuing", 'L', 'L', NUMBER, "a CRL with SHA"},
        {"a message", "issuing", 'T', 'P', BARE, "something that this key does not sign"},
        {"a checkpoint by the issuing key", "issuing", 'T', 'K', NOTHING, "a checkpoint with SHA"},
        {"a checkpoint with other octets", "log", 'K', 'K', HASH, "a checkpoint with SHA"},
        {"a certificate by the log's key", "log", 'K', 'T', BARE, "a certificate with SHA"},
        {"a MAC over another text", "log", 'K', 'S', BARE, "something that this key"},
    };
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *file = mem_printf("%s.journal", rows[i].key);
        CLEANUP(buf_free) struct buf before = lines_load(w, file);
        struct journal *j = lines_open(w, rows[i].key);
        struct journal_attempt a = lines_newest(j, rows[i].like);
        struct err e = {0};
        size_t from = lines_log_end(w);

        a.kind = rows[i].kind;
        a.hash[31] ^= rows[i].change == HASH;
        a.crl.hash[31] ^= rows[i].change == HASH;
        a.serial[15] ^= rows[i].change == SERIAL;
        a.crl.number += rows[i].change == NUMBER;
        a.bare = rows[i].change == BARE;
        lines_add(j, &a);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        lines_must_refuse(w, rows[i].name, rows[i].says);
        assert_true(lines_log_says(w, from, "belongs to nothing in the record"));
        assert_true(lines_log_says(w, from, "\"event\":\"journal-line-unknown\""));
        lines_save(w, file, &before);
    }
    world_start(w);
}

/* The checkpoint of another history at the size of the last one: of all that, the last one decides
 * first (old_state.c); in the middle of others the line does. */
static void
a_checkpoint_of_another_history_is_found_between_others(void **state)
{
    struct world *w = *state;
    struct journal_attempt genuine;
    struct journal_attempt other;
    struct journal *j;
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    {
        CLEANUP(buf_free) struct buf before = lines_load(w, "log.journal");

        j = lines_open(w, "log");
        genuine = lines_newest(j, 'K');
        other = genuine;
        other.checkpoint.root[0] ^= 1;
        lines_add(j, &other);
        lines_add(j, &genuine);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        lines_must_refuse(w, "another root", "belongs to nothing in the record");
        lines_save(w, "log.journal", &before);
    }
    world_start(w);
}

/* As after a crash: what was asked for is asked for again. */
static void
a_line_for_the_same_again_belongs_and_is_counted(void **state)
{
    static const struct {
        const char *key;
        char kind;
    } rows[] = {{"issuing", 'T'}, {"issuing", 'L'}, {"log", 'K'}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_int_t again;
        struct journal_attempt a;
        struct journal *j;
        struct err e = {0};

        assert_int_equal(world_stop(w), 0);
        world_start(w);
        again = lines_figure(w, rows[i].key, "again");
        assert_int_equal(world_stop(w), 0);
        j = lines_open(w, rows[i].key);
        a = lines_newest(j, rows[i].kind);
        lines_add(j, &a);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        world_start(w);
        assert_int_equal(lines_figure(w, rows[i].key, "again"), again + 1);
        assert_int_equal(lines_figure(w, rows[i].key, "exempt"), 0);
    }
}

/* What is compared is not only the end. */
static void
a_line_that_was_edited_afterwards_is_found(void **state)
{
    static const char *const files[] = {"issuing.journal", "log.journal"};
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(buf_free) struct buf before = lines_load(w, files[i]);
        CLEANUP(mem_cleanup) char *text = mem_printf("%.*s", (int)before.n, (char *)before.p);
        CLEANUP(buf_free) struct buf edited = BUF_INIT(FILE_MAX);
        char *rest = text;
        struct err e = {0};

        for (int n = 0; rest != NULL && *rest != '\0'; n++) {
            char *line = strsep(&rest, "\n");
            CLEANUP(mem_cleanup) char *whole = NULL;

            assert_true(journal_line_unseal(line));
            if (n == 1) {
                line[30] = line[30] == '0' ? '1' : '0'; /* a digit of the hash */
            }
            whole = journal_line_seal(line);
            assert_ok(buf_append_str(&edited, whole, &e), &e);
        }
        assert_int_equal(edited.n, before.n);
        lines_save(w, files[i], &edited);
        lines_must_refuse(w, files[i], "the journal has other lines up to");
        lines_save(w, files[i], &before);
    }
    world_start(w);
}

/* Lines of before the table: they are counted, and no more is asked of them. */
static void
lines_of_before_are_exempt_and_counted(void **state)
{
    static const uint8_t hash[SHA256_SIZE] = {1};
    struct world *w = *state;
    struct journal *j;
    struct err e = {0};
    json_int_t exempt;

    assert_int_equal(world_stop(w), 0);
    j = lines_open(w, "issuing");
    assert_ok(journal_add(j, 'T', hash, NULL, &e), &e);
    assert_ok(journal_commit(j, &e), &e);
    exempt = (json_int_t)journal_attempts(j);
    journal_close(j);
    world_edit_as_ca(w, "DELETE FROM journal; DELETE FROM attempted");
    world_start(w);
    assert_true(lines_log_says(w, 0, "\"event\":\"journal-lines-exempt\""));
    lines_make_crl(w);
    assert_int_equal(world_stop(w), 0);
    world_start(w);
    assert_int_equal(lines_figure(w, "issuing", "exempt"), exempt);
    assert_true(lines_figure(w, "issuing", "compared") >= exempt + 2); /* two CRLs, and perhaps */
    assert_true(lines_figure(w, "issuing", "storedSignatures") >= 2);  /* that of this start */
    assert_true(lines_figure(w, "issuing", "storedSignatures") <= 3);
}

/* ---- the row ---- */

static void
a_row_that_is_put_back_is_caught_up_with(void **state)
{
    struct world *w = *state;
    json_int_t compared;
    json_int_t stored;

    assert_int_equal(world_stop(w), 0);
    put_aside(w);
    world_start(w);
    lines_make_crl(w);
    assert_int_equal(world_stop(w), 0);
    world_start(w);
    compared = lines_figure(w, "issuing", "compared");
    stored = lines_figure(w, "issuing", "storedSignatures");
    assert_int_equal(world_stop(w), 0);
    put_back(w);
    world_start(w);
    assert_true(lines_figure(w, "issuing", "compared") >= compared);
    assert_true(lines_figure(w, "issuing", "storedSignatures") >= stored);
}

static void
a_row_that_says_more_than_was_compared_is_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, "UPDATE journal SET compared = compared + 1");
    lines_must_refuse(w, "further", "the journal");
    world_edit_as_ca(w, "UPDATE journal SET compared = compared - 2");
    lines_must_refuse(w, "less far", "the journal has other lines up to");
    world_edit_as_ca(w, "UPDATE journal SET compared = compared + 1");
    world_start(w);
}

/* The row was taken out; or the line was never there: as far as is known, when all of them are from
 * before. */
static void
what_is_stored_without_a_line_is_found(void **state)
{
    static const struct {
        const char *edit;
        const char *lacks_row;
        const char *lacks_line;
    } rows[] = {
        {"DELETE FROM attempted WHERE kind = 0 AND at IN (SELECT idx FROM leaf WHERE kind = "
         "'INTENT' ORDER BY idx LIMIT 1)",
         "table attempted of ca.db lacks the row of what is signed by leaf ",
         "has as signed has no line"},
        {"DELETE FROM attempted WHERE kind = 0 AND at IN (SELECT idx FROM leaf WHERE kind = "
         "'CRL-INTENT' ORDER BY idx LIMIT 1)",
         "table attempted of ca.db lacks the row of what is signed by leaf ",
         "has as signed has no line"},
        {"DELETE FROM attempted WHERE kind = 1 AND at IN (SELECT size FROM checkpoint ORDER BY "
         "size LIMIT 1)",
         "table attempted of ca.db lacks the row of the checkpoint over ",
         "for which the journal has no line"},
    };
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    put_aside(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        world_edit_as_ca(w, rows[i].edit);
        world_edit_as_ca(w, "UPDATE journal SET checked = 0");
        lines_must_refuse(w, rows[i].lacks_row, rows[i].lacks_row);
        world_edit_as_ca(w, "UPDATE journal SET exempt = compared");
        lines_must_refuse(w, rows[i].lacks_line, rows[i].lacks_line);
        edit_aside(w, "DELETE FROM main.journal; INSERT INTO main.journal SELECT * FROM "
                      "aside.journal; INSERT OR IGNORE INTO main.attempted SELECT * FROM "
                      "aside.attempted");
    }
    put_back(w);
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_belongs_to_nothing_is_found_at_start),
        cmocka_unit_test(a_checkpoint_of_another_history_is_found_between_others),
        cmocka_unit_test(a_line_for_the_same_again_belongs_and_is_counted),
        cmocka_unit_test(a_line_that_was_edited_afterwards_is_found),
        cmocka_unit_test(a_row_that_is_put_back_is_caught_up_with),
        cmocka_unit_test(a_row_that_says_more_than_was_compared_is_refused),
        cmocka_unit_test(what_is_stored_without_a_line_is_found),
        cmocka_unit_test(lines_of_before_are_exempt_and_counted),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
