/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the signers' journals that belong to nothing, journals that are older or edited, and
 * what is stored without a line: nfpki-ca does not start with them, and ends when a signer comes
 * back with them.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "pkcs11/signer/journal/journal.h"
#include "pkcs11/signer/policy.h"
#include "tests/support/kill.h"
#include "tests/unit/ca/daemon/world.h"

enum { FILE_MAX = 8 * 1024 * 1024, REFUSED = 3, WAIT_MS = 20, MANY = 1000 };

/* ---- files ---- */

static char *
path_in(const struct world *w, const char *name)
{
    return mem_printf("%s/%s", w->dir, name);
}

static struct buf
load(const struct world *w, const char *name)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, name);
    struct buf out = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &out, &e), &e);
    return out;
}

static void
save(const struct world *w, const char *name, const struct buf *octets)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, name);
    struct err e = {0};

    assert_ok(file_write(path, buf_span(octets), 0600, &e), &e);
}

static bool
log_says(const struct world *w, size_t from, const char *says)
{
    CLEANUP(buf_free) struct buf log = load(w, "ca.log");

    return memmem(log.p + from, log.n - from, says, strlen(says)) != NULL;
}

static size_t
log_end(const struct world *w)
{
    CLEANUP(buf_free) struct buf log = load(w, "ca.log");

    return log.n;
}

/* ---- journals, while their signer does not run ---- */

static struct journal *
open_journal(const struct world *w, const char *name)
{
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/%s.conf", w->dir, name);
    struct err e = {0};
    CLEANUP(policy_cleanup) struct policy *p = policy_load(file, &e);
    uint8_t key[SHA256_SIZE];
    struct journal *j;
    size_t torn;

    assert_non_null(p);
    assert_ok(sha256(buf_span(&p->spki), key, &e), &e);
    j = journal_open(p->journal, key, &torn, &e);
    if (j == NULL) {
        fail_msg("%s", e.text);
    }
    return j;
}

struct last {
    char kind;
    struct journal_attempt a;
};

static bool
keep(void *arg, const struct journal_attempt *a)
{
    struct last *l = arg;

    if (a->kind == l->kind) {
        l->a = *a;
    }
    return true;
}

/* The newest line of this kind. */
static struct journal_attempt
newest(const struct journal *j, char kind)
{
    struct last l = {.kind = kind};
    struct err e = {0};

    assert_ok(journal_each(j, 1, keep, &l, &e), &e);
    assert_int_equal(l.a.kind, kind);
    return l.a;
}

static void
add_again(struct journal *j, const struct journal_attempt *a)
{
    struct err e = {0};

    switch (a->kind) {
    case 'T':
        assert_ok(a->bare ? journal_add(j, 'T', a->hash, NULL, &e)
                          : journal_add_certificate(j, a->hash, a->serial, &e),
                  &e);
        break;
    case 'L':
        assert_ok(journal_add_crl(j, &a->crl, &e), &e);
        break;
    default:
        assert_ok(journal_add(j, a->kind, a->hash, a->kind == 'K' ? &a->checkpoint : NULL, &e), &e);
        break;
    }
}

/* ---- tables, aside in a file of their own: a start compares the schema ---- */

static void
edit_aside(struct world *w, const char *sql)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("ATTACH DATABASE '%s/aside.db' AS aside; %s", w->dir, sql);

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

/* ---- what is asked ---- */

static json_int_t
figure(struct world *w, const char *signer, const char *name)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    json_t *value =
        json_object_get(json_object_get(json_object_get(status, "signers"), signer), name);

    assert_non_null(value);
    return json_integer_value(value);
}

static void
make_crl(struct world *w)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *answer = world_ask(w, json_pack("{s:s}", "command", "crl"), &e);

    assert_non_null(answer);
}

static void
must_be_refused(struct world *w, const char *row, const char *says)
{
    const size_t from = log_end(w);
    const int status = world_start_status(w);

    if (status != REFUSED || !log_says(w, from, says)) {
        world_show_log(w);
        fail_msg("%s: status %d, not \"%s\"", row, status, says);
    }
}

/* ---- at start ---- */

