/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signed.h - who signed a message, and whether whoever asked had the key that it asks for.
 */
#pragma once

#include "base/ossl.h"
#include "db/audit/message/outline.h"

enum message_protection {
    MESSAGE_UNPROTECTED,
    MESSAGE_BY_MAC, /* with a secret that the RA alone knew */
    MESSAGE_BY_SIGNATURE,
};
enum message_protection message_protection_of(const struct message_outline *);

/* The certificate of extraCerts whose key verifies the protection; ERR_CRYPTO: none. */
X509 *message_signer(const struct message_outline *, struct err *e)
    __attribute__((warn_unused_result));
/* From there, by extraCerts, to one of `roots`, at that time. ERR_CRYPTO. */
int message_path(const struct message_outline *, X509 *signer, STACK_OF(X509) * roots, time_t at,
                 struct err *e);

/* The key that this PKIMessage, or PKCS #10, asks for, when it is signed with that very key; NULL +
 * ERR_CRYPTO. */
EVP_PKEY *message_possessed(struct span message, const struct message_outline *, struct err *e)
    __attribute__((warn_unused_result));

/* Is certHash that of this certificate? ERR_CRYPTO. */
int message_confirms(const struct message_outline *, X509 *certificate, struct span der,
                     struct err *e);
