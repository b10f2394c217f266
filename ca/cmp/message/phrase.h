/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phrase.h - every text that a network function can get from us (statusString; the reason of a
 * pollRep): one closed table. Each row says who is at fault and what to do next.
 *
 * Who refuses says why to the log, in `struct err`, and lays the number of a row beside it; the
 * text is made where the answer is, so that a phrase and a failInfo that do not belong together
 * never meet. A refusal without a row gets the row of its failInfo.
 *
 *   return phrase_refuse(failure, PHRASE_NO_POP, e, "popo is absent");
 *   ... (void)phrase_refuse(failure, PHRASE_EARLY, e, "not before %s", at);
 *       return phrase_value(e, "%s", at);                       what stands in place of "{}"
 *
 * No phrase tells anything about another network function, or which registrations exist: what an
 * unknown reference gets and what a wrong secret gets is one row.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "ca/cmp/message/failure.h"

enum {
    PHRASE_MAX = 128, /* characters, filled in: LINK_PHRASE_MAX */
    PHRASE_SIZE = PHRASE_MAX + 1,
};

enum phrase_fault {
    FAULT_NOBODY,   /* it is under way */
    FAULT_NF,       /* its message, its configuration or its clock */
    FAULT_OPERATOR, /* what is registered, decided or configured for it */
    FAULT_PKI,      /* ours: nothing that it sent is wrong */
};

enum phrase {
    PHRASE_NONE = 0,
    /* 1 .. CMP_FAILURE_COUNT: the rows of the failInfos, phrase_of_failure() */

    /* form */
    PHRASE_FORM = CMP_FAILURE_COUNT + 1,
    PHRASE_BODY,
    PHRASE_UNPROTECTED,
    PHRASE_PROTECTION_ALG,
    PHRASE_PBM,
    PHRASE_PBMAC1,
    PHRASE_SENDER,
    PHRASE_NO_REFERENCE,
    PHRASE_NO_SIGNER,
    PHRASE_NO_SENDER_KID,
    PHRASE_RECIPIENT,
    PHRASE_TRANSACTION_ID,
    PHRASE_FIRST_RECIP_NONCE,
    PHRASE_NO_RECIP_NONCE,
    PHRASE_NO_TIME,
    PHRASE_TIME_OFF,
    PHRASE_WAIT_TIME,
    PHRASE_IMPLICIT_VALUE,
    PHRASE_PATH_OPERATION,
    PHRASE_PATH_PROFILE,
    PHRASE_PROFILE_NAME,
    PHRASE_NESTED,
    PHRASE_GENM,

    /* what a certificate is asked for with */
    PHRASE_ONE_REQUEST,
    PHRASE_CERT_REQ_ID,
    PHRASE_PKCS10_VERSION,
    PHRASE_TEMPLATE_VERSION,
    PHRASE_TEMPLATE_SURPLUS,
    PHRASE_NO_KEY,
    PHRASE_NO_NAME,
    PHRASE_KEY_KIND,
    PHRASE_KEY_SIZE,
    PHRASE_KEY_EXPONENT,
    PHRASE_KEY_FACTOR,
    PHRASE_KEY_ROCA,
    PHRASE_KEY_CLOSE,
    PHRASE_KEY_PRIME,
    PHRASE_KEY_LISTED,
    PHRASE_SIGNER_LISTED,
    PHRASE_KEY_PROFILE,
    PHRASE_KEY_TAKEN,
    PHRASE_KEY_SAME,
    PHRASE_KEY_REGISTERED,
    PHRASE_SUBJECT,
    PHRASE_ALT_NAME,
    PHRASE_EXTENSION,
    PHRASE_NF_TYPE,
    PHRASE_OLD_CERT_FORM,
    PHRASE_OLD_CERT,
    PHRASE_UPDATE_NAMES,
    PHRASE_NO_POP,
    PHRASE_POP_KIND,
    PHRASE_RA_VERIFIED,
    PHRASE_POP,

    /* who asks */
    PHRASE_PROOF,
    PHRASE_NOT_REGISTERED,
    PHRASE_PROOF_SHARED,
    PHRASE_OTHER_CERTIFICATE,
    PHRASE_NOT_OURS,
    PHRASE_UPDATE_MAC,
    PHRASE_NO_TRANSACTION,
    PHRASE_OTHER_PROTECTION,
    PHRASE_OTHER_CREDENTIALS,
    PHRASE_SIGNED_ONLY,
    PHRASE_PROFILE,
    PHRASE_PROFILE_HELD,
    PHRASE_NOT_OPEN,
    PHRASE_MADE_BEFORE,
    PHRASE_ENDED,
    PHRASE_CANCELLED,
    PHRASE_USED_UP,
    PHRASE_UNWANTED,
    PHRASE_SUPERSEDED,
    PHRASE_EARLY,
    PHRASE_NO_REENROLMENT,
    PHRASE_RENEWED,
    PHRASE_RENEWAL_WAITS,
    PHRASE_SUCCESSOR,
    PHRASE_SUCCESSOR_REVOKED,
    PHRASE_TOO_OFTEN,
    PHRASE_BUDGET,

    /* people */
    PHRASE_WAITING,
    PHRASE_NOT_APPROVED,
    PHRASE_LATE_APPROVAL,
    PHRASE_ENDED_WAITING,

    /* later messages */
    PHRASE_CERT_HASH,
    PHRASE_CERT_STATUS,
    PHRASE_NOTHING_TO_CONFIRM,
    PHRASE_NOT_KEPT,
    PHRASE_POLL_ID,

    /* revocation */
    PHRASE_REVOKE_MAC,
    PHRASE_REVOKE_OTHERS,
    PHRASE_REVOKE_UNKNOWN,
    PHRASE_REVOKE_KEY,
    PHRASE_REVOKE_AGAIN,
    PHRASE_REVOKE_EXPIRED,

    /* ours */
    PHRASE_GIVEN_UP,
    PHRASE_LONG_CRL,

    PHRASE_COUNT,
};

struct phrase_row {
    enum cmp_failure failure; /* CMP_NO_FAILURE: no refusal */
    enum phrase_fault fault;
    const char *text; /* "what is wrong: what to do next"; PHRASE_HOLE stands for a value */
};
#define PHRASE_HOLE "{}"

/* Of 1 .. PHRASE_COUNT - 1. */
const struct phrase_row *phrase_row(enum phrase);
enum phrase phrase_of_failure(enum cmp_failure);

/* Its text as it is; printable ASCII. */
const char *phrase_text(enum phrase);
/* With the value in its place. */
void phrase_format(enum phrase, const char *value, char out[PHRASE_SIZE]);
/* What the peer is told about a refusal with this failInfo: the row beside the reason when it is
 * one of that failInfo, else the failInfo's own. */
void phrase_tell(enum cmp_failure, const struct err *, char out[PHRASE_SIZE]);

/* Sets *failure, the reason, and what is said to the peer: each is -1. ERR_INPUT when the network
 * function is at fault, ERR_BUSY when we are, else ERR_DENIED. */
#define phrase_refuse(failure, phrase, e, ...)                                                     \
    err_failed(phrase_refuse_text((failure), (phrase), (e), __VA_ARGS__))
int phrase_refuse_text(enum cmp_failure *failure, enum phrase, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Lays the row beside a reason that is there. */
int phrase_say(enum cmp_failure *failure, enum phrase, struct err *e);
int phrase_value(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
