/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h - `trust` sections and `vendor_roots`, the same in nfpki-ra.conf(5) and nfpki-ca.conf(5):
 *
 *   trust "vendor-x" {
 *       purpose = "vendor"               "vendor", "operator" or "ra"
 *       roots = {"x-root.pem"}           anchors: CA certificates, self-signed or not
 *       crls = {"x-root.crl", "x.crl"}
 *       crl_policy = "require"           "require", "if-present" or "none"
 *       crl_max_age_hours = 168          0: as long as nextUpdate says
 *       names = {"O=Vendor X"}           the subject of an end entity begins with one of them
 *       policies = {"1.3.6.1.4.1.1.1"}   the path must be good for one of them
 *       allow = {"no-aki"}               what its certificates may have wrong
 *   }
 */
#pragma once

#include <confuse.h>

#include "base/err.h"
#include "base/mem.h"
#include "ca/x509/path/check.h"
#include "ca/x509/path/path.h"

enum {
    TRUST_SETS_MAX = 32,
    TRUST_SECTIONS_MAX = 30,      /* two sets may come from short forms */
    TRUST_LIST_MAX = 32,          /* elements of each list */
    TRUST_CRL_AGE_MAX = 366 * 24, /* hours */
};

enum trust_purpose {
    TRUST_VENDOR,   /* vendors' roots, for what a network function brings from its factory */
    TRUST_OPERATOR, /* the operator's own CAs, for initial certificates that OAM hands out */
    TRUST_RA,       /* CAs of RAs that sign nested messages */
};

struct trust_list {
    char *items[TRUST_LIST_MAX];
    size_t n;
};

struct trust_conf_set {
    char *name;
    char *where; /* "file:line" of its roots; NULL: of no file */
    enum trust_purpose purpose;
    struct trust_list roots; /* paths, ready for use */
    struct trust_list crls;
    enum path_status crl_policy;
    int crl_max_age_s; /* 0: no limit */
    struct trust_list names;
    struct trust_list policies;
    unsigned allow; /* bits of x509/path/check.h */
};

struct trust_conf {
    struct trust_conf_set sets[TRUST_SETS_MAX];
    size_t n;
};
void trust_conf_free(struct trust_conf *);

/* For the daemon's table of options. */
extern cfg_opt_t trust_options[];
#define TRUST_OPTIONS                                                                              \
    CFG_STR_LIST("vendor_roots", NULL, CFGF_NODEFAULT),                                            \
        CFG_SEC("trust", trust_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)

/* `vendor_roots` becomes a set of that name with nothing but roots. ERR_INPUT "file:line: option:
 * ...". `out` may be freed after a failure too. */
int trust_conf_read(cfg_t *cfg, struct trust_conf *out, struct err *e);
/* The same of another list of CA certificates, one at most, behind trust_conf_read(). */
int trust_conf_add(cfg_t *cfg, const char *option, enum trust_purpose, struct trust_conf *out,
                   struct err *e);
