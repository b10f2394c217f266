/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/ra_report.h"

#include <string.h>

#include "tests/support/test.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D32 "dddddddddddddddddddddddddddddddd"
#define E64 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

#define MAGIC "nfpki-ra-report/v1\n"
#define RA "ra " A64 "\n"
#define CA "ca " B64 "\n"
#define NUMBER "number 7\n"
#define PREVIOUS "previous " C64 "\n"
#define FROM "from 2026-11-29T17:00:00Z\n"
#define TO "to 2026-11-29T17:05:00Z\n"
#define HEAD MAGIC RA CA NUMBER PREVIOUS FROM TO
#define START "start 2026-11-29T17:00:01Z 1.2.3 " A64 " " E64 "\n"
#define STOP "stop 2026-11-29T17:00:02Z was told to\n"
#define REFUSED "refused 12 1 " D32 " the protection does not verify\n"
#define UNKNOWN "refused 1 9 unknown no such reference\n"
#define OTHERS "others 900 2\n"
#define DID "did 2026-11-29T17:04:00Z register done " D32 " uid 0 (root)\n"
#define LINES START STOP REFUSED UNKNOWN OTHERS DID

static struct ra_report
report(void)
{
    struct ra_report r = {.number = 7, .from = 1795971600, .to = 1795971900};

    memset(r.ra, 0xaa, sizeof(r.ra));
    memset(r.ca, 0xbb, sizeof(r.ca));
    memset(r.previous, 0xcc, sizeof(r.previous));
    return r;
}

static void
a_report_is_written_and_read(void **state)
{
    const struct ra_report_line lines[] = {
        {.what = RA_REPORT_START,
         .at = 1795971601,
         .word = {SPAN_LITERAL("1.2.3"), SPAN_LITERAL(A64), SPAN_LITERAL(E64)}},
        {.what = RA_REPORT_STOP, .at = 1795971602, .text = SPAN_LITERAL("was told to")},
        {.what = RA_REPORT_REFUSED,
         .count = 12,
         .fail_info = 1,
         .word = {SPAN_LITERAL(D32)},
         .text = SPAN_LITERAL("the protection does not verify")},
        {.what = RA_REPORT_REFUSED,
         .count = 1,
         .fail_info = 9,
         .word = {SPAN_LITERAL("unknown")},
         .text = SPAN_LITERAL("no such reference")},
        {.what = RA_REPORT_OTHERS, .count = 900, .fail_info = 2},
        {.what = RA_REPORT_DID,
         .at = 1795971840,
         .word = {SPAN_LITERAL("register"), SPAN_LITERAL("done"), SPAN_LITERAL(D32)},
         .text = SPAN_LITERAL("uid 0 (root)")},
    };
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(RA_REPORT_TEXT_MAX);
    const struct ra_report r = report();
    struct ra_report_line line;
    struct ra_report back;
    struct span rest;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_ok(ra_report_put(&body, &lines[i], &e), &e);
    }
    assert_ok(ra_report_format(&r, buf_span(&body), &text, &e), &e);
    assert_true(span_equal(buf_span(&text), SPAN_LITERAL(HEAD LINES)));
    assert_ok(ra_report_parse(buf_span(&text), &back, &rest, &e), &e);
    assert_memory_equal(&back, &r, sizeof(r));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_true(ra_report_next(&rest, &line));
        assert_int_equal(line.what, lines[i].what);
        assert_int_equal(line.at, lines[i].at);
        assert_int_equal(line.count, lines[i].count);
        assert_int_equal(line.fail_info, lines[i].fail_info);
        assert_true(span_equal(line.text, lines[i].text));
        for (size_t w = 0; w < RA_REPORT_WORDS; w++) {
            assert_true(span_equal(line.word[w], lines[i].word[w]));
        }
    }
    assert_false(ra_report_next(&rest, &line));
    assert_string_equal(ra_report_what_name(RA_REPORT_OTHERS), "others");
}

