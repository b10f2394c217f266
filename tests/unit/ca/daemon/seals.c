/* SPDX-License-Identifier: Apache-2.0 */
/* ca.db as nfpki-ca seals it: from before, under its key, and edited by who has not its user. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "db/ledger/ledger.h"
#include "tests/support/all_in_wal.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/nf.h"

enum { LOG_MAX = 16 * 1024 * 1024, FAILED = 1, REFUSED = 3 };

/* What status says of the seals: how many pages there are. */
static json_int_t
seals(struct world *w, const char *state)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    const json_t *said;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    said = json_object_get(status, "seals");
    assert_non_null(said);
    assert_string_equal(json_string_value(json_object_get(said, "state")), state);
    return json_integer_value(json_object_get(said, "pages"));
}

/* Has the daemon said this, since it began? */
static bool
has_said(const struct world *w, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf log = BUF_INIT(LOG_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &log, &e), &e);
    assert_ok(buf_append(&log, span_of("", 1), &e), &e);
    return strstr((const char *)log.p, text) != NULL;
}

static void
must_have_said(const struct world *w, const char *text)
{
    if (!has_said(w, text)) {
        world_show_log(w);
        fail_msg("not said: %s", text);
    }
}

static void
take_seals(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db-seal", w->dir);

    assert_int_equal(unlink(path), 0);
}

static void
a_new_state_is_sealed_from_its_first_start_on(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);

    assert_true(seals(w, "sealed") > 0);
    X509_free(nf_enrol(w, &n));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_stop(w), 0);
        assert_int_equal(world_leaves(w, "SEALED", "\"pages\":", ""), 1);
        world_start(w);
        world_kill(w);
        world_start(w);
        assert_true(seals(w, "sealed") > 0);
    }
    assert_false(has_said(w, "\"event\":\"sealed\"")); /* nothing of before was */
}

static void
a_sealed_state_is_not_opened_without_its_key(void **state)
{
    struct world *w = *state;
    int leaves;

    assert_int_equal(world_stop(w), 0);
    leaves = world_leaves(w, "START", "", "");
    world_has_seal_key(w, false);
    assert_int_equal(world_start_status(w), FAILED);
    must_have_said(w, "/ca.db: it is sealed, and there is no key to read it with");
    world_has_seal_key(w, true);
    assert_int_equal(world_leaves(w, "START", "", ""), leaves);
    world_start(w);
    (void)seals(w, "sealed");
}

static void
who_takes_the_seals_away_gets_no_start(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);

    assert_int_equal(world_stop(w), 0);
    world_keep(w);
    take_seals(w);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_start_status(w), REFUSED);
        must_have_said(w, "the record says that ca.db is sealed, and ca.db-seal is not there");
        world_edit(w, "UPDATE setting SET value = zeroblob(32) WHERE name = 'profiles'");
    }
    w->option = "--seal"; /* nor when somebody asks for it */
    assert_int_equal(world_start_status(w), REFUSED);
    w->option = NULL;
    world_has_seal_key(w, false); /* nor without a key */
    assert_int_equal(world_start_status(w), REFUSED);
    world_has_seal_key(w, true);
    all_in_wal(path); /* nor when the file is so short that it could be a new one */
    assert_int_equal(world_start_status(w), REFUSED);
    must_have_said(w, "the record says that ca.db is sealed, and ca.db-seal is not there");
    world_put_back(w);
    world_start(w);
}

/* Which file of profiles was in force: another one would be no news. */
static void
a_row_that_a_start_reads_is_not_believed_when_it_was_edited(void **state)
{
    struct world *w = *state;
    int leaves;

    assert_int_equal(world_stop(w), 0);
    leaves = world_leaves(w, "START", "", "");
    world_keep(w);
    world_edit(w, "UPDATE setting SET value = zeroblob(32) WHERE name = 'profiles'");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_start_status(w), REFUSED);
    }
    must_have_said(w, " is not what its seal says: it was edited, or put back");
    world_put_back(w);
    assert_int_equal(world_leaves(w, "START", "", ""), leaves);
    world_start(w);
}

static void
what_is_sealed_is_not_sealed_again(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    w->option = "--seal";
    assert_int_equal(world_start_status(w), FAILED);
    must_have_said(w, "ca.db is sealed: start without --seal");
    w->option = NULL;
    world_start(w);
}

