/* SPDX-License-Identifier: Apache-2.0 */
/* made.h - a certificate made as a test wants it, with the leaves around it. */
#pragma once

#include "base/ossl.h"
#include "db/audit/lint/judge.h"

enum { MADE_AT = 1800000000, MADE_DAY = 86400, MADE_EXTENSIONS = 12, MADE_NAMES = 4 };
#define MADE_NF "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
#define MADE_HOME "5gc.mnc012.mcc345.3gppnetwork.org"
#define MADE_FQDN "amf1.amf." MADE_HOME
/* The SHA-256 of no octets: of profiles that are built in. */
#define MADE_BUILT_IN "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* Of no file of profiles that anybody has. */
#define MADE_NO_FILE "0000000000000000000000000000000000000000000000000000000000000001"

struct made {
    const char *profile;
    const char *profile_file; /* NULL: of the authority's own people */
    const char *nf;
    int version;
    const char *serial; /* hex */
    EVP_PKEY *key;      /* NULL: a new one of this kind */
    const char *kind;   /* "P-256", "RSA" */
    const EVP_MD *md;
    EVP_PKEY *signer; /* NULL: the authority's */
    const char *issuer_text;
    struct {
        const char *attribute;
        int type;
        const char *text;
        bool joined; /* in the RDN before */
    } subject[MADE_NAMES];
    time_t from, until;
    bool generalized; /* notAfter */
    struct {
        const char *name;  /* as in openssl.cnf */
        const char *value; /* NULL: the extension is left out */
    } extensions[MADE_EXTENSIONS];
    const char *document;    /* NULL: nothing in the record */
    const char *leaf_serial; /* in INTENT and ISSUED; NULL: the certificate's */
    const char *tbs;         /* in the INTENT; NULL: as it is */
    time_t leaf_until;       /* in the INTENT; 0: as it is */
    /* Another TBSCertificate, which is signed then; NULL: as OpenSSL made it. */
    void (*edit)(struct buf *tbs);
};

/* An authority, and who judges what it issues. */
struct made_authority {
    EVP_PKEY *key, *other;
    X509 *certificate;
    struct lint_table *table;
    struct findings *findings;
    struct lint_judge *judge;
    void (*each)(void *arg, uint64_t index, const struct leaf *); /* who is told; NULL: the judge */
    void *arg;
    uint64_t leaves;
};
void made_begin(struct made_authority *);
void made_end(struct made_authority *);
/* Nothing was seen yet. `profiles`: text of an operator's file, or NULL; its hash goes to `hash`.
 */
void made_again(struct made_authority *, const char *profiles, char hash[2 * SHA256_SIZE + 1]);

/* A good one: of a network function, or of the authority's own people. */
struct made made_nf(const char *profile);
struct made made_person(const char *profile);
/* The value of an extension that is there, or a new one. */
void made_set(struct made *, const char *name, const char *value);

/* REGISTRATION, INTENT and ISSUED. */
void made_issue(struct made_authority *, const struct made *);
/* Any other leaf; takes it, gives its index. */
uint64_t made_tell(struct made_authority *, struct leaf *);
