/* SPDX-License-Identifier: Apache-2.0 */
/* newest_crl.h - the CRL that relying parties have, and what the record lacks of it. */
#pragma once

#include "ca/daemon/daemon.h"
#include "ca/restore/adopt.h"

struct newest_crl {
    struct buf der; /* empty: none is published */
    X509_CRL *crl;
    uint64_t number;
    uint8_t hash[SHA256_SIZE];
};
void newest_crl_free(struct newest_crl *);
/* crl_dir/issuing.crl, which the issuing key signed. ERR_CRYPTO. */
int newest_crl_read(const struct ca *, struct newest_crl *out, struct err *e);

/* In an operation's run: *n entries that the record does not have as revoked; *unknown of them are
 * of serial numbers that neither the record has nor what is adopted. */
int newest_crl_missing(const struct newest_crl *, struct store_db *, const struct adoption *,
                       int64_t *n, int64_t *unknown, struct err *e);
/* They are revoked, those that are not known until `not_after`; and numbers go on above this one's.
 */
int newest_crl_take(const struct newest_crl *, struct store_db *, struct rebuild *,
                    time_t not_after, struct issuance_when, struct err *e);
