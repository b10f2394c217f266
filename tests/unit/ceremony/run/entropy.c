/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "base/ossl.h"
#include "ceremony/run/entropy.h"

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
    assert_string_equal(e.text, "the token's random generator repeats itself");
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

/* From what on NIST SP 800-90B 4.4 calls it broken; the sample is of our making, so that nothing
 * else can be what is refused. */
static void
the_cutoffs_are_those_of_the_standard(void **state)
{
    static const struct {
        size_t run;
        size_t most;
        const char *reason;
    } rows[] = {
        {1, 2, NULL},
        {4, 2, NULL},
        {5, 2, "the token's random generator is broken: a run of 5, "},
        {1, 17, NULL},
        {1, 18, "the token's random generator is broken: a run of 1, 18 of one octet in a window"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct entropy_statistics statistics;
        struct err e = {0};
        int result;

        for (size_t k = 0; k < sizeof(first); k++) {
            first[k] = (uint8_t)k; /* each octet twice in a window */
            second[k] = (uint8_t)(k + 1);
        }
        /* in the last window of the second one */
        memset(second + sizeof(second) - rows[i].run, 99, rows[i].run);
        for (size_t k = 2; k < rows[i].most; k++) {
            second[sizeof(second) - 512 + 3 * k] = second[sizeof(second) - 512];
        }
        result = entropy_check(span_of(first, sizeof(first)), span_of(second, sizeof(second)),
                               &statistics, &e);
        if ((result == 0) != (rows[i].reason == NULL) ||
            (rows[i].reason != NULL && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason, e.text);
        }
        assert_int_equal(statistics.longest_run, rows[i].run);
        assert_int_equal(statistics.most_in_window, rows[i].most);
    }
}

static void
less_than_a_window_is_no_sample(void **state)
{
    struct entropy_statistics statistics;
    struct err e = {0};

    (void)state;
    assert_err(entropy_check(span_of(first, 511), span_of(second, 511), &statistics, &e),
               ERR_CRYPTO, &e);
    assert_ok(entropy_check(span_of(first, 512), span_of(second, 512), &statistics, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_generator_passes, draw),
        cmocka_unit_test_setup(a_generator_that_repeats_its_output_fails, draw),
        cmocka_unit_test_setup(a_stuck_generator_fails, draw),
        cmocka_unit_test_setup(a_biased_generator_fails, draw),
        cmocka_unit_test(the_cutoffs_are_those_of_the_standard),
        cmocka_unit_test_setup(less_than_a_window_is_no_sample, draw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
