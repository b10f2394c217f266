/* SPDX-License-Identifier: Apache-2.0 */
/* verb.h - what db/requests is told and asked, each as an operation of its own in a store. */
#pragma once

#include "db/requests/requests.h"
#include "tests/support/verb.h"

#define ID "00112233445566778899aabbccddeeff"

/* The database in this folder, which is sealed; verb_end() it, which looks at all of it. */
struct store *verb_store(const char *dir);
/* The same, or NULL with what was found at its opening; store_free() it. */
struct store *verb_try_store(const char *dir, struct err *);
/* Each page is as it was sealed. */
int verb_scrub(struct store_db *, void *none, struct err *);
void verb_end(struct store *);
void verb_end_cleanup(struct store **); /* for CLEANUP */

struct registering {
    const char *id;
    const char *reference;
    const char *fingerprint;
    const char *subject;
    int certificates;
    int64_t registered;
    const char *public_key; /* NULL: none */
    const char *nf;         /* NULL: "nf" */
};

int verb_register(struct store_db *, void *registering, struct err *);
/* As many certificates, for whoever has the reference. */
void verb_registration(struct store *, const char *id, const char *reference, int certificates);

struct admitting {
    const char *identity;
    const char *tid;
    uint8_t rid[REQUESTS_RID_SIZE];
    bool implicit;
    bool uncounted;
    char message[16];
    const char *nonce; /* NULL: it is not known */
    int64_t enrolment;
    uint64_t sequence;
};

/* Who makes heads here. */
extern const struct requests_author verb_author;
/* What is said of a message; buf_free() it. */
struct buf verb_entry(const uint8_t rid[REQUESTS_RID_SIZE]);
/* It alone, with its head. */
int verb_admit(struct store_db *, void *admitting, struct err *);
struct admitting verb_admitting(const char *tid, uint8_t n);

struct state_query {
    const char *tid;
    struct requests_enrolment out;
    enum requests_owner owner;
    const char *identity;
};

int verb_find(struct store_db *, void *state_query, struct err *);
/* What stands of the transaction; fails the test when it has another state. */
struct requests_enrolment verb_enrolment(struct store *, const char *tid);
void verb_assert_state(struct store *, const char *tid, enum requests_state);

/* requests_asked_find() with the enrolment, which who sent the entry knows. */
int verb_asked(struct store_db *, struct span rid, struct requests_asked *, struct err *);
/* One of the CA's answers to the entry with this rid. */
int verb_answer(struct store_db *, struct span rid,
                int (*answer)(struct store_db *, struct requests_asked *, struct err *),
                struct err *);
/* This certificate, whatever it is. */
int verb_answer_issued(struct store_db *, struct span rid, struct span certificate, struct err *);
/* Of a rid. */
int verb_issued(struct store_db *, void *rid, struct err *);
int verb_refused(struct store_db *, void *rid, struct err *);

struct sending {
    int64_t enrolment;
    const char *nonce;
};

int verb_sent(struct store_db *, void *sending, struct err *);

int verb_remember(struct store_db *, void *tid, struct err *);
int verb_cancel(struct store_db *, void *id, struct err *);
