/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witnesses.h - what witnesses give back is published beside the log: DIR/witness/KEYID, a note
 * over the checkpoint that each cosigned last, with the log's line and that of the witness.
 */
#pragma once

#include "base/tlog/cosigner.h"
#include "db/ledger/ledger.h"

struct ledger_witnessed {
    uint64_t size; /* leaves that the checkpoint covers */
    size_t kept;   /* of these witnesses the note is published now */
    size_t older;  /* what is there is as new, or newer */
};
/* In an operation's run, and so one after the other: what a note has of these witnesses. ERR_STALE
 * when the log's key signed it and ca.db has another record; ERR_CRYPTO or ERR_INPUT when it is no
 * checkpoint of this log, or a witness's line is wrong; ERR_DENIED when it has none of theirs:
 * nothing is published then. ERR_IO. */
int ledger_witness(const struct ledger *, struct store_db *, struct span octets,
                   const struct cosigner *witnesses, size_t n, struct ledger_witnessed *,
                   struct err *e);
