/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a journal that belongs to nothing, which two officers sign that they know of: then, and
 * not before, a start goes on.
 */
#include <string.h>
#include <unistd.h>

#include "tests/unit/ca/daemon/acknowledging.h"
#include "tests/unit/ca/daemon/journal_lines.h"
#include "tests/unit/ca/daemon/trace.h"

enum {
    FAILED = 1,
    MISUSE = 2,
};

static void
must_refuse(const struct world *w, const char *row, const char *const more[4], int status,
            const char *says)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(PROGRAM_OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(PROGRAM_OUTPUT_MAX);
    CLEANUP(mem_cleanup) char *before = trace_snapshot(w);
    CLEANUP(mem_cleanup) char *after = NULL;
    const int is = acknowledging_run(w, more, &out, &said);

    after = trace_snapshot(w);
    if (is != status || out.n != 1 || strstr((const char *)said.p, says) == NULL) {
        fail_msg("%s: status %d, no \"%s\" in:\n%s", row, is, says, (const char *)said.p);
    }
    if (strcmp(before, after) != 0) {
        fail_msg("%s: something was changed", row);
    }
}

/* A text with one other word in it. */
static char *
other(const char *text, const char *was, const char *is)
{
    const char *at = strstr(text, was);

    assert_non_null(at);
    return mem_printf("%.*s%s%s", (int)(at - text), text, is, at + strlen(was));
}

/* ---- */

static void
without_such_a_line_there_is_nothing_to_acknowledge(void **state)
{
    struct acknowledging *s = *state;
    const char *const more[4] = {"--reason", "for nothing"};

    must_refuse(s->w, "no such line", more, FAILED, "there is nothing to acknowledge");
}

static void
what_two_officers_did_not_sign_changes_nothing(void **state)
{
    static const struct {
        const char *name;
        enum who first, second;
        const char *was, *is; /* in what both sign; NULL: as it is printed */
        bool one_only;        /* but only the second */
        int status;
        const char *says;
    } rows[] = {
        {"one officer twice", ALICE, ALICE, NULL, NULL, false, FAILED, "are of one person"},
        {"one person twice", ALICE, ALICE_AGAIN, NULL, NULL, false, FAILED, "are of one person"},
        {"a revoked officer", ALICE, EVE, NULL, NULL, false, FAILED, "is no officer's"},
        {"a registrar", OAM, BOB, NULL, NULL, false, FAILED, "is no officer's"},
        {"another line", ALICE, BOB, "\"line\": ", "\"line\": 9", false, FAILED, "is not about"},
        {"another root", ALICE, BOB, "\"root\": \"", "\"root\": \"0", false, MISUSE, "log: not as"},
        {"other leaves", ALICE, BOB, "\"leaves\": ", "\"leaves\": 1", false, FAILED,
         "is not about"},
        {"the other signer", ALICE, BOB, "\"issuing\"", "\"log\"", false, FAILED, "is not about"},
        {"two reasons", ALICE, BOB, "stolen", "lost", true, FAILED, "not the same as the other"},
        {"no reason", ALICE, BOB, "the PIN was stolen", "", false, MISUSE, "a reason of 1 to"},
        {"the plan of a restore", ALICE, BOB, "acknowledgement", "restore", false, MISUSE,
         "is not the plan of an acknowledgement"},
        {"of another year", ALICE, BOB, "\"time\": \"20", "\"time\": \"19", false, FAILED,
         "more than 7 days ago"},
        {"a member more", ALICE, BOB, "\"line\"", "\"more\": 1,\"line\"", false, MISUSE,
         "acknowledgement: "},
    };
    struct acknowledging *s = *state;
    CLEANUP(buf_free) struct buf before = lines_load(s->w, "issuing.journal");
    CLEANUP(buf_free) struct buf text = {0};

    (void)acknowledging_add(s->w, "issuing", 'T', NULL);
    text = acknowledging_text(s->w, "the PIN was stolen");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *plain = (const char *)text.p;
        CLEANUP(mem_cleanup)
        char *changed =
            rows[i].was == NULL ? mem_strdup(plain) : other(plain, rows[i].was, rows[i].is);
        CLEANUP(mem_cleanup)
        char *first =
            acknowledging_sign(s, rows[i].first, "first", rows[i].one_only ? plain : changed);
        CLEANUP(mem_cleanup)
        char *second = acknowledging_sign(s, rows[i].second, "second", changed);
        const char *const more[4] = {"--approval", first, "--approval", second};

        must_refuse(s->w, rows[i].name, more, rows[i].status, rows[i].says);
        assert_int_equal(unlink(first), 0);
        assert_int_equal(unlink(second), 0);
    }
    trace_must_refuse(s->w, "still", 1, LINES_REFUSED, "belongs to nothing in the record");
    lines_save(s->w, "issuing.journal", &before);
}

