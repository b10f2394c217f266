/* SPDX-License-Identifier: Apache-2.0 */
/* talking.h - what a network function says to an RA that runs, and what it must hear. */
#pragma once

#include "ca/cmp/protection/protect.h"
#include "tests/unit/ra/running.h"

enum { TALKING_BURST = 30, TALKING_WAIT_MS = 60 };
/* A question without a value: talking_asks(). */
enum { TALKING_CA_CERTS = 0x11, TALKING_CURRENT_CRL = 0x06 };

/* running_setup(), with a budget of TALKING_BURST for each registration. */
int talking_setup(void **state);

/* Refused by HTTP status and in CMP. */
void talking_is_busy(const struct heard *h, const struct member *m, enum cmp_failure failure,
                     const char *phrase, const char *retry_after);
/* Protected in whatever way. */
void talking_is_error(const struct heard *h, enum cmp_failure failure);
void talking_is_bare(const struct heard *h, const char *retry_after);
void talking_hears(struct running *w, struct member *m, enum cmp_body body);
void talking_hears_waiting(struct running *w, struct member *m, enum cmp_body body);
void talking_polls(struct member *m, int cert_req_id);
void talking_confirms(struct member *m, const struct buf *certificate, bool accept);
/* A CA that waits for people. */
void talking_waits(struct running *w, link_peer peer, const struct link_message *m);
/* RFC 9483 3.2: protected as the request was where that proved who asks, else signed. */
enum cmp_protection talking_protection_of(struct span answer);
/* Enrolled, and signs from now on. */
struct member talking_signer(struct running *w);
/* genm */
void talking_asks(struct member *m, uint8_t what);
int64_t talking_last_number(struct running *w, const struct member *m, const char *sql);
void talking_becomes(struct running *w, const struct member *m, enum requests_state state);
int talking_tokens_left(struct running *w, const struct member *m);
/* The RA says so itself, by HTTP and in CMP. */
void talking_is_our_failure(struct running *w, struct member *m);
/* One that says nothing to SUBMIT. */
void talking_says_nothing(struct running *w, link_peer peer, const struct link_message *m);

#define TALKING_LAST(column)                                                                       \
    "SELECT " column " FROM enrolment WHERE registration = ? ORDER BY id DESC LIMIT 1"
