/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA claims that an RA said of itself: each thing of it wrong in turn. */
#include "db/audit/rules/reported.h"

#include <string.h>

#include "base/tlog/ra_report.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/rules/ra.h"

#define CA "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OTHER_CA "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

enum { AT = 1795467180, NOW_VERSION = 6 };

static struct audit_ra w; /* the RA that speaks */
static EVP_PKEY *other_key;

static int
setup(void **state)
{
    (void)state;
    w = audit_ra_new(EVP_EC_gen("P-384"), 0x41424344, AT - 100, AT + 1000);
    other_key = EVP_EC_gen("P-384");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    audit_ra_end(&w);
    EVP_PKEY_free(other_key);
    return 0;
}

struct row {
    const char *name;
    const char *says;    /* NULL: nothing is wrong */
    const char *profile; /* of the RA's certificate; NULL: right */
    const char *ca;      /* that it is for */
    const char *text;    /* in place of the text */
    time_t at;           /* of the leaf, since AT */
    int version;         /* of the record; 0: 6 */
    bool other_key;      /* is named */
    bool other_signer;
    bool other_name; /* the leaf has the hash of another text */
    bool revoked;
};

static int
note(struct audit_reported *a, int version, struct leaf *made, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = made;

    assert_ok(leaf_seal(leaf, e), e);
    return audit_reported_check(a, version, leaf, e);
}

static void
begin(struct audit_reported *a, const struct row *r)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct leaf *leaf = leaf_new(LEAF_START, AT);
    struct err e = {0};

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", CA);
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_text(leaf, "issuer", CA);
    assert_ok(note(a, NOW_VERSION, leaf, &e), &e);
    leaf = leaf_new(LEAF_INTENT, AT);
    leaf_set_text(leaf, "rid", CA);
    leaf_set_text(leaf, "serial", w.serial);
    leaf_set_text(leaf, "profile", r->profile != NULL ? r->profile : "ra-cmp");
    leaf_set_text(leaf, "tbs", CA);
    leaf_set_time(leaf, "notBefore", AT);
    leaf_set_time(leaf, "notAfter", AT + 1000);
    assert_ok(note(a, NOW_VERSION, leaf, &e), &e);
    leaf = leaf_new(LEAF_ISSUED, AT);
    assert_ok(OSSL_ENCODE(X509, w.certificate, &der, &e), &e);
    leaf_set_text(leaf, "rid", CA);
    leaf_set_text(leaf, "serial", w.serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    assert_ok(note(a, NOW_VERSION, leaf, &e), &e);
    if (r->revoked) {
        leaf = leaf_new(LEAF_REVOKED, AT);
        leaf_set_text(leaf, "serial", w.serial);
        leaf_set_int(leaf, "reason", 1);
        assert_ok(note(a, NOW_VERSION, leaf, &e), &e);
    }
}

static uint8_t last[SHA256_SIZE]; /* of what was said last */

/* Behind `previous`: its hash; NULL: behind nothing. */
static int
says(struct audit_reported *a, const struct row *r, uint64_t number, const uint8_t *previous,
     const char *lines, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    struct ra_report said = {.number = number, .from = AT, .to = AT};
    struct leaf *leaf = leaf_new(LEAF_RA_REPORT, AT + r->at);
    uint8_t hash[SHA256_SIZE];

    memcpy(said.ra, w.key_hash, sizeof(said.ra));
    said.ra[0] ^= r->other_key ? 1 : 0;
    assert_ok(hex_parse(r->ca != NULL ? r->ca : CA, said.ca, sizeof(said.ca), e), e);
    if (previous != NULL) {
        memcpy(said.previous, previous, sizeof(said.previous));
    }
    assert_ok(ra_report_format(&said, span_str(lines), &text, e), e);
    if (r->text != NULL) {
        assert_ok(buf_set(&text, span_str(r->text), e), e);
    }
    assert_ok(sha256(buf_span(&text), hash, e), e);
    memcpy(last, hash, sizeof(last));
    hash[0] ^= r->other_name ? 1 : 0;
    leaf_set_hex(leaf, "report", span_of(hash, sizeof(hash)));
    leaf_set_base64(leaf, "text", buf_span(&text));
    leaf_set_text(leaf, "ra", w.serial);
    audit_ra_sign(r->other_signer ? other_key : w.key, false, buf_span(&text), leaf);
    return note(a, r->version != 0 ? r->version : NOW_VERSION, leaf, e);
}