enum change { HASH, SERIAL, NUMBER, BARE, ROOT, SIZE, NOTHING };

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
        CLEANUP(buf_free) struct buf before = load(w, file);
        struct journal *j = open_journal(w, rows[i].key);
        struct journal_attempt a = newest(j, rows[i].like);
        struct err e = {0};
        size_t from = log_end(w);

        a.kind = rows[i].kind;
        a.hash[31] ^= rows[i].change == HASH;
        a.crl.hash[31] ^= rows[i].change == HASH;
        a.serial[15] ^= rows[i].change == SERIAL;
        a.crl.number += rows[i].change == NUMBER;
        a.bare = rows[i].change == BARE;
        add_again(j, &a);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        must_be_refused(w, rows[i].name, rows[i].says);
        assert_true(log_says(w, from, "belongs to nothing in the record"));
        assert_true(log_says(w, from, "\"event\":\"journal-line-unknown\""));
        save(w, file, &before);
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
        CLEANUP(buf_free) struct buf before = load(w, "log.journal");

        j = open_journal(w, "log");
        genuine = newest(j, 'K');
        other = genuine;
        other.checkpoint.root[0] ^= 1;
        add_again(j, &other);
        add_again(j, &genuine);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        must_be_refused(w, "another root", "belongs to nothing in the record");
        save(w, "log.journal", &before);
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
        again = figure(w, rows[i].key, "again");
        assert_int_equal(world_stop(w), 0);
        j = open_journal(w, rows[i].key);
        a = newest(j, rows[i].kind);
        add_again(j, &a);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        world_start(w);
        assert_int_equal(figure(w, rows[i].key, "again"), again + 1);
        assert_int_equal(figure(w, rows[i].key, "exempt"), 0);
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
        CLEANUP(buf_free) struct buf before = load(w, files[i]);
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
        save(w, files[i], &edited);
        must_be_refused(w, files[i], "the journal has other lines up to");
        save(w, files[i], &before);
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
    j = open_journal(w, "issuing");
    assert_ok(journal_add(j, 'T', hash, NULL, &e), &e);
    assert_ok(journal_commit(j, &e), &e);
    exempt = (json_int_t)journal_attempts(j);
    journal_close(j);
    world_edit_as_ca(w, "DELETE FROM journal; DELETE FROM attempted");
    world_start(w);
    assert_true(log_says(w, 0, "\"event\":\"journal-lines-exempt\""));
    make_crl(w);
    assert_int_equal(world_stop(w), 0);
    world_start(w);
    assert_int_equal(figure(w, "issuing", "exempt"), exempt);
    assert_true(figure(w, "issuing", "compared") >= exempt + 2); /* two CRLs, and perhaps */
    assert_true(figure(w, "issuing", "storedSignatures") >= 2);  /* that of this start */
    assert_true(figure(w, "issuing", "storedSignatures") <= 3);
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
    make_crl(w);
    assert_int_equal(world_stop(w), 0);
    world_start(w);
    compared = figure(w, "issuing", "compared");
    stored = figure(w, "issuing", "storedSignatures");
    assert_int_equal(world_stop(w), 0);
    put_back(w);
    world_start(w);
    assert_true(figure(w, "issuing", "compared") >= compared);
    assert_true(figure(w, "issuing", "storedSignatures") >= stored);
}

static void
a_row_that_says_more_than_was_compared_is_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, "UPDATE journal SET compared = compared + 1");
    must_be_refused(w, "further", "the journal");
    world_edit_as_ca(w, "UPDATE journal SET compared = compared - 2");
    must_be_refused(w, "less far", "the journal has other lines up to");
    world_edit_as_ca(w, "UPDATE journal SET compared = compared + 1");
    world_start(w);
}

/* Signed by somebody else, and put where the signer's would be. */
static void
what_is_stored_without_a_line_is_found(void **state)
{
    static const struct {
        const char *edit;
        const char *says;
    } rows[] = {
        {"DELETE FROM attempted WHERE kind = 0 AND at IN (SELECT idx FROM leaf WHERE kind = "
         "'INTENT' ORDER BY idx LIMIT 1)",
         "has as signed has no line"},
        {"DELETE FROM attempted WHERE kind = 0 AND at IN (SELECT idx FROM leaf WHERE kind = "
         "'CRL-INTENT' ORDER BY idx LIMIT 1)",
         "has as signed has no line"},
        {"DELETE FROM attempted WHERE kind = 1 AND at IN (SELECT size FROM checkpoint ORDER BY "
         "size LIMIT 1)",
         "for which the journal has no line"},
    };
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    put_aside(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        world_edit_as_ca(w, rows[i].edit);
        world_edit_as_ca(w, "UPDATE journal SET checked = 0");
        must_be_refused(w, rows[i].says, rows[i].says);
        edit_aside(w, "INSERT OR IGNORE INTO main.attempted SELECT * FROM aside.attempted");
    }
    put_back(w);
    world_start(w);
}

/* ---- while it runs ---- */

