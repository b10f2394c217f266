/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.h - an authenticated message leaves its trace in ra.db: its transactionID always, so that
 * it cannot be replayed; what goes to the CA in the queue, too. Private to ra/.
 *
 * On the store's thread. transactionIdInUse when a first message was seen before; then its budget
 * is given back.
 */
#pragma once

#include "ra/transaction/stages.h"

struct store_db;

/* STAGE_ADMIT of one message: of its kind, or, of a first one that came to nothing, that it was
 * there. Raises its stage. -1: the store's own trouble. */
int admit_message(struct job *, struct store_db *, struct err *e);

/* Behind all of a batch, in the same operation: one head over those that are in the queue now. */
int admit_close(const struct batch *, struct store_db *, struct err *e);

/* ---- for kinds ---- */

/* What a first message is about. */
struct requests_admission admission_of(const struct job *);
/* In the queue, where its head is to be signed; WAITING, unless the CA answers before sync_wait is
 * over. */
int admit_for_ca(struct job *, const struct requests_admission *, struct store_db *,
                 enum message_stage *next, struct err *e);
/* Its transactionID, and nothing else of it. ERR_CONFLICT. */
int admit_remembered(struct job *, struct store_db *, struct err *e);
/* It began an enrolment: job->enrolment.id. It hears that it has to wait. */
void admit_began(struct job *);
/* A transactionID that is in use: by the same request, when nobody has got an answer to it because
 * we could not sign one. Its sender goes on; once an answer has left, it is somebody's copy. */
int admit_again(struct job *, struct store_db *, const struct err *why, enum message_stage *next,
                struct err *e);
enum message_stage admit_copy(struct job *, const struct err *why);
