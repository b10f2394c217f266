/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/settings_http.h"

#include <stdio.h>
#include <string.h>

cfg_opt_t settings_tls_options[] = {
    CFG_STR_LIST("listen", NULL, CFGF_NODEFAULT),
    CFG_STR("certificate", NULL, CFGF_NODEFAULT),
    CFG_STR("credential", NULL, CFGF_NODEFAULT),
    CFG_STR("client_certificate", "none", CFGF_NONE),
    CFG_STR_LIST("client_roots", NULL, CFGF_NODEFAULT),
    SETTINGS_STRICTNESS,
    CFG_END(),
};

cfg_opt_t settings_plain_options[] = {
    CFG_STR_LIST("listen", NULL, CFGF_NODEFAULT),
    SETTINGS_STRICTNESS,
    CFG_END(),
};

cfg_opt_t settings_alias_options[] = {
    CFG_STR("profile", NULL, CFGF_NODEFAULT),
    CFG_STR("operation", NULL, CFGF_NODEFAULT),
    CFG_END(),
};

/* ---- strictness ---- */

int
settings_strictness_read(cfg_t *section, enum settings_strictness *out, struct err *e)
{
    static const char *const names[] = {
        [STRICTNESS_RFC9483] = "rfc9483", [STRICTNESS_RFC4210] = "rfc4210"};
    const char *text = cfg_getstr(section, "cmp_strictness"); /* there is always one */

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum settings_strictness)i;
            return 0;
        }
    }
    return conf_fault(section, "cmp_strictness", e,
                      "cmp_strictness is \"rfc9483\", or \"rfc4210\" for clients that do not know "
                      "RFC 9483");
}

/* Whatever listens has an address. */
static int
read_listen(cfg_t *section, struct settings_list *out, struct err *e)
{
    if (settings_addresses_read(section, "listen", out, e) != 0) {
        return -1;
    }
    return out->n > 0 ? 0
                      : conf_fault(section, "listen", e, "section '%s' has no address to listen on",
                                   section->name);
}

/* ---- plain ---- */

