/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an acknowledgement, as it is written, read and shown. */
#include "ca/registration/acknowledgement.h"

#include <string.h>

#include "tests/support/test.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT(version, kind, time, origin, leaves, root, signer, key, line, object, hash, serial,   \
             reason)                                                                               \
    "{\"version\":" version ",\"kind\":\"" kind "\",\"time\":\"" time                              \
    "\",\"log\":{\"origin\":\"" origin "\",\"leaves\":" leaves ",\"root\":\"" root                 \
    "\"},\"signer\":\"" signer "\",\"key\":\"" key "\",\"line\":" line ",\"object\":\"" object     \
    "\",\"sha256\":\"" hash "\",\"serial\":\"" serial "\",\"number\":" NUMBER                      \
    ",\"reason\":\"" reason "\"}"
#define KIND ACKNOWLEDGEMENT_KIND
#define NUMBER "0"
#define TIME "2026-11-29T20:00:00Z"
#define LOG "ca.example/1", "207", HEX64
#define SERIAL "0123456789abcdef0123456789abcdef"
#define LINE "issuing", HEX64, "41", "T", HEX64, SERIAL
#define TEXT_(...) TEXT(__VA_ARGS__)
#define GOOD TEXT_("1", KIND, TIME, LOG, LINE, "the PIN was stolen")

static void
what_is_written_is_read(void **state)
{
    struct acknowledgement a;
    struct acknowledgement again;
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup) char *twice = NULL;
    struct err e = {0};

    (void)state;
    assert_ok(acknowledgement_parse(SPAN_LITERAL(GOOD), &a, &e), &e);
    assert_int_equal(a.leaves, 207);
    assert_int_equal(a.line, 41);
    assert_true(a.has_serial && !a.of_log);
    text = acknowledgement_format(&a);
    assert_int_equal(strncmp(text, "{\n", 2), 0);
    assert_ok(acknowledgement_parse(span_str(text), &again, &e), &e);
    twice = acknowledgement_format(&again);
    assert_string_equal(text, twice);
}

static void
an_officer_sees_all_of_it(void **state)
{
    static const struct {
        const char *text;
        const char *lines[7];
    } rows[] = {
        {GOOD,
         {"made " TIME "\n", "  ledger       ca.example/1: 207 leaves, root " HEX64 "\n",
          "  signer       issuing, of the key with SHA-256 " HEX64 "\n",
          "  line         41 of its journal: a certificate may have been signed\n",
          "  SHA-256      " HEX64 "\n", "  serial       " SERIAL "\n",
          "  reason       the PIN was stolen\n"}},
        {TEXT_("1", KIND, TIME, LOG, "issuing", HEX64, "41", "L", HEX64, "", "x"),
         {": a CRL may have", "  serial       none\n"}},
        {TEXT_("1", KIND, TIME, LOG, "log", HEX64, "41", "K", HEX64, "", "x"),
         {"log, of the key", ": a checkpoint may have"}},
        {TEXT_("1", KIND, TIME, LOG, "log", HEX64, "41", "P", HEX64, "", "x"),
         {": something that this key does not sign may have"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(mem_cleanup) char *shown = acknowledgement_show(span_str(rows[i].text), &e);

        assert_non_null(shown);
        for (size_t k = 0; k < ARRAY_LEN(rows[i].lines) && rows[i].lines[k] != NULL; k++) {
            if (strstr(shown, rows[i].lines[k]) == NULL) {
                fail_msg("no \"%s\" in:\n%s", rows[i].lines[k], shown);
            }
        }
    }
}

static void
what_is_not_as_it_is_written_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "acknowledgement: "},
        {"[]", "acknowledgement: "},
        {"{\"version\":1}", "acknowledgement: "},
        {TEXT_("2", KIND, TIME, LOG, LINE, "x"), "version and kind"},
        {TEXT_("1", "restore", TIME, LOG, LINE, "x"), "version and kind"},
        {TEXT_("1", KIND, "yesterday", LOG, LINE, "x"), "time"},
        {TEXT_("1", KIND, TIME, "ca\\n", "207", HEX64, LINE, "x"), "log.origin"},
        {TEXT_("1", KIND, TIME, "ca", "-1", HEX64, LINE, "x"), "log"},
        {TEXT_("1", KIND, TIME, "ca", "207", HEX64 "0", LINE, "x"), "log"},
        {TEXT_("1", KIND, TIME, LOG, "root", HEX64, "41", "T", HEX64, "", "x"), "signer"},
        {TEXT_("1", KIND, TIME, LOG, "log", "0", "41", "T", HEX64, "", "x"), "key"},
        {TEXT_("1", KIND, TIME, LOG, "log", HEX64, "0", "T", HEX64, "", "x"), "line and object"},
        {TEXT_("1", KIND, TIME, LOG, "log", HEX64, "41", "TT", HEX64, "", "x"), "line and object"},
        {TEXT_("1", KIND, TIME, LOG, "log", HEX64, "41", "T", "0", "", "x"), "sha256"},
        {TEXT_("1", KIND, TIME, LOG, "log", HEX64, "41", "T", HEX64, "0", "x"), "serial"},
        {TEXT_("1", KIND, TIME, LOG, LINE, ""), "a reason of 1 to 200"},
        {TEXT_("1", KIND, TIME, LOG, LINE, "\\u00e9"), "a reason of 1 to 200"},
        {TEXT_("1", KIND, TIME, LOG, LINE, "x\",\"more\":\"y"), "acknowledgement: "},
        {TEXT_("1", KIND, TIME, LOG, LINE, "x\",\"reason\":\"y"), "acknowledgement: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        assert_null(acknowledgement_show(span_str(rows[i].text), &e));
        if (e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].text, e.text);
        }
    }
}

static void
a_reason_has_an_end(void **state)
{
    char text[ACKNOWLEDGEMENT_REASON_MAX + 2];
    struct err e = {0};

    (void)state;
    memset(text, 'x', sizeof(text));
    text[ACKNOWLEDGEMENT_REASON_MAX + 1] = '\0';
    assert_err(acknowledgement_reason_check(text, &e), ERR_INPUT, &e);
    text[ACKNOWLEDGEMENT_REASON_MAX] = '\0';
    assert_ok(acknowledgement_reason_check(text, &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(an_officer_sees_all_of_it),
        cmocka_unit_test(what_is_not_as_it_is_written_is_refused),
        cmocka_unit_test(a_reason_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
