/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - what a restore would do, as two officers sign it.
 *
 *   {"version":1, "kind":"restore", "time":"2026-11-29T20:00:00Z",
 *    "database":{"leaves":120, "root":"<64 hex>"},
 *    "log":{"origin":"nfpki.example.net/ca1", "leaves":207, "root":"<64 hex>"},
 *    "crl":{"number":41, "sha256":"<64 hex>"},
 *    "read back":{"registrations":3, "certificates":5, "revocations":1, "crls":2},
 *    "given up":0, "refused":0, "void":1, "from the CRL":0,
 *    "adopted":{"certificates":0, "sha256":"<64 hex>"},
 *    "on trust":"request.requester, journal",
 *    "new log":{"origin":"nfpki.example.net/ca2", "signed":212, "root":"<64 hex>"}}
 *
 * `database` is what is left (0 leaves: nothing), `log` what the published ledger has. From both
 * and the CRL follows all the rest, so the same state at the same time gives the same octets, and
 * what was signed is compared octet for octet with what is about to be done. "on trust" is what
 * nobody can compare of a file that never had seals (db/issuance/on_trust.h). "new log" is there
 * when leaves are missing for good: `log` is at its end then, and its key had signed so many
 * leaves.
 */
#pragma once

#include "base/tlog/checkpoint.h"
#include "ca/daemon/daemon.h"
#include "ca/restore/previous.h"
#include "db/issuance/rebuild/rebuild.h"

struct restore_plan {
    time_t time;
    uint64_t from; /* leaves that the database has */
    struct merkle_hash from_root;
    struct checkpoint log;
    uint64_t crl_number; /* 0: no CRL is published */
    uint8_t crl_hash[SHA256_SIZE];
    struct rebuild_counts back;
    int64_t abandoned; /* intents without a certificate */
    int64_t refused;   /* requests that waited for officers */
    int64_t voided;    /* registrations whose one-time secret is void */
    int64_t from_crl;  /* what the CRL alone has as revoked */
    int64_t adopted;   /* certificates, and numbers on the CRL, that the record lost */
    uint8_t adopt_hash[SHA256_SIZE]; /* of the file that they are in; zero: none */
    const char *on_trust;
    const struct previous *previous; /* NULL: the log goes on */
    const char *origin;              /* of the new log, when there is one */
};

char *plan_format(const struct restore_plan *) OWNED(mem_free);
