/* SPDX-License-Identifier: Apache-2.0 */
/* Which kinds of object a policy allows at all, and how large they may be. */
#include "tests/support/test.h"

#include "pkcs11/signer/object.h"

#include <string.h>

#include "base/tlog/ra_report.h"
#include "tests/unit/pkcs11/signer/scene.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

#define NONE span_of(NULL, 0)
#define NOT_DER SPAN_LITERAL("\xff")

static int
check(const struct policy *p, uint8_t kind, struct span tbs, struct err *e)
{
    struct tree_head out = {0};

    return object_check(p, kind, tbs, NONE, NULL, &out, e);
}

/* Each kind under each purpose; "not DER" and the like say that the kind was let in. */
static void
each_kind_needs_the_policy_that_allows_it(void **state)
{
    static const struct {
        const char *name;
        enum policy_purpose purpose;
        bool certificates, crls, seals;
        uint8_t kind;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"certificate", POLICY_CERTIFICATE_AUTHORITY, true, false, false, 'T', ERR_INPUT,
         "not DER"},
        {"certificate, CRLs only", POLICY_CERTIFICATE_AUTHORITY, false, true, true, 'T', ERR_DENIED,
         "objects: the policy of this signer has no certificate, so"},
        {"certificate, log", POLICY_LOG, true, true, true, 'T', ERR_DENIED, "sign certificates"},
        {"certificate, CMP", POLICY_CMP, true, true, true, 'T', ERR_DENIED, "sign certificates"},
        {"certificate, self-test", POLICY_SELF_TEST, true, true, true, 'T', ERR_DENIED,
         "sign certificates"},
        {"CRL", POLICY_CERTIFICATE_AUTHORITY, false, true, false, 'L', ERR_INPUT, "not DER"},
        {"CRL, certificates only", POLICY_CERTIFICATE_AUTHORITY, true, false, true, 'L', ERR_DENIED,
         "objects: the policy of this signer has no crl, so it does not sign CRLs"},
        {"CRL, log", POLICY_LOG, true, true, true, 'L', ERR_DENIED, "sign CRLs"},
        {"CRL, CMP", POLICY_CMP, true, true, true, 'L', ERR_DENIED, "sign CRLs"},
        {"CRL, self-test", POLICY_SELF_TEST, true, true, true, 'L', ERR_DENIED, "sign CRLs"},
        {"checkpoint", POLICY_LOG, false, false, false, 'K', ERR_INPUT, "checkpoint: "},
        {"checkpoint, authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'K', ERR_DENIED,
         "sign checkpoints"},
        {"checkpoint, CMP", POLICY_CMP, true, true, true, 'K', ERR_DENIED, "sign checkpoints"},
        {"checkpoint, self-test", POLICY_SELF_TEST, true, true, true, 'K', ERR_DENIED,
         "sign checkpoints"},
        {"CMP", POLICY_CMP, false, false, false, 'P', ERR_INPUT, "not DER"},
        {"CMP, authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'P', ERR_DENIED,
         "sign CMP messages"},
        {"CMP, log", POLICY_LOG, true, true, true, 'P', ERR_DENIED, "sign CMP messages"},
        {"CMP, self-test", POLICY_SELF_TEST, true, true, true, 'P', ERR_DENIED,
         "sign CMP messages"},
        {"report", POLICY_CMP, true, false, false, 'R', ERR_INPUT, "report: "},
        {"report, not named", POLICY_CMP, false, true, true, 'R', ERR_DENIED,
         "queue_heads: the policy of this signer does not say true"},
        {"report, authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'R', ERR_DENIED,
         "sign heads of a queue"},
        {"report, log", POLICY_LOG, true, true, true, 'R', ERR_DENIED, "sign heads of a queue"},
        {"report, self-test", POLICY_SELF_TEST, true, true, true, 'R', ERR_DENIED,
         "sign heads of a queue"},
        {"head", POLICY_CMP, true, false, false, 'Q', ERR_INPUT, "queue head: "},
        {"head, not named", POLICY_CMP, false, true, true, 'Q', ERR_DENIED,
         "queue_heads: the policy of this signer does not say true"},
        {"head, authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'Q', ERR_DENIED,
         "sign heads of a queue"},
        {"head, log", POLICY_LOG, true, true, true, 'Q', ERR_DENIED, "sign heads of a queue"},
        {"head, self-test", POLICY_SELF_TEST, true, true, true, 'Q', ERR_DENIED,
         "sign heads of a queue"},
        {"seal, no section", POLICY_CMP, true, true, false, 'S', ERR_DENIED, "no section seal"},
        {"seal, another text", POLICY_CMP, false, false, true, 'S', ERR_DENIED,
         "a MAC over another"},
        {"seal of a log, no section", POLICY_LOG, true, true, false, 'S', ERR_DENIED,
         "no section seal"},
        {"seal of a log, another text", POLICY_LOG, false, false, true, 'S', ERR_DENIED,
         "a MAC over another"},
        {"seal of an authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'S', ERR_DENIED,
         "a MAC over another"},
        {"last, another question", POLICY_LOG, false, false, false, 'Z', ERR_DENIED,
         "another question than what was signed last"},
        {"last, authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'Z', ERR_DENIED,
         "is no log's"},
        {"last, CMP", POLICY_CMP, true, true, true, 'Z', ERR_DENIED, "is no log's"},
        {"last, self-test", POLICY_SELF_TEST, true, true, true, 'Z', ERR_DENIED, "is no log's"},
        {"anchor, another text", POLICY_LOG, true, false, false, 'A', ERR_DENIED,
         "another text than that what was signed last is committed"},
        {"anchor, none", POLICY_LOG, false, true, true, 'A', ERR_DENIED,
         "anchor: the policy of this signer says none"},
        {"anchor, authority", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'A', ERR_DENIED,
         "is no log's"},
        {"anchor, CMP", POLICY_CMP, true, true, true, 'A', ERR_DENIED, "is no log's"},
        {"anchor, self-test", POLICY_SELF_TEST, true, true, true, 'A', ERR_DENIED, "is no log's"},
        {"journal, no line's number", POLICY_CMP, false, false, false, 'Y', ERR_INPUT,
         "not the number of a line"},
        {"no kind", POLICY_CMP, true, true, true, 0, ERR_INPUT, "an object of unknown kind 0x00"},
        {"another kind", POLICY_CERTIFICATE_AUTHORITY, true, true, true, 'X', ERR_INPUT,
         "an object of unknown kind 0x58"},
    };
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(policy_cleanup) struct policy *p = scene_policy(rows[i].purpose);
        struct err e = {0};

        p->certificates = rows[i].certificates;
        p->queue_heads = rows[i].certificates; /* of another purpose, */
        p->anchors = rows[i].certificates;     /* and of a third */
        p->crls = rows[i].crls;
        p->seals = rows[i].seals;
        good += scene_expect(rows[i].name, check(p, rows[i].kind, NOT_DER, &e), &e, rows[i].code,
                             rows[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

static void
each_kind_has_its_limit(void **state)
{
    static const struct {
        const char *name;
        enum policy_purpose purpose;
        uint8_t kind;
        size_t max;
    } rows[] = {
        {"certificate", POLICY_CERTIFICATE_AUTHORITY, 'T', 16UL * 1024},
        {"CRL", POLICY_CERTIFICATE_AUTHORITY, 'L', 16UL * 1024 * 1024},
        {"checkpoint", POLICY_LOG, 'K', 1024},
        {"CMP", POLICY_CMP, 'P', 128UL * 1024},
        {"head", POLICY_CMP, 'Q', 512},
        {"report", POLICY_CMP, 'R', 24UL * 1024},
    };
    uint8_t *octets = mem_zalloc(16UL * 1024 * 1024 + 1, 1);
    size_t good = 0;

    (void)state;
    memset(octets, 0xff, 16UL * 1024 * 1024 + 1); /* nothing's beginning */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(policy_cleanup) struct policy *p = scene_policy(rows[i].purpose);
        CLEANUP(mem_cleanup)
        char *none = mem_printf("an object of 0 octets, allowed are 1 to %zu", rows[i].max);
        CLEANUP(mem_cleanup)
        char *over = mem_printf("an object of %zu octets, allowed are 1 to %zu", rows[i].max + 1,
                                rows[i].max);
        const char *within = rows[i].kind == 'K'   ? "checkpoint: "
                             : rows[i].kind == 'Q' ? "queue head: "
                             : rows[i].kind == 'R' ? "report: "
                                                   : "not DER";
        struct err e = {0};

        p->queue_heads = true;
        good += scene_expect(rows[i].name, check(p, rows[i].kind, span_of(octets, 0), &e), &e,
                             ERR_INPUT, none);
        good += scene_expect(rows[i].name, check(p, rows[i].kind, span_of(octets, 1), &e), &e,
                             ERR_INPUT, within);
        good += scene_expect(rows[i].name, check(p, rows[i].kind, span_of(octets, rows[i].max), &e),
                             &e, ERR_INPUT, within);
        good +=
            scene_expect(rows[i].name, check(p, rows[i].kind, span_of(octets, rows[i].max + 1), &e),
                         &e, ERR_INPUT, over);
    }
    mem_free(octets);
    assert_int_equal(good, 4 * ARRAY_LEN(rows));
}

static void
what_is_right_is_let_through_and_what_the_checker_says_is_heard(void **state)
{
    CLEANUP(policy_cleanup) struct policy *authority = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    CLEANUP(policy_cleanup) struct policy *log = scene_policy(POLICY_LOG);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    const struct scene_certificate right = {0};
    /* The empty tree: its root is the SHA-256 of nothing. */
    const struct span text =
        SPAN_LITERAL("log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    const struct span nothing = span_of("\0\0\0\0\0\0\0", 8);
    const struct tree_head last = {.size = 8};
    struct tree_head out = {0};
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    struct scene_log ledger;
    struct err e = {0};

    (void)state;
    scene_certificate(&right, &tbs);
    scene_log_begin(&ledger, SCENE_LOG_ORIGIN);
    scene_log_announce(&ledger, buf_span(&tbs), &evidence);
    assert_ok(log_key_set(&authority->log, SCENE_LOG_ORIGIN,
                          span_of(ledger.pinned.spki, ledger.pinned.spki_n), &e),
              &e);
    scene_log_end(&ledger);
    assert_ok(object_check(authority, 'T', buf_span(&tbs), buf_span(&evidence), NULL, &out, &e),
              &e);
    assert_err(check(authority, 'T', buf_span(&tbs), &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "evidence: not a checkpoint"));
    assert_ok(object_check(log, 'K', text, nothing, NULL, &out, &e), &e);
    assert_int_equal(out.size, 0);
    assert_err(object_check(log, 'K', text, nothing, &last, &out, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "roll-back"));
}

/* What an RA says of itself is said by the key that it names, and by no other RA's. */
static void
a_report_is_of_the_key_that_signs_it(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CMP);
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    struct ra_report said = {.number = 1, .from = 1000, .to = 2000};
    struct err e = {0};

    (void)state;
    p->queue_heads = true;
    assert_ok(sha256(buf_span(&p->spki), said.ra, &e), &e);
    assert_ok(ra_report_format(&said, SPAN_LITERAL("others 3 2\n"), &text, &e), &e);
    assert_ok(check(p, SIGNER_RA_REPORT, buf_span(&text), &e), &e);
    said.ra[RA_REPORT_ID - 1] ^= 1;
    assert_ok(ra_report_format(&said, SPAN_LITERAL("others 3 2\n"), &text, &e), &e);
    assert_err(check(p, SIGNER_RA_REPORT, buf_span(&text), &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "report: ra is not the key of this signer"));
}

static void
evidence_goes_with_what_is_in_the_ledger_only(void **state)
{
    static const struct {
        const char *name;
        enum policy_purpose purpose;
        uint8_t kind;
    } rows[] = {
        {"CMP", POLICY_CMP, 'P'},           {"seal", POLICY_CMP, 'S'},
        {"seal of a log", POLICY_LOG, 'S'}, {"head", POLICY_CMP, 'Q'},
        {"report", POLICY_CMP, 'R'},        {"last", POLICY_LOG, 'Z'},
        {"anchor", POLICY_LOG, 'A'},        {"journal", POLICY_CERTIFICATE_AUTHORITY, 'Y'},
    };
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(policy_cleanup) struct policy *p = scene_policy(rows[i].purpose);
        struct tree_head out = {0};
        struct err e = {0};

        p->seals = true;
        good += scene_expect(
            rows[i].name, object_check(p, rows[i].kind, NOT_DER, SPAN_LITERAL("e"), NULL, &out, &e),
            &e, ERR_INPUT, "evidence of 1 octets, where none belongs");
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

struct seal_row {
    const char *name;
    const char *text;
    const char *reason;
};

static void
expect_seals(enum policy_purpose purpose, const struct seal_row *rows, size_t n)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(purpose);
    size_t good = 0;

    p->seals = true;
    for (size_t i = 0; i < n; i++) {
        struct err e = {0};

        good += scene_expect(rows[i].name, check(p, SIGNER_SEAL, span_str(rows[i].text), &e), &e,
                             ERR_DENIED, rows[i].reason);
    }
    assert_int_equal(good, n);
}

static void
the_seal_is_over_one_text_each(void **state)
{
    static const struct seal_row rows[] = {
        {"right", "nfpki-ra: key that seals one-time secrets, 1\n", NULL},
        {"nothing", "", "a MAC over another text"},
        {"no line break", "nfpki-ra: key that seals one-time secrets, 1",
         "a MAC over another text"},
        {"more", "nfpki-ra: key that seals one-time secrets, 1\n\n", "a MAC over another text"},
        {"another number", "nfpki-ra: key that seals one-time secrets, 2\n",
         "a MAC over another text"},
        {"another last octet", "nfpki-ra: key that seals one-time secrets, 1\r",
         "a MAC over another text"},
        {"another first octet", "Nfpki-ra: key that seals one-time secrets, 1\n",
         "a MAC over another text"},
        {"the log's", "nfpki-ca: key that seals the rows of ca.db, 1\n", "a MAC over another text"},
    };
    static const struct seal_row logs[] = {
        {"right", "nfpki-ca: key that seals the rows of ca.db, 1\n", NULL},
        {"nothing", "", "a MAC over another text"},
        {"the RA's", "nfpki-ra: key that seals one-time secrets, 1\n", "a MAC over another text"},
        {"another number", "nfpki-ca: key that seals the rows of ca.db, 2\n",
         "a MAC over another text"},
        {"no line break", "nfpki-ca: key that seals the rows of ca.db, 1",
         "a MAC over another text"},
    };

    /* Its secret key authenticates snapshots of its journal, and gives neither key. */
    static const struct seal_row authority[] = {
        {"the log's", "nfpki-ca: key that seals the rows of ca.db, 1\n", "a MAC over another text"},
        {"the RA's", "nfpki-ra: key that seals one-time secrets, 1\n", "a MAC over another text"},
        {"a snapshot's", "nfpki-signer: a snapshot of this journal, 1\n",
         "a MAC over another text"},
    };

    (void)state;
    expect_seals(POLICY_CERTIFICATE_AUTHORITY, authority, ARRAY_LEN(authority));
    expect_seals(POLICY_CMP, rows, ARRAY_LEN(rows));
    expect_seals(POLICY_LOG, logs, ARRAY_LEN(logs));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_needs_the_policy_that_allows_it),
        cmocka_unit_test(each_kind_has_its_limit),
        cmocka_unit_test(what_is_right_is_let_through_and_what_the_checker_says_is_heard),
        cmocka_unit_test(a_report_is_of_the_key_that_signs_it),
        cmocka_unit_test(evidence_goes_with_what_is_in_the_ledger_only),
        cmocka_unit_test(the_seal_is_over_one_text_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
