/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition.h - what a ceremony shall do: one small reviewed file (nfpki-ceremony.conf(5)).
 *
 * Strict: every unknown, repeated, missing or wrong value is ERR_INPUT "file:line: option: reason".
 * The SHA-256 of its octets goes into the transcript. Pure but for reading the file itself: no path
 * in it is opened here.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"
#include "base/text.h"
#include "ca/x509/name.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/tbs/crl.h"
#include "ca/x509/tbs/tbs.h"

enum ceremony_type { ROOT_GENERATE, KEY_GENERATE, SUB_ISSUE, ROOT_CRL, SECRET_GENERATE };

enum {
    DEFINITION_PEOPLE_MAX = 16,
    DEFINITION_KEYS_MAX = 8,
    DEFINITION_SECRETS_MAX = 2,
    DEFINITION_REVOKED_MAX = 64,
    DEFINITION_TEXT_SIZE = 129,
    DEFINITION_LABEL_SIZE = 33,                   /* CK_TOKEN_INFO.label holds 32 octets */
    DEFINITION_SERIAL_SIZE = TEXT_SHOWN_SIZE(16), /* CK_TOKEN_INFO.serialNumber, as it is shown */
};

enum role { ROLE_ADMINISTRATOR, ROLE_OFFICER, ROLE_WITNESS, ROLE_AUDITOR };

struct person {
    char id[DEFINITION_LABEL_SIZE];
    char name[DEFINITION_TEXT_SIZE];
    enum role role;
};

struct key_plan {
    char label[DEFINITION_LABEL_SIZE];
    const char *algorithm; /* "P-256", "P-384", "RSA-3072" */
    enum pubkey_kind kind;
    const char *attributes; /* "issuing-signing-v1" */
    bool has_subject;       /* then a CSR is made */
    struct name subject;
};

/* A secret key, which derives the key that seals the RA's one-time secrets and ra.db, or the one
 * that seals ca.db. */
struct secret_plan {
    char label[DEFINITION_LABEL_SIZE];
    const char *attributes; /* "ra-seal-v1" or "ca-seal-v1" */
};

struct token_plan {
    char *module;
    char *config;    /* NULL: the module's own default */
    char *directory; /* the token's files, for a software token; else NULL */
    char label[DEFINITION_LABEL_SIZE];
    char serial[DEFINITION_SERIAL_SIZE]; /* "": as the previous bundle says, or not there yet */
};

struct definition {
    char *path;
    struct buf text;
    uint8_t hash[SHA256_SIZE];

    char id[DEFINITION_TEXT_SIZE];
    enum ceremony_type type;
    char cps[DEFINITION_TEXT_SIZE]; /* version and section of the practice statement */
    char *prev;                     /* bundle directory; NULL: "none" */
    char *output;                   /* bundle directory that must not exist */
    char *credentials;              /* of rehearsals; may be NULL */
    bool software_token_accepted;
    bool network_accepted;
    bool swap_accepted;

    struct person people[DEFINITION_PEOPLE_MAX];
    size_t n_people;
    struct token_plan token;
    struct key_plan keys[DEFINITION_KEYS_MAX]; /* root-generate: one */
    size_t n_keys;
    struct secret_plan secrets[DEFINITION_SECRETS_MAX]; /* key-generate, secret-generate */
    size_t n_secrets;
    struct {
        struct name subject;
        time_t not_before;
        time_t not_after;
        char crl_url[CRL_URL_MAX + 1]; /* sub-issue */
    } certificate;
    struct {
        char *file;
        uint8_t sha256[SHA256_SIZE]; /* of the file's octets, from a paper of the issuing site */
    } csr;
    struct {
        time_t this_update;
        time_t next_update;
        int skip; /* CRL numbers that stopped ceremonies used up */
        struct crl_entry revoked[DEFINITION_REVOKED_MAX]; /* new ones only, ascending */
        size_t n_revoked;
    } crl;
    struct {
        time_t not_before;
        time_t not_after;
        int skew_max; /* seconds between the machine's clock and the witness's */
    } clock;
};

void definition_free(struct definition *);
struct definition *definition_load(const char *path, struct err *e) OWNED(definition_free);
DEFINE_CLEANUP(definition_cleanup, struct definition, definition_free)

/* "root-generate", ... */
const char *ceremony_type_name(enum ceremony_type);
bool ceremony_type_by_name(const char *name, enum ceremony_type *out);
const char *person_role_name(enum role);
/* The token is initialised by this ceremony. */
bool definition_makes_token(const struct definition *);
/* The token is that of the register's root. Neither of the two: one that the definition names. */
bool definition_uses_root(const struct definition *);
/* Objects come to be on the token. */
bool definition_makes_keys(const struct definition *);
