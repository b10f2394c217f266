/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/definition/definition.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ceremony/definition/parts.h"

void
definition_free(struct definition *d)
{
    if (d == NULL) {
        return;
    }
    mem_free(d->path);
    buf_free(&d->text);
    mem_free(d->prev);
    mem_free(d->output);
    mem_free(d->credentials);
    mem_free(d->token.module);
    mem_free(d->token.config);
    mem_free(d->token.directory);
    mem_free(d->csr.file);
    mem_free(d);
}

static int
read_clock(struct reader *r, struct err *e)
{
    cfg_t *cfg = value_section(r, "clock");
    long skew;

    if (cfg == NULL) {
        return value_wrong(r, "clock", e, "the section is missing");
    }
    if (value_time(r, cfg, "clock.not_before", &r->d->clock.not_before, e) != 0 ||
        value_time(r, cfg, "clock.not_after", &r->d->clock.not_after, e) != 0 ||
        value_order(r, "clock.not_after", r->d->clock.not_before, r->d->clock.not_after, e) != 0) {
        return -1;
    }
    skew = cfg_getint(cfg, "skew_max");
    if (skew < 1 || skew > 600) {
        return value_wrong(r, "clock.skew_max", e, "%ld is not within 1 to 600 seconds", skew);
    }
    r->d->clock.skew_max = (int)skew;
    return 0;
}

static int
read_type(struct reader *r, struct err *e)
{
    const char *value;

    if (value_required(r, r->cfg, "type", &value, e) != 0) {
        return -1;
    }
    return ceremony_type_by_name(value, &r->d->type)
               ? 0
               : value_wrong(
                     r, "type", e,
                     "'%.40s' is not root-generate, key-generate, secret-generate, sub-issue "
                     "or root-crl",
                     value);
}

static int
read_top(struct reader *r, struct err *e)
{
    const char *value;

    if (cfg_getint(r->cfg, "ceremony") != 1) {
        return value_wrong(r, "ceremony", e, "the format must be 1");
    }
    if (value_label(r, r->cfg, "id", r->d->id, sizeof(r->d->id), e) != 0 || read_type(r, e) != 0 ||
        value_text(r, r->cfg, "cps", r->d->cps, e) != 0 ||
        value_required(r, r->cfg, "prev", &value, e) != 0) {
        return -1;
    }
    if (strcmp(value, "none") != 0) {
        r->d->prev = value_path(r->cfg, "prev", r->d->path);
    }
    if (r->d->prev == NULL && (r->d->type == SUB_ISSUE || r->d->type == ROOT_CRL)) {
        return value_wrong(r, "prev", e, "%s follows the ceremony before it: name its bundle",
                           ceremony_type_name(r->d->type));
    }
    /* A new root is a new line; another's register must not leak into it. */
    if (r->d->prev != NULL && r->d->type == ROOT_GENERATE) {
        return value_wrong(r, "prev", e, "a root's line begins with it: \"none\"");
    }
    if (value_required(r, r->cfg, "output", &value, e) != 0) {
        return -1;
    }
    r->d->output = value_path(r->cfg, "output", r->d->path);
    r->d->credentials = value_path(r->cfg, "credentials", r->d->path);
    r->d->software_token_accepted = cfg_getbool(r->cfg, "software_token_accepted") == cfg_true;
    r->d->network_accepted = cfg_getbool(r->cfg, "network_accepted") == cfg_true;
    r->d->swap_accepted = cfg_getbool(r->cfg, "swap_accepted") == cfg_true;
    return 0;
}

static int
refuse_section(const struct reader *r, const char *name, struct err *e)
{
    const char *title = cfg_title(cfg_getnsec(r->cfg, name, 0));
    char option[PLACE_NAME_SIZE];

    (void)snprintf(option, sizeof(option), "%s%s%.80s", name, title == NULL ? "" : ".",
                   title == NULL ? "" : title);
    return value_wrong(r, option, e, "%s has no such section", ceremony_type_name(r->d->type));
}

