/* SPDX-License-Identifier: Apache-2.0 */
/* What was verified in this process is good as it was, and nothing else is. */
#include "ca/policy/registered.h"

#include <stdio.h>

#include "tests/unit/ca/policy/scene.h"

#define JSON "{\"version\":1}"

/* No registrar ever signed this: only who remembers it can take it. */
static struct issuance_registration
row_of(const char *id, const char *json, const char *registrar)
{
    struct issuance_registration row = {.by_registrar = true,
                                        .cms = BUF_INIT(64),
                                        .json = BUF_INIT(REGISTRATION_JSON_MAX),
                                        .registrar = BUF_INIT(512)};
    struct err e = {0};

    (void)snprintf(row.id, sizeof(row.id), "%s", id);
    assert_ok(buf_set(&row.cms, span_str("no CMS"), &e), &e);
    assert_ok(buf_set(&row.json, span_str(json), &e), &e);
    assert_ok(buf_set(&row.registrar, span_str(registrar), &e), &e);
    return row;
}

static enum err_code
checked(const struct scene *s, struct registered *r, const char *id, const char *json,
        const char *registrar, bool by_registrar)
{
    struct issuance_registration row = row_of(id, json, registrar);
    struct err e = {0};
    int result;

    row.by_registrar = by_registrar;
    result = registered_check(r, &s->policy, id, &row, &e);
    issuance_registration_free(&row);
    return result == 0 ? ERR_NONE : e.code;
}

static void
what_was_handed_in_is_good_as_it_was(void **state)
{
    static const char *const other = "00112233445566778899aabbccddee00";
    const struct scene *s = *state;
    struct registered *r = registered_new();
    struct issuance_registration row = row_of(SCENE_REGISTRATION, JSON, "12");
    struct err e = {0};

    assert_int_equal(checked(s, r, SCENE_REGISTRATION, JSON, "12", true), ERR_DENIED);
    assert_ok(registered_know(r, &row, &e), &e);
    assert_int_equal(checked(s, r, SCENE_REGISTRATION, JSON, "12", true), ERR_NONE);
    assert_int_equal(checked(s, r, SCENE_REGISTRATION, JSON, "12", false), ERR_DENIED);
    assert_int_equal(checked(s, r, SCENE_REGISTRATION, JSON " ", "12", true), ERR_DENIED);
    assert_int_equal(checked(s, r, SCENE_REGISTRATION, JSON, "13", true), ERR_DENIED);
    assert_int_equal(checked(s, r, other, JSON, "12", true), ERR_DENIED);
    /* what moves from one to the next */
    assert_int_equal(checked(s, r, "2" SCENE_REGISTRATION, JSON, "1", true), ERR_DENIED);
    assert_int_equal(checked(s, r, SCENE_REGISTRATION "{", "\"version\":1}", "12", true),
                     ERR_DENIED);
    issuance_registration_free(&row);
    registered_free(r);
}

static void
a_serial_number_that_no_certificate_has_is_refused(void **state)
{
    const struct scene *s = *state;
    struct registered *r = registered_new();
    char serial[UINT8_MAX + 2];

    (void)snprintf(serial, sizeof(serial), "%0*d", UINT8_MAX + 1, 1);
    assert_int_equal(checked(s, r, SCENE_REGISTRATION, JSON, serial, true), ERR_DENIED);
    registered_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_handed_in_is_good_as_it_was),
        cmocka_unit_test(a_serial_number_that_no_certificate_has_is_refused),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
