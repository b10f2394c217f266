/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/failure.h"

#include <stddef.h>

static const char *const names[CMP_FAILURE_COUNT] = {
    [CMP_BAD_ALG] = "badAlg",
    [CMP_BAD_MESSAGE_CHECK] = "badMessageCheck",
    [CMP_BAD_REQUEST] = "badRequest",
    [CMP_BAD_TIME] = "badTime",
    [CMP_BAD_CERT_ID] = "badCertId",
    [CMP_BAD_DATA_FORMAT] = "badDataFormat",
    [CMP_WRONG_AUTHORITY] = "wrongAuthority",
    [CMP_INCORRECT_DATA] = "incorrectData",
    [CMP_MISSING_TIME_STAMP] = "missingTimeStamp",
    [CMP_BAD_POP] = "badPOP",
    [CMP_CERT_REVOKED] = "certRevoked",
    [CMP_CERT_CONFIRMED] = "certConfirmed",
    [CMP_WRONG_INTEGRITY] = "wrongIntegrity",
    [CMP_BAD_RECIPIENT_NONCE] = "badRecipientNonce",
    [CMP_TIME_NOT_AVAILABLE] = "timeNotAvailable",
    [CMP_UNACCEPTED_POLICY] = "unacceptedPolicy",
    [CMP_UNACCEPTED_EXTENSION] = "unacceptedExtension",
    [CMP_ADD_INFO_NOT_AVAILABLE] = "addInfoNotAvailable",
    [CMP_BAD_SENDER_NONCE] = "badSenderNonce",
    [CMP_BAD_CERT_TEMPLATE] = "badCertTemplate",
    [CMP_SIGNER_NOT_TRUSTED] = "signerNotTrusted",
    [CMP_TRANSACTION_ID_IN_USE] = "transactionIdInUse",
    [CMP_UNSUPPORTED_VERSION] = "unsupportedVersion",
    [CMP_NOT_AUTHORIZED] = "notAuthorized",
    [CMP_SYSTEM_UNAVAIL] = "systemUnavail",
    [CMP_SYSTEM_FAILURE] = "systemFailure",
    [CMP_DUPLICATE_CERT_REQ] = "duplicateCertReq",
};

const char *
cmp_failure_name(enum cmp_failure failure)
{
    return failure >= 0 && (size_t)failure < CMP_FAILURE_COUNT ? names[failure] : "none";
}
