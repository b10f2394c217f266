/* SPDX-License-Identifier: Apache-2.0 */
/* `lint`, `check` and `evidence` as their user sees them. */
#include <jansson.h>
#include <openssl/ec.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "base/tlog/checkpoint.h"
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
check_says_that_a_report_is_missing(void **state)
{
    struct scene *s = *state;

    audit_ledger_lost_report(&s->l);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check"), 4);
    assert_says(s->out, "check.report.missing");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 0);
    assert_says(s->out, "\n  RA reports   1: an RA names one before");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    assert_says(s->out, "\"reportsMissing\":1,");
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

/* A START names an issuing certificate, which did not sign what comes behind it. */
static void
check_ends_at_a_certificate_that_the_issuer_did_not_sign(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *issuer = scene_path(s, "issuer");
    struct leaf *start = audit_ledger_leaf(&s->l, LEAF_START);
    const unsigned char *p = s->confirmed.certificate.p;
    CLEANUP(x509_cleanup)
    X509 *other = d2i_X509(NULL, &p, (long)s->confirmed.certificate.n);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    struct audit_enrolment forged = {0};
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_int_equal(X509_set_pubkey(other, key), 1);
    assert_true(X509_sign(other, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509, other, &der, &e), &e);
    assert_ok(file_write(issuer, buf_span(&der), 0600, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    leaf_set_text(start, "program", "nfpki-ca");
    leaf_set_text(start, "version", "0");
    leaf_set_hex(start, "config", span_of(hash, sizeof(hash)));
    leaf_set_bool(start, "softwareToken", false);
    leaf_set_hex(start, "issuer", span_of(hash, sizeof(hash)));
    (void)audit_ledger_append(&s->l, start);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--issuer", issuer), 4);
    audit_ledger_enrol(&s->l, 40, true, &forged);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--issuer", issuer), 1);
    assert_says(s->errors, "and the issuing certificate did not sign it");
    assert_says(s->errors, forged.serial);
    assert_string_equal(s->out, "");
    buf_free(&forged.certificate);
}

/* What was judged before is not said again; what is new, is. */
static void
with_a_state_only_what_is_new_is_judged(void **state)
{
    static const char *const commands[] = {"lint", "check"};
    struct scene *s = *state;
    struct audit_enrolment fresh;
    CLEANUP(mem_cleanup) char *certificate = scene_path(s, "certificate");
    CLEANUP(mem_cleanup) char *profiles = scene_path(s, "profiles");
    const char *const more[][2] = {{"--issuer", certificate}, {"--profiles", profiles}};
    struct err e = {0};

    assert_ok(file_write(profiles, SPAN_LITERAL("# none\n"), 0600, &e), &e);
    assert_ok(file_write(certificate, buf_span(&s->confirmed.certificate), 0600, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        CLEANUP(mem_cleanup) char *path = scene_path(s, commands[i]);
        const char *command = commands[i];

        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 4);
        assert_says(s->out, s->confirmed.serial);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 0);
        assert_says(s->out, "judged: 0 certificates");
        assert_says(s->out, "alone: what was found before it is not said again\n");
        assert_null(strstr(s->out, s->confirmed.serial));
        audit_ledger_enrol(&s->l, 20 + (unsigned)i, true, &fresh);
        audit_ledger_publish(&s->l);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path, "--format", "csv"),
                         4);
        assert_says(s->errors, "judged: 1 certificates");
        assert_says(s->out, fresh.serial);
        assert_null(strstr(s->out, s->confirmed.serial));
        buf_free(&fresh.certificate);
        /* by more than what judged then; the command goes with it */
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 0);
        assert_null(strstr(s->errors, "judged again"));
        assert_int_equal(
            RUN(s, "--ledger", s->l.dir, command, "--state", path, more[i][0], more[i][1]), 4);
        assert_says(s->errors, "all is judged again: ");
        assert_says(s->out, s->confirmed.serial);
        assert_int_equal(
            RUN(s, "--ledger", s->l.dir, command, "--state", path, more[i][0], more[i][1]), 0);
        assert_null(strstr(s->errors, "judged again"));
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 4);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, commands[1 - i], "--state", path), 4);
        assert_says(s->errors, "all is judged again: ");
        /* for `verify` it is as good as its own */
        assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", path), 0);
        /* another past */
        assert_ok(file_write(path, SPAN_LITERAL("nonsense"), 0600, &e), &e);
        assert_int_equal(RUN(s, "--ledger", s->l.dir, command, "--state", path), 1);
        assert_string_equal(s->out, "");
    }
}

/* ---- a mirror ---- */

