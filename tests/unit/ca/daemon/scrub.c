/* SPDX-License-Identifier: Apache-2.0 */
/* All rows are compared with the record: while the daemon runs, and by nfpki-ca --verify. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/holder.h"

enum { OUTPUT_MAX = VERIFY_OUTPUT_MAX, FILE_MAX = 16 * 1024 * 1024, DIFFERENCES = 1 };

/* ---- status ---- */

static json_t *
scrub_status(struct world *w)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_incref(json_object_get(status, "scrub"));
}

static json_int_t
number(json_t *scrub, const char *name)
{
    return json_integer_value(json_object_get(scrub, name));
}

/* Waits for the end of a pass. */
static json_t *
whole_pass(struct world *w)
{
    for (;;) {
        CLEANUP(admin_json_cleanup) json_t *scrub = scrub_status(w);

        assert_true(json_is_object(scrub));
        if (json_is_string(json_object_get(scrub, "lastEnded"))) {
            return json_incref(scrub);
        }
        assert_true(json_is_null(json_object_get(scrub, "lastBegun")));
        assert_true(json_is_null(json_object_get(scrub, "lastAge")));
        assert_true(number(scrub, "decidedSince") > 0);
    }
}

static void
the_age_of_the_last_whole_pass_is_in_the_status(void **state)
{
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *first = whole_pass(w);
    CLEANUP(admin_json_cleanup) json_t *later = NULL;
    CLEANUP(admin_json_cleanup) json_t *after = NULL;
    X509 *certificate = NULL;
    struct nf nf;

    assert_string_equal(json_string_value(json_object_get(first, "at")), "rest");
    assert_true(json_is_null(json_object_get(first, "begun")));
    assert_true(number(first, "lastAge") >= 0);
    nf = holder_enrolled(w, 1, &certificate);
    later = scrub_status(w);
    assert_int_equal(number(later, "decidedSince"), number(first, "decidedSince") + 1);
    X509_free(certificate);
    nf_free(&nf);
    assert_int_equal(world_stop(w), 0);
    world_start(w);
    after = whole_pass(w); /* of this start or of the one before */
    assert_string_equal(json_string_value(json_object_get(first, "lastEnded")),
                        json_string_value(json_object_get(later, "lastEnded")));
    assert_true(json_is_string(json_object_get(after, "lastBegun")));
}

/* ---- nfpki-ca --verify ---- */

static void
must_say(const struct buf *out, const char *text)
{
    if (strstr((const char *)out->p, text) == NULL) {
        fail_msg("not said: %s\n%s", text, (const char *)out->p);
    }
}

static const char *const files[] = {"state/ca.db",       "state/ca.db-wal", "state/ca.db-seal",
                                    "issuing.journal",   "log.journal",     "ledger/log.vkey",
                                    "ledger/checkpoint", "crl/issuing.crl", "crl/root.crl"};

static void
hash_files(const struct world *w, uint8_t out[ARRAY_LEN(files)][SHA256_SIZE])
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, files[i]);
        CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
        struct err e = {0};

        memset(out[i], 0, SHA256_SIZE);
        if (access(path, F_OK) == 0) {
            assert_ok(file_read(path, &octets, &e), &e);
            assert_ok(sha256(buf_span(&octets), out[i], &e), &e);
        }
    }
}

/* Signers outlive their daemon for a moment, and end with a line in their journals. */
static void
wait_for_signers(const struct world *w)
{
    static const char *const journals[] = {"issuing.journal", "log.journal"};

    for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, journals[i]);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        (void)close(fd);
    }
}

static void
verify_compares_all_and_changes_nothing(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf out = BUF_INIT(OUTPUT_MAX);
    uint8_t before[ARRAY_LEN(files)][SHA256_SIZE];
    uint8_t after[ARRAY_LEN(files)][SHA256_SIZE];

    assert_int_not_equal(world_verify(w, w->dir, &out), 0);
    must_say(&out, "another process has");
    for (int killed = 0; killed < 2; killed++) { /* with what is in its WAL, and without */
        if (killed != 0) {
            world_settle(w); /* a CRL that is stored is out */
            world_kill(w);
            wait_for_signers(w);
        } else {
            assert_int_equal(world_stop(w), 0);
        }
        hash_files(w, before);
        if (world_verify(w, w->dir, &out) != 0) {
            fail_msg("%s", (const char *)out.p);
        }
        must_say(&out, "compared in ");
        must_say(&out, "no difference\n");
        hash_files(w, after);
        assert_memory_equal(before, after, sizeof(before));
        world_start(w);
    }
}

static void
verify_says_what_it_could_not_compare(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf out = BUF_INIT(OUTPUT_MAX);

    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_verify(w, "/nowhere", &out), 1);
    must_say(&out, "not compared: seals, and what the log's key signed last: ");
    must_say(&out, "no difference\n");
    world_start(w);
}

