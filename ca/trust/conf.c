/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/conf.h"

#include <string.h>

cfg_opt_t trust_options[] = {
    CFG_STR("purpose", NULL, CFGF_NODEFAULT),       CFG_STR_LIST("roots", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("crls", NULL, CFGF_NODEFAULT),     CFG_STR("crl_policy", NULL, CFGF_NODEFAULT),
    CFG_INT("crl_max_age_hours", 0, CFGF_NONE),     CFG_STR_LIST("names", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("policies", NULL, CFGF_NODEFAULT), CFG_END(),
};

static void
list_free(struct trust_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        mem_free(list->items[i]);
    }
}

void
trust_conf_free(struct trust_conf *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct trust_conf_set *set = &c->sets[i];

        mem_free(set->name);
        list_free(&set->roots);
        list_free(&set->crls);
        list_free(&set->names);
        list_free(&set->policies);
    }
    *c = (struct trust_conf){0};
}

/* Where an error is. */
struct place {
    const char *file;
    const char *section;
};

static int
read_list(cfg_t *cfg, const char *option, bool paths, const struct place *at,
          struct trust_list *out, struct err *e)
{
    const char *slash = strrchr(at->file, '/');
    unsigned n = cfg_size(cfg, option);

    if (n > TRUST_LIST_MAX) {
        return err_set(e, ERR_INPUT, "%s: %s%s: at most %d", at->file, at->section, option,
                       TRUST_LIST_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        const char *value = cfg_getnstr(cfg, option, i);

        if (value == NULL || value[0] == '\0') {
            return err_set(e, ERR_INPUT, "%s: %s%s: an empty element", at->file, at->section,
                           option);
        }
        out->items[out->n++] = paths && value[0] != '/' && slash != NULL
                                   ? mem_printf("%.*s/%s", (int)(slash - at->file), at->file, value)
                                   : mem_strdup(value);
    }
    return 0;
}

/* One of `words`, by its place; `absent` when the option is not there. */
static int
read_word(cfg_t *cfg, const char *option, const char *const *words, int absent,
          const struct place *at, int *out, struct err *e)
{
    const char *value = cfg_getstr(cfg, option);

    if (value == NULL && absent >= 0) {
        *out = absent;
        return 0;
    }
    for (int i = 0; value != NULL && words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT, "%s: %s%s: '%s', '%s' or '%s' is wanted", at->file, at->section,
                   option, words[0], words[1], words[2]);
}

static int
read_words(cfg_t *cfg, const struct place *at, struct trust_conf_set *set, struct err *e)
{
    static const char *const purposes[] = {"vendor", "operator", "ra", NULL};
    static const enum trust_purpose purpose_of[] = {TRUST_VENDOR, TRUST_OPERATOR, TRUST_RA};
    static const char *const policies[] = {"require", "if-present", "none", NULL};
    static const enum path_status status_of[] = {PATH_STATUS_REQUIRED, PATH_STATUS_IF_PRESENT,
                                                 PATH_STATUS_NONE};
    /* Whoever names CRLs means them. */
    int absent = set->crls.n > 0 ? 0 : 2;
    int word = 0;

    if (read_word(cfg, "purpose", purposes, -1, at, &word, e) != 0) {
        return -1;
    }
    set->purpose = purpose_of[word];
    if (read_word(cfg, "crl_policy", policies, absent, at, &word, e) != 0) {
        return -1;
    }
    set->crl_policy = status_of[word];
    return 0;
}

static int
check_names(const struct trust_conf_set *set, const struct place *at, struct err *e)
{
    for (size_t i = 0; i < set->names.n; i++) {
        if (strchr(set->names.items[i], '=') == NULL) {
            return err_set(e, ERR_INPUT,
                           "%s: %snames: '%s' is no name: write it as `openssl x509 -noout "
                           "-subject -nameopt RFC2253` does, for example \"O=Vendor,C=SE\"",
                           at->file, at->section, set->names.items[i]);
        }
    }
    for (size_t i = 0; i < set->policies.n; i++) {
        ASN1_OBJECT *oid = OBJ_txt2obj(set->policies.items[i], 1);

        if (oid == NULL) {
            return err_set(e, ERR_INPUT, "%s: %spolicies: '%s' is no dotted object identifier",
                           at->file, at->section, set->policies.items[i]);
        }
        ASN1_OBJECT_free(oid);
    }
    return 0;
}

static int
check_set(cfg_t *cfg, const struct place *at, struct trust_conf_set *set, struct err *e)
{
    long hours = cfg_getint(cfg, "crl_max_age_hours");

    if (hours < 0 || hours > TRUST_CRL_AGE_MAX) {
        return err_set(e, ERR_INPUT, "%s: %scrl_max_age_hours: 0 to %d", at->file, at->section,
                       TRUST_CRL_AGE_MAX);
    }
    set->crl_max_age_s = (int)hours * 3600;
    if (set->roots.n == 0) {
        return err_set(e, ERR_INPUT, "%s: %sroots: one at least is wanted", at->file, at->section);
    }
    if (set->crls.n == 0 && set->crl_policy == PATH_STATUS_REQUIRED) {
        return err_set(e, ERR_INPUT, "%s: %scrl_policy: \"require\" needs files in crls", at->file,
                       at->section);
    }
    return check_names(set, at, e);
}

static int
read_set(cfg_t *cfg, const char *file, struct trust_conf *out, struct err *e)
{
    struct trust_conf_set *set = &out->sets[out->n++];
    CLEANUP(mem_cleanup) char *section = NULL;
    struct place at = {.file = file};

    set->name = mem_strdup(cfg_title(cfg));
    section = mem_printf("trust \"%s\": ", set->name);
    at.section = section;
    for (size_t i = 0; i + 1 < out->n; i++) {
        if (strcmp(out->sets[i].name, set->name) == 0) {
            return err_set(e, ERR_INPUT, "%s: %sthere are two of this name", file, section);
        }
    }
    if (read_list(cfg, "roots", true, &at, &set->roots, e) != 0 ||
        read_list(cfg, "crls", true, &at, &set->crls, e) != 0 ||
        read_list(cfg, "names", false, &at, &set->names, e) != 0 ||
        read_list(cfg, "policies", false, &at, &set->policies, e) != 0 ||
        read_words(cfg, &at, set, e) != 0) {
        return -1;
    }
    return check_set(cfg, &at, set, e);
}

int
trust_conf_read(cfg_t *cfg, struct trust_conf *out, struct err *e)
{
    const struct place at = {.file = cfg->filename == NULL ? "configuration" : cfg->filename,
                             .section = ""};
    unsigned n = cfg_size(cfg, "trust");

    *out = (struct trust_conf){0};
    if (n >= TRUST_SETS_MAX) {
        return err_set(e, ERR_INPUT, "%s: trust: less than %d sections are wanted", at.file,
                       TRUST_SETS_MAX);
    }
    if (cfg_size(cfg, "vendor_roots") > 0) {
        struct trust_conf_set *set = &out->sets[out->n++];

        set->name = mem_strdup("vendor_roots");
        set->purpose = TRUST_VENDOR;
        if (read_list(cfg, "vendor_roots", true, &at, &set->roots, e) != 0) {
            return -1;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (read_set(cfg_getnsec(cfg, "trust", i), at.file, out, e) != 0) {
            return -1;
        }
    }
    return 0;
}
