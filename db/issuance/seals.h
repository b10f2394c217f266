/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seals.h - what is sealed of ca.db (db/sealed/sealed.h): every row of every table but those of the
 * record, which the log's key signs, and `attempted`: it says again what is in the signers'
 * journals (journal.h), and no decision about a request rests on it.
 *
 * Who owns a row: the network function of its registration; a request or certificate that has none
 * (an officer's) is its own, under its rid; a revocation belongs to the day on which its
 * certificate ends, so that a CRL is complete when those of the days that are not over are; the
 * rest are their own.
 */
#pragma once

#include <time.h>

#include "db/sealed/sealed.h"

enum issuance_owners {
    ISSUANCE_OWNER_NF = 1, /* text nfInstanceId; or blob rid */
    ISSUANCE_OWNER_DAY,    /* number of the day since 1970 */
    ISSUANCE_OWNER_PUBLIC_KEY,
    ISSUANCE_OWNER_CRL,
    ISSUANCE_OWNER_SETTING,
    ISSUANCE_OWNER_QUEUE_HEAD,
    ISSUANCE_OWNER_REVOCATION_REQUEST,
    ISSUANCE_OWNER_SCRUB,
    ISSUANCE_OWNER_JOURNAL,
};

extern const struct sealed_table issuance_table_registration;       /* id */
extern const struct sealed_table issuance_table_request;            /* rid */
extern const struct sealed_table issuance_table_certificate;        /* serial */
extern const struct sealed_table issuance_table_confirmation;       /* rid */
extern const struct sealed_table issuance_table_pending;            /* rid */
extern const struct sealed_table issuance_table_approval;           /* leaf */
extern const struct sealed_table issuance_table_again;              /* rid */
extern const struct sealed_table issuance_table_revocation;         /* serial */
extern const struct sealed_table issuance_table_public_key;         /* sha256; by key */
extern const struct sealed_table issuance_table_crl;                /* number; by key */
extern const struct sealed_table issuance_table_setting;            /* name; by key */
extern const struct sealed_table issuance_table_queue_head;         /* hash; by key */
extern const struct sealed_table issuance_table_revocation_request; /* rid; by key */
extern const struct sealed_table issuance_table_scrub;              /* 1; by key */
extern const struct sealed_table issuance_table_journal;            /* key; by key */

/* For sealed_options: all of them. */
enum { ISSUANCE_TABLES = 15 };
extern const struct sealed_table *const issuance_tables[ISSUANCE_TABLES];

/* Of a state from before: compares all rows with the record (issuance_check, on_trust.h), appends
 * the leaf SEALED, and seals them as they are; sealed_state() is NOT_YET. ERR_STALE when the record
 * says that they were sealed before. */
int issuance_seal(struct store_db *, time_t now, uint64_t *rows, struct err *e);
