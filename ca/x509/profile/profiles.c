/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/profiles.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "ca/x509/profile/ignored.h"
#include "ca/x509/profile/matrix.h"
#include "ca/x509/profile/nf.h"

enum { EKU_SIZE = 64, HOUR = 60 * 60 };

/* The texts that a profile points to. */
struct loaded {
    struct profile profile;
    char name[PROFILE_NAME_SIZE];
    char eku[PROFILE_EKU_MAX][EKU_SIZE];
    char policies[CERT_POLICIES_MAX][CERT_POLICY_SIZE];
    char nf_types[PROFILE_TYPES_MAX][NF_TYPE_SIZE];
};

struct profiles {
    uint8_t hash[SHA256_SIZE];
    size_t n;
    struct loaded list[PROFILES_MAX];
};

void
profiles_free(struct profiles *set)
{
    mem_free(set);
}

/* ---- one option ---- */

static int
read_key_usage(cfg_t *section, struct profile *p, struct err *e)
{
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {
        {"digitalSignature", KEY_USAGE_DIGITAL_SIGNATURE},
        {"nonRepudiation", KEY_USAGE_NON_REPUDIATION},
        {"contentCommitment", KEY_USAGE_NON_REPUDIATION}, /* its name since X.509 (2005) */
        {"keyEncipherment", KEY_USAGE_KEY_ENCIPHERMENT},
    };

    for (unsigned i = 0; i < cfg_size(section, "key_usage"); i++) {
        const char *text = cfg_getnstr(section, "key_usage", i);
        unsigned bit = 0;

        for (size_t k = 0; k < ARRAY_LEN(names); k++) {
            bit |= strcmp(names[k].name, text) == 0 ? names[k].bit : 0;
        }
        if (bit == 0) {
            return conf_fault(section, "key_usage", e,
                              "key_usage: '%.40s' is not for network functions; possible are "
                              "digitalSignature, nonRepudiation, keyEncipherment",
                              text);
        }
        p->key_usage |= bit;
    }
    return 0;
}

static int
read_purposes(cfg_t *section, struct loaded *to, struct err *e)
{
    unsigned n = cfg_size(section, "extended_key_usage");

    if (n > PROFILE_EKU_MAX) {
        return conf_fault(section, "extended_key_usage", e, "extended_key_usage: at most %d",
                          PROFILE_EKU_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        const char *text = cfg_getnstr(section, "extended_key_usage", i);
        const char *oid = profile_purpose(text);

        if (oid == NULL || strlen(oid) >= EKU_SIZE) {
            return conf_fault(section, "extended_key_usage", e,
                              "extended_key_usage: '%.40s' is neither a purpose that we know "
                              "nor an OID",
                              text);
        }
        (void)snprintf(to->eku[i], sizeof(to->eku[i]), "%s", oid);
        to->profile.eku[i] = to->eku[i];
    }
    return 0;
}

static int
read_policies(cfg_t *section, struct loaded *to, struct err *e)
{
    const char *texts[CERT_POLICIES_MAX];
    unsigned n = cfg_size(section, "policies");
    struct err why = {0};

    for (unsigned i = 0; i < n && i < CERT_POLICIES_MAX; i++) {
        texts[i] = cfg_getnstr(section, "policies", i);
    }
    if (cert_policies_take(texts, n, to->profile.policies, &why) != 0) {
        return conf_fault(section, "policies", e, "policies: %s", why.text);
    }
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(to->policies[i], sizeof(to->policies[i]), "%s", texts[i]);
        to->profile.policies[i] = to->policies[i];
    }
    return 0;
}

