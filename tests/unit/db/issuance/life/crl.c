/* SPDX-License-Identifier: Apache-2.0 */
/* Of an older CRL the record keeps what it was, and the database no octets. */
#include <string.h>

#include "db/issuance/on_trust.h"
#include "tests/support/test.h"
#include "tests/unit/db/issuance/scene.h"

enum { KEPT = 2, AT_ONCE = 16, BEFORE = 20 };

static int
do_crl(struct store_db *db, void *arg, struct err *e)
{
    const uint8_t digest[SHA256_SIZE] = {1};
    struct issuance_crl crl = {
        .tbs = SPAN_LITERAL("TBS"), .digest = span_of(digest, sizeof(digest)), .now = NOW};
    uint64_t leaf;

    (void)arg;
    return issuance_crl_reserve(db, NOW, LATER, &crl.number, e) != 0 ||
                   issuance_crl_intend(db, &crl, &leaf, e) != 0
               ? -1
               : issuance_crl_store(db, &crl, SPAN_LITERAL("CRL"), &leaf, e);
}

struct kept {
    uint64_t numbers; /* that are found, with the hash that they have */
    uint64_t newest;
    int64_t octets; /* of how many there are any */
    int64_t oldest; /* of those */
};

static int
do_look(struct store_db *db, void *arg, struct err *e)
{
    struct kept *k = arg;
    CLEANUP(store_end) struct store_rows rows = {0};
    uint8_t hash[SHA256_SIZE];
    struct issuance_crl_stored stored;

    assert_ok(sha256(SPAN_LITERAL("CRL"), hash, e), e);
    *k = (struct kept){0};
    for (uint64_t n = 1;; n++) {
        assert_ok(issuance_crl_find(db, n, &stored, e), e);
        k->newest = stored.newest;
        if (!stored.found) {
            break;
        }
        assert_memory_equal(stored.sha256, hash, sizeof(hash));
        k->numbers = n;
    }
    assert_ok(store_query_one(db, &rows,
                              "SELECT count(*), min(number) FROM crl WHERE length(der) > 0",
                              STORE_NO_VALUES, e),
              e);
    k->octets = row_int(&rows, 0);
    k->oldest = row_int(&rows, 1);
    return 0;
}

static void
are_kept(struct scene *s, uint64_t numbers, int64_t octets, int64_t oldest)
{
    struct kept k;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_look, &k, &e), &e);
    assert_int_equal(k.numbers, numbers);
    assert_int_equal(k.newest, numbers);
    assert_int_equal(k.octets, octets);
    assert_int_equal(k.oldest, oldest);
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static void
the_octets_of_the_newest_two_are_kept(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    for (int i = 1; i <= 5; i++) {
        assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
        are_kept(s, (uint64_t)i, i < KEPT ? i : KEPT, i < KEPT ? 1 : i - KEPT + 1);
    }
    assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
}

/* Somebody may have skipped a number: what a start reserved and gave up. */
static int
do_reserve(struct store_db *db, void *arg, struct err *e)
{
    return issuance_crl_reserve(db, NOW, LATER, arg, e);
}

static void
a_number_without_a_crl_counts_as_none(void **state)
{
    struct scene *s = *state;
    struct kept k;
    uint64_t number;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    assert_ok(verb_call(s->store, do_reserve, &number, &e), &e);
    assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    assert_ok(verb_call(s->store, do_look, &k, &e), &e);
    assert_int_equal(k.numbers, 1);
    assert_int_equal(k.newest, 3);
    assert_int_equal(k.octets, 2);
    assert_int_equal(k.oldest, 1);
}

/* ---- how many ---- */

static int
do_compare_counts(struct store_db *db, void *arg, struct err *e)
{
    struct issuance_counts c;
    uint64_t signatures;
    CLEANUP(store_end) struct store_rows rows = {0};

    (void)arg;
    assert_ok(issuance_count(db, &c, e), e);
    assert_ok(issuance_signatures(db, &signatures, e), e);
    assert_ok(store_query_one(
                  db, &rows,
                  "SELECT (SELECT count(*) FROM registration), (SELECT count(*) FROM certificate), "
                  "(SELECT count(*) FROM crl WHERE der IS NOT NULL)",
                  STORE_NO_VALUES, e),
              e);
    assert_int_equal(c.registrations, row_int(&rows, 0));
    assert_int_equal(c.certificates, row_int(&rows, 1));
    assert_int_equal(signatures, row_int(&rows, 1) + row_int(&rows, 2));
    assert_int_equal(c.crl_number, 1);
    assert_int_equal(c.crl_next_update, LATER);
    return 0;
}

/* Places of rows that were rolled back, or not inserted, are taken by the next. */
static void
figures_are_those_of_the_rows(void **state)
{
    struct scene *s = *state;
    struct registering again = scene_registration(UUID_2, "a", 1);
    const struct octets o = scene_octets(9);
    struct intend i = scene_officer(&o, "officer");
    uint64_t number;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_register, &again, &e), &e);
    assert_ok(verb_call(s->store, do_register, &again, &e), &e);
    assert_int_equal(again.outcome, ISSUANCE_KNOWN);
    issuance_registration_free(&again.row);
    scene_issue(s->store, 210, "officer", SCENE_CERTIFICATE("\322"));
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    assert_ok(verb_call(s->store, do_reserve, &number, &e), &e);
    assert_ok(verb_call(s->store, do_compare_counts, NULL, &e), &e);
}

static int
do_go_back(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "UPDATE crl SET der = CAST('CRL' AS BLOB)", STORE_NO_VALUES, e);
}

static void
those_of_before_go_a_few_at_a_time(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    for (int i = 0; i < BEFORE; i++) {
        assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    }
    assert_ok(verb_call(s->store, do_go_back, NULL, &e), &e);
    are_kept(s, BEFORE, BEFORE, 1);
    assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    are_kept(s, BEFORE + 1, BEFORE + 1 - AT_ONCE, 1);
    assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    are_kept(s, BEFORE + 2, KEPT, BEFORE + 1);
    scene_reopen(s, NULL);
    are_kept(s, BEFORE + 2, KEPT, BEFORE + 1);
    assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_octets_of_the_newest_two_are_kept, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_number_without_a_crl_counts_as_none, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(figures_are_those_of_the_rows, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(those_of_before_go_a_few_at_a_time, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
