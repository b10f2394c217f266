/* SPDX-License-Identifier: Apache-2.0 */
/* `lint`, `check` and `evidence` as their user sees them. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

static void
lint_says_what_is_wrong_and_what_was_not_asked(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *row = NULL;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "lint"), 4);
    assert_string_equal(s->errors, "");
    assert_says(s->out, "severity  clause ");
    assert_says(s->out, "lint.ext.missing");
    assert_says(s->out, "keyUsage is missing");
    assert_says(s->out, s->confirmed.serial);
    assert_says(s->out, "judged: 5 certificates, 5 with findings, 5 in part alone\n");
    assert_says(s->out, "  findings ");
    assert_says(s->out, "questions: the issuing certificate is not here: give it with --issuer\n");
    row = mem_printf("%s  nf-tls", s->confirmed.serial);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "lint", "--certificates"), 4);
    assert_says(s->out, row);
    assert_says(s->out, "judged: 5 certificates");
}

/* The lines of the output as JSON; each is freed by whoever asks for the next. */
static json_t *
line_take(char **at)
{
    char *end = strchr(*at, '\n');
    json_t *line;

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    line = json_loads(*at, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    *at = end + 1;
    return line;
}

static void
lint_gives_json_lines_and_a_summary(void **state)
{
    static const char *const words[][ARGS_MAX] = {{"lint", "--json"},
                                                  {"lint", "--json", "--certificates"}};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *args[ARGS_MAX] = {"--ledger", s->l.dir, words[i][0], words[i][1], words[i][2]};
        char *at = s->out;
        size_t rows = 0;
        json_t *line;
        const json_t *summary = NULL;

        assert_int_equal(scene_run(s, args), 4);
        while (summary == NULL && (line = line_take(&at)) != NULL) {
            summary = json_object_get(line, "summary");
            if (summary == NULL) {
                rows++;
                assert_non_null(json_object_get(line, "leaf"));
                assert_non_null(json_object_get(line, i == 0 ? "severity" : "passed"));
            } else {
                assert_int_equal(json_integer_value(json_object_get(summary, "certificates")), 5);
                assert_int_equal(json_integer_value(json_object_get(summary, "withFindings")), 5);
                assert_non_null(json_object_get(line, "checkpoint"));
                assert_string_equal(at, "");
            }
            json_decref(line);
        }
        assert_non_null(summary);
        assert_true(i == 0 ? rows > 5 : rows == 5);
    }
}

