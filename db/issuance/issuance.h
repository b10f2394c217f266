/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuance.h - the verbs of ca.db. Each is called inside a store operation (store/store.h), and
 * writes the rows and the leaf (ledger/leaf.h) of one step together: either both are durable or
 * none is.
 *
 * Does not: judge a request, sign, talk. Rules that need the database are here, inside the
 * transaction: one answer per rid, one serial per intent, one live registration per nfInstanceId,
 * uses counted, a key belongs to one owner.
 * Ownership: rows own their octets (issuance_*_free, for CLEANUP). Input is borrowed.
 *
 *   INTENT --> ISSUED --> CONFIRMED
 *     |           \-----> REJECTED     the network function did not want it; revoked
 *      \-> ABANDONED                   given up; the serial is on the next CRL
 *   REFUSED                            never began
 */
#pragma once

#include <time.h>

#include "db/store/store.h"

extern const struct store_migration issuance_migrations[];

enum {
    ISSUANCE_RID_SIZE = 32,
    ISSUANCE_HASH_SIZE = 32,
    ISSUANCE_SERIAL_SIZE = 16,
    ISSUANCE_ID_SIZE = 33,       /* registration id with its NUL */
    ISSUANCE_INSTANCE_SIZE = 37, /* nfInstanceId with its NUL */
    ISSUANCE_PROFILE_SIZE = 64,
    ISSUANCE_PHRASE_SIZE = 129,
    ISSUANCE_SHOWN_MAX = 3,
    ISSUANCE_EVIDENCE_MAX = 128 * 1024,
    ISSUANCE_TBS_MAX = 16 * 1024,
};

enum issuance_state {
    ISSUANCE_INTENT = 0,
    ISSUANCE_ISSUED = 1,
    ISSUANCE_REFUSED = 2,
    ISSUANCE_CONFIRMED = 3,
    ISSUANCE_REJECTED = 4,
    ISSUANCE_ABANDONED = 5,
};

enum issuance_assurance { ISSUANCE_MAC = 0, ISSUANCE_SIGNATURE = 1 };

/* What came of a verb that the state of the database can say no to. */
enum issuance_outcome {
    ISSUANCE_DONE,
    ISSUANCE_KNOWN,              /* this very request is there already: nothing was written */
    ISSUANCE_SIGNER_UNKNOWN,     /* no such certificate of ours in the role it takes, or revoked */
    ISSUANCE_NOT_REGISTERED,     /* no such registration, cancelled, or out of its window */
    ISSUANCE_USED_UP,            /* all its certificates were issued */
    ISSUANCE_TRANSACTION_IN_USE, /* the same transactionID with other octets */
    ISSUANCE_KEY_TAKEN,          /* the public key is certified to somebody else */
    ISSUANCE_PROOF_SHARED,       /* another live registration has the same proof */
    ISSUANCE_OWNED,              /* the nfInstanceId has a live registration with uses left */
    ISSUANCE_REPEATED,           /* the same content was registered before under another id */
    ISSUANCE_CLOSED,             /* that state does not allow it any more */
    ISSUANCE_NOT_APPROVED,       /* by as many officers as it takes */
    ISSUANCE_HOLDER_REVOKED,     /* the certificate that signs the request is revoked */
    ISSUANCE_SUPERSEDES_NOTHING, /* what it says that it replaces is not the live registration */
    ISSUANCE_UNWANTED, /* its network function rejected the last certificate of this profile */
    /* of a request for the place of a certificate (renewal.h): */
    ISSUANCE_REPLACED,      /* done; what was not confirmed is revoked: the CRL changes */
    ISSUANCE_AGAIN,         /* done; the certificate of an earlier request is its answer, too */
    ISSUANCE_SIGNING,       /* another renewal of it is being signed: ask again */
    ISSUANCE_RENEWED,       /* another one waits for its certConf, and this is no newer request */
    ISSUANCE_RENEWAL_WAITS, /* another one waits for officers */
    ISSUANCE_SUCCEEDED,     /* its network function has the one that took its place */
    ISSUANCE_TOO_OFTEN,     /* too many renewals came to nothing: not now */
};
/* "the transactionID is in use", ... Never NULL. */
const char *issuance_outcome_text(enum issuance_outcome);

/* At a start with a file that is not sealed, or in which something was found before, when the
 * ledger has agreed with its checkpoint (ledger_check): the rows agree with the leaves. Reads them
 * all. ERR_STALE names the first that does not. */
