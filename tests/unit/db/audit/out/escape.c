/* SPDX-License-Identifier: Apache-2.0 */
/* Names that were made to do harm do none, whatever they are written to. */
#include "db/audit/out/escape.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

/* A formula, markup, a terminal's title, text from right to left. */
#define HOSTILE "=HYPERLINK(\"http://x\")<script>\x1b]0;x\x07\xe2\x80\xae"

static void
must_be(enum escape_for sink, struct span text, const char *wanted)
{
    char *got = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&got, &n);

    assert_non_null(memory);
    escape_write(memory, sink, text);
    assert_int_equal(fclose(memory), 0);
    assert_string_equal(got, wanted);
    assert_int_equal(n, strlen(wanted));
    free(got);
}

static void
a_hostile_name_is_harmless_everywhere(void **state)
{
    /* NOLINTNEXTLINE(misc-misleading-bidirectional): on purpose */
    const struct span name = SPAN_LITERAL(HOSTILE);

    (void)state;
    must_be(ESCAPE_TERMINAL, name, "=HYPERLINK(\"http://x\")<script>\\u{1b}]0;x\\u{7}\\u{202e}");
    must_be(ESCAPE_HTML, name,
            "=HYPERLINK(&quot;http://x&quot;)&lt;script&gt;\\u{1b}]0;x\\u{7}\\u{202e}");
    must_be(ESCAPE_CSV, name,
            "\"'=HYPERLINK(\"\"http://x\"\")<script>\\u{1b}]0;x\\u{7}\\u{202e}\"");
    must_be(ESCAPE_CSV_RAW, name,
            "\"=HYPERLINK(\"\"http://x\"\")<script>\\u{1b}]0;x\\u{7}\\u{202e}\"");
    must_be(ESCAPE_JSON, name, "\"=HYPERLINK(\\\"http://x\\\")<script>\\u001b]0;x\\u0007\\u202e\"");
}

static void
a_nul_does_not_make_two_names(void **state)
{
    const struct span name = SPAN_LITERAL("amf.example\0.evil");

    (void)state;
    must_be(ESCAPE_TERMINAL, name, "amf.example\\u{0}.evil");
    must_be(ESCAPE_HTML, name, "amf.example\\u{0}.evil");
    must_be(ESCAPE_CSV, name, "\"amf.example\\u{0}.evil\"");
    must_be(ESCAPE_JSON, name, "\"amf.example\\u0000.evil\"");
}

static void
what_is_no_utf8_is_told_octet_by_octet(void **state)
{
    /* alone, overlong, a surrogate, cut */
    const struct span text = SPAN_LITERAL("a\xff"
                                          "b\xc0\xaf"
                                          "c\xed\xa0\x80"
                                          "d\xe2\x80");

    (void)state;
    must_be(ESCAPE_TERMINAL, text, "a\\x{ff}b\\x{c0}\\x{af}c\\x{ed}\\x{a0}\\x{80}d\\x{e2}\\x{80}");
    must_be(ESCAPE_HTML, text, "a\\x{ff}b\\x{c0}\\x{af}c\\x{ed}\\x{a0}\\x{80}d\\x{e2}\\x{80}");
    must_be(ESCAPE_JSON, SPAN_LITERAL("a\xff"), "\"a\\ufffd\"");
}

/* One that says so itself is not taken for an escape. */
static void
a_backslash_is_doubled(void **state)
{
    const struct span text = SPAN_LITERAL("\\u{202e}");

    (void)state;
    must_be(ESCAPE_TERMINAL, text, "\\\\u{202e}");
    must_be(ESCAPE_HTML, text, "\\\\u{202e}");
    must_be(ESCAPE_CSV, text, "\"\\\\u{202e}\"");
    must_be(ESCAPE_JSON, text, "\"\\\\u{202e}\"");
}

static void
letters_of_others_stay_but_for_terminals(void **state)
{
    const struct span text = SPAN_LITERAL("\xc3\xa4\xf0\x9f\x98\x80");

    (void)state;
    must_be(ESCAPE_TERMINAL, text, "\\u{e4}\\u{1f600}");
    must_be(ESCAPE_HTML, text, "\xc3\xa4\xf0\x9f\x98\x80");
    must_be(ESCAPE_CSV, text, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    must_be(ESCAPE_JSON, text, "\"\\u00e4\\ud83d\\ude00\"");
    must_be(ESCAPE_HTML, SPAN_LITERAL("'&'"), "&#39;&amp;&#39;");
}

static void
every_invisible_character_is_told(void **state)
{
    static const struct {
        const char *utf8;
        const char *shown;
    } rows[] = {
        {"\x7f", "\\u{7f}"},
        {"\xc2\x9b", "\\u{9b}"}, /* CSI in one octet */
        {"\xd8\x9c", "\\u{61c}"},
        {"\xe2\x80\x8b", "\\u{200b}"},
        {"\xe2\x80\x8f", "\\u{200f}"},
        {"\xe2\x80\xa8", "\\u{2028}"},
        {"\xe2\x81\xa9", "\\u{2069}"},
        {"\xef\xbb\xbf", "\\u{feff}"},
        {"\xef\xbf\xb9", "\\u{fff9}"},
        {"\xef\xb7\x90", "\\u{fdd0}"},
        {"\xef\xbf\xbe", "\\u{fffe}"},
        {"\xf0\x9f\xbf\xbf", "\\u{1ffff}"},
        {"\xf3\xa0\x81\xbf", "\\u{e007f}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *quoted = mem_printf("\"%s\"", rows[i].shown);

        must_be(ESCAPE_TERMINAL, span_str(rows[i].utf8), rows[i].shown);
        must_be(ESCAPE_HTML, span_str(rows[i].utf8), rows[i].shown);
        must_be(ESCAPE_CSV, span_str(rows[i].utf8), quoted);
    }
}

static void
no_spreadsheet_finds_a_formula(void **state)
{
    static const char *const begin[] = {
        "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(begin); i++) {
        CLEANUP(mem_cleanup) char *text = mem_printf("%s1", begin[i]);
        CLEANUP(mem_cleanup) char *guarded = mem_printf("\"'%s1\"", begin[i]);
        CLEANUP(mem_cleanup) char *raw = mem_printf("\"%s1\"", begin[i]);

        must_be(ESCAPE_CSV, span_str(text), guarded);
        must_be(ESCAPE_CSV_RAW, span_str(text), raw);
    }
    must_be(ESCAPE_CSV, SPAN_LITERAL("\t=1"), "\"\\u{9}=1\"");
    must_be(ESCAPE_CSV, SPAN_LITERAL("\r\n=1"), "\"\\u{d}\\u{a}=1\"");
    must_be(ESCAPE_CSV, SPAN_LITERAL("a=1"), "\"a=1\"");
    must_be(ESCAPE_CSV, SPAN_LITERAL(""), "\"\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_name_is_harmless_everywhere),
        cmocka_unit_test(a_nul_does_not_make_two_names),
        cmocka_unit_test(what_is_no_utf8_is_told_octet_by_octet),
        cmocka_unit_test(a_backslash_is_doubled),
        cmocka_unit_test(letters_of_others_stay_but_for_terminals),
        cmocka_unit_test(every_invisible_character_is_told),
        cmocka_unit_test(no_spreadsheet_finds_a_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
