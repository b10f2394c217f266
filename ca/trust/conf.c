/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/conf.h"

#include <assert.h>
#include <openssl/err.h>
#include <string.h>

#include "base/conf.h"

enum { OID_TEXT_MAX = 128 };

cfg_opt_t trust_options[] = {
    CFG_STR("purpose", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("roots", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("crls", NULL, CFGF_NODEFAULT),
    CFG_STR("crl_policy", NULL, CFGF_NODEFAULT),
    CFG_INT("crl_max_age_hours", 0, CFGF_NONE),
    CFG_STR_LIST("names", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("policies", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("allow", NULL, CFGF_NODEFAULT),
    CFG_END(),
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
        mem_free(set->where);
        list_free(&set->roots);
        list_free(&set->crls);
        list_free(&set->names);
        list_free(&set->policies);
    }
    *c = (struct trust_conf){0};
}

/* Relative paths are taken from the folder of the file. */
static int
read_list(cfg_t *section, const char *option, bool paths, struct trust_list *out, struct err *e)
{
    const char *slash = strrchr(section->filename, '/');
    unsigned n = cfg_size(section, option);

    if (n > TRUST_LIST_MAX) {
        return conf_fault(section, option, e, "%s: at most %d", option, TRUST_LIST_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        const char *value = cfg_getnstr(section, option, i);

        if (value == NULL || value[0] == '\0') {
            return conf_fault(section, option, e, "%s: an empty element", option);
        }
        out->items[out->n++] =
            paths && value[0] != '/' && slash != NULL
                ? mem_printf("%.*s/%s", (int)(slash - section->filename), section->filename, value)
                : mem_strdup(value);
    }
    return 0;
}

/* One of three words, by its place; `absent` when the option is not there. */
static int
read_word(cfg_t *section, const char *option, const char *const words[3], int absent, int *out,
          struct err *e)
{
    const char *value = cfg_getstr(section, option);

    if (value == NULL && absent >= 0) {
        *out = absent;
        return 0;
    }
    for (int i = 0; value != NULL && i < 3; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return conf_fault(section, option, e, "%s: '%s', '%s' or '%s' is wanted", option, words[0],
                      words[1], words[2]);
}

static int
read_words(cfg_t *section, struct trust_conf_set *set, struct err *e)
{
    static const char *const purposes[] = {"vendor", "operator", "ra"};
    static const enum trust_purpose purpose_of[] = {TRUST_VENDOR, TRUST_OPERATOR, TRUST_RA};
    static const char *const policies[] = {"require", "if-present", "none"};
    static const enum path_status status_of[] = {PATH_STATUS_REQUIRED, PATH_STATUS_IF_PRESENT,
                                                 PATH_STATUS_NONE};
    /* Whoever names CRLs means them. */
    int absent = set->crls.n > 0 ? 0 : 2;
    int word = 0;

    if (read_word(section, "purpose", purposes, -1, &word, e) != 0) {
        return -1;
    }
    set->purpose = purpose_of[word];
    if (read_word(section, "crl_policy", policies, absent, &word, e) != 0) {
        return -1;
    }
    set->crl_policy = status_of[word];
    return 0;
}

/* OpenSSL takes more than that for an object identifier ("1..2"), and means another. */
static bool
is_dotted(const char *text)
{
    char again[OID_TEXT_MAX];
    ASN1_OBJECT *oid = OBJ_txt2obj(text, 1);
    int n = oid == NULL ? -1 : OBJ_obj2txt(again, sizeof(again), oid, 1);

    ASN1_OBJECT_free(oid);
    ERR_clear_error();
    return n > 0 && n < (int)sizeof(again) && strcmp(again, text) == 0;
}

static int
check_names(cfg_t *section, const struct trust_conf_set *set, struct err *e)
{
    for (size_t i = 0; i < set->names.n; i++) {
        if (strchr(set->names.items[i], '=') == NULL) {
            return conf_fault(section, "names", e,
                              "names: '%s' is no name: write it as `openssl x509 -noout -subject "
                              "-nameopt RFC2253` does, for example \"O=Vendor,C=SE\"",
                              set->names.items[i]);
        }
    }
    for (size_t i = 0; i < set->policies.n; i++) {
        if (!is_dotted(set->policies.items[i])) {
            return conf_fault(section, "policies", e,
                              "policies: '%s' is no dotted object identifier",
                              set->policies.items[i]);
        }
    }
    return 0;
}

static int
check_set(cfg_t *section, struct trust_conf_set *set, struct err *e)
{
    long hours = cfg_getint(section, "crl_max_age_hours");

    if (hours < 0 || hours > TRUST_CRL_AGE_MAX) {
        return conf_fault(section, "crl_max_age_hours", e, "crl_max_age_hours: 0 to %d",
                          TRUST_CRL_AGE_MAX);
    }
    set->crl_max_age_s = (int)hours * 3600;
    if (set->roots.n == 0) {
        return conf_fault(section, "roots", e, "roots: one at least is wanted");
    }
    if (set->crls.n == 0 && set->crl_policy == PATH_STATUS_REQUIRED) {
        return conf_fault(section, "crl_policy", e, "crl_policy: \"require\" needs files in crls");
    }
    return check_names(section, set, e);
}

static int
read_allow(cfg_t *section, unsigned *allow, struct err *e)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {
        {"no-aki", PATH_ALLOW_NO_AKI},
        {"serial-zero", PATH_ALLOW_SERIAL_ZERO},
        {"serial-negative", PATH_ALLOW_SERIAL_NEGATIVE},
        {"serial-21-octets", PATH_ALLOW_SERIAL_21},
    };

    for (unsigned i = 0; i < cfg_size(section, "allow"); i++) {
        const char *value = cfg_getnstr(section, "allow", i);
        unsigned bit = 0;

        for (size_t k = 0; value != NULL && k < ARRAY_LEN(words); k++) {
            bit |= strcmp(value, words[k].word) == 0 ? words[k].bit : 0;
        }
        if (bit == 0) {
            return conf_fault(section, "allow", e,
                              "allow: '%s': write \"no-aki\", \"serial-zero\", "
                              "\"serial-negative\" or \"serial-21-octets\"",
                              value == NULL ? "" : value);
        }
        *allow |= bit;
    }
    return 0;
}

static int
read_set(cfg_t *section, struct trust_conf *out, struct err *e)
{
    struct trust_conf_set *set = &out->sets[out->n++];

    set->name = mem_strdup(cfg_title(section));
    set->where = mem_printf("%s:%d", section->filename, conf_line(section, "roots"));
    for (size_t i = 0; i + 1 < out->n; i++) {
        if (strcmp(out->sets[i].name, set->name) == 0) {
            return conf_fault(section, NULL, e, "trust \"%s\": there are two of this name",
                              set->name);
        }
    }
    if (read_list(section, "roots", true, &set->roots, e) != 0 ||
        read_list(section, "crls", true, &set->crls, e) != 0 ||
        read_list(section, "names", false, &set->names, e) != 0 ||
        read_list(section, "policies", false, &set->policies, e) != 0 ||
        read_words(section, set, e) != 0 || read_allow(section, &set->allow, e) != 0) {
        return -1;
    }
    return check_set(section, set, e);
}

int
trust_conf_add(cfg_t *cfg, const char *option, enum trust_purpose purpose, struct trust_conf *out,
               struct err *e)
{
    struct trust_conf_set *set;

    if (cfg_size(cfg, option) == 0) {
        return 0;
    }
    assert(out->n < TRUST_SETS_MAX);
    set = &out->sets[out->n++];
    set->name = mem_strdup(option);
    set->where = mem_printf("%s:%d", cfg->filename, conf_line(cfg, option));
    set->purpose = purpose;
    set->crl_policy = PATH_STATUS_NONE;
    return read_list(cfg, option, true, &set->roots, e);
}

int
trust_conf_read(cfg_t *cfg, struct trust_conf *out, struct err *e)
{
    unsigned n = cfg_size(cfg, "trust");

    *out = (struct trust_conf){0};
    if (n > TRUST_SECTIONS_MAX) {
        return conf_fault(cfg, "trust", e, "trust: at most %d sections", TRUST_SECTIONS_MAX);
    }
    if (trust_conf_add(cfg, "vendor_roots", TRUST_VENDOR, out, e) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < n; i++) {
        if (read_set(cfg_getnsec(cfg, "trust", i), out, e) != 0) {
            return -1;
        }
    }
    return 0;
}
