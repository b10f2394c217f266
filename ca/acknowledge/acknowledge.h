/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acknowledge.h - nfpki-ca --acknowledge: a line of a journal belongs to nothing, so that no start
 * goes on; two officers sign that they know of it, and the next start does.
 */
#pragma once

#include "ca/daemon/daemon.h"

struct acknowledge_options {
    const char *approvals[2]; /* files; NULL: only the text is made */
    const char *reason;       /* for that; else NULL */
};

/* The signers are there (ca_open_signers). Blocking, in the main thread, while nfpki-ca does not
 * run. *text is what is to be signed, and nothing is changed; with approvals it is what was done:
 * the leaf ACKNOWLEDGED is in the record. mem_free() it. ERR_NOTFOUND: each line belongs. */
int acknowledge_run(struct ca *, const struct acknowledge_options *, char **text, struct err *e);