int issuance_check(struct store_db *, struct err *e);

/* ---- registrations ---- */

enum issuance_registration_state {
    ISSUANCE_LIVE = 0,
    ISSUANCE_CANCELLED = 1,
    ISSUANCE_FOLLOWED = 2,
};

struct issuance_registration {
    char id[ISSUANCE_ID_SIZE];
    struct buf cms;
    struct buf json;
    char nf_instance[ISSUANCE_INSTANCE_SIZE];
    struct buf registrar;   /* serial of the registrar's certificate */
    const char *proof;      /* in only: for the leaf */
    const char *pins;       /* in only: what it pins (ca/registration/proof.h); NULL: a secret */
    const char *supersedes; /* in only: the registration that it replaces on purpose; NULL: none */
    bool of_batch;          /* in only: `cms` is a BatchElement */
    bool by_registrar;      /* out of issuance_registration_find only: `registrar` is one by the
                               record (role.h), whatever became of it since */
    time_t registered;      /* out */
    time_t not_before;
    time_t not_after;
    int certificates;
    int used;                               /* out */
    enum issuance_registration_state state; /* out */
    uint64_t leaf;                          /* out of issuance_register only; also when KNOWN */
    char owner[ISSUANCE_ID_SIZE];           /* out of issuance_register only: the live one of this
                                               nfInstanceId before; "": there was none */
    char proven[ISSUANCE_ID_SIZE];          /* out of issuance_register only: the live one of
                                               another that pins the same; "": there is none */
};
void issuance_registration_free(struct issuance_registration *);

/* DONE, KNOWN (its state is in r->state), SIGNER_UNKNOWN (`registrar_der` must be the certificate
 * that we issued under the profile registrar), NOT_REGISTERED (its window has passed), OWNED,
 * REPEATED (the same signed octets under another id: the id is the hash of the CMS, and an ECDSA
 * signature can be varied by somebody who has no key, so what was used up or cancelled would come
 * back), SUPERSEDES_NOTHING, PROOF_SHARED (r->proven, which has not ended). A live one is followed
 * by this one when it is used up or has passed and nothing under it is live, or when this one
 * supersedes it. */
int issuance_register(struct store_db *, struct issuance_registration *r, struct span registrar_der,
                      time_t now, enum issuance_outcome *outcome, struct err *e);
/* When something ends: as its leaf says, and the date that every CRL has for it from then on. That
 * is earlier, for a CRL begins before it is made (ca/policy/backdate.h). */
struct issuance_when {
    time_t now;
    time_t date;
};
/* Who ends a registration: a registrar, by what it signed, or an officer at the CA. */
struct issuance_cancellation {
    const char *id;
    const char *by; /* the officer; NULL: it is signed, and all of the next four count */
    struct span
        registrar_der;     /* must be a certificate that we issued under the profile registrar */
    struct span registrar; /* its serial */
    struct span cms;
    time_t signed_at; /* with allowance for the registrar's clock */
    struct issuance_when when;
};
/* Close and revoke (R38): *revoked live certificates get their leaf REVOKED (cessationOfOperation)
 * with the leaf CANCEL: those under this registration, and when it is the live one those under the
 * ones that it follows. DONE, KNOWN when it was cancelled before, both with *leaf; NOT_REGISTERED,
 * also when that was signed before it was registered; SIGNER_UNKNOWN. */
int issuance_cancel(struct store_db *, const struct issuance_cancellation *, uint64_t *leaf,
                    int *revoked, enum issuance_outcome *outcome, struct err *e);
/* The row, or *found = false. */
int issuance_registration_find(struct store_db *, const char *id, struct issuance_registration *out,
                               bool *found, struct err *e);
/* Only whether there is one: what it says costs a leaf, which is unpacked and hashed. */
int issuance_is_registered(struct store_db *, const char *id, bool *is, struct err *e);
/* Pairs of live registrations that pin the same and have not ended, up to `limit`: what a state of
 * before may have. Nothing is issued under either of them by that proof. */
int issuance_registration_each_shared(struct store_db *, time_t now, int limit,
                                      void (*visit)(void *arg, const char *id, const char *other),
                                      void *arg, struct err *e);
/* Newest first. The row is borrowed during the call; without cms and json. */
int issuance_registration_each(struct store_db *, int limit,
                               void (*visit)(void *arg, const struct issuance_registration *),
                               void *arg, struct err *e);

