/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - the pinned policy file of one signer: which key, and what it may sign
 * (nfpki-signer.conf.5).
 */
#pragma once

#include <openssl/x509.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"
#include "base/tlog/checkpoint.h"
#include "pkcs11/algorithm.h"

enum policy_purpose {
    POLICY_SELF_TEST, /* proves the key after its generation; signs no object */
    POLICY_CERTIFICATE_AUTHORITY,
    POLICY_LOG,
    POLICY_CMP,
};

enum { POLICY_KEY_ID_SIZE = 16, POLICY_ORIGIN_MAX = 255 };

/* The checkpoint that was verified last: many certificates come with the same. */
struct policy_memo {
    size_t n;
    uint8_t note[CHECKPOINT_MAX];
    struct checkpoint checkpoint;
};

struct policy {
    uint8_t hash[32];             /* SHA-256 of the file */
    char *module, *module_config; /* module_config may be NULL */
    char *token, *serial;
    uint8_t key_id[POLICY_KEY_ID_SIZE];
    struct buf spki;
    EVP_PKEY *public_key;
    enum key_algorithm algorithm;
    char *attributes;
    char *credential;
    char *journal; /* NULL only for POLICY_SELF_TEST */
    enum policy_purpose purpose;

    /* of a service (nfpki-signer --listen) */
    bool has_client;
    uid_t client;    /* who may come */
    int deadline_ms; /* for a start and for each call of the token */

    /* POLICY_CERTIFICATE_AUTHORITY */
    X509 *issuer;
    struct buf issuer_name; /* DER of its subject */
    struct buf issuer_ski;
    time_t issuer_not_before, issuer_not_after;
    bool certificates, crls;
    time_t max_validity, max_crl_validity; /* seconds */
    unsigned key_usage;                    /* bit n: named bit n of KeyUsage may be set */
    bool wildcard;                         /* a dNSName may have one */
    bool no_rev_avail;                     /* the extension of RFC 9608 may be there */
    struct log_key log;                    /* of the ledger that has what is signed */
    struct policy_memo *memo;              /* NULL: each is verified */

    /* POLICY_LOG */
    char *origin;
    bool anchors; /* what was signed last is kept in the token, too */

    /* POLICY_CMP */
    struct buf sender_name; /* DER of the subject of the RA's certificate */
    uint32_t bodies;        /* bit n: body [n] of PKIBody may be signed */
    bool queue_heads;       /* heads of the RA's queue may be signed */

    /* POLICY_CMP and POLICY_LOG */
    bool seals; /* section seal: a secret key derives what the RA or the CA seals with */
    uint8_t seal_id[POLICY_KEY_ID_SIZE];
};

void policy_free(struct policy *);
/* ERR_INPUT with file, line and option. The certificate named must have the pinned public key. */
struct policy *policy_load(const char *path, struct err *e) OWNED(policy_free);
DEFINE_CLEANUP(policy_cleanup, struct policy, policy_free)
