/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/definition/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "file:line: option: reason" */
int
value_wrong(const struct reader *r, const char *option, struct err *e, const char *fmt, ...)
{
    char reason[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    return err_set(e, ERR_INPUT, "%s:%d: %s: %s", r->d->path, places_line(r->places, option),
                   option, reason);
}

/* `e` holds the reason of a parser; puts the place in front. */
int
value_misplaced(const struct reader *r, const char *option, struct err *e)
{
    return err_wrap(e, "%s:%d: %s", r->d->path, places_line(r->places, option), option);
}

cfg_t *
value_section(const struct reader *r, const char *name)
{
    return cfg_size(r->cfg, name) == 0 ? NULL : cfg_getsec(r->cfg, name);
}

/* The value of "a.b": option b in section a. Empty when it is not there. */
const char *
value_get(cfg_t *cfg, const char *option)
{
    const char *dot = strrchr(option, '.');
    const char *value = cfg_getstr(cfg, dot == NULL ? option : dot + 1);

    return value == NULL ? "" : value;
}

int
value_required(const struct reader *r, cfg_t *cfg, const char *option, const char **out,
               struct err *e)
{
    *out = value_get(cfg, option);
    return (*out)[0] == '\0' ? value_wrong(r, option, e, "is missing or empty") : 0;
}

int
value_text(const struct reader *r, cfg_t *cfg, const char *option, char out[DEFINITION_TEXT_SIZE],
           struct err *e)
{
    const char *value;

    if (value_required(r, cfg, option, &value, e) != 0) {
        return -1;
    }
    if (strlen(value) >= DEFINITION_TEXT_SIZE) {
        return value_wrong(r, option, e, "is longer than %d octets", DEFINITION_TEXT_SIZE - 1);
    }
    memcpy(out, value, strlen(value) + 1);
    return 0;
}

/* Becomes part of a file name: letters, digits, dot, hyphen, underscore, not first a dot. */
int
value_check_label(const struct reader *r, const char *option, const char *value, char *out,
                  size_t size, struct err *e)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    if (n == 0 || value[n] != '\0' || value[0] == '.' || n >= size) {
        return value_wrong(r, option, e, "'%.80s' is not 1 to %zu letters, digits, '.', '_', '-'",
                           value, size - 1);
    }
    memcpy(out, value, n + 1);
    return 0;
}

int
value_label(const struct reader *r, cfg_t *cfg, const char *option, char *out, size_t size,
            struct err *e)
{
    const char *value;

    return value_required(r, cfg, option, &value, e) != 0
               ? -1
               : value_check_label(r, option, value, out, size, e);
}

int
value_time(const struct reader *r, cfg_t *cfg, const char *option, time_t *out, struct err *e)
{
    const char *value;

    if (value_required(r, cfg, option, &value, e) != 0) {
        return -1;
    }
    return time_parse(value, out, e) == 0 ? 0 : value_misplaced(r, option, e);
}

int
value_order(const struct reader *r, const char *option, time_t first, time_t last, struct err *e)
{
    return first < last ? 0 : value_wrong(r, option, e, "is not later than the beginning");
}

int
value_hash(const struct reader *r, cfg_t *cfg, const char *option, uint8_t out[SHA256_SIZE],
           struct err *e)
{
    const char *value;

    if (value_required(r, cfg, option, &value, e) != 0) {
        return -1;
    }
    return hex_parse(value, out, SHA256_SIZE, e) == 0 ? 0 : value_misplaced(r, option, e);
}

int
value_name(const struct reader *r, cfg_t *cfg, const char *option, struct name *out, struct err *e)
{
    const char *value;

    if (value_required(r, cfg, option, &value, e) != 0) {
        return -1;
    }
    if (name_parse_text(value, out, e) != 0) {
        return value_misplaced(r, option, e);
    }
    /* A rehearsal puts it there itself; in a definition it would be lost among others. */
    if (strncmp(out->common_name, REHEARSAL_PREFIX, strlen(REHEARSAL_PREFIX)) == 0) {
        return value_wrong(r, option, e, "a CN of a definition does not begin with '%s'",
                           REHEARSAL_PREFIX);
    }
    if (out->common_name[0] == '\0') {
        return value_wrong(r, option, e, "needs a CN");
    }
    return 0;
}

/* A path, relative ones from the folder of the definition; NULL when it is not there. */
char *
value_path(cfg_t *cfg, const char *option, const char *file)
{
    const char *value = cfg_getstr(cfg, option);
    const char *slash = strrchr(file, '/');

    if (value == NULL || value[0] == '\0') {
        return NULL;
    }
    return value[0] == '/' || slash == NULL
               ? mem_strdup(value)
               : mem_printf("%.*s/%s", (int)(slash - file), file, value);
}