/* ---- requests ---- */

struct issuance_request {
    uint8_t rid[ISSUANCE_RID_SIZE];
    enum issuance_state state;
    char registration[ISSUANCE_ID_SIZE]; /* "": an officer's */
    char nf_instance[ISSUANCE_INSTANCE_SIZE];
    char profile[ISSUANCE_PROFILE_SIZE];
    enum issuance_assurance assurance;
    struct buf requester;
    int cert_req_id;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    struct buf tbs;         /* empty when refused */
    struct buf certificate; /* empty before ISSUED */
    int fail_info;          /* REFUSED, ABANDONED */
    char phrase[ISSUANCE_PHRASE_SIZE];
    time_t created;    /* of an intent: when it was judged */
    time_t not_before; /* of an intent: from when its certificate is good */
    uint64_t leaf;     /* the answer may go out when this leaf is published */
    bool revoked;
};
void issuance_request_free(struct issuance_request *);

/* Of a request that was answered AGAIN the row of the one that got the certificate, with its own
 * cert_req_id and a leaf that covers its answer. */
int issuance_find(struct store_db *, struct span rid, struct issuance_request *out, bool *found,
                  struct err *e);
int issuance_find_transaction(struct store_db *, const char *registration,
                              struct span transaction_id, struct issuance_request *out, bool *found,
                              struct err *e);

/* What a request was made with: signed by the RA around the requester's own octets. ERR_NOTFOUND.
 */
int issuance_evidence(struct store_db *, struct span rid, struct buf *out, struct err *e);

/* Whose certificate of ours signs a request. Nothing of it comes from the request but the
 * certificate itself. */
struct issuance_holder {
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    char nf_instance[ISSUANCE_INSTANCE_SIZE]; /* "": infrastructure */
    char profile[ISSUANCE_PROFILE_SIZE];      /* infrastructure: by the record (role.h) */
    char registration[ISSUANCE_ID_SIZE];      /* under which it was issued */
    char governs[ISSUANCE_ID_SIZE]; /* the live registration of its nfInstanceId; "": none */
    bool revoked;
};
/* *found only for exactly this certificate of ours. */
int issuance_holder_find(struct store_db *, struct span serial, struct span der,
                         struct issuance_holder *out, bool *found, struct err *e);

/* Which certConf is expected (ca.sql). */
enum issuance_confirm { ISSUANCE_IMPLICIT = 0, ISSUANCE_EXPECTED = 1, ISSUANCE_REQUIRED = 2 };

/* What shows that the RA signed it (ca/cmp/queue.h), for the record; the caller has verified it. */
struct issuance_attested {
    struct span entry; /* DER QueueEntry */
    struct span path;  /* to the head's root; empty: it is alone there */
    struct span head;  /* the text that is signed */
    struct span signature;
};

/* What is to be durable before a signature is asked for. */
struct issuance_intent {
    struct span rid;
    const char *registration; /* NULL: an officer's request: then up to cert_req_id nothing else */
    struct span ra_der;       /* must be a certificate that we issued under the profile ra-cmp */
    const char *nf_instance;
    struct span transaction_id;
    enum issuance_assurance assurance;
    struct span requester;
    const char *shows[ISSUANCE_SHOWN_MAX]; /* what its proof could be the pin of
                                              (ca/registration/proof.h); NULL: nothing */
    uint64_t queue_sequence;
    struct span queue_previous;               /* SHA-256 of attested->head */
    const struct issuance_attested *attested; /* NULL: wrapped as before */
    int cert_req_id;
    const char *profile;
    const char *by;           /* who asked for an infrastructure certificate; else NULL */
    struct span profile_file; /* SHA-256 of the file of profiles; empty for infrastructure */
    struct span evidence;
    struct span spki_sha256;
    struct span serial;
    struct span tbs;
    time_t not_before;
    time_t not_after;
    time_t judged;       /* not before not_before */
    int certificates;    /* that the registration allows */
    bool retry_rejected; /* one further try, and no use, after the network function rejected one */
    int approvals;       /* of officers that the profile demands; then it waits (approval.h) */
    struct span holder;  /* serial of the certificate of ours that signs; empty: none of ours */
    struct span renews;  /* the same when the new one takes its place: no use of the registration,
                            which need only be live */
    bool is_update;      /* kur */
    enum issuance_confirm confirm;
    time_t message_time;    /* 0: not said */
    time_t made;            /* when it was asked: 0: nobody says */
    bool made_by_requester; /* says its messageTime; else the RA's entry */
    time_t kept_before; /* what is not confirmed and older is kept all the same; 0: nothing is */
    time_t now;
    time_t date; /* of what ends for it (struct issuance_when) */
};
/* T1, with the leaves QUEUE-HEAD (unless it is there), REQUEST (of a network function) and INTENT;
 * REJECTED and REVOKED of what is REPLACED come before them; AGAIN has a leaf of that name instead.
 * DONE, KNOWN, SIGNER_UNKNOWN, NOT_REGISTERED, PROOF_SHARED, USED_UP, UNWANTED, TRANSACTION_IN_USE,
 * KEY_TAKEN, NOT_APPROVED (one that does not wait, or has fewer approvals), HOLDER_REVOKED, and
 * what is said of renewals. */
