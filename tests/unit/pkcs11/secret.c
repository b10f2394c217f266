/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/secret.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/pkcs11/hsm.h"

#define TEXT SPAN_LITERAL("one text")

static struct hsm world;

static int
setup(void **state)
{
    (void)state;
    hsm_open(&world);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hsm_close(&world);
    return 0;
}

static void
it_gives_the_same_after_the_token_was_opened_again(void **state)
{
    CLEANUP(buf_free) struct buf first = BUF_SECRET(64);
    CLEANUP(buf_free) struct buf again = BUF_SECRET(64);
    CLEANUP(buf_free) struct buf other = BUF_SECRET(64);
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};
    struct secret *secret;

    (void)state;
    assert_ok(secret_generate(world.session, "seal", id, &e), &e);
    secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
    assert_non_null(secret);
    assert_ok(secret_mac(secret, TEXT, &first, &e), &e);
    assert_ok(secret_mac(secret, SPAN_LITERAL("another text"), &other, &e), &e);
    secret_free(secret);
    hsm_again(&world);
    secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
    assert_non_null(secret);
    assert_ok(secret_mac(secret, TEXT, &again, &e), &e);
    secret_free(secret);
    assert_int_equal(first.n, SECRET_MAC_SIZE);
    assert_true(span_equal(buf_span(&first), buf_span(&again)));
    assert_false(span_equal(buf_span(&first), buf_span(&other)));
}

static int
count_probe(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    (void)e;
    print_message("%s: %s\n", probe, ckr);
    assert_true(refused);
    (*(int *)context)++;
    return 0;
}

static int
count_attribute(void *context, const char *half, const char *attribute, const char *value,
                struct err *e)
{
    (void)e;
    assert_string_equal(half, "secret");
    assert_int_equal(strncmp(attribute, "CKA_", 4), 0);
    assert_true(strlen(value) > 0);
    (*(int *)context)++;
    return 0;
}

static void
it_never_leaves_the_token(void **state)
{
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};
    struct secret *secret;
    int probes = 0;
    int attributes = 0;

    (void)state;
    assert_ok(secret_generate(world.session, "seal", id, &e), &e);
    secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
    assert_non_null(secret);
    assert_ok(secret_probe(secret, count_probe, &probes, &e), &e);
    assert_int_equal(probes, 4);
    assert_ok(secret_read_back(secret, count_attribute, &attributes, &e), &e);
    assert_int_equal(attributes, 24);
    secret_free(secret);
}

/* A secret key with these attributes changed, made past secret_generate(). */
static void
make_other(const uint8_t id[KEY_ID_SIZE], CK_BBOOL extractable, CK_BBOOL derive)
{
    CK_MECHANISM mechanism = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG n = 32;
    uint8_t copy[KEY_ID_SIZE];
    CK_ATTRIBUTE template[] = {
        {CKA_TOKEN, &yes, sizeof(yes)},        {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_SENSITIVE, &yes, sizeof(yes)},    {CKA_SIGN, &yes, sizeof(yes)},
        {CKA_VALUE_LEN, &n, sizeof(n)},        {CKA_EXTRACTABLE, &extractable, sizeof(extractable)},
        {CKA_DERIVE, &derive, sizeof(derive)}, {CKA_ID, copy, sizeof(copy)}};
    CK_OBJECT_HANDLE object;

    memcpy(copy, id, sizeof(copy));
    assert_int_equal(module_functions(world.module)
                         ->C_GenerateKey(session_handle(world.session), &mechanism, template,
                                         ARRAY_LEN(template), &object),
                     CKR_OK);
}

