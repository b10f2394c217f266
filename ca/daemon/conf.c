/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/conf.h"

#include <string.h>

#include "base/conf.h"
#include "db/ledger/leaf.h"

enum { BACKDATE_MIN = 60 };

/* A text option and where it goes. */
struct member {
    const char *option;
    size_t at;
    bool is_path;
};

static const struct member members[] = {
    {"state_dir", offsetof(struct ca_conf, state_dir), true},
    {"ledger_dir", offsetof(struct ca_conf, ledger_dir), true},
    {"log_origin", offsetof(struct ca_conf, log_origin), false},
    {"issuing_certificate", offsetof(struct ca_conf, issuing_certificate), true},
    {"root_certificate", offsetof(struct ca_conf, root_certificate), true},
    {"root_crl", offsetof(struct ca_conf, root_crl), true},
    {"link_socket", offsetof(struct ca_conf, link_socket), true},
    {"admin_socket", offsetof(struct ca_conf, admin_socket), true},
    {"crl_dir", offsetof(struct ca_conf, crl_dir), true},
    {"crl_url", offsetof(struct ca_conf, crl_url), false},
};

static char **
member_of(struct ca_conf *c, const struct member *m)
{
    return (char **)(void *)((char *)c + m->at);
}

static void
free_list(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mem_free(list[i]);
    }
}

static void
free_signer(struct ca_signer *s)
{
    mem_free(s->policy);
    mem_free(s->socket);
}

void
ca_conf_free(struct ca_conf *c)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        mem_free(*member_of(c, &members[i]));
    }
    mem_free(c->database);
    mem_free(c->signer_program);
    for (size_t i = 0; i < c->n_issuing; i++) {
        free_signer(&c->issuing[i]);
    }
    free_signer(&c->log);
    profiles_free(c->profiles);
    blocked_keys_free(c->blocked);
    trust_conf_free(&c->trust);
    free_list(c->registrar_policies, c->n_registrar_policies);
    free_list(c->officer_policies, c->n_officer_policies);
    free_list(c->home_domains, c->n_home_domains);
    free_list(c->fqdn_suffixes, c->n_fqdn_suffixes);
    memset(c, 0, sizeof(*c));
}

