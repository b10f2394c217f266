/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests.h - the verbs of ra.db: registrations, the replay cache, enrolments and the queue.
 *
 * Does: keep what was decided, each verb whole or not at all. Every verb runs inside a store op
 * (store/store.h), which gives it its savepoint and the durability of the group.
 * Does not: judge a request, seal a secret, talk.
 * Ownership: rows own their bytes; free them with the functions here. Strings and spans that go in
 * are borrowed during the call.
 * Errors: ERR_STORE besides those that are named.
 *
 *   QUEUED --CA issued--> ANSWERED --ip leaves--> SENT --certConf--> CONFIRMING --CA--> CONFIRMED
 *     \--CA refused--> REJECTED                    | \--implicitConfirm--> CONFIRMED \--> REJECTED
 *                                                  \--no certConf in time--> UNCONFIRMED
 * To SENT or CONFIRMED at once goes what somebody waits for whose answer needs nothing but the
 * commit. A late certConf is still taken: UNCONFIRMED --certConf--> CONFIRMING. What is answered
 * without a certificate (rr) is implicit: QUEUED --CA did it--> ANSWERED --rp leaves--> CONFIRMED.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/tlog/queue_head.h"
#include "db/store/store.h"

enum {
    REQUESTS_ID_SIZE = 33, /* registration id with its NUL */
    REQUESTS_RID_SIZE = 32,
    REQUESTS_IDENTITY_SIZE = 80,
    REQUESTS_REFERENCE_SIZE = 33,
    REQUESTS_NONCE_SIZE = 16,
    REQUESTS_PHRASE_SIZE = 129,
    REQUESTS_NF_SIZE = 37,
    REQUESTS_PROFILE_SIZE = 64,
};

enum requests_state {
    REQUESTS_QUEUED = 0,
    REQUESTS_ANSWERED = 1,
    REQUESTS_SENT = 2,
    REQUESTS_CONFIRMING = 3,
    REQUESTS_CONFIRMED = 4,
    REQUESTS_REJECTED = 5,
    REQUESTS_UNCONFIRMED = 6,
};
/* "queued", ... Never NULL. */
const char *requests_state_name(enum requests_state);

/* Of ra.db, for store_open(). */
extern const struct store_migration ra_migrations[];
#define REQUESTS_APPLICATION STORE_APPLICATION('n', 'f', 'R', 'A')

/* ---- registrations ---- */

struct requests_registration {
    char id[REQUESTS_ID_SIZE];
    char nf_instance[REQUESTS_NF_SIZE];
    struct buf cms;
    struct buf json;
    int proof;                               /* enum proof_kind */
    char reference[REQUESTS_REFERENCE_SIZE]; /* "" unless proof mac */
    struct buf sealed;                       /* empty unless proof mac */
    struct buf fingerprint;                  /* empty unless proof certificate */
    struct buf public_key;                   /* empty unless proof publicKey */
    char *issuer;                            /* NULL unless proof vendor */
    char *subject;
    int64_t not_after;
    int certificates;
    int used;
    bool cancelled;
    int64_t registered;
};
/* For CLEANUP too; the struct itself is the caller's. */
void requests_registration_clear(struct requests_registration *);

/* ERR_CONFLICT: this id (or reference) is there already. */
int requests_register(struct store_db *, const struct requests_registration *, struct err *e);
/* The row into *out, or *found = false. By reference and by id: whatever its state. */
int requests_registration_by_reference(struct store_db *, struct span reference,
                                       struct requests_registration *out, bool *found,
                                       struct err *e);
int requests_registration_by_id(struct store_db *, const char *id,
                                struct requests_registration *out, bool *found, struct err *e);
/* What a message is signed with: a certificate, and the key in it. */
struct requests_signer {
    struct span fingerprint; /* SHA-256 of the certificate's DER */
    struct span public_key;  /* SHA-256 of its SubjectPublicKeyInfo */
    const char *issuer;
    const char *subject;
};
/* By any of that. Of several one that is not cancelled, not used up, pinned, the newest, in this
 * order. */
int requests_registration_by_signer(struct store_db *, const struct requests_signer *,
                                    struct requests_registration *out, bool *found, struct err *e);

/* Into `other` one of another network function that pins what r pins, is not cancelled, has not
 * ended at `now` and is that one's newest: the CA takes no second. r needs nf_instance and proof
 * alone. */
