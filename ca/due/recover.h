/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.h - intents that a stop left behind, at a start: each goes through the stages again, and
 * is signed as it is stored or given up. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

struct recovery {
    int resumed;
    int abandoned;
};

/* Calls `done` once, on the loop, when none is left; not at all when it is stopped before. A token
 * that does not sign ends the program: the next start tries again. */
void recover_begin(struct ca *, void (*done)(struct ca *, struct recovery));
