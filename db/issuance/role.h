/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h - who is the holder of a certificate? Verbs of ca.db as those of issuance.h.
 *
 * The record decides: the profile in the leaf INTENT that was written before the certificate was
 * signed, in the octets that the Merkle tree holds. Neither the column of a row, which whoever can
 * write the file can edit, nor an extension of the certificate is asked. The leaf must be about
 * this certificate: its serial number and its TBSCertificate. That the leaves are those under the
 * signed checkpoint a start finds out (ledger_check), or the seals of their pages say it.
 */
#pragma once

#include "db/issuance/issuance.h"

enum issuance_role {
    ISSUANCE_NOBODY, /* a network function's certificate too: it is never one of ours */
    ISSUANCE_RA,
    ISSUANCE_REGISTRAR,
    ISSUANCE_OFFICER,
};
/* The serial number of a certificate, borrowed from it; false when it is none. */
bool issuance_serial_of(struct span der, struct span *serial);
/* Its TBSCertificate, the same. */
bool issuance_tbs_of(struct span der, struct span *tbs);
/* The profile: "ra-cmp", "registrar", "officer"; "none". */
const char *issuance_role_name(enum issuance_role);

/* What we issued these octets as, whatever has become of them since. */
int issuance_role_recorded(struct store_db *, struct span der, enum issuance_role *role,
                           struct err *e);
/* The same of the certificate with this serial number. */
int issuance_role_of_serial(struct store_db *, struct span serial, enum issuance_role *role,
                            struct err *e);
/* As it was before the leaf `place`: issued by a leaf before it, and revoked by none. */
int issuance_role_before(struct store_db *, struct span der, uint64_t place,
                         enum issuance_role *role, struct err *e);
/* As it is now: of a certificate that is not revoked. `der` has a role only octet for octet. */
int issuance_role_of(struct store_db *, struct span der, enum issuance_role *role, struct err *e);
/* Of the certificate whose SHA-256 is `wanted`, which is neither revoked nor out of its validity at
 * `now`. Looks at what is valid of our processes and people: a few hundred rows at most. */
int issuance_role_find(struct store_db *, struct span wanted, time_t now, enum issuance_role *role,
                       struct err *e);

/* The certificates of one role that are neither revoked nor expired. */
int issuance_infrastructure_each(struct store_db *, enum issuance_role role, time_t now,
                                 void (*visit)(void *arg, struct span der), void *arg,
                                 struct err *e);
