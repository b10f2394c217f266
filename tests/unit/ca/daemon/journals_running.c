/* SPDX-License-Identifier: Apache-2.0 */
/* The same while nfpki-ca runs: it ends when a signer comes back with such a journal, or an older
 * one. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/link/admin.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/journal_lines.h"

enum { WAIT_MS = 20, MANY = 1000 };

enum change { HASH, ROOT, SIZE };

/* ---- while it runs ---- */

static void
wait_compared(struct world *w)
{
    while (lines_figure(w, "issuing", "compared") < lines_figure(w, "issuing", "attempts") ||
           lines_figure(w, "log", "compared") < lines_figure(w, "log", "attempts")) {
        (void)poll(NULL, 0, WAIT_MS);
    }
}

static void
the_journals_are_compared_all_the_time(void **state)
{
    struct world *w = *state;

    lines_make_crl(w);
    wait_compared(w);
    assert_true(lines_figure(w, "issuing", "storedSignatures") > 0);
}

/* Stored, signed, attempted: none is more than the next. */
static void
must_be_in_order(struct world *w, const char *key)
{
    const json_int_t stored = lines_figure(w, key, "storedSignatures");
    const json_int_t signatures = lines_figure(w, key, "signatures");

    assert_true(stored <= lines_figure(w, key, "signatures")); /* which may grow meanwhile */
    assert_true(signatures <= lines_figure(w, key, "attempts"));
}

static void
restart_in_order(struct world *w)
{
    world_settle(w);
    assert_int_equal(world_stop(w), 0); /* the signer says with its last line what it counted */
    world_start(w);
    wait_compared(w);
}

/* Whatever is killed: the daemon with its signers, or one of them while a CRL is made. */
static void
signatures_lie_between_the_attempts_and_what_is_stored(void **state)
{
    struct world *w = *state;
    json_int_t before;

    for (int i = 0; i < 4; i++) {
        lines_make_crl(w);
        must_be_in_order(w, "issuing");
        must_be_in_order(w, "log");
        if (i % 2 == 0) {
            world_kill(w);
            world_start(w);
        } else {
            assert_int_equal(test_kill((pid_t)lines_figure(w, "issuing", "pid"), SIGKILL), 0);
        }
    }
    lines_make_crl(w);
    must_be_in_order(w, "issuing");
    must_be_in_order(w, "log");
    restart_in_order(w); /* what a kill left uncounted is behind us */
    before = lines_figure(w, "issuing", "signatures");
    restart_in_order(w);
    assert_true(lines_figure(w, "issuing", "signatures") >= before);
    lines_make_crl(w);
    wait_compared(w);
    assert_true(lines_figure(w, "issuing", "signatures") > before);
}

/* The signer is killed, and the daemon stands still until its journal was seen to. */
static void
take_signer(struct world *w, const char *key)
{
    const pid_t signer = (pid_t)lines_figure(w, key, "pid");

    assert_true(signer > 0);
    assert_int_equal(test_kill(w->daemon, SIGSTOP), 0);
    assert_int_equal(test_kill(signer, SIGKILL), 0);
}

static void
must_end(struct world *w, size_t from, const char *says)
{
    struct err e = {0};
    int status = 0;

    assert_int_equal(test_kill(w->daemon, SIGCONT), 0);
    assert_null(world_ask(w, json_pack("{s:s}", "command", "crl"), &e));
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    w->daemon = -1;
    (void)close(w->link);
    w->link = -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != LINES_REFUSED ||
        !lines_log_says(w, from, says)) {
        world_show_log(w);
        fail_msg("status %d, no \"%s\"", status, says);
    }
}

