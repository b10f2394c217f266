/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "pkcs11/module.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "pkcs11/session.h"
#include "tests/support/softhsm.h"
#include "tests/unit/pkcs11/hsm.h"

#define FAULTY TEST_BINARY_DIR "/faultp11.so"

/* A second token of the same label, which module_init_token() refuses to make. */
static void
twin(struct module *m, const char *label)
{
    const CK_FUNCTION_LIST *f = module_functions(m);
    CK_SLOT_ID slots[8];
    CK_ULONG n = ARRAY_LEN(slots);
    unsigned char padded[32];
    char pin[] = "so-pin-0123456789";

    memset(padded, ' ', sizeof(padded));
    for (size_t i = 0; label[i] != '\0'; i++) {
        padded[i] = (unsigned char)label[i];
    }
    assert_int_equal(f->C_GetSlotList(CK_TRUE, NULL, &n), CKR_OK);
    n = ARRAY_LEN(slots);
    assert_int_equal(f->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
    /* SoftHSM's last slot is the one without a token. */
    assert_int_equal(
        f->C_InitToken(slots[n - 1], (unsigned char *)pin, (CK_ULONG)strlen(pin), padded), CKR_OK);
}

static void
two_tokens_of_one_label_are_told_apart_by_serial_only(void **state)
{
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct token first;
    struct token t = {0};

    (void)state;
    assert_non_null(m);
    first = hsm_token(m, "issuing");
    twin(m, "issuing");
    assert_err(module_find_token(m, "issuing", NULL, &t, &e), ERR_CONFLICT, &e);
    assert_non_null(strstr(e.text, "2 tokens 'issuing'"));
    assert_non_null(strstr(e.text, "name the serial"));
    assert_non_null(strstr(e.text, first.serial));
    assert_ok(module_find_token(m, "issuing", first.serial, &t, &e), &e);
    assert_string_equal(t.serial, first.serial);
    assert_int_equal(t.slot, first.slot);
    assert_err(module_init_token(m, "issuing", SO_PIN, USER_PIN, &t, &e), ERR_CONFLICT, &e);
}

static void
a_missing_token_is_answered_with_what_is_there(void **state)
{
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct token t = {0};

    (void)state;
    assert_non_null(m);
    assert_err(module_find_token(m, "issuing", NULL, &t, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "it has: none"));
    assert_non_null(strstr(e.text, SOFTHSM_MODULE));
    (void)hsm_token(m, "other");
    assert_err(module_find_token(m, "issuing", "0123", &t, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "no token 'issuing' with serial 0123"));
    assert_non_null(strstr(e.text, "'other' serial "));
    /* a beginning of the label or of the serial is not enough */
    assert_err(module_find_token(m, "othe", NULL, &t, &e), ERR_NOTFOUND, &e);
}

static void
labels_are_utf_8(void **state)
{
    static const char label[] = "Schl\xc3\xbcssel \xe9\x8d\xb5 1";
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct token made;
    struct token t = {0};

    (void)state;
    assert_non_null(m);
    made = hsm_token(m, label);
    assert_string_equal(made.label, label);
    (void)hsm_token(m, "Schl?ssel ??? 1");
    assert_ok(module_find_token(m, label, NULL, &t, &e), &e);
    assert_int_equal(t.slot, made.slot);
    assert_err(module_find_token(m, "Schluessel", NULL, &t, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, label));
    /* 32 octets are fewer characters */
    assert_err(
        module_init_token(m,
                          "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
                          "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc_",
                          SO_PIN, USER_PIN, &t, &e),
        ERR_INPUT, &e);
}

/* What is no UTF-8 is found by its octets, and as it is shown. */
static void
a_label_in_latin_1_is_found_and_shown(void **state)
{
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct token made;
    struct token t = {0};

    (void)state;
    assert_non_null(m);
    made = hsm_token(m, "Schl\xfcssel");
    assert_string_equal(made.label, "Schl\\xfcssel");
    assert_ok(module_find_token(m, "Schl\xfcssel", NULL, &t, &e), &e);
    assert_ok(module_find_token(m, "Schl\\xfcssel", NULL, &t, &e), &e);
    assert_int_equal(t.slot, made.slot);
    assert_err(module_find_token(m, "Schl?ssel", NULL, &t, &e), ERR_NOTFOUND, &e);
}

static void
serials_and_models_are_utf_8_or_shown_as_octets(void **state)
{
    static const struct {
        const char *fault;
        const char *octets;
        const char *serial;
        const char *model;
    } rows[] = {
        {"utf-8", "N\xc2\xba 4711 \xc3\xa9", "N\xc2\xba 4711 \xc3\xa9", "Mod\xc3\xa8le 3"},
        {"latin-1", "N\xba 4711\x1b[31m", "N\\xba 4711\\x1b[31m", "Mod\\xe8le 3"},
    };
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(FAULTY, NULL, &e);

    (void)state;
    assert_non_null(m);
    (void)hsm_token(m, "issuing");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct token t = {0};

        assert_int_equal(setenv("FAULTP11", rows[i].fault, 1), 0);
        assert_ok(module_find_token(m, "issuing", rows[i].octets, &t, &e), &e);
        assert_string_equal(t.serial, rows[i].serial);
        assert_string_equal(t.model, rows[i].model);
        assert_ok(module_find_token(m, "issuing", rows[i].serial, &t, &e), &e);
        assert_err(module_find_token(m, "issuing", "N? 4711", &t, &e), ERR_NOTFOUND, &e);
        assert_null(strchr(e.text, '\x1b'));
    }
}