/* Another octet in a leaf: SQLite and Zstandard are content, the tree is not. */
static void
edit(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    CLEANUP(mem_cleanup) char *leaves = mem_zalloc(1 << 20, 1);
    CLEANUP(mem_cleanup) char *packed = mem_zalloc(1 << 20, 1);
    char *at;
    size_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT body FROM bundle WHERE n = 0", -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    n = ZSTD_decompress(leaves, 1 << 20, sqlite3_column_blob(s, 0),
                        (size_t)sqlite3_column_bytes(s, 0));
    assert_int_equal(ZSTD_isError(n), 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    at = memmem(leaves, n, "officer", 7);
    assert_non_null(at);
    *at = 'O';
    n = ZSTD_compress(packed, 1 << 20, leaves, n, 1);
    assert_int_equal(sqlite3_prepare_v2(db, "UPDATE bundle SET body = ? WHERE n = 0", -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(s, 1, packed, (int)n, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
a_mirror_is_judged_as_its_folder_is(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *mirror = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *state_file = scene_path(s, "mirror.state");
    CLEANUP(mem_cleanup) char *folder = NULL;
    struct audit_enrolment fresh;

    assert_int_equal(RUN(s, "--key", key, "mirror", "--init", s->l.dir, mirror), 0);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "check"), 4);
    folder = mem_strdup(s->out);
    assert_int_equal(RUN(s, "--mirror", mirror, "check"), 4);
    assert_string_equal(s->out, folder);
    assert_int_equal(RUN(s, "--mirror", mirror, "lint", "--state", state_file), 4);
    /* what is not said again is said to be there, and is no success */
    assert_int_equal(RUN(s, "--mirror", mirror, "lint", "--state", state_file), 4);
    assert_says(s->out, "judged: 0 certificates");
    assert_says(s->out, " leaf 19 alone: what was found before it is not said again; ");
    assert_says(s->out, " errors are in the mirror\n");
    assert_null(strstr(s->out, "; 0 errors are in"));
    assert_int_equal(RUN(s, "--mirror", mirror, "lint", "--state", state_file, "--json"), 4);
    assert_says(s->out, "\"from\":19");
    assert_null(strstr(s->out, "\"errorsBefore\":0"));
    execute(mirror, "UPDATE finding SET found_by = 'check'"); /* of another command */
    assert_int_equal(RUN(s, "--mirror", mirror, "lint", "--state", state_file), 0);
    assert_says(s->out, "; 0 errors are in the mirror\n");

    /* the folder is ahead of the mirror */
    audit_ledger_enrol(&s->l, 30, true, &fresh);
    audit_ledger_publish(&s->l);
    buf_free(&fresh.certificate);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "lint", "--state", state_file), 4);
    assert_int_equal(RUN(s, "--mirror", mirror, "lint", "--state", state_file), 1);
    assert_says(s->errors, "has 19 leaves, and there were 22 before");

    edit(mirror);
    assert_int_equal(RUN(s, "--mirror", mirror, "check"), 1);
    assert_says(s->errors, "was edited: its leaves are not those of its checkpoint");
    assert_string_equal(s->out, "");
}

/* Asked again it has them once; what is not so any more goes. */
static void
what_is_found_over_a_mirror_is_kept_in_it(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *mirror = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *page = scene_path(s, "page.html");
    CLEANUP(mem_cleanup) char *first = NULL;

    assert_int_equal(RUN(s, "--key", key, "mirror", "--init", s->l.dir, mirror), 0);
    assert_int_equal(RUN(s, "--mirror", mirror, "list", "findings"), 3);
    assert_int_equal(RUN(s, "--mirror", mirror, "check"), 4);
    assert_int_equal(RUN(s, "--mirror", mirror, "list", "findings", "--status", "error"), 0);
    first = mem_strdup(s->out);
    assert_says(first, "check.registration.exceeded");
    assert_says(first, "lint.ext.missing");
    assert_says(first, s->confirmed.serial);
    assert_string_equal(s->errors, "");
    execute(mirror, "INSERT INTO finding(found_by, code, severity, leaf, text) VALUES ('lint', "
                    "'lint.old', 'error', 3, 'was found once')");
    assert_int_equal(RUN(s, "--mirror", mirror, "lint"), 4);
    assert_int_equal(RUN(s, "--mirror", mirror, "list", "findings", "--status", "error"), 0);
    assert_string_equal(s->out, first);
    assert_int_equal(RUN(s, "--mirror", mirror, "list", "findings", "--name", "check.*", "--json"),
                     0);
    assert_null(strstr(s->out, "lint."));
    assert_int_equal(RUN(s, "--mirror", mirror, "report", "--html", page), 0);
    /* Who cannot write it is answered all the same. */
    execute(mirror, "CREATE TRIGGER no BEFORE INSERT ON finding BEGIN SELECT raise(ABORT, 'no'); "
                    "END");
    assert_int_equal(RUN(s, "--mirror", mirror, "check"), 4);
    assert_says(s->errors, "warning: the findings are not in the mirror: ");
    assert_says(s->out, "check.registration.exceeded");
    assert_int_equal(RUN(s, "--mirror", mirror, "list", "findings", "--status", "error"), 0);
    assert_string_equal(s->out, first);
}