static int
load_users(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    unsigned n = cfg_size(cfg, "link_users");

    if (n == 0 || n > CA_LINK_USERS_MAX) {
        return conf_fault(cfg, "link_users", e, "link_users: 1 to %d users are expected",
                          CA_LINK_USERS_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        if (conf_user(cfg, "link_users", i, &c->link_uids[i], e) != 0) {
            return -1;
        }
        c->n_link_uids++;
    }
    return 0;
}

static int
load_list(cfg_t *cfg, const char *option, char **out, size_t *n, size_t max, struct err *e)
{
    unsigned count = cfg_size(cfg, option);

    if (count > max) {
        return conf_fault(cfg, option, e, "%s: at most %zu", option, max);
    }
    for (unsigned i = 0; i < count; i++) {
        const char *value = cfg_getnstr(cfg, option, i);

        if (value[0] == '\0') {
            return conf_fault(cfg, option, e, "%s: an empty element", option);
        }
        out[i] = mem_strdup(value);
        (*n)++;
    }
    return 0;
}

static int
load_policies(cfg_t *cfg, const char *option, char **out, size_t *n, struct err *e)
{
    const char *taken[CERT_POLICIES_MAX];
    struct err why = {0};

    if (load_list(cfg, option, out, n, CERT_POLICIES_MAX, e) != 0) {
        return -1;
    }
    return cert_policies_take((const char *const *)out, *n, taken, &why) == 0
               ? 0
               : conf_fault(cfg, option, e, "%s: %s", option, why.text);
}

static int
load_number(cfg_t *cfg, const char *option, long min, long max, int *out, struct err *e)
{
    long value = cfg_getint(cfg, option);

    if (value < min || value > max) {
        return conf_fault(cfg, option, e, "%s: %ld to %ld are allowed", option, min, max);
    }
    *out = (int)value;
    return 0;
}

static int
load_numbers(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    int validity_h = 0;
    int overlap_h = 0;
    int workers = 0;
    int approval_days = 0;

    if (load_number(cfg, "signer_timeout_ms", 100, 600000, &c->signer_timeout_ms, e) != 0 ||
        load_number(cfg, "crl_validity_hours", 1, 24 * 366, &validity_h, e) != 0 ||
        load_number(cfg, "crl_overlap_hours", 0, 24 * 366, &overlap_h, e) != 0 ||
        load_number(cfg, "backdate", BACKDATE_MIN, LEAF_BACKDATE_MAX, &c->backdate_s, e) != 0 ||
        load_number(cfg, "message_time_window", 1, 86400, &c->message_window_s, e) != 0 ||
        load_number(cfg, "workers", 1, CA_WORKERS_MAX, &workers, e) != 0 ||
        load_number(cfg, "approval_days", 1, 31, &approval_days, e) != 0 ||
        load_number(cfg, "approval_check_after", 1, 24 * 3600, &c->approval_check_after_s, e) !=
            0 ||
        load_number(cfg, "scrub_share", 1, 50, &c->scrub_share, e) != 0) {
        return -1;
    }
    if (overlap_h >= validity_h) {
        return conf_fault(cfg, "crl_overlap_hours", e,
                          "crl_overlap_hours must be less than crl_validity_hours");
    }
    c->crl_validity_s = validity_h * 3600;
    c->crl_overlap_s = overlap_h * 3600;
    /* The next one is due when so much of the last one's life is over: not at once. */
    if (2 * c->backdate_s > c->crl_validity_s - c->crl_overlap_s) {
        return conf_fault(cfg, "backdate", e,
                          "backdate must be at most half of crl_validity_hours less "
                          "crl_overlap_hours");
    }
    c->approval_s = approval_days * 24 * 3600;
    c->workers = (size_t)workers;
    return 0;
}

static int
load_members(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct member *m = &members[i];

        if (m->is_path) {
            *member_of(c, m) = conf_path(cfg, m->option, e);
        } else {
            const char *text = conf_string(cfg, m->option, e);

            *member_of(c, m) = text == NULL ? NULL : mem_strdup(text);
        }
        if (*member_of(c, m) == NULL) {
            return -1;
        }
    }
    c->database = mem_printf("%s/ca.db", c->state_dir);
    return 0;
}

const char *
ca_signer_name(const struct ca_signer *s)
{
    return s->socket != NULL ? s->socket : s->policy;
}

/* Which of the two options: policy files, or sockets. */
static int
choose(cfg_t *cfg, const char *policy, const char *socket, bool *is_socket, struct err *e)
{
    *is_socket = cfg_size(cfg, socket) > 0;
    return *is_socket && cfg_size(cfg, policy) > 0
               ? conf_fault(cfg, socket, e, "%s: %s is there, too, and one of them is right",
                            socket, policy)
               : 0;
}

static int
load_log(cfg_t *cfg, struct ca_signer *out, struct err *e)
{
    bool is_socket;
    char **path;

    if (choose(cfg, "log_policy", "log_socket", &is_socket, e) != 0) {
        return -1;
    }
    path = is_socket ? &out->socket : &out->policy;
    *path = conf_path(cfg, is_socket ? "log_socket" : "log_policy", e);
    return *path == NULL ? -1 : 0;
}

/* An empty one keeps the place of one that is gone. */
static int
load_issuing(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    char *paths[SIGNER_POOL_MAX] = {0};
    bool is_socket;
    size_t n = 0;
    int result;

    if (choose(cfg, "issuing_policy", "issuing_socket", &is_socket, e) != 0) {
        return -1;
    }
    result = conf_paths(cfg, is_socket ? "issuing_socket" : "issuing_policy", paths,
                        ARRAY_LEN(paths), &n, e);
    for (size_t i = 0; i < n; i++) {
        if (paths[i] != NULL) {
            struct ca_signer *s = &c->issuing[c->n_issuing++];

            s->number = (unsigned)i;
            *(is_socket ? &s->socket : &s->policy) = paths[i];
        }
    }
    return result;
}

