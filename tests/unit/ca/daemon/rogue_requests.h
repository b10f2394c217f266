/* SPDX-License-Identifier: Apache-2.0 */
/* rogue_requests.h - requests for certificates that the RA of rogue.h hands in. */
#pragma once

#include "tests/unit/ca/daemon/rogue.h"

const struct rogue_nf *rogue_one_of(struct rogue *, const struct rogue_nf group[ROGUE_GROUP]);
/* One that proves itself by a signature. */
const struct rogue_nf *rogue_a_signed(struct rogue *);
/* A message as `by` proves itself, that the RA puts under the registration of `under`. */
void rogue_ask(const struct rogue *, struct rogue_frame *, const struct rogue_nf *by,
               const struct rogue_nf *under, struct scene_request);

/* Rows of the table: what is made, */
void rogue_as_it_is(struct rogue *, struct rogue_frame *);
void rogue_own_secret(struct rogue *, struct rogue_frame *);
void rogue_swapped(struct rogue *, struct rogue_frame *);
void rogue_swapped_to_secret(struct rogue *, struct rogue_frame *);
void rogue_swapped_to_signed(struct rogue *, struct rogue_frame *);
void rogue_attested_mac(struct rogue *, struct rogue_frame *);
void rogue_attested_signed(struct rogue *, struct rogue_frame *);
void rogue_under_none(struct rogue *, struct rogue_frame *);
void rogue_under_cancelled(struct rogue *, struct rogue_frame *);
void rogue_not_open(struct rogue *, struct rogue_frame *);
void rogue_others_update(struct rogue *, struct rogue_frame *);
void rogue_update_by_mac(struct rogue *, struct rogue_frame *);
void rogue_other_profile(struct rogue *, struct rogue_frame *);
void rogue_withheld(struct rogue *, struct rogue_frame *);
void rogue_withheld_dated_back(struct rogue *, struct rogue_frame *);
void rogue_withheld_without_time(struct rogue *, struct rogue_frame *);
void rogue_kept_a_day(struct rogue *, struct rogue_frame *);
void rogue_ahead(struct rogue *, struct rogue_frame *);
void rogue_from_tomorrow(struct rogue *, struct rogue_frame *);
void rogue_widened(struct rogue *, struct rogue_frame *);
void rogue_widened_signed(struct rogue *, struct rogue_frame *);
void rogue_other_organization(struct rogue *, struct rogue_frame *);
void rogue_once_more(struct rogue *, struct rogue_frame *);
void rogue_once_more_elsewhere(struct rogue *, struct rogue_frame *);
void rogue_transaction_again(struct rogue *, struct rogue_frame *);
void rogue_others_key(struct rogue *, struct rogue_frame *);
void rogue_vouched_for(struct rogue *, struct rogue_frame *);
void rogue_without_pop(struct rogue *, struct rogue_frame *);
void rogue_other_pop(struct rogue *, struct rogue_frame *);
void rogue_altered(struct rogue *, struct rogue_frame *);
void rogue_other_rid(struct rogue *, struct rogue_frame *);
/* and what is not so of the head or the entry. */
void rogue_other_chain(struct rogue *, struct submit *);
void rogue_other_signer(struct rogue *, struct submit *);
void rogue_other_ca(struct rogue *, struct submit *);
void rogue_other_root(struct rogue *, struct submit *);
void rogue_other_text(struct rogue *, struct submit *);
void rogue_other_path(struct rogue *, struct submit *);
void rogue_other_index(struct rogue *, struct submit *);
void rogue_other_entry(struct rogue *, struct submit *);
void rogue_no_ra(struct rogue *, struct submit *);
