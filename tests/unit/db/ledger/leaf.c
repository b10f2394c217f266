/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/leaf.h"

#include <string.h>

#include "base/tlog/merkle.h"
#include "tests/support/test.h"

static const time_t at = 1795000000; /* 2026-11-18T11:06:40Z */

static struct leaf *
issued(void)
{
    struct leaf *leaf = leaf_new(LEAF_ISSUED, at);

    leaf_set_hex(leaf, "serial", SPAN_LITERAL("\x4a\x01"));
    leaf_set_hex(leaf, "rid", SPAN_LITERAL("\xff"));
    leaf_set_base64(leaf, "certificate", SPAN_LITERAL("DER"));
    return leaf;
}

static void
a_leaf_is_sorted_compact_json_with_its_rfc_6962_hash(void **state)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = issued();
    static const char expected[] =
        "{\"certificate\":\"REVS\",\"kind\":\"ISSUED\",\"rid\":\"ff\",\"serial\":\"4a01\","
        "\"time\":\"2026-11-18T11:06:40Z\"}";
    struct merkle_hash hash = merkle_leaf(span_str(expected));
    struct err e = {0};

    (void)state;
    assert_ok(leaf_seal(leaf, &e), &e);
    assert_int_equal(leaf_body(leaf).n, strlen(expected));
    assert_memory_equal(leaf_body(leaf).p, expected, strlen(expected));
    assert_memory_equal(leaf_hash(leaf), hash.octets, LEAF_HASH_SIZE);
    assert_ok(leaf_seal(leaf, &e), &e);
}

static void
parsing_gives_back_what_was_set(void **state)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REVOKED, at);
    CLEANUP(leaf_cleanup) struct leaf *parsed = NULL;
    struct err e = {0};

    (void)state;
    leaf_set_hex(leaf, "serial", SPAN_LITERAL("\x4a"));
    leaf_set_int(leaf, "reason", 1);
    leaf_set_text(leaf, "by", "officer \"\xc3\xa4\"\n");
    assert_ok(leaf_seal(leaf, &e), &e);
    parsed = leaf_parse(leaf_body(leaf), &e);
    assert_non_null(parsed);
    assert_int_equal(leaf_kind(parsed), LEAF_REVOKED);
    assert_true(leaf_time(parsed) == at);
    assert_string_equal(leaf_text(parsed, "by"), "officer \"\xc3\xa4\"\n");
    assert_int_equal(leaf_int(parsed, "reason", -1), 1);
    assert_int_equal(leaf_int(parsed, "nothing", -1), -1);
    assert_null(leaf_text(parsed, "revocationDate"));
    assert_memory_equal(leaf_hash(parsed), leaf_hash(leaf), LEAF_HASH_SIZE);
}

static void
a_leaf_with_a_wrong_member_is_not_sealed(void **state)
{
    struct err e = {0};
    struct leaf *leaf = issued();

    (void)state;
    leaf_set_text(leaf, "remark", "none");
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_free(leaf);

    leaf = leaf_new(LEAF_CONFIRMED, at);
    leaf_set_hex(leaf, "rid", SPAN_LITERAL("\xff"));
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "leaf CONFIRMED: member serial is missing");
    leaf_set_text(leaf, "serial", "4A");
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_set_int(leaf, "serial", 4);
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_set_text(leaf, "serial", "4a");
    assert_ok(leaf_seal(leaf, &e), &e);
    leaf_free(leaf);

    leaf = leaf_new(LEAF_STOP, at);
    leaf_set_text(leaf, "reason", "\xff not UTF-8");
    assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
    leaf_free(leaf);
}

/* ---- which members a kind has: H hex, B base64, X text, T time, I number, L true or false; what
 * may be missing is behind the bar ---- */

