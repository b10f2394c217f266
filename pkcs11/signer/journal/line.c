/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CRC_DIGITS = 8 };

/* CRC-32 of ISO 3309, as gzip has it. */
static uint32_t
crc32(struct span bytes)
{
    static uint32_t table[256];
    uint32_t crc = ~0U;

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;

            for (int k = 0; k < 8; k++) {
                c = (c & 1) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
            }
            table[i] = c;
        }
    }
    for (size_t i = 0; i < bytes.n; i++) {
        crc = table[(crc ^ bytes.p[i]) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

char *
journal_line_seal(const char *text)
{
    return mem_printf("%s %08" PRIx32 "\n", text, crc32(span_str(text)));
}

bool
journal_line_unseal(char *line)
{
    size_t n = strlen(line);
    char expected[CRC_DIGITS + 1];

    if (n < CRC_DIGITS + 2 || line[n - CRC_DIGITS - 1] != ' ') {
        return false;
    }
    (void)snprintf(expected, sizeof(expected), "%08" PRIx32,
                   crc32(span_of(line, n - CRC_DIGITS - 1)));
    if (strcmp(expected, line + n - CRC_DIGITS) != 0) {
        return false;
    }
    line[n - CRC_DIGITS - 1] = '\0';
    return true;
}

/* Takes the next word of *rest; NULL at the end. */
static char *
word(char **rest)
{
    return strsep(rest, " ");
}

static bool
is_kind(const char *text)
{
    return text != NULL && strlen(text) == 1 && strchr("TLKPQRS", text[0]) != NULL;
}

/* 20 digits. */
static bool
parse_number(const char *text, uint64_t *out)
{
    char expected[24];

    *out = strtoull(text, NULL, 10);
    (void)snprintf(expected, sizeof(expected), "%020" PRIu64, *out);
    return strcmp(text, expected) == 0;
}

static bool
parse_octets(const char *text, uint8_t *out, size_t n)
{
    struct err e = {0};

    return hex_parse(text, out, n, &e) == 0;
}

static bool
parse_crl(struct journal_attempt *a, const char *number, const char *this_update)
{
    uint64_t time;

    if (this_update == NULL || !parse_number(number, &a->crl.number) ||
        !parse_number(this_update, &time) || time > INT64_MAX) {
        return false;
    }
    a->crl.this_update = (int64_t)time;
    memcpy(a->crl.hash, a->hash, sizeof(a->crl.hash));
    return true;
}

/* What stands behind the hash. */
static bool
parse_rest(struct journal_attempt *a, const char *first, const char *second)
{
    a->bare = first == NULL;
    switch (a->kind) {
    case 'K':
        return first != NULL && second != NULL && parse_number(first, &a->checkpoint.size) &&
               parse_octets(second, a->checkpoint.root, sizeof(a->checkpoint.root));
    case 'T':
        return a->bare || (second == NULL && parse_octets(first, a->serial, sizeof(a->serial)));
    case 'L':
        return a->bare || parse_crl(a, first, second);
    default:
        return a->bare;
    }
}

/* Behind everything else, as "s" and 20 digits: no other word begins so. */
static bool
take_count(char *text, struct journal_attempt *a)
{
    char *last = strrchr(text, ' ');

    a->counts = last != NULL && last[1] == 's';
    if (!a->counts) {
        return true;
    }
    *last = '\0';
    return parse_number(last + 2, &a->signatures);
}

enum { DIGITS = 20 };

bool
journal_count_parse(const char *text, struct journal_count *out)
{
    char number[DIGITS + 1] = {0};

    if (strlen(text) != 2 * DIGITS + 3 || strncmp(text + DIGITS, " N ", 3) != 0) {
        return false;
    }
    memcpy(number, text, DIGITS);
    return parse_number(number, &out->number) && parse_number(text + DIGITS + 3, &out->signatures);
}

char *
journal_count_format(const struct journal_count *c)
{
    return mem_printf("%020" PRIu64 " N %020" PRIu64, c->number, c->signatures);
}

bool
journal_attempt_parse(char *text, struct journal_attempt *out)
{
    struct journal_attempt counted = {0};
    const bool is_counted = take_count(text, &counted);
    char *rest = text;
    const char *number = word(&rest);
    const char *kind = word(&rest);
    const char *hash = word(&rest);
    const char *first = word(&rest);
    const char *second = word(&rest);

    *out = counted;
    if (!is_counted || rest != NULL || !parse_number(number, &out->number) || !is_kind(kind) ||
        hash == NULL || !parse_octets(hash, out->hash, sizeof(out->hash))) {
        return false;
    }
    out->kind = kind[0];
    return parse_rest(out, first, second);
}

/* What stands behind the hash, with the blank before it. */
static char *
format_rest(const struct journal_attempt *a)
{
    char hex[2 * sizeof(a->checkpoint.root) + 1];

    if (a->bare) {
        return mem_strdup("");
    }
    switch (a->kind) {
    case 'K':
        hex_format(span_of(a->checkpoint.root, sizeof(a->checkpoint.root)), hex);
        return mem_printf(" %020" PRIu64 " %s", a->checkpoint.size, hex);
    case 'T':
        hex_format(span_of(a->serial, sizeof(a->serial)), hex);
        return mem_printf(" %s", hex);
    case 'L':
        return mem_printf(" %020" PRIu64 " %020" PRId64, a->crl.number, a->crl.this_update);
    default:
        return mem_strdup("");
    }
}

char *
journal_attempt_format(const struct journal_attempt *a)
{
    CLEANUP(mem_cleanup) char *rest = format_rest(a);
    char hash[2 * sizeof(a->hash) + 1];

    hex_format(span_of(a->hash, sizeof(a->hash)), hash);
    return a->counts ? mem_printf("%020" PRIu64 " %c %s%s s%020" PRIu64, a->number, a->kind, hash,
                                  rest, a->signatures)
                     : mem_printf("%020" PRIu64 " %c %s%s", a->number, a->kind, hash, rest);
}
