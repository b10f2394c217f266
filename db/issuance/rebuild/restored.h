/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restored.h - what a restore leaves in the record, behind the leaves that were read back. Verbs of
 * ca.db as those of issuance.h: rows and leaves of one step together.
 */
#pragma once

#include "db/issuance/rebuild/rebuild.h"

/* What two officers signed. */
struct restored_officer {
    struct span serial; /* of the certificate */
    struct span cms;
};

/* The log that this one goes on from. */
struct restored_previous {
    const char *origin;
    struct span key;  /* DER SubjectPublicKeyInfo */
    struct span note; /* its last published checkpoint */
    uint64_t signed_size;
    struct span signed_root;
};

struct restored {
    uint64_t from; /* leaves [from, to) were read back, */
    uint64_t to;
    struct span root; /* and all of them have this root */
    struct span plan; /* SHA-256 of the text that was signed */
    struct restored_officer officers[2];
    uint64_t crl_number; /* of the published CRL; 0: there is none, */
    struct span crl;     /* and its SHA-256 */
    struct rebuild_counts back;
    int64_t abandoned, refused, voided, from_crl, adopted;
    const struct restored_previous *previous; /* NULL: it is the same log */
    time_t went_back_from;                    /* clockSetBack of the leaf; 0: it has none */
    time_t now;
};
/* The leaf RESTORED. */
int restored_append(struct store_db *, const struct restored *, struct err *e);

/* Registrations from leaf `from` on whose network functions have not used their one-time secret (as
 * often as they might): who took part in what was lost may know it. How many, and their end, with
 * leaves CANCEL. What they have is not revoked. */
int restored_void_count(struct store_db *, uint64_t from, int64_t *n, struct err *e);
int restored_void(struct store_db *, uint64_t from, time_t now, struct err *e);

/* The CRL that is out: those that are made from now on have greater numbers, and begin no earlier;
 * and a start finds it known (issuance_crl_find). */
struct restored_crl {
    uint64_t number;
    struct span sha256;
    time_t this_update;
    time_t next_update;
};
int restored_crl_known(struct store_db *, const struct restored_crl *, struct err *e);
/* A serial number that a published CRL has: is it revoked here, too? *known: it was intended. */
int restored_crl_entry(struct store_db *, struct span serial, bool *known, bool *revoked,
                       struct err *e);
/* With the leaf REVOKED. The serial number is known, and not revoked. */
int restored_revoke(struct store_db *, struct span serial, int reason, struct issuance_when,
                    struct err *e);

/* ---- certificates that the record lost ---- */

/* *known: the record has it, or has given it up. ERR_STALE: it has another one of this number. Else
 * *intended: its INTENT is there, and nothing came of it. */
int restored_certificate_find(struct store_db *, struct span serial, struct span der, bool *known,
                              bool *intended, struct err *e);

struct restored_certificate {
    struct span serial;
    struct span der; /* empty: only the number is known, and then it is revoked for `reason` */
    struct span tbs;
    time_t not_before;
    time_t not_after;
    int reason;
    struct issuance_when when;
};
/* With the leaves ADOPTED, INTENT (unless it is there), ISSUED; or ADOPTED, INTENT, REJECTED and
 * REVOKED. */
int restored_adopt(struct store_db *, struct rebuild *, const struct restored_certificate *,
                   struct err *e);
