/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "pkcs11/session.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/ckr.h"
#include "pkcs11/key.h"
#include "pkcs11/secret.h"
#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/hsm.h"

static struct token
new_token(const char *label)
{
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);

    assert_non_null(m);
    return hsm_token(m, label);
}

static void
return_values_have_names_and_pins_their_own_code(void **state)
{
    struct err e = {0};

    (void)state;
    assert_string_equal(ckr_name(0x30), "CKR_DEVICE_ERROR");
    assert_string_equal(ckr_name(0x1b), "CKR_ACTION_PROHIBITED");
    assert_string_equal(ckr_name(0x12345), "CKR_UNKNOWN");
    assert_int_equal(ckr_err(&e, 0x30, "C_Sign", "/x.so", "root"), -1);
    assert_string_equal(e.text, "C_Sign: CKR_DEVICE_ERROR (0x30) (module /x.so, token root)");
    assert_int_equal(e.code, ERR_TOKEN);
    (void)ckr_err(&e, 0xa0, "C_Login", "/x.so", NULL);
    assert_int_equal(e.code, ERR_PIN);
}

static void
a_module_is_loaded_by_absolute_path_only(void **state)
{
    struct err e = {0};

    (void)state;
    assert_null(module_open("libsofthsm2.so", NULL, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_null(module_open("/nonexistent/x.so", NULL, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_null(module_open("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", NULL, &e));
}

static void
a_module_is_open_once_and_can_be_opened_again(void **state)
{
    struct err e = {0};
    struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct token free = {0};

    (void)state;
    assert_non_null(m);
    assert_ok(module_find_free(m, &free, &e), &e);
    assert_true(free.software);
    assert_null(module_open(SOFTHSM_MODULE, NULL, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    module_close(m);
    m = module_open(SOFTHSM_MODULE, NULL, &e);
    assert_non_null(m);
    module_close(m);
}

static void
the_configuration_file_chooses_the_token_directory(void **state)
{
    struct err e = {0};
    struct token t = new_token("first");
    CLEANUP(tmpdir_cleanup) char *other = tmpdir_new();
    CLEANUP(mem_cleanup) char *first_conf = mem_printf("%s/softhsm2.conf", (char *)*state);
    CLEANUP(mem_cleanup) char *other_conf = mem_printf("%s/softhsm2.conf", other);
    struct module *m;

    softhsm_use(other);
    m = module_open(SOFTHSM_MODULE, other_conf, &e);
    assert_non_null(m);
    assert_err(module_find_token(m, "first", NULL, &t, &e), ERR_NOTFOUND, &e);
    module_close(m);
    m = module_open(SOFTHSM_MODULE, first_conf, &e);
    assert_non_null(m);
    assert_ok(module_find_token(m, "first", NULL, &t, &e), &e);
    module_close(m);
}

static void
a_fresh_token_is_found_by_label_and_serial(void **state)
{
    struct err e = {0};
    struct token made = new_token("issuing-test");
    struct token found;
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);

    (void)state;
    assert_ok(module_find_token(m, "issuing-test", made.serial, &found, &e), &e);
    assert_string_equal(found.serial, made.serial);
    assert_err(module_find_token(m, "issuing-test", "0000", &found, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, made.serial));
    assert_err(module_find_token(m, "issuing", NULL, &found, &e), ERR_NOTFOUND, &e);
    assert_err(module_init_token(m, "issuing-test", SO_PIN, USER_PIN, &found, &e), ERR_CONFLICT,
               &e);
    assert_err(module_init_token(m, "x", SPAN_LITERAL("123"), USER_PIN, &found, &e), ERR_INPUT, &e);
    assert_ok(module_init_token(m, "second", SO_PIN, USER_PIN, &found, &e), &e);
    assert_string_not_equal(found.serial, made.serial);
}

static void
a_session_wants_the_serial_and_the_right_pin(void **state)
{
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;
    struct inventory inventory;
    uint8_t random[16] = {0};

    (void)state;
    assert_null(session_open(m, "issuing-test", "", SESSION_READ_ONLY, &e));
    assert_int_equal(e.code, ERR_INPUT);
    s = session_open(m, "issuing-test", t.serial, SESSION_READ_ONLY, &e);
    assert_non_null(s);
    assert_err(session_login(s, SPAN_LITERAL("wrong-pin"), &e), ERR_PIN, &e);
    assert_non_null(strstr(e.text, "CKR_PIN_INCORRECT"));
    assert_non_null(strstr(e.text, "issuing-test"));
    assert_ok(session_login(s, USER_PIN, &e), &e);
    assert_ok(session_inventory(s, &inventory, &e), &e);
    assert_int_equal(inventory.objects, 0);
    assert_ok(session_random(s, random, sizeof(random), &e), &e);
}

static void
the_inventory_counts_objects_of_every_class(void **state)
{
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, sizeof(yes)}};
    CK_OBJECT_HANDLE object;
    struct inventory inventory;

    (void)state;
    s = session_open(m, "issuing-test", t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    for (int i = 0; i < 70; i++) {
        assert_int_equal(
            module_functions(m)->C_CreateObject(session_handle(s), template, 2, &object), CKR_OK);
    }
    assert_ok(session_inventory(s, &inventory, &e), &e);
    assert_int_equal(inventory.objects, 70);
    assert_int_equal(inventory.data, 70);
    assert_int_equal(inventory.unreadable, 0);
}

static void
login_stops_before_the_final_pin_try(void **state)
{
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup)
    struct module *m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;

    (void)state;
    assert_non_null(m);
    s = session_open(m, "issuing-test", t.serial, SESSION_READ_ONLY, &e);
    assert_non_null(s);
    assert_int_equal(setenv("FAULTP11", "final-try no-login", 1), 0);
    assert_err(session_login(s, USER_PIN, &e), ERR_PIN, &e);
    assert_non_null(strstr(e.text, "one PIN try"));
    assert_err(session_login_context(s, USER_PIN, &e), ERR_PIN, &e);
    assert_int_equal(setenv("FAULTP11", "locked no-login", 1), 0);
    assert_err(session_login(s, USER_PIN, &e), ERR_PIN, &e);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_ok(session_login(s, USER_PIN, &e), &e);
}

static void
each_state_of_the_pin_is_told_apart(void **state)
{
    static const struct {
        const char *fault;
        const char *reason;
    } rows[] = {
        {"locked no-login", "the user PIN is locked; the SO must set a new one"},
        {"final-try no-login", "only one PIN try is left; not tried"},
        {"to-change no-login", "the user PIN must be changed first"},
        {"fails:C_GetTokenInfo no-login", "C_GetTokenInfo: CKR_DEVICE_ERROR"},
    };
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup)
    struct module *m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;

    (void)state;
    assert_non_null(m);
    s = session_open(m, "issuing-test", t.serial, SESSION_READ_ONLY, &e);
    assert_non_null(s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum err_code code = i + 1 == ARRAY_LEN(rows) ? ERR_TOKEN : ERR_PIN;

        assert_int_equal(setenv("FAULTP11", rows[i].fault, 1), 0);
        assert_err(session_login(s, USER_PIN, &e), code, &e);
        assert_non_null(strstr(e.text, rows[i].reason));
        assert_err(session_login_context(s, USER_PIN, &e), code, &e);
        assert_non_null(strstr(e.text, rows[i].reason));
    }
}

static void
a_pin_that_is_too_long_is_not_tried(void **state)
{
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup)
    struct module *m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;
    uint8_t pin[257];

    (void)state;
    memset(pin, '1', sizeof(pin));
    s = session_open(m, "issuing-test", t.serial, SESSION_READ_ONLY, &e);
    assert_non_null(s);
    assert_int_equal(setenv("FAULTP11", "no-login", 1), 0);
    assert_err(session_login(s, span_of(pin, 257), &e), ERR_INPUT, &e);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_err(session_login(s, span_of(pin, 256), &e), ERR_PIN, &e); /* the token's word */
}

static void
a_session_of_a_service_creates_nothing(void **state)
{
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup)
    struct module *m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_TOKEN, &yes, sizeof(yes)}};
    CK_OBJECT_HANDLE object;
    uint8_t random[4];

    (void)state;
    assert_null(session_open(m, "issuing-test", NULL, SESSION_READ_ONLY, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "the serial must be named"));
    assert_null(session_open(m, "issuing", t.serial, SESSION_READ_ONLY, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_int_equal(setenv("FAULTP11", "fails:C_OpenSession", 1), 0);
    assert_null(session_open(m, "issuing-test", t.serial, SESSION_READ_ONLY, &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    for (int mode = SESSION_READ_ONLY; mode <= SESSION_READ_WRITE; mode++) {
        CLEANUP(session_cleanup)
        struct session *s = session_open(m, "issuing-test", t.serial, (enum session_mode)mode, &e);

        assert_non_null(s);
        assert_ok(session_login(s, USER_PIN, &e), &e);
        assert_int_equal(
            module_functions(m)->C_CreateObject(session_handle(s), template, 2, &object),
            mode == SESSION_READ_ONLY ? CKR_SESSION_READ_ONLY : CKR_OK);
        assert_int_equal(setenv("FAULTP11", "no-random fails:C_Logout", 1), 0);
        assert_err(session_random(s, random, sizeof(random), &e), ERR_TOKEN, &e);
        assert_err(session_logout(s, &e), ERR_TOKEN, &e);
        assert_int_equal(unsetenv("FAULTP11"), 0);
        assert_ok(session_logout(s, &e), &e);
        assert_int_equal(strcmp(session_token(s)->label, "issuing-test"), 0);
        assert_ptr_equal(session_module(s), m);
    }
}

static void
the_inventory_tells_kinds_apart(void **state)
{
    struct err e = {0};
    struct token t = new_token("issuing-test");
    CLEANUP(module_cleanup)
    struct module *m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    uint8_t id[KEY_ID_SIZE];
    struct inventory inventory;

    (void)state;
    s = session_open(m, "issuing-test", t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    for (int i = 0; i < 2; i++) {
        assert_ok(key_generate(s, key_policy_find("issuing-signing-v1", &e), KEY_P256, "x", id,
                               &spki, &e),
                  &e);
    }
    for (int i = 0; i < 3; i++) {
        assert_ok(secret_generate(s, "y", id, &e), &e);
    }
    assert_ok(session_inventory(s, &inventory, &e), &e);
    assert_int_equal(inventory.objects, 7);
    assert_int_equal(inventory.private_keys, 2);
    assert_int_equal(inventory.public_keys, 2);
    assert_int_equal(inventory.secret_keys, 3);
    assert_int_equal(inventory.certificates, 0);
    assert_int_equal(inventory.data, 0);
    assert_int_equal(inventory.unreadable, 0);
    assert_int_equal(setenv("FAULTP11", "unreadable", 1), 0);
    assert_ok(session_inventory(s, &inventory, &e), &e);
    assert_int_equal(inventory.objects, 7);
    assert_int_equal(inventory.unreadable, 7);
    assert_int_equal(inventory.private_keys, 0);
    assert_int_equal(setenv("FAULTP11", "fails:C_FindObjects", 1), 0);
    assert_err(session_inventory(s, &inventory, &e), ERR_TOKEN, &e);
    assert_int_equal(setenv("FAULTP11", "fails:C_FindObjectsInit", 1), 0);
    assert_err(session_inventory(s, &inventory, &e), ERR_TOKEN, &e);
    assert_int_equal(unsetenv("FAULTP11"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(return_values_have_names_and_pins_their_own_code),
        cmocka_unit_test_setup_teardown(a_module_is_loaded_by_absolute_path_only, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(a_module_is_open_once_and_can_be_opened_again, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(the_configuration_file_chooses_the_token_directory,
                                        hsm_folder, hsm_folder_end),
        cmocka_unit_test_setup_teardown(a_fresh_token_is_found_by_label_and_serial, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(a_session_wants_the_serial_and_the_right_pin, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(the_inventory_counts_objects_of_every_class, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(login_stops_before_the_final_pin_try, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(each_state_of_the_pin_is_told_apart, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(a_pin_that_is_too_long_is_not_tried, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(a_session_of_a_service_creates_nothing, hsm_folder,
                                        hsm_folder_end),
        cmocka_unit_test_setup_teardown(the_inventory_tells_kinds_apart, hsm_folder,
                                        hsm_folder_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