/* What each type has; any other section is refused, so that nothing is reviewed in vain. */
static int
read_parts(struct reader *r, struct err *e)
{
    static const struct {
        const char *name;
        unsigned int types;
        int (*read)(struct reader *, struct err *);
    } parts[] = {
        {"person", ~0U, definition_people},
        {"token", ~0U, definition_token},
        {"clock", ~0U, read_clock},
        {"key", 1U << ROOT_GENERATE | 1U << KEY_GENERATE, definition_keys},
        {"secret", 1U << KEY_GENERATE | 1U << SECRET_GENERATE, definition_secrets},
        {"certificate", 1U << ROOT_GENERATE | 1U << SUB_ISSUE, definition_certificate},
        {"csr", 1U << SUB_ISSUE, definition_csr},
        {"crl", 1U << ROOT_CRL, definition_crl},
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if ((parts[i].types & 1U << r->d->type) == 0) {
            if (cfg_size(r->cfg, parts[i].name) > 0) {
                return refuse_section(r, parts[i].name, e);
            }
        } else if (parts[i].read(r, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static size_t
dots(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += *text == '.';
    }
    return n;
}

/* "person.alice.role" is known as "person.*.role". libconfuse knows the names too, but not the
 * lines that they stand in. */
static bool
is_known(const char *name)
{
    static const char *const known[] = {"ceremony",
                                        "id",
                                        "type",
                                        "cps",
                                        "prev",
                                        "output",
                                        "credentials",
                                        "software_token_accepted",
                                        "network_accepted",
                                        "swap_accepted",
                                        "person.*",
                                        "person.*.name",
                                        "person.*.role",
                                        "token",
                                        "token.module",
                                        "token.config",
                                        "token.directory",
                                        "token.label",
                                        "token.serial",
                                        "token.expect",
                                        "key.*",
                                        "key.*.algorithm",
                                        "key.*.attributes",
                                        "key.*.subject",
                                        "secret.*",
                                        "secret.*.attributes",
                                        "certificate",
                                        "certificate.profile",
                                        "certificate.subject",
                                        "certificate.not_before",
                                        "certificate.not_after",
                                        "certificate.crl_url",
                                        "csr",
                                        "csr.file",
                                        "csr.sha256",
                                        "crl",
                                        "crl.this_update",
                                        "crl.next_update",
                                        "crl.skip",
                                        "crl.revoke.*",
                                        "crl.revoke.*.time",
                                        "crl.revoke.*.reason",
                                        "clock",
                                        "clock.not_before",
                                        "clock.not_after",
                                        "clock.skew_max"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (fnmatch(known[i], name, FNM_NOESCAPE) == 0 &&
            (strchr(known[i], '*') == NULL || dots(name) == dots(known[i]))) {
            return true;
        }
    }
    return false;
}

static int
check_names(const struct definition *d, const struct places *places, struct err *e)
{
    for (size_t i = 0; i < places->n; i++) {
        if (!is_known(places->at[i].name)) {
            return err_set(e, ERR_INPUT, "%s:%d: no such option '%.100s'", d->path,
                           places->at[i].line, places->at[i].name);
        }
    }
    return 0;
}

static cfg_t *
parse(const struct definition *d, struct err *e)
{
    static cfg_opt_t person[] = {CFG_STR("name", NULL, CFGF_NONE), CFG_STR("role", NULL, CFGF_NONE),
                                 CFG_END()};
    static cfg_opt_t token[] = {CFG_STR("module", NULL, CFGF_NONE),
                                CFG_STR("config", NULL, CFGF_NONE),
                                CFG_STR("directory", NULL, CFGF_NONE),
                                CFG_STR("label", NULL, CFGF_NONE),
                                CFG_STR("serial", NULL, CFGF_NONE),
                                CFG_STR("expect", NULL, CFGF_NONE),
                                CFG_END()};
    static cfg_opt_t key[] = {CFG_STR("algorithm", NULL, CFGF_NONE),
                              CFG_STR("attributes", NULL, CFGF_NONE),
                              CFG_STR("subject", NULL, CFGF_NONE), CFG_END()};
    static cfg_opt_t secret[] = {CFG_STR("attributes", NULL, CFGF_NONE), CFG_END()};
    static cfg_opt_t certificate[] = {
        CFG_STR("profile", NULL, CFGF_NONE),    CFG_STR("subject", NULL, CFGF_NONE),
        CFG_STR("not_before", NULL, CFGF_NONE), CFG_STR("not_after", NULL, CFGF_NONE),
        CFG_STR("crl_url", NULL, CFGF_NONE),    CFG_END()};
    static cfg_opt_t csr[] = {CFG_STR("file", NULL, CFGF_NONE), CFG_STR("sha256", NULL, CFGF_NONE),
                              CFG_END()};
    static cfg_opt_t revoke[] = {CFG_STR("time", NULL, CFGF_NONE),
                                 CFG_STR("reason", NULL, CFGF_NONE), CFG_END()};
    static cfg_opt_t crl[] = {CFG_STR("this_update", NULL, CFGF_NONE),
                              CFG_STR("next_update", NULL, CFGF_NONE),
                              CFG_INT("skip", 0, CFGF_NONE),
                              CFG_SEC("revoke", revoke, CFGF_MULTI | CFGF_TITLE), CFG_END()};
    static cfg_opt_t clock[] = {CFG_STR("not_before", NULL, CFGF_NONE),
                                CFG_STR("not_after", NULL, CFGF_NONE),
                                CFG_INT("skew_max", 120, CFGF_NONE), CFG_END()};
    static cfg_opt_t options[] = {CFG_INT("ceremony", 0, CFGF_NONE),
                                  CFG_STR("id", NULL, CFGF_NONE),
                                  CFG_STR("type", NULL, CFGF_NONE),
                                  CFG_STR("cps", NULL, CFGF_NONE),
                                  CFG_STR("prev", NULL, CFGF_NONE),
                                  CFG_STR("output", NULL, CFGF_NONE),
                                  CFG_STR("credentials", NULL, CFGF_NONE),
                                  CFG_BOOL("software_token_accepted", cfg_false, CFGF_NONE),
                                  CFG_BOOL("network_accepted", cfg_false, CFGF_NONE),
                                  CFG_BOOL("swap_accepted", cfg_false, CFGF_NONE),
                                  CFG_SEC("person", person, CFGF_MULTI | CFGF_TITLE),
                                  CFG_SEC("token", token, CFGF_NODEFAULT),
                                  CFG_SEC("key", key, CFGF_MULTI | CFGF_TITLE),
                                  CFG_SEC("secret", secret, CFGF_MULTI | CFGF_TITLE),
                                  CFG_SEC("certificate", certificate, CFGF_NODEFAULT),
                                  CFG_SEC("csr", csr, CFGF_NODEFAULT),
                                  CFG_SEC("crl", crl, CFGF_NODEFAULT),
                                  CFG_SEC("clock", clock, CFGF_NODEFAULT),
                                  CFG_END()};

    return conf_parse(d->path, buf_span(&d->text), options, e);
}

static void
places_free(struct places **p)
{
    mem_free(*p);
}

struct definition *
definition_load(const char *path, struct err *e)
{
    CLEANUP(definition_cleanup) struct definition *d = mem_new(sizeof(*d));
    CLEANUP(places_free) struct places *places = mem_new(sizeof(*places));
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;
    struct reader r = {.d = d, .places = places};

    d->path = mem_strdup(path);
    d->text = BUF_INIT(CONF_FILE_MAX);
    if (file_read(path, &d->text, e) != 0 || sha256(buf_span(&d->text), d->hash, e) != 0) {
        return NULL;
    }
    if (places_scan(path, buf_span(&d->text), places, e) != 0 || check_names(d, places, e) != 0) {
        return NULL;
    }
    cfg = parse(d, e);
    if (cfg == NULL) {
        return NULL;
    }
    r.cfg = cfg;
    if (read_top(&r, e) != 0 || read_parts(&r, e) != 0) {
        return NULL;
    }
    return TAKE(d);
}
