/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged by, and what cannot be asked; and ledgers that real programs wrote. */
#include "db/audit/lint/judge.h"

#include <string.h>

#include "base/file.h"
#include "db/audit/rules/evidence.h"
#include "db/audit/verify.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/audit/lint/made.h"

static struct made_authority authority;

static int
begin(void **state)
{
    (void)state;
    made_begin(&authority);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    made_end(&authority);
    return 0;
}

/* ---- the table ---- */

static void
profiles_come_from_the_file_that_is_named(void **state)
{
    char hash[2 * SHA256_SIZE + 1];
    struct lint_profile p;
    struct err e = {0};

    (void)state;
    made_again(&authority,
               "profile \"nf-tls\" {\n extended_key_usage = {\"serverAuth\"}\n"
               " max_validity_hours = 2\n class = \"infrastructure\"\n}\n",
               hash);
    assert_ok(lint_table_find(authority.table, MADE_BUILT_IN, "nf-tls", &p, &e), &e);
    assert_true(lint_has(p.profile, "extended_key_usage", "clientAuth"));
    assert_int_equal(lint_profile_longest(&p), (time_t)1095 * MADE_DAY);
    /* whatever it says of itself */
    assert_ok(lint_table_find(authority.table, hash, "nf-tls", &p, &e), &e);
    assert_false(lint_has(p.profile, "extended_key_usage", "clientAuth"));
    assert_true(lint_profile_is_nf(&p));
    assert_int_equal(lint_profile_longest(&p), 2 * 3600);

    assert_int_equal(lint_table_find(authority.table, hash, "nf-tls-client", &p, &e), -1);
    assert_string_equal(e.text, "profile nf-tls-client is not in the table");
    assert_int_equal(lint_table_find(authority.table, hash, "registrar", &p, &e), -1);
    assert_int_equal(lint_table_find(authority.table, MADE_BUILT_IN, "registrar", &p, &e), -1);
    assert_int_equal(lint_table_find(authority.table, NULL, "nf-tls", &p, &e), -1);
    assert_ok(lint_table_find(authority.table, NULL, "registrar", &p, &e), &e);
    hash[0] = hash[0] == '0' ? '1' : '0';
    assert_int_equal(lint_table_find(authority.table, hash, "nf-tls", &p, &e), -1);
    assert_non_null(strstr(e.text, "is not here: give it with --profiles"));
    assert_null(lint_table_purpose(authority.table, "1.2.3"));
    assert_null(lint_table_extension(authority.table, "1.2.3"));
    assert_string_equal(lint_table_extension_oid(authority.table, "nothing"), "");
}

static void
a_file_of_profiles_is_read_strictly_and_there_are_only_so_many(void **state)
{
    char *base = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/profiles.conf", base);
    CLEANUP(lint_table_cleanup) struct lint_table *table = NULL;
    struct err e = {0};

    (void)state;
    table = lint_table_new(&e);
    assert_non_null(table);
    assert_ok(file_write(path, SPAN_LITERAL("profile \"x\" {\n unheard = 1\n}\n"), 0600, &e), &e);
    assert_int_equal(lint_table_add(table, path, &e), -1);
    assert_int_equal(e.code, ERR_INPUT);
    assert_ok(file_write(path, SPAN_LITERAL("profile \"x\" {\n}\n"), 0600, &e), &e);
    for (int i = 0; i < LINT_FILES_MAX; i++) {
        assert_ok(lint_table_add(table, path, &e), &e);
    }
    assert_int_equal(lint_table_add(table, path, &e), -1);
    assert_non_null(strstr(e.text, "at most 16 files"));
    tmpdir_remove(base);
}

