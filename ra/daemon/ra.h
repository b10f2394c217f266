/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ra.h - what every part of nfpki-ra works with: built by start.c, constant afterwards but for the
 * counters, which belong to the loop's thread.
 */
#pragma once

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/ossl.h"
#include "base/pool.h"
#include "ca/cmp/protection/check.h"
#include "ca/trust/trust.h"
#include "ca/x509/profile/nf.h"
#include "ra/daemon/own_certificate.h"
#include "ra/daemon/root_update.h"
#include "ra/daemon/settings.h"

struct batch_manifests;
struct budget;
struct event_base;
struct heads;
struct lane;
struct mac_cache;
struct page_scrub;
struct closing;
struct pipeline;
struct queue;
struct report;
struct roles;
struct signer_pool;
struct store;

/* Certificates: ours and those that we trust. */
struct credentials {
    X509 *certificate; /* the RA's own */
    X509 *issuing;
    X509 *root;
    struct trust *trust; /* of requesters' certificates */
    struct buf certificate_der;
    struct buf issuing_der;
    struct buf root_der;
    struct buf tls_root;           /* PEM, for onboarding bundles; may be empty */
    struct span ski;               /* of the RA's certificate */
    struct span algorithm;         /* DER AlgorithmIdentifier of what its key signs; the signer's */
    uint8_t key_hash[SHA256_SIZE]; /* of that key, and of the issuing certificate: */
    uint8_t issuing_hash[SHA256_SIZE]; /* base/tlog/queue_head.h */
    struct root_update root_update;
    struct buf log_key; /* of the CA's log, a text; empty: what the CA shows first */
};

struct ra {
    const struct settings *settings;
    struct credentials credentials;
    struct cmp_rules rules;
    struct cmp_rules old_rules; /* the same where cmp_strictness is "rfc4210" */
    struct nf_rules
        registration_rules;       /* of a registration that comes in; the CA has the last word */
    struct nf_rules stored_rules; /* of one that was accepted before */
    struct buf seal_key;
    bool may_seal; /* --seal: an ra.db without seals is from before */
    struct mac_cache *mac_cache;
    struct lane *lane;                 /* of MAC keys that cost much */
    struct batch_manifests *manifests; /* of batches, that verified */
    struct event_base *base;
    struct tasks *tasks;
    struct pool *pool;
    struct store *store;
    struct signer_pool *signers;
    struct pipeline *messages; /* transaction/stages.h */
    struct heads *heads;       /* of the queue, and their signatures */
    struct queue *queue;
    struct closing *closing;
    struct page_scrub *page_scrub;
    struct report *report;          /* what this RA says of itself; NULL: nothing */
    struct roles *roles;            /* of administrators */
    struct budget *by_registration; /* of what a registration may begin */
    struct budget *of_refusals;     /* that are signed */
    size_t jobs;                    /* requests under way */
    struct crowd *beginning;        /* of these, those that begin a transaction */
    size_t refusals;                /* of these, those that get 503 */
    size_t ledger_jobs;             /* files of the ledger that are read */
    size_t ledger_octets;           /* of them, that are on their way to who asked */
    struct ledger_job *ledger_held; /* all of these (front/ledger.c) */
    size_t heads_asked;             /* that the signer has */
    bool unsigned_said;             /* that the queue waits for signatures */
    struct err not_ours;            /* what was said last of what is not signed */
    bool not_ours_told;             /* that, or something was, in this run of the pump */
    struct own_certificate own;
    int behind_s; /* messages may be behind so far; for new jobs */
    bool failed;  /* the store is gone: the loop ends, */
    int status;   /* and the program with this */
};

/* It says that the database cannot be used, or that somebody else wrote in it. */
bool ra_store_is_lost(const struct err *why);
/* The store failed for good: log, and end the loop. The next start finds what was durable. */
void ra_fail(struct ra *, const struct err *why);
