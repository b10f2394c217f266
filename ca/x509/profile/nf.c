/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/nf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ca/x509/profile/nf_types.h"

enum { LABEL_MAX = 63 };

/* Locale-free: the C library's isalpha() and its kin are not. */
static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_lower_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool
is_lower_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

static void
to_lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text = (char)(*text + ('a' - 'A'));
        }
    }
}

/* RFC 4122 3 and 4.1: 8-4-4-4-12, the version in digit 13, the variant in digit 17. */
static int
instance_id_check(char *id, bool any_version, struct err *e)
{
    to_lower(id);
    if (strlen(id) != NF_INSTANCE_ID_SIZE - 1) {
        return err_set(e, ERR_INPUT, "nfInstanceId: not a UUID of 36 characters");
    }
    for (size_t i = 0; i < NF_INSTANCE_ID_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? id[i] != '-' : !is_lower_hex(id[i])) {
            return err_set(e, ERR_INPUT, "nfInstanceId: not a UUID in the form 8-4-4-4-12");
        }
    }
    if (strchr("89ab", id[19]) == NULL) {
        return err_set(e, ERR_INPUT, "nfInstanceId: not a UUID of RFC 4122 (variant)");
    }
    if (id[14] != '4' && !any_version) {
        /* TS 29.571: NfInstanceId is a version 4 UUID */
        return err_set(e, ERR_INPUT, "nfInstanceId: UUID of version %c, must be 4", id[14]);
    }
    return 0;
}

