/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/failure.h"

#include <stddef.h>

struct word {
    const char *name;
    const char *phrase;
};

static const struct word words[CMP_FAILURE_COUNT] = {
    [CMP_BAD_ALG] = {"badAlg", "algorithm or its parameters are not accepted"},
    [CMP_BAD_MESSAGE_CHECK] = {"badMessageCheck", "protection is missing or did not verify"},
    [CMP_BAD_REQUEST] = {"badRequest", "this request is not supported or not expected now"},
    [CMP_BAD_TIME] = {"badTime", "messageTime is missing or too far from the time here"},
    [CMP_BAD_CERT_ID] = {"badCertId", "no certificate matches"},
    [CMP_BAD_DATA_FORMAT] = {"badDataFormat", "message is not as RFC 9810 describes it"},
    [CMP_WRONG_AUTHORITY] = {"wrongAuthority", "this is not the authority that was named"},
    [CMP_INCORRECT_DATA] = {"incorrectData", "data of the requester is incorrect"},
    [CMP_MISSING_TIME_STAMP] = {"missingTimeStamp", "a time stamp is missing"},
    [CMP_BAD_POP] = {"badPOP", "proof of possession is missing or did not verify"},
    [CMP_CERT_REVOKED] = {"certRevoked", "the certificate is revoked"},
    [CMP_CERT_CONFIRMED] = {"certConfirmed", "the certificate is confirmed already"},
    [CMP_WRONG_INTEGRITY] = {"wrongIntegrity", "this kind of protection is not accepted here"},
    [CMP_BAD_RECIPIENT_NONCE] = {"badRecipientNonce", "recipNonce is not the one expected"},
    [CMP_TIME_NOT_AVAILABLE] = {"timeNotAvailable", "no trusted time is available"},
    [CMP_UNACCEPTED_POLICY] = {"unacceptedPolicy", "the policy is not accepted"},
    [CMP_UNACCEPTED_EXTENSION] = {"unacceptedExtension", "an extension is not accepted"},
    [CMP_ADD_INFO_NOT_AVAILABLE] = {"addInfoNotAvailable", "additional information is missing"},
    [CMP_BAD_SENDER_NONCE] = {"badSenderNonce", "senderNonce is missing or shorter than 128 bits"},
    [CMP_BAD_CERT_TEMPLATE] = {"badCertTemplate", "subject or key of the template is not accepted"},
    [CMP_SIGNER_NOT_TRUSTED] = {"signerNotTrusted", "the signer of the message is not trusted"},
    [CMP_TRANSACTION_ID_IN_USE] = {"transactionIdInUse", "transactionID has been used already"},
    [CMP_UNSUPPORTED_VERSION] = {"unsupportedVersion", "pvno is neither 2 nor 3"},
    [CMP_NOT_AUTHORIZED] = {"notAuthorized", "the requester is not authorized for this"},
    [CMP_SYSTEM_UNAVAIL] = {"systemUnavail", "not available now, try again later"},
    [CMP_SYSTEM_FAILURE] = {"systemFailure", "the system failed, try again later"},
    [CMP_DUPLICATE_CERT_REQ] = {"duplicateCertReq", "a certificate was issued to this key already"},
};

static const struct word *
word_of(enum cmp_failure failure)
{
    static const struct word none = {"none", "no failure"};

    return failure >= 0 && (size_t)failure < CMP_FAILURE_COUNT ? &words[failure] : &none;
}

const char *
cmp_failure_name(enum cmp_failure failure)
{
    return word_of(failure)->name;
}

const char *
cmp_failure_phrase(enum cmp_failure failure)
{
    return word_of(failure)->phrase;
}
