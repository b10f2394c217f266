/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl.h - complete version 2 CRLs (RFC 5280 5): the TBSCertList and its linter.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"

enum {
    CRL_SERIAL_MAX = 20,
    CRL_TBS_MAX = 16 * 1024 * 1024, /* the maximum to give `out`; about 350,000 entries */
};

/* RFC 5280 5.3.1. Hold and removal are left out: what we revoke stays revoked. */
enum crl_reason {
    CRL_UNSPECIFIED = 0, /* written as no reason at all, as RFC 5280 5.3.1 asks */
    CRL_KEY_COMPROMISE = 1,
    CRL_CA_COMPROMISE = 2,
    CRL_AFFILIATION_CHANGED = 3,
    CRL_SUPERSEDED = 4,
    CRL_CESSATION_OF_OPERATION = 5,
    CRL_PRIVILEGE_WITHDRAWN = 9,
    CRL_AA_COMPROMISE = 10,
};

/* "keyCompromise"; NULL for a number that is none of them. */
const char *crl_reason_name(enum crl_reason);
/* ERR_INPUT lists the names. */
int crl_reason_parse(const char *name, enum crl_reason *out, struct err *e);

struct crl_entry {
    uint8_t serial[CRL_SERIAL_MAX]; /* positive, big endian, shortest form */
    size_t serial_size;
    time_t revoked_at;
    enum crl_reason reason;
};

/* Everything is borrowed during the call. */
struct crl_request {
    X509 *issuer;
    uint64_t number; /* cRLNumber, from 1 */
    time_t this_update;
    time_t next_update;
    const struct crl_entry *entries; /* ascending by serial (shorter first), so no duplicate */
    size_t n_entries;
    bool rehearsal; /* next_update within 7 days */
};

/* Appends the DER TBSCertList: issuer's name and AKI, cRLNumber, entries with reasonCode. ERR_INPUT
 * names the field ("entries[3].serial: ..."). */
int crl_build(const struct crl_request *, struct buf *out, struct err *e);

/* SHA-256 over the entries, for the record (CRL-INTENT in db/LEDGER.md): for each, in their
 * order, a line of serial in hex, date and CRLReason. */
int crl_digest(const struct crl_request *, uint8_t out[SHA256_SIZE], struct err *e);

/* Reads the octets back through OpenSSL and compares everything. ERR_DENIED "lint: <field>: ...".
 */
int crl_lint(struct span tbs, const struct crl_request *expected, struct err *e);
