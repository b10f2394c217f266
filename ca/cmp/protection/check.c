/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/mac.h"
#include "ca/cmp/protection/protect.h"

const struct cmp_lenience cmp_lenience_rfc4210 = {
    .short_ids = true,
    .any_cert_req_id = true,
    .signer_anywhere = true,
    .no_sender_kid = true,
    .implicit_without_null = true,
    .no_time = true,
};

/* RFC 9810 7: 2, or 3 for those who use what came with it. */
static int
check_version(const struct cmp_msg *msg, enum cmp_failure *failure, struct err *e)
{
    int pvno = cmp_msg_pvno(msg);

    if (pvno != CMP_PVNO_2000 && pvno != CMP_PVNO_2021) {
        return cmp_fault(failure, CMP_UNSUPPORTED_VERSION, e, "pvno %d", pvno);
    }
    return 0;
}

static int
check_body(const struct cmp_msg *msg, const struct cmp_rules *rules, enum cmp_failure *failure,
           struct err *e)
{
    if ((rules->bodies & CMP_BODY_BIT(cmp_msg_body(msg))) == 0) {
        (void)phrase_refuse(failure, PHRASE_BODY, e, "body %s is not accepted here",
                            cmp_body_name(cmp_msg_body(msg)));
        return phrase_value(e, "%s", cmp_body_name(cmp_msg_body(msg)));
    }
    return 0;
}

static int
check_protection(const struct cmp_msg *msg, const struct cmp_rules *rules,
                 enum cmp_failure *failure, struct err *e)
{
    switch (cmp_protection_of(msg)) {
    case CMP_UNPROTECTED:
        return phrase_refuse(failure, PHRASE_UNPROTECTED, e, "message is not protected");
    case CMP_PROTECTION_MAC:
        return cmp_mac_algorithm_check(cmp_msg_protection_alg(msg), &rules->mac, failure, e);
    case CMP_PROTECTION_SIGNATURE:
        return cmp_signature_algorithm_check(cmp_msg_protection_alg(msg), failure, e);
    case CMP_PROTECTION_UNKNOWN:
        break;
    }
    return phrase_refuse(failure, PHRASE_PROTECTION_ALG, e, "protectionAlg is not known");
}

/* RFC 9483 3.1: the sender is a directoryName, whatever protects the message. */
static int
check_sender(const struct cmp_msg *msg, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = cmp_msg_sender_name(msg, e);

    if (name == NULL) {
        return phrase_refuse(failure, PHRASE_SENDER, e, "sender is not a directoryName");
    }
    /* With a MAC, senderKID is the only thing that says which secret (RFC 9483 3.1). */
    if (cmp_protection_of(msg) == CMP_PROTECTION_MAC && cmp_msg_sender_kid(msg).n == 0) {
        return phrase_refuse(failure, PHRASE_NO_REFERENCE, e, "senderKID is missing");
    }
    return 0;
}

static int
check_ids(const struct cmp_msg *msg, const struct cmp_rules *rules, bool first,
          enum cmp_failure *failure, struct err *e)
{
    const size_t least = rules->old.short_ids ? CMP_OLD_NONCE_MIN : CMP_NONCE_SIZE;
    struct span id = cmp_msg_transaction_id(msg);
    struct span nonce = cmp_msg_recip_nonce(msg);

    /* RFC 9483 3.1: 128 bits of pseudo-random data. Absent and too short are the same fault. */
    if (id.n < least) {
        return phrase_refuse(failure, PHRASE_TRANSACTION_ID, e, "transactionID of %zu octets",
                             id.n);
    }
    if (cmp_msg_sender_nonce(msg).n < least) {
        return cmp_fault(failure, CMP_BAD_SENDER_NONCE, e, "senderNonce of %zu octets",
                         cmp_msg_sender_nonce(msg).n);
    }
    if (first && nonce.p != NULL) {
        return phrase_refuse(failure, PHRASE_FIRST_RECIP_NONCE, e, "recipNonce in a first message");
    }
    if (!first && nonce.n == 0) {
        return phrase_refuse(failure, PHRASE_NO_RECIP_NONCE, e, "recipNonce is missing");
    }
    return 0;
}

static int
check_time_there(const struct cmp_msg *msg, const struct cmp_rules *rules,
                 enum cmp_failure *failure, struct err *e)
{
    time_t time;

    return rules->time_required && !rules->old.no_time && !cmp_msg_time(msg, &time)
               ? phrase_refuse(failure, PHRASE_NO_TIME, e, "messageTime is missing")
               : 0;
}

