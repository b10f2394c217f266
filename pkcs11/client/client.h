/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the daemons' side of nfpki-signer (PROTOCOL.md): starts it, or connects to it where it
 * is a service of its own, sends it whole objects, gets signatures back.
 *
 * Does: start and restart the process and enforce the deadline with SIGKILL, or connect again (the
 * service has a supervisor for the rest); batch the waiting jobs.
 * Does not: load a PKCS #11 module, see a PIN, log.
 * Threads: one of its own, which talks to the signer. Submit from any thread.
 * Ownership: a job belongs to the client from signer_submit() until its task is posted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/pool.h"
#include "pkcs11/algorithm.h"

/* What is to be signed, whole. The values are on the wire and, where signer_is_attempt(), in the
 * journal. */
enum signer_object {
    SIGNER_CERTIFICATE = 'T', /* DER TBSCertificate */
    SIGNER_CRL = 'L',         /* DER TBSCertList */
    SIGNER_CHECKPOINT = 'K',  /* text of a signed note: three lines, each with its line break */
    SIGNER_SEAL = 'S',        /* one of two texts: its MAC is asked for, not a signature */
    SIGNER_CMP = 'P',         /* DER ProtectedPart (RFC 9810 5.1.3): SEQUENCE { header, body } */
    SIGNER_QUEUE_HEAD = 'Q',  /* text of the head of an RA's queue (base/tlog/queue_head.h) */
    SIGNER_RA_REPORT = 'R',   /* text of what an RA says of itself (base/tlog/ra_report.h) */
    SIGNER_LAST = 'Z',        /* SIGNER_LAST_TEXT: what a log signed last is asked for */
    SIGNER_ANCHOR = 'A',      /* SIGNER_ANCHOR_TEXT: what it signed last is committed */
    SIGNER_ATTEMPTED = 'Y',   /* lines of the journal are asked for (attempted.h) */
};
/* It has a line in the journal; the others are questions, and what is no signature. */
bool signer_is_attempt(enum signer_object);

enum {
    SIGNER_TBS_MAX = 16 * 1024 * 1024, /* a CRL; PROTOCOL.md has the smaller limits of the others */
    SIGNER_BATCH_MAX = 64,
};

struct signer_job {
    struct task task;          /* task.done is called by tasks_finish(); task.run is not used */
    enum signer_object object; /* in */
    struct span tbs;           /* in; borrowed until the task is posted */
    struct span evidence;      /* in, the same: of a certificate (evidence.h); else empty */
    struct buf signature;      /* out; the client sets its maximum; buf_free() it */
    int result;                /* out: 0 or -1 */
    struct err e;              /* out: ERR_DENIED off policy, ERR_INPUT not understood, ERR_TOKEN
                                  token or signer failed (may be submitted again), ERR_PIN the PIN
                                  was refused and will not be tried again, ERR_STALE the journal is
                                  an older copy, or another signer has taken the log over */
    void *private_;            /* the client's */
    uint64_t number_;
};

struct signer_options {
    const char *socket;     /* where nfpki-signer --listen is; NULL: it is started here, */
    const char *program;    /* path of nfpki-signer, */
    const char *policy;     /* with its policy file */
    int pin_fd;             /* rewindable descriptor (memfd, file) with the PIN, or -1 for the
                               credential that the policy names; borrowed until signer_free() */
    int timeout_ms;         /* for HELLO and for each answer; then SIGKILL. 0: 10 s */
    struct tasks *finished; /* gets the tasks; NULL when only signer_sign() is used */
};

struct signer;
/* Fails what is waiting (ERR_TOKEN, posted), ends the process, joins the thread. */
void signer_free(struct signer *);
/*
 * Starts the process and blocks until its HELLO. Call from the main thread, and keep that thread
 * (the signer gets SIGTERM when the thread that started it ends). The reason of a failed start is
 * the signer's own: ERR_PIN, ERR_TOKEN, ERR_INPUT (policy file), ERR_DENIED (attributes), ERR_STALE
 * (the token knows of more than the journal).
 * When the signer dies later, jobs under way fail with ERR_TOKEN and the next job starts it again,
 * after a pause that grows from 0.1 to 5 s while starts fail. A signer that comes back with another
 * key or policy is refused, and so is a second try of a refused PIN.
 * Of a service the same holds, but that it is connected to; the pause is between connections.
 */
struct signer *signer_start(const struct signer_options *, struct err *e) OWNED(signer_free);
DEFINE_CLEANUP(signer_cleanup, struct signer, signer_free)
/* For the start of a daemon: a token that is being switched on, or is still busy with a process
 * that was killed, and a service that is being started itself, are there a moment later. Five
 * times, half a second apart; `failed` hears of each but the last. */
struct signer *signer_start_patiently(const struct signer_options *,
                                      void (*failed)(const struct signer_options *,
                                                     const struct err *),
                                      struct err *e) OWNED(signer_free);

