/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/anchor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/unit/pkcs11/hsm.h"

enum { DIED = 77 };

static struct hsm world;
static const uint8_t ID[KEY_ID_SIZE] = {0xaa, 1};
static const uint8_t OTHER_ID[KEY_ID_SIZE] = {0xaa, 2};

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
fault(const char *text)
{
    assert_int_equal(text == NULL ? unsetenv("FAULTP11") : setenv("FAULTP11", text, 1), 0);
}

static struct anchor
anchor_of(uint8_t run, uint64_t generation, uint64_t size)
{
    struct anchor a = {.generation = generation, .size = size};

    memset(a.run, run, sizeof(a.run));
    memset(a.root, (int)size, sizeof(a.root));
    return a;
}

/* Written, and the newest. */
static void
write_well(const struct anchor *a)
{
    struct anchor newest;
    size_t left = 9;
    struct err e = {0};

    assert_ok(anchor_write(world.session, ID, a, &newest, &left, &e), &e);
    assert_true(anchor_equal(&newest, a));
    assert_int_equal(left, 0);
}

static void
must_be(const struct anchor *expected)
{
    struct anchor a;
    bool found = false;
    struct err e = {0};

    assert_ok(anchor_read(world.session, ID, &found, &a, &e), &e);
    assert_true(found);
    assert_true(anchor_equal(&a, expected));
}

static size_t
objects(void)
{
    struct inventory inventory;
    struct err e = {0};

    assert_ok(session_inventory(world.session, &inventory, &e), &e);
    return inventory.data;
}

/* A data object made past anchor_write(). */
static void
make(const char *label, const char *value, CK_BBOOL private)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    char application[] = "nfpki";
    CLEANUP(mem_cleanup) char *label_copy = mem_strdup(label);
    CLEANUP(mem_cleanup) char *value_copy = mem_strdup(value);
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &private, sizeof(private)},
        {CKA_APPLICATION, application, sizeof(application) - 1},
        {CKA_LABEL, label_copy, strlen(label)},
        {CKA_VALUE, value_copy, strlen(value)},
    };
    CK_OBJECT_HANDLE object;

    assert_int_equal(
        module_functions(world.module)
            ->C_CreateObject(session_handle(world.session), template, ARRAY_LEN(template), &object),
        CKR_OK);
}

#define LABEL "nfpki-anchor aa010000000000000000000000000000"
#define HEX16(x) x x x x x x x x x x x x x x x x
#define TEXT(generation)                                                                           \
    "nfpki-anchor 1 " HEX16("03") " " generation " 00000000000000000007 " HEX16("0707")

static void
what_was_written_last_is_there_after_the_token_was_opened_again(void **state)
{
    const struct anchor first = anchor_of(1, 1, 0);
    const struct anchor second = anchor_of(1, 2, UINT64_MAX);
    const struct anchor third = anchor_of(2, UINT64_MAX, 7);
    struct anchor a;
    bool found = true;
    struct err e = {0};

    (void)state;
    assert_ok(anchor_read(world.session, ID, &found, &a, &e), &e);
    assert_false(found);
    write_well(&first);
    write_well(&second);
    assert_int_equal(objects(), 1);
    hsm_again(&world);
    must_be(&second);
    write_well(&third);
    must_be(&third);
    /* of another key there is none */
    assert_ok(anchor_read(world.session, OTHER_ID, &found, &a, &e), &e);
    assert_false(found);
    assert_int_equal(objects(), 1);
}

static void
check_flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, CK_BBOOL expected)
{
    CK_BBOOL value = 2;
    CK_ATTRIBUTE a = {type, &value, sizeof(value)};

    assert_int_equal(module_functions(world.module)
                         ->C_GetAttributeValue(session_handle(world.session), object, &a, 1),
                     CKR_OK);
    assert_int_equal(value, expected);
}

