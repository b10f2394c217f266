/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/definition/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/typed.h"

static const char *const role_names[] = {"administrator", "officer", "witness", "auditor"};

const char *
person_role_name(enum role role)
{
    return role_names[role];
}

static int
read_person(struct reader *r, cfg_t *cfg, struct err *e)
{
    struct person *p = &r->d->people[r->d->n_people];
    char option[PLACE_NAME_SIZE];
    const char *role;
    size_t i = 0;

    (void)snprintf(option, sizeof(option), "person.%.80s", cfg_title(cfg));
    if (r->d->n_people == DEFINITION_PEOPLE_MAX) {
        return value_wrong(r, option, e, "more than %d people", DEFINITION_PEOPLE_MAX);
    }
    if (value_check_label(r, option, cfg_title(cfg), p->id, sizeof(p->id), e) != 0) {
        return -1;
    }
    (void)snprintf(option, sizeof(option), "person.%s.name", p->id);
    if (value_text(r, cfg, option, p->name, e) != 0) {
        return -1;
    }
    (void)snprintf(option, sizeof(option), "person.%s.role", p->id);
    if (value_required(r, cfg, option, &role, e) != 0) {
        return -1;
    }
    while (i < ARRAY_LEN(role_names) && strcmp(role, role_names[i]) != 0) {
        i++;
    }
    if (i == ARRAY_LEN(role_names)) {
        return value_wrong(r, option, e,
                           "'%.40s' is not administrator, officer, witness or auditor", role);
    }
    p->role = (enum role)i;
    for (size_t k = 0; k < r->d->n_people; k++) {
        if (strcmp(r->d->people[k].name, p->name) == 0) {
            return value_wrong(r, option, e, "%.60s has a role already: nobody holds two", p->name);
        }
    }
    r->d->n_people++;
    return 0;
}

int
definition_people(struct reader *r, struct err *e)
{
    bool administrator = false;
    bool witness = false;

    for (unsigned int i = 0; i < cfg_size(r->cfg, "person"); i++) {
        if (read_person(r, cfg_getnsec(r->cfg, "person", i), e) != 0) {
            return -1;
        }
        administrator =
            administrator || r->d->people[r->d->n_people - 1].role == ROLE_ADMINISTRATOR;
        witness = witness || r->d->people[r->d->n_people - 1].role == ROLE_WITNESS;
    }
    if (!administrator || !witness) {
        return value_wrong(r, "person", e, "there must be an administrator and a witness");
    }
    return 0;
}

/* Of a token that is there already. */
static int
read_serial(const struct reader *r, cfg_t *cfg, struct token_plan *t, struct err *e)
{
    bool root = definition_uses_root(r->d);
    const char *value = value_get(cfg, "token.serial");

    if (value[0] == '\0') {
        return value_wrong(r, "token.serial", e,
                           root ? "is missing: the serial, or \"previous\"" : "is missing");
    }
    if (strcmp(value, "previous") == 0) {
        return root ? 0
                    : value_wrong(r, "token.serial", e, "the register knows the root's token only");
    }
    if (root) {
        return value_check_label(r, "token.serial", value, t->serial, sizeof(t->serial), e);
    }
    if (strlen(value) >= sizeof(t->serial)) {
        return value_wrong(r, "token.serial", e, "is longer than %zu octets",
                           sizeof(t->serial) - 1);
    }
    memcpy(t->serial, value, strlen(value) + 1);
    return 0;
}

