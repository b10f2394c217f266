/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal.h - the ways in which a request comes to nothing: which stage is next, what is recorded,
 * what the peer is told. All of it is set in the request; none of it is sent here.
 * Private to nfpki-ca.
 */
#pragma once

#include "ca/request/kind/request.h"

/* REFUSED, by r->failure and r->e: to RECORD when somebody stands for it, else to ANSWER. A failure
 * that is ours, or none, decides nothing: DEFERRED. */
enum request_stage request_refuse(struct request *);
/* The same by a phrase, with its own text as the reason. */
enum request_stage request_refuse_phrase(struct request *, enum phrase);
/* BUSY: nothing is decided, the same octets may come again. */
enum request_stage request_busy(struct request *);
/* DEFERRED, by r->failure and r->e: it is the RA's fault or ours. */
enum request_stage request_defer(struct request *);
/* An intent that comes to nothing, whose serial goes onto the CRL; `reason` is for the record,
 * NULL: r->e as it is. */
enum request_stage request_give_up(struct request *, const char *reason);
/* The same because its registration was cancelled. */
enum request_stage request_give_up_cancelled(struct request *);

/* What the database said no to. `i` is the intent that it was, NULL when it was none. */
int request_refuse_outcome(struct request *, struct store_db *, const struct issuance_intent *i,
                           enum issuance_outcome, enum request_stage *next, struct err *e);
/* In STAGE_RECORD: the refusal of a first message; r->leaf. */
int request_record_first(struct request *, struct store_db *, struct err *e);
/* The same, as its kind records it. */
int request_record_refusal(struct request *, struct store_db *, struct err *e);
/* In STAGE_RECORD: the database said no to what was to be recorded, so the refusal is. */
int request_record_no(struct request *, struct store_db *, const struct issuance_intent *i,
                      enum issuance_outcome, struct err *e);
