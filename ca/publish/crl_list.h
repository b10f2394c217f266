/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_list.h - what is on the next CRL, its number, and from when until when it is good. Private to
 * nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"
#include "ca/x509/tbs/crl.h"

struct crl_list {
    struct crl_request request; /* borrows the entries */
    struct crl_entry *entries;
    size_t capacity;
    time_t now;
    uint64_t up_to;        /* leaves of the record whose revocations are on it */
    time_t expired_before; /* what ended before is not; 0: all is */
};
void crl_list_free(struct crl_list *);
/* In an operation's run: all but `now`, which is set before; the list may be used again and again.
 */
int crl_list_reserve(struct crl_list *, const struct ca *, struct store_db *, struct err *e);
