/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registrar.h - what must be true of registrations and their end: each is signed under a
 * certificate that the same record has, before it, as a registrar's and not as revoked; or, an end,
 * says which officer of the CA it was. Private to rules.c.
 *
 * A registration that is one of a batch has its own evidence, of which the certificate's role is
 * looked at here. Ends of before the record said who are taken, up to the first that says it.
 *
 * Memory: the registrars.
 */
#pragma once

#include "db/ledger/leaf.h"

struct audit_registrars;
void audit_registrars_free(struct audit_registrars *);
struct audit_registrars *audit_registrars_new(void) OWNED(audit_registrars_free);

/* The next leaf, of any kind. ERR_CRYPTO with the rule that it breaks. */
int audit_registrars_check(struct audit_registrars *, const struct leaf *, struct err *e);