static int
read_nf_types(cfg_t *section, struct loaded *to, struct err *e)
{
    unsigned n = cfg_size(section, "nf_types");

    if (n > PROFILE_TYPES_MAX) {
        return conf_fault(section, "nf_types", e, "nf_types: at most %d", PROFILE_TYPES_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        const char *text = cfg_getnstr(section, "nf_types", i);

        /* Which ones may be registered is nf_identity_check()'s. */
        if (!nf_type_is_formed(text)) {
            return conf_fault(section, "nf_types", e,
                              "nf_types: '%.40s' is not an NF type (1..32 printable characters)",
                              text);
        }
        (void)snprintf(to->nf_types[i], sizeof(to->nf_types[i]), "%s", text);
        to->profile.nf_types[i] = to->nf_types[i];
    }
    return 0;
}

static int
read_keys(cfg_t *section, struct profile *p, struct err *e)
{
    static const struct {
        const char *name;
        unsigned ec;
        int rsa_bits;
    } names[] = {
        {"P-256", 1U << PUBKEY_P256, 0}, {"P-384", 1U << PUBKEY_P384, 0}, {"RSA-2048", 0, 2048},
        {"RSA-3072", 0, 3072},           {"RSA-4096", 0, 4096},
    };

    for (unsigned i = 0; i < cfg_size(section, "keys"); i++) {
        const char *text = cfg_getnstr(section, "keys", i);
        size_t k = 0;

        while (k < ARRAY_LEN(names) && strcmp(names[k].name, text) != 0) {
            k++;
        }
        if (k == ARRAY_LEN(names)) {
            return conf_fault(section, "keys", e,
                              "keys: '%.40s': possible are P-256, P-384, RSA-2048, RSA-3072, "
                              "RSA-4096",
                              text);
        }
        if (names[k].rsa_bits != 0 && p->rsa_bits != 0) {
            return conf_fault(section, "keys", e,
                              "keys: one RSA size is enough: bigger ones are taken, too");
        }
        p->ec_keys |= names[k].ec;
        p->rsa_bits += names[k].rsa_bits;
    }
    return 0;
}

/* Hours win over days; both are 0 when they are not there. */
static int
read_time(cfg_t *section, const char *hours, const char *days, time_t otherwise, time_t *out,
          struct err *e)
{
    const long h = cfg_getint(section, hours);
    const long d = cfg_getint(section, days);
    const char *fault = h < 0 || h > PROFILE_NF_MAX / HOUR ? hours : days;

    if (h < 0 || d < 0 || h > PROFILE_NF_MAX / HOUR || d > PROFILE_NF_MAX / PROFILE_DAY) {
        return conf_fault(section, fault, e, "%s: at most three years (TS 33.310 6.1.3c.3)", fault);
    }
    if (h != 0 && d != 0) {
        return conf_fault(section, hours, e, "%s and %s: one of them", hours, days);
    }
    *out = h != 0 ? h * HOUR : d != 0 ? d * PROFILE_DAY : otherwise;
    return 0;
}

/* One of two words. */
static int
read_choice(cfg_t *section, const char *option, const char *no, const char *yes, bool *out,
            struct err *e)
{
    const char *text = cfg_getstr(section, option);

    *out = strcmp(text, yes) == 0;
    return *out || strcmp(text, no) == 0
               ? 0
               : conf_fault(section, option, e, "%s: '%.40s': possible are %s, %s", option, text,
                            no, yes);
}

static int
read_ignored(cfg_t *section, struct profile *p, struct err *e)
{
    for (unsigned i = 0; i < cfg_size(section, "ignored"); i++) {
        const char *text = cfg_getnstr(section, "ignored", i);
        const unsigned bit = ignored_bit(text);

        if (bit == 0) {
            return conf_fault(section, "ignored", e, "ignored: '%.40s': possible are %s", text,
                              ignored_list());
        }
        p->ignored |= bit;
    }
    return 0;
}

static int
read_approvals(cfg_t *section, struct profile *p, struct err *e)
{
    const long n = cfg_getint(section, "approvals");

    if (n < 0 || n > PROFILE_APPROVALS_MAX) {
        return conf_fault(section, "approvals", e, "approvals: 0 to %d are possible",
                          PROFILE_APPROVALS_MAX);
    }
    p->approvals = (int)n;
    return 0;
}

static void
read_switches(cfg_t *section, struct profile *p)
{
    const struct {
        const char *option;
        bool *out;
    } switches[] = {
        {"server", &p->server},
        {"wildcard", &p->wildcard},
        {"plmns", &p->plmns},
        {"extra_dns_nf_type", &p->extra_dns_nf_type},
        {"no_rev_avail", &p->no_rev_avail},
        {"lab", &p->lab},
        {"implicit_confirm", &p->implicit_confirm},
    };

    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        *switches[i].out = cfg_getbool(section, switches[i].option) == cfg_true;
    }
}

/* ---- one profile ---- */

static int
read_name(cfg_t *section, struct loaded *to, struct err *e)
{
    const char *name = cfg_title(section);
    size_t n = strlen(name);
    const struct profile *built_in = profile_by_name(name);

    /* It stands in URL paths, in the queue, in the record. */
    if (n == 0 || n >= PROFILE_NAME_SIZE ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n) {
        return conf_fault(section, NULL, e,
                          "profile '%.70s': a name has 1 to %d characters a-z, 0-9 and -", name,
                          PROFILE_NAME_SIZE - 1);
    }
    if (built_in != NULL && !profile_is_nf(built_in)) {
        return conf_fault(section, NULL, e, "profile %s is built in and cannot be changed", name);
    }
    (void)snprintf(to->name, sizeof(to->name), "%s", name);
    to->profile.name = to->name;
    return 0;
}

