/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/test.h"

static void
an_array_grows_by_doubling_and_keeps_what_it_has(void **state)
{
    static const struct {
        size_t wanted;
        size_t capacity;
    } rows[] = {{0, 0}, {1, 8}, {8, 8}, {9, 16}, {16, 16}, {17, 32}, {1000, 1024}, {5, 1024}};
    size_t capacity = 0;
    uint32_t *array = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t before = capacity;

        array = mem_grow(array, &capacity, rows[i].wanted, sizeof(*array));
        assert_int_equal(capacity, rows[i].capacity);
        for (size_t k = 0; k < capacity; k++) {
            assert_int_equal(array[k], k < before ? k + 1 : 0);
            array[k] = (uint32_t)k + 1;
        }
    }
    mem_free(array);
}

static void
an_element_is_taken_out_wherever_it_stands(void **state)
{
    static const int left[4][3] = {{2, 3, 4}, {1, 3, 4}, {1, 2, 4}, {1, 2, 3}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        int array[4] = {1, 2, 3, 4};
        size_t n = 4;

        mem_remove(array, &n, &array[i], sizeof(array[0]));
        assert_int_equal(n, 3);
        assert_memory_equal(array, left[i], sizeof(left[i]));
    }
}

static void
copies_are_copies(void **state)
{
    static const char text[] = "text";
    CLEANUP(mem_cleanup) char *dup = mem_dup(text, sizeof(text));
    CLEANUP(mem_cleanup) char *string = mem_strdup(text);
    CLEANUP(mem_cleanup) char *printed = mem_printf("%s %d", text, 7);
    CLEANUP(mem_cleanup) char *nothing = mem_dup(text, 0);
    CLEANUP(mem_cleanup) char *zero = mem_zalloc(0, 0);

    (void)state;
    assert_memory_equal(dup, text, sizeof(text));
    assert_ptr_not_equal(dup, text);
    assert_string_equal(string, text);
    assert_string_equal(printed, "text 7");
    assert_non_null(nothing);
    assert_non_null(zero);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_grows_by_doubling_and_keeps_what_it_has),
        cmocka_unit_test(an_element_is_taken_out_wherever_it_stands),
        cmocka_unit_test(copies_are_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