/* What was judged before has another beginning: the log's key signed both. */
static void
a_mirror_that_does_not_continue_is_not_judged(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *mirror = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *state_file = scene_path(s, "mirror.state");
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("%s\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "nfpki.test/audit");
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    CLEANUP(log_key_free) struct log_key log = {0};
    CLEANUP(mem_cleanup) char *line = NULL;
    CLEANUP(mem_cleanup) char *note = NULL;
    uint8_t signature[4 + 80];
    size_t n = sizeof(signature) - 4;
    struct err e = {0};

    assert_ok(log_key_set(&log, "nfpki.test/audit", buf_span(&s->l.spki), &e), &e);
    memcpy(signature, log.id, 4);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->l.key), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature + 4, &n, (const unsigned char *)text, strlen(text)), 1);
    line = base64_dup(span_of(signature, 4 + n));
    note = mem_printf("%s\n\xe2\x80\x94 nfpki.test/audit %s\n", text, line);
    assert_ok(file_write(state_file, span_str(note), 0600, &e), &e);
    assert_int_equal(RUN(s, "--key", key, "mirror", "--init", s->l.dir, mirror), 0);
    assert_int_equal(RUN(s, "--mirror", mirror, "check", "--state", state_file), 1);
    assert_says(s->errors, "the first 3 leaves are not those that were there before");
    assert_string_equal(s->out, "");
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

/* One of the five is the sample: the lowest SHA-256 of root and serial. */
static void
a_sample_is_drawn_by_its_rule(void **state)
{
    struct scene *s = *state;
    const struct audit_enrolment *const all[] = {&s->registrar, &s->revoked, &s->confirmed,
                                                 &s->rejected, &s->issued};
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf root = BUF_INIT(64);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", s->l.dir);
    CLEANUP(mem_cleanup) char *line = NULL;
    CLEANUP(mem_cleanup) char *wanted = NULL;
    static const char *const parts_of[][2] = {
        {"--profile", "nf-tls"}, {"--status", "revoked"}, {"--nf", "x"}, {"--by", "x"}};
    uint8_t lowest[SHA256_SIZE];
    const char *first = NULL;
    char *end;
    struct err e = {0};

    assert_ok(file_read(path, &note, &e), &e);
    line = mem_printf("%.*s", (int)note.n, (const char *)note.p);
    line[strcspn(line, "\n")] = ' ';
    end = strchr(line, '\n') + 1;
    end[strcspn(end, "\n")] = '\0';
    assert_ok(base64_parse(end, &root, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        uint8_t serial[16];
        uint8_t hash[SHA256_SIZE];
        const struct span parts[] = {buf_span(&root), {serial, sizeof(serial)}};

        assert_ok(hex_parse(all[i]->serial, serial, sizeof(serial), &e), &e);
        assert_ok(sha256_parts(parts, 2, hash, &e), &e);
        if (first == NULL || memcmp(hash, lowest, sizeof(hash)) < 0) {
            first = all[i]->serial;
            memcpy(lowest, hash, sizeof(hash));
        }
    }
    wanted = mem_printf("\"rank\":1,\"serial\":\"%s\"", first);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "sample", "--since", "2027-01-15T08:00:00Z",
                         "--until", "2027-01-15T08:00:17Z", "--json"),
                     0);
    assert_says(s->out, wanted);
    assert_null(strstr(s->out, "\"rank\":2"));
    assert_says(s->errors, "1 of 5: the lowest 3 % by SHA-256(root || serial), root ");
    /* not over yet, nothing in it, no period */
    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "sample", "--since", "2027-01-15", "--until", "2027-01-15"),
        3);
    assert_says(s->errors, "no checkpoint has a leaf behind the period");
    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "sample", "--since", "2026-01-15", "--until", "2026-01-16"),
        3);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "sample", "--since", "2026-01-15"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "sample", "--since", "x", "--until", "y"), 2);
    /* of a part of them it would be another sample than it says */
    for (size_t i = 0; i < ARRAY_LEN(parts_of); i++) {
        assert_int_equal(RUN(s, "--ledger", s->l.dir, "sample", "--since", "2027-01-15T08:00:00Z",
                             "--until", "2027-01-15T08:00:17Z", parts_of[i][0], parts_of[i][1]),
                         2);
        assert_says(s->errors, "usage: nfpki-audit sample --since TIME --until TIME");
        assert_string_equal(s->out, "");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(lint_says_what_is_wrong_and_what_was_not_asked),
        SCENE(lint_gives_json_lines_and_a_summary),
        SCENE(lint_is_told_by_what_to_judge),
        SCENE(check_says_what_lint_says_and_more),
        SCENE(check_says_that_a_report_is_missing),
        SCENE(check_exports_each_certificate_as_it_is),
        SCENE(check_is_told_by_what_to_judge),
        SCENE(check_ends_at_a_certificate_that_the_issuer_did_not_sign),
        SCENE(with_a_state_only_what_is_new_is_judged),
        SCENE(a_mirror_is_judged_as_its_folder_is),
        SCENE(what_is_found_over_a_mirror_is_kept_in_it),
        SCENE(a_mirror_that_does_not_continue_is_not_judged),
        SCENE(a_sample_is_drawn_by_its_rule),
        SCENE(evidence_says_what_the_record_says_of_a_clause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
