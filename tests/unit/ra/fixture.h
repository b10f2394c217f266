/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.h - an RA without its listeners, its link and its signer: credentials, settings, an
 * ra.db, workers and a loop; who is registered there, and messages of network functions.
 * Everything fails the test when it cannot be made.
 *
 *   f = fixture_new(PKI_NOW);
 *   fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, id);
 *   client = fixture_mac(f, "amf-1");
 *   fixture_ask(f, &client, CMP_IR, NULL, &message);
 *   job = fixture_job(f, buf_span(&message));
 *   fixture_judge(job) ... job->failure, job->e.text
 */
#pragma once

#include "ca/registration/registration.h"
#include "ra/judge/job.h"
#include "tests/support/cmp_client.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { FIXTURE_DAY = 24 * 60 * 60, FIXTURE_REVOKED = 0x0bad };

/* Of pki_nf(), and somebody else's. */
#define FIXTURE_NF "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"
#define FIXTURE_OTHER_NF "1d5b94b1-35ad-49bb-b118-8e8fc24abf81"
#define FIXTURE_FQDN "amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org"
#define FIXTURE_SECRET "the one-time secret of a test"

struct fixture {
    char *dir;
    time_t now; /* of certificates, registrations and jobs */
    struct pki *pki;
    EVP_PKEY *ra_key; /* of ra.credentials.certificate */
    EVP_PKEY *key;    /* one to be certified */
    EVP_PKEY *vendor_key;
    X509 *vendor;   /* a root of purpose vendor */
    X509 *upstream; /* a root of purpose ra, with the same key */
    X509 *strict;   /* a vendor's, the same; with a CRL in which the serial FIXTURE_REVOKED is */
    X509_NAME *subject; /* the registered one */
    struct settings *settings;
    struct ra ra; /* no signer, queue, roles, closing */
    struct buf pbm;
    struct event *finished;
    unsigned count; /* registrations, queue entries */
};

/* `now` is PKI_NOW, or clock_now() for what looks at the clock itself. */
struct fixture *fixture_new(time_t now);
void fixture_free(struct fixture *);
/* For cmocka: *state is one of PKI_NOW, or of clock_now(). The last thing of a program. */
int fixture_setup(void **state);
int fixture_setup_now(void **state);
int fixture_teardown(void **state);

/* ---- who is registered ---- */

struct fixture_registration {
    enum proof_kind proof;
    const char *reference; /* mac; its secret is FIXTURE_SECRET */
    X509 *certificate;     /* certificate, vendor */
    EVP_PKEY *key;         /* publicKey */
    const char *instance;  /* NULL: FIXTURE_NF */
    const char *profiles;  /* "nf-tls", "nf-tls-client"; NULL: "nf-tls" */
    const char *json;      /* of the row; NULL: made of the others */
    const char *says;      /* the proof in the document; NULL: as the row has it */
    time_t not_before;     /* 0: a day ago */
    time_t not_after;      /* 0: in 30 days */
    const char *more;      /* JSON behind the members that there must be; NULL: none */
    int certificates;      /* 0: 3 */
    bool cancelled;
};
void fixture_register(struct fixture *, const struct fixture_registration *,
                      char id[REGISTRATION_ID_SIZE]);

void fixture_cancel(struct fixture *, const char *id);

/* In one operation of the store; fails the test when it fails. */
void fixture_call(struct fixture *, int (*verb)(struct store_db *, void *, struct err *),
                  void *arg);
/* The same; with its result. */
int fixture_try(struct fixture *, int (*verb)(struct store_db *, void *, struct err *), void *arg,
                struct err *e);

/* ---- certificates ---- */

/* SHA-256 of its DER, and of its SubjectPublicKeyInfo. */
void fixture_hash_certificate(const X509 *, uint8_t out[SHA256_SIZE]);
void fixture_hash_key(EVP_PKEY *, uint8_t out[SHA256_SIZE]);

/* Of ours for this network function (NULL: FIXTURE_NF), 30 days from now. */
X509 *fixture_certificate(struct fixture *, const char *instance, EVP_PKEY *key);
/* The same from `from` days on for `days`. */
X509 *fixture_certificate_at(struct fixture *, const char *instance, EVP_PKEY *key, int from,
                             int days);
/* Of a vendor's device, "CN=<name>". */
X509 *fixture_device(struct fixture *, const char *name, EVP_PKEY *key);
/* It was delivered under this registration and profile: ra.db knows it. */
void fixture_deliver(struct fixture *, const X509 *, const char *id, const char *profile);
void fixture_revoked(struct fixture *, const X509 *);

/* From now on this key is on the operator's list of blocked ones, which it has alone. */
void fixture_block(struct fixture *, EVP_PKEY *);