static int
read_plain(cfg_t *cfg, struct settings_http *out, struct err *e)
{
    unsigned n = cfg_size(cfg, "plain");

    if (n > SETTINGS_PLAIN_MAX) {
        return conf_fault(cfg, "plain", e, "more than %d sections 'plain'",
                          (int)SETTINGS_PLAIN_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        cfg_t *section = cfg_getnsec(cfg, "plain", i);
        struct settings_plain *p = &out->plain[out->n_plain++];

        if (read_listen(section, &p->listen, e) != 0 ||
            settings_strictness_read(section, &p->strictness, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- TLS ---- */

void
settings_tls_clear(struct settings_tls *s)
{
    settings_list_clear(&s->listen);
    settings_list_clear(&s->client_roots);
    mem_free(s->certificate);
    mem_free(s->credential);
    *s = (struct settings_tls){0};
}

static int
read_client(cfg_t *section, enum tls_client *out, struct err *e)
{
    static const struct {
        const char *text;
        enum tls_client client;
    } rows[] = {{"none", TLS_CLIENT_NONE},
                {"optional", TLS_CLIENT_OPTIONAL},
                {"require", TLS_CLIENT_REQUIRE}};
    const char *text = cfg_getstr(section, "client_certificate"); /* there is always one */

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].text, text) == 0) {
            *out = rows[i].client;
            return 0;
        }
    }
    return conf_fault(section, "client_certificate", e,
                      "client_certificate is \"none\", \"optional\" or \"require\"");
}

int
settings_tls_read(cfg_t *section, struct settings_tls *out, struct err *e)
{
    const char *certificate = conf_string(section, "certificate", e);
    const char *credential = certificate == NULL ? NULL : conf_string(section, "credential", e);

    if (credential == NULL) {
        return -1;
    }
    if (!tls_is_credential_name(credential)) {
        return conf_fault(section, "credential", e,
                          "credential \"%.64s\": the name of a file in $CREDENTIALS_DIRECTORY, "
                          "not a path",
                          credential);
    }
    out->certificate = settings_path(section, certificate);
    out->credential = mem_strdup(credential);
    if (read_listen(section, &out->listen, e) != 0 ||
        settings_strictness_read(section, &out->strictness, e) != 0 ||
        settings_list_read(section, "client_roots", true, &out->client_roots, e) != 0 ||
        read_client(section, &out->client, e) != 0) {
        return -1;
    }
    if ((out->client == TLS_CLIENT_NONE) != (out->client_roots.n == 0)) {
        return conf_fault(section, "client_certificate", e,
                          "client_certificate and client_roots go together: roots for "
                          "\"optional\" and \"require\", none for \"none\"");
    }
    return 0;
}

struct tls_options
settings_tls_get(const struct settings_tls *s)
{
    struct tls_options options = {
        .certificate = s->certificate, .credential = s->credential, .client = s->client};

    _Static_assert((int)SETTINGS_LIST_MAX <= (int)TLS_ROOTS_MAX, "client_roots");
    for (size_t i = 0; i < s->client_roots.n; i++) {
        options.client_roots[options.n_client_roots++] = s->client_roots.items[i];
    }
    return options;
}

/* ---- aliases ---- */

static int
read_alias(cfg_t *section, struct route_alias *out, struct err *e)
{
    const char *path = cfg_title(section);
    const char *profile = conf_string(section, "profile", e);
    const char *operation = cfg_getstr(section, "operation");
    struct err why;

    if (profile == NULL) {
        return -1;
    }
    if (route_alias_set(out, path, profile, operation, &why) != 0) {
        return conf_fault(section, NULL, e, "alias \"%.80s\": %s", path, why.text);
    }
    out->line = conf_line(section, "profile");
    return 0;
}

static int
read_aliases(cfg_t *cfg, struct settings_http *out, struct err *e)
{
    unsigned n = cfg_size(cfg, "alias");

    if (n > ROUTE_ALIASES_MAX) {
        return conf_fault(cfg, "alias", e, "more than %d aliases", (int)ROUTE_ALIASES_MAX);
    }
    out->aliases = mem_zalloc(n, sizeof(*out->aliases));
    for (unsigned i = 0; i < n; i++) {
        if (read_alias(cfg_getnsec(cfg, "alias", i), &out->aliases[i], e) != 0) {
            return -1;
        }
        out->n_aliases++;
    }
    return 0;
}

/* ---- the whole ---- */

static int
read_budgets(cfg_t *cfg, struct settings_http *out, struct err *e)
{
    const struct {
        const char *option;
        struct budget_limit *limit;
    } budgets[] = {
        {"budget_address", &out->by_address},
        {"budget_registration", &out->by_registration},
        {"budget_handshake", &out->by_handshake},
    };

    for (size_t i = 0; i < ARRAY_LEN(budgets); i++) {
        const char *text = cfg_getstr(cfg, budgets[i].option);
        struct err why;

        if (budget_limit_parse(text == NULL ? "" : text, budgets[i].limit, &why) != 0) {
            return conf_fault(cfg, budgets[i].option, e, "option '%s': %s", budgets[i].option,
                              why.text);
        }
    }
    return 0;
}

void
settings_http_clear(struct settings_http *s)
{
    for (size_t i = 0; i < s->n_tls; i++) {
        settings_tls_clear(&s->tls[i]);
    }
    for (size_t i = 0; i < s->n_plain; i++) {
        settings_list_clear(&s->plain[i].listen);
    }
    mem_free(s->aliases);
    *s = (struct settings_http){0};
}

int
settings_http_read(cfg_t *cfg, struct settings_http *out, struct err *e)
{
    unsigned n = cfg_size(cfg, "tls");

    if (n > SETTINGS_TLS_MAX) {
        return conf_fault(cfg, "tls", e, "more than %d sections 'tls'", (int)SETTINGS_TLS_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        out->n_tls++; /* so that a half-read one is released */
        if (settings_tls_read(cfg_getnsec(cfg, "tls", i), &out->tls[i], e) != 0) {
            return -1;
        }
    }
    return read_plain(cfg, out, e) != 0 || read_aliases(cfg, out, e) != 0
               ? -1
               : read_budgets(cfg, out, e);
}
