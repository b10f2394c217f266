/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rows ra.db has, at a start and while the RA runs. */
#include "ra/secret/row_seals.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>

#include "db/requests/requests.h"
#include "ra/secret/row_scrub.h"
#include "tests/support/tap.h"
#include "tests/unit/ra/fixture.h"

static int
begin(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, id);
    *state = f;
    return 0;
}

static int
end(void **state)
{
    fixture_free(*state);
    return 0;
}

static void
leave(struct fixture *f)
{
    store_free(f->ra.store);
    f->ra.store = NULL;
    row_seals_free(&f->ra);
}

static void
edit(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(f->settings->database, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* As a start does, up to where its queue is looked at. */
static int
open_rows(struct fixture *f, bool of_token, bool may_seal, struct err *e)
{
    struct store_options options = {.path = f->settings->database,
                                    .application = REQUESTS_APPLICATION,
                                    .schemas = {ra_migrations},
                                    .finished = f->ra.tasks,
                                    .settle = sealed_settle};

    f->ra.may_seal = may_seal;
    if (row_seals_new(&f->ra, of_token, e) != 0) {
        return -1;
    }
    options.context = f->ra.row_seals;
    f->ra.store = store_open(&options, e);
    return f->ra.store == NULL ? -1 : row_seals_open(&f->ra, e);
}

static int
come(struct fixture *f, bool of_token, bool may_seal, struct err *e)
{
    return open_rows(f, of_token, may_seal, e) != 0 ? -1 : row_seals_begin(&f->ra, e);
}

#define NO_SEALS "DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head;"
/* As it was before migration 17. */
#define NO_TABLES                                                                                  \
    "DROP TABLE seal; DROP TABLE seal_bucket; DROP TABLE seal_head; DROP INDEX "                   \
    "enrolment_registration; DROP INDEX registration_subject; ALTER TABLE seen DROP COLUMN "       \
    "enrolment; PRAGMA user_version = 16;"
#define NO_ROWS "DELETE FROM registration;"
#define NO_SEALS_WHY                                                                               \
    "ra.db has rows and no seals: somebody took them; or, if this is the first start with a "      \
    "version that seals, or with its key in the RA's token, start once with --seal: nfpki-ra(8)"

static void
a_start_finds_what_is_not_ours(void **state)
{
    static const struct {
        const char *name;
        const char *sql;
        bool no_key;
        bool another_key;
        bool may_seal;
        enum err_code code;
        const char *why;
    } rows[] = {
        {"as it was", "SELECT 1", false, false, false, ERR_NONE, ""},
        {"no key", "SELECT 1", true, false, false, ERR_DENIED, "(section seal) gives no key"},
        {"another key", "SELECT 1", false, true, false, ERR_DENIED, "under another key"},
        {"a trigger", "CREATE TRIGGER mine AFTER INSERT ON seen BEGIN DELETE FROM seen; END", false,
         false, false, ERR_STORE, "ra.db was edited: trigger mine: not ours: see nfpki-ra(8)"},
        {"sealed, and --seal", "DROP TRIGGER mine", false, false, true, ERR_INPUT,
         "--seal, and ra.db is sealed: start without it; no row was sealed"},
        {"edited, and --seal", "UPDATE seal SET mac = zeroblob(32) WHERE tbl = 1", false, false,
         true, ERR_STALE, "ra.db: rows were put back"},
        {"no seals", NO_SEALS, false, false, false, ERR_STALE, NO_SEALS_WHY},
        {"of an older schema", NO_TABLES, false, false, false, ERR_STALE, NO_SEALS_WHY},
        {"which is the newest by then", "SELECT 1", false, false, false, ERR_STALE, NO_SEALS_WHY},
        {"--seal, and no key", "SELECT 1", true, false, true, ERR_INPUT,
         "--seal, and the RA's signer gives no key that seals: name one in its policy"},
        {"neither --seal nor a key", "SELECT 1", true, false, false, ERR_NONE, ""},
        {"no seals as before", "SELECT 1", false, false, false, ERR_STALE, NO_SEALS_WHY},
        {"nothing but the end of a queue that went on", NO_ROWS "UPDATE queue_end SET next = 2",
         false, false, false, ERR_STALE, NO_SEALS_WHY},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result;

        leave(f);
        edit(f, rows[i].sql);
        f->ra.seal_key.p[0] ^= rows[i].another_key ? 1 : 0;
        result = come(f, !rows[i].no_key, rows[i].may_seal, &e);
        f->ra.seal_key.p[0] ^= rows[i].another_key ? 1 : 0;
        if ((result == 0) != (rows[i].code == ERR_NONE) ||
            (result != 0 && (e.code != rows[i].code || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %d, %s: %s", rows[i].name, result, err_code_name(e.code), e.text);
        }
    }
}

/* A person says that it is from before. */
static void
what_has_no_seals_is_sealed_on_somebodys_word(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    leave(f);
    edit(f, NO_SEALS NO_TABLES);
    assert_err(come(f, true, false, &e), ERR_STALE, &e);
    leave(f);
    /* interrupted behind its migrations, or it was refused there: it goes on */
    assert_ok(open_rows(f, true, true, &e), &e);
    leave(f);
    assert_err(come(f, true, false, &e), ERR_STALE, &e);
    leave(f);
    tap_mark();
    assert_ok(come(f, true, true, &e), &e);
    assert_true(tap_has("\"level\":\"warning\""));
    assert_true(tap_has("3 rows of ra.db as they were: what they say is believed from now on"));
    leave(f);
    assert_err(come(f, true, true, &e), ERR_INPUT, &e);
    leave(f);
    tap_mark();
    assert_ok(come(f, true, false, &e), &e);
    assert_false(tap_has("\"sealed\""));
}

/* Nobody has to say a word. */
static void
a_new_one_is_sealed_at_once(void **state)
{
    static const char *const rows[] = {NO_SEALS NO_ROWS, NO_SEALS NO_ROWS NO_TABLES};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        leave(f);
        edit(f, rows[i]);
        tap_mark();
        assert_ok(come(f, true, false, &e), &e);
        assert_true(tap_has("ra.db is a new one"));
        leave(f);
        assert_ok(come(f, true, false, &e), &e);
    }
}

/* It was a new one when the start looked at it. */
static void
what_came_meanwhile_is_not_sealed(void **state)
{
    struct fixture *f = *state;
    char id[REGISTRATION_ID_SIZE];
    struct err e = {0};

    leave(f);
    edit(f, NO_SEALS NO_ROWS);
    assert_ok(open_rows(f, true, false, &e), &e);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-2"}, id);
    assert_err(row_seals_begin(&f->ra, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, NO_SEALS_WHY));
}

static void
turn(struct fixture *f)
{
    const struct timeval soon = {.tv_usec = 20000};

    (void)event_base_loopexit(f->ra.base, &soon);
    (void)event_base_dispatch(f->ra.base);
}

/* By a program that runs: its file is locked, not out of reach. */
static int
edit_here(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "UPDATE registration SET used = 1", STORE_NO_VALUES, e);
}

static void
the_scrub_looks_at_all_of_them_and_ends_the_ra(void **state)
{
    struct fixture *f = *state;
    struct row_scrub *s = row_scrub_new(&f->ra);

    for (int i = 0; i < 20; i++) { /* a pass and more */
        turn(f);
    }
    assert_false(f->ra.failed);
    row_scrub_stop(s);
    assert_false(row_scrub_is_busy(s));
    assert_string_equal(row_scrub_status(s).at, "rest");
    assert_true(row_scrub_status(s).last.seen > 0 && row_scrub_status(s).last.ended > 0);
    row_scrub_free(s);
    fixture_call(f, edit_here, NULL);
    tap_mark();
    s = row_scrub_new(&f->ra);
    while (!f->ra.failed) {
        turn(f);
    }
    assert_true(tap_has("edited, or not written by this program"));
    f->ra.failed = false;
    row_scrub_stop(s);
    row_scrub_free(s);
}

/* It comes to an end of nothing: that is no pass. */
static void
without_seals_nothing_was_looked_at(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct row_scrub *s;

    leave(f);
    edit(f, "DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head");
    assert_ok(come(f, false, false, &e), &e);
    s = row_scrub_new(&f->ra);
    for (int i = 0; i < 10; i++) {
        turn(f);
    }
    row_scrub_stop(s);
    assert_false(row_scrub_is_busy(s));
    assert_string_equal(row_scrub_status(s).at, "rest");
    assert_true(row_scrub_status(s).begun == 0 && row_scrub_status(s).last.ended == 0);
    row_scrub_free(s);
}

static int
clean_up(void **state)
{
    (void)state;
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_start_finds_what_is_not_ours, begin, end),
        cmocka_unit_test_setup_teardown(what_has_no_seals_is_sealed_on_somebodys_word, begin, end),
        cmocka_unit_test_setup_teardown(a_new_one_is_sealed_at_once, begin, end),
        cmocka_unit_test_setup_teardown(what_came_meanwhile_is_not_sealed, begin, end),
        cmocka_unit_test_setup_teardown(the_scrub_looks_at_all_of_them_and_ends_the_ra, begin, end),
        cmocka_unit_test_setup_teardown(without_seals_nothing_was_looked_at, begin, end),
    };

    tap_open();
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
