/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "base/ossl.h"
#include "ceremony/entropy.h"

static uint8_t first[ENTROPY_SAMPLE];
static uint8_t second[ENTROPY_SAMPLE];

static int
check(struct err *e)
{
    struct entropy_statistics statistics;

    return entropy_check(span_of(first, sizeof(first)), span_of(second, sizeof(second)),
                         &statistics, e);
}

static int
draw(void **state)
{
    struct err e = {0};

    (void)state;
    return random_bytes(first, sizeof(first), &e) != 0 ||
           random_bytes(second, sizeof(second), &e) != 0;
}

static void
a_good_generator_passes(void **state)
{
    struct err e = {0};

    (void)state;
    assert_ok(check(&e), &e);
}

static void
a_generator_that_repeats_its_output_fails(void **state)
{
    struct err e = {0};

    (void)state;
    memcpy(second, first, sizeof(second));
    assert_err(check(&e), ERR_CRYPTO, &e);
}

static void
a_stuck_generator_fails(void **state)
{
    struct err e = {0};

    (void)state;
    memset(second + 1000, second[999], 5);
    assert_err(check(&e), ERR_CRYPTO, &e);
}

static void
a_biased_generator_fails(void **state)
{
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < 512; i += 16) {
        second[i] = second[0];
    }
    assert_err(check(&e), ERR_CRYPTO, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_generator_passes, draw),
        cmocka_unit_test_setup(a_generator_that_repeats_its_output_fails, draw),
        cmocka_unit_test_setup(a_stuck_generator_fails, draw),
        cmocka_unit_test_setup(a_biased_generator_fails, draw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
