/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failure.h - why a peer gets no certificate: the bits of PKIFailureInfo (RFC 9810 5.2.3).
 *
 * Functions of this folder that judge a peer's message take `enum cmp_failure *failure` and set it
 * on every return of -1, beside the reason in `struct err`. The peer gets the bit and a phrase
 * (phrase.h); the reason's text stays in our log.
 */
#pragma once

enum cmp_failure {
    CMP_NO_FAILURE = -1,
    CMP_BAD_ALG = 0,
    CMP_BAD_MESSAGE_CHECK = 1,
    CMP_BAD_REQUEST = 2,
    CMP_BAD_TIME = 3,
    CMP_BAD_CERT_ID = 4,
    CMP_BAD_DATA_FORMAT = 5,
    CMP_WRONG_AUTHORITY = 6,
    CMP_INCORRECT_DATA = 7,
    CMP_MISSING_TIME_STAMP = 8,
    CMP_BAD_POP = 9,
    CMP_CERT_REVOKED = 10,
    CMP_CERT_CONFIRMED = 11,
    CMP_WRONG_INTEGRITY = 12,
    CMP_BAD_RECIPIENT_NONCE = 13,
    CMP_TIME_NOT_AVAILABLE = 14,
    CMP_UNACCEPTED_POLICY = 15,
    CMP_UNACCEPTED_EXTENSION = 16,
    CMP_ADD_INFO_NOT_AVAILABLE = 17,
    CMP_BAD_SENDER_NONCE = 18,
    CMP_BAD_CERT_TEMPLATE = 19,
    CMP_SIGNER_NOT_TRUSTED = 20,
    CMP_TRANSACTION_ID_IN_USE = 21,
    CMP_UNSUPPORTED_VERSION = 22,
    CMP_NOT_AUTHORIZED = 23,
    CMP_SYSTEM_UNAVAIL = 24,
    CMP_SYSTEM_FAILURE = 25,
    CMP_DUPLICATE_CERT_REQ = 26,
};
enum { CMP_FAILURE_COUNT = 27 };

/* "badMessageCheck", as the RFC spells it; "none" for CMP_NO_FAILURE. Never NULL. */
const char *cmp_failure_name(enum cmp_failure);
