/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/out/escape.h"

#include "base/text.h"

enum { REPLACEMENT = 0xfffd, BEYOND_BMP = 0x10000 };

static void
as_it_is(FILE *out, struct span character)
{
    (void)fwrite(character.p, 1, character.n, out);
}

static void
by_number(FILE *out, uint32_t code)
{
    (void)fprintf(out, "\\u{%x}", (unsigned)code);
}

static const char *
entity(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* RFC 8259 7 */
static void
json_character(FILE *out, uint32_t code)
{
    if (code == '"' || code == '\\') {
        (void)fprintf(out, "\\%c", (int)code);
    } else if (code >= ' ' && code <= '~') {
        (void)fputc((int)code, out);
    } else if (code < BEYOND_BMP) {
        (void)fprintf(out, "\\u%04x", (unsigned)code);
    } else {
        (void)fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - BEYOND_BMP) >> 10)),
                      (unsigned)(0xdc00 + ((code - BEYOND_BMP) & 0x3ff)));
    }
}

static void
visible(FILE *out, enum escape_for sink, struct span character, uint32_t code)
{
    if (code == '\\') {
        (void)fputs("\\\\", out);
        return;
    }
    switch (sink) {
    case ESCAPE_TERMINAL:
        if (code <= '~') {
            as_it_is(out, character);
        } else {
            by_number(out, code);
        }
        return;
    case ESCAPE_HTML:
        if (entity(code) != NULL) {
            (void)fputs(entity(code), out);
        } else {
            as_it_is(out, character);
        }
        return;
    case ESCAPE_CSV:
    case ESCAPE_CSV_RAW:
        if (code == '"') {
            (void)fputc('"', out);
        }
        as_it_is(out, character);
        return;
    case ESCAPE_JSON:
        return;
    }
}

/* How spreadsheets know a formula, with the twins that they take for the same. */
static bool
begins_formula(struct span text)
{
    uint32_t code = 0;

    if (text_character(text, &code) == 0) {
        return false;
    }
    switch (code) {
    case '=':
    case '+':
    case '-':
    case '@':
    case 0xff1d:
    case 0xff0b:
    case 0xff0d:
    case 0xff20:
        return true;
    default:
        return false;
    }
}

void
escape_write(FILE *out, enum escape_for sink, struct span text)
{
    const bool is_quoted = sink == ESCAPE_CSV || sink == ESCAPE_CSV_RAW || sink == ESCAPE_JSON;

    if (is_quoted) {
        (void)fputc('"', out);
    }
    if (sink == ESCAPE_CSV && begins_formula(text)) {
        (void)fputc('\'', out);
    }
    while (text.n > 0) {
        uint32_t code = 0;
        const size_t n = text_character(text, &code);

        if (sink == ESCAPE_JSON) {
            json_character(out, n == 0 ? (uint32_t)REPLACEMENT : code);
        } else if (n == 0) {
            (void)fprintf(out, "\\x{%02x}", (unsigned)text.p[0]);
        } else if (text_is_visible(code)) {
            visible(out, sink, span_of(text.p, n), code);
        } else {
            by_number(out, code);
        }
        text = span_of(text.p + (n == 0 ? 1 : n), text.n - (n == 0 ? 1 : n));
    }
    if (is_quoted) {
        (void)fputc('"', out);
    }
}

void
escape_write_str(FILE *out, enum escape_for sink, const char *text)
{
    escape_write(out, sink, span_str(text));
}
