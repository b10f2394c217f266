/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/change.h"

#include <stdint.h>
#include <string.h>

#include "db/pages/tag.h"
#include "tests/support/test.h"

enum { PAGE = 512 };

/* Numbers that are the same in each run. */
static uint32_t
next(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Is what comes out what went in? Returns how long the change is. */
static size_t
must_be_same(const uint8_t *from, const uint8_t *to)
{
    static const uint8_t zeros[PAGE];
    uint8_t change[PAGE + CHANGE_RANGE];
    uint8_t page[PAGE];
    const size_t n = change_encode(from, to, PAGE, change);

    assert_true(n <= change_max(PAGE));
    memcpy(page, from == NULL ? zeros : from, PAGE);
    assert_true(change_apply(span_of(change, n), page, PAGE));
    assert_memory_equal(page, to, PAGE);
    return n;
}

static void
any_change_is_made_again(void **state)
{
    uint32_t seed = 7;
    uint8_t from[PAGE];
    uint8_t to[PAGE];

    (void)state;
    for (unsigned turn = 0; turn < 2000; turn++) {
        const unsigned edits = next(&seed) % 60;

        for (size_t i = 0; i < PAGE; i++) {
            from[i] = (uint8_t)(next(&seed) % 3);
        }
        memcpy(to, from, PAGE);
        for (unsigned k = 0; k < edits; k++) {
            const size_t begin = next(&seed) % PAGE;
            const size_t n = next(&seed) % 40 + 1;

            for (size_t i = begin; i < PAGE && i < begin + n; i++) {
                to[i] = (uint8_t)next(&seed);
            }
        }
        (void)must_be_same(from, to);
        (void)must_be_same(NULL, to);
    }
}

static void
what_is_the_same_takes_no_room(void **state)
{
    uint8_t from[PAGE] = {1, 2, 3};
    uint8_t to[PAGE] = {1, 2, 3};

    (void)state;
    assert_int_equal(must_be_same(from, to), 0);
    to[0] = 9;
    to[PAGE - 1] = 9;
    assert_int_equal(must_be_same(from, to), 2 * (CHANGE_RANGE + 1));
    to[PAGE - 4] = 9; /* near the last one */
    assert_int_equal(must_be_same(from, to), 2 * CHANGE_RANGE + 1 + 4);
    memset(to, 5, PAGE);
    assert_int_equal(must_be_same(from, to), CHANGE_RANGE + PAGE);
    for (size_t i = 0; i < PAGE; i += 10) {
        to[i] = 0; /* no fewer octets than all of it */
    }
    assert_int_equal(must_be_same(to, from), CHANGE_RANGE + PAGE);
}

/* As octets that nobody sealed may be: nothing is written beside the page. */
static void
what_is_no_change_is_refused(void **state)
{
    static const struct {
        const char *what;
        uint8_t octets[6];
        size_t n;
    } rows[] = {
        {"half a range", {0, 1, 0}, 3},
        {"fewer octets than it says", {0, 0, 0, 1, 7}, 5},
        {"one behind a range", {0, 0, 0, 0, 7, 7}, 6},
        {"behind the end", {2, 0, 0, 0, 7}, 5},
        {"far behind the end", {0xff, 0xff, 0, 0, 7}, 5},
        {"across the end", {1, 0xff, 0, 1, 7, 7}, 6},
    };
    uint8_t page[PAGE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (change_apply(span_of(rows[i].octets, rows[i].n), page, PAGE)) {
            fail_msg("%s", rows[i].what);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_change_is_made_again),
        cmocka_unit_test(what_is_the_same_takes_no_room),
        cmocka_unit_test(what_is_no_change_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
