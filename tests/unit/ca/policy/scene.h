/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - a CA as its pure rules see it (policy.h, requester.h, confirmation.h): an RA, a
 * vendor's device, a network function, and requests of any kind, at PKI_NOW. No daemon, no
 * database. Everything fails the test when it cannot be made.
 */
#pragma once

#include "ca/policy/policy.h"
#include "tests/support/cmp_client.h"
#include "tests/support/pki.h"
#include "tests/support/submit.h"
#include "tests/support/test.h"

#define SCENE_REGISTRATION "00112233445566778899aabbccddeeff"
#define SCENE_INSTANCE "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"

enum {
    SCENE_BATCH = 3,
    SCENE_DAY = 24 * 60 * 60,
    SCENE_END = PKI_NOW + 30 * SCENE_DAY /* of what pki.h issues */
};

struct scene {
    char *dir;
    struct pki *pki;
    EVP_PKEY *ra_key;
    X509 *ra;
    struct policy_ra ras[1];
    EVP_PKEY *vendor_key; /* of the one vendor whose root is trusted */
    X509 *vendor;
    EVP_PKEY *device_key;
    X509 *device; /* CN=device 1, from PKI_NOW to SCENE_END */
    EVP_PKEY *held_key;
    X509 *held;           /* nf-tls of ours, from PKI_NOW to SCENE_END */
    EVP_PKEY *key;        /* another one, that requests are for */
    struct buf algorithm; /* of a MAC */
    struct policy policy;
};

/* For cmocka: *state is a struct scene. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* What a network function sends, and what its RA says about it. All zero: an ir with a MAC for
 * scene.key, attested so, received at PKI_NOW, under nf-tls. */
struct scene_request {
    enum cmp_body body;
    X509 *certificate; /* that signs, with `signs`; NULL: a MAC */
    EVP_PKEY *signs;
    EVP_PKEY *asked;
    const X509 *subject_of; /* whose subject is asked for; NULL: that of scene.held */
    struct span content;    /* the body with its tag, in place of one that asks for `asked` */
    const char *wish;       /* certProfile */
    const char *reference;  /* of a MAC */
    struct cmp_client_state *goes_on; /* no first message */
    const char *edit; /* an element of what was made (der_edit.h), replaced by `with` */
    struct span with;
    bool unprotected;
    bool lies; /* attests the other assurance */
    const char *profile;
    const char *registration;
    time_t received;
    time_t made;    /* messageTime; 0: as received */
    bool no_time;   /* no messageTime */
    uint64_t first; /* of the head; 0: 1 */
};

/* The client that it is made by; it borrows. */
struct cmp_client scene_client(const struct scene *, const struct scene_request *);
/* Its octets; buf_free() them. */
struct buf scene_message(const struct scene *, const struct scene_request *);
/* What an RA hands in of it, one of three entries under a head, for the CA whose issuing
 * certificate is `ca`; NULL: for ours. submit_free() it. */
struct submit scene_submit(const struct scene *, const struct scene_request *, struct span message,
                           X509 *ra, EVP_PKEY *ra_key, X509 *ca);
/* Its octets; buf_free() them. */
struct buf scene_wrap(const struct scene *, const struct scene_request *, struct span message,
                      X509 *ra, EVP_PKEY *ra_key, X509 *ca);
/* As RAs of before did. */
struct buf scene_wrap_before(const struct scene *, const struct scene_request *,
                             struct span message, X509 *ra, EVP_PKEY *ra_key, const X509_NAME *ca);
/* What was opened of it. */
struct cmp_queued *scene_queued(const struct scene *, const struct scene_request *)
    OWNED(cmp_queued_free);

/* JSON of the registration, with this proof and more members: ",\"supersedes\":..."; mem_free() it.
 * Open from PKI_NOW to SCENE_END. */
char *scene_registration(const char *proof, const char *profiles, const char *more);
#define SCENE_MAC "{\"kind\":\"mac\"}"
#define SCENE_PROFILES "[{\"name\":\"nf-tls\",\"maxValidityDays\":20}]"
/* Proofs; mem_free() them. */
char *scene_pins_certificate(X509 *);
char *scene_pins_key(EVP_PKEY *);
char *scene_of_vendor(X509 *);
