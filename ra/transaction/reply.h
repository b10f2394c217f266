/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - what was decided about a message becomes its one answer. Private to ra/.
 *
 * The answer is what HTTP carries: a message of ours, or, when none can be made, a status alone.
 * When nobody could verify what the RA signs (daemon/own_certificate.h), or nobody signs, there is
 * none.
 */
#pragma once

#include "ra/transaction/stages.h"

struct store_db;

/* ---- what is answered, wherever that is found out; where the message goes then ---- */

/* The failure in job->failure, for the reason in job->e. */
enum message_stage reply_failure(struct job *);
/* The same with these. */
enum message_stage reply_refuse(struct job *, enum cmp_failure, const struct err *why);
/* What the enrolment is by then decides. */
enum message_stage reply_by_state(struct job *);

/* ---- on the loop's thread ---- */

/* An answer that the RA signs can be verified now; one with a MAC always can. */
bool reply_is_verifiable(struct job *);
/* None: HTTP 503 alone, and nothing that keeps the same octets from coming again. `why` NULL: for
 * our certificate, which is logged where it is looked at; or the client comes too often. */
enum message_stage reply_none(struct job *, const struct err *why);
/* We do not have the answer: an error says so, once. The client may ask again. */
enum message_stage reply_excuse(struct job *, const struct err *why);

/* STAGE_BUILD and STAGE_EXCUSE: before it (the same stage, or beyond: there is nothing to build);
 * the worker's part; and behind it. */
enum message_stage reply_begin(struct job *);
void reply_build(struct job *);
enum message_stage reply_built(struct job *);
/* STAGE_PROTECT: with what the signer says. */
enum message_stage reply_signed(struct job *);
/* STAGE_SENT, on the store's thread. */
int reply_sent(struct job *, struct store_db *, struct err *e);
/* STAGE_FORGET, too. */
int reply_forget(struct job *, struct store_db *, struct err *e);
/* STAGE_REPLY: answers the exchange. */
void reply_send(const struct job *);
