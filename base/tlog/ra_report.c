/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/ra_report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

#define MAGIC "nfpki-ra-report/v1\n"

enum {
    HEX_SIZE = 2 * RA_REPORT_ID + 1,
    HEAD_MAX = 512,
    LINE_MAX_SIZE = 512,
    REGISTRATION_SIZE = 32, /* hex digits */
};
#define TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define COUNT_MAX (UINT64_C(1) << 53)  /* so that JSON has it */

/* What is behind the name of a line: t(ime), n(umber), f(ailInfo); a w(ord), which may have to be a
 * h(ash) or a r(egistration); s, text to the end. */
static const struct {
    const char *name;
    const char *fields;
} shapes[RA_REPORT_WHATS] = {
    [RA_REPORT_START] = {"start", "twhh"},     [RA_REPORT_STOP] = {"stop", "ts"},
    [RA_REPORT_REFUSED] = {"refused", "nfrs"}, [RA_REPORT_OTHERS] = {"others", "nf"},
    [RA_REPORT_DID] = {"did", "twwws"},
};

const char *
ra_report_what_name(enum ra_report_what what)
{
    assert(what < RA_REPORT_WHATS);
    return shapes[what].name;
}

static bool
is_printable(struct span text, uint8_t first, size_t max)
{
    if (text.n == 0 || text.n > max) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < first || text.p[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool
is_time(time_t at)
{
    return at >= 0 && at <= TIME_MAX;
}

/* ---- a line ---- */

static int
wrong(const char *name, const char *what, struct err *e)
{
    return err_set(e, ERR_INPUT, "report: a line '%s' whose %s is none", name, what);
}

static bool
is_hex(struct span word, size_t n)
{
    for (size_t i = 0; i < word.n; i++) {
        if (strchr("0123456789abcdef", word.p[i]) == NULL) {
            return false;
        }
    }
    return word.n == n;
}

static bool
is_word(char field, struct span word)
{
    if (!is_printable(word, '!', RA_REPORT_WORD_MAX)) {
        return false;
    }
    if (field == 'r') {
        return is_hex(word, REGISTRATION_SIZE) || span_equal(word, SPAN_LITERAL("unknown"));
    }
    return field != 'h' || is_hex(word, 2 * RA_REPORT_ID);
}

static int
put_word(const struct ra_report_line *line, char field, size_t *words, struct buf *out,
         struct err *e)
{
    const struct span word = line->word[(*words)++];

    return is_word(field, word) ? buf_append(out, word, e)
                                : wrong(shapes[line->what].name, "word", e);
}

static int
put_number(const char *name, uint64_t number, uint64_t least, uint64_t most, struct buf *out,
           struct err *e)
{
    char text[HEX_SIZE];

    if (number < least || number > most) {
        return wrong(name, "number", e);
    }
    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    return buf_append(out, span_str(text), e);
}

static int
put_time(const char *name, time_t at, struct buf *out, struct err *e)
{
    char text[TIME_TEXT_SIZE];

    if (!is_time(at)) {
        return wrong(name, "time", e);
    }
    time_format(at, text);
    return buf_append(out, span_str(text), e);
}

static int
put_field(const struct ra_report_line *line, char field, size_t *words, struct buf *out,
          struct err *e)
{
    const char *name = shapes[line->what].name;

    switch (field) {
    case 't':
        return put_time(name, line->at, out, e);
    case 'n':
        return put_number(name, line->count, 1, COUNT_MAX, out, e);
    case 'f':
        return put_number(name, line->fail_info, 0, RA_REPORT_FAIL_INFO_MAX, out, e);
    case 's':
        return is_printable(line->text, ' ', RA_REPORT_WHY_MAX) ? buf_append(out, line->text, e)
                                                                : wrong(name, "text", e);
    default:
        return put_word(line, field, words, out, e);
    }
}

int
ra_report_put(struct buf *lines, const struct ra_report_line *line, struct err *e)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(LINE_MAX_SIZE);
    size_t words = 0;

    assert(line->what < RA_REPORT_WHATS);
    if (buf_append(&out, span_str(shapes[line->what].name), e) != 0) {
        return -1;
    }
    for (const char *field = shapes[line->what].fields; *field != '\0'; field++) {
        if (buf_append(&out, SPAN_LITERAL(" "), e) != 0 ||
            put_field(line, *field, &words, &out, e) != 0) {
            return -1;
        }
    }
    return buf_append(&out, SPAN_LITERAL("\n"), e) != 0 ? -1 : buf_append(lines, buf_span(&out), e);
}

/* What is before the next `end`, which is passed over; all when there is none. */
static struct span
take(struct span *rest, uint8_t end)
{
    const uint8_t *found = rest->n == 0 ? NULL : memchr(rest->p, end, rest->n);
    const struct span value = span_of(rest->p, found == NULL ? rest->n : (size_t)(found - rest->p));
    const size_t used = found == NULL ? rest->n : value.n + 1;

    *rest = span_of(rest->p + used, rest->n - used);
    return value;
}

/* What does not come out as it was is found when it is written again. */
static uint64_t
number_of(struct span digits)
{
    char text[HEX_SIZE] = {0};

    memcpy(text, digits.p, digits.n < sizeof(text) ? digits.n : sizeof(text) - 1);
    return strtoull(text, NULL, 10);
}

static time_t
time_of(struct span value)
{
    char text[TIME_TEXT_SIZE] = {0};
    time_t at = -1;
    struct err e;

    memcpy(text, value.p, value.n < sizeof(text) ? value.n : sizeof(text) - 1);
    return time_parse(text, &at, &e) == 0 ? at : -1;
}

static void
read_field(struct span *rest, char field, size_t *words, struct ra_report_line *line)
{
    if (field == 's') {
        line->text = *rest;
        return;
    }
    const struct span value = take(rest, ' ');

    if (field == 't') {
        line->at = time_of(value);
    } else if (field == 'n') {
        line->count = number_of(value);
    } else if (field == 'f') {
        const uint64_t bit = number_of(value);

        line->fail_info =
            bit > RA_REPORT_FAIL_INFO_MAX ? RA_REPORT_FAIL_INFO_MAX + 1 : (unsigned)bit;
    } else {
        line->word[(*words)++] = value;
    }
}

/* False: no such line. */
static bool
read_line(struct span text, struct ra_report_line *line)
{
    const struct span name = take(&text, ' ');
    size_t words = 0;

    *line = (struct ra_report_line){.what = RA_REPORT_WHATS};
    for (unsigned i = 0; i < RA_REPORT_WHATS; i++) {
        if (span_equal(name, span_str(shapes[i].name))) {
            line->what = (enum ra_report_what)i;
        }
    }
    if (line->what == RA_REPORT_WHATS) {
        return false;
    }
    for (const char *field = shapes[line->what].fields; *field != '\0'; field++) {
        read_field(&text, *field, &words, line);
    }
    return true;
}

bool
ra_report_next(struct span *lines, struct ra_report_line *line)
{
    return lines->n > 0 && read_line(take(lines, '\n'), line);
}

/* There is one way to write each. */
static int
check_lines(struct span lines, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(RA_REPORT_TEXT_MAX);
    struct span rest = lines;
    size_t n = 0;

    while (rest.n > 0) {
        struct ra_report_line line;

        if (!ra_report_next(&rest, &line)) {
            return err_set(e, ERR_INPUT, "report: a line of no kind");
        }
        if (ra_report_put(&again, &line, e) != 0) {
            return -1;
        }
        n++;
    }
    if (n == 0 || n > RA_REPORT_LINES_MAX) {
        return err_set(e, ERR_INPUT, "report: %zu lines, 1 to %d may be there", n,
                       RA_REPORT_LINES_MAX);
    }
    return span_equal(buf_span(&again), lines)
               ? 0
               : err_set(e, ERR_INPUT, "report: a line that is not written as it must be");
}

/* ---- the whole ---- */

static int
check(const struct ra_report *r, struct err *e)
{
    if (r->number == 0 || r->number > COUNT_MAX) {
        return err_set(e, ERR_INPUT, "report: number is not 1 to 2^53");
    }
    return is_time(r->from) && is_time(r->to) && r->from <= r->to
               ? 0
               : err_set(e, ERR_INPUT, "report: from and to are no span of time");
}

int
ra_report_format(const struct ra_report *r, struct span lines, struct buf *out, struct err *e)
{
    char ra[HEX_SIZE];
    char ca[HEX_SIZE];
    char previous[HEX_SIZE];
    char from[TIME_TEXT_SIZE];
    char to[TIME_TEXT_SIZE];
    char head[HEAD_MAX];
    int n;

    if (check(r, e) != 0 || check_lines(lines, e) != 0) {
        return -1;
    }
    hex_format(span_of(r->ra, sizeof(r->ra)), ra);
    hex_format(span_of(r->ca, sizeof(r->ca)), ca);
    hex_format(span_of(r->previous, sizeof(r->previous)), previous);
    time_format(r->from, from);
    time_format(r->to, to);
    n = snprintf(head, sizeof(head),
                 MAGIC "ra %s\nca %s\nnumber %" PRIu64 "\nprevious %s\nfrom %s\nto %s\n", ra, ca,
                 r->number, previous, from, to);
    return buf_set(out, span_of(head, (size_t)n), e) != 0 ? -1 : buf_append(out, lines, e);
}

/* The value of the line `name value`. */
static int
take_value(struct span *rest, const char *name, struct span *value, struct err *e)
{
    *value = take(rest, '\n');
    return span_equal(take(value, ' '), span_str(name))
               ? 0
               : err_set(e, ERR_INPUT, "report: no line '%s' where it belongs", name);
}

static int
take_hash(struct span *rest, const char *name, uint8_t out[RA_REPORT_ID], struct err *e)
{
    char hex[HEX_SIZE] = {0};
    struct span value;

    if (take_value(rest, name, &value, e) != 0) {
        return -1;
    }
    memcpy(hex, value.p, value.n < sizeof(hex) ? value.n : sizeof(hex) - 1);
    return hex_parse(hex, out, RA_REPORT_ID, e) == 0
               ? 0
               : err_set(e, ERR_INPUT, "report: %s is not %d hex digits", name, 2 * RA_REPORT_ID);
}

static int
take_head(struct span *rest, struct ra_report *r, struct err *e)
{
    struct span number;
    struct span from;
    struct span to;

    if (take_hash(rest, "ra", r->ra, e) != 0 || take_hash(rest, "ca", r->ca, e) != 0 ||
        take_value(rest, "number", &number, e) != 0 ||
        take_hash(rest, "previous", r->previous, e) != 0 ||
        take_value(rest, "from", &from, e) != 0 || take_value(rest, "to", &to, e) != 0) {
        return -1;
    }
    r->number = number_of(number);
    r->from = time_of(from);
    r->to = time_of(to);
    return check(r, e);
}

int
ra_report_parse(struct span text, struct ra_report *r, struct span *lines, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(RA_REPORT_TEXT_MAX);
    const size_t magic = sizeof(MAGIC) - 1;
    struct span rest;

    if (text.n <= magic || text.n > RA_REPORT_TEXT_MAX || memcmp(text.p, MAGIC, magic) != 0) {
        return err_set(e, ERR_INPUT, "report: does not begin as one, or is too long");
    }
    rest = span_of(text.p + magic, text.n - magic);
    if (take_head(&rest, r, e) != 0 || ra_report_format(r, rest, &again, e) != 0) {
        return -1;
    }
    *lines = rest;
    return span_equal(buf_span(&again), text)
               ? 0
               : err_set(e, ERR_INPUT, "report: not written as it must be");
}
