/* SPDX-License-Identifier: Apache-2.0 */
/* `nfpki-audit report` as its user sees it. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

static void
a_report_is_a_page_and_a_folder_of_rows(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *page = scene_path(s, "report.html");
    CLEANUP(mem_cleanup) char *temporary = scene_path(s, "report.html.new");
    CLEANUP(mem_cleanup) char *folder = scene_path(s, "data");
    CLEANUP(mem_cleanup) char *rows = scene_path(s, "data/revocations.csv");
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    struct err e = {0};

    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "--key", key, "report", "--html", page, "--data", folder), 0);
    assert_string_equal(s->out, "");
    assert_ok(file_read(page, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    assert_says((const char *)text.p, s->revoked.serial);
    assert_says((const char *)text.p, "officer\\u{1b}[2J");
    assert_says((const char *)text.p, ", given by who asked");
    assert_null(strstr((const char *)text.p, "came from the ledger itself"));
    assert_int_not_equal(access(temporary, F_OK), 0);
    buf_truncate(&text, 0);
    assert_ok(file_read(rows, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    assert_says((const char *)text.p, s->revoked.serial);
    /* the folder may be there */
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--data", folder), 0);
    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "report", "--html", page, "--as-of", "2027-01-15"), 0);
    buf_truncate(&text, 0);
    assert_ok(file_read(page, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    assert_says((const char *)text.p, "as of <time datetime=\"2027-01-15T23:59:59Z\">");
    assert_says((const char *)text.p, "came from the ledger itself");
}

static void
a_report_has_what_a_check_finds(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *page = scene_path(s, "report.html");
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    struct err e = {0};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", page, "--check"), 0);
    assert_ok(file_read(page, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    assert_says((const char *)text.p, "<bdi>lint.");
    assert_says((const char *)text.p, " findings</strong>");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", page, "--issuer", "x"), 2);
    assert_says(s->errors, "--profiles and --issuer are for --check");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", page, "--check", "--issuer",
                         "/nonexistent"),
                     2);
}

/* What was there before stays. */
static void
a_page_that_cannot_be_written_is_told(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *page = scene_path(s, "report.html");
    CLEANUP(mem_cleanup) char *temporary = scene_path(s, "report.html.new");
    CLEANUP(mem_cleanup) char *folder = scene_path(s, "folder");
    CLEANUP(buf_free) struct buf text = BUF_INIT(64);
    struct err e = {0};

    assert_ok(file_write(page, SPAN_LITERAL("before"), 0600, &e), &e);
    assert_int_equal(symlink("/dev/full", temporary), 0);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", page), 2);
    assert_says(s->errors, "the report could not be written");
    assert_ok(file_read(page, &text, &e), &e);
    assert_true(span_equal(buf_span(&text), SPAN_LITERAL("before")));
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", folder), 2);
    assert_says(s->errors, "folder: ");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", "/nonexistent/r.html"), 2);
    assert_says(s->errors,
                "there is no report: /nonexistent/r.html.new: No such file or directory");
    assert_null(strstr(s->errors, "NOT VERIFIED")); /* the record is */
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--data", "/nonexistent/a"), 2);
    assert_says(s->errors, "/nonexistent/a: No such file or directory");
}

static void
what_is_no_report_is_misuse(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report"), 2);
    assert_says(s->errors, "usage: nfpki-audit report");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", "x", "extra"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", "x", "--json"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "report", "--html", "x", "--as-of", "now"), 2);
    assert_says(s->errors, "--as-of");
    assert_int_equal(RUN(s, "--ledger", "/nonexistent", "report", "--html", "x"), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_report_is_a_page_and_a_folder_of_rows),
        SCENE(a_report_has_what_a_check_finds),
        SCENE(a_page_that_cannot_be_written_is_told),
        SCENE(what_is_no_report_is_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
