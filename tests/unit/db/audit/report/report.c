/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a record with everything in it, and names that would rather be something else. */
#include "db/audit/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/audit/mirror/import.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"

enum { ELEMENTS_MAX = 400 };

static struct history h;
static struct history_told told;
static struct mirror *mirror;

static int
setup(void **state)
{
    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    mirror = mirror_here(h.l.dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_close(mirror);
    history_end(&h);
    return 0;
}

static char *
page_of(struct mirror *m, bool key_is_given)
{
    const struct report r = {.mirror = m, .now = told.as_of, .key_is_given = key_is_given};
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct err e = {0};

    assert_non_null(f);
    assert_ok(report_page(&r, f, &e), &e);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void
has(const char *page, const char *wanted)
{
    if (strstr(page, wanted) == NULL) {
        fail_msg("no %s in the page", wanted);
    }
}

static void
has_not(const char *page, const char *text)
{
    const char *at = strstr(page, text);

    if (at != NULL) {
        fail_msg("%s in the page: %.80s", text, at);
    }
}

/* ---- tests ---- */

static void
the_first_screen_says_what_it_rests_on(void **state)
{
    char *page = page_of(mirror, true);
    CLEANUP(mem_cleanup) char *key = log_key_format(mirror_key(mirror));

    (void)state;
    key[strlen(key) - 1] = '\0';
    has(page, "The record is verified");
    has(page, "<bdi>nfpki.test/audit</bdi>, as of <time datetime=\"2026-03-28T20:00:00Z\">");
    has(page, "<b>218</b><span>leaves</span>");
    has(page, "<b>29</b><span>certificates issued</span>");
    has(page, "<b>16</b><span>live certificates</span>");
    has(page, "<b>9</b><span>end within 30 days</span>");
    has(page, "<b>5</b><span>revoked</span>");
    has(page, "<b>416</b><span>refused</span>");
    has(page, "<b>21</b><span>registrations</span>");
    has(page, "<b>1</b><span>wait for officers</span>");
    has(page, ", given by who asked<br/>");
    has_not(page, "came from the ledger itself");
    has(page, key);
    free(page);
    page = page_of(mirror, false);
    has(page, "The log key came from the ledger itself");
    free(page);
}

static void
sections_have_what_happened(void **state)
{
    char *page = page_of(mirror, true);
    const char *const serials[] = {
        told.ada->serial, told.carla->serial, told.hostile->serial, told.second_ra->serial,
        told.open,        told.compromised,   told.superseded,      told.never_confirmed->serial,
        told.waiting->rid};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
        has(page, serials[i]);
    }
    has(page, "an officer rejected it");
    has(page, "keyCompromise");
    has(page, "notAuthorized");
    has(page, "badCertTemplate");
    has(page, "issuing &lt;b&gt;1&lt;/b&gt;"); /* a ceremony */
    has(page, "nfpki-ca 1.1");
    has(page, "nfpki-ca.conf");
    has(page, "revoke, refused"); /* an operator */
    has(page, "<bdi>AUSF</bdi>"); /* as its registrar signed it */
    free(page);
}

/* A page that is filed says what `verify` says, whether a check was asked for or not. */
static void
what_verify_counts_is_not_left_out(void **state)
{
    char *page = page_of(mirror, true);
    const char *counted = strstr(page, "<section id=\"counted\"");
    const char *findings = strstr(page, "<section id=\"findings\"");
    const char *const rows[] = {
        "<bdi>acknowledged</bdi></th><td class=\"n\">1</td><td><bdi>lines of a journal that",
        "<bdi>open intents</bdi></th><td class=\"n\">1</td>",
        "<bdi>unapproved</bdi></th><td class=\"n\">1</td>",
        "<bdi>times back</bdi></th><td class=\"n\">1</td>",
        "<bdi>seconds back</bdi></th><td class=\"n\">3600</td>",
        "<bdi>set back</bdi></th><td class=\"n\">1</td>",
    };

    (void)state;
    assert_non_null(counted);
    assert_true(counted < findings);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        has(counted, rows[i]);
    }
    has_not(page, "<bdi>queue twice</bdi>");
    has(findings, "The rules of the record found nothing.");
    has_not(page, "Nothing was found.");
    has(page, "Nobody asked for it: <code>report --check</code>, or <code>check</code> over this "
              "mirror.");
    free(page);
}