int issuance_intend(struct store_db *, const struct issuance_intent *,
                    enum issuance_outcome *outcome, struct err *e);

struct issuance_refusal {
    struct span rid;
    const char *registration; /* NULL when we do not have it */
    struct span ra_der;
    const char *profile;
    struct span evidence;
    uint64_t queue_sequence;
    struct span queue_previous;
    int fail_info;
    const char *phrase; /* to the peer */
    const char *reason; /* into the leaf */
    time_t now;
};
/* With the leaf REFUSAL in *leaf. DONE, KNOWN, SIGNER_UNKNOWN. */
int issuance_refuse(struct store_db *, const struct issuance_refusal *, uint64_t *leaf,
                    enum issuance_outcome *outcome, struct err *e);

/* Was the registration of this request cancelled? Its intent is to be given up then. */
int issuance_is_cancelled(struct store_db *, struct span rid, bool *cancelled, struct err *e);
/* T2: INTENT -> ISSUED with the leaf ISSUED in *leaf. The certificate's TBS must have been compared
 * with the stored one. ERR_CONFLICT in another state. */
int issuance_issue(struct store_db *, struct span rid, struct span certificate, time_t now,
                   uint64_t *leaf, struct err *e);
/* INTENT -> ABANDONED with the leaf REJECTED; the serial is revoked, because a signature may exist
 * that nobody stored; the use is given back. */
int issuance_abandon(struct store_db *, struct span rid, int fail_info, const char *phrase,
                     const char *reason, struct issuance_when, uint64_t *leaf, struct err *e);
/* What is INTENT, oldest first; the row is borrowed during the call. One of an officer only when it
 * is older than `officers_before`: nothing in the database shows that an officer asked, so it waits
 * until the officer asks again. */
int issuance_open_each(struct store_db *, time_t officers_before, int limit,
                       void (*visit)(void *arg, const struct issuance_request *), void *arg,
                       struct err *e);

struct issuance_confirmation {
    struct span rid; /* of the certConf */
    struct span ra_der;
    struct span request; /* rid of what it confirms */
    bool accepted;
    struct span evidence;
    const char *reason; /* of a rejection, for the leaf */
    struct issuance_when when;
};
/* ISSUED -> CONFIRMED with the leaf CONFIRMED, directly followed by REVOKED (superseded) for what a
 * kur renewed; or -> REJECTED with the leaves REJECTED and REVOKED.
 * DONE, KNOWN (*leaf and *accepted are the stored ones), SIGNER_UNKNOWN, CLOSED, HOLDER_REVOKED
 * (the certificate that the kur was signed with is not live any more). *revoked tells that the CRL
 * changes. */
int issuance_confirm(struct store_db *, const struct issuance_confirmation *, uint64_t *leaf,
                     bool *revoked, enum issuance_outcome *outcome, struct err *e);
/* Is this certConf answered already? */
int issuance_confirmation_find(struct store_db *, struct span rid, uint64_t *leaf, bool *found,
                               struct err *e);

/* Certificates that were issued before `before` and whose certConf, expected at `least` so, did not
 * come: as if it had rejected them, with the leaves REJECTED and REVOKED. Up to `limit`; *n of
 * them.
 */
int issuance_end_unconfirmed(struct store_db *, time_t before, enum issuance_confirm least,
                             int limit, struct issuance_when, int *n, struct err *e);

/* ---- revocation and CRLs ---- */