static int
report(struct audit_reported *a, const struct row *r, uint64_t number, struct err *e)
{
    return says(a, r, number, NULL, "others 1 2\n", e);
}

static const struct row ROWS[] = {
    {.name = "right"},
    {.name = "in a record of before", .version = 5, .says = "a RA-REPORT in a record of version 5"},
    {.name = "one that is none", .text = "no report", .says = "a RA-REPORT that is none: "},
    {.name = "under another name",
     .other_name = true,
     .says = "a RA-REPORT under the name of another text"},
    {.name = "by a registrar",
     .profile = "registrar",
     .says = "a RA-REPORT by serial 41424344, which is no RA then"},
    {.name = "by one that is revoked", .revoked = true, .says = ", which is no RA then"},
    {.name = "before its certificate", .at = -101, .says = ", which is no RA then"},
    {.name = "after its certificate", .at = 1001, .says = ", which is no RA then"},
    {.name = "for another CA", .ca = OTHER_CA, .says = "that is meant for another CA"},
    {.name = "of another key", .other_key = true, .says = "that names another key"},
    {.name = "signed by another key",
     .other_signer = true,
     .says = "whose signature does not verify"},
};

static void
what_the_ra_did_not_sign_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const struct row *r = &ROWS[i];
        struct audit_reported *a = audit_reported_new();
        struct err e = {0};
        int result;

        begin(a, r);
        result = report(a, r, 1, &e);
        audit_reported_free(a);
        if ((result == 0) != (r->says == NULL) ||
            (result != 0 && (e.code != ERR_CRYPTO || strstr(e.text, r->says) == NULL))) {
            fail_msg("%s: %s", r->name, result == 0 ? "nothing is found" : e.text);
        }
    }
}

static void
a_number_that_comes_again_is_counted(void **state)
{
    struct audit_reported *a = audit_reported_new();
    const struct row r = {0};
    struct err e = {0};

    (void)state;
    begin(a, &r);
    assert_ok(report(a, &r, 1, &e), &e);
    assert_ok(report(a, &r, 3, &e), &e); /* one got lost */
    assert_int_equal(audit_reported_twice(a), 0);
    assert_ok(report(a, &r, 3, &e), &e);
    assert_ok(report(a, &r, 1, &e), &e);
    assert_ok(report(a, &r, 2, &e), &e);
    assert_int_equal(audit_reported_twice(a), 2);
    audit_reported_free(a);
}

#define BEGINS "start 2026-11-24T00:00:00Z 1.0 " CA " " CA "\n"
#define GOES_ON "others 1 2\n"

static void
a_report_that_is_missing_is_counted(void **state)
{
    static const struct {
        enum { NOTHING, LAST, ANOTHER } behind;
        const char *lines;
        size_t missing; /* with it */
    } rows[] = {
        {ANOTHER, GOES_ON, 0}, /* the first of the key in this record */
        {LAST, GOES_ON, 0},    {ANOTHER, GOES_ON, 1},
        {LAST, GOES_ON, 1},    {NOTHING, BEGINS GOES_ON, 1}, /* it started again */
        {LAST, GOES_ON, 1},    {NOTHING, GOES_ON, 2}, /* without the one that had the start */
        {ANOTHER, BEGINS, 3},
    };
    struct audit_reported *a = audit_reported_new();
    const struct row r = {0};
    const uint8_t another[SHA256_SIZE] = {1};

    (void)state;
    begin(a, &r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint8_t *const previous[] = {NULL, last, another};
        struct err e = {0};

        assert_ok(says(a, &r, i + 1, previous[rows[i].behind], rows[i].lines, &e), &e);
        if (audit_reported_missing(a) != rows[i].missing) {
            fail_msg("row %zu: %zu", i, audit_reported_missing(a));
        }
    }
    assert_int_equal(audit_reported_twice(a), 0);
    audit_reported_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_ra_did_not_sign_is_found),
        cmocka_unit_test(a_number_that_comes_again_is_counted),
        cmocka_unit_test(a_report_that_is_missing_is_counted),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