/* Its library, its slot or itself says so. */
static void
a_software_token_is_known_behind_a_proxy(void **state)
{
    static const struct {
        const char *fault;
        bool software;
    } rows[] = {{"", true}, {"proxy", true}, {"vendor", false}, {"proxy vendor", false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(module_cleanup) struct module *m = NULL;
        struct token t = {0};

        assert_int_equal(setenv("FAULTP11", rows[i].fault, 1), 0);
        m = module_open(FAULTY, NULL, &e);
        assert_non_null(m);
        assert_ok(module_find_free(m, &t, &e), &e);
        if (t.software != rows[i].software) {
            fail_msg("%s", rows[i].fault);
        }
    }
}

/* The true proxy, with the modules that this host has registered; SoftHSM's package is among them.
 */
static void
a_software_token_is_known_behind_p11_kit(void **state)
{
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(PROXY, NULL, &e);
    struct token made;
    struct token t = {0};

    (void)state;
    if (m == NULL) {
        fail_msg("%s", e.text);
    }
    assert_null(strcasestr(module_description(m), "softhsm"));
    made = hsm_token(m, "behind");
    assert_true(made.software);
    assert_ok(module_find_token(m, "behind", made.serial, &t, &e), &e);
    assert_true(t.software);
}

static void
labels_and_pins_that_the_token_cannot_hold_are_refused_before_it_is_touched(void **state)
{
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct token t = {0};
    uint8_t long_pin[256];

    (void)state;
    assert_non_null(m);
    memset(long_pin, '1', sizeof(long_pin));
    assert_err(module_init_token(m, "", SO_PIN, USER_PIN, &t, &e), ERR_INPUT, &e);
    assert_err(module_init_token(m, "012345678901234567890123456789012", SO_PIN, USER_PIN, &t, &e),
               ERR_INPUT, &e);
    assert_err(module_init_token(m, "x", SPAN_LITERAL("123"), USER_PIN, &t, &e), ERR_INPUT, &e);
    assert_err(module_init_token(m, "x", SO_PIN, SPAN_LITERAL(""), &t, &e), ERR_INPUT, &e);
    assert_err(module_init_token(m, "x", SO_PIN, span_of(long_pin, sizeof(long_pin)), &t, &e),
               ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "256 octets"));
    assert_err(module_find_token(m, "x", NULL, &t, &e), ERR_NOTFOUND, &e);
    t = hsm_token(m, "01234567890123456789012345678901");
    assert_string_equal(t.label, "01234567890123456789012345678901");
}

