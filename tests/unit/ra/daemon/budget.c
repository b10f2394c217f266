/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/budget.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/test.h"

static struct budget *
make(const char *text, size_t keys_max)
{
    struct budget_limit limit;
    struct err e;

    assert_ok(budget_limit_parse(text, &limit, &e), &e);
    return budget_new(&limit, keys_max);
}

static int
take(struct budget *b, const char *key, int64_t now_ms)
{
    return budget_take(b, span_str(key), now_ms);
}

static void
a_budget_is_a_rate_and_a_burst(void **state)
{
    static const struct {
        const char *text;
        int64_t interval_us;
        unsigned burst;
    } good[] = {
        {"0", 0, 0},
        {"1/1", 1000000, 1},
        {"100/1000", 10000, 1000},
        {"0.2/10", 5000000, 10},
        {"0.05/3", 20000000, 3},
        {"0.001/3", 1000000000, 3},
        {"12.5/3", 80000, 3},
        {"1.999/1", 500250, 1},
        {"0.999/999999", 1001001, 999999},
        {"999999.999/1", 1, 1},
        {"1000000/1000000", 1, 1000000},
    };
    static const char *const bad[] = {"",     "1",     "/",         "1/",        "/1",       "-1/1",
                                      "1/-1", "0/1",   "1/0",       "0.0/1",     "1.0000/1", "1./1",
                                      ".5/1", "1/1.5", "1/1000001", "1000001/1", "1/1 ",     "a/b"};
    struct budget_limit limit;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(budget_limit_parse(good[i].text, &limit, &e), &e);
        assert_int_equal(limit.interval_us, good[i].interval_us);
        assert_int_equal(limit.burst, good[i].burst);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (budget_limit_parse(bad[i], &limit, &e) == 0) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_int_equal(e.code, ERR_INPUT);
    }
}

static void
a_burst_is_let_through_and_then_the_rate(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("2/3", 10);

    (void)state;
    for (int64_t start = 1000; start < 100000; start += 50000) { /* full again after a while */
        assert_int_equal(take(b, "a", start), 0);
        assert_int_equal(take(b, "a", start), 0);
        assert_int_equal(take(b, "a", start), 0);
        assert_int_equal(take(b, "a", start), 1);
        assert_int_equal(take(b, "b", start), 0); /* another one's */
        assert_int_equal(take(b, "a", start + 499), 1);
        assert_int_equal(take(b, "a", start + 500), 0);
        assert_int_equal(take(b, "a", start + 500), 1);
        assert_int_equal(take(b, "a", start + 1500), 0);
        assert_int_equal(take(b, "a", start + 1500), 0);
        assert_int_equal(take(b, "a", start + 1500), 1);
    }
}

static void
the_time_to_wait_is_honest(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("0.1/2", 10);

    (void)state;
    assert_int_equal(take(b, "a", 0), 0);
    assert_int_equal(take(b, "a", 0), 0);
    assert_int_equal(take(b, "a", 0), 10);
    assert_int_equal(take(b, "a", 4001), 6);
    assert_int_equal(take(b, "a", 9999), 1);
    assert_int_equal(take(b, "a", 10000), 0);
    assert_int_equal(take(b, "a", 10000), 10);
}

static void
what_was_refused_costs_nothing(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("1/1", 10);

    (void)state;
    assert_int_equal(take(b, "a", 0), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(take(b, "a", i < 999 ? i : 999), 1);
    }
    assert_int_equal(take(b, "a", 1000), 0);
}

static void
a_token_can_be_given_back(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("1/2", 10);

    (void)state;
    for (int i = 0; i < 100; i++) { /* somebody replays another one's messages */
        assert_int_equal(take(b, "a", 0), 0);
        budget_give_back(b, span_str("a"));
    }
    assert_int_equal(take(b, "a", 0), 0);
    assert_int_equal(take(b, "a", 0), 0);
    assert_int_equal(take(b, "a", 0), 1);
    budget_give_back(b, span_str("nobody"));
}

static void
no_limit_is_no_limit(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("0", 1);

    (void)state;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(take(b, "a", 0), 0);
    }
    budget_give_back(b, span_str("a"));
}