int
definition_token(struct reader *r, struct err *e)
{
    struct token_plan *t = &r->d->token;
    cfg_t *cfg = value_section(r, "token");
    bool fresh = definition_makes_token(r->d);
    const char *wanted = fresh ? "fresh" : definition_uses_root(r->d) ? "root" : "keys";
    const char *expect;
    const char *value;

    if (cfg == NULL) {
        return value_wrong(r, "token", e, "the section is missing");
    }
    if (value_required(r, cfg, "token.module", &value, e) != 0 ||
        value_label(r, cfg, "token.label", t->label, sizeof(t->label), e) != 0 ||
        value_required(r, cfg, "token.expect", &expect, e) != 0) {
        return -1;
    }
    if (value[0] != '/') {
        return value_wrong(r, "token.module", e, "must be an absolute path");
    }
    t->module = mem_strdup(value);
    t->config = value_path(cfg, "config", r->d->path);
    t->directory = value_path(cfg, "directory", r->d->path);
    if (strcmp(expect, wanted) != 0) {
        return value_wrong(r, "token.expect", e, "%s wants \"%s\"", ceremony_type_name(r->d->type),
                           wanted);
    }
    if (!fresh) {
        return read_serial(r, cfg, t, e);
    }
    return value_get(cfg, "token.serial")[0] == '\0'
               ? 0
               : value_wrong(r, "token.serial", e,
                             "a fresh token gets its serial when it is initialised: leave it out");
}

static int
read_algorithm(const struct reader *r, const char *option, const char *name, struct key_plan *key,
               struct err *e)
{
    static const struct {
        const char *name;
        enum pubkey_kind kind;
    } algorithms[] = {{"P-256", PUBKEY_P256}, {"P-384", PUBKEY_P384}, {"RSA-3072", PUBKEY_RSA}};

    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (strcmp(name, algorithms[i].name) == 0) {
            key->algorithm = algorithms[i].name;
            key->kind = algorithms[i].kind;
            return 0;
        }
    }
    return value_wrong(r, option, e, "'%.40s' is not P-256, P-384 or RSA-3072", name);
}

static int
read_attributes(const struct reader *r, const char *option, const char *name, struct key_plan *key,
                struct err *e)
{
    static const char *const policies[] = {"root-signing-v1", "issuing-signing-v1",
                                           "log-signing-v1", "ra-signing-v1"};

    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        /* Root keys are made by root-generate and nothing else is. */
        if (strcmp(name, policies[i]) == 0 && (i == 0) == (r->d->type == ROOT_GENERATE)) {
            key->attributes = policies[i];
            /* Checkpoints are ECDSA P-256 signed notes (C2SP signed-note, type 0x02). */
            if (i == 2 && strcmp(key->algorithm, "P-256") != 0) {
                return value_wrong(r, option, e, "a log key is P-256, not %s", key->algorithm);
            }
            return 0;
        }
    }
    return value_wrong(
        r, option, e, "'%.40s' is not a policy of %s: %s", name, ceremony_type_name(r->d->type),
        r->d->type == ROOT_GENERATE ? "root-signing-v1"
                                    : "issuing-signing-v1, log-signing-v1, ra-signing-v1");
}

static int
read_key(struct reader *r, cfg_t *cfg, struct err *e)
{
    struct key_plan *key = &r->d->keys[r->d->n_keys];
    char option[PLACE_NAME_SIZE];
    const char *value;

    (void)snprintf(option, sizeof(option), "key.%.80s", cfg_title(cfg));
    if (r->d->n_keys == (r->d->type == ROOT_GENERATE ? 1 : DEFINITION_KEYS_MAX)) {
        return value_wrong(r, option, e, "one key too many");
    }
    if (value_check_label(r, option, cfg_title(cfg), key->label, sizeof(key->label), e) != 0) {
        return -1;
    }
    (void)snprintf(option, sizeof(option), "key.%s.algorithm", key->label);
    if (value_required(r, cfg, option, &value, e) != 0 ||
        read_algorithm(r, option, value, key, e) != 0) {
        return -1;
    }
    (void)snprintf(option, sizeof(option), "key.%s.attributes", key->label);
    if (value_required(r, cfg, option, &value, e) != 0 ||
        read_attributes(r, option, value, key, e) != 0) {
        return -1;
    }
    (void)snprintf(option, sizeof(option), "key.%s.subject", key->label);
    key->has_subject = value_get(cfg, option)[0] != '\0';
    if (key->has_subject && r->d->type == ROOT_GENERATE) {
        return value_wrong(r, option, e, "the root's name stands in certificate.subject");
    }
    if (key->has_subject && value_name(r, cfg, option, &key->subject, e) != 0) {
        return -1;
    }
    r->d->n_keys++;
    return 0;
}