static int
read_profile(cfg_t *section, struct loaded *to, struct err *e)
{
    struct profile *p = &to->profile;
    const char *option = NULL;
    struct err why = {0};

    *p = (struct profile){.class = PROFILE_NF};
    if (read_name(section, to, e) != 0) {
        return -1;
    }
    read_switches(section, p);
    if (read_key_usage(section, p, e) != 0 || read_purposes(section, to, e) != 0 ||
        read_policies(section, to, e) != 0 || read_nf_types(section, to, e) != 0 ||
        read_keys(section, p, e) != 0 ||
        read_time(section, "max_validity_hours", "max_validity_days", PROFILE_NF_MAX,
                  &p->max_validity, e) != 0 ||
        read_time(section, "validity_hours", "validity_days", p->max_validity, &p->validity, e) !=
            0 ||
        read_choice(section, "assurance", "mac", "signature", &p->signature_only, e) != 0 ||
        read_choice(section, "unknown_extensions", "drop", "reject", &p->reject_unknown, e) != 0 ||
        read_choice(section, "unregistered_names", "refuse", "replace", &p->replace_names, e) !=
            0 ||
        read_ignored(section, p, e) != 0 || read_approvals(section, p, e) != 0) {
        return -1;
    }
    return profile_matrix_check(p, &option, &why) == 0
               ? 0
               : conf_fault(section, option, e, "profile %s: %s: %s", p->name, option, why.text);
}

static int
read_all(cfg_t *cfg, struct profiles *set, struct err *e)
{
    unsigned n = cfg_size(cfg, "profile");

    if (n == 0 || n > PROFILES_MAX) {
        return conf_fault(cfg, NULL, e, "1 to %d sections 'profile' are expected", PROFILES_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        cfg_t *section = cfg_getnsec(cfg, "profile", i);

        if (read_profile(section, &set->list[set->n], e) != 0) {
            return -1;
        }
        /* What is switched off has to be right, too: switching on is no surprise. */
        set->n += cfg_getbool(section, "enabled") == cfg_true;
    }
    return 0;
}

struct profiles *
profiles_load(const char *path, struct err *e)
{
    /* libconfuse's type for the defaults of a list is not const. */
    char signature[] = "{digitalSignature}";
    char keys[] = "{P-256, P-384, RSA-2048}";
    char none[] = "{}";
    cfg_opt_t profile[] = {
        CFG_BOOL("enabled", cfg_true, CFGF_NONE),
        CFG_STR_LIST("key_usage", signature, CFGF_NONE),
        CFG_STR_LIST("extended_key_usage", none, CFGF_NONE),
        CFG_STR_LIST("policies", none, CFGF_NONE),
        CFG_STR_LIST("nf_types", none, CFGF_NONE),
        CFG_BOOL("server", cfg_false, CFGF_NONE),
        CFG_BOOL("wildcard", cfg_false, CFGF_NONE),
        CFG_BOOL("plmns", cfg_false, CFGF_NONE),
        CFG_STR_LIST("keys", keys, CFGF_NONE),
        CFG_INT("max_validity_days", 0, CFGF_NONE),
        CFG_INT("max_validity_hours", 0, CFGF_NONE),
        CFG_INT("validity_days", 0, CFGF_NONE),
        CFG_INT("validity_hours", 0, CFGF_NONE),
        CFG_STR("assurance", "mac", CFGF_NONE),
        CFG_INT("approvals", 0, CFGF_NONE),
        CFG_BOOL("implicit_confirm", cfg_true, CFGF_NONE),
        CFG_BOOL("no_rev_avail", cfg_false, CFGF_NONE),
        CFG_STR("unknown_extensions", "drop", CFGF_NONE),
        CFG_STR_LIST("ignored", none, CFGF_NONE),
        CFG_STR("unregistered_names", "refuse", CFGF_NONE),
        CFG_BOOL("extra_dns_nf_type", cfg_false, CFGF_NONE),
        CFG_BOOL("lab", cfg_false, CFGF_NONE),
        CFG_END(),
    };
    cfg_opt_t options[] = {
        CFG_SEC("profile", profile, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_END(),
    };
    CLEANUP(profiles_cleanup) struct profiles *set = mem_new(sizeof(*set));
    CLEANUP(conf_cleanup) cfg_t *cfg = conf_load(path, options, set->hash, e);

    if (cfg == NULL || read_all(cfg, set, e) != 0) {
        return NULL;
    }
    return TAKE(set);
}

int
profiles_read(cfg_t *cfg, struct profiles **out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = NULL;

    *out = NULL;
    if (cfg_getstr(cfg, "profiles") == NULL) {
        return 0;
    }
    path = conf_path(cfg, "profiles", e);
    *out = path == NULL ? NULL : profiles_load(path, e);
    return *out == NULL ? -1 : 0;
}

/* ---- questions ---- */

const struct profile *
profiles_at(const struct profiles *set, size_t i)
{
    if (set != NULL) {
        return i < set->n ? &set->list[i].profile : NULL;
    }
    for (size_t k = 0; profile_at(k) != NULL; k++) {
        if (profile_is_nf(profile_at(k)) && i-- == 0) {
            return profile_at(k);
        }
    }
    return NULL;
}

const struct profile *
profiles_find(const struct profiles *set, const char *name)
{
    const struct profile *p;

    for (size_t i = 0; (p = profiles_at(set, i)) != NULL; i++) {
        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

int
profiles_hash(const struct profiles *set, uint8_t out[SHA256_SIZE], struct err *e)
{
    if (set != NULL) {
        memcpy(out, set->hash, SHA256_SIZE);
        return 0;
    }
    return sha256((struct span){0}, out, e);
}
