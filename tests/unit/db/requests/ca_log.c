/* SPDX-License-Identifier: Apache-2.0 */
/* What the CA's log was: it never shrinks, and the log that came last is the one that counts. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/requests/verb.h"

struct keeping {
    const char *vkey;
    uint64_t size;
    struct span note;
    struct requests_ca_log found;
    bool is_found;
    const char *sql;
};

static int
do_keep(struct store_db *db, void *arg, struct err *e)
{
    const struct keeping *k = arg;

    return requests_ca_log_keep(db, k->vkey, k->size, k->note, e);
}

static int
do_find(struct store_db *db, void *arg, struct err *e)
{
    struct keeping *k = arg;

    return requests_ca_log_find(db, k->vkey, &k->found, &k->is_found, e);
}

static int
do_sql(struct store_db *db, void *arg, struct err *e)
{
    return store_exec(db, ((const struct keeping *)arg)->sql, STORE_NO_VALUES, e);
}

static void
keep(struct store *store, const char *vkey, uint64_t size, struct span note)
{
    struct keeping k = {.vkey = vkey, .size = size, .note = note};
    struct err e = {0};

    assert_ok(verb_call(store, do_keep, &k, &e), &e);
}

static void
is_kept(struct store *store, const char *asked, const char *vkey, uint64_t size, struct span note)
{
    struct keeping k = {.vkey = asked};
    struct err e = {0};

    assert_ok(verb_call(store, do_find, &k, &e), &e);
    assert_true(k.is_found);
    assert_true(span_equal(buf_span(&k.found.vkey), span_str(vkey)));
    assert_int_equal(k.found.size, size);
    assert_true(span_equal(buf_span(&k.found.note), note));
    requests_ca_log_clear(&k.found);
}

static void
the_greatest_of_a_log_is_kept(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct keeping k = {0};
    struct err e = {0};

    (void)state;
    assert_ok(verb_call(store, do_find, &k, &e), &e);
    assert_false(k.is_found);
    keep(store, "a", 5, SPAN_LITERAL("five"));
    keep(store, "a", 4, SPAN_LITERAL("four"));
    keep(store, "a", 5, SPAN_LITERAL("another five"));
    is_kept(store, NULL, "a", 5, SPAN_LITERAL("five"));
    keep(store, "a", 6, SPAN_LITERAL("six"));
    is_kept(store, "a", "a", 6, SPAN_LITERAL("six"));
    keep(store, "b", 1, SPAN_LITERAL("one")); /* a new log */
    keep(store, "a", 7, SPAN_LITERAL("seven"));
    is_kept(store, NULL, "b", 1, SPAN_LITERAL("one"));
    is_kept(store, "a", "a", 7, SPAN_LITERAL("seven"));
    k.vkey = "c";
    assert_ok(verb_call(store, do_find, &k, &e), &e);
    assert_false(k.is_found);
}

static void
a_log_does_not_shrink(void **state)
{
    static const char *const statements[] = {
        "UPDATE ca_log SET size = 4",
        "UPDATE ca_log SET vkey = 'b'",
        "DELETE FROM ca_log",
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct err e = {0};

    (void)state;
    keep(store, "a", 5, SPAN_LITERAL("five"));
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        struct keeping k = {.sql = statements[i]};

        assert_err(verb_call(store, do_sql, &k, &e), ERR_DENIED, &e);
    }
    is_kept(store, NULL, "a", 5, SPAN_LITERAL("five"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greatest_of_a_log_is_kept),
        cmocka_unit_test(a_log_does_not_shrink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
