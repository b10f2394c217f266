/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.h - nfpki-ca as it runs: real signers, real SoftHSM tokens, a root made by the code under
 * test, an RA and a registrar whose certificates the daemon issued. Everything fails the test when
 * it cannot be made.
 */
#pragma once

#include <jansson.h>

#include "ca/cmp/queue.h"
#include "ca/link/msg.h"
#include "db/issuance/issuance.h"
#include "tests/support/cmp_client.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

/* Of the token that has the keys. */
#define WORLD_PIN "123456"

struct world {
    char *dir;
    struct pki *pki; /* the root; its issuing key is not used */
    X509 *issuing;
    pid_t daemon;
    int link;              /* blocking, after WELCOME; -1 */
    struct buf remembered; /* the newest checkpoint that the CA told, as an RA keeps it, */
    bool remembers;        /* which says so with each HELLO */
    pid_t held;            /* a signer that stands still, which must not outlive us; -1 */
    EVP_PKEY *ra_key;
    X509 *ra;
    EVP_PKEY *registrar_key;
    X509 *registrar;
    EVP_PKEY *vendor_key; /* of a vendor's root, which the daemon's configuration names */
    X509 *vendor;
    uint64_t sequence;
    char *triggers;                   /* of ca.db before its first edit; NULL: there was none */
    uint8_t seal_key[STORE_KEY_SIZE]; /* of ca.db */
    /* What its database refuses (breaksql.c) from the next start on; all NULL: nothing. */
    const char *breaks;
    const char *lacks;
    const char *once;
    /* An option of its start besides; NULL: none. */
    const char *option;
    /* How its clock differs from ours from the next start on, as "+8d"; NULL: not. */
    const char *clock;
    const char *clock_file; /* the same in a file; NULL: none */
};

/* An answer of the CA, with the octets that it borrows from. */
struct answer {
    struct buf octets;
    struct link_message m;
};
void answer_free(struct answer *);

struct world *world_new(void);
/* The same of before there was a key that seals ca.db. */
struct world *world_new_before_seals(void);
void world_free(struct world *);
/* For cmocka: *state is a struct world. */
int world_setup(void **state);
int world_setup_before_seals(void **state);
int world_teardown(void **state);

/* In a child, before it becomes nfpki-ca: its credentials, clock, and what its database refuses. */
void world_environment(const struct world *);
/* Starts the daemon and waits for WELCOME; kills it at any moment; ends it with SIGTERM and returns
 * its exit status. */
void world_start(struct world *);
void world_kill(struct world *);
/* Starts it and connects, and says nothing. */
void world_start_silently(struct world *);
/* Another connection in the place of world.link, which is not closed. */
void world_connect(struct world *);
/* A start that ends by itself, with a failure; its exit status, 0 when it opened. */
bool world_start_fails(struct world *);
int world_start_status(struct world *);
/* A start that ends by itself, whether it opened before or not; its exit status. */
int world_run(struct world *);
/* nfpki-ca --verify, while it does not run, with this folder of credentials: its exit status, and
 * in *out what it says, with a NUL. And does it name a row that differs
 * from its record? (Who edits takes triggers away, too: that is not enough.) */
enum { VERIFY_OUTPUT_MAX = 1024 * 1024 };
int world_verify(const struct world *, const char *credentials, struct buf *out);
bool world_is_edited(const struct world *);
/* What stands in nfpki-ca.conf besides, from the next start on. */
void world_configure(struct world *, const char *more);
/* Has the log's signer the key that seals ca.db, from the next start on? */
void world_has_seal_key(const struct world *, bool has);
/* What the policy of the issuing key's signer allows from the next start on. */
void world_signer_days(struct world *, int days);
/* A start that is killed after `ms`, wherever it is then. */
void world_start_and_kill(struct world *, unsigned ms);
int world_stop(struct world *);
/* The same with another signal. */
int world_end(struct world *, int signal);
/* An end in order, and a start with this in nfpki-ca.conf besides. */
void world_restart(struct world *, const char *more);

