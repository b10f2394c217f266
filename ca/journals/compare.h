/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.h - one step of comparing the journals of a key's signers with the record: an answer of a
 * signer against the leaves, in a store operation. One signer is asked after the other; when no
 * line is left of any, what is stored as signed is looked for. Who asks, and when, is journals.h.
 * Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"
#include "db/issuance/journal.h"
#include "pkcs11/client/attempted.h"

/* A line that belongs to nothing. */
struct unknown_line {
    bool found;
    bool of_log;     /* the log's signer has it, or else one of the issuing key's, */
    unsigned number; /* this one, from 0 */
    uint8_t key[ISSUANCE_JOURNAL_HASH];
    struct attempted line;
};

/* All zero but for what "in" says; compare_free() it. Steps follow each other until !more. */
struct compare {
    struct store_op op;
    struct ca *ca;
    bool only;             /* in: no other signer of the key; nothing is said of what is stored */
    struct signer *signer; /* out: who is to be asked */
    size_t at;             /* private: of the signers of the key */
    const char *name;      /* what logs call it */
    uint64_t attempts;     /* lines that it has at least */
    uint64_t stored;       /* in, of the log: leaves under a stored checkpoint, before `last` was */
    struct signed_last last; /* in, of the log: what it says that it was asked for last */
    bool may_begin;          /* in: a journal that was never compared is, from here on */
    bool begun;              /* private: up_to and is_first are known */
    bool is_first;           /* private: no journal of this key was ever compared */
    bool misses;             /* private: a signer was away */
    struct store_db *looks;  /* in: where nothing of it is kept; NULL: it is */
    struct unknown_line
        *unknown;      /* in: gets the line that belongs to nothing; NULL: it is logged */
    struct buf answer; /* in: of signer_attempted() from line `first`; empty: the first step */
    uint64_t first;    /* out: the line from which to ask */
    uint64_t up_to;    /* private: what is stored, when this began */
    bool more;         /* out */
    bool searches;     /* private: something stored is `missing`, and which line is of it? */
    int64_t missing;
    struct issuance_journal_wanted wanted;
    struct issuance_journal row; /* out */
};
void compare_begin(struct compare *, struct ca *, bool of_log);
/* Of this signer alone, which is one of the two keys'. */
void compare_begin_only(struct compare *, struct ca *, const struct signer *);
bool compare_is_of_log(const struct compare *);
/* The signer that was to be asked is away: turns to the next, if there is one (*more), whose step
 * is next. */
void compare_miss(struct compare *, bool *more);
void compare_free(struct compare *);
/* For op.run. ERR_STALE: the journal is older or another, or has a line that belongs to nothing, or
 * something is stored that has none. */
int compare_step(struct store_op *op, struct store_db *db, struct err *e);