static void
one_that_departs_from_the_policy_is_refused(void **state)
{
    uint8_t extractable[KEY_ID_SIZE] = {1};
    uint8_t plain[KEY_ID_SIZE] = {2};
    uint8_t twice[KEY_ID_SIZE] = {3};
    uint8_t nobody[KEY_ID_SIZE] = {4};
    struct err e = {0};

    (void)state;
    make_other(extractable, CK_TRUE, CK_FALSE);
    make_other(plain, CK_FALSE, CK_FALSE);
    make_other(twice, CK_FALSE, CK_FALSE);
    make_other(twice, CK_FALSE, CK_FALSE);
    assert_null(secret_find(world.session, span_of(extractable, KEY_ID_SIZE), &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_non_null(strstr(e.text, "CKA_EXTRACTABLE"));
    assert_null(secret_find(world.session, span_of(plain, KEY_ID_SIZE), &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_null(secret_find(world.session, span_of(twice, KEY_ID_SIZE), &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_null(secret_find(world.session, span_of(nobody, KEY_ID_SIZE), &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_null(secret_find(world.session, span_of(nobody, 3), &e));
    assert_int_equal(e.code, ERR_INPUT);
}

/* What is asked of a token, written down a second time. */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
} ATTRIBUTES[] = {
    {CKA_CLASS, "CKA_CLASS"},
    {CKA_KEY_TYPE, "CKA_KEY_TYPE"},
    {CKA_VALUE_LEN, "CKA_VALUE_LEN"},
    {CKA_TOKEN, "CKA_TOKEN"},
    {CKA_PRIVATE, "CKA_PRIVATE"},
    {CKA_SENSITIVE, "CKA_SENSITIVE"},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE"},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE"},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE"},
    {CKA_LOCAL, "CKA_LOCAL"},
    {CKA_KEY_GEN_MECHANISM, "CKA_KEY_GEN_MECHANISM"},
    {CKA_MODIFIABLE, "CKA_MODIFIABLE"},
    {CKA_COPYABLE, "CKA_COPYABLE"},
    {CKA_DESTROYABLE, "CKA_DESTROYABLE"},
    {CKA_SIGN, "CKA_SIGN"},
    {CKA_VERIFY, "CKA_VERIFY"},
    {CKA_ENCRYPT, "CKA_ENCRYPT"},
    {CKA_DECRYPT, "CKA_DECRYPT"},
    {CKA_WRAP, "CKA_WRAP"},
    {CKA_UNWRAP, "CKA_UNWRAP"},
    {CKA_DERIVE, "CKA_DERIVE"},
    {CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED"},
    {CKA_ALLOWED_MECHANISMS, "CKA_ALLOWED_MECHANISMS"},
    {CKA_ID, "CKA_ID"},
};

static void
fault(const char *text)
{
    assert_int_equal(text == NULL ? unsetenv("FAULTP11") : setenv("FAULTP11", text, 1), 0);
}

static void
each_attribute_that_is_missing_or_different_is_named(void **state)
{
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};
    CLEANUP(secret_cleanup) struct secret *secret = NULL;

    (void)state;
    assert_ok(secret_generate(world.session, "seal", id, &e), &e);
    secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
    assert_non_null(secret);
    for (size_t i = 0; i < ARRAY_LEN(ATTRIBUTES) * 2; i++) {
        const char *kind = i % 2 == 0 ? "wrong" : "gone";
        CLEANUP(mem_cleanup)
        char *text = mem_printf("%s:%lx:%lx", kind, CKO_SECRET_KEY, ATTRIBUTES[i / 2].type);
        CLEANUP(mem_cleanup)
        char *named = mem_printf(i % 2 == 0 ? "the secret key has %s '" : "no readable %s",
                                 ATTRIBUTES[i / 2].name);

        fault(text);
        if (secret_read_back(secret, NULL, NULL, &e) == 0 || e.code != ERR_TOKEN ||
            strstr(e.text, named) == NULL) {
            fail_msg("%s: %s", text, e.text);
        }
        assert_null(secret_find(world.session, span_of(id, sizeof(id)), &e));
        assert_non_null(strstr(e.text, "policies ra-seal-v1 and ca-seal-v1, token 't'"));
    }
    fault("wrong:4:103"); /* CKA_SENSITIVE: also of one that was just made */
    assert_err(secret_generate(world.session, "seal", id, &e), ERR_TOKEN, &e);
}

static void
label_and_identifier_have_their_limits(void **state)
{
    static const struct {
        size_t n;
        bool good;
    } labels[] = {{0, false}, {1, true}, {KEY_LABEL_MAX, true}, {KEY_LABEL_MAX + 1, false}};
    uint8_t id[KEY_ID_SIZE + 1];
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        char label[KEY_LABEL_MAX + 2] = "";

        memset(label, 'x', labels[i].n);
        if (labels[i].good) {
            assert_ok(secret_generate(world.session, label, id, &e), &e);
        } else {
            assert_err(secret_generate(world.session, label, id, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "must have 1 to 64 octets"));
        }
    }
    for (size_t n = KEY_ID_SIZE - 1; n <= KEY_ID_SIZE + 1; n++) {
        struct secret *secret = secret_find(world.session, span_of(id, n), &e);

        assert_true((secret != NULL) == (n == KEY_ID_SIZE));
        if (secret == NULL) {
            assert_int_equal(e.code, ERR_INPUT);
            assert_non_null(strstr(e.text, "octets, 16 are needed"));
        }
        secret_free(secret);
    }
}

static void
a_mac_is_32_octets_or_nothing(void **state)
{
    static const struct {
        const char *fault;
        const char *reason;
    } rows[] = {
        {"sign-fails", "C_Sign: CKR_DEVICE_ERROR"},
        {"fails:C_SignInit", "C_SignInit: CKR_DEVICE_ERROR"},
        {"short-sign", "C_Sign: an HMAC of 31 octets"},
    };
    CLEANUP(buf_free) struct buf mac = BUF_SECRET(SECRET_MAC_SIZE);
    CLEANUP(buf_free) struct buf again = BUF_SECRET(SECRET_MAC_SIZE);
    CLEANUP(buf_free) struct buf small = BUF_SECRET(SECRET_MAC_SIZE - 1);
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};
    CLEANUP(secret_cleanup) struct secret *secret = NULL;

    (void)state;
    assert_ok(secret_generate(world.session, "seal", id, &e), &e);
    secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
    assert_non_null(secret);
    assert_err(secret_mac(secret, TEXT, &small, &e), ERR_INPUT, &e);
    assert_ok(secret_mac(secret, TEXT, &mac, &e), &e); /* nothing was left begun */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fault(rows[i].fault);
        assert_ok(buf_set(&again, SPAN_LITERAL("what was there"), &e), &e);
        assert_err(secret_mac(secret, TEXT, &again, &e), ERR_TOKEN, &e);
        if (strstr(e.text, rows[i].reason) == NULL || again.n != 0) {
            fail_msg("row '%s': %s", rows[i].fault, e.text);
        }
        fault(NULL);
        /* A token that failed in C_Sign has still begun. */
        hsm_again(&world);
        secret_free(TAKE(secret));
        secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
        assert_non_null(secret);
    }
    assert_ok(secret_mac(secret, TEXT, &again, &e), &e);
    assert_true(span_equal(buf_span(&mac), buf_span(&again)));
}

struct seen {
    const char *allowed;
    int n;
};

static int
see_allowed(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    struct seen *seen = context;

    (void)e;
    if (!refused) {
        assert_string_equal(ckr, "CKR_OK");
        assert_null(seen->allowed);
        seen->allowed = probe;
    }
    seen->n++;
    return 0;
}

static int
stop(void *context, const char *probe, const char *ckr, bool refused, struct err *e)
{
    (void)probe;
    (void)ckr;
    (void)refused;
    return --*(int *)context == 0 ? err_set(e, ERR_IO, "stop") : 0;
}

static void
a_probe_that_is_allowed_is_told(void **state)
{
    static const struct {
        const char *fault;
        const char *probe;
    } rows[] = {
        {"allows:C_GetAttributeValue:11", "read CKA_VALUE"},
        {"allows:C_SetAttributeValue:162", "set CKA_EXTRACTABLE TRUE"},
        {"allows:C_SetAttributeValue:103", "set CKA_SENSITIVE FALSE"},
        {"allows:C_SetAttributeValue:10c", "set CKA_DERIVE TRUE"},
    };
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};
    CLEANUP(secret_cleanup) struct secret *secret = NULL;

    (void)state;
    assert_ok(secret_generate(world.session, "seal", id, &e), &e);
    secret = secret_find(world.session, span_of(id, sizeof(id)), &e);
    assert_non_null(secret);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *told = mem_printf("token 't' allowed: %s", rows[i].probe);
        struct seen seen = {NULL, 0};

        fault(rows[i].fault);
        assert_err(secret_probe(secret, see_allowed, &seen, &e), ERR_TOKEN, &e);
        assert_string_equal(e.text, told);
        assert_string_equal(seen.allowed, rows[i].probe);
        assert_int_equal(seen.n, ARRAY_LEN(rows));
    }
    fault("allows:C_SetAttributeValue:103 allows:C_SetAttributeValue:10c");
    for (int n = 1; n <= (int)ARRAY_LEN(rows); n++) {
        int left = n;

        assert_err(secret_probe(secret, stop, &left, &e), ERR_IO, &e);
        assert_int_equal(left, 0);
    }
}

static void
a_token_that_fails_is_told(void **state)
{
    static const char *const functions[] = {"C_FindObjectsInit", "C_FindObjects", "C_GenerateKey"};
    uint8_t id[KEY_ID_SIZE];
    struct err e = {0};

    (void)state;
    assert_ok(secret_generate(world.session, "seal", id, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        CLEANUP(mem_cleanup) char *text = mem_printf("fails:%s", functions[i]);
        CLEANUP(mem_cleanup) char *told = mem_printf("%s: CKR_DEVICE_ERROR", functions[i]);

        fault(text);
        if (i < 2) {
            assert_null(secret_find(world.session, span_of(id, sizeof(id)), &e));
        } else {
            assert_int_equal(secret_generate(world.session, "seal", id, &e), -1);
        }
        assert_int_equal(e.code, ERR_TOKEN);
        assert_int_equal(strncmp(e.text, told, strlen(told)), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_gives_the_same_after_the_token_was_opened_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_never_leaves_the_token, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_departs_from_the_policy_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_attribute_that_is_missing_or_different_is_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(label_and_identifier_have_their_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mac_is_32_octets_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_probe_that_is_allowed_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_that_fails_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
