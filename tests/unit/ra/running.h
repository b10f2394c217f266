/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running.h - nfpki-ra as it runs, all of it but its main(): settings from a file, a real signer
 * with a SoftHSM token, ra.db, HTTP, the admin socket. At the other end of the link is a CA that
 * does what a test says, over a real socket.
 *
 * All of it is on one loop in the test's thread, so a test may look at anything between two calls;
 * only the clients, which block, have a thread each while they are asked for something. Everything
 * fails the test when it cannot be made.
 */
#pragma once

#include <jansson.h>
#include <openssl/ssl.h>

#include "ca/link/server.h"
#include "db/requests/requests.h"
#include "db/store/store.h"
#include "ra/daemon/ra.h"
#include "tests/support/cmp_client.h"
#include "tests/support/notes.h"
#include "tests/support/pki.h"
#include "tests/support/tap.h"
#include "tests/support/test.h"

struct admin_server;
struct api_server;
struct front;

struct running {
    char *dir;
    struct pki *pki;
    X509 *certificate; /* of the RA; its key is in the token */
    EVP_PKEY *registrar_key;
    X509 *registrar;
    EVP_PKEY *officer_key;
    X509 *officer;
    struct settings *settings;
    struct ra ra;
    struct event *tasks;
    struct front *front;
    struct admin_server *admin;
    struct api_server *api;
    size_t ups; /* of the link */

    /* The CA; NULL: it is away. */
    struct link_server *ca;
    /* What it does with each request but HELLO; NULL: running_ca_does(). */
    void (*ca_does)(struct running *, link_peer, const struct link_message *);
    struct link_message welcome; /* as it says it */
    struct notes log;            /* the CA's, */
    struct buf note;             /* which begins as large as this */
    struct buf shown;            /* what the last HELLO had; empty: none */
    bool ca_is_mute;             /* it says no WELCOME */
    size_t open_max;             /* requests that it reads before it has answered; 0: many */
    size_t asked[32];            /* by link_type, since the last running_reset() */
    struct known {               /* whose certificates it issues, by registration */
        char id[33];
        char instance[37];
    } known[128];
    size_t n_known;
    link_peer peer;  /* of the last request */
    struct buf last; /* the body of the last SUBMIT, REGISTER, CANCEL */
    uint8_t last_id[LINK_RID_SIZE];
};

/* A sync_wait that is over soon, and in which the signer signs nevertheless. */
enum { RUNNING_SIGNED_WAIT_MS = 3000 };

/* For cmocka_run_group_tests(): *state is a struct running. The log is tapped (tap.h). */
int running_setup(void **state);
int running_teardown(void **state);
/* The files alone, and a loop, for who runs the program itself: running_ca_comes() and
 * running_ask() find it. */
int running_files_setup(void **state);
int running_files_teardown(void **state);
/* For each test: a good CA that is there, no budget used up, nothing counted; tap_mark(). */
int running_reset(void **state);
/* The same with more in nfpki-ra.conf; before running_setup(). */
void running_configure(const char *more);
/* And with a policy of its signer that forbids heads of its queue. */
void running_sign_no_heads(void);
/* And with a token that seals: ra.db, too. */
void running_seal_file(void);
/* What the CA said of certificates is forgotten. */
void running_forget_roles(struct running *);

/* ---- the loop ---- */

/* Turns it until `is_so`; two minutes without are a failure. */
void running_until(struct running *, bool (*is_so)(struct running *));
/* As a good CA says it. */
struct link_message running_welcome(const struct running *);
/* Until nothing is under way: no job, no flight. */
void running_settle(struct running *);
/* So many turns of what is ready, and of what becomes ready within `ms`. */
void running_for(struct running *, int ms);
/* A client's work on a thread of its own, while the loop turns. */
struct running_task;
struct running_task *running_begin(struct running *, void (*work)(void *), void *arg);
void running_end(struct running *, struct running_task *);
bool running_is_over(const struct running_task *);
void running_do(struct running *, void (*work)(void *), void *arg);

/* One statement on ra.db; STORE_VALUES() or STORE_NO_VALUES. */
void running_sql(struct running *, const char *sql, const struct store_value *values, size_t n);
int64_t running_number(struct running *, const char *sql, const struct store_value *values,
                       size_t n);
/* Into `out`, whose maximum is set. */
void running_blob(struct running *, const char *sql, const struct store_value *values, size_t n,
                  struct buf *out);
