/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/rsa_flaw.h"

#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { OCTETS_MAX = 2048 };

struct number {
    uint8_t octets[OCTETS_MAX];
    size_t n;
};

static struct span
span_of_number(const struct number *x)
{
    return span_of(x->octets, x->n);
}

static struct number
number_of(const BIGNUM *bn)
{
    struct number out = {.n = (size_t)BN_num_bytes(bn)};

    assert_true(out.n <= sizeof(out.octets));
    BN_bn2bin(bn, out.octets);
    return out;
}

static struct number
parameter_of(EVP_PKEY *key, const char *name)
{
    CLEANUP(bn_cleanup) BIGNUM *bn = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &bn), 1);
    return number_of(bn);
}

/* Neither found when `quick` is RSA_FLAW_NONE and so on. */
static void
expect(const char *what, struct span modulus, struct span exponent, enum rsa_flaw quick,
       enum rsa_flaw deep)
{
    enum rsa_flaw found = RSA_FLAW_SIZE;
    struct err e = {0};
    int result = rsa_flaw_quick(modulus, exponent, &found, &e);

    if (found != quick || (result == 0) != (quick == RSA_FLAW_NONE) ||
        (result != 0 && e.code != ERR_INPUT)) {
        fail_msg("%s: quick: %d, %s", what, (int)found, e.text);
    }
    e = (struct err){0};
    found = RSA_FLAW_SIZE;
    result = rsa_flaw_deep(modulus, exponent, &found, &e);
    if (found != deep || (result == 0) != (deep == RSA_FLAW_NONE) ||
        (result != 0 && e.code != ERR_INPUT)) {
        fail_msg("%s: deep: %d, %s", what, (int)found, e.text);
    }
}

static void
each_flaw_is_found_and_no_other(void **state)
{
    static const struct {
        const char *name;
        enum rsa_flaw quick;
        enum rsa_flaw deep;
    } rows[] = {
        {"sound", RSA_FLAW_NONE, RSA_FLAW_NONE},
        {"exponent-3", RSA_FLAW_EXPONENT, RSA_FLAW_EXPONENT},
        {"small-factor", RSA_FLAW_SMALL_FACTOR, RSA_FLAW_SMALL_FACTOR},
        {"roca", RSA_FLAW_ROCA, RSA_FLAW_ROCA},
        {"close-primes", RSA_FLAW_NONE, RSA_FLAW_CLOSE_PRIMES},
        {"prime", RSA_FLAW_NONE, RSA_FLAW_PRIME},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_weak_key(rows[i].name);
        const struct number n = parameter_of(key, "n");
        const struct number x = parameter_of(key, "e");

        expect(rows[i].name, span_of_number(&n), span_of_number(&x), rows[i].quick, rows[i].deep);
    }
}

