/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - the journals of our signers against the record, line by line: how far they are
 * compared, which lines belong to something, and whether everything that is stored as signed has
 * its line. As issuance.h: inside a store operation.
 *
 * A line belongs when it is the attempt to sign what the record announces: a certificate with its
 * INTENT, a CRL with its CRL-INTENT. Checkpoints are for the caller, who has the log's origin.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "db/store/store.h"

enum { ISSUANCE_JOURNAL_HASH = 32, ISSUANCE_JOURNAL_SERIAL = 16 };

/* What a key signs. */
enum issuance_journal_kind { ISSUANCE_JOURNAL_OBJECTS = 0, ISSUANCE_JOURNAL_CHECKPOINTS = 1 };

/* The row of one journal. */
struct issuance_journal {
    uint8_t key[ISSUANCE_JOURNAL_HASH]; /* SHA-256 of its SubjectPublicKeyInfo */
    unsigned number;                    /* of several signers of this key, from 0 */
    enum issuance_journal_kind kind;
    uint64_t exempt;                      /* lines of before, which are not compared */
    uint64_t compared;                    /* the last line that is, or is exempt */
    uint8_t chain[ISSUANCE_JOURNAL_HASH]; /* over all lines up to it */
    uint64_t again;                       /* lines for what had one already, as after a crash */
    uint64_t stored;  /* of the key: signatures that are stored and have their line */
    uint64_t checked; /* of the key: leaves of the record, or that a checkpoint covers, up to which
                         that was looked at */
};

/* By `key`, `number` and `kind`. */
int issuance_journal_find(struct store_db *, struct issuance_journal *, bool *found, struct err *e);
/* A new row: what is exempt, and the chain over it, is filled in. */
int issuance_journal_begin(struct store_db *, struct issuance_journal *, struct err *e);
/* How many journals of this key are known, and how many lines of them are compared. */
int issuance_journal_known(struct store_db *, const uint8_t key[ISSUANCE_JOURNAL_HASH], size_t *n,
                           uint64_t *lines, struct err *e);
int issuance_journal_save(struct store_db *, const struct issuance_journal *, struct err *e);

/* Leaves are missing for good, and a new log goes on: what the journals have up to now is from
 * before. */
int issuance_journal_forget(struct store_db *, struct err *e);

/* Does the line of a certificate or a CRL belong? Then it counts for what it is about. */
int issuance_journal_certificate(struct store_db *, struct issuance_journal *,
                                 const uint8_t hash[ISSUANCE_JOURNAL_HASH],
                                 const uint8_t serial[ISSUANCE_JOURNAL_SERIAL], bool *belongs,
                                 struct err *e);
int issuance_journal_crl(struct store_db *, struct issuance_journal *,
                         const uint8_t hash[ISSUANCE_JOURNAL_HASH], uint64_t number, bool *belongs,
                         struct err *e);
/* One that belongs, over so many leaves, counts. */
int issuance_journal_checkpoint(struct store_db *, struct issuance_journal *, uint64_t size,
                                struct err *e);

/* A line that belongs to nothing, and two officers. */
struct issuance_officer {
    struct span serial; /* of the certificate */
    struct span cms;
};
struct issuance_acknowledgement {
    const uint8_t *key; /* as of struct issuance_journal */
    uint64_t line;
    char object; /* its letter */
    const uint8_t *hash;
    struct span serial; /* that a certificate's line names; empty: none */
    uint64_t number;    /* that a CRL's line names; 0: none */
    const char *reason;
    struct span plan; /* SHA-256 of the text that was signed */
    struct issuance_officer officers[2];
    time_t went_back_from; /* clockSetBack of the leaf; 0: it has none */
};
/* With the leaf ACKNOWLEDGED the line belongs. The number of a CRL is taken: the signer signs none
 * with a smaller one. */
int issuance_acknowledge(struct store_db *, const struct issuance_acknowledgement *, time_t now,
                         struct err *e);
/* The ACKNOWLEDGED of this line, and its index; *out NULL: there is none, or leaf_free() it. Until
 * a checkpoint covers it, whoever can write the database may have made it: the two signatures in it
 * are the caller's to verify. */
struct leaf;
int issuance_journal_acknowledged(struct store_db *, const struct issuance_journal *, uint64_t line,
                                  char object, const uint8_t hash[ISSUANCE_JOURNAL_HASH],
                                  struct leaf **out, uint64_t *index, struct err *e);

/* Goes on with what is stored, up to `to` (as `checked`) and within a bounded time; *more: there is
 * more. All lines of all journals of the key up to now must have been compared, for *missing is
 * then what is stored without one: the index of its leaf, or the size of a checkpoint; -1: nothing.
 */
int issuance_journal_stored(struct store_db *, struct issuance_journal *, uint64_t to, bool *more,
                            int64_t *missing, struct err *e);
/* Of what is `missing`: which line would it have? */
struct issuance_journal_wanted {
    bool is_crl;
    uint8_t serial[ISSUANCE_JOURNAL_SERIAL]; /* of a certificate */
    uint64_t number;                         /* of a CRL; of a checkpoint its leaves */
};
int issuance_journal_wanted(struct store_db *, const struct issuance_journal *, int64_t missing,
                            struct issuance_journal_wanted *, struct err *e);

/*
 * The rows of this file against each other and the record, without a signer: each line that is
 * counted is of an announcement, or of a checkpoint over leaves that are there; there are as many
 * as were compared; and what is stored as signed up to there has one, where nothing is exempt.
 * `differs` gets each difference. -1: it could not be compared to its end.
 */
int issuance_journal_verify(struct store_db *, void (*differs)(void *arg, const char *what),
                            void *arg, struct err *e);
