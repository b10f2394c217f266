/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.h - readers of the small bodies that come in: certConf, pollReq, nested, error.
 *
 * Each asserts that the message has that body. Spans in the results are borrowed from the message.
 */
#pragma once

#include <openssl/x509.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

enum {
    CMP_HASH_MAX = 64,
    CMP_STATUS_TEXT_MAX = 256, /* of a peer; longer is cut */
};

/* PKIStatus (RFC 9810 5.2.3) */
enum cmp_status {
    CMP_ACCEPTED = 0,
    CMP_GRANTED_WITH_MODS = 1,
    CMP_REJECTION = 2,
    CMP_WAITING = 3,
    CMP_REVOCATION_WARNING = 4,
    CMP_REVOCATION_NOTIFICATION = 5,
    CMP_KEY_UPDATE_WARNING = 6,
};

/* PKIStatusInfo as a peer sent it. */
struct cmp_status_info {
    enum cmp_status status;
    uint32_t failures;              /* bit n is PKIFailureInfo n; 0: none */
    char text[CMP_STATUS_TEXT_MAX]; /* first statusString, unprintable octets as '?'; may be "" */
};

struct cmp_certconf {
    uint8_t hash[CMP_HASH_MAX];
    size_t hash_size;
    int hash_nid;  /* of hashAlg; NID_undef when the certificate's own signature decides */
    bool accepted; /* status absent or accepted(0) */
    struct cmp_status_info status; /* when present */
};

/* Exactly one CertStatus with this certReqId (0, or -1 after p10cr), accepted without a
 * failInfo or rejected, else badRequest. hashAlg wants
 * pvno 3 (RFC 9483 4.1.1), else badRequest; an unknown one is badAlg. badDataFormat. */
int cmp_certconf_read(const struct cmp_msg *, int cert_req_id, struct cmp_certconf *out,
                      enum cmp_failure *failure, struct err *e);
/* Is it the hash of this certificate, in DER? Constant-time. -1 with badCertId; with systemFailure
 * when it names no hash itself (EdDSA, RSASSA-PSS) and hashAlg does not either. */
int cmp_certconf_match(const struct cmp_certconf *, struct span certificate,
                       enum cmp_failure *failure, struct err *e);

/* In pollReq and pollRep for what is not a request for a certificate (RFC 9483 4.4). */
enum { CMP_POLL_OTHER = -1 };
/* Exactly one certReqId: into *cert_req_id (-1 and more). badRequest, badDataFormat. */
int cmp_pollreq_read(const struct cmp_msg *, int *cert_req_id, enum cmp_failure *failure,
                     struct err *e);

/* Exactly one PKIMessage inside (RFC 9483 5.2.2.1): its raw octets. badRequest, badDataFormat. */
int cmp_nested_read(const struct cmp_msg *, struct span *inner, enum cmp_failure *failure,
                    struct err *e);

/* An end entity has no business sending one (RFC 9483 3.6.1); we read it to log what it says. */
int cmp_error_read(const struct cmp_msg *, struct cmp_status_info *out, enum cmp_failure *failure,
                   struct err *e);
