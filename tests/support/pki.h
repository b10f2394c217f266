/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki.h - a root and an issuing CA with software keys, made by the code under test, and what hangs
 * on them. Everything aborts the test when it cannot be made.
 */
#pragma once

#include "ca/x509/tbs/tbs.h"

enum { PKI_NOW = 1790000000 }; /* 2026-09-21T14:13:20Z: the day of these tests */

struct pki {
    EVP_PKEY *root_key;
    EVP_PKEY *issuing_key;
    X509 *root;    /* valid from a day before `now` for 20 years */
    X509 *issuing; /* for 5 years */
    time_t now;    /* PKI_NOW */
};

void pki_free(struct pki *);
/* "P-256", "P-384" or "RSA-3072" for both keys. */
struct pki *pki_new(const char *root_key, const char *issuing_key) OWNED(pki_free);
/* At another time than PKI_NOW, which is meant by that below then. */
struct pki *pki_new_at(const char *root_key, const char *issuing_key, time_t now) OWNED(pki_free);
DEFINE_CLEANUP(pki_cleanup, struct pki, pki_free)

/* A new key: "P-256", "P-384", "P-521", "RSA-1024", "RSA-2048", "RSA-3072". */
EVP_PKEY *pki_key(const char *kind);
/* One of vectors/weak-keys. */
EVP_PKEY *pki_weak_key(const char *name);
/* The SubjectPublicKeyInfo of a key; buf_free() it. */
struct buf pki_spki(EVP_PKEY *);
/* The identity of an AMF with one FQDN. */
struct nf_identity pki_nf(void);
/* The same with these types; NULL: only the one. */
struct nf_identity pki_nf_of(const char *type, const char *other);
/* A request for an nf-tls certificate of this identity and key, 30 days from PKI_NOW. */
struct tbs_request pki_request(const struct pki *, const struct nf_identity *, struct span spki);
/* A software signature with the algorithm that the key has in pubkey.h. */
struct buf pki_sign(EVP_PKEY *, struct span tbs);
/* Built, linted, signed, assembled, parsed. */
X509 *pki_issue(const struct tbs_request *, EVP_PKEY *issuer_key);
/* An end entity of an infrastructure profile ("ra-cmp", "registrar"), 30 days from PKI_NOW. */
X509 *pki_issue_officer(const struct pki *, const char *profile, EVP_PKEY *key);
/* CMS SignedData in DER with attached content; buf_free() it. */
struct buf pki_cms(struct span content, X509 *signer, EVP_PKEY *key);
