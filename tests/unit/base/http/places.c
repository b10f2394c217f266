/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/places.h"

#include "tests/support/test.h"

enum { MAX = 8, SHARE = 4, PLACES = 16 };

struct world {
    struct http_places *places;
    struct http_place place[PLACES];
};

static struct http_address
address(unsigned n)
{
    return (struct http_address){.family = 4, .octets = {192, 0, 2, (uint8_t)n}};
}

static void
enter(struct world *w, size_t i, unsigned from)
{
    struct http_address a = address(from);

    http_places_enter(w->places, &w->place[i], &a);
}

static int
set_up(void **state)
{
    struct world *w = mem_zalloc(1, sizeof(*w));

    w->places = http_places_new(MAX, SHARE, 7);
    *state = w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;
    struct http_place *place;

    while ((place = http_places_first(w->places)) != NULL) {
        http_places_leave(w->places, place);
    }
    http_places_free(w->places);
    mem_free(w);
    return 0;
}

enum { NOBODY = -1, REFUSED = -2 };

/* Who has to leave for a newcomer from there. */
static int
leaver(struct world *w, unsigned from)
{
    struct http_address a = address(from);
    struct http_place *leaves;

    if (!http_places_admit(w->places, &a, &leaves)) {
        return REFUSED;
    }
    return leaves == NULL ? NOBODY : (int)(leaves - w->place);
}

static void
while_there_is_room_nobody_leaves(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < MAX; i++) {
        assert_int_equal(leaver(w, i), NOBODY);
        enter(w, i, i);
    }
    assert_int_equal(http_places_count(w->places), MAX);
}

static void
beyond_its_share_an_address_displaces_its_own_oldest(void **state)
{
    struct world *w = *state;

    enter(w, 0, 1);
    for (size_t i = 1; i <= SHARE; i++) {
        enter(w, i, 2);
    }
    assert_int_equal(leaver(w, 2), 1);
    assert_int_equal(leaver(w, 1), NOBODY);
    http_places_busy(w->places, &w->place[1]);
    assert_int_equal(leaver(w, 2), 2);
    http_places_wait(w->places, &w->place[1]); /* again, and now the youngest */
    assert_int_equal(leaver(w, 2), 2);
}

static void
an_address_that_is_busy_throughout_gets_no_more(void **state)
{
    struct world *w = *state;

    enter(w, 9, 1);
    for (size_t i = 0; i < SHARE; i++) {
        enter(w, i, 2);
        http_places_busy(w->places, &w->place[i]);
    }
    assert_int_equal(leaver(w, 2), REFUSED);
    assert_int_equal(leaver(w, 1), NOBODY);
}

static void
when_all_are_taken_the_address_with_most_idle_ones_pays(void **state)
{
    struct world *w = *state;

    enter(w, 0, 1); /* the oldest of all */
    enter(w, 1, 2);
    enter(w, 2, 2);
    enter(w, 3, 3);
    enter(w, 4, 3);
    enter(w, 5, 3);
    enter(w, 6, 4);
    enter(w, 7, 5);
    assert_int_equal(leaver(w, 6), 3);
    assert_int_equal(leaver(w, 1), 3);
    http_places_busy(w->places, &w->place[4]); /* two and two: the older one */
    assert_int_equal(leaver(w, 6), 1);
    http_places_busy(w->places, &w->place[5]);
    assert_int_equal(leaver(w, 6), 1);
    http_places_busy(w->places, &w->place[1]); /* one each */
    assert_int_equal(leaver(w, 6), 0);
    http_places_busy(w->places, &w->place[0]);
    assert_int_equal(leaver(w, 6), 2);
}

static void
when_all_are_busy_nobody_leaves(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < MAX; i++) {
        assert_false(http_places_are_busy(w->places));
        enter(w, i, i);
        http_places_busy(w->places, &w->place[i]);
    }
    assert_true(http_places_are_busy(w->places));
    assert_int_equal(leaver(w, 9), REFUSED);
    assert_null(http_places_oldest(w->places));
    http_places_wait(w->places, &w->place[5]);
    assert_false(http_places_are_busy(w->places));
    assert_int_equal(leaver(w, 9), 5);
}