static void
it_is_private_cannot_be_changed_and_is_one_line_of_text(void **state)
{
    const struct anchor a = anchor_of(3, 5, 7);
    const CK_FUNCTION_LIST *f = module_functions(world.module);
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}};
    CK_OBJECT_HANDLE object = 0;
    CK_ULONG n = 0;
    char text[256] = "";
    CK_ATTRIBUTE value = {CKA_VALUE, text, sizeof(text) - 1};
    char x[] = "x";
    CK_ATTRIBUTE change = {CKA_VALUE, x, 1};

    (void)state;
    write_well(&a);
    assert_int_equal(f->C_FindObjectsInit(session_handle(world.session), template, 1), CKR_OK);
    assert_int_equal(f->C_FindObjects(session_handle(world.session), &object, 1, &n), CKR_OK);
    (void)f->C_FindObjectsFinal(session_handle(world.session));
    assert_int_equal(n, 1);
    check_flag(object, CKA_PRIVATE, CK_TRUE);
    check_flag(object, CKA_TOKEN, CK_TRUE);
    check_flag(object, CKA_MODIFIABLE, CK_FALSE);
    assert_int_equal(f->C_GetAttributeValue(session_handle(world.session), object, &value, 1),
                     CKR_OK);
    assert_string_equal(text, TEXT("00000000000000000005"));
    assert_int_not_equal(f->C_SetAttributeValue(session_handle(world.session), object, &change, 1),
                         CKR_OK);
}

static void
of_several_the_newest_counts_and_stays(void **state)
{
    const struct anchor next = anchor_of(4, 10, 8);
    struct anchor a = anchor_of(3, 9, 7);

    (void)state;
    make(LABEL, TEXT("00000000000000000008"), CK_TRUE);
    make(LABEL, TEXT("00000000000000000009"), CK_TRUE);
    make(LABEL, TEXT("00000000000000000002"), CK_TRUE);
    must_be(&a);
    write_well(&next);
    assert_int_equal(objects(), 1);
    must_be(&next);
}

static void
of_two_of_one_generation_both_come_to_the_same(void **state)
{
    const struct anchor loses = anchor_of(2, 9, 8);
    const struct anchor wins = anchor_of(4, 9, 8);
    const struct anchor there = anchor_of(3, 9, 7);
    struct anchor newest;
    size_t left;
    struct err e = {0};

    (void)state;
    make(LABEL, TEXT("00000000000000000009"), CK_TRUE);
    assert_ok(anchor_write(world.session, ID, &loses, &newest, &left, &e), &e);
    assert_true(anchor_equal(&newest, &there));
    assert_int_equal(objects(), 2); /* who has the newest destroys */
    write_well(&wins);
    assert_int_equal(objects(), 1);
}

static void
an_older_one_does_not_take_the_place_of_a_newer_one(void **state)
{
    const struct anchor old = anchor_of(5, 8, 9);
    const struct anchor there = anchor_of(3, 9, 7);
    struct anchor newest;
    size_t left;
    struct err e = {0};

    (void)state;
    make(LABEL, TEXT("00000000000000000009"), CK_TRUE);
    assert_ok(anchor_write(world.session, ID, &old, &newest, &left, &e), &e);
    assert_true(anchor_equal(&newest, &there));
    must_be(&there);
}

static void
what_others_put_there_does_not_count(void **state)
{
    static const char *const values[] = {
        "",
        "x",
        "nfpki-anchor 2 " HEX16("03") " 00000000000000000009 00000000000000000007 " HEX16("0707"),
        TEXT("0000000000000000000009"),
        TEXT("+0000000000000000009"),
        TEXT(" 0000000000000000009"),
        TEXT("99999999999999999999"),
        TEXT("00000000000000000009") " ",
        TEXT("00000000000000000009") HEX16("0123456789abcdef"),
        "nfpki-anchor 1 " HEX16("0G") " 00000000000000000009 00000000000000000007 " HEX16("0707"),
        "nfpki-anchor 1 " HEX16("AB") " 00000000000000000009 00000000000000000007 " HEX16("0707"),
    };
    const struct anchor a = anchor_of(3, 5, 7);
    struct anchor out;
    bool found = true;
    struct err e = {0};

    (void)state;
    /* without the PIN nobody can make a private one */
    make(LABEL, TEXT("00000000000000000009"), CK_FALSE);
    make("nfpki-anchor", TEXT("00000000000000000009"), CK_TRUE);
    assert_ok(anchor_read(world.session, ID, &found, &out, &e), &e);
    assert_false(found);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        const struct anchor next = anchor_of(3, 6 + i, 7);

        make(LABEL, values[i], CK_TRUE);
        if (i == 0) { /* alone it is nothing that can be believed, nor ignored */
            assert_err(anchor_read(world.session, ID, &found, &out, &e), ERR_TOKEN, &e);
            assert_non_null(strstr(e.text, "that nothing can be read from"));
            write_well(&a);
            make(LABEL, values[i], CK_TRUE);
        }
        if (anchor_read(world.session, ID, &found, &out, &e) != 0 || !found || out.size != 7 ||
            out.generation != 5 + i) {
            fail_msg("'%s': %s", values[i], e.text);
        }
        write_well(&next);
        assert_int_equal(objects(), 1 + 2); /* and it is gone */
    }
}

