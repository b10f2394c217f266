/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.h - may these bytes be signed under this policy? One checker per kind of object; each
 * decodes the whole and refuses what it does not understand.
 *
 * ERR_INPUT: not a well-formed object. ERR_DENIED: well formed, off policy. Pure, but for the last
 * checkpoint, which the caller keeps (journal/journal.h).
 */
#pragma once

#include "base/ossl.h"
#include "pkcs11/client/client.h"
#include "pkcs11/signer/journal/journal.h"
#include "pkcs11/signer/policy.h"

enum {
    OBJECT_CERTIFICATE_MAX = 16 * 1024,
    OBJECT_CRL_MAX = SIGNER_TBS_MAX,
    OBJECT_CHECKPOINT_MAX = 1024,
    OBJECT_CMP_MAX = 128 * 1024,
    OBJECT_QUEUE_HEAD_MAX = 512,
    OBJECT_RA_REPORT_MAX = 24 * 1024,
};

/* The switch over the kinds; an unknown kind is ERR_INPUT. `evidence` goes with a certificate
 * (logged.h) and a checkpoint (checkpoint.c), and with nothing else. `last` may be NULL;
 * `checkpoint` is filled for SIGNER_CHECKPOINT. */
int object_check(const struct policy *, uint8_t kind, struct span tbs, struct span evidence,
                 const struct tree_head *last, struct tree_head *checkpoint, struct err *e);

int object_check_certificate(const struct policy *, struct span tbs, struct err *e);
/* What its CRL-INTENT in the ledger must say of a CRL (db/LEDGER.md). */
struct crl_said {
    uint64_t number;
    size_t entries;
    char this_update[TIME_TEXT_SIZE], next_update[TIME_TEXT_SIZE];
    uint8_t revocations[SHA256_SIZE];
};
/* `said` may be NULL. */
int object_check_crl(const struct policy *, struct span tbs, struct crl_said *said, struct err *e);
int object_check_checkpoint(const struct policy *, struct span text, struct span evidence,
                            const struct tree_head *last, struct tree_head *out, struct err *e);
/* Of what was checked: what may not come again otherwise. ERR_DENIED for a number of a CRL above
 * 2^63-1, or a time before 1970. */
int object_serial(struct span tbs, uint8_t serial[AGAIN_SERIAL], struct err *e);
/* As its INTENT must say it. */
int object_validity(struct span tbs, char from[TIME_TEXT_SIZE], char to[TIME_TEXT_SIZE],
                    struct err *e);
int object_crl_head(const struct policy *, struct span tbs, struct crl_head *, struct err *e);
int object_check_cmp(const struct policy *, struct span part, struct err *e);
int object_check_ra_report(const struct policy *, struct span text, struct err *e);
int object_check_queue_head(const struct policy *, struct span text, struct err *e);