static void
a_module_that_others_can_write_is_not_loaded(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/module.so", (char *)*state);
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(16 * 1024 * 1024);
    struct module *m;

    assert_ok(file_read(SOFTHSM_MODULE, &bytes, &e), &e);
    assert_ok(file_write(path, buf_span(&bytes), 0602, &e), &e);
    assert_null(module_open(path, NULL, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(chmod(path, 0600), 0);
    m = module_open(path, NULL, &e);
    assert_non_null(m);
    module_close(m);
    assert_null(module_open(*state, NULL, &e)); /* a folder */
    assert_int_equal(e.code, ERR_DENIED);
}

static void
every_error_names_the_call_the_value_the_module_and_the_token(void **state)
{
    struct err e = {0};
    CLEANUP(module_cleanup)
    struct module *m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    CLEANUP(session_cleanup) struct session *s = NULL;
    struct token t;
    uint8_t random[4];

    (void)state;
    assert_non_null(m);
    t = hsm_token(m, "issuing");
    s = session_open(m, "issuing", t.serial, SESSION_READ_ONLY, &e);
    assert_non_null(s);
    assert_int_equal(setenv("FAULTP11", "no-random", 1), 0);
    assert_err(session_random(s, random, sizeof(random), &e), ERR_TOKEN, &e);
    assert_string_equal(e.text,
                        "C_GenerateRandom: CKR_DEVICE_REMOVED (0x32) (module " TEST_BINARY_DIR
                        "/faultp11.so, token issuing)");
}

/* Each call that fails is named, and nothing is left half open. */
static void
a_module_that_fails_is_told(void **state)
{
    struct err e = {0};
    struct module *m;
    struct token t = {0};

    (void)state;
    assert_int_equal(setenv("FAULTP11", "fails:C_Initialize", 1), 0);
    assert_null(module_open(FAULTY, NULL, &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_int_equal(strncmp(e.text, "C_Initialize: CKR_DEVICE_ERROR", 30), 0);
    assert_int_equal(setenv("FAULTP11", "fails:C_GetInfo", 1), 0);
    assert_null(module_open(FAULTY, NULL, &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_int_equal(strncmp(e.text, "C_GetInfo: CKR_DEVICE_ERROR", 27), 0);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    m = module_open(FAULTY, NULL, &e);
    assert_non_null(m);
    assert_int_equal(setenv("FAULTP11", "fails:C_GetSlotList", 1), 0);
    assert_err(module_find_token(m, "t", NULL, &t, &e), ERR_TOKEN, &e);
    assert_int_equal(strncmp(e.text, "C_GetSlotList: CKR_DEVICE_ERROR", 31), 0);
    assert_err(module_find_free(m, &t, &e), ERR_TOKEN, &e);
    assert_int_equal(strncmp(e.text, "C_GetSlotList: CKR_DEVICE_ERROR", 31), 0);
    assert_int_equal(setenv("FAULTP11", "full", 1), 0);
    assert_err(module_find_free(m, &t, &e), ERR_NOTFOUND, &e);
    assert_int_equal(strncmp(e.text, "no uninitialised token in ", 26), 0);
    assert_err(module_init_token(m, "t", SO_PIN, USER_PIN, &t, &e), ERR_NOTFOUND, &e);
    assert_int_equal(setenv("FAULTP11", "fails:C_InitToken", 1), 0);
    assert_err(module_init_token(m, "t", SO_PIN, USER_PIN, &t, &e), ERR_TOKEN, &e);
    assert_int_equal(strncmp(e.text, "C_InitToken: CKR_DEVICE_ERROR", 29), 0);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    (void)hsm_token(m, "there");
    /* A slot that cannot be read is passed over. */
    assert_int_equal(setenv("FAULTP11", "fails:C_GetTokenInfo", 1), 0);
    assert_err(module_find_token(m, "there", NULL, &t, &e), ERR_NOTFOUND, &e);
    assert_non_null(strstr(e.text, "it has: none"));
    assert_err(module_find_free(m, &t, &e), ERR_NOTFOUND, &e);
    module_close(m);
}

static void
a_token_whose_pin_could_not_be_set_is_not_usable(void **state)
{
    static const struct {
        const char *label;
        const char *fault;
        const char *call;
    } rows[] = {
        {"a", "fails:C_InitPIN", "C_InitPIN: CKR_DEVICE_ERROR"},
        {"b", "fails:C_OpenSession", "C_OpenSession: CKR_DEVICE_ERROR"},
    };
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(FAULTY, NULL, &e);

    (void)state;
    assert_non_null(m);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *told = mem_printf("token '%s' was initialised but is not usable: %s", rows[i].label,
                                rows[i].call);
        struct token t = {0};

        assert_int_equal(setenv("FAULTP11", rows[i].fault, 1), 0);
        assert_err(module_init_token(m, rows[i].label, SO_PIN, USER_PIN, &t, &e), ERR_TOKEN, &e);
        if (strncmp(e.text, told, strlen(told)) != 0) {
            fail_msg("%s: %s", rows[i].fault, e.text);
        }
    }
}

/* SoftHSM takes PINs of 4 to 255 octets and says so. */
static void
pins_have_the_limits_of_the_token(void **state)
{
    static const struct {
        const char *name;
        size_t so, user;
        const char *reason;
    } rows[] = {
        {"so 0", 0, 4, "the security officer's PIN has 0 octets; this token takes 4 to 255"},
        {"so 3", 3, 4, "the security officer's PIN has 3 octets; this token takes 4 to 255"},
        {"so 256", 256, 4, "the security officer's PIN has 256 octets"},
        {"user 0", 4, 0, "the user PIN has 0 octets; this token takes 4 to 255"},
        {"user 3", 4, 3, "the user PIN has 3 octets"},
        {"user 256", 4, 256, "the user PIN has 256 octets"},
        {"so 4", 4, 255, NULL},
        {"so 255", 255, 4, NULL},
    };
    struct err e = {0};
    CLEANUP(module_cleanup) struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    uint8_t pin[256];

    (void)state;
    assert_non_null(m);
    memset(pin, '1', sizeof(pin));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct token t = {0};
        int result = module_init_token(m, rows[i].name, span_of(pin, rows[i].so),
                                       span_of(pin, rows[i].user), &t, &e);

        if ((rows[i].reason == NULL) != (result == 0) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].reason) == NULL))) {
            fail_msg("row '%s': %s", rows[i].name, e.text);
        }
    }
}

