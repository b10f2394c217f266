/* SPDX-License-Identifier: Apache-2.0 */
/* officer.h - an officer at the admin socket of the CA of world.h. */
#pragma once

#include "tests/unit/ca/daemon/lie.h"

/* The request for a certificate. */
json_t *officer_wants(const char *csr, const char *profile, const char *name, int days);
/* Takes the request; fails the test when it is not refused so. */
void officer_is_refused(struct world *, const char *row, json_t *request, enum err_code,
                        const char *says);
/* The serial number of what is given; mem_free() it. */
char *officer_is_issued(struct world *, json_t *request);
/* Sends the request and does not wait; the answer, by which that connection ends. */
int officer_sends(const struct world *, json_t *request);
json_t *officer_hears(int fd);
/* A connection that stays, takes the request and waits for the next answer; the caller closes it.
 */
int officer_connects(const struct world *);
void officer_says(int fd, json_t *request);
json_t *officer_reads(int fd);

/* ---- the tests of officer_signer.c ---- */
void what_is_being_worked_on_is_not_begun_twice(void **state);
void a_kill_before_the_signature_leaves_one_certificate(void **state);
void what_cannot_be_signed_now_is_asked_for_again(void **state);
void a_daemon_that_stops_ends_what_it_began_and_begins_nothing(void **state);
void what_no_officer_asks_for_again_within_a_day_is_given_up(void **state);
