/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke.h - reader of rr (RFC 9810 5.3.9, RFC 9483 4.2): which certificate, and why.
 *
 * Says nothing about whether there is such a certificate, or who may ask. Pure.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"
#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

enum { CMP_SERIAL_MAX = 20 };

struct cmp_revreq {
    uint8_t serial[CMP_SERIAL_MAX]; /* content octets of the INTEGER */
    size_t serial_size;
    bool has_key;                     /* certDetails name a key, too; */
    uint8_t spki_sha256[SHA256_SIZE]; /* of its SubjectPublicKeyInfo */
    int reason; /* CRLReason of RFC 5280 5.3.1, one that ends the life of an end entity: 0, 1, 3, 4,
                   5, 9; a compromise of a CA or an attribute authority is read as keyCompromise */
    bool has_invalidity;
    time_t invalidity_date;
};

/*
 * assert: the body is rr. `issuer` is the subject of our issuing CA; NULL: any issuer.
 * -1 with
 *   badDataFormat        not what the RFC describes, or a reason that does not exist
 *   badRequest           not exactly one RevDetails; certificateHold or removeFromCRL: what is
 *                        revoked here stays revoked
 *   addInfoNotAvailable  no issuer, serialNumber or reasonCode
 *   badCertId            a certificate of another issuer
 *   unacceptedExtension  a critical entry extension besides reasonCode and invalidityDate
 */
int cmp_revreq_read(const struct cmp_msg *, const X509_NAME *issuer, struct cmp_revreq *out,
                    enum cmp_failure *failure, struct err *e);
/* Is the key that certDetails name, when they do, this one (SHA-256 of its SubjectPublicKeyInfo)?
 * -1 with badCertId: no certificate has both the serial number and the key (RFC 9810 5.2.3). */
int cmp_revreq_check_key(const struct cmp_revreq *, const uint8_t spki_sha256[SHA256_SIZE],
                         enum cmp_failure *failure, struct err *e);
