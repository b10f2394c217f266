/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
    (void)snprintf(parse_error, sizeof(parse_error), "%d: %s", cfg == NULL ? 0 : cfg->line, text);
}

/* libconfuse calls this after each value, also after those that are defaults of lists. The line of
 * an option is kept in its annotation, which nothing else uses here. */
static int
on_set(cfg_t *cfg, cfg_opt_t *opt)
{
    char line[16];

    (void)snprintf(line, sizeof(line), "%d", cfg->line);
    return (opt->flags & CFGF_MULTI) != 0 || cfg_opt_setcomment(opt, line) == CFG_SUCCESS ? 0 : -1;
}

static void
watch_lines(cfg_opt_t *options)
{
    for (cfg_opt_t *o = options; o->name != NULL; o++) {
        o->validcb = on_set;
        if (o->type == CFGT_SEC) {
            watch_lines(o->subopts);
        }
    }
}

/* Sections name the file, too: for errors, and for paths relative to it. */
static void
name_file(cfg_t *cfg, const char *path)
{
    free(cfg->filename); /* libconfuse's, as what follows will be */
    cfg->filename = mem_strdup(path);
    for (cfg_opt_t *o = cfg->opts; o != NULL && o->name != NULL; o++) {
        for (unsigned i = 0; o->type == CFGT_SEC && i < cfg_opt_size(o); i++) {
            name_file(cfg_opt_getnsec(o, i), path);
        }
    }
}

enum { DEPTH_MAX = 8, WORD_MAX = 64, SEEN_MAX = 4 * CONF_FILE_MAX };

/* Where a scan of the file is. */
struct scan {
    const char *path;
    int line;
    char quote;     /* the one that is open; 0: none */
    bool comment;   /* up to the end of the line */
    bool line_head; /* nothing but blanks so far */
    bool word_head; /* a new word could begin here */
    char word[WORD_MAX];
    size_t n_word;
    char last;                 /* the last one that is no blank */
    unsigned parts[DEPTH_MAX]; /* numbers of the sections that are open; 0: a list */
    size_t depth;
    unsigned n_parts;
    struct buf seen; /* "\n1 name\n": the options of section 1 */
};

/* Of an option that stands there twice libconfuse would take the last, or both. */
static int
see_option(struct scan *at, struct err *e)
{
    unsigned part = at->depth == 0 ? 0 : at->parts[at->depth - 1];
    CLEANUP(mem_cleanup)
    char *entry = mem_printf("\n%u %.*s\n", part, (int)at->n_word, at->word);

    if (at->seen.n > 0 && memmem(at->seen.p, at->seen.n, entry, strlen(entry)) != NULL) {
        return err_set(e, ERR_INPUT, "%s:%d: option '%.*s' stands there twice", at->path, at->line,
                       (int)at->n_word, at->word);
    }
    return buf_append_str(&at->seen, entry, e);
}

/* A character outside quotes and comments. */
static int
see(struct scan *at, char c, struct err *e)
{
    bool blank = strchr(" \t\r\n", c) != NULL;

    if (c == '=' && see_option(at, e) != 0) {
        return -1;
    }
    if (c == '{') {
        if (at->depth == DEPTH_MAX) {
            return err_set(e, ERR_INPUT, "%s:%d: nested too deep", at->path, at->line);
        }
        at->parts[at->depth++] = at->last == '=' ? 0 : ++at->n_parts;
    } else if (c == '}' && at->depth > 0) {
        at->depth--;
    } else if (!blank && c != '=' && c != '+') {
        if (at->word_head) {
            at->n_word = 0;
        }
        if (at->n_word < WORD_MAX) {
            at->word[at->n_word++] = c;
        }
    }
    if (!blank) {
        at->last = c;
    }
    return 0;
}

/* What libconfuse would expand or include, or read as a comment of another language. */
static int
refuse_word(const struct scan *at, struct span rest, struct err *e)
{
    if (rest.p[0] == '\0') {
        return err_set(e, ERR_INPUT, "%s:%d: a NUL octet", at->path, at->line);
    }
    if (rest.p[0] == '$') {
        return err_set(e, ERR_INPUT, "%s:%d: `$` is not allowed: write the value out", at->path,
                       at->line);
    }
    if (at->line_head && rest.n >= 7 && memcmp(rest.p, "include", 7) == 0) {
        return err_set(e, ERR_INPUT, "%s:%d: include is not allowed", at->path, at->line);
    }
    if (at->word_head && at->quote == 0 && rest.n >= 2 && rest.p[0] == '/' &&
        (rest.p[1] == '/' || rest.p[1] == '*')) {
        return err_set(e, ERR_INPUT, "%s:%d: a comment begins with #", at->path, at->line);
    }
    return 0;
}

static void
scan_end(struct scan *at)
{
    buf_free(&at->seen);
}

/* Refuses what is not to be there, and blanks comments out: libconfuse 3.3 counts each as three
 * lines, and then every error behind it names the wrong one. */
static int
prepare(const char *path, struct buf *text, struct err *e)
{
    CLEANUP(scan_end)
    struct scan at = {
        .path = path, .line = 1, .line_head = true, .word_head = true, .seen = BUF_INIT(SEEN_MAX)};

    for (size_t i = 0; i < text->n; i++) {
        char c = (char)text->p[i];

        at.comment = c != '\n' && (at.comment || (c == '#' && at.quote == 0));
        if (at.comment && c != '\0') {
            text->p[i] = ' ';
            continue;
        }
        if (refuse_word(&at, span_of(text->p + i, text->n - i), e) != 0 ||
            (at.quote == 0 && see(&at, c, e) != 0)) {
            return -1;
        }
        if (at.quote != 0 && c == '\\' && i + 1 < text->n &&
            (text->p[i + 1] == (uint8_t)at.quote || text->p[i + 1] == '\\')) {
            i++; /* does not end the text */
        } else if (c == at.quote) {
            at.quote = 0;
        } else if (at.quote == 0 && (c == '"' || c == '\'')) {
            at.quote = c;
        }
        at.line += c == '\n';
        at.line_head = c == '\n' || (at.line_head && (c == ' ' || c == '\t'));
        at.word_head = strchr(" \t\r\n=+{},()", c) != NULL;
    }
    return 0;
}

