/* SPDX-License-Identifier: Apache-2.0 */
/* Whose file ra.db is, at a start and while the RA runs. */
#include "ra/secret/file_seal.h"

#include <event2/event.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/requests/requests.h"
#include "ra/secret/page_scrub.h"
#include "tests/support/all_in_wal.h"
#include "tests/support/tap.h"
#include "tests/support/verb.h"
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

static void
take_seals(const struct fixture *f)
{
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", f->settings->database);

    assert_int_equal(unlink(seals), 0);
}

/* As a start does, up to where its queue is looked at. */
static int
open_file(struct fixture *f, bool of_token, bool may_seal, struct err *e)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(STORE_KEY_SIZE);
    struct store_options options = {.path = f->settings->database,
                                    .application = REQUESTS_APPLICATION,
                                    .schemas = {ra_migrations},
                                    .finished = f->ra.tasks,
                                    .admit = file_seal_admit,
                                    .admit_arg = &f->ra};

    f->ra.may_seal = may_seal;
    if (of_token && file_seal_key(&f->ra, &key, e) != 0) {
        return -1;
    }
    options.seal_key = buf_span(&key);
    f->ra.store = store_open(&options, e);
    return f->ra.store == NULL ? -1 : 0;
}

static int
come(struct fixture *f, bool of_token, bool may_seal, struct err *e)
{
    return open_file(f, of_token, may_seal, e) != 0 ? -1 : file_seal_begin(&f->ra, e);
}

#define NO_SEALS_WHY                                                                               \
    "ra.db has no seals, ra.db-seal: somebody took it away; or, if this is the first start with "  \
    "a version that seals pages, or with its key in the RA's token, start once with --seal: "      \
    "nfpki-ra(8)"

