/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/secret/mac_cache.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/support/cmp_client.h"
#include "tests/support/test.h"

#define ONE "00112233445566778899aabbccddeeff"
#define TWO "ffeeddccbbaa99887766554433221100"

enum { NOW = 1000, SECONDS = 60 };

static struct cmp_mac_key *
new_key(struct buf *algorithm)
{
    enum cmp_failure failure;
    struct err e = {0};
    struct cmp_mac_key *key;

    *algorithm = BUF_INIT(512);
    assert_ok(cmp_client_pbm(NID_sha256, 100, NID_hmacWithSHA256, algorithm, &e), &e);
    key = cmp_mac_key_new(buf_span(algorithm), SPAN_LITERAL("a secret"), NULL, &failure, &e);
    assert_non_null(key);
    return key;
}

static bool
is_there(struct mac_cache *c, const char *registration, const struct buf *algorithm, time_t now)
{
    CLEANUP(cmp_mac_key_cleanup)
    struct cmp_mac_key *key = mac_cache_get(c, registration, buf_span(algorithm), now);

    return key != NULL;
}

static void
a_key_is_found_by_registration_and_parameters(void **state)
{
    CLEANUP(mac_cache_cleanup) struct mac_cache *c = mac_cache_new(4, SECONDS);
    CLEANUP(buf_free) struct buf a = {0};
    CLEANUP(buf_free) struct buf b = {0};
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = new_key(&a);
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *other = new_key(&b);
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *got = NULL;

    (void)state;
    mac_cache_put(c, ONE, key, NOW);
    assert_false(is_there(c, TWO, &a, NOW));
    assert_false(is_there(c, ONE, &b, NOW));
    got = mac_cache_get(c, ONE, buf_span(&a), NOW);
    assert_ptr_equal(got, key);
    assert_non_null(other);
}

static void
a_key_that_is_held_outlives_the_cache(void **state)
{
    struct mac_cache *c = mac_cache_new(1, SECONDS);
    CLEANUP(buf_free) struct buf a = {0};
    struct cmp_mac_key *key = new_key(&a);
    struct cmp_mac_key *got;

    (void)state;
    mac_cache_put(c, ONE, key, NOW);
    cmp_mac_key_free(key);
    got = mac_cache_get(c, ONE, buf_span(&a), NOW);
    assert_non_null(got);
    mac_cache_free(c);
    mac_cache_free(NULL);                                              /* none is fine */
    assert_true(span_equal(cmp_mac_key_algorithm(got), buf_span(&a))); /* the sanitizer looks too */
    cmp_mac_key_free(got);
}

static void
entries_end_with_time_transaction_and_registration(void **state)
{
    CLEANUP(mac_cache_cleanup) struct mac_cache *c = mac_cache_new(4, SECONDS);
    CLEANUP(buf_free) struct buf a = {0};
    CLEANUP(buf_free) struct buf b = {0};
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = new_key(&a);
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *other = new_key(&b);

    (void)state;
    mac_cache_put(c, ONE, key, NOW);
    assert_true(is_there(c, ONE, &a, NOW + SECONDS));
    assert_false(is_there(c, ONE, &a, NOW + SECONDS + 1));
    mac_cache_put(c, ONE, key, NOW);
    assert_int_equal(mac_cache_sweep(c, NOW + SECONDS), 1);
    assert_int_equal(mac_cache_sweep(c, NOW + SECONDS + 1), 0);
    mac_cache_put(c, ONE, key, NOW);
    mac_cache_put(c, ONE, other, NOW);
    mac_cache_drop(c, ONE, buf_span(&a));
    assert_false(is_there(c, ONE, &a, NOW));
    assert_true(is_there(c, ONE, &b, NOW));
    mac_cache_put(c, TWO, key, NOW);
    mac_cache_forget(c, ONE);
    assert_false(is_there(c, ONE, &b, NOW));
    assert_true(is_there(c, TWO, &a, NOW));
}

static void
the_entry_that_ends_first_makes_room(void **state)
{
    CLEANUP(mac_cache_cleanup) struct mac_cache *c = mac_cache_new(2, SECONDS);
    struct buf a[3];
    struct cmp_mac_key *keys[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        keys[i] = new_key(&a[i]);
    }
    mac_cache_put(c, ONE, keys[0], NOW);
    mac_cache_put(c, ONE, keys[1], NOW + 1);
    mac_cache_put(c, ONE, keys[0], NOW + 2); /* the same again: kept longer */
    mac_cache_put(c, ONE, keys[2], NOW + 3);
    assert_true(is_there(c, ONE, &a[0], NOW));
    assert_false(is_there(c, ONE, &a[1], NOW));
    assert_true(is_there(c, ONE, &a[2], NOW));
    assert_int_equal(mac_cache_sweep(c, NOW), 2);
    for (int i = 0; i < 3; i++) {
        cmp_mac_key_free(keys[i]);
        buf_free(&a[i]);
    }
}

/* The first of them, the last, and one in between, each in its turn the one that ends first. */
static void
whichever_ends_first_makes_room(void **state)
{
    struct buf a[4];
    struct cmp_mac_key *keys[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        keys[i] = new_key(&a[i]);
    }
    for (int first = 0; first < 3; first++) {
        CLEANUP(mac_cache_cleanup) struct mac_cache *c = mac_cache_new(3, SECONDS);

        for (int i = 0; i < 3; i++) {
            mac_cache_put(c, ONE, keys[i], i == first ? NOW : NOW + 10 - i);
        }
        mac_cache_put(c, ONE, keys[3], NOW + 20);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(is_there(c, ONE, &a[i], NOW), i != first);
        }
        mac_cache_drop(c, TWO, buf_span(&a[3])); /* nobody's: nothing happens */
        assert_true(is_there(c, ONE, &a[3], NOW));
    }
    for (int i = 0; i < 4; i++) {
        cmp_mac_key_free(keys[i]);
        buf_free(&a[i]);
    }
}

/* A place that has become free is used before anybody gives way. */
static void
a_free_place_is_used_first(void **state)
{
    CLEANUP(mac_cache_cleanup) struct mac_cache *c = mac_cache_new(2, SECONDS);
    struct buf a[3];
    struct cmp_mac_key *keys[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        keys[i] = new_key(&a[i]);
    }
    mac_cache_put(c, ONE, keys[0], NOW);
    mac_cache_put(c, ONE, keys[1], NOW + 1);
    assert_false(is_there(c, ONE, &a[1], NOW + SECONDS + 2)); /* it has ended, and goes */
    mac_cache_put(c, ONE, keys[2], NOW + 2);
    assert_true(is_there(c, ONE, &a[0], NOW));
    assert_true(is_there(c, ONE, &a[2], NOW));
    assert_int_equal(mac_cache_sweep(c, NOW), 2);
    for (int i = 0; i < 3; i++) {
        cmp_mac_key_free(keys[i]);
        buf_free(&a[i]);
    }
}

static int
setup(void **state)
{
    struct err e;

    (void)state;
    return ossl_init(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_by_registration_and_parameters),
        cmocka_unit_test(a_key_that_is_held_outlives_the_cache),
        cmocka_unit_test(entries_end_with_time_transaction_and_registration),
        cmocka_unit_test(the_entry_that_ends_first_makes_room),
        cmocka_unit_test(whichever_ends_first_makes_room),
        cmocka_unit_test(a_free_place_is_used_first),
    };

    int failed = cmocka_run_group_tests(tests, setup, NULL);

    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return failed;
}