int
definition_keys(struct reader *r, struct err *e)
{
    for (unsigned int i = 0; i < cfg_size(r->cfg, "key"); i++) {
        if (read_key(r, cfg_getnsec(r->cfg, "key", i), e) != 0) {
            return -1;
        }
    }
    return r->d->n_keys > 0 ? 0 : value_wrong(r, "key", e, "there is no key");
}

static int
read_secret(struct reader *r, cfg_t *cfg, struct err *e)
{
    static const char *const policies[] = {"ra-seal-v1", "ca-seal-v1"};
    struct secret_plan *secret = &r->d->secrets[r->d->n_secrets];
    char option[PLACE_NAME_SIZE];
    const char *value;

    (void)snprintf(option, sizeof(option), "secret.%.80s", cfg_title(cfg));
    if (r->d->n_secrets == DEFINITION_SECRETS_MAX) {
        return value_wrong(r, option, e, "more than %d secret keys", DEFINITION_SECRETS_MAX);
    }
    if (value_check_label(r, option, cfg_title(cfg), secret->label, sizeof(secret->label), e) !=
        0) {
        return -1;
    }
    for (size_t i = 0; i < r->d->n_keys; i++) {
        if (strcmp(r->d->keys[i].label, secret->label) == 0) {
            return value_wrong(r, option, e, "a key has this label already");
        }
    }
    (void)snprintf(option, sizeof(option), "secret.%s.attributes", secret->label);
    if (value_required(r, cfg, option, &value, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        secret->attributes = strcmp(value, policies[i]) == 0 ? policies[i] : secret->attributes;
    }
    if (secret->attributes == NULL) {
        return value_wrong(r, option, e, "'%.40s': a secret key has ra-seal-v1 or ca-seal-v1",
                           value);
    }
    r->d->n_secrets++;
    return 0;
}

int
definition_secrets(struct reader *r, struct err *e)
{
    for (unsigned int i = 0; i < cfg_size(r->cfg, "secret"); i++) {
        if (read_secret(r, cfg_getnsec(r->cfg, "secret", i), e) != 0) {
            return -1;
        }
    }
    return r->d->n_secrets > 0 || r->d->type != SECRET_GENERATE
               ? 0
               : value_wrong(r, "secret", e, "there is no secret key");
}

int
definition_certificate(struct reader *r, struct err *e)
{
    cfg_t *cfg = value_section(r, "certificate");
    bool root = r->d->type == ROOT_GENERATE;
    const char *profile = root ? "root" : "issuing";
    const char *value;

    if (cfg == NULL) {
        return value_wrong(r, "certificate", e, "the section is missing");
    }
    if (value_required(r, cfg, "certificate.profile", &value, e) != 0) {
        return -1;
    }
    if (strcmp(value, profile) != 0) {
        return value_wrong(r, "certificate.profile", e, "'%.40s': %s makes \"%s\"", value,
                           ceremony_type_name(r->d->type), profile);
    }
    if (value_name(r, cfg, "certificate.subject", &r->d->certificate.subject, e) != 0 ||
        value_time(r, cfg, "certificate.not_before", &r->d->certificate.not_before, e) != 0 ||
        value_time(r, cfg, "certificate.not_after", &r->d->certificate.not_after, e) != 0 ||
        value_order(r, "certificate.not_after", r->d->certificate.not_before,
                    r->d->certificate.not_after, e) != 0) {
        return -1;
    }
    value = value_get(cfg, "certificate.crl_url");
    if (root && value[0] != '\0') {
        return value_wrong(r, "certificate.crl_url", e, "a root has none: nothing could revoke it");
    }
    if (root) {
        return 0;
    }
    if (strncmp(value, "http://", 7) != 0 || strlen(value) > CRL_URL_MAX) {
        return value_wrong(r, "certificate.crl_url", e, "must be an http: URL of at most %d octets",
                           CRL_URL_MAX);
    }
    memcpy(r->d->certificate.crl_url, value, strlen(value) + 1);
    return 0;
}

int
definition_csr(struct reader *r, struct err *e)
{
    cfg_t *cfg = value_section(r, "csr");
    const char *value;

    if (cfg == NULL) {
        return value_wrong(r, "csr", e, "the section is missing");
    }
    if (value_required(r, cfg, "csr.file", &value, e) != 0) {
        return -1;
    }
    r->d->csr.file = value_path(cfg, "file", r->d->path);
    return value_hash(r, cfg, "csr.sha256", r->d->csr.sha256, e);
}

static int
read_revoked(struct reader *r, cfg_t *cfg, struct err *e)
{
    struct crl_entry *entry = &r->d->crl.revoked[r->d->crl.n_revoked];
    const char *serial = cfg_title(cfg);
    char option[PLACE_NAME_SIZE];
    const char *value;

    (void)snprintf(option, sizeof(option), "crl.revoke.%.80s", serial);
    if (r->d->crl.n_revoked == DEFINITION_REVOKED_MAX) {
        return value_wrong(r, option, e, "more than %d revocations", DEFINITION_REVOKED_MAX);
    }
    if (typed_hex_parse(serial, "serial", entry->serial, SERIAL_SIZE, e) != 0) {
        return value_misplaced(r, option, e);
    }
    entry->serial_size = SERIAL_SIZE;
    if (r->d->crl.n_revoked > 0 && memcmp(entry[-1].serial, entry->serial, SERIAL_SIZE) >= 0) {
        return value_wrong(r, option, e, "serials must ascend, each once");
    }
    (void)snprintf(option, sizeof(option), "crl.revoke.%s.time", serial);
    if (value_time(r, cfg, option, &entry->revoked_at, e) != 0) {
        return -1;
    }
    (void)snprintf(option, sizeof(option), "crl.revoke.%s.reason", serial);
    if (value_required(r, cfg, option, &value, e) != 0) {
        return -1;
    }
    if (crl_reason_parse(value, &entry->reason, e) != 0) {
        return value_misplaced(r, option, e);
    }
    /* CA/Browser Forum BR 7.2.2: an entry for a CA certificate says why. */
    if (entry->reason == CRL_UNSPECIFIED) {
        return value_wrong(r, option, e, "a CA certificate is revoked for a reason");
    }
    r->d->crl.n_revoked++;
    return 0;
}

int
definition_crl(struct reader *r, struct err *e)
{
    cfg_t *cfg = value_section(r, "crl");
    const time_t day = 24 * 60 * 60;
    long skip;

    if (cfg == NULL) {
        return value_wrong(r, "crl", e, "the section is missing");
    }
    if (value_time(r, cfg, "crl.this_update", &r->d->crl.this_update, e) != 0 ||
        value_time(r, cfg, "crl.next_update", &r->d->crl.next_update, e) != 0 ||
        value_order(r, "crl.next_update", r->d->crl.this_update, r->d->crl.next_update, e) != 0) {
        return -1;
    }
    /* BR 4.9.7: twelve months at most; both ends count. */
    if (r->d->crl.next_update - r->d->crl.this_update >= 365 * day) {
        return value_wrong(r, "crl.next_update", e, "is more than 365 days after this_update");
    }
    skip = cfg_getint(cfg, "skip");
    if (skip < 0 || skip > 1000) {
        return value_wrong(r, "crl.skip", e, "%ld is not within 0 to 1000", skip);
    }
    r->d->crl.skip = (int)skip;
    for (unsigned int i = 0; i < cfg_size(cfg, "revoke"); i++) {
        if (read_revoked(r, cfg_getnsec(cfg, "revoke", i), e) != 0) {
            return -1;
        }
    }
    return 0;
}
