/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval.h - requests that wait for officers, and what officers decided. Verbs of ca.db
 * as those of issuance.h: rows and leaves of one step together.
 *
 *   (nothing) --pend--> open --approve--> open --intend (issuance.h)--> INTENT, closed
 *                         |                \---- reject --> REFUSED, closed
 *                         \-- refuse (too late, registration gone) --> REFUSED, closed
 *
 * A pending request has one row for ever; it is open until its rid has a row in `request`. It holds
 * one of its registration's certificates while it is open. Not judged here: signatures, and what
 * the profile demands.
 */
#pragma once

#include "db/issuance/issuance.h"

struct issuance_pending {
    uint8_t rid[ISSUANCE_RID_SIZE];
    char registration[ISSUANCE_ID_SIZE];
    char nf_instance[ISSUANCE_INSTANCE_SIZE];
    char profile[ISSUANCE_PROFILE_SIZE];
    enum issuance_assurance assurance;
    struct buf requester; /* SHA-256 of the certificate that protected it; empty with a MAC */
    uint8_t spki_sha256[ISSUANCE_RID_SIZE];
    uint64_t queue_sequence;
    uint8_t queue_previous[ISSUANCE_RID_SIZE];
    int approvals; /* demanded when it came */
    int approved;  /* by officers whose certificates are not revoked now */
    time_t created;
    time_t expires;
    uint64_t leaf; /* of the request */
    bool open;
    bool registered;            /* its registration is live still */
    struct buf evidence;        /* issuance_pending_find() only */
    struct buf registered_json; /* what the registrar signed */
};
void issuance_pending_free(struct issuance_pending *);

/* The intent that it may become, up to `spki_sha256`; with the leaf REQUEST. DONE, KNOWN,
 * SIGNER_UNKNOWN, NOT_REGISTERED, USED_UP, TRANSACTION_IN_USE. *leaf also when KNOWN as pending. */
int issuance_pend(struct store_db *, const struct issuance_intent *, time_t expires, uint64_t *leaf,
                  enum issuance_outcome *outcome, struct err *e);

int issuance_pending_find(struct store_db *, struct span rid, struct issuance_pending *out,
                          bool *found, struct err *e);
/* The open ones, oldest first, without `evidence`. Borrowed during the call. */
int issuance_pending_each(struct store_db *, int limit,
                          void (*visit)(void *arg, const struct issuance_pending *), void *arg,
                          struct err *e);
/* The rids of open ones that something is to be done about: approved by enough, too late, or their
 * registration is gone. */
int issuance_pending_due(struct store_db *, time_t now, int limit,
                         void (*visit)(void *arg, struct span rid), void *arg, struct err *e);
int issuance_pending_count(struct store_db *, int64_t *open, struct err *e);

/* What an officer signed about a pending request. */
struct issuance_decision {
    struct span rid;
    bool approves;
    struct span officer;     /* serial of the officer's certificate */
    struct span officer_der; /* must be a certificate that we issued under the profile officer */
    const char *subject;     /* two decisions under one subject or key are one person's */
    struct span key_sha256;
    struct span cms;
    const char *reason; /* "" or why */
    const char *by;     /* who handed it in */
    int fail_info;      /* of the refusal that a rejection is */
    const char *phrase;
    time_t now;
};
/* With the leaf APPROVAL; a rejection closes the request with a leaf REFUSAL. DONE, KNOWN (this
 * person decided so before: counts once), SIGNER_UNKNOWN, CLOSED (nothing waits any more),
 * NOT_APPROVED (it is too late). *after is the request as it is then (not with SIGNER_UNKNOWN).
 * ERR_NOTFOUND: no such request. */
int issuance_decide(struct store_db *, const struct issuance_decision *, uint64_t *leaf,
                    struct issuance_pending *after, enum issuance_outcome *outcome, struct err *e);

struct issuance_approval {
    bool approves;
    bool valid; /* `officer` is one by the record (role.h), and not revoked */
    char *subject;
    struct span officer;
    struct span cms;
    time_t created;
};
/* Of one request, oldest first; borrowed during the call. */
int issuance_approval_each(struct store_db *, struct span rid,
                           int (*visit)(void *arg, const struct issuance_approval *, struct err *e),
                           void *arg, struct err *e);

/* Closes an open request with the leaf REFUSAL in *leaf, whoever its RA is by now. DONE, KNOWN when
 * it is closed already, with *leaf of its newest state. */
int issuance_pending_refuse(struct store_db *, struct span rid, int fail_info, const char *phrase,
                            const char *reason, time_t now, uint64_t *leaf,
                            enum issuance_outcome *outcome, struct err *e);