static void
there_are_only_so_many_issuing_certificates(void **state)
{
    struct err e = {0};

    (void)state;
    made_again(&authority, NULL, NULL);
    for (int i = 1; i < 16; i++) {
        assert_ok(lint_judge_issuer(authority.judge, authority.certificate, &e), &e);
    }
    assert_int_equal(lint_judge_issuer(authority.judge, authority.certificate, &e), -1);
    assert_string_equal(e.text, "at most 16 issuing certificates");
}

/* ---- what cannot be asked ---- */

static void
what_cannot_be_asked_is_told_apart(void **state)
{
    struct made m = made_nf("nf-tls");
    const struct lint_verdict *v;

    (void)state;
    made_again(&authority, NULL, NULL);
    m.profile_file = MADE_NO_FILE;
    m.document = NULL;
    made_issue(&authority, &m);
    v = lint_judge_at(authority.judge, 0);
    assert_int_equal(v->failed, 0);
    assert_true(v->not_run != 0);
    assert_true(v->passed != 0);
    assert_int_equal(v->passed & v->not_run, 0);
    assert_string_equal(lint_judge_lack(authority.judge, 0)->text,
                        "the file of profiles with SHA-256 " MADE_NO_FILE
                        " is not here: give it with --profiles");
    assert_string_equal(lint_judge_lack(authority.judge, 1)->text,
                        "what the registrar signed is not in the record");
    assert_null(lint_judge_lack(authority.judge, 2));
    assert_int_equal(findings_count(authority.findings), 0);
}

static void
without_the_issuing_certificate_nobody_asks_for_it(void **state)
{
    const struct made m = made_nf("nf-tls");
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    struct lint_judge *mine = authority.judge;

    (void)state;
    made_again(&authority, NULL, NULL);
    mine = authority.judge;
    authority.judge = lint_judge_new(authority.table, findings);
    made_issue(&authority, &m);
    assert_int_equal(lint_judge_at(authority.judge, 0)->failed, 0);
    assert_string_equal(lint_judge_lack(authority.judge, 0)->text,
                        "the issuing certificate is not here: give it with --issuer");
    assert_null(lint_judge_lack(authority.judge, 1));
    lint_judge_free(authority.judge);
    authority.judge = mine;
}

static void
an_issuer_without_an_identifier_says_nothing_of_one(void **state)
{
    CLEANUP(x509_cleanup) X509 *issuer = X509_new();
    const struct lint_case c = {.certificate = authority.certificate, .issuer = issuer};
    struct err why = {0};

    (void)state;
    assert_int_equal(lint_aki_value(&c, &why), LINT_NOT_RUN);
    assert_string_equal(why.text, "the issuing certificate has no subjectKeyIdentifier");
}

static void
what_was_judged_before_is_only_remembered(void **state)
{
    struct made m = made_nf("nf-tls");
    struct made again = made_nf("nf-tls");

    (void)state;
    made_again(&authority, NULL, NULL);
    lint_judge_from(authority.judge, 4); /* behind START, REGISTRATION, INTENT, ISSUED */
    m.until = m.from - 1;
    made_issue(&authority, &m);
    assert_int_equal(lint_judge_count(authority.judge), 0);
    again.document = NULL; /* there is one already */
    made_issue(&authority, &again);
    assert_int_equal(lint_judge_count(authority.judge), 1);
    assert_int_equal(findings_count(authority.findings), 1);
    assert_string_equal(findings_at(authority.findings, 0)->kind->id, "lint.serial.twice");
}

