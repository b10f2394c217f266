/* SPDX-License-Identifier: Apache-2.0 */
/* One run after the other: what is taken in, and what is named and kept out. */
#include "db/audit/mirror/run.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/mirror/synthetic.h"

enum { TEXT_MAX = 1 << 20 };

static int
begin(void **state)
{
    struct synthetic *s = mem_new(sizeof(*s));
    struct err e = {0};

    synthetic_begin(s);
    assert_ok(mirror_init(s->path, &s->key, true, &e), &e);
    *state = s;
    return 0;
}

static int
end(void **state)
{
    struct synthetic *s = *state;

    synthetic_end(s);
    mem_free(s);
    return 0;
}

/* A run that must have this result; the mirror ends with so many leaves. */
static void
expect(struct synthetic *s, const char *dir, enum mirror_result wanted, uint64_t size,
       const char *reason)
{
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(s->path, &e);
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    const bool good = wanted == MIRROR_ACCEPTED || wanted == MIRROR_NOTHING_NEW;
    int result;

    assert_ok(m == NULL ? -1 : 0, &e);
    result = mirror_run(m, dir, NULL, NULL, &outcome, &e);
    if (outcome.result != wanted || (result == 0) != good || mirror_checkpoint(m)->size != size) {
        fail_msg("%s (%s), %d leaves, instead of %s, %d", mirror_result_name(outcome.result),
                 e.text, (int)mirror_checkpoint(m)->size, mirror_result_name(wanted), (int)size);
    }
    if (reason != NULL && strstr(e.text, reason) == NULL) {
        fail_msg("no \"%s\" in: %s", reason, e.text);
    }
}

static void
expect_good(struct synthetic *s, enum mirror_result wanted, uint64_t size)
{
    expect(s, s->dir, wanted, size, NULL);
}

static char *
evidence(const struct synthetic *s)
{
    DIR *dir = opendir(s->base);
    const struct dirent *entry;
    char *found = NULL;

    assert_non_null(dir);
    while (found == NULL && (entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, "-evidence-") != NULL) {
            found = mem_printf("%s/%s", s->base, entry->d_name);
        }
    }
    assert_int_equal(closedir(dir), 0);
    return found;
}

/* Both checkpoints are in the file, and each verifies with the log's key. */
static void
assert_evidence(const struct synthetic *s)
{
    CLEANUP(mem_cleanup) char *path = evidence(s);
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct err e = {0};
    const char *at;
    const char *next;
    unsigned n = 0;

    assert_non_null(path);
    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(buf_append(&text, span_of("", 1), &e), &e);
    at = strstr((const char *)text.p, "---- ");
    for (; at != NULL; at = next) {
        const char *from = strchr(at, '\n') + 1;
        struct checkpoint c;

        next = strstr(from, "---- ");
        assert_ok(checkpoint_open(
                      &s->key, span_of(from, next == NULL ? strlen(from) : (size_t)(next - from)),
                      &c, &e),
                  &e);
        n++;
    }
    assert_int_equal(n, 2);
}

static void
sizes_at_the_edges_of_tiles_are_taken_in_one_after_the_other(void **state)
{
    static const uint64_t sizes[] = {0,   1,    2,    255,  256,  257,   511,   512,
                                     513, 4095, 4096, 4097, 4352, 65535, 65536, 65537};
    struct synthetic *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        synthetic_publish(s, s->dir, sizes[i], SYNTHETIC_NEVER);
        expect_good(s, MIRROR_ACCEPTED, sizes[i]);
        expect_good(s, MIRROR_NOTHING_NEW, sizes[i]);
    }
}