static int
types_check(const struct nf_identity *nf, bool operator_types, struct err *e)
{
    if (nf_types_check_order(nf, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < nf->n_types; i++) {
        if (nf_type_is_standard(nf->types[i])) {
            continue;
        }
        if (!operator_types) {
            return err_set(e, ERR_DENIED, "nfTypes[%zu]: \"%s\" is not in the table of TS 29.510",
                           i, nf->types[i]);
        }
        /* RFC 9310 5: an operator's value must not collide with a standard one */
        if (nf_type_lookalike(nf->types[i]) != NULL) {
            return err_set(e, ERR_DENIED, "nfTypes[%zu]: \"%s\" looks like the standard %s", i,
                           nf->types[i], nf_type_lookalike(nf->types[i]));
        }
    }
    return 0;
}

static bool
label_is_ldh(const char *label, size_t n)
{
    if (n == 0 || n > LABEL_MAX || label[0] == '-' || label[n - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_lower_alnum(label[i]) && label[i] != '-') {
            return false;
        }
    }
    return true;
}

/* RFC 1123 2.1 host names of two labels or more whose last one is no number (an IP address). */
static bool
domain_is_ldh(const char *name)
{
    size_t labels = 0;
    const char *last = name;

    if (strlen(name) >= NF_FQDN_SIZE) {
        return false;
    }
    for (const char *p = name;; p++) {
        size_t n = strcspn(p, ".");

        if (!label_is_ldh(p, n)) {
            return false;
        }
        labels++;
        last = p;
        p += n;
        if (*p == '\0') {
            break;
        }
    }
    return labels >= 2 && !is_digit(last[0]);
}

static bool
is_within(const char *name, const char *domain)
{
    size_t n = strlen(name);
    size_t d = strlen(domain);

    return n >= d && strcasecmp(name + n - d, domain) == 0 && (n == d || name[n - d - 1] == '.');
}

/* The name of a SEPP in a PLMN that is registered for it. */
static bool
is_in_plmns(const char *fqdn, const struct nf_identity *nf)
{
    struct plmn plmn;

    for (size_t i = 0; plmn_of_sepp(fqdn, &plmn) && i < nf->n_plmns; i++) {
        if (plmn_equal(&plmn, &nf->plmns[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_permitted(const char *fqdn, const struct nf_identity *nf, const struct nf_rules *rules)
{
    if (is_within(fqdn, nf->home_domain) || is_in_plmns(fqdn, nf)) {
        return true;
    }
    for (size_t i = 0; i < rules->n_fqdn_suffixes; i++) {
        if (is_within(fqdn, rules->fqdn_suffixes[i])) {
            return true;
        }
    }
    return false;
}

static int
fqdns_check(struct nf_identity *nf, const struct nf_rules *rules, struct err *e)
{
    if (nf->n_fqdns > NF_FQDNS_MAX) {
        return err_set(e, ERR_INPUT, "fqdns: more than %d", NF_FQDNS_MAX);
    }
    for (size_t i = 0; i < nf->n_fqdns; i++) {
        const char *name = nf->fqdns[i];

        to_lower(nf->fqdns[i]);
        if (strchr(name, '*') != NULL) {
            /* TS 33.501 13.1.1.0: only the SEPP of a telescopic FQDN has one */
            if (strncmp(name, "*.", 2) != 0 || !is_in_plmns(name, nf)) {
                return err_set(e, ERR_DENIED,
                               "fqdns[%zu]: wildcards are for SEPP profiles, as "
                               "*.sepp<any>.5gc.mnc<3>.mcc<3>.3gppnetwork.org in one of plmns",
                               i);
            }
            name += 2;
        }
        if (!domain_is_ldh(name)) {
            return err_set(e, ERR_INPUT,
                           "fqdns[%zu]: not a fully qualified name of letters, digits and hyphens",
                           i);
        }
        if (!is_permitted(nf->fqdns[i], nf, rules)) {
            return err_set(e, ERR_DENIED, "fqdns[%zu]: not below %s", i, nf->home_domain);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(nf->fqdns[k], nf->fqdns[i]) == 0) {
                return err_set(e, ERR_INPUT, "fqdns[%zu]: stands there twice", i);
            }
        }
    }
    return 0;
}

/* Moves *p over `prefix` and `digits` characters of a class; false when they are not there. */
static bool
skip(const char **p, const char *prefix, size_t digits, bool (*class)(char))
{
    size_t n = strlen(prefix);

    if (strncmp(*p, prefix, n) != 0) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        if (!class((*p)[n + i])) {
            return false;
        }
    }
    *p += n + digits;
    return true;
}

/* TS 23.003 28.2: MNC and MCC have three digits (a two-digit MNC gets a 0 in front), the NID of a
 * stand-alone non-public network 11 hexadecimal digits. */
static bool
is_own_domain(const char *domain, const struct nf_rules *rules)
{
    for (size_t i = 0; i < rules->n_home_domains; i++) {
        if (strcasecmp(rules->home_domains[i], domain) == 0) {
            return true;
        }
    }
    return rules->n_home_domains == 0;
}

static int
home_domain_check(char *domain, const struct nf_rules *rules, struct err *e)
{
    const char *p = domain;

    to_lower(domain);
    if (!skip(&p, "5gc", 0, is_digit)) {
        return err_set(e, ERR_INPUT, "homeDomain: must begin with 5gc");
    }
    (void)skip(&p, ".nid", 11, is_lower_hex);
    if (!skip(&p, ".mnc", 3, is_digit) || !skip(&p, ".mcc", 3, is_digit) ||
        strcmp(p, ".3gppnetwork.org") != 0) {
        return err_set(e, ERR_INPUT,
                       "homeDomain: must be 5gc.[nid<11 hex>.]mnc<3>.mcc<3>.3gppnetwork.org");
    }
    /* TS 33.310 6.1: the subject belongs to the CA's own administrative domain */
    return is_own_domain(domain, rules)
               ? 0
               : err_set(e, ERR_DENIED, "homeDomain: %s is not one of this operator's", domain);
}

/* TS 33.501 13.1.2: a SEPP's PLMN ids are those of the operator that runs it. */
static int
plmns_check(const struct nf_identity *nf, const struct nf_rules *rules, struct err *e)
{
    bool sepp = false;

    for (size_t i = 0; i < nf->n_types; i++) {
        sepp = sepp || strcmp(nf->types[i], "SEPP") == 0;
    }
    if (nf->n_plmns > 0 && !sepp) {
        return err_set(e, ERR_DENIED, "plmns: nfTypes has no SEPP");
    }
    for (size_t i = 0; i < nf->n_plmns; i++) {
        char domain[PLMN_DOMAIN_SIZE];

        plmn_domain(&nf->plmns[i], domain);
        if (!is_own_domain(domain, rules)) {
            return err_set(e, ERR_DENIED, "plmns[%zu]: %s is not one of this operator's", i,
                           domain);
        }
        for (size_t k = 0; k < i; k++) {
            if (plmn_equal(&nf->plmns[k], &nf->plmns[i])) {
                return err_set(e, ERR_INPUT, "plmns[%zu]: stands there twice", i);
            }
        }
    }
    return 0;
}

static int
country_check(const char *country, struct err *e)
{
    if (strlen(country) != 2 || country[0] < 'A' || country[0] > 'Z' || country[1] < 'A' ||
        country[1] > 'Z') {
        return err_set(e, ERR_INPUT, "country: must be two upper-case letters");
    }
    return 0;
}

int
nf_identity_check(struct nf_identity *nf, const struct nf_rules *rules, struct err *e)
{
    static const struct nf_rules strict = {0};

    if (rules == NULL) {
        rules = &strict;
    }
    if (instance_id_check(nf->instance_id, rules->any_uuid_version, e) != 0 ||
        types_check(nf, rules->operator_types, e) != 0 ||
        home_domain_check(nf->home_domain, rules, e) != 0 || country_check(nf->country, e) != 0 ||
        plmns_check(nf, rules, e) != 0 || fqdns_check(nf, rules, e) != 0) {
        return -1;
    }
    return 0;
}

int
nf_identity_add_type(struct nf_identity *nf, const char *type, struct err *e)
{
    if (nf->n_types == NF_TYPES_MAX) {
        return err_set(e, ERR_INPUT, "nfTypes: more than %d", NF_TYPES_MAX);
    }
    if (strlen(type) >= NF_TYPE_SIZE) {
        return err_set(e, ERR_INPUT, "nfTypes[%zu]: must be 1..32 characters", nf->n_types);
    }
    (void)snprintf(nf->types[nf->n_types], NF_TYPE_SIZE, "%s", type);
    nf->n_types++;
    return 0;
}

int
nf_identity_add_fqdn(struct nf_identity *nf, const char *fqdn, struct err *e)
{
    if (nf->n_fqdns == NF_FQDNS_MAX) {
        return err_set(e, ERR_INPUT, "fqdns: more than %d", NF_FQDNS_MAX);
    }
    if (strlen(fqdn) >= NF_FQDN_SIZE) {
        return err_set(e, ERR_INPUT, "fqdns[%zu]: longer than 253 characters", nf->n_fqdns);
    }
    (void)snprintf(nf->fqdns[nf->n_fqdns], NF_FQDN_SIZE, "%s", fqdn);
    nf->n_fqdns++;
    return 0;
}

int
nf_identity_add_plmn(struct nf_identity *nf, const struct plmn *plmn, struct err *e)
{
    if (nf->n_plmns == NF_PLMNS_MAX) {
        return err_set(e, ERR_INPUT, "plmns: more than %d", NF_PLMNS_MAX);
    }
    nf->plmns[nf->n_plmns++] = *plmn;
    return 0;
}

bool
nf_identity_equal(const struct nf_identity *a, const struct nf_identity *b)
{
    if (strcmp(a->instance_id, b->instance_id) != 0 ||
        strcmp(a->home_domain, b->home_domain) != 0 || strcmp(a->country, b->country) != 0 ||
        a->n_types != b->n_types || a->n_fqdns != b->n_fqdns || a->n_plmns != b->n_plmns) {
        return false;
    }
    for (size_t i = 0; i < a->n_types; i++) {
        if (strcmp(a->types[i], b->types[i]) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_fqdns; i++) {
        if (strcmp(a->fqdns[i], b->fqdns[i]) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_plmns; i++) {
        if (!plmn_equal(&a->plmns[i], &b->plmns[i])) {
            return false;
        }
    }
    return true;
}