/* requests_verify_chain() */
int running_chain(struct running *, struct err *e);
bool running_is_up(struct running *);
bool running_is_down(struct running *);
/* Has it got a SUBMIT? w->asked counts, and a test may set that to 0. */
bool running_is_submitted(struct running *);

/* ---- the CA ---- */

void running_ca_goes(struct running *);
/* It comes, and the link is up when this returns (unless ca_is_mute). */
void running_ca_comes(struct running *);
/* Issues, confirms, revokes, registers, cancels, and knows who is who. */
void running_ca_does(struct running *, link_peer, const struct link_message *);
/* Answers a SUBMIT, or whatever has this id. */
void running_ca_says(struct running *, const struct link_message *);
/* The certificate for a SUBMIT's inner message; buf_free() it. */
struct buf running_ca_issues(struct running *, struct span submission);

/* ---- clients ---- */

/* What came over HTTP: the whole answer, and its body in it. */
struct heard {
    int status; /* 0: nothing came */
    struct buf octets;
    struct span body;
};
void heard_free(struct heard *);
/* Does a header field say this? "Retry-After: 5" */
bool heard_has(const struct heard *, const char *field);

struct talk {
    unsigned port;
    SSL_CTX *tls;     /* NULL: none */
    bool keeps_alive; /* it is the client who ends the connection */
    struct buf request;
    struct heard heard;
};
/* POST to the listener for network functions; `more` are header fields besides, each with CRLF. */
struct talk running_cmp(const struct running *, const char *path, const char *more,
                        struct span message);
/* Runs a talk on a helper's thread: the argument of running_begin(). */
void talk_run(void *talk);
void talk_free(struct talk *);

/* ---- threads that are held (running_gate.c) ---- */

struct gate;
/* Nothing may ask the store from the test's own thread meanwhile. */
struct gate *running_hold_store(struct running *);
struct gate *running_hold_workers(struct running *);
void running_release(struct running *, struct gate *);
/* These are said at once, each on a thread of its own: what ra.db knows of each is found out before
 * any of them is judged. The workers are held; running_end() each. */
struct gate *running_all_known(struct running *, struct talk *, struct running_task **, size_t n);
/* Releases them, and all are judged before any of them is admitted. */
void running_all_meet(struct running *, struct gate *workers);

/* The administrators' listener. */
unsigned running_admin_port(const struct running *);
/* The whole of it at once. */
struct heard running_post(struct running *, struct span message);

/* Over the admin socket. Owned answer, or NULL and why. */
json_t *running_ask(struct running *, json_t *request, struct err *e);
/* With an attachment; the rows into an array, which is the caller's. */
json_t *running_ask_rows(struct running *, json_t *request, struct span attachment, json_t **rows,
                         struct err *e);

/* ---- network functions ---- */

struct member {
    char id[33];
    char instance[37];
    char *reference;
    char *secret;
    struct buf algorithm;
    EVP_PKEY *key;
    X509 *certificate; /* after running_enrol() */
    struct cmp_client client;
    struct cmp_client_state state;
    struct buf message; /* the last one */
};
void member_free(struct member *);
/* JSON of a registration with a new instance; "" as proof: MAC. */
char *running_document(const char *instance, const char *proof, int certificates);
void running_instance(char out[37]);
/* Signed by the registrar; buf_free() it. */
struct buf running_signed(const struct running *, const char *document);
struct buf running_cancellation(const struct running *, const char *id);
/* Registered over the admin socket, with a MAC. */
struct member running_member(struct running *);
/* The registered name; X509_NAME_free() it. */
X509_NAME *member_name(void);
/* Its request is made: ir, cr, p10cr, kur. */
void member_requests(struct member *, enum cmp_body);
/* A message with this body; `first` begins a transaction. */
void member_says(struct member *, bool first, struct span body);
/* Posts its message; the answer must be CMP and for this transaction. cmp_client_answer_free(). */
struct cmp_client_answer member_asks(struct running *, struct member *);
/* Posts it and fails unless it is refused with this failInfo and phrase, in this body. */
void member_is_refused(struct running *, struct member *, enum cmp_body, enum cmp_failure,
                       const char *phrase);
/* Of its one enrolment in ra.db, as it is and as it becomes. */
int64_t running_state(struct running *, const struct member *);
void running_becomes(struct running *, const struct member *, enum requests_state);
/* Has a certificate, confirmed. */
void member_enrols(struct running *, struct member *);

/* A certificate of one who is no network function. */
X509 *running_officer(const struct running *, const char *profile, const char *name, EVP_PKEY *);
