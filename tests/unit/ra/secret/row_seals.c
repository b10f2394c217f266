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

/* As a start does. */
static int
come(struct fixture *f, bool of_token, struct err *e)
{
    struct store_options options = {.path = f->settings->database,
                                    .application = REQUESTS_APPLICATION,
                                    .schemas = {ra_migrations},
                                    .finished = f->ra.tasks,
                                    .admit = row_seals_admit,
                                    .admit_arg = &f->ra,
                                    .settle = sealed_settle};

    f->ra.may_seal = false;
    if (row_seals_new(&f->ra, of_token, e) != 0) {
        return -1;
    }
    options.context = f->ra.row_seals;
    f->ra.store = store_open(&options, e);
    return f->ra.store == NULL || row_seals_open(&f->ra, e) != 0 ? -1 : row_seals_begin(&f->ra, e);
}

static void
a_start_finds_what_is_not_ours(void **state)
{
    static const struct {
        const char *name;
        const char *sql;
        bool no_key;
        bool another_key;
        enum err_code code;
        const char *why;
    } rows[] = {
        {"as it was", "SELECT 1", false, false, ERR_NONE, ""},
        {"no key", "SELECT 1", true, false, ERR_DENIED, "(section seal) gives no key"},
        {"another key", "SELECT 1", false, true, ERR_DENIED, "under another key"},
        {"a trigger", "CREATE TRIGGER mine AFTER INSERT ON seen BEGIN DELETE FROM seen; END", false,
         false, ERR_STORE, "ra.db was edited: trigger mine: not ours: see nfpki-ra(8)"},
        {"no seals",
         "DROP TRIGGER mine; DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head",
         false, false, ERR_STALE, "ra.db has no seals, and the RA that wrote it makes some"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result;

        leave(f);
        edit(f, rows[i].sql);
        f->ra.seal_key.p[0] ^= rows[i].another_key ? 1 : 0;
        result = come(f, !rows[i].no_key, &e);
        f->ra.seal_key.p[0] ^= rows[i].another_key ? 1 : 0;
        if ((result == 0) != (rows[i].code == ERR_NONE) ||
            (result != 0 && (e.code != rows[i].code || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %d, %s: %s", rows[i].name, result, err_code_name(e.code), e.text);
        }
    }
}

/* From an older program, and the very first, which nobody could edit. */
static void
a_state_from_before_is_sealed_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    leave(f);
    edit(f, "DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head");
    assert_err(come(f, true, &e), ERR_STALE, &e);
    f->ra.may_seal = true; /* the file of earlier times is there, or its tables were older */
    tap_mark();
    assert_ok(row_seals_begin(&f->ra, &e), &e);
    assert_true(tap_has("3 rows of ra.db as they were"));
    leave(f);
    assert_ok(come(f, true, &e), &e);
    leave(f);
    edit(f, "DELETE FROM seal; DELETE FROM seal_bucket; DELETE FROM seal_head; DELETE FROM "
            "registration");
    assert_ok(come(f, true, &e), &e);
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
    assert_ok(come(f, false, &e), &e);
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
        cmocka_unit_test_setup_teardown(a_state_from_before_is_sealed_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(the_scrub_looks_at_all_of_them_and_ends_the_ra, begin, end),
        cmocka_unit_test_setup_teardown(without_seals_nothing_was_looked_at, begin, end),
    };

    tap_open();
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
