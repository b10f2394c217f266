/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protect.h - what protects a message (RFC 9810 5.1.3), and signature protection.
 *
 * Accepted signatures: ECDSA over P-256, P-384, P-521 and RSA (PKCS #1 v1.5, PSS) from 2048 bits,
 * each with SHA-224 to SHA-512; Ed25519, Ed448. MD5, SHA-1 and DSA are badAlg.
 * Whether the signer's certificate is trusted, valid and allowed is the caller's question.
 * Making a signature is in two steps, because the key is elsewhere: build.h.
 */
#pragma once

#include <openssl/x509.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

enum cmp_protection {
    CMP_UNPROTECTED, /* no protection, no protectionAlg, or only one of them */
    CMP_PROTECTION_MAC,
    CMP_PROTECTION_SIGNATURE,
    CMP_PROTECTION_UNKNOWN, /* an algorithm that we do not do */
};

/* From the object identifier of protectionAlg alone. */
enum cmp_protection cmp_protection_of(const struct cmp_msg *);

/* Is this AlgorithmIdentifier (DER) one of the signatures above, parameters included? -1: badAlg.
 */
int cmp_signature_algorithm_check(struct span algorithm, enum cmp_failure *failure, struct err *e);

/*
 * The protection certificate among extraCerts: the first (RFC 9483 3.3), or, for clients that send
 * it elsewhere, the first that agrees with sender and senderKID as below; of several the first
 * whose key verifies, of which four are tried. So wherever RFC 9483 is kept it is the first one.
 * Nothing is believed of it: cmp_signature_verify() is still to be asked. Its DER, empty when there
 * are no extraCerts, and itself, NULL + ERR_INPUT. ERR_BUSY: memory is too short to tell.
 */
int cmp_signer_find(const struct cmp_msg *, struct span *der, struct err *e);
X509 *cmp_signer_parse(const struct cmp_msg *, struct err *e) OWNED(X509_free);
/* Itself, of a DER from cmp_signer_find(): finding it may have cost signatures. */
X509 *cmp_signer_decode(struct span der, struct err *e) OWNED(X509_free);

/*
 * Is the message signed with the key of `signer`, is its sender the subject of `signer` and its
 * senderKID, when it has one, the subjectKeyIdentifier, when the certificate has one (RFC
 * 9483 3.1)? -1 with badMessageCheck, or badAlg for an algorithm or a key that we do not accept.
 */
int cmp_signature_verify(const struct cmp_msg *, X509 *signer, enum cmp_failure *failure,
                         struct err *e);
