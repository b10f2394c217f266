/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/definition/place.h"

#include <stdio.h>
#include <string.h>

enum { WORD_SIZE = 80, DEPTH_MAX = 4 };

enum token { T_END, T_WORD, T_STRING, T_EQUALS, T_OPEN, T_CLOSE, T_COMMA, T_BAD };

struct scanner {
    const char *path;
    struct span text;
    size_t at;
    int line;
    char word[WORD_SIZE]; /* of the last T_WORD or T_STRING */
    struct places *out;
    char prefix[DEPTH_MAX][PLACE_NAME_SIZE];
    size_t depth;
};

static int
bad(const struct scanner *s, const char *what, struct err *e)
{
    return err_set(e, ERR_INPUT, "%s:%d: %s", s->path, s->line, what);
}

static bool
starts(const struct scanner *s, const char *text)
{
    size_t n = strlen(text);

    return s->text.n - s->at >= n && memcmp(s->text.p + s->at, text, n) == 0;
}

static void
skip_until(struct scanner *s, const char *end)
{
    while (s->at < s->text.n && !starts(s, end)) {
        s->line += s->text.p[s->at] == '\n';
        s->at++;
    }
}

static void
skip_blank(struct scanner *s)
{
    while (s->at < s->text.n) {
        char c = (char)s->text.p[s->at];

        if (c == ' ' || c == '\t' || c == '\n') {
            s->line += c == '\n';
            s->at++;
        } else if (c == '#' || starts(s, "//")) {
            skip_until(s, "\n");
        } else if (starts(s, "/*")) {
            skip_until(s, "*/");
            s->at += starts(s, "*/") ? 2 : 0;
        } else {
            return;
        }
    }
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || c == '/';
}

/* Strings longer than a word are cut: only titles are looked at. */
static enum token
take_string(struct scanner *s)
{
    char quote = (char)s->text.p[s->at++];
    size_t n = 0;

    while (s->at < s->text.n) {
        char c = (char)s->text.p[s->at++];

        if (c == quote) {
            s->word[n] = '\0';
            return T_STRING;
        }
        if (c == '\\' || c == '\n') {
            return T_BAD;
        }
        if (n + 1 < sizeof(s->word)) {
            s->word[n++] = c;
        }
    }
    return T_BAD;
}

static enum token
next(struct scanner *s)
{
    size_t n = 0;

    skip_blank(s);
    if (s->at >= s->text.n) {
        return T_END;
    }
    switch (s->text.p[s->at]) {
    case '"':
    case '\'':
        return take_string(s);
    case '=':
        s->at++;
        return T_EQUALS;
    case '{':
        s->at++;
        return T_OPEN;
    case '}':
        s->at++;
        return T_CLOSE;
    case ',':
        s->at++;
        return T_COMMA;
    default:
        break;
    }
    while (s->at < s->text.n && is_word((char)s->text.p[s->at]) && n + 1 < sizeof(s->word)) {
        s->word[n++] = (char)s->text.p[s->at++];
    }
    s->word[n] = '\0';
    return n == 0 ? T_BAD : T_WORD;
}

static int
note(struct scanner *s, const char *name, const char *title, struct err *e)
{
    struct place *p;
    const char *outer = s->depth == 0 ? "" : s->prefix[s->depth - 1];

    if (s->out->n == PLACES_MAX) {
        return bad(s, "too many options", e);
    }
    p = &s->out->at[s->out->n];
    p->line = s->line;
    (void)snprintf(p->name, sizeof(p->name), "%s%s%s%s%s", outer, outer[0] == '\0' ? "" : ".", name,
                   title == NULL ? "" : ".", title == NULL ? "" : title);
    for (size_t i = 0; i < s->out->n; i++) {
        if (strcmp(s->out->at[i].name, p->name) == 0) {
            return err_set(e, ERR_INPUT, "%s:%d: '%s' stands in line %d already", s->path, s->line,
                           p->name, s->out->at[i].line);
        }
    }
    s->out->n++;
    return 0;
}

static int
skip_value(struct scanner *s, struct err *e)
{
    enum token t = next(s);

    if (t == T_WORD || t == T_STRING) {
        return 0;
    }
    if (t != T_OPEN) {
        return bad(s, "a value is missing", e);
    }
    do {
        t = next(s);
    } while (t == T_WORD || t == T_STRING || t == T_COMMA);
    return t == T_CLOSE ? 0 : bad(s, "a list is not closed", e);
}

static int
open_section(struct scanner *s, const char *name, const char *title, struct err *e)
{
    if (s->depth == DEPTH_MAX) {
        return bad(s, "sections are too deep", e);
    }
    if (note(s, name, title, e) != 0) {
        return -1;
    }
    memcpy(s->prefix[s->depth++], s->out->at[s->out->n - 1].name, PLACE_NAME_SIZE);
    return 0;
}

/* name = value | name { | name "title" { */
static int
statement(struct scanner *s, struct err *e)
{
    char name[WORD_SIZE];
    char title[WORD_SIZE];
    enum token t;

    memcpy(name, s->word, sizeof(name));
    t = next(s);
    if (t == T_EQUALS) {
        return note(s, name, NULL, e) != 0 ? -1 : skip_value(s, e);
    }
    if (t == T_OPEN) {
        return open_section(s, name, NULL, e);
    }
    if (t != T_STRING && t != T_WORD) {
        return bad(s, "expected `=`, a title or `{`", e);
    }
    memcpy(title, s->word, sizeof(title));
    if (strchr(title, '.') != NULL) {
        return bad(s, "a title has no dot", e);
    }
    return next(s) == T_OPEN ? open_section(s, name, title, e) : bad(s, "expected `{`", e);
}

int
places_scan(const char *path, struct span text, struct places *out, struct err *e)
{
    struct scanner s = {.path = path, .text = text, .line = 1, .out = out};
    int line = 1;

    out->n = 0;
    for (size_t i = 0; i < text.n; i++) {
        line += text.p[i] == '\n';
        if ((text.p[i] < 0x20 && text.p[i] != '\n') || text.p[i] > 0x7e) {
            return err_set(e, ERR_INPUT, "%s:%d: octet 0x%02x: printable ASCII only, no tabs", path,
                           line, text.p[i]);
        }
    }
    for (;;) {
        enum token t = next(&s);

        if (t == T_END) {
            return s.depth == 0 ? 0 : bad(&s, "a section is not closed", e);
        }
        if (t == T_CLOSE && s.depth > 0) {
            s.depth--;
        } else if (t != T_WORD) {
            return bad(&s, "expected the name of an option or a section", e);
        } else if (statement(&s, e) != 0) {
            return -1;
        }
    }
}

int
places_line(const struct places *places, const char *name)
{
    char wanted[PLACE_NAME_SIZE];
    char *dot;

    (void)snprintf(wanted, sizeof(wanted), "%s", name);
    for (;;) {
        for (size_t i = 0; i < places->n; i++) {
            if (strcmp(places->at[i].name, wanted) == 0) {
                return places->at[i].line;
            }
        }
        dot = strrchr(wanted, '.');
        if (dot == NULL) {
            return 1;
        }
        *dot = '\0';
    }
}