/* An attacker at one address reconnects for ever: nobody else loses a place. */
static void
a_flood_from_one_address_reaches_nobody_else(void **state)
{
    struct world *w = *state;

    enter(w, 8, 1);
    enter(w, 9, 2);
    enter(w, 10, 2);
    enter(w, 11, 3);
    for (unsigned i = 0; i < 1000; i++) {
        int goes = leaver(w, 66);

        assert_in_range((unsigned)(goes + 1), 0, SHARE);
        if (goes != NOBODY) {
            http_places_leave(w->places, &w->place[goes]);
        }
        enter(w, goes == NOBODY ? i : (size_t)goes, 66);
    }
    assert_int_equal(http_places_count(w->places), SHARE + 4);
}

static void
those_who_cannot_go_now_are_passed_over(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < MAX; i++) {
        enter(w, i, i < 2 ? 1 : i);
    }
    assert_ptr_equal(http_places_oldest(w->places), &w->place[0]);
    assert_ptr_equal(http_places_next(w->places, &w->place[0]), &w->place[1]);
    assert_null(http_places_next(w->places, &w->place[1]));
}

static void
one_address_may_have_every_place(void **state)
{
    struct world *w = *state;
    struct world all = {.places = http_places_new(2, 2, 7)};

    enter(&all, 0, 1);
    enter(&all, 1, 1);
    assert_int_equal(leaver(&all, 1), 0);
    assert_int_equal(leaver(&all, 2), 0);
    http_places_leave(all.places, &all.place[0]);
    assert_int_equal(leaver(&all, 2), NOBODY);
    http_places_leave(all.places, &all.place[1]);
    assert_int_equal(http_places_count(all.places), 0);
    assert_null(http_places_first(all.places));
    http_places_free(all.places);
    http_places_free(NULL);
    assert_null(http_places_oldest(w->places));
}

/* Both ways twice: the second time says nothing new. */
static void
who_waits_is_counted_once(void **state)
{
    struct world *w = *state;

    enter(w, 0, 1);
    enter(w, 1, 2);
    enter(w, 2, 2);
    http_places_wait(w->places, &w->place[0]);
    http_places_wait(w->places, &w->place[0]);
    assert_ptr_equal(http_places_oldest(w->places), &w->place[1]);
    http_places_busy(w->places, &w->place[1]);
    http_places_busy(w->places, &w->place[1]);
    assert_ptr_equal(http_places_oldest(w->places), &w->place[0]);
    http_places_busy(w->places, &w->place[2]);
    assert_ptr_equal(http_places_oldest(w->places), &w->place[0]);
    assert_null(http_places_next(w->places, &w->place[0]));
}

/* When places are short for all, who comes next is of an address on which as many wait. */
static void
the_next_is_of_the_same_rule(void **state)
{
    struct world *w = *state;

    enter(w, 0, 1);
    enter(w, 1, 2);
    enter(w, 2, 1);
    enter(w, 3, 3);
    enter(w, 4, 2);
    assert_ptr_equal(http_places_oldest(w->places), &w->place[0]);
    assert_ptr_equal(http_places_next(w->places, &w->place[0]), &w->place[1]);
    assert_ptr_equal(http_places_next(w->places, &w->place[2]), &w->place[4]);
    assert_null(http_places_next(w->places, &w->place[4]));
    enter(w, 5, 2);
    enter(w, 6, 2); /* its share: its own, whoever else waits */
    enter(w, 7, 4);
    assert_ptr_equal(http_places_next(w->places, &w->place[1]), &w->place[4]);
    http_places_busy(w->places, &w->place[4]);
    http_places_busy(w->places, &w->place[5]);
    http_places_busy(w->places, &w->place[6]);
    assert_null(http_places_next(w->places, &w->place[1]));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(while_there_is_room_nobody_leaves),
        TEST(beyond_its_share_an_address_displaces_its_own_oldest),
        TEST(an_address_that_is_busy_throughout_gets_no_more),
        TEST(when_all_are_taken_the_address_with_most_idle_ones_pays),
        TEST(when_all_are_busy_nobody_leaves),
        TEST(a_flood_from_one_address_reaches_nobody_else),
        TEST(those_who_cannot_go_now_are_passed_over),
        TEST(one_address_may_have_every_place),
        TEST(who_waits_is_counted_once),
        TEST(the_next_is_of_the_same_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
