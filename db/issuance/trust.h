/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - the seals of rows (seals.h), as the verbs use them: asked before a row is believed,
 * told before it is written. Private to db/issuance/.
 *
 * Where a decision rests on what is not there (no other use, no renewal, no approval that was taken
 * back), all rows of the owner are asked for. ERR_STALE as in db/sealed/sealed.h.
 */
#pragma once

#include "db/issuance/seals.h"

/* What is read of this row from here on is as it was written. */
int trust_row(struct store_db *, const struct sealed_table *, struct store_value key, bool *found,
              struct err *e);
/* The same; whether it is there, the caller's query says. */
int trust(struct store_db *, const struct sealed_table *, struct store_value key, struct err *e);
/* Before INSERT, UPDATE and DELETE of this row. */
int trust_change(struct store_db *, const struct sealed_table *, struct store_value key,
                 struct err *e);

/* All rows of this network function. */
int trust_nf(struct store_db *, const char *nf_instance, struct err *e);
/* The same of the one of a registration, "" and NULL are none. */
int trust_registered(struct store_db *, const char *registration, struct err *e);
/* A registration, a certificate: that it is missing is believed when no leaf says that there is
 * one.
 */
int trust_registration(struct store_db *, const char *id, struct err *e);
int trust_certificate(struct store_db *, struct span serial, struct err *e);
/* A request and what stands in its row's place: its registration and its certificate, once it has
 * one (`serial`; empty: none). */
int trust_request(struct store_db *, struct span rid, const char *registration, struct span serial,
                  struct err *e);
/* What waits under this rid, with all of its network function, and with the certificates of the
 * officers who decided. */
int trust_pending(struct store_db *, struct span rid, struct err *e);
/* Before the INSERT into request, which closes what waits under this rid. */
int trust_new_request(struct store_db *, struct span rid, struct err *e);
/* Everything that is revoked of certificates that end within these days, and that there is no
 * more. */
int trust_revoked(struct store_db *, time_t from, time_t until, struct err *e);
/* The newest CRL number, 0 when there is none, and that there was none behind it. */
int trust_newest_crl(struct store_db *, uint64_t *number, struct err *e);
