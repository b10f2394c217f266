/* SPDX-License-Identifier: Apache-2.0 */
/* A serial number has one certificate, and CRLs go on. */
#include "tests/support/test.h"

#include "pkcs11/signer/journal/again.h"

#include <string.h>

#include "tests/unit/pkcs11/signer/scene.h"

enum { NOW = 1795000000 };

static const uint8_t HASH[AGAIN_HASH] = {1};
static const uint8_t OTHER[AGAIN_HASH] = {[31] = 1};

static void
serial_of(uint32_t n, uint8_t serial[AGAIN_SERIAL])
{
    memset(serial, 0x41, AGAIN_SERIAL);
    for (size_t i = 0; i < 4; i++) {
        /* Some share their slot, whose number is in the last octets. */
        serial[AGAIN_SERIAL - 5 - i] = (uint8_t)(n >> 8 * i);
        serial[AGAIN_SERIAL - 1 - i] = (uint8_t)((n % 50000) >> 8 * i);
    }
}

static void
a_serial_number_has_the_octets_that_it_had_first(void **state)
{
    CLEANUP(again_cleanup) struct again *a = again_new();
    uint8_t serial[AGAIN_SERIAL];
    struct err e = {0};

    (void)state;
    serial_of(7, serial);
    assert_ok(again_check_certificate(a, serial, HASH, &e), &e);
    assert_ok(again_check_certificate(a, serial, OTHER, &e), &e);
    again_add_certificate(a, serial, HASH);
    for (int round = 0; round < 2; round++) {
        assert_ok(again_check_certificate(a, serial, HASH, &e), &e);
        assert_err(again_check_certificate(a, serial, OTHER, &e), ERR_DENIED, &e);
        assert_string_equal(e.text, "serial number 41414141414141410000000700000007 again, with "
                                    "other octets");
        again_add_certificate(a, serial, HASH); /* after a crash */
    }
    serial[0] ^= 1;
    assert_ok(again_check_certificate(a, serial, OTHER, &e), &e);
    serial[0] ^= 1;
    serial[AGAIN_SERIAL - 1] ^= 1;
    assert_ok(again_check_certificate(a, serial, OTHER, &e), &e);
}

/* Exactly the newest AGAIN_WINDOW are known, around the ring and in slots that are shared. */
static void
the_newest_are_remembered(void **state)
{
    CLEANUP(again_cleanup) struct again *a = again_new();
    const uint32_t n = 3 * AGAIN_WINDOW / 2;
    struct err e = {0};

    (void)state;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t serial[AGAIN_SERIAL];

        serial_of(i, serial);
        again_add_certificate(a, serial, HASH);
    }
    for (int i = 0; i < 3; i++) { /* which takes no room again */
        uint8_t serial[AGAIN_SERIAL];

        serial_of(n - 1, serial);
        again_add_certificate(a, serial, HASH);
    }
    for (uint32_t i = 0; i < n + 10; i++) {
        const bool known = i < n && i >= n - AGAIN_WINDOW;
        uint8_t serial[AGAIN_SERIAL];

        serial_of(i, serial);
        assert_int_equal(again_check_certificate(a, serial, OTHER, &e), known ? -1 : 0);
        assert_ok(again_check_certificate(a, serial, HASH, &e), &e);
    }
}

static void
crls_go_on_in_number_and_time(void **state)
{
    static const struct {
        const char *name;
        bool first; /* nothing was signed before */
        uint64_t number;
        int64_t this_update;
        bool other;
        const char *reason;
    } rows[] = {
        {"the next", false, 101, NOW, false, NULL},
        {"the next, of the same second", false, 101, NOW - 100, false, NULL},
        {"the same octets", false, 100, NOW - 100, false, NULL},
        {"the same number, other octets", false, 100, NOW - 100, true,
         "CRL number 100 again, with other octets"},
        {"one less", false, 99, NOW, false, "CRL number 99 after 100"},
        {"0", false, 0, NOW, false, "CRL number 0 after 100"},
        {"as far as is allowed", false, 100 + AGAIN_CRL_STEP, NOW, false, NULL},
        {"one further", false, 101 + AGAIN_CRL_STEP, NOW, false,
         "CRL number 1048677 is more than 1048576 behind 100"},
        {"the last of all", false, INT64_MAX, NOW, false, "is more than 1048576 behind 100"},
        {"a second back", false, 101, NOW - 101, false, "thisUpdate goes back by 1 s"},
        {"a day ahead", false, 101, NOW + AGAIN_AHEAD_S, false, NULL},
        {"a day and a second ahead", false, 101, NOW + AGAIN_AHEAD_S + 1, false,
         "thisUpdate is 86401 s ahead of this signer's clock"},
        {"the first", true, 1, NOW, false, NULL},
        {"the first, with number 0", true, 0, NOW, true, NULL},
        {"the first, far away", true, AGAIN_CRL_STEP + 1, NOW, false, "behind 0"},
        {"the first, ahead", true, 1, NOW + AGAIN_AHEAD_S + 1, false, "ahead of this"},
    };
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(again_cleanup) struct again *a = again_new();
        struct crl_head last = {.number = 100, .this_update = NOW - 100};
        struct crl_head next = {.number = rows[i].number, .this_update = rows[i].this_update};
        struct err e = {0};

        memcpy(last.hash, HASH, sizeof(HASH));
        memcpy(next.hash, rows[i].other ? OTHER : HASH, sizeof(HASH));
        if (!rows[i].first) {
            again_add_crl(a, &last);
        }
        good += scene_expect(rows[i].name, again_check_crl(a, &next, NOW, &e), &e, ERR_DENIED,
                             rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

/* The clock was set back behind the last CRL: what has its thisUpdate again is signed. */
static void
a_clock_that_was_set_back_ends_nothing(void **state)
{
    CLEANUP(again_cleanup) struct again *a = again_new();
    struct crl_head head = {.number = 1, .this_update = NOW};
    struct err e = {0};

    (void)state;
    again_add_crl(a, &head);
    head.number = 2;
    assert_ok(again_check_crl(a, &head, NOW - 400 * 86400, &e), &e);
    head.this_update++;
    assert_err(again_check_crl(a, &head, NOW - 400 * 86400, &e), ERR_DENIED, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_number_has_the_octets_that_it_had_first),
        cmocka_unit_test(the_newest_are_remembered),
        cmocka_unit_test(crls_go_on_in_number_and_time),
        cmocka_unit_test(a_clock_that_was_set_back_ends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