/* Somebody was asked about a folder that is another one when it is taken in. */
static void
what_is_taken_in_is_what_the_witnesses_were_asked_about(void **state)
{
    static const uint64_t differs[] = {50, SYNTHETIC_NEVER};
    struct synthetic *s = *state;
    CLEANUP(mem_cleanup) char *asked = mem_printf("%s/asked", s->base);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", asked);

    synthetic_publish(s, s->dir, 300, SYNTHETIC_NEVER);
    for (size_t i = 0; i < ARRAY_LEN(differs); i++) {
        CLEANUP(buf_free) struct buf note = BUF_INIT(TEXT_MAX);
        CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
        struct err e = {0};
        CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(s->path, &e);
        struct checkpoint c;
        int result;

        synthetic_publish(s, asked, 200, differs[i]);
        assert_ok(file_read(path, &note, &e), &e);
        assert_ok(checkpoint_open(&s->key, buf_span(&note), &c, &e), &e);
        assert_non_null(m);
        mirror_expect(m, &c);
        result = mirror_run(m, s->dir, NULL, NULL, &outcome, &e);
        if (differs[i] == SYNTHETIC_NEVER) {
            assert_ok(result, &e);
            assert_int_equal(mirror_checkpoint(m)->size, 300);
        } else {
            assert_int_equal(result, -1);
            assert_int_equal(e.code, ERR_CRYPTO);
            assert_non_null(strstr(e.text, "changed behind what the witnesses were asked about"));
            assert_int_equal(outcome.result, MIRROR_BROKEN);
            assert_int_equal(mirror_checkpoint(m)->size, 0);
        }
    }
}

/* What was taken in at once proves the same as what was taken in piece by piece. */
static void
each_leaf_is_proven_in_a_mirror_of_several_runs(void **state)
{
    struct synthetic *s = *state;
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    for (uint64_t size = 100; size <= 900; size += 200) {
        synthetic_publish(s, s->dir, size, SYNTHETIC_NEVER);
        expect_good(s, MIRROR_ACCEPTED, size);
    }
    m = mirror_open(s->path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    for (uint64_t i = 0; i < 900; i += 7) {
        struct merkle_proof proof;

        assert_ok(mirror_prove(m, i, &proof, &e), &e);
    }
}

static void
the_same_size_with_another_root_is_a_fork_and_for_ever(void **state)
{
    struct synthetic *s = *state;
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other", s->base);

    synthetic_publish(s, s->dir, 300, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 300);
    synthetic_publish(s, other, 300, 299);
    expect(s, other, MIRROR_FORK, 300, "FORK: the log signed two histories");
    assert_evidence(s);
    synthetic_publish(s, s->dir, 301, SYNTHETIC_NEVER);
    expect(s, s->dir, MIRROR_FORK, 300, "nothing of it is accepted any more");
}

static void
a_smaller_one_is_rolled_back_or_a_fork(void **state)
{
    struct synthetic *s = *state;
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other", s->base);

    synthetic_publish(s, s->dir, 600, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 600);
    synthetic_publish(s, other, 500, SYNTHETIC_NEVER);
    expect(s, other, MIRROR_ROLLED_BACK, 600,
           "rolled back: its checkpoint covers 500 leaves, and 600 were signed");
    assert_evidence(s);
    synthetic_publish(s, other, 0, SYNTHETIC_NEVER);
    expect(s, other, MIRROR_ROLLED_BACK, 600, "covers 0 leaves");
    expect_good(s, MIRROR_NOTHING_NEW, 600); /* the data stay */
    synthetic_publish(s, other, 500, 400);
    expect(s, other, MIRROR_FORK, 600, "FORK");
}

static void
a_larger_one_with_another_beginning_is_a_fork(void **state)
{
    struct synthetic *s = *state;
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other", s->base);

    synthetic_publish(s, s->dir, 700, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 700);
    synthetic_publish(s, other, 1500, 3);
    expect(s, other, MIRROR_FORK, 700, "FORK");
    assert_evidence(s);
}

static void
another_log_is_named_and_nothing_is_kept_of_it(void **state)
{
    struct synthetic *s = *state;
    struct synthetic stranger;
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    sqlite3_stmt *stmt = NULL;

    synthetic_publish(s, s->dir, 5, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 5);
    synthetic_begin(&stranger);
    synthetic_publish(&stranger, stranger.dir, 6, SYNTHETIC_NEVER);
    expect(s, stranger.dir, MIRROR_FOREIGN, 5, "not this log");
    assert_null(evidence(s));
    m = mirror_open(s->path, &e);
    assert_non_null(m);
    assert_int_equal(
        sqlite3_prepare_v2(mirror_sqlite(m), "SELECT count(*) FROM sync", -1, &stmt, NULL), 0);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 1);
    assert_int_equal(sqlite3_finalize(stmt), 0);
    synthetic_end(&stranger);
}

