/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.h - the kinds of messages that the RA takes, each in a file of its own: what is done with
 * one that was judged, and what of it is kept. Private to ra/.
 */
#pragma once

#include "ra/transaction/stages.h"

struct store_db;

struct message_kind {
    /* On a worker: its form is right, and so is who sent it; of a first message also what it asks
     * for, and its registration has paid. Where does it go? */
    enum message_stage (*judged)(struct job *);
    /* A part of an operation of the store: its trace in ra.db, whole or not at all. ERR_CONFLICT:
     * another message has its place; ERR_DENIED: the registration has no more. *next is where it
     * goes. NULL: a kind never gets there. */
    int (*admit)(struct job *, struct store_db *, enum message_stage *next, struct err *e);
    /* Behind that, in the same operation, when it said ERR_CONFLICT; `why` is what it said. -1: the
     * store's own trouble. */
    int (*conflict)(struct job *, struct store_db *, const struct err *why,
                    enum message_stage *next, struct err *e);
};

extern const struct message_kind message_enrolment;    /* ir, cr, p10cr, kur */
extern const struct message_kind message_revocation;   /* rr */
extern const struct message_kind message_confirmation; /* certConf */
extern const struct message_kind message_question;     /* genm */
extern const struct message_kind message_poll;         /* pollReq */
extern const struct message_kind message_end;          /* error */