/* Of good and bad ones, of two authorities, in lots that are full and that are not. */
static void
threads_find_what_one_finds_in_the_same_order(void **state)
{
    enum { MANY = 70 };
    size_t leaves = 0;
    struct finding_said {
        const char *id;
        char *text;
        uint64_t leaf;
    } alone[2 * MANY] = {{0}};
    size_t n = 0;

    (void)state;
    for (int threads = 0; threads <= 3; threads += 3) {
        struct err e = {0};
        size_t i = 0;

        made_again(&authority, NULL, NULL);
        if (threads > 0) {
            assert_ok(lint_judge_threads(authority.judge, (size_t)threads, &e), &e);
        }
        for (int c = 0; c < MANY; c++) {
            struct made m = made_nf("nf-tls");

            m.key = authority.other; /* the same each time */
            m.document = c == 0 ? m.document : NULL;
            m.until = c % 7 == 3 ? m.from - 1 : m.until;
            m.signer = c % 9 == 4 ? authority.other : NULL;
            made_issue(&authority, &m);
        }
        lint_judge_end(authority.judge);
        assert_int_equal(lint_judge_count(authority.judge), MANY);
        assert_int_equal(lint_judge_forged(authority.judge)->leaf,
                         lint_judge_at(authority.judge, 4)->leaf);
        for (const struct finding *f; (f = findings_at(authority.findings, i)) != NULL; i++) {
            if (threads == 0) {
                alone[n++] = (struct finding_said){f->kind->id, mem_strdup(f->text), f->leaf};
                continue;
            }
            assert_true(i < n);
            assert_string_equal(f->kind->id, alone[i].id);
            assert_string_equal(f->text, alone[i].text);
            assert_int_equal(f->leaf, alone[i].leaf);
        }
        assert_int_equal(i, n);
        leaves = leaves == 0 ? authority.leaves : leaves;
        assert_int_equal(authority.leaves, leaves);
    }
    for (size_t i = 0; i < n; i++) {
        mem_free(alone[i].text);
    }
}

/* What was given and never waited for is let go. */
static void
who_stops_early_does_not_wait_for_more(void **state)
{
    struct made m = made_nf("nf-tls");
    struct err e = {0};

    (void)state;
    made_again(&authority, NULL, NULL);
    assert_ok(lint_judge_threads(authority.judge, 2, &e), &e);
    for (int c = 0; c < 40; c++) { /* a lot and a part of one */
        made_issue(&authority, &m);
        m.document = NULL;
    }
    made_again(&authority, NULL, NULL);
}

static void
what_a_restore_adopts_is_of_another_time(void **state)
{
    struct made m = made_person("adopted");

    (void)state;
    m.from = MADE_AT - 30 * MADE_DAY;
    m.until = m.from + 60 * MADE_DAY;
    made_again(&authority, NULL, NULL);
    made_issue(&authority, &m);
    /* it began before the authority of this test */
    assert_int_equal(findings_count(authority.findings), 1);
    assert_string_equal(findings_at(authority.findings, 0)->kind->id, "lint.validity.issuer");
}

static void
a_registration_without_evidence_has_no_document(void **state)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_REGISTRATION, MADE_AT);
    CLEANUP(leaf_cleanup) struct leaf *odd = leaf_new(LEAF_REGISTRATION, MADE_AT);
    CLEANUP(buf_free) struct buf document = BUF_INIT(LEAF_MAX);
    struct err e = {0};

    (void)state;
    assert_int_equal(audit_evidence_document(leaf, &document, &e), -1);
    assert_string_equal(e.text, "it has no evidence");
    leaf_set_base64(odd, "cms", SPAN_LITERAL("nothing"));
    assert_int_equal(audit_evidence_document(odd, &document, &e), -1);
    assert_non_null(strstr(e.text, "it is no CMS"));
}

/* ---- findings ---- */

