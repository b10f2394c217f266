/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "ca/x509/signed.h"
#include "ceremony/state.h"
#include "ceremony/transcript.h"
#include "tests/unit/ceremony/root.h"

static const uint8_t SERIAL_1[SERIAL_SIZE] = {0x41, 1};
static const uint8_t SERIAL_2[SERIAL_SIZE] = {0x42, 2};

static void
issue(struct state *s, const uint8_t serial[SERIAL_SIZE], const char *key)
{
    struct err e = {0};

    assert_ok(state_add_issued(s, serial, span_str(key), 1800000000, &e), &e);
}

static void
a_register_survives_its_text(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    CLEANUP(state_clear) struct state again = {0};
    CLEANUP(json_cleanup) json_t *json = NULL;
    struct crl_entry entry = {
        .serial_size = SERIAL_SIZE, .revoked_at = 1790000000, .reason = CRL_SUPERSEDED};
    struct err e = {0};

    (void)state;
    test_root(&s);
    issue(&s, SERIAL_1, "key one");
    issue(&s, SERIAL_2, "key two");
    memcpy(entry.serial, SERIAL_2, SERIAL_SIZE);
    assert_ok(state_add_revoked(&s, &entry, 1, &e), &e);
    s.crl_number = 7;
    s.crl_this_update = 1791000000;
    json = state_format(&s);
    assert_ok(state_parse(json, &again, &e), &e);
    assert_true(state_equal(&s, &again));
    assert_int_equal(again.n_issued, 2);
    assert_int_equal(again.crl_number, 7);
    again.crl_number = 8;
    assert_false(state_equal(&s, &again));
}

static void
no_key_is_certified_twice(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    CLEANUP(buf_free) struct buf root = BUF_INIT(PUBKEY_SPKI_MAX);
    struct err e = {0};

    (void)state;
    test_root(&s);
    issue(&s, SERIAL_1, "key one");
    assert_err(state_add_issued(&s, SERIAL_2, span_str("key one"), 0, &e), ERR_CONFLICT, &e);
    assert_err(state_add_issued(&s, SERIAL_1, span_str("key two"), 0, &e), ERR_CONFLICT, &e);
    assert_ok(state_root_spki(&s, &root, &e), &e);
    assert_err(state_add_issued(&s, SERIAL_2, buf_span(&root), 0, &e), ERR_CONFLICT, &e);
    assert_int_equal(s.n_issued, 1);
}

static void
only_what_was_issued_is_revoked_and_only_once(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    struct crl_entry entry = {
        .serial_size = SERIAL_SIZE, .revoked_at = 1790000000, .reason = CRL_KEY_COMPROMISE};
    struct err e = {0};

    (void)state;
    test_root(&s);
    issue(&s, SERIAL_1, "key one");
    issue(&s, SERIAL_2, "key two");
    memcpy(entry.serial, SERIAL_2, SERIAL_SIZE);
    assert_ok(state_add_revoked(&s, &entry, 1, &e), &e);
    assert_err(state_add_revoked(&s, &entry, 1, &e), ERR_CONFLICT, &e);
    entry.serial[15] = 9;
    assert_err(state_add_revoked(&s, &entry, 1, &e), ERR_INPUT, &e);
    memcpy(entry.serial, SERIAL_1, SERIAL_SIZE);
    assert_ok(state_add_revoked(&s, &entry, 1, &e), &e);
    /* ascending, as a CRL wants them */
    assert_memory_equal(s.revoked[0].serial, SERIAL_1, SERIAL_SIZE);
    assert_memory_equal(s.revoked[1].serial, SERIAL_2, SERIAL_SIZE);
}

static void
a_register_without_root_issues_nothing(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    struct err e = {0};

    (void)state;
    assert_err(state_add_issued(&s, SERIAL_1, span_str("key"), 0, &e), ERR_INPUT, &e);
}

static void
a_damaged_text_is_refused(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    static const char *const members[] = {"root", "crl_number", "crl_this_update", "issued",
                                          "revoked"};

    (void)state;
    test_root(&s);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        CLEANUP(json_cleanup) json_t *json = state_format(&s);
        CLEANUP(state_clear) struct state out = {0};
        struct err e = {0};

        assert_int_equal(json_object_del(json, members[i]), 0);
        assert_err(state_parse(json, &out, &e), ERR_INPUT, &e);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_register_survives_its_text),
        cmocka_unit_test(no_key_is_certified_twice),
        cmocka_unit_test(only_what_was_issued_is_revoked_and_only_once),
        cmocka_unit_test(a_register_without_root_issues_nothing),
        cmocka_unit_test(a_damaged_text_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
