/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - a real ledger in a folder of the test's own: keys, certificates and stories made
 * on the spot. Everything here fails the test when it cannot. */
#pragma once

#include "base/ossl.h"
#include "db/ledger/ledger.h"

struct audit_ledger {
    bool no_time; /* of the certificates: what their notAfter says is none */
    char *base;   /* the test's folder */
    char *dir;    /* base/ledger: the published files */
    EVP_PKEY *key;
    struct buf spki;
    struct store *store;
    struct ledger *ledger;
    time_t now;            /* of the next leaf; goes on by itself */
    const char *alt_names; /* of the certificates, as in openssl.cnf, with ^ for the octet ff;
                            * NULL: an AMF's */
};

/* For CLEANUP. */
void audit_ledger_end(struct audit_ledger *);
void audit_ledger_begin(struct audit_ledger *);
/* With messages, which this finds. */
void audit_ledger_begin_with(struct audit_ledger *, ledger_message *);

/* A leaf with the next time. */
struct leaf *audit_ledger_leaf(struct audit_ledger *, enum leaf_kind) OWNED(leaf_free);
/* Takes the leaf, gives its index. */
uint64_t audit_ledger_append(struct audit_ledger *, struct leaf *);
/* So many refusals of the request, in one commit. */
void audit_ledger_refuse(struct audit_ledger *, const char *rid, unsigned n);
/* Checkpoint over everything, signed and published. */
void audit_ledger_publish(struct audit_ledger *);

struct audit_enrolment {
    char serial[2 * 16 + 1];
    char rid[2 * 32 + 1];
    struct buf certificate; /* DER */
    uint64_t intent;
    uint64_t issued;
};
#define AUDIT_REGISTRATION "aabbccddeeff00112233445566778899"
#define AUDIT_NF "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
/* REGISTRATION by the registrar of that serial. */
void audit_ledger_register(struct audit_ledger *, const char *registrar);
/* A certificate that no leaf says anything of; number: another serial and rid each. */
X509 *audit_ledger_certify(struct audit_ledger *, unsigned number, bool nf,
                           struct audit_enrolment *) OWNED(X509_free);
/* INTENT and ISSUED (REQUEST before when `nf`); number: another serial and rid each. */
void audit_ledger_enrol(struct audit_ledger *, unsigned number, bool nf, struct audit_enrolment *);
/* A START from which on the record has version 2, an RA, and two heads that it signed and that have
 * a place in common. */
void audit_ledger_two_heads(struct audit_ledger *);
/* An RA with two reports, of which the second names another one before it than the first, in a
 * record of version 6. */
void audit_ledger_lost_report(struct audit_ledger *);
/* A leaf of this kind about the certificate: CONFIRMED, REJECTED or REVOKED. */
uint64_t audit_ledger_about(struct audit_ledger *, enum leaf_kind, const struct audit_enrolment *);
