/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/wrapper.h"

#include "base/oid.h"
#include "base/ossl.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/protect.h"

static int
check_outer(const struct cmp_msg *outer, struct err *e)
{
    time_t time;

    if (cmp_msg_body(outer) != CMP_NESTED || cmp_msg_pvno(outer) != CMP_PVNO_2000) {
        return err_set(e, ERR_INPUT, "not a nested message of pvno 2");
    }
    if (!cmp_msg_time(outer, &time) || cmp_msg_sender_kid(outer).n == 0 ||
        cmp_msg_recip_nonce(outer).p != NULL || cmp_msg_extra_count(outer) != 1 ||
        cmp_protection_of(outer) != CMP_PROTECTION_SIGNATURE) {
        return err_set(e, ERR_INPUT, "header of the wrapper is not as the RA makes it");
    }
    return 0;
}

static int
read_entry(const struct cmp_msg *outer, struct cmp_queue_entry *entry, struct err *e)
{
    struct span value;

    if (cmp_msg_info_count(outer) != 1 || !cmp_msg_info(outer, NFPKI_OID_QUEUE_ENTRY, &value)) {
        return err_set(e, ERR_INPUT, "generalInfo is not exactly one id-nfpki-queueEntry");
    }
    return cmp_queue_entry_decode_before(value, entry, e);
}

static int
read_inner(const struct cmp_msg *outer, struct cmp_msg **inner, struct err *e)
{
    enum cmp_failure failure;
    struct span raw;

    if (cmp_nested_read(outer, &raw, &failure, e) != 0) {
        return -1;
    }
    *inner = cmp_msg_parse(raw, CMP_MESSAGE_MAX, e);
    if (*inner == NULL) {
        return err_wrap(e, "message inside");
    }
    if (cmp_msg_transaction_id(*inner).n == 0 ||
        !span_equal(cmp_msg_transaction_id(*inner), cmp_msg_transaction_id(outer)) ||
        !span_equal(cmp_msg_sender_nonce(*inner), cmp_msg_sender_nonce(outer))) {
        return err_set(e, ERR_INPUT, "transactionID and senderNonce are not the inner message's");
    }
    return 0;
}

int
cmp_wrapper_read(struct span der, struct cmp_msg **outer, struct cmp_msg **inner,
                 struct cmp_queue_entry *entry, struct err *e)
{
    *outer = cmp_msg_parse(der, CMP_NESTED_MAX, e);
    return *outer == NULL || check_outer(*outer, e) != 0 || read_entry(*outer, entry, e) != 0
               ? -1
               : read_inner(*outer, inner, e);
}

int
cmp_wrapper_verify(const struct cmp_msg *outer, X509 *ra, const X509_NAME *ca, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *recipient = NULL;
    enum cmp_failure failure;

    if (cmp_signature_verify(outer, ra, &failure, e) != 0) {
        e->code = ERR_CRYPTO;
        return err_wrap(e, "signature of the RA");
    }
    recipient = cmp_msg_recipient_name(outer, e);
    return recipient != NULL && X509_NAME_cmp(recipient, ca) == 0
               ? 0
               : err_set(e, ERR_DENIED, "meant for another CA");
}
