/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore.h - nfpki-ca --restore: ca.db is lost, or an older one was put back; what it lost is read
 * back from the published ledger, when two officers have signed the plan of it.
 *
 * Everything happens in a copy, ca.db.restore in state_dir, which with its seals takes the place of
 * ca.db at the end: a kill leaves the state from before, the whole new one, or what work_finish()
 * makes one of them. The signers are asked what the log's key was asked for last, and for no
 * signature; the next start goes on from there.
 *
 * Refused with ERR_STALE: the database has another history; leaves are missing for good, since the
 * published ledger does not have what was signed last. Then the configuration is that of a new log,
 * and `old_ledger` the folder of the one that is at its end (previous.h).
 */
#pragma once

#include "ca/daemon/daemon.h"

struct restore_options {
    const char *approvals[2]; /* files; NULL: only the plan is made */
    const char *adopt;        /* file of certificates that the record lost; NULL: none */
    const char *old_ledger;   /* folder of the log that is at its end; NULL: this one goes on */
    const char *signed_head;  /* of that; "SIZE:ROOT" */
};

/* The signers are there (ca_open_signers). Blocking, in the main thread, while nfpki-ca does not
 * run. Without approvals *plan is the text to sign, and nothing is changed but that the WAL of
 * ca.db is folded into it, and tables of an earlier version are brought up to date; with them *plan
 * is what was done. mem_free() it. */
int restore_run(struct ca *, const struct restore_options *, char **plan, struct err *e);
