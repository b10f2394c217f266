/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.h - when was a first message made, and could it be for this registration?
 *
 * An RA that lies may keep a request back until another registration is there that it fits as well.
 * The requester's own messageTime is in what it protects, so no RA moves it; without one the time
 * at which the RA says that it came is all there is, and the record says whose word it is. Pure, as
 * policy.h. Private to nfpki-ca.
 */
#pragma once

#include <time.h>

#include "ca/cmp/queue.h"

enum { MADE_CLOCKS_APART_S = 5 * 60 }; /* of RA and CA, at most */

/* Everything is borrowed during the call. */
struct made_question {
    const struct cmp_queued *queued;
    time_t
        begins;   /* of the registration's life: when it was taken in, or begins if that is later */
    time_t ends;  /* 0: none, of what takes the place of a certificate */
    int window_s; /* messageTime is at most so far from when the RA says that it came */
    int behind_s; /* clocks of those who ask may be behind so far */
    bool required; /* without messageTime nothing is taken */
};

struct made {
    time_t at;
    bool by_requester; /* messageTime; else the RA's entry says so */
};

/* 0, or -1: badTime, or notAuthorized after the end. */
int made_judge(const struct made_question *, struct made *out, enum cmp_failure *failure,
               struct err *e);
