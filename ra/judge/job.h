/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - one CMP message on its way through the RA. Private to ra/.
 *
 * At any moment exactly one thread has the job: the loop, a worker, the store's or the signer's
 * thread. The stages of transaction/ hand it from one to the next; message/ and
 * transaction/answer.c do the computing.
 */
#pragma once

#include "base/http/http.h"
#include "base/pipeline.h"
#include "ca/cmp/build.h"
#include "ca/cmp/certreq.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/message/revoke.h"
#include "ca/cmp/message/support.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/mac.h"
#include "ca/cmp/protection/protect.h"
#include "ca/cmp/queue.h"
#include "db/requests/requests.h"
#include "pkcs11/client/client.h"
#include "ra/daemon/crowd.h"
#include "ra/daemon/ra.h"
#include "ra/daemon/route.h"
#include "ra/secret/lane.h"

struct event;
struct head;
struct message_kind;
struct registration;

enum answer_kind {
    ANSWER_FAILURE, /* error, or ip, cp, kup, rp with a rejection: `failure` */
    ANSWER_EXCUSE,  /* the same, though nobody is refused: not now, or not by us */
    ANSWER_NONE,    /* HTTP alone says that there is none */
    ANSWER_STATE,   /* what the enrolment is by then decides */
    ANSWER_ISSUED,  /* ip, cp, kup with the certificate */
    ANSWER_DONE,    /* rp */
    ANSWER_WAITING, /* ip, cp, kup with status waiting; error with status waiting for the others */
    ANSWER_POLL,    /* pollRep */
    ANSWER_CONFIRM, /* pkiConf */
    ANSWER_SUPPORT, /* genp: support.h */
};

/* What is only known of one that asks for a certificate, */
struct enrolment_facts {
    struct cmp_certreq *certreq;
    struct buf asked; /* its wishes, to be kept */
    bool superseding; /* its registration replaces another: a certConf is needed */
};
/* of an rr, */
struct revocation_facts {
    struct cmp_revreq revreq;
    enum cmp_failure failure; /* why it could not be read */
    struct err e;
    struct requests_certificate target; /* what we know of the certificate that it means */
};
/* of a certConf, */
struct confirmation_facts {
    struct cmp_certconf certconf;
    bool queued; /* these very octets are in the queue of its enrolment */
    bool again;  /* it says what one before it said */
};
/* of a genm, and of a pollReq for one. */
struct question_facts {
    struct cmp_genm genm;
    unsigned keys; /* bits of support.c: which keys the profile takes */
    bool waits;    /* the answer is not there yet */
    int poll_id;   /* of any pollReq: what it asks about */
};

union job_facts {
    struct enrolment_facts enrolment;
    struct revocation_facts revocation;
    struct confirmation_facts confirmation;
    struct question_facts question;
};

/* What its registration pays for it. */
enum job_charge {
    CHARGE_NONE,
    CHARGE_TAKEN,
    CHARGE_DUE_BACK, /* it was somebody's copy */
};

struct job {
    struct pipeline_job step;
    const struct message_kind *kind; /* by the body; NULL: it was not decodable */
    struct ra *ra;
    struct http_exchange *exchange;
    struct route route;
    const struct cmp_rules *rules; /* of the listener that it came to */
    time_t now;
    int behind_s; /* messageTime may be behind so far */

    /* What came. */
    struct span raw;                    /* its octets; borrowed from the exchange, as the next */
    const struct http_address *address; /* and from where */
    struct cmp_msg *msg;                /* NULL: not decodable */
    struct cmp_echo echo;               /* what its answer repeats then */
    struct cmp_msg *outer;              /* an upstream RA's wrapper around it; NULL: none */
    char *upstream;                     /* whose, for the log */
    enum cmp_body body;
    enum cmp_protection protection;
    uint8_t rid[REQUESTS_RID_SIZE];
    char identity[REQUESTS_IDENTITY_SIZE]; /* "": not known yet */
    X509 *signer;                          /* of a signature */
    uint8_t fingerprint[32];
    uint8_t signer_key[32]; /* SHA-256 of its SubjectPublicKeyInfo */
    char *signer_issuer;
    char *signer_subject;
    bool own;                            /* the signer's certificate names our CA as issuer */
    char own_instance[REQUESTS_NF_SIZE]; /* and this network function; "": none */
    struct requests_certificate held;    /* what we know of it; all zero: nothing */
    int cert_req_id;                     /* of a first message: what its polls name */
    bool uncounted;                      /* it takes none of the registered certificates */