static void
findings_stand_by_their_leaves(void **state)
{
    static const struct finding_kind error = {"a.error", SEVERITY_ERROR, "clause"};
    static const struct finding_kind notice = {"a.notice", SEVERITY_NOTICE, "clause"};
    CLEANUP(findings_cleanup) struct findings *f = findings_new();
    char text[1024] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    struct err e = {0};

    (void)state;
    assert_non_null(out);
    assert_ok(findings_write(f, SINK_TABLE, out, &e), &e);
    findings_add(f, &notice, 7, NULL, "number %d", 3);
    findings_add(f, &error, 7, "0a0b", "x");
    findings_add(f, &error, 2, NULL, "y");
    assert_int_equal(findings_count(f), 2);
    assert_int_equal(findings_of(f, SEVERITY_NOTICE), 1);
    assert_ok(findings_write(f, SINK_JSONL, out, &e), &e);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "{\"clause\":\"clause\",\"id\":\"a.error\",\"leaf\":2,\"serial\":null,\"severity\":"
        "\"error\",\"text\":\"y\"}\n"
        "{\"clause\":\"clause\",\"id\":\"a.error\",\"leaf\":7,\"serial\":\"0a0b\",\"severity\":"
        "\"error\",\"text\":\"x\"}\n"
        "{\"clause\":\"clause\",\"id\":\"a.notice\",\"leaf\":7,\"serial\":null,\"severity\":"
        "\"notice\",\"text\":\"number 3\"}\n");
    assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
    assert_null(findings_at(f, 3));
    assert_int_equal(findings_from(f, 8), 0);
    findings_add(f, &error, 7, NULL, "old");
    findings_add(f, &error, 8, NULL, "new");
    assert_string_equal(findings_at(f, 3)->text, "new");
    assert_int_equal(findings_from(f, 0), 8);
}

/* ---- what programs of ours wrote ---- */

static void
ledgers_of_before_have_no_findings(void **state)
{
    static const char *const folders[] = {"1/approval", "1/renew_again", "1/revoke",
                                          "2/approval", "2/renew_again", "2/revoke",
                                          "3/approval", "3/renew_again", "3/revoke"};
    CLEANUP(lint_table_cleanup) struct lint_table *table = NULL;
    struct err e = {0};

    (void)state;
    table = lint_table_new(&e);
    assert_non_null(table);
    assert_ok(lint_table_add(table, TEST_SOURCE_DIR "/vectors/ledger/profiles.conf", &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        CLEANUP(mem_cleanup)
        char *dir = mem_printf("%s/vectors/ledger/%s", TEST_SOURCE_DIR, folders[i]);
        CLEANUP(findings_cleanup) struct findings *findings = findings_new();
        CLEANUP(lint_judge_cleanup) struct lint_judge *judge = lint_judge_new(table, findings);
        CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(dir, NULL, &e);
        struct audit_figures figures;

        assert_non_null(log);
        assert_ok(audit_verify(log, NULL, lint_judge_leaf, judge, &figures, &e), &e);
        assert_int_equal(lint_judge_count(judge), figures.kinds[LEAF_ISSUED]);
        if (findings_at(findings, 0) != NULL) {
            fail_msg("%s: %s: %s", folders[i], findings_at(findings, 0)->kind->id,
                     findings_at(findings, 0)->text);
        }
        /* They have no issuing certificate; else all is there. */
        assert_non_null(strstr(lint_judge_lack(judge, 0)->text, "--issuer"));
        assert_null(lint_judge_lack(judge, 1));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_come_from_the_file_that_is_named),
        cmocka_unit_test(a_file_of_profiles_is_read_strictly_and_there_are_only_so_many),
        cmocka_unit_test(there_are_only_so_many_issuing_certificates),
        cmocka_unit_test(what_cannot_be_asked_is_told_apart),
        cmocka_unit_test(without_the_issuing_certificate_nobody_asks_for_it),
        cmocka_unit_test(an_issuer_without_an_identifier_says_nothing_of_one),
        cmocka_unit_test(what_was_judged_before_is_only_remembered),
        cmocka_unit_test(threads_find_what_one_finds_in_the_same_order),
        cmocka_unit_test(who_stops_early_does_not_wait_for_more),
        cmocka_unit_test(what_a_restore_adopts_is_of_another_time),
        cmocka_unit_test(a_registration_without_evidence_has_no_document),
        cmocka_unit_test(findings_stand_by_their_leaves),
        cmocka_unit_test(ledgers_of_before_have_no_findings),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
