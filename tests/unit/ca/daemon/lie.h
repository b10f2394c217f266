/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lie.h - what an RA that lies hands to the CA of world.h: it signs what it should have refused, or
 * what is not so. Each row is one thing that is wrong, what the CA says to it, and what is in the
 * record afterwards.
 */
#pragma once

#include "tests/unit/ca/daemon/holder.h"
#include "tests/unit/ca/daemon/record.h"
#include "tests/unit/ca/policy/scene.h"

#define LIE_FQDN "amf1.5gc.mnc012.mcc345.3gppnetwork.org"

/* What a network function is registered with; all zero is usual. */
struct lie_terms {
    const char *proof;    /* NULL: a MAC */
    const char *profiles; /* NULL: nf-tls for 30 days */
    int opens_in;         /* seconds; 0: it is open */
    int certificates;     /* 0: 1 */
};
/* Registered, with a key and a secret; nf_free() it. No request is made yet. */
struct nf lie_nf(struct world *, const struct lie_terms *);

struct lie {
    const char *name;
    const struct nf *of;          /* whose registration the RA names, and whose MAC and key it is */
    struct scene_request request; /* policy/scene.h: what is sent, and what the RA says of it */
    X509 *ra;                     /* that wraps it; NULL: the RA that the CA knows */
    EVP_PKEY *ra_key;
    X509 *ca;                                           /* that it is meant for; NULL: ours */
    void (*twist)(const struct lie *, struct submit *); /* what is not so; NULL: nothing */
    const struct cmp_queue_entry *other;                /* what it adds to the entry, */
    struct queue_head head;                             /* and to the head */
    const char *damaged; /* an element of the Submission (der_edit.h), replaced by `by` */
    struct span by;
    bool before;    /* wrapped as RAs of before did */
    bool other_rid; /* is sent beside it */
    enum cmp_failure failure;
    const char *words;  /* a part of what is said: to the network function, or to the RA's log */
    const char *reason; /* a part of what the leaf says; NULL: nothing is decided */
};

/* Hands it in, and hears nothing yet. */
void lie_hand_in(struct world *, const struct lie *, uint8_t rid[SHA256_SIZE]);
/* Hands all of them in, then hears the answers: fails the test with the row's name when one is
 * another than the row says, REFUSED when there is a reason, else DEFERRED, or when the record has
 * anything that it should not have. */
void lies_are_found_out(struct world *, const struct lie *, size_t n);
void lie_is_found_out(struct world *, const struct lie *);
/* Hands it in, and it is granted: the certificate. */
X509 *lie_is_granted(struct world *, const struct lie *);

/* A request of this network function, that nobody has handed in; buf_free() it. */
struct buf lie_message(const struct world *, const struct nf *);

/* ---- the tests of liar.c ---- */
void an_ra_that_is_none_decides_nothing(void **state);
void an_entry_that_the_ra_did_not_sign_decides_nothing(void **state);
void all_entries_of_one_head_are_heard(void **state);
void a_wrapper_of_before_decides_nothing(void **state);
void an_ra_that_is_revoked_meanwhile_decides_nothing(void **state);
void a_registration_comes_under_its_own_id(void **state);
void what_is_too_long_or_no_message_ends_the_connection(void **state);
void a_request_that_an_honest_ra_refuses_is_refused(void **state);
void a_holder_that_an_honest_ra_refuses_is_refused(void **state);
void a_certificate_says_what_is_registered_whatever_is_asked(void **state);
void a_first_request_asks_for_registered_names_only(void **state);
void an_update_asks_for_no_other_names(void **state);
void a_proof_is_not_another_registrations(void **state);
void a_second_registration_by_one_proof_is_refused(void **state);
void two_of_before_with_one_proof_are_named_at_a_start(void **state);
void what_two_registrations_are_proven_by_gets_nothing(void **state);
void what_was_kept_back_is_not_for_a_later_registration(void **state);
void the_record_says_whose_word_the_time_is(void **state);
void what_was_answered_is_answered_so_elsewhere(void **state);
void a_confirmation_that_an_honest_ra_refuses_is_refused(void **state);
void a_revocation_that_an_honest_ra_refuses_is_refused(void **state);
