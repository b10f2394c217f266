/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "ca/x509/signed.h"
#include "ceremony/transcript/state.h"
#include "ceremony/transcript/transcript.h"
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
    uint8_t last[SERIAL_SIZE];
    struct err e = {0};

    (void)state;
    test_root(&s);
    issue(&s, SERIAL_1, "key one");
    assert_err(state_add_issued(&s, SERIAL_2, span_str("key one"), 0, &e), ERR_CONFLICT, &e);
    assert_non_null(strstr(e.text, "this key was certified before: make a new one"));
    assert_err(state_add_issued(&s, SERIAL_1, span_str("key two"), 0, &e), ERR_CONFLICT, &e);
    assert_non_null(strstr(e.text, "the serial number is in the register already"));
    assert_ok(state_root_spki(&s, &root, &e), &e);
    assert_err(state_add_issued(&s, SERIAL_2, buf_span(&root), 0, &e), ERR_CONFLICT, &e);
    assert_non_null(strstr(e.text, "the request carries the root's own key"));
    assert_int_equal(s.n_issued, 1);
    memcpy(last, SERIAL_1, sizeof(last));
    last[SERIAL_SIZE - 1] ^= 1; /* another number */
    assert_ok(state_add_issued(&s, last, span_str("key two"), 0, &e), &e);
    s.n_issued = 1;
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
    assert_non_null(strstr(e.text, "serial 42020000000000000000000000000000 is revoked already"));
    entry.serial[15] = 9;
    assert_err(state_add_revoked(&s, &entry, 1, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "serial 42020000000000000000000000000009: this root issued no"));
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
    assert_non_null(strstr(e.text, "the previous ceremonies made no root: wrong bundle in prev"));
}

static void
a_full_register_takes_no_more(void **state)
{
    CLEANUP(state_clear) struct state s = {0};
    CLEANUP(json_cleanup) json_t *json = NULL;
    CLEANUP(state_clear) struct state again = {0};
    struct crl_entry entries[STATE_ISSUED_MAX] = {0};
    uint8_t serial[SERIAL_SIZE] = {0x40};
    struct err e = {0};

    (void)state;
    _Static_assert((int)STATE_ISSUED_MAX == (int)DEFINITION_REVOKED_MAX, "all can be revoked");
    test_root(&s);
    for (size_t i = 0; i < STATE_ISSUED_MAX; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "key %zu", i);
        serial[1] = (uint8_t)i;
        issue(&s, serial, key);
        memcpy(entries[i].serial, serial, SERIAL_SIZE);
        entries[i].serial_size = SERIAL_SIZE;
        entries[i].reason = CRL_SUPERSEDED;
    }
    serial[1] = STATE_ISSUED_MAX;
    assert_err(state_add_issued(&s, serial, span_str("one more"), 0, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "the register is full (64)"));
    assert_ok(state_add_revoked(&s, entries, STATE_ISSUED_MAX, &e), &e);
    assert_int_equal(s.n_revoked, DEFINITION_REVOKED_MAX);
    json = state_format(&s);
    assert_ok(state_parse(json, &again, &e), &e);
    assert_true(state_equal(&s, &again));
    /* one that is full of what it never issued */
    s.n_issued = 1;
    for (size_t i = 0; i < s.n_revoked; i++) {
        s.revoked[i].serial[SERIAL_SIZE - 1] = 7;
    }
    assert_err(state_add_revoked(&s, entries, 1, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "more than 64 revocations");
}

/* What `path` ("root/key_id", "issued/0/serial") becomes, as JSON; NULL: it goes. */
static void
damage(json_t *json, const char *path, const char *value)
{
    char names[64];
    char *save = NULL;
    json_t *parent = json;
    const char *name;
    const char *next;

    (void)snprintf(names, sizeof(names), "%s", path);
    name = strtok_r(names, "/", &save);
    while ((next = strtok_r(NULL, "/", &save)) != NULL) {
        parent = json_is_array(parent) ? json_array_get(parent, 0) : json_object_get(parent, name);
        name = next;
    }
    assert_int_equal(
        value == NULL ? json_object_del(parent, name)
                      : json_object_set_new(parent, name, json_loads(value, JSON_DECODE_ANY, NULL)),
        0);
}

/* A list with n times the member that it has. */
static void
multiply(json_t *json, const char *list, size_t n)
{
    json_t *array = json_object_get(json, list);

    while (json_array_size(array) < n) {
        assert_int_equal(json_array_append(array, json_array_get(array, 0)), 0);
    }
}

