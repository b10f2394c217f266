/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl.h - the CRL: at start, on schedule, on a revocation and on command. Private to
 * nfpki-ca.
 *
 *   reserve the number, read the entries (store; crl_list.h) -> TBS, lint (worker) -> sign ->
 * verify (worker)
 *   -> CRL row and leaf (store) -> release -> crl_dir/issuing.crl, replaced in one step (worker)
 */
#pragma once

#include "ca/daemon/daemon.h"

struct crl_waiter {
    void (*done)(struct crl_waiter *, uint64_t number, const struct err *e); /* e NULL: published */
    struct crl_waiter *next;
};

void crl_maker_free(struct crl_maker *);
struct crl_maker *crl_maker_new(struct ca *) OWNED(crl_maker_free);

/* Makes one that has everything that is committed now; `waiter` (may be NULL) is called when it is
 * published. While one is being made, the next begins after it. */
void crl_make(struct crl_maker *, struct crl_waiter *waiter);
/* Is the root's CRL one? Changes nothing. */
int crl_check_root(const struct ca *, struct err *e);
/* Copies the root's CRL, after checking it, into crl_dir. At start. */
int crl_publish_root(struct ca *, struct err *e);