static const struct {
    enum leaf_kind kind;
    const char *members;
} members[] = {
    {LEAF_START,
     "program:X version:X config:H softwareToken:L issuer:H | record:I root:H logKey:H"},
    {LEAF_STOP, "reason:X |"},
    {LEAF_CONFIG, "file:X sha256:H | previous:H"},
    {LEAF_REGISTRATION,
     "registration:H sha256:H nfInstanceId:X registrar:H proof:X certificates:I notBefore:T "
     "notAfter:T | supersedes:H cms:B batch:B"},
    {LEAF_CANCEL, "registration:H | reason:X by:X registrar:H cms:B"},
    {LEAF_REQUEST,
     "rid:H registration:H profile:X assurance:X qseq:I | approvals:I head:H entry:B path:B"},
    {LEAF_REFUSAL, "rid:H failInfo:I reason:X | registration:H"},
    {LEAF_INTENT,
     "rid:H serial:H profile:X tbs:H notBefore:T notAfter:T | nfInstanceId:X registration:H "
     "assurance:X approvals:I renews:H updates:H profileFile:H messageTime:T insteadOf:H by:X"},
    {LEAF_ISSUED, "rid:H serial:H certificate:B |"},
    {LEAF_CONFIRMED, "rid:H serial:H |"},
    {LEAF_REJECTED, "rid:H serial:H reason:X | registration:H"},
    {LEAF_REVOKED,
     "serial:H reason:I | by:X revocationDate:T supersededBy:H rr:H invalidityDate:T"},
    {LEAF_CRL, "number:I sha256:H thisUpdate:T nextUpdate:T entries:I | tbs:H"},
    {LEAF_RECOVERED, "resumed:I abandoned:I | text:X"},
    {LEAF_CEREMONY, "head:H name:X | sha256:H type:X previous:H production:L by:X"},
    {LEAF_APPROVAL,
     "rid:H registration:H decision:X officer:H key:H subject:X cms:B | reason:X by:X"},
    {LEAF_AGAIN, "rid:H serial:H again:H registration:H messageTime:T qseq:I | head:H"},
    {LEAF_CRL_INTENT,
     "number:I tbs:H thisUpdate:T nextUpdate:T entries:I upTo:I revocations:H | expiredBefore:T"},
    {LEAF_QUEUE_HEAD, "head:H text:B signature:B ra:H |"},
    {LEAF_SEALED, "| pages:I rows:I"},
    {LEAF_RESTORED,
     "record:I from:I to:I root:H plan:H officer:H cms:B secondOfficer:H secondCms:B "
     "registrations:I certificates:I revocations:I crls:I abandoned:I refused:I void:I fromCrl:I | "
     "crlNumber:I crl:H adopted:I previousOrigin:X previousKey:B previousCheckpoint:B signed:I "
     "signedRoot:H"},
    {LEAF_ADOPTED, "serial:H from:X |"},
    {LEAF_ACKNOWLEDGED,
     "record:I key:H line:I object:X sha256:H reason:X plan:H officer:H cms:B secondOfficer:H "
     "secondCms:B | serial:H number:I"},
    {LEAF_RA_REPORT, "report:H text:B signature:B ra:H |"},
    {LEAF_OPERATION, "command:X by:X outcome:X | object:X reason:X untold:I"},
    {LEAF_CLOCK, "expected:T |"},
};

enum { NAME_MAX_SIZE = 32 };

struct member {
    char name[NAME_MAX_SIZE];
    char type;
    bool optional;
};

/* The member of this number in the list; false behind the end. */
static bool
member_at(const char *list, size_t number, struct member *out)
{
    out->optional = false;
    for (const char *p = list; *p != '\0'; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        if (*p == '|') {
            out->optional = true;
        } else if (*p != '\0' && number-- == 0) {
            const size_t n = strcspn(p, ":");

            memcpy(out->name, p, n);
            out->name[n] = '\0';
            out->type = p[n + 1];
            return true;
        }
    }
    return false;
}

static void
set_right(struct leaf *leaf, const struct member *m)
{
    switch (m->type) {
    case 'H':
        leaf_set_text(leaf, m->name, "00af");
        return;
    case 'B':
        leaf_set_text(leaf, m->name, "REVS");
        return;
    case 'T':
        leaf_set_time(leaf, m->name, at);
        return;
    case 'I':
        leaf_set_int(leaf, m->name, 7);
        return;
    case 'L':
        leaf_set_bool(leaf, m->name, true);
        return;
    default:
        leaf_set_text(leaf, m->name, "text");
        return;
    }
}