int requests_registration_proven(struct store_db *, const struct requests_registration *r,
                                 int64_t now, char other[REQUESTS_ID_SIZE], bool *found,
                                 struct err *e);

enum requests_standing {
    REQUESTS_ANY,
    REQUESTS_OPEN,
    REQUESTS_USED,
    REQUESTS_EXPIRED,
    REQUESTS_CANCELLED,
};
/* "open", "used", "expired", "cancelled"; NULL for the first. */
const char *requests_standing_name(enum requests_standing);
/* What a registration is at `now`; the later name wins. */
enum requests_standing requests_registration_standing(const struct requests_registration *,
                                                      int64_t now);
struct requests_filter {
    enum requests_standing standing;
    char nf_instance[REQUESTS_NF_SIZE]; /* "": any */
    char after[REQUESTS_ID_SIZE];       /* the last id of the page before; "": the first page */
    int limit;
    int64_t now;
};
/* Newest first, `cms` and `json` left out; the row is borrowed during the call. ERR_NOTFOUND: there
 * is no registration `after`. */
int requests_registration_each(struct store_db *, const struct requests_filter *,
                               void (*visit)(void *arg, const struct requests_registration *),
                               void *arg, struct err *e);
/* Gives the first `limit` sealed secrets (0: all) to `convert`, which says whether it changes and
 * to what (`out`, its maximum is set). */
typedef int requests_convert(void *arg, const char *id, struct span sealed, struct buf *out,
                             bool *changed, struct err *e);
int requests_reseal(struct store_db *, int limit, requests_convert *convert, void *arg,
                    struct err *e);
/* ERR_NOTFOUND. `cms` is what a registrar signed: it is kept until the CA has it. Cancelling twice
 * is fine. Requests that wait for the CA are REJECTED, and their clients told this phrase. */
int requests_cancel(struct store_db *, const char *id, struct span cms, const char *phrase,
                    struct err *e);
/* The CA has closed it too: what was delivered under it is revoked. */
int requests_closed(struct store_db *, const char *id, struct err *e);
/* The CA does not take what was signed: it is not told again. */
int requests_not_closed(struct store_db *, const char *id, struct err *e);
/* Cancelled, and the CA has not said so yet. Borrowed during the call. */
int requests_closing_each(struct store_db *, int limit,
                          void (*visit)(void *arg, const char *id, struct span cms), void *arg,
                          struct err *e);

/* Of a network function whose certificate signs: the newest that is not cancelled, else the newest.
 */
int requests_registration_by_instance(struct store_db *, const char *nf_instance,
                                      struct requests_registration *out, bool *found,
                                      struct err *e);

/* ---- certificates that were delivered ---- */

struct requests_certificate {
    uint8_t fingerprint[32]; /* SHA-256 of its DER */
    uint8_t serial[20];
    size_t serial_size;
    char registration[REQUESTS_ID_SIZE]; /* out */
    char profile[REQUESTS_PROFILE_SIZE]; /* out */
    int64_t not_after;
    bool revoked; /* out */
};
int requests_certificate_find(struct store_db *, struct span fingerprint,
                              struct requests_certificate *out, bool *found, struct err *e);
int requests_certificate_by_serial(struct store_db *, struct span serial,
                                   struct requests_certificate *out, bool *found, struct err *e);
/* We were told that it is revoked. No such row is fine. */
int requests_certificate_revoked(struct store_db *, struct span fingerprint, struct err *e);
/* What an enrolment was answered with, as long as that is kept. */
struct requests_held {
    int64_t id; /* of the enrolment */
    struct span der;
    const char *registration;
    const char *profile;
    bool revoked; /* we were told, or its network function did not take it */
};
/* The first `limit` behind enrolment `after`, in this order. */
int requests_held_each(struct store_db *, int64_t after, int limit,
                       void (*visit)(void *arg, const struct requests_held *), void *arg,
                       struct err *e);

/* ---- first messages ---- */

/* Was it, by whatever it came to? For who wants to know early: another may be faster. */
int requests_is_seen(struct store_db *, const char *identity, struct span transaction_id,
                     bool *seen, struct err *e);
