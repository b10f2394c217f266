/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - steps that several verbs of issuance.h share. Private to db/issuance/. */
#pragma once

#include "base/ossl.h"
#include "db/issuance/issuance.h"
#include "db/issuance/renewal.h"
#include "db/issuance/role.h"
#include "db/ledger/ledger.h"
#include "db/store/packed.h"

/* SQL: what a registration pins, of its JSON, as migration 21 has it. NULL: a secret, or no JSON.
 */
#define ISSUANCE_PINS_MEMBER(json, name) "json_extract(CAST(" json " AS TEXT), '$.proof." name "')"
/* clang-format off */
#define ISSUANCE_PINS(json)                                                                        \
    "CASE WHEN json_valid(CAST(" json " AS TEXT)) THEN "                                           \
    "CASE " ISSUANCE_PINS_MEMBER(json, "kind")                                                     \
    " WHEN 'certificate' THEN 'certificate ' || lower(" ISSUANCE_PINS_MEMBER(json, "sha256") ") "  \
    "WHEN 'publicKey' THEN 'publicKey ' || lower(" ISSUANCE_PINS_MEMBER(json, "sha256") ") "       \
    "WHEN 'vendor' THEN 'vendor ' || " ISSUANCE_PINS_MEMBER(json, "issuer") " || char(10) || "     \
    ISSUANCE_PINS_MEMBER(json, "subject") " END END"
/* clang-format on */

/* SQL: the octets of a certificate, whose leaf ISSUED is `l`. */
#define ISSUANCE_DER "base64_member(unpacked(l.body), 'certificate')"
/* The row of request `q`, and its leaf. */
#define ISSUANCE_CERTIFICATE "certificate c ON c.request = q.rowid "
#define ISSUANCE_ISSUED_LEAF "leaf l ON l.idx = c.leaf "

/* Did we issue exactly this certificate, in this role, and not revoke it? */
int issuance_is_ours(struct store_db *, struct span der, enum issuance_role role, bool *ours,
                     struct err *e);
struct issuance_revoked {
    struct span serial;
    time_t not_after;
    int reason;        /* CRLReason, RFC 5280 5.3.1 */
    const char *by;    /* NULL: not said */
    struct span asked; /* rid of the rr; empty: none */
    bool has_invalidity;
    time_t invalidity_date;
    struct span superseded_by; /* serial of the certificate that takes its place; empty: none */
};
/* The row and its leaf REVOKED. ERR_CONFLICT when it is there. */
int issuance_revoke_as(struct store_db *, const struct issuance_revoked *, struct issuance_when,
                       uint64_t *index, struct err *e);
int issuance_revoke_row(struct store_db *, struct span serial, time_t not_after, int reason,
                        const char *by, struct issuance_when, uint64_t *index, struct err *e);
/* Leaf REJECTED. `by_holder`: its network function did not want this initial certificate.
 * `cert_conf`: SHA-256 of the one that says so; empty: none did. */
int issuance_append_rejected(struct store_db *, const struct issuance_request *, bool by_holder,
                             struct span cert_conf, const char *reason, time_t now, uint64_t *index,
                             struct err *e);
/* Is there a row for this request? */
int issuance_is_known(struct store_db *, struct span rid, bool *known, struct err *e);
/* Leaf REFUSAL; `registration` may be NULL. */
int issuance_append_refusal(struct store_db *, struct span rid, const char *registration,
                            int fail_info, const char *reason, time_t now, uint64_t *index,
                            struct err *e);
/* Leaf QUEUE-HEAD of what the RA signed, unless it is there; before the leaf that rests on it. */
int issuance_append_head(struct store_db *, const struct issuance_intent *, struct err *e);
/* Which one a leaf rests on. */
void issuance_name_head(const struct issuance_intent *, struct leaf *);
/* Leaf REQUEST, with its QUEUE-HEAD before it. */
int issuance_append_request(struct store_db *, const struct issuance_intent *, uint64_t *index,
                            struct err *e);
/* Whose place a new certificate takes, besides that of the one that signs. */
struct issuance_place {
    struct issuance_former former; /* REPLACED, AGAIN */
    bool is_retry;                 /* of this one, which its network function rejected: no use */
    uint8_t instead_of[ISSUANCE_SERIAL_SIZE];
};
/* What the database alone can say against a new request, but for its key. DONE, or REPLACED and
 * AGAIN with place->former, are no objection; nothing is written. */
int issuance_admissible(struct store_db *, const struct issuance_intent *, struct issuance_place *,
                        enum issuance_outcome *outcome, struct err *e);
/* Of a request that would be a use of its registration: *outcome stays, or becomes UNWANTED. */
int issuance_judge_retry(struct store_db *, const struct issuance_intent *, struct issuance_place *,
                         enum issuance_outcome *outcome, struct err *e);
/* Of a request for the place of a certificate: *outcome stays, or becomes REPLACED, AGAIN, SIGNING,
 * RENEWED, SUCCEEDED, TOO_OFTEN. */
int issuance_judge_renewal(struct store_db *, const struct issuance_intent *,
                           struct issuance_former *former, enum issuance_outcome *outcome,
                           struct err *e);
/* The row and its leaf AGAIN, with its QUEUE-HEAD before it: what was issued is the answer to this
 * request, too. */
int issuance_append_again(struct store_db *, const struct issuance_intent *,
                          const struct issuance_former *, uint64_t *index, struct err *e);
/* ISSUED -> REJECTED with the leaves REJECTED and, unless it is revoked already, REVOKED. */
int issuance_end_unwanted(struct store_db *, struct span rid, const char *reason, const char *by,
                          struct issuance_when, struct err *e);
/* *outcome becomes NOT_APPROVED unless the request waits and has i->approvals approvals. */
int issuance_check_approved(struct store_db *, const struct issuance_intent *,
                            enum issuance_outcome *outcome, struct err *e);
/* notAfter of the request's TBS. */
int issuance_not_after(struct store_db *, struct span rid, time_t *out, struct err *e);
/* The one step from this state to that one; ERR_CONFLICT when it is in another. */
int issuance_advance(struct store_db *, struct span rid, enum issuance_state from,
                     enum issuance_state to, uint64_t leaf, struct err *e);

/* Issued by us and not revoked. */
int issuance_is_live(struct store_db *, struct span serial, bool *live, struct err *e);
/* Revokes what is live under a registration, and under those that it follows: cancel. */
int issuance_revoke_under(struct store_db *, const char *registration, bool followed,
                          struct issuance_when, int *revoked, struct err *e);
/* Is the certificate that signs a request live? */
int issuance_check_holder(struct store_db *, const struct issuance_intent *,
                          enum issuance_outcome *outcome, struct err *e);
/* What the confirmation of `q` supersedes: *revoked tells that there was something. */
int issuance_supersede(struct store_db *, const struct issuance_request *q, struct issuance_when,
                       bool *revoked, struct err *e);
/* Is what `q`, a kur, renews still live? true for other requests. */
int issuance_may_confirm(struct store_db *, const struct issuance_request *q, bool *may,
                         struct err *e);

/* RFC 5280 5.3.1 */
enum { ISSUANCE_SUPERSEDED = 4, ISSUANCE_CESSATION = 5 };
/* The setting with the SHA-256 of the CRL that was out at a restore. */
#define ISSUANCE_RESTORED_CRL "restored_crl"