static void
lint_is_told_by_what_to_judge(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *garbage = scene_path(s, "garbage");
    CLEANUP(mem_cleanup) char *certificate = scene_path(s, "certificate");
    const struct {
        const char *words[ARGS_MAX];
        const char *says;
    } rows[] = {
        {{"--ledger", s->l.dir, "lint", "extra"}, "usage: nfpki-audit lint"},
        {{"--ledger", s->l.dir, "lint", "--format", "x"}, "a format is table, csv or jsonl"},
        {{"--ledger", s->l.dir, "lint", "--crl", "x"}, "usage: nfpki-audit lint"},
        {{"--ledger", s->l.dir, "lint", "--profiles", "/nonexistent"}, "/nonexistent"},
        {{"--ledger", s->l.dir, "lint", "--profiles", garbage}, "garbage:1: "},
        {{"--ledger", s->l.dir, "lint", "--issuer", garbage}, "garbage"},
        {{"lint"}, "Give its folder with --ledger DIR"},
    };
    struct err e = {0};

    assert_ok(file_write(garbage, SPAN_LITERAL("x"), 0600, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int status = scene_run(s, rows[i].words);

        if (status != 2 || strstr(s->errors, rows[i].says) == NULL || s->out[0] != '\0') {
            fail_msg("row %zu: %d: %s", i, status, s->errors);
        }
    }
    assert_ok(file_write(certificate, buf_span(&s->confirmed.certificate), 0600, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "lint", "--issuer", certificate), 4);
}

/* ---- check ---- */

static void
check_says_what_lint_says_and_more(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check"), 4);
    assert_says(s->out, "lint.ext.missing");
    assert_says(s->out, "check.registration.exceeded");
    assert_says(s->out, "judged: 5 certificates");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--json"), 4);
    assert_says(s->out, "\"id\":\"check.registration.exceeded\"");
    audit_ledger_two_heads(&s->l);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check"), 4);
    assert_says(s->out, "check.queue.twice");
}

static void
check_exports_each_certificate_as_it_is(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *pem = mem_printf("%s/leaf-%010d.pem", s->l.base, 5);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    X509 *certificate = NULL;
    struct err e = {0};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--export", s->l.base), 4);
    assert_ok(certificate_load_der(pem, LEAF_MAX, &certificate, &der, &e), &e);
    assert_true(span_equal(buf_span(&der), buf_span(&s->revoked.certificate)));
    X509_free(certificate);
    pem[strlen(pem) - strlen("5.pem")] = '4';
    assert_int_not_equal(access(pem, F_OK), 0); /* an INTENT */
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--export", "/nonexistent"), 2);
    assert_says(s->errors, "--export DIR: there is no such folder");
}

static void
check_is_told_by_what_to_judge(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *garbage = scene_path(s, "garbage");
    CLEANUP(mem_cleanup) char *certificate = scene_path(s, "certificate");
    const struct {
        const char *words[ARGS_MAX];
        const char *says;
    } rows[] = {
        {{"--ledger", s->l.dir, "check", "extra"}, "usage: nfpki-audit check"},
        {{"--ledger", s->l.dir, "check", "--nf", "x"}, "usage: nfpki-audit check"},
        {{"--ledger", s->l.dir, "check", "--crl", garbage}, "--crl needs --issuer"},
        {{"--ledger", s->l.dir, "check", "--issuer", certificate, "--crl", garbage}, "garbage"},
        {{"--ledger", s->l.dir, "check", "--profiles", garbage}, "garbage:1: "},
        {{"check"}, "Give its folder with --ledger DIR"},
    };
    struct err e = {0};

    assert_ok(file_write(garbage, SPAN_LITERAL("x"), 0600, &e), &e);
    assert_ok(file_write(certificate, buf_span(&s->confirmed.certificate), 0600, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int status = scene_run(s, rows[i].words);

        if (status != 2 || strstr(s->errors, rows[i].says) == NULL || s->out[0] != '\0') {
            fail_msg("row %zu: %d: %s", i, status, s->errors);
        }
    }
    /* what the record does not know ends it, as in verify */
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--issuer", certificate), 1);
    assert_says(s->errors, "NOT VERIFIED");
}

/* What was judged before is not said again; what is new, is. */
static void
with_a_state_only_what_is_new_is_judged(void **state)
{
    static const char *const commands[] = {"lint", "check"};
    struct scene *s = *state;
    struct audit_enrolment fresh;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        CLEANUP(mem_cleanup) char *path = scene_path(s, commands[i]);
        const char *command = commands[i];

        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 4);
        assert_says(s->out, s->confirmed.serial);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 0);
        assert_says(s->out, "judged: 0 certificates");
        assert_null(strstr(s->out, s->confirmed.serial));
        audit_ledger_enrol(&s->l, 20 + (unsigned)i, true, &fresh);
        audit_ledger_publish(&s->l);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path, "--format", "csv"),
                         4);
        assert_says(s->errors, "judged: 1 certificates");
        assert_says(s->out, fresh.serial);
        assert_null(strstr(s->out, s->confirmed.serial));
        buf_free(&fresh.certificate);
        /* another past */
        assert_ok(file_write(path, SPAN_LITERAL("nonsense"), 0600, &e), &e);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 1);
        assert_string_equal(s->out, "");
    }
}

/* ---- evidence ---- */

static void
evidence_says_what_the_record_says_of_a_clause(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "evidence", "BR 5.4.1(2)2"), 0);
    assert_says(s->out, "BR 5.4.1(2)2 (CA/B Forum BR 2.2.6)\n");
    assert_says(s->out, "  rows         1, leaves 2 to 2\n");
    assert_says(s->out, "  cannot show  How the registrar knew");
    assert_says(s->out, "Verified\n");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "evidence", "--json", "NCSSR"), 0);
    assert_says(s->out, "\"clause\":\"NCSSR 3.1.2\"");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "evidence", "none"), 3);
    assert_says(s->errors, "no clause like that");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "evidence", "a", "b"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "evidence", "--nf", "x"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "evidence", "--format", "x"), 2);
    assert_says(s->errors, "a format is table, csv or jsonl");
    assert_int_equal(RUN(s, "evidence"), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(lint_says_what_is_wrong_and_what_was_not_asked),
        SCENE(lint_gives_json_lines_and_a_summary),
        SCENE(lint_is_told_by_what_to_judge),
        SCENE(check_says_what_lint_says_and_more),
        SCENE(check_exports_each_certificate_as_it_is),
        SCENE(check_is_told_by_what_to_judge),
        SCENE(with_a_state_only_what_is_new_is_judged),
        SCENE(evidence_says_what_the_record_says_of_a_clause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
