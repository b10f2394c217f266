/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "base/typed.h"
#include "db/audit/out/terms.h"
#include "db/audit/query/cells.h"

enum { DAY_S = 86400, DAYS_MAX = 36500, HEX_MAX = 2 * 64 + 1 };

enum value_kind {
    VALUE_TEXT,
    VALUE_HEX,
    VALUE_PART,
    VALUE_PATTERN,
    VALUE_PERSON,
    VALUE_REASON,
    VALUE_BEGIN,
    VALUE_END,
    VALUE_DAYS,
    VALUE_NONE
};

static const struct {
    const char *option;
    const char *parameter;
    enum value_kind kind;
} table[FILTERS] = {
    [FILTER_NF] = {"nf", ":nf", VALUE_TEXT},
    [FILTER_NF_TYPE] = {"nf-type", ":nf_type", VALUE_TEXT},
    [FILTER_SERIAL] = {"serial", ":serial", VALUE_HEX},
    [FILTER_REQUEST] = {"request", ":request", VALUE_HEX},
    [FILTER_REGISTRATION] = {"registration", ":registration", VALUE_HEX},
    [FILTER_SUBJECT] = {"subject", ":subject", VALUE_PART},
    [FILTER_NAME] = {"name", ":name", VALUE_PATTERN},
    [FILTER_PROFILE] = {"profile", ":profile", VALUE_TEXT},
    [FILTER_STATUS] = {"status", ":status", VALUE_TEXT},
    [FILTER_REASON] = {"reason", ":reason", VALUE_REASON},
    [FILTER_SINCE] = {"since", ":since", VALUE_BEGIN},
    [FILTER_UNTIL] = {"until", ":until", VALUE_END},
    [FILTER_REGISTRAR] = {"registrar", ":registrar", VALUE_PERSON},
    [FILTER_OFFICER] = {"officer", ":officer", VALUE_PERSON},
    [FILTER_RA] = {"ra", ":ra", VALUE_PERSON},
    [FILTER_SPKI] = {"spki", ":spki", VALUE_HEX},
    [FILTER_ISSUER] = {"issuer", ":issuer", VALUE_HEX},
    [FILTER_EXPIRES_WITHIN] = {"expires-within", ":within", VALUE_DAYS},
    [FILTER_NEVER_USED] = {"never-used", NULL, VALUE_NONE},
    [FILTER_ACTION] = {"action", ":action", VALUE_TEXT},
    [FILTER_PLACE] = {"place", ":place", VALUE_TEXT},
    [FILTER_BY] = {"by", ":by", VALUE_PART},
};

const char *
filter_option(enum filter filter)
{
    return table[filter].option;
}

bool
filter_has_value(enum filter filter)
{
    return table[filter].kind != VALUE_NONE;
}

int
filter_time_parse(const char *text, bool is_end, time_t *out, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *whole =
        strlen(text) == strlen("2026-11-23") ? mem_printf("%sT00:00:00Z", text) : mem_strdup(text);

    if (time_parse(whole, out, e) != 0) {
        return err_set(e, ERR_INPUT, "a time is YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, in UTC");
    }
    *out += is_end && strlen(text) != strlen(whole) ? DAY_S - 1 : 0;
    return 0;
}

/* ---- binding ---- */

/* A parameter that this statement does not have is none of its business. */
static int
index_of(sqlite3_stmt *statement, const char *parameter)
{
    return sqlite3_bind_parameter_index(statement, parameter);
}