/* Remembers an authenticated first message that came to nothing. ERR_CONFLICT: seen before.
 * `identity` is a credential and the way it is used: "mac:<reference>", "pbmac1:<reference>",
 * "cert:<fingerprint>". */
int requests_remember(struct store_db *, const char *identity, struct span transaction_id,
                      int64_t until, struct err *e);
/* Its answer could not be made, so nobody has seen anything of it: the same octets may come again.
 */
int requests_forget(struct store_db *, const char *identity, struct span transaction_id,
                    struct err *e);

struct requests_admission {
    const char *identity;
    struct span transaction_id;
    const char *registration;
    const char *profile;
    int body;
    int cert_req_id;
    bool implicit;
    bool uncounted; /* takes none of the registration's initial certificates; whether it is a use is
                       the CA's to say */
    struct span target; /* rr: the serial number of the certificate that is meant; else empty */
    struct span asked;  /* ir, cr, p10cr, kur: CertTemplate but the key (ca/cmp/message/asked.h) */
    int64_t until;      /* the row and its replay entry are kept until then */
    struct span rid;    /* as in requests_item, with the next three */
    struct span nonce;
    struct span message;
    struct span entry;
};
/* What goes to the CA. */
struct requests_item {
    struct span rid;     /* SHA-256 of the message */
    struct span nonce;   /* the senderNonce of our answer; empty: requests_sent() tells */
    struct span message; /* the network function's */
    struct span entry;   /* what is said of it, a leaf: DER QueueEntry (ca/cmp/queue.h) */
};
/* It, and its place. */
struct requests_entry {
    uint64_t sequence;
    int64_t enrolment;
    uint8_t rid[REQUESTS_RID_SIZE];
    bool untimely; /* requests_deferred() */
    struct buf message;
    struct buf entry; /* empty: from before migration 14, `message` is the wrapped one */
};
void requests_entry_clear(struct requests_entry *);

/* Replay entry, use of the registration, enrolment and queue entry at once. ERR_CONFLICT: this
 * transactionID is in use, or these octets were queued before. ERR_DENIED: the registration is
 * cancelled, or used up unless `uncounted` or something of it was rejected. It is under no head
 * before requests_put_head().
 */
int requests_admit(struct store_db *, const struct requests_admission *, int64_t *enrolment,
                   uint64_t *sequence, struct err *e);
/* What it wrote is undone, as if the message had not come; its leaf stays where it is. Unless there
 * is an answer, or somebody was told of it: then nothing is. Nobody has the number of its enrolment
 * any more after `until`. */
int requests_withdraw(struct store_db *, struct span rid, int64_t until, struct err *e);

/* A question (genm) that cannot be answered yet, and is not the CA's to answer: replay entry and an
 * enrolment that is ANSWERED at once; what the answer is, the RA finds out with each poll.
 * ERR_CONFLICT: this transactionID is in use. */
int requests_ask(struct store_db *, const struct requests_admission *, struct span question,
                 int64_t *enrolment, struct err *e);

/* ---- later messages ---- */

struct requests_enrolment {
    int64_t id;
    char registration[REQUESTS_ID_SIZE];
    char profile[REQUESTS_PROFILE_SIZE];
    int body;
    int cert_req_id;
    bool implicit;
    enum requests_state state;
    struct buf nonce; /* of our last answer; empty: none left yet */
    struct buf nonce_before;
    struct buf certificate; /* empty before ANSWERED */
    struct buf asked;       /* requests_admission; empty: nothing */
    struct buf question;    /* of requests_ask(); else empty */
    int fail_info;          /* -1: none */
    char phrase[REQUESTS_PHRASE_SIZE];
    bool accepted;
    int check_after; /* QUEUED: seconds that the CA said, `phrase` has why; 0: it did not */
};
void requests_enrolment_clear(struct requests_enrolment *);

/* *owner tells who has such a transaction: neither its protection nor its credentials may change
 * inside one (RFC 9483 3.2, 3.5). */
enum requests_owner {
    REQUESTS_NOBODY,
    REQUESTS_SELF,         /* and the row is in *out */
    REQUESTS_SAME_KIND,    /* somebody else with the same kind of credential */
    REQUESTS_ANOTHER_KIND, /* a MAC instead of a signature, PBMAC1 instead of PasswordBasedMac, ...
                            */
};
int requests_enrolment_find(struct store_db *, const char *identity, struct span transaction_id,
                            struct requests_enrolment *out, enum requests_owner *owner,
                            struct err *e);
