/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of ca.db as nfpki-ca seals them: from before, under its key, and edited by who has not
 * its user. */
#include <string.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/nf.h"

enum { LOG_MAX = 16 * 1024 * 1024, REFUSED = 3 };

/* What status says of the seals. */
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
    return json_integer_value(json_object_get(said, "rows"));
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
a_new_state_is_sealed_from_its_first_start_on(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    const json_int_t before = seals(w, "sealed");

    X509_free(nf_enrol(w, &n));
    assert_true(seals(w, "sealed") >= before + 3); /* request, certificate, key */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_stop(w), 0);
        assert_int_equal(world_leaves(w, "SEALED", "", ""), 1);
        world_start(w);
        world_kill(w);
        world_start(w);
    }
}

static void
a_sealed_state_is_not_opened_without_its_key(void **state)
{
    struct world *w = *state;
    int leaves;

    assert_int_equal(world_stop(w), 0);
    leaves = world_leaves(w, "START", "", "");
    world_has_seal_key(w, false);
    assert_true(world_start_fails(w));
    must_have_said(w, "ca.db is sealed, and the log's signer (section seal) gives no key");
    world_has_seal_key(w, true);
    assert_int_equal(world_leaves(w, "START", "", ""), leaves);
    world_start(w);
    (void)seals(w, "sealed");
}

static void
who_deletes_all_seals_gets_no_start(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/state/ca.db", w->dir);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(LOG_MAX);
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    assert_ok(file_read(from, &whole, &e), &e);
    world_edit(w, "DELETE FROM seal_head");
    assert_int_equal(world_start_status(w), REFUSED);
    must_have_said(w, "the head of its seals was deleted");
    world_edit(w, "DELETE FROM seal; DELETE FROM seal_bucket");
    assert_int_equal(world_start_status(w), REFUSED);
    must_have_said(w, "the record says that rows are sealed, and ca.db has no seals");
    world_has_seal_key(w, false); /* nor without a key */
    assert_int_equal(world_start_status(w), REFUSED);
    world_has_seal_key(w, true);
    assert_ok(file_write(from, buf_span(&whole), 0600, &e), &e);
    world_start(w);
}

/* Which file of profiles was in force: another one would be no news. */
static void
a_row_that_a_start_reads_is_not_believed_when_it_was_edited(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(LOG_MAX);
    struct err e = {0};
    int leaves;

    assert_int_equal(world_stop(w), 0);
    leaves = world_leaves(w, "START", "", "");
    assert_ok(file_read(path, &whole, &e), &e);
    world_edit(w, "UPDATE setting SET value = zeroblob(32) WHERE name = 'profiles'");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_start_status(w), REFUSED);
    }
    must_have_said(w, "ca.db: setting profiles: edited, or not written by this program");
    assert_int_equal(world_leaves(w, "START", "", ""), leaves);
    assert_ok(file_write(path, buf_span(&whole), 0600, &e), &e);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_state_is_sealed_from_its_first_start_on),
        cmocka_unit_test(a_sealed_state_is_not_opened_without_its_key),
        cmocka_unit_test(who_deletes_all_seals_gets_no_start),
        cmocka_unit_test(a_row_that_a_start_reads_is_not_believed_when_it_was_edited),
    };
    const struct CMUnitTest before[] = {
        cmocka_unit_test(a_state_of_before_is_compared_and_sealed),
    };
    const int failed = cmocka_run_group_tests(tests, world_setup, world_teardown);

    return failed + cmocka_run_group_tests(before, world_setup_before_seals, world_teardown);
}
