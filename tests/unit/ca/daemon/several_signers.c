/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several signers of the issuing key: each with a journal of its own, and nfpki-ca knows each of
 * them for the one that it is.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/journal_lines.h"
#include "tests/unit/ca/daemon/nf.h"

enum { FILE_MAX = 64 * 1024, SIGNERS = 4, ENROLMENTS = 6 };

/* The first one alone signs CRLs. */
#define TWO "{\"issuing.conf\", \"issuing2.conf\"}"
#define THREE "{\"issuing.conf\", \"issuing2.conf\", \"issuing3.conf\"}"
#define FOUR "{\"issuing.conf\", \"issuing2.conf\", \"issuing3.conf\", \"issuing4.conf\"}"

/* ---- configuration ---- */

static char *
replaced(const struct buf *text, const char *what, const char *by)
{
    const char *at = memmem(text->p, text->n, what, strlen(what));
    const char *whole = (const char *)text->p;

    assert_non_null(at);
    return mem_printf("%.*s%s%.*s", (int)(at - whole), whole, by,
                      (int)(text->n - (size_t)(at - whole) - strlen(what)), at + strlen(what));
}

static void
save_text(struct world *w, const char *name, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, name);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), 0644, &e), &e);
}

/* Policies of as many signers, each with a journal of its own. */
static void
make_policies(struct world *w)
{
    for (int i = 2; i <= SIGNERS; i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("issuing%d.conf", i);
        CLEANUP(mem_cleanup) char *journal = mem_printf("/issuing%d.journal", i);
        CLEANUP(buf_free) struct buf first = lines_load(w, "issuing.conf");
        CLEANUP(mem_cleanup) char *without = replaced(&first, ", \"crl\"", "");
        CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
        CLEANUP(mem_cleanup) char *whole = NULL;
        struct err e = {0};

        assert_ok(buf_append_str(&text, without, &e), &e);
        whole = replaced(&text, "/issuing.journal", journal);
        save_text(w, name, whole);
    }
}

static void
configure(struct world *w, const char *signers)
{
    CLEANUP(buf_free) struct buf was = {0};
    CLEANUP(mem_cleanup) char *whole = NULL;

    world_configure(w, "");
    was = lines_load(w, "nfpki-ca.conf");
    whole = replaced(&was, "\"issuing.conf\"", signers);
    save_text(w, "nfpki-ca.conf", whole);
}

static void
restart(struct world *w, const char *signers)
{
    assert_int_equal(world_stop(w), 0);
    configure(w, signers);
    world_start(w);
}

static void
enrol(struct world *w, int n)
{
    for (int i = 0; i < n; i++) {
        CLEANUP(nf_free) struct nf nf = nf_new(w, BY_MAC, 1);

        X509_free(nf_enrol(w, &nf));
    }
}

static json_int_t
figure_of(struct world *w, size_t i, const char *name)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    const json_t *issuing = json_object_get(json_object_get(status, "signers"), "issuing");
    const json_t *each = json_object_get(issuing, "each");
    const json_t *value = json_object_get(json_array_get(each, i), name);

    assert_non_null(value);
    return json_integer_value(value);
}

/* ---- tests ---- */

static void
a_signer_that_is_added_has_its_share(void **state)
{
    struct world *w = *state;
    json_int_t before;

    make_policies(w);
    enrol(w, 2);
    before = lines_figure(w, "issuing", "attempts");
    restart(w, TWO);
    enrol(w, ENROLMENTS);
    assert_int_equal(figure_of(w, 1, "number"), 2);
    assert_true(figure_of(w, 1, "attempts") >= ENROLMENTS / 2);
    assert_int_equal(figure_of(w, 1, "attempts"), figure_of(w, 1, "signatures"));
    assert_true(figure_of(w, 0, "attempts") >= before + ENROLMENTS / 2);
    assert_int_equal(lines_figure(w, "issuing", "attempts"),
                     figure_of(w, 0, "attempts") + figure_of(w, 1, "attempts"));
    lines_make_crl(w); /* the first signs it */
    restart(w, TWO);
    assert_int_equal(figure_of(w, 1, "compared"), figure_of(w, 1, "attempts"));
    assert_int_equal(figure_of(w, 1, "exempt"), 0);
    assert_true(lines_figure(w, "issuing", "storedSignatures") > ENROLMENTS);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "CONFIG", "issuing_policy.2", ""), 1);
    {
        CLEANUP(buf_free) struct buf said = BUF_INIT(FILE_MAX);

        if (world_verify(w, w->dir, &said) != 0) {
            fail_msg("%.*s", (int)said.n, (char *)said.p);
        }
    }
    world_start(w);
}