/* Text from leaves is text: nothing in it is an element, a link, a direction, a control. */
static void
hostile_names_are_text(void **state)
{
    char *page = page_of(mirror, true);

    (void)state;
    has_not(page, "<script");
    has_not(page, "</script");
    has_not(page, "<img");
    has_not(page, "<b>1</b></bdi>");
    has_not(page, "\x1b");
    has_not(page, "\x07");
    has_not(page, "\xe2\x80\xae");
    has_not(page, "onerror");
    has(page, "&lt;script");
    has(page, "\\u{1b}");
    has(page, "\\u{202e}");
    for (const char *at = strstr(page, "href="); at != NULL; at = strstr(at + 1, "href=")) {
        assert_int_equal(strncmp(at, "href=\"#", 7), 0);
    }
    for (const char *at = strstr(page, "url("); at != NULL; at = strstr(at + 1, "url(")) {
        assert_int_equal(strncmp(at, "url(#", 5), 0);
    }
    has_not(page, "src=");
    has_not(page, "@import");
    has(page, "content=\"default-src 'none'; style-src 'unsafe-inline'\"");
    free(page);
}

static size_t
elements(const char *from, const char *to)
{
    size_t n = 0;

    for (; from < to; from++) {
        n += from[0] == '<' && from[1] != '/' ? 1 : 0;
    }
    return n;
}

/* Who does not see a figure has its title, its description and its numbers. */
static void
each_figure_is_small_and_has_words(void **state)
{
    char *page = page_of(mirror, true);
    size_t figures = 0;

    (void)state;
    for (char *at = strstr(page, "<svg role=\"img\""); at != NULL;
         at = strstr(at + 1, "<svg role=\"img\"")) {
        const char *end = strstr(at, "</svg>");

        assert_non_null(end);
        assert_in_range(elements(at, end), 5, ELEMENTS_MAX);
        assert_true(strstr(at, "aria-labelledby=") < end && strstr(at, "<title id=") < end &&
                    strstr(at, "<desc id=") < end);
        assert_non_null(strstr(end, "<details><summary>The numbers</summary>"));
        figures++;
    }
    assert_in_range(figures, 10, 20);
    assert_int_equal(strncmp(page, "<!DOCTYPE html>\n<html lang=\"en\">", 32), 0);
    has(page, "<h1>");
    assert_null(strstr(strstr(page, "<h1>") + 1, "<h1>"));
    free(page);
}

/* Ten years of days are in one figure, too. */
static void
a_record_of_years_and_one_of_an_hour(void **state)
{
    struct history other;
    struct history_told mine = told;
    struct mirror *m;
    char *page;

    (void)state;
    history_begin(&other, 1768204800);
    history_start(&other, "1.0", NULL);
    audit_ledger_publish(&other.l);
    m = mirror_here(other.l.dir);
    page = page_of(m, true);
    has(page, "<b>1</b><span>leaves</span>");
    has(page, "Nothing was issued, revoked or refused.");
    has(page, "There is no CRL.");
    has(page, "Nothing is open, acknowledged, or dated back.");
    free(page);
    mirror_close(m);
    (void)history_person(&other, "officer", "Ada", 300);
    history_at(&other, 3650, 0, 0);
    history_stop(&other, "x");
    history_at(&other, 3649, 0, 0); /* dated a day before the one before it */
    history_stop(&other, "y");
    audit_ledger_publish(&other.l);
    m = mirror_here(other.l.dir);
    told.as_of = history_time(&other, 100, 0, 0);
    page = page_of(m, true);
    has(page, "<b>1</b><span>live certificates</span>");
    has(page, "<strong>1 finding</strong>");
    has_not(page, "The rules of the record found nothing.");
    free(page);
    mirror_close(m);
    history_end(&other);
    told = mine;
}

static void
file_has(const char *id, const char *row)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s.csv", h.l.base, id);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    has((const char *)text.p, row);
}

