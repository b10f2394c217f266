/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - the seals of rows (seals.h), as the verbs use them: asked before a row is believed,
 * told before it is written. Private to db/requests/.
 *
 * Where a decision rests on what is not there (no other registration, no certificate that was
 * revoked, no transaction), all rows of the owner are asked for. ERR_STALE as in
 * db/sealed/sealed.h.
 */
#pragma once

#include "db/requests/requests.h"
#include "db/requests/seals.h"

/* What is read of this row from here on is as it was written; whether it is there, the caller's
 * query says. */
int requests_trust(struct store_db *, const struct sealed_table *, struct store_value key,
                   struct err *e);
/* Before INSERT, UPDATE and DELETE of this row. */
int requests_trust_change(struct store_db *, const struct sealed_table *, struct store_value key,
                          struct err *e);
/* The same of each row whose key `sql` gives. */
int requests_trust_changes(struct store_db *, const struct sealed_table *, const char *sql,
                           const struct store_value *values, size_t n, struct err *e);

/* All rows of this network function. */
int requests_trust_nf(struct store_db *, const char *nf_instance, struct err *e);
/* The same of the one of a registration. */
int requests_trust_registered(struct store_db *, const char *registration, struct err *e);
/* Every registration that pins one of these, with all of its network function; spans that are
 * empty, and a subject that is NULL, are none. */
int requests_trust_pinned(struct store_db *, const struct requests_signer *, struct err *e);

/* An enrolment and its registration; `id` is no number of one: nothing. */
int requests_trust_enrolment(struct store_db *, int64_t id, struct err *e);
/* The same, with all of its network function. */
int requests_trust_owner_of(struct store_db *, int64_t enrolment, struct err *e);
/* An entry of the queue, and its enrolment with what that has. */
int requests_trust_entry(struct store_db *, struct span rid, struct err *e);
/* Before UPDATE of the registration of the enrolment that an entry is of, when that was a use. */
int requests_trust_give_back(struct store_db *, struct span rid, struct err *e);
/* Before UPDATE of the enrolment that an entry is of. */
int requests_trust_change_of(struct store_db *, struct span rid, struct err *e);

/* Of what was seen. */
int requests_trust_seen(struct store_db *, const char *identity, struct span transaction_id,
                        bool *seen, struct err *e);
/* Is the enrolment there that its replay entry says? ERR_STALE when it is not; without such an
 * entry there is none. */
int requests_trust_began(struct store_db *, const char *identity, struct span transaction_id,
                         struct err *e);
int requests_trust_change_seen(struct store_db *, const char *identity, struct span transaction_id,
                               struct err *e);
