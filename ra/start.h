/* SPDX-License-Identifier: Apache-2.0 */
/* start.h - how what every part of nfpki-ra works with comes and goes. Private to nfpki-ra. */
#pragma once

#include "ra/daemon/ra.h"

/*
 * Fills a struct that is all zero but for `may_seal`: rules, certificates, the signer (before there
 * are threads), the database with its chain verified, the key that seals, the workers; not the
 * queue and `closing`, which need the loop. `settings` is borrowed. Blocking, in the main thread.
 * On failure: ra_close(), too. ERR_INPUT names the file or the option.
 */
int ra_open(struct ra *, const struct settings *, struct err *e);
/* What of it needs no key, no file that is written and no thread: rules, budgets, certificates. */
int ra_prepare(struct ra *, const struct settings *, struct err *e);
/* Those of it that are files of the configuration: certificates and the trust sections, with what
 * should be said of them logged. Nothing is kept. */
int ra_check(const struct settings *, struct err *e);
/* What ra_verify() found. */
struct ra_verified {
    void (*tell)(void *arg,
                 const char *what); /* in: gets each page that is not what its seal says */
    void *arg;
    bool sealed;     /* there are seals to compare with */
    uint64_t pages;  /* that were compared, */
    uint64_t differ; /* and that were told */
};
/*
 * Looks at all of ra.db, for who wants to know, while nfpki-ra does not run: each page, the file as
 * SQLite sees it, its tables, the chain of the queue. Blocking; nothing is served, nothing is
 * changed. ra_close(), too. ERR_STORE, ERR_STALE: something else than a page differs.
 */
int ra_verify(struct ra *, const struct settings *, struct ra_verified *, struct err *e);
/* When nothing is under way and whatever uses the loop is gone. */
void ra_close(struct ra *);