/* Where what is not there is missed. libconfuse has gone beyond it. */
static int
last_line(struct span bytes)
{
    int lines = bytes.n > 0 && bytes.p[bytes.n - 1] == '\n' ? 0 : 1;

    for (size_t i = 0; i < bytes.n; i++) {
        lines += bytes.p[i] == '\n';
    }
    return lines;
}

cfg_t *
conf_parse(const char *path, struct span bytes, cfg_opt_t *options, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX + 2);
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    int result;

    if (bytes.n > CONF_FILE_MAX) {
        (void)err_set(e, ERR_INPUT, "%s: more than the allowed %d octets", path, CONF_FILE_MAX);
        return NULL;
    }
    if (buf_append(&text, bytes, e) != 0 || prepare(path, &text, e) != 0 ||
        buf_append(&text, span_of("\n", 2), e) != 0) {
        return NULL;
    }
    watch_lines(options);
    cfg = cfg_init(options, CFGF_NONE);
    if (cfg == NULL) {
        abort(); /* out of memory */
    }
    (void)cfg_set_error_function(cfg, on_error);
    parse_error[0] = '\0';
    result = cfg_parse_buf(cfg, (const char *)text.p);
    if (result != CFG_SUCCESS || parse_error[0] != '\0') {
        (void)err_set(e, ERR_INPUT, "%s:%s", path,
                      parse_error[0] != '\0' ? parse_error : " cannot be parsed");
        parse_error[0] = '\0';
        return NULL;
    }
    name_file(cfg, path);
    cfg->line = last_line(bytes);
    return TAKE(cfg);
}

cfg_t *
conf_load(const char *path, cfg_opt_t *options, uint8_t *hash, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);

    if (file_read(path, &text, e) != 0 || (hash != NULL && sha256(buf_span(&text), hash, e) != 0)) {
        return NULL;
    }
    return conf_parse(path, buf_span(&text), options, e);
}

int
conf_line(cfg_t *section, const char *option)
{
    const cfg_opt_t *o = option == NULL ? NULL : cfg_getopt(section, option);

    return o != NULL && o->comment != NULL ? (int)strtol(o->comment, NULL, 10) : section->line;
}

bool
conf_is_written(cfg_t *section, const char *option)
{
    return cfg_getopt(section, option)->comment != NULL;
}

int
conf_fault(cfg_t *section, const char *option, struct err *e, const char *fmt, ...)
{
    char text[sizeof(e->text)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(e, ERR_INPUT, "%s:%d: %s", section->filename, conf_line(section, option), text);
}

const char *
conf_string(cfg_t *cfg, const char *option, struct err *e)
{
    const char *value = cfg_getstr(cfg, option);

    if (value == NULL || value[0] == '\0') {
        (void)conf_fault(cfg, option, e, "option '%s' is missing or empty", option);
        return NULL;
    }
    return value;
}

/* Relative ones are taken from the folder of the file. */
static char *
path_from(const cfg_t *cfg, const char *value)
{
    const char *slash = cfg->filename == NULL ? NULL : strrchr(cfg->filename, '/');

    if (value[0] == '/' || slash == NULL) {
        return mem_strdup(value);
    }
    return mem_printf("%.*s/%s", (int)(slash - cfg->filename), cfg->filename, value);
}

char *
conf_path(cfg_t *cfg, const char *option, struct err *e)
{
    const char *value = conf_string(cfg, option, e);

    return value == NULL ? NULL : path_from(cfg, value);
}

static bool
has_path(char *const *paths, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        if (paths[i] != NULL && strcmp(paths[i], path) == 0) {
            return true;
        }
    }
    return false;
}

int
conf_paths(cfg_t *cfg, const char *option, char **out, size_t max, size_t *n, struct err *e)
{
    const unsigned count = cfg_size(cfg, option);
    bool any = false;

    *n = 0;
    if (count > max) {
        return conf_fault(cfg, option, e, "%s: at most %zu", option, max);
    }
    for (unsigned i = 0; i < count; i++) {
        const char *value = cfg_getnstr(cfg, option, i);
        const bool there = value != NULL && value[0] != '\0';

        out[(*n)++] = there ? path_from(cfg, value) : NULL;
        if (there && has_path(out, i, out[i])) {
            return conf_fault(cfg, option, e, "%s: \"%s\" is there twice", option, out[i]);
        }
        any = any || there;
    }
    return any ? 0 : conf_fault(cfg, option, e, "option '%s' is missing or empty", option);
}

int
conf_user(cfg_t *cfg, const char *option, unsigned int index, uid_t *out, struct err *e)
{
    const char *name = cfg_getnstr(cfg, option, index);
    const struct passwd *user;
    char *end = NULL;
    unsigned long number;

    errno = 0;
    number = strtoul(name, &end, 10);
    if (name[0] >= '0' && *end == '\0' && errno == 0 && number < (uid_t)-1) {
        *out = (uid_t)number;
        return 0;
    }
    user = getpwnam(name);
    if (user == NULL) {
        return conf_fault(cfg, option, e, "%s: there is no user '%s'", option, name);
    }
    *out = user->pw_uid;
    return 0;
}
