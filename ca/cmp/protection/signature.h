/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h - which signatures and public keys are accepted, and is this one right? Protection
 * and proof of possession ask the same question. Private to this folder. */
#pragma once

#include "base/ossl.h"
#include "ca/cmp/message/failure.h"

enum { CMP_RSA_BITS_MIN = 2048, CMP_RSA_BITS_MAX = 8192 };

bool signature_is_known(const X509_ALGOR *algorithm);
/* Parameters as the RFC of the algorithm says, hash not weaker than SHA-224. -1: badAlg. */
int signature_check_algorithm(const X509_ALGOR *algorithm, enum cmp_failure *failure,
                              struct err *e);
/* P-256, P-384, P-521 by name, RSA within the limits, Ed25519, Ed448. ERR_INPUT. */
int signature_check_key(EVP_PKEY *key, struct err *e);
/* As above by the algorithm of an undecoded SubjectPublicKeyInfo: spares decoding what is refused
 * anyway. ERR_INPUT. */
int signature_check_key_algorithm(const X509_ALGOR *algorithm, struct err *e);
/* Both checks, then the signature over `data`, a DER SEQUENCE. -1: badAlg, or `bad`. */
int signature_verify(const X509_ALGOR *algorithm, const ASN1_BIT_STRING *signature,
                     struct span data, EVP_PKEY *key, enum cmp_failure bad,
                     enum cmp_failure *failure, struct err *e);
