/* SPDX-License-Identifier: Apache-2.0 */
/* Where is listened, and by which names it is asked. */
#include "db/audit/serve/loopback.h"

#include "base/mem.h"
#include "tests/support/test.h"

static void
nothing_but_this_machine_is_listened_on(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"127.0.0.1:8830", true},
        {"127.1.2.3:1", true},
        {"[::1]:8830", true},
        {"127.0.0.1:0", true},
        {"0.0.0.0:8830", false},
        {"[::]:8830", false},
        {"192.0.2.1:8830", false},
        {"[fe80::1]:80", false},
        {"[::ffff:127.0.0.1]:80", false},
        {"localhost:8830", false},
        {"127.0.0.1", false},
        {"8830", false},
        {"", false},
        {"128.0.0.1:80", false},
        {"126.255.255.255:80", false},
        {"[::2]:80", false},
    };
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("row %s\n", rows[i].text);
        if (rows[i].good) {
            assert_ok(loopback_check(rows[i].text, &e), &e);
        } else {
            assert_err(loopback_check(rows[i].text, &e), ERR_INPUT, &e);
        }
    }
}

static void
no_other_name_is_answered(void **state)
{
    static const struct {
        const char *host;
        unsigned port;
        bool good;
    } rows[] = {
        {"localhost:8830", 8830, true},
        {"LocalHost:8830", 8830, true},
        {"127.0.0.1:8830", 8830, true},
        {"[::1]:8830", 8830, true},
        {"localhost", 80, true},
        {"127.0.0.1", 80, true},
        {"[::1]", 80, true},
        {"localhost", 8830, false},
        {"localhost:8831", 8830, false},
        {"localhost:", 80, false},
        {"localhost.example:8830", 8830, false},
        {"localhost.:8830", 8830, false},
        {"notlocalhost:8830", 8830, false},
        {"127.0.0.1.example:8830", 8830, false},
        {"192.0.2.1:8830", 8830, false},
        {"rebound.example:8830", 8830, false},
        {"", 80, false},
        {"::1", 80, false},
        {"[::1]:8830x", 8830, false},
        {"localhost:08830x", 8830, false},
        {"user@localhost:8830", 8830, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("row %s\n", rows[i].host);
        assert_int_equal(loopback_is_host(rows[i].host, rows[i].port), rows[i].good);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_this_machine_is_listened_on),
        cmocka_unit_test(no_other_name_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