/* A state from before, whose log's signer has a key from now on. */
static void
a_state_of_before_is_compared_and_sealed(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);

    assert_int_equal(seals(w, "no key"), 0);
    must_have_said(w, "no-seal-key");
    X509_free(nf_enrol(w, &n));
    world_has_seal_key(w, true);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "SEALED", "", ""), 0);
    world_edit(w, "UPDATE registration SET used = 0");
    assert_int_equal(world_start_status(w), REFUSED); /* what was edited before is not sealed */
    world_edit(w, "UPDATE registration SET used = 1");
    world_edit(w, "INSERT INTO setting VALUES('blocked_keys', x'00')");
    assert_int_equal(world_start_status(w), REFUSED);
    must_have_said(w, "ca.db has a setting that the record has not: blocked_keys");
    world_edit(w, "DELETE FROM setting WHERE name = 'blocked_keys'");
    world_edit(w, "UPDATE public_key SET owner = 'x' WHERE owner <> 'infrastructure'");
    assert_int_equal(world_start_status(w), REFUSED);
    must_have_said(w, "a certificate whose key ca.db has not, or as another owner's");
    world_edit(w, "UPDATE public_key SET owner = (SELECT nf_instance FROM registration) WHERE "
                  "owner = 'x'");
    world_start(w);
    must_have_said(w, "taken on trust, since no leaf has it: request.transaction_id, ");
    assert_true(seals(w, "sealed") > 0);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "SEALED", "", ""), 1);
    world_start(w);
    (void)seals(w, "sealed");
}

/* As a version did that sealed rows. */
static int
run_say_rows(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_SEALED, clock_now());

    (void)op;
    leaf_set_int(leaf, "rows", 7);
    return ledger_append(db, leaf, NULL, e);
}

static void
what_an_earlier_version_sealed_is_sealed_on_a_persons_word(void **state)
{
    struct world *w = *state;
    struct nf n = nf_new(w, BY_MAC, 1); /* a row to edit */
    struct store_op op = {.run = run_say_rows};

    nf_free(&n);
    assert_int_equal(world_stop(w), 0);
    world_call(w, &op);
    assert_int_equal(world_start_status(w), FAILED); /* without the key */
    must_have_said(w, "an earlier version sealed ca.db, and the log's signer gives no key");
    world_has_seal_key(w, true);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_start_status(w), FAILED);
        must_have_said(w, "an earlier version sealed the rows of ca.db: start once with --seal");
    }
    w->option = "--seal";
    world_edit(w, "UPDATE registration SET used = used + 1");
    assert_true(world_start_fails(w));
    must_have_said(w, "was used another number of times than ca.db says");
    world_edit(w, "UPDATE registration SET used = used - 1");
    world_start(w);
    must_have_said(w, "taken on trust, since no leaf has it: ");
    assert_true(seals(w, "sealed") > 0);
    assert_int_equal(world_stop(w), 0);
    w->option = NULL;
    assert_int_equal(world_leaves(w, "SEALED", "\"pages\":", ""), 1);
    world_start(w);
    assert_true(seals(w, "sealed") > 0);
}

/* It was sealed, and killed before its record said so. */
static void
what_is_sealed_is_said_by_the_next_start(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    const struct store_options options = {.path = path,
                                          .application = STORE_APPLICATION('n', 'f', 'C', 'A'),
                                          .schemas = {ledger_migrations, issuance_migrations},
                                          .seal_key = span_of(w->seal_key, sizeof(w->seal_key))};
    struct store *store;
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    store = store_open(&options, &e);
    assert_non_null(store);
    assert_ok(store_seal(store, &e), &e);
    store_free(store);
    world_has_seal_key(w, true);
    assert_int_equal(world_leaves(w, "SEALED", "", ""), 0);
    world_start(w);
    assert_true(seals(w, "sealed") > 0);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "SEALED", "\"pages\":", ""), 1);
}

#define BEFORE(test) cmocka_unit_test_setup_teardown(test, world_setup_before_seals, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_state_is_sealed_from_its_first_start_on),
        cmocka_unit_test(a_sealed_state_is_not_opened_without_its_key),
        cmocka_unit_test(who_takes_the_seals_away_gets_no_start),
        cmocka_unit_test(a_row_that_a_start_reads_is_not_believed_when_it_was_edited),
        cmocka_unit_test(what_is_sealed_is_not_sealed_again),
    };
    const struct CMUnitTest before[] = {
        BEFORE(a_state_of_before_is_compared_and_sealed),
        BEFORE(what_an_earlier_version_sealed_is_sealed_on_a_persons_word),
        BEFORE(what_is_sealed_is_said_by_the_next_start),
    };
    const int failed = cmocka_run_group_tests(tests, world_setup, world_teardown);

    return failed + cmocka_run_group_tests(before, NULL, NULL);
}
