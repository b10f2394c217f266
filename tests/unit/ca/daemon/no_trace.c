/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start that is refused leaves no trace, whatever it is refused for: a line of a journal that
 * belongs to nothing, a token that does not keep what was signed last, a file that is not what the
 * configuration says. The daemon was killed before, so that much of its state is in the WAL.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/softhsm.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/journal_lines.h"
#include "tests/unit/ca/daemon/trace.h"

enum { STARTS = 30, FEW = 3, FAILED = 1, REFUSED = 3 };

/* Its signers have ended, too, who may still have been writing. */
static void
kill_all(struct world *w)
{
    world_settle(w);
    world_kill(w);
    journal_close(lines_open(w, "issuing"));
    journal_close(lines_open(w, "log"));
}

/* One text in the place of another, in a file of the world's folder; what it was, for
 * lines_save(). */
static struct buf
replace(const struct world *w, const char *name, const char *was, const char *is)
{
    struct buf before = lines_load(w, name);
    CLEANUP(buf_free) struct buf after = BUF_INIT(before.n + strlen(is));
    const char *at = memmem(before.p, before.n, was, strlen(was));
    size_t from;
    struct err e = {0};

    assert_non_null(at);
    from = (size_t)(at - (const char *)before.p);
    assert_ok(buf_append(&after, span_of(before.p, from), &e), &e);
    assert_ok(buf_append_str(&after, is, &e), &e);
    assert_ok(buf_append(&after,
                         span_of(before.p + from + strlen(was), before.n - from - strlen(was)), &e),
              &e);
    lines_save(w, name, &after);
    return before;
}

/* A line as the newest of this kind, but of other octets. */
static void
add_unknown(const struct world *w, const char *key, char kind)
{
    struct journal *j = lines_open(w, key);
    struct journal_attempt a = lines_newest(j, kind);
    struct err e = {0};

    a.hash[31] ^= 1;
    a.crl.hash[31] ^= 1;
    lines_add(j, &a);
    assert_ok(journal_commit(j, &e), &e);
    journal_close(j);
}

static void
a_line_that_belongs_to_nothing(void **state)
{
    static const struct {
        const char *key;
        char kind;
        int starts;
    } rows[] = {{"issuing", 'T', STARTS}, {"issuing", 'L', FEW}, {"log", 'K', FEW}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *file = mem_printf("%s.journal", rows[i].key);
        CLEANUP(buf_free) struct buf before = {0};

        kill_all(w);
        before = lines_load(w, file);
        add_unknown(w, rows[i].key, rows[i].kind);
        trace_must_refuse(w, file, rows[i].starts, REFUSED, "belongs to nothing in the record");
        lines_save(w, file, &before);
        world_start(w);
        lines_make_crl(w); /* for the WAL of the next */
    }
}

static void
a_journal_of_the_issuing_key_that_is_older(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf older = lines_load(w, "issuing.journal");
    CLEANUP(buf_free) struct buf newest = {0};

    for (int i = 0; i < FEW; i++) {
        lines_make_crl(w);
    }
    kill_all(w);
    newest = lines_load(w, "issuing.journal");
    lines_save(w, "issuing.journal", &older);
    trace_must_refuse(w, "an older journal", FEW, REFUSED, "the journal");
    lines_save(w, "issuing.journal", &newest);
    world_start(w);
}

/* With a state, and with none. */
static void
a_token_that_keeps_no_anchor(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf policy = {0};

    kill_all(w);
    policy = replace(w, "log.conf", SOFTHSM_MODULE, TEST_BINARY_DIR "/faultp11.so");
    assert_int_equal(setenv("FAULTP11", "fails:C_CreateObject", 1), 0);
    trace_must_refuse(w, "no data object", STARTS, FAILED, "the policy says anchor = ");
    assert_int_equal(unsetenv("FAULTP11"), 0);
    lines_save(w, "log.conf", &policy);
    world_start(w);
}

static void
a_file_that_is_not_what_it_should_be(void **state)
{
    static const char deep[] =
        "link_socket = \"0123456789012345678901234567890123456789012345678901"
        "2345678901234567890123456789012345678901234567890123456789";
    static const struct {
        const char *was;
        const char *is;
        const char *says;
    } rows[] = {
        {"root_crl = \"", "root_crl = \"/nowhere", "No such file"},
        {"link_socket = \"", deep, "a socket's path has 1 to 107 octets"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf before = {0};

        kill_all(w);
        before = replace(w, "nfpki-ca.conf", rows[i].was, rows[i].is);
        trace_must_refuse(w, rows[i].was, FEW, i == 0 ? FAILED : 2, rows[i].says);
        lines_save(w, "nfpki-ca.conf", &before);
        world_start(w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_belongs_to_nothing),
        cmocka_unit_test(a_journal_of_the_issuing_key_that_is_older),
        cmocka_unit_test(a_token_that_keeps_no_anchor),
        cmocka_unit_test(a_file_that_is_not_what_it_should_be),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
