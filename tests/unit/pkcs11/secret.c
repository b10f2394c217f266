/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/secret.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/key.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define SO_PIN SPAN_LITERAL("so-pin-0123456789")
#define USER_PIN SPAN_LITERAL("user-pin-0123456789")
#define TEXT SPAN_LITERAL("one text")

static struct {
    char *dir;
    char serial[TOKEN_SERIAL_SIZE];
    struct module *module;
    struct session *session;
} world;

static void
log_in(void)
{
    struct err e = {0};

    world.module = module_open(SOFTHSM_MODULE, NULL, &e);
    assert_non_null(world.module);
    world.session = session_open(world.module, "t", world.serial, SESSION_READ_WRITE, &e);
    assert_non_null(world.session);
    assert_ok(session_login(world.session, USER_PIN, &e), &e);
}

static int
setup(void **state)
{
    struct err e = {0};
    struct token t;

    (void)state;
    world.dir = tmpdir_new();
    softhsm_use(world.dir);
    world.module = module_open(SOFTHSM_MODULE, NULL, &e);
    assert_non_null(world.module);
    assert_ok(module_init_token(world.module, "t", SO_PIN, USER_PIN, &t, &e), &e);
    memcpy(world.serial, t.serial, sizeof(world.serial));
    module_close(world.module);
    log_in();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    session_close(world.session);
    module_close(world.module);
    tmpdir_remove(world.dir);
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
    session_close(world.session);
    module_close(world.module);
    log_in();
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_gives_the_same_after_the_token_was_opened_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_never_leaves_the_token, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_departs_from_the_policy_is_refused, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
