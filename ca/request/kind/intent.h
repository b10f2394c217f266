/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intent.h - what certificates of network functions and of officers have in common: the intent that
 * is durable before the signature, what is found of it later, and what becomes of it.
 *
 * What is signed is always the TBS that is in the database, so a crash anywhere leads to the same
 * certificate with, at most, another signature that nobody saw. Private to nfpki-ca.
 */
#pragma once

#include "ca/request/kind/request.h"

/* The part of an intent that the grant makes, with no TBS when there is none yet; the rest is zero.
 * Borrows from the request. */
struct issuance_intent intent_of_grant(const struct request *);

/* T1, in STAGE_INTEND. What the database does not allow is refused; NOT_APPROVED is WAITING, to
 * RECORD. */
int intent_store(struct request *, struct store_db *, const struct issuance_intent *,
                 enum request_stage *next, struct err *e);
/* r->row, or the one whose answer is this one's too, is in another state than INTENT: its answer.
 */
enum request_stage intent_answer_again(struct request *);
/* The same of the row that is found now. */
int intent_find_answer(struct request *, struct store_db *, enum request_stage *next,
                       struct err *e);
/* Of what a stop, or a token that was away, left as an intent: may it go on? *next is JUDGE when it
 * may. In STAGE_LOOK. */
int intent_look(struct request *, struct store_db *, enum request_stage *next, struct err *e);
/* What the signer made of it: on to SEAL, or given up when its policy says no, or BUSY. */
enum request_stage intent_signed(struct request *);
/* In STAGE_SEAL: the signature is about the stored TBS, and that is linted. */
enum request_stage intent_seal(struct request *);
/* T2, in STAGE_RECORD: issued, or given up when its registration was cancelled meanwhile. */
int intent_issue(struct request *, struct store_db *, struct err *e);
/* In STAGE_RECORD, of what is REFUSED: the intent is given up. */
int intent_abandon(struct request *, struct store_db *, struct err *e);
