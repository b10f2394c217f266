/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state that is not the one over which the log was signed last: older, of another history, or
 * gone. nfpki-ca is started with it again and again, as a service manager does. It never opens, and
 * not an octet is other than before.
 */
#include <string.h>

#include "tests/support/tmpdir.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/trace.h"

enum { STARTS = 30, FEW = 2, REFUSED = 3 };

static void
must_be_refused(struct world *w, const char *row, int starts, const char *says)
{
    trace_must_refuse(w, row, starts, REFUSED, says);
}

/* ---- what happened meanwhile ---- */

static void
live(struct world *w, const char *name)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = NULL;

    world_start(w);
    officer = world_officer(w, "officer", name, key);
    world_revoke(w, officer, "keyCompromise");
    assert_int_equal(world_stop(w), 0);
}

struct scene {
    struct world *w;
    char *yesterday; /* copies of the parts */
    char *today;
    char *elsewhere; /* of a CA that went on from yesterday's state otherwise, and further */
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    assert_int_equal(world_setup((void **)&s->w), 0);
    s->yesterday = tmpdir_new();
    s->today = tmpdir_new();
    s->elsewhere = tmpdir_new();
    world_settle(s->w);
    world_kill(s->w); /* so that much of it is in the WAL */
    copy_parts(s->w->dir, s->yesterday, ALL | TOKEN);
    live(s->w, "Eve");
    live(s->w, "Mallory");
    copy_parts(s->w->dir, s->elsewhere, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, ALL | TOKEN);
    live(s->w, "Alice");
    live(s->w, "Bob");
    live(s->w, "Carol");
    copy_parts(s->w->dir, s->today, ALL | TOKEN);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    world_free(s->w);
    tmpdir_remove(s->yesterday);
    tmpdir_remove(s->today);
    tmpdir_remove(s->elsewhere);
    mem_free(s);
    return 0;
}

static void
thirty_starts_on_yesterdays_state_leave_no_trace(void **state)
{
    struct scene *s = *state;

    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, STATE | LEDGER | CRL);
    must_be_refused(s->w, "all but the journals", STARTS, "ca.db is older than what was signed");
    copy_parts(s->today, s->w->dir, ALL);
    world_start(s->w); /* what is right is started with */
    assert_int_equal(world_stop(s->w), 0);
}

/* Nothing in these files contradicts anything else in them: the token alone remembers. */
static void
thirty_starts_on_a_consistent_copy_of_yesterday_leave_no_trace(void **state)
{
    struct scene *s = *state;

    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, ALL);
    must_be_refused(s->w, "all but the token", STARTS, "this is an older copy of the journal");
    must_be_refused(s->w, "all but the token", 1, "token 'ca' knows a checkpoint of ");
    copy_parts(s->elsewhere, s->w->dir, ALL);
    must_be_refused(s->w, "all of another history", FEW, "token 'ca' knows a checkpoint of ");
    copy_parts(s->today, s->w->dir, ALL);
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

/* The limit: who has the token's files, too, as with a software token, or a clone of a token. */
static void
with_the_tokens_files_nothing_remembers(void **state)
{
    struct scene *s = *state;

    copy_parts(s->yesterday, s->w->dir, ALL | TOKEN);
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

static void
what_is_older_or_of_another_history_is_named(void **state)
{
    static const struct {
        const char *name;
        unsigned yesterday;
        unsigned elsewhere;
        const char *gone; /* below the world's folder */
        const char *says;
    } rows[] = {
        {"ca.db alone", STATE, 0, NULL, "ca.db is older than what was signed"},
        {"no ca.db", 0, 0, "state/ca.db", "ca.db is older than what was signed"},
        {"no state at all", 0, 0, "state", "ca.db is older than what was signed"},
        {"no state and no ledger", LEDGER, 0, "state", "ca.db is older than what was signed"},
        {"the log's journal", LOG, 0, NULL, "this is an older copy of the journal"},
        {"no journal of the log", 0, 0, "log.journal", "the journal ends at 0"},
        {"both journals", LOG | ISSUING, 0, NULL, "this is an older copy of the journal"},
        {"the log's journal, and what the token knew", LOG | TOKEN, 0, NULL,
         "the log signer's journal is older than ca.db"},
        {"both journals, and what the token knew", LOG | ISSUING | TOKEN, 0, NULL,
         "the log signer's journal is older than ca.db"},
        {"the issuing key's journal", ISSUING, 0, NULL, "or an older copy of it"},
        {"all but the ledger", STATE | CRL | ISSUING | LOG | TOKEN, 0, NULL,
         "the published checkpoint covers"},
        {"all but the CRL that is out", STATE | LEDGER | ISSUING | LOG | TOKEN, 0, NULL,
         "ca.db is older than the CRL that is out"},
        {"another history's CRL", 0, CRL, NULL,
         "ca.db has another history than the CRL that is out"},
        {"another history", 0, STATE | LEDGER | CRL | ISSUING, NULL,
         "ca.db is older than what was signed"},
        {"another history's journal", 0, LOG, NULL, "token 'ca' knows a checkpoint of "},
        {"another history's journal, and what that token knew", 0, LOG | TOKEN, NULL,
         "ca.db has another history"},
        {"another history's ledger", 0, LEDGER, NULL, "the published checkpoint has another root"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        copy_parts(s->today, s->w->dir, ALL | TOKEN);
        copy_parts(s->yesterday, s->w->dir, rows[i].yesterday);
        copy_parts(s->elsewhere, s->w->dir, rows[i].elsewhere);
        if (rows[i].gone != NULL) {
            CLEANUP(mem_cleanup) char *gone = mem_printf("%s/%s", s->w->dir, rows[i].gone);

            copies_remove(gone);
        }
        if (rows[i].gone != NULL && strcmp(rows[i].gone, "log.journal") == 0) {
            assert_int_equal(world_start_status(s->w), REFUSED); /* the signer begins another */
        }
        must_be_refused(s->w, rows[i].name, FEW, rows[i].says);
    }
    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_starts_on_yesterdays_state_leave_no_trace),
        cmocka_unit_test(thirty_starts_on_a_consistent_copy_of_yesterday_leave_no_trace),
        cmocka_unit_test(what_is_older_or_of_another_history_is_named),
        cmocka_unit_test(with_the_tokens_files_nothing_remembers),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
