/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subject.h - what a leaf is found by: its kind, and the value of one of its members, its subject,
 * which stand beside its octets (tables leaf and leaf_subject). For db/ledger/, and for whoever
 * compares all rows (db/issuance/scrub.c).
 *
 * By INTENT, ISSUED, REVOKED: the octets of `serial`. REGISTRATION: those of `registration`.
 * ACKNOWLEDGED: those of `sha256`. RA-REPORT: those of `report`. CEREMONY: those of `head`. CRL,
 * CRL-INTENT: the number `number`. Leaves of the other kinds are found by their index alone, and
 * have no row in leaf_subject.
 *
 *   SELECT l.idx, l.body FROM leaf_subject o JOIN leaf l ON l.idx = o.idx
 *   WHERE o.subject = ?1 AND l.kind = 'INTENT' ORDER BY o.idx
 *
 * finds all of one subject: whoever believes one reads the members in its octets.
 */
#pragma once

#include "db/ledger/leaf.h"
#include "db/store/store.h"

/* In an operation's run, behind the leaf itself. */
int subject_insert(struct store_db *, uint64_t index, const struct leaf *, struct err *e);

/* The text of a member of these octets, which are a leaf: text, hex, base64 or time; empty when it
 * has none of that name. */
struct span subject_text(struct span body, const char *name);

/* Do these stand beside the octets `body`? They cost far less than leaf_parse() does. `subject` is
 * NULL when there is no row. ERR_STALE says what is another. */
int subject_check(struct span body, const char *kind, const struct store_value *subject,
                  struct err *e);

/* The kind alone. */
int subject_check_kind(struct span body, const char *kind, struct err *e);

/* Of a row of leaf LEFT JOIN leaf_subject: `kind` and `subject` are their columns. */
int subject_check_row(const struct store_rows *, struct span body, int kind, int subject,
                      struct err *e);

/* There are none of leaves that are not there: `size` is how many are. */
int subject_check_end(struct store_db *, uint64_t size, struct err *e);
