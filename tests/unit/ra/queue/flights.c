/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/flights.h"

#include <string.h>

#include "tests/support/test.h"

/* Three that share a bucket, and one that does not; they differ in their last octet only. */
static const uint8_t a[REQUESTS_RID_SIZE] = {1, 2, [REQUESTS_RID_SIZE - 1] = 1};
static const uint8_t b[REQUESTS_RID_SIZE] = {1, 2, [REQUESTS_RID_SIZE - 1] = 2};
static const uint8_t c[REQUESTS_RID_SIZE] = {1, 2, [REQUESTS_RID_SIZE - 1] = 3};
static const uint8_t d[REQUESTS_RID_SIZE] = {7, 7};
static const uint8_t first[REQUESTS_RID_SIZE] = {0}; /* of the first bucket, and of the last */
static const uint8_t last[REQUESTS_RID_SIZE] = {0x0f, 0xff};

static void
waits(void *arg, const struct requests_enrolment *x)
{
    (void)arg;
    (void)x;
}

static int
begin(void **state)
{
    *state = mem_zalloc(1, sizeof(struct flights));
    return 0;
}

static int
end(void **state)
{
    flights_clear(*state); /* the sanitizer looks */
    mem_free(*state);
    return 0;
}

static void
a_flight_is_found_by_all_of_its_rid(void **state)
{
    struct flights *all = *state;
    struct flight *one = flights_get(all, a);
    struct flight *two;

    assert_non_null(one);
    assert_memory_equal(one->rid, a, sizeof(a));
    assert_null(flights_find(all, b));
    assert_null(flights_find(all, d));
    two = flights_get(all, b);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(flights_get(all, a), one); /* the same again */
    assert_ptr_equal(flights_find(all, a), one);
    assert_ptr_equal(flights_find(all, b), two);
}

static void
removing_one_leaves_the_others(void **state)
{
    struct flights *all = *state;
    const uint8_t *const rids[] = {a, b, c, d};

    for (size_t gone = 0; gone < ARRAY_LEN(rids); gone++) {
        for (size_t i = 0; i < ARRAY_LEN(rids); i++) {
            (void)flights_get(all, rids[i]);
        }
        flights_remove(all, rids[gone]);
        for (size_t i = 0; i < ARRAY_LEN(rids); i++) {
            assert_int_equal(flights_find(all, rids[i]) == NULL, i == gone);
        }
        flights_remove(all, rids[gone]); /* none there is fine */
    }
}

static void
what_is_on_the_wire_or_waited_for_or_withdrawn_is_not_idle(void **state)
{
    struct flights *all = *state;

    flights_remove_if_idle(all, a); /* none there is fine */
    flights_get(all, a)->on_wire = true;
    flights_remove_if_idle(all, a);
    assert_non_null(flights_find(all, a));
    flights_find(all, a)->on_wire = false;
    flights_find(all, a)->waiter = waits;
    flights_remove_if_idle(all, a);
    assert_non_null(flights_find(all, a));
    flights_find(all, a)->waiter = NULL;
    flights_find(all, a)->withdrawn = true;
    flights_remove_if_idle(all, a);
    assert_non_null(flights_find(all, a));
    flights_find(all, a)->withdrawn = false;
    flights_remove_if_idle(all, a);
    assert_null(flights_find(all, a));
}

/* What somebody waits for stays, to be sent again; what is withdrawn, not to be. */
static void
when_the_link_goes_nothing_is_on_the_wire(void **state)
{
    struct flights *all = *state;
    const uint8_t *const rids[] = {a, b, c, d, first, last};
    static const bool waited[] = {false, true, false, true, true, true};
    static const bool withdrawn[] = {false, false, true, true, false, false};

    for (size_t i = 0; i < ARRAY_LEN(rids); i++) {
        struct flight *f = flights_get(all, rids[i]);

        f->on_wire = i != 3;
        f->waiter = waited[i] ? waits : NULL;
        f->withdrawn = withdrawn[i];
    }
    flights_land(all);
    for (size_t i = 0; i < ARRAY_LEN(rids); i++) {
        const struct flight *f = flights_find(all, rids[i]);

        assert_int_equal(f != NULL, waited[i] || withdrawn[i]);
        assert_false(f != NULL && f->on_wire);
    }
}

static void
clearing_leaves_nothing(void **state)
{
    struct flights *all = *state;

    (void)flights_get(all, a);
    (void)flights_get(all, b);
    (void)flights_get(all, d);
    (void)flights_get(all, first);
    (void)flights_get(all, last);
    flights_clear(all);
    assert_null(flights_find(all, a));
    assert_null(flights_find(all, b));
    assert_null(flights_find(all, d));
    assert_null(flights_find(all, first));
    assert_null(flights_find(all, last));
}

/* Both of the first octets choose the bucket. */
static void
flights_are_spread_over_the_buckets(void **state)
{
    struct flights *all = *state;
    size_t used = 0;

    for (unsigned i = 0; i < FLIGHTS_BUCKETS; i++) {
        uint8_t rid[REQUESTS_RID_SIZE] = {(uint8_t)(i >> 8), (uint8_t)i};

        (void)flights_get(all, rid);
    }
    for (size_t i = 0; i < FLIGHTS_BUCKETS; i++) {
        used += all->buckets[i] != NULL;
    }
    assert_int_equal(used, FLIGHTS_BUCKETS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flight_is_found_by_all_of_its_rid, begin, end),
        cmocka_unit_test_setup_teardown(removing_one_leaves_the_others, begin, end),
        cmocka_unit_test_setup_teardown(what_is_on_the_wire_or_waited_for_or_withdrawn_is_not_idle,
                                        begin, end),
        cmocka_unit_test_setup_teardown(when_the_link_goes_nothing_is_on_the_wire, begin, end),
        cmocka_unit_test_setup_teardown(clearing_leaves_nothing, begin, end),
        cmocka_unit_test_setup_teardown(flights_are_spread_over_the_buckets, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
