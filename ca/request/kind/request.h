/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - one request on its way through nfpki-ca (design section 3).
 *
 *   open -> look -> judge -> intend -> log -> prove -> sign -> seal -> record -> log -> release
 *        -> answer
 *
 * stages.c has the table of stages, and which thread does each; this is what they work on. What a
 * certificate, its confirmation, a revocation and an officer's certificate have of their own is in
 * one file each, a `struct kind`: a row of functions, each of which says where its request goes
 * next. That is always later than where it is; nobody calls the next step.
 *
 * What is written is durable, and covered by a signed checkpoint that is stored, before the answer
 * leaves. What a stop leaves unfinished goes through the same stages again (due/recover.h).
 * Private to nfpki-ca.
 */
#pragma once

#include "base/pipeline.h"
#include "ca/daemon/daemon.h"
#include "ca/publish/checkpoint.h"
#include "ca/publish/crl.h"

enum request_stage {
    STAGE_OPEN,       /* worker: the RA's signature; which kind it is */
    STAGE_LOOK,       /* store: what ca.db has about it */
    STAGE_JUDGE,      /* worker, pure: everything again from the octets that came */
    STAGE_INTEND,     /* store: the intent, durable before a signature is asked for */
    STAGE_LOG_INTENT, /* the checkpoint over the intent */
    STAGE_PROVE,      /* store: what shows the signer that it is there, unless the commit of that
                         checkpoint did */
    STAGE_SIGN,       /* the token */
    STAGE_SEAL,       /* worker: the signature verified, lint */
    STAGE_RECORD,     /* store: what became of it; a refusal, too */
    STAGE_LOG,        /* the checkpoint over that */
    STAGE_RELEASE,    /* the CRL, where what was recorded changes it */
    STAGE_ANSWER,
    REQUEST_STAGES
};

/* What is answered. */
enum outcome {
    OUTCOME_NONE, /* nothing is decided yet; at the end: there is nothing to say */
    OUTCOME_ISSUED,
    OUTCOME_CONFIRMED,
    OUTCOME_REVOKED,
    OUTCOME_REFUSED,
    OUTCOME_WAITING,  /* for officers */
    OUTCOME_BUSY,     /* nothing is decided, ask again: the token is away, or it is being signed */
    OUTCOME_DEFERRED, /* the same, and why: the RA's fault or ours */
};

struct request {
    struct pipeline_job job;
    const struct kind *kind; /* STAGE_OPEN finds it out by the body */
    void *facts;             /* kind->size octets: what only this kind knows */

    const struct ca *ca;     /* for workers and the store: what is constant */
    struct flight *flight;   /* its rid, and which RA hears of it */
    struct admin_call *call; /* an officer's; else NULL */
    bool is_due;      /* nobody asks, but it waited before, or a stop left it behind (due/) */
    time_t opened_at; /* an intent that a stop left behind is judged as of then; 0: now */
    void (*ended)(struct request *); /* called at the end; may be NULL */
    void *owner;                     /* the caller's */

    struct buf asked; /* what the RA handed in (ca/cmp/queue.h), or PKCS #10 */
    uint64_t queue_sequence;
    uint8_t queue_previous[SHA256_SIZE];
    struct cmp_queued *queued;
    struct ras *ras;
    time_t now;

    struct issuance_request row; /* of this rid; once it is intended: what is signed, */
    struct buf inclusion;        /* and what shows that the ledger has its intent */
    bool is_known;
    struct issuance_registration registration; /* `id` alone, of a kind that rests on no more */
    bool is_registered;
    struct policy_grant grant; /* of what is signed */

    bool stood_for; /* our RA signed it, or it waited before: a refusal is recorded */
    bool waited;    /* for officers: whoever was told so is told what became of it */
    bool revoked;   /* what was recorded changes the CRL */
    uint64_t leaf;  /* what a checkpoint must cover before the answer */
    struct buf certificate;

    enum outcome outcome;
    enum cmp_failure failure; /* of a refusal, with the reason for the record; */
    struct err e;
    int fail_info; /* and what is answered */
    char phrase[PHRASE_SIZE];

    /* of the stages */
    struct signer_job sign;
    struct release_item release;
    struct crl_waiter crl;
};

/* `look`, `intend` and `record` are a part of a store operation: -1 is the end of the program, for
 * the database does not work. `read` and `judge` run in workers. NULL: a kind never gets there. */
struct kind {
    const char *name; /* as its refusals begin; "": they do not */
    size_t size;
    enum cmp_failure closed;          /* what ISSUANCE_CLOSED is to the peer */
    bool awaits_crl;                  /* what is answered can be seen by relying parties by then */
    bool rests_on_what_is_registered; /* and so needs it, not only that it is */
    enum request_stage (*read)(struct request *);
    int (*look)(struct request *, struct store_db *, enum request_stage *next, struct err *);
    enum request_stage (*judge)(struct request *);
    int (*intend)(struct request *, struct store_db *, enum request_stage *next, struct err *);
    int (*record)(struct request *, struct store_db *, struct err *);
    /* A refusal that is recorded otherwise than a first message's; NULL: none is. Sets r->leaf. */
    int (*refuse)(struct request *, struct store_db *, struct err *);
    /* On the loop, instead of the link's answer to an outcome that is no refusal. NULL: the link's.
     */
    void (*answer)(struct ca *, struct request *);
    void (*clear)(void *facts);
};
extern const struct kind kind_certificate, kind_confirmation, kind_revocation, kind_officer;

/* One that has a flight; `asked` is copied. The flight is the request's from now on. */
struct request *request_new(struct ca *, struct flight *, struct span asked);
/* Its flight ends, too. */
void request_free(struct ca *, struct request *);
/* Makes room for what this kind knows. */
void request_be(struct request *, const struct kind *);
struct span request_rid(const struct request *);
/* The RA's certificate, in what was opened. */
struct span request_ra_der(const struct request *);
