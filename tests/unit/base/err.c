/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/support/test.h"

static void
context_is_put_in_front_and_the_code_stays(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_set(&e, ERR_TOKEN, "C_Sign: %s", "CKR_DEVICE_ERROR"), -1);
    assert_int_equal(err_wrap(&e, "serial %d", 7), -1);
    assert_int_equal(e.code, ERR_TOKEN);
    assert_string_equal(e.text, "serial 7: C_Sign: CKR_DEVICE_ERROR");
}

static void
errno_is_spelt_out(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_errno(&e, ERR_IO, ENOENT, "open %s", "x"), -1);
    assert_string_equal(e.text, "open x: No such file or directory");
}

static void
overlong_text_is_cut_and_terminated(void **state)
{
    char text[2000];
    struct err e = {0};

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&e, ERR_INPUT, "%s", text);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    (void)err_wrap(&e, "%s", text);
    assert_true(strlen(e.text) < sizeof(e.text));
}

static void
every_code_has_a_name_and_an_exit_status(void **state)
{
    static const char *const names[] = {"none",     "input",  "denied", "not-found",
                                        "conflict", "busy",   "pin",    "token",
                                        "store",    "crypto", "io",     "stale"};
    static const int statuses[] = {[ERR_INPUT] = 2, [ERR_STALE] = 3};

    (void)state;
    for (int code = ERR_NONE; code <= ERR_STALE; code++) {
        assert_string_equal(err_code_name((enum err_code)code), names[code]);
        assert_int_equal(err_exit_status((enum err_code)code),
                         statuses[code] == 0 ? 1 : statuses[code]);
    }
    assert_string_equal(err_code_name((enum err_code)(ERR_STALE + 1)), "unknown");
}

static void
what_was_said_to_a_peer_goes_with_a_new_reason_and_stays_with_context(void **state)
{
    struct err e = {.said = 7, .value = "x"};

    (void)state;
    (void)err_set(&e, ERR_INPUT, "a");
    assert_int_equal(e.said, 0);
    assert_string_equal(e.value, "");
    e.said = 7;
    memcpy(e.value, "x", 2);
    (void)err_wrap(&e, "b");
    assert_int_equal(e.said, 7);
    assert_string_equal(e.value, "x");
    (void)err_errno(&e, ERR_IO, ENOENT, "c");
    assert_int_equal(e.said, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_is_put_in_front_and_the_code_stays),
        cmocka_unit_test(errno_is_spelt_out),
        cmocka_unit_test(overlong_text_is_cut_and_terminated),
        cmocka_unit_test(what_was_said_to_a_peer_goes_with_a_new_reason_and_stays_with_context),
        cmocka_unit_test(every_code_has_a_name_and_an_exit_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