/* Whoever deletes a journal, or puts back an older one, is found out: of each signer. */
static void
an_older_journal_of_any_of_them_is_refused(void **state)
{
    static const char *const files[] = {"issuing.journal", "issuing2.journal"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, files[i]);
        CLEANUP(buf_free) struct buf older = lines_load(w, files[i]);
        CLEANUP(buf_free) struct buf newest = {0};

        enrol(w, 4);
        restart(w, TWO);
        assert_int_equal(world_stop(w), 0);
        newest = lines_load(w, files[i]);
        assert_true(newest.n > older.n);
        lines_save(w, files[i], &older);
        lines_must_refuse(w, files[i], "the journal");
        assert_int_equal(unlink(path), 0);
        lines_must_refuse(w, files[i], "the journal");
        lines_save(w, files[i], &newest);
        world_start(w);
    }
}

static void
a_line_of_any_of_them_that_belongs_to_nothing_is_found(void **state)
{
    struct world *w = *state;
    struct journal *j;
    struct journal_attempt a;
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    {
        CLEANUP(buf_free) struct buf before = lines_load(w, "issuing2.journal");

        j = lines_open(w, "issuing2");
        a = lines_newest(j, 'T');
        a.hash[31] ^= 1;
        lines_add(j, &a);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        lines_must_refuse(w, "the second", "belongs to nothing in the record");
        assert_true(lines_log_says(w, 0, "issuing2.conf: line "));
        lines_save(w, "issuing2.journal", &before);
    }
    world_start(w);
}

static void
two_that_changed_their_places_are_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    configure(w, "{\"issuing2.conf\", \"issuing.conf\"}");
    lines_must_refuse(w, "two that changed their places", "the journal");
    configure(w, TWO);
    world_start(w);
}

/* In the journal of the third, whose signer was never named. */
static void
put_line(struct world *w, const struct journal_attempt *a)
{
    struct journal *j = lines_open(w, "issuing3");
    struct err e = {0};

    lines_add(j, a);
    assert_ok(journal_commit(j, &e), &e);
    journal_close(j);
}

/* As that of a signer that a restored ca.db does not know of. */
static void
all_lines_of_a_journal_that_is_new_are_compared(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing3.journal", w->dir);
    struct journal_attempt genuine;
    struct journal_attempt other;
    struct journal *j;

    assert_int_equal(world_stop(w), 0);
    j = lines_open(w, "issuing2");
    genuine = other = lines_newest(j, 'T');
    journal_close(j);
    other.hash[31] ^= 1;
    put_line(w, &other);
    put_line(w, &genuine);
    configure(w, THREE);
    lines_must_refuse(w, "a line of nothing", "line 1 of the journal belongs to nothing");
    assert_int_equal(unlink(path), 0);
    put_line(w, &genuine);
    world_start(w);
    assert_true(lines_log_says(w, 0, "\"event\":\"journal-compared-whole\""));
    assert_int_equal(figure_of(w, 2, "compared"), 1);
    assert_int_equal(figure_of(w, 2, "exempt"), 0);
}

static bool
leaves_out(struct world *w, const char *signers)
{
    size_t end;

    assert_int_equal(world_stop(w), 0);
    end = lines_log_end(w);
    configure(w, signers);
    world_start(w);
    return lines_log_says(w, end, "\"event\":\"journals-left-out\"");
}

/* And named again it is compared from where it was left. */
static void
each_start_says_whose_journal_is_left_out(void **state)
{
    struct world *w = *state;

    enrol(w, SIGNERS);
    assert_false(leaves_out(w, THREE));
    assert_true(leaves_out(w, TWO));
    assert_true(leaves_out(w, "{\"issuing.conf\", \"\", \"issuing3.conf\"}"));
    /* as many signers as journals are known, and one of them is new */
    assert_true(leaves_out(w, "{\"issuing.conf\", \"\", \"issuing3.conf\", \"issuing4.conf\"}"));
    enrol(w, 2);
    assert_false(leaves_out(w, FOUR));
    for (size_t i = 1; i < SIGNERS; i++) { /* the first has signed a CRL since */
        assert_int_equal(figure_of(w, i, "number"), i + 1);
        assert_int_equal(figure_of(w, i, "compared"), figure_of(w, i, "attempts"));
    }
    restart(w, TWO);
}

/* When the first one goes the next one signs them, whose policy gets it. */
static void
the_first_that_is_named_signs_crls(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf before = lines_load(w, "issuing2.conf");
    CLEANUP(mem_cleanup)
    char *with = replaced(&before, "{\"certificate\"}", "{\"certificate\", \"crl\"}");
    json_int_t attempts;

    assert_int_equal(world_stop(w), 0);
    save_text(w, "issuing2.conf", with);
    configure(w, "{\"\", \"issuing2.conf\"}");
    world_start(w);
    attempts = figure_of(w, 0, "attempts");
    lines_make_crl(w);
    assert_int_equal(figure_of(w, 0, "number"), 2);
    assert_int_equal(figure_of(w, 0, "attempts"), attempts + 1);
    assert_int_equal(world_stop(w), 0);
    lines_save(w, "issuing2.conf", &before);
    configure(w, TWO);
    world_start(w);
}

