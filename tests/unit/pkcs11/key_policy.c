/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of attributes that a signing key must have, written down a second time and compared row
 * by row: with the template, with what a real token has, and with a token that lies about one row.
 */
#include "tests/support/test.h"

#include "pkcs11/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/hsm.h"

enum when { TEMPLATE, READ }; /* asked for and read back; only read back */

struct row {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    const char *private; /* value as the transcript has it; NULL: no row of this half */
    const char *public;
    enum when when;
};

/* "*" is told by the policy or the algorithm, see value_of(). */
static const struct row ROWS[] = {
    {CKA_CLASS, "CKA_CLASS", "0300000000000000", "0200000000000000", TEMPLATE},
    {CKA_KEY_TYPE, "CKA_KEY_TYPE", "*", "*", TEMPLATE},
    {CKA_TOKEN, "CKA_TOKEN", "TRUE", "TRUE", TEMPLATE},
    {CKA_PRIVATE, "CKA_PRIVATE", "TRUE", "FALSE", TEMPLATE},
    {CKA_SENSITIVE, "CKA_SENSITIVE", "TRUE", NULL, TEMPLATE},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", "FALSE", NULL, TEMPLATE},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", "TRUE", NULL, READ},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", "TRUE", NULL, READ},
    {CKA_LOCAL, "CKA_LOCAL", "TRUE", "TRUE", READ},
    {CKA_KEY_GEN_MECHANISM, "CKA_KEY_GEN_MECHANISM", "*", "*", READ},
    {CKA_MODIFIABLE, "CKA_MODIFIABLE", "FALSE", "FALSE", TEMPLATE},
    {CKA_COPYABLE, "CKA_COPYABLE", "FALSE", "FALSE", TEMPLATE},
    {CKA_DESTROYABLE, "CKA_DESTROYABLE", "TRUE", "TRUE", TEMPLATE},
    {CKA_SIGN, "CKA_SIGN", "TRUE", NULL, TEMPLATE},
    {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", "FALSE", NULL, TEMPLATE},
    {CKA_DECRYPT, "CKA_DECRYPT", "FALSE", NULL, TEMPLATE},
    {CKA_UNWRAP, "CKA_UNWRAP", "FALSE", NULL, TEMPLATE},
    {CKA_DERIVE, "CKA_DERIVE", "FALSE", "FALSE", TEMPLATE},
    {CKA_VERIFY, "CKA_VERIFY", NULL, "TRUE", TEMPLATE},
    {CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER", NULL, "FALSE", TEMPLATE},
    {CKA_ENCRYPT, "CKA_ENCRYPT", NULL, "FALSE", TEMPLATE},
    {CKA_WRAP, "CKA_WRAP", NULL, "FALSE", TEMPLATE},
    {CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED", "TRUE", NULL, TEMPLATE},
    {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE", "*", NULL, TEMPLATE},
    {CKA_ALLOWED_MECHANISMS, "CKA_ALLOWED_MECHANISMS", "*", NULL, TEMPLATE},
    {CKA_TRUSTED, "CKA_TRUSTED", NULL, "FALSE", READ},
    {CKA_ID, "CKA_ID", "*", "*", READ},
    {CKA_EC_PARAMS, "CKA_EC_PARAMS", NULL, "*", TEMPLATE},
    {CKA_MODULUS_BITS, "CKA_MODULUS_BITS", NULL, "*", TEMPLATE},
    {CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", NULL, "*", TEMPLATE},
};

static struct {
    struct hsm hsm;
    uint8_t id[KEY_ID_SIZE];
    struct buf spki;
} world;

static int
setup(void **state)
{

    (void)state;
    hsm_open(&world.hsm);
    world.spki = BUF_INIT(SPKI_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    buf_free(&world.spki);
    hsm_close(&world.hsm);
    return 0;
}

static bool
applies(const struct row *row, enum key_algorithm algorithm, enum key_half half)
{
    bool rsa = algorithm == KEY_RSA3072;

    if (row->type == CKA_EC_PARAMS && rsa) {
        return false;
    }
    if ((row->type == CKA_MODULUS_BITS || row->type == CKA_PUBLIC_EXPONENT) && !rsa) {
        return false;
    }
    return (half == KEY_PRIVATE ? row->private : row->public) != NULL;
}

static const char *
value_of(const struct row *row, enum key_half half, bool root, enum key_algorithm algorithm)
{
    const char *value = half == KEY_PRIVATE ? row->private : row->public;
    bool rsa = algorithm == KEY_RSA3072;
    static char id[2 * KEY_ID_SIZE + 1];

    if (strcmp(value, "*") != 0) {
        return value;
    }
    switch (row->type) {
    case CKA_KEY_TYPE: /* CKK_RSA, CKK_EC */
        return rsa ? "0000000000000000" : "0300000000000000";
    case CKA_KEY_GEN_MECHANISM: /* CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN */
        return rsa ? "0000000000000000" : "4010000000000000";
    case CKA_ALLOWED_MECHANISMS: /* exactly CKM_RSA_PKCS, CKM_ECDSA */
        return rsa ? "0100000000000000" : "4110000000000000";
    case CKA_ALWAYS_AUTHENTICATE:
        return root ? "TRUE" : "FALSE";
    case CKA_EC_PARAMS: /* secp256r1, secp384r1 */
        return algorithm == KEY_P256 ? "06082a8648ce3d030107" : "06052b81040022";
    case CKA_MODULUS_BITS:
        return "000c000000000000";
    case CKA_PUBLIC_EXPONENT:
        return "010001";
    case CKA_ID:
        hex_format(span_of(world.id, sizeof(world.id)), id);
        return id;
    default:
        fail_msg("%s has no value", row->name);
        return "";
    }
}

struct seen {
    bool row[2][ARRAY_LEN(ROWS)];
    bool root;
    enum key_algorithm algorithm;
};

static int
on_attribute(void *context, const char *half_name, const char *attribute, const char *value,
             struct err *e)
{
    struct seen *seen = context;
    enum key_half half = strcmp(half_name, "private") == 0 ? KEY_PRIVATE : KEY_PUBLIC;

    (void)e;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (strcmp(ROWS[i].name, attribute) == 0 && applies(&ROWS[i], seen->algorithm, half)) {
            assert_string_equal(value, value_of(&ROWS[i], half, seen->root, seen->algorithm));
            assert_false(seen->row[half][i]);
            seen->row[half][i] = true;
            return 0;
        }
    }
    fail_msg("%s %s is not in the table", half_name, attribute);
    return -1;
}

static struct key *
make(const char *policy_name, enum key_algorithm algorithm)
{
    struct err e = {0};
    const struct key_policy *policy = key_policy_find(policy_name, &e);
    struct key *key;

    assert_non_null(policy);
    assert_ok(key_generate(world.hsm.session, policy, algorithm, "x", world.id, &world.spki, &e),
              &e);
    key = key_find(world.hsm.session, policy, span_of(world.id, sizeof(world.id)),
                   buf_span(&world.spki), &e);
    if (key == NULL) {
        fail_msg("%s", e.text);
    }
    return key;
}

static void
a_real_token_gives_every_row_for_every_policy_and_algorithm(void **state)
{
    static const char *const policies[] = {"root-signing-v1", "issuing-signing-v1",
                                           "log-signing-v1", "ra-signing-v1"};
    static const enum key_algorithm algorithms[] = {KEY_P256, KEY_P384, KEY_RSA3072};

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(policies) * ARRAY_LEN(algorithms); n++) {
        const char *policy = policies[n / ARRAY_LEN(algorithms)];
        struct seen seen = {.root = n < ARRAY_LEN(algorithms),
                            .algorithm = algorithms[n % ARRAY_LEN(algorithms)]};
        CLEANUP(key_cleanup) struct key *key = make(policy, seen.algorithm);
        struct err e = {0};

        assert_ok(key_read_back(key, on_attribute, &seen, &e), &e);
        for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
            assert_int_equal(seen.row[KEY_PRIVATE][i],
                             applies(&ROWS[i], seen.algorithm, KEY_PRIVATE));
            assert_int_equal(seen.row[KEY_PUBLIC][i],
                             applies(&ROWS[i], seen.algorithm, KEY_PUBLIC));
        }
    }
}

static void
expect_template(enum key_algorithm algorithm, enum key_half half)
{
    struct err e = {0};
    CK_ATTRIBUTE template[KEY_TEMPLATE_MAX];
    size_t n =
        key_policy_template(key_policy_find("root-signing-v1", &e), algorithm, half, template);
    size_t wanted = 0;

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        size_t times = 0;

        for (size_t k = 0; k < n; k++) {
            times += template[k].type == ROWS[i].type ? 1 : 0;
        }
        assert_int_equal(times,
                         ROWS[i].when == TEMPLATE && applies(&ROWS[i], algorithm, half) ? 1 : 0);
        wanted += times;
    }
    assert_int_equal(n, wanted); /* and nothing else: no dates, no subject */
}

static void
the_template_has_every_row_that_can_be_asked_for_and_no_other(void **state)
{
    (void)state;
    expect_template(KEY_P256, KEY_PRIVATE);
    expect_template(KEY_P256, KEY_PUBLIC);
    expect_template(KEY_RSA3072, KEY_PRIVATE);
    expect_template(KEY_RSA3072, KEY_PUBLIC);
}

static void
lie(struct key *key, const char *fault, const struct row *row, enum key_half half)
{
    struct err e = {0};
    char text[64];
    const char *half_name = half == KEY_PRIVATE ? "private" : "public";

    (void)snprintf(text, sizeof(text), "%s:%x:%lx", fault, half == KEY_PRIVATE ? 3 : 2, row->type);
    assert_int_equal(setenv("FAULTP11", text, 1), 0);
    if (key_read_back(key, NULL, NULL, &e) == 0) {
        fail_msg("%s %s %s was not noticed", half_name, row->name, fault);
    }
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_int_equal(e.code, ERR_TOKEN);
    if (strstr(e.text, row->name) == NULL || strstr(e.text, half_name) == NULL ||
        strstr(e.text, "token 't'") == NULL) {
        fail_msg("%s %s: %s", half_name, row->name, e.text);
    }
}

static void
each_row_that_is_missing_or_different_is_named(void **state)
{
    static const enum key_algorithm algorithms[] = {KEY_P256, KEY_RSA3072};

    (void)state;
    for (size_t a = 0; a < ARRAY_LEN(algorithms); a++) {
        CLEANUP(key_cleanup) struct key *key = make("issuing-signing-v1", algorithms[a]);

        for (size_t i = 0; i < 2 * ARRAY_LEN(ROWS); i++) {
            enum key_half half = i < ARRAY_LEN(ROWS) ? KEY_PRIVATE : KEY_PUBLIC;
            const struct row *row = &ROWS[i % ARRAY_LEN(ROWS)];

            if (applies(row, algorithms[a], half)) {
                lie(key, "wrong", row, half);
                lie(key, "gone", row, half);
            }
        }
    }
}

static void
a_label_that_the_token_changed_is_noticed(void **state)
{
    struct err e = {0};
    const struct key_policy *policy = key_policy_find("log-signing-v1", &e);

    (void)state;
    assert_int_equal(setenv("FAULTP11", "wrong:2:3", 1), 0);
    assert_err(key_generate(world.hsm.session, policy, KEY_P256, "x", world.id, &world.spki, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "public key has another CKA_LABEL"));
    assert_int_equal(setenv("FAULTP11", "gone:3:3", 1), 0);
    assert_err(key_generate(world.hsm.session, policy, KEY_P256, "x", world.id, &world.spki, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "private key has no readable CKA_LABEL"));
}

static void
an_unknown_policy_is_answered_with_the_names(void **state)
{
    struct err e = {0};

    (void)state;
    assert_null(key_policy_find("root-signing", &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "ra-signing-v1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_real_token_gives_every_row_for_every_policy_and_algorithm),
        TEST(the_template_has_every_row_that_can_be_asked_for_and_no_other),
        TEST(each_row_that_is_missing_or_different_is_named),
        TEST(a_label_that_the_token_changed_is_noticed),
        cmocka_unit_test(an_unknown_policy_is_answered_with_the_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