static void
what_is_no_module_is_told(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/module.so", (char *)*state);

    assert_null(module_open("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", NULL, &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_non_null(strstr(e.text, "is no PKCS #11 module: no C_GetFunctionList"));
    assert_ok(file_write(path, SPAN_LITERAL("text"), 0600, &e), &e);
    assert_null(module_open(path, NULL, &e));
    assert_int_equal(e.code, ERR_TOKEN);
    assert_non_null(strstr(e.text, path));
    assert_null(module_open("", NULL, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "give the absolute path"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, hsm_folder, hsm_folder_end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_tokens_of_one_label_are_told_apart_by_serial_only),
        TEST(a_missing_token_is_answered_with_what_is_there),
        TEST(labels_are_utf_8),
        TEST(a_label_in_latin_1_is_found_and_shown),
        TEST(serials_and_models_are_utf_8_or_shown_as_octets),
        TEST(a_software_token_is_known_behind_a_proxy),
        TEST(a_software_token_is_known_behind_p11_kit),
        TEST(labels_and_pins_that_the_token_cannot_hold_are_refused_before_it_is_touched),
        TEST(a_module_that_others_can_write_is_not_loaded),
        TEST(every_error_names_the_call_the_value_the_module_and_the_token),
        TEST(a_module_that_fails_is_told),
        TEST(a_token_whose_pin_could_not_be_set_is_not_usable),
        TEST(pins_have_the_limits_of_the_token),
        TEST(what_is_no_module_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
