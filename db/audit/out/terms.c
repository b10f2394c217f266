/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/out/terms.h"

#include <stddef.h>
#include <strings.h>

#include "base/mem.h"

static const char *const reasons[] = {
    "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", NULL,
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
};

static const char *const failures[] = {
    "badAlg",
    "badMessageCheck",
    "badRequest",
    "badTime",
    "badCertId",
    "badDataFormat",
    "wrongAuthority",
    "incorrectData",
    "missingTimeStamp",
    "badPOP",
    "certRevoked",
    "certConfirmed",
    "wrongIntegrity",
    "badRecipientNonce",
    "timeNotAvailable",
    "unacceptedPolicy",
    "unacceptedExtension",
    "addInfoNotAvailable",
    "badSenderNonce",
    "badCertTemplate",
    "signerNotTrusted",
    "transactionIdInUse",
    "unsupportedVersion",
    "notAuthorized",
    "systemUnavail",
    "systemFailure",
    "duplicateCertReq",
};

const char *
term_crl_reason(int64_t number)
{
    return number >= 0 && number < (int64_t)ARRAY_LEN(reasons) ? reasons[number] : NULL;
}

int
term_crl_reason_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i] != NULL && strcasecmp(reasons[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const char *
term_fail_info(int64_t bit)
{
    return bit >= 0 && bit < (int64_t)ARRAY_LEN(failures) ? failures[bit] : NULL;
}