static void
a_line_that_belongs_to_nothing_is_found_when_a_signer_comes_back(void **state)
{
    static const struct {
        const char *key;
        char kind;
        enum change change;
        const char *ends; /* what it ends with, */
        const char *says; /* and what the next start says */
    } rows[] = {
        {"issuing", 'T', HASH, "\"event\":\"journal-line-unknown\"",
         "belongs to nothing in the record"},
        {"log", 'K', HASH, "\"event\":\"journal-line-unknown\"",
         "belongs to nothing in the record"},
        {"log", 'K', ROOT, "has another root than ca.db", "ca.db has another history"},
        {"log", 'K', SIZE, "leaves; the log signer's journal ends at",
         "ca.db is older than what was signed"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *file = mem_printf("%s.journal", rows[i].key);
        const size_t from = lines_log_end(w);
        struct journal_attempt a;
        struct journal *j;
        struct err e = {0};

        take_signer(w, rows[i].key);
        {
            CLEANUP(buf_free) struct buf before = lines_load(w, file);

            j = lines_open(w, rows[i].key);
            a = lines_newest(j, rows[i].kind);
            a.hash[0] ^= rows[i].change == HASH;
            a.checkpoint.root[0] ^= rows[i].change == ROOT;
            a.checkpoint.size += rows[i].change == SIZE ? MANY : 0;
            lines_add(j, &a);
            assert_ok(journal_commit(j, &e), &e);
            journal_close(j);
            must_end(w, from, rows[i].ends);
            lines_must_refuse(w, rows[i].key, rows[i].says);
            lines_save(w, file, &before);
        }
        world_start(w);
    }
}

/* Fills an older copy up with what belongs until it is as long. */
static void
fill_up(const struct world *w, const char *key, char kind, uint64_t lines)
{
    struct journal *j = lines_open(w, key);
    const struct journal_attempt a = lines_newest(j, kind);
    struct err e = {0};

    while (journal_attempts(j) < lines) {
        lines_add(j, &a);
    }
    assert_ok(journal_commit(j, &e), &e);
    journal_close(j);
}

static void
an_older_journal_is_found_when_a_signer_comes_back(void **state)
{
    static const struct {
        const char *key;
        char fill;
        const char *says;
    } rows[] = {
        {"issuing", 0, "the journal is older than ca.db"},
        {"issuing", 'L', "no line in the journal"},
        /* than ca.db, or than the token's memory, if the CRL's was written by then */
        {"log", 0, "older"},
        {"log", 'K', "older"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *file = mem_printf("%s.journal", rows[i].key);
        CLEANUP(buf_free) struct buf older = lines_load(w, file);
        uint64_t attempts;
        size_t from;

        lines_make_crl(w);
        attempts = (uint64_t)lines_figure(w, rows[i].key, "attempts");
        from = lines_log_end(w);
        take_signer(w, rows[i].key);
        {
            CLEANUP(buf_free) struct buf newest_one = lines_load(w, file);

            lines_save(w, file, &older);
            if (rows[i].fill != 0) {
                fill_up(w, rows[i].key, rows[i].fill, attempts + 1);
            }
            must_end(w, from, rows[i].says);
            lines_save(w, file, &newest_one);
        }
        world_start(w);
    }
}

/* One that comes back with its own goes on. */
static void
a_signer_that_comes_back_as_it_was_goes_on(void **state)
{
    static const char *const keys[] = {"issuing", "log"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        take_signer(w, keys[i]);
        assert_int_equal(test_kill(w->daemon, SIGCONT), 0);
        lines_make_crl(w);
    }
}

/* Rows that become those of another kind of signer as they are made, in pages that are sealed. */
static void
a_row_that_is_gone_while_it_runs_is_found(void **state)
{
    struct world *w = *state;
    int status = 0;
    size_t from;

    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, "DELETE FROM journal; DELETE FROM attempted");
    from = lines_log_end(w);
    w->breaks = "CREATE TEMP TRIGGER lost AFTER INSERT ON main.journal BEGIN "
                "UPDATE journal SET kind = 1 - kind WHERE key = NEW.key; END";
    world_start(w);
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    w->daemon = -1;
    (void)close(w->link);
    w->link = -1;
    w->breaks = NULL;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != LINES_REFUSED ||
        !lines_log_says(w, from, "ca.db says no more how far the journal is compared")) {
        world_show_log(w);
        fail_msg("status %d", status);
    }
    world_edit_as_ca(w, "UPDATE journal SET kind = 1 - kind");
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journals_are_compared_all_the_time),
        cmocka_unit_test(signatures_lie_between_the_attempts_and_what_is_stored),
        cmocka_unit_test(a_signer_that_comes_back_as_it_was_goes_on),
        cmocka_unit_test(a_line_that_belongs_to_nothing_is_found_when_a_signer_comes_back),
        cmocka_unit_test(an_older_journal_is_found_when_a_signer_comes_back),
        cmocka_unit_test(a_row_that_is_gone_while_it_runs_is_found),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