static void
only_these_octets_are_read(void **state)
{
#define ROW(name, text, why)                                                                       \
    {                                                                                              \
        name, {(const uint8_t *)(text), sizeof(text) - 1}, why                                     \
    }
    static const char other[] = "not written as it must be";
    static const char begin[] = "does not begin as one, or is too long";
    static const char span[] = "no span of time";
    const struct {
        const char *name;
        struct span text;
        const char *why; /* NULL: it is read */
    } rows[] = {
        ROW("right", HEAD LINES, NULL),
        ROW("one line", HEAD OTHERS, NULL),
        ROW("nothing", "", begin),
        ROW("its name alone", MAGIC, begin),
        ROW("of version 2", "nfpki-ra-report/v2\n" RA CA NUMBER PREVIOUS FROM TO LINES, begin),
        ROW("a head of a queue", "nfpki-queue-head/v1\n" RA CA, begin),
        ROW("no ra", MAGIC CA NUMBER PREVIOUS FROM TO LINES, "no line 'ra'"),
        ROW("no ca", MAGIC RA NUMBER PREVIOUS FROM TO LINES, "no line 'ca'"),
        ROW("no number", MAGIC RA CA PREVIOUS FROM TO LINES, "no line 'number'"),
        ROW("no previous", MAGIC RA CA NUMBER FROM TO LINES, "no line 'previous'"),
        ROW("no from", MAGIC RA CA NUMBER PREVIOUS TO LINES, "no line 'from'"),
        ROW("no to", MAGIC RA CA NUMBER PREVIOUS FROM LINES, "no line 'to'"),
        ROW("63 digits", MAGIC RA "ca b\n" NUMBER PREVIOUS FROM TO LINES, "ca is not 64 hex"),
        ROW("a digit more", MAGIC RA "ca " B64 "b\n" NUMBER PREVIOUS FROM TO LINES, other),
        ROW("upper case",
            MAGIC "ra AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" CA NUMBER PREVIOUS FROM TO LINES,
            other),
        ROW("number 0", MAGIC RA CA "number 0\n" PREVIOUS FROM TO LINES, "number is not 1 to"),
        ROW("number 2^53 and more", MAGIC RA CA "number 9007199254740993\n" PREVIOUS FROM TO LINES,
            "number is not 1 to"),
        ROW("a leading zero", MAGIC RA CA "number 07\n" PREVIOUS FROM TO LINES, other),
        ROW("it ends before it begins",
            MAGIC RA CA NUMBER PREVIOUS "from 2026-11-29T17:05:01Z\n" TO LINES, span),
        ROW("a time that is none", MAGIC RA CA NUMBER PREVIOUS "from 2026\n" TO LINES, span),
        ROW("no line", HEAD, "0 lines"),
        ROW("an empty line", HEAD "\n" OTHERS, "a line of no kind"),
        ROW("a line of no kind", HEAD "reboot now\n", "a line of no kind"),
        ROW("no line break behind", HEAD "others 900 2", "a line that is not written"),
        ROW("a field less", HEAD "others 900\n", "a line that is not written"),
        ROW("a field more", HEAD "others 900 2 3\n", "a line that is not written"),
        ROW("two blanks", HEAD "others  900 2\n", "a line 'others' whose number is none"),
        ROW("nobody", HEAD "others 0 2\n", "a line 'others' whose number is none"),
        ROW("a failInfo that is none", HEAD "others 1 27\n", "a line 'others' whose number is"),
        ROW("a failInfo with a zero", HEAD "others 1 02\n", "a line that is not written"),
        ROW("a time that is none", HEAD "stop 2026-11-29T17:61:02Z why\n",
            "a line 'stop' whose time is none"),
        ROW("no text", HEAD "stop 2026-11-29T17:00:02Z \n", "a line 'stop' whose text is none"),
        ROW("a text with a tab", HEAD "stop 2026-11-29T17:00:02Z a\tb\n",
            "a line 'stop' whose text is none"),
        ROW("a text that is not ASCII", HEAD "stop 2026-11-29T17:00:02Z \xc3\xa4\n",
            "a line 'stop' whose text is none"),
        ROW("another registration", HEAD "refused 1 9 abc why\n", "a line 'refused' whose word"),
        ROW("another hash", HEAD "start 2026-11-29T17:00:01Z 1.2.3 " A64 " " D32 "\n",
            "a line 'start' whose word is none"),
        ROW("no version", HEAD "start 2026-11-29T17:00:01Z  " A64 " " E64 "\n",
            "a line 'start' whose word is none"),
    };
#undef ROW

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ra_report r;
        struct span lines;
        struct err e = {0};
        const int result = ra_report_parse(rows[i].text, &r, &lines, &e);

        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "read" : e.text);
        }
    }
}

static void
what_is_too_long_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 * RA_REPORT_TEXT_MAX);
    struct ra_report r;
    struct span lines;
    struct err e = {0};

    (void)state;
    assert_ok(buf_append(&text, SPAN_LITERAL(HEAD), &e), &e);
    for (int i = 0; i < RA_REPORT_LINES_MAX; i++) {
        assert_ok(buf_append(&text, SPAN_LITERAL(OTHERS), &e), &e);
    }
    assert_ok(ra_report_parse(buf_span(&text), &r, &lines, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL(OTHERS), &e), &e);
    assert_err(ra_report_parse(buf_span(&text), &r, &lines, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "129 lines"));
    while (text.n <= RA_REPORT_TEXT_MAX) {
        assert_ok(buf_append(&text, SPAN_LITERAL(REFUSED), &e), &e);
    }
    assert_err(ra_report_parse(buf_span(&text), &r, &lines, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "too long"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_written_and_read),
        cmocka_unit_test(only_these_octets_are_read),
        cmocka_unit_test(what_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