static void
other_keys_do_not_reset_a_bucket(void **state)
{
    enum { KEYS = 8 };
    CLEANUP(budget_cleanup) struct budget *b = make("1/2", KEYS);
    char key[16];

    (void)state;
    assert_int_equal(take(b, "attacker", 0), 0);
    assert_int_equal(take(b, "attacker", 0), 0);
    assert_int_equal(take(b, "attacker", 0), 1);
    for (int i = 0; i < 10000; i++) { /* from as many addresses as there are */
        (void)snprintf(key, sizeof(key), "other%d", i);
        (void)take(b, key, 0);
    }
    assert_int_equal(take(b, "attacker", 0), 1);
    assert_int_equal(take(b, "attacker", 1000), 0);
    assert_int_equal(take(b, "attacker", 1000), 1);
}

static void
newcomers_share_what_is_left_while_the_table_is_in_use(void **state)
{
    enum { KEYS = 8 };
    CLEANUP(budget_cleanup) struct budget *b = make("1/2", KEYS);
    unsigned through = 0;
    char key[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "new%d", i);
        through += take(b, key, 0) == 0;
    }
    assert_int_equal(through, KEYS + 2 * BUDGET_SHARED);
    assert_int_equal(take(b, "new0", 0), 0); /* who is known has their own */
    assert_int_equal(take(b, "new0", 0), 1);
    /* A bucket that is full again is given away. */
    assert_int_equal(take(b, "late", 2000), 0);
    assert_int_equal(take(b, "late", 2000), 0);
    assert_int_equal(take(b, "late", 2000), 1);
}

/* A newcomer's share is a token each microsecond at most. */
static void
what_is_shared_has_a_rate_whatever_the_limit(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("1000000/1", 1);
    unsigned through = 0;

    (void)state;
    assert_int_equal(take(b, "a", 0), 0);
    for (int i = 0; i < 100; i++) {
        through += take(b, "b", 0) == 0;
    }
    assert_int_equal(through, BUDGET_SHARED);
    assert_int_equal(take(b, "b", 0), 1);
    assert_int_equal(take(b, "b", 1), 0);
}

static void
who_waits_for_ever_is_told_so(void **state)
{
    const struct budget_limit limit = {.interval_us = INT64_MAX / 4, .burst = 1};
    CLEANUP(budget_cleanup) struct budget *b = budget_new(&limit, 1);

    (void)state;
    assert_int_equal(take(b, "a", 0), 0);
    assert_int_equal(take(b, "a", 0), INT32_MAX);
    budget_free(NULL);
}

static void
keys_differ_by_every_octet(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("1/1", 1000);
    uint8_t key[BUDGET_KEY_MAX] = {0};

    (void)state;
    assert_int_equal(budget_take(b, span_of(key, sizeof(key)), 0), 0);
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] ^= 1;
        assert_int_equal(budget_take(b, span_of(key, sizeof(key)), 0), 0);
        assert_int_equal(budget_take(b, span_of(key, sizeof(key)), 0), 1);
        key[i] ^= 1;
    }
    assert_int_equal(budget_take(b, span_of(key, sizeof(key)), 0), 1);
}

static void
many_keys_come_and_go(void **state)
{
    CLEANUP(budget_cleanup) struct budget *b = make("1/1", 100);
    char key[16];

    (void)state;
    for (int i = 0; i < 100000; i++) { /* 100 each second: each finds a bucket that is full */
        (void)snprintf(key, sizeof(key), "k%d", i % 1000);
        assert_int_equal(take(b, key, (int64_t)i * 10), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_is_a_rate_and_a_burst),
        cmocka_unit_test(a_burst_is_let_through_and_then_the_rate),
        cmocka_unit_test(the_time_to_wait_is_honest),
        cmocka_unit_test(what_was_refused_costs_nothing),
        cmocka_unit_test(a_token_can_be_given_back),
        cmocka_unit_test(no_limit_is_no_limit),
        cmocka_unit_test(other_keys_do_not_reset_a_bucket),
        cmocka_unit_test(newcomers_share_what_is_left_while_the_table_is_in_use),
        cmocka_unit_test(what_is_shared_has_a_rate_whatever_the_limit),
        cmocka_unit_test(who_waits_for_ever_is_told_so),
        cmocka_unit_test(keys_differ_by_every_octet),
        cmocka_unit_test(many_keys_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
