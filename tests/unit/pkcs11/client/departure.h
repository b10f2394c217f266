/* SPDX-License-Identifier: Apache-2.0 */
/* departure.h - certificates for the signer, good but for one thing. */
#pragma once

#include "pkcs11/client/client.h"

/* What a certificate of the table departs in. */
enum departure {
    NOTHING,
    CA_TRUE,
    WRONG_ISSUER,
    SELF_ISSUED,
    TOO_LONG,
    BEYOND_ISSUER,
    SERIAL_SHORT,
    SERIAL_FORM,
    SERIAL_NEGATIVE,
    CERT_SIGN,
    NO_KEY_USAGE,
    NO_AKI,
    UNKNOWN_CRITICAL,
    WRONG_ALGORITHM,
    OWN_KEY,
    VERSION_1,
    TWICE,
    NO_PURPOSE,
    ANY_PURPOSE,
    OCSP_PURPOSE,
    POLICY_FOREIGN,
    POLICY_QUALIFIED,
    ENCIPHERMENT,
    WILDCARD,
    NO_POINT,
    NO_REV_AVAIL,
    NO_REV_AVAIL_AND_POINT,
    NO_REV_AVAIL_AND_OCSP,
    NO_REV_AVAIL_CRITICAL,
    NO_REV_AVAIL_VALUE,
};

void departure_make(enum departure, struct buf *tbs);
/* Announces it in the ledger before. */
int departure_sign(struct signer *, struct span tbs, struct buf *signature, struct err *e);
