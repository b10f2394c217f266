/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval.h - a request whose profile demands officers' approvals: it waits from the record of it
 * (RECORD, WAITING) until enough officers have signed; then everything is judged again, and by
 * their signatures it goes on as any other. Private to nfpki-ca.
 */
#pragma once

#include "ca/policy/approved.h"
#include "ca/request/kind/request.h"

struct approval_facts {
    struct issuance_pending pending; /* r->waited: its row */
    struct approved approved;        /* what officers signed */
    int demanded;                    /* approvals */
};
void approval_facts_free(struct approval_facts *);

/* In STAGE_LOOK: does it wait? *next is JUDGE when it may go on. */
int approval_look(struct request *, struct approval_facts *, struct store_db *,
                  enum request_stage *next, struct err *e);
/* The same of an intent: what was signed before it was one. */
int approval_look_again(const struct request *, struct approval_facts *, struct store_db *,
                        struct err *e);
/* In STAGE_JUDGE, of what is granted, at `at`: is it approved? ERR_DENIED, with r->failure, when an
 * approval does not count. */
int approval_judge(struct request *, struct approval_facts *, time_t at, bool *approved,
                   struct err *e);
/* In STAGE_RECORD: it begins to wait, or goes on waiting. */
int approval_pend(struct request *, struct approval_facts *, struct store_db *,
                  const struct issuance_intent *, struct err *e);
/* In STAGE_RECORD: what waits is refused, whoever its RA is by now. */
int approval_refuse(struct request *, struct store_db *, struct err *e);