/* What these octets, or this question, began, when no answer of ours has left since: *found, or it
 * is somebody's copy. */
int requests_enrolment_unanswered(struct store_db *, const struct requests_admission *,
                                  struct span question, struct requests_enrolment *out, bool *found,
                                  struct err *e);
/* Whether these octets were queued for this enrolment, be they answered by now. */
int requests_queued(struct store_db *, int64_t enrolment, struct span rid, bool *queued,
                    struct err *e);
/* A certConf goes into the queue: SENT or UNCONFIRMED -> CONFIRMING. ERR_CONFLICT in other states
 * and for octets that were queued before. */
int requests_admit_confirmation(struct store_db *, int64_t enrolment, bool accepted,
                                const struct requests_item *, uint64_t *sequence, struct err *e);
/* The client gives up: QUEUED, ANSWERED, SENT, UNCONFIRMED -> REJECTED by itself. What the CA has
 * issued, or will, stays unconfirmed there. Changes nothing in other states. */
int requests_close(struct store_db *, int64_t enrolment, struct err *e);
/* An answer leaves with this senderNonce, unless that was known when its message was admitted; the
 * last one again changes no nonce. `delivers`: it carries what was asked for, so ANSWERED -> SENT,
 * or CONFIRMED when confirmation is implicit; `confirm_by` is kept for SENT. ERR_NOTFOUND: it was
 * withdrawn. */
int requests_sent(struct store_db *, int64_t enrolment, struct span nonce, bool delivers,
                  int64_t confirm_by, struct err *e);

/* ---- answers of the CA; the same answer again changes nothing ---- */

/* What the CA was asked, and what it is of, as they are: read once, before the answer; each of
 * these verbs changes it with what is stored. Its entry leaves the queue when it is answered; what
 * was asked is known as long as its enrolment. */
struct requests_asked {
    struct requests_enrolment enrolment;
    int64_t sequence;
    bool answered;
    bool uncounted;
    bool shares; /* its certificate is that of other transactions, too */
    /* Of who asks: > 0: somebody waits, and gets what is issued as soon as this is committed. It is
     * SENT then, to be confirmed by this time, and requests_sent() has nothing to add. */
    int64_t confirm_by;
    char identity[REQUESTS_IDENTITY_SIZE];
    struct buf target;
};
void requests_asked_clear(struct requests_asked *);
/* By its enrolment; when that is not known (0), as long as it has no answer. ERR_NOTFOUND: that
 * was not asked. */
int requests_asked_find(struct store_db *, struct span rid, int64_t enrolment,
                        struct requests_asked *out, struct err *e);

/* QUEUED -> ANSWERED, and the certificate is one that was delivered. ERR_CONFLICT: another answer
 * is stored. */
int requests_issued(struct store_db *, struct requests_asked *, struct span certificate,
                    const struct requests_certificate *, struct err *e);
/* What was asked for and is no certificate: QUEUED -> ANSWERED. */
int requests_done(struct store_db *, struct requests_asked *, struct err *e);
/* The answer to an rr: requests_done(), and what it meant is noted as revoked. */
int requests_revoked(struct store_db *, struct requests_asked *, struct err *e);
/* We were told that the certificate is revoked that signed the entry. */
int requests_signer_revoked(struct store_db *, const struct requests_asked *, struct err *e);
/* Stays QUEUED: the CA waits for people. The entry is not open for requests_open_each() before
 * `again_at`, and the row is kept until `until` at least: what becomes of it can be fetched. */
struct requests_wait {
    int check_after;
    const char *phrase;
    int64_t again_at;
    int64_t until;
};
int requests_waiting(struct store_db *, struct requests_asked *, const struct requests_wait *,
                     struct err *e);
/* The CA or we are at fault: nothing is decided, and the entry rests until `again_at`. `untimely`:
 * it was received in the future, says the CA. No such entry, or one that was answered, is fine. */
int requests_deferred(struct store_db *, struct span rid, int64_t again_at, bool untimely,
                      struct err *e);
/* CONFIRMING -> CONFIRMED, or REJECTED when the certConf rejected. What a kur updated, or what was
 * rejected, is noted as revoked. */