static int
load_signers(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    if (load_issuing(cfg, c, e) != 0 || load_log(cfg, &c->log, e) != 0) {
        return -1;
    }
    if (c->issuing[0].policy == NULL && c->log.policy == NULL) {
        return 0;
    }
    c->signer_program = conf_path(cfg, "signer_program", e);
    return c->signer_program == NULL ? -1 : 0;
}

/* One of two words; true for `yes`. */
static int
load_word(cfg_t *cfg, const char *option, const char *no, const char *yes, bool *out, struct err *e)
{
    const char *word = cfg_getstr(cfg, option);

    if (strcmp(word, yes) != 0 && strcmp(word, no) != 0) {
        return conf_fault(cfg, option, e, "%s: \"%s\" or \"%s\" is expected", option, no, yes);
    }
    *out = strcmp(word, yes) == 0;
    return 0;
}

static int
load_renewal(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    if (load_number(cfg, "renewal_window", 0, 99, &c->renewal_window, e) != 0 ||
        load_number(cfg, "expired_renewal_days", 0, 366, &c->expired_renewal_days, e) != 0 ||
        load_number(cfg, "confirm_wait", 1, 30 * 86400, &c->confirm_wait_s, e) != 0 ||
        load_word(cfg, "unconfirmed", "keep", "revoke", &c->revoke_unconfirmed, e) != 0) {
        return -1;
    }
    c->retry_rejected = cfg_getbool(cfg, "retry_rejected") == cfg_true;
    c->allow_same_key_renewal = cfg_getbool(cfg, "allow_same_key_renewal") == cfg_true;
    return load_word(cfg, "reenrolment", "refuse", "same-identity", &c->reenrolment, e);
}

/* What they publish is named by the id of their key. */
static int
load_witnesses(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    const unsigned count = cfg_size(cfg, "witnesses");

    if (count > CA_NAMES_MAX) {
        return conf_fault(cfg, "witnesses", e, "witnesses: at most %d", CA_NAMES_MAX);
    }
    for (unsigned i = 0; i < count; i++) {
        struct cosigner *w = &c->witnesses[i];
        struct err why = {0};

        if (cosigner_parse(w, span_str(cfg_getnstr(cfg, "witnesses", i)), &why) != 0) {
            return conf_fault(cfg, "witnesses", e, "witnesses: %s", why.text);
        }
        for (unsigned k = 0; k < i; k++) {
            if (memcmp(c->witnesses[k].id, w->id, sizeof(w->id)) == 0 ||
                memcmp(c->witnesses[k].key, w->key, sizeof(w->key)) == 0) {
                return conf_fault(cfg, "witnesses", e, "witnesses: a key is there twice");
            }
        }
        c->n_witnesses++;
    }
    return 0;
}

static int
load(cfg_t *cfg, struct ca_conf *c, struct err *e)
{
    c->lab_profiles = cfg_getbool(cfg, "lab_profiles") == cfg_true;
    c->message_required = cfg_getbool(cfg, "message_time_required") == cfg_true;
    c->clock_set_back = cfg_getbool(cfg, "clock_set_back") == cfg_true;
    if (load_members(cfg, c, e) != 0 || load_signers(cfg, c, e) != 0 ||
        load_users(cfg, c, e) != 0 || load_numbers(cfg, c, e) != 0 ||
        load_renewal(cfg, c, e) != 0 || profiles_read(cfg, &c->profiles, e) != 0 ||
        blocked_keys_read(cfg, &c->blocked, e) != 0 || trust_conf_read(cfg, &c->trust, e) != 0 ||
        load_policies(cfg, "registrar_policies", c->registrar_policies, &c->n_registrar_policies,
                      e) != 0 ||
        load_policies(cfg, "officer_policies", c->officer_policies, &c->n_officer_policies, e) !=
            0 ||
        load_witnesses(cfg, c, e) != 0 ||
        load_list(cfg, "home_domains", c->home_domains, &c->n_home_domains, CA_NAMES_MAX, e) != 0) {
        return -1;
    }
    return load_list(cfg, "fqdn_suffixes", c->fqdn_suffixes, &c->n_fqdn_suffixes, CA_NAMES_MAX, e);
}

