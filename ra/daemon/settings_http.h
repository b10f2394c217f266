/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_http.h - what nfpki-ra.conf(5) says about listeners, paths and budgets.
 */
#pragma once

#include "base/http/tls.h"
#include "ra/daemon/budget.h"
#include "ra/daemon/route.h"
#include "ra/daemon/settings_value.h"

enum { SETTINGS_TLS_MAX = 8 };

/* A section with these options is a listener with TLS, whatever its name:
 *   CFG_SEC("tls", settings_tls_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES) */
extern cfg_opt_t settings_tls_options[];

/* What a listener expects of the form of CMP messages: struct cmp_lenience of
 * ca/cmp/protection/check.h. */
enum settings_strictness { STRICTNESS_RFC9483, STRICTNESS_RFC4210 };
/* The option `cmp_strictness` of the file or of a section. */
#define SETTINGS_STRICTNESS CFG_STR("cmp_strictness", "rfc9483", CFGF_NONE)
int settings_strictness_read(cfg_t *section, enum settings_strictness *out, struct err *e);

struct settings_tls {
    struct settings_list listen;
    enum settings_strictness strictness;
    char *certificate;
    char *credential;
    enum tls_client client;
    struct settings_list client_roots;
};

void settings_tls_clear(struct settings_tls *);
int settings_tls_read(cfg_t *section, struct settings_tls *out, struct err *e);
/* Borrows. */
struct tls_options settings_tls_get(const struct settings_tls *);

/* A listener without TLS, besides the option `listen` of the file. */
enum { SETTINGS_PLAIN_MAX = 8 };
extern cfg_opt_t settings_plain_options[];
struct settings_plain {
    struct settings_list listen;
    enum settings_strictness strictness;
};

extern cfg_opt_t settings_alias_options[];

struct settings_http {
    struct settings_tls tls[SETTINGS_TLS_MAX];
    size_t n_tls;
    struct settings_plain plain[SETTINGS_PLAIN_MAX];
    size_t n_plain;
    struct route_alias *aliases; /* owned */
    size_t n_aliases;
    struct budget_limit by_address;
    struct budget_limit by_registration;
    struct budget_limit by_handshake;
};

/* The options of the file that stand for `struct settings_http`: part of the schema. */
#define SETTINGS_HTTP_OPTIONS                                                                      \
    CFG_SEC("tls", settings_tls_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),           \
        CFG_SEC("plain", settings_plain_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),   \
        CFG_SEC("alias", settings_alias_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),   \
        CFG_STR("budget_address", "100/1000", CFGF_NONE),                                          \
        CFG_STR("budget_registration", "1/30", CFGF_NONE),                                         \
        CFG_STR("budget_handshake", "50/500", CFGF_NONE)

void settings_http_clear(struct settings_http *);
int settings_http_read(cfg_t *cfg, struct settings_http *out, struct err *e);