/* With the leaf REVOKED. DONE, KNOWN when it is revoked already. ERR_NOTFOUND: no such serial. */
int issuance_revoke(struct store_db *, struct span serial, int reason, const char *by,
                    struct issuance_when, uint64_t *leaf, enum issuance_outcome *outcome,
                    struct err *e);

/* What a revocation request (RFC 9483 4.2) is about. */
struct issuance_target {
    char nf_instance[ISSUANCE_INSTANCE_SIZE]; /* "": infrastructure */
    bool revoked;
    time_t not_after;
    struct buf certificate; /* its DER */
};
void issuance_target_free(struct issuance_target *);
int issuance_target_find(struct store_db *, struct span serial, struct issuance_target *out,
                         bool *found, struct err *e);

struct issuance_asked {
    struct span rid; /* of the rr */
    struct span ra_der;
    struct span holder; /* serial of the certificate of ours that signs it */
    struct span serial; /* what is revoked */
    int reason;
    const char *by;
    bool has_invalidity;
    time_t invalidity_date;
    struct span evidence;
    struct issuance_when when;
};
/* With the leaf REVOKED. DONE, KNOWN (*leaf is the stored one), SIGNER_UNKNOWN, HOLDER_REVOKED (the
 * certificate that signs or the one that is meant), CLOSED (no such certificate). */
int issuance_revoke_asked(struct store_db *, const struct issuance_asked *, uint64_t *leaf,
                          enum issuance_outcome *outcome, struct err *e);
/* Is this rr answered already? */
int issuance_asked_find(struct store_db *, struct span rid, uint64_t *leaf, bool *found,
                        struct err *e);

/* thisUpdate of the newest CRL that has a number; 0: there is none. */
int issuance_crl_last(struct store_db *, time_t *this_update, struct err *e);
/* thisUpdate of the newest stored CRL that has run out by `at`; 0: there is none. What ended before
 * it was on it, and need not be on another (RFC 5280 3.3). */
int issuance_crl_passed(struct store_db *, time_t at, time_t *this_update, struct err *e);
/* A number that nobody had before. */
int issuance_crl_reserve(struct store_db *, time_t this_update, time_t next_update,
                         uint64_t *number, struct err *e);
/* What belongs on a CRL: not expired before `expired_after`, ascending by serial, with the date
 * that was recorded. */
int issuance_crl_each(struct store_db *, time_t expired_after,
                      void (*visit)(void *arg, struct span serial, time_t date, int reason),
                      void *arg, struct err *e);
/* What is announced before the signature is asked for. */
struct issuance_crl {
    uint64_t number;       /* reserved before */
    struct span tbs;       /* TBSCertList */
    size_t entries;        /* on it: */
    uint64_t up_to;        /* what so many leaves of the record say, */
    struct span digest;    /* as LEDGER.md has it; 32 octets */
    time_t expired_before; /* but not of certificates that ended before; 0: of all */
    time_t now;
};
/* With the leaf CRL-INTENT. */
int issuance_crl_intend(struct store_db *, const struct issuance_crl *, uint64_t *leaf,
                        struct err *e);
/* With the leaf CRL; `der` is the CRL. */
int issuance_crl_store(struct store_db *, const struct issuance_crl *, struct span der,
                       uint64_t *leaf, struct err *e);
struct issuance_crl_stored {
    uint64_t newest; /* number of the newest stored one; 0: none */
    bool found;      /* the one that was asked for is stored; */
    uint8_t sha256[ISSUANCE_HASH_SIZE];
};
/* For store_options.admit, too: a file without tables has none. */
int issuance_crl_find(struct store_db *, uint64_t number, struct issuance_crl_stored *out,
                      struct err *e);

/* ---- the rest ---- */

struct issuance_counts {
    int64_t registrations;
    int64_t certificates;
    int64_t open; /* intents */
    int64_t refused;
    int64_t revoked;
    int64_t crl_number;
    int64_t crl_next_update; /* of the newest stored one; 0: none */
};
/* Reads what is open, refused and revoked, in an index, and nothing else that grows. */
int issuance_count(struct store_db *, struct issuance_counts *out, struct err *e);
/* Certificates and CRLs: each row is counted, whatever its place is. */
int issuance_signatures(struct store_db *, uint64_t *stored, struct err *e);

/* Remembers a value; *changed tells whether it was another one, or none, before (in `previous`). */
int issuance_setting(struct store_db *, const char *name, struct span value, struct buf *previous,
                     bool *changed, struct err *e);
