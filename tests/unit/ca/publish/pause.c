/* SPDX-License-Identifier: Apache-2.0 */
/* How long what is stored waits for its files. */
#include "ca/publish/pause.h"

#include "tests/support/test.h"

/* The longest there is: it is stored when the files before have just been begun. */
static int64_t
waits(int64_t takes)
{
    const int64_t begun = 1000;
    const int64_t ended = begun + takes;
    const int64_t next = ended + files_pause(begun, ended);

    return next + takes - begun;
}

static void
what_is_stored_is_published_within_a_second(void **state)
{
    (void)state;
    for (int64_t takes = 0; takes <= 500; takes++) {
        assert_true(waits(takes) <= 1000);
    }
    assert_int_equal(files_pause(1000, 1000) + 500, 1000); /* there were none before */
}

/* Many go at once, and who is slow makes no pause. */
static void
they_begin_twice_a_second_at_most(void **state)
{
    (void)state;
    assert_int_equal(files_pause(1000, 1000), FILES_MS);
    assert_int_equal(files_pause(1000, 1100), FILES_MS - 100);
    assert_int_equal(files_pause(1000, 1000 + FILES_MS), 0);
    assert_int_equal(files_pause(1000, 9000), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_published_within_a_second),
        cmocka_unit_test(they_begin_twice_a_second_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