static void
the_journals_are_compared_all_the_time(void **state)
{
    struct world *w = *state;

    make_crl(w);
    while (figure(w, "issuing", "compared") < figure(w, "issuing", "attempts") ||
           figure(w, "log", "compared") < figure(w, "log", "attempts")) {
        (void)poll(NULL, 0, WAIT_MS);
    }
    assert_true(figure(w, "issuing", "storedSignatures") > 0);
    assert_true(figure(w, "issuing", "storedSignatures") <= figure(w, "issuing", "attempts"));
    assert_true(figure(w, "log", "storedSignatures") <= figure(w, "log", "attempts"));
}

/* The signer is killed, and the daemon stands still until its journal was seen to. */
static void
take_signer(struct world *w, const char *key)
{
    const pid_t signer = (pid_t)figure(w, key, "pid");

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
    if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED || !log_says(w, from, says)) {
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
        const size_t from = log_end(w);
        struct journal_attempt a;
        struct journal *j;
        struct err e = {0};

        take_signer(w, rows[i].key);
        {
            CLEANUP(buf_free) struct buf before = load(w, file);

            j = open_journal(w, rows[i].key);
            a = newest(j, rows[i].kind);
            a.hash[0] ^= rows[i].change == HASH;
            a.checkpoint.root[0] ^= rows[i].change == ROOT;
            a.checkpoint.size += rows[i].change == SIZE ? MANY : 0;
            add_again(j, &a);
            assert_ok(journal_commit(j, &e), &e);
            journal_close(j);
            must_end(w, from, rows[i].ends);
            must_be_refused(w, rows[i].key, rows[i].says);
            save(w, file, &before);
        }
        world_start(w);
    }
}

/* Fills an older copy up with what belongs until it is as long. */
static void
fill_up(const struct world *w, const char *key, char kind, uint64_t lines)
{
    struct journal *j = open_journal(w, key);
    const struct journal_attempt a = newest(j, kind);
    struct err e = {0};

    while (journal_attempts(j) < lines) {
        add_again(j, &a);
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
        {"log", 0, "the log signer's journal is older than ca.db"},
        {"log", 'K', "the log signer's journal is older than ca.db"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *file = mem_printf("%s.journal", rows[i].key);
        CLEANUP(buf_free) struct buf older = load(w, file);
        uint64_t attempts;
        size_t from;

        make_crl(w);
        attempts = (uint64_t)figure(w, rows[i].key, "attempts");
        from = log_end(w);
        take_signer(w, rows[i].key);
        {
            CLEANUP(buf_free) struct buf newest_one = load(w, file);

            save(w, file, &older);
            if (rows[i].fill != 0) {
                fill_up(w, rows[i].key, rows[i].fill, attempts + 1);
            }
            must_end(w, from, rows[i].says);
            save(w, file, &newest_one);
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
        make_crl(w);
    }
}

/* Rows that become those of another kind of signer as they are made, under their seals. */
static void
a_row_that_is_gone_while_it_runs_is_found(void **state)
{
    struct world *w = *state;
    int status = 0;
    size_t from;

    assert_int_equal(world_stop(w), 0);
    world_edit_as_ca(w, "DELETE FROM journal; DELETE FROM attempted");
    from = log_end(w);
    w->breaks = "CREATE TEMP TRIGGER lost AFTER INSERT ON main.journal BEGIN "
                "UPDATE journal SET kind = 1 - kind WHERE key = NEW.key; END";
    world_start(w);
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    w->daemon = -1;
    (void)close(w->link);
    w->link = -1;
    w->breaks = NULL;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED ||
        !log_says(w, from, "ca.db says no more how far the journal is compared")) {
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
        cmocka_unit_test(a_signer_that_comes_back_as_it_was_goes_on),
        cmocka_unit_test(a_line_that_belongs_to_nothing_is_found_at_start),
        cmocka_unit_test(a_checkpoint_of_another_history_is_found_between_others),
        cmocka_unit_test(a_line_for_the_same_again_belongs_and_is_counted),
        cmocka_unit_test(a_line_that_was_edited_afterwards_is_found),
        cmocka_unit_test(a_row_that_is_put_back_is_caught_up_with),
        cmocka_unit_test(a_row_that_says_more_than_was_compared_is_refused),
        cmocka_unit_test(what_is_stored_without_a_line_is_found),
        cmocka_unit_test(a_line_that_belongs_to_nothing_is_found_when_a_signer_comes_back),
        cmocka_unit_test(an_older_journal_is_found_when_a_signer_comes_back),
        cmocka_unit_test(lines_of_before_are_exempt_and_counted),
        cmocka_unit_test(a_row_that_is_gone_while_it_runs_is_found),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