/* What this type is not, one after the other; false behind the last. */
static bool
set_wrong(struct leaf *leaf, const struct member *m, size_t which)
{
    static const struct {
        char type;
        const char *text; /* NULL: a number; "": true */
    } rows[] = {
        {'H', "a"},    {'H', "AB"},    {'H', "0g"},
        {'H', "abc"},  {'H', ""},      {'H', NULL},
        {'B', "REV"},  {'B', "RE*S"},  {'B', "=="},
        {'B', "R==="}, {'B', "RES=="}, {'B', "RES=RES="},
        {'B', "RE S"}, {'B', "RR=="}, /* spare bits are set */
        {'B', "RET="}, {'B', ""},      {'B', NULL},
        {'T', "now"},  {'T', ""},      {'T', "2026-11-18T11:06:40"},
        {'T', NULL},   {'I', "7"},     {'I', ""},
        {'L', "true"}, {'L', NULL},    {'X', NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].type == m->type && which-- == 0) {
            if (rows[i].text == NULL) {
                leaf_set_int(leaf, m->name, 1);
            } else {
                leaf_set_text(leaf, m->name, rows[i].text);
            }
            return true;
        }
    }
    return false;
}

/* A leaf of this kind with what it must have, but for the member `left_out` (or none). */
static struct leaf *
full(size_t kind, const struct member *left_out, bool with_optional)
{
    struct leaf *leaf = leaf_new(members[kind].kind, at);
    struct member m;

    for (size_t i = 0; member_at(members[kind].members, i, &m); i++) {
        if ((left_out == NULL || strcmp(left_out->name, m.name) != 0) &&
            (with_optional || !m.optional)) {
            set_right(leaf, &m);
        }
    }
    return leaf;
}

static void
says(struct leaf *leaf, const char *row, const char *reason)
{
    struct err e = {0};
    const int result = leaf_seal(leaf, &e);

    leaf_free(leaf);
    if (reason == NULL ? result != 0
                       : result == 0 || e.code != ERR_INPUT || strstr(e.text, reason) == NULL) {
        fail_msg("%s: %d \"%s\"", row, result, e.text);
    }
}

static void
each_kind_has_its_members_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(members), LEAF_KINDS);
    for (size_t kind = 0; kind < ARRAY_LEN(members); kind++) {
        const char *name = leaf_kind_name(members[kind].kind);
        struct member m;
        struct leaf *leaf;

        says(full(kind, NULL, false), name, NULL);
        says(full(kind, NULL, true), name, NULL);
        leaf = full(kind, NULL, true);
        leaf_set_text(leaf, "remark", "none");
        says(leaf, name, "a member that the kind does not have");
        for (size_t i = 0; member_at(members[kind].members, i, &m); i++) {
            CLEANUP(mem_cleanup) char *missing = mem_printf("member %s is missing", m.name);
            CLEANUP(mem_cleanup) char *form = mem_printf("member %s has another form", m.name);
            CLEANUP(mem_cleanup) char *row = mem_printf("%s.%s", name, m.name);

            says(full(kind, &m, true), row, m.optional ? NULL : missing);
            for (size_t which = 0;; which++) {
                leaf = full(kind, &m, true);
                if (!set_wrong(leaf, &m, which)) {
                    leaf_free(leaf);
                    break;
                }
                says(leaf, row, form);
            }
        }
    }
}

