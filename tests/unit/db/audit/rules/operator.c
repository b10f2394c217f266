/* SPDX-License-Identifier: Apache-2.0 */
/* Who worked the CA, and with what, is said from version 6 of the record on. */
#include "db/audit/rules/operator.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/test.h"

#define H64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define I64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define TIMES "notBefore 2026-11-23T20:00:00Z notAfter 2026-11-24T20:00:00Z"
#define STAFF "rid 01 serial 02 profile officer tbs 03 " TIMES
#define NF "rid 01 serial 02 profile nf-tls tbs 03 registration 04 " TIMES
#define DECIDED                                                                                    \
    "rid 01 registration 02 decision approve officer 03 key 04 subject CN=Alice cms AAAA"
#define BEGUN "program p version 1 config 01 softwareToken ? issuer 02"

enum { AT = 1795467180 };

static struct leaf *
leaf_of(enum leaf_kind kind, const char *list)
{
    struct leaf *leaf = leaf_new(kind, AT);
    CLEANUP(mem_cleanup) char *members = mem_strdup(list);
    char *rest = members;
    const char *name;

    while ((name = strsep(&rest, " ")) != NULL) {
        const char *value = strsep(&rest, " ");

        if (value[0] == '#') {
            leaf_set_int(leaf, name, strtoll(value + 1, NULL, 10));
        } else if (value[0] == '?') {
            leaf_set_bool(leaf, name, true);
        } else {
            leaf_set_text(leaf, name, value);
        }
    }
    return leaf;
}

static const struct {
    const char *name;
    enum leaf_kind kind;
    int version;
    const char *members;
    const char *says; /* NULL: it keeps the rules */
    bool adopted;
    bool twice; /* it is the second one */
} ROWS[] = {
    {"a start of before", LEAF_START, 5, BEGUN " record #5", NULL, false, false},
    {"a start", LEAF_START, 5, BEGUN " record #6 root " H64 " logKey " H64, NULL, false, false},
    {"a start of before says more", LEAF_START, 5, BEGUN " record #5 root " H64,
     "such a START in a record of version 5", false, false},
    {"a start without root", LEAF_START, 5, BEGUN " record #6 logKey " H64,
     "does not say which root and log key", false, false},
    {"a start with half a key", LEAF_START, 6, BEGUN " record #6 root " H64 " logKey 0102",
     "does not say which root and log key", false, false},

    {"staff of before", LEAF_INTENT, 5, STAFF, NULL, false, false},
    {"staff", LEAF_INTENT, 6, STAFF " by uid", NULL, false, false},
    {"staff, and nobody asked", LEAF_INTENT, 6, STAFF,
     "the INTENT for serial 02 does not say who asked", false, false},
    {"adopted", LEAF_INTENT, 6, STAFF, NULL, true, false},
    {"a network function", LEAF_INTENT, 6, NF, NULL, false, false},
    {"a network function, and somebody asked", LEAF_INTENT, 6, NF " by uid",
     "says who asked, where nobody did", false, false},
    {"staff of before, and somebody asked", LEAF_INTENT, 5, STAFF " by uid",
     "says who asked, where nobody did", false, false},

    {"an approval of before", LEAF_APPROVAL, 5, DECIDED, NULL, false, false},
    {"an approval", LEAF_APPROVAL, 6, DECIDED " by uid", NULL, false, false},
    {"an approval from nowhere", LEAF_APPROVAL, 6, DECIDED,
     "the APPROVAL of request 01 does not say who handed it in", false, false},
    {"an approval of before says more", LEAF_APPROVAL, 5, DECIDED " by uid",
     "in a record of before", false, false},

    {"done", LEAF_OPERATION, 6, "command crl by uid outcome done", NULL, false, false},
    {"refused", LEAF_OPERATION, 6, "command crl by uid outcome refused reason r", NULL, false,
     false},
    {"refused without a reason", LEAF_OPERATION, 6, "command crl by uid outcome refused",
     "an OPERATION crl whose outcome is neither", false, false},
    {"done with a reason", LEAF_OPERATION, 6, "command crl by uid outcome done reason r",
     "an OPERATION crl whose outcome is neither", false, false},
    {"half done", LEAF_OPERATION, 6, "command crl by uid outcome half",
     "an OPERATION crl whose outcome is neither", false, false},
    {"done before", LEAF_OPERATION, 5, "command crl by uid outcome done",
     "such a OPERATION in a record of version 5", false, false},

    {"a ceremony", LEAF_CEREMONY, 6, "head " H64 " name n sha256 " H64 " type t production ?", NULL,
     false, false},
    {"another ceremony", LEAF_CEREMONY, 6, "head " I64 " name n sha256 " H64 " type t production ?",
     NULL, false, true},
    {"a ceremony twice", LEAF_CEREMONY, 6, "head " H64 " name n sha256 " H64 " type t production ?",
     "a second CEREMONY with the head " H64, false, true},
    {"a ceremony of before", LEAF_CEREMONY, 5, "head 01 name n", NULL, false, false},
    {"a ceremony of before says more", LEAF_CEREMONY, 5, "head 01 name n type t",
     "such a CEREMONY in a record of version 5", false, false},
    {"a ceremony without files", LEAF_CEREMONY, 6, "head " H64 " name n type t",
     "does not say what its bundle is", false, false},
    {"a ceremony of no type", LEAF_CEREMONY, 6, "head " H64 " name n sha256 " H64,
     "does not say what its bundle is", false, false},

    {"a clock that was set", LEAF_CLOCK, 6, "expected 2026-11-23T20:00:00Z", NULL, false, false},
    {"a clock that was set before", LEAF_CLOCK, 5, "expected 2026-11-23T20:00:00Z",
     "such a CLOCK in a record of version 5", false, false},
};

static void
it_is_said_who_worked_the_ca(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct audit_operators *o = audit_operators_new();
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_of(ROWS[i].kind, ROWS[i].members);
        struct err e = {0};
        int result;

        assert_ok(leaf_seal(leaf, &e), &e);
        if (ROWS[i].twice) {
            CLEANUP(leaf_cleanup)
            struct leaf *first =
                leaf_of(LEAF_CEREMONY, "head " H64 " name n sha256 " H64 " type t production ?");

            assert_ok(leaf_seal(first, &e), &e);
            assert_ok(audit_operators_check(o, 6, first, false, &e), &e);
        }
        result = audit_operators_check(o, ROWS[i].version, leaf, ROWS[i].adopted, &e);
        audit_operators_free(o);
        if ((result == 0) != (ROWS[i].says == NULL) ||
            (result != 0 && (e.code != ERR_CRYPTO || strstr(e.text, ROWS[i].says) == NULL))) {
            fail_msg("%s: %s", ROWS[i].name, result == 0 ? "nothing is found" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_said_who_worked_the_ca),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