/* RFC 9483 3.1: the value of implicitConfirm is NULL, and confirmWaitTime, the server's to set,
 * does not go with it. What has no meaning in this message or here, either of them where nothing is
 * to be confirmed and every other infoType, is passed over: it does no harm, and clients differ. */
static int
check_info(const struct cmp_msg *msg, const struct cmp_rules *rules, enum cmp_failure *failure,
           struct err *e)
{
    struct span value;
    struct span wait;
    struct der null;

    if (cmp_msg_info_count(msg) == 0 || !cmp_msg_info(msg, CMP_OID_IMPLICIT_CONFIRM, &value)) {
        return 0;
    }
    if (cmp_msg_info(msg, CMP_OID_CONFIRM_WAIT_TIME, &wait)) {
        return phrase_refuse(failure, PHRASE_WAIT_TIME, e,
                             "implicitConfirm with a confirmWaitTime");
    }
    if (!der_only(value, DER_NULL, &null) && !(value.n == 0 && rules->old.implicit_without_null)) {
        return phrase_refuse(failure, PHRASE_IMPLICIT_VALUE, e, "implicitConfirm is not NULL");
    }
    return 0;
}

static int
check(const struct cmp_msg *msg, const struct cmp_rules *rules, bool first,
      enum cmp_failure *failure, struct err *e)
{
    *failure = CMP_NO_FAILURE;
    if (check_version(msg, failure, e) != 0 || check_body(msg, rules, failure, e) != 0 ||
        check_protection(msg, rules, failure, e) != 0 || check_sender(msg, failure, e) != 0 ||
        check_ids(msg, rules, first, failure, e) != 0 ||
        check_time_there(msg, rules, failure, e) != 0) {
        return -1;
    }
    return check_info(msg, rules, failure, e);
}

bool
cmp_is_later(enum cmp_body body)
{
    return body == CMP_CERTCONF || body == CMP_POLLREQ || body == CMP_ERROR;
}

bool
cmp_looks_later(struct span der)
{
    struct der message;
    struct der header;
    struct der body;

    return der_next(&der, &message) && message.tag == DER_SEQUENCE &&
           der_next(&message.content, &header) && der_next(&message.content, &body) &&
           body.tag >= DER_CONTEXT && cmp_is_later((enum cmp_body)(body.tag - DER_CONTEXT));
}

int
cmp_check_first(const struct cmp_msg *msg, const struct cmp_rules *rules, enum cmp_failure *failure,
                struct err *e)
{
    return check(msg, rules, true, failure, e);
}

int
cmp_check_later(const struct cmp_msg *msg, const struct cmp_rules *rules, enum cmp_failure *failure,
                struct err *e)
{
    return check(msg, rules, false, failure, e);
}

int
cmp_check_signer(const struct cmp_msg *msg, const struct cmp_rules *rules, const X509 *signer,
                 enum cmp_failure *failure, struct err *e)
{
    *failure = CMP_NO_FAILURE;
    if (cmp_msg_sender_kid(msg).n == 0 && !rules->old.no_sender_kid &&
        ossl_has_extension(X509_get0_extensions(signer), NID_subject_key_identifier)) {
        return phrase_refuse(failure, PHRASE_NO_SENDER_KID, e, "senderKID is missing");
    }
    return 0;
}

int
cmp_check_time(const struct cmp_msg *msg, time_t now, int behind_s, int ahead_s,
               enum cmp_failure *failure, struct err *e)
{
    time_t time;
    int64_t off;

    *failure = CMP_NO_FAILURE;
    if (!cmp_msg_time(msg, &time)) {
        return 0; /* cmp_check_first() said whether it may be absent */
    }
    off = (int64_t)time - (int64_t)now;
    if (off <= ahead_s && off >= -behind_s) {
        return 0;
    }
    (void)phrase_refuse(failure, PHRASE_TIME_OFF, e,
                        "messageTime is off by %" PRId64 " s; %d s are allowed", off,
                        off < 0 ? behind_s : ahead_s);
    return phrase_value(e, "%" PRId64 " s %s", off < 0 ? -off : off,
                        off < 0 ? "behind" : "ahead of");
}

int
cmp_check_recip_nonce(const struct cmp_msg *msg, struct span nonce, enum cmp_failure *failure,
                      struct err *e)
{
    if (nonce.n == 0 || !span_equal_secret(cmp_msg_recip_nonce(msg), nonce)) {
        return cmp_fault(failure, CMP_BAD_RECIPIENT_NONCE, e, "recipNonce is not our senderNonce");
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