int
ca_conf_load(const char *path, struct ca_conf *out, struct err *e)
{
    cfg_opt_t options[] = {
        CFG_STR("state_dir", NULL, CFGF_NODEFAULT),
        CFG_STR("ledger_dir", NULL, CFGF_NODEFAULT),
        CFG_STR("log_origin", NULL, CFGF_NODEFAULT),
        CFG_STR("issuing_certificate", NULL, CFGF_NODEFAULT),
        CFG_STR("root_certificate", NULL, CFGF_NODEFAULT),
        CFG_STR("root_crl", NULL, CFGF_NODEFAULT),
        CFG_STR("signer_program", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("issuing_policy", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("issuing_socket", NULL, CFGF_NODEFAULT),
        CFG_STR("log_policy", NULL, CFGF_NODEFAULT),
        CFG_STR("log_socket", NULL, CFGF_NODEFAULT),
        CFG_INT("signer_timeout_ms", 10000, CFGF_NONE),
        CFG_STR("link_socket", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("link_users", NULL, CFGF_NODEFAULT),
        CFG_STR("admin_socket", NULL, CFGF_NODEFAULT),
        CFG_STR("crl_dir", NULL, CFGF_NODEFAULT),
        CFG_STR("crl_url", NULL, CFGF_NODEFAULT),
        CFG_INT("crl_validity_hours", 168, CFGF_NONE),
        CFG_INT("crl_overlap_hours", 96, CFGF_NONE),
        CFG_INT("backdate", 300, CFGF_NONE),
        TRUST_OPTIONS,
        CFG_STR_LIST("registrar_policies", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("officer_policies", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("home_domains", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("fqdn_suffixes", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("witnesses", NULL, CFGF_NODEFAULT),
        CFG_STR("profiles", NULL, CFGF_NODEFAULT),
        CFG_STR("blocked_keys", NULL, CFGF_NODEFAULT),
        CFG_BOOL("lab_profiles", cfg_false, CFGF_NONE),
        CFG_INT("message_time_window", 300, CFGF_NONE),
        CFG_BOOL("message_time_required", cfg_false, CFGF_NONE),
        CFG_BOOL("clock_set_back", cfg_false, CFGF_NONE),
        CFG_INT("workers", 2, CFGF_NONE),
        CFG_INT("renewal_window", 66, CFGF_NONE),
        CFG_STR("unconfirmed", "revoke", CFGF_NONE),
        CFG_INT("confirm_wait", 900, CFGF_NONE),
        CFG_INT("expired_renewal_days", 0, CFGF_NONE),
        CFG_BOOL("allow_same_key_renewal", cfg_false, CFGF_NONE),
        CFG_BOOL("retry_rejected", cfg_false, CFGF_NONE),
        CFG_STR("reenrolment", "same-identity", CFGF_NONE),
        CFG_INT("approval_days", 7, CFGF_NONE),
        CFG_INT("approval_check_after", 60, CFGF_NONE),
        CFG_INT("scrub_share", 1, CFGF_NONE),
        CFG_END(),
    };
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;

    memset(out, 0, sizeof(*out));
    cfg = conf_load(path, options, out->hash, e);
    if (cfg == NULL) {
        return -1;
    }
    if (load(cfg, out, e) != 0) {
        ca_conf_free(out);
        return -1;
    }
    return 0;
}