static void
a_start_finds_what_is_not_ours(void **state)
{
    static const struct {
        const char *name;
        const char *edit; /* NULL: none */
        bool unsealed;
        bool no_key;
        bool another_key;
        bool may_seal;
        enum err_code code;
        const char *why;
    } rows[] = {
        {"as it was", NULL, false, false, false, false, ERR_NONE, ""},
        {"no key", NULL, false, true, false, false, ERR_DENIED, "ra.db"},
        {"another key", NULL, false, false, true, false, ERR_DENIED, "ra.db"},
        {"sealed, and --seal", NULL, false, false, false, true, ERR_INPUT,
         "--seal, and ra.db is sealed: start without it; nothing was sealed"},
        {"a table more", "CREATE TABLE mine (x)", false, false, false, false, ERR_STALE,
         "ra.db: page 1 is not what its seal says"},
        {"and --seal", NULL, false, false, false, true, ERR_STALE, "page 1 is not"},
        {"no seals", NULL, true, false, false, false, ERR_STALE, NO_SEALS_WHY},
        {"of an older schema", "PRAGMA user_version = 18", false, false, false, false, ERR_STALE,
         NO_SEALS_WHY},
        {"and that is left as it is", NULL, false, false, false, false, ERR_STALE, NO_SEALS_WHY},
        {"damaged, and --seal",
         "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'seen_until'", false,
         false, false, true, ERR_STORE, "ra.db is damaged: "},
        {"--seal, and no key", NULL, false, true, false, true, ERR_INPUT,
         "--seal, and the RA's signer gives no key that seals: name one in its policy"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result;

        leave(f);
        if (rows[i].edit != NULL) {
            edit(f, rows[i].edit);
        }
        if (rows[i].unsealed) {
            take_seals(f);
        }
        f->ra.seal_key.p[0] ^= rows[i].another_key ? 1 : 0;
        result = come(f, !rows[i].no_key, rows[i].may_seal, &e);
        f->ra.seal_key.p[0] ^= rows[i].another_key ? 1 : 0;
        if ((result == 0) != (rows[i].code == ERR_NONE) ||
            (result != 0 && (e.code != rows[i].code || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %d, %s: %s", rows[i].name, result, err_code_name(e.code), e.text);
        }
    }
}

/* What is in a WAL is no new file, however short the file is. */
static void
seals_are_missed_when_all_of_it_is_in_a_wal(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    leave(f);
    take_seals(f);
    all_in_wal(f->settings->database);
    for (int i = 0; i < 2; i++) {
        assert_err(come(f, true, false, &e), ERR_STALE, &e);
        assert_non_null(strstr(e.text, NO_SEALS_WHY));
    }
}

/* A kill that left a file with one page and nothing in it. */
static void
a_new_file_that_was_left_is_new(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    leave(f);
    take_seals(f);
    assert_int_equal(unlink(f->settings->database), 0);
    edit(f, "PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t; VACUUM");
    assert_int_equal(chmod(f->settings->database, 0600), 0);
    assert_ok(come(f, true, false, &e), &e);
    leave(f);
    assert_ok(come(f, true, false, &e), &e);
}

static int
find(struct store_db *db, void *reference, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    return requests_registration_by_reference(db, span_str(reference), &r, &found, e);
}

/* A start reads few of them. */
static void
a_page_is_compared_when_it_is_read(void **state)
{
    struct fixture *f = *state;
    char reference[] = "amf-1";
    struct err e = {0};

    leave(f);
    edit(f, "UPDATE registration SET used = 1");
    assert_ok(come(f, true, false, &e), &e);
    assert_err(verb_call(f->ra.store, find, reference, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "is not what its seal says"));
    assert_true(store_is_failed(f->ra.store));
}

/* A person says that it is from before. */
static void
what_has_no_seals_is_sealed_on_somebodys_word(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    leave(f);
    take_seals(f);
    assert_err(come(f, true, false, &e), ERR_STALE, &e);
    /* interrupted behind its migrations, or it was refused there: it goes on */
    assert_ok(open_file(f, true, true, &e), &e);
    leave(f);
    assert_err(come(f, true, false, &e), ERR_STALE, &e);
    tap_mark();
    assert_ok(come(f, true, true, &e), &e);
    assert_true(tap_has("\"level\":\"warning\""));
    assert_true(tap_has(" pages of ra.db as they were: what they say is believed from now on"));
    leave(f);
    assert_err(come(f, true, true, &e), ERR_INPUT, &e);
    tap_mark();
    assert_ok(come(f, true, false, &e), &e);
    assert_false(tap_has("\"sealed\""));
}

/* Nobody has to say a word, and may. */
static void
a_new_one_is_sealed_at_once(void **state)
{
    struct fixture *f = *state;

    for (int may_seal = 0; may_seal <= 1; may_seal++) {
        struct err e = {0};

        leave(f);
        assert_int_equal(unlink(f->settings->database), 0);
        take_seals(f);
        tap_mark();
        assert_ok(come(f, true, may_seal != 0, &e), &e);
        assert_false(tap_has("\"sealed\""));
        leave(f);
        assert_ok(come(f, true, false, &e), &e);
    }
}

/* Without a key in the token there are no seals, and none is asked for. */
static void
without_a_key_it_is_looked_at_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    leave(f);
    take_seals(f);
    assert_ok(come(f, false, false, &e), &e);
    leave(f);
    edit(f, "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'seen_until'");
    assert_err(come(f, false, false, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "ra.db is damaged: "));
}

/* ---- the scrub ---- */

static void
turn(struct fixture *f)
{
    const struct timeval soon = {.tv_usec = 20000};

    (void)event_base_loopexit(f->ra.base, &soon);
    (void)event_base_dispatch(f->ra.base);
}

/* The file of a program that runs: it is locked, not out of reach. Its last page. */
static void
edit_here(const struct fixture *f)
{
    const int fd = open(f->settings->database, O_RDWR | O_CLOEXEC);
    const off_t end = lseek(fd, -1, SEEK_END);
    uint8_t octet;

    assert_int_equal(pread(fd, &octet, 1, end), 1);
    octet ^= 1;
    assert_int_equal(pwrite(fd, &octet, 1, end), 1);
    assert_int_equal(close(fd), 0);
}

static void
the_scrub_looks_at_all_of_them_and_ends_the_ra(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct page_scrub *s;

    leave(f); /* all that is in the WAL comes into the file */
    assert_ok(come(f, true, false, &e), &e);
    s = page_scrub_new(&f->ra);
    for (int i = 0; i < 20; i++) { /* a pass and more */
        turn(f);
    }
    assert_false(f->ra.failed);
    page_scrub_stop(s);
    assert_false(page_scrub_is_busy(s));
    assert_true(page_scrub_status(s).seen == 0 && page_scrub_status(s).begun == 0);
    assert_true(page_scrub_status(s).last.seen > 0 && page_scrub_status(s).last.ended > 0);
    page_scrub_free(s);
    edit_here(f);
    tap_mark();
    s = page_scrub_new(&f->ra);
    for (int i = 0; i < 100 && !f->ra.failed; i++) {
        turn(f);
    }
    assert_true(f->ra.failed);
    assert_true(tap_has("another start is no use"));
    f->ra.failed = false;
    page_scrub_stop(s);
    page_scrub_free(s);
}

/* It comes to an end of nothing: that is no pass. */
static void
without_seals_nothing_was_looked_at(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct page_scrub *s;

    leave(f);
    take_seals(f);
    assert_ok(come(f, false, false, &e), &e);
    s = page_scrub_new(&f->ra);
    for (int i = 0; i < 10; i++) {
        turn(f);
    }
    page_scrub_stop(s);
    assert_false(page_scrub_is_busy(s));
    assert_true(page_scrub_status(s).begun == 0 && page_scrub_status(s).last.ended == 0);
    page_scrub_free(s);
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
        cmocka_unit_test_setup_teardown(seals_are_missed_when_all_of_it_is_in_a_wal, begin, end),
        cmocka_unit_test_setup_teardown(a_new_file_that_was_left_is_new, begin, end),
        cmocka_unit_test_setup_teardown(a_page_is_compared_when_it_is_read, begin, end),
        cmocka_unit_test_setup_teardown(what_has_no_seals_is_sealed_on_somebodys_word, begin, end),
        cmocka_unit_test_setup_teardown(a_new_one_is_sealed_at_once, begin, end),
        cmocka_unit_test_setup_teardown(without_a_key_it_is_looked_at_as_a_whole, begin, end),
        cmocka_unit_test_setup_teardown(the_scrub_looks_at_all_of_them_and_ends_the_ra, begin, end),
        cmocka_unit_test_setup_teardown(without_seals_nothing_was_looked_at, begin, end),
    };

    tap_open();
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
