/* SPDX-License-Identifier: Apache-2.0 */
/* The table of serial numbers keeps what has not ended, however many there were. */
#include "db/audit/rules/ending.h"

#include <string.h>

#include "tests/support/test.h"

enum { MANY = 20000 };

static struct audit_serial
serial_of(unsigned i)
{
    struct audit_serial serial = {.n = 16};

    memcpy(serial.octets, &i, sizeof(i));
    return serial;
}

/* Each ends at its number; when it is added, what is so far behind has ended. */
static void
what_has_not_ended_is_kept(void **state)
{
    static const unsigned lives[] = {1, 100, 5000, MANY};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(lives); k++) {
        struct audit_endings *t = audit_endings_new();

        for (unsigned i = 1; i <= MANY; i++) {
            const struct audit_serial serial = serial_of(i);

            audit_endings_add(t, &serial, i, (time_t)i - (time_t)lives[k]);
        }
        for (unsigned i = 1; i <= MANY; i++) {
            const struct audit_serial serial = serial_of(i);
            const struct audit_ending *found = audit_endings_find(t, &serial);

            if (i + lives[k] >= MANY) {
                assert_non_null(found);
            }
            if (found != NULL) {
                assert_int_equal(found->not_after, i);
                assert_false(found->revoked);
            }
        }
        audit_endings_free(t);
    }
}

/* It stays marked when the table is made anew, and the later end counts. */
static void
a_serial_number_has_one_place(void **state)
{
    const struct audit_serial first = serial_of(0);
    struct audit_endings *t = audit_endings_new();

    (void)state;
    audit_endings_add(t, &first, 7, 0);
    audit_endings_find(t, &first)->revoked = true;
    audit_endings_add(t, &first, 6, 0);
    for (unsigned i = 1; i <= MANY; i++) {
        const struct audit_serial serial = serial_of(i);

        audit_endings_add(t, &serial, 5, 0);
    }
    assert_int_equal(audit_endings_find(t, &first)->not_after, 7);
    audit_endings_add(t, &first, 8, 0);
    assert_int_equal(audit_endings_find(t, &first)->not_after, 8);
    assert_true(audit_endings_find(t, &first)->revoked);
    audit_endings_free(t);
}

static void
a_serial_number_has_at_most_20_octets(void **state)
{
    static const struct {
        const char *hex;
        int n; /* 0: refused */
    } rows[] = {{"00", 1},
                {"0102030405060708090a0b0c0d0e0f1011121314", 20},
                {"0102030405060708090a0b0c0d0e0f101112131415", 0},
                {"", 0},
                {"0g", 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct audit_serial serial;
        struct err e = {0};

        assert_int_equal(audit_serial_parse(rows[i].hex, &serial, &e), rows[i].n == 0 ? -1 : 0);
        if (rows[i].n != 0) {
            assert_int_equal(serial.n, rows[i].n);
        }
    }
}

static void
shorter_ones_come_first(void **state)
{
    static const char *const ascending[] = {"02", "03", "0102", "0201", "0202"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ascending); i++) {
        for (size_t k = 0; k < ARRAY_LEN(ascending); k++) {
            struct audit_serial a;
            struct audit_serial b;
            struct err e = {0};
            int order;

            assert_ok(audit_serial_parse(ascending[i], &a, &e), &e);
            assert_ok(audit_serial_parse(ascending[k], &b, &e), &e);
            order = audit_serial_compare(&a, &b);
            assert_true(i < k ? order < 0 : i > k ? order > 0 : order == 0);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_not_ended_is_kept),
        cmocka_unit_test(a_serial_number_has_one_place),
        cmocka_unit_test(a_serial_number_has_at_most_20_octets),
        cmocka_unit_test(shorter_ones_come_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