static void
verify_names_all_that_differs(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf out = BUF_INIT(OUTPUT_MAX);

    assert_int_equal(world_stop(w), 0);
    world_keep(w);
    world_edit_as_ca(w, "DROP TRIGGER revocation_kept;"
                        "CREATE TRIGGER mine AFTER INSERT ON revocation BEGIN "
                        "DELETE FROM revocation WHERE serial = NEW.serial; END;"
                        "DROP INDEX leaf_by_subject;");
    assert_int_equal(world_verify(w, w->dir, &out), DIFFERENCES);
    must_say(&out, "difference: trigger revocation_kept: missing\n");
    must_say(&out, "difference: trigger mine: not ours\n");
    must_say(&out, "difference: index leaf_by_subject: missing\n");
    must_say(&out, ": 3 differences\n");
    world_put_back(w);
    world_edit_as_ca(w, "UPDATE registration SET used = 0;"
                        "INSERT INTO revocation(serial, revoked, reason, not_after) "
                        "VALUES(zeroblob(16), 1, 1, 1)");
    assert_int_equal(world_verify(w, w->dir, &out), DIFFERENCES);
    must_say(&out, "was used another number of times than ca.db says\n");
    must_say(&out, "revocation 00000000000000000000000000000000\n");
    assert_null(strstr((const char *)out.p, "difference: page "));
    world_put_back(w);
    world_edit_as_ca(w, "DROP TRIGGER leaf_stays; UPDATE leaf SET body = CAST(body || x'20' AS "
                        "BLOB) WHERE idx = 0");
    assert_int_equal(world_verify(w, w->dir, &out), DIFFERENCES);
    must_say(&out, "difference: leaf 0");
    world_put_back(w);
    /* By who has not the key: the page, and what it says. */
    world_edit(w, "UPDATE registration SET used = 0");
    assert_int_equal(world_verify(w, w->dir, &out), DIFFERENCES);
    must_say(&out, "difference: page ");
    must_say(&out, "was used another number of times than ca.db says\n");
    world_put_back(w);
    assert_int_equal(world_verify(w, w->dir, &out), 0);
    world_start(w);
}

static void
must_have_said(const struct world *w, const char *says)
{
    CLEANUP(mem_cleanup) char *log = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(log, &text, &e), &e);
    assert_non_null(memmem(text.p, text.n, says, strlen(says)));
}

/* It would act with each statement of the daemon's. */
static void
what_is_not_ours_in_the_schema_is_not_started_with(void **state)
{
    static const char trigger[] =
        "CREATE TRIGGER mine AFTER INSERT ON revocation BEGIN DELETE FROM revocation; END";
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    world_keep(w);
    world_edit(w, trigger);
    assert_true(world_start_fails(w));
    must_have_said(w, " is not what its seal says");
    world_put_back(w);
    world_edit_as_ca(w, trigger);
    assert_true(world_start_fails(w));
    must_have_said(w, "ca.db was edited: trigger mine: not ours");
    world_put_back(w);
    world_edit_as_ca(w, "DROP INDEX leaf_by_subject");
    assert_true(world_start_fails(w));
    world_put_back(w);
    world_start(w);
}

/* ---- what is published ---- */

static void
enrol(struct world *w)
{
    X509 *certificate = NULL;
    struct nf nf = holder_enrolled(w, 1, &certificate);

    X509_free(certificate);
    nf_free(&nf);
}

static struct buf
published(const char *path)
{
    struct buf octets = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &octets, &e), &e);
    assert_true(octets.n > 0);
    return octets;
}

/* One whole pass of this start, and no start looks at all files. */
static void
a_published_file_that_is_gone_is_published_again(void **state)
{
    static const char *const gone[] = {"ledger/tile/entries/000", "ledger/tile/messages/000",
                                       "ledger/tile/0/000"};
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *full = mem_printf("%s/%s", w->dir, gone[0]);
    struct buf was[ARRAY_LEN(gone)];

    while (access(full, F_OK) != 0) { /* within a second */
        enrol(w);
    }
    assert_int_equal(world_stop(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, gone[i]);

        was[i] = published(path);
        assert_int_equal(unlink(path), 0);
    }
    world_start(w);
    while (access(full, F_OK) != 0) {
        (void)usleep(10000);
    }
    assert_int_equal(world_stop(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, gone[i]);
        CLEANUP(buf_free) struct buf is = published(path);

        assert_true(span_equal(buf_span(&was[i]), buf_span(&is)));
        buf_free(&was[i]);
    }
    must_have_said(w, "\"published-again\"");
    must_have_said(w, "2 files of leaves up to ");
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_age_of_the_last_whole_pass_is_in_the_status),
        cmocka_unit_test(verify_compares_all_and_changes_nothing),
        cmocka_unit_test(verify_says_what_it_could_not_compare),
        cmocka_unit_test(verify_names_all_that_differs),
        cmocka_unit_test(what_is_not_ours_in_the_schema_is_not_started_with),
        cmocka_unit_test(a_published_file_that_is_gone_is_published_again),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