/* What the killed one had is asked for again by the RA; it comes back, and is looked at before it
 * signs: with an older journal everything ends. */
static void
one_that_comes_back_with_an_older_journal_ends_the_daemon(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf older = lines_load(w, "issuing2.journal");
    CLEANUP(buf_free) struct buf newest = {0};
    pid_t second;
    int status = 0;

    enrol(w, 4);
    second = (pid_t)figure_of(w, 1, "pid");
    assert_true(second > 0);
    assert_int_equal(test_kill(w->daemon, SIGSTOP), 0);
    assert_int_equal(test_kill(second, SIGKILL), 0);
    newest = lines_load(w, "issuing2.journal");
    assert_true(newest.n > older.n);
    lines_save(w, "issuing2.journal", &older);
    assert_int_equal(test_kill(w->daemon, SIGCONT), 0);
    assert_int_equal(waitpid(w->daemon, &status, 0),
                     w->daemon); /* within ten seconds: it is asked */
    w->daemon = -1;
    (void)close(w->link);
    w->link = -1;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LINES_REFUSED);
    lines_must_refuse(w, "and again", "the journal");
    lines_save(w, "issuing2.journal", &newest);
    world_start(w);
}

struct compared_op {
    struct store_op op;
    int64_t lines;
};

static int
read_compared(struct store_op *op, struct store_db *db, struct err *e)
{
    struct compared_op *c = CONTAINER_OF(op, struct compared_op, op);
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT compared FROM journal WHERE kind = 0 AND number = 1",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    c->lines = row_int(&rows, 0);
    return 0;
}

/* Whose policy cannot be read, and who so cannot be started again. */
static void
a_stop_without_the_first_compares_the_others(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf policy = lines_load(w, "issuing.conf");
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/issuing.conf", w->dir);
    struct compared_op c = {.op.run = read_compared};
    json_int_t attempts;
    size_t end;

    enrol(w, 4);
    attempts = figure_of(w, 1, "attempts");
    end = lines_log_end(w);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(test_kill((pid_t)figure_of(w, 0, "pid"), SIGKILL), 0);
    assert_int_equal(world_stop(w), 0);
    assert_true(lines_log_says(w, end, "issuing.conf: at the stop"));
    lines_save(w, "issuing.conf", &policy);
    world_call(w, &c.op);
    assert_int_equal(c.lines, attempts);
    world_start(w);
}

/* The row was taken out, and the line is in one journal of several. */
static void
what_is_stored_without_a_line_is_looked_for_in_all_of_them(void **state)
{
    struct world *w = *state;

    enrol(w, 2);
    restart(w, TWO);
    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, "DELETE FROM attempted WHERE kind = 0 AND at = (SELECT max(idx) FROM leaf "
                        "WHERE kind = 'INTENT'); UPDATE journal SET checked = 0 WHERE kind = 0");
    lines_must_refuse(w, "the last", "lacks the row of what is signed by leaf ");
    world_edit_as_ca(w, "INSERT INTO attempted SELECT 0, max(idx) FROM leaf WHERE kind = 'INTENT'");
    world_edit_as_ca(w, "DELETE FROM attempted WHERE kind = 0 AND at = (SELECT max(idx) FROM leaf "
                        "WHERE kind = 'INTENT' AND idx < (SELECT max(idx) FROM leaf WHERE kind = "
                        "'INTENT')); UPDATE journal SET checked = 0 WHERE kind = 0");
    lines_must_refuse(w, "the last but one", "lacks the row of what is signed by leaf ");
    world_edit_as_ca(w, "INSERT INTO attempted SELECT 0, max(idx) FROM leaf WHERE kind = 'INTENT' "
                        "AND idx < (SELECT max(idx) FROM leaf WHERE kind = 'INTENT')");
    world_edit_as_ca(w, "UPDATE journal SET stored = 0 WHERE kind = 0");
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signer_that_is_added_has_its_share),
        cmocka_unit_test(an_older_journal_of_any_of_them_is_refused),
        cmocka_unit_test(a_line_of_any_of_them_that_belongs_to_nothing_is_found),
        cmocka_unit_test(two_that_changed_their_places_are_refused),
        cmocka_unit_test(all_lines_of_a_journal_that_is_new_are_compared),
        cmocka_unit_test(each_start_says_whose_journal_is_left_out),
        cmocka_unit_test(the_first_that_is_named_signs_crls),
        cmocka_unit_test(one_that_comes_back_with_an_older_journal_ends_the_daemon),
        cmocka_unit_test(a_stop_without_the_first_compares_the_others),
        cmocka_unit_test(what_is_stored_without_a_line_is_looked_for_in_all_of_them),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
