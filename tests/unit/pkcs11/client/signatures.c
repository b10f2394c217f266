/* SPDX-License-Identifier: Apache-2.0 */
/* Which attempts gave a signature, as the real nfpki-signer knows it at its next start. */
#include <signal.h>

#include "tests/support/kill.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

static void
sign(struct signer *s, int n)
{
    for (int i = 0; i < n; i++) {
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
        struct err e = {0};

        departure_make(NOTHING, &tbs);
        assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
    }
}

static void
knows(struct signer *s, uint64_t attempts, uint64_t signatures)
{
    assert_int_equal(signer_attempts(s), attempts);
    assert_int_equal(signer_signatures(s), signatures);
}

static void
a_signer_that_ends_in_order_knows_of_all_of_them(void **state)
{
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();

    (void)state;
    knows(s, 0, 0);
    sign(s, 3);
    knows(s, 3, 3);
    for (int i = 0; i < 2; i++) {
        signer_free(TAKE(s));
        s = world_start_well();
        knows(s, 3, 3);
    }
}

static void
one_that_is_killed_does_not_know_of_the_last(void **state)
{
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();

    (void)state;
    sign(s, 3);
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    signer_free(TAKE(s));
    s = world_start_well();
    knows(s, 3, 2);
    sign(s, 2);
    knows(s, 5, 4);
    signer_free(TAKE(s));
    s = world_start_well();
    knows(s, 5, 4);
}

static void
a_client_does_not_forget_what_was_released(void **state)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();
    struct err e = {0};

    (void)state;
    sign(s, 2);
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    departure_make(NOTHING, &tbs);
    while (departure_sign(s, buf_span(&tbs), &signature, &e) != 0) { /* until it is back */
        assert_int_equal(e.code, ERR_TOKEN);
    }
    assert_int_equal(signer_signatures(s), 3);
    assert_true(signer_attempts(s) >= 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signer_that_ends_in_order_knows_of_all_of_them),
        TEST(one_that_is_killed_does_not_know_of_the_last),
        TEST(a_client_does_not_forget_what_was_released),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