static void
files_that_are_missing_short_or_wrong_are_named(void **state)
{
    static const struct {
        const char *name;
        long at;
        const char *reason;
    } rows[] = {
        {"tile/0/001", -2, "tile/0/001 is missing"},
        {"tile/0/001", -1, "tile/0/001 has 8191 octets"},
        {"tile/0/001", 77, "tile/0/001 was changed"},
        {"tile/1/000.p/3", 5, "tile/1/000.p/3"},
        {"tile/entries/002", -2, "tile/entries/002 is missing"},
        {"tile/entries/002", -1, "the file is cut"},
        {"tile/entries/002", 50, "leaf 512 was changed"},
        {"tile/entries/003.p/32", -1, "the file is cut"},
        {"checkpoint", -2, "checkpoint"},
    };
    struct synthetic *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        synthetic_publish(s, s->dir, 800, SYNTHETIC_NEVER);
        synthetic_spoil(s->dir, rows[i].name, rows[i].at);
        expect(s, s->dir, MIRROR_BROKEN, 0, rows[i].reason);
        expect(s, s->dir, MIRROR_BROKEN, 0, "BROKEN");
    }
    synthetic_publish(s, s->dir, 800, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 800);
}

static void
a_mirror_is_made_by_init_alone_and_never_over_another(void **state)
{
    struct synthetic *s = *state;
    CLEANUP(mem_cleanup) char *nothing = mem_printf("%s/nothing.db", s->base);
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(nothing, &e);

    assert_null(m);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_int_not_equal(access(nothing, F_OK), 0);
    assert_err(mirror_init(s->path, &s->key, true, &e), ERR_CONFLICT, &e);
    assert_null(mirror_open(nothing, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_ok(
        file_write(nothing, span_str("no database, however long it may be; no database"), 0600, &e),
        &e);
    assert_null(mirror_open(nothing, &e));
    assert_int_equal(e.code, ERR_DENIED);
}

static void
the_key_that_somebody_gives_must_be_the_mirrors(void **state)
{
    struct synthetic *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/trusting.db", s->base);
    struct synthetic stranger;
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    assert_ok(mirror_init(path, &s->key, false, &e), &e);
    m = mirror_open_writable(path, &e);
    assert_non_null(m);
    assert_false(mirror_key_is_given(m));
    synthetic_begin(&stranger);
    assert_err(mirror_trust(m, &stranger.key, &e), ERR_CONFLICT, &e);
    synthetic_end(&stranger);
    assert_ok(mirror_trust(m, &s->key, &e), &e);
    mirror_close(TAKE(m));
    m = mirror_open(path, &e);
    assert_non_null(m);
    assert_true(mirror_key_is_given(m));
}

/* The folder is as it was: only what was shown says it. */
static void
what_was_refused_on_the_way_is_kept_and_a_fork_is_for_ever(void **state)
{
    struct synthetic *s = *state;
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    synthetic_publish(s, s->dir, 10, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 10);
    m = mirror_open_writable(s->path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    assert_ok(mirror_refused(m, "https://ra.example", 9, false, "it is behind", &e), &e);
    synthetic_publish(s, s->dir, 20, SYNTHETIC_NEVER);
    expect_good(s, MIRROR_ACCEPTED, 20);
    assert_ok(mirror_refused(m, "https://ra.example", 30, true, "fork: another past", &e), &e);
    synthetic_publish(s, s->dir, 30, SYNTHETIC_NEVER);
    expect(s, s->dir, MIRROR_FORK, 20, "found to have signed two histories");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define RUNS(test) cmocka_unit_test_setup_teardown(test, begin, end)
        RUNS(sizes_at_the_edges_of_tiles_are_taken_in_one_after_the_other),
        RUNS(what_is_taken_in_is_what_the_witnesses_were_asked_about),
        RUNS(each_leaf_is_proven_in_a_mirror_of_several_runs),
        RUNS(the_same_size_with_another_root_is_a_fork_and_for_ever),
        RUNS(a_smaller_one_is_rolled_back_or_a_fork),
        RUNS(a_larger_one_with_another_beginning_is_a_fork),
        RUNS(what_was_refused_on_the_way_is_kept_and_a_fork_is_for_ever),
        RUNS(another_log_is_named_and_nothing_is_kept_of_it),
        RUNS(files_that_are_missing_short_or_wrong_are_named),
        RUNS(a_mirror_is_made_by_init_alone_and_never_over_another),
        RUNS(the_key_that_somebody_gives_must_be_the_mirrors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
