/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h - what the parts of nfpki-ca share. All of it belongs to the loop; workers get `policy`,
 * which is constant, and their own job. Private to nfpki-ca.
 *
 * Every job ends in exactly one answer. Whatever it wrote is durable, and covered by a signed,
 * stored checkpoint (publish/checkpoint.h), before the answer leaves. A failure of the database
 * ends the program: what is durable then is found by due/recover.h at the next start.
 */
#pragma once

#include "base/log.h"
#include "base/pool.h"
#include "ca/cmp/message/phrase.h"
#include "ca/daemon/conf.h"
#include "ca/link/admin.h"
#include "ca/link/server.h"
#include "ca/policy/policy.h"
#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"
#include "pkcs11/client/pool.h"

struct event;
struct event_base;
struct committed;
struct release;
struct crl_maker;
struct registered;
struct requests;
struct watchers;
struct waiting;
struct unconfirmed;
struct clock_watch;
struct scrub;
struct greeter;
struct journals;
struct ceremony;

/* A set of RA certificates; workers hold it while it is replaced. Counted on the loop only. */
struct ras {
    unsigned users;
    size_t n;
    struct policy_ra list[];
};

enum { FLIGHT_BUCKETS = 1024, FLIGHTS_MAX = 4096 };

/* A rid on its way: two jobs for one rid never exist. */
struct flight {
    struct flight *next;
    uint8_t rid[ISSUANCE_RID_SIZE];
    link_peer peer; /* who gets the answer; 0: nobody */
};

/* What was told of the admin socket (publish/operation.h). */
struct operations {
    time_t hour;     /* since 1970; */
    unsigned told;   /* in it, */
    unsigned untold; /* and before the next that is told */
};

/* Reports of RAs (office/report.h). */
struct reporter {
    uint8_t who[SHA256_SIZE]; /* of an RA's certificate; or a user of the link, and zeros; */
    unsigned told;
};
struct reports {
    time_t hour;         /* since 1970; */
    struct reporter *by; /* each that told or sent something in it */
    size_t n, capacity;
};

struct ca {
    struct ca_conf conf;
    struct policy policy;
    struct buf issuing_der;
    struct buf root_der;
    uint8_t profile_file[SHA256_SIZE]; /* profiles_hash() */
    struct event_base *base;
    struct event *finishing; /* watches `finished` */
    struct event *signals[2];
    struct event *drained; /* checks whether the last job has ended */
    struct tasks *finished;
    struct pool *pool;
    struct store *store;
    struct ledger *ledger;
    struct signer_pool *issuing; /* in the order of conf.issuing */
    struct signer *log;
    struct buf seal_key; /* in locked memory; empty: the log's signer has none, nothing is sealed */
    struct link_server *link;
    struct admin_server *admin;
    struct release *release;
    struct committed *committed;
    struct crl_maker *crl;
    struct registered *registered;
    struct requests *requests;
    struct watchers *watchers;
    struct waiting *waiting;
    struct unconfirmed *unconfirmed;
    struct clock_watch *clock_watch;
    struct scrub *scrub;
    struct greeter *greeter;
    struct journals *journals;
    /* Whether two officers signed this leaf ACKNOWLEDGED, which has this index: ERR_STALE when not
     * (acknowledge/believed.h). */
    int (*believes_acknowledged)(const struct ca *, struct store_db *, const struct leaf *,
                                 uint64_t index, struct err *e);
    struct ras *ras;
    struct flight *flights[FLIGHT_BUCKETS];
    size_t n_flights;
    struct operations operations;
    struct reports reports;
    struct ceremony *ceremonies;                       /* the first is being verified */
    size_t jobs;                                       /* that will call back */
    char deferred[sizeof(((struct err *)NULL)->text)]; /* the last one that was logged */
    time_t deferred_at;
    time_t went_back_from; /* of the last leaf that the start found, when people took that the clock
                              is behind it; 0: it is not */
    bool has_begun;        /* the leaf START is there */
    bool may_seal;         /* a person says that ca.db is to be sealed: an earlier version had */
    bool stopping;
};

/* Logs and ends the program at once: what the disk has is what counts. Its status tells whether
 * another start is of use: ERR_STALE says that it is not. */
_Noreturn void ca_die(const struct err *e, const char *what);

/* An operation whose failure has no other meaning than that the database does not work. */
void ca_check_store(const struct store_op *op, const char *what);

/* Of one of its signers. */
struct signer_options ca_signer_options(const struct ca *, const struct ca_signer *);

/* A timer of the loop, for event_add(). Never NULL: as mem_zalloc(), it aborts without memory. */
struct event *ca_timer(struct ca *, void (*run)(int fd, short what, void *arg), void *arg);

/* NULL when that rid is on its way already; then *busy is its flight. */
struct flight *ca_flight_begin(struct ca *, struct span rid, link_peer peer, struct flight **busy);
/* For CLEANUP-free use by the job that owns it. */
void ca_flight_end(struct ca *, struct flight *);

/* Loads ca->ras from the database (blocking; at start). */
int ca_ras_load(struct ca *, struct err *e);
struct ras *ca_ras_hold(struct ca *);
void ca_ras_drop(struct ras *);
/* After an RA's certificate was issued or revoked: in the background. */
void ca_ras_reload(struct ca *);

/* Answers, which nobody gets when the link is gone. */
void ca_answer(struct ca *, link_peer, const struct link_message *);
/* REFUSED; borrows. */
struct link_message ca_refusal(struct span id, int fail_info, const char *phrase);
void ca_answer_refused(struct ca *, link_peer, struct span id, int fail_info, const char *phrase);
void ca_answer_busy(struct ca *, link_peer, struct span id);

/* Of what ends now, for db/issuance: no CRL that is made from now on begins before its date. */
struct issuance_when ca_when(const struct ca *, time_t now);

/* Text that may stand in a leaf or a log line, whatever octets a peer put into it. */
void ca_printable(char *text);