static void
what_is_damaged_is_named(void **state)
{
#define L32 "01234567890123456789012345678901"
#define S63 "012345678901234567890123456789012345678901234567890123456789012"
    static const struct {
        const char *path;
        const char *value;
        const char *reason; /* NULL: good */
    } rows[] = {
        {"root/token_label", NULL, "register: root: token_label or token_serial is missing"},
        {"root/token_label", "\"\"", "register: root: token_label or token_serial is missing"},
        {"root/token_label", "\"" L32 "\"", NULL},
        {"root/token_label", "\"" L32 "x\"", "register: root: token_label or token_serial"},
        {"root/token_serial", "\"\"", "register: root: token_label or token_serial is missing"},
        {"root/token_serial", "\"" S63 "x\"", NULL},
        {"root/token_serial", "\"" S63 "xy\"", "register: root: token_label or token_serial"},
        {"root/key_id", "\"00\"", "register: key_id: 2 hex digits"},
        {"root/certificate", "\"?\"", "register: certificate: base64"},
        {"root/certificate", "\"MAA=\"", "register: not an X.509 certificate"},
        {"crl_number", "\"7\"", "register: crl_number: not a number"},
        {"crl_number", "-1", "register: crl_number: not a number"},
        {"crl_number", "0", NULL},
        {"crl_this_update", "7", "register: crl_this_update: not a time"},
        {"issued", "{}", "register: issued: not a list of at most 64"},
        {"issued/0/serial", "\"00\"", "register: issued[0]: serial: 2 hex digits"},
        {"issued/0/spki_sha256", NULL, "register: issued[0]: spki_sha256: 0 hex digits"},
        {"issued/0/not_after", "\"\"", "register: issued[0]: not_after: not a time"},
        {"revoked", "1", "register: revoked: not a list of at most 64"},
        {"revoked/0/serial", "\"00\"", "register: revoked[0]: serial: 2 hex digits"},
        {"revoked/0/time", NULL, "register: revoked[0]: time: not a time"},
        {"revoked/0/reason", "\"\"", "register: revoked[0]: "},
    };
    CLEANUP(state_clear) struct state s = {0};
    struct crl_entry entry = {.serial_size = SERIAL_SIZE, .reason = CRL_SUPERSEDED};
    struct err e = {0};

    (void)state;
    test_root(&s);
    issue(&s, SERIAL_1, "key one");
    memcpy(entry.serial, SERIAL_1, SERIAL_SIZE);
    assert_ok(state_add_revoked(&s, &entry, 1, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(json_cleanup) json_t *json = state_format(&s);
        CLEANUP(state_clear) struct state out = {0};
        int result;

        damage(json, rows[i].path, rows[i].value);
        e = (struct err){0};
        result = state_parse(json, &out, &e);
        if ((result == 0) != (rows[i].reason == NULL) ||
            (rows[i].reason != NULL && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason, e.text);
        }
    }
    for (int more = 0; more < 2; more++) {
        CLEANUP(json_cleanup) json_t *issued = state_format(&s);
        CLEANUP(json_cleanup) json_t *revoked = state_format(&s);
        CLEANUP(state_clear) struct state out = {0};

        multiply(issued, "issued", STATE_ISSUED_MAX + (size_t)more);
        multiply(revoked, "revoked", DEFINITION_REVOKED_MAX + (size_t)more);
        assert_int_equal(state_parse(issued, &out, &e), -more);
        assert_int_equal(state_parse(revoked, &out, &e), -more);
    }
}

/* Two registers are the same when each member is. */
static void
every_member_counts(void **state)
{
    static const struct {
        const char *path;
        const char *value;
    } rows[] = {
        {"root", "null"},
        {"root/token_label", "\"x\""},
        {"root/token_serial", "\"x\""},
        {"root/key_id", "\"00000000000000000000000000000001\""},
        {"crl_number", "1"},
        {"crl_this_update", "\"2026-01-01T00:00:00Z\""},
        {"issued", "[]"},
        {"issued/0/serial", "\"00000000000000000000000000000001\""},
        {"issued/0/not_after", "\"2026-01-01T00:00:00Z\""},
        {"revoked", "[]"},
        {"revoked/0/time", "\"2026-01-01T00:00:00Z\""},
        {"revoked/0/reason", "\"keyCompromise\""},
    };
    CLEANUP(state_clear) struct state s = {0};
    struct crl_entry entry = {.serial_size = SERIAL_SIZE, .reason = CRL_SUPERSEDED};
    struct err e = {0};

    (void)state;
    test_root(&s);
    issue(&s, SERIAL_1, "key one");
    memcpy(entry.serial, SERIAL_1, SERIAL_SIZE);
    assert_ok(state_add_revoked(&s, &entry, 1, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(json_cleanup) json_t *json = state_format(&s);
        CLEANUP(state_clear) struct state out = {0};

        damage(json, rows[i].path, rows[i].value);
        assert_ok(state_parse(json, &out, &e), &e);
        if (state_equal(&s, &out) || state_equal(&out, &s)) {
            fail_msg("row %zu: the same", i);
        }
        state_copy(&out, &s);
        assert_true(state_equal(&s, &out));
    }
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
        cmocka_unit_test(a_full_register_takes_no_more),
        cmocka_unit_test(what_is_damaged_is_named),
        cmocka_unit_test(every_member_counts),
        cmocka_unit_test(a_damaged_text_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
