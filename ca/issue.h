/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue.h - the way of a request to its certificate (design section 3). Private to nfpki-ca.
 *
 *   open (worker): RA signature -> look (store): known? -> judge (worker): everything again, TBS
 *   -> T1 (store): INTENT -> sign -> seal (worker): verify, lint -> T2 (store): ISSUED
 *   -> release: published checkpoint -> answer
 *
 * A job of a network function comes from the link, one of an officer from the admin socket; from T1
 * on they are the same.
 */
#pragma once

#include "ca/approved.h"
#include "ca/cmp/revoke.h"
#include "ca/crl_maker.h"
#include "ca/daemon.h"
#include "ca/release.h"

/* A SUBMIT of an RA; `m` is borrowed during the call. */
void issue_submit(struct ca *, link_peer, const struct link_message *m);
/* An officer's request; answers `call` with {"certificate": PEM, "serial": hex}. */
void issue_officer(struct ca *, struct admin_call *call, const json_t *request);

/* A request that waits for officers, and about which something is due (waiting.h): goes on with it,
 * or refuses it; whoever was told to wait is told what became of it. */
void issue_resume(struct ca *, struct span rid);

/* What was found unfinished at start: the same TBS is signed again, or the intent is given up when
 * it is too old. Blocking. */
int issue_recover(struct ca *, int *resumed, int *abandoned, struct err *e);

struct issue {
    struct ca *ca;
    struct flight *flight;
    struct admin_call *call; /* NULL: from the link */
    struct task work;
    struct store_op op;
    struct signer_job sign;
    struct release_item release;

    struct buf asked; /* nested PKIMessage, or PKCS #10 */
    uint64_t queue_sequence;
    uint8_t queue_previous[LINK_PREVIOUS_SIZE];
    char *profile; /* officer */
    char *common_name;
    int days;

    struct ras *ras;
    time_t now;
    struct cmp_queued *queued;
    X509 *requester;
    struct issuance_registration registration;
    bool is_registered;
    uint8_t signer_serial[ISSUANCE_SERIAL_SIZE];
    bool is_signer_ours; /* says its certificate; is_held: and ca.db */
    struct issuance_holder holder;
    bool is_held;
    struct issuance_request found; /* the row of this rid */
    bool is_found;
    struct issuance_request first; /* certConf: the request that it is about */
    struct buf first_evidence;
    bool is_confirmation;
    bool is_confirmed;               /* answered before */
    struct issuance_pending pending; /* it waits for officers */
    bool is_pending;
    struct approved approved; /* what they signed */
    int approvals;            /* how many must */
    bool is_approved;
    bool is_cancelled; /* its registration, between intent and signature */
    bool is_revoked;   /* by a confirmation or a rejection: the CRL changes */
    bool may_refuse;   /* the RA stands for it: a refusal is recorded */
    struct policy_grant grant;
    bool is_granted;
    struct cmp_certconf confirmation;
    char *confirmation_reason;
    bool is_revocation; /* rr */
    struct cmp_revreq revreq;
    enum cmp_failure revreq_failure;
    struct issuance_target target;
    bool is_target;
    char *by; /* who asked for the revocation, for the leaf */
    struct crl_waiter crl;
    enum issuance_outcome outcome;
    struct buf certificate;

    int result; /* of the worker's step */
    enum cmp_failure failure;
    struct err e;       /* the reason, for the record; and the phrase for the peer */
    enum phrase phrase; /* of `outcome`, and what is filled in there; PHRASE_NONE: its own */
    char value[ERR_VALUE_SIZE];
};

/* ---- shared by issue*.c and confirm.c ---- */

/* Ends the job: exactly one of them. */
void issue_end_busy(struct issue *);
/* DEFERRED with job->failure and job->e: it is the RA's fault or ours, and decides nothing. */
void issue_end_deferred(struct issue *);
/* The same when the database knows that the RA's certificate is not good any more. */
void issue_end_ra_unknown(struct issue *);
void issue_end_refused(struct issue *, int fail_info, const char *phrase);
void issue_end_issued(struct issue *);
/* WAITING, when it came from the link. */
void issue_end_waiting(struct issue *);

/* Records the refusal (job->failure, job->e), then answers. */
void issue_refuse(struct issue *);
/* Signs the TBS that is stored, and on. */
void issue_sign(struct issue *);
/* Runs `run` in a worker, then `done`. */
void issue_work(struct issue *, void (*run)(struct task *), void (*done)(struct task *));
void issue_store(struct issue *, int (*run)(struct store_op *, struct store_db *, struct err *),
                 void (*done)(struct task *));
struct span issue_rid(const struct issue *);
struct span issue_ra_der(const struct issue *);
/* Waits for the checkpoint over the confirmation that was found, then ends the job. */
void issue_release_confirmed(struct issue *);
/* Waits for the checkpoint over `leaf`, then `released`. */
void issue_release(struct issue *, uint64_t leaf, void (*released)(struct release_item *));

/* issue_intend.c: T1, and on. */
void issue_intend(struct issue *);
/* The row of this rid is there: its answer, or what is left to do. */
void issue_answer_again(struct issue *);
/* issue_officer.c: the same when a stop left an officer's intent behind. */
void issue_officer_again(struct issue *);
/* The failure of job->outcome. */
void issue_refuse_outcome(struct issue *);
/* The database said no to a certConf or an rr (`what`). `closed`: what it means there that the
 * state does not allow it any more. */
void issue_refuse_change(struct issue *, const char *what, enum cmp_failure closed);
/* issue_explain.c, in a store operation: what the peer is told of job->outcome, in job->phrase
 * and job->value, where there is more to say than the outcome does. */
int issue_explain(struct issue *, struct store_db *, const struct issuance_intent *, struct err *e);
/* A job; `asked` is copied. The flight is the job's from now on. */
struct issue *issue_new(struct ca *, struct flight *, struct span asked);
/* The first step of what an RA signed. */
void issue_open(struct issue *);
/* In a store operation: the row that the grant makes, without a TBS when there is none yet. It
 * borrows from the job and from `fingerprint`. */
int issue_fill_intent(const struct issue *, uint8_t fingerprint[SHA256_SIZE],
                      struct issuance_intent *i, struct err *e);

/* issue_wait.c, at the steps of issue.c: what waits (in the store); true when that is all for now,
 * and the job is at its end; whether it is approved (in a worker); the end of what is not. */
int issue_look_waiting(struct issue *, struct store_db *, struct err *e);
bool issue_is_kept_waiting(struct issue *);
int issue_judge_approvals(struct issue *);
void issue_await(struct issue *);

/* confirm.c: from the look on. */
void issue_confirm(struct issue *);

/* revoke_request.c: reads the rr (worker), looks (store), and from the look on. */
void issue_revoke_read(struct issue *);
int issue_revoke_look(struct issue *, struct store_db *, struct err *e);
void issue_revoke(struct issue *);
/* It was answered before: when the checkpoint over j->found.leaf is out, again. */
void issue_release_revoked(struct issue *);
/* issue_end.c: LINK_REVOKED. */
void issue_end_revoked(struct issue *);
