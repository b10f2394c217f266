/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"

void
conf_free(cfg_t *cfg)
{
    (void)cfg_free(cfg);
}

/* libconfuse hands its errors to a callback without a user pointer; parsing is single-threaded at
 * start-up, and this is empty outside conf_load(). */
static _Thread_local char parse_error[384];

static void on_error(cfg_t *cfg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    char text[256];

    if (parse_error[0] != '\0') {
        return; /* the first one is the cause */
    }
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    (void)snprintf(parse_error, sizeof(parse_error), "line %d: %s", cfg == NULL ? 0 : cfg->line,
                   text);
}

/* What libconfuse would expand or include is refused outside comments. */
static int
refuse_expansion(const char *path, struct span text, struct err *e)
{
    int line = 1;
    bool at_start = true;
    bool comment = false;

    for (size_t i = 0; i < text.n; i++) {
        char c = (char)text.p[i];

        if (c == '\n') {
            line++;
            at_start = true;
            comment = false;
            continue;
        }
        if (c == '\0') {
            return err_set(e, ERR_INPUT, "%s:%d: a NUL octet", path, line);
        }
        comment = comment || (at_start && c == '#');
        if (c == '$' && !comment) {
            return err_set(e, ERR_INPUT, "%s:%d: `$` is not allowed: write the value out", path,
                           line);
        }
        if (at_start && text.n - i >= 7 && memcmp(text.p + i, "include", 7) == 0) {
            return err_set(e, ERR_INPUT, "%s:%d: include is not allowed", path, line);
        }
        at_start = at_start && (c == ' ' || c == '\t');
    }
    return 0;
}

cfg_t *
conf_load(const char *path, cfg_opt_t *options, uint8_t *hash, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    int result;

    if (file_read(path, &text, e) != 0) {
        return NULL;
    }
    if (refuse_expansion(path, buf_span(&text), e) != 0 ||
        (hash != NULL && sha256(buf_span(&text), hash, e) != 0) ||
        buf_append(&text, span_of("\n", 2), e) != 0) {
        return NULL;
    }
    cfg = cfg_init(options, CFGF_NONE);
    if (cfg == NULL) {
        (void)err_set(e, ERR_IO, "%s: libconfuse could not be initialised", path);
        return NULL;
    }
    (void)cfg_set_error_function(cfg, on_error);
    parse_error[0] = '\0';
    result = cfg_parse_buf(cfg, (const char *)text.p);
    if (result != CFG_SUCCESS || parse_error[0] != '\0') {
        (void)err_set(e, ERR_INPUT, "%s: %s", path,
                      parse_error[0] != '\0' ? parse_error : "cannot be parsed");
        parse_error[0] = '\0';
        return NULL;
    }
    mem_free(cfg->filename);
    cfg->filename = mem_strdup(path);
    return TAKE(cfg);
}

const char *
conf_string(cfg_t *cfg, const char *option, struct err *e)
{
    const char *value = cfg_getstr(cfg, option);

    if (value == NULL || value[0] == '\0') {
        (void)err_set(e, ERR_INPUT, "%s: option '%s' is missing or empty",
                      cfg->filename == NULL ? "configuration" : cfg->filename, option);
        return NULL;
    }
    return value;
}

char *
conf_path(cfg_t *cfg, const char *option, struct err *e)
{
    const char *value = conf_string(cfg, option, e);
    const char *slash;

    if (value == NULL) {
        return NULL;
    }
    slash = cfg->filename == NULL ? NULL : strrchr(cfg->filename, '/');
    if (value[0] == '/' || slash == NULL) {
        return mem_strdup(value);
    }
    return mem_printf("%.*s/%s", (int)(slash - cfg->filename), cfg->filename, value);
}
