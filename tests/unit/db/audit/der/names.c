/* SPDX-License-Identifier: Apache-2.0 */
/* Of whom a certificate says that it is, whatever others wrote there. */
#include "db/audit/der/names.h"

#include <string.h>

#include "tests/support/der_text.h"
#include "tests/support/test.h"

enum { DER_MAX = 4096, TEXT_MAX = 2048 };

static int
collect(void *arg, const char *type, const char *value, struct err *e)
{
    char *all = arg;
    const size_t n = strlen(all);

    (void)e;
    (void)snprintf(all + n, TEXT_MAX - n, "%s=%s;", type, value);
    return 0;
}

/* CN of these octets (UTF8String) in the subject. */
#define CN(text) "30{ 31{ 30{ 06{ 55 04 03 } 0c{ " text " } } } }"
#define SAN(names) "a3{ 30{ 30{ 06{ 55 1d 11 } 04{ 30{ " names " } } } } }"
#define OTHER_EXTENSION "30{ 06{ 55 1d 0f } 01{ ff } 04{ 03{ 07 80 } } }"

static void
names_are_text_that_drives_no_terminal(void **state)
{
    static const struct {
        const char *subject;
        const char *rest;
        const char *wanted;
        const char *rfc2253; /* NULL: it is no Name */
        bool whole;
    } rows[] = {
        {CN("'amf1'"), SAN("82{ 'amf1.example' } 86{ 'urn:uuid:1' }"),
         "CN=amf1;DNS=amf1.example;URI=urn:uuid:1;", "CN=amf1", true},
        {CN("'a'"), "", "CN=a;", "CN=a", true},
        {"30{ }", SAN("81{ 'a@example' } 87{ 0a 00 00 01 } 87{ 20 01 *15 01 } 88{ 2a 03 }"),
         "email=a@example;IP=10.0.0.1;IP=2001010101010101010101010101010101;other=88022a03;", "",
         true},
        {CN("'a' 1b 'x' e2 80 ae"), SAN("82{ 'a' 00 '.evil' } 82{ ff }"),
         "CN=a\\x1bx\\xe2\\x80\\xae;DNS=a\\x00.evil;DNS=\\xff;", "CN=a\\1Bx\\E2\\80\\AE", true},
        {CN("'a'"), "81{ 00 } 82{ 00 } a3{ 30{ " OTHER_EXTENSION " } }", "CN=a;", "CN=a", true},
        {CN("'a'"), "a3{ 30{ " OTHER_EXTENSION " } 00 }", "CN=a;", "CN=a", false},
        {CN("'a'"), "a3{ 30{ 04{ } } }", "CN=a;", "CN=a", false},
        {CN("'a'"), "a3{ 30{ 30{ 06{ 55 1d 11 } 04{ 31{ } } } } }", "CN=a;", "CN=a", false},
        {CN("'a'"), SAN("82{ 'b' } 82 05 'c'"), "CN=a;DNS=b;", "CN=a", false},
        {"30{ 31 }", SAN("82{ 'b' }"), "DNS=b;", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf subject = BUF_INIT(DER_MAX);
        CLEANUP(buf_free) struct buf rest = BUF_INIT(DER_MAX);
        CLEANUP(mem_cleanup) char *shown = NULL;
        struct audit_outline o = {0};
        char all[TEXT_MAX] = "";
        struct err e = {0};
        bool whole;

        der_text(rows[i].subject, &subject);
        der_text(rows[i].rest, &rest);
        o.subject = buf_span(&subject);
        o.rest = buf_span(&rest);
        assert_ok(audit_names_read(&o, collect, all, &whole, &e), &e);
        if (strcmp(all, rows[i].wanted) != 0 || whole != rows[i].whole) {
            fail_msg("%s %s: %s, %d", rows[i].subject, rows[i].rest, all, (int)whole);
        }
        shown = audit_names_subject(&o);
        if (rows[i].rfc2253 == NULL) {
            assert_null(shown);
        } else {
            assert_string_equal(shown, rows[i].rfc2253);
        }
    }
}

static int
refuse(void *arg, const char *type, const char *value, struct err *e)
{
    (void)arg;
    (void)type;
    (void)value;
    return err_set(e, ERR_STORE, "full");
}

static void
who_is_told_can_end_it(void **state)
{
    CLEANUP(buf_free) struct buf subject = BUF_INIT(DER_MAX);
    CLEANUP(buf_free) struct buf rest = BUF_INIT(DER_MAX);
    struct audit_outline o = {0};
    struct err e = {0};
    bool whole;

    (void)state;
    der_text("30{ }", &subject);
    der_text(SAN("82{ 'b' }"), &rest);
    o.subject = buf_span(&subject);
    o.rest = buf_span(&rest);
    assert_err(audit_names_read(&o, refuse, NULL, &whole, &e), ERR_STORE, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_text_that_drives_no_terminal),
        cmocka_unit_test(who_is_told_can_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
