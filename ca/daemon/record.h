/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - ca.db and the ledger, when nfpki-ca starts. Private to nfpki-ca.
 *
 * In this order: what the log's key was asked for last; the CRL that is out; is the database that
 * record (ledger_check), sealed if the record says so (seals.h), and has it that CRL (published.h);
 * is the clock behind its last leaf; are its tables this program's; do the rows say what the leaves
 * say (those of a sealed file do, unless something was found before); has the issuing key's journal
 * what is stored; the caller's `look`. Up to here nothing is changed: a state that is refused is
 * the same after any number of starts. Then folders; what was read is made durable; schema; seals.
 * From an older schema what asks for this program's tables comes behind that.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* The last who may refuse. Changes nothing in the database (store_try). NULL: there is none, and
 * one is made; then it is asked again. */
typedef int ca_record_look(struct ca *, void *arg, struct store_db *, struct err *e);
/* ca->store and ca->ledger; the signers are there. Blocking, in the main thread. ERR_STALE when the
 * state is older, or another, than what was signed. */
int ca_record_open(struct ca *, ca_record_look *look, void *arg, struct err *e);
/* Then: folders of the CRLs and of the ledger, and what a crash left unpublished. */
int ca_record_publish(struct ca *, struct err *e);

/* Something in ca.db was edited, as `why` says: each start compares everything first, until one
 * finds nothing. Durable. */
int ca_record_suspect(const struct ca *, const struct err *why, struct err *e);

/* For who only reads (verify.h). What the log's key was asked for last. */
int ca_record_last(struct ca *, struct ledger_signed *, struct err *e);
/* Looks at the database, as admit and tell of store_options: fails behind that with ERR_DENIED, and
 * nothing was changed. */
struct ca_record_reader {
    int (*look)(void *arg, struct store_db *, struct err *e);
    void (*tell)(void *arg, const char *what);
    void *arg;
};
int ca_record_read(struct ca *, const struct ca_record_reader *, struct err *e);
/* Nobody's trigger acts with ours, and none of ours is missing: of tables that are this program's,
 * as store_require_schema(). */
int ca_record_check_schema(struct store_db *, struct err *e);
/* Who reads the record could not tell what was before what: ERR_DENIED while the clock is more than
 * LEAF_BACK_MAX behind the last leaf, and clock_set_back of the configuration does not take it. If
 * that does, ca->went_back_from is for the next leaf to say. `db` NULL: there is none. */
int ca_record_check_clock(struct ca *, struct store_db *, struct err *e);
/* For whoever opens it otherwise (ca/restore): its options; a folder with this mode. */
struct store_options ca_store_options(const struct ca *, const char *path);
int ca_make_folder(const char *path, mode_t mode, struct err *e);
