/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/settings.h"

#include <string.h>

#include "base/conf.h"
#include "base/http/tls.h"
#include "ca/cmp/protection/mac_algorithm.h"

#define PUBLIC_URL_CHARACTERS                                                                      \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/[]"

static cfg_opt_t options[] = {
    CFG_STR_LIST("listen", NULL, CFGF_NODEFAULT),
    SETTINGS_STRICTNESS,
    CFG_STR("state_dir", NULL, CFGF_NODEFAULT),
    CFG_STR("link_socket", NULL, CFGF_NODEFAULT),
    CFG_STR("admin_socket", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("admin_listen", NULL, CFGF_NODEFAULT),
    CFG_STR("admin_tls_certificate", NULL, CFGF_NODEFAULT),
    CFG_STR("admin_tls_credential", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("admin_crls", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("public_url", NULL, CFGF_NODEFAULT),
    CFG_STR("public_tls_root", NULL, CFGF_NODEFAULT),
    CFG_STR("signer_program", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("signer_policy", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("signer_socket", NULL, CFGF_NODEFAULT),
    CFG_STR("ra_certificate", NULL, CFGF_NODEFAULT),
    CFG_STR("issuing_certificate", NULL, CFGF_NODEFAULT),
    CFG_STR("root_certificate", NULL, CFGF_NODEFAULT),
    CFG_STR("log_key", NULL, CFGF_NODEFAULT),
    TRUST_OPTIONS,
    CFG_STR("crl_dir", NULL, CFGF_NODEFAULT),
    CFG_STR("ledger_dir", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("root_update", NULL, CFGF_NODEFAULT),
    CFG_STR_LIST("upstream_ra_roots", NULL, CFGF_NODEFAULT),
    CFG_INT("message_time_window", 300, CFGF_NONE),
    CFG_BOOL("message_time_required", cfg_false, CFGF_NONE),
    CFG_INT("pbm_min_iterations", CMP_MAC_COUNT_MIN, CFGF_NONE),
    CFG_INT("pbm_max_iterations", CMP_MAC_COUNT_MAX, CFGF_NONE),
    CFG_INT("pbmac1_max_iterations", CMP_MAC_PBMAC1_COUNT_MAX, CFGF_NONE),
    CFG_INT("confirm_wait", 300, CFGF_NONE),
    CFG_BOOL("implicit_confirm", cfg_true, CFGF_NONE),
    CFG_INT("sync_wait", 2000, CFGF_NONE),
    CFG_INT("report_period", 300, CFGF_NONE),
    CFG_STR("profiles", NULL, CFGF_NODEFAULT),
    CFG_STR("blocked_keys", NULL, CFGF_NODEFAULT),
    CFG_INT("workers", 2, CFGF_NONE),
    CFG_INT("expired_renewal_days", 0, CFGF_NONE),
    CFG_INT("requests_max", 2048, CFGF_NONE),
    CFG_INT("beginning_max", 256, CFGF_NONE),
    CFG_INT("crl_max_age", 60, CFGF_NONE),
    SETTINGS_HTTP_OPTIONS,
    CFG_END(),
};

void
settings_free(struct settings *s)
{
    if (s == NULL) {
        return;
    }
    settings_list_clear(&s->listen);
    trust_conf_free(&s->trust);
    settings_list_clear(&s->root_update);
    settings_http_clear(&s->http);
    mem_free(s->state);
    mem_free(s->database);
    mem_free(s->link);
    mem_free(s->admin);
    settings_list_clear(&s->admin_listen);
    mem_free(s->admin_tls_certificate);
    mem_free(s->admin_tls_credential);
    settings_list_clear(&s->admin_crls);
    settings_list_clear(&s->public_url);
    mem_free(s->public_tls_root);
    mem_free(s->signer);
    for (size_t i = 0; i < s->n_signers; i++) {
        mem_free(s->signers[i]);
    }
    mem_free(s->certificate);
    mem_free(s->issuing);
    mem_free(s->root);
    mem_free(s->log_key);
    mem_free(s->crl_dir);
    mem_free(s->ledger_dir);
    profiles_free(s->profiles);
    blocked_keys_free(s->blocked);
    mem_free(s);
}

static int
read_paths(cfg_t *cfg, struct settings *s, struct err *e)
{
    struct {
        const char *option;
        char **out;
    } paths[] = {
        {"state_dir", &s->state},
        {"link_socket", &s->link},
        {"admin_socket", &s->admin},
        {"ra_certificate", &s->certificate},
        {"issuing_certificate", &s->issuing},
        {"root_certificate", &s->root},
    };
    const char *crl_dir = cfg_getstr(cfg, "crl_dir");
    const char *ledger_dir = cfg_getstr(cfg, "ledger_dir");
    const char *log_key = cfg_getstr(cfg, "log_key");

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        *paths[i].out = conf_path(cfg, paths[i].option, e);
        if (*paths[i].out == NULL) {
            return -1;
        }
    }
    if (crl_dir != NULL && crl_dir[0] != '\0') {
        s->crl_dir = settings_path(cfg, crl_dir);
    }
    if (ledger_dir != NULL && ledger_dir[0] != '\0') {
        s->ledger_dir = settings_path(cfg, ledger_dir);
    }
    if (log_key != NULL && log_key[0] != '\0') {
        s->log_key = settings_path(cfg, log_key);
    }
    s->database = mem_printf("%s/ra.db", s->state);
    return 0;
}

/* A program with policy files, or services. An empty one is one that is gone. */
static int
read_signers(cfg_t *cfg, struct settings *s, struct err *e)
{
    char *paths[SIGNER_POOL_MAX] = {0};
    size_t n = 0;
    int result;

    s->signer_listens = cfg_size(cfg, "signer_socket") > 0;
    if (s->signer_listens && cfg_size(cfg, "signer_policy") > 0) {
        return conf_fault(cfg, "signer_socket", e,
                          "signer_socket: signer_policy is there, too, and one of them is right");
    }
    if (!s->signer_listens) {
        s->signer = conf_path(cfg, "signer_program", e);
        if (s->signer == NULL) {
            return -1;
        }
    }
    result = conf_paths(cfg, s->signer_listens ? "signer_socket" : "signer_policy", paths,
                        ARRAY_LEN(paths), &n, e);
    for (size_t i = 0; i < n; i++) {
        if (paths[i] != NULL) {
            s->signers[s->n_signers++] = paths[i];
        }
    }
    return result;
}

const char *
settings_signer_name(const struct settings *s)
{
    return s->signers[0];
}

/* Some places are for what goes on, also where a file of before has few. */
static int
leave_a_rest(cfg_t *cfg, struct settings *s, struct err *e)
{
    const int most = s->requests_max - s->requests_max / 8;

    if (s->beginning_max <= most) {
        return 0;
    }
    if (conf_is_written(cfg, "beginning_max")) {
        return conf_fault(cfg, "beginning_max", e,
                          "option 'beginning_max' is above seven eighths of 'requests_max', %d",
                          most);
    }
    s->beginning_max = most;
    return 0;
}

static int
read_numbers(cfg_t *cfg, struct settings *s, struct err *e)
{
    const struct {
        const char *option;
        int *out;
        int least;
        int most;
    } numbers[] = {
        {"message_time_window", &s->message_time_window, 1, 86400},
        {"pbm_min_iterations", &s->pbm_min_iterations, CMP_MAC_COUNT_MIN, CMP_MAC_COUNT_LIMIT},
        {"pbm_max_iterations", &s->pbm_max_iterations, CMP_MAC_COUNT_MIN, CMP_MAC_COUNT_LIMIT},
        {"pbmac1_max_iterations", &s->pbmac1_max_iterations, CMP_MAC_COUNT_MIN,
         CMP_MAC_COUNT_LIMIT},
        {"confirm_wait", &s->confirm_wait, 1, 7 * 86400},
        {"sync_wait", &s->sync_wait, 0, 60000},
        {"report_period", &s->report_period, 1, 3600},
        {"workers", &s->workers, 1, 64},
        {"expired_renewal_days", &s->expired_renewal_days, 0, 366},
        {"requests_max", &s->requests_max, 1, 65536},
        {"beginning_max", &s->beginning_max, 1, 57344},
        {"crl_max_age", &s->crl_max_age, 0, 86400},
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        long value = cfg_getint(cfg, numbers[i].option);

        if (value < numbers[i].least || value > numbers[i].most) {
            return conf_fault(cfg, numbers[i].option, e, "option '%s' must be %d..%d",
                              numbers[i].option, numbers[i].least, numbers[i].most);
        }
        *numbers[i].out = (int)value;
    }
    if (s->pbm_min_iterations > s->pbm_max_iterations ||
        s->pbm_min_iterations > s->pbmac1_max_iterations) {
        return conf_fault(cfg, "pbm_min_iterations", e, "option 'pbm_min_iterations' is above '%s'",
                          s->pbm_min_iterations > s->pbm_max_iterations ? "pbm_max_iterations"
                                                                        : "pbmac1_max_iterations");
    }
    s->message_time_required = cfg_getbool(cfg, "message_time_required") == cfg_true;
    s->implicit_confirm = cfg_getbool(cfg, "implicit_confirm") == cfg_true;
    return leave_a_rest(cfg, s, e);
}

/* All of it or nothing. */
static int
read_admin(cfg_t *cfg, struct settings *s, struct err *e)
{
    const char *credential = cfg_getstr(cfg, "admin_tls_credential");

    if (settings_addresses_read(cfg, "admin_listen", &s->admin_listen, e) != 0 ||
        settings_list_read(cfg, "admin_crls", true, &s->admin_crls, e) != 0) {
        return -1;
    }
    if (s->admin_listen.n == 0) {
        return 0;
    }
    s->admin_tls_certificate = conf_path(cfg, "admin_tls_certificate", e);
    if (s->admin_tls_certificate == NULL) {
        return -1;
    }
    if (s->admin_crls.n == 0) {
        return conf_fault(cfg, "admin_listen", e,
                          "option 'admin_crls' is missing: name the CRLs of the issuing CA and of "
                          "the root, as nfpki-ca writes them into its crl_dir");
    }
    s->admin_tls_credential = mem_strdup(credential == NULL ? "admin-tls-key" : credential);
    return tls_is_credential_name(s->admin_tls_credential)
               ? 0
               : conf_fault(cfg, "admin_tls_credential", e,
                            "option 'admin_tls_credential' is a name, not a path");
}

/* "http://host:port/.well-known/cmp": what profiles are hung on, so without them. */
static int
read_public(cfg_t *cfg, struct settings *s, struct err *e)
{
    const char *tls_root = cfg_getstr(cfg, "public_tls_root");
    bool tls = false;

    if (settings_list_read(cfg, "public_url", false, &s->public_url, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < s->public_url.n; i++) {
        const char *url = s->public_url.items[i];
        bool https = strncmp(url, "https://", 8) == 0;
        size_t n = strlen(url);

        if ((!https && strncmp(url, "http://", 7) != 0) || n < 12 || url[n - 1] == '/' ||
            strspn(url, PUBLIC_URL_CHARACTERS) != n) {
            return conf_fault(cfg, "public_url", e,
                              "option 'public_url': write http[s]://HOST:PORT/.well-known/cmp");
        }
        tls = tls || https;
    }
    if (tls && (tls_root == NULL || tls_root[0] == '\0')) {
        return conf_fault(
            cfg, "public_url", e,
            "option 'public_url' has https: name the anchor of our TLS certificate in "
            "'public_tls_root'");
    }
    if (tls_root != NULL && tls_root[0] != '\0') {
        s->public_tls_root = conf_path(cfg, "public_tls_root", e);
    }
    return tls_root == NULL || tls_root[0] == '\0' || s->public_tls_root != NULL ? 0 : -1;
}

struct settings *
settings_load(const char *path, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    CLEANUP(conf_cleanup) cfg_t *cfg = conf_load(path, options, hash, e);
    CLEANUP(settings_cleanup) struct settings *s = NULL;

    if (cfg == NULL) {
        return NULL;
    }
    s = mem_new(sizeof(*s));
    memcpy(s->hash, hash, sizeof(s->hash));
    if (settings_addresses_read(cfg, "listen", &s->listen, e) != 0 ||
        settings_strictness_read(cfg, &s->strictness, e) != 0 ||
        trust_conf_read(cfg, &s->trust, e) != 0 ||
        settings_list_read(cfg, "root_update", true, &s->root_update, e) != 0 ||
        trust_conf_add(cfg, "upstream_ra_roots", TRUST_RA, &s->trust, e) != 0 ||
        read_paths(cfg, s, e) != 0 || read_signers(cfg, s, e) != 0 ||
        profiles_read(cfg, &s->profiles, e) != 0 || blocked_keys_read(cfg, &s->blocked, e) != 0 ||
        read_numbers(cfg, s, e) != 0 || settings_http_read(cfg, &s->http, e) != 0 ||
        read_admin(cfg, s, e) != 0 || read_public(cfg, s, e) != 0) {
        return NULL;
    }
    if (s->listen.n == 0 && s->http.n_tls == 0 && s->http.n_plain == 0) {
        (void)conf_fault(
            cfg, "listen", e,
            "neither option 'listen' nor a section 'tls' or 'plain': nobody could ask");
        return NULL;
    }
    return TAKE(s);
}