/* An enrolment of this identity ("mac:<reference>", "cert:<SHA-256>"), as far as this state; with
 * all that led there. */
struct fixture_enrolment {
    const char *identity;
    const char *registration;
    const char *profile; /* NULL: nf-tls */
    enum cmp_body body;
    int cert_req_id;
    bool implicit;
    enum requests_state state;
    X509 *certificate;                  /* from ANSWERED on; NULL: none, it was an rr */
    bool rejects;                       /* CONFIRMING, CONFIRMED: its certConf does */
    const struct cmp_client_state *was; /* its transactionID, and our last senderNonce */
    const char *nonce_before;           /* of CMP_NONCE_SIZE; NULL: that was the first answer */
    struct span certconf;               /* CONFIRMING: the octets in the queue; empty: others */
};
void fixture_enrol(struct fixture *, const struct fixture_enrolment *);
/* issuing.crl in settings->crl_dir, until `seconds` from now, with what is revoked (NULL: nothing).
 */
enum { FIXTURE_NO_END = INT32_MIN /* no nextUpdate */ };
void fixture_crl(struct fixture *, X509 *revoked, int seconds);

/* ---- messages ---- */

struct cmp_client fixture_mac(struct fixture *, const char *reference);
struct cmp_client fixture_signer(struct fixture *, X509 *, EVP_PKEY *);

/* What is otherwise than usual; all zero: nothing. */
struct fixture_message {
    bool later;                   /* goes on with `state`: recipNonce and transactionID of it */
    const struct cmp_msg *around; /* transactionID and nonces are those of this one */
    time_t time;                  /* messageTime; 0: now; -1: none */
    struct span kid;              /* senderKID; p == NULL: as usual */
    const char *edit;     /* the element of the ProtectedPart at this path (der_edit.h) ... */
    struct span with;     /*   ... gives way to this */
    bool unprotected;     /* neither protection nor protectionAlg */
    bool broken;          /* the last octet of the protection is another one */
    struct span extra[4]; /* extraCerts behind the signer's */
    size_t n_extra;
};
/* A message with this body; `state` may be NULL. buf_free() it. */
struct buf fixture_message(struct fixture *, const struct cmp_client *, struct span body,
                           const struct fixture_message *, struct cmp_client_state *state);
/* ir, cr, kur with a template of this wish (NULL: the registered subject) for f->key. */
struct buf fixture_body(struct fixture *, enum cmp_body, const struct cmp_client_wish *);
/* p10cr for that key and subject. */
struct buf fixture_p10cr(struct fixture *);
/* An extension of a template, as in openssl-x509v3_config(5). */
X509_EXTENSION *fixture_extension(int nid, const char *value) OWNED(X509_EXTENSION_free);
/* Both. */
struct buf fixture_ask(struct fixture *, const struct cmp_client *, enum cmp_body);

/* ---- what becomes of them ---- */

/* It came to the listener of /.well-known/cmp at f->now; `raw` is borrowed. job_free() it. */
struct job *fixture_job(struct fixture *, struct span raw);

/* Where judging stopped. */
enum fixture_stage {
    FIXTURE_FORM,      /* judge_form() */
    FIXTURE_REQUESTER, /* judge_requester() */
    FIXTURE_REQUEST,   /* judge_request() */
    FIXTURE_TAKEN,     /* nowhere */
};
enum fixture_stage fixture_judge(struct job *);
/* What the database knows, of a message whose form is right; and both. */
void fixture_known(struct job *);
void fixture_look_up(struct job *);
/* Does judging stop there with this failInfo (CMP_NO_FAILURE: none), a reason that contains `why`
 * (NULL: any) and the phrase (PHRASE_NONE: any)? Else the row is printed. For assert_int_equal() of
 * the sum of a table: 0, or 1 when it does not. */
struct fixture_verdict {
    enum fixture_stage stage;
    enum cmp_failure failure;
    const char *why;
    enum phrase phrase;
};
int fixture_expect(struct job *, const struct fixture_verdict *, const char *row)
    __attribute__((warn_unused_result));

/* The same of such a message to the strict listener. */
int fixture_row(struct fixture *, const struct cmp_client *, struct span body,
                const struct fixture_message *, const struct fixture_verdict *, const char *row)
    __attribute__((warn_unused_result));
int fixture_row_later(struct fixture *, const struct cmp_client *, struct span body,
                      struct cmp_client_state *, const struct fixture_verdict *, const char *row)
    __attribute__((warn_unused_result));
#define FIXTURE_GOOD                                                                               \
    {                                                                                              \
        FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE                                           \
    }

/* The loop, until `*done`. */
void fixture_run_until(struct fixture *, const bool *done);
