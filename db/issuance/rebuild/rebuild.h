/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebuild.h - the rows that ca.db lost, made again from their leaves, as far as these have them.
 *
 * Each leaf is in the database (ledger_append) when its row is made, in the order of the record.
 * What no leaf has comes back empty, and nothing is issued from it:
 *
 *   request.evidence    of no octets: such a row is one that was made again. So is `evidence` of
 *                       confirmation, revocation_request, pending and again
 *   request.requester, transaction_id: NULL. A transaction of the lost window is known by the rid
 *                       of its request alone
 *   confirmation.rid    the certConf's own is not in the record: it is that of the request
 *   crl.der             of no octets, but for the CRL that is given
 *   public_key          of what was certified; of what was given up the key is not in the record
 *
 * Intents of which nothing came are rows in the state INTENT afterwards (rebuild_end), for the
 * caller to give up: their TBSCertificate is not there. Requests that wait for officers are open
 * rows, for the caller to refuse. rebuild_lost_*() name both.
 */
#pragma once

#include "db/issuance/issuance.h"
#include "db/ledger/leaf.h"

struct rebuild_source {
    /* The signed octets of a registration that was taken in at `at`: what a row has as json. */
    int (*content)(void *arg, struct span cms, time_t at, struct buf *json, struct err *e);
    void *arg;
    struct span crl;    /* the newest published CRL; empty: none */
    const char *phrase; /* what peers are told of what came to nothing, when they ask again */
};

struct rebuild;
void rebuild_free(struct rebuild *);
/* The source is borrowed until rebuild_free(). */
struct rebuild *rebuild_new(const struct rebuild_source *) OWNED(rebuild_free);
DEFINE_CLEANUP(rebuild_cleanup, struct rebuild, rebuild_free)

/* The rows of leaf `index`. ERR_STORE when they do not fit to those that are there. */
int rebuild_leaf(struct rebuild *, struct store_db *, const struct leaf *, uint64_t index,
                 struct err *e);
/* Behind the last leaf. */
int rebuild_end(struct rebuild *, struct store_db *, struct err *e);

/* What came back. */
struct rebuild_counts {
    int64_t registrations;
    int64_t certificates;
    int64_t revocations;
    int64_t crls;
};
struct rebuild_counts rebuild_counts(const struct rebuild *);

/* How many rows are in the state INTENT, or wait, that were made again; the next of each, *found
 * false when there is none (any more). */
int rebuild_lost_intents(struct store_db *, int64_t *n, struct err *e);
int rebuild_lost_intent(struct store_db *, uint8_t rid[ISSUANCE_RID_SIZE], bool *found,
                        struct err *e);
int rebuild_lost_pendings(struct store_db *, int64_t *n, struct err *e);
int rebuild_lost_pending(struct store_db *, uint8_t rid[ISSUANCE_RID_SIZE], bool *found,
                         struct err *e);
