/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - what the files of history/ share. */
#pragma once

#include "tests/support/history/history.h"

enum { HISTORY_RECORD = 7 /* version of the record */ };

struct leaf *history_leaf(struct history *, enum leaf_kind) OWNED(leaf_free);
/* Takes the leaf. */
void history_append(struct history *, struct leaf *);
/* A member that is SHA-256 of these octets. */
void history_hash(struct leaf *, const char *member, struct span octets);
/* What this person signed, as CMS. */
void history_sign(const struct history_person *, const char *text, struct leaf *,
                  const char *member);
/* Takes the INTENT that somebody began. */
void history_certificate(struct history *, struct leaf *intent, const char *rid, X509 *);
void history_certificate_issued(struct history *, const char *rid, X509 *);
X509 *history_hostile_certificate(struct history *, EVP_PKEY *, int days);