static void
exponents_are_odd_and_from_65537_to_2_to_the_64(void **state)
{
    const struct {
        struct span exponent;
        enum rsa_flaw flaw;
    } rows[] = {
        {SPAN_LITERAL("\x01"), RSA_FLAW_EXPONENT},
        {SPAN_LITERAL("\x11"), RSA_FLAW_EXPONENT},
        {SPAN_LITERAL("\xff\xff"), RSA_FLAW_EXPONENT},
        {SPAN_LITERAL("\x01\x00\x00"), RSA_FLAW_EXPONENT},
        {SPAN_LITERAL("\x01\x00\x01"), RSA_FLAW_NONE},
        {SPAN_LITERAL("\x01\x00\x02"), RSA_FLAW_EXPONENT},
        {SPAN_LITERAL("\x01\x00\x00\x00\x0f"), RSA_FLAW_NONE},
        {SPAN_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff"), RSA_FLAW_NONE},
        {SPAN_LITERAL("\x01\x00\x00\x00\x00\x00\x00\x00\x01"), RSA_FLAW_EXPONENT},
    };
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_weak_key("sound");
    const struct number n = parameter_of(key, "n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect("exponent", span_of_number(&n), rows[i].exponent, rows[i].flaw, rows[i].flaw);
    }
}

static void
sizes_outside_the_limits_are_refused(void **state)
{
    static const struct {
        int bits;
        enum rsa_flaw flaw;
    } rows[] = {{2047, RSA_FLAW_SIZE}, {8193, RSA_FLAW_SIZE}, {16384, RSA_FLAW_SIZE}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(bn_cleanup) BIGNUM *bn = BN_new();
        struct number n;

        assert_int_equal(BN_rand(bn, rows[i].bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
        n = number_of(bn);
        expect("size", span_of_number(&n), SPAN_LITERAL("\x01\x00\x01"), rows[i].flaw,
               rows[i].flaw);
    }
}

static void
powers_of_a_prime_are_found(void **state)
{
    static const struct {
        int bits;
        int power;
        enum rsa_flaw deep;
    } rows[] = {
        {1024, 2, RSA_FLAW_CLOSE_PRIMES}, {688, 3, RSA_FLAW_PRIME}, {416, 5, RSA_FLAW_PRIME}};
    BN_CTX *ctx = BN_CTX_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(bn_cleanup) BIGNUM *p = BN_new();
        CLEANUP(bn_cleanup) BIGNUM *power = BN_new();
        struct number n;

        assert_int_equal(BN_generate_prime_ex(p, rows[i].bits, 0, NULL, NULL, NULL), 1);
        assert_non_null(BN_copy(power, p));
        for (int k = 1; k < rows[i].power; k++) {
            assert_int_equal(BN_mul(power, power, p, ctx), 1);
        }
        n = number_of(power);
        expect("power", span_of_number(&n), SPAN_LITERAL("\x01\x00\x01"), RSA_FLAW_NONE,
               rows[i].deep);
    }
    BN_CTX_free(ctx);
}

/* Fermat's method finds (s - d)(s + d) in the round (d^2 / 2 sqrt n), about: d of bits/4 + 4 is
 * within a hundred rounds, a much larger one is not. */
static void
a_hundred_rounds_are_what_close_means(void **state)
{
    static const struct {
        int distance_bits;
        enum rsa_flaw deep;
    } rows[] = {
        {20, RSA_FLAW_CLOSE_PRIMES},
        {512, RSA_FLAW_CLOSE_PRIMES},
        {516, RSA_FLAW_CLOSE_PRIMES},
        {530, RSA_FLAW_NONE},
    };
    BN_CTX *ctx = BN_CTX_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(bn_cleanup) BIGNUM *p = BN_new();
        CLEANUP(bn_cleanup) BIGNUM *q = BN_new();
        struct number n;

        assert_int_equal(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL), 1);
        assert_int_equal(BN_lshift(q, BN_value_one(), rows[i].distance_bits), 1);
        assert_int_equal(BN_sub(q, p, q), 1);
        while (BN_check_prime(q, ctx, NULL) != 1) {
            assert_int_equal(BN_sub_word(q, 2), 1);
        }
        assert_int_equal(BN_mul(q, q, p, ctx), 1);
        n = number_of(q);
        expect("distance", span_of_number(&n), SPAN_LITERAL("\x01\x00\x01"), RSA_FLAW_NONE,
               rows[i].deep);
    }
    BN_CTX_free(ctx);
}

static void
sound_keys_of_other_generators_pass(void **state)
{
    static const char *const kinds[] = {"RSA-2048", "RSA-3072"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key(kinds[i]);
        const struct number n = parameter_of(key, "n");
        const struct number x = parameter_of(key, "e");

        expect(kinds[i], span_of_number(&n), span_of_number(&x), RSA_FLAW_NONE, RSA_FLAW_NONE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flaw_is_found_and_no_other),
        cmocka_unit_test(exponents_are_odd_and_from_65537_to_2_to_the_64),
        cmocka_unit_test(sizes_outside_the_limits_are_refused),
        cmocka_unit_test(powers_of_a_prime_are_found),
        cmocka_unit_test(a_hundred_rounds_are_what_close_means),
        cmocka_unit_test(sound_keys_of_other_generators_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
