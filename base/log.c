/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { TEXT_MAX = 2048, LINE_MAX_OCTETS = 6 * TEXT_MAX + 512 };

static const char *log_program = "nfpki";
static enum log_level log_least = LOG_INFO;

void
log_open(const char *program, enum log_level least)
{
    log_program = program;
    log_least = least;
}

static const char *
level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARNING:
        return "warning";
    case LOG_ERROR:
        return "error";
    }
    return "error";
}

/* What is not ASCII: a character of UTF-8 as JSON names it, in two halves above U+FFFF (RFC 8259
 * 7); an octet that is none as \u00xx. Returns how many octets that was. */
static size_t
escape_other(struct span rest, char *out, size_t size)
{
    uint32_t code = 0;
    size_t n = text_character(rest, &code);

    if (n == 0 || code < 0x10000) {
        (void)snprintf(out, size, "\\u%04x", n == 0 ? rest.p[0] : code);
        return n == 0 ? 1 : n;
    }
    code -= 0x10000;
    (void)snprintf(out, size, "\\u%04x\\u%04x", 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
    return n;
}

/* JSON string escapes; whatever is not printable ASCII becomes \uxxxx, so a peer's bytes can
 * neither end the line nor reach a terminal raw. */
static void
escape(const char *text, char *out, size_t size)
{
    size_t n = 0;

    struct span rest = span_str(text);

    while (rest.n > 0 && n + 13 < size) {
        const unsigned char *p = rest.p;
        size_t used = 1;

        if (*p == '"' || *p == '\\') {
            out[n++] = '\\';
            out[n++] = (char)*p;
        } else if (*p >= 0x20 && *p < 0x7f) {
            out[n++] = (char)*p;
        } else {
            used = escape_other(rest, out + n, size - n);
            n += strlen(out + n);
        }
        rest = span_of(rest.p + used, rest.n - used);
    }
    out[n] = '\0';
}

static void
line(enum log_level level, const char *event, const char *code, const char *text)
{
    char escaped[6 * TEXT_MAX + 8];
    char out[LINE_MAX_OCTETS];
    struct timespec now;
    struct tm utc;
    int n;

    escape(text, escaped, sizeof(escaped));
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    n = snprintf(out, sizeof(out),
                 "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"level\":\"%s\","
                 "\"program\":\"%s\",\"pid\":%ld,\"event\":\"%s\"%s%s%s,\"text\":\"%s\"}\n",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec, now.tv_nsec / 1000000, level_name(level), log_program, (long)getpid(),
                 event, code == NULL ? "" : ",\"code\":\"", code == NULL ? "" : code,
                 code == NULL ? "" : "\"", escaped);
    if (n > 0) {
        size_t size = (size_t)n < sizeof(out) ? (size_t)n : sizeof(out) - 1;
        ssize_t written = write(STDERR_FILENO, out, size);

        (void)written; /* a log that cannot be written has nowhere to be reported */
    }
}

void
log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    if (level < log_least) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    line(level, event, NULL, text);
}

void
log_err(enum log_level level, const char *event, const struct err *e, const char *fmt, ...)
{
    char text[TEXT_MAX];
    size_t n;
    va_list ap;

    if (level < log_least) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    n = strlen(text);
    (void)snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? ": " : "", e->text);
    line(level, event, err_code_name(e->code), text);
}