/* Octets behind a NUL are not left out in silence: no text has one. */
static void
text_with_a_nul_in_it_is_no_json(void **state)
{
    static const char *const rows[] = {
        "{\"kind\":\"STOP\",\"reason\":\"a\\u0000b\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"CONFIRMED\",\"rid\":\"00\\u0000\",\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"certificate\":\"REVS\\u0000\",\"kind\":\"ISSUED\",\"rid\":\"00\","
        "\"serial\":\"00\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"REVOKED\",\"reason\":1,\"revocationDate\":\"2026-11-18T11:06:40Z\\u0000\","
        "\"serial\":\"00\",\"time\":\"2026-11-18T11:06:40Z\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        assert_null(leaf_parse(span_str(rows[i]), &e));
        if (e.code != ERR_INPUT || strstr(e.text, "not a JSON object: \\u0000") == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

/* Each number of octets that a group can have. */
static void
base64_has_one_text_for_its_octets(void **state)
{
    static const char *const rows[] = {"RA==", "REU=", "REVS", "+/+/", "REVSRA=="};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct leaf *leaf = leaf_new(LEAF_ISSUED, at);

        leaf_set_hex(leaf, "rid", SPAN_LITERAL("\x01"));
        leaf_set_hex(leaf, "serial", SPAN_LITERAL("\x02"));
        leaf_set_text(leaf, "certificate", rows[i]);
        says(leaf, rows[i], NULL);
    }
}

static void
a_leaf_that_is_too_long_is_not_sealed(void **state)
{
    CLEANUP(mem_cleanup) char *text = mem_zalloc(LEAF_MAX + 1, 1);
    struct err e = {0};

    (void)state;
    memset(text, 'x', LEAF_MAX);
    for (size_t over = 0; over <= 1; over++) {
        static const char around[] =
            "{\"kind\":\"STOP\",\"reason\":\"\",\"time\":\"2026-11-18T11:06:40Z\"}";
        const size_t n = LEAF_MAX - (sizeof(around) - 1) + over;
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_STOP, at);

        text[n] = '\0';
        leaf_set_text(leaf, "reason", text);
        text[n] = 'x';
        if (over == 0) {
            assert_ok(leaf_seal(leaf, &e), &e);
            assert_int_equal(leaf_body(leaf).n, LEAF_MAX);
        } else {
            assert_err(leaf_seal(leaf, &e), ERR_INPUT, &e);
            assert_string_equal(e.text, "leaf STOP: 65536 octets, allowed are 65535");
        }
    }
}

static void
anything_but_the_canonical_form_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"} ",
        "{\"kind\":\"STOP\", \"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"reason\":\"x\",\"kind\":\"STOP\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"\\u0078\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"\xc3\xa4\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18 11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-13-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"x\"}",
        "{\"kind\":\"STOP\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"stop\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":1,\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"kind\":\"STOP\",\"reason\":\"a\\u0000b\",\"time\":\"2026-11-18T11:06:40Z\"}",
        /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): long rows are in two parts */
        "{\"kind\":\"CONFIRMED\",\"rid\":\"0\",\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"certificate\":\"REV\",\"kind\":\"ISSUED\",\"rid\":\"00\",\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
        "{\"by\":\"x\",\"kind\":\"REVOKED\",\"reason\":1.0,\"serial\":\"00\","
        "\"time\":\"2026-11-18T11:06:40Z\"}",
    };
    static const char good[] =
        "{\"kind\":\"STOP\",\"reason\":\"x\",\"time\":\"2026-11-18T11:06:40Z\"}";
    struct err e = {0};
    struct leaf *leaf = leaf_parse(span_str(good), &e);

    (void)state;
    assert_non_null(leaf);
    leaf_free(leaf);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        e = (struct err){0};
        leaf = leaf_parse(span_str(rows[i]), &e);
        if (leaf != NULL || e.code != ERR_INPUT) {
            fail_msg("%s was taken for a leaf", rows[i]);
        }
    }
}

static void
every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEAF_KINDS; i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(leaf_kind_name((enum leaf_kind)i),
                                    leaf_kind_name((enum leaf_kind)j));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_sorted_compact_json_with_its_rfc_6962_hash),
        cmocka_unit_test(parsing_gives_back_what_was_set),
        cmocka_unit_test(a_leaf_with_a_wrong_member_is_not_sealed),
        cmocka_unit_test(each_kind_has_its_members_and_no_other),
        cmocka_unit_test(text_with_a_nul_in_it_is_no_json),
        cmocka_unit_test(base64_has_one_text_for_its_octets),
        cmocka_unit_test(a_leaf_that_is_too_long_is_not_sealed),
        cmocka_unit_test(anything_but_the_canonical_form_is_refused),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