/* The signer of this key ("issuing", "log") stands still from now on. Whoever holds it lets it go,
 * or kills it; what a test that failed leaves so is let go with the world. */
pid_t world_hold_signer(struct world *, const char *key);

/* What the daemon has logged, for whoever looks why a test fails. */
void world_show_log(const struct world *);

/* A certificate of a device, signed by `issuer_key`; a root when `issuer` is NULL. */
X509 *world_vendor(X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key, const char *name);

/* Owned JSON answer; NULL with the code in e. */
json_t *world_ask(struct world *, json_t *request, struct err *e);
/* A figure of the record, as `status` says it. */
json_int_t world_record(struct world *, const char *what);
/* Waits until nothing is under way: a CRL may follow an answer. */
void world_settle(struct world *);
/* Is the serial number on the published CRL, which verifies? */
bool world_crl_has(const struct world *, X509 *);
/* By an officer. */
void world_revoke(struct world *, const X509 *, const char *reason);
/* A PKCS #10 request in PEM; mem_free() it. */
char *world_csr(EVP_PKEY *);
/* A certificate through the admin socket. */
X509 *world_officer(struct world *, const char *profile, const char *name, EVP_PKEY *key);

/* The signed registration of a new network function; buf_free() it. `proof` is JSON. */
struct buf world_registration(struct world *, const char *uuid, int certificates,
                              const char *proof);
/* REGISTER and its answer. */
void world_register(struct world *, struct span cms, struct answer *);
/* What `signer` signed, at `at`, about the registration `of`; buf_free() it. */
struct buf world_cancellation(const char *of, time_t at, X509 *signer, EVP_PKEY *key);
/* CANCEL of the registration `id` with this body; sends only. */
void world_send_cancellation(struct world *, const char *id, struct span cms);
/* By the registrar, now; sends only. */
void world_send_cancel(struct world *, const char *id);
/* The same, and it is cancelled. */
void world_cancel(struct world *, const char *id);
/* The registrationId of a CMS. */
void world_registration_id(struct span cms, char id[CMP_REGISTRATION_ID_SIZE + 1]);

/* What an RA hands in of `inner`: one of three entries under a head of their own, which `key` signs
 * and `ra` certifies; buf_free() it. */
struct buf world_wrap(struct world *, struct span inner, const char *id, enum cmp_assurance,
                      EVP_PKEY *key, X509 *ra);
/* Sends only; reads only. The answer's fields live as long as the struct. */
void world_send(struct world *, const struct link_message *);
void world_receive(struct world *, struct answer *);
void world_send_submit(struct world *, struct span inner, struct span nested);
/* Reads until the CA has hung up. False when it said anything but CHECKPOINT before. */
bool world_hung_up(struct world *);
/* SUBMIT of `inner`, nested, and its answer. */
void world_submit(struct world *, struct span inner, struct span nested, struct answer *);

/* While the daemon does not run: SQL on its ca.db. What it drops of triggers is there again at the
 * next start: whoever edits leaves none missing. By who can write the file; and by who has the CA's
 * user, so that all of it is sealed afterwards. */
void world_edit(struct world *, const char *sql);
void world_edit_as_ca(struct world *, const char *sql);
void world_mend_triggers(const struct world *);
/* How many leaves of this kind have both in their body; "" is in all. */
int world_leaves(const struct world *, const char *kind, const char *part, const char *other);
/* How many of a kind with `part` are behind the first REVOKED that has it. */
int world_leaves_when_revoked(const struct world *, const char *kind, const char *part);
/* An intent as a thief in the CA's process, or a CA that was killed after it, leaves it in the
 * database, sealed. The daemon does not run. */
void world_intend(const struct world *, const struct issuance_intent *);
/* The same with any operation, which must succeed. */
void world_call(const struct world *, struct store_op *);