int requests_confirmed(struct store_db *, struct requests_asked *, struct err *e);
/* QUEUED -> REJECTED, and the use of the registration, when counted, is given back; CONFIRMING ->
 * REJECTED. */
int requests_refused(struct store_db *, struct requests_asked *, int fail_info, const char *phrase,
                     struct err *e);

/* ---- heads ---- */

enum { REQUESTS_LEAVES_MAX = QUEUE_HEAD_SIZE_MAX * MERKLE_HASH, REQUESTS_STAMP_SIZE = 32 };

/* Over entries that were committed together (base/tlog/queue_head.h). */
struct requests_head {
    uint64_t first; /* sequence; 0: there is none */
    struct buf text;
    struct buf leaves; /* MERKLE_HASH octets each */
    uint8_t stamp[REQUESTS_STAMP_SIZE];
};
void requests_head_clear(struct requests_head *);

/* Who makes them: the RA's key and the CA that they are for, as the text says it. */
struct requests_author {
    uint8_t ra[QUEUE_HEAD_ID];
    uint8_t ca[QUEUE_HEAD_ID];
    int64_t now;
    /* What nobody can say of a text who can but write this file. */
    int (*stamp)(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e);
    void *arg;
};
/* The last thing of an operation that adds entries or gives them another place: one head over all
 * of them; none when there are none. More than QUEUE_HEAD_SIZE_MAX are ERR_INPUT. */
int requests_put_head(struct store_db *, const struct requests_author *, struct requests_head *head,
                      struct err *e);
/* The one over an entry. */
int requests_head_of(struct store_db *, uint64_t sequence, struct requests_head *out,
                     struct err *e);
/* Gives each of them to `convert`, which says whether its stamp changes and to what. */
typedef int requests_convert_stamp(void *arg, struct span text, uint8_t stamp[REQUESTS_STAMP_SIZE],
                                   bool *changed, struct err *e);
int requests_restamp(struct store_db *, requests_convert_stamp *convert, void *arg, struct err *e);
/* An entry without an answer takes the next place, and says this from now on. *taken is false when
 * there is none. */
int requests_take_place(struct store_db *, const struct requests_item *, bool *taken,
                        struct err *e);
/* The heads, their chain over the gaps that requests_expire() made, and what is still there under
 * them: ERR_STORE with the sequence where something is not as it was. */
int requests_verify_chain(struct store_db *, struct err *e);

/* ---- the CA's log ---- */

enum { REQUESTS_VKEY_MAX = 1024, REQUESTS_NOTE_MAX = 2048 };

/* What it was when it was seen last. */
struct requests_ca_log {
    struct buf vkey; /* its verifier key, a text */
    uint64_t size;   /* of the newest checkpoint, */
    struct buf note; /* which is this */
};
void requests_ca_log_clear(struct requests_ca_log *);
/* Of the log with this verifier key; NULL: of the one that came last. */
int requests_ca_log_find(struct store_db *, const char *vkey, struct requests_ca_log *out,
                         bool *found, struct err *e);
/* Keeps it unless a greater one of that log is kept. */
int requests_ca_log_keep(struct store_db *, const char *vkey, uint64_t size, struct span note,
                         struct err *e);

/* ---- queue and housekeeping ---- */

/* Entries without an answer that may be sent at `now`, in order, above `after`, up to `limit`;
 * borrowed during the call. The request of a registration that was cancelled while the CA was away
 * is not sent any more. */
int requests_open_each(struct store_db *, uint64_t after, int64_t now, int limit,
                       void (*visit)(void *arg, const struct requests_entry *), void *arg,
                       struct err *e);
/* When the first entry that rests at `now` may be sent again; 0: none rests. */
int requests_rest_until(struct store_db *, int64_t now, int64_t *until, struct err *e);
/* SENT and overdue -> UNCONFIRMED (*overdue counts them); forgets what `until` has passed, except
 * enrolments that still wait for the CA. A few rows at once; *more: there may be others. */
int requests_expire(struct store_db *, int64_t now, int *overdue, bool *more, struct err *e);
/* How many cancellations requests_closing_each() would visit. */
int requests_count_closing(struct store_db *, int *closing, struct err *e);
/* For the figures. */
int requests_count_open(struct store_db *, int *open, struct err *e);
