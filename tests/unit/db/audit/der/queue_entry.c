/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/queue_entry.h"

#include <string.h>

#include "tests/support/der_text.h"
#include "tests/support/test.h"

#define ID "'0123456789abcdef0123456789abcdef'"
#define HEAD "0c{" ID "}0a{00}0c{'nf-tls'}"
#define TIME "18{'20261123205251Z'}"
#define RID "04{ab*32}"

static void
only_an_entry_is_read(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        bool is_one;
    } rows[] = {
        {"right", "30{" HEAD TIME RID "}", true},
        {"signature", "30{0c{" ID "}0a{01}0c{'nf-tls'}" TIME RID "}", true},
        {"the longest", "30{0c{" ID "}0a{01}0c{61*63}" TIME RID "}", true},
        {"nothing", "", false},
        {"a SET", "31{" HEAD TIME RID "}", false},
        {"an octet behind", "30{" HEAD TIME RID "}00", false},
        {"an element more", "30{" HEAD TIME RID "0500}", false},
        {"a length in two octets that needs one", "308160" HEAD TIME RID, false},
        {"a length that is longer than it", "307f" HEAD TIME RID, false},
        {"a length in three octets", "30820060" HEAD TIME RID, false},
        {"a length without its octet", "3081", false},
        {"of 256 octets", "30{" HEAD TIME RID "04{00*157}}", false},
        {"no rid", "30{" HEAD TIME "}", false},
        {"rid of 31 octets", "30{" HEAD TIME "04{ab*31}}", false},
        {"rid of 33 octets", "30{" HEAD TIME "04{ab*33}}", false},
        {"assurance 2", "30{0c{" ID "}0a{02}0c{'nf-tls'}" TIME RID "}", false},
        {"assurance of two octets", "30{0c{" ID "}0a{0001}0c{'nf-tls'}" TIME RID "}", false},
        {"assurance an INTEGER", "30{0c{" ID "}02{00}0c{'nf-tls'}" TIME RID "}", false},
        {"a NUL in the registration", "30{0c{'0123' 00 '4567'}0a{00}0c{'nf-tls'}" TIME RID "}",
         false},
        {"a blank in the profile", "30{0c{" ID "}0a{00}0c{'nf tls'}" TIME RID "}", false},
        {"no Z", "30{" HEAD "18{'20261123205251'}" RID "}", false},
        {"another letter", "30{" HEAD "18{'20261123205251z'}" RID "}", false},
        {"an hour that is none", "30{" HEAD "18{'20261123305251Z'}" RID "}", false},
        {"a fraction", "30{" HEAD "18{'20261123205251.1Z'}" RID "}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(1024);
        struct audit_entry entry;
        struct err e = {0};
        int result;

        der_text(rows[i].text, &der);
        result = audit_entry_read(buf_span(&der), &entry, &e);
        if ((result == 0) != rows[i].is_one || (result != 0 && e.code != ERR_CRYPTO)) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "read" : e.text);
        }
    }
}

static void
it_says_what_is_in_it(void **state)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(1024);
    struct audit_entry entry;
    struct err e = {0};

    (void)state;
    der_text("30{" HEAD TIME RID "}", &der);
    assert_ok(audit_entry_read(buf_span(&der), &entry, &e), &e);
    assert_string_equal(entry.registration, "0123456789abcdef0123456789abcdef");
    assert_string_equal(entry.profile, "nf-tls");
    assert_string_equal(entry.assurance, "mac");
    assert_int_equal(entry.received, 1795467171);
    assert_string_equal(entry.rid,
                        "abababababababababababababababababababababababababababababababab");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_entry_is_read),
        cmocka_unit_test(it_says_what_is_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