static void
bind_text(sqlite3_stmt *statement, const char *parameter, const char *text)
{
    const int at = index_of(statement, parameter);

    if (at > 0) {
        (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
    }
}

static void
bind_number(sqlite3_stmt *statement, const char *parameter, int64_t number)
{
    const int at = index_of(statement, parameter);

    if (at > 0) {
        (void)sqlite3_bind_int64(statement, at, number);
    }
}

static int
bind_octets(sqlite3_stmt *statement, const char *parameter, const char *typed)
{
    const int at = index_of(statement, parameter);
    char hex[HEX_MAX];
    uint8_t octets[HEX_MAX / 2];
    struct err ignored;

    if (typed_hex(typed, hex, sizeof(hex)) != 0 ||
        hex_parse(hex, octets, strlen(hex) / 2, &ignored) != 0) {
        return -1;
    }
    if (at > 0) {
        (void)sqlite3_bind_blob(statement, at, octets, (int)(strlen(hex) / 2), SQLITE_TRANSIENT);
    }
    return 0;
}

/* For LIKE ... ESCAPE '\': `any` is the character of the typed text that stands for anything. */
static char *
pattern_of(const char *typed, char any, bool is_part)
{
    char *pattern = mem_zalloc(2 * strlen(typed) + 3, 1);
    char *p = pattern;

    if (is_part) {
        *p++ = '%';
    }
    for (; *typed != '\0'; typed++) {
        if (*typed == any) {
            *p++ = '%';
            continue;
        }
        if (*typed == '%' || *typed == '_' || *typed == '\\') {
            *p++ = '\\';
        }
        *p++ = *typed;
    }
    if (is_part) {
        *p++ = '%';
    }
    return pattern;
}

static void
bind_pattern(sqlite3_stmt *statement, const char *parameter, const char *typed, char any,
             bool is_part)
{
    CLEANUP(mem_cleanup) char *pattern = pattern_of(typed, any, is_part);

    bind_text(statement, parameter, pattern);
}

/* By the serial of the certificate, else by what the subject has: both are asked for. */
static void
bind_person(sqlite3_stmt *statement, const char *parameter, const char *typed)
{
    CLEANUP(mem_cleanup) char *serial = mem_printf("%s_serial", parameter);

    (void)bind_octets(statement, serial, typed); /* unbound is NULL, which nothing equals */
    bind_pattern(statement, parameter, typed, '\0', true);
}

/* A CRLReason where there is one of that name or number, and a part of a text. */
static void
bind_reason(sqlite3_stmt *statement, const char *typed)
{
    const size_t digits = strspn(typed, "0123456789");

    bind_pattern(statement, ":reason", typed, '\0', true);
    if (digits > 0 && digits < 4 && typed[digits] == '\0') {
        bind_number(statement, ":reason_number", strtol(typed, NULL, 10));
    } else if (term_crl_reason_parse(typed) >= 0) {
        bind_number(statement, ":reason_number", term_crl_reason_parse(typed));
    }
}

/* What a mirror says of where leaves of such a time are (span, in mirror.sql); NULL: nowhere. */
static int
bind_leaf(sqlite3_stmt *statement, const char *parameter, const char *question, time_t at,
          struct err *e)
{
    sqlite3 *db = sqlite3_db_handle(statement);
    CLEANUP(statement_cleanup) sqlite3_stmt *span = NULL;
    int rc;

    if (statement_prepare(db, question, &span, e) != 0) {
        return -1;
    }
    (void)sqlite3_bind_int64(span, 1, at);
    rc = sqlite3_step(span);
    if (rc != SQLITE_ROW) {
        return statement_ended(span, rc, e);
    }
    (void)sqlite3_bind_value(statement, index_of(statement, parameter),
                             sqlite3_column_value(span, 0));
    return 0;
}

static int
bind_time(sqlite3_stmt *statement, const char *parameter, const char *typed, bool is_end,
          struct err *e)
{
    const char *leaf = is_end ? ":until_leaf" : ":since_leaf";
    time_t at;

    if (filter_time_parse(typed, is_end, &at, e) != 0) {
        return -1;
    }
    bind_number(statement, parameter, at);
    return index_of(statement, leaf) == 0
               ? 0
               : bind_leaf(statement, leaf,
                           is_end ? "SELECT 1024 * (max(n) + 1) FROM span WHERE earliest <= ?"
                                  : "SELECT 1024 * min(n) FROM span WHERE latest >= ?",
                           at, e);
}

static int
bind_days(sqlite3_stmt *statement, const char *parameter, const char *typed, time_t now,
          struct err *e)
{
    const size_t digits = strspn(typed, "0123456789");

    if (digits == 0 || digits > 5 || typed[digits] != '\0' || strtol(typed, NULL, 10) > DAYS_MAX) {
        return err_set(e, ERR_INPUT, "days, at most %d", DAYS_MAX);
    }
    bind_number(statement, parameter, (int64_t)now + DAY_S * strtol(typed, NULL, 10));
    return 0;
}

static int
bind(enum filter filter, const char *typed, time_t now, sqlite3_stmt *statement, struct err *e)
{
    const char *parameter = table[filter].parameter;

    switch (table[filter].kind) {
    case VALUE_TEXT:
        bind_text(statement, parameter, typed);
        return 0;
    case VALUE_HEX:
        return bind_octets(statement, parameter, typed) == 0
                   ? 0
                   : err_set(e, ERR_INPUT,
                             "hexadecimal, of either case, with or without 0x and colons");
    case VALUE_PART:
        bind_pattern(statement, parameter, typed, '\0', true);
        return 0;
    case VALUE_PATTERN:
        bind_pattern(statement, parameter, typed, '*', false);
        return 0;
    case VALUE_PERSON:
        bind_person(statement, parameter, typed);
        return 0;
    case VALUE_REASON:
        bind_reason(statement, typed);
        return 0;
    case VALUE_BEGIN:
    case VALUE_END:
        return bind_time(statement, parameter, typed, table[filter].kind == VALUE_END, e);
    case VALUE_DAYS:
        return bind_days(statement, parameter, typed, now, e);
    case VALUE_NONE:
        return 0;
    }
    return -1;
}

/* Both were read before. */
static int
times_check(const struct filters *filters, struct err *e)
{
    const char *since = filters->typed[FILTER_SINCE];
    const char *until = filters->typed[FILTER_UNTIL];
    time_t begin;
    time_t end;

    return since == NULL || until == NULL || filter_time_parse(since, false, &begin, e) != 0 ||
                   filter_time_parse(until, true, &end, e) != 0 || begin <= end
               ? 0
               : err_set(e, ERR_INPUT, "--since is behind --until");
}

int
filters_bind(const struct filters *filters, time_t now, sqlite3_stmt *statement, struct err *e)
{
    bind_number(statement, ":now", now);
    for (int f = 0; f < FILTERS; f++) {
        if (filters->typed[f] != NULL &&
            bind((enum filter)f, filters->typed[f], now, statement, e) != 0) {
            return err_wrap(e, "--%s", table[f].option);
        }
    }
    return times_check(filters, e);
}