static void
its_rows_are_files_for_machines(void **state)
{
    const struct report r = {.mirror = mirror, .now = told.as_of, .key_is_given = true};
    CLEANUP(mem_cleanup) char *csv = mem_printf("%s/staff.csv", h.l.base);
    CLEANUP(mem_cleanup) char *jsonl = mem_printf("%s/refusals.jsonl", h.l.base);
    CLEANUP(mem_cleanup) char *types = mem_printf("%s/types.csv", h.l.base);
    CLEANUP(mem_cleanup) char *line = mem_printf("\"0x%s\"", told.carla->serial);
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);
    struct err e = {0};

    (void)state;
    assert_ok(report_data(&r, h.l.base, &e), &e);
    assert_ok(file_read(csv, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    has((const char *)text.p, "\"Role\",\"Subject\",\"Status\",\"Serial number\",");
    has((const char *)text.p, line);
    buf_truncate(&text, 0);
    assert_ok(file_read(jsonl, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    has((const char *)text.p, "\"Reason\":\"badCertTemplate\"");
    has((const char *)text.p, "\\u001b]0;x\\u0007\\u202e</script>");
    file_has("issued-within", "\"2026-01-18\",12600,12600,1\r\n"); /* it waited for officers */
    file_has("decided-within", "\"2026-01-19\",1799,1799,1\r\n");  /* refused */
    file_has("calendar", "\"2026-01-15\",79200,0,0\r\n"); /* stopped, from the day before on */
    file_has("calendar", "\"2026-02-18\",0,0,86400\r\n"); /* no CRL, all day */
    /* a full disk is told */
    assert_int_equal(unlink(types), 0);
    assert_int_equal(symlink("/dev/full", types), 0);
    assert_int_equal(report_data(&r, h.l.base, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(unlink(types), 0);
    assert_int_equal(report_data(&r, "/nonexistent", &e), -1);
    assert_int_equal(e.code, ERR_IO);
}

static void
what_a_check_found_is_there_and_counted(void **state)
{
    static const struct finding_kind error = {"lint.x", SEVERITY_ERROR, "RFC 1"};
    static const struct finding_kind notice = {"check.y", SEVERITY_NOTICE, "RFC 2"};
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    struct report r = {
        .mirror = mirror, .now = told.as_of, .key_is_given = true, .checked = findings};
    CLEANUP(mem_cleanup) char *csv = mem_printf("%s/checked.csv", h.l.base);
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct err e = {0};

    (void)state;
    assert_ok(report_page(&r, f, &e), &e);
    (void)fclose(f);
    has(text, "<h3>What a check found</h3>\n<p class=\"soft\">Nothing was found.</p>");
    free(text);
    findings_add(findings, &error, 5, told.ada->serial, "%s", HISTORY_HOSTILE);
    findings_add(findings, &notice, 7, NULL, "y");
    f = open_memstream(&text, &n);
    assert_ok(report_page(&r, f, &e), &e);
    (void)fclose(f);
    has(text, "<strong>1 finding</strong>");
    has(text, "lint.x");
    has(text, "RFC 2");
    has_not(text, "<script");
    free(text);
    assert_ok(report_data(&r, h.l.base, &e), &e);
    assert_int_equal(access(csv, F_OK), 0);
    assert_int_equal(unlink(csv), 0);
    assert_int_equal(symlink("/dev/full", csv), 0);
    assert_int_equal(report_data(&r, h.l.base, &e), -1);
    assert_int_equal(e.code, ERR_IO);
}

static int
enough(void *arg)
{
    (void)arg;
    return 1;
}

static void
what_is_not_whole_is_no_report(void **state)
{
    const struct report r = {.mirror = mirror, .now = told.as_of, .key_is_given = true};
    FILE *full = fopen("/dev/full", "w");
    struct err e = {0};

    (void)state;
    assert_non_null(full);
    assert_int_equal(report_page(&r, full, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    (void)fclose(full);
    full = fopen("/dev/null", "w");
    sqlite3_progress_handler(mirror_sqlite(mirror), 1, enough, NULL);
    assert_int_equal(report_page(&r, full, &e), -1);
    assert_int_equal(e.code, ERR_STORE);
    assert_int_equal(report_data(&r, h.l.base, &e), -1);
    assert_int_equal(e.code, ERR_STORE);
    sqlite3_progress_handler(mirror_sqlite(mirror), 0, NULL, NULL);
    (void)fclose(full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_screen_says_what_it_rests_on),
        cmocka_unit_test(sections_have_what_happened),
        cmocka_unit_test(what_verify_counts_is_not_left_out),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(each_figure_is_small_and_has_words),
        cmocka_unit_test(a_record_of_years_and_one_of_an_hour),
        cmocka_unit_test(its_rows_are_files_for_machines),
        cmocka_unit_test(what_a_check_found_is_there_and_counted),
        cmocka_unit_test(what_is_not_whole_is_no_report),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