static void
an_acknowledged_line_is_gone_past_and_no_other(void **state)
{
    static const struct {
        const char *key;
        char kind;
    } rows[] = {{"issuing", 'T'}, {"issuing", 'L'}, {"log", 'K'}};
    struct acknowledging *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *file = mem_printf("%s.journal", rows[i].key);
        CLEANUP(buf_free) struct buf kept = {0};
        CLEANUP(buf_free) struct buf text = {0};
        CLEANUP(buf_free) struct buf done = BUF_INIT(PROGRAM_OUTPUT_MAX);
        CLEANUP(buf_free) struct buf said = BUF_INIT(PROGRAM_OUTPUT_MAX);
        CLEANUP(mem_cleanup) char *first = NULL;
        CLEANUP(mem_cleanup) char *second = NULL;
        struct journal_attempt genuine = {0};
        struct journal_attempt line;

        if (rows[i].kind == 'K') { /* the last one is judged first */
            struct journal *j = lines_open(s->w, rows[i].key);

            genuine = lines_newest(j, 'K');
            journal_close(j);
        }
        line = acknowledging_add(s->w, rows[i].key, rows[i].kind, NULL);
        if (rows[i].kind == 'K') {
            (void)acknowledging_add(s->w, rows[i].key, 'K', &genuine);
        }
        text = acknowledging_text(s->w, "the PIN was stolen");
        first = acknowledging_sign(s, ALICE, "first", (const char *)text.p);
        second = acknowledging_sign(s, BOB, "second", (const char *)text.p);
        const char *const more[4] = {"--approval", first, "--approval", second};
        if (acknowledging_run(s->w, more, &done, &said) != 0) {
            fail_msg("%s %c: %s", rows[i].key, rows[i].kind, (const char *)said.p);
        }
        assert_string_equal((const char *)done.p, (const char *)text.p);
        must_refuse(s->w, "once more", more, FAILED, "there is nothing to acknowledge");
        assert_int_equal(world_leaves(s->w, "ACKNOWLEDGED", "the PIN was stolen", ""), (int)i + 1);
        world_start(s->w);
        lines_make_crl(s->w);
        assert_int_equal(world_stop(s->w), 0);
        {
            CLEANUP(buf_free) struct buf compared = BUF_INIT(VERIFY_OUTPUT_MAX);

            if (world_verify(s->w, s->w->dir, &compared) != 0) {
                fail_msg("%s", (const char *)compared.p);
            }
        }
        kept = lines_load(s->w, file);
        (void)acknowledging_add(s->w, rows[i].key, rows[i].kind, &line);
        if (rows[i].kind != 'K') {
            lines_must_refuse(s->w, "the same at another place", "belongs to nothing");
        }
        lines_save(s->w, file, &kept);
        assert_int_equal(unlink(first), 0);
        assert_int_equal(unlink(second), 0);
    }
}

/* As at a start: nobody could tell what was before what, unless the entry says so. */
static void
a_clock_that_is_behind_the_last_leaf_is_refused_or_said(void **state)
{
    struct acknowledging *s = *state;
    const char *const reason[4] = {"--reason", "set right"};
    struct journal_attempt line;
    struct journal *journal;
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(buf_free) struct buf done = BUF_INIT(PROGRAM_OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(PROGRAM_OUTPUT_MAX);
    CLEANUP(mem_cleanup) char *first = NULL;
    CLEANUP(mem_cleanup) char *second = NULL;

    s->w->clock = "+1h"; /* it was ahead */
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
    s->w->clock = NULL;
    journal = lines_open(s->w, "issuing");
    line = lines_newest(journal, 'T');
    journal_close(journal);
    line.hash[0] ^= 1;
    (void)acknowledging_add(s->w, "issuing", 'T', &line);
    must_refuse(s->w, "behind", reason, FAILED, "s behind the last leaf: set it right, or wait");
    world_configure(s->w, "renewal_window = 0\nclock_set_back = true\n");
    text = acknowledging_text(s->w, "set right");
    first = acknowledging_sign(s, ALICE, "first", (const char *)text.p);
    second = acknowledging_sign(s, BOB, "second", (const char *)text.p);
    const char *const more[4] = {"--approval", first, "--approval", second};
    if (acknowledging_run(s->w, more, &done, &said) != 0) {
        fail_msg("%s", (const char *)said.p);
    }
    assert_int_equal(world_leaves(s->w, "ACKNOWLEDGED", "\"clockSetBack\":\"", "set right"), 1);
    world_configure(s->w, "renewal_window = 0\n");
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
    assert_int_equal(unlink(first), 0);
    assert_int_equal(unlink(second), 0);
}

static void
an_auditor_verifies_it_and_counts_it(void **state)
{
    struct acknowledging *s = *state;
    CLEANUP(mem_cleanup) char *ledger = mem_printf("%s/ledger", s->w->dir);
    CLEANUP(mem_cleanup) char *key = mem_printf("%s/ledger/log.vkey", s->w->dir);
    CLEANUP(buf_free) struct buf out = BUF_INIT(PROGRAM_OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(PROGRAM_OUTPUT_MAX);
    const char *const arguments[] = {"--ledger", ledger, "--key", key, "verify", NULL};

    if (acknowledging_program(s->w, TEST_BINARY_DIR "/nfpki-audit", arguments, &out, &said) != 0 ||
        strstr((const char *)out.p, "set back     1\n") == NULL ||
        strstr((const char *)said.p, "finding") != NULL ||
        strstr((const char *)out.p, "acknowledged 4: a key of the CA may have signed") == NULL) {
        fail_msg("%s%s", (const char *)out.p, (const char *)said.p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_such_a_line_there_is_nothing_to_acknowledge),
        cmocka_unit_test(what_two_officers_did_not_sign_changes_nothing),
        cmocka_unit_test(an_acknowledged_line_is_gone_past_and_no_other),
        cmocka_unit_test(a_clock_that_is_behind_the_last_leaf_is_refused_or_said),
        cmocka_unit_test(an_auditor_verifies_it_and_counts_it),
    };

    return cmocka_run_group_tests(tests, acknowledging_setup, acknowledging_teardown);
}
