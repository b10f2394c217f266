/* SPDX-License-Identifier: Apache-2.0 */
/* issuance_rows.h - steps that several verbs of issuance.h share. Private to issuance*.c. */
#pragma once

#include "base/ossl.h"
#include "db/issuance.h"
#include "db/leaf.h"

/* ledger_append(); `index` may be NULL. */
int issuance_append(struct store_db *, struct leaf *, uint64_t *index, struct err *e);
/* Did we issue exactly this certificate, under this infrastructure profile, and not revoke it? */
int issuance_is_ours(struct store_db *, struct span der, const char *profile, bool *ours,
                     struct err *e);
/* The row and its leaf REVOKED. ERR_CONFLICT when it is there. */
int issuance_revoke_row(struct store_db *, struct span serial, time_t not_after, int reason,
                        const char *by, time_t now, uint64_t *index, struct err *e);
/* Leaf REJECTED. */
int issuance_append_rejected(struct store_db *, const struct issuance_request *, const char *reason,
                             time_t now, uint64_t *index, struct err *e);
/* Leaf REQUEST. */
int issuance_append_request(struct store_db *, const struct issuance_intent *, uint64_t *index,
                            struct err *e);
/* What the database alone can say against a new request, but for its key. */
int issuance_admissible(struct store_db *, const struct issuance_intent *,
                        enum issuance_outcome *outcome, struct err *e);
/* *outcome becomes NOT_APPROVED unless the request waits and has i->approvals approvals. */
int issuance_check_approved(struct store_db *, const struct issuance_intent *,
                            enum issuance_outcome *outcome, struct err *e);
/* notAfter of the request's TBS. */
int issuance_not_after(struct store_db *, struct span rid, time_t *out, struct err *e);
/* The one step from this state to that one; ERR_CONFLICT when it is in another. */
int issuance_advance(struct store_db *, struct span rid, enum issuance_state from,
                     enum issuance_state to, uint64_t leaf, struct err *e);

enum { ISSUANCE_CESSATION = 5 }; /* RFC 5280 5.3.1 cessationOfOperation */
