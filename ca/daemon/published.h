/* SPDX-License-Identifier: Apache-2.0 */
/*
 * published.h - the CRL that is out, as a memory of the state: it was written to crl_dir after it
 * was stored in ca.db and covered by a signed checkpoint, so ca.db has it, or is an older copy or
 * another history. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/conf.h"
#include "db/issuance/issuance.h"

struct published_crl {
    char *path;
    X509_CRL *crl;
    uint64_t number; /* 0: there is none */
    uint8_t sha256[SHA256_SIZE];
};
void published_crl_free(struct published_crl *);

/* crl_dir/issuing.crl; mem_free() it. */
char *published_crl_path(const struct ca_conf *) OWNED(mem_free);

/* Reads it, and believes what `issuing` signed. A file that is not there is none. ERR_CONFLICT for
 * one that is not a CRL of this issuer: it may be another CA's, which the next CRL would replace.
 */
int published_crl_read(const struct ca_conf *, X509 *issuing, struct published_crl *out,
                       struct err *e);
/* In store_options.admit (`db` NULL: there is no database): ERR_STALE when that CRL is newer than
 * the newest in ca.db, or another than the one that ca.db has with its number. */
int published_crl_check(const struct published_crl *, struct store_db *db, struct err *e);
/* All of it: it is the newest of ca.db, and has what the record revokes, each with its date and its
 * reason. `differs` gets each difference. -1: it could not be compared to its end. */
int published_crl_verify(const struct published_crl *, struct store_db *db,
                         void (*differs)(void *arg, const char *what), void *arg, struct err *e);
