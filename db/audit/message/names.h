/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - the names that a message asks for, beside those that a certificate has.
 */
#pragma once

#include "base/ossl.h"
#include "db/audit/message/outline.h"

struct message_names {
    bool asks_subject, same_subject;
    int asked;  /* subjectAltNames, */
    int common; /* of which so many are in the certificate, */
    int has;    /* which has so many */
};
/* Of this PKIMessage, or PKCS #10 (no outline). ERR_CRYPTO: what it asks for cannot be read. */
int message_names_compare(struct span message, const struct message_outline *, X509 *certificate,
                          struct message_names *, struct err *e);
