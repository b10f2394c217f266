/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "ca/x509/serial.h"
#include "tests/support/test.h"

static void
the_table_is_closed(void **state)
{
    static const char *const names[] = {"nf-tls-server", "nf-tls-client", "nf-tls",  "ra-cmp",
                                        "registrar",     "officer",       "issuing", "root"};
    size_t n = 0;

    (void)state;
    while (profile_at(n) != NULL) {
        assert_string_equal(profile_at(n)->name, names[n]);
        assert_ptr_equal(profile_by_name(names[n]), profile_at(n));
        assert_true(profile_at(n)->max_validity > 0);
        /* every process has a purpose, no CA has one (RFC 9509 5, BR 7.1.2.1.2), and an officer
         * has none: what its key is for is in no extension that others know */
        assert_int_equal(profile_is_ca(profile_at(n)) || strcmp(names[n], "officer") == 0,
                         profile_at(n)->eku[0] == NULL);
        n++;
    }
    assert_int_equal(n, sizeof(names) / sizeof(names[0]));
    assert_null(profile_by_name("NF-TLS"));
    assert_null(profile_by_name(""));
    assert_true(profile_is_nf(profile_by_name("nf-tls")));
    assert_false(profile_is_nf(profile_by_name("ra-cmp")));
    assert_int_equal(profile_by_name("nf-tls")->max_validity, 1095 * PROFILE_DAY);
}

static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, SERIAL_SIZE);
}

/* Each free bit is set about half of the time, none of the fixed ones ever changes, and nothing
 * repeats: 20,000 draws, limits at ten standard deviations. */
static void
serials_are_random_behind_their_time(void **state)
{
    enum { DRAWS = 20000, HALF = DRAWS / 2, SLACK = 710, TIME_BITS = 32 };
    static const time_t at = 0x2a5b3c4d5;
    static const uint8_t begins[] = {0x65, 0xb3, 0xc4, 0xd5}; /* the low 30 bits, behind 01 */
    static uint8_t serials[DRAWS][SERIAL_SIZE];
    int ones[SERIAL_SIZE * 8] = {0};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < DRAWS; i++) {
        assert_ok(serial_new(serials[i], at, &e), &e);
        assert_true(serial_is_shaped(serials[i]));
        for (size_t bit = 0; bit < SERIAL_SIZE * 8; bit++) {
            ones[bit] += serials[i][bit / 8] >> (7 - bit % 8) & 1;
        }
    }
    for (size_t bit = 0; bit < TIME_BITS; bit++) {
        assert_int_equal(ones[bit], (begins[bit / 8] >> (7 - bit % 8) & 1) * DRAWS);
    }
    for (size_t bit = TIME_BITS; bit < SERIAL_SIZE * 8; bit++) {
        assert_in_range(ones[bit], HALF - SLACK, HALF + SLACK);
    }
    qsort(serials, DRAWS, SERIAL_SIZE, compare);
    for (size_t i = 1; i < DRAWS; i++) {
        assert_true(compare(serials[i - 1], serials[i]) < 0);
    }
}

static void
later_serials_are_greater(void **state)
{
    uint8_t before[SERIAL_SIZE];
    uint8_t after[SERIAL_SIZE];
    struct err e = {0};

    (void)state;
    for (time_t at = 1764540000; at < 1764540000 + 512; at++) {
        assert_ok(serial_new(before, at, &e), &e);
        assert_ok(serial_new(after, at + 1, &e), &e);
        assert_true(compare(before, after) < 0);
    }
}

static void
a_serial_from_elsewhere_gets_the_form(void **state)
{
    uint8_t serial[SERIAL_SIZE];

    (void)state;
    memset(serial, 0xff, sizeof(serial));
    assert_false(serial_is_shaped(serial));
    serial_shape(serial);
    assert_int_equal(serial[0], 0x7f);
    assert_int_equal(serial[1], 0xff);
    serial[0] = 0;
    assert_false(serial_is_shaped(serial));
    serial_shape(serial);
    assert_int_equal(serial[0], 0x40);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_closed),
        cmocka_unit_test(serials_are_random_behind_their_time),
        cmocka_unit_test(later_serials_are_greater),
        cmocka_unit_test(a_serial_from_elsewhere_gets_the_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