    /* What we know about it. */
    struct requests_registration registration;
    bool registered;
    struct requests_enrolment enrolment;
    bool found;
    bool seen;                 /* a first message whose transactionID was used before */
    enum requests_owner owner; /* of the transaction that a later message names */

    /* What was judged. */
    bool authenticated;
    bool untimely;    /* messageTime is outside the window */
    struct err clock; /* and how far, for who is authenticated */
    bool in_body;     /* a failure goes into ip, cp, kup, rp (RFC 9483 3.6.2), not into error */
    enum cmp_failure failure;
    struct err e;     /* the reason, for the log; and the phrase for the client */
    const char *told; /* a phrase of the CA, which counts more; NULL: none */
    struct cmp_mac_key *key;
    struct lane_turn turn; /* of a MAC whose key costs much to derive */
    bool had_turn;
    union job_facts facts; /* by `body` */
    char profile[CMP_PROFILE_MAX + 1];

    /* What goes to the CA. */
    struct buf entry;  /* what is said of it, DER QueueEntry */
    uint64_t sequence; /* its place in the queue; 0: none */
    /* Our senderNonce, when nothing but this process is needed to answer: durable with what was
     * admitted, so that the answer waits for no further commit. */
    uint8_t nonce[CMP_NONCE_SIZE];
    bool nonce_kept;
    struct head *head; /* over that; NULL: none */

    /* What goes back. */
    int retry_after;          /* > 0: with HTTP 503, and come again after so many seconds */
    bool turned_away;         /* that is all that is to be said */
    struct crowd_place place; /* among those that begin a transaction; or none */
    bool remembered;          /* its transactionID was, and nothing else of it */
    bool withdrawn;           /* from the queue: nothing is to be left of it */
    enum job_charge charge;
    enum answer_kind answer;
    uint32_t check_after;
    const char *reason; /* of a pollRep; NULL: none */
    struct cmp_header header;
    struct buf answer_part; /* to be signed; empty when MAC protected */
    struct buf out;

    /* Of the stages. */
    struct signer_job sign;
    struct event *timer; /* while the CA is waited for */
    struct err trouble;  /* what the store said, unexpectedly; ERR_NONE: nothing */
};

/* ---- life, on the loop's thread ---- */

/* Takes the exchange over; goes with its answer. */
struct job *job_new(struct ra *, struct http_exchange *, const struct route *);
void job_free(struct job *);

/* Its answer is protected by its own MAC; else the RA signs. */
bool job_is_mac(const struct job *);
/* Empty: it is not kept before the answer is made. */
struct span job_nonce(const struct job *);

/* ---- judging and answering, on a worker ---- */

/* For a check that failed: notes why in job->failure and returns -1; job->e is the caller's. */
int job_fail(struct job *, enum cmp_failure);
/* The same with the phrase that the client gets, whose failInfo it is. */
int job_say(struct job *, enum phrase);
/* That its registration is not open, and when. */
int job_say_window(struct job *, const struct registration *);
/* Stage 1, on a worker: the form of the message and who it says it is from. On failure job->failure
 * and job->e; -1. */
int judge_form(struct job *);
/* On the store's thread: what the database knows of who it says it is, and of its transaction. */
int judge_known(struct job *, struct store_db *, struct err *e);
/* Stage 2, on a worker, with what the database knows: protection and path; of a later message also
 * whether it continues its transaction. Prepares job->entry for a certConf. */
int judge_requester(struct job *);
/* Stage 3, on a worker, of a first message: the key, its proof of possession, and whether the
 * registration has it so. Prepares job->entry for what goes to the CA. */
int judge_request(struct job *);

/* On a worker: job->answer becomes octets: job->out (MAC) or job->answer_part (to be signed). */
int answer_build(struct job *);
/* With the signature of job->answer_part: job->out. */
int answer_finish(struct job *, struct span signature);