/*
 * From now on `look` is called each time that the signer has come back, before it is given a job:
 * on the client's thread, which may wait there for others but not for this client's jobs; the
 * blocking questions below can be asked from within. When it fails the signer is stopped, and what
 * waits fails with ERR_TOKEN. Its journal may be an older copy: `look` judges it, and
 * signer_attempts() stays what it was. Without it one that comes back with fewer attempts is
 * refused.
 */
void signer_look(struct signer *, int (*look)(void *arg, struct signer *, struct err *e),
                 void *arg);

/* Asynchronous: fill task.done, object and tbs. Every submitted job is posted exactly once. */
void signer_submit(struct signer *, struct signer_job *);
/* Of one that is away: so that it is started, or connected to, though nobody has a job for it. Does
 * not wait, and nobody is told. */
void signer_try(struct signer *);

/* Blocking. `signature` is replaced; its maximum must be SIGNATURE_MAX at least. */
int signer_sign(struct signer *, enum signer_object object, struct span tbs, struct buf *signature,
                struct err *e);
int signer_sign_logged(struct signer *, enum signer_object object, struct span tbs,
                       struct span evidence, struct buf *signature, struct err *e);

/* The key that the token's secret key derives (policy section `seal`), always the same: 32 octets
 * into `key`, a BUF_SECRET. Blocking. A signer of CMP messages has the one text, a log's the other,
 * so that neither gives the other's key. ERR_DENIED: the policy has no such section, or its signer
 * another text. */
#define SIGNER_SEAL_TEXT_RA SPAN_LITERAL("nfpki-ra: key that seals one-time secrets, 1\n")
#define SIGNER_SEAL_TEXT_CA SPAN_LITERAL("nfpki-ca: key that seals the rows of ca.db, 1\n")
int signer_seal_key(struct signer *, struct span text, struct buf *key, struct err *e);

/* What the key of a log was asked for last, as its signer's journal has it now. Blocking.
 * ERR_DENIED: it is no log's key. */
#define SIGNER_LAST_TEXT SPAN_LITERAL("nfpki: what this log signed last, 1\n")
struct signed_last {
    uint64_t size;    /* leaves; 0: nothing yet */
    uint8_t root[32]; /* of the tree over them */
};
int signer_last(struct signer *, struct signed_last *, struct err *e);

/* What the key of a log was asked for last is committed, and stored: its signer may say so in the
 * token (nfpki-signer(8)). Only while no checkpoint is under way. Blocking; as a job of its own
 * signer_anchored_decode() of evidence.h takes the answer. ERR_STALE: another signer has taken the
 * log over. ERR_DENIED: it is no log's, or its policy says anchor = none. */
#define SIGNER_ANCHOR_TEXT SPAN_LITERAL("nfpki: what this log signed last is committed, 1\n")
struct signer_anchored {
    uint64_t generation; /* of what is in the token now */
    uint64_t size;       /* leaves that it knows of */
};
int signer_anchor(struct signer *, struct signer_anchored *, struct err *e);
/* What its journal has from line `first` on, as many as there is room for: attempted_open() of
 * `answer`, which is replaced; its maximum must be ATTEMPTED_MAX. Blocking. */
int signer_attempted(struct signer *, uint64_t first, struct buf *answer, struct err *e);

/* From the HELLO. */
struct span signer_spki(const struct signer *);
enum key_algorithm signer_algorithm(const struct signer *);
/* DER AlgorithmIdentifier of its signatures. */
struct span signer_algorithm_identifier(const struct signer *);
/* A software token: say so in the log. */
bool signer_is_software(const struct signer *);
/* Of a log: what it signed last is kept in the token, too. */
bool signer_has_anchor(const struct signer *);
/* A service of another user, so that its PIN, token and journal are out of our reach; root's own
 * never is. */
bool signer_is_apart(struct signer *);
/* SHA-256 of the policy file (32 octets). */
struct span signer_policy_hash(const struct signer *);
/* Process id now, of a service its supervisor's; -1 while it is down. */
pid_t signer_pid(struct signer *);
/* Jobs that were submitted and are not posted yet. */
size_t signer_waiting(struct signer *);
/* Lines of attempts in the signer's journal: at HELLO, plus what was answered since, and never
 * fewer than before. At least as many as signatures were released, over the life of the key. */
uint64_t signer_attempts(struct signer *);
/* Of these, those that are known to have given a signature: as the signer had counted at HELLO,
 * plus what was released since. Of the others nobody knows: they are under way, were cut off by a
 * kill or a token that failed, or are from before signatures were counted. */
uint64_t signer_signatures(struct signer *);

/*
 * The fresh-process check after key generation: runs `nfpki-signer --self-test`, which opens the
 * token, reads back all attributes and compares the public half with the policy's pinned one. For
 * keys without ALWAYS_AUTHENTICATE it signs a fixed text, verified here under `spki`. *signed_text
 * (may be NULL) tells whether there was such a signature.
 */
int signer_self_test(const char *program, const char *policy, int pin_fd, int timeout_ms,
                     struct span spki, bool *signed_text, struct err *e);
