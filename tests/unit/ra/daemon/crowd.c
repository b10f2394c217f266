/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/crowd.h"

#include "tests/support/test.h"

enum { MANY = 4000, SECOND = 1000, PATIENCE = 2000 };

struct many {
    struct crowd *crowd;
    struct crowd_place places[MANY];
    size_t first; /* who is inside: [first, n) */
    size_t n;
};

static size_t
come(struct many *m, size_t n, int64_t now)
{
    const size_t before = m->n;

    for (size_t i = 0; i < n && crowd_enter(m->crowd, &m->places[m->n], now) == 0; i++) {
        m->n++;
    }
    return m->n - before;
}

static void
go(struct many *m, size_t n, bool telling, int64_t now)
{
    for (size_t i = 0; i < n; i++) {
        crowd_leave(m->crowd, &m->places[m->first++], telling, now);
    }
}

static void
as_many_as_there_are_places_are_inside(void **state)
{
    CLEANUP(crowd_cleanup) struct crowd *c = crowd_new(2, PATIENCE);
    struct crowd_place places[3] = {0};

    (void)state;
    crowd_leave(c, &places[0], true, 0); /* it was never inside */
    assert_int_equal(crowd_enter(c, &places[0], 0), 0);
    assert_int_equal(crowd_enter(c, &places[1], 0), 0);
    assert_true(crowd_enter(c, &places[2], 0) > 0);
    assert_false(places[2].taken);
    crowd_leave(c, &places[0], true, 1);
    crowd_leave(c, &places[0], true, 1); /* once is enough */
    assert_int_equal(crowd_enter(c, &places[2], 1), 0);
    assert_true(crowd_enter(c, &places[0], 1) > 0);
}

/* 512 are inside and 100 a second are served: so many places there are then, and not less than 64.
 */
static void
who_is_served_slowly_has_fewer_places(void **state)
{
    struct many m = {.crowd = crowd_new(512, PATIENCE)};

    (void)state;
    assert_int_equal(come(&m, 600, 0), 512);
    go(&m, 100, true, 1100);
    assert_int_equal(come(&m, 600, 1200), 0);
    go(&m, 411, true, 2100); /* they were not served: patience is over */
    assert_int_equal(come(&m, 600, 3200), 63);
    go(&m, 1, false, 3300);
    go(&m, 62, true, 3300);
    assert_int_equal(come(&m, 600, 4200), 127); /* it goes well again: twice as many */
    go(&m, 99, true, 5199);
    go(&m, 1, true, 5400);
    assert_int_equal(come(&m, 100, 5500), 55); /* 100 in 1.2 s: 83 inside */
    go(&m, 83, true, 5600);
    assert_int_equal(come(&m, 600, 6600), 512); /* nobody was left */
    crowd_free(m.crowd);
}

static void
what_says_nothing_takes_no_places_away(void **state)
{
    struct many m = {.crowd = crowd_new(512, PATIENCE)};

    (void)state;
    assert_int_equal(come(&m, 512, 0), 512);
    go(&m, 512, false, 60 * SECOND);
    assert_int_equal(come(&m, 512, 62 * SECOND), 512);
    crowd_free(m.crowd);
}

/* Each a turn of his own, as fast as places became free in the second before. */
static void
who_is_refused_hears_when_his_turn_is(void **state)
{
    struct many m = {.crowd = crowd_new(400, PATIENCE)};
    struct crowd_place place = {0};

    (void)state;
    assert_int_equal(come(&m, 400, 0), 400);
    for (size_t i = 0; i < 99; i++) { /* nothing is known yet: a hundred a second */
        assert_int_equal(crowd_enter(m.crowd, &place, 0), 1);
    }
    assert_int_equal(crowd_enter(m.crowd, &place, 0), 2);
    go(&m, 200, true, 500);
    assert_int_equal(come(&m, 400, 600), 200);
    go(&m, 200, true, 999); /* 400 in that second */
    assert_int_equal(come(&m, 400, 1000), 200);
    for (size_t i = 0; i < 399; i++) {
        assert_int_equal(crowd_enter(m.crowd, &place, 1500), 1);
    }
    assert_int_equal(crowd_enter(m.crowd, &place, 1500), 2);
    for (size_t i = 0; i < 100000; i++) {
        assert_in_range(crowd_enter(m.crowd, &place, 1500), 1, CROWD_WAIT_MAX);
    }
    assert_int_equal(crowd_enter(m.crowd, &place, 1500), CROWD_WAIT_MAX);
    crowd_free(m.crowd);
}

/* Also where everybody is told to poll before his answer is there. */
static void
who_has_an_answer_in_time_was_served_however_short_patience_is(void **state)
{
    struct many m = {.crowd = crowd_new(400, 0)};
    struct crowd_place place = {0};

    (void)state;
    assert_int_equal(come(&m, 400, 0), 400);
    go(&m, 200, true, 500);
    go(&m, 200, true, CROWD_STAY - 1);
    assert_int_equal(come(&m, 400, CROWD_STAY), 400);
    for (size_t i = 0; i < 399; i++) {
        assert_int_equal(crowd_enter(m.crowd, &place, CROWD_STAY + 500), 1);
    }
    assert_int_equal(crowd_enter(m.crowd, &place, CROWD_STAY + 500), 2);
    crowd_free(m.crowd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_there_are_places_are_inside),
        cmocka_unit_test(who_is_served_slowly_has_fewer_places),
        cmocka_unit_test(what_says_nothing_takes_no_places_away),
        cmocka_unit_test(who_has_an_answer_in_time_was_served_however_short_patience_is),
        cmocka_unit_test(who_is_refused_hears_when_his_turn_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