static void
a_token_that_fails_is_told(void **state)
{
    static const struct {
        const char *fault;
        const char *reason;
        bool reads;
    } rows[] = {
        {"fails:C_FindObjectsInit", "C_FindObjectsInit: CKR_DEVICE_ERROR", false},
        {"fails:C_FindObjects", "C_FindObjects: CKR_DEVICE_ERROR", false},
        {"fails:C_GetAttributeValue", "C_GetAttributeValue: CKR_DEVICE_ERROR", false},
        {"fails:C_CreateObject", "C_CreateObject of a data object: CKR_DEVICE_ERROR", true},
    };
    const struct anchor a = anchor_of(3, 5, 7);
    const struct anchor next = anchor_of(3, 6, 8);
    struct anchor out;
    bool found;
    size_t left;
    struct err e = {0};

    (void)state;
    write_well(&a);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fault(rows[i].fault);
        assert_int_equal(anchor_read(world.session, ID, &found, &out, &e) == 0, rows[i].reads);
        assert_err(anchor_write(world.session, ID, &next, &out, &left, &e), ERR_TOKEN, &e);
        if (strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("'%s': %s", rows[i].fault, e.text);
        }
        fault(NULL);
    }
    /* what is created is there, whatever failed behind it */
    must_be(&next);
}

static void
older_ones_that_cannot_be_destroyed_are_told_and_bounded(void **state)
{
    struct anchor newest;
    size_t left;
    bool found;
    struct err e = {0};

    (void)state;
    fault("fails:C_DestroyObject");
    for (uint64_t i = 1; i <= ANCHOR_OBJECTS_MAX; i++) {
        const struct anchor a = anchor_of(3, i, i);

        assert_ok(anchor_write(world.session, ID, &a, &newest, &left, &e), &e);
        assert_int_equal(left, i - 1);
        must_be(&a);
    }
    {
        const struct anchor a = anchor_of(3, 99, 99);

        assert_err(anchor_write(world.session, ID, &a, &newest, &left, &e), ERR_TOKEN, &e);
        assert_non_null(strstr(e.text, "more than 16 data objects"));
        assert_err(anchor_read(world.session, ID, &found, &newest, &e), ERR_TOKEN, &e);
    }
}

/* In a process that ends at the first call of C_DestroyObject. */
static void
write_and_die(const struct anchor *a)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct err e = {0};
        struct anchor newest;
        size_t left;
        struct module *m;
        struct session *s;

        (void)setenv("FAULTP11", "dies:C_DestroyObject", 1);
        m = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
        s = m == NULL ? NULL : session_open(m, "t", world.serial, SESSION_READ_WRITE, &e);
        if (s == NULL || session_login(s, USER_PIN, &e) != 0) {
            _exit(1);
        }
        (void)anchor_write(s, ID, a, &newest, &left, &e);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), DIED);
}

static void
a_kill_between_the_two_leaves_both_and_the_newer_one_counts(void **state)
{
    const struct anchor a = anchor_of(3, 5, 7);
    const struct anchor b = anchor_of(4, 6, 8);
    const struct anchor c = anchor_of(5, 7, 9);

    (void)state;
    write_well(&a);
    session_close(world.session);
    module_close(world.module);
    write_and_die(&b);
    world.module = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &(struct err){0});
    assert_non_null(world.module);
    world.session =
        session_open(world.module, "t", world.serial, SESSION_READ_WRITE, &(struct err){0});
    assert_non_null(world.session);
    assert_ok(session_login(world.session, USER_PIN, &(struct err){0}), &(struct err){0});
    assert_int_equal(objects(), 2);
    must_be(&b);
    write_well(&c);
    assert_int_equal(objects(), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_written_last_is_there_after_the_token_was_opened_again),
        CASE(it_is_private_cannot_be_changed_and_is_one_line_of_text),
        CASE(of_several_the_newest_counts_and_stays),
        CASE(of_two_of_one_generation_both_come_to_the_same),
        CASE(an_older_one_does_not_take_the_place_of_a_newer_one),
        CASE(what_others_put_there_does_not_count),
        CASE(a_token_that_fails_is_told),
        CASE(older_ones_that_cannot_be_destroyed_are_told_and_bounded),
        CASE(a_kill_between_the_two_leaves_both_and_the_newer_one_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
