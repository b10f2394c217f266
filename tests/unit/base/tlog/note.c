/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/note.h"

#include <string.h>

#include "tests/support/test.h"

#define DASH "\xe2\x80\x94 "

/* ---- what is a note ---- */

static void
a_note_is_cut_at_its_last_empty_line(void **state)
{
    static const char octets[] =
        "first\n\nsecond\n\n" DASH "a.example AAAAAQE=\n" DASH "caf\xc3\xa9/1 AAAAAgI=\n";
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    struct note note;
    struct err e = {0};

    (void)state;
    assert_ok(note_parse(span_str(octets), &note, &e), &e);
    assert_true(span_equal(note.text, SPAN_LITERAL("first\n\nsecond\n")));
    assert_int_equal(note.n, 2);
    assert_true(span_equal(note.lines[0].name, SPAN_LITERAL("a.example")));
    assert_true(span_equal(note.lines[1].name, SPAN_LITERAL("caf\xc3\xa9/1")));
    assert_ok(note_line_decode(&note.lines[1], &line, &e), &e);
    assert_true(span_equal(buf_span(&line), SPAN_LITERAL("\0\0\0\2\2")));
}

static char *
note_of(size_t lines)
{
    char *text = mem_strdup("text\n\n");

    for (size_t i = 0; i < lines; i++) {
        char *more = mem_printf("%s" DASH "w%zu.example AAAAAQE=\n", text, i);

        mem_free(text);
        text = more;
    }
    return text;
}

static void
as_many_signatures_as_are_allowed(void **state)
{
    CLEANUP(mem_cleanup) char *most = note_of(NOTE_SIGNATURES_MAX);
    CLEANUP(mem_cleanup) char *more = note_of(NOTE_SIGNATURES_MAX + 1);
    struct note note;
    struct err e = {0};

    (void)state;
    assert_ok(note_parse(span_str(most), &note, &e), &e);
    assert_int_equal(note.n, NOTE_SIGNATURES_MAX);
    assert_err(note_parse(span_str(more), &note, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "more than 100 signatures"));
}

/* ---- and what is none ---- */

static void
another_form_is_refused(void **state)
{
    static const struct {
        const char *octets;
        const char *says;
    } rows[] = {
        {"", "0 octets"},
        {"text\n", "no signature"},
        {"text\n\n", "no signature"},
        {"\n\n" DASH "a AAAAAQE=\n\n", "no signature"},
        {"text\n\n" DASH "a AAAAAQE=", "the last line has no line break"},
        {"te\rxt\n\n" DASH "a AAAAAQE=\n", "a control character"},
        {"te\x7fxt\n\n" DASH "a AAAAAQE=\n", "a control character"},
        {"te\xffxt\n\n" DASH "a AAAAAQE=\n", "not UTF-8"},
        {"te\xed\xa0\x80xt\n\n" DASH "a AAAAAQE=\n", "not UTF-8"},
        {"text\n\n- a AAAAAQE=\n", "without its dash"},
        {"text\n\n" DASH "\n", "without its dash"},
        {"text\n\n" DASH "a\n", "without a signature"},
        {"text\n\n" DASH "a \n", "without a signature"},
        {"text\n\n" DASH " AAAAAQE=\n", "whose name is none"},
        {"text\n\n" DASH "a+b AAAAAQE=\n", "whose name is none"},
        {"text\n\n" DASH "a\xe2\x80\xa8"
         "b AAAAAQE=\n",
         "whose name is none"},
        {"text\n\n" DASH "a\xc2\xa0"
         "b AAAAAQE=\n",
         "whose name is none"},
    };
    struct note note;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(note_parse(span_str(rows[i].octets), &note, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%zu: %s", i, e.text);
        }
    }
}

static void
a_note_has_a_greatest_size(void **state)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(NOTE_MAX + 1);
    static const char end[] = "\n\n" DASH "a AAAAAQE=\n";
    struct note note;
    struct err e = {0};

    (void)state;
    while (octets.n < NOTE_MAX - strlen(end)) {
        assert_ok(buf_append_str(&octets, "x", &e), &e);
    }
    assert_ok(buf_append_str(&octets, end, &e), &e);
    assert_ok(note_parse(buf_span(&octets), &note, &e), &e);
    assert_ok(buf_append_str(&octets, "\n", &e), &e);
    assert_err(note_parse(buf_span(&octets), &note, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "65537 octets"));
}

static void
a_line_that_is_no_base64_is_not_decoded(void **state)
{
    static const struct {
        const char *encoded;
        const char *says;
    } rows[] = {
        {"AAAAAQ=", "not a multiple of 4"},
        {"AAAA*QE=", "outside the alphabet"},
        {"AAAAAQF=", "base64"},
        {"AAAAAQ==", "without a signature"},
    };
    CLEANUP(buf_free) struct buf out = BUF_INIT(NOTE_MAX);
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct note_line line = {SPAN_LITERAL("a"), span_str(rows[i].encoded)};

        buf_truncate(&out, 0);
        assert_err(note_line_decode(&line, &out, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%zu: %s", i, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_cut_at_its_last_empty_line),
        cmocka_unit_test(as_many_signatures_as_are_allowed),
        cmocka_unit_test(another_form_is_refused),
        cmocka_unit_test(a_note_has_a_greatest_size),
        cmocka_unit_test(a_line_that_is_no_base64_is_not_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
